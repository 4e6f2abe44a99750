// Package queue owns the order in which people wait for limited places: who stands where, who is offered a place that is
// free, who holds one.
//
// A queue has a key of its own, so that a place is never given to two: one act looks at who waits and at who holds, and
// offers what is free to the first. What an offer means to an application (a deadline, a message) is a job; what becomes
// of it comes back by Put, which may be done again.
//
// Invariants: no more places are offered and held than there are; nobody who waits has a better rank than somebody who was
// offered a place after they entered; who has left comes back only by entering anew, at a later time. A rank is numbers that its service computed, and
// is forgotten with the offer.
package queue

import (
	"context"
	"strconv"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// State is where an application is in a queue.
type State string

// The states, of which an entry only takes later ones.
const (
	Waiting State = "waiting"
	Offered State = "offered" // a place is kept for it
	Held    State = "held"
	Left    State = "left" // it does not wait and holds nothing
)

var order = map[State]int{Waiting: 1, Offered: 2, Held: 3, Left: 4}

// Entry is an application in a queue.
type Entry struct {
	Queue       string
	Application ident.Application
	Applicant   ident.Subject
	Rank        string // of those who wait, the first in the order of bytes is first; no two are the same
	State       State
	Entered     time.Time // as whoever keeps the application says
	Changed     time.Time
	Event       ident.Event
}

// Cover returns what an event says of the entry.
func (e Entry) Cover() journal.Cover {
	e.Event = ""
	return journal.Cover{Row: "queue-entry/" + string(e.Application), Digest: journal.Digest(e)}
}

// Key returns the key that a queue's entries live under.
func Key(queue string) act.Key { return act.Key("queue:" + queue) }

// Reader is what queues need for reading.
type Reader interface {
	// QueueEntry returns an application's entry, or fault.NotFound.
	QueueEntry(queue string, application ident.Application) (Entry, error)
	// FirstWaiting returns the entry that waits with the least rank, or fault.NotFound.
	FirstWaiting(queue string) (Entry, error)
	// WaitingBetween counts the entries that wait with a rank from the first to before the second; "" as the second: to
	// the last.
	WaitingBetween(queue, from, before string) (int64, error)
	// PlacesTaken counts the places that are offered or held.
	PlacesTaken(queue string) (int64, error)
	// JobsOf returns the jobs under the key.
	JobsOf(key act.Key) ([]job.Job, error)
}

// Tx is what queues need of an act.
type Tx interface {
	journal.Tx
	job.Tx
	Reader
	// SaveQueueEntry stores a new or changed entry under the act's key, its queue's.
	SaveQueueEntry(entry Entry) error
}

// The kinds of job, under the queue's key. Whoever keeps applications does both.
const (
	JobOffer = "queue.offer" // tell the application that a place is offered
	JobFill  = "queue.fill"  // once a day, while somebody waits: there may be more places
)

// Job is the payload of the jobs.
type Job struct {
	Queue       string            `json:"queue"`
	Application ident.Application `json:"application,omitempty"` // of JobOffer
}

// Queues keeps queues. It is safe for concurrent use.
type Queues struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
}

// Put says where an application stands, as whoever keeps it decided, and how many places there are; what is free is
// offered. The same again, and what is older than what is known, changes nothing.
func (q *Queues) Put(ctx context.Context, wanted Entry, places int64) error {
	return q.act(ctx, wanted.Queue, func(m *moving) error {
		stored, err := m.tx.QueueEntry(wanted.Queue, wanted.Application)
		switch {
		case fault.Is(err, fault.NotFound), err == nil && wanted.Entered.After(stored.Entered):
			stored = wanted // if it has left before the news came that it entered, that news changes nothing any more
		case err != nil:
			return err
		case order[wanted.State] <= order[stored.State]:
			return m.fill(wanted.Queue, places)
		default:
			stored.State = wanted.State
		}
		if err := m.save(stored); err != nil {
			return err
		}
		return m.fill(wanted.Queue, places)
	})
}

// Fill offers what is free, given how many places there are.
func (q *Queues) Fill(ctx context.Context, queue string, places int64) error {
	return q.act(ctx, queue, func(m *moving) error { return m.fill(queue, places) })
}

// First returns the application that waits first, or fault.NotFound.
func (q *Queues) First(ctx context.Context, queue string) (first Entry, err error) {
	err = q.Store.View(ctx, func(tx Reader) error {
		first, err = tx.FirstWaiting(queue)
		return err
	})
	return first, err
}

// Position is how many stand before an application that waits.
type Position struct {
	Ahead   []int64 // by which part of the rank they are before it, in the order of the parts
	Waiting int64   // how many wait, the application among them
	Taken   int64   // places that are offered or held
}

// Position returns where a rank stands. Its parts are counted apart: those of the same length come first, what is left of
// the rank is the last one.
func (q *Queues) Position(ctx context.Context, queue, rank string, parts, length int) (found Position, err error) {
	err = q.Store.View(ctx, func(tx Reader) error {
		found = Position{}
		for part := range parts + 1 {
			before := rank
			if part < parts {
				before = rank[:(part+1)*length]
			}
			ahead, err := tx.WaitingBetween(queue, rank[:part*length], before)
			if err != nil {
				return err
			}
			found.Ahead = append(found.Ahead, ahead)
		}
		if found.Waiting, err = tx.WaitingBetween(queue, "", ""); err != nil {
			return err
		}
		found.Taken, err = tx.PlacesTaken(queue)
		return err
	})
	return found, err
}

// moving is what one act does to a queue.
type moving struct {
	tx      Tx
	event   ident.Event
	covers  []journal.Cover
	offered int
}

func (q *Queues) act(ctx context.Context, queue string, run func(*moving) error) error {
	sealer, err := q.Vault.Open(ctx)
	if err != nil {
		return err
	}
	return q.Store.Update(ctx, Key(queue), func(tx Tx) error {
		m := &moving{tx: tx, event: journal.NewID(tx)}
		if err := run(m); err != nil || len(m.covers) == 0 {
			return err
		}
		return journal.AppendAs(tx, sealer, m.event, journal.Event{
			Type: "queue.moved", Actor: journal.Actor{Component: "queue"}, Object: "queue:" + queue, Covers: m.covers,
			Facts: map[string]string{"offered": strconv.Itoa(m.offered)},
		})
	})
}

func (m *moving) save(entry Entry) error {
	entry.Changed, entry.Event = m.tx.Now(), m.event
	if entry.State != Waiting {
		entry.Rank = ""
	}
	m.covers = append(m.covers, entry.Cover())
	return m.tx.SaveQueueEntry(entry)
}

// fill offers free places to those who wait, and makes sure that somebody looks again tomorrow while others wait.
func (m *moving) fill(queue string, places int64) error {
	taken, err := m.tx.PlacesTaken(queue)
	if err != nil {
		return err
	}
	for {
		first, err := m.tx.FirstWaiting(queue)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if taken >= places {
			return m.tomorrow(queue)
		}
		first.State = Offered
		m.covers = deleteRow(m.covers, first)
		if err := m.save(first); err != nil {
			return err
		}
		if err := job.Queue(m.tx, JobOffer, 0, Job{Queue: queue, Application: first.Application}); err != nil {
			return err
		}
		taken++
		m.offered++
	}
}

// deleteRow removes what an act covers of an entry before it changes it again: an event covers a row in its final form.
func deleteRow(covers []journal.Cover, entry Entry) []journal.Cover {
	kept := covers[:0]
	for _, one := range covers {
		if one.Row != entry.Cover().Row {
			kept = append(kept, one)
		}
	}
	return kept
}

func (m *moving) tomorrow(queue string) error {
	jobs, err := m.tx.JobsOf(Key(queue))
	if err != nil {
		return err
	}
	for _, one := range jobs {
		if one.Kind == JobFill && one.Due.After(m.tx.Now()) {
			return nil
		}
	}
	return job.Queue(m.tx, JobFill, 24*time.Hour, Job{Queue: queue})
}
