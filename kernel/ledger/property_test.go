package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
	"yagona/store/sqlite"
	"yagona/store/storetest"
)

var errBroken = errors.New("broken")

// TestWhateverFailsTheBookIsRightAndNothingIsPaidTwice runs random work on one fund while acts fail before and after
// they were done, the bank loses messages and answers, and the runner forgets everything. After each step the book
// balances; in the end, with nothing failing any more, each order is paid exactly once or not at all, as it says, and
// none that is to another's account.
func TestWhateverFailsTheBookIsRightAndNothingIsPaidTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ctx := context.Background()
		w := newRun(t, r)
		defer w.close()
		w.bank.RefuseDuplicates = rapid.Bool().Draw(r, "the bank refuses duplicates")
		w.bank.SettleAfter = time.Duration(rapid.IntRange(0, 3).Draw(r, "minutes to settle")) * time.Minute
		rejecting := rapid.Bool().Draw(r, "the bank rejects some")
		w.bank.Reject = func(message ledger.CreditTransfer) string {
			if rejecting && message.InstructedAmount%3 == 0 {
				return "AC04"
			}
			return ""
		}
		w.funded(1000)

		// From here on everything may fail: each moment takes the next of the drawn numbers.
		trouble := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 60).Draw(r, "trouble")
		fails := func(if0 int) bool {
			if len(trouble) == 0 {
				return false
			}
			next := trouble[0]
			trouble = trouble[1:]
			return next == if0
		}
		w.breaks = func(after bool) error {
			if fails(map[bool]int{false: 0, true: 1}[after]) {
				return errBroken
			}
			return nil
		}
		w.bank.Fault = func(_ context.Context, moment bank.Moment, _ ledger.EndToEndID) error {
			if fails(map[bank.Moment]int{bank.BeforeAccepting: 2, bank.AfterAccepting: 3, bank.BeforeTelling: 4, bank.BeforeVerifying: 5}[moment]) {
				return errBroken
			}
			return nil
		}
		// What the work itself may answer: a crash, or that there is no money, or that it is done already.
		expected := func(err error) {
			if err != nil && !errors.Is(err, errBroken) && !fault.Is(err, fault.Conflict) {
				r.Fatal(err)
			}
		}
		var asked []ledger.Instruction
		pick := func() (ledger.Instruction, bool) {
			if len(asked) == 0 {
				return ledger.Instruction{}, false
			}
			return asked[rapid.IntRange(0, len(asked)-1).Draw(r, "order")], true
		}
		accounts := []ident.Account{fund, ledger.OutsideOf(fund), ledger.SuspenseOf(fund)}
		var moved []ledger.Transfer
		r.Repeat(map[string]func(*rapid.T){
			"prepare": func(r *rapid.T) {
				in := w.instruction(money.Amount(rapid.IntRange(1, 400).Draw(r, "amount")))
				in.Creditor.Account = rapid.SampledFrom([]string{
					in.Creditor.Account, "20208000900000000002", // the payee's
					"20208000900000000003", "20208000900000000004", "20208000900000000009", // another's, closed, unknown
				}).Draw(r, "account")
				asked = append(asked, in)
				_, err := w.ledger.Prepare(ctx, journal.Actor{}, in)
				expected(err)
			},
			"prepare again": func(r *rapid.T) {
				if in, ok := pick(); ok {
					_, err := w.ledger.Prepare(ctx, journal.Actor{}, in)
					expected(err)
				}
			},
			"release": func(r *rapid.T) {
				if in, ok := pick(); ok {
					if _, err := w.ledger.Release(ctx, w.treasurer, fund, in.ID); !fault.Is(err, fault.NotFound) {
						expected(err)
					}
				}
			},
			"refuse": func(r *rapid.T) {
				if in, ok := pick(); ok {
					if _, err := w.ledger.Refuse(ctx, w.treasurer, fund, in.ID, "wrong-amount"); !fault.Is(err, fault.NotFound) {
						expected(err)
					}
				}
			},
			"move": func(r *rapid.T) {
				wanted := ledger.Transfer{
					ID: ident.Random[ident.Transfer](), Debit: rapid.SampledFrom(accounts).Draw(r, "debit"), Credit: rapid.SampledFrom(accounts).Draw(r, "credit"),
					Amount: money.Amount(rapid.IntRange(1, 600).Draw(r, "amount")), Reason: "correction", Reserve: rapid.Bool().Draw(r, "reserve"),
				}
				if wanted.Debit == wanted.Credit {
					return
				}
				moved = append(moved, wanted)
				_, err := w.ledger.Transfer(ctx, w.treasurer, wanted)
				expected(err)
			},
			"settle": func(r *rapid.T) {
				if len(moved) == 0 {
					return
				}
				one := rapid.SampledFrom(moved).Draw(r, "transfer")
				into := rapid.SampledFrom([]ledger.TransferState{ledger.Posted, ledger.Voided}).Draw(r, "into")
				if _, err := w.ledger.Settle(ctx, w.treasurer, fund, one.ID, into); !fault.Is(err, fault.NotFound) {
					expected(err)
				}
			},
			"work": func(r *rapid.T) {
				// An act of the runner that fails leaves its job due, so the work is bounded by the trouble.
				for range 5 {
					if err := w.runner.Drain(ctx); err != nil {
						expected(err)
					}
				}
				w.clock.Advance(time.Minute)
			},
			"crash": func(*rapid.T) { w.newRunner() },
			"": func(r *rapid.T) {
				w.view(func(tx ledger.Reader) error { return ledger.Check(tx, fund) })
			},
		})

		// Everything works again, and time passes.
		trouble = nil
		for range 12 {
			w.drain()
			w.clock.Advance(6 * time.Hour)
		}
		w.drain()
		w.check()
		paid := w.bank.Paid()
		for _, in := range asked {
			var order ledger.Order
			err := w.ledger.Store.View(ctx, func(tx ledger.Reader) (err error) {
				order, err = tx.PaymentOrder(fund, in.ID)
				return err
			})
			if fault.Is(err, fault.NotFound) {
				continue // never prepared: there was no money, or it crashed and nobody asked again
			}
			if err != nil {
				r.Fatal(err)
			}
			own := in.Creditor.Account == "20208000900000000001" || in.Creditor.Account == "20208000900000000002"
			if !own && (order.State != ledger.Rejected || w.bank.Messages(order.EndToEndID()) > 0) {
				r.Errorf("%s to an account that is not the payee's is %s, and the bank got %d messages", in.ID, order.State, w.bank.Messages(order.EndToEndID()))
			}
			amount, wasPaid := paid[order.EndToEndID()]
			delete(paid, order.EndToEndID())
			// The bank would tell a duplicate; it is not relied upon where its state can be asked.
			if got := w.bank.Messages(order.EndToEndID()); got > 1 {
				r.Errorf("the bank got %d messages of %s", got, in.ID)
			}
			switch order.State {
			case ledger.Confirmed:
				if !wasPaid || amount != in.Amount {
					r.Errorf("%s is confirmed, the bank paid %d of %d", in.ID, amount, in.Amount)
				}
			case ledger.Verified, ledger.Rejected:
				if wasPaid {
					r.Errorf("%s is %s, and the bank paid it", in.ID, order.State)
				}
			default:
				r.Errorf("%s is still %s", in.ID, order.State)
			}
		}
		if len(paid) != 0 {
			r.Errorf("the bank paid what nobody ordered: %v", paid)
		}
	})
}

// TestEveryChangedValueIsFound changes each value of each row of the ledger in the database, one after another, and
// checks that the auditor names that row.
func TestEveryChangedValueIsFound(t *testing.T) {
	w, path := newFile(t)
	w.funded(1000)
	paid, waiting := w.instruction(100), w.instruction(200)
	w.verified(paid)
	w.prepare(waiting)
	w.release(paid.ID)
	w.drain()
	w.check()
	pool, err := sqlite.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	names := map[string]string{
		"ledger_account": "'ledger-account/' || id", "ledger_entry": "'ledger-entry/' || account || '/' || number",
		"ledger_transfer": "'ledger-transfer/' || id", "payment_order": "'payment-order/' || id",
	}
	changed := 0
	for table, name := range names {
		for _, column := range columns(t, pool, table) {
			for _, row := range texts(t, pool, fmt.Sprintf("SELECT %s FROM %s", name, table)) {
				change := fmt.Sprintf("%s = %s", column, another(table, column))
				undo := copyOf(t, pool, table)
				// The tables' own checks are for honest writers; whoever has the file ignores them.
				if _, err := pool.Exec(fmt.Sprintf("PRAGMA ignore_check_constraints = 1; UPDATE %s SET %s WHERE %s = '%s'", table, change, name, row)); err != nil {
					t.Fatalf("%s: %v", change, err)
				}
				storetest.Changed(t, w.db)
				found := w.tampered()
				// A changed key or number renames the row: then the auditor names it by its new name.
				renamed := texts(t, pool, fmt.Sprintf("SELECT %s FROM %s WHERE %s NOT IN (SELECT %s FROM copied)", name, table, name, name))
				if !slices.Contains(found, row) && !slices.ContainsFunc(renamed, func(n string) bool { return slices.Contains(found, n) }) {
					t.Errorf("%s in %s of %s was not found; found %q", change, table, row, found)
				}
				changed++
				undo()
				storetest.Changed(t, w.db)
			}
		}
	}
	if changed < 100 {
		t.Errorf("only %d values were changed", changed)
	}
	w.check()
}

// another returns an SQL expression that differs from the column's value and keeps its type.
func another(table, column string) string {
	switch {
	case slices.Contains([]string{"overdraft", "reserve", "by_rule"}, column):
		return "1 - " + column
	case slices.Contains([]string{"posted", "pending_debits", "pending_credits", "entries", "amount", "made", "at", "prepared", "sendings"}, column):
		return column + " + 1"
	case column == "released" || column == "sent" || column == "settled":
		return "coalesce(" + column + ", 0) + 1"
	case column == "number":
		return column + " + 1000" // the next one may be taken
	case column == "sealed":
		return "coalesce(" + column + ", x'00') || x'00'"
	case column == "prepared_by":
		return "replace(" + column + ", '-', '_')"
	}
	return column + " || 'x'"
}

func columns(t *testing.T, pool *sql.DB, table string) []string {
	t.Helper()
	return texts(t, pool, fmt.Sprintf("SELECT name FROM pragma_table_info('%s')", table))
}

func texts(t *testing.T, pool *sql.DB, query string) (found []string) {
	t.Helper()
	rows, err := pool.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		found = append(found, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// copyOf keeps a table's rows; the function that it returns puts them back.
func copyOf(t *testing.T, pool *sql.DB, table string) func() {
	t.Helper()
	run := func(statement string) {
		t.Helper()
		if _, err := pool.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	run("DROP TABLE IF EXISTS copied; CREATE TABLE copied AS SELECT * FROM " + table)
	return func() {
		t.Helper()
		run(fmt.Sprintf("DELETE FROM %s; INSERT INTO %s SELECT * FROM copied; DROP TABLE copied", table, table))
	}
}

func TestCheckFindsAWrongBook(t *testing.T) {
	for name, tampering := range map[string]string{
		"a balance":           "UPDATE ledger_account SET posted = posted + 1 WHERE kind = 'outside'",
		"two balances":        "UPDATE ledger_account SET posted = posted + CASE kind WHEN 'outside' THEN 1 ELSE -1 END WHERE kind IN ('outside', 'fund')",
		"an entry":            "UPDATE ledger_entry SET posted = posted - 1 WHERE number = 1 AND account = 'fund:youth-fund/outside'",
		"a missing entry":     "DELETE FROM ledger_entry WHERE number = 1 AND account = 'fund:youth-fund'",
		"a transfer's state":  "UPDATE ledger_transfer SET state = 'voided' WHERE payment_order <> ''",
		"a transfer's amount": "UPDATE ledger_transfer SET amount = amount + 1 WHERE payment_order = ''",
		"a missing transfer":  "DELETE FROM ledger_transfer WHERE payment_order = ''",
	} {
		t.Run(name, func(t *testing.T) {
			w, path := newFile(t)
			w.funded(1000)
			in := w.instruction(100)
			w.prepare(in)
			w.check()
			pool, err := sqlite.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			result, err := pool.Exec(tampering)
			if err != nil {
				t.Fatal(err)
			}
			if count, _ := result.RowsAffected(); count == 0 {
				t.Fatal("nothing was changed")
			}
			storetest.Changed(t, w.db)
			err = w.ledger.Store.View(t.Context(), func(tx ledger.Reader) error { return ledger.Check(tx, fund) })
			if fault.Code(err) != "ledger.wrong" {
				t.Errorf("got %v", err)
			}
		})
	}
}
