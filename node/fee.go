package node

import (
	"context"
	"encoding/json"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
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
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound), fault.Is(err, fault.Erased):
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
	if err := f.Casework.FeePaid(ctx, id); err != nil && !fault.Is(err, fault.Conflict) {
		return err // somebody else's act came between: the job does it
	}
	return nil
}

// collected tells an application that its fee is booked (ledger.JobCollected).
func (f fees) collected(ctx context.Context, queued job.Job) error {
	var payload ledger.OrderJob
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return err
	}
	return f.Casework.FeePaid(ctx, payload.Application)
}

// unpaid looks a last time whether a fee is paid before its application is closed (casework.JobUnpaid).
func (f fees) unpaid(ctx context.Context, queued job.Job) error {
	var payload casework.Job
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return err
	}
	if err := f.Look(ctx, payload.Application); err != nil && fault.Code(err) != errNoTill.Code {
		return err
	}
	return f.Casework.LapseFee(ctx, queued, payload)
}

// settle books what became of a fee (casework.JobFee): it is kept, or given back.
func (f fees) settle(ctx context.Context, queued job.Job) error {
	var payload casework.Job
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return err
	}
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
