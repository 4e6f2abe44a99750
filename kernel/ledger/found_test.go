package ledger_test

import (
	"context"
	"testing"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
)

// operator is who restores.
var operator = journal.Actor{Component: "operator"}

// paidBefore has the bank pay what the instruction says, in a past that the books have lost.
func (w *world) paidBefore(in ledger.Instruction) {
	w.t.Helper()
	report, err := w.bank.Send(context.Background(), ledger.CreditTransfer{
		EndToEndID: ledger.Order{ID: in.ID}.EndToEndID(), InstructedAmount: in.Amount, Currency: "UZS", Debtor: in.Fund, Creditor: in.Creditor,
		RemittanceInformation: in.Remittance,
	})
	if err != nil || report.Status != ledger.Completed {
		w.t.Fatal(report, err)
	}
}

// missing returns what the books lack of the bank's statement.
func (w *world) missing() []ledger.Executed {
	w.t.Helper()
	statement, err := w.bank.Statement(context.Background(), start.Add(-time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	missing, others, err := w.ledger.Missing(context.Background(), statement)
	if err != nil || len(others) > 0 {
		w.t.Fatal(others, err)
	}
	return missing
}

// takeUp books what is missing, twice.
func (w *world) takeUp(wanted int) {
	w.t.Helper()
	missing := w.missing()
	if len(missing) != wanted {
		w.t.Fatal("missing are", missing, "and not", wanted)
	}
	for range 2 {
		for _, line := range missing {
			if err := w.ledger.TakeUp(context.Background(), operator, line); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if again := w.missing(); len(again) != 0 {
		w.t.Errorf("after it was taken up, %v is missing", again)
	}
}

func TestAPaymentThatTheBooksLostIsNotMadeAgainByAnotherOrder(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	lost := w.instruction(1500)
	w.paidBefore(lost)
	w.clock.Advance(time.Second)
	w.takeUp(1)
	if got, want := w.balance(fund), (ledger.Balance{Posted: 3500}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	if got, want := w.balance(ledger.SuspenseOf(fund)), (ledger.Balance{Posted: 1500}); got != want {
		t.Errorf("in suspense are %+v, want %+v", got, want)
	}
	w.clock.Advance(time.Second)
	for name, other := range map[string]func(*ledger.Instruction){
		"another amount":  func(in *ledger.Instruction) { in.Amount = 1000 },
		"another account": func(in *ledger.Instruction) { in.Creditor.Account = "20208000900000000002" },
		"another purpose": func(in *ledger.Instruction) { in.Remittance = "Another subsidy" },
	} {
		in := w.instruction(1500)
		other(&in)
		if order := w.prepare(in); order.State != ledger.Prepared {
			t.Errorf("%s: the order is %s", name, order.State)
		}
		if _, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, in.ID, "not-needed"); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Advance(time.Second)
	in := w.instruction(1500) // the application was decided once more, under a new order
	order := w.prepare(in)
	if order.State != ledger.Confirmed || order.Settled.IsZero() || w.prepare(in).State != ledger.Confirmed {
		t.Errorf("it was prepared as %+v", order)
	}
	w.drain()
	for account, want := range map[string]ledger.Balance{
		string(fund): {Posted: 3500}, string(ledger.SuspenseOf(fund)): {}, string(order.Payee): {Posted: 1500},
	} {
		if got := w.balance(ident.Account(account)); got != want {
			t.Errorf("%s has %+v, want %+v", account, got, want)
		}
	}
	if paid := w.bank.Paid(); len(paid) != 1 || paid[(ledger.Order{ID: lost.ID}).EndToEndID()] != 1500 {
		t.Errorf("the bank paid %v", paid)
	}
	w.clock.Advance(time.Second)
	if next := w.prepare(w.instruction(1500)); next.State != ledger.Prepared {
		t.Errorf("the next month's payment is %s: it was paid by one that another order has taken", next.State)
	}
	w.check()
}

func TestAPaymentWhoseReleaseTheBooksLostIsConfirmedAndNotSent(t *testing.T) {
	for name, verify := range map[string]bool{"prepared": false, "verified": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.funded(5000)
			in := w.instruction(1500)
			if w.prepare(in); verify {
				w.drain()
			}
			w.paidBefore(in)
			w.clock.Advance(time.Second)
			w.takeUp(1)
			if _, err := w.ledger.Refuse(t.Context(), w.treasurer, fund, in.ID, "not-needed"); fault.Code(err) != "order.moved" {
				t.Errorf("what was paid can be refused: %v", err)
			}
			w.clock.Advance(time.Second)
			w.drain()
			if order := w.order(in.ID); order.State != ledger.Confirmed {
				t.Errorf("it is %+v", order)
			}
			if got := w.bank.Messages((ledger.Order{ID: in.ID}).EndToEndID()); got != 1 {
				t.Errorf("the bank got %d messages", got)
			}
			w.check()
		})
	}
}

func TestAPaymentWhoseOrderIsPreparedOnlyAfterTheRestorationIsNotSent(t *testing.T) {
	w := newWorld(t)
	w.funded(0) // what was put into the fund is lost, too
	in := w.instruction(1500)
	w.paidBefore(in)
	w.clock.Advance(time.Second)
	w.takeUp(1)
	if got, want := w.balance(ledger.OutsideOf(fund)), (ledger.Balance{Posted: -1500}); got != want {
		t.Errorf("outside has %+v, want %+v", got, want)
	}
	w.clock.Advance(time.Second)
	changed := in
	changed.Amount = 1600
	if _, err := w.ledger.Prepare(t.Context(), operator, changed); fault.Code(err) != "order.differs" {
		t.Errorf("the same order with another amount gives %v", err)
	}
	if order := w.prepare(in); order.State != ledger.Confirmed {
		t.Errorf("it is %+v", order)
	}
	w.check()
}

func TestAPaymentOfAnotherAmountThanItsOrderIsNotBooked(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	in := w.instruction(1500)
	w.prepare(in)
	in.Amount = 1400
	w.paidBefore(in)
	statement, err := w.bank.Statement(t.Context(), start)
	if err != nil || len(statement) != 1 {
		t.Fatal(statement, err)
	}
	if missing, others, err := w.ledger.Missing(t.Context(), statement); err != nil || len(missing) != 0 || len(others) != 1 {
		t.Errorf("comparing gives %v, %v, %v", missing, others, err)
	}
	if err := w.ledger.TakeUp(t.Context(), operator, statement[0]); fault.Code(err) != "bank.mismatch" {
		t.Errorf("taking it up gives %v", err)
	}
	stranger := ledger.Executed{EndToEndID: "0123", Debtor: fund, Amount: money.Amount(5)}
	if _, others, err := w.ledger.Missing(t.Context(), []ledger.Executed{stranger}); err != nil || len(others) != 1 {
		t.Errorf("a payment that is no order's gives %v, %v", others, err)
	}
	w.check()
}
