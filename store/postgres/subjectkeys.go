package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"yagona/kernel/ident"
	"yagona/kernel/seal"
)

// SubjectKeys keeps the wrapped keys of subjects in a database of their own (seal.Store), with short-lived backups of its
// own. An erased key is overwritten, and the table is vacuumed, so that no query and no dump finds it. The bytes may
// remain in the server's files until they are written over, and in its write-ahead log until that is recycled: its
// archive must not be kept longer than the backups are.
type SubjectKeys struct {
	pool       *pgxpool.Pool
	stop       context.CancelFunc // nil: nobody listens
	background sync.WaitGroup
}

// erasedChannel is where the subjects of erased keys are named (ids, nothing else).
const erasedChannel = "yagona_erased"

// OnErased sets what is called with the subject whose key any process erased; without a subject, when erasures may have
// been missed.
func (s *SubjectKeys) OnErased(forget func(...ident.Subject)) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() {
		hear(ctx, s.pool.Config().ConnConfig, erasedChannel, func() { forget() }, func() {},
			func(payload string) { forget(ident.Subject(payload)) })
	})
}

// OpenSubjectKeys opens the database, and makes the table if it is not there.
func OpenSubjectKeys(ctx context.Context, url string) (*SubjectKeys, error) {
	settings, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	prepare(settings.ConnConfig)
	settings.PingTimeout = pingTimeout
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, err
	}
	// The lock keeps two processes from making it at once, which IF NOT EXISTS does not.
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('subject_key', 0))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS subject_key (
			subject TEXT COLLATE "C" NOT NULL PRIMARY KEY, wrapped BYTEA NOT NULL, erased INTEGER NOT NULL DEFAULT 0)`)
		return err
	})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the subjects' keys: %w", err)
	}
	return &SubjectKeys{pool: pool}, nil
}

// Close closes the connections.
func (s *SubjectKeys) Close() error {
	if s.stop != nil {
		s.stop()
	}
	s.background.Wait()
	s.pool.Close()
	return nil
}

// SubjectKeys implements seal.Store.
func (s *SubjectKeys) SubjectKeys(ctx context.Context, subjects []ident.Subject) (found []seal.WrappedKey, err error) {
	wanted := make([]string, len(subjects))
	for i, subject := range subjects {
		wanted[i] = string(subject)
	}
	rows, err := s.pool.Query(ctx, `SELECT subject, wrapped, erased FROM subject_key WHERE subject = ANY ($1)`, wanted)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key seal.WrappedKey
		var erased int
		if err := rows.Scan(&key.Subject, &key.Wrapped, &erased); err != nil {
			return nil, err
		}
		key.Erased = erased != 0
		found = append(found, key)
	}
	return found, explain(rows.Err())
}

// Some returns a subject whose key is kept and not erased, "" if there is none: to try the master key on.
func (s *SubjectKeys) Some(ctx context.Context) (subject ident.Subject, err error) {
	err = s.pool.QueryRow(ctx, `SELECT subject FROM subject_key WHERE erased = 0 LIMIT 1`).Scan(&subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return subject, explain(err)
}

// Erased returns the subjects whose keys were destroyed, in order.
func (s *SubjectKeys) Erased(ctx context.Context) ([]ident.Subject, error) {
	rows, err := s.pool.Query(ctx, `SELECT subject FROM subject_key WHERE erased = 1 ORDER BY subject`)
	if err != nil {
		return nil, explain(err)
	}
	erased, err := pgx.CollectRows(rows, pgx.RowTo[ident.Subject])
	return erased, explain(err)
}

// AddSubjectKeys implements seal.Store.
func (s *SubjectKeys) AddSubjectKeys(ctx context.Context, keys []seal.WrappedKey) error {
	subjects, wrapped := make([]string, len(keys)), make([][]byte, len(keys))
	for i, key := range keys {
		subjects[i], wrapped[i] = string(key.Subject), key.Wrapped
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO subject_key (subject, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[]) ORDER BY 1
		ON CONFLICT (subject) DO NOTHING`, subjects, wrapped)
	return explain(err)
}

// WrappedKeys implements seal.RewrapStore.
func (s *SubjectKeys) WrappedKeys(ctx context.Context, after ident.Subject, limit int) ([]seal.WrappedKey, error) {
	rows, err := s.pool.Query(ctx, `SELECT subject, wrapped FROM subject_key WHERE subject > $1 AND erased = 0 ORDER BY subject LIMIT $2`, string(after), limit)
	if err != nil {
		return nil, explain(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (key seal.WrappedKey, err error) {
		return key, row.Scan(&key.Subject, &key.Wrapped)
	})
	return found, explain(err)
}

// RewrapSubjectKeys implements seal.RewrapStore.
func (s *SubjectKeys) RewrapSubjectKeys(ctx context.Context, before, now []seal.WrappedKey) error {
	subjects, old, wrapped := make([]string, len(now)), make([][]byte, len(now)), make([][]byte, len(now))
	for i, key := range now {
		subjects[i], old[i], wrapped[i] = string(key.Subject), before[i].Wrapped, key.Wrapped
	}
	_, err := s.pool.Exec(ctx, `UPDATE subject_key SET wrapped = given.wrapped
		FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS given (subject, old, wrapped)
		WHERE subject_key.subject = given.subject AND subject_key.wrapped = given.old AND erased = 0`, subjects, old, wrapped)
	return explain(err)
}

// EraseSubjectKey implements seal.Store.
func (s *SubjectKeys) EraseSubjectKey(ctx context.Context, subject ident.Subject) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO subject_key (subject, wrapped, erased) VALUES ($1, '', 1)
		ON CONFLICT (subject) DO UPDATE SET wrapped = '', erased = 1`, string(subject))
	if err != nil {
		return explain(err)
	}
	if _, err := s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, erasedChannel, string(subject)); err != nil {
		return explain(err)
	}
	_, err = s.pool.Exec(ctx, `VACUUM subject_key`)
	return explain(err)
}
