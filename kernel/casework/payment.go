package casework

import (
	"context"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
)

// RejectPayment records that the bank did not take the payment of a granted application, and why: a code of ISO 20022.
// What was granted stands; the applicant is told, and may name another account. An order that another has replaced, and
// one of which it is known already, change nothing.
func (c *Casework) RejectPayment(ctx context.Context, id ident.Application, order ident.Order, reason string) error {
	f, err := c.load(ctx, id)
	if err != nil {
		return err
	}
	result := f.content.Granted
	if result == nil || !result.reject(order, reason) {
		return nil
	}
	f.note("payment.rejected", platform("payment"), "", reason)
	f.tell("payment.rejected")
	err = c.store(ctx, f, journal.Event{Type: "payment.rejected", Actor: platform("payment")})
	return err
}

// reject notes that the bank did not take an order; false if it is known already, or another has replaced the order.
func (r *Result) reject(order ident.Order, reason string) bool {
	for i := range r.Payments {
		if one := &r.Payments[i]; one.Order == order && one.Rejected == "" {
			one.Rejected, r.Rejected = reason, reason
			return true
		}
	}
	if len(r.Payments) > 0 || r.Order != order || r.Rejected != "" {
		return false
	}
	r.Rejected = reason
	return true
}

// payAgain orders anew what the bank did not take: of a benefit every period that it turned down.
func (f *file) payAgain(result *Result) {
	result.Rejected = ""
	if len(result.Payments) == 0 {
		result.Order = ident.New[ident.Order](f.now)
		f.pay(result.Order)
	}
	for i := range result.Payments {
		one := &result.Payments[i]
		if one.Rejected == "" {
			continue
		}
		order := ident.New[ident.Order](f.now)
		if result.Order == one.Order {
			result.Order = order
		}
		one.Order, one.Rejected = order, ""
		f.pay(order)
	}
}

// ChangeAccount names another account for a payment that the bank did not take. A new payment order is prepared for what
// was granted; the bank is asked again whose account it is, and a treasurer releases it anew. Naming the same account
// again changes nothing.
func (c *Casework) ChangeAccount(ctx context.Context, by access.Actor, id ident.Application, revision int64, account string) (Receipt, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Receipt{}, err
	}
	result := f.content.Granted
	switch {
	case result != nil && result.Rejected == "" && result.Account != "" && result.Account == account:
		return f.receipt(), nil
	case f.def.Output.Payment == nil || result == nil || result.Rejected == "":
		return Receipt{}, fault.New(fault.Conflict, "application.no-account-wanted", "The bank has not turned down a payment of this application. Nothing has to be changed.")
	case f.app.Revision != revision:
		return Receipt{}, errChanged
	}
	question, ok := field.Find(f.def.Fields(), f.def.Output.Payment.To)
	if !ok {
		return Receipt{}, fault.Newf(fault.Internal, "application.no-account-question", "The definition has no question %s.", f.def.Output.Payment.To)
	}
	question.Name = "account"
	checked, problems := question.Check(c.Scheme, account)
	if err := problems.Err(); err != nil {
		return Receipt{}, err
	}
	result.Account, _ = checked.(string)
	f.payAgain(result)
	f.note("payment.account-changed", by.Journal(), "", "")
	return c.acknowledge(ctx, f, journal.Event{Type: "payment.account-changed", Actor: by.Journal()})
}
