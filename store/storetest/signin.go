package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/session"
	"yagona/store/query"
)

// TestSignIn checks what package session needs of a store.
func TestSignIn(t *testing.T, open Open) {
	ctx := t.Context()
	update := func(t *testing.T, db DB, key act.Key, run func(*query.Tx) error) {
		t.Helper()
		if err := db.Update(ctx, key, run); err != nil {
			t.Fatal(err)
		}
	}
	one := session.Session{
		ID: "s1", Digest: session.Token("one").Digest(), Person: ident.Random[ident.Person](), Channel: session.Browser,
		Started: Start, Seen: Start, Ends: Start.Add(time.Hour),
	}
	find := func(t *testing.T, db DB, digest session.Digest) (found session.Session, ok bool) {
		t.Helper()
		err := db.View(ctx, func(tx *query.Tx) (err error) {
			found, ok, err = tx.Session(digest)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found, ok
	}
	save := func(one session.Session) func(*query.Tx) error {
		return func(tx *query.Tx) error { return tx.SaveSession(one) }
	}

	t.Run("a session is read as it was saved", func(t *testing.T) {
		db := open(t, Still)
		if _, ok := find(t, db, one.Digest); ok {
			t.Fatal("found before it was saved")
		}
		update(t, db, one.Digest.Key(), save(one))
		changed := one
		changed.Appointment, changed.Shared, changed.Seen = "a1", true, Start.Add(time.Minute)
		update(t, db, one.Digest.Key(), save(changed))
		found, ok := find(t, db, one.Digest)
		if diff := cmp.Diff(changed, found); !ok || diff != "" {
			t.Errorf("%t %s", ok, diff)
		}
	})
	t.Run("a removed session is gone, twice removed too", func(t *testing.T) {
		db := open(t, Still)
		update(t, db, one.Digest.Key(), save(one))
		for range 2 {
			update(t, db, one.Digest.Key(), func(tx *query.Tx) error { return tx.RemoveSession(one.Digest) })
		}
		if _, ok := find(t, db, one.Digest); ok {
			t.Error("it is still there")
		}
	})
	t.Run("a person's sessions are theirs alone, the newest first", func(t *testing.T) {
		db := open(t, Still)
		second, foreign := one, one
		second.ID, second.Digest, second.Started = "s2", session.Token("two").Digest(), Start.Add(time.Second)
		foreign.ID, foreign.Digest, foreign.Person = "s3", session.Token("three").Digest(), ident.Random[ident.Person]()
		for _, each := range []session.Session{one, second, foreign} {
			update(t, db, each.Digest.Key(), save(each))
		}
		var found []session.Session
		err := db.View(ctx, func(tx *query.Tx) (err error) {
			found, err = tx.SessionsOf(one.Person)
			return err
		})
		if diff := cmp.Diff([]session.Session{second, one}, found); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
	t.Run("a proof is spent once", func(t *testing.T) {
		db := open(t, Still)
		for i, want := range []bool{true, false} {
			update(t, db, "proof:x", func(tx *query.Tx) error {
				fresh, err := tx.SaveProof(one.Digest, Start.Add(time.Hour))
				if fresh != want {
					t.Errorf("time %d: fresh is %t", i+1, fresh)
				}
				return err
			})
		}
	})
	t.Run("an answer is read under its owner's key only", func(t *testing.T) {
		db := open(t, Still)
		answer := session.Answer{
			Key: "person:a", Name: one.Digest, Request: []byte("r"), Sealed: []byte{}, Until: Start.Add(time.Hour),
		}
		save := func(tx *query.Tx) error { return tx.SaveAnswer(answer) }
		update(t, db, answer.Key, save)
		answer.Sealed = []byte("sealed")
		update(t, db, answer.Key, save)
		err := db.View(ctx, func(tx *query.Tx) error {
			found, ok, err := tx.Answer(answer.Key, answer.Name)
			if diff := cmp.Diff(answer, found); !ok || diff != "" {
				t.Errorf("%t %s", ok, diff)
			}
			if err == nil {
				_, ok, err = tx.Answer("person:b", answer.Name)
			}
			if ok {
				t.Error("another key finds it")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		update(t, db, answer.Key, func(tx *query.Tx) error { return tx.RemoveAnswer(answer.Name) })
		if err := db.View(ctx, func(tx *query.Tx) error {
			if _, ok, err := tx.Answer(answer.Key, answer.Name); ok || err != nil {
				t.Errorf("after its removal: %t %v", ok, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("what has ended is removed, what runs stays", func(t *testing.T) {
		db := open(t, Still)
		ended := one
		ended.ID, ended.Digest, ended.Ends = "s0", session.Token("zero").Digest(), Start.Add(-time.Second)
		for _, each := range []session.Session{one, ended} {
			update(t, db, each.Digest.Key(), save(each))
		}
		update(t, db, act.Platform, func(tx *query.Tx) error {
			removed, err := tx.RemoveEnded(Start)
			if removed != 1 {
				t.Errorf("removed %d", removed)
			}
			return err
		})
		if _, ok := find(t, db, one.Digest); !ok {
			t.Error("a running session was removed")
		}
	})
}
