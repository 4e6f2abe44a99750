package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"yagona/kernel/fault"
	"yagona/store/query"
)

// connection is the connection of one transaction. It implements query.Conn.
type connection struct {
	conn    *pgx.Conn
	waiting []statement // sent with the next statement that has a result
	sent    bool        // something was
	failed  error       // the first failure: the transaction can only be rolled back

	// another returns another connection in place of one that turns out to be lost before anything was asked of it, and
	// the statement to begin with there; nil: a lost connection is a failure.
	another func() (*pgx.Conn, statement, error)
}

// statement is one that waits to be sent.
type statement struct {
	text  string
	args  []any
	check func(changed int64) error
	into  []any // what its row is scanned into; nil: it has none that matters
}

// take takes the result of the statement, which is the next one.
func (s statement) take(results pgx.BatchResults) error {
	if s.into != nil {
		return results.QueryRow().Scan(s.into...)
	}
	tag, err := results.Exec()
	if err == nil && s.check != nil {
		err = s.check(tag.RowsAffected())
	}
	return err
}

// most is how many statements wait at most.
const most = 512

var _ query.Conn = (*connection)(nil)

// Exec implements query.Conn.
func (c *connection) Exec(ctx context.Context, text string, args []any) (changed int64, err error) {
	err = c.flush(ctx, statement{text: text, args: args, check: func(count int64) error {
		changed = count
		return nil
	}})
	return changed, err
}

// Send implements query.Conn.
func (c *connection) Send(ctx context.Context, text string, args []any, check func(changed int64) error) error {
	if c.failed != nil {
		return c.failed
	}
	c.waiting = append(c.waiting, statement{text: text, args: args, check: check})
	if len(c.waiting) >= most {
		return c.flush(ctx)
	}
	return nil
}

// flush sends what waits and the last statements, and reads their results.
func (c *connection) flush(ctx context.Context, last ...statement) error {
	results, err := c.send(ctx, last)
	if err != nil {
		return err
	}
	if results == nil {
		return nil
	}
	return c.fail(results.Close())
}

// send sends what waits and the last statements in one go and reads their results; those of more follow.
func (c *connection) send(ctx context.Context, last []statement, more ...statement) (pgx.BatchResults, error) {
	if c.failed != nil {
		return nil, c.failed
	}
	sent := append(c.waiting, last...)
	if len(sent)+len(more) == 0 {
		return nil, nil
	}
	c.waiting, c.sent = nil, true
	for {
		batch := &pgx.Batch{}
		for _, one := range sent {
			batch.Queue(one.text, one.args...)
		}
		for _, one := range more {
			batch.Queue(one.text, one.args...)
		}
		results := c.conn.SendBatch(ctx, batch)
		for i, one := range sent {
			err := one.take(results)
			if err == nil {
				continue
			}
			_ = results.Close() // it fails for the same reason
			if i > 0 || c.another == nil || !c.conn.IsClosed() {
				return nil, c.fail(err)
			}
			fresh, first, err := c.another()
			if err != nil {
				return nil, c.fail(err)
			}
			c.conn, sent[0], results = fresh, first, nil
			break
		}
		if results != nil {
			c.another = nil
			return results, nil
		}
	}
}

// Query implements query.Conn.
func (c *connection) Query(ctx context.Context, text string, args []any) (query.Rows, error) {
	results, err := c.send(ctx, nil, statement{text: text, args: args})
	if err != nil {
		return nil, err
	}
	found, err := results.Query()
	if err != nil {
		_ = results.Close() // it fails for the same reason
		return nil, c.fail(err)
	}
	return &rows{Rows: found, results: results, of: c}, nil
}

func (c *connection) fail(err error) error {
	if err != nil && c.failed == nil {
		c.failed = err
	}
	return err
}

// rows are the rows of a query, which came as the last of a batch.
type rows struct {
	pgx.Rows
	results pgx.BatchResults
	of      *connection
}

// Scan implements query.Rows. Flags are stored as integers: a *bool takes one, as it does with database/sql.
func (r *rows) Scan(into ...any) error {
	for i, target := range into {
		if to, ok := target.(*bool); ok {
			into[i] = flag{to}
		}
	}
	return r.Rows.Scan(into...)
}

// flag scans an integer into a boolean.
type flag struct{ into *bool }

// Scan implements sql.Scanner.
func (f flag) Scan(value any) error {
	switch value := value.(type) {
	case int64:
		*f.into = value != 0
	case bool:
		*f.into = value
	default:
		return fmt.Errorf("a flag is stored as %T", value)
	}
	return nil
}

// Err implements query.Rows.
func (r *rows) Err() error { return r.of.fail(r.Rows.Err()) }

// Close implements query.Rows.
func (r *rows) Close() error {
	r.Rows.Close()
	return r.of.fail(errors.Join(r.Rows.Err(), r.results.Close()))
}

// transient reports whether a failure of the database leaves nothing behind and may be gone when the act is run again.
func transient(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"57P01", "57P02", "57P03", // the server shuts down, has crashed, or is starting
			"25006", // read-only: the server has become a standby
			"53300", // too many connections
			"26000": // a prepared statement is gone
			return true
		case "0A000": // a migration has changed a table under a prepared statement
			return strings.Contains(refused.Message, "cached plan")
		}
		return strings.HasPrefix(refused.Code, "08") // connection exceptions
	}
	return lost(err)
}

// lost reports whether an error tells that the connection is gone or could not be made.
func lost(err error) bool {
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.Is(err, errGone) || errors.As(err, &connecting) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		err != nil && strings.Contains(err.Error(), "EOF") || errors.Is(err, net.ErrClosed)
}

// explain returns a failure of the database as a fault that says what to do; other errors as they are.
func explain(err error) error {
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		switch {
		case refused.Code == "55P03": // lock_timeout
			return errBusy.Because(err)
		case refused.Code == "57014", refused.Code == "40001", refused.Code == "40P01": // statement_timeout; after many tries
			return errBusy.Because(err)
		case strings.HasPrefix(refused.Code, "53"), strings.HasPrefix(refused.Code, "58"): // no disk, no memory; a disk's error
			return errFull.Because(err)
		case refused.Code == "22021": // a text with a byte 0
			return fault.New(fault.Invalid, "store.text", "A text contains a character that cannot be stored. Remove it.").Because(err)
		case transient(err):
			return errAway.Because(err)
		}
		return err
	case lost(err):
		return errAway.Because(err)
	}
	return err
}

// inDoubt marks a connection that was warned: of a commit that it may not be replicated.
const inDoubt = "yagona.in-doubt"

// warned takes the server's notices. The only warning that an act can get is that its commit did not wait for the standby.
func warned(conn *pgconn.PgConn, notice *pgconn.Notice) {
	if notice.SeverityUnlocalized == "WARNING" {
		conn.CustomData()[inDoubt] = true
	}
}

// pause waits before another try: longer each time, by chance a little more or less.
func pause(ctx context.Context, attempt int) error {
	timer := time.NewTimer(jitter(min(5*time.Millisecond<<min(attempt, 8), 500*time.Millisecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
