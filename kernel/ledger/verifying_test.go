package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/store/query"
)

func TestOnlyThePayeesOwnAccountIsPaid(t *testing.T) {
	for name, test := range map[string]struct {
		account, name, reason string
		nameOnly              bool // nobody knows the payee's national number
	}{
		"their own":                           {account: "20208000900000000001", name: "Synthetic Resident"},
		"their own, under a name spelt anew":  {account: "20208000900000000001", name: "Sintetik Yashovchi"},
		"their own, by name":                  {account: "20208000900000000001", name: "synthetic  RESIDENT", nameOnly: true},
		"of somebody with another name":       {account: "20208000900000000003", name: "Synthetic Resident", nameOnly: true, reason: "BE01"},
		"of somebody with another number":     {account: "20208000900000000003", name: "Another Resident", reason: "BE01"},
		"of nobody, asked without a name":     {account: "20208000900000000005", name: " ", nameOnly: true, reason: "BE01"},
		"closed":                              {account: "20208000900000000004", name: "Synthetic Resident", reason: "AC04"},
		"one that the bank has never had":     {account: "20208000900000000009", name: "Synthetic Resident", reason: "AC01"},
		"one like theirs in its small digits": {account: "2020800090000000001", name: "Synthetic Resident", reason: "AC01"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.funded(1000)
			w.bank.Accounts["20208000900000000005"] = bank.Account{}
			sender := &ledger.Sender{Ledger: w.ledger, Bank: w.bank}
			if !test.nameOnly {
				sender.NationalNumber = w.number
			}
			w.runner.Handlers[ledger.JobVerify] = sender.Verify
			var heard int
			w.runner.Handlers[ledger.JobSettled] = func(context.Context, job.Job) error { heard++; return nil }
			in := w.instruction(100)
			in.Creditor.Account, in.Creditor.Name = test.account, test.name
			w.prepare(in)
			w.drain()
			order := w.order(in.ID)
			if test.reason == "" {
				if order.State != ledger.Verified || order.RejectedByBank() || heard != 0 {
					t.Errorf("it became %+v", order)
				}
				w.check()
				return
			}
			if order.State != ledger.Rejected || order.Reason != test.reason || !order.RejectedByBank() {
				t.Errorf("it became %+v", order)
			}
			if heard != 1 {
				t.Errorf("the application heard of it %d times", heard)
			}
			if _, err := w.ledger.Release(t.Context(), w.treasurer, fund, in.ID); fault.Code(err) != "order.moved" {
				t.Errorf("releasing it gave %v", err)
			}
			if got, want := w.balance(fund), (ledger.Balance{Posted: 1000}); got != want || w.bank.Messages(order.EndToEndID()) != 0 {
				t.Errorf("the fund has %+v; the bank got %d messages", got, w.bank.Messages(order.EndToEndID()))
			}
			w.check()
		})
	}
}

func TestAccountThatIsClosedAfterItWasVerifiedIsNotPaid(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	in := w.instruction(100)
	w.verified(in)
	w.bank.Accounts[in.Creditor.Account] = bank.Account{Holder: in.Creditor.Name, Closed: true}
	w.release(in.ID)
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Rejected || order.Reason != ledger.ClosedAccount || !order.RejectedByBank() {
		t.Errorf("it became %+v", order)
	}
	w.check()
}

func TestTreasurersRefusalIsNotTheBanks(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	for _, in := range []ledger.Instruction{w.instruction(100), w.instruction(200)} {
		w.prepare(in)
		if in.Amount == 200 {
			w.drain()
		}
		order, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, in.ID, "wrong-amount")
		if err != nil || order.State != ledger.Rejected || order.RejectedByBank() {
			t.Errorf("it became %+v, %v", order, err)
		}
		w.drain() // the question that still waits changes nothing
		if again := w.order(in.ID); again.State != ledger.Rejected || again.Reason != "wrong-amount" {
			t.Errorf("afterwards it became %+v", again)
		}
	}
	w.check()
}

// TestBankThatDoesNotSayWhoseAccountItIs is the crash table of asking: each row fails calls or one act; in the end the
// order is verified, and until then nobody could release it.
func TestBankThatDoesNotSayWhoseAccountItIs(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		down    int  // how often the bank does not answer
		act     int  // which act fails, from 1; 0: none
		after   bool // it fails after it was done
		restart bool // the runner forgets what it did
	}{
		"nothing fails":                            {},
		"the bank is down once":                    {down: 1},
		"the bank is down for longer than a job":   {down: 40},
		"asking is not recorded":                   {act: 1},
		"asking is recorded, and then it crashes":  {act: 1, after: true, restart: true},
		"the answer is not recorded":               {act: 2, restart: true},
		"the answer is recorded, then it crashes":  {act: 2, after: true, restart: true},
		"the bank is down, then a crash":           {down: 1, act: 3, restart: true},
		"the bank is down, then the answer is not": {down: 1, act: 4, after: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.runner.MostAttempts = 3
			w.funded(1000)
			in := w.instruction(100)
			w.prepare(in)
			down := test.down
			w.bank.Fault = func(_ context.Context, moment bank.Moment, _ ledger.EndToEndID) error {
				if moment != bank.BeforeVerifying || down == 0 {
					return nil
				}
				down--
				if order := w.order(in.ID); order.State != ledger.Prepared {
					t.Errorf("while the bank is silent the order is %s", order.State)
				}
				if _, err := w.ledger.Release(t.Context(), w.treasurer, fund, in.ID); fault.Code(err) != "order.not-verified" {
					t.Errorf("while the bank is silent, releasing gave %v", err)
				}
				return broken
			}
			acts, struck := 0, test.act == 0
			breaks := func(after bool) error {
				if !after {
					acts++
				}
				if !struck && acts == test.act && after == test.after {
					struck = true
					return broken
				}
				return nil
			}
			if test.act > 0 {
				w.breaks = breaks
			}
			for range 50 {
				w.drain()
				if test.restart {
					w.newRunner()
				}
				w.clock.Advance(20 * time.Minute)
			}
			if !struck || down > 0 {
				t.Fatalf("only %d acts ran, the bank would be down %d times more", acts, down)
			}
			w.breaks = nil
			if order := w.order(in.ID); order.State != ledger.Verified {
				t.Fatalf("it became %+v", order)
			}
			w.release(in.ID)
			w.drain()
			if order := w.order(in.ID); order.State != ledger.Confirmed {
				t.Errorf("in the end it is %+v", order)
			}
			w.check()
		})
	}
}

func TestSlowBankIsAskedAgainLater(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	slow := true
	w.bank.Fault = func(ctx context.Context, _ bank.Moment, _ ledger.EndToEndID) error {
		if slow {
			<-ctx.Done() // it never answers; only the caller's patience ends the call
			return ctx.Err()
		}
		return nil
	}
	sender := &ledger.Sender{Ledger: w.ledger, Bank: w.bank, Timeout: time.Millisecond}
	w.runner.Handlers[ledger.JobVerify], w.runner.Handlers[ledger.JobSend] = sender.Verify, sender.Send
	in := w.instruction(100)
	w.prepare(in)
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Prepared {
		t.Fatalf("a slow bank made it %+v", order)
	}
	slow = false
	w.clock.Advance(time.Hour)
	w.drain()
	w.release(in.ID)
	slow = true
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Sent {
		t.Fatalf("a slow bank made it %+v", order)
	}
	slow = false
	w.clock.Advance(time.Hour)
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Confirmed || w.bank.Messages(order.EndToEndID()) != 1 {
		t.Errorf("it became %+v", order)
	}
	w.check()
}

// answering is a bank that answers the question as it is told to.
type answering struct {
	*bank.Bank
	report func(ledger.IdentificationVerificationRequest) ledger.IdentificationVerificationReport
}

func (a answering) Verify(_ context.Context, request ledger.IdentificationVerificationRequest) (ledger.IdentificationVerificationReport, error) {
	return a.report(request), nil
}

func TestAnswerToAnotherQuestionIsNone(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	in := w.instruction(100)
	w.prepare(in)
	w.runner.Handlers[ledger.JobVerify] = (&ledger.Sender{Ledger: w.ledger, Bank: answering{w.bank, func(ledger.IdentificationVerificationRequest) ledger.IdentificationVerificationReport {
		return ledger.IdentificationVerificationReport{OriginalIdentification: "another", Verification: true}
	}}}).Verify
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Prepared {
		t.Errorf("it became %+v", order)
	}
}

// TestWhatABankSaysIsKeptAsACode has a bank that explains itself: the explanation may name somebody.
func TestWhatABankSaysIsKeptAsACode(t *testing.T) {
	for said, want := range map[string]string{"be01": "BE01", "": "NARR", "It is the account of A. B.": "NARR"} {
		w := newWorld(t)
		w.funded(1000)
		in := w.instruction(100)
		w.prepare(in)
		w.runner.Handlers[ledger.JobVerify] = (&ledger.Sender{Ledger: w.ledger, Bank: answering{w.bank, func(r ledger.IdentificationVerificationRequest) ledger.IdentificationVerificationReport {
			return ledger.IdentificationVerificationReport{OriginalIdentification: r.Identification, Reason: said}
		}}}).Verify
		w.drain()
		if order := w.order(in.ID); order.State != ledger.Rejected || order.Reason != want || !order.RejectedByBank() {
			t.Errorf("%q: it became %+v", said, order)
		}
	}
}

// TestDisclosureIsRecordedBeforeTheBankIsAsked looks into the journal at the moment at which the question leaves.
func TestDisclosureIsRecordedBeforeTheBankIsAsked(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	in := w.instruction(100)
	w.prepare(in)
	asked := 0
	sender := &ledger.Sender{Ledger: w.ledger, NationalNumber: w.number, Bank: answering{w.bank, func(r ledger.IdentificationVerificationRequest) ledger.IdentificationVerificationReport {
		asked++
		want := ledger.IdentificationVerificationRequest{Identification: w.order(in.ID).EndToEndID(), Creditor: in.Creditor, NationalNumber: "1"}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("the bank was asked (-want +got):\n%s", diff)
		}
		if got := w.disclosures(); got != 1 {
			t.Errorf("when the question left, %d disclosures were recorded", got)
		}
		return ledger.IdentificationVerificationReport{OriginalIdentification: r.Identification, Verification: true}
	}}}
	w.runner.Handlers[ledger.JobVerify] = sender.Verify
	w.drain()
	if asked != 1 || w.order(in.ID).State != ledger.Verified {
		t.Errorf("asked %d times, it became %+v", asked, w.order(in.ID))
	}
}

// disclosures counts the recorded disclosures of the payee's data, and checks what they say.
func (w *world) disclosures() (count int) {
	w.t.Helper()
	err := w.db.View(context.Background(), func(tx *query.Tx) error {
		parts, err := tx.PartsOf(w.payee, false, "", 100)
		if err != nil {
			return err
		}
		sealer, err := w.vault.Open(context.Background(), w.payee)
		if err != nil {
			return err
		}
		for _, part := range parts {
			if !part.Disclosure {
				continue
			}
			count++
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
			var personal map[string]any
			if err := json.Unmarshal(opening.Personal, &personal); err != nil {
				return err
			}
			if header.Purpose != string(ledger.Pay) || personal["to"] != "bank" || cmp.Diff([]any{"name", "account", "number"}, personal["read"]) != "" {
				w.t.Errorf("a disclosure says %+v %v", header, personal)
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return count
}

func TestPayeeWhoIsErasedBeforeTheBankIsAsked(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	in := w.instruction(100)
	w.prepare(in)
	if err := w.vault.Erase(t.Context(), w.payee); err != nil {
		t.Fatal(err)
	}
	w.runner.Handlers[ledger.JobVerify] = (&ledger.Sender{Ledger: w.ledger, Bank: w.bank, NationalNumber: func(context.Context, ident.Subject) (string, error) {
		return "", fault.New(fault.Erased, "seal.erased", "Erased.")
	}}).Verify
	w.drain()
	if order := w.order(in.ID); order.State != ledger.Rejected || order.Reason != "payee-erased" || order.RejectedByBank() {
		t.Errorf("it became %+v", order)
	}
	w.view(func(tx ledger.Reader) error { return ledger.Check(tx, fund) })
}
