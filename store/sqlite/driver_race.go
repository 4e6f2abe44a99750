//go:build race && cgo

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	library "github.com/mattn/go-sqlite3"
)

// register makes SQLite in C the driver "sqlite" under the race detector. The product's is SQLite in Go, each of whose million
// steps the detector would follow: that is ten times as slow, and what goes on inside SQLite is not what it looks for.
var register = sync.OnceFunc(func() {
	if !slices.Contains(sql.Drivers(), "sqlite") { // a test may have brought its own
		sql.Register("sqlite", native{})
	}
})

func openPool(name string) (*sql.DB, error) {
	register()
	return sql.Open("sqlite", name)
}

type native struct{ library.SQLiteDriver }

// Open opens a connection and carries out the pragmas in the name ("_pragma=busy_timeout(5000)"), as the product's driver
// does.
func (n native) Open(name string) (driver.Conn, error) {
	conn, err := n.SQLiteDriver.Open(name)
	if err != nil {
		return nil, err
	}
	_, query, _ := strings.Cut(name, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	opened := nativeConn{conn.(*library.SQLiteConn)}
	for _, pragma := range values["_pragma"] {
		if _, err := opened.ExecContext(context.Background(), "PRAGMA "+pragma, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", pragma, err), conn.Close())
		}
	}
	return opened, nil
}

// nativeConn reads $1 as the first argument, as the product's driver does; to SQLite itself it is a name.
type nativeConn struct{ *library.SQLiteConn }

var numbered = regexp.MustCompile(`\$(\d+)`)

func (c nativeConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	return c.SQLiteConn.PrepareContext(ctx, numbered.ReplaceAllString(text, "?$1"))
}

func (c nativeConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	return c.SQLiteConn.ExecContext(ctx, numbered.ReplaceAllString(text, "?$1"), args)
}

func (c nativeConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return c.SQLiteConn.QueryContext(ctx, numbered.ReplaceAllString(text, "?$1"), args)
}

// resultCode returns the code of an error of SQLite's, 0 of another.
func resultCode(err error) int {
	if failed, ok := errors.AsType[library.Error](err); ok {
		return int(failed.Code)
	}
	return 0
}
