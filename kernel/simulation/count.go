package simulation

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// verdict is what both definitions say of one resident.
type verdict struct {
	outcome [2]rules.Outcome
	amount  [2]money.Amount
	priced  [2]bool // the amount is known
}

// mostVerdicts is how many verdicts a counter remembers; then it begins anew.
const mostVerdicts = 1 << 20

// counter counts residents. It belongs to one goroutine.
type counter struct {
	*run
	bulk     []*register.Bulk
	known    [][]known          // by source and number of the answer
	ruled    []map[string]int   // by source: what the rules read of an answer, numbered
	verdicts map[string]verdict // by what the rules read of all sources
	key      []byte
	tally    tally
}

// known is what is remembered of one answer.
type known struct {
	ruled  int // the number of what the rules read of it
	group  [dimensions]int
	counts bool // it does not put the resident outside of the territory
	seen   bool
}

func (r *run) counter() (*counter, error) {
	c := &counter{
		run: r, known: make([][]known, len(r.sources)), ruled: make([]map[string]int, len(r.sources)), verdicts: map[string]verdict{},
		tally: newTally(r),
	}
	for i, source := range r.sources {
		bulk, err := r.simulator.Registers.Bulk(source.evidence, source.wanted)
		if err != nil {
			return nil, err
		}
		c.bulk = append(c.bulk, bulk)
		c.ruled[i] = map[string]int{}
	}
	return c, nil
}

const (
	parts  = 64    // into which the residents are divided, by their random ids
	atOnce = 1_000 // residents that are read at a time
)

// count reads and evaluates all residents, on all processors.
func (r *run) count(ctx context.Context) (tally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	var group sync.WaitGroup
	workers := make([]*counter, runtime.GOMAXPROCS(0))
	failed := make([]error, len(workers))
	for i := range workers {
		var err error
		if workers[i], err = r.counter(); err != nil {
			return tally{}, err
		}
		group.Go(func() {
			for failed[i] == nil {
				part := int(next.Add(1)) - 1
				if part >= parts {
					return
				}
				if failed[i] = workers[i].part(ctx, part); failed[i] != nil {
					cancel() // the others need not go on
				}
			}
		})
	}
	group.Wait()
	if err := firstCause(failed); err != nil {
		return tally{}, err
	}
	total := workers[0].tally
	for _, other := range workers[1:] {
		total.add(other.tally)
	}
	return total, nil
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

// part counts one part of the residents.
func (c *counter) part(ctx context.Context, part int) error {
	after, until := border(part), border(part+1)
	for {
		var people []ident.Subject
		versions := make([][]register.StoredVersion, len(c.bulk))
		err := c.simulator.Store.View(ctx, func(tx Reader) (err error) {
			if people, err = tx.PeopleBetween(after, until, atOnce); err != nil || len(people) == 0 {
				return err
			}
			for i, bulk := range c.bulk {
				if versions[i], err = tx.VersionsBetween(bulk.Register, people[0], people[len(people)-1]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(people) == 0 {
			return err
		}
		sealer, err := c.simulator.Vault.OpenOnce(ctx, people...)
		if err != nil {
			return err
		}
		answers := make([]map[string]any, len(c.bulk))
		numbers := make([]int, len(c.bulk))
		for _, who := range people {
			erased := false
			for i, bulk := range c.bulk {
				var own []register.StoredVersion
				own, versions[i] = of(who, versions[i])
				answers[i], numbers[i], err = bulk.Answer(ctx, sealer, own)
				if fault.Is(err, fault.Erased) {
					erased = true
				} else if err != nil {
					return err
				}
			}
			if erased {
				continue // nobody whom the law let be forgotten is counted
			}
			if err := c.resident(ctx, answers, numbers); err != nil {
				return err
			}
		}
		if len(people) < atOnce {
			return nil
		}
		after = people[len(people)-1]
	}
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

// resident counts one resident by the answers about them.
func (c *counter) resident(ctx context.Context, answers []map[string]any, numbers []int) error {
	group := [dimensions]int{}
	c.key = c.key[:0]
	remembered := true
	for i, number := range numbers {
		known, err := c.knowledge(i, answers[i], number)
		if err != nil {
			return err
		}
		for dimension := range group {
			if c.source(dimension) == i {
				group[dimension] = known.group[dimension]
			}
		}
		if !known.counts {
			return nil
		}
		remembered = remembered && known.ruled >= 0
		c.key = appendNumber(c.key, known.ruled)
	}
	verdict, found := c.verdicts[string(c.key)]
	if !found || !remembered {
		var err error
		if verdict, err = c.judge(ctx, answers); err != nil {
			return err
		}
		if remembered {
			if len(c.verdicts) >= mostVerdicts {
				clear(c.verdicts)
			}
			c.verdicts[string(c.key)] = verdict
		}
	}
	c.tally.count(group, verdict)
	return nil
}

// knowledge returns what an answer means for the count: computed once for each answer.
func (c *counter) knowledge(i int, answer map[string]any, number int) (known, error) {
	if number >= 0 && number < len(c.known[i]) && c.known[i][number].seen {
		return c.known[i][number], nil
	}
	found := known{ruled: -1, counts: true, seen: true}
	for dimension := range found.group {
		if c.source(dimension) != i {
			continue
		}
		var counts bool
		found.group[dimension], counts = c.place(dimension, answer)
		found.counts = found.counts && counts
	}
	if number < 0 {
		return found, nil
	}
	if answer == nil {
		found.ruled = 0
	} else {
		restricted, err := c.sources[i].restricted(answer)
		if err != nil {
			return known{}, err
		}
		numbered, ok := c.ruled[i][restricted]
		if !ok {
			numbered = len(c.ruled[i]) + 1
			c.ruled[i][restricted] = numbered
		}
		found.ruled = numbered
	}
	for len(c.known[i]) <= number {
		c.known[i] = append(c.known[i], known{})
	}
	c.known[i][number] = found
	return found, nil
}

// judge evaluates both definitions over the answers about one resident.
func (c *counter) judge(ctx context.Context, answers []map[string]any) (found verdict, err error) {
	for side, definition := range []*service.Definition{c.before, c.after} {
		facts := service.Facts{Submitted: c.today, Decided: c.today, Ask: c.assumed[side], Evidence: map[string]any{}}
		for i, source := range c.sources {
			for _, name := range source.names[side] {
				if facts.Evidence[name] = nil; answers[i] != nil {
					facts.Evidence[name] = answers[i]
				}
			}
		}
		outcome, unknown, err := definition.Entitled(ctx, facts)
		if ctx.Err() != nil {
			return verdict{}, context.Cause(ctx)
		}
		if err != nil {
			continue // what cannot be computed is not known: an application would wait for people, too
		}
		c.tally.lacks(unknown)
		if found.outcome[side] = outcome; outcome != rules.Met || definition.Output.Payment == nil {
			continue
		}
		amount, err := definition.Output.Payment.Amount.Evaluate(ctx, definition.Values(facts))
		if ctx.Err() != nil {
			return verdict{}, context.Cause(ctx)
		}
		if err == nil && amount.IsKnown() {
			found.amount[side], found.priced[side] = amount.Value.(money.Amount), true
		} else {
			c.tally.lacks(amount.Unknown)
		}
	}
	return found, nil
}
