package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
)

// till is a payment system that fails as often as it is told to.
type till struct {
	fails    int
	returned map[ident.Application]money.Amount
}

func (*till) Ask(context.Context, ledger.FeeRequest) (string, error) { return "", nil }
func (*till) Paid(context.Context, ledger.FeeRequest) (bool, error)  { return true, nil }

func (*till) Cancel(context.Context, ledger.FeeRequest) error { return nil }
func (*till) Collected(context.Context, time.Time) ([]ledger.CollectedFee, error) {
	return nil, nil
}

func (t *till) Return(_ context.Context, fee ledger.FeeRequest) error {
	if t.fails--; t.fails >= 0 {
		return errors.New("it does not answer")
	}
	t.returned[fee.Application] = fee.Amount
	return nil
}

func TestAFeeIsBookedOnceHoweverOftenThePaymentSystemTellsOfIt(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	told := 0
	w.runner.Handlers[ledger.JobCollected] = func(context.Context, job.Job) error {
		told++
		return nil
	}
	id := ident.New[ident.Application](w.clock.Now())
	for range 3 {
		if _, err := w.ledger.Collect(t.Context(), fund, id, 700); err != nil {
			t.Fatal(err)
		}
		w.drain()
	}
	if _, err := w.ledger.Collect(t.Context(), fund, id, 701); fault.Code(err) != "ledger.transfer-differs" {
		t.Errorf("another amount gives %v", err)
	}
	if got := w.balance(ledger.SuspenseOf(fund)); got.Posted != 700 || told != 1 {
		t.Errorf("in suspense stands %+v; the application was told %d times", got, told)
	}
	transfer := ident.New[ident.Transfer](w.clock.Now())
	for range 2 {
		if _, err := w.ledger.KeepFee(t.Context(), fund, transfer, 700); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.balance(fund); got.Posted != 5700 {
		t.Errorf("kept, the fund has %+v", got)
	}
	w.check()
}

func TestAFeeThatIsGivenBackLeavesTheBookOnceThePaymentSystemHasDoneIt(t *testing.T) {
	w := newWorld(t)
	w.funded(5000)
	fee := ledger.FeeRequest{Application: ident.New[ident.Application](w.clock.Now()), Amount: 700, Currency: "UZS"}
	if _, err := w.ledger.Collect(t.Context(), fund, fee.Application, fee.Amount); err != nil {
		t.Fatal(err)
	}
	system, transfer := &till{fails: 1, returned: map[ident.Application]money.Amount{}}, ident.New[ident.Transfer](w.clock.Now())
	if err := w.ledger.ReturnFee(t.Context(), system, fund, transfer, fee); err == nil {
		t.Fatal("the payment system failed, and nobody heard of it")
	}
	if got, want := w.balance(ledger.SuspenseOf(fund)), (ledger.Balance{Posted: 700, PendingDebits: 700}); got != want {
		t.Errorf("while it is given back, in suspense stands %+v, want %+v", got, want)
	}
	for range 2 {
		if err := w.ledger.ReturnFee(t.Context(), system, fund, transfer, fee); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.balance(ledger.SuspenseOf(fund)); got != (ledger.Balance{}) || system.returned[fee.Application] != 700 {
		t.Errorf("given back, in suspense stands %+v; the system gave back %v", got, system.returned)
	}
	if got := w.balance(fund); got.Posted != 5000 {
		t.Errorf("the fund has %+v", got)
	}
	w.check()
}
