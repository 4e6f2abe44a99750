package casework

import (
	"context"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
	"yagona/kernel/service"
)

// The kinds of job of fees, under the applicant's key. Whoever keeps accounts does JobFee; before JobUnpaid, they look
// whether it is paid after all.
const (
	JobUnpaid = "application.unpaid" // the time to pay is over: Casework.LapseFee
	JobFee    = "application.fee"    // book what became of a fee: Casework.Fee says what
	// JobFeeClosed: the application was closed before its fee was paid. Whoever keeps accounts lets it not be paid any more,
	// and looks whether it was paid after all; once at once, and once when nobody can be paying it any more.
	JobFeeClosed = "application.fee-closed"
)

// Back says why a fee is given back.
type Back string

// Why a fee is given back.
const (
	BackWithdrawn Back = "withdrawn" // before an official began
	BackRefused   Back = "refused"
	BackLate      Back = "late"     // a step was late
	BackTooLate   Back = "too-late" // it was paid when the application was closed already
	BackFound     Back = "found"    // the payment system had given it back, and a restoration has lost why
)

// Fee is what an applicant pays for an application.
type Fee struct {
	Amount   int64          `json:"amount"` // minor units; zero: there was nothing to pay
	Asked    time.Time      `json:"asked"`
	Paid     time.Time      `json:"paid,omitzero"`
	Settled  time.Time      `json:"settled,omitzero"`   // when it was decided that it is kept or given back
	Back     Back           `json:"back,omitempty"`     // why it is given back; empty: it is kept, or that is not decided
	Transfer ident.Transfer `json:"transfer,omitempty"` // that books what was decided
	Returned time.Time      `json:"returned,omitzero"`  // when the payment system had given it back
}

var errNoFee = fault.New(fault.Conflict, "fee.not-due", "Nothing has to be paid for this application now. Look at it again.")

// charge asks for the fee, or goes on where it is zero.
func (c *Casework) charge(ctx context.Context, f *file, facts service.Facts) error {
	amount, params, err := f.def.Charge(ctx, facts)
	if err != nil {
		return err
	}
	f.use(params)
	f.content.Fee = &Fee{Amount: int64(amount), Asked: f.now}
	if amount == 0 {
		return nil
	}
	if err := c.wait(ctx, f, Unpaid, f.def.Fee.Within, JobUnpaid); err != nil {
		return err
	}
	f.note("fee.due", platform("casework"), "", "")
	f.tell("fee.due")
	return nil
}

// lastLook is how long after the time to pay somebody may still be paying: a page was open, a payment under way.
const lastLook = 24 * time.Hour

// closeFee lets a fee that was not paid be paid no more, as its application is closed. Call it while the state is Unpaid.
func (f *file) closeFee() {
	until := f.now
	if f.app.Expires.After(until) {
		until = f.app.Expires
	}
	f.queue(JobFeeClosed, time.Time{}, f.job(""))
	f.queue(JobFeeClosed, until.Add(lastLook), f.job(""))
}

// begun reports whether an official has begun to work on the file.
func (f *file) begun() bool {
	for _, task := range f.tasks {
		if task.Assignee != "" {
			return true
		}
	}
	return len(f.content.Decisions) > 0
}

// giveBack lets the fee be given back. A fee that is not paid, or of which it is decided already, stays as it is.
func (f *file) giveBack(why Back) {
	if f.settleFee() {
		f.content.Fee.Back = why
	}
}

// keepFee lets the fee be kept, unless it is given back.
func (f *file) keepFee() { f.settleFee() }

func (f *file) settleFee() bool {
	fee := f.content.Fee
	if fee == nil || fee.Paid.IsZero() || !fee.Settled.IsZero() {
		return false
	}
	fee.Settled, fee.Transfer = f.now, ident.New[ident.Transfer](f.now)
	f.queue(JobFee, time.Time{}, f.job(""))
	return true
}

// Charged is a fee with what it is for.
type Charged struct {
	Fee
	Application Application
	Fund        string
}

// Fee returns the fee of an application, or fault.Conflict if it has none.
func (c *Casework) Fee(ctx context.Context, id ident.Application) (Charged, error) {
	f, err := c.load(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return Charged{}, errUnknown
	}
	if err != nil {
		return Charged{}, err
	}
	if f.content.Fee == nil || f.content.Fee.Amount == 0 {
		return Charged{}, errNoFee
	}
	return Charged{*f.content.Fee, f.app, f.def.Fee.Fund}, nil
}

// FeeDue returns the fee that the applicant, or who may apply for them, has to pay now; fault.Conflict if there is none.
func (c *Casework) FeeDue(ctx context.Context, by access.Actor, id ident.Application) (Charged, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Charged{}, err
	}
	if f.app.State != Unpaid {
		return Charged{}, errNoFee
	}
	return Charged{*f.content.Fee, f.app, f.def.Fee.Fund}, nil
}

// FeePaid carries an application on whose fee is booked; the day on which it was received stays. A fee that was paid when
// the application was closed already is given back. Saying it again changes nothing.
func (c *Casework) FeePaid(ctx context.Context, id ident.Application) (err error) {
	f, err := c.load(ctx, id)
	if err != nil {
		return err
	}
	defer func() { err = f.disclose(ctx, err) }()
	fee := f.content.Fee
	if fee == nil {
		return errNoFee
	}
	if !fee.Paid.IsZero() {
		return nil
	}
	by, facts := platform("payment"), map[string]string{}
	fee.Paid = f.now
	f.note("fee.paid", by, "", "")
	f.tell("fee.paid")
	if f.app.State != Unpaid {
		f.giveBack(BackTooLate)
	} else {
		f.app.Expires = time.Time{}
		again, _, err := c.gather(ctx, f, access.Apply, by, c.stale(f))
		if err != nil {
			return err
		}
		if facts["then"], err = c.settle(ctx, f, again); err != nil {
			return err
		}
	}
	err = c.store(ctx, f, journal.Event{Type: "fee.paid", Actor: by, Facts: facts})
	return err
}

// LapseFee closes an application whose fee was not paid in time (JobUnpaid).
func (c *Casework) LapseFee(ctx context.Context, queued job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil || f.app.State != Unpaid {
		return err
	}
	return c.lapse(ctx, f, queued, f.content.Fee.Asked, f.def.Fee.Within, "fee.lapsed", "fee.extended", func() (map[string]string, error) {
		f.closeFee()
		f.giveUp("fee.lapsed")
		return nil, nil
	})
}

// FeeReturned records that the payment system has given the fee back. Saying it again changes nothing.
func (c *Casework) FeeReturned(ctx context.Context, id ident.Application) error {
	f, err := c.load(ctx, id)
	if err != nil {
		return err
	}
	fee := f.content.Fee
	if fee == nil || fee.Back == "" || !fee.Returned.IsZero() {
		return nil
	}
	fee.Returned = f.now
	f.note("fee.returned", platform("payment"), "", string(fee.Back))
	f.tell("fee.returned")
	err = c.store(ctx, f, journal.Event{Type: "fee.returned", Actor: platform("payment"), Facts: map[string]string{"because": string(fee.Back)}})
	return err
}

// FeeFoundReturned takes it that the payment system has given back a fee that is paid here, and of which nothing is decided
// here: a restoration has lost that. The books follow (JobFee); the application stays as it is. Saying it again, or of a fee
// of which it is decided, changes nothing.
func (c *Casework) FeeFoundReturned(ctx context.Context, by journal.Actor, id ident.Application) error {
	f, err := c.load(ctx, id)
	if err != nil {
		return err
	}
	fee := f.content.Fee
	if fee == nil || fee.Paid.IsZero() || !fee.Settled.IsZero() {
		return nil
	}
	f.giveBack(BackFound)
	err = c.store(ctx, f, journal.Event{Type: "fee.found-returned", Actor: by})
	return err
}
