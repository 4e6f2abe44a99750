package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/job"
	"yagona/store/query"
	"yagona/store/sqlite"
)

func openAt(t *testing.T, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Clock: time.Now, Readers: 1, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func queue(t *testing.T, db *sqlite.DB, id string, payload int) error {
	t.Helper()
	return db.Update(t.Context(), "test", func(tx *query.Tx) error {
		return tx.QueueJob(job.Job{ID: "1" + "", Key: act.Key("test:" + id), Kind: "kind", Due: tx.Now(), Payload: bytes.Repeat([]byte("7"), payload)})
	})
}

func TestADamagedPageStopsWritingAndNotReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yagona.db")
	db := openAt(t, path)
	for i := range 200 {
		if err := queue(t, db, fmt.Sprint(i), 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	flipPages(t, path, "job")
	db = openAt(t, path)
	if db.Condition() != nil {
		t.Fatalf("before anybody looks, it says %v", db.Condition())
	}
	read := func() error {
		return db.View(t.Context(), func(tx *query.Tx) error { _, err := tx.LogHead(); return err })
	}
	jobs := func() error {
		return db.View(t.Context(), func(tx *query.Tx) error { _, err := tx.DueJobs(time.Now(), 1000); return err })
	}
	if err := read(); err != nil {
		t.Fatalf("what is whole cannot be read: %v", err)
	}
	if err := jobs(); fault.Code(err) != "store.damaged" {
		t.Fatalf("reading what is damaged gives %v", err)
	}
	ran := false
	err := db.Update(t.Context(), act.Platform, func(tx *query.Tx) error { ran = true; return tx.SaveProbe() })
	if fault.Code(err) != "store.damaged" || ran {
		t.Errorf("writing into a damaged store gives %v", err)
	}
	if err := db.Probe(t.Context()); fault.Code(err) != "store.damaged" {
		t.Errorf("it says that it is %v", err)
	}
	if err := read(); err != nil {
		t.Errorf("what is whole cannot be read any more: %v", err)
	}
}

func TestADamagedPageThatAnActMeetsHarmsNoNeighbour(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yagona.db")
	db := openAt(t, path)
	for i := range 200 {
		if err := queue(t, db, fmt.Sprint(i), 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	flipPages(t, path, "job")
	db = openAt(t, path)
	if err := db.Update(t.Context(), act.Platform, func(tx *query.Tx) error { return tx.SaveProbe() }); err != nil {
		t.Fatalf("an act that meets no damage gives %v", err)
	}
	if err := db.Update(t.Context(), "test:7", func(tx *query.Tx) error { return tx.FinishJob("test:7", "1") }); fault.Code(err) != "store.damaged" {
		t.Fatalf("an act that meets damage gives %v", err)
	}
	if err := db.Condition(); fault.Code(err) != "store.damaged" {
		t.Errorf("it says that it is %v", err)
	}
}

// flipPages overwrites the pages of a table behind the store's back, but for its first.
func flipPages(t *testing.T, path, table string) {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	var root, size, count int64
	ctx := context.Background()
	if err := pool.QueryRowContext(ctx, `SELECT rootpage FROM sqlite_schema WHERE name = ?`, table).Scan(&root); err != nil {
		t.Fatal(err)
	}
	if err := pool.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size); err != nil {
		t.Fatal(err)
	}
	if err := pool.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&count); err != nil || count == 0 {
		t.Fatalf("%s has %d rows: %v", table, count, err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(bytes.Repeat([]byte{0x5a}, int(size)), (root-1)*size); err != nil {
		t.Fatal(err)
	}
}

func TestAFullStoreSaysSoAndGoesOnWhenThereIsRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yagona.db")
	db := openAt(t, path)
	// SQLite's own limit stands for the disk's: the answer is the same.
	limit := func(pages int) {
		t.Helper()
		if err := db.LimitPages(pages); err != nil {
			t.Fatal(err)
		}
	}
	if err := queue(t, db, "before", 1000); err != nil {
		t.Fatal(err)
	}
	limit(1)
	if err := queue(t, db, "large", 1<<20); fault.Code(err) != "store.full" {
		t.Fatalf("writing into a full store gives %v", err)
	}
	if err := db.Condition(); fault.Code(err) != "store.full" {
		t.Errorf("it says that it is %v", err)
	}
	limit(1 << 30)
	if err := db.Probe(t.Context()); err != nil {
		t.Errorf("with room again, it says %v", err)
	}
	if err := queue(t, db, "large", 1<<20); err != nil || db.Condition() != nil {
		t.Errorf("with room again, writing gives %v", err)
	}
	var found []job.Job
	err := db.View(t.Context(), func(tx *query.Tx) (err error) { found, err = tx.DueJobs(time.Now(), 10); return err })
	if err != nil || len(found) != 2 {
		t.Errorf("%d jobs are kept: %v", len(found), err)
	}
}
