package casework_test

import (
	"context"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/job"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// onceOnly makes the service one that is granted by rule alone, to a person of whom its register has no record yet.
func onceOnly(t *testing.T) func(*service.Definition) {
	return func(d *service.Definition) {
		d.Process, d.Output = nil, service.Output{Record: &service.Record{Register: "youth/notebook"}}
		d.Evidence = append(d.Evidence, service.Evidence{
			Name: "earlier", From: "youth/support", Register: "youth/notebook", None: service.NoneAllow,
			Type: rules.ObjectOf(rules.Field{Name: "on", Type: rules.Date}),
		})
		environment, err := d.Environment()
		if err != nil {
			t.Fatal(err)
		}
		that, err := environment.Compile("!has(earlier)", rules.KindBool)
		if err != nil {
			t.Fatal(err)
		}
		d.Require = []service.Requirement{{ID: "once", That: that}}
	}
}

// newRecorded returns a world of such a service whose register is written to by its job.
func newRecorded(t *testing.T) *world {
	w := newWorld(t, onceOnly(t))
	w.jobs.Handlers[register.JobWrite] = func(context.Context, job.Job) error {
		w.registers.set("youth/support", w.applicant.Person.Subject(), map[string]any{"on": w.Calendar.Date(w.now)})
		return nil
	}
	return w
}

// granted returns how many of the applicant's applications are.
func (w *world) granted() (count int) {
	w.Helper()
	all, err := w.OwnAll(w.Context(), w.applicant, "", 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, one := range all {
		if one.State == casework.Granted {
			count++
		}
	}
	return count
}

// Until the first one's record is written, the register that will have it says nothing.
func TestWhatIsBeingWrittenIsWaitedFor(t *testing.T) {
	w := newRecorded(t)
	if first := w.apply().Application; first.State != casework.Granted {
		t.Fatalf("the first is %s", first.State)
	}
	second := w.apply().Application
	if second.State != casework.Gathering {
		t.Fatalf("with the record not written the second is %s", second.State)
	}
	w.later(time.Hour)
	view := w.state(second.ID)
	if because := view.Content.Because; view.Application.State != casework.Refused || len(because) != 1 || because[0].Requirement != "once" {
		t.Errorf("then it is %s because of %+v", view.Application.State, because)
	}
	if w.granted() != 1 {
		t.Errorf("%d are granted", w.granted())
	}
}

// Both have asked the register before either is granted.
func TestOfTwoThatAreGrantedAtOnceOneIsNot(t *testing.T) {
	w := newRecorded(t)
	asked := false
	w.Evidence = &ending{registers: w.registers, end: func() {
		if !asked {
			asked = true
			w.apply()
			w.later(time.Minute) // its record is written, too
		}
	}}
	_, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", answers)
	w.refused(err, "application.granted-meanwhile")
	if again := w.apply().Application; again.State != casework.Refused {
		t.Errorf("done again it is %s", again.State)
	}
	if w.granted() != 1 {
		t.Errorf("%d are granted", w.granted())
	}
}

// Otherwise an appeal and a new application would both be paid.
func TestARefusalIsNotContestedWhileItIsAskedForAnew(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	w.apply()
	refused := w.must(w.decide(leader, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Requirement: "unemployed"}}}))
	anew := w.apply().Application
	_, err := w.Contest(t.Context(), w.applicant, refused.ID, refused.Revision, "It is the market price.")
	w.refused(err, "application.already-open")
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	if view := w.state(anew.ID); view.Application.State != casework.Granted {
		t.Fatalf("the new one is %s", view.Application.State)
	}
}
