// Package passkey owns the public keys by which people confirm something with a device of their own (W3C Web
// Authentication, passkeys): what of them is public is enough to check a signature, and nobody can sign with it.
//
// It hands them to whoever checks signatures (package web/passkey). They live under their owner's key, sealed; adding and
// removing one are acts of their owner.
package passkey

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Passkey is one public key of a person.
type Passkey struct {
	ID         []byte          `json:"id"` // by which its device knows it
	Added      time.Time       `json:"added"`
	Credential json.RawMessage `json:"credential"` // what a signature is checked with
}

// Stored are a person's passkeys, as the store keeps them.
type Stored struct {
	Owner  ident.Subject
	Sealed []byte // a list of Passkey as JSON, sealed with the context "passkeys"
	Event  ident.Event
}

// Cover returns what an event says of the passkeys.
func (s Stored) Cover() journal.Cover {
	return journal.Cover{Row: "passkeys/" + string(s.Owner), Digest: journal.Digest([]any{s.Owner, s.Sealed})}
}

// Reader is what passkeys need for reading.
type Reader interface {
	// StoredPasskeys returns the owner's passkeys; the zero value if they never had one.
	StoredPasskeys(owner ident.Subject) (Stored, error)
}

// Tx is what passkeys need of an act.
type Tx interface {
	journal.Tx
	Reader
	// SavePasskeys stores passkeys under the act's key, their owner.
	SavePasskeys(passkeys Stored) error
}

const sealedAs = "passkeys"

// most is how many passkeys one person may have: a few devices.
const most = 5

var (
	errMany    = fault.New(fault.Conflict, "passkey.too-many", "You have five passkeys already. Remove one before you add another.")
	errUnknown = fault.New(fault.NotFound, "passkey.unknown", "There is no such passkey among yours. Look at your passkeys again.")
	errChanged = fault.New(fault.Conflict, "passkey.changed", "Your passkeys were changed meanwhile. Look at them again.")
)

// Passkeys keeps people's passkeys. It is safe for concurrent use.
type Passkeys struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
	Clock act.Clock
}

// Of returns the owner's passkeys, in the order in which they were added.
func (p *Passkeys) Of(ctx context.Context, owner ident.Subject) ([]Passkey, error) {
	found, _, _, err := p.open(ctx, owner)
	return found, err
}

func (p *Passkeys) open(ctx context.Context, owner ident.Subject) (found []Passkey, stored Stored, sealer *seal.Sealer, err error) {
	if sealer, err = p.Vault.Open(ctx, owner); err != nil {
		return nil, stored, nil, err
	}
	err = p.Store.View(ctx, func(tx Reader) error {
		stored, err = tx.StoredPasskeys(owner)
		return err
	})
	if err != nil || len(stored.Sealed) == 0 {
		return nil, stored, sealer, err
	}
	plain, err := sealer.Unseal(owner, sealedAs, stored.Sealed)
	if err != nil {
		return nil, stored, nil, err
	}
	return found, stored, sealer, json.Unmarshal(plain, &found)
}

// Add adds a passkey. The same again changes nothing.
func (p *Passkeys) Add(ctx context.Context, owner ident.Person, id []byte, credential json.RawMessage) error {
	return p.change(ctx, owner, "passkey.added", func(all []Passkey) ([]Passkey, error) {
		switch {
		case slices.ContainsFunc(all, func(one Passkey) bool { return bytes.Equal(one.ID, id) }):
			return all, nil
		case len(all) >= most:
			return nil, errMany
		}
		return append(all, Passkey{ID: id, Added: p.Clock().UTC().Truncate(time.Microsecond), Credential: credential}), nil
	})
}

// Remove removes a passkey: what is signed with it counts no more.
func (p *Passkeys) Remove(ctx context.Context, owner ident.Person, id []byte) error {
	return p.change(ctx, owner, "passkey.removed", func(all []Passkey) ([]Passkey, error) {
		left := slices.DeleteFunc(slices.Clone(all), func(one Passkey) bool { return bytes.Equal(one.ID, id) })
		if len(left) == len(all) {
			return nil, errUnknown
		}
		return left, nil
	})
}

func (p *Passkeys) change(ctx context.Context, owner ident.Person, what string, apply func([]Passkey) ([]Passkey, error)) error {
	subject := owner.Subject()
	found, read, sealer, err := p.open(ctx, subject)
	if err != nil {
		return err
	}
	changed, err := apply(found)
	if err != nil || len(changed) == len(found) {
		return err
	}
	plain, err := json.Marshal(changed)
	if err != nil {
		return err
	}
	sealed, err := sealer.Seal(subject, sealedAs, plain)
	if err != nil {
		return err
	}
	return p.Store.Update(ctx, act.Of(subject), func(tx Tx) error {
		stored, err := tx.StoredPasskeys(subject)
		if err != nil {
			return err
		}
		if stored.Event != read.Event {
			return errChanged
		}
		stored = Stored{Owner: subject, Sealed: sealed, Event: journal.NewID(tx)}
		if err := tx.SavePasskeys(stored); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, stored.Event, journal.Event{
			Type: what, Actor: journal.Actor{Person: owner}, Object: string(subject), Covers: []journal.Cover{stored.Cover()},
			Parts: []journal.Part{{Subject: subject}},
		})
	})
}
