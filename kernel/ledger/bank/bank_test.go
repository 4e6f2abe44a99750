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

// accounts are what the bank of the tests keeps.
func accounts() map[string]bank.Account {
	return map[string]bank.Account{"20208000900000000001": {Holder: "Synthetic Resident", NationalNumber: "1"}}
}

func open(t *testing.T, path string) *bank.Bank {
	t.Helper()
	b, err := bank.Open(path, still)
	if err != nil {
		t.Fatal(err)
	}
	b.Accounts = accounts()
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

func TestLineThatACrashLeftIsRemovedAndAWrongOneIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bank")
	first := open(t, path)
	for _, id := range []ledger.EndToEndID{"a", "b", "c"} {
		send(t, first, message(id, 100))
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for name, test := range map[string]struct {
		content string
		kept    int
		wrong   string // what the error says, or "": it opens
	}{
		"nothing was written":              {"", 0, ""},
		"the last line is cut off":         {lines[0] + lines[1] + lines[2][:20], 2, ""},
		"the last newline is cut off":      {lines[0] + lines[1] + strings.TrimSpace(lines[2]), 2, ""},
		"zeros at the end":                 {string(whole) + strings.Repeat("\x00", 40), 3, ""},
		"zeros at the last line's begin":   {lines[0] + lines[1] + strings.Repeat("\x00", 20) + lines[2][20:], 2, ""},
		"a wrong last line":                {string(whole) + "not a payment\n", 0, path + ":4:"},
		"a wrong line in the middle":       {lines[0] + "{}\n" + lines[2], 0, path + ":2:"},
		"zeros in the middle":              {lines[0] + strings.Repeat("\x00", 20) + lines[1][20:] + lines[2], 0, path + ":2:"},
		"it is another file, of one line":  {"not a payment\n", 0, path + ":1:"},
		"it is another file, of two lines": {"[1]\n[2]\n", 0, path + ":1:"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := bank.Open(path, still)
			if test.wrong != "" {
				if err == nil {
					t.Fatal("it was opened")
				}
				if !strings.Contains(err.Error(), test.wrong) || !strings.Contains(err.Error(), "put the file back from its backup") {
					t.Errorf("the error names no line and no way out: %v", err)
				}
				if after, _ := os.ReadFile(path); string(after) != test.content {
					t.Error("the file was changed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			b.Accounts = accounts()
			if len(b.Paid()) != test.kept {
				t.Errorf("it keeps %v", b.Paid())
			}
			send(t, b, message("d", 100))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if again := open(t, path); len(again.Paid()) != test.kept+1 {
				t.Errorf("after another payment and a restart it keeps %v", again.Paid())
			}
		})
	}
}

func TestPaymentToAnAccountThatCannotBePaidIsRejected(t *testing.T) {
	b := bank.New(still)
	b.Accounts = accounts()
	b.Accounts["2"] = bank.Account{Holder: "Synthetic Resident", Closed: true}
	for account, reason := range map[string]string{"2": ledger.ClosedAccount, "3": ledger.IncorrectAccount} {
		m := message(ledger.EndToEndID("to"+account), 100)
		m.Creditor.Account = account
		if got := send(t, b, m); got.Status != ledger.RejectedByBank || got.Reason != reason {
			t.Errorf("to %s: %+v", account, got)
		}
	}
	if len(b.Paid()) != 0 {
		t.Errorf("it paid %v", b.Paid())
	}
}

func TestDuplicates(t *testing.T) {
	b := bank.New(still)
	b.Accounts = accounts()
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
		b.Accounts = accounts()
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
	b.Accounts = accounts()
	b.SettleAfter = time.Minute
	if got := send(t, b, message("a", 100)); got.Status != ledger.InProcess {
		t.Errorf("at once: %+v", got)
	}
	now = now.Add(time.Minute)
	if got := state(t, b, "a"); got.Status != ledger.Completed {
		t.Errorf("after a minute: %+v", got)
	}
}
