// Package erasure owns the erasing of a subject's data by law: an act of two people that destroys the subject's key.
//
// One official proposes it, with the law that demands it; a second one of the same agency confirms. Both acts stand in
// the journal and name the subject by its random id alone. Once it is confirmed, a job destroys the subject's key: every
// record, every part of every event, every document of the subject stays where it is and can no longer be opened. All
// hashes stay as they were, so that the log verifies and the auditor says "erased", not "tampered with".
//
// Invariants: whoever proposed does not confirm, and neither is the subject; what is confirmed is carried out, after a
// restart as well; a key that is destroyed never comes back.
package erasure

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Officer is the role of those who propose and confirm erasures.
const Officer ident.Role = "data-protection-officer"

// JobErase is the kind of job that destroys the key of a confirmed erasure: Erasures.Carry.
const JobErase = "erasure.carry-out"

// Erasure is one erasing, proposed or confirmed.
type Erasure struct {
	ID        string // UUID version 7
	Subject   ident.Subject
	Agency    ident.Agency
	Law       string // the act that demands it: 1 to 500 characters
	Proposed  time.Time
	By        ident.Person
	Confirmed time.Time // zero: not yet
	Second    ident.Person
	Event     ident.Event
}

// Cover returns what an event says of the erasure.
func (e Erasure) Cover() journal.Cover {
	e.Event = ""
	return journal.Cover{Row: "erasure/" + e.ID, Digest: journal.Digest(e)}
}

// Reader is what erasing needs for reading.
type Reader interface {
	// Erasure returns one, or fault.NotFound.
	Erasure(id string) (Erasure, error)
	// Erasures returns the agency's, newest first, at most limit.
	Erasures(agency ident.Agency, limit int) ([]Erasure, error)
}

// Tx is what erasing needs of an act.
type Tx interface {
	journal.Tx
	job.Tx
	Reader
	// SaveErasure stores a new or changed erasure under the act's key, its subject.
	SaveErasure(erasure Erasure) error
}

// Erasures erases. It is safe for concurrent use.
type Erasures struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
}

const mostLaw = 500

// Propose proposes to erase a subject.
func (e *Erasures) Propose(ctx context.Context, by access.Actor, subject ident.Subject, law string) (Erasure, error) {
	if err := officer(by, subject); err != nil {
		return Erasure{}, err
	}
	if _, err := ident.ParseSubject(string(subject)); err != nil {
		return Erasure{}, fault.Of(err).At("subject")
	}
	law = strings.TrimSpace(law)
	if n := utf8.RuneCountInString(law); n == 0 || n > mostLaw || !utf8.ValidString(law) {
		return Erasure{}, fault.New(fault.Invalid, "erasure.law", "Name the act of law that demands it, in at most 500 characters.").At("law")
	}
	proposed := Erasure{Subject: subject, Agency: by.Appointment.Agency, Law: law, By: by.Person}
	return e.save(ctx, by, proposed, "erasure.proposed", func(tx Tx, saved *Erasure) error {
		saved.ID, saved.Proposed = ident.New[string](tx.Now()), tx.Now()
		return nil
	})
}

// Confirm confirms an erasure that somebody else proposed. It cannot be undone.
func (e *Erasures) Confirm(ctx context.Context, by access.Actor, id string) (Erasure, error) {
	var found Erasure
	err := e.Store.View(ctx, func(tx Reader) (err error) {
		found, err = tx.Erasure(id)
		return err
	})
	if err != nil {
		return Erasure{}, err
	}
	if err := officer(by, found.Subject); err != nil {
		return Erasure{}, err
	}
	switch {
	case by.Appointment.Agency != found.Agency:
		return Erasure{}, access.ErrForbidden
	case by.Person == found.By:
		return Erasure{}, fault.New(fault.Forbidden, "erasure.same-person", "Whoever proposed it does not confirm it. Ask a second officer of your agency.")
	}
	return e.save(ctx, by, found, "erasure.confirmed", func(tx Tx, saved *Erasure) error {
		now, err := tx.Erasure(id)
		if err != nil {
			return err
		}
		if !now.Confirmed.IsZero() {
			return fault.New(fault.Conflict, "erasure.confirmed-already", "It was confirmed already.")
		}
		saved.Confirmed, saved.Second = tx.Now(), by.Person
		return job.Queue(tx, JobErase, 0, map[string]string{"erasure": id})
	})
}

// All returns the agency's erasures, newest first.
func (e *Erasures) All(ctx context.Context, by access.Actor, limit int) (found []Erasure, err error) {
	if err := officer(by, ""); err != nil {
		return nil, err
	}
	err = e.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Erasures(by.Appointment.Agency, limit)
		return err
	})
	return found, err
}

func officer(by access.Actor, subject ident.Subject) error {
	if by.Appointment == nil || by.Appointment.Role != Officer || by.Person.Subject() == subject {
		return access.ErrForbidden
	}
	return nil
}

func (e *Erasures) save(ctx context.Context, by access.Actor, wanted Erasure, what string, change func(Tx, *Erasure) error) (Erasure, error) {
	var saved Erasure
	// No part of the event is about the subject: it would be erased with the rest, and the two acts must stay readable.
	sealer, err := e.Vault.Open(ctx)
	if err != nil {
		return Erasure{}, err
	}
	err = e.Store.Update(ctx, act.Of(wanted.Subject), func(tx Tx) error {
		saved = wanted
		if err := change(tx, &saved); err != nil {
			return err
		}
		saved.Event = journal.NewID(tx)
		if err := tx.SaveErasure(saved); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, saved.Event, journal.Event{
			Type: what, Actor: by.Journal(), Object: string(saved.Subject), Facts: map[string]string{"law": saved.Law},
			Covers: []journal.Cover{saved.Cover()},
		})
	})
	return saved, err
}

// Carry destroys the key of a confirmed erasure (JobErase). Doing it again changes nothing.
func (e *Erasures) Carry(ctx context.Context, queued job.Job) error {
	var payload struct{ Erasure string }
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return err
	}
	var found Erasure
	err := e.Store.View(ctx, func(tx Reader) (err error) {
		found, err = tx.Erasure(payload.Erasure)
		return err
	})
	if err != nil {
		return err
	}
	if found.Confirmed.IsZero() {
		return fault.New(fault.Internal, "erasure.not-confirmed", "An erasure that nobody confirmed was queued.")
	}
	return e.Vault.Erase(ctx, found.Subject)
}
