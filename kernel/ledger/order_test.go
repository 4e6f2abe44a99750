package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
	"yagona/store/query"
)

func TestOrderFromDecisionToPayment(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	w.bank.SettleAfter = 90 * time.Second
	w.bank.Fault = func(_ context.Context, moment bank.Moment, _ ledger.EndToEndID) error {
		if moment == bank.BeforeVerifying {
			w.clock.Advance(time.Second) // so that the journal tells before and after
		}
		return nil
	}
	in := w.instruction(1500)
	order := w.prepare(in)
	if order.State != ledger.Prepared || order.Amount != 1500 || order.Currency != "UZS" || order.Payee == "" {
		t.Fatalf("it was prepared as %+v", order)
	}
	if got, want := w.balance(fund), (ledger.Balance{Posted: 5000, PendingDebits: 1500}); got != want {
		t.Errorf("prepared: the fund has %+v, want %+v", got, want)
	}
	w.clock.Advance(time.Second)
	w.drain()
	if got := w.bank.Paid(); len(got) != 0 {
		t.Fatalf("the bank got %v before anyone released it", got)
	}
	if order = w.order(in.ID); order.State != ledger.Verified {
		t.Errorf("after the bank was asked whose account it is, it is %+v", order)
	}
	w.clock.Advance(time.Second)
	if order = w.release(in.ID); order.State != ledger.Released || order.ReleasedBy != w.treasurer.Person {
		t.Errorf("it was released as %+v", order)
	}
	w.clock.Advance(time.Second)
	w.drain()
	if order = w.order(in.ID); order.State != ledger.Sent || order.Sendings != 1 {
		t.Errorf("it was sent as %+v", order)
	}
	w.clock.Advance(time.Minute)
	w.drain() // still in process
	if order = w.order(in.ID); order.State != ledger.Sent {
		t.Errorf("in process it became %+v", order)
	}
	w.clock.Advance(time.Minute)
	w.drain()
	if order = w.order(in.ID); order.State != ledger.Confirmed || order.Settled.IsZero() || order.Reason != "" {
		t.Errorf("it was confirmed as %+v", order)
	}
	if got, want := w.balance(fund), (ledger.Balance{Posted: 3500}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	if got, want := w.balance(order.Payee), (ledger.Balance{Posted: 1500}); got != want {
		t.Errorf("the payee's account has %+v, want %+v", got, want)
	}
	if diff := cmp.Diff(map[ledger.EndToEndID]money.Amount{order.EndToEndID(): 1500}, w.bank.Paid()); diff != "" {
		t.Errorf("the bank paid (-want +got):\n%s", diff)
	}
	if len(order.EndToEndID()) > 35 {
		t.Errorf("%q is longer than Max35Text", order.EndToEndID())
	}
	// The payee sees in their journal what became of it, and that the bank read their details.
	var said []string
	disclosures := 0
	err := w.db.View(t.Context(), func(tx *query.Tx) error {
		parts, err := tx.PartsOf(w.payee, false, "", 100)
		if err != nil {
			return err
		}
		sealer, err := w.vault.Open(t.Context(), w.payee)
		if err != nil {
			return err
		}
		for _, part := range parts {
			event, err := tx.StoredEvent(part.Key, part.Event)
			if err != nil {
				return err
			}
			opening, err := journal.Open(sealer, event, part)
			if err != nil {
				return err
			}
			header, _, err := opening.Verify()
			if err != nil {
				return err
			}
			said = append(said, header.Type)
			if part.Disclosure {
				disclosures++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"order.confirmed", "order.sent", "order.released", "order.verified", "order.verifying", "order.prepared"}, said); diff != "" || disclosures != 2 {
		t.Errorf("%d disclosures; the journal says (-want +got):\n%s", disclosures, diff)
	}
	w.check()
}

func TestApplicationHearsOfTheEnd(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	var heard []string
	w.runner.Handlers[ledger.JobSettled] = func(_ context.Context, queued job.Job) error {
		heard = append(heard, string(queued.Payload))
		return nil
	}
	paid, refused := w.instruction(100), w.instruction(200)
	w.verified(paid)
	w.verified(refused)
	w.release(paid.ID)
	if _, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, refused.ID, "wrong-amount"); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if len(heard) != 2 || !strings.Contains(heard[0]+heard[1], string(paid.Application)) || !strings.Contains(heard[0]+heard[1], string(refused.Application)) {
		t.Errorf("heard %q", heard)
	}
}

func TestSameInstructionGivesTheStoredOrder(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	in := w.instruction(100)
	first := w.prepare(in)
	if diff := cmp.Diff(first, w.prepare(in)); diff != "" {
		t.Errorf("the second answer differs (-first +second):\n%s", diff)
	}
	w.drain()
	w.release(in.ID)
	w.drain()
	if again := w.prepare(in); again.State != ledger.Confirmed {
		t.Errorf("after it was paid, the same instruction gave %+v", again)
	}
	for name, change := range map[string]func(*ledger.Instruction){
		"amount":         func(in *ledger.Instruction) { in.Amount++ },
		"account number": func(in *ledger.Instruction) { in.Creditor.Account = "20208000900000000002" },
		"name":           func(in *ledger.Instruction) { in.Creditor.Name = "Another Resident" },
		"payee":          func(in *ledger.Instruction) { in.Subject = ident.Random[ident.Person]().Subject() },
		"application":    func(in *ledger.Instruction) { in.Application = ident.Random[ident.Application]() },
		"remittance":     func(in *ledger.Instruction) { in.Remittance = "other" },
		"preparer":       func(in *ledger.Instruction) { in.PreparedBy = []ident.Person{ident.Random[ident.Person]()} },
	} {
		other := in
		change(&other)
		if _, err := w.ledger.Prepare(t.Context(), journal.Actor{}, other); fault.Code(err) != "order.differs" || !fault.Is(err, fault.Conflict) {
			t.Errorf("the same id with another %s gave %v", name, err)
		}
	}
	if got := w.bank.Paid(); len(got) != 1 {
		t.Errorf("the bank paid %v", got)
	}
	w.check()
}

func TestPayeeWithTwoBankAccountsHasTwoAccounts(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	one, other := w.instruction(100), w.instruction(100)
	other.Creditor.Account = "20208000900000000002"
	third := w.instruction(100)
	first, second, again := w.prepare(one), w.prepare(other), w.prepare(third)
	if first.Payee == second.Payee || first.Payee != again.Payee {
		t.Errorf("the accounts are %s, %s and %s", first.Payee, second.Payee, again.Payee)
	}
	w.check()
}

func TestInstructionThatIsRefused(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	for name, test := range map[string]struct {
		change func(*ledger.Instruction)
		code   string
	}{
		"more than the fund has": {func(in *ledger.Instruction) { in.Amount = 1001 }, "ledger.insufficient"},
		"nothing":                {func(in *ledger.Instruction) { in.Amount = 0 }, "ledger.amount"},
		"less than nothing":      {func(in *ledger.Instruction) { in.Amount = -1 }, "ledger.amount"},
		"an unknown fund":        {func(in *ledger.Instruction) { in.Fund = "fund:none" }, "ledger.account-unknown"},
		"an account in a book":   {func(in *ledger.Instruction) { in.Fund = ledger.SuspenseOf(fund) }, "order.fund"},
		"no preparer":            {func(in *ledger.Instruction) { in.PreparedBy = nil }, "order.prepared-by"},
		"an empty preparer":      {func(in *ledger.Instruction) { in.PreparedBy = []ident.Person{""} }, "order.prepared-by"},
		"a preparer and a rule":  {func(in *ledger.Instruction) { in.ByRule = true }, "order.prepared-by"},
		"no id":                  {func(in *ledger.Instruction) { in.ID = "" }, "ident.malformed"},
		"no payee":               {func(in *ledger.Instruction) { in.Subject = "" }, "ident.malformed"},
		"no name":                {func(in *ledger.Instruction) { in.Creditor.Name = "" }, "order.creditor-malformed"},
		"a long name":            {func(in *ledger.Instruction) { in.Creditor.Name = strings.Repeat("ў", 141) }, "order.creditor-malformed"},
		"a broken name":          {func(in *ledger.Instruction) { in.Creditor.Name = "\xff" }, "order.creditor-malformed"},
		"an account with spaces": {func(in *ledger.Instruction) { in.Creditor.Account = "2020 8000" }, "order.creditor-malformed"},
		"two lines for the bank": {func(in *ledger.Instruction) { in.Remittance = "a\nb" }, "order.remittance"},
	} {
		t.Run(name, func(t *testing.T) {
			in := w.instruction(100)
			test.change(&in)
			if _, err := w.ledger.Prepare(t.Context(), journal.Actor{}, in); fault.Code(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
	in := w.instruction(100)
	in.Creditor.Name = strings.Repeat("ў", 140) // 280 bytes, 140 characters
	w.prepare(in)
	if got, want := w.balance(fund), (ledger.Balance{Posted: 1000, PendingDebits: 100}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	w.check()
}

func TestFourEyes(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	in := w.instruction(100)
	preparer, related := official(access.Treasurer, agency), official(access.Treasurer, agency)
	in.PreparedBy = []ident.Person{w.decider, preparer.Person}
	w.prepare(in)
	decider := official(access.Treasurer, agency)
	decider.Person = w.decider
	payee := official(access.Treasurer, agency)
	payee.Person, _ = w.payee.Person()
	w.ledger.Related = func(_ context.Context, person ident.Person, subject ident.Subject) (bool, error) {
		return person == related.Person && subject == w.payee, nil
	}
	for name, test := range map[string]struct {
		by   access.Actor
		code string
	}{
		"who prepared it":             {preparer, "order.four-eyes"},
		"who decided it":              {decider, "order.four-eyes"},
		"the payee":                   {payee, "order.own"},
		"the payee's household":       {related, "order.own"},
		"nobody":                      {access.Actor{}, "access.forbidden"},
		"a person without a role":     {access.Actor{Person: ident.Random[ident.Person]()}, "access.forbidden"},
		"another role":                {official("chair", agency), "access.forbidden"},
		"another agency's treasurer":  {official(access.Treasurer, "employment-agency"), "access.forbidden"},
		"the platform by a component": {access.Actor{Appointment: w.treasurer.Appointment}, "access.forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.ledger.Release(t.Context(), test.by, fund, in.ID); fault.Code(err) != test.code || !fault.Is(err, fault.Forbidden) {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
	if _, err := w.ledger.Release(t.Context(), w.treasurer, fund, in.ID); fault.Code(err) != "order.not-verified" || !fault.Is(err, fault.Conflict) {
		t.Errorf("releasing it before the bank confirmed the account gave %v", err)
	}
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Verified || len(w.bank.Paid()) != 0 {
		t.Fatalf("after refusals the order is %+v", order)
	}
	w.release(in.ID)
	w.release(in.ID) // the same person again: as it is
	if _, err := w.ledger.Release(t.Context(), official(access.Treasurer, agency), fund, in.ID); fault.Code(err) != "order.moved" {
		t.Errorf("a second treasurer released it too: %v", err)
	}
	if _, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, in.ID, "wrong-amount"); fault.Code(err) != "order.moved" {
		t.Errorf("a released order was refused: %v", err)
	}
	if _, err := w.ledger.Settle(t.Context(), w.treasurer, fund, ident.Transfer(in.ID), ledger.Voided); fault.Code(err) != "ledger.transfer-of-order" {
		t.Errorf("its transfer was voided behind its back: %v", err)
	}
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Confirmed || w.bank.Messages(order.EndToEndID()) != 1 {
		t.Errorf("in the end it is %+v", order)
	}
}

func TestOrderThatTheTreasurerRefuses(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	in := w.instruction(100)
	w.prepare(in)
	if _, err := w.ledger.Refuse(t.Context(), official("chair", agency), fund, in.ID, "wrong-amount"); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a chair refused it: %v", err)
	}
	if _, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, in.ID, "He is rich"); fault.Code(err) != "order.reason" {
		t.Errorf("a told reason was taken: %v", err)
	}
	for range 2 { // the second time nothing happens
		order, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, in.ID, "wrong-amount")
		if err != nil || order.State != ledger.Rejected || order.Reason != "wrong-amount" {
			t.Fatalf("it became %+v, %v", order, err)
		}
	}
	if _, err := w.ledger.Release(t.Context(), w.treasurer, fund, in.ID); fault.Code(err) != "order.moved" {
		t.Errorf("a refused order was released: %v", err)
	}
	w.drain()
	if got, want := w.balance(fund), (ledger.Balance{Posted: 1000}); got != want || len(w.bank.Paid()) != 0 {
		t.Errorf("the fund has %+v, want %+v; the bank paid %v", got, want, w.bank.Paid())
	}
	w.check()
}

func TestOrderThatTheBankRejects(t *testing.T) {
	for name, test := range map[string]struct{ reason, want string }{
		"with a code":       {"AC04", "AC04"},
		"with someone's ID": {"account of A. B. is closed", "NARR"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.funded(1000)
			w.bank.Reject = func(ledger.CreditTransfer) string { return test.reason }
			in := w.instruction(100)
			w.verified(in)
			w.release(in.ID)
			w.drain()
			if order := w.order(in.ID); order.State != ledger.Rejected || order.Reason != test.want {
				t.Errorf("it became %+v", order)
			}
			if got, want := w.balance(fund), (ledger.Balance{Posted: 1000}); got != want {
				t.Errorf("the fund has %+v, want %+v", got, want)
			}
			w.check()
		})
	}
}

// TestBankThatFails is the crash table of the way to the bank: each row fails one call or one act, once, at its moment;
// in the end the payment is made once, and the bank has seen as many messages as the row says.
func TestBankThatFails(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		fault    map[bank.Moment]int // how often the moment fails
		act      int                 // which act of the way fails, from 1; 0: none
		after    bool                // it fails after it was done
		restart  bool                // the runner forgets what it did
		messages int
	}{
		"nothing fails":                                  {messages: 1},
		"the message does not arrive":                    {fault: map[bank.Moment]int{bank.BeforeAccepting: 1}, messages: 1},
		"the message does not arrive three times":        {fault: map[bank.Moment]int{bank.BeforeAccepting: 3}, messages: 1},
		"the answer is lost":                             {fault: map[bank.Moment]int{bank.AfterAccepting: 1}, messages: 1},
		"the answer is lost, then the bank is silent":    {fault: map[bank.Moment]int{bank.AfterAccepting: 1, bank.BeforeTelling: 3}, messages: 1},
		"leaving is not recorded":                        {act: 1, messages: 1},
		"leaving is recorded, and then it crashes":       {act: 1, after: true, restart: true, messages: 1},
		"the confirmation is not recorded":               {act: 2, restart: true, messages: 1},
		"the confirmation is recorded, then it crashes":  {act: 2, after: true, restart: true, messages: 1},
		"lost answer, then the confirmation is not kept": {fault: map[bank.Moment]int{bank.AfterAccepting: 1}, act: 3, messages: 1},
	} {
		for _, refusing := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", the bank refuses duplicates"}[refusing], func(t *testing.T) {
				w := newWorld(t)
				w.funded(1000)
				w.bank.RefuseDuplicates = refusing
				w.bank.Fault = func(_ context.Context, moment bank.Moment, _ ledger.EndToEndID) error {
					if test.fault[moment] > 0 {
						test.fault[moment]--
						return broken
					}
					return nil
				}
				if test.fault == nil {
					test.fault = map[bank.Moment]int{}
				}
				faults := map[bank.Moment]int{}
				for moment, count := range test.fault {
					faults[moment] = count
				}
				defer func() { test.fault = faults }()
				in := w.instruction(100)
				w.verified(in)
				w.release(in.ID)
				acts, struck := 0, test.act == 0
				w.breaks = func(after bool) error {
					if !after {
						acts++
					}
					if !struck && acts == test.act && after == test.after {
						struck = true
						return broken
					}
					return nil
				}
				for range 12 {
					w.drain()
					if test.restart {
						w.newRunner()
					}
					w.clock.Advance(time.Hour)
				}
				if !struck {
					t.Fatalf("only %d acts ran, none failed", acts)
				}
				order := w.order(in.ID)
				if order.State != ledger.Confirmed {
					t.Errorf("it became %+v", order)
				}
				if got := w.bank.Paid(); len(got) != 1 || got[order.EndToEndID()] != 100 {
					t.Errorf("the bank paid %v", got)
				}
				if got := w.bank.Messages(order.EndToEndID()); got != test.messages {
					t.Errorf("the bank got %d messages, want %d", got, test.messages)
				}
				if got, want := w.balance(fund), (ledger.Balance{Posted: 900}); got != want {
					t.Errorf("the fund has %+v, want %+v", got, want)
				}
				w.check()
			})
		}
	}
}

// forgetful is a bank whose State does not know yet what Send has accepted, as one that answers from a copy.
type forgetful struct {
	*bank.Bank
	lies int
}

func (f *forgetful) State(ctx context.Context, id ledger.EndToEndID) (ledger.Report, error) {
	if f.lies > 0 {
		f.lies--
		return ledger.Report{EndToEndID: id}, nil
	}
	return f.Bank.State(ctx, id)
}

func TestBankThatForgetsForAWhilePaysOnce(t *testing.T) {
	for _, refusing := range []bool{false, true} {
		w := newWorld(t)
		w.funded(1000)
		w.bank.RefuseDuplicates = refusing
		lost := 1
		w.bank.Fault = func(_ context.Context, moment bank.Moment, _ ledger.EndToEndID) error {
			if moment == bank.AfterAccepting && lost > 0 {
				lost--
				return errors.New("broken")
			}
			return nil
		}
		sender := &ledger.Sender{Ledger: w.ledger, Bank: &forgetful{w.bank, 2}}
		w.runner.Handlers[ledger.JobSend] = sender.Send
		in := w.instruction(100)
		w.verified(in)
		w.release(in.ID)
		for range 6 {
			w.drain()
			w.clock.Advance(time.Hour)
		}
		order := w.order(in.ID)
		if order.State != ledger.Confirmed || len(w.bank.Paid()) != 1 || w.bank.Messages(order.EndToEndID()) < 2 {
			t.Errorf("refusing duplicates %v: it became %+v after %d messages", refusing, order, w.bank.Messages(order.EndToEndID()))
		}
		w.check()
	}
}

// lying is a bank that reports what it is told to.
type lying struct{ report ledger.Report }

func (l lying) Verify(context.Context, ledger.IdentificationVerificationRequest) (ledger.IdentificationVerificationReport, error) {
	return ledger.IdentificationVerificationReport{}, nil
}

func (l lying) Send(context.Context, ledger.CreditTransfer) (ledger.Report, error) {
	return l.report, nil
}

func (l lying) State(context.Context, ledger.EndToEndID) (ledger.Report, error) { return l.report, nil }

func (l lying) Statement(context.Context, time.Time) ([]ledger.Executed, error) { return nil, nil }

func TestReportThatDoesNotFitBooksNothing(t *testing.T) {
	for name, change := range map[string]func(*ledger.Report){
		"another amount":    func(r *ledger.Report) { r.InstructedAmount = 99 },
		"another payment":   func(r *ledger.Report) { r.EndToEndID = "x" },
		"an unknown status": func(r *ledger.Report) { r.Status = "WHAT" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.funded(1000)
			in := w.instruction(100)
			order := w.verified(in)
			w.release(in.ID)
			report := ledger.Report{EndToEndID: order.EndToEndID(), Status: ledger.Completed, InstructedAmount: 100}
			change(&report)
			w.runner.Handlers[ledger.JobSend] = (&ledger.Sender{Ledger: w.ledger, Bank: lying{report}}).Send
			w.drain()
			if order := w.order(in.ID); order.State != ledger.Sent {
				t.Errorf("it became %+v", order)
			}
			if got, want := w.balance(fund), (ledger.Balance{Posted: 1000, PendingDebits: 100}); got != want {
				t.Errorf("the fund has %+v, want %+v", got, want)
			}
		})
	}
}

func TestPayeeWhoIsErased(t *testing.T) {
	t.Run("before anything left, the order ends unpaid", func(t *testing.T) {
		w := newWorld(t)
		w.funded(1000)
		in := w.instruction(100)
		w.verified(in)
		w.release(in.ID)
		if err := w.vault.Erase(t.Context(), w.payee); err != nil {
			t.Fatal(err)
		}
		w.drain()
		if order := w.order(in.ID); order.State != ledger.Rejected || order.Reason != "payee-erased" || len(w.bank.Paid()) != 0 {
			t.Errorf("it became %+v", order)
		}
		w.view(func(tx ledger.Reader) error { return ledger.Check(tx, fund) })
	})
	t.Run("while the bank works, the payment is booked", func(t *testing.T) {
		w := newWorld(t)
		w.funded(1000)
		w.bank.SettleAfter = time.Hour
		in := w.instruction(100)
		w.verified(in)
		w.release(in.ID)
		w.drain()
		if err := w.vault.Erase(t.Context(), w.payee); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(2 * time.Hour)
		w.drain()
		if order := w.order(in.ID); order.State != ledger.Confirmed {
			t.Errorf("it became %+v", order)
		}
		w.view(func(tx ledger.Reader) error { return ledger.Check(tx, fund) })
		if _, err := w.ledger.Prepare(t.Context(), journal.Actor{}, w.instruction(100)); !fault.Is(err, fault.Erased) {
			t.Errorf("another payment gave %v", err)
		}
	})
}

func TestDatabaseDoesNotShowThePayee(t *testing.T) {
	w, path := newFile(t)
	w.funded(1000)
	in := w.instruction(100)
	w.verified(in)
	w.release(in.ID)
	w.drain()
	var content []byte
	for _, name := range []string{path, path + "-wal"} {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, part...)
	}
	if !bytes.Contains(content, []byte(in.ID)) {
		t.Fatal("the database's file does not hold the order: this test looks at the wrong file")
	}
	for _, personal := range []string{in.Creditor.Name, in.Creditor.Account} {
		if bytes.Contains(content, []byte(personal)) {
			t.Errorf("the database's file shows %q", personal)
		}
	}
}

func TestSeveralRunnersAtOncePayOnce(t *testing.T) {
	const orders, runners = 20, 4
	w := newWorld(t)
	w.funded(orders * 100)
	w.bank.Fault = func(_ context.Context, moment bank.Moment, _ ledger.EndToEndID) error {
		if moment == bank.AfterAccepting {
			time.Sleep(time.Millisecond) // so that another runner comes to the same order meanwhile
		}
		return nil
	}
	var asked []ledger.Instruction
	for range orders {
		in := w.instruction(100)
		w.verified(in)
		w.release(in.ID)
		asked = append(asked, in)
	}
	first := w.runner
	var all sync.WaitGroup
	for range runners {
		w.newRunner()
		all.Go(func(runner *job.Runner) func() {
			return func() {
				if err := runner.Drain(context.Background()); err != nil {
					t.Error(err)
				}
			}
		}(w.runner))
	}
	all.Wait()
	w.runner = first
	for range 3 {
		w.clock.Advance(time.Hour)
		w.drain()
	}
	for _, in := range asked {
		if order := w.order(in.ID); order.State != ledger.Confirmed {
			t.Errorf("it became %+v", order)
		}
	}
	if got := w.bank.Paid(); len(got) != orders {
		t.Errorf("the bank paid %d orders, want %d", len(got), orders)
	}
	if got, want := w.balance(fund), (ledger.Balance{}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	w.check()
}
