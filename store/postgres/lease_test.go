package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagona/kernel/ident"
	"yagona/store/postgres"
	"yagona/store/query"
	"yagona/store/storetest"
)

// pending returns how many events wait for their index in a reading of its own.
func pending(t *testing.T, db *postgres.DB) int {
	t.Helper()
	count := 0
	err := db.View(t.Context(), func(tx *query.Tx) error {
		found, err := tx.PendingEntries(1000)
		count = len(found)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return count
}

// single opens a database with one connection, so that everything follows everything else on it.
func single(t *testing.T, address string) *postgres.DB {
	t.Helper()
	return openWith(t, postgres.Config{URL: address, Clock: time.Now, Connections: 1})
}

// TestAReadingSeesWhatWasCommittedBeforeIt lets another process commit between two readings on one connection, and this one.
func TestAReadingSeesWhatWasCommittedBeforeIt(t *testing.T) {
	address := storetest.ServerURL(t)
	here, elsewhere := single(t, address), openAt(t, address, time.Now)
	for committed := range 20 {
		if seen := pending(t, here); seen != committed {
			t.Fatalf("a reading saw %d events of %d", seen, committed)
		}
		by := elsewhere
		if committed%2 == 1 {
			by = here
		}
		if err := by.Update(t.Context(), "person:a", func(tx *query.Tx) error { return appendEvent(tx, ident.Random[ident.Event]()) }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneConnectionIsHandedOn lets many want the only connection at a time: each gets it, whatever the one before did with it.
func TestOneConnectionIsHandedOn(t *testing.T) {
	db := single(t, storetest.ServerURL(t))
	refused := errors.New("refused")
	var wanting sync.WaitGroup
	for range 8 {
		wanting.Go(func() {
			for range 10 {
				pending(t, db)
				if err := db.View(t.Context(), func(*query.Tx) error { return nil }); err != nil {
					t.Error(err)
				}
				if err := db.Update(t.Context(), "person:a", func(*query.Tx) error { return refused }); !errors.Is(err, refused) {
					t.Errorf("an act that refused gave %v", err)
				}
				if err := db.Update(t.Context(), "person:a", func(tx *query.Tx) error { return appendEvent(tx, ident.Random[ident.Event]()) }); err != nil {
					t.Error(err)
				}
				if _, err := db.ClaimJobs(t.Context(), storetest.Start, storetest.Start.Add(time.Minute), 4); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wanting.Wait()
	if seen := pending(t, db); seen != 80 {
		t.Errorf("%d of 80 events are stored", seen)
	}
}

// TestAReadingThatIsOverIsEnded looks from outside: where nobody uses the connection again, no snapshot stays open.
func TestAReadingThatIsOverIsEnded(t *testing.T) {
	address := storetest.ServerURL(t)
	db := openAt(t, address, time.Now)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	var readings sync.WaitGroup
	for range 8 {
		readings.Go(func() { pending(t, db) })
	}
	readings.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for {
		var open, free int
		err := admin.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE xact_start IS NOT NULL), count(*) FILTER (WHERE state = 'idle')
			FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&open, &free)
		if err != nil {
			t.Fatal(err)
		}
		if open == 0 && free > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are still within a transaction, %d are free", open, free)
		}
		time.Sleep(time.Millisecond)
	}
}
