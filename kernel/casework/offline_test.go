package casework_test

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/service"
	"yagona/store/query"
)

// offline writes an act down as a device does.
func (w *world) offline(view casework.View, made time.Time, verdict casework.Verdict) casework.Offline {
	digest := sha256.Sum256([]byte("what the device wrote down"))
	return casework.Offline{
		Act: ident.New[string](made), Made: made, Digest: digest[:], Task: view.Task.ID, Revision: view.Application.Revision,
		Verdict: func(outline casework.View) (casework.Verdict, error) {
			if outline.Task.ID != view.Task.ID || len(outline.Answers) > 0 || outline.Evidence[0].Values != nil {
				w.Errorf("the outline tells %+v", outline)
			}
			return verdict, nil
		},
	}
}

// along lets an official take their tasks along.
func (w *world) along(by access.Actor, number int) []casework.View {
	w.Helper()
	views, err := w.TakeAlong(w.Context(), by)
	if err != nil {
		w.Fatal(err)
	}
	if len(views) != number {
		w.Fatalf("%d tasks are taken along, not %d", len(views), number)
	}
	return views
}

// headers returns the journal's events about the applicant of a type.
func (w *world) headers(what string) (found []journal.Header) {
	w.Helper()
	store := query.For[journal.Reader, journal.Tx](w.db)
	err := store.View(w.Context(), func(tx journal.Reader) error {
		parts, err := tx.PartsOf(w.applicant.Person.Subject(), false, "~", 100)
		if err != nil {
			return err
		}
		for _, part := range parts {
			event, err := tx.StoredEvent(part.Key, part.Event)
			if err != nil {
				return err
			}
			var header journal.Header
			if err := json.Unmarshal(event.Header, &header); err != nil {
				return err
			}
			if header.Type == what {
				found = append(found, header)
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return found
}

func TestWhatIsTakenAlongIsOneDisclosure(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.apply()
	w.another("X11")
	w.another("X12")
	views := w.along(leader, 2)
	if len(views[0].Evidence) != 3 || views[0].Task == nil || views[0].Answers["account"] != answers["account"] {
		t.Errorf("taken along: %+v", views[0])
	}
	events := w.headers("tasks.taken-along")
	if len(events) != 1 || len(events[0].Commitments) != 2 || events[0].Purpose != "decide" || events[0].Actor.Person != leader.Person {
		t.Errorf("the journal has %+v", events)
	}
	if len(w.headers("application.read")) != 0 {
		t.Error("each application is journaled by itself, too")
	}
	neighbour := w.official("youth-leader", "X12")
	w.registers.related["household"][neighbour.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	w.along(neighbour, 1)
	if got := w.headers("tasks.taken-along"); len(got) != 1 {
		t.Errorf("a relative took the application along: %+v", got)
	}
}

func TestAnOfflineDecisionCountsOnceWithBothTimes(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.official("chair", "X11")
	sent := w.apply()
	view := w.along(leader, 1)[0]
	made := w.now.Add(time.Hour)
	act := w.offline(view, made, casework.Verdict{Action: service.Recommend})
	w.later(5 * time.Hour)
	for range 3 { // the device did not hear the answer, and sends again
		arrival, err := w.Arrive(t.Context(), leader, act)
		if err != nil || arrival.Late || !arrival.Made.Equal(made) || !arrival.Received.Equal(w.now) {
			t.Fatalf("arrived as %+v, %v", arrival, err)
		}
	}
	content := w.state(sent.Application.ID).Content
	if len(content.Decisions) != 1 || !content.Decisions[0].Made.Equal(made) || !content.Decisions[0].At.Equal(w.now) || len(content.Arrivals) != 1 {
		t.Errorf("decided: %+v, arrived: %+v", content.Decisions, content.Arrivals)
	}
	events := w.headers("task.recommend")
	if len(events) != 1 || events[0].Facts["device-time"] != made.Format(time.RFC3339Nano) || events[0].Facts["offline-act"] != act.Act || events[0].Facts["device-digest"] == "" {
		t.Errorf("journaled: %+v", events)
	}
}

func TestAnOfflineDecisionThatComesAfterTheEscalationUndoesNothing(t *testing.T) {
	w := newWorld(t)
	leader, district := w.official("youth-leader", "X11"), w.official("youth-leader", "X1")
	w.official("chair", "X11")
	sent := w.apply()
	view := w.along(leader, 1)[0]
	made := w.now.Add(time.Hour)
	act := w.offline(view, made, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "Nobody lives there."}}})
	w.later(6 * 24 * time.Hour)
	if task := w.open(district); task.Escalated != 1 || task.Territory != "X1" {
		t.Fatalf("it was not escalated: %+v", task)
	}
	arrival, err := w.Arrive(t.Context(), leader, act)
	if err != nil || !arrival.Late {
		t.Fatalf("arrived as %+v, %v", arrival, err)
	}
	if again, err := w.Arrive(t.Context(), leader, act); err != nil || !again.Received.Equal(arrival.Received) {
		t.Errorf("the same again gives %+v, %v", again, err)
	}
	// The level above sees it with both times, and settles it.
	task := w.open(district)
	read, err := w.Read(t.Context(), district, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	if read.Application.State != casework.Deciding || len(read.Content.Decisions) != 0 || len(read.Content.Arrivals) != 1 {
		t.Fatalf("the level above sees %s, %+v, %+v", read.Application.State, read.Content.Decisions, read.Content.Arrivals)
	}
	late := read.Content.Arrivals[0]
	if !late.Late || !late.Made.Equal(made) || !late.Received.Equal(w.now) || late.Reasons[0].Text != "Nobody lives there." || late.By.Person != leader.Person {
		t.Errorf("it arrived as %+v", late)
	}
	w.must(w.decide(district, casework.Verdict{Action: service.Recommend}))
	if state := w.state(sent.Application.ID).Application.State; state != casework.Deciding {
		t.Errorf("after the level above recommends it is %s", state)
	}
	if events := w.headers("task.arrived-late"); len(events) != 1 || events[0].Facts["device-time"] == "" {
		t.Errorf("journaled: %+v", events)
	}
	// Also after it was decided, an act is kept and changes nothing.
	second := w.offline(view, made.Add(time.Minute), casework.Verdict{Action: service.Ask, Question: "Why?"})
	if arrival, err := w.Arrive(t.Context(), leader, second); err != nil || !arrival.Late || arrival.Question != "Why?" {
		t.Errorf("after the decision it arrives as %+v, %v", arrival, err)
	}
}

func TestAnOfflineDecisionOnWhatHasChangedIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.apply()
	view := w.along(leader, 1)[0]
	act := w.offline(view, w.now, casework.Verdict{Action: service.Recommend})
	if _, err := w.Claim(t.Context(), leader, view.Task.ID); err != nil { // on another device
		t.Fatal(err)
	}
	_, err := w.Arrive(t.Context(), leader, act)
	w.refused(err, "application.changed")
	if arrivals := w.state(view.Application.ID).Content.Arrivals; len(arrivals) != 0 {
		t.Errorf("kept: %+v", arrivals)
	}
}

func TestWhoseOfflineActsAreTaken(t *testing.T) {
	w := newWorld(t)
	leader, colleague := w.official("youth-leader", "X11"), w.official("youth-leader", "X11")
	w.apply()
	view := w.along(leader, 1)[0]
	act := w.offline(view, w.now, casework.Verdict{Action: service.Recommend})
	for name, by := range map[string]access.Actor{
		"a resident": w.applicant, "another mahalla's": w.official("youth-leader", "X12"), "another role": w.official("chair", "X11"),
	} {
		if _, err := w.Arrive(t.Context(), by, act); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for name, change := range map[string]func(*casework.Offline){
		"no id":     func(o *casework.Offline) { o.Act = "" },
		"no time":   func(o *casework.Offline) { o.Made = time.Time{} },
		"no digest": func(o *casework.Offline) { o.Digest = nil },
	} {
		wrong := act
		change(&wrong)
		if _, err := w.Arrive(t.Context(), leader, wrong); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	// What a colleague has claimed meanwhile is theirs.
	if _, err := w.Claim(t.Context(), colleague, view.Task.ID); err != nil {
		t.Fatal(err)
	}
	arrival, err := w.Arrive(t.Context(), leader, act)
	if err != nil || !arrival.Late {
		t.Errorf("arrived as %+v, %v", arrival, err)
	}
	kept := w.state(view.Application.ID).Content.Arrivals
	if !slices.ContainsFunc(kept, func(one casework.Arrival) bool { return one.Act == act.Act && one.Late }) {
		t.Errorf("kept: %+v", kept)
	}
}
