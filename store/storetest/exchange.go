package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/journal"
	"yagona/store/query"
)

// TestExchange checks what package exchange needs of a store.
func TestExchange(t *testing.T, open Open) {
	ctx := t.Context()
	db := open(t, Still)
	stored := []exchange.StoredExchange{
		{Key: "person:a", ID: "1", At: Start.Add(time.Microsecond), Sealed: []byte{0, 1}, Event: "e1"},
		{Key: "person:a", ID: "2", At: Start, Sealed: []byte{2}, Event: "e2"},
		{Key: "person:b", ID: "1", At: Start, Sealed: []byte{3}, Event: "e3"},
	}
	for _, i := range []int{2, 0, 1} {
		if err := db.Update(ctx, stored[i].Key, func(tx *query.Tx) error { return tx.SaveExchange(stored[i]) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Update(ctx, "person:a", func(tx *query.Tx) error { return tx.SaveExchange(stored[0]) }); err == nil {
		t.Error("one was kept twice")
	}
	stop := errors.New("enough")
	err := db.View(ctx, func(tx *query.Tx) error {
		found, err := tx.StoredExchange(act.Key("person:a"), "2")
		if diff := cmp.Diff(stored[1], found); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if _, err := tx.StoredExchange("person:b", "2"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown one gave %v", err)
		}
		var all []exchange.StoredExchange
		err = tx.StoredExchanges(func(one exchange.StoredExchange) error {
			all = append(all, one)
			return nil
		})
		if diff := cmp.Diff(stored, all); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		n := 0
		err = exchange.Rows(tx, func(row journal.Row) error {
			n++
			return stop
		})
		if n != 1 || !errors.Is(err, stop) {
			t.Errorf("after %d rows: %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
