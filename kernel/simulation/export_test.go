package simulation

import (
	"context"

	"yagona/kernel/access"
)

// Evaluation prepares a run and returns what counts one resident by answers that are in memory already, numbered as
// register.Bulk numbers them, and how many were counted as entitled so far: for measuring evaluation alone.
func (s *Simulator) Evaluation(ctx context.Context, by access.Actor, wanted Wanted) (count func([]map[string]any, []int) error, entitled func() int64, err error) {
	run, err := s.prepare(ctx, by, wanted)
	if err != nil {
		return nil, nil, err
	}
	c, err := run.counter()
	if err != nil {
		return nil, nil, err
	}
	return func(answers []map[string]any, numbers []int) error { return c.resident(ctx, answers, numbers) },
		func() int64 { return c.tally.total.people[entitledAfter] }, nil
}
