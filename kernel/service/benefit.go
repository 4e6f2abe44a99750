package service

import (
	"context"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// Every says that what is granted is paid again in every period: a benefit. Before each payment the evidence of Review
// is asked for again and all rules are evaluated anew, for the first day of the period: the benefit ends with the first
// rule that is not met, and the amount follows the rules.
type Every struct {
	Months int            // a period, of those into which a year can be divided: 1, 2, 3, 4, 6, 12
	Until  *rules.Program // date: nothing is paid for periods that begin on it or later; nil: as long as the rules are met
	Review []string       // names of evidence
	Over   wording.Text   // what a person reads whose benefit has reached its last day
}

// Ended is the reason of a benefit that has reached the day until which it is paid; no requirement is called so.
const Ended = "until"

// Period returns the first day of the period in which the day lies.
func (e *Every) Period(day calendar.Date) calendar.Date {
	return calendar.Date{Year: day.Year, Month: day.Month - (day.Month-1)%time.Month(e.Months), Day: 1}
}

// Next returns the first day of the period after the one that begins on the day.
func (e *Every) Next(period calendar.Date) calendar.Date { return period.AddMonths(e.Months) }

// Ends returns why a benefit ends before the period that begins on facts.Decided, given what the rules say of it; nothing
// if it does not.
func (d *Definition) Ends(ctx context.Context, facts Facts, evaluation Evaluation) (because []string, err error) {
	over, err := d.over(ctx, facts)
	switch {
	case err != nil:
		return nil, err
	case over:
		return []string{Ended}, nil
	case evaluation.Outcome() == rules.NotMet:
		return evaluation.Because(), nil
	}
	return nil, nil
}

// over reports whether the day until which a benefit is paid has come.
func (d *Definition) over(ctx context.Context, facts Facts) (bool, error) {
	if d.Every == nil || d.Every.Until == nil {
		return false, nil
	}
	until, err := d.Every.Until.Evaluate(ctx, d.Values(facts))
	if err != nil {
		return false, err
	}
	last, known := until.Value.(calendar.Date)
	return known && !facts.Decided.Before(last), nil
}
