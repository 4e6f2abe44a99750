package query

import (
	"time"

	"yagona/kernel/act"
	"yagona/kernel/erasure"
	"yagona/kernel/job"
)

// Awaited is a job that something in the records waits for.
type Awaited struct {
	Key  act.Key
	Row  string    // what waits: "task/<id>"
	Kind string    // of the job
	ID   string    // of what waits; the job's payload names it
	Due  time.Time // when the job is due at the latest; zero: nobody can tell
}

// AwaitedJobs returns the jobs without which something that was begun would never go on, in the order of their keys, after
// the given one (zero: from the first), at most limit; for the auditor. An erasure waits until it is carried out, which
// the records do not tell.
func (t *Tx) AwaitedJobs(after Awaited, limit int) ([]Awaited, error) {
	return list(t, `SELECT key, row, kind, id, due FROM (
			SELECT key, 'task/' || id AS row, 'application.deadline' AS kind, id, due FROM task WHERE state IN ('open', 'claimed') AND due IS NOT NULL
			UNION ALL SELECT key, 'task/' || id, 'application.silence', id, NULL FROM task WHERE state = 'waiting'
			UNION ALL SELECT key, 'application/' || id, 'application.expire', id, expires FROM application WHERE state = 'draft'
			UNION ALL SELECT key, 'application/' || id, 'application.gather', id, NULL FROM application WHERE state = 'gathering'
			UNION ALL SELECT key, 'application/' || id, 'application.lapse', id, expires FROM application WHERE state = 'offered'
			UNION ALL SELECT key, 'entitlement/' || application, 'application.review', application, reviewed FROM entitlement WHERE state = 'in-force' AND reviewed IS NOT NULL
			UNION ALL SELECT key, 'payment-order/' || id, 'ledger.send-order', id, NULL FROM payment_order WHERE state IN ('released', 'sent')
			UNION ALL SELECT key, 'delivery/' || id, 'notice.deliver', id, NULL FROM delivery WHERE state IN ('queued', 'failed')
			UNION ALL SELECT key, 'correction/' || id, 'correction.late', id, due FROM correction WHERE state = 'open' AND late = 0
			UNION ALL SELECT key, 'erasure/' || id, 'erasure.carry-out', id, NULL FROM erasure
		) AS awaited WHERE (key, row) > ($1, $2) ORDER BY key, row LIMIT $3`,
		args(after.Key, after.Row, limit), func(scan func(into ...any) error) (one Awaited, err error) {
			err = scan(&one.Key, &one.Row, &one.Kind, &one.ID, instant{&one.Due})
			return one, err
		})
}

// JobsOf implements erasure.Reader: dead ones, too.
func (t *Tx) JobsOf(key act.Key) ([]job.Job, error) {
	return list(t, `SELECT `+jobColumns+` FROM job WHERE key = $1 ORDER BY id`, args(key), scanJob)
}

// HeldJobs returns the jobs that no process will do by itself: the dead ones, and those claimed for longer than the time; in
// the order of their keys and ids, after the given one (zero: from the first), at most limit; for the auditor.
func (t *Tx) HeldJobs(beyond time.Time, after job.Job, limit int) ([]job.Job, error) {
	return list(t, `SELECT `+jobColumns+` FROM job WHERE (dead = 1 OR claimed_until > $1) AND (key, id) > ($2, $3) ORDER BY key, id LIMIT $4`,
		args(micros(beyond), after.Key, after.ID, limit), scanJob)
}

// ErasureOf returns an erasure under its key; for the auditor.
func (t *Tx) ErasureOf(key act.Key, id string) (erasure.Erasure, error) {
	return first(t, notFound("erasure.unknown", "erasure"), `SELECT row FROM erasure WHERE key = $1 AND id = $2`, args(key, id), scanErasure)
}
