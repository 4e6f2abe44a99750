package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/store/query"
)

// commit is the transaction of an act, from its beginning to the knowledge of its end.
//
// When a connection is lost while a commit is under way, the act may be done or not. Three things tell:
//
//   - The server still knows a transaction's state by its number (pg_xact_status): while it is in progress, the outcome is
//     open, and we ask again.
//   - Then the act left something that nobody else can have written: its event, or, if it has none, its mark in act_mark.
//     If it is there, the act was committed; if not, it never will be. A number alone would not do: after a crash or a
//     failover it may have been given to another transaction.
//   - What we see may be committed here and not yet on the synchronous standby. A message in the log (which a commit waits
//     for like for any other) makes sure before the act is acknowledged.
//
// If the server does not come back in time, the caller is told that the outcome is not known; the act is not run again.
type commit struct {
	*connection
	db          *DB
	id          string // of the act
	transaction string // its number on the server; empty: it has not begun
	last        int64  // the newest act's time before it, in microseconds
	now         time.Time
	backend     string // the connection's name in act_mark
}

// begin has the transaction begun, and the key locked, with the first statement; after that of a reading that is over.
func (c *commit) begin(key act.Key, reading bool) {
	if reading {
		c.waiting = append(c.waiting, statement{text: endReading})
	}
	c.waiting = append(c.waiting,
		statement{text: "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"},
		statement{text: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", args: []any{string(key)}},
		statement{text: "SELECT pg_current_xact_id()::text, last_value FROM act_time", into: []any{&c.transaction, &c.last}})
}

// reach waits until the transaction has begun and the key is locked.
func (c *commit) reach(ctx context.Context) error {
	if c.failed != nil || c.transaction != "" {
		return c.failed
	}
	return c.flush(ctx)
}

// time returns the act's time, which the lock must come before. If that fails, so does the act.
func (c *commit) time(ctx context.Context) time.Time {
	_ = c.reach(ctx) // noted as the connection's failure
	if c.now.IsZero() {
		newest := time.UnixMicro(max(c.last, c.db.newest.Load())).UTC()
		c.now = latest(newest, c.db.config.Clock().UTC().Truncate(time.Microsecond))
	}
	return c.now
}

// commit sends what waits and the commit. It reports whether nothing was done and the act may be run again.
func (c *commit) commit(ctx context.Context, key act.Key, tx *query.Tx) (again bool, err error) {
	custom := c.conn.PgConn().CustomData()
	last := []statement{}
	now := c.time(ctx).UnixMicro()
	if tx.Event == "" && tx.Written.Statements > 0 {
		c.backend, _ = custom["yagona.name"].(string)
		if c.backend == "" {
			c.backend = c.id
			custom["yagona.name"] = c.backend
		}
		last = append(last, statement{text: `INSERT INTO act_mark (connection, act, at) VALUES ($1, $2, $3)
			ON CONFLICT (connection) DO UPDATE SET act = excluded.act, at = excluded.at`, args: []any{c.backend, c.id, now}})
	}
	last = append(last,
		statement{text: `SELECT CASE WHEN last_value < $1 THEN setval('act_time', $1) END FROM act_time`, args: []any{now}},
		statement{text: "COMMIT"})
	delete(custom, inDoubt)
	err = c.flush(ctx, last...)
	if err == nil && custom[inDoubt] == nil {
		return false, nil
	}
	var refused *pgconn.PgError
	if err != nil && !c.conn.IsClosed() && (!errors.As(err, &refused) || refused.SeverityUnlocalized == "ERROR") {
		c.db.rollback(c.connection)
		return transient(err), err
	}
	if tx.Written.Statements == 0 {
		return true, err // there is nothing to lose
	}
	done, unknown := c.resolve(context.WithoutCancel(ctx), key, tx)
	switch {
	case unknown != nil:
		return false, errUnknown.Because(errors.Join(err, unknown))
	case done:
		return false, nil
	}
	return true, fault.Of(errAway.Because(err))
}

// resolve finds out whether the act was committed.
func (c *commit) resolve(ctx context.Context, key act.Key, tx *query.Tx) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, max(30*time.Second, 2*c.db.config.Patience))
	defer cancel()
	for attempt := 0; ; attempt++ {
		var open bool
		if done, open, err = c.look(ctx, key, tx); err == nil && !open {
			return done, nil
		}
		if pausing := pause(ctx, attempt); pausing != nil {
			return false, errors.Join(err, pausing)
		}
	}
}

// look asks once whether the act was committed; open: not yet decided.
func (c *commit) look(ctx context.Context, key act.Key, tx *query.Tx) (done, open bool, err error) {
	err = pgx.BeginFunc(ctx, c.db.pool, func(asking pgx.Tx) error {
		var state *string
		var refused *pgconn.PgError
		err := pgx.BeginFunc(ctx, asking, func(inner pgx.Tx) error { // a savepoint: a number from the future is an error
			return inner.QueryRow(ctx, `SELECT pg_xact_status($1::xid8)`, c.transaction).Scan(&state)
		})
		switch {
		case errors.As(err, &refused) && refused.Code == "22023":
			// The server never gave this number, or lost it in a crash: nothing of the transaction is left.
		case err != nil:
			return err
		case state != nil && *state == "in progress":
			// The server has not noticed that we are gone, and would hold the key's lock until it does.
			open = true
			_, err := asking.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE pid = $1 AND backend_xid = $2::xid8::xid`, int64(c.conn.PgConn().PID()), c.transaction)
			return err
		}
		text, args := `SELECT count(*) > 0 FROM act_mark WHERE connection = $1 AND act = $2`, []any{c.backend, c.id}
		if tx.Event != "" {
			text, args = `SELECT count(*) > 0 FROM event WHERE key = $1 AND id = $2`, []any{string(key), string(tx.Event)}
		}
		if err := asking.QueryRow(ctx, text, args...).Scan(&done); err != nil {
			return err
		}
		_, err = asking.Exec(ctx, `SELECT pg_logical_emit_message(true, 'yagona', 'outcome')`)
		return err
	})
	return done, open, err
}
