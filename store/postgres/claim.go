package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"yagona/kernel/job"
)

// ClaimJobs takes due jobs upon this process until the time: no other process gets them before. It takes those that lie
// free and passes over those that another process is about to take. A process that dies leaves its claims to run out.
func (db *DB) ClaimJobs(ctx context.Context, at, until time.Time, limit int) (claimed []job.Job, err error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.underWay.Done()
	rows, err := db.pool.Query(ctx, `
		UPDATE job SET claimed_until = $2 FROM (
			SELECT key, id FROM job WHERE dead = 0 AND due <= $1 AND claimed_until <= $1
			ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED
		) AS free
		WHERE job.key = free.key AND job.id = free.id
		RETURNING job.id, job.key, kind, due, payload, attempts, failure`,
		at.UnixMicro(), until.UnixMicro(), limit)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one job.Job
		var due int64
		if err := rows.Scan(&one.ID, &one.Key, &one.Kind, &due, (*[]byte)(&one.Payload), &one.Attempts, &one.Failure); err != nil {
			return nil, err
		}
		one.Due = time.UnixMicro(due).UTC()
		claimed = append(claimed, one)
	}
	slices.SortFunc(claimed, func(a, b job.Job) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
	return claimed, explain(rows.Err())
}
