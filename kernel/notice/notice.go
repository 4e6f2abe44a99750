// Package notice owns the platform's messages to people: that something happened which they should look at.
//
// A notice tells what happened and to which application, never more: its words come from the catalogue when it is shown,
// and no sensitive fact stands in it. It lives under its reader's key. Posting the same again (same reader, kind and
// cause) changes nothing, so that a job that is done twice tells once.
//
// Who wants to be told elsewhere confirms addresses (Contact), sealed under their key. For each chosen one the act that
// makes a notice makes a Delivery and its job; the Courier hands it to a Channel: at least once, with the delivery's id, by
// which a receiver can tell a duplicate. What leaves the house says only that there is news; no address and no words of
// a receiver stand in a log, an event or an error.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Notice is a message to one subject.
type Notice struct {
	ID          string // derived from reader, kind and cause: 32 hexadecimal digits
	Reader      ident.Subject
	Kind        string            // the event that it tells of; the key of its words: "application.granted"
	Application ident.Application // what it is about; empty: something else, which the kind names
	At          time.Time
	Event       ident.Event
}

// Cover returns what an event says of the notice.
func (n Notice) Cover() journal.Cover {
	n.Event = ""
	return journal.Cover{Row: "notice/" + n.ID, Digest: journal.Digest(n)}
}

// Reader is what notices need for reading.
type Reader interface {
	// Notices returns the reader's notices, newest first, at most limit.
	Notices(reader ident.Subject, limit int) ([]Notice, error)
	// StoredContact returns how the reader wants to be told; the zero value if they never said.
	StoredContact(reader ident.Subject) (StoredContact, error)
	// Delivery returns one of the reader's deliveries, or fault.NotFound.
	Delivery(reader ident.Subject, id string) (Delivery, error)
	// Deliveries returns the reader's deliveries, newest first, at most limit.
	Deliveries(reader ident.Subject, limit int) ([]Delivery, error)
	// Link returns whom a code leads to, or fault.NotFound.
	Link(key act.Key) (Link, error)
	// Allowances returns when messages were let through under the key since the time.
	Allowances(key act.Key, since time.Time) ([]Allowance, error)
}

// Tx is what notices need of an act.
type Tx interface {
	journal.Tx
	job.Tx
	Reader
	// AddNotice stores a notice under the act's key, its reader, and reports whether it was new.
	AddNotice(notice Notice) (bool, error)
	// SaveContact stores a contact under the act's key, its reader.
	SaveContact(contact StoredContact) error
	// SaveDelivery stores a new or changed delivery under the act's key, its reader.
	SaveDelivery(delivery Delivery) error
	// SaveLink stores whom a code leads to under the act's key, the code's.
	SaveLink(link Link) error
	// SaveAllowance stores that a message was let through under the act's key, and forgets those before the time.
	SaveAllowance(allowance Allowance, before time.Time) error
}

// Board posts notices.
type Board struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
}

// Post posts a notice in an act of its own. The cause tells two notices of one kind apart: the id of the job that asks
// for it.
func (b *Board) Post(ctx context.Context, reader ident.Subject, kind string, about ident.Application, cause string) error {
	sealer, err := b.Vault.Open(ctx, reader)
	if err != nil {
		return err
	}
	return b.Store.Update(ctx, act.Of(reader), func(tx Tx) error {
		event := journal.NewID(tx)
		covers, err := Add(tx, kind, about, cause, event)
		if err != nil || len(covers) == 0 {
			return err
		}
		object := ""
		if about != "" {
			object = "application:" + string(about)
		}
		return journal.AppendAs(tx, sealer, event, journal.Event{
			Type: "notice.posted", Actor: journal.Actor{Component: "notice"}, Object: object,
			Facts: map[string]string{"kind": kind}, Covers: covers, Parts: []journal.Part{{Subject: reader}},
		})
	})
}

// Add posts a notice to the subject whose key the act has, within the act, with a delivery and its job for each address
// that they chose. It returns what the act's event must cover: nothing if the notice was there already.
func Add(tx Tx, kind string, about ident.Application, cause string, event ident.Event) ([]journal.Cover, error) {
	reader := ident.Subject(tx.Key())
	posted := Notice{ID: digest(string(reader), kind, cause), Reader: reader, Kind: kind, Application: about, At: tx.Now(), Event: event}
	added, err := tx.AddNotice(posted)
	if err != nil || !added {
		return nil, err
	}
	covers := []journal.Cover{posted.Cover()}
	contact, err := tx.StoredContact(reader)
	if err != nil {
		return nil, err
	}
	for _, to := range contact.routes() {
		delivery := Delivery{
			ID: digest(posted.ID, to.address), Reader: reader, Notice: posted.ID, Channel: to.channel, Address: to.address, State: Queued,
			Queued: tx.Now(), Changed: tx.Now(), Event: event,
		}
		if err := tx.SaveDelivery(delivery); err != nil {
			return nil, err
		}
		if err := job.Queue(tx, JobDeliver, 0, deliveryJob{Delivery: delivery.ID}); err != nil {
			return nil, err
		}
		covers = append(covers, delivery.Cover())
	}
	return covers, nil
}

// digest derives an id: 32 hexadecimal digits.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Of returns the reader's notices, newest first.
func (b *Board) Of(ctx context.Context, reader ident.Subject, limit int) (found []Notice, err error) {
	err = b.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Notices(reader, limit)
		return err
	})
	return found, err
}

// Deliveries returns what became of the messages that left the house for the reader, newest first.
func (b *Board) Deliveries(ctx context.Context, reader ident.Subject, limit int) (found []Delivery, err error) {
	err = b.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Deliveries(reader, limit)
		return err
	})
	return found, err
}
