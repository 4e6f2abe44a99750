// Package notice owns the platform's messages to people: that something happened which they should look at.
//
// A notice tells what happened and to which application, never more: its words come from the catalogue when it is shown,
// and no sensitive fact stands in it. It lives under its reader's key. Posting the same again (same reader, kind and
// cause) changes nothing, so that a job that is done twice tells once.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
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
}

// Tx is what notices need of an act.
type Tx interface {
	journal.Tx
	Reader
	// AddNotice stores a notice under the act's key, its reader, and reports whether it was new.
	AddNotice(notice Notice) (bool, error)
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
		cover, added, err := Add(tx, kind, about, cause, event)
		if err != nil || !added {
			return err
		}
		object := ""
		if about != "" {
			object = "application:" + string(about)
		}
		return journal.AppendAs(tx, sealer, event, journal.Event{
			Type: "notice.posted", Actor: journal.Actor{Component: "notice"}, Object: object,
			Facts: map[string]string{"kind": kind}, Covers: []journal.Cover{cover}, Parts: []journal.Part{{Subject: reader}},
		})
	})
}

// Add posts a notice to the subject whose key the act has, within the act, whose event covers it. It reports whether the
// notice was new.
func Add(tx Tx, kind string, about ident.Application, cause string, event ident.Event) (journal.Cover, bool, error) {
	reader := ident.Subject(tx.Key())
	sum := sha256.Sum256([]byte(string(reader) + "\x00" + kind + "\x00" + cause))
	posted := Notice{ID: hex.EncodeToString(sum[:16]), Reader: reader, Kind: kind, Application: about, At: tx.Now(), Event: event}
	added, err := tx.AddNotice(posted)
	return posted.Cover(), added, err
}

// Of returns the reader's notices, newest first.
func (b *Board) Of(ctx context.Context, reader ident.Subject, limit int) (found []Notice, err error) {
	err = b.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Notices(reader, limit)
		return err
	})
	return found, err
}
