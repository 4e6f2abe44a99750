// Package access owns who may do what, for which purpose: the appointments of officials, and the actor that a request
// turns out to be.
//
// A role, an agency and a territory come from an appointment in the server's own records, never from a request; a
// request may only choose among the appointments that its person holds. An appointment has a term; a substitute's
// appointment names the one it stands in for, of the same agency, role and territory, and always has an end, at the
// latest that of the other. Appointments are made and ended by acts of a registrar of the same agency and a territory
// that includes theirs, never by the appointed person; only a leave is recorded by whoever takes it, and names a colleague
// whom a registrar has appointed to the same role. An appointment to a sensitive role is in force only after a second
// registrar approved it; whoever stands in for somebody does so no longer than that person holds the post. What has ended
// stays as it was.
package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/territory"
)

// Purpose is what personal data is read for. Purposes are granted one by one.
type Purpose string

// The purposes.
const (
	Preview   Purpose = "preview"   // to show an applicant what would be used, before they send
	Apply     Purpose = "apply"     // to decide an application
	Review    Purpose = "review"    // to review a running benefit
	Proactive Purpose = "proactive" // to find what a resident may be entitled to
	Simulate  Purpose = "simulate"  // to count: aggregates only
	Decide    Purpose = "decide"    // an official reads an application to take a step
	Assist    Purpose = "assist"    // an official reads back what they wrote down for a resident
	Own       Purpose = "own"       // a subject reads their own data
	Represent Purpose = "represent" // whoever may act for a subject reads for them
	Keep      Purpose = "keep"      // an agency keeps its own register
	Audit     Purpose = "audit"     // an auditor checks the journal
)

// Roles that the platform itself knows. All others are words of the packs.
const (
	Registrar ident.Role = "registrar" // appoints officials of their agency, keeps its registers
	Treasurer ident.Role = "treasurer" // releases payments
	Publisher ident.Role = "publisher" // publishes and approves packs of their agency
	Operator  ident.Role = "operator"  // sees dead letters and the state of the node; no personal data
)

// Appointment is one person in one role of one agency, for a territory and a time.
type Appointment struct {
	ID          ident.Appointment
	Person      ident.Person
	Agency      ident.Agency
	Role        ident.Role
	Territory   ident.Territory // with all that lies in it
	From        time.Time
	Until       time.Time         // zero: open
	Substitutes ident.Appointment // the appointment it stands in for, or ""
	MadeBy      ident.Person      `json:",omitempty"` // the registrar or the official on leave; "" : whoever set the installation up
	Waits       bool              `json:",omitempty"` // for a second registrar: until then it is not in force
	Event       ident.Event       // the journal's event that last wrote it
}

// Holds reports whether the appointment is in force at the time.
func (a Appointment) Holds(at time.Time) bool {
	return !a.Waits && !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until))
}

// StandsFor returns the appointments whose tasks its holder may carry on: its own and the one that it stands in for.
func (a Appointment) StandsFor() []ident.Appointment {
	if a.Substitutes == "" {
		return []ident.Appointment{a.ID}
	}
	return []ident.Appointment{a.ID, a.Substitutes}
}

// digest is what the journal vouches for.
func (a Appointment) digest() []byte {
	a.Event = ""
	a.From, a.Until = a.From.UTC(), a.Until.UTC()
	return journal.Digest(a)
}

// Cover returns what an event says of the appointment.
func (a Appointment) Cover() journal.Cover {
	return journal.Cover{Row: "appointment/" + string(a.ID), Digest: a.digest()}
}

// Actor is who acts, as the server's records say.
type Actor struct {
	Person      ident.Person
	Session     ident.Session
	Appointment *Appointment // the one that the person acts by, nil for a resident

	// For is whom the person wants to act for, empty for themself. It says whom, never that they may: whoever carries out
	// the act looks that up (package representation).
	For ident.Subject
}

// Whom returns for whom the person acts.
func (a Actor) Whom() ident.Subject {
	if a.For != "" {
		return a.For
	}
	return a.Person.Subject()
}

// Journal returns the actor as the journal names them.
func (a Actor) Journal() journal.Actor {
	named := journal.Actor{Person: a.Person}
	if a.Appointment != nil {
		named.Agency, named.Role, named.Appointment = a.Appointment.Agency, a.Appointment.Role, a.Appointment.ID
	}
	return named
}

// ErrForbidden is what everybody gets who may not: it tells nothing about what it protects.
var ErrForbidden = fault.New(fault.Forbidden, "access.forbidden", "You may not do this. If it is your task, ask whoever keeps your agency's appointments.")

// As checks that the actor acts by an appointment with the role in the agency, for a territory that includes the given
// one ("" : any).
func (a Actor) As(tree *territory.Tree, agency ident.Agency, role ident.Role, place ident.Territory) error {
	held := a.Appointment
	if held == nil || held.Agency != agency || held.Role != role {
		return ErrForbidden
	}
	if place != "" && !tree.Contains(held.Territory, place) {
		return ErrForbidden
	}
	return nil
}

// Reader is what access needs for reading.
type Reader interface {
	// AppointmentsOf returns all appointments of the person, ended ones too, oldest first.
	AppointmentsOf(person ident.Person) ([]Appointment, error)
	// Appointment returns one, or fault.NotFound.
	Appointment(id ident.Appointment) (Appointment, error)
	// AppointmentsBy returns the agency's appointments, ended ones too, in the order of their ids, after the given one
	// ("" : from the first), at most limit.
	AppointmentsBy(agency ident.Agency, after ident.Appointment, limit int) ([]Appointment, error)
	// AppointmentsIn returns the appointments with the role in the agency for exactly the territory.
	AppointmentsIn(agency ident.Agency, role ident.Role, place ident.Territory) ([]Appointment, error)
}

// Tx is what access needs of an act.
type Tx interface {
	journal.Tx
	Reader
	// SaveAppointment stores a new or changed appointment under the act's key, its agency's.
	SaveAppointment(appointment Appointment) error
}

// Office keeps the appointments.
type Office struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault

	// What registrars may appoint to. Without them the office appoints only where it is set up.
	Territories *territory.Tree
	Roles       func(agency ident.Agency) []ident.Role // that officials of the agency may hold
	Sensitive   []ident.Role                           // those of them that need a second registrar
	Supervisor  ident.Agency                           // whose registrars may be the second of any agency; "" : nobody's
}

// Actor returns who a person is when they act by an appointment of theirs ("" : as a resident).
func (o *Office) Actor(ctx context.Context, person ident.Person, session ident.Session, by ident.Appointment, at time.Time) (Actor, error) {
	actor := Actor{Person: person, Session: session}
	if by == "" {
		return actor, nil
	}
	held, err := o.Appointments(ctx, person, at)
	if err != nil {
		return Actor{}, err
	}
	for _, one := range held {
		if one.ID == by {
			actor.Appointment = &one
			return actor, nil
		}
	}
	return Actor{}, ErrForbidden
}

// Appointments returns the person's appointments in force at the time.
func (o *Office) Appointments(ctx context.Context, person ident.Person, at time.Time) (held []Appointment, err error) {
	err = o.Store.View(ctx, func(tx Reader) error {
		held, err = tx.AppointmentsOf(person)
		return err
	})
	return slices.DeleteFunc(held, func(a Appointment) bool { return !a.Holds(at) }), err
}

// The faults of appointments.
var (
	errIncomplete = fault.New(fault.Invalid, "appointment.incomplete", "An appointment names a person, an agency, a role and a territory.")
	errRole       = fault.New(fault.Invalid, "appointment.role", "Officials of your agency have no such role. Choose one that its pack declares or one of the platform's.").At("role")
	errTerritory  = fault.New(fault.Invalid, "territory.unknown", "There is no such territory. Choose one of the list.").At("territory")
	errBackdated  = fault.New(fault.Invalid, "appointment.term", "An appointment begins now or later. Leave out its beginning to begin now.").At("from")
	errTerm       = fault.New(fault.Invalid, "appointment.term", "An appointment ends after it begins, and in the future. Correct its end.").At("until")
	errPost       = fault.New(fault.Invalid, "appointment.other-post", "A substitute has the agency, role and territory of the one they stand in for. Correct them.").At("substitutes")
	errSelf       = fault.New(fault.Invalid, "appointment.own-substitute", "Nobody stands in for themselves. Choose another person.").At("substitutes")
	errSubstitute = fault.New(fault.Invalid, "appointment.substitute-term", "A substitute's appointment lies within the term of the one they stand in for and has an end. Give it one.").At("until")
	errDecided    = fault.New(fault.Conflict, "appointment.approved-already", "This appointment does not wait for an approval: it was approved, or it never needed one.")
	errSecond     = fault.New(fault.Forbidden, "appointment.same-registrar", "You made this appointment. A second registrar, of your agency or of the supervising one, approves it.")
	errEnded      = fault.New(fault.Conflict, "appointment.ended", "This appointment has ended already.")
)

// Appoint makes an appointment. By is a registrar of the same agency, or a zero actor when the installation is set up.
// From is zero to begin at the time of the act.
func (o *Office) Appoint(ctx context.Context, by Actor, wanted Appointment) (Appointment, error) {
	if err := o.appoints(by, wanted); err != nil {
		return Appointment{}, err
	}
	// What is digested must be what the store gives back: UTC, whole microseconds.
	wanted.From, wanted.Until = wanted.From.UTC().Truncate(time.Microsecond), wanted.Until.UTC().Truncate(time.Microsecond)
	return o.save(ctx, by, wanted, "appointment.made", func(tx Tx, made *Appointment) error {
		made.ID = ident.New[ident.Appointment](tx.Now())
		switch {
		case made.From.IsZero():
			made.From = tx.Now()
		case by.Person != "" && made.From.Before(tx.Now()):
			return errBackdated
		}
		if !made.Until.IsZero() && !(made.Until.After(made.From) && made.Until.After(tx.Now())) {
			return errTerm
		}
		made.MadeBy, made.Waits = by.Person, by.Person != "" && slices.Contains(o.Sensitive, made.Role)
		return substituted(tx, *made)
	})
}

// Approve brings an appointment to a sensitive role into force, not before the act. By is a registrar who could have made
// it and did not, or a registrar of the supervising agency, and never the appointed person.
func (o *Office) Approve(ctx context.Context, by Actor, id ident.Appointment) (Appointment, error) {
	found, err := o.appointment(ctx, id)
	if err != nil {
		return Appointment{}, err
	}
	wanted := found
	if held := by.Appointment; held != nil && o.Supervisor != "" && held.Agency == o.Supervisor {
		wanted.Agency = o.Supervisor
	}
	if err := o.registrarOf(by, wanted); err != nil {
		return Appointment{}, err
	}
	if by.Person == found.MadeBy {
		return Appointment{}, errSecond
	}
	return o.save(ctx, by, found, "appointment.approved", func(tx Tx, approved *Appointment) (err error) {
		if *approved, err = tx.Appointment(id); err != nil {
			return err
		}
		switch now := tx.Now(); {
		case !approved.Until.IsZero() && !approved.Until.After(now):
			return errEnded
		case !approved.Waits:
			return errDecided
		case approved.From.Before(now):
			approved.From = now
		}
		approved.Waits = false
		return nil
	})
}

// appoints checks that the registrar may make such an appointment, whatever its term.
func (o *Office) appoints(by Actor, wanted Appointment) error {
	if err := o.registrarOf(by, wanted); err != nil {
		return err
	}
	if wanted.Person == "" || wanted.Territory == "" || !ident.IsName(string(wanted.Agency)) || !ident.IsName(string(wanted.Role)) {
		return errIncomplete
	}
	switch {
	case by.Person == "":
		return nil // whoever sets the installation up answers for it
	case !o.Territories.Has(wanted.Territory):
		return errTerritory
	case !slices.Contains(o.Roles(wanted.Agency), wanted.Role):
		return errRole
	}
	return nil
}

// substituted checks an appointment against the one that it stands in for.
func substituted(tx Tx, made Appointment) error {
	if made.Substitutes == "" {
		return nil
	}
	other, err := tx.Appointment(made.Substitutes)
	switch {
	case err != nil:
		return err
	case other.Agency != made.Agency || other.Role != made.Role || other.Territory != made.Territory:
		return errPost
	case other.Person == made.Person:
		return errSelf
	case made.Until.IsZero() || !other.Until.IsZero() && made.Until.After(other.Until) || made.From.Before(other.From):
		return errSubstitute
	}
	return nil
}

func (o *Office) appointment(ctx context.Context, id ident.Appointment) (found Appointment, err error) {
	err = o.Store.View(ctx, func(tx Reader) (err error) {
		found, err = tx.Appointment(id)
		return err
	})
	return found, err
}

// End ends an appointment at the time of the act.
func (o *Office) End(ctx context.Context, by Actor, id ident.Appointment) (Appointment, error) {
	found, err := o.appointment(ctx, id)
	if err != nil {
		return Appointment{}, err
	}
	if err := o.registrarOf(by, found); err != nil {
		return Appointment{}, err
	}
	return o.end(ctx, by, found, "appointment.ended")
}

func (o *Office) end(ctx context.Context, by Actor, found Appointment, what string) (Appointment, error) {
	standing, err := o.standingIn(ctx, found)
	if err != nil {
		return Appointment{}, err
	}
	subjects := []ident.Subject{found.Person.Subject()}
	for _, one := range standing {
		subjects = append(subjects, one.Person.Subject())
	}
	slices.Sort(subjects)
	sealer, err := o.Vault.Open(ctx, slices.Compact(subjects)...)
	if err != nil {
		return Appointment{}, err
	}
	var ended Appointment
	err = o.Store.Update(ctx, act.OfAgency(found.Agency), func(tx Tx) error {
		if ended, err = tx.Appointment(found.ID); err != nil {
			return err
		}
		if !ended.Until.IsZero() && !ended.Until.After(tx.Now()) {
			return errEnded
		}
		event := journal.Event{Type: what, Actor: by.Journal(), Object: fmt.Sprintf("appointment:%s", ended.ID)}
		all := []Appointment{ended}
		for _, one := range standing {
			now, err := tx.Appointment(one.ID)
			if err != nil {
				return err
			}
			if now.Until.IsZero() || now.Until.After(tx.Now()) {
				all = append(all, now)
			}
		}
		id := journal.NewID(tx)
		for i := range all {
			all[i].Until, all[i].Event = tx.Now(), id
			if err := tx.SaveAppointment(all[i]); err != nil {
				return err
			}
			event.Covers = append(event.Covers, all[i].Cover())
			event.Parts = append(event.Parts, all[i].part())
		}
		ended = all[0]
		return journal.AppendAs(tx, sealer, id, event)
	})
	return ended, err
}

// standingIn returns the appointments of whoever stands in for the one who holds the appointment.
func (o *Office) standingIn(ctx context.Context, held Appointment) (standing []Appointment, err error) {
	err = o.Store.View(ctx, func(tx Reader) error {
		standing, err = tx.AppointmentsIn(held.Agency, held.Role, held.Territory)
		return err
	})
	return slices.DeleteFunc(standing, func(one Appointment) bool { return one.Substitutes != held.ID }), err
}

// part is what an event says of the appointment to the appointed person.
func (a Appointment) part() journal.Part {
	return journal.Part{
		Subject: a.Person.Subject(), Personal: map[string]any{"agency": a.Agency, "role": a.Role, "territory": a.Territory},
	}
}

// Of returns the appointments that the registrar keeps, ended ones too: of their agency, for their territory and all that
// lies in it, in the order of their ids, after the given one ("" : from the first), at most limit.
func (o *Office) Of(ctx context.Context, by Actor, after ident.Appointment, limit int) (found []Appointment, err error) {
	if by.Appointment == nil {
		return nil, ErrForbidden
	}
	held := *by.Appointment
	if err := o.registrarOf(by, Appointment{Agency: held.Agency, Territory: held.Territory}); err != nil {
		return nil, err
	}
	err = o.Store.View(ctx, func(tx Reader) error {
		found = nil
		for last := after; len(found) < limit; {
			page, err := tx.AppointmentsBy(held.Agency, last, limit)
			if err != nil {
				return err
			}
			for _, one := range page {
				last = one.ID
				// What lies nowhere any more is kept by whoever is appointed for the whole country.
				if place := one.Territory; o.Territories.Contains(held.Territory, place) || !o.Territories.Has(place) && held.Territory == o.Territories.Root() {
					found = append(found, one)
				}
			}
			if len(page) < limit {
				return nil
			}
		}
		return nil
	})
	return found[:min(len(found), limit)], err
}

// In returns the appointments of the registrar's agency for exactly the territory, ended ones too, by role and then the
// oldest first.
func (o *Office) In(ctx context.Context, by Actor, place ident.Territory) (found []Appointment, err error) {
	if by.Appointment == nil {
		return nil, ErrForbidden
	}
	agency := by.Appointment.Agency
	if err := o.registrarOf(by, Appointment{Agency: agency, Territory: place}); err != nil {
		return nil, err
	}
	if !o.Territories.Has(place) {
		return nil, errTerritory
	}
	roles := slices.Clone(o.Roles(agency))
	slices.Sort(roles)
	err = o.Store.View(ctx, func(tx Reader) error {
		found = nil
		for _, role := range slices.Compact(roles) {
			held, err := tx.AppointmentsIn(agency, role, place)
			if err != nil {
				return err
			}
			found = append(found, held...)
		}
		return nil
	})
	return found, err
}

// registrarOf checks that the actor is a registrar who keeps such appointments: of the same agency, never their own.
func (o *Office) registrarOf(by Actor, wanted Appointment) error {
	if by.Person == "" {
		return nil
	}
	held := by.Appointment
	if held == nil || held.Role != Registrar || held.Agency != wanted.Agency || by.Person == wanted.Person {
		return ErrForbidden
	}
	if o.Territories == nil || o.Roles == nil {
		return fault.New(fault.Internal, "internal", "This office knows no territories and roles.")
	}
	// What is not known is refused as such when it is wanted; an old appointment for it may still be ended.
	if place := wanted.Territory; o.Territories.Has(place) && !o.Territories.Contains(held.Territory, place) {
		return ErrForbidden
	}
	return nil
}

func (o *Office) save(ctx context.Context, by Actor, wanted Appointment, what string, change func(Tx, *Appointment) error) (Appointment, error) {
	subject := wanted.Person.Subject()
	sealer, err := o.Vault.Open(ctx, subject)
	if err != nil {
		return Appointment{}, err
	}
	var saved Appointment
	err = o.Store.Update(ctx, act.OfAgency(wanted.Agency), func(tx Tx) error {
		saved = wanted
		if err := change(tx, &saved); err != nil {
			return err
		}
		saved.Event = journal.NewID(tx)
		if err := tx.SaveAppointment(saved); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, saved.Event, journal.Event{
			Type: what, Actor: by.Journal(), Object: fmt.Sprintf("appointment:%s", saved.ID),
			Covers: []journal.Cover{saved.Cover()},
			Parts:  []journal.Part{saved.part()},
		})
	})
	return saved, err
}
