// Package erasure owns the erasing of a subject's data by law: an act of two people of two agencies that destroys the
// subject's key.
//
// An official of an agency with standing proposes it, with the law that demands it: one that keeps a register with a record
// of the subject. One of the supervising agency, which the country profile names, confirms. Both are appointed for the whole
// country, since an erasure reaches everywhere. Both acts stand in the journal and name the subject by its random id alone.
// Once it is confirmed, a job destroys the subject's key: every record, every part of every event, every document of the
// subject stays where it is and can no longer be opened. All hashes stay as they were, so that the log verifies and the
// auditor says "erased", not "tampered with".
//
// Invariants: whoever proposed does not confirm, and neither is the subject; nothing is confirmed while business of the
// subject is open: an application undecided, a payment not settled, a payment that the law still keeps; what is confirmed is
// carried out, after a restart as well; a key that is destroyed never comes back.
package erasure

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/correction"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
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
	// Erasures returns the agency's ("" : everybody's), newest first, at most limit.
	Erasures(agency ident.Agency, limit int) ([]Erasure, error)
	// RegistersOf returns those of the registers that have records under the key, sorted.
	RegistersOf(key act.Key, among ...ident.Register) ([]ident.Register, error)
	// ApplicationsOf returns the applicant's applications, newest first, at most limit, with ids before the given one.
	ApplicationsOf(applicant ident.Subject, before ident.Application, limit int) ([]casework.Application, error)
	// EntitlementsOf returns all that was ever in force for the holder.
	EntitlementsOf(holder ident.Subject) ([]casework.Entitlement, error)
	// OpenCorrectionsOf returns all of the subject's open corrections, oldest first.
	OpenCorrectionsOf(subject ident.Subject) ([]correction.Correction, error)
	// OrdersTo returns the payment orders whose payee the subject is, in every fund's book.
	OrdersTo(subject ident.Subject) ([]ledger.Order, error)
	// JobsOf returns all jobs under the key.
	JobsOf(key act.Key) ([]job.Job, error)
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

	Country      ident.Territory                            // for which officers must be appointed
	Supervisor   ident.Agency                               // whose officers confirm; "" : nobody's
	KeepPayments int                                        // for how many years after a payment was settled the law keeps to whom it went
	Registers    func(agency ident.Agency) []ident.Register // that the agency keeps
}

var (
	errNoSupervisor = fault.New(fault.Conflict, "erasure.no-supervisor", "No supervising agency is declared, so nothing can be erased. Declare it in the country profile.")
	errNoStanding   = fault.New(fault.Forbidden, "erasure.no-standing", "Your agency keeps no register with a record of this subject. An officer of one that does proposes the erasure.")
)

const mostLaw = 500

// Propose proposes to erase a subject.
func (e *Erasures) Propose(ctx context.Context, by access.Actor, subject ident.Subject, law string) (Erasure, error) {
	if err := e.officer(by, subject); err != nil {
		return Erasure{}, err
	}
	if _, err := ident.ParseSubject(string(subject)); err != nil {
		return Erasure{}, fault.Of(err).At("subject")
	}
	law = strings.TrimSpace(law)
	if n := utf8.RuneCountInString(law); n == 0 || n > mostLaw || !utf8.ValidString(law) {
		return Erasure{}, fault.New(fault.Invalid, "erasure.law", "Name the act of law that demands it, in at most 500 characters.").At("law")
	}
	if e.Supervisor == "" {
		return Erasure{}, errNoSupervisor
	}
	proposed := Erasure{Subject: subject, Agency: by.Appointment.Agency, Law: law, By: by.Person}
	return e.save(ctx, by, proposed, "erasure.proposed", func(tx Tx, saved *Erasure) error {
		saved.ID, saved.Proposed = ident.New[string](tx.Now()), tx.Now()
		if err := e.standing(tx, proposed); err != nil {
			return err
		}
		return e.business(tx, subject)
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
	if err := e.officer(by, found.Subject); err != nil {
		return Erasure{}, err
	}
	switch {
	case by.Person == found.By:
		return Erasure{}, fault.New(fault.Forbidden, "erasure.same-person", "Whoever proposed it does not confirm it. Ask an officer of the supervising agency.")
	case by.Appointment.Agency != e.Supervisor:
		return Erasure{}, access.ErrForbidden
	}
	return e.save(ctx, by, found, "erasure.confirmed", func(tx Tx, saved *Erasure) error {
		now, err := tx.Erasure(id)
		if err != nil {
			return err
		}
		if !now.Confirmed.IsZero() {
			return fault.New(fault.Conflict, "erasure.confirmed-already", "It was confirmed already.")
		}
		if err := e.business(tx, now.Subject); err != nil {
			return err
		}
		saved.Confirmed, saved.Second = tx.Now(), by.Person
		return job.Queue(tx, JobErase, 0, map[string]string{"erasure": id})
	})
}

// All returns erasures, newest first: those that the officer's agency proposed, to the supervising agency all.
func (e *Erasures) All(ctx context.Context, by access.Actor, limit int) (found []Erasure, err error) {
	if err := e.officer(by, ""); err != nil {
		return nil, err
	}
	agency := by.Appointment.Agency
	if agency == e.Supervisor {
		agency = ""
	}
	err = e.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Erasures(agency, limit)
		return err
	})
	return found, err
}

// officer checks that the actor is an officer for the whole country, and not the subject.
func (e *Erasures) officer(by access.Actor, subject ident.Subject) error {
	held := by.Appointment
	if held == nil || held.Role != Officer || held.Territory != e.Country || by.Person.Subject() == subject {
		return access.ErrForbidden
	}
	return nil
}

// standing checks that the proposing agency keeps a record of the subject, and is not the one that confirms.
func (e *Erasures) standing(tx Tx, proposed Erasure) error {
	if proposed.Agency == e.Supervisor {
		return errNoStanding
	}
	kept, err := tx.RegistersOf(act.Of(proposed.Subject), e.Registers(proposed.Agency)...)
	if err == nil && len(kept) == 0 {
		return errNoStanding
	}
	return err
}

// mostApplications is how many of a subject's newest applications are looked through for open ones.
const mostApplications = 1000

// business checks that nothing of the subject is open that an erasure would leave undone or take out of the law's keeping.
// It lists all that is.
func (e *Erasures) business(tx Tx, subject ident.Subject) error {
	var undecided, unanswered, unprepared, unsettled, kept []string
	applications, err := tx.ApplicationsOf(subject, "", mostApplications)
	if err != nil {
		return err
	}
	for _, one := range applications {
		if one.State.IsOpen() {
			undecided = append(undecided, string(one.ID))
		}
	}
	held, err := tx.EntitlementsOf(subject)
	if err != nil {
		return err
	}
	for _, one := range held {
		if one.State == casework.InForce || one.State == casework.Suspended {
			undecided = append(undecided, string(one.Application)) // what it gave is in force
		}
	}
	corrections, err := tx.OpenCorrectionsOf(subject)
	if err != nil {
		return err
	}
	for _, one := range corrections {
		unanswered = append(unanswered, string(one.ID))
	}
	jobs, err := tx.JobsOf(act.Of(subject))
	if err != nil {
		return err
	}
	for _, one := range jobs {
		if one.Kind == casework.JobPay || one.Kind == casework.JobFee {
			unprepared = append(unprepared, string(one.ID))
		}
	}
	orders, err := tx.OrdersTo(subject)
	if err != nil {
		return err
	}
	for _, one := range orders {
		until := one.Settled.AddDate(e.KeepPayments, 0, 0)
		switch {
		case one.Settled.IsZero():
			unsettled = append(unsettled, string(one.ID))
		case one.State == ledger.Confirmed && tx.Now().Before(until):
			kept = append(kept, string(one.ID)+" ("+until.Format(time.DateOnly)+")")
		}
	}
	if len(undecided)+len(unanswered)+len(unprepared)+len(unsettled)+len(kept) == 0 {
		return nil
	}
	list := func(ids []string) string { return cmp.Or(strings.Join(ids, ", "), "none") }
	return fault.New(fault.Conflict, "erasure.open-business",
		"This cannot be erased yet: something about this subject is open, or the law keeps it. Wait until it is done, then try again.").
		With("applications", list(undecided)).With("corrections", list(unanswered)).With("payments", list(unprepared)).With("orders", list(unsettled)).With("kept", list(kept))
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
