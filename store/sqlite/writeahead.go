package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// The write-ahead log is taken into the database beside the acts. SQLite would do it within the commit that fills the log,
// where every act waits while the database's file is synced, which takes as long as thirty commits. Here a connection of
// its own copies the log while acts go on; what they have added meanwhile, a few pages, the writing goroutine copies
// between two commits, after which the log begins anew.
const (
	// The log is copied when it is as long as the database, but not below the first number of pages (16 MiB) nor above the
	// second (48 MiB). A page that many acts write is copied once for all of them; and on a small disk a long log would
	// keep the room that its own copying needs. While it is copied the log grows on, by a fourth or so.
	shortestLog, longestLog = 4_000, 12_000
	pageSize                = 4096 // SQLite's own
	// restPages is how many pages are left to the writing goroutine at most.
	restPages = 400
	// passes is how often the copying goes through the log until it leaves the rest to the next commit.
	passes = 4
)

// copyAfter returns how many pages the log holds when its copying begins.
func (db *DB) copyAfter() int64 {
	file, err := os.Stat(db.config.Path)
	if err != nil {
		return shortestLog
	}
	return min(max(file.Size()/pageSize, shortestLog), longestLog)
}

// logState is how many pages the write-ahead log holds, and how many of them are in the database already.
type logState struct{ pages, copied int64 }

// watchLog is called between two commits, when their acts are answered.
func (db *DB) watchLog() {
	// What cannot be stored may find room where the log begins anew, however short that is: on a full disk it cannot grow.
	if db.nearlyCopied.Swap(false) || db.condition.Load() != nil {
		db.giveBack() // what a reader keeps is not copied over
		_, err := db.writer.copyLog("PASSIVE")
		db.noteCopying(err)
	}
	if db.copying.Load() {
		return
	}
	log, err := db.writer.copyLog("NOOP")
	switch {
	case err != nil || log.pages < shortestLog:
		db.copyAt = 0
	case log.pages >= max(db.copyAt, db.copyAfter()):
		// If a long reading keeps the log from beginning anew, the next try is worth its syncs when there is more to copy.
		db.copyAt = log.pages + restPages
		db.copying.Store(true)
		db.copies.Go(func() {
			defer db.copying.Store(false)
			db.noteCopying(db.copyMost())
		})
	}
}

// copyMost copies the log, while acts go on, until little is left of it.
func (db *DB) copyMost() (err error) {
	if db.copier == nil {
		if db.copier, err = connect(nameOf(db.config.Path, db.pragmas())); err != nil {
			return err
		}
	}
	for range passes {
		log, err := db.copier.copyLog("PASSIVE")
		if err != nil {
			return err
		}
		if log.pages-log.copied <= restPages {
			break
		}
	}
	db.nearlyCopied.Store(true)
	return nil
}

// noteCopying keeps what copying told of the storage. Only damage is told from here: whatever else keeps the log from
// being copied, such as a full disk, lets it grow, and the next commit tells whether that goes on.
func (db *DB) noteCopying(err error) {
	if failure := storageFailure(err); lasting(failure) {
		db.note(failure.Because(err))
	}
}

// copyLog copies what can be copied of the log without waiting for anybody, with the mode PASSIVE, or nothing, with NOOP
// (https://sqlite.org/pragma.html#pragma_wal_checkpoint), and returns how it is then.
func (c *connection) copyLog(mode string) (log logState, err error) {
	found, err := c.Query(context.Background(), "PRAGMA wal_checkpoint("+mode+")", nil)
	if err != nil {
		return log, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	var busy int64
	if !found.Next() {
		return log, errors.Join(errors.New("the engine does not tell how far the log is copied"), found.Err())
	}
	if err := found.Scan(&busy, &log.pages, &log.copied); err != nil {
		return log, fmt.Errorf("reading how far the log is copied: %w", err)
	}
	return log, found.Err()
}
