package casework_test

import (
	"slices"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/job"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// silent gives the last step a meaning of its officials' silence, and takes the payment away: none ever follows silence.
func silent(late service.Late) func(*service.Definition) {
	return func(def *service.Definition) {
		def.Output = service.Output{Record: &service.Record{Register: "youth/notebook"}}
		step := &def.Process[len(def.Process)-1].Steps[0]
		step.Late = late
		step.Silent = wording.Text{"en": "Nobody decided in time. That counts as a refusal.", "ru": "Никто не решил в срок. Это отказ."}
	}
}

// recording lets the register's job be done.
func (w *world) recording() { w.jobs.Handlers["register.write"] = w.note }

// Silence that refuses says so, in the applicant's language, and opens the way to the level above.
func TestSilenceThatRefusesSaysSoAndCanBeContested(t *testing.T) {
	w := newWorld(t, silent(service.LateRefuse))
	w.recording()
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	above := w.official("chair", "X1")
	receipt, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "ru", answers)
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	task := w.open(chair)
	w.later(task.Due.Sub(w.now) - time.Minute)
	if state := w.state(receipt.Application.ID).Application.State; state != casework.Deciding {
		t.Fatalf("a minute before the deadline the application is %s", state)
	}
	w.later(time.Hour)
	view := w.state(receipt.Application.ID)
	if view.Application.State != casework.Refused || !slices.Equal(view.Content.Because, []casework.Reason{{Text: "Никто не решил в срок. Это отказ."}}) {
		t.Fatalf("after the deadline the application is %s because of %+v", view.Application.State, view.Content.Because)
	}
	w.empty(chair)
	if got := w.notices(); got != "application.refused" {
		t.Errorf("the applicant was told of %q", got)
	}
	if !slices.ContainsFunc(view.Content.History, func(one casework.Entry) bool {
		return one.What == "task.late" && one.Step == "approve" && one.Note == "refuse" && one.By.Component == "deadline"
	}) {
		t.Errorf("the history is %+v", view.Content.History)
	}
	if view.AppealUntil.IsZero() {
		t.Fatal("it cannot be contested")
	}
	w.must(w.Contest(t.Context(), w.applicant, view.Application.ID, view.Application.Revision, "Nobody looked at it."))
	if granted := w.must(w.decide(above, casework.Verdict{Action: service.Approve})); granted.State != casework.Granted {
		t.Errorf("on appeal the application is %s", granted.State)
	}
}

func TestSilenceThatGrantsGivesEverythingButMoney(t *testing.T) {
	w := newWorld(t, silent(service.LateGrant))
	w.recording()
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	sent := w.apply().Application
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.later(w.open(chair).Due.Sub(w.now) - time.Minute)
	if state := w.state(sent.ID).Application.State; state != casework.Deciding {
		t.Fatalf("a minute before the deadline the application is %s", state)
	}
	w.later(time.Hour)
	view := w.state(sent.ID)
	if view.Application.State != casework.Granted || view.Content.Granted.Payment != 0 || view.Content.Granted.Order != "" {
		t.Fatalf("after the deadline the application is %s with %+v", view.Application.State, view.Content.Granted)
	}
	if !slices.Equal(w.queued, []string{"register.write"}) {
		t.Errorf("the platform was asked to do %q", w.queued)
	}
	w.empty(chair)
	if got := w.notices(); got != "application.granted" {
		t.Errorf("the applicant was told of %q", got)
	}
}

// Silence grants nothing against a rule that is not met any more when it would.
func TestSilenceThatGrantsLooksAtTheRules(t *testing.T) {
	w := newWorld(t, silent(service.LateGrant), limitedTime(t))
	leader := w.official("youth-leader", "X11")
	sent := w.apply().Application
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.later(7 * 24 * time.Hour)
	if view := w.state(sent.ID); view.Application.State != casework.Refused || !slices.Equal(view.Content.Because, []casework.Reason{{Requirement: "unemployed"}}) {
		t.Errorf("the application is %s because of %+v", view.Application.State, view.Content.Because)
	}
}

// What silence grants must be true on that day: an answer that has grown too old is asked for again.
func TestSilenceThatGrantsAsksAgain(t *testing.T) {
	w := newWorld(t, silent(service.LateGrant))
	leader := w.official("youth-leader", "X11")
	sent := w.apply().Application
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
	w.later(7 * 24 * time.Hour)
	if view := w.state(sent.ID); view.Application.State != casework.Refused || !slices.Equal(view.Content.Because, []casework.Reason{{Requirement: "unemployed"}}) {
		t.Errorf("the application is %s because of %+v", view.Application.State, view.Content.Because)
	}
}

// Silence cannot stand in for a register that does not answer: the level above decides, when it does.
func TestSilenceThatGrantsWaitsForARegister(t *testing.T) {
	w := newWorld(t, silent(service.LateGrant))
	w.recording()
	leader, above := w.official("youth-leader", "X11"), w.official("chair", "X1")
	w.official("chair", "X11")
	sent := w.apply().Application
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	w.registers.silence("employment/unemployment", true)
	w.later(7 * 24 * time.Hour)
	if view := w.state(sent.ID); view.Application.State != casework.Deciding || w.open(above).Escalated != 1 {
		t.Fatalf("the application is %s", view.Application.State)
	}
	w.registers.silence("employment/unemployment", false)
	if granted := w.must(w.decide(above, casework.Verdict{Action: service.Approve})); granted.State != casework.Granted {
		t.Errorf("when the register answers again the application is %s", granted.State)
	}
}

// limitedTime makes a rule hold on the day of receipt only.
func limitedTime(t *testing.T) func(*service.Definition) {
	return func(def *service.Definition) {
		environment, err := def.Environment()
		if err != nil {
			t.Fatal(err)
		}
		if def.Require[1].That, err = environment.Compile("unemployment.registered && decided == submitted", rules.KindBool); err != nil {
			t.Fatal(err)
		}
	}
}

// Of two steps at once, the silence of one is its consent only: the other still decides.
func TestSilenceOfOneOfTwoAgenciesIsItsConsentOnly(t *testing.T) {
	for name, test := range map[string]struct {
		then casework.Verdict
		want casework.State
	}{
		"the other consents": {casework.Verdict{Action: service.Approve}, casework.Granted},
		"the other refuses":  {casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "There is no second way out."}}}, casework.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			w, planner, inspector := newParallel(t, silent(service.LateGrant))
			w.recording()
			sent := w.apply().Application
			w.later(w.open(planner).Due.Sub(w.now) + time.Hour)
			w.empty(planner)
			if plan, state := w.step(sent.ID, "plan").State, w.state(sent.ID).Application.State; plan != casework.TaskDone || state != casework.Deciding {
				t.Fatalf("after one agency's silence its step is %s, the application %s", plan, state)
			}
			if after := w.must(w.decide(inspector, test.then)); after.State != test.want {
				t.Errorf("the application is %s", after.State)
			}
		})
	}
}

// The other order: the one agency has consented, and the silence of the other completes it.
func TestSilenceCompletesWhatTheOtherAgencyConsentedTo(t *testing.T) {
	w, planner, inspector := newParallel(t, silent(service.LateGrant))
	w.recording()
	sent := w.apply().Application
	w.must(w.decide(inspector, casework.Verdict{Action: service.Approve}))
	w.later(w.open(planner).Due.Sub(w.now) + time.Hour)
	if state := w.state(sent.ID).Application.State; state != casework.Granted {
		t.Errorf("the application is %s", state)
	}
}

// A definition in which money would follow silence does not pass the checker. If one is there all the same, nothing is
// granted: the task stays, and whoever runs the platform sees the job fail.
func TestSilencePaysNothingWhateverTheDefinitionSays(t *testing.T) {
	w := newWorld(t, func(def *service.Definition) { def.Process[0].Steps[0].Late = service.LateGrant })
	leader := w.official("youth-leader", "X11")
	sent := w.apply().Application
	task := w.open(leader)
	w.now = task.Due.Add(time.Hour)
	err := w.Casework.Deadline(t.Context(), job.Job{}, casework.Job{Applicant: w.applicant.Person.Subject(), Application: sent.ID, Task: task.ID})
	w.refused(err, "task.silent-payment")
	if !fault.Is(err, fault.Internal) {
		t.Errorf("it is told as %v", err)
	}
	if view := w.state(sent.ID); view.Application.State != casework.Deciding || view.Tasks[0].State != casework.TaskOpen || view.Application.Revision != sent.Revision {
		t.Errorf("the application is %s, its task %s", view.Application.State, view.Tasks[0].State)
	}
}
