// Package person owns who the platform knows: people as random ids, with their national number, name and birth date as
// sealed attributes.
//
// A national number tells birth date and sex, so it is never an id: it is found through a keyed index, HMAC-SHA-256
// under a key that is not in the database, and stands in no log, address or message. The number's claim (one person for
// one number) lives under a key of its own, the person's attributes under the person's; taking up a person is therefore
// two acts, each of which may be repeated. While the index key is rotated, a number has a claim under each of its keys.
package person

import (
	"context"
	"encoding/json"
	"slices"

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

// Index is a national number under an index key: 64 hexadecimal digits, after the key's generation if that is not the first.
type Index string

// Claimed is whose number it is.
type Claimed struct {
	Index  Index
	Person ident.Person
}

// Reader is what the directory needs for reading.
type Reader interface {
	// PersonOfIndex returns whose number it is, or fault.NotFound.
	PersonOfIndex(index Index) (ident.Person, error)
	// ClaimedNumbers returns the claims after the index ("": from the first), in order, at most limit.
	ClaimedNumbers(after Index, limit int) ([]Claimed, error)
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
	// ReleaseIndex removes the claim of the act's key.
	ReleaseIndex(index Index) error
	// SavePerson stores a person under the act's key, the person's.
	SavePerson(stored Stored) error
}

// Directory finds people. It is safe for concurrent use.
type Directory struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
	Keys  seal.IndexKeys
}

// Indexes returns the index of a national number under each key, the oldest key's first.
func (d *Directory) Indexes(number string) []Index {
	keys := d.Keys()
	indexes := make([]Index, len(keys))
	for i, key := range keys {
		indexes[i] = Index(key.Hash(32, []byte(number)))
	}
	return indexes
}

// ErrUnknown is what looking for an unknown number gives.
var ErrUnknown = fault.New(fault.NotFound, "person.unknown", "No person with this number is known here. Check the number.")

// ByNumber returns the person with the national number, or ErrUnknown.
func (d *Directory) ByNumber(ctx context.Context, number string) (found ident.Person, err error) {
	err = d.Store.View(ctx, func(tx Reader) error {
		found, err = claimed(tx, d.Indexes(number))
		return err
	})
	return found, err
}

// claimed returns whose number it is that has the indexes, of which the last counts most, or ErrUnknown.
func claimed(tx Reader, indexes []Index) (ident.Person, error) {
	for _, index := range slices.Backward(indexes) {
		found, err := tx.PersonOfIndex(index)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return found, err
		}
	}
	return "", ErrUnknown
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
	person := proposed
	for _, index := range d.Indexes(known.Number) {
		var err error
		if person, err = d.claim(ctx, by, index, person); err != nil {
			return "", err
		}
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

// claim claims the number for the person, unless it is somebody's, and returns whose it is.
func (d *Directory) claim(ctx context.Context, by journal.Actor, index Index, proposed ident.Person) (person ident.Person, err error) {
	err = d.Store.Update(ctx, index.Key(), func(tx Tx) error {
		if person, err = tx.PersonOfIndex(index); err == nil || !fault.Is(err, fault.NotFound) {
			return err
		}
		person = proposed
		if err := tx.ClaimIndex(index, person); err != nil {
			return err
		}
		_, err := journal.Append(tx, nil, journal.Event{
			Type: "person.number-claimed", Actor: by, Object: string(person.Subject()), Covers: []journal.Cover{index.Cover(person)},
		})
		return err
	})
	return person, err
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
