package postgres

import (
	"context"
	"slices"
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
	told      = "="  // what a word begins with that was told by Tell
	mostWords = 7000 // bytes; a notification holds 8000
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

// Tell says a word without spaces to the other processes on the database, a few milliseconds later. It is no promise: what
// cannot be said, or is too much at once, is not.
func (db *DB) Tell(word string) {
	db.wordsMu.Lock()
	defer db.wordsMu.Unlock()
	if len(db.words)+len(word) < mostWords {
		db.words += " " + told + word
	}
	db.hurry()
}

// OnTold sets what is called with every word that another process tells. It must not block.
func (db *DB) OnTold(hear func(word string)) { db.onTold.Store(&hear) }

// hurry has what is to be told told soon.
func (db *DB) hurry() {
	select {
	case db.news <- struct{}{}:
	default:
	}
}

// announce wakes the sleepers of this process and has the others told.
func (db *DB) announce(tx *query.Tx) {
	news := false
	for kind, woken := range [...]bool{jobs: tx.Woken.Jobs, events: tx.Woken.Events, publications: tx.Woken.Publications} {
		if woken {
			db.wake(kind)
			db.untold[kind].Store(true)
			news = true
		}
	}
	if news {
		db.hurry()
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
		db.wordsMu.Lock()
		said, db.words = append(said, strings.Fields(db.words)...), ""
		db.wordsMu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), db.config.Patience)
		// If it cannot be said, the others look after their heartbeat.
		_, _ = db.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, strings.Join(said, " "))
		cancel()
	}
}

// listen hears what other processes committed.
func (db *DB) listen() {
	hear(db.closing, db.pool.Config().ConnConfig, channel, db.wakeAll, db.wakeAll, func(payload string) {
		said := strings.Fields(payload)
		if len(said) == 0 || said[0] == db.self {
			return
		}
		for kind, word := range words {
			if slices.Contains(said[1:], word) {
				db.wake(kind)
			}
		}
		hear := db.onTold.Load()
		for _, one := range said[1:] {
			if word, ok := strings.CutPrefix(one, told); ok && hear != nil {
				(*hear)(word)
			}
		}
	})
}

func (db *DB) wakeAll() {
	for kind := range words {
		db.wake(kind)
	}
}

// hear listens on a channel, on a connection of its own, until the context ends. It calls missed when something may have
// been said while it did not listen, and quiet after each heartbeat without a word.
func hear(ctx context.Context, config *pgx.ConnConfig, channel string, missed, quiet func(), said func(payload string)) {
	for attempt := 0; ; attempt++ {
		_ = hearOnce(ctx, config, channel, func() { attempt = 0; missed() }, quiet, said) // the connection is lost: connect again
		if pause(ctx, attempt) != nil {
			return
		}
	}
}

// hearOnce listens until the connection is lost.
func hearOnce(ctx context.Context, config *pgx.ConnConfig, channel string, missed, quiet func(), said func(payload string)) error {
	conn, err := pgx.ConnectConfig(ctx, config)
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
	missed()
	for {
		waiting, cancel := context.WithTimeout(ctx, heartbeat)
		heard, err := conn.WaitForNotification(waiting)
		nothing := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case nothing:
			asking, cancel := context.WithTimeout(ctx, pingTimeout)
			err := conn.Ping(asking)
			cancel()
			if err != nil {
				return err
			}
			quiet()
		case err != nil:
			return err
		default:
			said(heard.Payload)
		}
	}
}
