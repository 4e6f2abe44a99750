package casework_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

// dictated is what the world's applicant tells an official.
func (w *world) dictated(id ident.Application) casework.Dictated {
	return casework.Dictated{ID: id, Applicant: w.applicant.Person, Service: "youth/tools", Language: "en", Answers: answers}
}

// assisted lets an official write an application down for the world's applicant.
func (w *world) assisted(helper access.Actor) casework.Application {
	w.Helper()
	draft, err := w.Assist(w.Context(), helper, w.dictated(""))
	if err != nil {
		w.Fatal(err)
	}
	return draft
}

// looks lets an official look at the signed summary of their one task.
func (w *world) looks(by access.Actor) {
	w.Helper()
	if err := w.LookedAtSummary(w.Context(), by, w.open(by).ID); err != nil {
		w.Fatal(err)
	}
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
	if len(submitted) != 1 || submitted[0].Actor.Person != helper.Person || submitted[0].Facts["confirmed"] != "signed-summary" || len(submitted[0].Covers) != 4 {
		t.Errorf("journaled as %+v", submitted)
	}
	if told := w.notices(); told != "application.submitted" {
		t.Errorf("the applicant was told of %q", told)
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
	if told := w.notices(); told != "" {
		t.Errorf("they were told of what they did themself: %q", told)
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
	w.looks(helper)
	w.must(w.decide(helper, casework.Verdict{Action: service.Recommend})) // a second official decides
	w.looks(chair)
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
	other := w.official("chair", "X1")
	w.looks(other)
	w.must(w.decide(other, casework.Verdict{Action: service.Approve}))
}

func TestWhatAHelperCannotWriteDown(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	own := w.dictated("")
	own.Applicant = helper.Person
	_, err := w.Assist(t.Context(), helper, own)
	w.refused(err, "assist.self")
	_, err = w.Assist(t.Context(), access.Actor{Person: helper.Person}, w.dictated(""))
	w.refused(err, "access.forbidden")
	half := w.dictated("")
	half.Answers = map[string]any{"account": answers["account"]}
	_, err = w.Assist(t.Context(), helper, half)
	w.refused(err, "field.required")
	// The same id of another official's draft is nobody else's.
	id := ident.New[ident.Application](w.now)
	if _, err := w.Assist(t.Context(), helper, w.dictated(id)); err != nil {
		t.Fatal(err)
	}
	_, err = w.Assist(t.Context(), w.official("helper", "X11"), w.dictated(id))
	w.refused(err, "application.unknown")
}

func TestAnOfficialHelpsNobodyCloseToThem(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	draft := w.assisted(helper) // before they lived together
	w.registers.related["household"][helper.Person.Subject()] = []ident.Subject{w.applicant.Person.Subject()}
	_, err := w.Assist(t.Context(), helper, w.dictated(""))
	w.refused(err, "assist.own-interest")
	_, err = w.AssistedDraft(t.Context(), helper, draft.ID)
	w.refused(err, "assist.own-interest")
	_, err = w.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, photo)
	w.refused(err, "assist.own-interest")
	w.refused(w.SendCode(t.Context(), helper, draft.ID), "assist.own-interest")
	_, err = w.ConfirmByCode(t.Context(), helper, draft.ID, "000000")
	w.refused(err, "assist.own-interest")
	w.must(w.Submit(t.Context(), w.applicant, draft.ID, draft.Revision)) // it stays the applicant's

	f := newFamily(t)
	f.mandate(true, false)
	representative := f.official("helper", "X11")
	representative.Person = f.helper.Person
	_, err = f.Assist(t.Context(), representative, f.dictated(""))
	f.refused(err, "assist.own-interest")
}

func TestAssistedDraftsCountAmongThePersonsDrafts(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	for range 20 {
		w.assisted(helper)
	}
	_, err := w.Assist(t.Context(), helper, w.dictated(""))
	w.refused(err, "assist.too-many-drafts")
	_, err = w.Start(t.Context(), w.applicant, "", "youth/tools", "en")
	w.refused(err, "application.too-many-drafts")
}

func TestADraftWrittenDownWithoutAConnectionKeepsBothTimes(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	made := w.now
	w.now = w.now.Add(30 * time.Hour)
	told := w.dictated(ident.New[ident.Application](made))
	digest := sha256.Sum256([]byte("what the device wrote down"))
	told.Made = made
	_, err := w.Assist(t.Context(), helper, told)
	w.refused(err, "offline.act")
	told.Digest = digest[:]
	for range 2 { // sent twice
		draft, err := w.Assist(t.Context(), helper, told)
		if err != nil || draft.ID != told.ID || draft.Revision != 1 {
			t.Fatalf("%+v, %v", draft, err)
		}
	}
	own := w.state(told.ID).Content
	if !own.Assisted.Made.Equal(made) || !own.Assisted.At.Equal(w.now) || len(own.History) != 1 || !own.History[0].Made.Equal(made) {
		t.Errorf("the times are %+v, %+v", own.Assisted, own.History)
	}
	journaled := w.headers("application.assisted")
	if len(journaled) != 1 || journaled[0].Facts["offline-act"] != string(told.ID) || journaled[0].Facts["device-time"] != "2026-03-02T04:00:00Z" ||
		journaled[0].Facts["device-digest"] != hex.EncodeToString(digest[:]) {
		t.Errorf("journaled as %+v", journaled)
	}
	if len(w.registers.asked) != 0 {
		t.Error("a register was asked")
	}
	w.must(w.ConfirmAssisted(t.Context(), helper, told.ID, 1, photo))
	if again, err := w.Assist(t.Context(), helper, told); err != nil || again.State != casework.Deciding {
		t.Errorf("sent once more after it was confirmed: %+v, %v", again, err)
	}
}

func TestWhoDecidesLooksAtTheSignedSummaryFirst(t *testing.T) {
	w := newWorld(t)
	helper, leader := w.official("helper", "X11"), w.official("youth-leader", "X11")
	draft := w.assisted(helper)
	w.must(w.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, photo))
	for _, verdict := range []casework.Verdict{
		{Action: service.Recommend}, {Action: service.Refuse, Reasons: []casework.Reason{{Text: "No."}}},
	} {
		_, err := w.decide(leader, verdict)
		w.refused(err, "task.summary-unseen")
	}
	task := w.open(leader).ID
	w.refused(w.LookedAtSummary(t.Context(), w.official("chair", "X11"), task), "access.forbidden")
	for range 2 {
		if err := w.LookedAtSummary(t.Context(), leader, task); err != nil {
			t.Fatal(err)
		}
	}
	if looked := w.headers("application.summary-looked-at"); len(looked) != 1 || looked[0].Actor.Person != leader.Person {
		t.Errorf("journaled as %+v", looked)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	_, err := w.decide(w.official("chair", "X11"), casework.Verdict{Action: service.Approve})
	w.refused(err, "task.summary-unseen") // each by themself
}

func TestAHelperFindsAgainWhatStillWaits(t *testing.T) {
	w := newWorld(t)
	helper, other := w.official("helper", "X11"), w.official("youth-leader", "X11")
	draft := w.assisted(helper)
	waiting := func(by access.Actor) []casework.Application {
		t.Helper()
		found, err := w.AssistedDrafts(t.Context(), by)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	found := waiting(helper)
	if len(found) != 1 || found[0].ID != draft.ID || found[0].Service != draft.Service || !found[0].Expires.Equal(draft.Expires) {
		t.Fatalf("the helper finds %+v", found)
	}
	if found[0].Applicant != "" || found[0].Sealed != nil {
		t.Errorf("the list tells whose it is: %+v", found[0])
	}
	if read := w.headers("application.read"); len(read) != 0 {
		t.Errorf("a list that tells nothing is journaled as %+v", read)
	}
	if theirs := waiting(other); len(theirs) != 0 {
		t.Errorf("another official finds %+v", theirs)
	}
	if _, err := w.AssistedDrafts(t.Context(), access.Actor{Person: helper.Person}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("without an office: %v", err)
	}
	// The applicant changes a word of it: it is still the helper's to be confirmed.
	saved, err := w.Save(t.Context(), w.applicant, draft.ID, draft.Revision, answers)
	if err != nil || len(waiting(helper)) != 1 {
		t.Fatalf("after a change %+v is found, %v", waiting(helper), err)
	}
	w.must(w.ConfirmAssisted(t.Context(), helper, draft.ID, saved.Revision, photo))
	if left := waiting(helper); len(left) != 0 {
		t.Errorf("after it was confirmed there is still %+v", left)
	}
	// What nobody confirmed in time waits no more.
	w.applicant = access.Actor{Person: ident.Random[ident.Person]()}
	w.assisted(helper)
	w.later(31 * 24 * time.Hour)
	if left := waiting(helper); len(left) != 0 {
		t.Errorf("after its time there is still %+v", left)
	}
}
