package simulation

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
)

// counter counts residents, part by part. It belongs to one goroutine.
type counter struct {
	*judge
	kept    *kept
	columns []*column
	bulk    []*register.Bulk // for states
	most    int64            // bytes that are kept

	known    [][]known           // by source and number of the state
	tells    [][]int             // by source: the dimensions that it tells
	outlines map[string]*outline // by whether there is a record, for each source
	verdicts map[string]uint32   // by the classes of all sources; by the outline alone if that decides
	pile     pile

	states, classes []uint32 // of the resident who is counted
	key, shape      []byte
}

// counter returns a worker of the run.
func (j *judge) counter(kept *kept, columns []*column) (*counter, error) {
	c := &counter{
		judge: j, kept: kept, columns: columns, most: j.simulator.Memory, known: make([][]known, len(columns)), tells: make([][]int, len(columns)),
		outlines: map[string]*outline{}, verdicts: map[string]uint32{}, pile: newPile(j.run),
		states: make([]uint32, len(columns)), classes: make([]uint32, len(columns)),
	}
	for dimension := range dimensions {
		if told := j.told(dimension); told.source >= 0 {
			c.tells[told.source] = append(c.tells[told.source], dimension)
		}
	}
	if c.most == 0 {
		c.most = mostKept
	}
	for _, source := range j.sources {
		bulk, err := j.simulator.Registers.Bulk(source.evidence, source.wanted)
		if err != nil {
			return nil, err
		}
		c.bulk = append(c.bulk, bulk)
	}
	return c, nil
}

// count reads what is not kept, or is no longer what it was, and evaluates all residents, on all processors.
func (r *run) count(ctx context.Context) (tally, error) {
	s := r.simulator
	s.watching.Do(func() { s.Vault.OnForget(s.kept.forget) })
	erased, err := s.Vault.Erased(ctx)
	if err != nil {
		return tally{}, err
	}
	columns, err := s.kept.begin(r.today, erased, r.column, len(r.sources))
	if err != nil {
		return tally{}, err
	}
	defer s.kept.end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	var group sync.WaitGroup
	judge := newJudge(r)
	workers := make([]*counter, runtime.GOMAXPROCS(0))
	failed := make([]error, len(workers))
	for i := range workers {
		if workers[i], err = judge.counter(&s.kept, columns); err != nil {
			return tally{}, err
		}
	}
	for i, worker := range workers {
		group.Go(func() {
			for failed[i] == nil {
				part := int(next.Add(1)) - 1
				if part >= parts {
					return
				}
				if failed[i] = worker.part(ctx, part); failed[i] != nil {
					cancel() // the others need not go on
				}
			}
		})
	}
	group.Wait()
	if err := firstCause(failed); err != nil {
		return tally{}, err
	}
	total := newTally(r)
	for _, worker := range workers {
		worker.pile.onto(&total)
	}
	total.lacked = judge.lacked
	return total, nil
}

// column returns an empty column for the source.
func (r *run) column(i int) (*column, error) {
	source := r.sources[i]
	evidence, _, err := r.simulator.Registers.Definitions().Evidence(source.evidence)
	if err != nil {
		return nil, err
	}
	bulk, err := r.simulator.Registers.Bulk(source.evidence, source.wanted)
	if err != nil {
		return nil, err
	}
	return newColumn(evidence, source.wanted, bulk), nil
}

// firstCause returns the error that stopped the others.
func firstCause(failed []error) error {
	var stopped error
	for _, err := range failed {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		stopped = errors.Join(stopped, err)
	}
	return stopped
}

// border returns the subject after which a part of the people begins: their ids are random, so that parts are of one size.
func border(part int) ident.Subject {
	const digits = "0123456789abcdef"
	if part >= parts {
		return "person:~" // after every id
	}
	return ident.Person([]byte{digits[part/4], digits[part%4*4]}).Subject()
}

// part counts one part of the residents, block by block. What was kept of it before is taken as far as it reaches.
func (c *counter) part(ctx context.Context, number int) error {
	part, end := c.kept.part(number), border(number+1)
	for i, after := 0, border(number); after != end; i++ {
		if i == len(part.blocks) {
			// Its end is where the reading ends; until then it has nobody.
			c.kept.mu.RLock()
			part.blocks = append(part.blocks, &block{after: after, until: end, cells: map[*column]*cells{}})
			c.kept.mu.RUnlock()
		}
		again, err := c.block(ctx, part.blocks[i])
		if err != nil {
			return err
		}
		if again { // more people came than a block holds: what follows is divided anew
			c.kept.mu.RLock()
			for _, one := range part.blocks[i:] {
				one.release()
			}
			part.blocks = part.blocks[:i]
			c.kept.mu.RUnlock()
			i--
			continue
		}
		after = part.blocks[i].until
	}
	c.kept.settle(number, part, c.columns, c.most)
	return nil
}

// news is what the registers say of a block that is not kept of it.
type news struct {
	until   ident.Subject
	people  []who // nil: the same as before
	columns []columnNews
}

// columnNews is what is new in one register.
type columnNews struct {
	total    int // versions between the block's borders
	read     []ident.Subject
	versions []register.StoredVersion // of those who were read, in order

	states []stateNews // of those who were read
}

// stateNews is what one resident's state is now.
type stateNews struct {
	who      who
	own      []register.StoredVersion // until they are opened
	state    []byte
	versions uint8
	gone     bool // the key was destroyed while it was read
}

// block brings a block up to date and counts its residents. Again: it has too many, and nobody was counted.
func (c *counter) block(ctx context.Context, block *block) (again bool, err error) {
	news := news{until: block.until, columns: make([]columnNews, len(c.columns))}
	err = c.simulator.Store.View(ctx, func(tx Reader) (err error) {
		again, err = c.look(tx, block, &news)
		return err
	})
	if err != nil || again {
		return again, err
	}
	if err := c.open(ctx, &news); err != nil {
		return false, err
	}
	c.kept.mu.RLock()
	defer c.kept.mu.RUnlock()
	c.renew(block, news)
	return false, c.residents(ctx, block)
}

// look finds out, in one snapshot, what is new about a block's residents, and reads it.
func (c *counter) look(tx Reader, block *block, news *news) (again bool, err error) {
	fresh, size := block.people == nil, cmp.Or(c.kept.blockSize, atOnce)
	count, most := 0, size
	if !fresh {
		if count, err = tx.CountPeople(block.after, block.until); err != nil {
			return false, err
		}
		if most = count; most > crowd*size {
			return true, nil
		}
	}
	people := block.people
	if fresh || count != len(people) {
		found, err := tx.PeopleBetween(block.after, block.until, most)
		if err != nil {
			return false, err
		}
		people = make([]who, len(found))
		for i, subject := range found {
			people[i], _ = packed(subject)
		}
		if news.people = people; fresh && len(found) == size {
			news.until = found[size-1]
		}
	}
	for i, column := range c.columns {
		if err := c.lookInto(tx, block, column, people, news.until, &news.columns[i]); err != nil {
			return false, err
		}
	}
	return false, nil
}

// lookInto finds out what is new about the people of a block in the register of one column, and reads it.
func (c *counter) lookInto(tx Reader, block *block, column *column, people []who, until ident.Subject, news *columnNews) (err error) {
	if news.total, err = tx.CountVersions(column.register, block.after, until); err != nil {
		return err
	}
	c.kept.mu.RLock()
	known := block.cells[column]
	c.kept.mu.RUnlock()
	if news.total == 0 && known == nil {
		return nil // the register has nobody of them
	}
	var counts []Count
	recount := known != nil && known.total != news.total
	if recount {
		if counts, err = tx.CountsOfVersions(column.register, block.after, until); err != nil {
			return err
		}
	}
	// Who forgets changes states meanwhile.
	c.kept.mu.RLock()
	at := 0 // in the block as it is kept
	for _, one := range people {
		for at < len(block.people) && block.people[at].compare(one) < 0 {
			at++
		}
		unread := known == nil || at == len(block.people) || block.people[at] != one
		unread = unread || !block.gone[at] && (known.states[at] == 0 || known.versions[at] == unsteady)
		if recount && !unread && !block.gone[at] {
			subject, versions := one.subject(), 0
			for len(counts) > 0 && counts[0].Subject < subject {
				counts = counts[1:]
			}
			if len(counts) > 0 && counts[0].Subject == subject {
				versions = counts[0].Versions
			}
			unread = versions != int(known.versions[at])
		}
		if unread && !c.kept.gone[one] {
			news.read = append(news.read, one.subject())
		}
	}
	c.kept.mu.RUnlock()
	if len(news.read) > len(people)/4 {
		news.versions, err = tx.VersionsBetween(column.register, news.read[0], news.read[len(news.read)-1])
		return err
	}
	for _, one := range news.read {
		versions, err := tx.VersionsBetween(column.register, one, one)
		if err != nil {
			return err
		}
		news.versions = append(news.versions, versions...)
	}
	return nil
}

// open opens what was read, for as long as its state is found.
func (c *counter) open(ctx context.Context, news *news) error {
	var subjects []ident.Subject
	for i := range news.columns {
		one := &news.columns[i]
		rest := one.versions
		one.states, one.versions = make([]stateNews, len(one.read)), nil
		for at, subject := range one.read {
			found := &one.states[at]
			found.who, _ = packed(subject)
			if found.own, rest = of(subject, rest); len(found.own) > 0 {
				subjects = append(subjects, subject)
			}
		}
	}
	slices.Sort(subjects)
	sealer, err := c.simulator.Vault.OpenOnce(ctx, slices.Compact(subjects)...)
	if err != nil {
		return err
	}
	for i, one := range news.columns {
		for at := range one.states {
			found := &one.states[at]
			state, lasting, err := c.bulk[i].State(sealer, found.own, c.today)
			if found.gone = fault.Is(err, fault.Erased); err != nil && !found.gone {
				return err
			}
			found.state, found.versions = slices.Clone(state), uint8(min(len(found.own), unsteady))
			if found.own = nil; !lasting {
				found.versions = unsteady
			}
		}
	}
	return nil
}

// of returns the versions of the subject's records, and those of later subjects.
func of(who ident.Subject, versions []register.StoredVersion) (own, rest []register.StoredVersion) {
	begin := 0
	for begin < len(versions) && versions[begin].Key < act.Of(who) {
		begin++ // of somebody who is no resident
	}
	end := begin
	for end < len(versions) && versions[end].Key == act.Of(who) {
		end++
	}
	return versions[begin:end], versions[end:]
}

// renew writes what is new into a block. The lock of what is kept is held for reading.
func (c *counter) renew(block *block, news news) {
	if news.people != nil {
		block.resettle(news.people)
	}
	block.until = news.until
	if len(c.kept.gone) > 0 {
		for at, one := range block.people {
			block.gone[at] = block.gone[at] || c.kept.gone[one]
		}
	}
	for i, one := range news.columns {
		column := c.columns[i]
		known := block.cells[column]
		if known == nil {
			known = &cells{states: make([]uint32, len(block.people)), versions: make([]uint8, len(block.people))}
			block.cells[column] = known
			for at := range known.states {
				if one.total == 0 && !block.gone[at] {
					known.states[at] = column.take(nil) // the register has nobody of them, and nobody was read
				}
			}
		}
		known.total = one.total
		at := 0
		for _, state := range one.states {
			for block.people[at] != state.who {
				at++
			}
			column.release(known.states[at], false)
			known.states[at] = 0
			if block.gone[at] = block.gone[at] || state.gone; !block.gone[at] {
				known.states[at], known.versions[at] = column.take(state.state), state.versions
			}
		}
	}
	for at, gone := range block.gone {
		if gone {
			block.forget(at)
		}
	}
}

// resettle makes these the residents of a block. Nothing is known of those who are new.
func (b *block) resettle(people []who) {
	gone := make([]bool, len(people))
	from := make([]int, len(people)) // where each stood; -1: nowhere
	at := 0
	for i, one := range people {
		for at < len(b.people) && b.people[at].compare(one) < 0 {
			at++
		}
		if from[i] = -1; at < len(b.people) && b.people[at] == one {
			from[i], gone[i] = at, b.gone[at]
		}
	}
	for _, cells := range b.cells {
		states, versions := make([]uint32, len(people)), make([]uint8, len(people))
		for i, at := range from {
			if at >= 0 {
				states[i], versions[i] = cells.states[at], cells.versions[at]
			}
		}
		cells.states, cells.versions = states, versions
	}
	b.people, b.gone = people, gone
}

// residents counts the residents of a block. The lock of what is kept is held for reading.
func (c *counter) residents(ctx context.Context, block *block) error {
	cells := make([]*cells, len(c.columns))
	for i, column := range c.columns {
		cells[i] = block.cells[column]
	}
	for at := range block.people {
		if block.gone[at] {
			continue // nobody whom the law let be forgotten is counted
		}
		for i := range cells {
			c.states[i] = cells[i].states[at]
		}
		if err := c.resident(ctx); err != nil {
			return err
		}
	}
	return nil
}

// resident counts one resident by their states.
func (c *counter) resident(ctx context.Context) error {
	group := [dimensions]int{}
	c.key, c.shape = c.key[:0], c.shape[:0]
	for i, number := range c.states {
		known, err := c.knowledge(ctx, i, number)
		if err != nil {
			return err
		}
		if !known.counts {
			return nil
		}
		for _, dimension := range c.tells[i] {
			group[dimension] = int(known.group[dimension])
		}
		c.classes[i] = known.class
		c.key, c.shape = appendNumber(c.key, known.class), append(c.shape, byte(min(known.class, 1)))
	}
	o := c.outlines[string(c.shape)]
	if o == nil {
		o = c.judge.outline(c.classes)
		c.outlines[string(c.shape)] = o
	}
	if o.decided {
		c.key = append(c.key[:0], c.shape...) // whatever else the registers say
	}
	verdict, found := c.verdicts[string(c.key)]
	if !found {
		said, err := c.judge.judge(ctx, o, c.columns, c.states, c.classes)
		if err != nil {
			return err
		}
		var full bool
		if verdict, full = c.pile.number(said); full || len(c.verdicts) >= mostRemembered {
			clear(c.verdicts)
		}
		c.verdicts[string(c.key)] = verdict
	}
	c.pile.count(group, verdict)
	return nil
}

// knowledge returns what a state means for the count.
func (c *counter) knowledge(ctx context.Context, i int, number uint32) (known, error) {
	if int(number) < len(c.known[i]) && c.known[i][number].seen {
		return c.known[i][number], nil
	}
	found, err := c.judge.know(ctx, c.columns[i], i, number)
	if err != nil {
		return known{}, err
	}
	if grown := int(number) + 1 - len(c.known[i]); grown > 0 {
		c.known[i] = append(c.known[i], make([]known, grown)...)
	}
	c.known[i][number] = found
	return found, nil
}
