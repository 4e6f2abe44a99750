package ledger

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/seal"
)

// ErrNoBank is what every call of a bank gives where an installation is connected to none: nothing was paid by it.
var ErrNoBank = errors.New("this installation is connected to no bank")

// Executed is a payment as a bank's statement has it (ISO 20022 camt.053, TransactionDetails): one that it has taken and
// not rejected.
type Executed struct {
	EndToEndID            EndToEndID
	Debtor                ident.Account // the fund
	CreditorAccount       string        // its number
	Amount                money.Amount
	RemittanceInformation string
	Taken                 time.Time // when the bank took the message
}

// Order returns the id of the order that the payment was made for, "" if it is none of ours.
func (e Executed) Order() ident.Order {
	id := string(e.EndToEndID)
	if len(id) != 32 {
		return ""
	}
	order, err := ident.Parse[ident.Order](id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:])
	if err != nil {
		return ""
	}
	return order
}

// Found is a payment that a bank has made and that the books did not know of: they were set back to an older copy. Its
// amount stands in the fund's account of suspense until an order takes it for its own.
type Found struct {
	ID     ident.Order // of the order that was lost
	Fund   ident.Account
	Digest []byte // under Ledger.Key: of whom it went to, how much, and for what
	Amount money.Amount
	At     time.Time   // when the bank took it
	Placed ident.Order // the order that is paid by it, "" while there is none
	Event  ident.Event
}

// Cover returns what an event says of the payment.
func (f Found) Cover() journal.Cover {
	f.Event, f.At = "", f.At.UTC()
	return journal.Cover{Row: "found-payment/" + string(f.ID), Digest: journal.Digest(f)}
}

// digest tells payments apart that an order could take for its own.
func (l *Ledger) digest(fund ident.Account, account string, amount money.Amount, remittance string) ([]byte, error) {
	encoded, err := json.Marshal([]any{"found-payment", fund, account, amount, remittance})
	if err != nil {
		return nil, err
	}
	hash := hmac.New(sha256.New, l.Key)
	hash.Write(encoded)
	return hash.Sum(nil), nil
}

// standing is what the books know of a payment of a statement.
type standing int

const (
	booked     standing = iota // or the bank is asked before anything is sent
	unreleased                 // there is an order that nobody has released, as far as the books know
	unknown                    // there is no order, or one that ended unpaid
)

var errOtherAmount = fault.New(fault.Internal, "bank.mismatch", "The bank's report is about another payment or amount. Ask the bank; nothing was booked.")

func standingOf(tx Reader, line Executed) (standing, error) {
	_, err := tx.FoundPayment(line.Debtor, line.Order())
	if err == nil {
		return booked, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return booked, err
	}
	order, err := tx.PaymentOrder(line.Debtor, line.Order())
	if fault.Is(err, fault.NotFound) {
		return unknown, nil
	}
	if err != nil {
		return booked, err
	}
	if order.Amount != line.Amount {
		return booked, errOtherAmount
	}
	switch order.State {
	case Prepared, Verified:
		return unreleased, nil
	case Rejected:
		return unknown, nil
	}
	return booked, nil
}

// Missing returns those payments of a bank's statement that the books do not know, or know as not released: after a
// restoration. Others are those of which nothing can be booked: they are no order's of a fund here, or their amount is
// another than the order's.
func (l *Ledger) Missing(ctx context.Context, statement []Executed) (missing, others []Executed, err error) {
	err = l.Store.View(ctx, func(tx Reader) error {
		missing, others = nil, nil
		for _, line := range statement {
			fund, err := tx.LedgerAccount(line.Debtor)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if err != nil || fund.Kind != Fund || line.Order() == "" {
				others = append(others, line)
				continue
			}
			known, err := standingOf(tx, line)
			switch {
			case fault.Code(err) == errOtherAmount.Code:
				others = append(others, line)
			case err != nil:
				return err
			case known != booked:
				missing = append(missing, line)
			}
		}
		return nil
	})
	return missing, others, err
}

// TakeUp books a payment that a bank has made and the books do not know (Missing), so that it cannot be made again. An
// order that nobody has released, as far as the books know, is Sent: the bank is asked what became of it. Without an order
// the money goes into suspense, where the next order to the same account, of the same amount, for the same takes it for
// its own (Prepare). Doing it again changes nothing.
func (l *Ledger) TakeUp(ctx context.Context, by journal.Actor, line Executed) error {
	if line.Order() == "" {
		return ErrUnknownOrder
	}
	taken := line.Taken.UTC().Truncate(time.Microsecond) // as the store keeps it
	digest, err := l.digest(line.Debtor, line.CreditorAccount, line.Amount, line.RemittanceInformation)
	if err != nil {
		return err
	}
	var known standing
	err = l.Store.Update(ctx, act.OfAccount(line.Debtor), func(tx Tx) (err error) {
		if known, err = standingOf(tx, line); err != nil || known != unknown {
			return err
		}
		b := newBook(tx)
		fund, err := b.account(line.Debtor)
		if err != nil {
			return err
		}
		from := line.Debtor
		if fund.Balance.Available() < line.Amount { // what was put into the fund since is lost, too
			from = OutsideOf(line.Debtor)
		}
		_, _, err = b.transfer(Transfer{
			ID: ident.New[ident.Transfer](tx.Now()), Debit: from, Credit: SuspenseOf(line.Debtor), Amount: line.Amount, Reason: "found-at-bank",
		})
		if err != nil {
			return err
		}
		found := Found{ID: line.Order(), Fund: line.Debtor, Digest: digest, Amount: line.Amount, At: taken, Event: b.event}
		if err := tx.SaveFoundPayment(found); err != nil {
			return err
		}
		return b.commit(nil, journal.Event{
			Type: "ledger.payment-found", Actor: by, Object: "order:" + string(found.ID), Covers: []journal.Cover{found.Cover()},
			Facts: map[string]string{"debited": string(from)},
		})
	})
	if err != nil || known != unreleased {
		return err
	}
	order, _, err := l.order(ctx, line.Debtor, line.Order())
	if err != nil {
		return err
	}
	_, err = l.advance(ctx, by, order, func(b *book, order *Order) (string, error) {
		if order.State != Prepared && order.State != Verified {
			return "", nil
		}
		order.State, order.Sent, order.Sendings = Sent, taken, 1
		return "order.found-at-bank", job.Queue(b.tx, JobSend, 0, OrderJob{Fund: order.Fund, Order: order.ID})
	})
	return err
}

// foundFor returns the payment that the bank has made already of what the order is about to pay, and false if there is none:
// that of the same id, or one to the same account, of the same amount, for the same.
func (l *Ledger) foundFor(tx Tx, in Instruction) (Found, bool, error) {
	digest, err := l.digest(in.Fund, in.Creditor.Account, in.Amount, in.Remittance)
	if err != nil {
		return Found{}, false, err
	}
	found, err := tx.FoundPayment(in.Fund, in.ID)
	if err == nil && (found.Placed != "" || !bytes.Equal(found.Digest, digest)) {
		return Found{}, false, fault.New(fault.Conflict, "order.differs", "A payment order with this id exists with another content. Give a new order a new id.").At("id")
	}
	if fault.Is(err, fault.NotFound) {
		found, err = tx.OpenFoundPayment(in.Fund, digest)
	}
	if fault.Is(err, fault.NotFound) {
		return Found{}, false, nil
	}
	return found, err == nil, err
}

// place makes the order one that the found payment has paid.
func (b *book) place(sealer *seal.Sealer, by journal.Actor, order Order, found Found) (Order, error) {
	now := b.tx.Now()
	for _, step := range []Transfer{
		{ID: ident.New[ident.Transfer](now), Debit: SuspenseOf(order.Fund), Credit: order.Fund, Amount: order.Amount, Reason: "found-at-bank"},
		{ID: order.Transfer(), Debit: order.Fund, Credit: order.Payee, Amount: order.Amount, Reason: "payment", Order: order.ID},
	} {
		if _, _, err := b.transfer(step); err != nil {
			return Order{}, err
		}
	}
	order.State, order.Sent, order.Sendings, order.Settled = Confirmed, found.At, 1, now
	found.Placed, found.Event = order.ID, b.event
	if err := b.tx.SaveFoundPayment(found); err != nil {
		return Order{}, err
	}
	if order.Application != "" {
		if err := job.Queue(b.tx, JobSettled, 0, OrderJob{Fund: order.Fund, Order: order.ID, Application: order.Application}); err != nil {
			return Order{}, err
		}
	}
	return order, b.commitOrder(sealer, by, order, "order.found-at-bank", journal.Event{
		Covers: []journal.Cover{found.Cover()}, Facts: map[string]string{"paid-as": string(found.ID)},
	}, map[string]any{"amount": order.Amount})
}
