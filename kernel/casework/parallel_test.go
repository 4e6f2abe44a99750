package casework_test

import (
	"slices"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

// consenting lets two agencies consent at the same time, each within its own days.
func consenting(def *service.Definition) {
	actions := []service.Action{service.Approve, service.Ask, service.Refuse}
	place := def.Process[0].Steps[0].Territory
	def.Process = []service.Stage{{Steps: []service.Step{
		{Name: "plan", Agency: "youth-agency", Role: "planner", Territory: place, Within: 2, Late: service.LateEscalate, Actions: actions},
		{Name: "fire-safety", Agency: "fire-service", Role: "inspector", Territory: place, Within: 5, Late: service.LateEscalate, Actions: actions},
	}}}
}

// newParallel returns a world in which two agencies consent at once, with their officials.
func newParallel(t *testing.T, change ...func(*service.Definition)) (w *world, planner, inspector access.Actor) {
	w = newWorld(t, append([]func(*service.Definition){consenting}, change...)...)
	return w, w.official("planner", "X11"), w.officialOf("fire-service", "inspector", "X11")
}

// officialOf appoints somebody of another agency.
func (w *world) officialOf(agency ident.Agency, role ident.Role, place ident.Territory) access.Actor {
	w.Helper()
	made, err := w.office.Appoint(w.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: agency, Role: role, Territory: place,
	})
	if err != nil {
		w.Fatal(err)
	}
	return access.Actor{Person: made.Person, Appointment: &made}
}

// empty says that nothing waits in an official's inbox.
func (w *world) empty(by access.Actor) {
	w.Helper()
	if tasks, err := w.Tasks(w.Context(), by, casework.Filter{}, casework.Cursor{}, 10); err != nil || len(tasks) != 0 {
		w.Errorf("the inbox of the %s holds %d tasks, %v", by.Appointment.Role, len(tasks), err)
	}
}

// step returns a step's task as the applicant sees it.
func (w *world) step(id ident.Application, name string) casework.Task {
	w.Helper()
	tasks := w.state(id).Tasks
	i := slices.IndexFunc(tasks, func(t casework.Task) bool { return t.Step == name })
	if i < 0 {
		w.Fatalf("there is no step %s", name)
	}
	return tasks[i]
}

func (w *world) answer(id ident.Application, text string) casework.Application {
	w.Helper()
	return w.must(w.Answer(w.Context(), w.applicant, id, w.state(id).Application.Revision, text))
}

func TestBothAgenciesHaveToConsentInAnyOrder(t *testing.T) {
	for _, first := range []string{"plan", "fire-safety"} {
		t.Run(first+" first", func(t *testing.T) {
			w, one, other := newParallel(t)
			if first != "plan" {
				one, other = other, one
			}
			sent := w.apply().Application
			w.open(other) // both have a task at once
			if after := w.must(w.decide(one, casework.Verdict{Action: service.Approve})); after.State != casework.Deciding || !after.Decided.IsZero() {
				t.Fatalf("with one consent of two the application is %s", after.State)
			}
			w.later(time.Hour)
			if view := w.state(sent.ID); view.Content.Granted != nil || len(w.queued) != 0 {
				t.Fatalf("with one consent of two it gave %+v, and the platform was asked to do %q", view.Content.Granted, w.queued)
			}
			w.empty(one)
			if after := w.must(w.decide(other, casework.Verdict{Action: service.Approve})); after.State != casework.Granted {
				t.Fatalf("with both consents the application is %s", after.State)
			}
			w.later(time.Hour)
			if !slices.Equal(w.queued, []string{casework.JobPay}) {
				t.Errorf("the platform was asked to do %q", w.queued)
			}
		})
	}
}

// What one agency consented to before the other does may be too old by then: only the last consent asks again.
func TestTheLastConsentOfTwoLooksAtTheRegistersAgain(t *testing.T) {
	w, planner, inspector := newParallel(t)
	w.apply()
	w.later(48 * time.Hour)
	w.registers.set("employment/unemployment", w.applicant.Person.Subject(), map[string]any{"registered": false})
	w.must(w.decide(planner, casework.Verdict{Action: service.Approve}))
	_, err := w.decide(inspector, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.evidence-changed")
	_, err = w.decide(inspector, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.requirement-not-met")
}

func TestTheNextStageBeginsWhenBothHaveConsented(t *testing.T) {
	w, planner, inspector := newParallel(t, func(def *service.Definition) {
		def.Process = append(def.Process, service.Stage{Steps: []service.Step{{
			Name: "approve", Agency: "youth-agency", Role: "head", Within: 1, Late: service.LateEscalate, Actions: []service.Action{service.Approve},
		}}})
	})
	head := w.official("head", "X")
	w.apply()
	w.must(w.decide(inspector, casework.Verdict{Action: service.Approve}))
	w.empty(head)
	w.must(w.decide(planner, casework.Verdict{Action: service.Approve}))
	if after := w.must(w.decide(head, casework.Verdict{Action: service.Approve})); after.State != casework.Granted {
		t.Errorf("the application is %s", after.State)
	}
}

// An appeal goes to the level above the agency that refused, whichever of the two it was.
func TestOneRefusalVoidsTheOtherTask(t *testing.T) {
	for _, step := range []string{"plan", "fire-safety"} {
		t.Run(step, func(t *testing.T) {
			w, one, other := newParallel(t)
			above := w.official("planner", "X1")
			if step != "plan" {
				one, other = other, one
				above = w.officialOf("fire-service", "inspector", "X1")
			}
			w.apply()
			begun := w.open(other)
			w.now = w.now.Add(time.Minute)
			refused := w.must(w.decide(one, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "There is no second way out."}}}))
			if refused.State != casework.Refused {
				t.Fatalf("the application is %s", refused.State)
			}
			w.empty(other)
			_, err := w.Decide(t.Context(), other, begun.ID, refused.Revision, casework.Verdict{Action: service.Approve})
			w.refused(err, "task.not-open")
			if state := w.step(refused.ID, begun.Step).State; state != casework.TaskVoid {
				t.Errorf("the other agency's task is %s", state)
			}
			w.later(14 * 24 * time.Hour) // the deadlines pass, and nobody is late
			if view := w.state(refused.ID); view.Application.State != casework.Refused || len(view.Content.Escalations) != 0 {
				t.Errorf("two weeks later it is %s, handed up %d times", view.Application.State, len(view.Content.Escalations))
			}
			w.must(w.Contest(t.Context(), w.applicant, refused.ID, w.state(refused.ID).Application.Revision, "There is one."))
			if task := w.open(above); task.Step != casework.StepAppeal {
				t.Errorf("the level above has the task %s", task.Step)
			}
		})
	}
}

func TestOneAgencyAsksWhileTheOtherGoesOn(t *testing.T) {
	w, planner, inspector := newParallel(t)
	sent := w.apply().Application
	due := w.open(inspector).Due
	w.must(w.decide(planner, casework.Verdict{Action: service.Ask, Question: "Where will the ramp be?"}))
	if view := w.state(sent.ID); view.Application.State != casework.Asked || view.Awaited == nil || view.Awaited.Text != "Where will the ramp be?" {
		t.Fatalf("the application is %s, asked %+v", view.Application.State, view.Awaited)
	}
	if task := w.open(inspector); !task.Due.Equal(due) || task.State != casework.TaskOpen {
		t.Errorf("the other agency's task is %s, due %v instead of %v", task.State, task.Due, due)
	}
	w.later(8 * 24 * time.Hour)
	if plan, fire := w.step(sent.ID, "plan"), w.step(sent.ID, "fire-safety"); plan.Escalated != 0 || fire.Escalated != 1 {
		t.Errorf("after eight days the step that asked was handed up %d times, the other %d times", plan.Escalated, fire.Escalated)
	}
	above := w.officialOf("fire-service", "inspector", "X")
	if after := w.must(w.decide(above, casework.Verdict{Action: service.Approve})); after.State != casework.Asked {
		t.Fatalf("while one agency waits for an answer, and the other has consented, the application is %s", after.State)
	}
	if after := w.answer(sent.ID, "At the yard."); after.State != casework.Deciding {
		t.Fatalf("once it is answered the application is %s", after.State)
	}
	if after := w.must(w.decide(planner, casework.Verdict{Action: service.Approve})); after.State != casework.Granted {
		t.Errorf("the application is %s", after.State)
	}
}

// Two questions are answered one after the other, the oldest first, and each lets its own step go on.
func TestBothAgenciesMayAskAtOnce(t *testing.T) {
	w, planner, inspector := newParallel(t)
	sent := w.apply().Application
	w.must(w.decide(planner, casework.Verdict{Action: service.Ask, Question: "Where will the ramp be?"}))
	w.later(24 * time.Hour)
	w.must(w.decide(inspector, casework.Verdict{Action: service.Ask, Question: "How wide is the door?"}))
	if view := w.state(sent.ID); view.Awaited.Text != "Where will the ramp be?" {
		t.Errorf("the question to be answered is %q", view.Awaited.Text)
	}
	if after := w.answer(sent.ID, "At the yard."); after.State != casework.Asked {
		t.Fatalf("with one answer of two the application is %s", after.State)
	}
	if view := w.state(sent.ID); view.Awaited == nil || view.Awaited.Text != "How wide is the door?" || view.Content.Questions[0].Answer != "At the yard." {
		t.Fatalf("then the questions are %+v", view.Content.Questions)
	}
	if task := w.open(planner); task.State == casework.TaskWaiting || task.Due.IsZero() {
		t.Errorf("the task whose question was answered is %s, due %v", task.State, task.Due)
	}
	if after := w.answer(sent.ID, "A metre."); after.State != casework.Deciding {
		t.Fatalf("with both answers the application is %s", after.State)
	}
	_, err := w.Answer(t.Context(), w.applicant, sent.ID, w.state(sent.ID).Application.Revision, "Once more.")
	w.refused(err, "application.not-asked")
	w.must(w.decide(planner, casework.Verdict{Action: service.Approve}))
	if after := w.must(w.decide(inspector, casework.Verdict{Action: service.Approve})); after.State != casework.Granted {
		t.Errorf("the application is %s", after.State)
	}
}

// Who answers neither of two questions is not waited for without end.
func TestTwoUnansweredQuestionsLetBothStepsGoOn(t *testing.T) {
	w, planner, inspector := newParallel(t)
	sent := w.apply().Application
	w.must(w.decide(planner, casework.Verdict{Action: service.Ask, Question: "Where will the ramp be?"}))
	w.later(24 * time.Hour)
	w.must(w.decide(inspector, casework.Verdict{Action: service.Ask, Question: "How wide is the door?"}))
	w.later(20*24*time.Hour + 20*time.Hour) // fifteen working days after the first question, the second has one more
	if plan, fire := w.step(sent.ID, "plan"), w.step(sent.ID, "fire-safety"); plan.State == casework.TaskWaiting || fire.State != casework.TaskWaiting {
		t.Fatalf("then the steps are %s and %s", plan.State, fire.State)
	}
	if state := w.state(sent.ID).Application.State; state != casework.Asked {
		t.Errorf("the application is %s while one question is open", state)
	}
	w.later(24 * time.Hour)
	if fire := w.step(sent.ID, "fire-safety"); fire.State == casework.TaskWaiting {
		t.Errorf("a day later the second step is %s", fire.State)
	}
	if state := w.state(sent.ID).Application.State; state != casework.Deciding {
		t.Errorf("the application is %s", state)
	}
}

func TestEachParallelStepHasItsOwnDeadline(t *testing.T) {
	w, planner, inspector := newParallel(t)
	w.official("planner", "X1")
	sent := w.apply().Application
	day := 24 * time.Hour
	// Received on a Monday: the planner has until Wednesday midnight, the inspector until the next Monday's.
	midnight := time.Date(2026, 3, 2, 19, 0, 0, 0, time.UTC)
	if plan, fire := w.open(planner).Due, w.open(inspector).Due; !plan.Equal(midnight.Add(2*day)) || !fire.Equal(midnight.Add(7*day)) {
		t.Fatalf("the deadlines are %v and %v", plan, fire)
	}
	w.later(4 * day)
	if plan, fire := w.step(sent.ID, "plan"), w.step(sent.ID, "fire-safety"); plan.Escalated != 1 || plan.Territory != "X1" || fire.Escalated != 0 || fire.Territory != "X11" {
		t.Errorf("after four days the steps were handed up %d and %d times, to %s and %s", plan.Escalated, fire.Escalated, plan.Territory, fire.Territory)
	}
	w.open(inspector)
	w.empty(planner)
}

// Who consented for one agency does not consent for the other, whatever offices they hold.
func TestOnePersonDoesNotGiveBothConsents(t *testing.T) {
	w, planner, inspector := newParallel(t)
	inspector.Person = planner.Person
	w.apply()
	w.must(w.decide(planner, casework.Verdict{Action: service.Approve}))
	if _, err := w.decide(inspector, casework.Verdict{Action: service.Approve}); fault.Code(err) != "task.same-person" {
		t.Errorf("the second consent of one person gave %v", err)
	}
}
