// Package archive owns the files of package kernel/archive: a folder with a database of the embedded engine for each volume,
// and what is said of it beside it. They are the same wherever an installation has its own database.
//
// The tables of a volume are its format ("yagona archive v1"): those of the journal as the statements of package query read
// them, and one for covered rows, whose content is the bytes that their digest is of. They never change; a volume is read as
// long as there is anybody to ask. docs/reference/formats.md describes them for whoever has nothing but the file.
//
// Invariants: a file has its name only once it is whole and on the disk; no file with a name is written to; a file is for its
// owner's eyes alone.
package archive

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"yagona/kernel/archive"
	"yagona/kernel/journal"
	"yagona/std/wholefile"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// tables are the format of a volume.
const tables = `
CREATE TABLE about (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event (
	key TEXT NOT NULL, id TEXT NOT NULL, at BIGINT NOT NULL, header BYTEA NOT NULL, entry BYTEA NOT NULL, log_index BIGINT,
	PRIMARY KEY (key, id)
);
CREATE UNIQUE INDEX event_log_index ON event (log_index);
CREATE TABLE event_part (
	key TEXT NOT NULL, event TEXT NOT NULL, number INTEGER NOT NULL, subject TEXT NOT NULL, sealed BYTEA NOT NULL,
	disclosure INTEGER NOT NULL, shown_from BIGINT,
	PRIMARY KEY (key, event, number)
);
CREATE INDEX event_part_subject ON event_part (subject, event);
CREATE TABLE event_population (
	key TEXT NOT NULL, id TEXT NOT NULL, shown_from BIGINT NOT NULL,
	PRIMARY KEY (key, id)
) WITHOUT ROWID;
CREATE INDEX event_population_id ON event_population (id);
CREATE TABLE covered (
	name TEXT NOT NULL PRIMARY KEY, application TEXT NOT NULL, key TEXT NOT NULL, event TEXT NOT NULL, content BYTEA NOT NULL
);
CREATE INDEX covered_application ON covered (application, name);
`

const (
	ending   = ".db"
	manifest = ".json"
	unready  = ".part"
)

// Folder is a folder of volumes. It is safe for concurrent use.
type Folder struct {
	path string

	mu   sync.Mutex
	open map[string]*sql.DB // guarded by mu: by the volume's id
}

var _ archive.Shelf = (*Folder)(nil)

// Open returns the folder at the path, which need not be there yet.
func Open(path string) *Folder { return &Folder{path: path, open: map[string]*sql.DB{}} }

// Path returns where the volume's file stands.
func (f *Folder) Path(volume archive.Volume) string { return filepath.Join(f.path, volume.ID+ending) }

// Close closes the volumes that were read.
func (f *Folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for id, db := range f.open {
		errs = append(errs, db.Close())
		delete(f.open, id)
	}
	return errors.Join(errs...)
}

// Make implements archive.Shelf.
func (f *Folder) Make(ctx context.Context, volume archive.Volume, write func(archive.Writer) error) (_ archive.Volume, err error) {
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return archive.Volume{}, err
	}
	temporary, err := os.CreateTemp(f.path, volume.Month+"-*"+unready)
	if err != nil {
		return archive.Volume{}, err
	}
	path := temporary.Name()
	defer os.Remove(path) // it has another name if all went well
	if err := temporary.Close(); err != nil {
		return archive.Volume{}, err
	}
	if err := fill(ctx, path, volume, write); err != nil {
		return archive.Volume{}, err
	}
	if volume.Bytes, volume.Digest, err = digestOf(ctx, path, true); err != nil {
		return archive.Volume{}, err
	}
	volume.ID = volume.Month + "-" + hex.EncodeToString(volume.Digest[:4])
	if err := os.Rename(path, f.Path(volume)); err != nil {
		return archive.Volume{}, err
	}
	return volume, wholefile.Sync(f.path)
}

// fill writes a volume's content in one transaction: what is interrupted is nothing.
func fill(ctx context.Context, path string, volume archive.Volume, write func(archive.Writer) error) (err error) {
	// Nothing is lost with a journal that is not there: an unready file counts for nothing. It is synchronised when it is whole.
	db, err := sqlite.OpenFile(path, "journal_mode(OFF)", "synchronous(OFF)", "cache_size(-32000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the file is removed
		}
	}()
	if _, err := tx.ExecContext(ctx, tables); err != nil {
		return err
	}
	for name, value := range map[string]string{"format": archive.ManifestFormat, "month": volume.Month} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO about (name, value) VALUES ($1, $2)`, name, value); err != nil {
			return err
		}
	}
	into := &writer{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}}
	if err := write(into); err != nil {
		return err
	}
	return tx.Commit()
}

type writer struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt // closed with the transaction
}

func (w *writer) exec(text string, args ...any) (int64, error) {
	statement, ok := w.prepared[text]
	if !ok {
		var err error
		if statement, err = w.tx.PrepareContext(w.ctx, text); err != nil {
			return 0, err
		}
		w.prepared[text] = statement
	}
	result, err := statement.ExecContext(w.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// AddEvent implements archive.Writer.
func (w *writer) AddEvent(event journal.StoredEvent, parts []journal.StoredPart) error {
	_, err := w.exec(`INSERT INTO event (key, id, at, header, entry, log_index) VALUES ($1, $2, $3, $4, $5, $6)`,
		string(event.Key), string(event.ID), event.At.UnixMicro(), event.Header, event.Entry, event.Index)
	if err != nil {
		return err
	}
	if !event.ShownFrom.IsZero() {
		_, err := w.exec(`INSERT INTO event_population (key, id, shown_from) VALUES ($1, $2, $3)`,
			string(event.Key), string(event.ID), event.ShownFrom.UnixMicro())
		if err != nil {
			return err
		}
	}
	for _, part := range parts {
		disclosure := 0
		if part.Disclosure {
			disclosure = 1
		}
		_, err := w.exec(`INSERT INTO event_part (key, event, number, subject, sealed, disclosure, shown_from) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			string(part.Key), string(part.Event), part.Number, string(part.Subject), part.Sealed, disclosure, micros(part.ShownFrom))
		if err != nil {
			return err
		}
	}
	return nil
}

func micros(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.UnixMicro()
}

// AddRow implements archive.Writer.
func (w *writer) AddRow(row archive.Row) (bool, error) {
	added, err := w.exec(`INSERT INTO covered (name, application, key, event, content) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING`,
		row.Name, string(row.Case), string(row.Key), string(row.Event), row.Content)
	return added > 0, err
}

// digestOf reads a file to its end; it is synchronised to the disk before if wanted.
func digestOf(ctx context.Context, path string, synchronise bool) (size int64, digest []byte, err error) {
	file, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if synchronise {
		if err := file.Sync(); err != nil {
			return 0, nil, err
		}
	}
	hash := sha256.New()
	size, err = io.Copy(hash, &interruptible{ctx, file})
	return size, hash.Sum(nil), err
}

// interruptible ends a long reading when its context ends.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (i *interruptible) Read(into []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.from.Read(into)
}

// Describe implements archive.Shelf.
func (f *Folder) Describe(volume archive.Volume, said []byte) error {
	return wholefile.Write(filepath.Join(f.path, volume.ID+manifest), said)
}

// Begin implements archive.Shelf.
func (f *Folder) Begin() (end func(), err error) {
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return nil, err
	}
	end, free, err := keyfile.TryLock(f.path)
	if err != nil {
		return nil, err
	}
	if !free {
		return nil, archive.ErrAtWork
	}
	begun, err := filepath.Glob(filepath.Join(f.path, "*"+unready))
	for _, path := range begun {
		if failed := os.Remove(path); failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// Strangers returns the files that are none of the volumes: of a run that was ended, or of another installation.
func (f *Folder) Strangers(volumes []archive.Volume) (names []string, err error) {
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		id := strings.TrimSuffix(strings.TrimSuffix(name, ending), manifest)
		known := slices.ContainsFunc(volumes, func(v archive.Volume) bool { return v.ID == id })
		if strings.HasSuffix(name, unready) || !known && id != name && named(id) {
			names = append(names, name)
		}
	}
	return names, nil
}

// named reports whether a text is the id of a volume.
func named(id string) bool {
	if len(id) != len("2025-01-3fa9c2e1") || id[7] != '-' {
		return false
	}
	_, err := time.Parse(archive.MonthFormat, id[:7])
	_, wrong := hex.DecodeString(id[8:])
	return err == nil && wrong == nil
}

// Described reports whether what is said of the volume stands beside it.
func (f *Folder) Described(volume archive.Volume) bool {
	_, err := os.Stat(filepath.Join(f.path, volume.ID+manifest))
	return err == nil
}

// Present implements archive.Shelf.
func (f *Folder) Present(volume archive.Volume) bool {
	info, err := os.Stat(f.Path(volume))
	return err == nil && info.Size() == volume.Bytes
}

// missing says which file is not there.
type missing struct{ error }

// Is makes it archive.ErrAway.
func (missing) Is(target error) bool { return target == archive.ErrAway }

// Check implements archive.Shelf.
func (f *Folder) Check(ctx context.Context, volume archive.Volume) error {
	path := f.Path(volume)
	size, digest, err := digestOf(ctx, path, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing{fmt.Errorf("the file %s is missing: connect the archive, or put it back from a copy", path)}
	case err != nil:
		return err
	case size != volume.Bytes || !slices.Equal(digest, volume.Digest):
		return fmt.Errorf("the file %s is not what the journal has of it, it was changed or damaged: put it back from a copy", path)
	}
	return nil
}

// View implements archive.Shelf.
func (f *Folder) View(ctx context.Context, volume archive.Volume, run func(archive.Contents) error) (err error) {
	if !f.Present(volume) {
		return archive.ErrAway
	}
	db, err := f.volume(volume)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	own := connection{conn}
	return run(&contents{query.New(ctx, own, "", time.Time{}), ctx, own})
}

func (f *Folder) volume(volume archive.Volume) (*sql.DB, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if db, ok := f.open[volume.ID]; ok {
		return db, nil
	}
	db, err := sqlite.OpenSealed(f.Path(volume))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetConnMaxIdleTime(time.Minute)
	f.open[volume.ID] = db
	return db, nil
}

// connection implements query.Conn for reading.
type connection struct{ conn *sql.Conn }

var errSealed = errors.New("a volume is never changed")

// Exec implements query.Conn.
func (connection) Exec(context.Context, string, []any) (int64, error) { return 0, errSealed }

// Send implements query.Conn.
func (connection) Send(context.Context, string, []any, func(int64) error) error { return errSealed }

// Query implements query.Conn.
func (c connection) Query(ctx context.Context, text string, args []any) (query.Rows, error) {
	rows, err := c.conn.QueryContext(ctx, text, args...) //nolint:rowserrcheck // whoever reads them checks: query.Rows has Err
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// contents reads a volume: the journal with the statements that read it in the database.
type contents struct {
	*query.Tx
	ctx  context.Context
	conn connection
}

// Places implements archive.Contents.
func (c *contents) Places(after archive.Place, limit int) (found []archive.Place, err error) {
	err = c.each(`SELECT key, id FROM event WHERE (key, id) > ($1, $2) ORDER BY key, id LIMIT $3`,
		[]any{string(after.Key), string(after.Event), limit}, func(scan func(...any) error) error {
			var one archive.Place
			if err := scan(&one.Key, &one.Event); err != nil {
				return err
			}
			found = append(found, one)
			return nil
		})
	return found, err
}

// Rows implements archive.Contents.
func (c *contents) Rows(after archive.Row, limit int) (found []archive.Row, err error) {
	err = c.each(`SELECT name, application, key, event, content FROM covered WHERE (application, name) > ($1, $2)
		ORDER BY application, name LIMIT $3`, []any{string(after.Case), after.Name, limit}, func(scan func(...any) error) error {
		var one archive.Row
		if err := scan(&one.Name, &one.Case, &one.Key, &one.Event, &one.Content); err != nil {
			return err
		}
		found = append(found, one)
		return nil
	})
	return found, err
}

func (c *contents) each(text string, args []any, visit func(scan func(...any) error) error) error {
	rows, err := c.conn.Query(c.ctx, text, args)
	if err != nil {
		return fmt.Errorf("reading a volume: %w", err)
	}
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}
