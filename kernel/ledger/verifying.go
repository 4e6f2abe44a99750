package ledger

import (
	"context"
	"encoding/json"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// IdentificationVerificationRequest asks a bank whether an account is its supposed holder's (ISO 20022 acmt.023). It
// carries what a bank needs to tell the holder, and nothing else: no amount, no service, no application.
type IdentificationVerificationRequest struct {
	Identification EndToEndID // of the question; the same for each try, so that a bank may answer as before
	Creditor       Creditor   // the party's name, the account, its agent
	// NationalNumber identifies the party (PrivateIdentification.Other, scheme NIDN); "" where none is known: the bank
	// then has the name alone to compare.
	NationalNumber string
}

// IdentificationVerificationReport is a bank's answer (ISO 20022 acmt.024, Report).
type IdentificationVerificationReport struct {
	OriginalIdentification EndToEndID
	Verification           bool   // the account is open and the party's
	Reason                 string // if not: a code of ExternalVerificationReason1Code, at most 4 characters
}

// The reasons that the platform knows by name; a bank may have others.
const (
	IncorrectAccount = "AC01" // there is no account with this number
	ClosedAccount    = "AC04"
	OtherHolder      = "BE01" // the account is somebody else's
)

var errNotVerified = fault.New(fault.Conflict, "order.not-verified",
	"The bank has not confirmed yet whose account it is. It is asked again by itself; release the payment once it has.")

// Verify does a job of the kind JobVerify: it asks the bank whether the account is the payee's. Only then may anybody
// release the order; an account that is not theirs, or is closed, ends it unpaid. A bank that is slow or down leaves the
// order as it is, and is asked again. Whatever fails, and however many run it at once:
//
//   - before the question leaves, the disclosure to the bank is recorded, durably;
//   - the answer moves the order and removes the job in one act, once.
func (s *Sender) Verify(ctx context.Context, queued job.Job) error {
	var payload OrderJob
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return fault.New(fault.Internal, "order.payload", "The job's payload is not an order's.").Because(err)
	}
	order, _, err := s.Ledger.order(ctx, payload.Fund, payload.Order)
	if err != nil || order.State != Prepared {
		return err
	}
	var number string
	if s.NationalNumber != nil {
		if number, err = s.NationalNumber(ctx, order.Subject); err != nil && !fault.Is(err, fault.Erased) {
			return err
		}
	}
	request, err := s.inquire(ctx, queued, order, number)
	if err != nil || request == nil {
		return err
	}
	asking, done := s.limited(ctx)
	defer done()
	report, err := s.Bank.Verify(asking, *request)
	if err != nil {
		return unreachable(err)
	}
	if report.OriginalIdentification != request.Identification {
		return fault.New(fault.Internal, "bank.mismatch", "The bank's report is about another payment or amount. Ask the bank; nothing was booked.")
	}
	_, err = s.Ledger.advance(ctx, sender, order, func(b *book, order *Order) (string, error) {
		if order.State != Prepared {
			return "", nil // another runner was faster, or a treasurer refused it meanwhile
		}
		if err := finish(b.tx, queued); err != nil {
			return "", err
		}
		if !report.Verification {
			return b.end(order, Rejected, reasonCode(report.Reason))
		}
		order.State = Verified
		return "order.verified", nil
	})
	return err
}

// inquire records that the payee's details leave for the bank, and returns the question; none if the order has moved.
func (s *Sender) inquire(ctx context.Context, queued job.Job, found Order, number string) (request *IdentificationVerificationRequest, err error) {
	sealer, err := s.Ledger.Vault.Open(ctx, found.Subject)
	if err != nil {
		return nil, err
	}
	err = s.Ledger.Store.Update(ctx, act.OfAccount(found.Fund), func(tx Tx) error {
		request = nil
		b := newBook(tx)
		order, err := tx.PaymentOrder(found.Fund, found.ID)
		if err != nil || order.State != Prepared {
			return err
		}
		payee, err := b.account(order.Payee)
		if err != nil {
			return err
		}
		creditor, err := payee.creditor(sealer)
		if fault.Is(err, fault.Erased) {
			return b.endErased(sealer, queued, order)
		}
		if err != nil {
			return err
		}
		request = &IdentificationVerificationRequest{Identification: order.EndToEndID(), Creditor: creditor, NationalNumber: number}
		read := []string{"name", "account"}
		if number != "" {
			read = append(read, "number")
		}
		order.Event = b.event
		return b.commitOrder(sealer, sender, order, "order.verifying", journal.Event{
			Purpose: string(Pay),
			Parts:   []journal.Part{{Subject: order.Subject, Disclosure: true}},
		}, map[string]any{"to": "bank", "read": read})
	})
	if err != nil {
		return nil, err
	}
	return request, nil
}

// endErased ends an order of which nothing has left and whose payee nobody knows any more.
func (b *book) endErased(sealer *seal.Sealer, queued job.Job, order Order) error {
	if err := finish(b.tx, queued); err != nil {
		return err
	}
	what, err := b.end(&order, Rejected, "payee-erased")
	if err != nil {
		return err
	}
	order.Event = b.event
	return b.commitOrder(sealer, sender, order, what, journal.Event{}, nil)
}

// NationalNumbers returns the national number by which a bank tells the holder of an account, or "".
type NationalNumbers func(ctx context.Context, of ident.Subject) (string, error)
