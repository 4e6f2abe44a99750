package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/store/query"
)

// TestLedger checks that accounts, entries, transfers and orders come back as they were saved, that a stale account is
// not saved, and that each row's digest is the one that its event was given.
func TestLedger(t *testing.T, open Open) {
	const fund = ident.Account("fund:a")
	ctx := t.Context()
	payee := fund + "/payee/1"
	subject := ident.Random[ident.Person]().Subject()
	accounts := []ledger.Account{
		{ID: fund, Kind: ledger.Fund, Agency: "agency", Currency: "XTS", Event: "e1"},
		{ID: ledger.OutsideOf(fund), Kind: ledger.Outside, Agency: "agency", Currency: "XTS", Overdraft: true, Event: "e1"},
		{ID: payee, Kind: ledger.Payee, Agency: "agency", Currency: "XTS", Subject: subject, Sealed: []byte{0, 1, 255}, Event: "e2"},
	}
	order := ledger.Order{
		ID: "order-1", Fund: fund, Application: "application", Payee: payee, Subject: subject, Amount: money.Max, Currency: "XTS",
		Remittance: "ўқиш", PreparedBy: []ident.Person{"a", "b"}, State: ledger.Prepared, Prepared: Start, Event: "e3",
	}
	transfer := ledger.Transfer{
		ID: "transfer-1", Debit: fund, Credit: payee, Amount: 5, Reason: "payment", Reserve: true, Order: "order-1",
		State: ledger.Pending, Made: Start, Event: "e3",
	}
	update := func(t *testing.T, db DB, run func(tx *query.Tx) error) {
		t.Helper()
		if err := db.Update(ctx, act.OfAccount(fund), run); err != nil {
			t.Fatal(err)
		}
	}
	view := func(t *testing.T, db DB, run func(tx *query.Tx) error) {
		t.Helper()
		if err := db.View(ctx, run); err != nil {
			t.Fatal(err)
		}
	}
	filled := func(t *testing.T) DB {
		t.Helper()
		db := open(t, Still)
		update(t, db, func(tx *query.Tx) error {
			for _, account := range accounts {
				if err := tx.SaveLedgerAccount(account, -1); err != nil {
					return err
				}
			}
			return errors.Join(tx.SaveLedgerTransfer(transfer), tx.SavePaymentOrder(order))
		})
		return db
	}

	t.Run("accounts come back", func(t *testing.T) {
		db := filled(t)
		view(t, db, func(tx *query.Tx) error {
			all, err := tx.LedgerAccounts(fund, "", 10)
			if diff := cmp.Diff(accounts, all); diff != "" {
				t.Errorf("the book (-want +got):\n%s", diff)
			}
			if err != nil {
				return err
			}
			second, err := tx.LedgerAccounts(fund, all[0].ID, 1)
			if diff := cmp.Diff(accounts[1:2], second); diff != "" {
				t.Errorf("the second page (-want +got):\n%s", diff)
			}
			if err != nil {
				return err
			}
			funds, err := tx.Funds()
			if diff := cmp.Diff(accounts[:1], funds); diff != "" {
				t.Errorf("the funds (-want +got):\n%s", diff)
			}
			if err != nil {
				return err
			}
			one, err := tx.LedgerAccount(payee)
			if diff := cmp.Diff(accounts[2], one); diff != "" {
				t.Errorf("the payee's account (-want +got):\n%s", diff)
			}
			if err != nil {
				return err
			}
			if _, err := tx.LedgerAccount("fund:b"); !errors.Is(err, ledger.ErrUnknownAccount) {
				t.Errorf("an unknown account gave %v", err)
			}
			for who, want := range map[ident.Subject]int{subject: 1, "person:other": 0, "": 0} {
				found, err := tx.PayeeAccounts(fund, who)
				if err != nil || len(found) != want {
					t.Errorf("%q has %d accounts, want %d; %v", who, len(found), want, err)
				}
			}
			return nil
		})
	})
	t.Run("a stale account is not saved", func(t *testing.T) {
		db := filled(t)
		update(t, db, func(tx *query.Tx) error {
			account := accounts[1]
			account.Entries, account.Balance = 1, ledger.Balance{Posted: -5, PendingDebits: 1, PendingCredits: 2}
			if err := tx.SaveLedgerAccount(account, 0); err != nil {
				return err
			}
			stored, err := tx.LedgerAccount(account.ID)
			if diff := cmp.Diff(account, stored); diff != "" {
				t.Errorf("the account came back (-want +got):\n%s", diff)
			}
			return err
		})
		for had, name := range map[int64]string{0: "read before another wrote", -1: "taken for a new one", 7: "from nowhere"} {
			err := db.Update(ctx, act.OfAccount(fund), func(tx *query.Tx) error {
				account := accounts[1]
				account.Entries = 1
				return tx.SaveLedgerAccount(account, had)
			})
			if !errors.Is(err, ledger.ErrMoved) || !fault.Is(err, fault.Conflict) {
				t.Errorf("an account %s gave %v", name, err)
			}
		}
	})
	t.Run("the tables refuse what no book may hold", func(t *testing.T) {
		db := filled(t)
		for name, change := range map[string]func(*ledger.Account){
			"an overdrawn fund":        func(a *ledger.Account) { a.Balance.Posted = -1 },
			"more reserved than there": func(a *ledger.Account) { a.Balance = ledger.Balance{Posted: 1, PendingDebits: 2} },
			"a negative reserve":       func(a *ledger.Account) { a.Balance = ledger.Balance{PendingDebits: -1} },
			"a negative announcement":  func(a *ledger.Account) { a.Balance = ledger.Balance{PendingCredits: -1} },
		} {
			err := db.Update(ctx, act.OfAccount(fund), func(tx *query.Tx) error {
				account := accounts[0]
				account.Entries = 1
				change(&account)
				return tx.SaveLedgerAccount(account, 0)
			})
			if err == nil {
				t.Errorf("%s was stored", name)
			}
		}
	})
	t.Run("entries come back in order, each once", func(t *testing.T) {
		db := filled(t)
		var want []ledger.Entry
		for i := range int64(12) {
			want = append(want, ledger.Entry{
				Account: fund, Number: i + 1, Transfer: "transfer-1", At: Start.Add(time.Duration(i) * time.Second), Event: "e",
				Change: ledger.Balance{Posted: -money.Amount(i), PendingDebits: 1, PendingCredits: -1},
			})
		}
		update(t, db, func(tx *query.Tx) error {
			for i := range want {
				if err := tx.AppendLedgerEntry(want[len(want)-1-i]); err != nil {
					return err
				}
			}
			return tx.AppendLedgerEntry(ledger.Entry{Account: payee, Number: 1, Transfer: "transfer-1", At: Start, Event: "e"})
		})
		view(t, db, func(tx *query.Tx) error {
			first, err := tx.LedgerEntries(fund, 0, 10)
			if err != nil {
				return err
			}
			second, err := tx.LedgerEntries(fund, 10, 10)
			if diff := cmp.Diff(want, append(first, second...)); diff != "" {
				t.Errorf("the entries (-want +got):\n%s", diff)
			}
			return err
		})
		err := db.Update(ctx, act.OfAccount(fund), func(tx *query.Tx) error { return tx.AppendLedgerEntry(want[3]) })
		if err == nil {
			t.Error("an entry was stored twice")
		}
	})
	t.Run("transfers and orders come back, before and after they were settled", func(t *testing.T) {
		db := filled(t)
		settled, paid := transfer, order
		check := func(settled ledger.Transfer, paid ledger.Order) {
			t.Helper()
			view(t, db, func(tx *query.Tx) error {
				gotTransfer, err := tx.LedgerTransfer(fund, settled.ID)
				if diff := cmp.Diff(settled, gotTransfer); diff != "" {
					t.Errorf("the transfer (-want +got):\n%s", diff)
				}
				if err != nil {
					return err
				}
				gotOrder, err := tx.PaymentOrder(fund, paid.ID)
				if diff := cmp.Diff(paid, gotOrder); diff != "" {
					t.Errorf("the order (-want +got):\n%s", diff)
				}
				return err
			})
		}
		check(settled, paid)
		settled.State, settled.Settled, settled.Event = ledger.Posted, Start.Add(time.Hour), "e9"
		paid.State, paid.ReleasedBy, paid.Reason, paid.Sendings, paid.Event = ledger.Rejected, "c", "AC04", 3, "e9"
		paid.Released, paid.Sent, paid.Settled = Start.Add(time.Minute), Start.Add(2*time.Minute), Start.Add(time.Hour)
		update(t, db, func(tx *query.Tx) error {
			return errors.Join(tx.SaveLedgerTransfer(settled), tx.SavePaymentOrder(paid))
		})
		check(settled, paid)
		view(t, db, func(tx *query.Tx) error {
			if _, err := tx.LedgerTransfer("fund:b", settled.ID); !errors.Is(err, ledger.ErrUnknownTransfer) {
				t.Errorf("a transfer of another fund gave %v", err)
			}
			if _, err := tx.PaymentOrder("fund:b", paid.ID); !errors.Is(err, ledger.ErrUnknownOrder) {
				t.Errorf("an order on another fund gave %v", err)
			}
			return nil
		})
	})
	t.Run("orders are listed by state and page", func(t *testing.T) {
		db := filled(t)
		update(t, db, func(tx *query.Tx) error {
			for i := 2; i <= 4; i++ {
				more := order
				more.ID = ident.Order(fmt.Sprint("order-", i))
				if i == 3 {
					more.State = ledger.Sent
				}
				if err := tx.SavePaymentOrder(more); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, db, func(tx *query.Tx) error {
			var got []ident.Order
			for _, page := range []ident.Order{"", "order-1"} {
				found, err := tx.PaymentOrders(fund, ledger.Prepared, page, 2)
				if err != nil {
					return err
				}
				for _, one := range found {
					got = append(got, one.ID)
				}
			}
			if diff := cmp.Diff([]ident.Order{"order-1", "order-2", "order-2", "order-4"}, got); diff != "" {
				t.Errorf("the pages (-want +got):\n%s", diff)
			}
			return nil
		})
	})
	t.Run("orders that the bank did not take are listed until another takes their place", func(t *testing.T) {
		db := filled(t)
		update(t, db, func(tx *query.Tx) error {
			for _, one := range []struct{ id, application, reason string }{
				{"order-2", "granted-2", "AC04"}, {"order-3", "granted-3", "BE01"}, {"order-4", "granted-2", ""}, {"order-5", "granted-5", "wrong-amount"}, {"order-6", "", "AC01"},
			} {
				more := order
				more.ID, more.Application, more.Reason = ident.Order(one.id), ident.Application(one.application), one.reason
				if one.reason != "" {
					more.State = ledger.Rejected
				}
				if err := tx.SavePaymentOrder(more); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, db, func(tx *query.Tx) error {
			found, err := tx.UnreplacedOrders(fund, 10)
			if err != nil {
				return err
			}
			var got []ident.Order
			for _, one := range found {
				if got = append(got, one.ID); !one.RejectedByBank() {
					t.Errorf("%s was not turned down by the bank", one.ID)
				}
			}
			if diff := cmp.Diff([]ident.Order{"order-6", "order-3"}, got); diff != "" {
				t.Errorf("the orders (-want +got):\n%s", diff)
			}
			return nil
		})
	})
	t.Run("the auditor sees each row with the digest that its event was given", func(t *testing.T) {
		db := filled(t)
		entry := ledger.Entry{Account: fund, Number: 1, Transfer: "transfer-1", Change: ledger.Balance{PendingDebits: 5}, At: Start, Event: "e3"}
		update(t, db, func(tx *query.Tx) error { return tx.AppendLedgerEntry(entry) })
		row := func(cover journal.Cover, event ident.Event) journal.Row {
			return journal.Row{Name: cover.Row, Key: act.OfAccount(fund), Event: event, Digest: cover.Digest}
		}
		var want, got []journal.Row
		for _, account := range accounts {
			want = append(want, row(account.Cover(), account.Event))
		}
		want = append(want, row(entry.Cover(), "e3"), row(transfer.Cover(), "e3"), row(order.Cover(), "e3"))
		view(t, db, func(tx *query.Tx) error {
			return tx.LedgerRows(func(row journal.Row) error { got = append(got, row); return nil })
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the rows (-want +got):\n%s", diff)
		}
	})
}
