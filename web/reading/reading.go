// Package reading owns what people see of the readings of their data: who read which of it, when and for what, with the
// proof of each entry.
//
// It hands entries to the pages. That something was read was recorded by whoever disclosed it, before the bytes left.
//
// Invariants: a subject sees entries about themself only; an entry that a law delays is not shown before its day, and
// says the law afterwards; nothing of an erased entry is shown but that it was erased.
package reading

import (
	"context"
	"encoding/json"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/transparency"
	"yagona/std/c2sp"
)

// Entry is an event of the journal as one of its subjects may see it.
type Entry struct {
	Event   journal.StoredEvent
	Header  journal.Header
	Opening *journal.Opening // nil: it is about a population, or what it said of the subject was erased
	Shown   time.Time        // until when a law delayed it; zero: it did not
	Times   int              // how many readings it stands for: more than one only of the subject's own, one after the other
	Since   time.Time        // of several, when the oldest was
}

// Told decodes what the journal says of the subject into a value; of an erased entry nothing.
func (e Entry) Told(into any) error {
	if e.Opening == nil {
		return nil
	}
	return json.Unmarshal(e.Opening.Personal, into)
}

// Trail finds entries and proves them.
type Trail struct {
	Store act.Store[journal.Reader, journal.Tx]
	Vault *seal.Vault
	Log   *transparency.Log
	Clock act.Clock
}

// ownInPage is how many of the subject's own readings a page takes together at most, for each entry that it may have.
const ownInPage = 40

// Page returns readings of the subject's data, newest first, those before the event ("" : from the newest), and the
// event after which the next page begins ("" : there is none). The subject's own readings are told as one where they
// follow each other, so that they hide nobody else's.
func (t *Trail) Page(ctx context.Context, subject ident.Subject, before ident.Event, limit int) (entries []Entry, next ident.Event, err error) {
	sealer, err := t.Vault.Open(ctx, subject)
	if err != nil {
		return nil, "", err
	}
	err = t.Store.View(ctx, func(tx journal.Reader) error {
		entries, next = nil, ""
		last := before
		for read := 0; read < limit*ownInPage; {
			found, more, err := journal.Readings(tx, subject, t.Clock(), last, limit+1)
			if err != nil {
				return err
			}
			for _, one := range found {
				entry, err := entryOf(sealer, one)
				if err != nil {
					return err
				}
				if n := len(entries); n > 0 && entries[n-1].own(subject) && entry.own(subject) {
					entries[n-1].Times++
					entries[n-1].Since = entry.Event.At
				} else if n == limit {
					next = last
					return nil
				} else {
					entries = append(entries, entry)
				}
				last = entry.Event.ID
			}
			if more == "" {
				return nil
			}
			last, read = more, read+limit
		}
		next = last
		return nil
	})
	return entries, next, err
}

// own reports whether the subject themself read, with nobody else being told.
func (e Entry) own(subject ident.Subject) bool {
	return e.Header.Purpose == string(access.Own) && e.Header.Actor.Person.Subject() == subject
}

// Find returns the entry about the subject in an event.
func (t *Trail) Find(ctx context.Context, subject ident.Subject, id ident.Event) (entry Entry, err error) {
	sealer, err := t.Vault.Open(ctx, subject)
	if err != nil {
		return Entry{}, err
	}
	err = t.Store.View(ctx, func(tx journal.Reader) error {
		found, err := journal.ReadingOf(tx, subject, t.Clock(), id)
		if err != nil {
			return err
		}
		entry, err = entryOf(sealer, found)
		return err
	})
	return entry, err
}

// Receipt returns the entry of an act's event as whoever did it may see it: what the journal says of its subject only if
// they did it themself.
func (t *Trail) Receipt(ctx context.Context, by, subject ident.Subject, id ident.Event) (entry Entry, err error) {
	if by == subject {
		return t.Find(ctx, subject, id)
	}
	err = t.Store.View(ctx, func(tx journal.Reader) (err error) {
		entry = Entry{Times: 1}
		entry.Event, err = tx.StoredEvent(act.Of(subject), id)
		return err
	})
	return entry, err
}

func entryOf(sealer *seal.Sealer, found journal.Reading) (Entry, error) {
	entry := Entry{Event: found.Event, Times: 1}
	if err := json.Unmarshal(found.Event.Header, &entry.Header); err != nil {
		return Entry{}, journal.ErrTampered(found.Event, "its header cannot be read")
	}
	if found.Part == nil {
		entry.Shown = entry.Header.Population.From
		return entry, nil
	}
	entry.Shown = found.Part.ShownFrom
	opening, err := journal.Open(sealer, found.Event, *found.Part)
	switch {
	case fault.Is(err, fault.Erased):
		return entry, nil
	case err != nil:
		return Entry{}, err
	}
	entry.Opening = &opening
	return entry, nil
}

// Proof proves that the log has the entry, or returns false while no checkpoint covers it: at most five seconds.
func (t *Trail) Proof(ctx context.Context, entry Entry) (proof c2sp.Proof, proven bool, err error) {
	proof, err = t.Log.Proof(ctx, entry.Event.Index)
	if fault.Is(err, fault.Unavailable) {
		return c2sp.Proof{}, false, nil
	}
	return proof, err == nil, err
}

// Evidence is everything that anybody needs to verify an entry offline: the opening of the subject's part, the entry of
// the log, its proof.
type Evidence struct {
	Opening *journal.Opening `json:"opening,omitempty"` // the header, and what it commits to
	Header  []byte           `json:"header"`            // byte for byte as hashed
	Entry   []byte           `json:"entry"`             // 0x01 and the SHA-256 over "yagona event v1\n" and the header
	Proof   string           `json:"proof"`             // C2SP tlog-proof: index, inclusion proof, cosigned checkpoint
}

// Evidence returns the evidence of a proven entry.
func (e Entry) Evidence(proof c2sp.Proof) Evidence {
	return Evidence{Opening: e.Opening, Header: e.Event.Header, Entry: e.Event.Entry, Proof: string(proof.Bytes())}
}
