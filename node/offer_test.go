package node_test

import (
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/packs/demo"
)

// A finding that somebody has a disability is written into a register; what it entitles them to is offered, and somebody who
// has none hears nothing.
func TestAFindingOnDisabilityOffersWhatItEntitlesTo(t *testing.T) {
	s := open(t)
	found, other := s.people.Persona(demo.Worker), s.people.Persona(demo.Husband)
	for _, one := range []struct {
		who   demo.Person
		until int // days from today
	}{{other, -1}, {found, 365}} {
		_, _, err := s.node.Registers.Put(t.Context(), journal.Actor{Component: "test"}, register.Write{
			Register: "social/assessments", Reason: "a finding", From: today.AddDays(-30), Values: map[string]any{
				"person": one.who.ID.Subject(), "group": "third", "from": today.AddDays(-30), "until": today.AddDays(one.until),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	offered := func(who demo.Person) (services []string) {
		open, err := s.node.Casework.Offers(t.Context(), access.Actor{Person: who.ID})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range open {
			services = append(services, string(one.Service))
		}
		return services
	}
	eventually(t, "the voucher is offered", func() bool {
		got := offered(found)
		return len(got) == 1 && got[0] == "social/active-life-voucher"
	})
	settled(t, s.node, s.node.DB.Now)
	if got := offered(other); len(got) > 0 {
		t.Errorf("who has none any more is offered %v", got)
	}
}
