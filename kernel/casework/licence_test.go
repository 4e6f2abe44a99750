package casework_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/signature"
	"yagona/kernel/wording"
	"yagona/store/keyfile"
	"yagona/store/query"
)

// composer writes a document without words.
type composer struct{}

func (composer) Compose(_ context.Context, d *service.Definition, a casework.Application, _ service.Outcome, _ *casework.Represented, id ident.Document, now time.Time) (document.Draft, error) {
	text := document.Text{
		Language: "en", Agency: "Agency", Title: "Licence", Contest: "Contest it.",
		Headings: document.Headings{
			Number: "Number", Issued: "Issued", Until: "Until", Reasons: "Reasons", Basis: "Basis", Contest: "Contest", Check: "Check", Authoritative: "Authoritative",
		},
		Basis: []string{"An act"},
	}
	return document.Draft{
		Content: document.Content{
			ID: id, Type: d.Output.Document.Type, Service: d.Path, Agency: d.Agency, Authoritative: "en", Link: "https://example.org/verify/" + string(id),
			Texts: []document.Text{text}, Until: now.AddDate(1, 0, 0),
		},
		Subject: a.Applicant, Application: a.ID, Date: func(_ string, at time.Time) string { return at.Format(time.DateOnly) },
	}, nil
}

// newLicence returns a world whose service gives a licence for a year, by rule.
func newLicence(t *testing.T) *world {
	w := newWorld(t, func(d *service.Definition) {
		d.Process = nil
		environment, err := d.Environment()
		if err != nil {
			t.Fatal(err)
		}
		line, err := environment.Compile("unemployment.registered", rules.KindBool)
		if err != nil {
			t.Fatal(err)
		}
		d.Output = service.Output{Document: &service.Document{
			Type: "licence", Title: wording.Text{"en": "Licence"}, Valid: service.Period{Months: 12}, Lines: []service.Line{{Name: "fit", Is: line}},
		}}
		d.Licence = &service.Licence{Renew: service.Period{Days: 30}, Proposes: "inspector", Decides: "head", Within: 3, Publish: []string{"fit"}}
	})
	keys, err := keyfile.Open(t.TempDir(), func() time.Time { return w.now })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Ensure(signature.Node, signature.OfAgency("youth-agency")); err != nil {
		t.Fatal(err)
	}
	w.Composer = composer{}
	w.Documents = &document.Issuer{Store: query.For[document.Reader, document.Tx](w.db), Vault: w.Vault, Signer: keys, Node: "example.org"}
	return w
}

func (w *world) licence() (casework.Application, ident.Document) {
	w.Helper()
	granted := w.apply().Application
	return granted, w.state(granted.ID).Content.Granted.Document
}

// standing returns whether the document counts.
func (w *world) standing(id ident.Document) document.State {
	w.Helper()
	found, err := w.Documents.Standing(w.Context(), id, w.now)
	if err != nil {
		w.Fatal(err)
	}
	return found.State
}

// listed returns what the open list says: the states in order.
func (w *world) listed() string {
	w.Helper()
	found, err := w.Licences(w.Context(), "youth/tools", "", 10)
	if err != nil {
		w.Fatal(err)
	}
	var states []string
	for _, one := range found {
		states = append(states, string(one.State)+" "+string(one.Published.Lines))
	}
	return strings.Join(states, ", ")
}

func TestALicenceIsSuspendedRestoredAndRevokedByTwoOfficials(t *testing.T) {
	w := newLicence(t)
	granted, number := w.licence()
	inspector, head := w.official("inspector", "X"), w.official("head", "X")
	if got := w.listed(); got != `in-force {"fit":true}` {
		t.Fatalf("the open list says %s", got)
	}
	propose := func(by access.Actor, number ident.Document, measure service.Measure) error {
		_, err := w.Propose(t.Context(), by, number, measure, "The stall blocks the road.")
		return err
	}
	w.refused(propose(head, number, service.Suspend), "access.forbidden")
	w.refused(propose(w.official("inspector", "X2"), number, service.Suspend), "licence.unknown")
	w.refused(propose(w.applicant, number, service.Suspend), "licence.unknown")
	w.refused(propose(inspector, number, service.Restore), "licence.measure")
	if err := propose(inspector, number, service.Suspend); err != nil {
		t.Fatal(err)
	}
	w.refused(propose(inspector, number, service.Revoke), "licence.measure") // something is proposed already
	if got := w.standing(number); got != document.Valid {
		t.Errorf("what is only proposed made the document %s", got)
	}
	w.must(w.decide(head, casework.Verdict{Action: service.Approve}))
	view := w.state(granted.ID)
	if view.Right.State != casework.Suspended || w.standing(number) != document.Suspended || view.AppealUntil.IsZero() {
		t.Errorf("it is %s, its document %s, to be contested until %s", view.Right.State, w.standing(number), view.AppealUntil)
	}
	_, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", answers)
	w.refused(err, "application.in-force")

	if err := propose(inspector, number, service.Restore); err != nil {
		t.Fatal(err)
	}
	w.must(w.decide(head, casework.Verdict{Action: service.Approve}))
	view = w.state(granted.ID)
	anew := view.Content.Granted.Document
	if view.Right.State != casework.InForce || anew == number || w.standing(anew) != document.Valid || !view.AppealUntil.IsZero() {
		t.Errorf("restored, it is %s with the document %s", view.Right.State, w.standing(anew))
	}
	if got := w.standing(number); got != document.Revoked {
		t.Errorf("the document from before it was suspended is %s", got)
	}
	if err := propose(inspector, anew, service.Revoke); err != nil {
		t.Fatal(err)
	}
	w.must(w.decide(head, casework.Verdict{Action: service.Refuse, Reasons: []casework.Reason{{Text: "Too hard."}}}))
	if got := w.state(granted.ID).Right.State; got != casework.InForce {
		t.Errorf("after the head refused, it is %s", got)
	}
	if err := propose(inspector, anew, service.Revoke); err != nil {
		t.Fatal(err)
	}
	w.must(w.decide(head, casework.Verdict{Action: service.Approve}))
	view = w.state(granted.ID)
	if view.Application.State != casework.Ended || w.standing(anew) != document.Revoked || w.listed() != `revoked {"fit":true}` {
		t.Errorf("revoked, it is %s, its document %s, in the list %s", view.Application.State, w.standing(anew), w.listed())
	}
	for _, want := range []string{"licence.suspended", "licence.restored", "licence.revoked"} {
		if got := w.notices(); !strings.Contains(got, want) {
			t.Errorf("told %s, and not of %s", got, want)
		}
	}
	// The level above the one that decided gives it back on appeal, for the rest of its time.
	above := w.official("head", "X")
	w.must(w.Contest(t.Context(), w.applicant, granted.ID, view.Application.Revision, "The road is free."))
	w.must(w.decide(above, casework.Verdict{Action: service.Approve}))
	back := w.state(granted.ID)
	if back.Right.State != casework.InForce || !back.Right.Until.Equal(view.Right.Until) || w.standing(back.Content.Granted.Document) != document.Valid {
		t.Errorf("after the appeal it is %s until %s", back.Right.State, back.Right.Until)
	}
}

func TestASuspendedLicenceVerifiesAsSuspendedUntilItIsRevoked(t *testing.T) {
	w := newLicence(t)
	_, number := w.licence()
	inspector, head := w.official("inspector", "X"), w.official("head", "X")
	for _, step := range []struct {
		measure service.Measure
		state   document.State
		listed  string
	}{
		{service.Suspend, document.Suspended, `suspended {"fit":true}`},
		{service.Revoke, document.Revoked, `revoked {"fit":true}`},
	} {
		if _, err := w.Propose(t.Context(), inspector, number, step.measure, "The stall blocks the road."); err != nil {
			t.Fatal(err)
		}
		w.must(w.decide(head, casework.Verdict{Action: service.Approve}))
		list, err := w.Documents.Revocations(t.Context(), w.now, w.now.Add(time.Hour))
		if err != nil || len(list.Revoked) != 1 || list.Revoked[0].ID != number {
			t.Fatalf("the revocations are %+v, %v", list.Revoked, err)
		}
		if got := w.standing(number); got != step.state || w.listed() != step.listed || list.Revoked[0].Suspended != (step.state == document.Suspended) {
			t.Errorf("after %s the document is %s, the revocations say %+v, the open list %s", step.measure, got, list.Revoked[0], w.listed())
		}
	}
}

// TestARevocationThatARestorationLostSuspendsTheLicence revokes the document of a licence again, of which the copy says that
// it is in force. Two officials decide what becomes of it.
func TestARevocationThatARestorationLostSuspendsTheLicence(t *testing.T) {
	w := newLicence(t)
	granted, number := w.licence()
	operator := journal.Actor{Component: "operator"}
	for range 2 {
		stored, err := w.Documents.Find(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		err = w.TakeBackAgain(t.Context(), operator, stored, "It was revoked before.")
		if err != nil && fault.Code(err) != "document.already-revoked" {
			t.Fatal(err)
		}
	}
	view := w.state(granted.ID)
	if view.Right.State != casework.Suspended || w.standing(number) != document.Suspended || w.listed() != `suspended {"fit":true}` {
		t.Errorf("it is %s, its document %s, in the list %s", view.Right.State, w.standing(number), w.listed())
	}
	if got := w.notices(); !strings.Contains(got, "licence.suspended") {
		t.Errorf("the holder is told %s", got)
	}
	if _, err := w.Propose(t.Context(), w.official("inspector", "X"), number, service.Restore, "Nothing is known against it."); err != nil {
		t.Fatal(err)
	}
	w.must(w.decide(w.official("head", "X"), casework.Verdict{Action: service.Approve}))
	if view := w.state(granted.ID); view.Right.State != casework.InForce || w.standing(view.Content.Granted.Document) != document.Valid {
		t.Errorf("restored, it is %s", view.Right.State)
	}
}

func TestWhoProposesDoesNotDecide(t *testing.T) {
	w := newLicence(t)
	_, number := w.licence()
	inspector := w.official("inspector", "X")
	if _, err := w.Propose(t.Context(), inspector, number, service.Suspend, "It blocks the road."); err != nil {
		t.Fatal(err)
	}
	both, err := w.office.Appoint(t.Context(), access.Actor{}, access.Appointment{Person: inspector.Person, Agency: "youth-agency", Role: "head", Territory: "X"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.decide(access.Actor{Person: inspector.Person, Appointment: &both}, casework.Verdict{Action: service.Approve})
	w.refused(err, "licence.same-person")
}

func TestALicenceIsRenewedInTimeAndExpires(t *testing.T) {
	w := newLicence(t)
	granted, number := w.licence()
	again := func() error {
		_, err := w.Apply(t.Context(), w.applicant, "", "youth/tools", "en", answers)
		return err
	}
	w.refused(again(), "application.in-force")
	w.now = w.now.AddDate(0, 11, 5)
	w.later(2 * time.Hour)
	if got := w.notices(); !strings.HasPrefix(got, "licence.ends-soon") {
		t.Errorf("told %s", got)
	}
	if err := again(); err != nil {
		t.Errorf("in its last month: %v", err)
	}
	w.now = w.now.AddDate(0, 1, 0)
	w.later(2 * time.Hour)
	view := w.state(granted.ID)
	if view.Application.State != casework.Ended || view.Right.State != casework.Over || w.standing(number) != document.Expired {
		t.Errorf("at its end it is %s, %s, the document %s", view.Application.State, view.Right.State, w.standing(number))
	}
	if got := w.listed(); got != `over {"fit":true}, in-force {"fit":true}` {
		t.Errorf("the open list says %s", got)
	}
}
