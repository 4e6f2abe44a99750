package simulation

import (
	"bytes"
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/register"
)

// kept is what runs have read of the residents, in the memory of this process alone: it is in no file, no backup and no
// line of a log, and may be dropped at any time. Of each resident it has the number of a state for each evidence type that a
// run read (register.Bulk); what a state says stands there once for all who are in it.
//
// It is no second truth: a run takes a state only where the register has as many versions of the resident's records as when
// the state was read, for versions are only ever added. Whoever is erased is taken out before the erasing of their key
// returns, in this process; before the next run counts anybody, in every other.
type kept struct {
	// mu is held alone by who forgets, or changes a field below. A worker, who alone has its part during a run, holds it for
	// reading while it changes or counts the part.
	mu      sync.RWMutex
	parts   [parts]*part
	columns map[string]*column // by evidence type and wanted answers
	gone    map[who]bool       // whose keys are destroyed
	day     calendar.Date      // of the newest run
	busy    bool               // a run is on its way
	idle    *time.Timer        // drops everything

	blockSize int // residents in a block; 0: atOnce
}

const (
	parts   = 64        // into which the residents are divided, by their random ids
	atOnce  = 1_000     // residents in a block
	crowd   = 4         // times as many residents divide a block anew
	keepFor = time.Hour // after the last run

	// mostKept is how much is kept of the residents and their states, in bytes: a part that exceeds it is read at each run.
	mostKept = 256 << 20
)

// who is a person's id, in 16 bytes. Its order is that of subjects.
type who uuid.UUID

// packed returns a subject's id, and false of one that is no person.
func packed(subject ident.Subject) (who, bool) {
	person, ok := subject.Person()
	id, err := uuid.Parse(string(person))
	return who(id), ok && err == nil
}

// subject returns whose id it is.
func (w who) subject() ident.Subject { return ident.Person(uuid.UUID(w).String()).Subject() }

func (w who) compare(other who) int { return bytes.Compare(w[:], other[:]) }

// part is the residents between two borders.
type part struct {
	blocks []*block
	size   int64 // of the blocks, in bytes, as the last run left them
}

// block is some neighbours by id: all residents after the one subject and not after the other.
type block struct {
	after, until ident.Subject
	people       []who
	gone         []bool // who is not counted, because their key is destroyed
	cells        map[*column]*cells
}

// cells are a block's states of one column.
type cells struct {
	total    int      // versions in the register between the block's borders
	states   []uint32 // of each resident; 0: it has to be read
	versions []uint8  // of each resident's records; unsteady: it has to be read at each run
}

// unsteady is how many versions a resident has of whom a later day alone changes the state, or who has more than can be noted.
const unsteady = 255

// column is what is kept of one evidence type: the states in which residents are, and what they say.
type column struct {
	register ident.Register
	evidence *register.EvidenceType // of the catalogue that was in force
	wanted   []string
	bulk     *register.Bulk // for answers

	mu      sync.Mutex
	numbers map[string]uint32 // guarded by mu: of the states, by text
	states  []state           // guarded by mu; by number
	dropped []uint32          // guarded by mu: numbers that nobody has any more; a run on its way may remember them
	free    []uint32          // guarded by mu: numbers that are given anew
	said    []said            // guarded by mu; by wanted answer
	stale   bool              // guarded by mu: said has what only somebody said who was erased
	size    int64             // guarded by mu: of the states, in bytes
}

// state is a register.Bulk's state.
type state struct {
	text   string
	uses   int      // how many residents are in it
	answer []uint32 // nil: not computed; else first whether there is a record, then the number of each wanted answer's value
}

// stateSize is about what a state takes beside its text, in bytes, its answer included.
const stateSize = 200

// said are the values of one wanted answer; 0 is none.
type said struct {
	numbers map[any]uint32
	values  []any
}

// begin prepares for a run on the day: who was erased is taken out, and what was read under other definitions dropped. It
// returns so many columns, one for each source of the run; of makes an empty one.
func (k *kept) begin(day calendar.Date, erased []ident.Subject, of func(i int) (*column, error), count int) ([]*column, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.takeOut(erased)
	if day.Before(k.day) || k.columns == nil {
		k.clear()
	}
	if k.idle != nil {
		k.idle.Stop()
	}
	columns := make([]*column, count)
	for i := range columns {
		fresh, err := of(i)
		if err != nil {
			return nil, err
		}
		name := string(fresh.evidence.Path) + " " + strings.Join(fresh.wanted, " ")
		if known := k.columns[name]; known == nil || known.evidence != fresh.evidence {
			k.drop(known)
			k.columns[name] = fresh
		}
		columns[i] = k.columns[name]
	}
	for _, one := range k.columns {
		one.begin(day != k.day)
	}
	k.day, k.busy = day, true
	return columns, nil
}

// end ends a run: what was read is kept for a while.
func (k *kept) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = false
	for _, one := range k.columns {
		one.begin(false)
	}
	if k.idle == nil {
		k.idle = time.AfterFunc(keepFor, func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			if !k.busy {
				k.clear()
			}
		})
	}
	k.idle.Reset(keepFor)
}

// clear drops everything but who is gone. mu is held.
func (k *kept) clear() { k.parts, k.columns = [parts]*part{}, map[string]*column{} }

// drop drops a column. mu is held.
func (k *kept) drop(one *column) {
	for name, column := range k.columns {
		if column == one {
			delete(k.columns, name)
		}
	}
	for _, part := range k.parts {
		if part != nil {
			for _, block := range part.blocks {
				delete(block.cells, one)
			}
		}
	}
}

// forget takes out who was erased; everybody, if it is not known who was (seal.Vault.OnForget).
func (k *kept) forget(erased ...ident.Subject) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(erased) == 0 {
		k.clear()
	}
	k.takeOut(erased)
	if !k.busy {
		for _, one := range k.columns {
			one.begin(false)
		}
	}
}

// takeOut takes out who was erased. mu is held.
func (k *kept) takeOut(erased []ident.Subject) {
	for _, subject := range erased {
		id, ok := packed(subject)
		if !ok || k.gone[id] {
			continue
		}
		if k.gone == nil {
			k.gone = map[who]bool{}
		}
		k.gone[id] = true
		if part := k.parts[id[0]>>2]; part != nil {
			part.forget(subject, id)
		}
	}
}

func (p *part) forget(subject ident.Subject, id who) {
	i, _ := slices.BinarySearchFunc(p.blocks, subject, func(b *block, s ident.Subject) int { return cmp.Compare(b.until, s) })
	if i == len(p.blocks) {
		return
	}
	block := p.blocks[i]
	if at, found := slices.BinarySearchFunc(block.people, id, who.compare); found {
		block.forget(at)
	}
}

// forget takes a resident's states out.
func (b *block) forget(at int) {
	b.gone[at] = true
	for column, cells := range b.cells {
		column.release(cells.states[at], true)
		cells.states[at] = 0
	}
}

// part returns the part, for the one worker who has it.
func (k *kept) part(number int) *part {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parts[number] == nil {
		k.parts[number] = &part{}
	}
	return k.parts[number]
}

// settle keeps a part that a worker is done with, if there is room: if not, columns that the run does not read go first, then
// the part.
func (k *kept) settle(number int, done *part, read []*column, most int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.parts[number] != done {
		return // everything was dropped meanwhile
	}
	done.measure()
	if k.size() <= most {
		return
	}
	for _, column := range k.columns {
		if !slices.Contains(read, column) {
			k.drop(column)
		}
	}
	for _, part := range k.parts {
		if part != nil {
			part.measure()
		}
	}
	if k.size() > most {
		for _, block := range done.blocks {
			block.release()
		}
		k.parts[number] = nil
	}
}

// size returns how much is kept, in bytes. mu is held.
func (k *kept) size() (size int64) {
	for _, part := range k.parts {
		if part != nil {
			size += part.size
		}
	}
	for _, column := range k.columns {
		column.mu.Lock()
		size += column.size
		column.mu.Unlock()
	}
	return size
}

func (p *part) measure() {
	p.size = 0
	for _, block := range p.blocks {
		p.size += int64(len(block.people)) * int64(len(who{})+1+len(block.cells)*5)
	}
}

// release lets go of the states of a block that is dropped.
func (b *block) release() {
	for column, cells := range b.cells {
		for _, number := range cells.states {
			column.release(number, false)
		}
	}
}

// newColumn returns a column without states.
func newColumn(evidence *register.EvidenceType, wanted []string, bulk *register.Bulk) *column {
	c := &column{
		register: bulk.Register, evidence: evidence, wanted: wanted, bulk: bulk,
		numbers: map[string]uint32{}, states: make([]state, 1),
	}
	c.forgetSaid()
	return c
}

// begin makes the numbers free that nobody has any more, and forgets what was said if it is not to be kept, or the day is
// another. No run is on its way.
func (c *column) begin(otherDay bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free, c.dropped = append(c.free, c.dropped...), nil
	if otherDay || c.stale {
		c.forgetSaid()
	}
}

func (c *column) forgetSaid() {
	c.said, c.stale = make([]said, len(c.wanted)), false
	for i := range c.said {
		c.said[i] = said{numbers: map[any]uint32{}, values: []any{nil}}
	}
	for i := range c.states {
		c.states[i].answer = nil
	}
}

// take returns the number of the state with the text, for one more resident.
func (c *column) take(text []byte) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	number, known := c.numbers[string(text)]
	if !known {
		if last := len(c.free) - 1; last >= 0 {
			number, c.free = c.free[last], c.free[:last]
		} else {
			number, c.states = uint32(len(c.states)), append(c.states, state{})
		}
		c.states[number] = state{text: string(text)}
		c.numbers[c.states[number].text] = number
		c.size += int64(len(text)) + stateSize
	}
	c.states[number].uses++
	return number
}

// release lets go of a resident's state, if there is one; if it was the last one's, of what it says.
func (c *column) release(number uint32, erased bool) {
	if number == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one := &c.states[number]
	if one.uses--; one.uses > 0 {
		return
	}
	delete(c.numbers, one.text)
	c.size -= int64(len(one.text)) + stateSize
	*one = state{}
	c.dropped = append(c.dropped, number)
	c.stale = c.stale || erased
}

// answer returns what the state of the number says on the day of the run.
func (c *column) answer(ctx context.Context, number uint32, day calendar.Date) ([]uint32, error) {
	c.mu.Lock()
	one := c.states[number]
	c.mu.Unlock()
	if one.answer != nil {
		return one.answer, nil
	}
	values, err := c.bulk.Answer(ctx, one.text, day)
	if err != nil {
		return nil, err
	}
	return c.says(number, values)
}

// says notes what a state says, nil for no record, and returns it in numbers.
func (c *column) says(number uint32, values map[string]any) ([]uint32, error) {
	answer := make([]uint32, 1+len(c.wanted))
	c.mu.Lock()
	defer c.mu.Unlock()
	if values != nil {
		answer[0] = 1
		for i, name := range c.wanted {
			var err error
			if answer[i+1], err = c.said[i].number(values[name]); err != nil {
				return nil, err
			}
		}
	}
	c.states[number].answer = answer
	return answer, nil
}

// encoded is a value that Go cannot compare, as text.
type encoded string

// number returns the number of a value.
func (s *said) number(value any) (uint32, error) {
	if value == nil {
		return 0, nil
	}
	key := value
	if !reflect.TypeOf(value).Comparable() {
		text, err := register.EncodeValues(map[string]any{"": value})
		if err != nil {
			return 0, err
		}
		key = encoded(text)
	}
	number, known := s.numbers[key]
	if !known {
		number = uint32(len(s.values))
		s.values, s.numbers[key] = append(s.values, value), number
	}
	return number, nil
}

// value returns what an answer in numbers says to one of the wanted, nil for nothing.
func (c *column) value(answer []uint32, name string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.wanted, name)
	return c.said[i].values[answer[i+1]]
}

// values returns what an answer in numbers says, nil for no record.
func (c *column) values(answer []uint32) map[string]any {
	if answer[0] == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	values := make(map[string]any, len(c.wanted))
	for i, name := range c.wanted {
		if value := c.said[i].values[answer[i+1]]; value != nil {
			values[name] = value
		}
	}
	return values
}
