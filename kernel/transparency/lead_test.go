package transparency_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/transparency"
	"yagona/store/query"
	"yagona/store/storetest"
)

// TestOneProcessAdvancesTheLog lets two processes act for the log in turn, on one store and with clocks of their own.
func TestOneProcessAdvancesTheLog(t *testing.T) {
	ctx := t.Context()
	var passed atomic.Int64 // seconds since the start
	clock := func() time.Time { return start.Add(time.Duration(passed.Load()) * time.Second) }
	db := storetest.Temporary(t, clock)
	shared := query.For[transparency.Reader, transparency.LeadTx](db)
	one, two := transparency.Elected(shared, "one", clock), transparency.Elected(shared, "two", clock)
	write := func(store transparency.Store, size int64) error {
		return store.Update(ctx, act.Platform, func(tx transparency.Tx) error { return tx.SaveLogHead(transparency.Head{Size: size}) })
	}
	size := func() int64 {
		t.Helper()
		var head transparency.Head
		if err := one.View(ctx, func(tx transparency.Reader) (err error) { head, err = tx.LogHead(); return err }); err != nil {
			t.Fatal(err)
		}
		return head.Size
	}
	leads := func(what string, store transparency.Store, next int64) {
		t.Helper()
		if err := write(store, next); err != nil || size() != next {
			t.Errorf("%s: %v, the head has size %d", what, err, size())
		}
	}
	follows := func(what string, store transparency.Store) (wait time.Duration) {
		t.Helper()
		before := size()
		var following transparency.Following
		if err := write(store, 1000); !errors.As(err, &following) || following.For <= 0 {
			t.Errorf("%s: %v", what, err)
		}
		if size() != before {
			t.Errorf("%s: it wrote the head", what)
		}
		return following.For
	}

	leads("who acts first", one, 1)
	if wait := follows("who acts second", two); wait > 10*time.Second {
		t.Errorf("the lead is free after %s only", wait)
	}
	passed.Add(5)
	leads("the leader keeps the lead by acting", one, 2)
	passed.Add(5)
	follows("ten seconds after its first act, five after its last", two)
	passed.Add(20)
	leads("the leader has died: another takes the lead", two, 3)
	follows("the old leader wakes up while the new one leads", one)
	passed.Add(20)
	leads("who leads may be late if nobody came", two, 4)
	passed.Add(20)
	leads("who was told to follow takes a free lead", one, 5)
	passed.Add(20)
	// Its lead is over and would be free; but another has led since, so what it began must not be written.
	follows("a leader that was stopped through a whole term of another", two)
	passed.Add(20)
	leads("its next run begins anew", two, 6)
	failed := errors.New("no")
	if err := two.Update(ctx, act.Platform, func(transparency.Tx) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("an act that fails: %v", err)
	}
	leads("an act that fails does not lose the lead", two, 7)
}
