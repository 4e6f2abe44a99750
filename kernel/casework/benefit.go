package casework

import (
	"context"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// JobReview is the kind of job that decides on the next period of a benefit: Casework.Review.
const JobReview = "application.review"

// Standing is whether what was granted still holds.
type Standing string

// The standings of an entitlement.
const (
	InForce   Standing = "in-force"
	Over      Standing = "over"      // it has ended, or was given up
	Suspended Standing = "suspended" // of a licence
	Revoked   Standing = "revoked"
)

// Entitlement is what a granted application leaves in force: a benefit, one of limited places, a
// licence. It lives under its holder's key, beside the
// application, whose acts write it.
type Entitlement struct {
	Application ident.Application
	Holder      ident.Subject
	Service     ident.Service
	Agency      ident.Agency
	State       Standing
	Since       time.Time
	Until       time.Time     // when it ends or ended; zero: without end
	Paid        calendar.Date // the first day of the last period that was paid, by this or an earlier application; zero: none
	Next        time.Time     // when the next period is decided on, the end comes near, or comes; zero: never
	Published   *Published    // of a licence: what stands in the open list
	Event       ident.Event
}

// Cover returns what an event says of the entitlement.
func (e Entitlement) Cover() journal.Cover {
	e.Event = ""
	return journal.Cover{Row: "entitlement/" + string(e.Application), Digest: journal.Digest(e)}
}

// Instalment is the payment of a benefit for one period.
type Instalment struct {
	Period   calendar.Date `json:"period"` // its first day
	Amount   int64         `json:"amount"` // in minor units
	Order    ident.Order   `json:"order"`
	At       time.Time     `json:"at"`
	Rejected string        `json:"rejected,omitempty"` // why the bank did not take it
}

// End is why and when a benefit ended.
type End struct {
	At      time.Time     `json:"at"`
	Period  calendar.Date `json:"period,omitzero"` // the first that is not paid
	Because []Reason      `json:"because,omitempty"`
}

var errPaid = fault.New(fault.Conflict, "application.period-paid", "This period was paid to this person already. It is not paid twice.")

// begin lets a granted benefit begin, or go on after an appeal: the period of the day is paid at once, unless it was paid
// already; what was missed meanwhile is caught up with, period by period.
func (c *Casework) begin(ctx context.Context, f *file, amount money.Amount) error {
	period := f.def.Every.Period(c.Calendar.Date(f.now))
	today, result := period, f.content.Granted
	f.hold()
	if !f.right.Paid.IsZero() {
		period = f.def.Every.Next(f.right.Paid)
	}
	paid, err := c.lastPaid(ctx, f)
	if err != nil {
		return err
	}
	if !paid.IsZero() && !period.After(paid) {
		period, f.right.Paid = f.def.Every.Next(paid), paid
	}
	if period != today {
		c.await(f, period, false, period.Start(c.Calendar.Location()))
		return nil
	}
	c.instalment(f, result, period, amount)
	return nil
}

// lastPaid returns the last period that was paid to the applicant by this service, whatever the application was; zero:
// none.
func (c *Casework) lastPaid(ctx context.Context, f *file) (last calendar.Date, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		last = calendar.Date{}
		held, err := tx.EntitlementsOf(f.app.Applicant)
		for _, one := range held {
			if one.Service == f.app.Service && !one.Paid.IsZero() && one.Paid.After(last) {
				last = one.Paid
			}
		}
		return err
	})
	return last, err
}

// instalment pays a period, and waits for the next.
func (c *Casework) instalment(f *file, result *Result, period calendar.Date, amount money.Amount) {
	result.Payment, result.Order = int64(amount), ""
	if amount > 0 {
		result.Order = ident.New[ident.Order](f.now)
		result.Payments = append(result.Payments, Instalment{Period: period, Amount: int64(amount), Order: result.Order, At: f.now})
		f.pay(result.Order)
	}
	f.right.Paid, f.paying = period, true
	next := f.def.Every.Next(period)
	c.await(f, next, false, next.Start(c.Calendar.Location()))
}

// hold brings what is granted into force, for the first time or again.
func (f *file) hold() {
	if f.right == nil {
		f.right = &Entitlement{
			Application: f.app.ID, Holder: f.app.Applicant, Service: f.app.Service, Agency: f.app.Agency, Since: f.now,
		}
	}
	f.right.State, f.right.Until, f.content.Ended = InForce, time.Time{}, nil
}

// pay queues the payment order.
func (f *file) pay(order ident.Order) {
	payload := f.job("")
	payload.Order = order
	f.queue(JobPay, time.Time{}, payload)
}

// await queues the decision on a period.
func (c *Casework) await(f *file, period calendar.Date, again bool, at time.Time) {
	payload := f.job("")
	payload.Period, payload.Again = period, again
	f.right.Next = at
	f.queue(JobReview, at, payload)
}

// Review decides on a period of a benefit when it begins (JobReview): its evidence is asked for again, the rules are
// evaluated for the first day of the period, and it is paid, paid otherwise, or ends. After a downtime every missed
// period is decided on, one after another. A register that is silent stops nothing but the payment, which waits for it.
func (c *Casework) Review(ctx context.Context, queued job.Job, payload Job) (err error) {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	defer func() { err = f.disclose(ctx, err) }()
	if f.def.Licence != nil && f.right != nil && !f.right.Next.IsZero() && !f.now.Before(f.right.Next) {
		f.finish = &queued
		return c.term(ctx, f)
	}
	if f.app.State != Granted || f.right == nil || f.right.State != InForce || f.def.Every == nil ||
		!f.right.Paid.IsZero() && !payload.Period.After(f.right.Paid) {
		return nil
	}
	f.finish, f.day = &queued, payload.Period
	paid, err := c.lastPaid(ctx, f)
	if err != nil {
		return err
	}
	if !paid.IsZero() && !payload.Period.After(paid) { // by another application of the same person
		next := f.def.Every.Next(paid)
		f.right.Paid = paid
		c.await(f, next, false, next.Start(c.Calendar.Location()))
		return c.reviewed(ctx, f, "benefit.skipped")
	}
	today := c.Calendar.Date(f.now)
	silent, _, err := c.gather(ctx, f, access.Review, platform("benefit"), func(evidence service.Evidence, bound *Bound) bool {
		return slices.Contains(f.def.Every.Review, evidence.Name) && (unanswered(evidence, bound) || c.Calendar.Date(bound.At) != today)
	})
	if err != nil {
		return err
	}
	if silent {
		c.await(f, payload.Period, true, f.now.Add(retryAfter(f.now.Sub(payload.Period.Start(c.Calendar.Location())))))
		if !payload.Again { // the history says once that it waits
			f.note("benefit.waiting", platform("benefit"), "", "")
		}
		return c.reviewed(ctx, f, "benefit.waiting")
	}
	what, err := c.decidePeriod(ctx, f, payload.Period)
	if err != nil {
		return err
	}
	return c.reviewed(ctx, f, what)
}

func (c *Casework) reviewed(ctx context.Context, f *file, what string) error {
	err := c.store(ctx, f, journal.Event{Type: what, Actor: platform("benefit"), Facts: map[string]string{"period": f.day.String()}})
	return err
}

// decidePeriod pays the period or ends the benefit.
func (c *Casework) decidePeriod(ctx context.Context, f *file, period calendar.Date) (what string, err error) {
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return "", err
	}
	because, err := f.def.Ends(ctx, facts, evaluation)
	if err != nil {
		return "", err
	}
	if len(because) > 0 {
		f.end(End{At: f.now, Period: period, Because: reasonsOf(because)}, platform("rules"))
		f.tell("benefit.ended")
		return "benefit.ended", nil
	}
	if evaluation.Outcome() != rules.Met {
		return "", fault.New(fault.Conflict, "application.undecidable", "The rules of this service cannot tell from the answers that the registers gave. Its agency has been told; nothing is lost.")
	}
	outcome, err := f.def.Grant(ctx, facts)
	if err != nil {
		return "", err
	}
	f.use(outcome.Params)
	what = "benefit.paid"
	if int64(outcome.Payment) != f.content.Granted.Payment {
		what = "benefit.changed"
		f.tell(what)
	}
	c.instalment(f, f.content.Granted, period, outcome.Payment)
	f.note(what, platform("rules"), "", "")
	return what, nil
}

// end ends what is in force.
func (f *file) end(end End, by journal.Actor) {
	f.app.State, f.content.Ended = Ended, &end
	f.right.State, f.right.Until, f.right.Next = Over, f.now, time.Time{}
	f.note("benefit.ended", by, "", "")
}

// unpaid checks that no entitlement of the same person to the same service has paid the period.
func (f *file) unpaid(tx Tx) error {
	held, err := tx.EntitlementsOf(f.app.Applicant)
	for _, one := range held {
		if one.Service == f.app.Service && !one.Paid.IsZero() && !f.right.Paid.After(one.Paid) {
			return errPaid
		}
	}
	return err
}

// ended returns why a benefit ended; nothing if it did not, or if it was given up.
func (c Content) ended() []Reason {
	if c.Ended == nil {
		return nil
	}
	return c.Ended.Because
}

// contested reports whether the refusal, or the end of the benefit, was contested already.
func (c Content) contested() bool {
	return c.Appeal != nil && (c.Ended == nil || c.Appeal.At.After(c.Ended.At))
}
