package transparency

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"yagona/kernel/act"
)

// Lead is which of several processes advances the log.
type Lead struct {
	Process string
	Term    int64     // grows by one whenever the lead goes to another process
	Until   time.Time // before then no other takes it
}

// LeadStore keeps the lead, under the platform's key.
type LeadStore interface {
	// LogLead returns the lead, zero if nobody ever took it.
	LogLead() (Lead, error)
	// SaveLogLead stores the lead.
	SaveLogLead(Lead) error
}

// LeadTx is a transaction of the log that keeps the lead, too.
type LeadTx interface {
	Tx
	LeadStore
}

// leadFor is for how long an act of the leader keeps the lead. It is longer than witnesses may take to answer.
const leadFor = 8 * time.Second

// Following is the error of an act of a process that does not lead.
type Following struct{ For time.Duration } // how long until the lead may be free

// Error implements error.
func (f Following) Error() string {
	return fmt.Sprintf("another process advances the log, for %s at least", f.For)
}

// Elected returns the store for a sequencer of one of several processes. Whoever acts first leads; the lead is kept by
// acting, and lies free when its time is over. Nothing is written while nothing happens.
//
// Every act checks in its own transaction, which holds the platform's key, that the process still has the term in which
// it began, before anything is written. So a leader that was stopped, and wakes up after another has taken the lead,
// writes nothing: its act fails with Following, even if the lead has become free again by then. Only its next run may
// take the lead, and begins from what the store says.
func Elected(store act.Store[Reader, LeadTx], process string, clock act.Clock) Store {
	return &elected{store: store, process: process, clock: clock}
}

type elected struct {
	store   act.Store[Reader, LeadTx]
	process string
	clock   act.Clock

	mu    sync.Mutex
	term  int64     // guarded by mu: in which this process leads; 0: it follows
	until time.Time // guarded by mu: while it follows, before then it need not ask
}

// Update implements act.Store.
func (e *elected) Update(ctx context.Context, key act.Key, run func(Tx) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if wait := e.until.Sub(e.clock()); e.term == 0 && wait > 0 && wait <= leadFor {
		return Following{wait}
	}
	var lead Lead
	err := e.store.Update(ctx, key, func(tx LeadTx) (err error) {
		if lead, err = tx.LogLead(); err != nil {
			return err
		}
		now := tx.Now()
		switch left := lead.Until.Sub(now); {
		case e.term != 0 && e.term == lead.Term && lead.Process == e.process:
		case e.term != 0: // another has led since
			return Following{max(left, time.Millisecond)}
		case lead.Process != e.process && left > 0 && left <= leadFor:
			return Following{left}
		default:
			lead = Lead{Process: e.process, Term: lead.Term + 1}
		}
		lead.Until = now.Add(leadFor)
		if err := tx.SaveLogLead(lead); err != nil {
			return err
		}
		return run(tx)
	})
	var following Following
	switch {
	case err == nil:
		e.term = lead.Term
	case errors.As(err, &following):
		e.term, e.until = 0, e.clock().Add(following.For)
	}
	return err
}

// View implements act.Store.
func (e *elected) View(ctx context.Context, run func(Reader) error) error {
	return e.store.View(ctx, run)
}
