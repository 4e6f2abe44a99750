package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
)

// Pay is the purpose for which a payee's details are disclosed to a bank.
const Pay access.Purpose = "pay"

// Status is what a bank says of a payment: the codes of ISO 20022 (ExternalPaymentTransactionStatus1Code, as in pain.002)
// that the platform tells apart, and NotFound.
type Status string

// The statuses.
const (
	AcceptedTechnical Status = "ACTC" // the message is well-formed
	AcceptedCustomer  Status = "ACCP" // the customer may do it
	InProcess         Status = "ACSP" // settlement is in process
	Completed         Status = "ACSC" // settled on the debtor's account: paid
	PendingAtBank     Status = "PDNG" // waits at the bank
	RejectedByBank    Status = "RJCT" // not paid and never will be
	NotFound          Status = ""     // the bank never accepted a payment with this id
)

// Duplicate is the reason (ExternalStatusReason1Code) of a bank that refuses a second message with the same id. It says
// nothing about the first.
const Duplicate = "AM05"

// Report is a bank's answer about one payment (pain.002, TransactionInformationAndStatus).
type Report struct {
	EndToEndID       EndToEndID
	Status           Status
	Reason           string       // of a rejection: a code of ExternalStatusReason1Code, at most 4 characters
	InstructedAmount money.Amount // what the bank has in its books for the id; zero if it does not say
}

// CreditTransfer is the message to the bank (pain.001, CreditTransferTransactionInformation).
type CreditTransfer struct {
	EndToEndID            EndToEndID
	InstructedAmount      money.Amount
	Currency              string
	Debtor                ident.Account // the fund
	Creditor              Creditor
	RemittanceInformation string
}

// Bank carries payments out.
//
// An error means "unknown": the bank may have accepted or not. A bank keeps what it accepted, and takes each EndToEndID
// once: a second message with the same id and content changes nothing and is answered like the first, or is rejected
// with the reason Duplicate. State tells what became of an id; NotFound promises that nothing was accepted so far, not
// that a message under way will not be.
//
// Verify tells whether an account is open and its supposed holder's; asking changes nothing at the bank.
type Bank interface {
	Verify(ctx context.Context, request IdentificationVerificationRequest) (IdentificationVerificationReport, error)
	Send(ctx context.Context, transfer CreditTransfer) (Report, error)
	State(ctx context.Context, id EndToEndID) (Report, error)
	// Statement returns the payments that the bank has taken since a moment and not rejected, the oldest first.
	Statement(ctx context.Context, since time.Time) ([]Executed, error)
}

// Sender carries released orders to a bank until they are confirmed or rejected.
type Sender struct {
	Ledger *Ledger
	Bank   Bank
	// Patience is how long to wait before a bank that has not finished is asked again; zero: a minute.
	Patience time.Duration
	// Timeout is how long a bank may take to answer; zero: 10 s. One that takes longer is tried again later.
	Timeout time.Duration
	// NationalNumber tells the number by which a bank knows the payee; nil: it is asked by name alone.
	NationalNumber NationalNumbers
}

func (s *Sender) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return context.WithTimeout(ctx, timeout)
}

// sender is how the journal names the sender.
var sender = journal.Actor{Component: "payment"}

// Send does a job of the kind JobSend. Whatever fails before, during or after it, and however many run it at once:
//
//   - before a message leaves, the order is Sent and the disclosure to the bank is recorded, durably;
//   - an order that is Sent is asked for at the bank first, and sent again only if the bank does not know it;
//   - what the bank says in the end settles the order and the job in one act.
func (s *Sender) Send(ctx context.Context, queued job.Job) error {
	var payload OrderJob
	if err := json.Unmarshal(queued.Payload, &payload); err != nil {
		return fault.New(fault.Internal, "order.payload", "The job's payload is not an order's.").Because(err)
	}
	order, _, err := s.Ledger.order(ctx, payload.Fund, payload.Order)
	if err != nil {
		return err
	}
	switch order.State {
	case Confirmed, Rejected:
		return nil
	case Prepared, Verified:
		return fault.New(fault.Internal, "order.not-released", "An order that nobody released was queued for sending.")
	case Sent:
		report, err := s.state(ctx, order)
		if err != nil {
			return err
		}
		if report.Status != NotFound {
			return s.settle(ctx, queued, order, report)
		}
	}
	message, order, err := s.depart(ctx, queued, order)
	if err != nil || message == nil {
		return err
	}
	sending, done := s.limited(ctx)
	defer done()
	report, err := s.Bank.Send(sending, *message)
	if err != nil {
		return unreachable(err)
	}
	if report.Status == RejectedByBank && report.Reason == Duplicate {
		// The bank has an earlier message with this id, and only its state tells whether that one was paid.
		if report, err = s.state(ctx, order); err != nil {
			return err
		}
	}
	return s.settle(ctx, queued, order, report)
}

// state asks the bank what became of an order.
func (s *Sender) state(ctx context.Context, order Order) (Report, error) {
	asking, done := s.limited(ctx)
	defer done()
	report, err := s.Bank.State(asking, order.EndToEndID())
	if err != nil {
		return Report{}, unreachable(err)
	}
	return report, nil
}

func unreachable(err error) error {
	return fault.New(fault.Unavailable, "bank.unreachable", "The bank does not answer. The payment is tried again.").Because(err)
}

// depart records that the order leaves for the bank, and returns the message; none if the order was settled meanwhile.
func (s *Sender) depart(ctx context.Context, queued job.Job, found Order) (message *CreditTransfer, order Order, err error) {
	sealer, err := s.Ledger.Vault.Open(ctx, found.Subject)
	if err != nil {
		return nil, Order{}, err
	}
	err = s.Ledger.Store.Update(ctx, act.OfAccount(found.Fund), func(tx Tx) error {
		message = nil
		b := newBook(tx)
		var err error
		if order, err = tx.PaymentOrder(found.Fund, found.ID); err != nil {
			return err
		}
		// Another runner may have been faster. The state that we asked the bank about is the one we may leave from: an
		// order that was handed over since then has to be asked for first.
		if order.State != found.State || order.Sendings != found.Sendings {
			return fault.New(fault.Conflict, "order.moved", "The order is being sent by another runner.")
		}
		payee, err := b.account(order.Payee)
		if err != nil {
			return err
		}
		creditor, err := payee.creditor(sealer)
		if fault.Is(err, fault.Erased) && order.State == Released {
			// Nobody knows any more whom to pay, and nothing has left. Once something has, only the bank can say what
			// became of it: the error then ends up before an operator.
			return b.endErased(sealer, queued, order)
		}
		if err != nil {
			return err
		}
		if order.State == Released {
			order.State, order.Sent = Sent, tx.Now()
		}
		order.Sendings++
		order.Event = b.event
		message = &CreditTransfer{
			EndToEndID: order.EndToEndID(), InstructedAmount: order.Amount, Currency: order.Currency,
			Debtor: order.Fund, Creditor: creditor, RemittanceInformation: order.Remittance,
		}
		return b.commitOrder(sealer, sender, order, "order.sent", journal.Event{
			Purpose: string(Pay),
			Parts:   []journal.Part{{Subject: order.Subject, Disclosure: true}},
		}, map[string]any{"to": "bank", "read": []string{"name", "account"}})
	})
	if err != nil {
		return nil, Order{}, err
	}
	return message, order, nil
}

// settle does what the bank's report says.
func (s *Sender) settle(ctx context.Context, queued job.Job, found Order, report Report) error {
	if report.EndToEndID != found.EndToEndID() || (report.InstructedAmount != 0 && report.InstructedAmount != found.Amount) {
		return fault.New(fault.Internal, "bank.mismatch", "The bank's report is about another payment or amount. Ask the bank; nothing was booked.")
	}
	var state OrderState
	switch report.Status {
	case Completed:
		state = Confirmed
	case RejectedByBank:
		state = Rejected
	case AcceptedTechnical, AcceptedCustomer, InProcess, PendingAtBank:
		return s.wait(ctx, queued)
	case NotFound:
		return fault.New(fault.Unavailable, "bank.not-accepted", "The bank has not accepted the payment. It is tried again.")
	default:
		return fault.Newf(fault.Internal, "bank.status", "The bank reports a status that the platform does not know: %.4q.", string(report.Status))
	}
	reason := ""
	if state == Rejected {
		reason = reasonCode(report.Reason)
	}
	_, err := s.Ledger.advance(ctx, sender, found, func(b *book, order *Order) (string, error) {
		if order.State == Confirmed || order.State == Rejected {
			if order.State != state {
				return "", fault.Newf(fault.Internal, "bank.contradiction", "The bank reports %s for a payment that it settled otherwise. Ask the bank; nothing was booked.", report.Status)
			}
			return "", nil
		}
		if order.State != Sent {
			return "", fault.New(fault.Internal, "order.not-sent", "The bank reports a payment that was never sent. Ask the bank; nothing was booked.")
		}
		if err := finish(b.tx, queued); err != nil {
			return "", err
		}
		return b.end(order, state, reason)
	})
	return err
}

// reasonCode keeps a bank's reason only in the form of a code: text from outside could hold personal data.
func reasonCode(reason string) string {
	if len(reason) > 4 || !accountNumber.MatchString(reason) {
		return "NARR" // the reason is narrative
	}
	return strings.ToUpper(reason)
}

// wait lets the job come back later. Waiting is no failure, so it does not count as one.
func (s *Sender) wait(ctx context.Context, queued job.Job) error {
	patience := s.Patience
	if patience == 0 {
		patience = time.Minute
	}
	return s.Ledger.Store.Update(ctx, queued.Key, func(tx Tx) error {
		if err := tx.FinishJob(queued.Key, queued.ID); err != nil {
			return err
		}
		return tx.QueueJob(job.Job{
			ID: ident.New[ident.Job](tx.Now()), Key: queued.Key, Kind: queued.Kind, Due: tx.Now().Add(patience), Payload: queued.Payload,
		})
	})
}

// finish removes the job in the act that settles its order. A job that is gone was done by another runner, which then
// settled the order, or left a later job that will find it settled.
func finish(tx Tx, queued job.Job) error {
	if err := tx.FinishJob(queued.Key, queued.ID); err != nil && !errors.Is(err, job.ErrGone) {
		return err
	}
	return nil
}
