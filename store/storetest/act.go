// Package storetest is the one conformance suite of the stores: every engine passes it, with a fresh store for each
// subtest. A property that an engine cannot have is named in that engine's test, never skipped here.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/store/query"
)

// DB is what the suite needs of an engine.
type DB = query.DB

// Open opens a fresh, empty store with the clock, and closes it when the test ends.
type Open func(t *testing.T, clock act.Clock) DB

// Start is when the suite's clocks start.
var Start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// Still is a clock that stands at Start.
func Still() time.Time { return Start }

type reader interface {
	act.Snapshot
	job.Reader
}

// TestAct checks what package act promises.
func TestAct(t *testing.T, open Open) {
	ctx := t.Context()
	queue := func(tx *query.Tx, kind string) error { return job.Queue(tx, kind, 0, nil) }
	kinds := func(t *testing.T, db DB) string {
		t.Helper()
		var found []string
		err := db.View(ctx, func(tx *query.Tx) error {
			jobs, err := tx.DueJobs(Start.Add(time.Hour), 1000)
			for _, one := range jobs {
				found = append(found, one.Kind)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(found, " ")
	}

	t.Run("what was committed is read at once", func(t *testing.T) {
		db := open(t, Still)
		if err := db.Update(ctx, "person:a", func(tx *query.Tx) error { return queue(tx, "done") }); err != nil {
			t.Fatal(err)
		}
		if got := kinds(t, db); got != "done" {
			t.Errorf("read %q", got)
		}
	})
	t.Run("readings within a reading are made on its snapshot", func(t *testing.T) {
		store, other := query.For[reader, job.Tx](open(t, Still)), query.For[reader, job.Tx](open(t, Still))
		count := func(ctx context.Context) (jobs int) {
			t.Helper()
			err := store.View(ctx, func(tx reader) error {
				found, err := tx.DueJobs(Start.Add(time.Hour), 1000)
				jobs = len(found)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return jobs
		}
		add := func(ctx context.Context) error {
			return store.Update(ctx, "person:a", func(tx job.Tx) error { return job.Queue(tx, "done", 0, nil) })
		}
		var within context.Context
		err := store.View(ctx, func(tx reader) error {
			within = tx.Within(ctx)
			before := count(within)
			if err := add(ctx); err != nil {
				return err
			}
			if seen, at := count(within), count(ctx); before != 0 || seen != 0 || at != 1 {
				t.Errorf("before an act %d jobs, after it %d on the snapshot and %d beside it", before, seen, at)
			}
			if err := add(within); fault.Code(err) != "store.act-within-reading" {
				t.Errorf("an act within a reading gave %v", err)
			}
			return other.View(within, func(tx reader) error {
				if found, err := tx.DueJobs(Start.Add(time.Hour), 1000); err != nil || len(found) != 0 {
					t.Errorf("another store's jobs: %v, %v", found, err)
				}
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
		if err := add(within); err != nil {
			t.Errorf("an act after the reading: %v", err)
		}
		if jobs := count(within); jobs != 2 {
			t.Errorf("after the reading %d jobs", jobs)
		}
	})
	t.Run("a failing act leaves nothing", func(t *testing.T) {
		db := open(t, Still)
		wanted := errors.New("no")
		err := db.Update(ctx, "person:a", func(tx *query.Tx) error {
			if err := queue(tx, "lost"); err != nil {
				return err
			}
			return wanted
		})
		if !errors.Is(err, wanted) {
			t.Errorf("got %v", err)
		}
		if got := kinds(t, db); got != "" {
			t.Errorf("read %q", got)
		}
	})
	t.Run("a panicking act leaves nothing and the store goes on", func(t *testing.T) {
		db := open(t, Still)
		err := db.Update(ctx, "person:a", func(tx *query.Tx) error {
			if err := queue(tx, "lost"); err != nil {
				return err
			}
			panic("broken")
		})
		if !fault.Is(err, fault.Internal) {
			t.Errorf("got %v", err)
		}
		if err := db.Update(ctx, "person:a", func(tx *query.Tx) error { return queue(tx, "kept") }); err != nil {
			t.Fatal(err)
		}
		if got := kinds(t, db); got != "kept" {
			t.Errorf("read %q", got)
		}
	})
	t.Run("acts at the same time are all kept or all refused by themselves", func(t *testing.T) {
		db := open(t, Still)
		var acts sync.WaitGroup
		for i := range 200 {
			acts.Go(func() {
				err := db.Update(ctx, act.Key(fmt.Sprint("person:", i)), func(tx *query.Tx) error {
					if err := queue(tx, "kept"); err != nil {
						return err
					}
					if i%3 == 0 {
						return errors.New("refused")
					}
					return nil
				})
				if (err != nil) != (i%3 == 0) {
					t.Errorf("act %d: %v", i, err)
				}
			})
		}
		acts.Wait()
		if got, want := len(strings.Fields(kinds(t, db))), 133; got != want {
			t.Errorf("%d acts were kept instead of %d", got, want)
		}
	})
	t.Run("an act whose request is gone before it began is not done", func(t *testing.T) {
		db := open(t, Still)
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := db.Update(gone, "person:a", func(tx *query.Tx) error { return queue(tx, "lost") }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if got := kinds(t, db); got != "" {
			t.Errorf("read %q", got)
		}
	})
	t.Run("time never goes back", func(t *testing.T) {
		times := []time.Time{Start, Start.Add(time.Hour), Start.Add(-time.Hour), Start.Add(2 * time.Hour)}
		db := open(t, func() time.Time { now := times[0]; times = times[1:]; return now })
		var last time.Time
		for range 4 {
			err := db.Update(ctx, "person:a", func(tx *query.Tx) error {
				if tx.Now().Before(last) {
					t.Errorf("%v came after %v", tx.Now(), last)
				}
				last = tx.Now()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !last.Equal(Start.Add(2 * time.Hour)) {
			t.Errorf("the last act was at %v", last)
		}
	})
	t.Run("what counts figures waits for everything else", func(t *testing.T) {
		db := open(t, Still)
		err := db.Update(ctx, "person:a", func(tx *query.Tx) error {
			for range 3000 {
				if err := job.QueueBehind(tx, "figures", nil); err != nil {
					return err
				}
			}
			return errors.Join(job.Queue(tx, "pay", 0, nil), job.Queue(tx, "later", time.Hour, nil))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.View(ctx, func(tx *query.Tx) error {
			due, err := tx.DueJobs(Start, 3)
			if err != nil || len(due) != 3 || due[0].Kind != "pay" || due[0].Background || due[1].Kind != "figures" || !due[1].Background {
				t.Errorf("the next jobs are %+v, %v", due, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})

	t.Run("a job is finished once", func(t *testing.T) {
		db := open(t, Still)
		var queued job.Job
		err := db.Update(ctx, "person:a", func(tx *query.Tx) error {
			if err := queue(tx, "once"); err != nil {
				return err
			}
			jobs, err := tx.DueJobs(Start, 1)
			queued = jobs[0]
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		finish := func(tx *query.Tx) error { return tx.FinishJob(queued.Key, queued.ID) }
		if err := db.Update(ctx, "person:a", finish); err != nil {
			t.Error(err)
		}
		if err := db.Update(ctx, "person:a", finish); !errors.Is(err, job.ErrGone) {
			t.Errorf("the second time: %v", err)
		}
	})
}

// TestJournal checks that events and parts come back as they were appended.
func TestJournal(t *testing.T, open Open) {
	t.Run("parts under any key", func(t *testing.T) { testPartsUnderOtherKeys(t, open) })
	ctx := t.Context()
	db := open(t, Still)
	subject := ident.Subject("person:" + ident.Random[string]())
	var ids []ident.Event
	for i := range 3 {
		err := db.Update(ctx, act.Of(subject), func(tx *query.Tx) error {
			id := journal.NewID(tx)
			ids = append(ids, id)
			return tx.AppendEvent(journal.StoredEvent{Key: tx.Key(), ID: id, At: tx.Now(), Header: []byte("{}"), Entry: []byte("entry")},
				[]journal.StoredPart{{Key: tx.Key(), Event: id, Subject: subject, Sealed: []byte{byte(i)}, Disclosure: i == 1}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := db.View(ctx, func(tx *query.Tx) error {
		event, err := tx.StoredEvent(act.Of(subject), ids[0])
		if err != nil || event.Index != -1 || !event.At.Equal(Start) {
			t.Errorf("the event came back as %+v, %v", event, err)
		}
		if _, err := tx.StoredEvent(act.Of(subject), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown event gave %v", err)
		}
		all, err := tx.PartsOf(subject, false, "", 10)
		if err != nil || len(all) != 3 || all[0].Event < all[2].Event {
			t.Errorf("the parts came back as %+v, %v", all, err)
		}
		shown, err := tx.PartsOf(subject, true, "", 10)
		if err != nil || len(shown) != 1 || shown[0].Event != ids[1] {
			t.Errorf("the disclosures came back as %+v, %v", shown, err)
		}
		page, err := tx.PartsOf(subject, false, all[0].Event, 1)
		if err != nil || len(page) != 1 || page[0].Event != all[1].Event {
			t.Errorf("the second page came back as %+v, %v", page, err)
		}
		slices.Sort(ids) // of one moment, they are in no order of their own
		newest, err := tx.EventsUnder(act.Of(subject), 2)
		if err != nil || len(newest) != 2 || newest[0].ID != ids[1] || newest[1].ID != ids[2] || newest[0].Key != act.Of(subject) {
			t.Errorf("the newest two events under the key came back as %+v, %v", newest, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testPartsUnderOtherKeys checks that a person's parts are found in the order of their events, whosever key those lie under.
func testPartsUnderOtherKeys(t *testing.T, open Open) {
	db := open(t, Still)
	subject := ident.Subject("person:" + ident.Random[string]())
	var want []ident.Event
	for i, key := range []act.Key{act.Of(subject), "register:a/one", act.Of(subject), "person:other", "register:a/one"} {
		id := ident.Event(fmt.Sprint("event", i))
		want = append([]ident.Event{id}, want...)
		err := db.Update(t.Context(), key, func(tx *query.Tx) error {
			part := func(number int, of ident.Subject) journal.StoredPart {
				return journal.StoredPart{Key: key, Event: id, Number: number, Subject: of, Sealed: []byte{1}, Disclosure: i > 0}
			}
			return tx.AppendEvent(journal.StoredEvent{Key: key, ID: id, At: tx.Now(), Header: []byte("{}"), Entry: []byte("entry")},
				[]journal.StoredPart{part(0, "person:third"), part(1, subject)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find := func(disclosures bool, before ident.Event, limit int, want []ident.Event) {
		t.Helper()
		err := db.View(t.Context(), func(tx *query.Tx) error {
			found, err := tx.PartsOf(subject, disclosures, before, limit)
			var got []ident.Event
			for _, part := range found {
				got = append(got, part.Event)
				if part.Number != 1 || part.Subject != subject {
					t.Errorf("found %+v", part)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("found %v instead of %v", got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find(false, "", 10, want)
	find(true, "", 10, want[:4])
	find(false, "", 2, want[:2])
	find(false, want[1], 2, want[2:4])
}
