package sqlite_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/job"
	"yagona/store/query"
	"yagona/store/sqlite"
)

func TestACommitTellsWhatItsActsWrote(t *testing.T) {
	db, err := sqlite.Temporary(t.Context(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var told [][]query.Written
	db.OnCommit(func(acts []query.Written) { told = append(told, append([]query.Written{}, acts...)) })
	queue := func(key string, payload int, failure error) error {
		return query.For[job.Reader, job.Tx](db).Update(t.Context(), "test", func(tx job.Tx) error {
			err := tx.QueueJob(job.Job{ID: "1", Key: "key", Kind: key, Due: tx.Now(), Payload: make([]byte, payload)})
			return errors.Join(err, failure)
		})
	}
	if err := queue("fails", 10, errors.New("no")); err == nil {
		t.Fatal("an act that fails was done")
	}
	if err := queue("kind", 100, nil); err != nil {
		t.Fatal(err)
	}
	db.OnCommit(nil)
	err = query.For[job.Reader, job.Tx](db).Update(t.Context(), "test", func(tx job.Tx) error { return tx.FinishJob("key", "1") })
	if err != nil {
		t.Fatal(err)
	}
	// Three texts, four numbers (the due time, the attempts, whether it is dead, whether it is of the background), the payload; of an act that failed, nothing.
	want := [][]query.Written{{}, {{Statements: 1, Bytes: len("1") + len("key") + len("kind") + 4*8 + 100}}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}
