package simulation

import (
	"context"

	"yagona/kernel/access"
	"yagona/kernel/ident"
)

// Evaluation prepares a run and returns what counts one resident by states that are in memory already, by source; what notes
// a state of a source and what it says, and returns its number; what forgets all that was evaluated; and how many were counted
// as entitled so far: for measuring evaluation alone.
func (s *Simulator) Evaluation(ctx context.Context, by access.Actor, wanted Wanted) (
	count func(states []uint32) error, note func(source int, state string, says map[string]any) uint32, forget func(), entitled func() int64, err error,
) {
	run, err := s.prepare(ctx, by, wanted)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	var columns []*column
	for i := range run.sources {
		one, err := run.column(i)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		columns = append(columns, one)
	}
	judge := newJudge(run)
	c, err := judge.counter(&s.kept, columns)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	count = func(states []uint32) error {
		copy(c.states, states)
		return c.resident(ctx)
	}
	note = func(source int, text string, values map[string]any) uint32 {
		number := columns[source].take([]byte(text))
		if _, err := columns[source].says(number, values); err != nil {
			panic(err)
		}
		return number
	}
	forget = func() {
		clear(c.verdicts)
		for _, programs := range judge.programs {
			for _, one := range programs {
				clear(one.found)
			}
		}
	}
	entitled = func() int64 {
		c.pile.addUp()
		return c.pile.tally.total.people[entitledAfter]
	}
	return count, note, forget, entitled, nil
}

// Blocks makes blocks of so many residents.
func (s *Simulator) Blocks(residents int) { s.kept.blockSize = residents }

// Kept returns what is kept of a person: the text of their state in each register, and whether they are counted.
func (s *Simulator) Kept(person ident.Subject) (states map[ident.Register]string, counted bool) {
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	states = map[ident.Register]string{}
	id, _ := packed(person)
	part := s.kept.parts[id[0]>>2]
	if part == nil {
		return states, false
	}
	for _, block := range part.blocks {
		for at, one := range block.people {
			if one != id {
				continue
			}
			counted = !block.gone[at]
			for column, cells := range block.cells {
				if cells.states[at] != 0 {
					states[column.register] = column.states[cells.states[at]].text
				}
			}
		}
	}
	return states, counted
}

// KeptTexts returns everything that is kept of what registers say, whoever it was read of.
func (s *Simulator) KeptTexts() (texts []string, values []any, residents int) {
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	for _, column := range s.kept.columns {
		for _, state := range column.states {
			texts = append(texts, state.text)
		}
		for text := range column.numbers {
			texts = append(texts, text)
		}
		for _, said := range column.said {
			values = append(values, said.values...)
		}
	}
	for _, part := range s.kept.parts {
		if part != nil {
			for _, block := range part.blocks {
				residents += len(block.people)
			}
		}
	}
	return texts, values, residents
}

// Exactly counts as a run does and returns the counts before they are rounded and hidden, by group, and what was not known.
func (s *Simulator) Exactly(ctx context.Context, by access.Actor, wanted Wanted) (people int64, groups map[string][]int64, lacking map[string]bool, err error) {
	run, err := s.prepare(ctx, by, wanted)
	if err != nil {
		return 0, nil, nil, err
	}
	counted, err := run.count(ctx)
	if err != nil {
		return 0, nil, nil, err
	}
	groups = map[string][]int64{"all": counted.total.told()}
	for dimension, names := range run.groups {
		for i, name := range names {
			groups[[]string{"territory ", "age ", "sex "}[dimension]+name] = counted.groups[dimension][i].told()
		}
	}
	return counted.people, groups, counted.lacked, nil
}

// told returns everything that is counted of a group.
func (e exact) told() []int64 {
	told := append([]int64{}, e.people[:]...)
	for side := range e.cost {
		told = append(told, e.cost[side].high, int64(e.cost[side].low), e.unpriced[side])
		for _, amounts := range []greatest{e.most[side], e.least[side]} {
			for _, amount := range amounts {
				told = append(told, int64(amount))
			}
		}
	}
	return told
}
