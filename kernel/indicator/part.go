package indicator

import (
	"cmp"
	"context"
	"slices"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/rules"
)

// Part is what a source contributes to the figure of one territory of any level and one month: of what happens, the sum
// in the month; of what holds, by how much more holds at the month's end than at that of the month before.
type Part struct {
	Month       Month           `json:"month"`
	Territory   ident.Territory `json:"territory"`
	Numerator   int64           `json:"numerator,omitempty"`
	Denominator int64           `json:"denominator,omitempty"`
}

// cell is where a part counts.
type cell struct {
	month     Month
	territory ident.Territory
}

// sum adds up parts.
type sum map[cell]Part

// add adds an amount to one side of a cell.
func (s sum) add(month Month, territory ident.Territory, denominator bool, amount int64) {
	at := cell{month, territory}
	part := s[at]
	part.Month, part.Territory = month, territory
	if denominator {
		part.Denominator += amount
	} else {
		part.Numerator += amount
	}
	s[at] = part
}

// take adds parts, times a factor.
func (s sum) take(parts []Part, factor int64) {
	for _, one := range parts {
		s.add(one.Month, one.Territory, false, factor*one.Numerator)
		s.add(one.Month, one.Territory, true, factor*one.Denominator)
	}
}

// parts returns what is not zero, in order.
func (s sum) parts() []Part {
	var all []Part
	for _, one := range s {
		if one.Numerator != 0 || one.Denominator != 0 {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Part) int {
		return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.Territory, b.Territory))
	})
	return all
}

// side is a measure of an indicator while it is worked out for one source.
type side struct {
	Measure
	d           *Definition
	denominator bool
	into        sum
}

// put adds an amount for a month and a territory.
func (s side) put(month Month, territory ident.Territory, amount int64) {
	switch {
	case amount == 0, month < s.d.Since && !s.Holds():
		return
	case month < s.d.Since:
		month = s.d.Since - 1 // what held before is where the count begins
	}
	s.into.add(month, territory, s.denominator, amount)
}

// sides returns the indicator's measures that satisfy, to be added up in into.
func (d *Definition) sides(into sum, satisfies func(Measure) bool) (found []side) {
	for i, m := range d.Measures() {
		if satisfies(m) {
			found = append(found, side{Measure: m, d: d, denominator: i == 1, into: into})
		}
	}
	return found
}

// amountOf returns what a record counts.
func (s side) amountOf(ctx context.Context, record map[string]any) (int64, error) {
	counts, err := holds(ctx, s.Where, record)
	if err != nil || !counts {
		return 0, err
	}
	if s.Value == nil {
		return 1, nil
	}
	found, err := s.Value.Evaluate(ctx, map[string]any{"record": record})
	if err != nil {
		return 0, err
	}
	amount, ok := found.Value.(int64)
	if !ok {
		return 0, errValue
	}
	return amount, nil
}

var errValue = fault.New(fault.Internal, "indicator.value", "A measure gave no value of the kind that it declares. Run pack check.")

// holds reports whether a rule over a record is met; no rule always is.
func holds(ctx context.Context, rule *rules.Program, record map[string]any) (bool, error) {
	if rule == nil {
		return true, nil
	}
	found, err := rule.Evaluate(ctx, map[string]any{"record": record})
	return err == nil && found.Value == true, err
}

// history is what the records of one source say over time.
type history struct {
	records [][]register.Span // by record
	place   [][]register.Span // of the register that says where the subject is
}

func grouped(spans []register.Span) (groups [][]register.Span) {
	for i, one := range spans {
		if i == 0 || spans[i-1].Record != one.Record {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], one)
	}
	return groups
}

// at returns what the record says on a day, nil if it holds no more or not yet.
func at(record []register.Span, day calendar.Date) *register.Span {
	for i := len(record) - 1; i >= 0; i-- {
		if !record[i].From.After(day) {
			if record[i].Closed {
				return nil
			}
			return &record[i]
		}
	}
	return nil
}

// territory returns for where a record counts on a day: the whole country, "", where nobody knows it better.
func (s side) territory(ctx context.Context, h history, record map[string]any, day calendar.Date) (ident.Territory, error) {
	if s.Place == nil {
		found, _ := record[s.Field].(ident.Territory)
		return found, nil
	}
	var newest *register.Span
	for _, one := range h.place {
		found := at(one, day)
		if found == nil || newest != nil && found.From.Before(newest.From) {
			continue
		}
		counts, err := holds(ctx, s.Place.Where, found.Values)
		if err != nil {
			return "", err
		}
		if counts {
			newest = found
		}
	}
	if newest == nil {
		return "", nil
	}
	found, err := s.Place.Is.Evaluate(ctx, map[string]any{"record": newest.Values})
	territory, _ := found.Value.(ident.Territory)
	return territory, err
}

// records adds what records contribute.
func (s side) records(ctx context.Context, h history) error {
	if s.On != nil {
		return s.happened(ctx, h)
	}
	var days []calendar.Date
	for _, one := range slices.Concat(h.records, h.place) {
		for _, span := range one {
			days = append(days, span.From)
		}
	}
	slices.SortFunc(days, calendar.Date.Compare)
	before := map[ident.Territory]int64{}
	for _, day := range slices.Compact(days) {
		now := map[ident.Territory]int64{}
		for _, one := range h.records {
			span := at(one, day)
			if span == nil {
				continue
			}
			amount, err := s.amountOf(ctx, span.Values)
			if err != nil {
				return err
			}
			where, err := s.territory(ctx, h, span.Values, day)
			if err != nil {
				return err
			}
			now[where] += amount
			if _, known := before[where]; !known {
				before[where] = 0
			}
		}
		for where, amount := range before {
			s.put(MonthOf(day), where, now[where]-amount)
		}
		before = now
	}
	return nil
}

// happened adds each record once, on the day on which it says that it happened.
func (s side) happened(ctx context.Context, h history) error {
	for _, one := range h.records {
		last := one[len(one)-1]
		if last.Closed && len(one) > 1 {
			last = one[len(one)-2] // that it holds no more does not undo what happened
		}
		amount, err := s.amountOf(ctx, last.Values)
		if err != nil {
			return err
		}
		if amount == 0 {
			continue
		}
		found, err := s.On.Evaluate(ctx, map[string]any{"record": last.Values})
		if err != nil {
			return err
		}
		day, ok := found.Value.(calendar.Date)
		if !ok {
			return errValue
		}
		where, err := s.territory(ctx, h, last.Values, day)
		if err != nil {
			return err
		}
		s.put(MonthOf(day), where, amount)
	}
	return nil
}

// application adds what an application contributes.
func (s side) application(a casework.Application, date func(casework.Application) (submitted, decided calendar.Date)) {
	if a.Submitted.IsZero() {
		return
	}
	submitted, decided := date(a)
	settled := !a.Decided.IsZero() && slices.Contains([]casework.State{casework.Granted, casework.Refused, casework.Appealed}, a.State)
	switch s.Count {
	case Received:
		s.put(MonthOf(submitted), a.Territory, 1)
	case Waiting:
		if a.State.IsOpen() || settled {
			s.put(MonthOf(submitted), a.Territory, 1)
		}
		if settled && !a.State.IsOpen() {
			s.put(MonthOf(decided), a.Territory, -1)
		}
	case Decided:
		if settled {
			s.put(MonthOf(decided), a.Territory, 1)
		}
	case Granted:
		if settled && a.State == casework.Granted {
			s.put(MonthOf(decided), a.Territory, 1)
		}
	case Refused:
		if settled && a.State != casework.Granted {
			s.put(MonthOf(decided), a.Territory, 1)
		}
	case Days:
		if settled {
			s.put(MonthOf(decided), a.Territory, int64(submitted.DaysUntil(decided)))
		}
	}
}

// source is one thing that contributes: the records of one subject, one record about nobody, or one application.
type source struct {
	key         act.Key               // under which it lives
	register    ident.Register        // of the record
	record      ident.Record          // about nobody; empty: all of a subject's
	application *casework.Application // as it was read; nil: it is records
	wrote       []ident.Register      // by the events that were followed

	// read is what its registers say of it, read once for all indicators; nil: it is counted for one.
	read map[ident.Register]timeline
}

// timeline is what a register says of a source over time, and by how many versions.
type timeline struct {
	records  [][]register.Span
	versions int
}

// name tells the source apart from all others.
func (s source) name() string {
	switch {
	case s.application != nil:
		return "application:" + string(s.application.ID)
	case s.record != "":
		return "record:" + string(s.record)
	}
	return "subject:" + string(s.key)
}

// payload names the source for a job under its key.
func (s source) payload() countPayload {
	if s.application != nil {
		return countPayload{Application: s.application.ID}
	}
	return countPayload{Register: s.wrote[0], Record: s.record}
}
