package query

import (
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/queue"
)

const queueEntryColumns = `queue, application, applicant, rank, state, entered, changed, event`

func scanQueueEntry(scan func(into ...any) error) (e queue.Entry, err error) {
	err = scan(&e.Queue, &e.Application, &e.Applicant, &e.Rank, &e.State, instant{&e.Entered}, instant{&e.Changed}, &e.Event)
	return e, err
}

// QueueEntry implements queue.Reader.
func (t *Tx) QueueEntry(of string, application ident.Application) (queue.Entry, error) {
	return first(t, notFound("queue.unknown", "entry of a queue"), `SELECT `+queueEntryColumns+` FROM queue_entry WHERE key = $1 AND application = $2`,
		args(queue.Key(of), application), scanQueueEntry)
}

// FirstWaiting implements queue.Reader.
func (t *Tx) FirstWaiting(of string) (queue.Entry, error) {
	return first(t, notFound("queue.empty", "entry of a queue"), `SELECT `+queueEntryColumns+` FROM queue_entry
		WHERE key = $1 AND state = 'waiting' ORDER BY rank LIMIT 1`, args(queue.Key(of)), scanQueueEntry)
}

// WaitingBetween implements queue.Reader.
func (t *Tx) WaitingBetween(of, from, before string) (count int64, err error) {
	if before == "" {
		before = "~" // after every rank
	}
	err = t.row(errNoPerformance, `SELECT count(*) FROM queue_entry WHERE key = $1 AND state = 'waiting' AND rank >= $2 AND rank < $3`,
		args(queue.Key(of), from, before), &count)
	return count, err
}

// PlacesTaken implements queue.Reader.
func (t *Tx) PlacesTaken(of string) (count int64, err error) {
	err = t.row(errNoPerformance, `SELECT count(*) FROM queue_entry WHERE key = $1 AND state IN ('offered', 'held')`,
		args(queue.Key(of)), &count)
	return count, err
}

// SaveQueueEntry implements queue.Tx.
func (t *Tx) SaveQueueEntry(e queue.Entry) error {
	return t.send(`INSERT INTO queue_entry (key, `+queueEntryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (key, application) DO UPDATE SET rank = excluded.rank, state = excluded.state, changed = excluded.changed,
			event = excluded.event`,
		t.key, e.Queue, e.Application, e.Applicant, e.Rank, e.State, micros(e.Entered), micros(e.Changed), e.Event)
}

// QueueRows calls visit for every entry of a queue; for the auditor.
func (t *Tx) QueueRows(visit func(journal.Row) error) error {
	return covered(t, `SELECT key, `+queueEntryColumns+` FROM queue_entry`, scanQueueEntry,
		func(e queue.Entry) (journal.Cover, ident.Event) { return e.Cover(), e.Event }, visit)
}
