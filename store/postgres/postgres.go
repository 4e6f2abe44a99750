// Package postgres owns the engine for several processes on one database: PostgreSQL 15 and newer, over the statements of
// package query and the tables of package schema.
//
// # An act
//
// An act is one transaction. It first locks its key, then reads and writes, and returns once the commit is durable as the
// server has it configured (with synchronous replication: on the standby, too).
//
//   - The lock is an advisory one, of the transaction, on a hash of the key: it needs no row to exist, writes nothing, and
//     ends with the transaction however that ends. Two keys with one hash wait for each other; nothing else happens.
//     Within a process, acts of one key queue up before they take a connection, so that a key that many want (a fund, the
//     log) holds one connection, not all.
//   - The isolation is READ COMMITTED. All that an act decides upon lives under its key, and whoever writes there holds
//     the lock: so nothing that it read can change before it commits. Without the lock this level loses updates (two
//     transfers that read the same balance). A stricter level would not help: its snapshot is taken by the statement that
//     waits for the lock, and shows what was before the wait.
//   - The transaction begins with the act's first reading, and what the act writes without needing the result
//     (query.Conn.Send) is sent with the next statement that has a result or with the commit: an act costs as many round
//     trips as it has readings, and one; two if it has none. Its time is told when it is asked for, once the key is locked.
//   - A serialization failure, a deadlock, a server that shuts down or a connection that is lost before the commit was sent
//     leave nothing behind: the act is run again, for Config.Patience at most.
//   - If the connection is lost while the commit is under way, the outcome is looked up, never guessed: see outcome.go.
//   - A server that does not answer is not waited for once another one leads: see silence.go.
//
// # A reading
//
// A reading is one REPEATABLE READ, READ ONLY transaction: one snapshot, which includes all that was committed before it
// began. It waits for nobody, and nobody waits for its end: that is sent along with what the connection is used for next
// (lease.go), so that a reading costs as many round trips as it has queries.
//
// # Several processes
//
// After a commit the other processes are told what to look for (LISTEN, NOTIFY): see notify.go. Jobs are claimed: see
// claim.go. The time of acts does not go back from one process to the other beyond what the sequence act_time tells: it
// is read after the lock and raised before the commit.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/store/query"
	"yagona/store/schema"
)

// Config says where a database is and how it behaves.
type Config struct {
	// URL is postgres://user:password@host:port/database?…, as libpq knows it; several hosts separated by commas: the
	// one that takes writes is used. Required.
	URL   string
	Clock act.Clock // required
	// Connections is how many acts and readings run at a time at most; zero: 16, or pool_max_conns of the URL.
	Connections int
	// Patience is how long an act is tried again while the database does not take it; zero: 5 s.
	Patience time.Duration
	// Unhurried lets a statement take as long as it takes: for audits.
	Unhurried bool
	// Durable refuses a server that would lose commits when it loses power.
	Durable bool
}

// The server ends what takes longer: a statement, the wait for a lock, a transaction that does nothing.
const (
	statementTimeout = 30 * time.Second
	lockTimeout      = 10 * time.Second
	idleTimeout      = time.Minute
	// actTimeout is how long an act may take in all before its connection is given up.
	actTimeout = 2 * time.Minute
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	config Config
	pool   *pgxpool.Pool
	doubts *doubter
	keys   turns

	turn      chan struct{} // holds a token for each act and reading that has a connection or asks the pool for one
	lingering lingering
	newest    atomic.Int64 // the time of the newest act of this process, in microseconds
	self      string       // tells this process's notifications from those of others

	onJobs, onEvents, onPublications atomic.Pointer[func()]
	onCommit                         atomic.Pointer[func([]query.Written)]
	news                             chan struct{} // that the notifier has something to tell
	untold                           [3]atomic.Bool
	onTold                           atomic.Pointer[func(string)]
	wordsMu                          sync.Mutex
	words                            string // guarded by wordsMu: what is still to be told

	refused    atomic.Pointer[fault.Fault] // what every act is answered with; nil: acts are taken
	stop       context.CancelFunc
	closing    context.Context
	background sync.WaitGroup
	underWay   sync.WaitGroup // acts and readings
	guard      sync.Mutex     // guards closed and the additions to underWay
	closed     bool
}

var (
	errClosed = fault.New(fault.Unavailable, "store.closed", "The platform is shutting down. Try again in a minute.")
	errBusy   = fault.New(fault.Unavailable, "store.busy",
		"Too much is going on about this at the moment. Nothing of this was done; try again in a minute.")
	errAway = fault.New(fault.Unavailable, "store.away",
		"The database does not answer at the moment. Nothing of this was done; try again in a minute.")
	errFull = fault.New(fault.Unavailable, "store.cannot-write",
		"The platform cannot store anything at the moment. Nothing of this was done; try again later.")
	errUnknown = fault.New(fault.Unavailable, "store.outcome-unknown",
		"The database was lost while this was being stored. Look in a minute whether it was done before you do it again.")
)

// Open opens a database and brings its tables up to date; another process that does so at the same time waits.
func Open(ctx context.Context, config Config) (*DB, error) {
	if config.Patience == 0 {
		config.Patience = 5 * time.Second
	}
	db := &DB{config: config, self: ident.Random[string](), news: make(chan struct{}, 1)}
	if err := db.open(ctx); err != nil {
		if db.pool != nil {
			db.pool.Close()
		}
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	db.closing, db.stop = context.WithCancel(context.WithoutCancel(ctx))
	db.background.Go(db.listen)
	db.background.Go(db.tell)
	return db, nil
}

func (db *DB) open(ctx context.Context) error {
	settings, err := pgxpool.ParseConfig(db.config.URL)
	if err != nil {
		return err // pgx leaves the password out
	}
	if db.config.Connections > 0 {
		settings.MaxConns = int32(db.config.Connections)
	} else if !strings.Contains(db.config.URL, "pool_max_conns") {
		settings.MaxConns = 16
	}
	if db.config.Unhurried {
		settings.ConnConfig.RuntimeParams["statement_timeout"] = "0"
	}
	prepare(settings.ConnConfig)
	settings.ConnConfig.OnNotice = warned
	if err := migrate(ctx, settings.ConnConfig); err != nil {
		return err
	}
	settings.PingTimeout = pingTimeout
	if db.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		return err
	}
	db.turn = make(chan struct{}, max(1, settings.MaxConns-1)) // one is for who has no turn: who asks what became of a commit
	db.doubts = &doubter{pool: db.pool, waiting: map[*waiting]struct{}{}}
	if err := db.check(ctx); err != nil {
		return err
	}
	return db.View(ctx, func(tx *query.Tx) error {
		last, err := tx.LastActTime()
		db.newest.Store(last.UnixMicro())
		return err
	})
}

// prepare sets what holds for every connection.
func prepare(config *pgx.ConnConfig) {
	if config.ValidateConnect == nil {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // not a standby
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout // for each host
	}
	for name, value := range map[string]string{
		"application_name":                    "yagona",
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout),
		"timezone":                            "UTC",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// migrate brings the tables up to date. Migrations may take longer than an act; but one that waits for a table's lock
// makes everybody wait behind it, so it gives up soon and the start fails.
func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	config = config.Copy()
	config.RuntimeParams["statement_timeout"] = "0"
	migrations, err := schema.Migrations(schema.Postgres)
	if err != nil {
		return err
	}
	pool := stdlib.OpenDB(*config)
	defer pool.Close()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, migrations, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// check refuses a server that does not keep what this package promises.
func (db *DB) check(ctx context.Context) error {
	var version int
	var collation, encoding, fsync, commit string
	err := db.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, datcollate, pg_encoding_to_char(encoding),
		current_setting('fsync'), current_setting('synchronous_commit') FROM pg_database WHERE datname = current_database()`).
		Scan(&version, &collation, &encoding, &fsync, &commit)
	if err != nil {
		return err
	}
	switch collation {
	case "C", "POSIX", "C.UTF-8", "C.utf8":
	default:
		collation = "wrong"
	}
	if version < 150000 {
		return fmt.Errorf("the server is PostgreSQL %d: 15 or newer is needed", version/10000)
	}
	if collation == "wrong" || encoding != "UTF8" {
		return errors.New("the database orders texts by a language, or is not in UTF-8: make it with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
	}
	if db.config.Durable && (fsync != "on" || commit == "off" || commit == "local") {
		return fmt.Errorf("the server has fsync = %s and synchronous_commit = %s: it would lose acknowledged commits; set both to on", fsync, commit)
	}
	return nil
}

// Close waits for the acts and readings under way and closes the connections.
func (db *DB) Close() error {
	db.guard.Lock()
	db.closed = true
	db.guard.Unlock()
	db.stop()
	db.background.Wait()
	db.underWay.Wait()
	db.pool.Close()
	return nil
}

// begin counts an act or a reading as under way, unless the database is closing.
func (db *DB) begin() error {
	db.guard.Lock()
	defer db.guard.Unlock()
	if db.closed {
		return errClosed
	}
	db.underWay.Add(1)
	return nil
}

// Now is an act.Clock: the time of the configured clock, never before that of an act that this process committed.
func (db *DB) Now() time.Time {
	return latest(time.UnixMicro(db.newest.Load()).UTC(), db.config.Clock().UTC())
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Refuse makes this process answer every act with the reason from now on. Readings go on.
func (db *DB) Refuse(reason *fault.Fault) { db.refused.Store(reason) }

// Allow ends what Refuse began.
func (db *DB) Allow() { db.refused.Store(nil) }

// OnCommit sets what is called after each commit of this process with what its act wrote; nil: nothing. It must not
// block, and it must not keep the slice.
func (db *DB) OnCommit(observe func([]query.Written)) {
	if observe == nil {
		db.onCommit.Store(nil)
		return
	}
	db.onCommit.Store(&observe)
}

// turns lets those who want the same key in one at a time.
type turns struct {
	mu   sync.Mutex
	keys map[act.Key]*turn // guarded by mu
}

type turn struct {
	free  chan struct{} // holds one token while nobody has the turn
	users int           // who have it or wait for it; guarded by the turns' mu
}

// take waits for the key and returns what gives it back.
func (t *turns) take(ctx context.Context, key act.Key) (func(), error) {
	t.mu.Lock()
	if t.keys == nil {
		t.keys = map[act.Key]*turn{}
	}
	mine := t.keys[key]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.keys[key] = mine
	}
	mine.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.users--; mine.users == 0 {
			delete(t.keys, key)
		}
	}
	select {
	case <-mine.free:
		return func() { mine.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
