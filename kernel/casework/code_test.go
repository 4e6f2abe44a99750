package casework_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// messenger is a fake of what brings codes to people.
type messenger struct {
	refuse error    // what AllowCode says
	broken int      // how many sendings fail
	sent   []string // the codes that arrived
	ids    []string
}

func (m *messenger) CanReach(context.Context, ident.Subject) (bool, error) {
	return m.refuse == nil, nil
}

func (m *messenger) AllowCode(context.Context, ident.Subject, string) error { return m.refuse }

func (m *messenger) SendCode(_ context.Context, _ ident.Subject, id, code string) error {
	m.ids = append(m.ids, id)
	if m.broken > 0 {
		m.broken--
		return errors.New("no gateway")
	}
	m.sent = append(m.sent, code)
	return nil
}

// code lets an official send a code for the draft, and returns it as the resident reads it.
func (w *world) code(helper access.Actor, id ident.Application) string {
	w.Helper()
	if err := w.SendCode(w.Context(), helper, id); err != nil {
		w.Fatal(err)
	}
	w.later(time.Second)
	if len(w.messenger.sent) == 0 {
		w.Fatal("no code was sent")
	}
	return w.messenger.sent[len(w.messenger.sent)-1]
}

// other returns a code that differs.
func other(code string) string { return string('0'+('9'-code[0])) + code[1:] }

func TestTheApplicantConfirmsByTheCodeThatTheyGot(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	draft := w.assisted(helper)
	w.messenger.broken = 1
	if err := w.SendCode(t.Context(), helper, draft.ID); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.later(time.Minute)
	}
	if len(w.messenger.ids) != 2 || w.messenger.ids[0] != w.messenger.ids[1] || len(w.messenger.sent) != 1 {
		t.Fatalf("tried as %v, %d arrived", w.messenger.ids, len(w.messenger.sent))
	}
	code := w.messenger.sent[0]
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Fatalf("the code is %d characters long", len(code))
	}
	if view, err := w.AssistedDraft(t.Context(), helper, draft.ID); err != nil || view.Content.Assisted.Code == nil || view.Content.Assisted.Code.Digits != "" {
		t.Errorf("the helper sees %+v, %v", view.Content.Assisted, err)
	}
	if own := w.state(draft.ID).Content.Assisted; own.Code.Digits != "" {
		t.Error("the page of the applicant shows the code, too")
	}
	_, err := w.ConfirmByCode(t.Context(), helper, draft.ID, other(code))
	w.refused(err, "assist.code")
	for what, by := range map[string]access.Actor{"another official": w.official("helper", "X11"), "a resident": {Person: helper.Person}} {
		if _, err := w.ConfirmByCode(t.Context(), by, draft.ID, code); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s confirms it: %v", what, err)
		}
		if err := w.SendCode(t.Context(), by, draft.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s sends a code: %v", what, err)
		}
	}
	if len(w.registers.asked) != 0 {
		t.Fatal("a register was asked before the applicant confirmed")
	}
	for range 2 { // sent twice
		if sent := w.must(w.ConfirmByCode(t.Context(), helper, draft.ID, " "+code+" ")); sent.State != casework.Deciding {
			t.Fatalf("it is %s", sent.State)
		}
	}
	if len(w.registers.asked) != 3 {
		t.Errorf("the registers were asked %d times", len(w.registers.asked))
	}
	if own := w.state(draft.ID).Content.Assisted; own.Means != casework.ConfirmedByCode || own.Code != nil || own.Confirmed.IsZero() {
		t.Errorf("it was confirmed as %+v", own)
	}
	if submitted := w.headers("application.submitted"); len(submitted) != 1 || submitted[0].Facts["confirmed"] != "code" {
		t.Errorf("journaled as %+v", submitted)
	}
	if len(w.headers("application.code-sent")) != 1 || len(w.headers("application.code-tried")) != 2 {
		t.Error("the journal does not have each code and each try")
	}
	if err := w.SendCode(t.Context(), helper, draft.ID); fault.Code(err) != "application.sent" {
		t.Errorf("a code for what was sent: %v", err)
	}
}

func TestACodeIsShortLivedForFewTriesAndForTheAnswersAsTheyStood(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	draft := w.assisted(helper)
	try := func(code string) error {
		_, err := w.ConfirmByCode(t.Context(), helper, draft.ID, code)
		return err
	}
	w.refused(try("000000"), "assist.code") // none was sent

	late := w.code(helper, draft.ID)
	w.now = w.now.Add(15 * time.Minute)
	w.refused(try(late), "assist.code")

	guessed := w.code(helper, draft.ID)
	for range 5 {
		w.refused(try(other(guessed)), "assist.code")
	}
	w.refused(try(guessed), "assist.code")

	replaced := w.code(helper, draft.ID)
	newest := w.code(helper, draft.ID)
	if replaced != newest {
		w.refused(try(replaced), "assist.code")
	}

	changed := w.state(draft.ID).Application
	if _, err := w.Save(t.Context(), w.applicant, draft.ID, changed.Revision, map[string]any{"price": money.Amount(1)}); err != nil {
		t.Fatal(err)
	}
	w.refused(try(newest), "assist.code")

	w.messenger.refuse = fault.New(fault.TooMany, "contact.too-many-codes", "Too many codes were asked for. Try again tomorrow.")
	w.refused(w.SendCode(t.Context(), helper, draft.ID), "contact.too-many-codes")
	if can, err := w.CanConfirmByCode(t.Context(), helper, draft.ID); can || err != nil {
		t.Errorf("who has no address is sent a code: %v", err)
	}
	if len(w.registers.asked) != 0 {
		t.Error("a register was asked")
	}
}

func TestTriesAtTheSameTimeDoNotAddUp(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	draft := w.assisted(helper)
	code := w.code(helper, draft.ID)
	wrong := other(code)
	var all sync.WaitGroup
	var mu sync.Mutex
	looked := 0 // guarded by mu: how many tries were compared
	for range 40 {
		all.Go(func() {
			if _, err := w.ConfirmByCode(t.Context(), helper, draft.ID, wrong); fault.Code(err) == "assist.code" {
				mu.Lock()
				looked++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if tried := len(w.headers("application.code-tried")); tried > 5 {
		t.Errorf("%d tries were looked at", tried)
	}
	if looked == 0 {
		t.Error("no try was looked at")
	}
}

func TestTheApplicantConfirmsWithTheirPasskey(t *testing.T) {
	w := newWorld(t)
	helper := w.official("helper", "X11")
	draft := w.assisted(helper)
	wrong := fault.New(fault.Invalid, "signature.wrong", "This is not their signature. Try again.")
	_, err := w.ConfirmByPasskey(t.Context(), helper, draft.ID, func(casework.Application) error { return wrong })
	w.refused(err, "signature.wrong")
	signed := func(shown casework.Application) error {
		if shown.Applicant != w.applicant.Person.Subject() || shown.ID != draft.ID || shown.Revision != draft.Revision {
			t.Errorf("the signature is checked against %+v", shown)
		}
		return nil
	}
	if _, err := w.ConfirmByPasskey(t.Context(), w.official("helper", "X11"), draft.ID, signed); !fault.Is(err, fault.NotFound) {
		t.Errorf("another official confirms it: %v", err)
	}
	if len(w.registers.asked) != 0 {
		t.Fatal("a register was asked before the applicant confirmed")
	}
	for range 2 { // sent twice
		if sent := w.must(w.ConfirmByPasskey(t.Context(), helper, draft.ID, signed)); sent.State != casework.Deciding {
			t.Fatalf("it is %s", sent.State)
		}
	}
	if own := w.state(draft.ID).Content.Assisted; own.Means != casework.ConfirmedByPasskey {
		t.Errorf("it was confirmed by %s", own.Means)
	}
}
