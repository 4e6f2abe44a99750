// Package representation owns who may act for whom: a parent for a minor child and an officer for an organisation, as
// the registers say, and whoever was given a mandate and took it on.
//
// It hands authorities to casework, which acts on them, and mandates to the pages. A mandate lives under the key of the
// person who gave it, so that an act under that key sees it as it stands in that very moment: one that was taken back a
// moment ago lets nobody act any more.
//
// Invariants: who may act for whom comes from the server's own records, never from a request; a mandate counts only
// while both want it, has an end, and covers what it names; a parent represents until the child comes of age and not a
// day longer; a representative never sees more of the other than the authority says, and never who read their data; of
// whom a mandate was offered to, the giver learns nothing before it was taken on; nobody represents to decide.
package representation

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/seal"
)

// Ground is why somebody may act for somebody else.
type Ground string

// The grounds.
const (
	Parent   Ground = "parent"  // of a minor child, as the civil register says
	Officer  Ground = "officer" // of an organisation, as its register says
	Mandated Ground = "mandate" // the other gave it, and the representative took it on
)

// Action is what a representative does.
type Action string

// The actions.
const (
	Read  Action = "read"  // see applications of the other, and what registers say of them there
	Apply Action = "apply" // apply for the other, and act in such applications
)

// Authority is what lets a person act for somebody else, as it stood when it was looked up.
type Authority struct {
	Representative ident.Person
	Subject        ident.Subject // who is represented
	Ground         Ground
	Mandate        ident.Mandate // of a mandate
	Reads, Applies bool
	Services       []ident.Service // empty: all
	Until          time.Time       // from when on it is over; zero: while the register says so
}

// Allows reports whether the authority covers an action in a service.
func (a Authority) Allows(service ident.Service, action Action) bool {
	if len(a.Services) > 0 && service != "" && !slices.Contains(a.Services, service) {
		return false
	}
	return action == Read && a.Reads || action == Apply && a.Applies
}

// ID returns what the representative's own pages call whom they represent: an address must not hold a person's id. It is
// derived of both (UUID version 8), so that it tells neither.
func (a Authority) ID() string {
	space, err := uuid.Parse(string(a.Representative))
	if err != nil {
		return "" // of nobody
	}
	return uuid.NewHash(sha256.New(), space, []byte(a.Subject), 8).String()
}

// Mandate is a mandate as the store keeps it.
type Mandate struct {
	ID             ident.Mandate
	Subject        ident.Subject // who gave it and is represented; the act's key
	Representative ident.Person
	Revision       int64
	Created        time.Time
	Accepted       time.Time // zero: not taken on
	Until          time.Time // from when on it is over
	Ended          time.Time // zero: neither has ended it
	Sealed         []byte    // Content as JSON, sealed under the subject's key
	Event          ident.Event
}

// Cover returns what an event says of the mandate.
func (m Mandate) Cover() journal.Cover {
	m.Event = ""
	return journal.Cover{Row: "mandate/" + string(m.ID), Digest: journal.Digest(m)}
}

// State is where a mandate stands.
type State string

// The states.
const (
	Offered State = "offered" // the representative has not taken it on
	InForce State = "in-force"
	Ended   State = "ended" // by either, or by its last day
)

// State returns where the mandate stands at the time.
func (m Mandate) State(at time.Time) State {
	switch {
	case !m.Ended.IsZero() || !at.Before(m.Until):
		return Ended
	case m.Accepted.IsZero():
		return Offered
	}
	return InForce
}

// Content is what a mandate says.
type Content struct {
	Called   string          `json:"called"` // what the giver calls the representative: their name is not told before they accept
	Reads    bool            `json:"reads,omitempty"`
	Applies  bool            `json:"applies,omitempty"`
	Services []ident.Service `json:"services,omitempty"` // empty: all
	EndedBy  ident.Person    `json:"endedBy,omitempty"`
}

// Opened is a mandate with what it says.
type Opened struct {
	Mandate
	Content
}

func (o Opened) authority() Authority {
	return Authority{
		Representative: o.Representative, Subject: o.Subject, Ground: Mandated, Mandate: o.ID,
		Reads: o.Reads, Applies: o.Applies, Services: o.Services, Until: o.Until,
	}
}

// Reader is what representation needs for reading.
type Reader interface {
	Mandates
	// MandatesOf returns the mandates that the subject gave, newest first, at most limit.
	MandatesOf(subject ident.Subject, limit int) ([]Mandate, error)
	// MandatesTo returns the mandates that were given to the person, newest first, at most limit.
	MandatesTo(representative ident.Person, limit int) ([]Mandate, error)
}

// Tx is what representation needs of an act.
type Tx interface {
	job.Tx
	journal.Tx
	Reader
	// SaveMandate stores a new or changed mandate under the act's key, its subject's.
	SaveMandate(mandate Mandate) error
}

// Registers is what representation asks of the registers; it is what package register's keeper does. Who represents whom
// is the platform's own check: nothing is disclosed by it but that they do.
type Registers interface {
	Related(ctx context.Context, relation string, of ident.Subject) ([]ident.Subject, error)
	AreRelated(ctx context.Context, relation string, one, other ident.Subject) (bool, error)
	Answer(ctx context.Context, evidence *register.EvidenceType, of ident.Subject) (map[string]any, []ident.Subject, error)
}

// Representatives knows who may act for whom. It is safe for concurrent use.
type Representatives struct {
	Store       act.Store[Reader, Tx]
	Vault       *seal.Vault
	Clock       act.Clock
	Location    *time.Location
	OfAge       int // years
	Registers   Registers
	Definitions func() *register.Catalogue
	People      *person.Directory
	// Notify tells a person that something happened: an event's type, and what it is that must be told once.
	Notify func(ctx context.Context, reader ident.Subject, kind, cause string) error
}

// The faults of acting for somebody.
var (
	// ErrNone is what acting for somebody gives whom one never represented.
	ErrNone = fault.New(fault.Forbidden, "representation.none", "You do not represent them. Ask them for a mandate: they give it on their own page.")

	errEnded = fault.New(fault.Forbidden, "representation.ended", "You may not act for them any more: the mandate is over or was taken back, or the child is of age. What was sent stays theirs. Ask them for a new mandate.")
	errScope = fault.New(fault.Forbidden, "representation.scope", "Your mandate does not cover this. Ask them for one that does.")
)

// Authorities returns everybody for whom the person may act at present, and by what.
func (r *Representatives) Authorities(ctx context.Context, by ident.Person) ([]Authority, error) {
	found, err := r.registered(ctx, by, "")
	if err != nil {
		return nil, err
	}
	mandates, err := r.Received(ctx, by)
	if err != nil {
		return nil, err
	}
	for _, one := range mandates {
		if one.State(r.Clock()) == InForce {
			found = append(found, one.authority())
		}
	}
	return slices.DeleteFunc(found, func(a Authority) bool { return a.over(r.Clock()) }), nil
}

// Whom returns whom the person represents at present by the id that their own pages use, or ErrNone.
func (r *Representatives) Whom(ctx context.Context, by ident.Person, id string) (ident.Subject, error) {
	all, err := r.Authorities(ctx, by)
	if err != nil {
		return "", err
	}
	for _, one := range all {
		if one.ID() == id {
			return one.Subject, nil
		}
	}
	return "", ErrNone
}

// over reports whether the authority has ended at the time.
func (a Authority) over(at time.Time) bool { return !a.Until.IsZero() && !at.Before(a.Until) }

// registered returns by what the registers let the person act for others, or for the one subject; children who are of age
// come with an authority that is over.
func (r *Representatives) registered(ctx context.Context, by ident.Person, of ident.Subject) (found []Authority, err error) {
	_, person := of.Person()
	for _, relation := range r.Definitions().Representing() {
		if of != "" && person == (relation.Represents == register.RepresentsOrganisation) {
			continue // by this relation one acts for organisations, or for nobody but people
		}
		related, err := r.related(ctx, relation.Name, by, of)
		if err != nil {
			return nil, err
		}
		for _, subject := range related {
			authority := Authority{Representative: by, Subject: subject, Ground: Officer, Reads: true, Applies: true}
			if relation.Represents == register.RepresentsMinor {
				authority.Ground = Parent
				birth, known, err := r.birth(ctx, subject)
				if err != nil {
					return nil, err
				}
				if !known {
					continue // whoever might be of age acts for themself
				}
				authority.Until = r.ofAge(birth)
			}
			found = append(found, authority)
		}
	}
	return found, nil
}

// related returns whom a relation relates the person to, or the one subject if it does.
func (r *Representatives) related(ctx context.Context, relation string, by ident.Person, of ident.Subject) ([]ident.Subject, error) {
	if of == "" {
		return r.Registers.Related(ctx, relation, by.Subject())
	}
	if yes, err := r.Registers.AreRelated(ctx, relation, by.Subject(), of); err != nil || !yes {
		return nil, err
	}
	return []ident.Subject{of}, nil
}

// birth returns when a person was born, as the register says that answers for it.
func (r *Representatives) birth(ctx context.Context, of ident.Subject) (day calendar.Date, known bool, err error) {
	return answered[calendar.Date](ctx, r, register.TermBirth, of)
}

// answered returns what a register that is held here answers to a term, and false if none does.
func answered[T any](ctx context.Context, r *Representatives, term string, of ident.Subject) (value T, known bool, err error) {
	for _, evidence := range r.Definitions().Answering(term) {
		if definition, err := r.Definitions().Register(evidence.Register); err != nil || definition.Held != register.HeldHere {
			continue
		}
		answer, _, err := r.Registers.Answer(ctx, evidence, of)
		if err != nil {
			return value, false, err
		}
		for _, one := range evidence.Answer {
			if value, ok := answer[one.Name].(T); ok && one.Term == term {
				return value, true, nil
			}
		}
	}
	return value, false, nil
}

// ofAge returns the beginning of the day on which someone who was born then comes of age.
func (r *Representatives) ofAge(birth calendar.Date) time.Time {
	day := birth.AddMonths(12 * r.OfAge)
	for calendar.Age(birth, day) < r.OfAge { // born on 29 February
		day = day.AddDays(1)
	}
	return day.Start(r.Location).UTC()
}

// minor reports whether the registers know that the person is not of age.
func (r *Representatives) minor(ctx context.Context, who ident.Person) (bool, error) {
	birth, known, err := r.birth(ctx, who.Subject())
	return known && r.Clock().Before(r.ofAge(birth)), err
}

// May returns by what the person may do the action for the subject in a service, at present.
func (r *Representatives) May(ctx context.Context, by ident.Person, of ident.Subject, service ident.Service, action Action) (Authority, error) {
	all, err := r.between(ctx, by, of)
	if err != nil {
		return Authority{}, err
	}
	refusal := ErrNone
	for _, one := range all {
		switch {
		case one.over(r.Clock()):
			if refusal == ErrNone {
				refusal = errEnded
			}
		case one.Allows(service, action):
			return one, nil
		default:
			refusal = errScope
		}
	}
	return Authority{}, refusal
}

// Represents reports whether the person may act for the subject in anything at present: it is a tie that keeps an
// official from deciding.
func (r *Representatives) Represents(ctx context.Context, by ident.Person, of ident.Subject) (bool, error) {
	all, err := r.between(ctx, by, of)
	return slices.ContainsFunc(all, func(a Authority) bool { return !a.over(r.Clock()) }), err
}

// IsKnown reports whether the person may act for the subject, or once might: the subject then sees by name what they did.
func (r *Representatives) IsKnown(ctx context.Context, by ident.Person, of ident.Subject) (bool, error) {
	all, err := r.between(ctx, by, of)
	return len(all) > 0, err
}

// between returns by what the person may act for the subject, or might have until it ended.
func (r *Representatives) between(ctx context.Context, by ident.Person, of ident.Subject) ([]Authority, error) {
	all, err := r.registered(ctx, by, of)
	if err != nil {
		return nil, err
	}
	mandates, err := r.mandates(ctx, by, of)
	if err != nil {
		return nil, err
	}
	for _, one := range mandates {
		authority := one.authority()
		switch {
		case one.Accepted.IsZero():
			continue
		case one.State(r.Clock()) == Ended:
			authority.Until = r.Clock()
		}
		all = append(all, authority)
	}
	return all, nil
}

// mandates returns the mandates that the subject gave to the person.
func (r *Representatives) mandates(ctx context.Context, by ident.Person, of ident.Subject) (opened []Opened, err error) {
	var found []Mandate
	err = r.Store.View(ctx, func(tx Reader) error {
		found, err = tx.MandatesOf(of, listed)
		return err
	})
	for _, one := range found {
		if one.Representative != by {
			continue
		}
		with, err := r.open(ctx, one)
		if err != nil {
			return nil, err
		}
		opened = append(opened, with)
	}
	return opened, err
}

// Mandates finds a mandate in an act.
type Mandates interface {
	// Mandate returns one, or fault.NotFound.
	Mandate(id ident.Mandate) (Mandate, error)
}

// Still checks, in an act under the key of who is represented, that the authority has not ended since it was looked up.
func Still(tx Mandates, a Authority, now time.Time) error {
	if a.over(now) {
		return errEnded
	}
	if a.Ground != Mandated {
		return nil
	}
	stored, err := tx.Mandate(a.Mandate)
	switch {
	case err != nil:
		return err
	case stored.Subject != a.Subject || stored.Representative != a.Representative || stored.State(now) != InForce:
		return errEnded
	}
	return nil
}

// Name returns what a person or an organisation is called, for those who represent each other or decide on it; "" if
// nobody knows.
func (r *Representatives) Name(ctx context.Context, of ident.Subject) (string, error) {
	who, ok := of.Person()
	if !ok {
		name, _, err := answered[string](ctx, r, register.TermOrganisationName, of)
		return name, err
	}
	known, err := r.People.Attributes(ctx, who)
	if fault.Is(err, fault.Erased) || fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return known.Name, err
}

func sealContext(id ident.Mandate) string { return "mandate:" + string(id) }

func unseal(sealer *seal.Sealer, one Mandate) (opened Opened, err error) {
	plain, err := sealer.Unseal(one.Subject, sealContext(one.ID), one.Sealed)
	if err != nil {
		return Opened{}, err
	}
	opened.Mandate = one
	return opened, json.Unmarshal(plain, &opened.Content)
}

func (r *Representatives) open(ctx context.Context, one Mandate) (Opened, error) {
	sealer, err := r.Vault.Open(ctx, one.Subject)
	if err != nil {
		return Opened{}, err
	}
	return unseal(sealer, one)
}
