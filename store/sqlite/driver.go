//go:build !race || !cgo

package sqlite

import (
	"errors"

	"modernc.org/sqlite" // the driver "sqlite"
)

// resultCode returns the code of an error of SQLite's, 0 of another.
func resultCode(err error) int {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		return failed.Code()
	}
	return 0
}
