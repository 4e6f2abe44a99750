// Package sqlite owns the embedded engine: connections, group commits, readers and the tables, over the statements of
// package query.
//
// All acts run on one connection, one after another, on one goroutine: concurrent requests' acts share a commit. Each
// act runs in a savepoint of its own, the first in the transaction itself, so that a failing one leaves no trace and harms
// no neighbour. Update returns after the commit is on the disk (WAL, synchronous FULL). Readings run on connections of their
// own, each on a snapshot, and are never blocked by acts; while nothing is committed, the next reading goes on with the
// snapshot of the last (ADR 26).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/store/query"
	"yagona/store/schema"
)

// groupSize is how many acts share a commit at most.
const groupSize = 64

// Config says where a database is and how it behaves.
type Config struct {
	Path    string    // of the database file; its folder exists
	Clock   act.Clock // required
	Readers int       // connections for readings; zero: 4
	// Durable false means that a commit may be lost when the machine loses power: for tests and examples only.
	Durable bool
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	config  Config
	writer  *connection // used by the writing goroutine only
	readers chan *connection
	acts    chan *pending
	stopped chan struct{}

	closing   chan struct{}
	closeOnce sync.Once

	lastAct time.Time       // the time of the newest act; used by the writing goroutine only
	newest  atomic.Int64    // lastAct in microseconds, for Now
	written []query.Written // by the acts of the commit under way; used by the writing goroutine only
	done    []*query.Tx     // the acts of the commit under way that succeeded; used by the writing goroutine only
	cache   *query.Cache

	copyAt       int64          // how many pages the log holds when it is copied next; used by the writing goroutine only
	copying      atomic.Bool    // a goroutine copies the log
	copies       sync.WaitGroup // of those goroutines
	copier       *connection    // used by them only; nil until the first
	nearlyCopied atomic.Bool    // the writing goroutine copies the rest of the log

	moments atomic.Int64 // counts the beginnings and the ends of commits
	keeping atomic.Bool  // readers that keep their snapshots will be asked to give them back

	onJobs, onEvents, onPublications atomic.Pointer[func()]
	onCommit                         atomic.Pointer[func([]query.Written)]
	condition                        atomic.Pointer[fault.Fault] // why it cannot write; nil: it can
	remove                           string                      // a folder to remove at Close, or ""
}

// Open opens a database and brings its tables up to date.
func Open(ctx context.Context, config Config) (*DB, error) {
	if config.Readers == 0 {
		config.Readers = 4
	}
	db := &DB{
		config:  config,
		readers: make(chan *connection, config.Readers),
		acts:    make(chan *pending, groupSize),
		stopped: make(chan struct{}),
		closing: make(chan struct{}),
		cache:   query.NewCache(),
	}
	db.moments.Store(1) // no reader has it, because it has no snapshot
	if err := makePrivate(config.Path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := db.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database: %w", err), db.disconnect())
	}
	go db.write()
	return db, nil
}

// makePrivate makes a database's file if it is not there, for its owner alone: SQLite would let everybody read it, and
// gives the files beside it the mode of this one.
func makePrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// Temporary opens a database that lives as long as it is open, for tests and for the examples of packs: it is not
// durable.
func Temporary(ctx context.Context, clock act.Clock) (*DB, error) {
	folder, err := os.MkdirTemp("", "yagona-")
	if err != nil {
		return nil, err
	}
	db, err := Open(ctx, Config{Path: filepath.Join(folder, "yagona.db"), Clock: clock, Readers: 2})
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	db.remove = folder
	return db, nil
}

func (db *DB) open(ctx context.Context) error {
	pragmas := db.pragmas()
	writer, err := connect(nameOf(db.config.Path, pragmas))
	if err != nil {
		return err
	}
	db.writer = writer
	migrations, err := schema.Migrations(schema.SQLite)
	if err != nil {
		return err
	}
	// The migrations run on a pool of their own: they go by package database/sql.
	pool, err := OpenFile(db.config.Path, pragmas...)
	if err != nil {
		return err
	}
	defer pool.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, migrations)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	for range db.config.Readers {
		// A reader keeps less at hand: what it drops is in the machine's cache of the file, and each keeps its own.
		reader, err := connect(nameOf(db.config.Path, append(pragmas, "query_only(1)", "cache_size(-2000)")))
		if err != nil {
			return err
		}
		db.readers <- reader
	}
	db.lastAct, err = query.New(ctx, db.writer, "", time.Time{}).LastActTime()
	db.newest.Store(db.lastAct.UnixMicro())
	return err
}

// pragmas returns how each of the store's connections behaves.
func (db *DB) pragmas() []string {
	synchronous := "FULL"
	if !db.config.Durable {
		synchronous = "OFF"
	}
	return []string{
		"journal_mode(WAL)", "synchronous(" + synchronous + ")", "cache_size(-8000)", "temp_store(MEMORY)",
		"wal_autocheckpoint(0)", // see writeahead.go
	}
}

// OpenFile opens the database in a file, as it is, for statements of the caller's own: each connection with the pragmas,
// such as "query_only(1)". It waits five seconds for whoever writes.
func OpenFile(path string, pragmas ...string) (*sql.DB, error) {
	return openPool(nameOf(path, pragmas))
}

// nameOf returns the name by which the driver opens the database in a file.
func nameOf(path string, pragmas []string) string {
	values := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: values.Encode()}).String()
}

// OpenSealed opens the database in a file that nobody changes any more: it is only read, and nothing is written beside it.
func OpenSealed(path string) (*sql.DB, error) {
	values := url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"query_only(1)", "cache_size(-1000)"}}
	return openPool((&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: values.Encode()}).String())
}

// Close waits for the acts under way and closes the database. Closing again changes nothing.
func (db *DB) Close() (err error) {
	db.closeOnce.Do(func() { err = db.close() })
	return err
}

func (db *DB) close() error {
	close(db.closing)
	<-db.stopped
	db.copies.Wait()
	var errs []error
	for range db.config.Readers {
		errs = append(errs, (<-db.readers).close())
	}
	errs = append(errs, db.disconnect())
	if db.remove != "" {
		errs = append(errs, os.RemoveAll(db.remove))
	}
	return errors.Join(errs...)
}

// disconnect closes the writing connection and the reading ones that nobody uses.
func (db *DB) disconnect() error {
	var errs []error
	for {
		select {
		case reader := <-db.readers:
			errs = append(errs, reader.close())
			continue
		default:
		}
		for _, one := range []*connection{db.copier, db.writer} {
			if one != nil {
				errs = append(errs, one.close())
			}
		}
		return errors.Join(errs...)
	}
}

// Now is an act.Clock: the time of the configured clock, never before that of a committed act. What is computed before an
// act takes its time from here, so that it does not lie before the acts that it stands on when the machine's clock jumps
// back.
func (db *DB) Now() time.Time {
	return latest(time.UnixMicro(db.newest.Load()).UTC(), db.config.Clock().UTC())
}

// LastAct returns the time of the newest act, of whatever day the store was opened with; zero in an empty store.
func (db *DB) LastAct() time.Time { return time.UnixMicro(db.newest.Load()).UTC() }

// OnJobs sets what is called after a commit that queued jobs. It must not block.
func (db *DB) OnJobs(wake func()) { db.onJobs.Store(&wake) }

// OnEvents sets what is called after a commit that appended events. It must not block.
func (db *DB) OnEvents(wake func()) { db.onEvents.Store(&wake) }

// OnPublications sets what is called after a commit that changed publications. It must not block.
func (db *DB) OnPublications(wake func()) { db.onPublications.Store(&wake) }

// OnCommit sets what is called after each commit with what each of its acts wrote, in order; nil: nothing. It must not
// block, and it must not keep the slice.
func (db *DB) OnCommit(observe func([]query.Written)) {
	if observe == nil {
		db.onCommit.Store(nil)
		return
	}
	db.onCommit.Store(&observe)
}

// pending is an act that waits for its commit.
type pending struct {
	ctx  context.Context
	key  act.Key
	run  func(*query.Tx) error
	err  error
	done chan error
}

var errClosed = fault.New(fault.Unavailable, "store.closed", "The platform is shutting down. Try again in a minute.")

// Update implements act.Store for *query.Tx.
func (db *DB) Update(ctx context.Context, key act.Key, run func(*query.Tx) error) error {
	if condition := db.condition.Load(); lasting(condition) {
		return condition
	}
	one := &pending{ctx: ctx, key: key, run: run, done: make(chan error, 1)}
	select {
	case <-db.closing:
		return errClosed
	default:
	}
	select {
	case db.acts <- one:
	case <-db.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// From here on the act will be run; only its answer tells whether it was done.
	select {
	case err := <-one.done:
		return err
	case <-db.stopped:
		select {
		case err := <-one.done:
			return err
		default:
			return errClosed
		}
	}
}

// restAfter is how long no act is done until the store gives back the memory that it keeps pages in.
const restAfter = 10 * time.Second

// write is the writing goroutine.
func (db *DB) write() {
	defer close(db.stopped)
	rest := time.NewTimer(restAfter)
	defer rest.Stop()
	for {
		select {
		case first := <-db.acts:
			db.commit(db.gather(first))
			db.watchLog()
			rest.Reset(restAfter)
		case <-rest.C:
			db.rest()
		case <-db.closing:
			for {
				select {
				case first := <-db.acts:
					db.commit(db.gather(first))
				default:
					return
				}
			}
		}
	}
}

// rest gives back the pages that the writing connection, and the reading ones that nobody uses, keep in memory.
func (db *DB) rest() {
	_ = db.writer.exec("PRAGMA shrink_memory") // it only frees: what fails there fails at the next act, and is told
	for range db.config.Readers {
		select {
		case reader := <-db.readers:
			_ = reader.exec("PRAGMA shrink_memory")
			db.readers <- reader
		default:
			return
		}
	}
}

// gather takes the acts that wait already.
func (db *DB) gather(first *pending) []*pending {
	group := []*pending{first}
	for len(group) < groupSize {
		select {
		case next := <-db.acts:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// commit runs a group of acts in one transaction. If the transaction fails as a whole, each act is run again alone.
func (db *DB) commit(group []*pending) {
	if condition := db.condition.Load(); lasting(condition) {
		for _, one := range group {
			one.done <- condition
		}
		return
	}
	err := db.transact(group)
	if err != nil && len(group) > 1 {
		for _, one := range group {
			db.commit([]*pending{one})
		}
		return
	}
	var failure *fault.Fault
	if err != nil {
		if failure = storageFailure(err); failure == nil {
			failure = errCannotWrite
		}
		failure = failure.Because(err)
	}
	db.note(failure)
	for _, one := range group {
		if failure != nil {
			one.err = failure
		}
		one.done <- one.err
	}
}

// transact runs the acts and commits what succeeded. An error means that nothing of the group was committed.
func (db *DB) transact(group []*pending) (err error) {
	if err := db.writer.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = db.writer.exec("ROLLBACK") // it fails where SQLite has rolled back by itself
		}
	}()
	var jobs, events, publications bool
	db.written, db.done = db.written[:0], db.done[:0]
	now := db.lastAct
	for _, one := range group {
		if one.err = one.ctx.Err(); one.err != nil {
			continue
		}
		// Until an act has succeeded, the transaction holds nothing but this one: it is the act's savepoint.
		alone := len(db.done) == 0
		if !alone {
			if err := db.writer.exec("SAVEPOINT act"); err != nil {
				return err
			}
		}
		now = latest(now, db.config.Clock().UTC().Truncate(time.Microsecond))
		tx := query.New(context.WithoutCancel(one.ctx), db.writer, one.key, now)
		if one.err = query.Protect(tx, one.run); one.err != nil {
			if storageFailure(one.err) != nil {
				return one.err // not the act's fault, and SQLite may have rolled back everything
			}
			if err := db.undo(alone); err != nil {
				return err
			}
		} else {
			jobs = jobs || tx.Woken.Jobs
			events = events || tx.Woken.Events
			publications = publications || tx.Woken.Publications
			db.written = append(db.written, tx.Written)
			db.done = append(db.done, tx)
		}
		if !alone {
			if err := db.writer.exec("RELEASE act"); err != nil {
				return err
			}
		}
	}
	db.moments.Add(1)
	db.giveBack() // so that the commit can begin the log anew
	err = db.writer.exec("COMMIT")
	db.moments.Add(1)
	if err != nil {
		return err
	}
	for _, tx := range db.done {
		db.cache.Written(tx)
	}
	db.lastAct = now
	db.newest.Store(now.UnixMicro())
	if observe := db.onCommit.Load(); observe != nil {
		(*observe)(db.written)
	}
	if wake := db.onJobs.Load(); jobs && wake != nil {
		(*wake)()
	}
	if wake := db.onEvents.Load(); events && wake != nil {
		(*wake)()
	}
	if wake := db.onPublications.Load(); publications && wake != nil {
		(*wake)()
	}
	return nil
}

// undo takes back what the act under way has written: in a transaction of its own, or since its savepoint.
func (db *DB) undo(alone bool) error {
	if !alone {
		return db.writer.exec("ROLLBACK TO act")
	}
	if err := db.writer.exec("ROLLBACK"); err != nil {
		return err
	}
	return db.writer.exec("BEGIN IMMEDIATE")
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// View implements act.Store for *query.Tx. The snapshot is taken by the first statement: a reading that the cache answers
// takes no connection.
func (db *DB) View(ctx context.Context, run func(*query.Tx) error) error {
	select {
	case <-db.closing:
		return errClosed
	default:
	}
	on := &snapshot{db: db}
	defer on.end(false) // where it panics
	err := run(query.New(ctx, on, "", time.Time{}).Cached(db.cache))
	on.end(err == nil)
	if failure := storageFailure(err); failure != nil {
		failure = failure.Because(err)
		if lasting(failure) {
			db.note(failure)
		}
		return failure
	}
	return err
}

// snapshot is the connection of one reading, from its first statement on.
type snapshot struct {
	db     *DB
	reader *connection // nil until the first statement
}

// keepFor is how long readers keep their snapshots, if nothing is committed meanwhile, until those that nobody uses at the
// moment give them back. Whoever copies the log from outside, and wants to empty it, waits so long.
const keepFor = 50 * time.Millisecond

// begin takes a reader. A reader whose snapshot is still the newest goes on with it: to begin anew takes a tenth of a small
// reading.
func (s *snapshot) begin(ctx context.Context) error {
	if s.reader != nil {
		return ctx.Err()
	}
	var reader *connection
	select {
	case reader = <-s.db.readers:
	case <-s.db.closing:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	moment := s.db.moments.Load()
	if reader.moment != moment {
		reader.giveBack()
		if err := reader.exec("BEGIN"); err != nil {
			s.db.readers <- reader
			return err
		}
		reader.moment = moment
	}
	s.reader = reader
	return nil
}

// end gives the reader back. It keeps its snapshot if that is whole, for which no statement has failed, and the newest.
func (s *snapshot) end(whole bool) {
	if s.reader == nil {
		return
	}
	if !whole || s.reader.moment != s.db.moments.Load() {
		s.reader.giveBack()
	} else if s.db.keeping.CompareAndSwap(false, true) {
		time.AfterFunc(keepFor, func() {
			s.db.keeping.Store(false)
			s.db.giveBack()
		})
	}
	s.db.readers <- s.reader
	s.reader = nil
}

// giveBack ends the snapshot that a reader keeps.
func (c *connection) giveBack() {
	if c.moment != 0 {
		_ = c.exec("ROLLBACK") // nothing was written
		c.moment = 0
	}
}

// giveBack has the readers that nobody uses give their snapshots back.
func (db *DB) giveBack() {
	for range db.config.Readers {
		select {
		case reader := <-db.readers:
			reader.giveBack()
			db.readers <- reader
		default:
			return
		}
	}
}

// Exec implements query.Conn. SQLite refuses whatever writes: the connection is for reading only.
func (s *snapshot) Exec(ctx context.Context, text string, args []any) (int64, error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	return s.reader.Exec(ctx, text, args)
}

// Send implements query.Conn.
func (s *snapshot) Send(ctx context.Context, text string, args []any, check func(changed int64) error) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	return s.reader.Send(ctx, text, args, check)
}

// Query implements query.Conn.
func (s *snapshot) Query(ctx context.Context, text string, args []any) (query.Rows, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	return s.reader.Query(ctx, text, args)
}
