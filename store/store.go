// Package store opens the databases of an installation by where they are: a path is a file of the embedded engine
// (package sqlite), an address postgres://… is a database of a server (package postgres).
package store

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/seal"
	"yagona/store/postgres"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// DB is an open database of either engine. It is safe for concurrent use.
type DB interface {
	query.DB
	// Now is an act.Clock: the time of the configured clock, never before that of an act that this process committed.
	Now() time.Time
	// OnJobs, OnEvents and OnPublications set what is called when there may be new ones, committed here or by another
	// process. It must not block.
	OnJobs(wake func())
	OnEvents(wake func())
	OnPublications(wake func())
	// OnCommit sets what is called after a commit of this process with what each of its acts wrote, in order; nil:
	// nothing. It must not block, and it must not keep the slice.
	OnCommit(observe func([]query.Written))
	// Refuse makes it answer every act with the reason, until it is opened anew: an operator has to decide something
	// first. Readings go on. Allow ends that.
	Refuse(reason *fault.Fault)
	Allow()
	Close() error
}

var (
	_ DB = (*sqlite.DB)(nil)
	_ DB = (*postgres.DB)(nil)
)

// Claims is a database of which several processes run the jobs.
type Claims interface {
	// ClaimJobs takes due jobs upon this process: see job.Runner.
	ClaimJobs(ctx context.Context, at, until time.Time, limit int) ([]job.Job, error)
}

// Shared is a database on which several processes can tell each other what is not worth a commit.
type Shared interface {
	// Tell says a word without spaces to the other processes, soon, or never if that cannot be. It does not block.
	Tell(word string)
	// OnTold sets what is called with every word that another process tells. It must not block.
	OnTold(hear func(word string))
}

var (
	_ Claims = (*postgres.DB)(nil)
	_ Shared = (*postgres.DB)(nil)
)

// Config says where a database is and how it behaves.
type Config struct {
	Location string    // a path, or postgres://…. Required.
	Clock    act.Clock // required
	Durable  bool      // a commit survives loss of power: false for tests, and for who only reads
	// Unhurried lets a reading take as long as it takes: for audits.
	Unhurried bool
}

// Open opens a database and brings its tables up to date.
func Open(ctx context.Context, config Config) (DB, error) {
	var db DB
	var err error
	if OnServer(config.Location) {
		db, err = postgres.Open(ctx, postgres.Config{
			URL: config.Location, Clock: config.Clock, Durable: config.Durable, Unhurried: config.Unhurried,
		})
	} else {
		db, err = sqlite.Open(ctx, sqlite.Config{Path: config.Location, Clock: config.Clock, Durable: config.Durable})
	}
	if err != nil {
		return nil, err // and not an engine's nil
	}
	return db, nil
}

// SubjectKeys keeps the wrapped keys of subjects, in a database of its own.
type SubjectKeys interface {
	seal.Store
	seal.RewrapStore
	// Some returns a subject whose key is kept and not erased, "" if there is none.
	Some(ctx context.Context) (ident.Subject, error)
	// OnErased sets what is called with the subject whose key any process erased; without a subject, when erasures may
	// have been missed. Call it once, before the keys are used.
	OnErased(forget func(...ident.Subject))
	Close() error
}

// OpenSubjectKeys opens the database of the subjects' keys, or makes it.
func OpenSubjectKeys(ctx context.Context, location string, durable bool) (SubjectKeys, error) {
	var keys SubjectKeys
	var err error
	if OnServer(location) {
		keys, err = postgres.OpenSubjectKeys(ctx, location)
	} else {
		keys, err = sqlite.OpenSubjectKeys(ctx, location, durable)
	}
	if err != nil {
		return nil, err
	}
	return keys, nil
}

// OnServer reports whether a location is a database of a server.
func OnServer(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// Condition is what a server says of one of its databases.
type Condition = postgres.Condition

// Ask looks at a database of a server without changing it.
func Ask(ctx context.Context, location string) (Condition, error) { return postgres.Ask(ctx, location) }

// Check returns an error that says what is wrong with the addresses of the two databases of a server: both or none are
// given, and they are not the same, because a copy of the one must not open what is in the other.
func Check(database, subjectKeys string) error {
	if database == "" && subjectKeys == "" {
		return nil
	}
	names := make([]string, 2)
	for i, one := range []struct{ what, location string }{{"database", database}, {"subject-keys", subjectKeys}} {
		address, err := url.Parse(one.location)
		if !OnServer(one.location) || err != nil { // the error would show the password
			return fmt.Errorf("%s: give the address of a PostgreSQL database: postgres://user:password@host/name", one.what)
		}
		names[i] = address.Host + address.Path + "?" + address.Query().Get("host")
	}
	if names[0] == names[1] {
		return fmt.Errorf("subject-keys: give the subjects' keys a database of their own, with backups of its own: they are in the same one as everything else")
	}
	return nil
}
