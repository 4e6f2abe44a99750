package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

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
	c := &connection{conn: lease.Conn.Conn()}
	defer func() {
		if !c.sent {
			db.leave(lease)
			return
		}
		db.release(lease)
	}()
	// From here on the request may go away: what was begun is brought to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	ctx, stop := db.doubts.waitFor(ctx, c.conn)
	defer stop()
	one := &commit{db: db, id: ident.Random[string](), connection: c}
	one.begin(key, lease.reading())
	tx := query.New(ctx, c, key, time.Time{}).TellTime(func() time.Time { return one.time(ctx) })
	err = query.Protect(tx, run)
	if err == nil {
		err = one.reach(ctx) // an act that asked for nothing still waits for its key
	}
	if c.failed != nil && errors.Is(context.Cause(ctx), errGone) {
		c.failed = errGone
	}
	if c.failed != nil && (err == nil || one.transaction == "" || transient(c.failed)) {
		err = c.failed // the function may have passed it on in other words, or not at all
	}
	if err != nil {
		db.rollback(c)
		return c.failed != nil && transient(c.failed), err
	}
	if again, err := one.commit(ctx, key, tx); err != nil {
		return again, err
	}
	now := one.now.UnixMicro()
	for {
		newest := db.newest.Load()
		if newest >= now || db.newest.CompareAndSwap(newest, now) {
			break
		}
	}
	if observe := db.onCommit.Load(); observe != nil {
		(*observe)([]query.Written{tx.Written})
	}
	db.announce(tx)
	return false, nil
}

// rollback ends a transaction that failed. If that fails, too, the pool closes the connection.
func (db *DB) rollback(c *connection) {
	if c.conn.IsClosed() || c.conn.PgConn().IsBusy() || c.conn.PgConn().TxStatus() == 'I' {
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
	var held *lease
	defer func() {
		if held != nil {
			db.leave(held)
		}
	}()
	until := time.Now().Add(db.config.Patience)
	open := func(acquire func(context.Context) (*lease, error)) (conn *pgx.Conn, err error) {
		if held != nil {
			db.release(held)
			held = nil
		}
		for attempt := 0; ; attempt++ {
			if held, err = acquire(ctx); err == nil {
				return held.Conn.Conn(), nil
			}
			if !transient(err) || time.Now().After(until) || pause(ctx, attempt) != nil {
				return nil, err
			}
		}
	}
	conn, err := open(db.acquire)
	if err != nil {
		return explain(err)
	}
	ctx, stop := db.doubts.waitFor(ctx, conn)
	defer stop()
	// The beginning goes out with the first query: its snapshot is taken then.
	c := &connection{conn: conn, waiting: []statement{{text: beginReading}}}
	c.another = func() (*pgx.Conn, statement, error) {
		fresh, err := open(db.fresh)
		return fresh, statement{text: beginReading}, err
	}
	if held.reading() {
		c.waiting[0].text = readAnew
	}
	err = run(query.New(ctx, c, "", time.Time{}))
	switch {
	case c.failed != nil && errors.Is(context.Cause(ctx), errGone):
		err = explain(errGone)
	case c.failed != nil && errors.Is(err, c.failed):
		err = explain(err)
	}
	return err
}

func jitter(d time.Duration) time.Duration { return d/2 + time.Duration(rand.Int64N(int64(d))) }
