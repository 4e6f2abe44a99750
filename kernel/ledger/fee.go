package ledger

import (
	"context"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
)

// Collector is a payment system by which people pay fees. A fee is named by its application: one application, one fee.
type Collector interface {
	// Ask tells the system of a fee that somebody wants to pay, and returns the address of the page on which they pay it.
	// The same fee again gives the same address, paid or not; one that was given back or cancelled is to be paid anew.
	Ask(ctx context.Context, fee FeeRequest) (address string, err error)
	// Paid reports whether the whole fee is paid; false for one that the system does not know.
	Paid(ctx context.Context, fee FeeRequest) (bool, error)
	// Return gives a paid fee back to where it came from, whole and once: doing it again does nothing.
	Return(ctx context.Context, fee FeeRequest) error
	// Cancel lets a fee not be paid any more. One that is paid, or that the system does not know, stays as it is.
	Cancel(ctx context.Context, fee FeeRequest) error
	// Collected returns the fees that were paid or given back since, in the order of their applications.
	Collected(ctx context.Context, since time.Time) ([]CollectedFee, error)
}

// CollectedFee is a fee as a payment system's statement has it.
type CollectedFee struct {
	FeeRequest
	Paid     time.Time
	Returned time.Time // zero: the system has the money, or has handed it on
}

// FeeRequest is a fee as a payment system knows it. Nothing in it says whose it is.
type FeeRequest struct {
	Application ident.Application
	Amount      money.Amount // above zero
	Currency    string       // ISO 4217
	Purpose     string       // the service's path
	Back        string       // the address to which the payer returns
}

// JobCollected is the kind of job that tells an application that its fee is booked, under the fund's key; its payload is
// OrderJob without an order. Whoever keeps applications does it.
const JobCollected = "ledger.fee-collected"

// Collect books a fee that the payment system has received: it stands in suspense until it is known whether it is kept or
// given back. The transfer's id is the application's, so that however often the system tells of it, it is booked once;
// another amount for the same application is fault.Conflict.
func (l *Ledger) Collect(ctx context.Context, fund ident.Account, application ident.Application, amount money.Amount) (Transfer, error) {
	var done Transfer
	err := l.Store.Update(ctx, act.OfAccount(fund), func(tx Tx) (err error) {
		b := newBook(tx)
		var made bool
		done, made, err = b.transfer(Transfer{
			ID: ident.Transfer(application), Debit: OutsideOf(fund), Credit: SuspenseOf(fund), Amount: amount, Reason: "fee",
		})
		if err != nil || !made {
			return err
		}
		if err := job.Queue(tx, JobCollected, 0, OrderJob{Fund: fund, Application: application}); err != nil {
			return err
		}
		return b.commit(nil, journal.Event{
			Type: "ledger.posted", Actor: journal.Actor{Component: "payment"}, Object: "transfer:" + string(done.ID),
		})
	})
	return done, err
}

// KeepFee books a collected fee as money of the fund. Doing it again gives the stored transfer.
func (l *Ledger) KeepFee(ctx context.Context, fund ident.Account, id ident.Transfer, amount money.Amount) (Transfer, error) {
	return l.Transfer(ctx, access.Actor{}, Transfer{ID: id, Debit: SuspenseOf(fund), Credit: fund, Amount: amount, Reason: "fee-kept"})
}

// ReturnFee gives a collected fee back: it is reserved before the payment system is asked, and leaves the book once the
// system has done it. If the system fails, doing it again goes on where it stopped.
func (l *Ledger) ReturnFee(ctx context.Context, by Collector, fund ident.Account, id ident.Transfer, fee FeeRequest) error {
	_, err := l.Transfer(ctx, access.Actor{}, Transfer{
		ID: id, Debit: SuspenseOf(fund), Credit: OutsideOf(fund), Amount: fee.Amount, Reason: "fee-returned", Reserve: true,
	})
	if err != nil {
		return err
	}
	if err := by.Return(ctx, fee); err != nil {
		return err
	}
	_, err = l.Settle(ctx, access.Actor{}, fund, id, Posted)
	return err
}
