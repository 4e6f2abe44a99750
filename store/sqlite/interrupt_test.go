package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/journal"
	"yagona/store/query"
)

// A statement that was seen to take long ends when its caller does not wait any more, however long it would still take.
func TestALongQueryEndsWithItsCaller(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "test.db")) // with one reader
	if err := db.Count(t.Context(), 2_000_000); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := db.Count(ctx, 1<<60); err == nil || ctx.Err() == nil {
		t.Errorf("counting without end was answered: %v", err)
	}
	if err := db.Count(t.Context(), 10); err != nil {
		t.Errorf("afterwards the reader does not read any more: %v", err)
	}
}

func TestAReadingEndsBetweenTwoRowsWithItsCaller(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "test.db"))
	err := db.Update(t.Context(), "test", func(tx *query.Tx) error {
		for _, id := range []string{"1", "2", "3"} {
			if err := tx.SaveOutage(casework.Outage{ID: id, From: tx.Now(), Until: tx.Now(), Reason: "test"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	err = db.View(ctx, func(tx *query.Tx) error {
		return tx.OutageRows(func(journal.Row) error {
			seen++
			cancel()
			return nil
		})
	})
	if !errors.Is(err, context.Canceled) || seen != 1 {
		t.Errorf("after the caller had gone %d rows were read: %v", seen-1, err)
	}
}
