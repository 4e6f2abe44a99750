package node

import (
	"context"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/store/query"
)

// errNoTill is what paying a fee gives where no payment system is connected.
var errNoTill = fault.New(fault.Unavailable, "fee.no-system", "This installation is connected to no payment system. Your application is kept; ask the agency how to pay.")

// fees carries fees between the applications, the books and the payment system.
type fees struct{ *Node }

// request returns the fee as the payment system knows it, and the fund in whose book it stands.
func (f fees) request(of casework.Charged) (ledger.FeeRequest, ident.Account) {
	id := of.Application.ID
	return ledger.FeeRequest{
		Application: id, Amount: money.Amount(of.Amount), Currency: f.Profile.Currency.Code, Purpose: string(of.Application.Service),
		Back: f.config.Site.JoinPath("applications", string(id), "paid").String(),
	}, ident.Account("fund:" + of.Fund)
}

// Page returns the address at which the fee of an application is paid, for its applicant or who may apply for them.
func (f fees) Page(ctx context.Context, by access.Actor, id ident.Application) (string, error) {
	due, err := f.Casework.FeeDue(ctx, by, id)
	if err != nil {
		return "", err
	}
	if f.config.Till == nil {
		return "", errNoTill
	}
	wanted, _ := f.request(due)
	return f.config.Till.Ask(ctx, wanted)
}

// Look asks the payment system whether a fee is paid, and if so books it and carries the application on. Whoever tells that
// it is paid is not believed, so that anybody may tell; an application that waits for no fee is left as it is.
func (f fees) Look(ctx context.Context, id ident.Application) error {
	due, err := f.Casework.Fee(ctx, id)
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound), fault.Is(err, fault.Archived), fault.Is(err, fault.Erased):
		return nil
	case err != nil:
		return err
	case !due.Paid.IsZero():
		return nil
	case f.config.Till == nil:
		return errNoTill
	}
	wanted, fund := f.request(due)
	paid, err := f.config.Till.Paid(ctx, wanted)
	if err != nil || !paid {
		return err
	}
	if _, err := f.Ledger.Collect(ctx, fund, id, wanted.Amount); err != nil {
		return err
	}
	if err := f.Casework.FeePaid(ctx, id); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Archived) {
		return err // somebody else's act came between: the job does it
	}
	return nil
}

// Hear is Look for whoever calls from outside: they hear the same whatever there is and whatever fails, and the operator's
// log has what failed. Nothing is lost by that: who paid comes back to a page that looks, and a last look is taken at the
// end of the term.
func (f fees) Hear(ctx context.Context, id ident.Application) {
	if err := f.Look(ctx, id); err != nil {
		f.config.Log.WarnContext(ctx, "the payment system has called, and could not be asked about the fee", "error", err)
	}
}

// collected tells an application that its fee is booked (ledger.JobCollected).
func (f fees) collected(ctx context.Context, _ job.Job, payload ledger.OrderJob) error {
	return f.Casework.FeePaid(ctx, payload.Application)
}

// unpaid looks a last time whether a fee is paid before its application is closed (casework.JobUnpaid).
func (f fees) unpaid(ctx context.Context, queued job.Job, payload casework.Job) error {
	if err := f.Look(ctx, payload.Application); err != nil && fault.Code(err) != errNoTill.Code {
		return err
	}
	return f.Casework.LapseFee(ctx, queued, payload)
}

// closed lets a fee not be paid any more whose application is closed, and looks whether it was paid after all
// (casework.JobFeeClosed).
func (f fees) closed(ctx context.Context, _ job.Job, payload casework.Job) error {
	of, err := f.Casework.Fee(ctx, payload.Application)
	if fault.Is(err, fault.Erased) || err == nil && f.config.Till == nil {
		return nil // nobody is left to whom it could be given back, or nobody could pay
	}
	if err != nil {
		return err
	}
	wanted, _ := f.request(of)
	if err := f.config.Till.Cancel(ctx, wanted); err != nil {
		return err
	}
	return f.Look(ctx, payload.Application)
}

// jobReturnLost is the kind of job that gives back what was paid for an application that a restoration has lost. Its payload
// is a ledger.FeeRequest, its key the platform's: nothing of it stands in a book.
const jobReturnLost = "fee.return-lost"

// returnLost does it.
func (f fees) returnLost(ctx context.Context, _ job.Job, fee ledger.FeeRequest) error {
	of, here, err := f.of(ctx, fee.Application)
	switch {
	case err != nil:
		return err
	case here && of.Amount == int64(fee.Amount) && (of.Application.State == casework.Unpaid || !of.Paid.IsZero()):
		return nil // it was asked for once more meanwhile, and this pays it
	case f.config.Till == nil:
		return errNoTill
	}
	return f.config.Till.Return(ctx, fee)
}

// found is what is to be done after a restoration about a fee of the payment system's statement.
type found struct {
	ledger.CollectedFee
	fund ident.Account // in whose book it is to stand; "": it is given back
}

// of returns the fee of an application, and false if the application is not here, or nothing was to be paid for it yet.
func (f fees) of(ctx context.Context, id ident.Application) (of casework.Charged, here bool, err error) {
	err = f.DB.View(ctx, func(tx *query.Tx) error {
		_, err := tx.Application(id)
		return err
	})
	if err == nil {
		of, err = f.Casework.Fee(ctx, id)
		if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Archived) {
			return of, false, nil
		}
		return of, true, err
	}
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return of, false, err
}

// compare returns what the payment system has collected and the copy does not know, what it has given back and the copy
// counts as paid, and those of which the copy cannot tell, as the person's key is destroyed.
func (f fees) compare(ctx context.Context, statement []ledger.CollectedFee) (collected, returned []found, unclear []ledger.CollectedFee, err error) {
	for _, line := range statement {
		held := line.Returned.IsZero()
		of, here, err := f.of(ctx, line.Application)
		switch {
		case err == nil && !here:
			if held {
				collected = append(collected, found{CollectedFee: line})
			}
			continue
		case fault.Is(err, fault.Erased):
			if held {
				unclear = append(unclear, line)
			}
			continue
		case err != nil:
			return nil, nil, nil, err
		}
		wanted, fund := f.request(of)
		switch {
		case held && of.Paid.IsZero() && wanted.Amount == line.Amount:
			collected = append(collected, found{line, fund})
		case held && of.Paid.IsZero(): // of another amount than what is to be paid by the copy
			collected = append(collected, found{CollectedFee: line})
		case !held && !of.Paid.IsZero() && of.Settled.IsZero():
			returned = append(returned, found{line, fund})
		}
	}
	return collected, returned, unclear, nil
}

// settle books what became of a fee (casework.JobFee): it is kept, or given back.
func (f fees) settle(ctx context.Context, _ job.Job, payload casework.Job) error {
	of, err := f.Casework.Fee(ctx, payload.Application)
	if err != nil {
		return err
	}
	wanted, fund := f.request(of)
	if of.Back == "" {
		_, err = f.Ledger.KeepFee(ctx, fund, of.Transfer, wanted.Amount)
		return err
	}
	if f.config.Till == nil {
		return errNoTill
	}
	if err := f.Ledger.ReturnFee(ctx, f.config.Till, fund, of.Transfer, wanted); err != nil {
		return err
	}
	return f.Casework.FeeReturned(ctx, payload.Application)
}
