package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"yagona/kernel/job"
	"yagona/store/query"
)

// ClaimJobs takes due jobs upon this process until the time: no other process gets them before. It takes those that lie
// free and passes over those that another process is about to take, those in the background last. A process that dies leaves
// its claims to run out.
func (db *DB) ClaimJobs(ctx context.Context, at, until time.Time, limit int) (claimed []job.Job, err error) {
	if err := db.begin(); err != nil {
		return nil, err
	}
	defer db.underWay.Done()
	lease, err := db.acquire(ctx)
	if err != nil {
		return nil, explain(err)
	}
	defer lease.Release()
	c := &connection{conn: lease.Conn()}
	for _, background := range []bool{false, true} {
		some, err := query.New(ctx, c, "", time.Time{}).ClaimJobs(at, until, limit-len(claimed), background)
		if err != nil && len(claimed) == 0 {
			return nil, explain(err)
		}
		slices.SortFunc(some, func(a, b job.Job) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID)) })
		if claimed = append(claimed, some...); len(claimed) == limit {
			break
		}
	}
	return claimed, nil
}
