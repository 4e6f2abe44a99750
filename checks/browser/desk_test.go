package browser

import (
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/locale"
	"yagona/packs/demo"
)

// busy lets residents of several mahallas apply for the subsidy, as many as can get it.
func (s *told) busy(t *testing.T) {
	t.Helper()
	for _, one := range s.people.People {
		age := one.Age(s.people.Today)
		if one.Employment.Status != demo.Unemployed || age < 18 || age > 29 || one.Account == "" {
			continue
		}
		answers := map[string]any{"trade": "sewing", "price": money.Amount(150_000_000), "account": one.Account}
		if _, err := s.Casework.Apply(t.Context(), access.Actor{Person: one.ID}, "", "youth/tools-subsidy", "uz-Latn", answers); err != nil && !fault.Is(err, fault.Conflict) { // who has an open one already
			t.Fatal(err)
		}
	}
}

// official opens a private window in which whoever holds the role for a territory has signed in.
func (s *told) official(t *testing.T, language locale.Tag, role ident.Role, place ident.Territory, next string) *window {
	t.Helper()
	holder, ok := s.people.Holder(role, place)
	if !ok {
		t.Fatalf("nobody is %s of %s", role, place)
	}
	person, _ := s.people.Person(holder.Person)
	return s.signedIn(t, language, person, next)
}

// desk looks at the pages of officials that stand beside the story.
func (s *told) desk(t *testing.T, language locale.Tag) {
	t.Helper()
	tree := s.Profile.Territories
	s.busy(t)
	w := s.official(t, language, "youth-leader", tree.Parent(tree.Parent(s.people.Home)), "/desk")
	w.look("inbox-region")
	w.open("/desk/team")
	w.look("team")
	w.follow("/desk/team?place=")
	w.look("team-district")

	// The leader of the mahalla is away, and somebody stands in.
	leader := s.signedIn(t, language, s.people.Persona(demo.YouthLeader), "/desk")
	leader.follow("/desk/leave")
	leader.look("leave")
	leader.submit(`form[action$="/leave"]`)
	leader.look("leave-wrong")
	leader.open("/desk/offline")
	leader.look("offline")
}
