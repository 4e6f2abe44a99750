package sqlite_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/person"
	"yagona/kernel/session"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// Whatever is kept in memory, whoever acts after an acknowledgement reads what was acknowledged.
func TestNothingOldIsReadAfterAnAcknowledgement(t *testing.T) {
	db, err := sqlite.Temporary(t.Context(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	began := time.Now().UTC().Truncate(time.Microsecond)
	one := session.Session{Digest: session.Token("a token").Digest(), ID: "session", Person: "person", Channel: session.Program, Started: began, Seen: began, Ends: began.Add(time.Hour)}
	read := func() (seen time.Time, revoked bool, name string, err error) {
		err = db.View(t.Context(), func(tx *query.Tx) error {
			found, _, err := tx.Session(one.Digest)
			seen = found.Seen
			return err
		})
		err = errors.Join(err, db.View(t.Context(), func(tx *query.Tx) error {
			held, err := tx.AppointmentsOf("person")
			for _, a := range held {
				revoked = revoked || !a.Until.IsZero()
			}
			return err
		}), db.View(t.Context(), func(tx *query.Tx) error {
			found, err := tx.StoredPerson("person")
			name = string(found.Sealed)
			return err
		}))
		return seen, revoked, name, err
	}
	write := func(number int) error {
		one.Seen = began.Add(time.Duration(number) * time.Second)
		appointed := access.Appointment{ID: "appointment", Person: "person", Agency: "agency", Role: "role", Territory: "X", From: began}
		if number%2 == 1 {
			appointed.Until = began
		}
		return errors.Join(
			db.Update(t.Context(), one.Digest.Key(), func(tx *query.Tx) error { return tx.SaveSession(one) }),
			db.Update(t.Context(), "agency:agency", func(tx *query.Tx) error { return tx.SaveAppointment(appointed) }),
			db.Update(t.Context(), "person:person", func(tx *query.Tx) error {
				return tx.SavePerson(person.Stored{Person: "person", Sealed: []byte{byte(number)}})
			}))
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 { // they keep what they read, at any moment of a commit
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, _, _, err := read(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for number := 1; number < 300; number++ {
		if err := write(number); err != nil {
			t.Fatal(err)
		}
		seen, revoked, name, err := read()
		if err != nil || !seen.Equal(one.Seen) || revoked != (number%2 == 1) || name != string([]byte{byte(number)}) {
			t.Fatalf("after write %d: seen %v, revoked %t, name %q, %v", number, seen.Sub(began), revoked, name, err)
		}
	}
	stop()
	readers.Wait()
	// An act that fails leaves what is kept as it was, and a session that is removed is gone at once.
	no := errors.New("no")
	err = db.Update(t.Context(), one.Digest.Key(), func(tx *query.Tx) error { return errors.Join(tx.RemoveSession(one.Digest), no) })
	if seen, _, _, readErr := read(); !errors.Is(err, no) || readErr != nil || !seen.Equal(one.Seen) {
		t.Errorf("after an act that failed (%v): %v, %v", err, seen, readErr)
	}
	if err := db.Update(t.Context(), one.Digest.Key(), func(tx *query.Tx) error { return tx.RemoveSession(one.Digest) }); err != nil {
		t.Fatal(err)
	}
	if seen, _, _, err := read(); err != nil || !seen.IsZero() {
		t.Errorf("a removed session was seen %v, %v", seen, err)
	}
}
