package bank_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
)

var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func still() time.Time { return start }

func message(id ledger.EndToEndID, amount money.Amount) ledger.CreditTransfer {
	return ledger.CreditTransfer{
		EndToEndID: id, InstructedAmount: amount, Currency: "XTS", Debtor: "fund:a",
		Creditor: ledger.Creditor{Name: "Synthetic Resident", Account: "20208000900000000001"},
	}
}

func open(t *testing.T, path string) *bank.Bank {
	t.Helper()
	b, err := bank.Open(path, still)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return b
}

func send(t *testing.T, b *bank.Bank, m ledger.CreditTransfer) ledger.Report {
	t.Helper()
	report, err := b.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func state(t *testing.T, b *bank.Bank, id ledger.EndToEndID) ledger.Report {
	t.Helper()
	report, err := b.State(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestWhatWasAcceptedOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank")
	first := open(t, path)
	first.Reject = func(m ledger.CreditTransfer) string {
		if m.EndToEndID == "closed" {
			return "AC04"
		}
		return ""
	}
	send(t, first, message("a", 100))
	send(t, first, message("closed", 200))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), "Synthetic") || strings.Contains(string(content), "20208000900000000001") {
		t.Errorf("the bank's file tells who was paid: %s", content)
	}
	// A crash cut the last line off, which was therefore never answered for.
	if err := os.WriteFile(path, append(content, `{"id":"torn","amo`...), 0o600); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	want := map[ledger.EndToEndID]ledger.Report{
		"a":      {EndToEndID: "a", Status: ledger.Completed, InstructedAmount: 100},
		"closed": {EndToEndID: "closed", Status: ledger.RejectedByBank, Reason: "AC04", InstructedAmount: 200},
		"torn":   {EndToEndID: "torn", Status: ledger.NotFound},
	}
	for id, report := range want {
		if diff := cmp.Diff(report, state(t, second, id)); diff != "" {
			t.Errorf("%s after a restart (-want +got):\n%s", id, diff)
		}
	}
	send(t, second, message("a", 100)) // a duplicate
	send(t, second, message("torn", 300))
	third := open(t, path)
	if diff := cmp.Diff(map[ledger.EndToEndID]money.Amount{"a": 100, "torn": 300}, third.Paid()); diff != "" {
		t.Errorf("paid (-want +got):\n%s", diff)
	}
}

func TestFileThatIsNoBanksIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank")
	if err := os.WriteFile(path, []byte("not a payment\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := bank.Open(path, still); err == nil {
		t.Errorf("it was opened as %+v", b)
	}
}

func TestDuplicates(t *testing.T) {
	b := bank.New(still)
	first := send(t, b, message("a", 100))
	if diff := cmp.Diff(first, send(t, b, message("a", 100))); diff != "" {
		t.Errorf("a duplicate was answered otherwise (-first +second):\n%s", diff)
	}
	if got := send(t, b, message("a", 101)); got.Status != ledger.RejectedByBank || got.Reason != ledger.Duplicate {
		t.Errorf("the same id with another amount gave %+v", got)
	}
	b.RefuseDuplicates = true
	if got := send(t, b, message("a", 100)); got.Status != ledger.RejectedByBank || got.Reason != ledger.Duplicate {
		t.Errorf("a bank that refuses duplicates gave %+v", got)
	}
	if diff := cmp.Diff(map[ledger.EndToEndID]money.Amount{"a": 100}, b.Paid()); diff != "" || b.Messages("a") != 4 {
		t.Errorf("%d messages, paid (-want +got):\n%s", b.Messages("a"), diff)
	}
}

func TestFailingBeforeAndAfterAccepting(t *testing.T) {
	broken := errors.New("broken")
	for moment, want := range map[bank.Moment]ledger.Status{bank.BeforeAccepting: ledger.NotFound, bank.AfterAccepting: ledger.Completed} {
		b := bank.New(still)
		b.Fault = func(_ context.Context, now bank.Moment, _ ledger.EndToEndID) error {
			if now == moment {
				return broken
			}
			return nil
		}
		if _, err := b.Send(t.Context(), message("a", 100)); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", moment, err)
		}
		if got := state(t, b, "a"); got.Status != want {
			t.Errorf("%s: the state is %+v", moment, got)
		}
	}
}

func TestSettlingTakesTime(t *testing.T) {
	now := start
	b := bank.New(func() time.Time { return now })
	b.SettleAfter = time.Minute
	if got := send(t, b, message("a", 100)); got.Status != ledger.InProcess {
		t.Errorf("at once: %+v", got)
	}
	now = now.Add(time.Minute)
	if got := state(t, b, "a"); got.Status != ledger.Completed {
		t.Errorf("after a minute: %+v", got)
	}
}
