package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"yagona/kernel/ident"
	"yagona/kernel/seal"
)

// SubjectKeys keeps the wrapped keys of subjects in a file of their own (seal.Store). Erased keys are overwritten in the
// file (secure_delete), so that the file does not hold them any more.
type SubjectKeys struct{ pool *sql.DB }

// OpenSubjectKeys opens the file at the path, or makes it.
func OpenSubjectKeys(ctx context.Context, path string, durable bool) (*SubjectKeys, error) {
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	synchronous := "FULL"
	if !durable {
		synchronous = "OFF"
	}
	// No WAL: it would keep erased keys until the next checkpoint.
	pool, err := OpenFile(path, "journal_mode(DELETE)", "synchronous("+synchronous+")", "secure_delete(1)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	_, err = pool.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS subject_key (
		subject TEXT NOT NULL PRIMARY KEY, wrapped BLOB NOT NULL, erased INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the subjects' keys: %w", err)
	}
	return &SubjectKeys{pool: pool}, nil
}

// Close closes the file.
func (s *SubjectKeys) Close() error { return s.pool.Close() }

// OnErased sets what is called when another process erased a key: there is none.
func (s *SubjectKeys) OnErased(func(...ident.Subject)) {}

// SubjectKeys implements seal.Store.
func (s *SubjectKeys) SubjectKeys(ctx context.Context, subjects []ident.Subject) (found []seal.WrappedKey, err error) {
	const most = 500 // variables of one statement
	for len(subjects) > 0 {
		part := subjects[:min(most, len(subjects))]
		subjects = subjects[len(part):]
		values := make([]any, len(part))
		for i, subject := range part {
			values[i] = subject
		}
		rows, err := s.pool.QueryContext(ctx, `SELECT subject, wrapped, erased FROM subject_key WHERE subject IN (?`+
			strings.Repeat(",?", len(part)-1)+`)`, values...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var key seal.WrappedKey
			if err := rows.Scan(&key.Subject, &key.Wrapped, &key.Erased); err != nil {
				rows.Close()
				return nil, err
			}
			found = append(found, key)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Some returns a subject whose key is kept and not erased, "" if there is none: to try the master key on.
func (s *SubjectKeys) Some(ctx context.Context) (subject ident.Subject, err error) {
	err = s.pool.QueryRowContext(ctx, `SELECT subject FROM subject_key WHERE erased = 0 LIMIT 1`).Scan(&subject)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return subject, err
}

// AddSubjectKeys implements seal.Store.
func (s *SubjectKeys) AddSubjectKeys(ctx context.Context, keys []seal.WrappedKey) error {
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return cannotWrite(err)
	}
	defer tx.Rollback()
	for _, key := range keys {
		_, err := tx.ExecContext(ctx, `INSERT INTO subject_key (subject, wrapped) VALUES (?, ?) ON CONFLICT (subject) DO NOTHING`, key.Subject, key.Wrapped)
		if err != nil {
			return cannotWrite(err)
		}
	}
	return cannotWrite(tx.Commit())
}

// WrappedKeys implements seal.RewrapStore.
func (s *SubjectKeys) WrappedKeys(ctx context.Context, after ident.Subject, limit int) (found []seal.WrappedKey, err error) {
	rows, err := s.pool.QueryContext(ctx, `SELECT subject, wrapped FROM subject_key WHERE subject > ? AND erased = 0 ORDER BY subject LIMIT ?`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key seal.WrappedKey
		if err := rows.Scan(&key.Subject, &key.Wrapped); err != nil {
			return nil, err
		}
		found = append(found, key)
	}
	return found, rows.Err()
}

// RewrapSubjectKeys implements seal.RewrapStore.
func (s *SubjectKeys) RewrapSubjectKeys(ctx context.Context, before, now []seal.WrappedKey) error {
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return cannotWrite(err)
	}
	defer tx.Rollback()
	for i, key := range now {
		_, err := tx.ExecContext(ctx, `UPDATE subject_key SET wrapped = ? WHERE subject = ? AND wrapped = ? AND erased = 0`,
			key.Wrapped, key.Subject, before[i].Wrapped)
		if err != nil {
			return cannotWrite(err)
		}
	}
	return cannotWrite(tx.Commit())
}

// EraseSubjectKey implements seal.Store.
func (s *SubjectKeys) EraseSubjectKey(ctx context.Context, subject ident.Subject) error {
	_, err := s.pool.ExecContext(ctx, `INSERT INTO subject_key (subject, wrapped, erased) VALUES (?, x'', 1)
		ON CONFLICT (subject) DO UPDATE SET wrapped = x'', erased = 1`, subject)
	return cannotWrite(err)
}

func cannotWrite(err error) error {
	if err == nil {
		return nil
	}
	failure := storageFailure(err)
	if failure == nil {
		failure = errCannotWrite
	}
	return failure.Because(err)
}
