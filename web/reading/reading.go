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
	"slices"
	"time"

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
	Opening *journal.Opening // nil: what it said of the subject was erased
	Shown   time.Time        // until when a law delayed it; zero: it did not
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

var errUnknown = fault.New(fault.NotFound, "journal.unknown", "There is no such entry about you, or it is not yet for you to see.")

// Page returns readings of the subject's data, newest first, those before the event ("" : from the newest), and the
// event after which the next page begins ("" : there is none).
func (t *Trail) Page(ctx context.Context, subject ident.Subject, before ident.Event, limit int) (entries []Entry, next ident.Event, err error) {
	sealer, err := t.Vault.Open(ctx, subject)
	if err != nil {
		return nil, "", err
	}
	err = t.Store.View(ctx, func(tx journal.Reader) error {
		entries, next = nil, ""
		parts, err := tx.PartsOf(subject, true, before, limit+1)
		if err != nil {
			return err
		}
		if len(parts) > limit {
			parts = parts[:limit]
			next = parts[limit-1].Event
		}
		for _, part := range parts {
			if part.ShownFrom.After(t.Clock()) {
				continue
			}
			entry, err := entryOf(tx, sealer, part)
			if err != nil {
				return err
			}
			entries = append(entries, entry)
		}
		return nil
	})
	return entries, next, err
}

// Find returns the entry about the subject in an event.
func (t *Trail) Find(ctx context.Context, subject ident.Subject, id ident.Event) (entry Entry, err error) {
	sealer, err := t.Vault.Open(ctx, subject)
	if err != nil {
		return Entry{}, err
	}
	err = t.Store.View(ctx, func(tx journal.Reader) error {
		// An identifier holds nothing after "~": the newest part before "<id>~" is of this event, if it has one.
		parts, err := tx.PartsOf(subject, false, id+"~", 1)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(parts, func(p journal.StoredPart) bool { return p.Event == id && !p.ShownFrom.After(t.Clock()) })
		if i < 0 {
			return errUnknown
		}
		entry, err = entryOf(tx, sealer, parts[i])
		return err
	})
	return entry, err
}

func entryOf(tx journal.Reader, sealer *seal.Sealer, part journal.StoredPart) (Entry, error) {
	event, err := tx.StoredEvent(part.Key, part.Event)
	if err != nil {
		return Entry{}, err
	}
	entry := Entry{Event: event, Shown: part.ShownFrom}
	if err := json.Unmarshal(event.Header, &entry.Header); err != nil {
		return Entry{}, journal.ErrTampered(event, "its header cannot be read")
	}
	opening, err := journal.Open(sealer, event, part)
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
