package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/store/query"
)

// Update implements query.DB.
func (db *DB) Update(ctx context.Context, key act.Key, run func(*query.Tx) error) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.underWay.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	if reason := db.refused.Load(); reason != nil {
		return reason
	}
	give, err := db.keys.take(ctx, key)
	if err != nil {
		return err
	}
	defer give()
	until := time.Now().Add(db.config.Patience)
	for attempt := 0; ; attempt++ {
		again, err := db.attempt(ctx, key, run)
		if !again || ctx.Err() != nil || time.Now().After(until) {
			return explain(err)
		}
		if pause(ctx, attempt) != nil {
			return explain(err)
		}
	}
}

// attempt runs an act once. It reports whether nothing of it was done and it may be run again.
func (db *DB) attempt(ctx context.Context, key act.Key, run func(*query.Tx) error) (again bool, err error) {
	lease, err := db.acquire(ctx)
	if err != nil {
		return true, err
	}
	defer lease.Release() // a connection whose transaction did not end is closed, not given back
	// From here on the request may go away: what was begun is brought to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	ctx, stop := db.doubts.waitFor(ctx, lease.Conn())
	defer stop()
	c := &connection{conn: lease.Conn()}
	one := &commit{db: db, id: ident.Random[string](), connection: c}
	last, err := one.begin(ctx, key)
	if err != nil {
		db.rollback(c)
		return transient(err) || errors.Is(context.Cause(ctx), errGone), err
	}
	now := latest(latest(time.UnixMicro(max(last, db.newest.Load())).UTC(), time.Time{}), db.config.Clock().UTC().Truncate(time.Microsecond))
	tx := query.New(ctx, c, key, now)
	err = query.Protect(tx, run)
	if c.failed != nil && errors.Is(context.Cause(ctx), errGone) {
		c.failed = errGone
	}
	if c.failed != nil && (err == nil || transient(c.failed)) {
		err = c.failed // the function may have passed it on in other words, or not at all
	}
	if err != nil {
		db.rollback(c)
		return c.failed != nil && transient(c.failed), err
	}
	if again, err := one.commit(ctx, key, tx); err != nil {
		return again, err
	}
	for {
		newest := db.newest.Load()
		if newest >= now.UnixMicro() || db.newest.CompareAndSwap(newest, now.UnixMicro()) {
			break
		}
	}
	if observe := db.onCommit.Load(); observe != nil {
		(*observe)([]query.Written{tx.Written})
	}
	db.announce(tx)
	return false, nil
}

// acquire returns a connection of the pool. It waits for Patience at most.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, db.config.Patience)
	defer cancel()
	lease, err := db.pool.Acquire(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, errAway.Because(err)
	}
	return lease, err
}

// rollback ends a transaction that failed. If that fails, too, the pool closes the connection.
func (db *DB) rollback(c *connection) {
	if c.conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = c.conn.PgConn().Exec(ctx, "ROLLBACK").ReadAll()
}

// View implements query.DB.
func (db *DB) View(ctx context.Context, run func(*query.Tx) error) error {
	if err := db.begin(); err != nil {
		return err
	}
	defer db.underWay.Done()
	var lease *pgxpool.Conn
	defer func() {
		if lease != nil {
			lease.Release()
		}
	}()
	until := time.Now().Add(db.config.Patience)
	open := func(ctx context.Context) (_ *pgx.Conn, err error) {
		if lease != nil {
			lease.Release()
			lease = nil
		}
		for attempt := 0; ; attempt++ {
			if lease, err = db.acquire(ctx); err == nil {
				return lease.Conn(), nil
			}
			if !transient(err) || time.Now().After(until) || pause(ctx, attempt) != nil {
				return nil, err
			}
		}
	}
	conn, err := open(ctx)
	if err != nil {
		return explain(err)
	}
	ctx, stop := db.doubts.waitFor(ctx, conn)
	defer stop()
	c := &connection{conn: conn, another: open}
	// It goes out with the first query: its snapshot is taken then.
	c.waiting = []statement{{text: "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"}}
	err = run(query.New(ctx, c, "", time.Time{}))
	switch {
	case c.failed != nil && errors.Is(context.Cause(ctx), errGone):
		err = explain(errGone)
	case c.failed != nil && errors.Is(err, c.failed):
		err = explain(err)
	}
	if len(c.waiting) == 0 { // otherwise nothing was asked
		db.rollback(c) // nothing was written
	}
	return err
}

func jitter(d time.Duration) time.Duration { return d/2 + time.Duration(rand.Int64N(int64(d))) }
