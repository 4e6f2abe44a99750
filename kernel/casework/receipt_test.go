package casework_test

import (
	"slices"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// Who was thirty when the application was received is not too old because a register was silent, or officials took days.
func TestTheDayOfReceiptDecidesWhenARegisterIsSilent(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	born := calendar.Date{Year: 1995, Month: 3, Day: 3} // thirty on Monday, thirty-one on Tuesday
	w.registers.set("civil/birth", w.applicant.Person.Subject(), map[string]any{"date": born})
	w.registers.silence("civil/birth", true)
	sent := w.apply().Application
	if sent.State != casework.Gathering {
		t.Fatalf("while the register is silent the application is %s", sent.State)
	}
	w.later(2 * 24 * time.Hour)
	w.registers.silence("civil/birth", false)
	w.later(3 * time.Hour)
	if view := w.state(sent.ID); view.Application.State != casework.Deciding || !view.Application.Submitted.Equal(monday) {
		t.Fatalf("once it answers the application is %s because of %+v, received %v", view.Application.State, view.Content.Because, view.Application.Submitted)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	if granted := w.must(w.decide(chair, casework.Verdict{Action: service.Approve})); granted.State != casework.Granted {
		t.Errorf("the application is %s", granted.State)
	}
	// Whoever sends it a day later is too old: the rule does look at the day.
	late := w.apply().Application
	if because := w.state(late.ID).Content.Because; late.State != casework.Refused || !slices.Equal(because, []casework.Reason{{Requirement: "age"}}) {
		t.Errorf("sent on Wednesday the application is %s because of %+v", late.State, because)
	}
}

// purposes returns for which purposes the registers were asked since the last time, each once.
func (r *registers) purposes() (found []access.Purpose) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.asked {
		if !slices.Contains(found, one.Purpose) {
			found = append(found, one.Purpose)
		}
	}
	r.asked = nil
	return found
}

// What the applicant looks at before they send is asked for the purpose of preview, about no application; what is decided
// on is asked for applying. A register grants the two one by one.
func TestAPreviewIsAskedForItsOwnPurpose(t *testing.T) {
	w := newWorld(t)
	draft := w.must(w.Start(t.Context(), w.applicant, "", "youth/tools", "en"))
	draft, err := w.Save(t.Context(), w.applicant, draft.ID, draft.Revision, answers)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := w.Preview(t.Context(), w.applicant, draft.ID)
	if err != nil || preview.Outcome != rules.Met {
		t.Fatalf("the preview says %v, %v", preview.Outcome, err)
	}
	if asked := w.registers.asked; len(asked) != 3 || slices.ContainsFunc(asked, func(one exchange.Request) bool { return one.Application != "" }) {
		t.Errorf("of three evidences the preview asked %+v", asked)
	}
	if got := w.registers.purposes(); !slices.Equal(got, []access.Purpose{access.Preview}) {
		t.Errorf("a preview asked for %v", got)
	}
	if view := w.state(draft.ID); len(view.Evidence) != 0 {
		t.Errorf("the preview bound %d answers to the draft", len(view.Evidence))
	}
	w.must(w.Submit(t.Context(), w.applicant, draft.ID, draft.Revision))
	if got := w.registers.purposes(); !slices.Equal(got, []access.Purpose{access.Apply}) {
		t.Errorf("sending asked for %v", got)
	}
}
