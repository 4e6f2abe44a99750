package access

import (
	"context"
	"sync"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// OwnReadings journals that people read their own data: one event for a session, before the first bytes leave. It is
// safe for concurrent use.
type OwnReadings struct {
	store act.Store[journal.Reader, journal.Tx]
	vault *seal.Vault

	mu       sync.Mutex
	sessions map[ident.Session]*ownReading // guarded by mu
}

// ownReading is the reading of one session.
type ownReading struct {
	mu        sync.Mutex // held while it is journaled: what is asked for at the same time waits
	journaled bool       // guarded by mu
}

// remembered is how many sessions are remembered; a reading in a forgotten one is journaled once more.
const remembered = 100_000

// NewOwnReadings returns a recorder. A new one journals a running session once more.
func NewOwnReadings(store act.Store[journal.Reader, journal.Tx], vault *seal.Vault) *OwnReadings {
	return &OwnReadings{store: store, vault: vault, sessions: map[ident.Session]*ownReading{}}
}

// Record journals the reading, if this session has none yet. If it cannot be recorded, nothing may be shown.
func (o *OwnReadings) Record(ctx context.Context, reader Actor) error {
	if reader.Person == "" || reader.Session == "" {
		return ErrForbidden
	}
	reading := o.of(reader.Session)
	reading.mu.Lock()
	defer reading.mu.Unlock()
	if reading.journaled {
		return nil
	}
	subject := reader.Person.Subject()
	sealer, err := o.vault.Open(ctx, subject)
	if err != nil {
		return err
	}
	err = o.store.Update(ctx, act.Of(subject), func(tx journal.Tx) error {
		_, err := journal.Append(tx, sealer, journal.Event{
			Type: "own-data.read", Actor: journal.Actor{Person: reader.Person}, Purpose: string(Own),
			Parts: []journal.Part{{Subject: subject, Disclosure: true}},
		})
		return err
	})
	reading.journaled = err == nil
	return err
}

func (o *OwnReadings) of(session ident.Session) *ownReading {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.sessions[session]; !known {
		if len(o.sessions) >= remembered {
			clear(o.sessions)
		}
		o.sessions[session] = &ownReading{}
	}
	return o.sessions[session]
}
