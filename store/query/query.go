// Package query owns the SQL that all engines share: one transaction type that implements what every kernel package
// needs of a store, written once in portable SQL. The engines (sqlite, postgres) own connections, commits, locks and
// the tables; this package owns statements and the mapping of rows.
//
// Times are whole microseconds since 1970 in UTC, amounts are minor units, sealed data are blobs. Every table that grows
// with the population has the act's key as the first column of its primary key.
package query

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
)

// Statements prepares statements on the connection that the transaction runs on; an engine caches them.
type Statements interface {
	Prepared(ctx context.Context, text string) (*sql.Stmt, error)
}

// Tx is one transaction. It implements the Reader and the Tx interfaces of the kernel's packages. It belongs to one
// goroutine and is worthless after the function that got it has returned.
type Tx struct {
	ctx        context.Context
	statements Statements
	key        act.Key
	now        time.Time

	// Woken says which sleepers the commit should wake.
	Woken struct{ Jobs, Events bool }

	// Written says how much the act wrote so far.
	Written Written
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
func New(ctx context.Context, statements Statements, key act.Key, now time.Time) *Tx {
	return &Tx{ctx: ctx, statements: statements, key: key, now: now}
}

// Key returns the act's key.
func (t *Tx) Key() act.Key { return t.key }

// Now returns the act's time.
func (t *Tx) Now() time.Time { return t.now }

// exec runs a statement and returns how many rows it changed.
func (t *Tx) exec(text string, args ...any) (int64, error) {
	statement, err := t.statements.Prepared(t.ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	t.Written.count(args)
	return result.RowsAffected()
}

// row runs a query for one row and scans it; none gives the fault missing.
func (t *Tx) row(missing error, text string, args []any, into ...any) error {
	statement, err := t.statements.Prepared(t.ctx, text)
	if err != nil {
		return err
	}
	err = statement.QueryRowContext(t.ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return missing
	}
	return err
}

// rows runs a query and calls scan for each row.
func (t *Tx) rows(text string, args []any, scan func(scan func(into ...any) error) error) error {
	statement, err := t.statements.Prepared(t.ctx, text)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(t.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
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
