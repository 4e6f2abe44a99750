//go:build !race || !cgo

package sqlite

import (
	"database/sql"
	"errors"

	"modernc.org/sqlite" // the driver "sqlite"
)

func openPool(name string) (*sql.DB, error) { return sql.Open("sqlite", name) }

// resultCode returns the code of an error of SQLite's, 0 of another.
func resultCode(err error) int {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		return failed.Code()
	}
	return 0
}
