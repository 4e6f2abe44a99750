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

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/archive"
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
	// Away returns the archived stretches of the journal that cannot be read now, the oldest first: a page leaves out what is
	// in them, and whoever shows it says so. Nil: nothing was ever moved out.
	Away func(context.Context) ([]archive.Volume, error)
	// Keeper is whom people ask for what is away; "": the operator of the site.
	Keeper ident.Agency
}

// Missing is what cannot be shown because the archives that have it are not connected.
type Missing struct {
	From     string       `json:"from" doc:"the first month of which an archive is missing: 2025-01"`
	Until    string       `json:"until" doc:"the last one"`
	Archives []string     `json:"archives" doc:"the names of the archives, to ask for"`
	Ask      ident.Agency `json:"ask,omitempty" doc:"whom to ask; absent: the operator of the site"`
}

// Missing returns of which months the journal cannot be read now; nil: of none.
func (t *Trail) Missing(ctx context.Context) (*Missing, error) {
	away, err := t.away(ctx)
	if err != nil || len(away) == 0 {
		return nil, err
	}
	missing := &Missing{From: away[0].Month, Until: away[len(away)-1].Month, Ask: t.Keeper}
	for _, one := range away {
		missing.Archives = append(missing.Archives, one.ID)
	}
	return missing, nil
}

func (t *Trail) away(ctx context.Context) ([]archive.Volume, error) {
	if t.Away == nil {
		return nil, nil
	}
	return t.Away(ctx)
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
	if !fault.Is(err, fault.NotFound) {
		return entry, err
	}
	away, failed := t.away(ctx)
	if failed != nil {
		return Entry{}, failed
	}
	for _, one := range away {
		if one.Oldest <= id && id <= one.Newest {
			return Entry{}, archive.ErrAway
		}
	}
	return entry, err
}

// Receipt returns the entry of an act's event as whoever did it may see it: what the journal says of its subject only if
// they did it themself. What the act itself has recorded (nil: it was done before) is not read again.
func (t *Trail) Receipt(ctx context.Context, by, subject ident.Subject, id ident.Event, recorded *journal.Recorded) (entry Entry, err error) {
	if recorded != nil {
		entry = Entry{Event: recorded.Event, Times: 1}
		if by == subject {
			entry.Opening = recorded.Opening(subject, t.Clock())
		}
		return entry, nil
	}
	sealer, err := t.Vault.Open(ctx, subject)
	if err != nil {
		return Entry{}, err
	}
	err = t.Store.View(ctx, func(tx journal.Reader) error {
		event, err := tx.StoredEvent(act.Of(subject), id)
		entry = Entry{Event: event, Times: 1}
		if err != nil || by != subject {
			return err
		}
		parts, err := tx.StoredParts(act.Of(subject), id)
		own := slices.IndexFunc(parts, func(part journal.StoredPart) bool { return part.Subject == subject && !part.ShownFrom.After(t.Clock()) })
		switch {
		case err != nil:
			return err
		case own < 0:
			return journal.ErrUnknown
		}
		entry, err = entryOf(sealer, journal.Reading{Event: event, Part: &parts[own]})
		return err
	})
	if by == subject && fault.Is(err, fault.NotFound) {
		return t.Find(ctx, subject, id) // it may be away
	}
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
