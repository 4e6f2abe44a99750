package simulation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// verdict is what both definitions say of one resident.
type verdict struct {
	outcome [2]rules.Outcome
	amount  [2]money.Amount
	priced  [2]bool // the amount is known
}

// mostRemembered is how many evaluations a run remembers of one program, and verdicts of one worker; then it begins anew.
const mostRemembered = 1 << 18

// judge evaluates both definitions of a run. Residents are one to it whose states say the same in what the rules read: their
// states are of one class. It is safe for concurrent use.
type judge struct {
	*run
	classify []*classes                     // by source
	programs [2]map[*rules.Program]*program // by definition

	mu     sync.Mutex
	lacked map[string]bool // guarded by mu: inputs without which somebody is not known, or an amount
}

// known is what a state means for the count.
type known struct {
	class  uint32 // 0: there is no record
	group  [dimensions]uint16
	counts bool // it does not put the resident outside of the territory
	seen   bool
}

// classes numbers what the rules read of one source.
type classes struct {
	mu    sync.Mutex
	known []known              // guarded by mu; by state
	next  map[[2]uint32]uint32 // guarded by mu: the class of what was read so far, by its class and the next value
}

// program is one program of a definition, with what it found.
type program struct {
	sources []int // that it reads
	sided   bool  // it reads what is not the same before and after: an amount, or what is assumed

	mu    sync.RWMutex
	found map[string]finding // guarded by mu; by the classes of the sources
}

// finding is what a program found, or why it could not be computed.
type finding struct {
	result rules.Result
	err    error
}

func newJudge(r *run) *judge {
	j := &judge{run: r, lacked: map[string]bool{}}
	for range r.sources {
		j.classify = append(j.classify, &classes{next: map[[2]uint32]uint32{}})
	}
	for side, definition := range []*service.Definition{r.before, r.after} {
		j.programs[side] = map[*rules.Program]*program{}
		programs := []*rules.Program{}
		for _, one := range definition.Require {
			programs = append(programs, one.That)
		}
		if payment := definition.Output.Payment; payment != nil {
			programs = append(programs, payment.Amount)
		}
		for _, one := range programs {
			// Where other amounts alone are tried, a program that reads none finds the same before and after.
			if known := j.programs[0][one]; known != nil && !known.sided {
				j.programs[side][one] = known
			} else {
				j.programs[side][one] = r.program(side, one)
			}
		}
	}
	return j
}

// program returns what remembers what a definition's program finds.
func (r *run) program(side int, of *rules.Program) *program {
	p := &program{found: map[string]finding{}, sided: slices.ContainsFunc(of.Inputs(), func(input string) bool {
		return strings.HasPrefix(input, "param") || strings.HasPrefix(input, "ask")
	})}
	for i, source := range r.sources {
		if slices.ContainsFunc(of.Inputs(), func(input string) bool {
			name, _, _ := strings.Cut(input, ".")
			name, _, _ = strings.Cut(name, "[")
			return slices.Contains(source.names[side], name)
		}) {
			p.sources = append(p.sources, i)
		}
	}
	return p
}

// know returns what a state of a source means for the count: computed once.
func (j *judge) know(ctx context.Context, column *column, i int, number uint32) (known, error) {
	answer, err := column.answer(ctx, number, j.today)
	if err != nil {
		return known{}, err
	}
	classes := j.classify[i]
	classes.mu.Lock()
	defer classes.mu.Unlock()
	if int(number) < len(classes.known) && classes.known[number].seen {
		return classes.known[number], nil
	}
	found := known{counts: true, seen: true}
	for dimension := range found.group {
		if told := j.told(dimension); told.source == i {
			group, counts := j.place(dimension, column.value(answer, told.answer))
			found.group[dimension], found.counts = uint16(group), found.counts && counts
		}
	}
	if answer[0] != 0 {
		found.class = classes.of(0, 1)
		for at, name := range column.wanted {
			if slices.Contains(j.sources[i].ruled, name) {
				found.class = classes.of(found.class, answer[at+1])
			}
		}
	}
	if grown := int(number) + 1 - len(classes.known); grown > 0 {
		classes.known = append(classes.known, make([]known, grown)...)
	}
	classes.known[number] = found
	return found, nil
}

// of returns the class of what was read so far together with the next value. mu is held.
func (c *classes) of(class, value uint32) uint32 {
	read := [2]uint32{class, value}
	next, known := c.next[read]
	if !known {
		next = uint32(len(c.next) + 1)
		c.next[read] = next
	}
	return next
}

// outline is what of a resident the records tell that there are, and those that there are not.
type outline struct {
	evidence [2]map[string]any // by definition: each that is read in bulk; nil: there is no record
	decided  bool              // that is enough: both definitions refuse
}

// outline returns the outline of whom these classes are of.
func (j *judge) outline(classes []uint32) *outline {
	o := &outline{decided: true}
	for side, definition := range []*service.Definition{j.before, j.after} {
		o.evidence[side] = map[string]any{}
		for i, source := range j.sources {
			for _, name := range source.names[side] {
				if o.evidence[side][name] = nil; classes[i] != 0 {
					o.evidence[side][name] = classes[i]
				}
			}
		}
		outcome, _, err := definition.Entitled(o.evidence[side], func(*rules.Program) (rules.Result, error) { return rules.Result{}, errUndecided })
		o.decided = o.decided && err == nil && outcome == rules.NotMet
	}
	return o
}

var errUndecided = errors.New("simulation: it takes more than whether there are records")

// judge evaluates both definitions over states of these classes.
func (j *judge) judge(ctx context.Context, o *outline, columns []*column, states, classes []uint32) (found verdict, err error) {
	if o.decided {
		return verdict{outcome: [2]rules.Outcome{rules.NotMet, rules.NotMet}}, nil
	}
	for side, definition := range []*service.Definition{j.before, j.after} {
		evaluate := func(one *rules.Program) (rules.Result, error) {
			return j.programs[side][one].evaluate(classes, func() (rules.Result, error) {
				facts, err := j.facts(ctx, side, columns, states)
				if err != nil {
					return rules.Result{}, err
				}
				return one.Evaluate(ctx, definition.Values(facts))
			})
		}
		outcome, unknown, err := definition.Entitled(o.evidence[side], evaluate)
		if ctx.Err() != nil {
			return verdict{}, context.Cause(ctx)
		}
		if err != nil {
			continue // what cannot be computed is not known: an application would wait for people, too
		}
		j.lack(unknown)
		if found.outcome[side] = outcome; outcome != rules.Met || definition.Output.Payment == nil {
			continue
		}
		amount, err := evaluate(definition.Output.Payment.Amount)
		if ctx.Err() != nil {
			return verdict{}, context.Cause(ctx)
		}
		if err == nil && amount.IsKnown() {
			found.amount[side], found.priced[side] = amount.Value.(money.Amount), true
		} else {
			j.lack(amount.Unknown)
		}
	}
	return found, nil
}

// facts returns the facts of whoever is in these states, for one of the definitions.
func (j *judge) facts(ctx context.Context, side int, columns []*column, states []uint32) (service.Facts, error) {
	facts := service.Facts{Submitted: j.today, Decided: j.today, Ask: j.assumed[side], Evidence: map[string]any{}}
	for i, source := range j.sources {
		answer, err := columns[i].answer(ctx, states[i], j.today)
		if err != nil {
			return service.Facts{}, err
		}
		values := columns[i].values(answer)
		for _, name := range source.names[side] {
			if facts.Evidence[name] = nil; values != nil {
				facts.Evidence[name] = values
			}
		}
	}
	return facts, nil
}

// evaluate returns what the program finds over states of these classes, as it found before.
func (p *program) evaluate(classes []uint32, compute func() (rules.Result, error)) (rules.Result, error) {
	var key []byte
	for _, i := range p.sources {
		key = appendNumber(key, classes[i])
	}
	p.mu.RLock()
	known, ok := p.found[string(key)]
	p.mu.RUnlock()
	if ok {
		return known.result, known.err
	}
	result, err := compute()
	result.Read = nil // nobody is told why
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.found) >= mostRemembered {
		clear(p.found)
	}
	p.found[string(key)] = finding{result, err}
	return result, err
}

func (j *judge) lack(inputs []string) {
	if len(inputs) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, input := range inputs {
		j.lacked[input] = true
	}
}
