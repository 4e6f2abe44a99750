package casework_test

import (
	"bytes"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

// assisted lets an official write an application down for the world's applicant.
func (w *world) assisted(helper access.Actor) casework.Application {
	w.Helper()
	draft, err := w.Assist(w.Context(), helper, w.applicant.Person, "", "youth/tools", "en", answers)
	if err != nil {
		w.Fatal(err)
	}
	return draft
}

var photo = []byte("a picture of a signed sheet")

func TestNothingIsFetchedBeforeTheApplicantHasConfirmed(t *testing.T) {
	w := newWorld(t)
	helper, leader := w.official("helper", "X11"), w.official("youth-leader", "X11")
	draft := w.assisted(helper)
	if draft.State != casework.Draft || draft.Applicant != w.applicant.Person.Subject() || len(w.registers.asked) != 0 {
		t.Fatalf("the draft is %+v, the registers were asked %d times", draft, len(w.registers.asked))
	}
	view, err := w.AssistedDraft(t.Context(), helper, draft.ID)
	if err != nil || view.Answers["account"] != answers["account"] || len(w.registers.asked) != 0 {
		t.Fatalf("the helper reads %+v, %v", view, err)
	}
	if read := w.headers("application.read"); len(read) != 1 || read[0].Purpose != "assist" {
		t.Errorf("that the helper read it back is journaled as %+v", read)
	}
	_, err = w.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, nil)
	w.refused(err, "assist.photo")
	for what, by := range map[string]access.Actor{"another official": leader, "a resident": {Person: helper.Person}} {
		if _, err := w.ConfirmAssisted(t.Context(), by, draft.ID, draft.Revision, photo); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s confirms it: %v", what, err)
		}
		if _, err := w.AssistedDraft(t.Context(), by, draft.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s reads it: %v", what, err)
		}
	}
	if progress, err := w.Progress(t.Context(), draft.ID); progress != casework.ProgressDraft || err != nil {
		t.Errorf("the paper says %s, %v", progress, err)
	}
	for range 2 { // sent twice
		sent := w.must(w.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, photo))
		if sent.State != casework.Deciding {
			t.Fatalf("it is %s", sent.State)
		}
	}
	if len(w.registers.asked) != 3 {
		t.Errorf("the registers were asked %d times", len(w.registers.asked))
	}
	if _, err := w.AssistedDraft(t.Context(), helper, draft.ID); err == nil {
		t.Error("the helper still reads it")
	}
	own := w.state(draft.ID).Content.Assisted
	if own == nil || own.By.Person != helper.Person || own.Means != casework.ConfirmedByPaper || own.Confirmed.IsZero() {
		t.Errorf("the applicant sees %+v", own)
	}
	submitted := w.headers("application.submitted")
	if len(submitted) != 1 || submitted[0].Actor.Person != helper.Person || submitted[0].Facts["confirmed"] != "signed-summary" || len(submitted[0].Covers) != 3 {
		t.Errorf("journaled as %+v", submitted)
	}
	task := w.open(leader)
	if got, err := w.Summary(t.Context(), leader, task.ID); err != nil || !bytes.Equal(got, photo) {
		t.Errorf("the official who decides sees %q, %v", got, err)
	}
	if _, err := w.Summary(t.Context(), w.official("chair", "X11"), task.ID); err == nil {
		t.Error("the photo is shown to somebody else")
	}
	if progress, err := w.Progress(t.Context(), draft.ID); progress != casework.ProgressReceived || err != nil {
		t.Errorf("the paper says %s, %v", progress, err)
	}
}

func TestTheApplicantSendsThemselfWhatWasWrittenDown(t *testing.T) {
	w := newWorld(t)
	draft := w.assisted(w.official("helper", "X11"))
	w.must(w.Submit(t.Context(), w.applicant, draft.ID, draft.Revision))
	if own := w.state(draft.ID).Content.Assisted; own.Means != casework.ConfirmedBySignIn {
		t.Errorf("it was confirmed by %s", own.Means)
	}
}

func TestTheHelperIsNeverTheOnlyOneWhoDecides(t *testing.T) {
	w := newWorld(t)
	helper := w.official("youth-leader", "X11")
	chair := w.official("chair", "X11")
	draft := w.assisted(helper)
	w.must(w.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, photo))
	_, err := w.decide(helper, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "No."}}})
	w.refused(err, "task.helper-alone")
	w.must(w.decide(helper, casework.Verdict{Action: service.Recommend})) // a second official decides
	if granted := w.must(w.decide(chair, casework.Verdict{Action: service.Approve})); granted.State != casework.Granted {
		t.Errorf("it is %s", granted.State)
	}
}

func TestTheHelperDoesNotGrantAlone(t *testing.T) {
	w := newWorld(t, func(def *service.Definition) { def.Process = def.Process[1:] }) // the chair alone decides
	helper := w.official("chair", "X11")
	draft := w.assisted(helper)
	w.must(w.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, photo))
	_, err := w.decide(helper, casework.Verdict{Action: service.Approve})
	w.refused(err, "task.helper-alone")
	w.must(w.decide(w.official("chair", "X1"), casework.Verdict{Action: service.Approve}))
}

func TestWhatAHelperCannotWriteDown(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	_, err := w.Assist(t.Context(), helper, helper.Person, "", "youth/tools", "en", answers)
	w.refused(err, "assist.self")
	_, err = w.Assist(t.Context(), access.Actor{Person: helper.Person}, w.applicant.Person, "", "youth/tools", "en", answers)
	w.refused(err, "access.forbidden")
	_, err = w.Assist(t.Context(), helper, w.applicant.Person, "", "youth/tools", "en", map[string]any{"account": answers["account"]})
	w.refused(err, "field.required")
	// The same id of another official's draft is nobody else's.
	id := ident.New[ident.Application](w.now)
	if _, err := w.Assist(t.Context(), helper, w.applicant.Person, id, "youth/tools", "en", answers); err != nil {
		t.Fatal(err)
	}
	_, err = w.Assist(t.Context(), w.official("helper", "X11"), w.applicant.Person, id, "youth/tools", "en", answers)
	w.refused(err, "application.unknown")
}
