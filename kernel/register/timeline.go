package register

import (
	"cmp"
	"context"
	"slices"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/ident"
)

// Span is what a record says from a day on, until its next span.
type Span struct {
	Record ident.Record
	From   calendar.Date
	Closed bool           // the record ends with it
	Values map[string]any // by field
}

// Timeline returns what the register's records under the key (of one record, if it is named) say over time, as far as is
// recorded now: by record, the earliest first; and how many versions there are, a number that only grows. Who calls it
// answers for the purpose: nothing of it may be told but sums over many.
func (k *Keeper) Timeline(ctx context.Context, key act.Key, register ident.Register, record ident.Record) (spans []Span, versions int, err error) {
	var stored []StoredVersion
	err = k.Store.View(ctx, func(tx Reader) error {
		stored, err = tx.RegisterVersions(key, register, record)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	opened, err := k.open(ctx, inForce(stored))
	if err != nil {
		return nil, 0, err
	}
	for _, one := range opened {
		spans = append(spans, Span{Record: one.Record, From: one.From, Closed: one.Closed, Values: one.Values})
	}
	return spans, len(stored), nil
}

// inForce returns the versions that no later one corrects, each record's in the order in which they hold.
func inForce(versions []StoredVersion) (found []StoredVersion) {
	for _, record := range byRecord(versions) {
		corrected := map[int]bool{}
		for _, one := range record {
			corrected[one.Corrects] = true
		}
		record = slices.DeleteFunc(record, func(one StoredVersion) bool { return corrected[one.Number] })
		slices.SortFunc(record, func(a, b StoredVersion) int { return cmp.Or(a.From.Compare(b.From), a.Number-b.Number) })
		found = append(found, record...)
	}
	return found
}
