package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/session"
	"yagona/store/query"
	"yagona/store/storetest"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T) (*clock, act.Store[session.Reader, session.Tx], query.DB) {
	t.Helper()
	hands := &clock{time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	db := storetest.Temporary(t, hands.now)
	return hands, query.For[session.Reader, session.Tx](db), db
}

func start(t *testing.T, sessions *session.Sessions, person ident.Person) (session.Token, session.Session) {
	t.Helper()
	token, started, err := sessions.Start(t.Context(), person, session.Browser, false)
	if err != nil {
		t.Fatal(err)
	}
	return token, started
}

func TestASessionOnASharedDeviceEndsAfterFiveIdleMinutes(t *testing.T) {
	hands, store, _ := open(t)
	sessions := session.New(store, hands.now, session.Limits{})
	begin := func() session.Token {
		token, started, err := sessions.Start(t.Context(), "p1", session.Browser, true)
		if err != nil || !started.Shared {
			t.Fatalf("%+v, %v", started, err)
		}
		return token
	}
	token := begin()
	for range 5 { // used now and then, it goes on
		hands.at = hands.at.Add(4 * time.Minute)
		if _, err := sessions.Find(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	hands.at = hands.at.Add(5 * time.Minute)
	if _, err := sessions.Find(t.Context(), token); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("after five idle minutes: %v", err)
	}
	own, _ := start(t, sessions, "p1")
	hands.at = hands.at.Add(5 * time.Minute)
	if _, err := sessions.Find(t.Context(), own); err != nil {
		t.Errorf("on one's own device, after five idle minutes: %v", err)
	}
}

func TestASessionEnds(t *testing.T) {
	limits := session.Limits{Whole: 3 * time.Hour, Idle: 30 * time.Minute}
	for name, one := range map[string]struct {
		steps []time.Duration // each followed by a request
		ended bool            // at the last
	}{
		"at once it runs":          {[]time.Duration{0}, false},
		"just before idle is over": {[]time.Duration{30*time.Minute - 1}, false},
		"idle":                     {[]time.Duration{30 * time.Minute}, true},
		"kept alive by requests": {
			[]time.Duration{20 * time.Minute, 20 * time.Minute, 20 * time.Minute}, false,
		},
		"a busy one ends, too":            {append(many(8, 20*time.Minute), 20*time.Minute), true},
		"a moment ago is not written yet": {[]time.Duration{time.Minute, 29 * time.Minute}, true},
	} {
		t.Run(name, func(t *testing.T) {
			hands, store, _ := open(t)
			sessions := session.New(store, hands.now, limits)
			token, _ := start(t, sessions, "p1")
			for i, step := range one.steps {
				hands.at = hands.at.Add(step)
				_, err := sessions.Find(t.Context(), token)
				last := i == len(one.steps)-1
				if ended := fault.Is(err, fault.Unauthorized); ended != (last && one.ended) || err != nil && !ended {
					t.Fatalf("request %d: %v", i+1, err)
				}
			}
		})
	}
}

func many(n int, step time.Duration) (steps []time.Duration) {
	for range n {
		steps = append(steps, step)
	}
	return steps
}

func TestARevokedSessionIsGone(t *testing.T) {
	hands, store, _ := open(t)
	sessions := session.New(store, hands.now, session.Limits{})
	first, one := start(t, sessions, "p1")
	second, two := start(t, sessions, "p1")
	foreign, _ := start(t, sessions, "p2")
	if running, err := sessions.Of(t.Context(), "p1"); err != nil || len(running) != 2 {
		t.Fatalf("%d sessions, %v", len(running), err)
	}
	if err := sessions.RevokeAll(t.Context(), "p1", two.Digest); err != nil {
		t.Fatal(err)
	}
	for token, gone := range map[session.Token]bool{first: true, second: false, foreign: false} {
		if _, err := sessions.Find(t.Context(), token); fault.Is(err, fault.Unauthorized) != gone {
			t.Errorf("gone should be %t: %v", gone, err)
		}
	}
	if err := sessions.Work(t.Context(), one.Digest, "a1"); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("a revoked session came back: %v", err)
	}
}

func TestTheChosenAppointmentStays(t *testing.T) {
	hands, store, _ := open(t)
	sessions := session.New(store, hands.now, session.Limits{})
	token, one := start(t, sessions, "p1")
	if err := sessions.Work(t.Context(), one.Digest, "a1"); err != nil {
		t.Fatal(err)
	}
	found, err := sessions.Find(t.Context(), token)
	if err != nil || found.Appointment != "a1" {
		t.Errorf("%+v %v", found, err)
	}
}

func TestATokenIsASecretOfTheBrowserAlone(t *testing.T) {
	hands, store, _ := open(t)
	sessions := session.New(store, hands.now, session.Limits{})
	token, one := start(t, sessions, "p1")
	other, _ := start(t, sessions, "p1")
	if len(token) != 43 || token == other {
		t.Errorf("a token of %d characters", len(token))
	}
	if strings.Contains(string(one.Digest[:]), string(token)) || one.Digest != token.Digest() {
		t.Error("the store keeps the token")
	}
}

func TestAProofIsSpentOnce(t *testing.T) {
	hands, store, _ := open(t)
	sessions := session.New(store, hands.now, session.Limits{})
	until := hands.at.Add(time.Minute)
	if err := sessions.Spend(t.Context(), "a.b.c", until); err != nil {
		t.Fatal(err)
	}
	if err := sessions.Spend(t.Context(), "a.b.c", until); fault.Code(err) != "session.proof-used" {
		t.Errorf("got %v", err)
	}
	if err := sessions.Spend(t.Context(), "a.b.d", until); err != nil {
		t.Errorf("another one: %v", err)
	}
}

func TestAnAnswerIsGivenAgain(t *testing.T) {
	const key = "0b0e7a53-6f8c-4a55-9d4c-3e7d8a8e2a11"
	hands, store, db := open(t)
	answers := session.NewAnswers(store, time.Minute)
	ctx, request := t.Context(), []byte("POST /api/v1/applications {}")
	begin := func(person ident.Person, request []byte) (string, bool, string) {
		t.Helper()
		answer, found, err := answers.Begin(ctx, person, key, request)
		return string(answer), found, fault.Code(err)
	}
	if _, found, code := begin("p1", request); found || code != "" {
		t.Fatalf("first: %t %s", found, code)
	}
	if _, _, code := begin("p1", request); code != "idempotency.in-progress" {
		t.Errorf("while it runs: %s", code)
	}
	hands.at = hands.at.Add(time.Minute)
	if _, found, code := begin("p1", request); found || code != "" {
		t.Errorf("after the machine stopped midway it begins again: %t %s", found, code)
	}
	if err := answers.Finish(ctx, "p1", key, request, []byte("granted to Nodira")); err != nil {
		t.Fatal(err)
	}
	if answer, found, code := begin("p1", request); !found || answer != "granted to Nodira" || code != "" {
		t.Errorf("again: %q %t %s", answer, found, code)
	}
	if _, _, code := begin("p1", []byte("something else")); code != "idempotency.other-request" {
		t.Errorf("another request: %s", code)
	}
	if _, found, code := begin("p2", request); found || code != "" {
		t.Errorf("another person's key is another key: %t %s", found, code)
	}
	err := db.View(ctx, func(tx *query.Tx) error {
		kept, ok, err := tx.Answer(act.Of(ident.Person("p1").Subject()), session.Token(key).Digest())
		if !ok || bytes.Contains(kept.Sealed, []byte("Nodira")) || bytes.Contains(kept.Sealed, []byte(key)) {
			t.Errorf("%t: the store can read the answer", ok)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	hands.at = hands.at.Add(24 * time.Hour)
	if _, found, code := begin("p1", request); found || code != "" {
		t.Errorf("after a day it is forgotten: %t %s", found, code)
	}
	if err := answers.Abandon(ctx, "p1", key); err != nil {
		t.Fatal(err)
	}
	if _, found, code := begin("p1", request); found || code != "" {
		t.Errorf("after a failure it begins again: %t %s", found, code)
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 256)} {
		if _, _, err := answers.Begin(ctx, "p1", bad, request); fault.Code(err) != "idempotency.malformed" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWhatHasEndedIsTidiedAway(t *testing.T) {
	hands, store, _ := open(t)
	sessions := session.New(store, hands.now, session.Limits{Whole: time.Hour})
	start(t, sessions, "p1")
	hands.at = hands.at.Add(2 * time.Hour)
	token, _ := start(t, sessions, "p1")
	if removed, err := sessions.Tidy(t.Context()); removed != 1 || err != nil {
		t.Errorf("removed %d, %v", removed, err)
	}
	if _, err := sessions.Find(t.Context(), token); err != nil {
		t.Error(err)
	}
}

// failing is a store whose acts fail.
type failing struct {
	act.Store[session.Reader, session.Tx]
	err error
}

func (f failing) Update(context.Context, act.Key, func(session.Tx) error) error { return f.err }

func TestAStoreThatFailsSignsNobodyIn(t *testing.T) {
	hands, store, _ := open(t)
	full := errors.New("the disk is full")
	sessions := session.New(failing{store, full}, hands.now, session.Limits{})
	if token, _, err := sessions.Start(t.Context(), "p1", session.Program, false); token != "" || !errors.Is(err, full) {
		t.Errorf("got %q, %v", token, err)
	}
}

func TestSigningInAndOutIsJournaledWithoutSecrets(t *testing.T) {
	hands, store, db := open(t)
	sessions := session.New(store, hands.now, session.Limits{})
	token, started := start(t, sessions, "p1")
	for range 2 { // the second changes nothing
		hands.at = hands.at.Add(10 * time.Minute)
		if err := sessions.Work(t.Context(), token.Digest(), "a1"); err != nil {
			t.Fatal(err)
		}
		if _, err := sessions.Find(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	hands.at = hands.at.Add(10 * time.Minute)
	for range 2 {
		if err := sessions.Revoke(t.Context(), token.Digest()); err != nil {
			t.Fatal(err)
		}
	}
	var types []string
	err := db.View(t.Context(), func(tx *query.Tx) error {
		pending, err := tx.PendingEntries(100)
		if err != nil {
			return err
		}
		for _, entry := range pending {
			event, err := tx.StoredEvent(entry.Key, entry.Event)
			if err != nil {
				return err
			}
			var header journal.Header
			if err := json.Unmarshal(event.Header, &header); err != nil {
				return err
			}
			if bytes.Contains(event.Header, []byte(token)) || header.Actor.Person != "p1" || header.Object != "session:"+string(started.ID) {
				t.Errorf("the event says %s", event.Header)
			}
			types = append(types, header.Type)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"session.started", "session.works", "session.ended"}; !slices.Equal(types, want) {
		t.Errorf("got %v, want %v", types, want)
	}
}
