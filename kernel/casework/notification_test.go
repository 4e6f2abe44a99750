package casework_test

import (
	"slices"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/service"
)

// notifying makes the service of the world a notification that two officials take note of.
func notifying(d *service.Definition) {
	d.Notification, d.Require = true, nil
	for i := range d.Evidence {
		d.Evidence[i].None = service.NoneAllow
	}
	d.Output = service.Output{Record: &service.Record{Register: "youth/notebook"}}
	steps := slices.Concat(d.Process[0].Steps, d.Process[1].Steps)
	for i := range steps {
		steps[i].Actions = []service.Action{service.Note}
	}
	d.Process = []service.Stage{{Steps: steps}}
}

func TestANotificationIsRecordedAndOfficialsTakeNoteOfIt(t *testing.T) {
	w := newWorld(t, notifying)
	w.recording()
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	above := w.official("chair", "X1")
	sent := w.apply().Application
	if sent.State != casework.Received || sent.State.IsOpen() {
		t.Fatalf("sent, it is %s", sent.State)
	}
	w.later(time.Hour)
	if !slices.Equal(w.queued, []string{"register.write"}) {
		t.Errorf("what was asked for elsewhere is %v", w.queued)
	}
	_, err := w.decide(leader, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.action")
	noted := w.must(w.decide(leader, casework.Verdict{Action: service.Note}))
	if w.empty(leader); noted.State != casework.Received {
		t.Errorf("noted, it is %s", noted.State)
	}
	w.later(7 * 24 * time.Hour) // nobody else looks: it goes to the level above, and changes nothing for who sent it
	w.empty(chair)
	view := w.state(sent.ID)
	if view.Application.State != casework.Received || !view.AppealUntil.IsZero() {
		t.Errorf("after a week it is %s, and can be contested until %s", view.Application.State, view.AppealUntil)
	}
	_, err = w.Withdraw(t.Context(), w.applicant, sent.ID, view.Application.Revision)
	w.refused(err, "application.closed")
	w.must(w.decide(above, casework.Verdict{Action: service.Note}))
}

func TestNobodyBuriesAnInboxInNotifications(t *testing.T) {
	w := newWorld(t, notifying)
	w.recording()
	for range 20 {
		w.apply()
	}
	_, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", answers)
	w.refused(err, "application.too-many-open")
	w.later(25 * time.Hour)
	w.apply()
}
