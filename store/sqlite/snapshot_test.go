package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// A reader keeps its snapshot for the next reading: never beyond a commit that was acknowledged before that began.
func TestWhoReadsAfterAnAcknowledgementReadsIt(t *testing.T) {
	db, err := sqlite.Temporary(t.Context(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var acknowledged atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				least := acknowledged.Load()
				seen, err := outages(t.Context(), db)
				if err != nil || seen < least {
					t.Errorf("%d outages are read after %d were acknowledged: %v", seen, least, err)
					return
				}
			}
		})
	}
	for i := range 300 {
		err := db.Update(t.Context(), "test", func(tx *query.Tx) error {
			return tx.SaveOutage(casework.Outage{ID: strconv.Itoa(i), From: tx.Now(), Until: tx.Now(), Reason: "test"})
		})
		if err != nil {
			t.Fatal(err)
		}
		acknowledged.Store(int64(i + 1))
	}
}

func outages(ctx context.Context, db *sqlite.DB) (seen int64, err error) {
	err = db.View(ctx, func(tx *query.Tx) error {
		return tx.OutageRows(func(journal.Row) error {
			seen++
			return nil
		})
	})
	return seen, err
}

// What readers keep does not keep the write-ahead log from being emptied, neither by the store nor from outside.
func TestReadingsDoNotKeepTheLogFromBeingEmptied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write := func(number, size int) {
		t.Helper()
		err := db.Update(t.Context(), "test", func(tx *query.Tx) error {
			return tx.QueueJob(job.Job{ID: ident.Job(strconv.Itoa(number)), Key: "key", Kind: "kind", Due: tx.Now(), Payload: make([]byte, size)})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := outages(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	const pages, page = 20_000, 4096 // five times what the log holds
	for i := range pages / 100 {
		write(i, 100*page)
	}
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if log.Size() > pages*page/2 {
		t.Errorf("the log has %d bytes after as many acts as fill it five times", log.Size())
	}

	outside, err := sqlite.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	write(pages, 1)
	var busy, inLog, copied int
	if err := outside.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &copied); err != nil || busy != 0 {
		t.Errorf("emptying the log from outside found the database in use (%d): %v", busy, err)
	}
}
