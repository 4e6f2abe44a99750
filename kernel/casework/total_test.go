package casework_test

import (
	"slices"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// nothing makes the subsidy come out as zero.
func nothing(t *testing.T) func(*service.Definition) {
	return func(def *service.Definition) {
		environment, err := def.Environment()
		if err != nil {
			t.Fatal(err)
		}
		if def.Output.Payment.Amount, err = environment.Compile("0 * ask.price", rules.KindMoney); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAmountOfZeroPaysNothing(t *testing.T) {
	w := newWorld(t, nothing(t))
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	w.apply()
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	granted := w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	w.later(time.Hour)
	if granted.State != casework.Granted || slices.Contains(w.queued, casework.JobPay) {
		t.Errorf("the application is %s, and the platform was asked to do %q", granted.State, w.queued)
	}
	_, err := w.Payment(t.Context(), granted.ID, "")
	w.refused(err, "application.no-payment")
}

func TestSilenceDoesNotAttest(t *testing.T) {
	w := newWorld(t, func(def *service.Definition) {
		def.Output = service.Output{}
		def.Process = def.Process[1:]
		def.Process[0].Steps[0].Territory = nil
		def.Process[0].Steps[0].Late = service.LateGrant
	})
	w.registers.set("interior/residence", w.applicant.Person.Subject(), nil)
	delete(w.registers.values["interior/residence"], w.applicant.Person.Subject())
	sent := w.apply()
	w.later(14 * 24 * time.Hour)
	view := w.state(sent.Application.ID)
	if view.Application.State != casework.Deciding || view.Tasks[0].Escalated == 0 {
		t.Fatalf("the application is %s because of %v", view.Application.State, view.Content.Because)
	}
	chair := w.official("chair", "X")
	w.must(w.decide(chair, casework.Verdict{Action: service.Approve, Attest: map[string]map[string]any{
		"residence": {"mahalla": ident.Territory("X11")},
	}}))
	if state := w.state(sent.Application.ID).Application.State; state != casework.Granted {
		t.Errorf("the application is %s", state)
	}
}
