// Package person owns who the platform knows: people as random ids, with their national number, name and birth date as
// sealed attributes.
//
// A national number tells birth date and sex, so it is never an id: it is found through a keyed index, HMAC-SHA-256
// under a key that is not in the database, and stands in no log, address or message. The number's claim (one person for
// one number) lives under a key of its own, the person's attributes under the person's; taking up a person is therefore
// two acts, each of which may be repeated.
package person

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Attributes are what is known of a person; all of it is sealed under the person's key.
type Attributes struct {
	Number   string        `json:"number"`             // the national number
	Name     string        `json:"name"`               // as it is written to them
	Birth    calendar.Date `json:"birth,omitzero"`     // zero: unknown
	Language string        `json:"language,omitempty"` // a tag of the profile; empty: the first
}

// Stored is a person as the store keeps them.
type Stored struct {
	Person ident.Person
	Sealed []byte // Attributes as JSON, sealed with the context "person"
	Event  ident.Event
}

// Index is a national number under the index key: 64 hexadecimal digits.
type Index string

// Reader is what the directory needs for reading.
type Reader interface {
	// PersonOfIndex returns whose number it is, or fault.NotFound.
	PersonOfIndex(index Index) (ident.Person, error)
	// StoredPerson returns a person, or fault.NotFound.
	StoredPerson(person ident.Person) (Stored, error)
	// StoredPeople returns the people who come after the one ("": from the first), in order, at most limit.
	StoredPeople(after ident.Person, limit int) ([]Stored, error)
}

// Tx is what the directory needs of an act.
type Tx interface {
	journal.Tx
	Reader
	// ClaimIndex stores whose number it is under the act's key, the index's.
	ClaimIndex(index Index, person ident.Person) error
	// SavePerson stores a person under the act's key, the person's.
	SavePerson(stored Stored) error
}

// Directory finds people. It is safe for concurrent use.
type Directory struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
	Key   []byte // of the index, 32 bytes; kept with the master key
}

// Index returns the index of a national number.
func (d *Directory) Index(number string) Index {
	mac := hmac.New(sha256.New, d.Key)
	mac.Write([]byte(number))
	return Index(hex.EncodeToString(mac.Sum(nil)))
}

// ErrUnknown is what looking for an unknown number gives.
var ErrUnknown = fault.New(fault.NotFound, "person.unknown", "No person with this number is known here. Check the number.")

// ByNumber returns the person with the national number, or ErrUnknown.
func (d *Directory) ByNumber(ctx context.Context, number string) (found ident.Person, err error) {
	err = d.Store.View(ctx, func(tx Reader) error {
		found, err = tx.PersonOfIndex(d.Index(number))
		return err
	})
	return found, err
}

// Attributes returns what is known of a person. Who calls it answers for the purpose and for the journal.
func (d *Directory) Attributes(ctx context.Context, person ident.Person) (Attributes, error) {
	sealer, err := d.Vault.Open(ctx, person.Subject())
	if err != nil {
		return Attributes{}, err
	}
	var stored Stored
	err = d.Store.View(ctx, func(tx Reader) (err error) {
		stored, err = tx.StoredPerson(person)
		return err
	})
	if err != nil {
		return Attributes{}, err
	}
	return stored.open(sealer)
}

func (s Stored) open(sealer *seal.Sealer) (known Attributes, err error) {
	plain, err := sealer.Unseal(s.Person.Subject(), "person", s.Sealed)
	if err != nil {
		return Attributes{}, err
	}
	return known, json.Unmarshal(plain, &known)
}

// eachPage is how many people are read at a time.
const eachPage = 500

// Each visits everybody, in no order that says anything; whoever was erased is left out. Who calls it answers for the
// purpose and for the journal, and keeps nothing of whom they do not look for.
func (d *Directory) Each(ctx context.Context, visit func(ident.Person, Attributes) error) error {
	var last ident.Person
	for {
		var page []Stored
		err := d.Store.View(ctx, func(tx Reader) (err error) {
			page, err = tx.StoredPeople(last, eachPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		subjects := make([]ident.Subject, len(page))
		for i, one := range page {
			subjects[i] = one.Person.Subject()
		}
		sealer, err := d.Vault.OpenOnce(ctx, subjects...)
		if err != nil {
			return err
		}
		for _, one := range page {
			known, err := one.open(sealer)
			if fault.Is(err, fault.Erased) {
				continue
			}
			if err == nil {
				err = visit(one.Person, known)
			}
			if err != nil {
				return err
			}
		}
		last = page[len(page)-1].Person
	}
}

// TakeUp makes sure that the person with the number is known, with the attributes, and returns their id. The proposed
// id is used if the number is new ("" : a random one).
func (d *Directory) TakeUp(ctx context.Context, by journal.Actor, proposed ident.Person, known Attributes) (ident.Person, error) {
	if known.Number == "" {
		return "", fault.New(fault.Invalid, "person.no-number", "A person is taken up by their national number.")
	}
	if proposed == "" {
		proposed = ident.Random[ident.Person]()
	}
	index := d.Index(known.Number)
	person := proposed
	err := d.Store.Update(ctx, index.Key(), func(tx Tx) error {
		found, err := tx.PersonOfIndex(index)
		if err == nil {
			person = found
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		person = proposed
		if err := tx.ClaimIndex(index, person); err != nil {
			return err
		}
		_, err = journal.Append(tx, nil, journal.Event{
			Type: "person.number-claimed", Actor: by, Object: string(person.Subject()), Covers: []journal.Cover{index.Cover(person)},
		})
		return err
	})
	if err != nil {
		return "", err
	}
	subject := person.Subject()
	sealer, err := d.Vault.Open(ctx, subject)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(known)
	if err != nil {
		return "", err
	}
	sealed, err := sealer.Seal(subject, "person", plain)
	if err != nil {
		return "", err
	}
	return person, d.Store.Update(ctx, act.Of(subject), func(tx Tx) error {
		stored := Stored{Person: person, Sealed: sealed, Event: journal.NewID(tx)}
		if err := tx.SavePerson(stored); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, stored.Event, journal.Event{
			Type: "person.taken-up", Actor: by, Object: string(subject),
			Covers: []journal.Cover{stored.Cover()},
			Parts:  []journal.Part{{Subject: subject}},
		})
	})
}

// Key returns what the number's claim is distributed by.
func (i Index) Key() act.Key { return act.Key("number:" + string(i)) }

// Cover returns what an event says of the number's claim: whose it is.
func (i Index) Cover(claimed ident.Person) journal.Cover {
	return journal.Cover{Row: "person-index/" + string(i), Digest: journal.Digest([]any{i, claimed})}
}

// Cover returns what an event says of the stored person.
func (s Stored) Cover() journal.Cover {
	return journal.Cover{Row: "person/" + string(s.Person), Digest: journal.Digest([]any{s.Person, s.Sealed})}
}
