// Package correction owns what people say against a register: "this is wrong". A correction is asked for by whom the data
// is about, waits as a task at the agency that keeps the register, and ends in a corrected record or in a refusal with
// reasons, by a day that is told to the person when they ask.
//
// It hands corrections to the pages of residents and of registrars. The record itself is changed by the register's keeper
// (package register); a correction is resolved as corrected only if that has happened since it was asked for. What was
// said and answered is sealed under the person's key; who waits for what is not.
//
// Invariants: only the person asks, only a registrar of the keeping agency answers, and neither for themselves nor for
// who they live with; nothing is shown to a registrar before that is journaled; a correction that is late escalates: it
// is marked, the person is told, and it stays on top of the agency's list until it is answered.
package correction

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
	"yagona/kernel/register"
	"yagona/kernel/seal"
)

// State is where a correction stands.
type State string

// The states.
const (
	Open      State = "open"
	Corrected State = "corrected" // the record says now what is right
	Refused   State = "refused"   // with reasons
	Withdrawn State = "withdrawn" // by the person
)

// Correction is a correction as the store keeps it.
type Correction struct {
	ID       ident.Correction
	Subject  ident.Subject // whose data it is, who asks, and the act's key
	Register ident.Register
	Agency   ident.Agency // keeps the register
	State    State
	Late     bool
	Revision int64
	Created  time.Time
	Due      time.Time // when it is too late for an answer
	Resolved time.Time // zero: it is open
	Sealed   []byte    // Content as JSON, sealed under the subject's key
	Event    ident.Event
}

// Cover returns what an event says of the correction.
func (c Correction) Cover() journal.Cover {
	c.Event = ""
	return journal.Cover{Row: "correction/" + string(c.ID), Digest: journal.Digest(c)}
}

// Content is what was said and answered.
type Content struct {
	Field     string        `json:"field,omitempty"`  // of the record, or a value of an answer; empty: the whole
	Shown     string        `json:"shown,omitempty"`  // what the person saw, as it was written to them
	Statement string        `json:"statement"`        // what is wrong, and what is right
	Reason    string        `json:"reason,omitempty"` // the registrar's words
	By        journal.Actor `json:"by,omitzero"`      // who answered
}

// Cursor is a place in an agency's list: after this due time and this correction.
type Cursor struct {
	Due        time.Time
	Correction ident.Correction
}

// Opened is a correction with its content.
type Opened struct {
	Correction
	Content
}

// Reader is what corrections need for reading.
type Reader interface {
	// Correction returns one, or fault.NotFound.
	Correction(id ident.Correction) (Correction, error)
	// CorrectionsOf returns the subject's corrections, newest first, at most limit, with ids before the given one.
	CorrectionsOf(subject ident.Subject, before ident.Correction, limit int) ([]Correction, error)
	// OpenCorrectionsOf returns all of the subject's open corrections, oldest first.
	OpenCorrectionsOf(subject ident.Subject) ([]Correction, error)
	// OpenCorrections returns the agency's open corrections behind the place, the most urgent first, at most limit.
	OpenCorrections(agency ident.Agency, from Cursor, limit int) ([]Correction, error)
	// RegisterVersions returns the versions of all the register's records under the key, by record.
	RegisterVersions(key act.Key, register ident.Register, record ident.Record) ([]register.StoredVersion, error)
}

// Tx is what corrections need of an act.
type Tx interface {
	notice.Tx
	Reader
	// SaveCorrection stores a new or changed correction under the act's key, its subject's.
	SaveCorrection(correction Correction) error
}

// Corrections keeps them. It is safe for concurrent use.
type Corrections struct {
	Store     act.Store[Reader, Tx]
	Vault     *seal.Vault
	Registers func() *register.Catalogue
	Clock     act.Clock
	// Deadline returns when it is too late for an answer to what came in at the time.
	Deadline func(ctx context.Context, received time.Time) (time.Time, error)
	// Household reports whether two people live together, as the registers say.
	Household func(ctx context.Context, one, other ident.Subject) (bool, error)
}

const (
	mostOpen    = 20   // corrections that one person may have open
	longestText = 4000 // characters
)

// JobLate waits for every open correction until its last day.
const JobLate = "correction.late"

type queued struct {
	Correction ident.Correction `json:"correction"`
}

// The faults of corrections.
var (
	// ErrUnknown is what asking for an unknown correction gives, and for one that is not the reader's.
	ErrUnknown = fault.New(fault.NotFound, "correction.unknown", "There is no such correction, or it is not for you to see.")

	errRegister  = fault.New(fault.Invalid, "correction.register", "This register is about nobody. Tell its agency in another way what is wrong in it.").At("register")
	errField     = fault.New(fault.Invalid, "correction.field", "This register has no such field. Name one of its fields or answers, or none to mean the whole record.").At("field")
	errStatement = fault.New(fault.Invalid, "correction.statement", "Say what is wrong and what is right, in at most 4000 characters.").At("statement")
	errReason    = fault.New(fault.Invalid, "correction.reason", "Say why, in at most 4000 characters. The person reads exactly these words.").At("reason")
	errTooMany   = fault.New(fault.Conflict, "correction.too-many", "You have asked for 20 corrections that are not answered yet. Wait for an answer, or withdraw one.")
	errTwice     = fault.New(fault.Conflict, "correction.twice", "You have asked for this correction already. Wait for the answer, or withdraw it first.")
	errResolved  = fault.New(fault.Conflict, "correction.resolved", "This correction is answered or withdrawn already.")
	errChanged   = fault.New(fault.Conflict, "correction.changed", "This correction has changed since you opened it. Look at it again.")
	errUnchanged = fault.New(fault.Conflict, "correction.record-unchanged", "The record has not been changed since the person asked. Correct the record first, or refuse with your reasons.")
	errInterest  = fault.New(fault.Forbidden, "correction.own-interest", "This is about yourself or about someone you live with. Somebody else answers it.")
)

// Wanted is what a person says against a register.
type Wanted struct {
	ID        ident.Correction // chosen by who asks, so that a form sent twice asks once
	Register  ident.Register
	Field     string // of the register, or a value of one of its answers; empty: the whole
	Shown     string
	Statement string
}

// Ask asks for a correction of the person's own data.
func (c *Corrections) Ask(ctx context.Context, by access.Actor, wanted Wanted) (Correction, error) {
	subject := by.Person.Subject()
	if by.Person == "" {
		return Correction{}, access.ErrForbidden
	}
	if _, err := ident.Parse[ident.Correction](string(wanted.ID)); err != nil {
		return Correction{}, err
	}
	definition, err := c.Registers().Register(wanted.Register)
	if err != nil {
		return Correction{}, err
	}
	wanted.Statement = strings.TrimSpace(wanted.Statement)
	switch {
	case definition.Subject == "":
		return Correction{}, errRegister
	case !legible(wanted.Statement) || utf8.RuneCountInString(wanted.Shown) > longestText:
		return Correction{}, errStatement
	case !definition.Says(wanted.Field):
		return Correction{}, errField
	}
	due, err := c.Deadline(ctx, c.Clock())
	if err != nil {
		return Correction{}, err
	}
	sealer, err := c.Vault.Open(ctx, subject)
	if err != nil {
		return Correction{}, err
	}
	var asked Correction
	err = c.Store.Update(ctx, act.Of(subject), func(tx Tx) error {
		known, err := tx.Correction(wanted.ID)
		if err == nil && known.Subject == subject && known.Register == wanted.Register {
			asked = known
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return ErrUnknown // somebody else's: nothing is told of it
		}
		open, err := tx.OpenCorrectionsOf(subject)
		if err != nil {
			return err
		}
		if len(open) >= mostOpen {
			return errTooMany
		}
		for _, one := range open {
			content, err := unseal(sealer, one)
			if err != nil {
				return err
			}
			if one.Register == wanted.Register && content.Field == wanted.Field {
				return errTwice
			}
		}
		asked = Correction{
			ID: wanted.ID, Subject: subject, Register: wanted.Register, Agency: definition.Agency, State: Open,
			Created: tx.Now(), Due: due.UTC().Truncate(time.Microsecond),
		}
		if err := job.QueueAt(tx, JobLate, asked.Due, queued{Correction: asked.ID}); err != nil {
			return err
		}
		asked, err = save(tx, sealer, asked, Content{Field: wanted.Field, Shown: wanted.Shown, Statement: wanted.Statement}, by.Journal(), "correction.asked", untold)
		return err
	})
	return asked, err
}

// Withdraw takes back a correction that is not answered yet.
func (c *Corrections) Withdraw(ctx context.Context, by access.Actor, id ident.Correction, revision int64) (Correction, error) {
	opened, err := c.Own(ctx, by, id)
	if err != nil {
		return Correction{}, err
	}
	return c.change(ctx, opened, revision, func(tx Tx, sealer *seal.Sealer, now Correction) (Correction, error) {
		now.State, now.Resolved = Withdrawn, tx.Now()
		return save(tx, sealer, now, opened.Content, by.Journal(), "correction.withdrawn", untold)
	})
}

// Own returns a correction to the person who asked for it. That people read their own data is recorded by the caller.
func (c *Corrections) Own(ctx context.Context, by access.Actor, id ident.Correction) (Opened, error) {
	found, err := c.stored(ctx, id)
	if err != nil {
		return Opened{}, err
	}
	if by.Person == "" || found.Subject != by.Person.Subject() {
		return Opened{}, ErrUnknown
	}
	return c.open(ctx, found)
}

// OwnAll returns the person's corrections, newest first, at most limit, with ids before the given one. That people read
// their own data is recorded by the caller.
func (c *Corrections) OwnAll(ctx context.Context, by access.Actor, before ident.Correction, limit int) (all []Opened, err error) {
	if by.Person == "" {
		return nil, access.ErrForbidden
	}
	var found []Correction
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.CorrectionsOf(by.Person.Subject(), before, limit)
		return err
	})
	for _, one := range found {
		opened, err := c.open(ctx, one)
		if err != nil {
			return nil, err
		}
		all = append(all, opened)
	}
	return all, err
}

// Waiting returns the corrections that wait for the registrars of the actor's agency, the most urgent first, at most
// limit, behind the place. They hold no personal data in the clear.
func (c *Corrections) Waiting(ctx context.Context, by access.Actor, from Cursor, limit int) (found []Correction, err error) {
	if !c.keeps(by) {
		return nil, access.ErrForbidden
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.OpenCorrections(by.Appointment.Agency, from, limit)
		return err
	})
	for i := range found {
		found[i].Sealed = nil
	}
	return found, err
}

// Read opens a correction for a registrar of the agency. That it was read is recorded first.
func (c *Corrections) Read(ctx context.Context, by access.Actor, id ident.Correction) (Opened, error) {
	found, err := c.answered(ctx, by, id)
	if err != nil {
		return Opened{}, err
	}
	opened, err := c.open(ctx, found)
	if err != nil {
		return Opened{}, err
	}
	sealer, err := c.Vault.Open(ctx, found.Subject)
	if err != nil {
		return Opened{}, err
	}
	err = c.Store.Update(ctx, act.Of(found.Subject), func(tx Tx) error {
		_, err := journal.Append(tx, sealer, journal.Event{
			Type: "correction.read", Actor: by.Journal(), Object: "correction:" + string(id), Purpose: string(access.Keep),
			Parts: []journal.Part{{Subject: found.Subject, Disclosure: true, Personal: map[string]any{"register": found.Register, "agency": found.Agency}}},
		})
		return err
	})
	return opened, err
}

// Answer is what a registrar says to a correction.
type Answer struct {
	Corrected bool   // the record says now what is right; else it is refused
	Reason    string // required
}

// Resolve answers a correction. Of a register that is held here, "corrected" counts only if a record about the person
// was written since they asked.
func (c *Corrections) Resolve(ctx context.Context, by access.Actor, id ident.Correction, revision int64, answer Answer) (Correction, error) {
	found, err := c.answered(ctx, by, id)
	if err != nil {
		return Correction{}, err
	}
	answer.Reason = strings.TrimSpace(answer.Reason)
	if !legible(answer.Reason) {
		return Correction{}, errReason
	}
	definition, err := c.Registers().Register(found.Register)
	if err != nil {
		return Correction{}, err
	}
	opened, err := c.open(ctx, found)
	if err != nil {
		return Correction{}, err
	}
	return c.change(ctx, opened, revision, func(tx Tx, sealer *seal.Sealer, now Correction) (Correction, error) {
		content, event := opened.Content, "correction.refused"
		content.Reason, content.By = answer.Reason, by.Journal()
		now.State, now.Resolved = Refused, tx.Now()
		if answer.Corrected {
			now.State, event = Corrected, "correction.corrected"
			if definition.Held == register.HeldHere {
				if err := written(tx, now); err != nil {
					return Correction{}, err
				}
			}
		}
		return save(tx, sealer, now, content, by.Journal(), event, told)
	})
}

// written checks that a record of the register about the subject was written since the correction was asked for.
func written(tx Tx, asked Correction) error {
	versions, err := tx.RegisterVersions(tx.Key(), asked.Register, "")
	if err != nil {
		return err
	}
	for _, one := range versions {
		if one.At.After(asked.Created) {
			return nil
		}
	}
	return errUnchanged
}

// legible reports whether somebody can read a text: it can be stored, is not too long, and has a letter or a digit.
func legible(text string) bool {
	return field.Printable(text) && utf8.RuneCountInString(text) <= longestText &&
		strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

// keeps reports whether the actor keeps an agency's registers.
func (c *Corrections) keeps(by access.Actor) bool {
	held := by.Appointment
	return held != nil && held.Role == access.Registrar && held.Holds(c.Clock())
}

// answered returns a correction that the actor may answer.
func (c *Corrections) answered(ctx context.Context, by access.Actor, id ident.Correction) (Correction, error) {
	if !c.keeps(by) {
		return Correction{}, access.ErrForbidden
	}
	found, err := c.stored(ctx, id)
	if err != nil {
		return Correction{}, err
	}
	if found.Agency != by.Appointment.Agency {
		return Correction{}, ErrUnknown
	}
	own := by.Person.Subject()
	if own == found.Subject {
		return Correction{}, errInterest
	}
	together, err := c.Household(ctx, own, found.Subject)
	if err != nil {
		return Correction{}, err
	}
	if together {
		return Correction{}, errInterest
	}
	return found, nil
}

func (c *Corrections) stored(ctx context.Context, id ident.Correction) (found Correction, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Correction(id)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		err = ErrUnknown
	}
	return found, err
}

func sealContext(id ident.Correction) string { return "correction:" + string(id) }

func unseal(sealer *seal.Sealer, one Correction) (content Content, err error) {
	plain, err := sealer.Unseal(one.Subject, sealContext(one.ID), one.Sealed)
	if err != nil {
		return Content{}, err
	}
	return content, json.Unmarshal(plain, &content)
}

func (c *Corrections) open(ctx context.Context, one Correction) (Opened, error) {
	sealer, err := c.Vault.Open(ctx, one.Subject)
	if err != nil {
		return Opened{}, err
	}
	content, err := unseal(sealer, one)
	return Opened{one, content}, err
}

// change changes an open correction that is as its reader saw it.
func (c *Corrections) change(ctx context.Context, seen Opened, revision int64, do func(tx Tx, sealer *seal.Sealer, now Correction) (Correction, error)) (changed Correction, err error) {
	sealer, err := c.Vault.Open(ctx, seen.Subject)
	if err != nil {
		return Correction{}, err
	}
	err = c.Store.Update(ctx, act.Of(seen.Subject), func(tx Tx) error {
		now, err := tx.Correction(seen.ID)
		switch {
		case err != nil:
			return err
		case now.State != Open:
			return errResolved
		case now.Revision != revision || now.Revision != seen.Revision:
			return errChanged
		}
		changed, err = do(tx, sealer, now)
		return err
	})
	return changed, err
}

// told is whether the person gets a notice of what happened: of what they did themself they do not.
const (
	told   = true
	untold = false
)

// save seals the content and writes the correction and its event, and tells the person.
func save(tx Tx, sealer *seal.Sealer, changed Correction, content Content, by journal.Actor, what string, tell bool) (Correction, error) {
	plain, err := json.Marshal(content)
	if err != nil {
		return Correction{}, err
	}
	if changed.Sealed, err = sealer.Seal(changed.Subject, sealContext(changed.ID), plain); err != nil {
		return Correction{}, err
	}
	return write(tx, sealer, changed, by, what, tell, journal.Part{Subject: changed.Subject})
}

// write writes the correction and its event, which is about whom its parts name, and tells the person.
func write(tx Tx, sealer *seal.Sealer, changed Correction, by journal.Actor, what string, tell bool, parts ...journal.Part) (Correction, error) {
	changed.Revision++
	changed.Event = journal.NewID(tx)
	if err := tx.SaveCorrection(changed); err != nil {
		return Correction{}, err
	}
	covers := []journal.Cover{changed.Cover()}
	if tell {
		posted, err := notice.Add(tx, what, "", string(changed.ID), changed.Event)
		if err != nil {
			return Correction{}, err
		}
		covers = append(covers, posted...)
	}
	return changed, journal.AppendAs(tx, sealer, changed.Event, journal.Event{
		Type: what, Actor: by, Object: "correction:" + string(changed.ID),
		Facts:  map[string]string{"register": string(changed.Register), "state": string(changed.State)},
		Covers: covers, Parts: parts,
	})
}

// Handlers returns who does the jobs of corrections.
func (c *Corrections) Handlers() map[string]job.Handler {
	return map[string]job.Handler{JobLate: c.late}
}

// asked returns what a job says, and the correction that it is about.
func (c *Corrections) asked(ctx context.Context, do job.Job) (of queued, found Correction, err error) {
	if err := json.Unmarshal(do.Payload, &of); err != nil {
		return of, found, err
	}
	found, err = c.stored(ctx, of.Correction)
	return of, found, err
}

// late marks a correction that nobody answered in time, and tells the person. Of somebody who was erased meanwhile, which
// nobody can read or answer any more, it is the end.
func (c *Corrections) late(ctx context.Context, do job.Job) error {
	of, found, err := c.asked(ctx, do)
	if err != nil {
		return err
	}
	opened, err := c.open(ctx, found)
	if fault.Is(err, fault.Erased) {
		return c.erased(ctx, do, of.Correction)
	}
	if err != nil {
		return err
	}
	sealer, err := c.Vault.Open(ctx, found.Subject)
	if err != nil {
		return err
	}
	return c.Store.Update(ctx, act.Of(found.Subject), func(tx Tx) error {
		if err := tx.FinishJob(do.Key, do.ID); err != nil {
			return err
		}
		now, err := tx.Correction(of.Correction)
		if err != nil || now.State != Open || now.Late {
			return err
		}
		now.Late = true
		_, err = save(tx, sealer, now, opened.Content, journal.Actor{Component: "deadline"}, "correction.late", told)
		return err
	})
}

// erased ends a correction whose person was erased. Nothing of the event is about them.
func (c *Corrections) erased(ctx context.Context, do job.Job, id ident.Correction) error {
	sealer, err := c.Vault.Open(ctx)
	if err != nil {
		return err
	}
	return c.Store.Update(ctx, do.Key, func(tx Tx) error {
		if err := tx.FinishJob(do.Key, do.ID); err != nil {
			return err
		}
		now, err := tx.Correction(id)
		if err != nil || now.State != Open {
			return err
		}
		now.State, now.Resolved = Withdrawn, tx.Now()
		_, err = write(tx, sealer, now, journal.Actor{Component: "deadline"}, "correction.withdrawn", untold)
		return err
	})
}
