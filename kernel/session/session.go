// Package session owns who is signed in: a browser or a program that has proved to be a person, until when, and in which
// of the person's appointments it works; and the answers already given to programs that repeat a request.
//
// It hands a Session to the web, which looks up the person's appointments anew at every request: a session carries no
// role. The session's token is 256 random bits that leave the platform once, when the session starts; the store keeps
// only its SHA-256.
//
// Invariants: a session ends at Ends however busy it is, and after Idle without a request; an ended or revoked session is
// never found again; that a session started, changed its appointment or was ended stands in the journal; an answer that is kept can be opened only with the key that the asking program chose.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

// Token is the secret by which a session is recognised: 256 random bits in base64url without padding, 43 characters.
type Token string

// Digest is the SHA-256 of a token, the only form in which the store knows it.
type Digest [sha256.Size]byte

// Digest returns what the store keeps of the token.
func (t Token) Digest() Digest { return sha256.Sum256([]byte(t)) }

// Key returns what the session's row is distributed by.
func (d Digest) Key() act.Key { return act.Key("session:" + hex.EncodeToString(d[:])) }

// Channel says by what means the session's owner talks to the platform.
type Channel string

// The channels.
const (
	Browser Channel = "browser" // pages, by cookie
	Program Channel = "program" // the API, by bearer token
)

// Session is one signed-in browser or program.
type Session struct {
	ID          ident.Session
	Digest      Digest
	Person      ident.Person
	Appointment ident.Appointment // the appointment in which the person works now, or empty
	Channel     Channel
	Shared      bool      // the device is used by several people: it ends sooner (Limits.Shared)
	Started     time.Time // UTC
	Seen        time.Time // UTC, exact to Limits.Idle/10
	Ends        time.Time // UTC, whatever happens
}

// Limits say how long a session lasts.
type Limits struct {
	Whole time.Duration // from its start
	Idle  time.Duration // from its last request
	// Shared is Idle on a device that several people use. Zero is SharedIdle.
	Shared time.Duration
}

// SharedIdle is how long a session on a shared device lasts from its last request.
const SharedIdle = 5 * time.Minute

// defaultLimits are a working day, and half an hour without a request.
var defaultLimits = Limits{Whole: 12 * time.Hour, Idle: 30 * time.Minute}

// Reader is what sessions read from a store.
type Reader interface {
	// Session returns the session whose token has the digest, and false if there is none.
	Session(digest Digest) (Session, bool, error)
	// SessionsOf returns the person's sessions, the newest first, the ended ones included until they are removed.
	SessionsOf(person ident.Person) ([]Session, error)
	// Answer returns what is kept under the name for the key's owner, and false if nothing is.
	Answer(key act.Key, name Digest) (Answer, bool, error)
}

// Tx is what sessions write. All of it lies under the transaction's key.
type Tx interface {
	journal.Tx
	Reader
	// SaveSession adds the session, or replaces the one with the same digest.
	SaveSession(Session) error
	// RemoveSession removes the session; one that is not there is no error.
	RemoveSession(Digest) error
	// SaveProof notes that a proof of identity was used, until it would have expired by itself; it returns false if it
	// was used already.
	SaveProof(proof Digest, until time.Time) (bool, error)
	// SaveAnswer adds the answer, or replaces the one with the same name.
	SaveAnswer(Answer) error
	// RemoveEnded removes every session, proof and answer whose time was over before; it returns how many. This is
	// housekeeping across keys: nothing of it could be found any more.
	RemoveEnded(before time.Time) (int, error)
	// RemoveAnswer removes the answer; one that is not there is no error.
	RemoveAnswer(name Digest) error
}

// Sessions starts, finds and ends sessions.
type Sessions struct {
	store  act.Store[Reader, Tx]
	clock  act.Clock
	limits Limits
}

// New returns the sessions of a store. Zero limits mean 12 hours in all and 30 minutes idle.
func New(store act.Store[Reader, Tx], clock act.Clock, limits Limits) *Sessions {
	if limits.Whole == 0 {
		limits.Whole = defaultLimits.Whole
	}
	if limits.Idle == 0 {
		limits.Idle = defaultLimits.Idle
	}
	if limits.Shared == 0 {
		limits.Shared = SharedIdle
	}
	return &Sessions{store: store, clock: clock, limits: limits}
}

// Start begins a session of the person and returns its token, which nobody can ask for again.
func (s *Sessions) Start(ctx context.Context, person ident.Person, channel Channel, shared bool) (Token, Session, error) {
	var secret [32]byte
	rand.Read(secret[:]) // never fails: crypto/rand ends the process instead
	token := Token(base64.RawURLEncoding.EncodeToString(secret[:]))
	var started Session
	err := s.store.Update(ctx, token.Digest().Key(), func(tx Tx) error {
		now := tx.Now()
		started = Session{
			ID: ident.New[ident.Session](now), Digest: token.Digest(), Person: person, Channel: channel, Shared: shared,
			Started: now, Seen: now, Ends: now.Add(s.limits.Whole),
		}
		if err := tx.SaveSession(started); err != nil {
			return err
		}
		return note(tx, "session.started", started, started.Cover())
	})
	if err != nil {
		return "", Session{}, err
	}
	return token, started, nil
}

// Find returns the running session that the token belongs to. A token of no running session gives Unauthorized.
func (s *Sessions) Find(ctx context.Context, token Token) (Session, error) {
	digest := token.Digest()
	var found Session
	var ok bool
	err := s.store.View(ctx, func(r Reader) (err error) {
		found, ok, err = r.Session(digest)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	now := s.clock()
	if !ok || !s.running(found, now) {
		return Session{}, ended()
	}
	if now.Sub(found.Seen) < s.idle(found)/10 {
		return found, nil
	}
	err = s.update(ctx, digest, func(current *Session) { current.Seen = now })
	return found, err
}

// Work chooses the appointment in which the session's person works from now on; empty means as a resident. The caller
// has checked that the appointment is the person's own and in force; every request checks it again.
func (s *Sessions) Work(ctx context.Context, digest Digest, appointment ident.Appointment) error {
	return s.store.Update(ctx, digest.Key(), func(tx Tx) error {
		current, ok, err := tx.Session(digest)
		if err != nil {
			return err
		}
		if !ok {
			return ended()
		}
		if current.Appointment == appointment {
			return nil
		}
		current.Appointment = appointment
		if err := tx.SaveSession(current); err != nil {
			return err
		}
		return note(tx, "session.works", current, current.Cover())
	})
}

// Of returns the person's running sessions, the newest first.
func (s *Sessions) Of(ctx context.Context, person ident.Person) ([]Session, error) {
	var all []Session
	err := s.store.View(ctx, func(r Reader) (err error) {
		all, err = r.SessionsOf(person)
		return err
	})
	now := s.clock()
	running := all[:0]
	for _, one := range all {
		if s.running(one, now) {
			running = append(running, one)
		}
	}
	return running, err
}

// Revoke ends the session at once; ending one that has already ended is no error.
func (s *Sessions) Revoke(ctx context.Context, digest Digest) error {
	return s.store.Update(ctx, digest.Key(), func(tx Tx) error {
		current, ok, err := tx.Session(digest)
		if err != nil || !ok {
			return err
		}
		if err := tx.RemoveSession(digest); err != nil {
			return err
		}
		return note(tx, "session.ended", current, journal.Gone(current.Cover().Row))
	})
}

// note journals what became of a session: whose it is, by what means and in which appointment, and nothing secret. It has
// no part: that somebody was signed in is not kept longer than what they did.
func note(tx Tx, what string, of Session, cover journal.Cover) error {
	_, err := journal.Append(tx, nil, journal.Event{
		Type: what, Actor: journal.Actor{Person: of.Person, Appointment: of.Appointment}, Object: "session:" + string(of.ID),
		Facts: map[string]string{"channel": string(of.Channel)}, Covers: []journal.Cover{cover},
	})
	return err
}

// Cover returns what an event says of the session: everything but when it was last used, which is written often and can
// only shorten what Ends allows.
func (s Session) Cover() journal.Cover {
	return journal.Cover{Row: "session/" + string(s.ID), Digest: journal.Digest([]any{
		s.Digest[:], s.Person, s.Appointment, s.Channel, s.Shared, s.Started.UTC(), s.Ends.UTC(),
	})}
}

// RevokeAll ends all of the person's sessions but the one to keep, each in an act of its own.
func (s *Sessions) RevokeAll(ctx context.Context, person ident.Person, keep Digest) error {
	all, err := s.Of(ctx, person)
	if err != nil {
		return err
	}
	for _, one := range all {
		if one.Digest == keep {
			continue
		}
		if err := s.Revoke(ctx, one.Digest); err != nil {
			return err
		}
	}
	return nil
}

// Spend notes that a proof of identity (an ID token) has been used. The same proof again gives Unauthorized.
func (s *Sessions) Spend(ctx context.Context, proof string, until time.Time) error {
	digest := Digest(sha256.Sum256([]byte(proof)))
	return s.store.Update(ctx, act.Key("proof:"+hex.EncodeToString(digest[:])), func(tx Tx) error {
		fresh, err := tx.SaveProof(digest, until)
		if err != nil || fresh {
			return err
		}
		return fault.New(fault.Unauthorized, "session.proof-used",
			"This ID token was used before. Sign in again to get a new one.")
	})
}

// Tidy removes what has ended. It is to be run now and then; nothing depends on when.
func (s *Sessions) Tidy(ctx context.Context) (removed int, err error) {
	err = s.store.Update(ctx, act.Platform, func(tx Tx) error {
		removed, err = tx.RemoveEnded(tx.Now())
		return err
	})
	return removed, err
}

func (s *Sessions) running(one Session, now time.Time) bool {
	return now.Before(one.Ends) && now.Before(one.Seen.Add(s.idle(one)))
}

// idle is how long the session lasts from its last request.
func (s *Sessions) idle(one Session) time.Duration {
	if one.Shared {
		return s.limits.Shared
	}
	return s.limits.Idle
}

// update changes a session that is still there: one that was revoked meanwhile stays away.
func (s *Sessions) update(ctx context.Context, digest Digest, change func(*Session)) error {
	return s.store.Update(ctx, digest.Key(), func(tx Tx) error {
		current, ok, err := tx.Session(digest)
		if err != nil {
			return err
		}
		if !ok {
			return ended()
		}
		change(&current)
		return tx.SaveSession(current)
	})
}

func ended() error {
	return fault.New(fault.Unauthorized, "session.ended", "You are not signed in any more. Sign in again.")
}
