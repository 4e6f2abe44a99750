package representation

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

const (
	listed       = 200
	mostOpen     = 20 // mandates that one person may have given and not ended
	mostServices = 100
	longestYears = 3
	longestName  = 100 // characters
)

// kindNotify is the job that tells the other of the two.
const kindNotify = "mandate.notify"

type queued struct {
	Mandate ident.Mandate `json:"mandate"`
	Event   string        `json:"event"`
	Reader  ident.Subject `json:"reader"`
}

// The faults of mandates.
var (
	// ErrUnknown is what asking for an unknown mandate gives, and for one that is neither given by the reader nor to them.
	ErrUnknown = fault.New(fault.NotFound, "mandate.unknown", "There is no such mandate, or it is not for you to see.")

	errOfficial = fault.New(fault.Forbidden, "mandate.as-official", "You work as an official now. Give and take on mandates as a resident.")
	errSelf     = fault.New(fault.Invalid, "mandate.self", "This number is your own. Write that of who shall act for you.").At("number")
	errCalled   = fault.New(fault.Invalid, "mandate.called", "Write what you call them, in at most 100 characters.").At("called")
	errNothing  = fault.New(fault.Invalid, "mandate.nothing", "Say what they may do: see your applications, apply for you, or both.").At("actions")
	errServices = fault.New(fault.Invalid, "mandate.services", "Name at most 100 services, or none for all.").At("services")
	errUntil    = fault.New(fault.Invalid, "mandate.until", "Write a last day that is not over, at most three years from now.").At("until")
	errMinor    = fault.New(fault.Forbidden, "mandate.minor", "Only people who are of age give mandates and take them on. A minor's parents act for them without one.")
	errTooMany  = fault.New(fault.Conflict, "mandate.too-many", "You have given 20 mandates that have not ended. End one before you give another.")
	errOver     = fault.New(fault.Conflict, "mandate.ended", "This mandate has ended. Who gave it can give a new one.")
	errAccepted = fault.New(fault.Conflict, "mandate.accepted", "You have taken on this mandate already.")
	errChanged  = fault.New(fault.Conflict, "mandate.changed", "This mandate has changed since you opened it. Look at it again.")
)

// Wanted is a mandate as somebody wants to give it.
type Wanted struct {
	ID       ident.Mandate // chosen by who gives it, so that a form sent twice gives one
	Number   string        // the representative's national number
	Called   string
	Reads    bool
	Applies  bool
	Services []ident.Service
	Until    calendar.Date // the last day
}

// Give gives a mandate. It counts once the representative has taken it on.
func (r *Representatives) Give(ctx context.Context, by access.Actor, wanted Wanted) (Mandate, error) {
	if err := resident(by); err != nil {
		return Mandate{}, err
	}
	if _, err := ident.Parse[ident.Mandate](string(wanted.ID)); err != nil {
		return Mandate{}, err
	}
	wanted.Called = strings.TrimSpace(wanted.Called)
	today := calendar.DateOf(r.Clock(), r.Location)
	switch {
	case wanted.Called == "" || !utf8.ValidString(wanted.Called) || utf8.RuneCountInString(wanted.Called) > longestName:
		return Mandate{}, errCalled
	case !wanted.Reads && !wanted.Applies:
		return Mandate{}, errNothing
	case len(wanted.Services) > mostServices || slices.ContainsFunc(wanted.Services, func(s ident.Service) bool { return !ident.IsPath(string(s)) }):
		return Mandate{}, errServices
	case wanted.Until.Before(today) || wanted.Until.After(today.AddMonths(12*longestYears)):
		return Mandate{}, errUntil
	}
	representative, err := r.People.ByNumber(ctx, wanted.Number)
	if err != nil {
		return Mandate{}, fault.Of(err).At("number")
	}
	if representative == by.Person {
		return Mandate{}, errSelf
	}
	if minor, err := r.minor(ctx, by.Person); err != nil || minor {
		return Mandate{}, firstError(err, errMinor)
	}
	subject := by.Person.Subject()
	sealer, err := r.Vault.Open(ctx, subject, representative.Subject())
	if err != nil {
		return Mandate{}, err
	}
	var given Mandate
	err = r.Store.Update(ctx, act.Of(subject), func(tx Tx) error {
		known, err := tx.Mandate(wanted.ID)
		if err == nil && known.Subject == subject && known.Representative == representative {
			given = known
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return firstError(err, ErrUnknown)
		}
		all, err := tx.MandatesOf(subject, listed)
		if err != nil {
			return err
		}
		open := 0
		for _, one := range all {
			if one.State(tx.Now()) != Ended {
				open++
			}
		}
		if open >= mostOpen {
			return errTooMany
		}
		opened := Opened{
			Mandate{ID: wanted.ID, Subject: subject, Representative: representative, Created: tx.Now(), Until: wanted.Until.End(r.Location).UTC()},
			Content{Called: wanted.Called, Reads: wanted.Reads, Applies: wanted.Applies, Services: wanted.Services},
		}
		given, err = save(tx, sealer, opened, by.Journal(), "mandate.given", representative.Subject())
		return err
	})
	return given, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// resident checks that somebody acts as themself: nobody represents as an official.
func resident(by access.Actor) error {
	switch {
	case by.Person == "":
		return access.ErrForbidden
	case by.Appointment != nil:
		return errOfficial
	}
	return nil
}

// Accept takes on a mandate that was offered to the person.
func (r *Representatives) Accept(ctx context.Context, by access.Actor, id ident.Mandate, revision int64) (Mandate, error) {
	if err := resident(by); err != nil {
		return Mandate{}, err
	}
	if minor, err := r.minor(ctx, by.Person); err != nil || minor {
		return Mandate{}, firstError(err, errMinor)
	}
	return r.change(ctx, by, id, revision, "mandate.accepted", func(opened *Opened, now time.Time) error {
		switch {
		case opened.Representative != by.Person:
			return ErrUnknown
		case !opened.Accepted.IsZero():
			return errAccepted
		}
		opened.Accepted = now
		return nil
	})
}

// End ends a mandate at once: whoever gave it takes it back, whoever has it lays it down, or declines it.
func (r *Representatives) End(ctx context.Context, by access.Actor, id ident.Mandate, revision int64) (Mandate, error) {
	if err := resident(by); err != nil {
		return Mandate{}, err
	}
	return r.change(ctx, by, id, revision, "mandate.ended", func(opened *Opened, now time.Time) error {
		opened.Ended, opened.EndedBy = now, by.Person
		return nil
	})
}

func (r *Representatives) change(ctx context.Context, by access.Actor, id ident.Mandate, revision int64, event string, do func(*Opened, time.Time) error) (changed Mandate, err error) {
	var seen Mandate
	err = r.Store.View(ctx, func(tx Reader) error {
		seen, err = tx.Mandate(id)
		return err
	})
	if fault.Is(err, fault.NotFound) || err == nil && by.Person != seen.Representative && by.Person.Subject() != seen.Subject {
		return Mandate{}, ErrUnknown
	}
	if err != nil {
		return Mandate{}, err
	}
	sealer, err := r.Vault.Open(ctx, seen.Subject, seen.Representative.Subject())
	if err != nil {
		return Mandate{}, err
	}
	err = r.Store.Update(ctx, act.Of(seen.Subject), func(tx Tx) error {
		now, err := tx.Mandate(id)
		switch {
		case err != nil:
			return err
		case now.State(tx.Now()) == Ended:
			return errOver
		case now.Revision != revision:
			return errChanged
		}
		opened, err := unseal(sealer, now)
		if err != nil {
			return err
		}
		if err := do(&opened, tx.Now()); err != nil {
			return err
		}
		other := now.Representative.Subject()
		if by.Person == now.Representative {
			other = now.Subject
		}
		changed, err = save(tx, sealer, opened, by.Journal(), event, other)
		return err
	})
	return changed, err
}

// save writes the mandate and its event, which both see, and has the other of the two told.
func save(tx Tx, sealer *seal.Sealer, opened Opened, by journal.Actor, what string, other ident.Subject) (Mandate, error) {
	plain, err := json.Marshal(opened.Content)
	if err != nil {
		return Mandate{}, err
	}
	changed := opened.Mandate
	if changed.Sealed, err = sealer.Seal(changed.Subject, sealContext(changed.ID), plain); err != nil {
		return Mandate{}, err
	}
	changed.Revision++
	changed.Event = journal.NewID(tx)
	if err := tx.SaveMandate(changed); err != nil {
		return Mandate{}, err
	}
	if err := job.Queue(tx, kindNotify, 0, queued{changed.ID, what, other}); err != nil {
		return Mandate{}, err
	}
	return changed, journal.AppendAs(tx, sealer, changed.Event, journal.Event{
		Type: what, Actor: by, Object: "mandate:" + string(changed.ID), Covers: []journal.Cover{changed.Cover()},
		Parts: []journal.Part{{Subject: changed.Subject}, {Subject: changed.Representative.Subject()}},
	})
}

// Given returns the mandates that the person gave, newest first.
func (r *Representatives) Given(ctx context.Context, by access.Actor) ([]Opened, error) {
	return r.list(ctx, by.Person, func(tx Reader) ([]Mandate, error) { return tx.MandatesOf(by.Person.Subject(), listed) })
}

// Received returns the mandates that were given to the person, newest first. One whose giver was erased is left out.
func (r *Representatives) Received(ctx context.Context, by ident.Person) ([]Opened, error) {
	return r.list(ctx, by, func(tx Reader) ([]Mandate, error) { return tx.MandatesTo(by, listed) })
}

func (r *Representatives) list(ctx context.Context, by ident.Person, find func(Reader) ([]Mandate, error)) (all []Opened, err error) {
	if by == "" {
		return nil, access.ErrForbidden
	}
	var found []Mandate
	err = r.Store.View(ctx, func(tx Reader) error {
		found, err = find(tx)
		return err
	})
	for _, one := range found {
		opened, err := r.open(ctx, one)
		if fault.Is(err, fault.Erased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, opened)
	}
	return all, err
}

// Handlers returns who does the jobs of mandates.
func (r *Representatives) Handlers() map[string]job.Handler {
	return map[string]job.Handler{kindNotify: job.With(func(ctx context.Context, do job.Job, of queued) error {
		if err := r.Notify(ctx, of.Reader, of.Event, string(do.ID)); err != nil && !fault.Is(err, fault.Erased) {
			return err
		}
		return nil
	})}
}
