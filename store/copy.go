package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/std/wholefile"
	"yagona/store/postgres"
	"yagona/store/schema"
	"yagona/store/sqlite"
)

// A copy of a database is a file of the embedded engine, whichever engine the database has: the tables are the same. So
// what can be done with a file (audit it, keep it, look into it) can be done with every copy, and an installation can
// move from one engine to the other by way of one.

// keyTables are the tables of the subjects' keys.
var keyTables = []string{"subject_key"}

// dataTables are the tables that a copy holds: all but those that belong to one server.
func dataTables() (names []string) {
	for _, table := range schema.Tables {
		if table.Name != "act_mark" && table.Name != "goose_db_version" {
			names = append(names, table.Name)
		}
	}
	return names
}

// CopyDatabase writes the database at the location, as it is at this moment, into the new file at the path: a consistent
// whole, durable when it returns. The database may be in use.
func CopyDatabase(ctx context.Context, location, path string) error {
	if !OnServer(location) {
		return sqlite.CopyFile(ctx, location, path)
	}
	return copyFrom(ctx, location, path, dataTables(), func(path string) error {
		made, err := sqlite.Open(ctx, sqlite.Config{Path: path, Clock: time.Now, Readers: 1})
		if err != nil {
			return err
		}
		return made.Close()
	})
}

// CopySubjectKeys is CopyDatabase for the subjects' keys.
func CopySubjectKeys(ctx context.Context, location, path string) error {
	if !OnServer(location) {
		return sqlite.CopyFile(ctx, location, path)
	}
	return copyFrom(ctx, location, path, keyTables, func(path string) error {
		made, err := sqlite.OpenSubjectKeys(ctx, path, false)
		if err != nil {
			return err
		}
		return made.Close()
	})
}

// copyFrom copies tables of a server into a new file, in which make makes them.
func copyFrom(ctx context.Context, location, path string, tables []string, make func(path string) error) (err error) {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already: a copy never overwrites another", path)
	}
	unfinished := path + ".unfinished"
	for _, left := range []string{unfinished, unfinished + "-wal", unfinished + "-shm"} {
		if err := os.RemoveAll(left); err != nil {
			return err
		}
	}
	if err := make(unfinished); err != nil {
		return err
	}
	file, err := openFile(unfinished)
	if err != nil {
		return err
	}
	defer func() {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	written, err := file.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = written.Rollback() }() // after a commit it does nothing
	err = postgres.ReadTables(ctx, location, tables, func(table string, columns []string, next func() ([]any, error)) error {
		insert, err := written.PrepareContext(ctx, `INSERT INTO `+table+` (`+strings.Join(columns, ", ")+`) VALUES (?`+
			strings.Repeat(", ?", len(columns)-1)+`)`)
		if err != nil {
			return fmt.Errorf("the table %s: %w: the database was made by another release; copy it with that one", table, err)
		}
		defer insert.Close()
		for {
			row, err := next()
			if err != nil || row == nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				return fmt.Errorf("the table %s: %w", table, err)
			}
		}
	})
	if err := errors.Join(err, written.Commit()); err != nil {
		return fmt.Errorf("copying the database: %w", err)
	}
	err, file = file.Close(), nil
	if err != nil {
		return err
	}
	if err := wholefile.Sync(unfinished); err != nil {
		return err
	}
	if err := os.Rename(unfinished, path); err != nil {
		return err
	}
	return wholefile.Sync(filepath.Dir(path))
}

// openFile opens a file that nobody else has: what is written is durable once the file is flushed.
func openFile(path string) (*sql.DB, error) {
	file, err := sqlite.OpenFile(path, "journal_mode(DELETE)", "synchronous(OFF)")
	if err == nil {
		file.SetMaxOpenConns(1)
	}
	return file, err
}

// CheckEmpty returns an error that says what to do if one of the two databases of a server holds anything.
func CheckEmpty(ctx context.Context, database, subjectKeys string) error {
	if err := postgres.CheckEmpty(ctx, database, dataTables()); err != nil {
		return err
	}
	return postgres.CheckEmpty(ctx, subjectKeys, keyTables)
}

// FillDatabase fills an empty database of a server from a copy, whose tables are brought up to date: give it a copy of
// its own. All of it or nothing. Note says in the database itself where it is from (see postgres.DB.Note), before
// anything else is in it, so that no process takes it for one that was never away.
func FillDatabase(ctx context.Context, path, location, note string, clock act.Clock) (err error) {
	made, err := sqlite.Open(ctx, sqlite.Config{Path: path, Clock: clock, Readers: 1})
	if err != nil {
		return err
	}
	if err := made.Close(); err != nil {
		return err
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: location, Clock: clock, Unhurried: true, Durable: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.SetNote(ctx, note); err != nil {
		return err
	}
	if err := fill(ctx, path, location, dataTables()); err != nil {
		return err
	}
	return db.Advance(ctx, clock())
}

// FillSubjectKeys is FillDatabase for the subjects' keys, which carry no note.
func FillSubjectKeys(ctx context.Context, path, location string) error {
	keys, err := postgres.OpenSubjectKeys(ctx, location)
	if err != nil {
		return err
	}
	if err := keys.Close(); err != nil {
		return err
	}
	return fill(ctx, path, location, keyTables)
}

func fill(ctx context.Context, path, location string, tables []string) (err error) {
	file, err := openFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return postgres.WriteTables(ctx, location, tables, func(table string, columns []string) (next func() ([]any, error), err error) {
		// Rows are closed when they are at their end, and all of them with the file.
		rows, err := file.QueryContext(ctx, `SELECT `+strings.Join(columns, ", ")+` FROM `+table) //nolint:rowserrcheck,sqlclosecheck // see above
		if err != nil {
			return nil, err
		}
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		return func() ([]any, error) {
			if !rows.Next() {
				return nil, errors.Join(rows.Err(), rows.Close())
			}
			err := rows.Scan(targets...)
			return slices.Clone(values), err
		}, nil
	})
}
