package node_test

import (
	"slices"
	"testing"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/packs/demo"
)

// Who may act for a business, and whose child somebody is, counts from the first day that the register says until the last.
func TestATieCountsFromItsFirstDayUntilItsLast(t *testing.T) {
	s := open(t)
	other := s.people.Persona(demo.Outsider)
	business := s.people.Organisations[0].ID.Subject()
	for name, tie := range map[string]struct {
		register ident.Register
		relation string
		to       ident.Subject
		values   map[string]any
	}{
		"an office": {"tax/officers", "businesses", business, map[string]any{"business": business, "office": "accountant"}},
		"a child":   {"civil/family", "children", other.ID.Subject(), map[string]any{"relative": other.ID.Subject(), "tie": "child"}},
		"a ward":    {"civil/family", "wards", other.ID.Subject(), map[string]any{"relative": other.ID.Subject(), "tie": "child"}},
	} {
		for i, day := range []struct {
			since, until calendar.Date
			counts       bool
		}{
			{since: today.AddDays(-30), counts: true},
			{since: today.AddDays(-29), until: today.AddDays(1), counts: true},
			{since: today.AddDays(-28), until: today},
			{since: today.AddDays(-27), until: today.AddDays(-1)},
			{since: today.AddDays(1)},
		} {
			if tie.relation != "businesses" && day.since.After(today) {
				continue // nobody is a child from a later day on
			}
			person := ident.Random[ident.Person]().Subject()
			values := map[string]any{"person": person, "since": day.since}
			for field, value := range tie.values {
				values[field] = value
			}
			if !day.until.IsZero() {
				values["until"] = day.until
			}
			_, _, err := s.node.Registers.Put(t.Context(), journal.Actor{Component: "test"}, register.Write{
				Register: tie.register, From: today.AddDays(-60), Values: values, Reason: "test", Takeover: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			related, err := s.node.Registers.Related(t.Context(), tie.relation, person)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(related, tie.to) != day.counts {
				t.Errorf("%s, %d, from %v until %v, relates to %v", name, i, day.since, day.until, related)
			}
		}
	}
}
