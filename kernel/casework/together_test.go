package casework_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// confirmedBy lets so many others of a household confirm, within three days.
func confirmedBy(t *testing.T, others string) func(*service.Definition) {
	return func(d *service.Definition) {
		environment, err := d.Environment()
		if err != nil {
			t.Fatal(err)
		}
		members, err := environment.Compile(others, rules.KindInt)
		if err != nil {
			t.Fatal(err)
		}
		d.Together = &service.Together{Members: members, Within: 3}
	}
}

// household is a world of a service that two other adults of the household confirm; it returns them, and a child.
func household(t *testing.T) (w *world, adults []access.Actor, child access.Actor) {
	w = newWorld(t, confirmedBy(t, "2"))
	one, two, young := ident.Random[ident.Person](), ident.Random[ident.Person](), ident.Random[ident.Person]()
	w.registers.related["household"][w.applicant.Person.Subject()] = []ident.Subject{one.Subject(), two.Subject(), young.Subject()}
	w.Adult = func(_ context.Context, who ident.Person) (bool, error) { return who != young, nil }
	return w, []access.Actor{{Person: one}, {Person: two}}, access.Actor{Person: young}
}

func TestAHouseholdAsksTogetherAndItGoesOnWithTheLastWhoConfirms(t *testing.T) {
	w, adults, child := household(t)
	leader := w.official("youth-leader", "X11")
	sent := w.apply().Application
	if sent.State != casework.Joining {
		t.Fatalf("sent, it is %s", sent.State)
	}
	w.empty(leader)
	confirm := func(by access.Actor) error { return w.Confirm(t.Context(), by, sent.ID) }
	w.refused(confirm(w.applicant), "together.own")
	w.refused(confirm(child), "together.minor")
	w.refused(confirm(access.Actor{Person: ident.Random[ident.Person]()}), "application.unknown")
	w.refused(confirm(access.Actor{}), "application.unknown")
	for range 2 { // the second time changes nothing
		if err := confirm(adults[0]); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := w.Invited(t.Context(), adults[0], sent.ID)
	if err != nil || !seen.Confirmed {
		t.Errorf("who confirmed sees %+v, %v", seen, err)
	}
	if view := w.state(sent.ID); view.Application.State != casework.Joining || len(view.Content.Together.Confirmed) != 1 {
		t.Fatalf("with one of two it is %s: %+v", view.Application.State, view.Content.Together)
	}
	if err := confirm(adults[1]); err != nil {
		t.Fatal(err)
	}
	view := w.state(sent.ID)
	if view.Application.State != casework.Deciding {
		t.Fatalf("with both it is %s", view.Application.State)
	}
	for _, one := range view.Content.Together.Confirmed {
		if one.By != "" || one.At.IsZero() {
			t.Errorf("the applicant reads who confirmed: %+v", one)
		}
	}
	for _, one := range view.Content.History {
		if slices.Contains([]ident.Person{adults[0].Person, adults[1].Person}, one.By.Person) {
			t.Errorf("the applicant reads who confirmed: %+v", one)
		}
	}
	for _, header := range w.headers("together.confirmed") {
		said, err := json.Marshal(header)
		if err != nil {
			t.Fatal(err)
		}
		for _, adult := range adults {
			if strings.Contains(string(said), string(adult.Person)) {
				t.Errorf("the event tells the applicant who confirmed: %s", said)
			}
		}
	}
	w.open(leader)
	if told := w.notices(); told != "together.complete" {
		t.Errorf("the applicant was told of %q", told)
	}
}

func TestAHouseholdsRequestGoesOnWithThoseWhoConfirmedInTime(t *testing.T) {
	w, adults, _ := household(t)
	leader := w.official("youth-leader", "X11")
	sent := w.apply().Application
	if err := w.Confirm(t.Context(), adults[0], sent.ID); err != nil {
		t.Fatal(err)
	}
	w.later(2 * 24 * time.Hour)
	if state := w.state(sent.ID).Application.State; state != casework.Joining {
		t.Fatalf("before its time it is %s", state)
	}
	w.later(3 * 24 * time.Hour)
	w.open(leader)
	w.refused(w.Confirm(t.Context(), adults[1], sent.ID), "together.closed")
}

// Who asks in another's name cannot also be the other who confirms.
func TestWhoAskedInAnothersNameDoesNotConfirm(t *testing.T) {
	f := newFamily(t, confirmedBy(t, "1"))
	f.Adult = func(context.Context, ident.Person) (bool, error) { return true, nil }
	f.registers.related["household"][f.applicant.Person.Subject()] = []ident.Subject{f.helper.Person.Subject()}
	f.mandate(true, true)
	sent := f.sent()
	f.refused(f.Confirm(t.Context(), f.helper, sent.ID), "together.acted")
	if state := f.state(sent.ID).Application.State; state != casework.Joining {
		t.Errorf("it is %s", state)
	}
}
