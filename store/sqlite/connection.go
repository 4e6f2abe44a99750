package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"yagona/store/query"
)

// connection is one connection with its prepared statements. It speaks to the driver itself: a pool's locks, its retries
// and its goroutine for each cancellable query take longer than most statements. One goroutine uses it at a time.
type connection struct {
	driver    driver.Conn
	prepared  map[string]*prepared
	arguments []driver.NamedValue // of the statement under way
	moment    int64               // DB.moments when a reader's snapshot was taken; zero: it has none
}

type prepared struct {
	driver.Stmt
	row  []driver.Value // the row that was read last
	slow bool           // it took longer than quick the last time
}

// quick is how long a query may take that cannot be interrupted. To make one interruptible costs the driver two goroutines,
// more than most queries take. So only a query that took long the last time, on its connection, ends as soon as its caller's
// context does; between two rows, and two queries, every reading does.
const quick = 10 * time.Millisecond

// connect opens a connection by the name that a pool would take.
func connect(name string) (*connection, error) {
	pool, err := openPool(name)
	if err != nil {
		return nil, err
	}
	opened, err := pool.Driver().Open(name)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &connection{driver: opened, prepared: map[string]*prepared{}}, pool.Close() // it has opened none of its own
}

// close closes the statements and the connection: SQLite keeps the files of a connection whose statements are open.
func (c *connection) close() error {
	var errs []error
	for _, statement := range c.prepared {
		errs = append(errs, statement.Close())
	}
	return errors.Join(append(errs, c.driver.Close())...)
}

func (c *connection) prepare(ctx context.Context, text string) (*prepared, error) {
	if statement, ok := c.prepared[text]; ok {
		return statement, nil
	}
	preparer, ok := c.driver.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.New("the driver of SQLite prepares nothing")
	}
	statement, err := preparer.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.prepared[text] = &prepared{Stmt: statement}
	return c.prepared[text], nil
}

// named returns values as the driver takes them; they are its until the next statement.
func (c *connection) named(values []any) ([]driver.NamedValue, error) {
	c.arguments = c.arguments[:0]
	for i, value := range values {
		taken, err := argument(value)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		c.arguments = append(c.arguments, driver.NamedValue{Ordinal: i + 1, Value: taken})
	}
	return c.arguments, nil
}

// argument returns what the driver takes for a value: a text for whatever is a text, and so on.
func argument(value any) (driver.Value, error) {
	switch value := value.(type) {
	case nil, int64, string, []byte:
		return value, nil
	case driver.Valuer:
		return driver.DefaultParameterConverter.ConvertValue(value)
	}
	switch of := reflect.ValueOf(value); of.Kind() {
	case reflect.String:
		return of.String(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return of.Int(), nil
	}
	return driver.DefaultParameterConverter.ConvertValue(value)
}

// Exec implements query.Conn.
func (c *connection) Exec(ctx context.Context, text string, args []any) (int64, error) {
	statement, err := c.prepare(ctx, text)
	if err != nil {
		return 0, err
	}
	given, err := c.named(args)
	if err != nil {
		return 0, err
	}
	defer clear(given) // nothing of it stays in memory
	result, err := statement.Stmt.(driver.StmtExecContext).ExecContext(ctx, given)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Send implements query.Conn. Nothing is gained by waiting: the statement is carried out at once.
func (c *connection) Send(ctx context.Context, text string, args []any, check func(changed int64) error) error {
	changed, err := c.Exec(ctx, text, args)
	if err != nil || check == nil {
		return err
	}
	return check(changed)
}

// Query implements query.Conn.
func (c *connection) Query(ctx context.Context, text string, args []any) (query.Rows, error) {
	statement, err := c.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	given, err := c.named(args)
	if err != nil {
		return nil, err
	}
	defer clear(given)
	if !statement.slow {
		ctx = context.WithoutCancel(ctx)
	}
	begun := time.Now()
	found, err := statement.Stmt.(driver.StmtQueryContext).QueryContext(ctx, given)
	if err != nil {
		return nil, err
	}
	statement.slow = time.Since(begun) > quick
	if columns := len(found.Columns()); columns != len(statement.row) {
		statement.row = make([]driver.Value, columns)
	}
	return &rows{found: found, row: statement.row}, nil
}

// exec runs a statement of the engine's own, never under a request's context: a cancelled request must not tear a shared
// commit.
func (c *connection) exec(text string) error {
	_, err := c.Exec(context.Background(), text, nil)
	return err
}

// rows is the result of a query on a connection. The statement's row is used for each.
type rows struct {
	found  driver.Rows
	row    []driver.Value
	err    error
	closed bool
}

// Next implements query.Rows.
func (r *rows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	err := r.found.Next(r.row)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return err == nil
}

// Scan implements query.Rows.
func (r *rows) Scan(into ...any) error {
	if len(into) != len(r.row) {
		return fmt.Errorf("a row of %d columns is read into %d variables", len(r.row), len(into))
	}
	for i, one := range into {
		if err := assign(one, r.row[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// Err implements query.Rows.
func (r *rows) Err() error { return r.err }

// Close implements query.Rows.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	clear(r.row)
	return r.found.Close()
}

// assign puts what the driver read, which it does not use again, into a variable. It converts as package database/sql
// does, between what SQLite has (texts, whole numbers, blobs, nothing) and what the rows' variables are.
func assign(into any, value driver.Value) error {
	switch into := into.(type) {
	case sql.Scanner:
		return into.Scan(value)
	case *any:
		*into = value
		return nil
	case *string:
		if text, ok := value.(string); ok {
			*into = text
			return nil
		}
	case *[]byte:
		switch value := value.(type) {
		case []byte:
			*into = value
			return nil
		case nil:
			*into = nil
			return nil
		}
	}
	variable := reflect.ValueOf(into)
	if variable.Kind() != reflect.Pointer || variable.IsNil() {
		return fmt.Errorf("a %T is no variable", into)
	}
	variable = variable.Elem()
	switch kind := variable.Kind(); {
	case kind == reflect.Pointer && value == nil:
		variable.SetZero()
		return nil
	case kind == reflect.Pointer:
		variable.Set(reflect.New(variable.Type().Elem()))
		return assign(variable.Interface(), value)
	case kind == reflect.String:
		switch value := value.(type) {
		case string:
			variable.SetString(value)
			return nil
		case []byte:
			variable.SetString(string(value))
			return nil
		case int64:
			variable.SetString(strconv.FormatInt(value, 10))
			return nil
		}
	case kind == reflect.Slice && variable.Type().Elem().Kind() == reflect.Uint8:
		switch value := value.(type) {
		case nil:
			variable.SetZero()
			return nil
		case []byte:
			variable.SetBytes(value)
			return nil
		case string:
			variable.SetBytes([]byte(value))
			return nil
		}
	case kind == reflect.Bool:
		if converted, err := driver.Bool.ConvertValue(value); err == nil && value != nil {
			variable.SetBool(converted.(bool))
			return nil
		}
	case variable.CanInt():
		if number, ok := value.(int64); ok && !variable.OverflowInt(number) {
			variable.SetInt(number)
			return nil
		}
	case variable.CanUint():
		if number, ok := value.(int64); ok && number >= 0 && !variable.OverflowUint(uint64(number)) {
			variable.SetUint(uint64(number))
			return nil
		}
	case variable.CanFloat():
		switch value := value.(type) {
		case float64:
			variable.SetFloat(value)
			return nil
		case int64:
			variable.SetFloat(float64(value))
			return nil
		}
	}
	return fmt.Errorf("a %T is not a %s", value, variable.Type()) // never the value: it may be somebody's
}
