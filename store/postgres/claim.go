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
	defer db.release(lease)
	c := &connection{conn: lease.Conn.Conn()}
	if lease.reading() {
		c.waiting = []statement{{text: endReading}}
	}
	claimed, err = query.New(ctx, c, "", time.Time{}).ClaimJobs(at, until, limit)
	if err != nil {
		return nil, explain(err)
	}
	slices.SortFunc(claimed, func(a, b job.Job) int {
		return cmp.Or(order(a.Background, b.Background), a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	return claimed, nil
}

// order puts what is not so before what is.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
