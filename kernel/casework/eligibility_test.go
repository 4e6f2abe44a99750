package casework_test

import (
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

func TestWhetherOneCanGetItIsToldBeforeOneApplies(t *testing.T) {
	w := newWorld(t)
	subject := w.applicant.Person.Subject()
	outcomes := func() (rules.Outcome, map[string]string) {
		t.Helper()
		found, err := w.Eligibility(t.Context(), w.applicant, "youth/tools", "en")
		if err != nil {
			t.Fatal(err)
		}
		each := map[string]string{}
		for _, rule := range found.Content.Rules {
			each[rule.ID] = rule.Outcome
		}
		return found.Outcome, each
	}
	if all, each := outcomes(); all != rules.Met || each["age"] != casework.OutcomeMet || each["unemployed"] != casework.OutcomeMet {
		t.Errorf("who meets all is told %v %v", all, each)
	}
	w.registers.set("civil/birth", subject, map[string]any{"date": calendar.Date{Year: 1990, Month: 1, Day: 1}})
	w.registers.silence("employment/unemployment", true)
	if all, each := outcomes(); all != rules.NotMet || each["age"] != casework.OutcomeNotMet || each["unemployed"] != casework.OutcomeUnclear {
		t.Errorf("who is too old, while a register is silent, is told %v %v", all, each)
	}
	if applications, err := w.OwnAll(t.Context(), w.applicant, "", 10); err != nil || len(applications) > 0 {
		t.Errorf("asking began %d applications, %v", len(applications), err)
	}
	_, err := w.Eligibility(t.Context(), access.Actor{}, "youth/tools", "en")
	w.refused(err, "access.forbidden")
	_, err = w.Eligibility(t.Context(), w.applicant, "youth/none", "en")
	w.refused(err, "service.unknown")
}

func TestTheApplicantIsToldByWhenToAnswer(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	sent := w.apply()
	if view := w.state(sent.Application.ID); !view.AnswerUntil.IsZero() {
		t.Errorf("nobody asked, and an answer is due on %v", view.AnswerUntil)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Ask, Question: "Which machine?"}))
	until := w.state(sent.Application.ID).AnswerUntil
	w.later(until.Sub(w.now) - time.Hour)
	if view := w.state(sent.Application.ID); view.Application.State != casework.Asked {
		t.Errorf("an hour before it is %s", view.Application.State)
	}
	w.later(2 * time.Hour)
	if view := w.state(sent.Application.ID); view.Application.State != casework.Deciding || !view.AnswerUntil.IsZero() {
		t.Errorf("an hour after it is %s, with an answer due on %v", view.Application.State, view.AnswerUntil)
	}
}

func TestPerformanceIsMeasuredOnRealCasesAndHidesFew(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-leader", "X11"), w.official("chair", "X11")
	for i := range 5 {
		if found, err := w.Performance(t.Context(), "youth/tools"); err != nil || found.Decided != 0 || found.Median != 0 {
			t.Fatalf("after %d decisions: %+v, %v", i, found, err)
		}
		w.apply()
		w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
		w.now = w.now.Add(time.Duration(i) * time.Hour) // decided after 0, 1, 2, 3, 4 hours
		w.must(w.decide(chair, casework.Verdict{Action: service.Approve}))
	}
	found, err := w.Performance(t.Context(), "youth/tools")
	if want := (casework.Performance{Decided: 5, Median: 2 * time.Hour, Steps: 10, OnTime: 10}); err != nil || found != want {
		t.Errorf("got %+v, %v", found, err)
	}
	if none, err := w.Performance(t.Context(), ident.Service("youth/none")); err != nil || none != (casework.Performance{}) {
		t.Errorf("a service without cases: %+v, %v", none, err)
	}
}
