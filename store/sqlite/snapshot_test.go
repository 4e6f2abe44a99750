package sqlite_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/journal"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// A reader keeps its snapshot for the next reading: never beyond a commit that was acknowledged before that began.
func TestWhoReadsAfterAnAcknowledgementReadsIt(t *testing.T) {
	db := open(t, time.Now)
	var acknowledged atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer stop()
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				least := acknowledged.Load()
				var seen int64
				err := db.View(t.Context(), func(tx *query.Tx) (err error) {
					seen, err = outages(tx)
					return err
				})
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

// Whatever readings before it did, one reading reads one snapshot, which has what was acknowledged before it.
func TestOneReadingReadsOneSnapshot(t *testing.T) {
	db := open(t, time.Now)
	var acknowledged atomic.Int64
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	const breaks = "a reading breaks"
	refused := errors.New("refused")
	read := func(ctx context.Context, worker int) {
		defer func() {
			if broken := recover(); broken != nil && broken != breaks {
				panic(broken)
			}
		}()
		least := acknowledged.Load()
		err := db.View(ctx, func(tx *query.Tx) error {
			var seen [2]int64
			for i := range seen {
				var err error
				if seen[i], err = outages(tx); err != nil {
					return err
				}
				if rand.IntN(3) == 0 {
					time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
				}
			}
			if seen[0] != seen[1] || seen[0]%2 != 0 || seen[0] < least {
				t.Errorf("worker %d reads %d and %d where %d are acknowledged", worker, seen[0], seen[1], least)
			}
			switch rand.IntN(6) {
			case 0:
				panic(breaks)
			case 1:
				return refused
			}
			return nil
		})
		if err != nil && !errors.Is(err, refused) && ctx.Err() == nil {
			t.Errorf("worker %d: %v", worker, err)
		}
	}
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for ctx.Err() == nil {
				within, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(20))*time.Millisecond)
				read(within, worker)
				cancel()
			}
		})
	}
	for i := 0; ctx.Err() == nil; i++ {
		fails := rand.IntN(4) == 0
		err := db.Update(t.Context(), "test", func(tx *query.Tx) error {
			for _, half := range []string{"a", "b"} {
				if err := tx.SaveOutage(casework.Outage{ID: half + strconv.Itoa(i), From: tx.Now(), Until: tx.Now(), Reason: "test"}); err != nil {
					return err
				}
			}
			if fails {
				return refused
			}
			return nil
		})
		switch {
		case err == nil:
			acknowledged.Add(2)
		case !fails:
			t.Error(err)
		}
		time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
	}
	workers.Wait()
}

func outages(tx *query.Tx) (seen int64, err error) {
	err = tx.OutageRows(func(journal.Row) error {
		seen++
		return nil
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
		if err := queue(t, db, strconv.Itoa(number), size); err != nil {
			t.Fatal(err)
		}
		err := db.View(t.Context(), func(tx *query.Tx) error {
			_, err := outages(tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const pages, page = 60_000, 4096 // five times what the log holds
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
	// While the store copies the log itself, nobody else can: whoever empties it from outside tries again.
	for tried := 0; ; tried++ {
		var busy, inLog, copied int
		err := outside.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &copied)
		if err == nil && busy == 0 {
			break
		}
		if err != nil || tried == 40 {
			t.Fatalf("emptying the log from outside found the database in use (%d): %v", busy, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
