package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"yagona/kernel/ident"
	"yagona/std/wholefile"
)

// CopyFile writes the database in the file from, as it is at this moment, into the new file to: a consistent whole, durable
// when CopyFile returns. The database may be in use, by other processes too; neither its acts nor its readings wait.
func CopyFile(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return err // opening it would make an empty one
	}
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s is there already: a copy never overwrites another", to)
	}
	pool, err := OpenFile(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	unfinished := to + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	// One reading of one snapshot: the write-ahead log keeps acts going meanwhile, and what was deleted is left out.
	if _, err := pool.ExecContext(ctx, `VACUUM INTO ?`, unfinished); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	if err := wholefile.Sync(unfinished); err != nil {
		return err
	}
	if err := os.Rename(unfinished, to); err != nil {
		return err
	}
	return wholefile.Sync(filepath.Dir(to))
}

// CheckFile looks whether the database in the file is whole: nil, or what SQLite finds wrong with it. It reads all of it.
func CheckFile(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	pool, err := OpenFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	rows, err := pool.QueryContext(ctx, `PRAGMA quick_check(10)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var said string
		if err := rows.Scan(&said); err != nil {
			return err
		}
		if said != "ok" {
			err = errors.Join(err, fmt.Errorf("%s: %s", path, said))
		}
	}
	return errors.Join(err, rows.Err())
}

// Erased returns the subjects whose keys were destroyed, in order.
func (s *SubjectKeys) Erased(ctx context.Context) (erased []ident.Subject, err error) {
	rows, err := s.pool.QueryContext(ctx, `SELECT subject FROM subject_key WHERE erased = 1 ORDER BY subject`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one ident.Subject
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		erased = append(erased, one)
	}
	return erased, rows.Err()
}
