package casework_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/queue"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/store/query"
)

// nursery makes the service of the world one of limited places: families with few means first, then the more children.
func nursery(t *testing.T, count string) func(*service.Definition) {
	return func(d *service.Definition) {
		d.Process, d.Output = nil, service.Output{Record: &service.Record{Register: "a/places"}}
		d.Ask = []service.Question{{Definition: field.Definition{Name: "children", Kind: field.Int}}}
		d.Evidence = []service.Evidence{{
			Name: "means", From: "tax/means", None: service.NoneRefuse, Fresh: service.Period{Days: 1},
			Type: rules.ObjectOf(rules.Field{Name: "few", Type: rules.Bool}, rules.Field{Name: "lives", Type: rules.Bool}),
		}}
		// There are more places from May on.
		d.Params = []service.Param{{Name: "places", Type: rules.Int, Values: []service.ParamValue{
			{From: calendar.Date{Year: 2026, Month: 1, Day: 1}, Value: int64(2)}, {From: calendar.Date{Year: 2026, Month: 5, Day: 1}, Value: int64(4)},
		}}}
		environment, err := d.Environment()
		if err != nil {
			t.Fatal(err)
		}
		compile := func(source string, kind rules.Kind) *rules.Program {
			program, err := environment.Compile(source, kind)
			if err != nil {
				t.Fatal(err)
			}
			return program
		}
		d.Require = []service.Requirement{{ID: "lives", That: compile("means.lives", rules.KindBool)}}
		d.Places = &service.Places{
			Count: compile(count, rules.KindInt), Accept: 3,
			Order: []service.Criterion{{By: compile("means.few", rules.KindBool)}, {By: compile("ask.children", rules.KindInt)}},
		}
	}
}

// family sends an application for a new person.
func (w *world) family(few bool, children int64) (access.Actor, ident.Application) {
	w.Helper()
	person := access.Actor{Person: ident.Random[ident.Person]()}
	w.registers.set("tax/means", person.Person.Subject(), map[string]any{"few": few, "lives": true})
	receipt, err := w.Apply(w.Context(), person, "", "youth/tools", "en", map[string]any{"children": children})
	if err != nil {
		w.Fatal(err)
	}
	return person, receipt.Application.ID
}

func (w *world) of(by access.Actor, id ident.Application) casework.View {
	w.Helper()
	view, err := w.Own(w.Context(), by, id)
	if err != nil {
		w.Fatal(err)
	}
	return view
}

func newNursery(t *testing.T) *world {
	w := newWorld(t, nursery(t, "param.places"))
	w.jobs.Handlers["register.write"] = func(context.Context, job.Job) error { return nil }
	return w
}

func TestPlacesGoToTheFirstInAnOrderThatIsExplained(t *testing.T) {
	w := newNursery(t)
	first, one := w.family(false, 1)
	second, two := w.family(false, 1)
	w.later(time.Hour)
	if a, b := w.of(first, one).Application.State, w.of(second, two).Application.State; a != casework.PlaceOffered || b != casework.PlaceOffered {
		t.Fatalf("two places, and the first two are %s and %s", a, b)
	}
	late, three := w.family(false, 1)
	w.later(time.Hour)
	big, four := w.family(false, 3)
	poor, five := w.family(true, 1)
	w.later(time.Hour)
	for _, test := range []struct {
		by   access.Actor
		id   ident.Application
		want string
		own  []any // by the order's criteria
	}{
		{late, three, "[1 1 0] of 3", []any{false, int64(1)}}, // one is poorer, one has more children
		{big, four, "[1 0 0] of 3", []any{false, int64(3)}},
		{poor, five, "[0 0 0] of 3", []any{true, int64(1)}},
	} {
		view := w.of(test.by, test.id)
		if view.Application.State != casework.Queued || view.Queue.Places != 2 {
			t.Fatalf("it is %s, %+v", view.Application.State, view.Queue)
		}
		if got := fmt.Sprint(view.Queue.Ahead, " of ", view.Queue.Waiting); got != test.want {
			t.Errorf("before them are %s, want %s", got, test.want)
		}
		if got := view.Content.Place.Values; !slices.Equal(got, test.own) {
			t.Errorf("they are told of themselves %#v, want %v", got, test.own)
		}
	}
	// One accepts, one lets the offer lapse: the place goes to the poor family, not to who came before.
	revision := w.of(first, one).Application.Revision
	accepted := w.must(w.Accept(t.Context(), first, one, revision))
	again := w.must(w.Accept(t.Context(), first, one, revision))
	if accepted.State != casework.Granted || again.Revision != accepted.Revision {
		t.Errorf("accepted: %s; again %d after %d", accepted.State, again.Revision, accepted.Revision)
	}
	w.later(4 * days)
	if got := w.of(second, two).Application.State; got != casework.Withdrawn {
		t.Errorf("the offer that nobody accepted: %s", got)
	}
	if got := w.of(poor, five).Application.State; got != casework.PlaceOffered {
		t.Errorf("the poor family: %s", got)
	}
	_, err := w.Accept(t.Context(), late, three, w.of(late, three).Application.Revision)
	w.refused(err, "application.no-offer")
	// A place that is given back goes to the next.
	w.must(w.Withdraw(t.Context(), first, one, accepted.Revision))
	w.later(time.Hour)
	if got := w.of(big, four).Application.State; got != casework.PlaceOffered {
		t.Errorf("the family with more children: %s", got)
	}
}

func TestMorePlacesAreOfferedWhenThereAreMore(t *testing.T) {
	w := newNursery(t)
	var last access.Actor
	var id ident.Application
	for range 3 {
		last, id = w.family(false, 1)
		w.later(time.Hour)
	}
	w.now = time.Date(2026, 5, 2, 6, 0, 0, 0, time.UTC)
	w.later(time.Hour)
	if got := w.of(last, id).Application.State; got != casework.PlaceOffered {
		t.Errorf("from May on there are four places, and the third is %s", got)
	}
}

func TestWhoNoLongerMeetsTheRulesGetsNoPlace(t *testing.T) {
	w := newNursery(t)
	family, id := w.family(false, 1)
	w.later(2 * days)
	w.registers.set("tax/means", family.Person.Subject(), map[string]any{"few": false, "lives": false})
	refused := w.must(w.Accept(t.Context(), family, id, w.of(family, id).Application.Revision))
	if refused.State != casework.Refused {
		t.Errorf("it is %s", refused.State)
	}
	w.later(time.Hour)
	err := w.db.View(t.Context(), func(tx *query.Tx) error {
		taken, err := tx.PlacesTaken("youth/tools")
		if taken != 0 {
			t.Errorf("%d places are taken", taken)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheQueueIsFairWhateverHappens lets families come, accept, decline, leave, give back and be late at random, while
// jobs are done twice and in any order. There are never more places given than there are; in the end no place is free
// while somebody waits; and nobody waits whom somebody passed who came at the same time or later with a worse rank.
func TestTheQueueIsFairWhateverHappens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newNursery(t)
		defer w.close()
		type member struct {
			by      access.Actor
			id      ident.Application
			entered int // the round in which they came
		}
		var members []member
		var done []job.Job
		for kind, handler := range w.jobs.Handlers {
			w.jobs.Handlers[kind] = func(ctx context.Context, queued job.Job) error {
				if kind == casework.JobPlace || kind == queue.JobOffer || kind == queue.JobFill {
					done = append(done, queued)
				}
				return handler(ctx, queued)
			}
		}
		entry := func(m member) (found queue.Entry) {
			_ = w.db.View(t.Context(), func(tx *query.Tx) (err error) {
				found, err = tx.QueueEntry("youth/tools", m.id)
				return err
			})
			return found
		}
		for round := range rapid.IntRange(3, 10).Draw(r, "rounds") {
			before := map[ident.Application]queue.Entry{}
			for _, m := range members {
				before[m.id] = entry(m)
			}
			switch rapid.IntRange(0, 4).Draw(r, "what") {
			case 0, 1:
				by, id := w.family(rapid.Bool().Draw(r, "poor"), int64(rapid.IntRange(0, 2).Draw(r, "children")))
				members = append(members, member{by, id, round})
			case 2:
				if len(members) > 0 {
					m := members[rapid.IntRange(0, len(members)-1).Draw(r, "who accepts")]
					_, _ = w.Accept(t.Context(), m.by, m.id, w.of(m.by, m.id).Application.Revision)
				}
			case 3:
				if len(members) > 0 {
					m := members[rapid.IntRange(0, len(members)-1).Draw(r, "who leaves")]
					_, _ = w.Withdraw(t.Context(), m.by, m.id, w.of(m.by, m.id).Application.Revision)
				}
			case 4:
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 30).Draw(r, "days")) * days)
			}
			w.later(time.Hour)
			for _, one := range rapid.Permutation(done).Draw(r, "jobs done again") {
				_ = w.jobs.Handlers[one.Kind](t.Context(), one)
			}
			done = nil
			w.later(time.Hour)

			places, taken := int64(2), int64(0)
			if !w.now.Before(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)) {
				places = 4
			}
			var waiting, passed []queue.Entry
			for _, m := range members {
				now := entry(m)
				switch now.State {
				case queue.Waiting:
					if m.entered < round {
						waiting = append(waiting, now)
					}
				case queue.Offered, queue.Held:
					taken++
					if before[m.id].State == queue.Waiting {
						passed = append(passed, before[m.id])
					}
				}
				held := w.of(m.by, m.id).Application.State == casework.Granted
				if held != (now.State == queue.Held) {
					r.Fatalf("the application is granted: %t, and the queue says %s", held, now.State)
				}
			}
			if taken > places {
				r.Fatalf("%d of %d places are given", taken, places)
			}
			if len(waiting) > 0 && taken < places {
				r.Fatalf("%d wait, and %d of %d places are given", len(waiting), taken, places)
			}
			for _, one := range passed {
				if slices.ContainsFunc(waiting, func(other queue.Entry) bool { return other.Rank < one.Rank }) {
					r.Fatal("somebody with a better rank was passed over")
				}
			}
		}
	})
}
