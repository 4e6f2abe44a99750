package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/transparency"
	"yagona/store/query"
)

// TestTransparency checks what the transparency log needs of a store.
func TestTransparency(t *testing.T, open Open) {
	ctx := t.Context()
	update := func(t *testing.T, db DB, run func(*query.Tx) error) {
		t.Helper()
		if err := db.Update(ctx, act.Platform, run); err != nil {
			t.Fatal(err)
		}
	}
	view := func(t *testing.T, db DB, run func(*query.Tx) error) {
		t.Helper()
		if err := db.View(ctx, run); err != nil {
			t.Fatal(err)
		}
	}
	// event appends an event whose id is of the given second.
	event := func(t *testing.T, db DB, key act.Key, second int) transparency.Entry {
		t.Helper()
		entry := transparency.Entry{Key: key, Data: fmt.Appendf(nil, "entry %d", second)}
		entry.Event = ident.New[ident.Event](Start.Add(time.Duration(second) * time.Second))
		if err := db.Update(ctx, key, func(tx *query.Tx) error {
			return tx.AppendEvent(journal.StoredEvent{
				Key: key, ID: entry.Event, At: tx.Now(), Header: []byte("{}"), Entry: entry.Data,
			}, nil)
		}); err != nil {
			t.Fatal(err)
		}
		return entry
	}
	pending := func(t *testing.T, db DB, limit int) (found []transparency.Entry) {
		t.Helper()
		update(t, db, func(tx *query.Tx) (err error) { found, err = tx.PendingEntries(limit); return err })
		return found
	}

	t.Run("an event without an index waits, the oldest first, however late it was committed", func(t *testing.T) {
		db := open(t, Still)
		second, first := event(t, db, "person:b", 2), event(t, db, "person:a", 1)
		if diff := cmp.Diff([]transparency.Entry{first, second}, pending(t, db, 10)); diff != "" {
			t.Error(diff)
		}
		if got := pending(t, db, 1); len(got) != 1 {
			t.Errorf("a limit of 1 gave %d", len(got))
		}
		update(t, db, func(tx *query.Tx) error { return tx.SaveLogIndex(second.Key, second.Event, 0) })
		late := event(t, db, "person:c", 0)
		if diff := cmp.Diff([]transparency.Entry{late, first}, pending(t, db, 10)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an index is given once", func(t *testing.T) {
		db := open(t, Still)
		one, two := event(t, db, "person:a", 1), event(t, db, "person:b", 2)
		update(t, db, func(tx *query.Tx) error { return tx.SaveLogIndex(one.Key, one.Event, 0) })
		for name, index := range map[string]func(tx *query.Tx) error{
			"an event with an index": func(tx *query.Tx) error { return tx.SaveLogIndex(one.Key, one.Event, 1) },
			"an unknown event":       func(tx *query.Tx) error { return tx.SaveLogIndex("person:c", one.Event, 1) },
			"an index that is taken": func(tx *query.Tx) error { return tx.SaveLogIndex(two.Key, two.Event, 0) },
		} {
			if err := db.Update(ctx, act.Platform, index); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
	t.Run("events come in the order of their indexes", func(t *testing.T) {
		db := open(t, Still)
		var want []ident.Event
		for i := range 5 {
			entry := event(t, db, act.Key(fmt.Sprint("person:", i)), 10-i)
			want = append(want, entry.Event)
			update(t, db, func(tx *query.Tx) error { return tx.SaveLogIndex(entry.Key, entry.Event, int64(i)) })
		}
		event(t, db, "person:pending", 0)
		view(t, db, func(tx *query.Tx) error {
			found, err := tx.EventsByIndex(1, 3)
			var got []ident.Event
			for i, event := range found {
				got = append(got, event.ID)
				if event.Index != int64(i)+1 || len(event.Entry) == 0 {
					t.Errorf("event %d came back as %+v", i, event)
				}
			}
			if diff := cmp.Diff(want[1:4], got); diff != "" {
				t.Error(diff)
			}
			return err
		})
	})
	t.Run("tiles and the head come back as they were saved last", func(t *testing.T) {
		db := open(t, Still)
		view(t, db, func(tx *query.Tx) error {
			head, err := tx.LogHead()
			if err != nil {
				return err
			}
			if diff := cmp.Diff(transparency.Head{}, head); diff != "" {
				t.Errorf("the head of an empty store: %s", diff)
			}
			data, err := tx.LogTile(0, 0)
			if data != nil {
				t.Errorf("a tile of an empty store: %q", data)
			}
			return err
		})
		full := bytes.Repeat([]byte{7}, 8192)
		update(t, db, func(tx *query.Tx) error { return tx.SaveLogTile(-1, 0, []byte("bundle")) })
		update(t, db, func(tx *query.Tx) error { return tx.SaveLogTile(0, 1<<40, []byte("short")) })
		update(t, db, func(tx *query.Tx) error { return tx.SaveLogTile(0, 1<<40, full) })
		want := []transparency.Head{
			{Size: 1}, {Size: 2, Signed: []byte("signed")}, {Size: 3, Signed: []byte("signed"), Published: []byte("published")},
		}
		for _, head := range want {
			update(t, db, func(tx *query.Tx) error { return tx.SaveLogHead(head) })
			view(t, db, func(tx *query.Tx) error {
				got, err := tx.LogHead()
				if diff := cmp.Diff(head, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
		}
		view(t, db, func(tx *query.Tx) error {
			if data, err := tx.LogTile(-1, 0); string(data) != "bundle" {
				t.Errorf("the bundle came back as %q, %v", data, err)
			}
			data, err := tx.LogTile(0, 1<<40)
			if !bytes.Equal(data, full) {
				t.Errorf("the tile came back as %q", data)
			}
			return err
		})
	})
}
