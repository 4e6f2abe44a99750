// Package offer owns what the platform offers people by itself, and whether they want that: the offers that a register's
// change led to, and each person's choice to take part.
//
// It hands both to casework, which evaluates the rules and opens the drafts. An offer's fate is its application's: it is
// open while that is a draft, taken up once that is sent, let lapse when it expires or is withdrawn. Nothing of it is
// stored twice.
//
// Invariants: of whom has declined nothing is asked and nothing computed; one change leads to one offer of a service at
// most; without a consent of their own, nobody's visit makes the platform look for services.
package offer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Offer is a service that the platform offered somebody because a register's record changed.
type Offer struct {
	ID          string // derived from whom it is for, the service and the record: 32 hexadecimal digits
	Subject     ident.Subject
	Service     ident.Service
	Application ident.Application // the draft that was opened
	Territory   ident.Territory   // whose officials would decide; for the take-up gap
	Made        time.Time
	Event       ident.Event
}

// IDOf returns the id of the offer of a service to the subject because of a record.
func IDOf(subject ident.Subject, service ident.Service, record ident.Record) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(subject), string(service), string(record)}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Cover returns what an event says of the offer.
func (o Offer) Cover() journal.Cover {
	o.Event = ""
	return journal.Cover{Row: "offer/" + o.ID, Digest: journal.Digest(o)}
}

// Participation is whether somebody takes part, as the store keeps it. The zero value is that of who never chose.
type Participation struct {
	Subject  ident.Subject
	Declined bool   // no change of a register makes the platform look for services
	Visits   bool   // their own visit does
	Sealed   []byte // Found as JSON, sealed under the subject's key; nil: nothing
	Event    ident.Event
}

// Cover returns what an event says of the participation.
func (p Participation) Cover() journal.Cover {
	p.Event = ""
	return journal.Cover{Row: "participation/" + string(p.Subject), Digest: journal.Digest(p)}
}

// Found is what the platform found on a visit.
type Found struct {
	At       time.Time       `json:"at"`
	Services []ident.Service `json:"services"` // whose requirements are met, as far as registers know
}

// TakeUp is, in one territory, how many people were offered a service and did not take it up. Whoever was granted it after
// all does not count.
type TakeUp struct {
	Territory ident.Territory
	NotTaken  int64
}

// Reader is what offers need for reading.
type Reader interface {
	// Offer returns one of the subject's, or fault.NotFound.
	Offer(subject ident.Subject, id string) (Offer, error)
	// OffersOf returns the subject's offers, newest first, at most limit.
	OffersOf(subject ident.Subject, limit int) ([]Offer, error)
	// Participation returns what the subject chose; the zero value if they never did.
	Participation(subject ident.Subject) (Participation, error)
	// TakeUp returns, by territory, how many did not take up what they were offered.
	TakeUp(service ident.Service) ([]TakeUp, error)
}

// Tx is what offers need of an act.
type Tx interface {
	journal.Tx
	Reader
	// SaveOffer stores a new offer under the act's key, its subject's.
	SaveOffer(offer Offer) error
	// SaveParticipation stores a participation under the act's key, its subject's.
	SaveParticipation(participation Participation) error
}

// Participations keeps who takes part. It is safe for concurrent use.
type Participations struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
}

// Choice is what somebody chooses.
type Choice struct {
	Declined bool
	Visits   bool
}

// ErrDeclined is what looking for services for somebody gives who does not want that.
var ErrDeclined = fault.New(fault.Forbidden, "offer.not-agreed", "You have not agreed that the platform looks for services on your visits. Agree first.")

// Of returns what the subject chose, and what was found on their last visit.
func (p *Participations) Of(ctx context.Context, subject ident.Subject) (chosen Participation, found Found, err error) {
	err = p.Store.View(ctx, func(tx Reader) error {
		chosen, err = tx.Participation(subject)
		return err
	})
	if err != nil || chosen.Sealed == nil {
		return chosen, Found{}, err
	}
	sealer, err := p.Vault.Open(ctx, subject)
	if err != nil {
		return chosen, Found{}, err
	}
	plain, err := sealer.Unseal(subject, sealContext, chosen.Sealed)
	if err != nil {
		return chosen, Found{}, err
	}
	return chosen, found, json.Unmarshal(plain, &found)
}

const sealContext = "participation"

// Choose records what a person chooses. Who takes back the consent to be looked for on visits also has what was found
// forgotten. Choosing the same again changes nothing.
func (p *Participations) Choose(ctx context.Context, by access.Actor, choice Choice) error {
	if by.Person == "" {
		return access.ErrForbidden
	}
	return p.change(ctx, by, "offer.chosen", func(known *Participation, _ *seal.Sealer) (bool, error) {
		if known.Declined == choice.Declined && known.Visits == choice.Visits {
			return false, nil
		}
		known.Declined, known.Visits = choice.Declined, choice.Visits
		if !known.Visits {
			known.Sealed = nil
		}
		return true, nil
	})
}

// Keep keeps what was found on a visit of the person, if they still agree to it.
func (p *Participations) Keep(ctx context.Context, by access.Actor, found Found) error {
	return p.change(ctx, by, "offer.found", func(known *Participation, sealer *seal.Sealer) (bool, error) {
		if !known.Visits {
			return false, ErrDeclined
		}
		plain, err := json.Marshal(found)
		if err == nil {
			known.Sealed, err = sealer.Seal(known.Subject, sealContext, plain)
		}
		return true, err
	})
}

func (p *Participations) change(ctx context.Context, by access.Actor, what string, do func(*Participation, *seal.Sealer) (bool, error)) error {
	subject := by.Person.Subject()
	sealer, err := p.Vault.Open(ctx, subject)
	if err != nil {
		return err
	}
	return p.Store.Update(ctx, act.Of(subject), func(tx Tx) error {
		known, err := tx.Participation(subject)
		if err != nil {
			return err
		}
		known.Subject = subject
		changed, err := do(&known, sealer)
		if err != nil || !changed {
			return err
		}
		known.Event = journal.NewID(tx)
		if err := tx.SaveParticipation(known); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, known.Event, journal.Event{
			Type: what, Actor: by.Journal(), Object: string(subject), Covers: []journal.Cover{known.Cover()},
			Parts: []journal.Part{{Subject: subject, Personal: map[string]any{"declined": known.Declined, "visits": known.Visits}}},
		})
	})
}
