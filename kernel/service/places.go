package service

import (
	"context"
	"fmt"

	"yagona/kernel/calendar"
	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// Places says that what is granted is limited: who meets the requirements waits in a queue, and is offered a place when
// one is free and nobody before them waits. The order is that of the criteria, one after another; who is alike in all is
// ordered by the moment of receipt.
type Places struct {
	Of     *rules.Program // which queue: a choice or a territory; nil: there is one
	Count  *rules.Program // int: how many places the queue has; it reads answers and params only
	Order  []Criterion
	Accept int // working days for which an offer is kept
}

// Criterion is what puts one before another.
type Criterion struct {
	Title   wording.Text
	By      *rules.Program // bool: true is first; int: more is first; date: earlier is first
	Private bool           // it reads evidence about another adult: its value is not shown
}

// Place is where an application stands.
type Place struct {
	Queue  string // the service's path, and which of its queues
	Values []any  // by criterion
	Rank   string // RankLength characters for each criterion; the first in the order of bytes is first
}

// RankLength is how many characters of a rank a criterion takes.
const RankLength = 16

// Place computes in which queue an application stands, and where.
func (d *Definition) Place(ctx context.Context, facts Facts) (Place, error) {
	values := d.Values(facts)
	place := Place{Queue: string(d.Path)}
	if d.Places.Of != nil {
		of, err := known(ctx, d.Places.Of, values)
		if err != nil {
			return Place{}, err
		}
		place.Queue += ":" + fmt.Sprint(of.Value)
	}
	for _, criterion := range d.Places.Order {
		result, err := known(ctx, criterion.By, values)
		if err != nil {
			return Place{}, err
		}
		place.Values = append(place.Values, result.Value)
		place.Rank += fmt.Sprintf("%0*x", RankLength, ranked(result.Value))
	}
	return place, nil
}

// ranked returns a number by which values are ordered: the smaller is first.
func ranked(value any) uint64 {
	const middle = uint64(1) << 63 // so that what is below zero comes before what is above
	switch value := value.(type) {
	case bool:
		if value {
			return 0
		}
		return 1
	case int64:
		return uint64(-value) ^ middle //nolint:gosec // its bits, in order
	case calendar.Date:
		return uint64(calendar.Date{Year: 2000, Month: 1, Day: 1}.DaysUntil(value)) ^ middle //nolint:gosec // as above
	}
	return middle
}

// Count computes how many places an application's queue has.
func (d *Definition) Count(ctx context.Context, facts Facts) (int64, error) {
	result, err := known(ctx, d.Places.Count, d.Values(facts))
	if err != nil {
		return 0, err
	}
	count, _ := result.Value.(int64)
	return count, nil
}

// known evaluates a program to a value; one that is not known is an error.
func known(ctx context.Context, program *rules.Program, values map[string]any) (rules.Result, error) {
	result, err := program.Evaluate(ctx, values)
	if err == nil && !result.IsKnown() {
		err = errUnknown.With("paths", result.Unknown[0])
	}
	return result, err
}
