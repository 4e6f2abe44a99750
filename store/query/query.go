// Package query owns the SQL that all engines share: one transaction type that implements what every kernel package
// needs of a store, written once in portable SQL. The engines (sqlite, postgres) own connections, commits, locks and
// the tables; this package owns statements and the mapping of rows.
//
// Times are whole microseconds since 1970 in UTC, amounts are minor units, sealed data are blobs. Every table that grows
// with the population has the act's key as the first column of its primary key.
package query

import (
	"context"
	"errors"
	"reflect"
	"runtime/debug"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// Conn is the connection of an engine that a transaction runs on. The engine prepares statements and keeps them prepared.
type Conn interface {
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, text string, args []any) (int64, error)
	// Send runs a statement whose result the act does not wait for: the engine may carry it out with the next one that
	// has a result, or with the commit, in the order in which they came. If it fails, or if check is not nil and
	// refuses the number of rows that it changed, the transaction fails: Send, a later statement or the commit returns
	// the error.
	Send(ctx context.Context, text string, args []any, check func(changed int64) error) error
	// Query runs a query. Its rows must be closed before the next statement.
	Query(ctx context.Context, text string, args []any) (Rows, error)
}

// Rows is the result of a query, as *sql.Rows has it.
type Rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close() error
}

// DB is an open database of any engine.
type DB interface {
	// Update runs an act: see act.Store.
	Update(ctx context.Context, key act.Key, run func(*Tx) error) error
	// View runs readings: see act.Store.
	View(ctx context.Context, run func(*Tx) error) error
}

// For returns a database as the store that a kernel package asks for. It panics if the transaction type does not
// implement R and W, which the assertions in this package rule out.
func For[R, W any](db DB) act.Store[R, W] { return narrow[R, W]{db} }

type narrow[R, W any] struct{ db DB }

func (n narrow[R, W]) Update(ctx context.Context, key act.Key, run func(W) error) error {
	if underway(ctx, n.db) != nil {
		return errActWithin
	}
	return n.db.Update(ctx, key, func(tx *Tx) error { return run(any(tx).(W)) })
}

func (n narrow[R, W]) View(ctx context.Context, run func(R) error) error {
	if tx := underway(ctx, n.db); tx != nil {
		return run(any(tx).(R))
	}
	return n.db.View(ctx, func(tx *Tx) error {
		tx.reads = n.db
		defer func() { tx.reads = nil }()
		return run(any(tx).(R))
	})
}

// Tx is one transaction. It implements the Reader and the Tx interfaces of the kernel's packages. It belongs to one
// goroutine and is worthless after the function that got it has returned.
type Tx struct {
	ctx  context.Context
	conn Conn
	key  act.Key
	now  time.Time
	tell func() time.Time // tells now when it is asked for; nil: now is known

	// Woken says which sleepers the commit should wake.
	Woken struct{ Jobs, Events, Publications bool }

	// Event is the first event that the act appended, or "": what tells whether it was committed.
	Event ident.Event

	// Written says how much the act wrote so far.
	Written Written

	// Trace is the act's own place in a trace (W3C Trace Context, traceparent), which the jobs that it queues take on, or "".
	Trace string

	// Disclosed has the purpose of each event by which the act discloses personal data, for counting.
	Disclosed []string

	reads       DB      // of a reading under way; else nil
	cache       *Cache  // of a reading; or nil
	begun       bool    // something was read
	overwritten []place // what a cache must not give any more once the act is committed
}

// Written is how much an act wrote.
type Written struct {
	Statements int // that write
	Bytes      int // of the texts and blobs that they carried, and eight for each number
}

// count adds a statement with its arguments.
func (w *Written) count(values []any) {
	w.Statements++
	for _, value := range values {
		switch value := reflect.ValueOf(value); value.Kind() {
		case reflect.String, reflect.Slice:
			w.Bytes += value.Len()
		case reflect.Int, reflect.Int32, reflect.Int64:
			w.Bytes += 8
		}
	}
}

// New returns a transaction on a connection for an act with the key at the time; a reading has neither.
func New(ctx context.Context, conn Conn, key act.Key, now time.Time) *Tx {
	return &Tx{ctx: ctx, conn: conn, key: key, now: now}
}

// TellTime has the act's time told when it is first asked for: where it is known only once the key is locked.
func (t *Tx) TellTime(tell func() time.Time) *Tx {
	t.tell = tell
	return t
}

// Protect runs an act; a panic in it is its own error and nobody else's.
func Protect(tx *Tx, run func(*Tx) error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fault.Newf(fault.Internal, "store.panic", "An act panicked: %v\n%s", broken, debug.Stack())
		}
	}()
	return run(tx)
}

// SaveProbe writes something that nobody reads: the time.
func (t *Tx) SaveProbe() error {
	_, err := t.exec(`INSERT INTO probe (key, at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET at = excluded.at`, t.key, micros(t.Now()))
	return err
}

// Key returns the act's key.
func (t *Tx) Key() act.Key { return t.key }

// Now returns the act's time.
func (t *Tx) Now() time.Time {
	if t.tell != nil {
		t.now, t.tell = t.tell(), nil
	}
	return t.now
}

// exec runs a statement and returns how many rows it changed. Where the act does not need to know that at once, send and
// sendOne spare it the wait.
func (t *Tx) exec(text string, args ...any) (int64, error) {
	changed, err := t.conn.Exec(t.ctx, text, args)
	if err == nil {
		t.Written.count(args)
	}
	return changed, err
}

// send runs a statement; if it fails, the act fails, by its commit at the latest.
func (t *Tx) send(text string, args ...any) error {
	t.Written.count(args)
	return t.conn.Send(t.ctx, text, args, nil)
}

// sendOne runs a statement that must change exactly one row; else the act fails with the fault, by its commit at the
// latest.
func (t *Tx) sendOne(otherwise error, text string, args ...any) error {
	t.Written.count(args)
	return t.conn.Send(t.ctx, text, args, func(changed int64) error { return one(changed, nil, otherwise) })
}

// row runs a query for one row and scans it; none gives the fault missing.
func (t *Tx) row(missing error, text string, args []any, into ...any) error {
	found := false
	err := t.rows(text, args, func(scan func(into ...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(into...)
	})
	if err == nil && !found {
		return missing
	}
	return err
}

// rows runs a query and calls scan for each row.
func (t *Tx) rows(text string, args []any, scan func(scan func(into ...any) error) error) error {
	t.begun = true
	rows, err := t.conn.Query(t.ctx, text, args)
	if err != nil {
		return err
	}
	for rows.Next() {
		err := t.ctx.Err()
		if err == nil {
			err = scan(rows.Scan)
		}
		if err != nil {
			_ = rows.Close() // it fails for the same reason, if at all
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// list runs a query and collects what scan makes of each row.
func list[T any](t *Tx, text string, args []any, scan func(scan func(into ...any) error) (T, error)) ([]T, error) {
	var found []T
	err := t.rows(text, args, func(each func(into ...any) error) error {
		one, err := scan(each)
		if err == nil {
			found = append(found, one)
		}
		return err
	})
	return found, err
}

// args is short for the arguments of a query.
func args(values ...any) []any { return values }

// micros returns a time as it is stored: microseconds since 1970, NULL for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// instant scans a stored time.
type instant struct{ into *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*i.into = time.Time{}
	case int64:
		*i.into = time.UnixMicro(value).UTC()
	default:
		return fault.Newf(fault.Internal, "store.time", "A stored time is a %T instead of an integer.", value)
	}
	return nil
}

// boolean scans a stored flag.
type boolean struct{ into *bool }

// Scan implements sql.Scanner.
func (b boolean) Scan(value any) error {
	stored, ok := value.(int64)
	if !ok {
		return fault.Newf(fault.Internal, "store.flag", "A stored flag is a %T instead of an integer.", value)
	}
	*b.into = stored != 0
	return nil
}

// one checks that a statement changed exactly one row; otherwise it returns the fault.
func one(changed int64, err, otherwise error) error {
	if err != nil {
		return err
	}
	if changed != 1 {
		return otherwise
	}
	return nil
}

// notFound returns the fault for a thing that is not there.
func notFound(code, what string) error {
	return fault.Newf(fault.NotFound, code, "There is no such %s here, or it is not for you to see.", what)
}
