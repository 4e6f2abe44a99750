package query

import (
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
)

// StoredEvent implements journal.Reader.
func (t *Tx) StoredEvent(key act.Key, id ident.Event) (found journal.StoredEvent, err error) {
	found.Key, found.ID = key, id
	err = t.row(notFound("journal.no-event", "event"),
		`SELECT at, header, entry, coalesce(log_index, -1), (SELECT shown_from FROM event_population WHERE key = $1 AND id = $2)
			FROM event WHERE key = $1 AND id = $2`, args(key, id),
		instant{&found.At}, &found.Header, &found.Entry, &found.Index, instant{&found.ShownFrom})
	return found, err
}

// PopulationEvents implements journal.Reader.
func (t *Tx) PopulationEvents(at time.Time, before ident.Event, limit int) ([]journal.StoredEvent, error) {
	if before == "" {
		before = "~" // after every identifier
	}
	return list(t, `SELECT e.key, e.id, e.at, e.header, e.entry, coalesce(e.log_index, -1), p.shown_from
		FROM event_population p JOIN event e ON e.key = p.key AND e.id = p.id
		WHERE p.shown_from <= $1 AND p.id < $2 ORDER BY p.id DESC LIMIT $3`,
		args(micros(at), before, limit), scanEvent)
}

func scanEvent(scan func(into ...any) error) (event journal.StoredEvent, err error) {
	err = scan(&event.Key, &event.ID, instant{&event.At}, &event.Header, &event.Entry, &event.Index, instant{&event.ShownFrom})
	return event, err
}

const partColumns = `key, event, number, subject, sealed, disclosure, shown_from`

func scanPart(scan func(into ...any) error) (part journal.StoredPart, err error) {
	err = scan(&part.Key, &part.Event, &part.Number, &part.Subject, &part.Sealed, boolean{&part.Disclosure}, instant{&part.ShownFrom})
	return part, err
}

// StoredParts implements journal.Reader.
func (t *Tx) StoredParts(key act.Key, id ident.Event) ([]journal.StoredPart, error) {
	return list(t, `SELECT `+partColumns+` FROM event_part WHERE key = $1 AND event = $2 ORDER BY number`, args(key, id), scanPart)
}

// PartsOf implements journal.Reader.
func (t *Tx) PartsOf(subject ident.Subject, disclosures bool, before ident.Event, limit int) ([]journal.StoredPart, error) {
	if before == "" {
		before = "~" // after every identifier
	}
	return list(t, `SELECT `+partColumns+` FROM (
			SELECT * FROM (SELECT `+partColumns+` FROM event_part WHERE subject = $1 AND subject <> key AND disclosure >= $2 AND event < $3
				ORDER BY event DESC, number LIMIT $4) AS under_others
			UNION ALL
			SELECT * FROM (SELECT `+partColumns+` FROM event_part WHERE key = $1 AND subject = $1 AND disclosure >= $2 AND event < $3
				ORDER BY event DESC, number LIMIT $4) AS under_their_own
		) AS parts ORDER BY event DESC, number LIMIT $4`,
		args(subject, flag(disclosures), before, limit), scanPart)
}

// AppendEvent implements journal.Tx.
func (t *Tx) AppendEvent(event journal.StoredEvent, parts []journal.StoredPart) error {
	err := t.send(`INSERT INTO event (key, id, at, header, entry) VALUES ($1, $2, $3, $4, $5)`,
		event.Key, event.ID, micros(event.At), event.Header, event.Entry)
	if err != nil {
		return err
	}
	if !event.ShownFrom.IsZero() {
		err := t.send(`INSERT INTO event_population (key, id, shown_from) VALUES ($1, $2, $3)`, event.Key, event.ID, micros(event.ShownFrom))
		if err != nil {
			return err
		}
	}
	if !event.ShownFrom.IsZero() || slices.ContainsFunc(parts, func(part journal.StoredPart) bool { return part.Disclosure }) {
		t.Disclosed = append(t.Disclosed, event.Purpose)
	}
	for _, part := range parts {
		err := t.send(`INSERT INTO event_part (`+partColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			part.Key, part.Event, part.Number, part.Subject, part.Sealed, flag(part.Disclosure), micros(part.ShownFrom))
		if err != nil {
			return err
		}
	}
	t.Woken.Events = true
	if t.Event == "" {
		t.Event = event.ID
	}
	return nil
}

// EventsUnder implements practice.Reader. Since when a population may see an event is left out.
func (t *Tx) EventsUnder(key act.Key, limit int) ([]journal.StoredEvent, error) {
	found, err := list(t, `SELECT id, at, header, entry, coalesce(log_index, -1) FROM event WHERE key = $1 ORDER BY id DESC LIMIT $2`,
		args(key, limit), func(scan func(into ...any) error) (event journal.StoredEvent, err error) {
			event.Key = key
			err = scan(&event.ID, instant{&event.At}, &event.Header, &event.Entry, &event.Index)
			return event, err
		})
	slices.Reverse(found)
	return found, err
}

// EventsByIndex returns events with an index in the transparency log from the given one on, in order, at most limit;
// for the auditor.
func (t *Tx) EventsByIndex(from int64, limit int) ([]journal.StoredEvent, error) {
	return list(t, `SELECT e.key, e.id, e.at, e.header, e.entry, e.log_index, p.shown_from
		FROM event e LEFT JOIN event_population p ON p.key = e.key AND p.id = e.id
		WHERE e.log_index >= $1 ORDER BY e.log_index LIMIT $2`,
		args(from, limit), scanEvent)
}

// LastActTime returns a time that no committed act is later than, zero in an empty store.
func (t *Tx) LastActTime() (last time.Time, err error) {
	// The events without an index are few, and the indexed ones are in the order of their commits.
	err = t.row(nil, `SELECT max(at) FROM (
		SELECT max(at) AS at FROM event WHERE log_index IS NULL
		UNION ALL SELECT max(at) FROM event WHERE log_index > (SELECT coalesce(max(log_index), 0) - 1000 FROM event)) AS newest`,
		nil, instant{&last})
	return last, err
}

// JobBacklog implements job.Reader.
func (t *Tx) JobBacklog(at time.Time) (waiting job.Backlog, err error) {
	err = t.row(nil, `SELECT count(*), min(due), (SELECT count(*) FROM job WHERE dead = 1) FROM job WHERE dead = 0 AND due <= $1`,
		args(micros(at)), &waiting.Due, instant{&waiting.Oldest}, &waiting.Dead)
	return waiting, err
}

const jobColumns = `id, key, kind, due, payload, attempts, failure, dead, trace, background`

func scanJob(scan func(into ...any) error) (found job.Job, err error) {
	var payload []byte
	err = scan(&found.ID, &found.Key, &found.Kind, instant{&found.Due}, &payload, &found.Attempts, &found.Failure, boolean{&found.Dead}, &found.Trace, boolean{&found.Background})
	found.Payload = payload
	return found, err
}

// DueJobs implements job.Reader.
func (t *Tx) DueJobs(at time.Time, limit int) ([]job.Job, error) {
	return list(t, `SELECT `+jobColumns+` FROM (
			SELECT * FROM (SELECT `+jobColumns+` FROM job WHERE dead = 0 AND background = 0 AND due <= $1 ORDER BY due, id LIMIT $2) AS first
			UNION ALL
			SELECT * FROM (SELECT `+jobColumns+` FROM job WHERE dead = 0 AND background = 1 AND due <= $1 ORDER BY due, id LIMIT $2) AS then_others) AS all_due
		ORDER BY background, due, id LIMIT $2`, args(micros(at), limit), scanJob)
}

// NextJob implements job.Reader.
func (t *Tx) NextJob() (next time.Time, err error) {
	err = t.row(nil, `SELECT min(at) FROM (
		SELECT min(due) AS at FROM job WHERE dead = 0 AND claimed_until = 0
		UNION ALL SELECT min(claimed_until) FROM job WHERE claimed_until > 0) AS next`, nil, instant{&next})
	return next, err
}

// ClaimJobs takes free due jobs upon the caller until the time, at most limit, the oldest, those in the background last. It
// returns them in no order. It is for PostgreSQL, where several processes look for jobs, and a whole transaction of its own.
func (t *Tx) ClaimJobs(at, until time.Time, limit int) ([]job.Job, error) {
	return list(t, `WITH front AS MATERIALIZED (
			SELECT key, id FROM job WHERE dead = 0 AND background = 0 AND due <= $1 AND claimed_until <= $1
			ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED),
		behind AS MATERIALIZED (
			SELECT key, id FROM job WHERE dead = 0 AND background = 1 AND due <= $1 AND claimed_until <= $1
			ORDER BY due LIMIT $3 - (SELECT count(*) FROM front) FOR UPDATE SKIP LOCKED)
		UPDATE job SET claimed_until = $2 WHERE (key, id) IN (SELECT key, id FROM front UNION ALL SELECT key, id FROM behind)
		RETURNING `+jobColumns, args(micros(at), micros(until), limit), scanJob)
}

// DeadJobs implements job.Reader.
func (t *Tx) DeadJobs(limit int) ([]job.Job, error) {
	return list(t, `SELECT `+jobColumns+` FROM job WHERE dead = 1 ORDER BY due, id LIMIT $1`, args(limit), scanJob)
}

// QueueJob implements job.Tx.
func (t *Tx) QueueJob(queued job.Job) error {
	if queued.Trace == "" {
		queued.Trace = t.Trace
	}
	err := t.send(`INSERT INTO job (`+jobColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		queued.ID, queued.Key, queued.Kind, micros(queued.Due), []byte(queued.Payload), queued.Attempts, queued.Failure, flag(queued.Dead), queued.Trace, flag(queued.Background))
	t.Woken.Jobs = true
	return err
}

// FinishJob implements job.Tx.
func (t *Tx) FinishJob(key act.Key, id ident.Job) error {
	changed, err := t.exec(`DELETE FROM job WHERE key = $1 AND id = $2`, key, id)
	return one(changed, err, job.ErrGone)
}

// DelayJob implements job.Tx.
func (t *Tx) DelayJob(delayed job.Job) error {
	t.Woken.Jobs = true
	return t.sendOne(job.ErrGone, `UPDATE job SET attempts = $3, due = $4, failure = $5, dead = $6, claimed_until = 0 WHERE key = $1 AND id = $2`,
		delayed.Key, delayed.ID, delayed.Attempts, micros(delayed.Due), delayed.Failure, flag(delayed.Dead))
}

// flag returns a boolean as it is stored.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rowOf returns a covered row for the auditor.
func rowOf(cover journal.Cover, key string, event ident.Event) journal.Row {
	return journal.Row{Name: cover.Row, Key: act.Key(key), Event: event, Digest: cover.Digest}
}
