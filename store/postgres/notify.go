package postgres

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"yagona/store/query"
)

// What a commit may bring that sleepers wait for. A process wakes its own sleepers at once. The others it tells by NOTIFY
// on the channel "yagona", a few milliseconds later and in one go with what else was committed meanwhile: NOTIFY within an
// act would make all commits of the database queue up for each other.
//
// A process that dies before it told leaves the others asleep. They look by themselves after heartbeat, and whenever they
// had to connect again.
const (
	jobs = iota
	events
	publications
)

// words are what a notification says, by kind.
var words = [...]string{jobs: "jobs", events: "events", publications: "publications"}

const (
	channel   = "yagona"
	gather    = 20 * time.Millisecond
	heartbeat = time.Minute
)

// OnJobs sets what is called when jobs may have been queued, here or by another process. It must not block.
func (db *DB) OnJobs(wake func()) { db.onJobs.Store(&wake) }

// OnEvents sets what is called when events may have been appended, here or by another process. It must not block.
func (db *DB) OnEvents(wake func()) { db.onEvents.Store(&wake) }

// OnPublications sets what is called when publications may have changed, here or by another process. It must not block.
func (db *DB) OnPublications(wake func()) { db.onPublications.Store(&wake) }

func (db *DB) wake(kind int) {
	sleeper := [...]*atomic.Pointer[func()]{jobs: &db.onJobs, events: &db.onEvents, publications: &db.onPublications}[kind]
	if wake := sleeper.Load(); wake != nil {
		(*wake)()
	}
}

// announce wakes the sleepers of this process and has the others told.
func (db *DB) announce(tx *query.Tx) {
	told := false
	for kind, woken := range [...]bool{jobs: tx.Woken.Jobs, events: tx.Woken.Events, publications: tx.Woken.Publications} {
		if woken {
			db.wake(kind)
			db.untold[kind].Store(true)
			told = true
		}
	}
	if !told {
		return
	}
	select {
	case db.news <- struct{}{}:
	default:
	}
}

// tell tells the other processes.
func (db *DB) tell() {
	for {
		select {
		case <-db.news:
		case <-db.closing.Done():
			return
		}
		select {
		case <-time.After(gather):
		case <-db.closing.Done(): // tell it all the same
		}
		said := []string{db.self}
		for kind := range db.untold {
			if db.untold[kind].Swap(false) {
				said = append(said, words[kind])
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), db.config.Patience)
		// If it cannot be said, the others look after their heartbeat.
		_, _ = db.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, strings.Join(said, " "))
		cancel()
	}
}

// listen hears what other processes committed.
func (db *DB) listen() {
	for attempt := 0; ; attempt++ {
		_ = db.hear(&attempt) // the connection is lost: connect again
		if pause(db.closing, attempt) != nil {
			return
		}
	}
}

// hear listens on one connection until it is lost; attempt is set back when it stands.
func (db *DB) hear(attempt *int) error {
	ctx := db.closing
	conn, err := pgx.ConnectConfig(ctx, db.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(closing) // it is not needed any more
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	*attempt = 0
	for {
		for kind := range words { // what was said while nobody listened
			db.wake(kind)
		}
		for {
			waiting, cancel := context.WithTimeout(ctx, heartbeat)
			heard, err := conn.WaitForNotification(waiting)
			quiet := waiting.Err() != nil && ctx.Err() == nil
			cancel()
			if quiet {
				break
			}
			if err != nil {
				return err
			}
			said := strings.Fields(heard.Payload)
			if len(said) == 0 || said[0] == db.self {
				continue
			}
			for kind, word := range words {
				for _, one := range said[1:] {
					if one == word {
						db.wake(kind)
					}
				}
			}
		}
		if err := conn.Ping(ctx); err != nil {
			return err
		}
	}
}
