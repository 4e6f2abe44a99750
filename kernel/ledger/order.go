package ledger

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/seal"
)

// Creditor is who is paid, in the words of ISO 20022 (Creditor, CreditorAccount, CreditorAgent). All of it is personal.
type Creditor struct {
	Name    string `json:"name"`            // of the holder of the account: 1 to 140 characters (Max140Text)
	Account string `json:"account"`         // its number: 1 to 34 letters and digits (Max34Text)
	Agent   string `json:"agent,omitempty"` // the bank's code, where the number alone does not say it: to 35 characters
}

var accountNumber = regexp.MustCompile(`^[A-Za-z0-9]{1,34}$`)

func (c Creditor) check() error {
	malformed := func(field, message string) error {
		return fault.New(fault.Invalid, "order.creditor-malformed", message).At("creditor." + field)
	}
	switch {
	case !isText(c.Name, 1, 140):
		return malformed("name", "The name of the account's holder has 1 to 140 characters.")
	case !accountNumber.MatchString(c.Account):
		return malformed("account", "An account number has 1 to 34 Latin letters and digits, without spaces.")
	case !isText(c.Agent, 0, 35):
		return malformed("agent", "A bank's code has at most 35 characters.")
	}
	return nil
}

func isText(text string, least, most int) bool {
	count := utf8.RuneCountInString(text)
	return utf8.ValidString(text) && count >= least && count <= most && !strings.ContainsAny(text, "\x00\r\n")
}

// OrderState is where a payment order is in its life.
type OrderState string

// The states: prepared → verified → released → sent → confirmed | rejected; a prepared or verified one may be rejected,
// too.
const (
	Prepared  OrderState = "prepared"  // the amount is reserved; the bank is asked whose account it is
	Verified  OrderState = "verified"  // the account is the payee's; a second person has to release it
	Released  OrderState = "released"  // it may be sent, and nothing has been sent yet
	Sent      OrderState = "sent"      // it may have reached the bank; the bank is asked before it is sent again
	Confirmed OrderState = "confirmed" // the bank has paid; the transfer is posted
	Rejected  OrderState = "rejected"  // it is not paid and never will be; the transfer is voided
)

// Order is a payment order: one payment to one payee from one fund.
type Order struct {
	ID          ident.Order
	Fund        ident.Account
	Application ident.Application // what was granted, or ""
	Payee       ident.Account     // the account in the fund's book that the transfer credits
	Subject     ident.Subject     // whose account it is
	Amount      money.Amount
	Currency    string         // the fund's
	Remittance  string         // what the payee reads: at most 140 characters, nothing personal
	PreparedBy  []ident.Person // who prepared and who decided: none of them releases it
	ByRule      bool           // granted by rule alone: nobody decided
	ReleasedBy  ident.Person
	State       OrderState
	Reason      string // why it was rejected: a code of ISO 20022 (ExternalStatusReason1Code) or a name; else ""
	Sendings    int    // how often it was handed to the bank
	Prepared    time.Time
	Released    time.Time
	Sent        time.Time // when it was first handed to the bank
	Settled     time.Time // when it was confirmed or rejected
	Event       ident.Event
}

// EndToEndID is the name of a payment from end to end, by which a bank tells a duplicate: Max35Text of ISO 20022.
type EndToEndID string

// RejectedByBank reports whether the order ended because the bank did not take it: nothing was or will be paid, and the
// payee may be paid by another order, for example to another account. A treasurer's refusal is not one.
func (o Order) RejectedByBank() bool { return o.State == Rejected && !ident.IsName(o.Reason) }

// EndToEndID returns the order's id without its hyphens: 32 characters.
func (o Order) EndToEndID() EndToEndID {
	return EndToEndID(strings.ReplaceAll(string(o.ID), "-", ""))
}

// Transfer returns the id of the order's one transfer.
func (o Order) Transfer() ident.Transfer { return ident.Transfer(o.ID) }

// Cover returns what an event says of the order.
func (o Order) Cover() journal.Cover {
	o.Event = ""
	o.Prepared, o.Released, o.Sent, o.Settled = o.Prepared.UTC(), o.Released.UTC(), o.Sent.UTC(), o.Settled.UTC()
	if o.PreparedBy == nil {
		o.PreparedBy = []ident.Person{}
	}
	return journal.Cover{Row: "payment-order/" + string(o.ID), Digest: journal.Digest(o)}
}

// Instruction is what a granted application asks to pay.
type Instruction struct {
	ID          ident.Order // made by who asks, so that asking twice pays once
	Fund        ident.Account
	Application ident.Application
	Subject     ident.Subject // the payee
	Creditor    Creditor
	Amount      money.Amount
	Remittance  string
	PreparedBy  []ident.Person // everyone who prepared or decided it
	ByRule      bool           // instead of PreparedBy: no person decided
}

func (in Instruction) check() error {
	if _, err := ident.Parse[ident.Order](string(in.ID)); err != nil {
		return fault.Of(err).At("id")
	}
	if _, err := ident.ParseSubject(string(in.Subject)); err != nil {
		return fault.Of(err).At("subject")
	}
	if err := in.Creditor.check(); err != nil {
		return err
	}
	if FundOf(in.Fund) != in.Fund {
		return fault.New(fault.Invalid, "order.fund", "An order is on a fund, not on another account of its book.").At("fund")
	}
	if !isText(in.Remittance, 0, 140) {
		return fault.New(fault.Invalid, "order.remittance", "What the payee reads has at most 140 characters on one line.").At("remittance")
	}
	if slices.Contains(in.PreparedBy, "") || in.ByRule == (len(in.PreparedBy) > 0) {
		return fault.New(fault.Invalid, "order.prepared-by", "Name everyone who prepared or decided the payment, or say that a rule alone granted it.").At("preparedBy")
	}
	return nil
}

// The kinds of job that orders queue, under the fund's key.
const (
	JobVerify  = "ledger.verify-payee"  // ask the bank whose account it is: Sender.Verify
	JobSend    = "ledger.send-order"    // carry the order on at the bank: Sender.Send
	JobSettled = "ledger.order-settled" // tell the application; its payload is OrderJob. Whoever keeps applications does it.
)

// OrderJob is the payload of all three kinds of job.
type OrderJob struct {
	Fund        ident.Account     `json:"fund"`
	Order       ident.Order       `json:"order"`
	Application ident.Application `json:"application,omitempty"`
}

// Prepare makes a payment order, reserves its amount and lets the bank be asked whose account it is: the state Prepared. By is who makes it, usually the platform.
// The same instruction again gives the stored order; another one with the same id is fault.Conflict. A fund without
// enough money gives fault.Conflict with the code "ledger.insufficient", and nothing is kept. What the bank has paid already,
// in an act that a restoration lost (TakeUp), is not paid again: the order is Confirmed at once.
func (l *Ledger) Prepare(ctx context.Context, by journal.Actor, in Instruction) (Order, error) {
	in.PreparedBy = slices.Compact(slices.Sorted(slices.Values(in.PreparedBy)))
	if err := in.check(); err != nil {
		return Order{}, err
	}
	sealer, err := l.Vault.Open(ctx, in.Subject)
	if err != nil {
		return Order{}, err
	}
	var prepared Order
	err = l.Store.Update(ctx, act.OfAccount(in.Fund), func(tx Tx) error {
		b := newBook(tx)
		fund, err := b.account(in.Fund)
		if err != nil {
			return err
		}
		payee, known, err := b.payee(sealer, in)
		if err != nil {
			return err
		}
		wanted := Order{
			ID: in.ID, Fund: in.Fund, Application: in.Application, Payee: payee, Subject: in.Subject, Amount: in.Amount,
			Currency: fund.Currency, Remittance: in.Remittance, PreparedBy: in.PreparedBy, ByRule: in.ByRule,
			State: Prepared, Prepared: tx.Now(), Event: b.event,
		}
		stored, err := tx.PaymentOrder(in.Fund, in.ID)
		if err == nil {
			if prepared = stored; !known || !stored.same(wanted) {
				return fault.New(fault.Conflict, "order.differs", "A payment order with this id exists with another content. Give a new order a new id.").At("id")
			}
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		found, paid, err := l.foundFor(tx, in)
		if err != nil {
			return err
		}
		if paid {
			prepared, err = b.place(sealer, by, wanted, found)
			return err
		}
		_, made, err := b.transfer(Transfer{
			ID: wanted.Transfer(), Debit: in.Fund, Credit: payee, Amount: in.Amount, Reason: "payment", Reserve: true, Order: in.ID,
		})
		if err != nil {
			return err
		}
		if !made {
			return fault.New(fault.Internal, "order.transfer-alone", "The transfer of this order exists without it.")
		}
		prepared = wanted
		if err := job.Queue(tx, JobVerify, 0, OrderJob{Fund: in.Fund, Order: in.ID}); err != nil {
			return err
		}
		return b.commitOrder(sealer, by, prepared, "order.prepared", journal.Event{}, map[string]any{"amount": in.Amount})
	})
	return prepared, err
}

// same reports whether two orders instruct the same, however far they came.
func (o Order) same(other Order) bool {
	return o.ID == other.ID && o.Fund == other.Fund && o.Application == other.Application && o.Payee == other.Payee &&
		o.Subject == other.Subject && o.Amount == other.Amount && o.Remittance == other.Remittance &&
		slices.Equal(o.PreparedBy, other.PreparedBy) && o.ByRule == other.ByRule
}

// payee finds the subject's account with the creditor's details, or opens one; known says which.
func (b *book) payee(sealer *seal.Sealer, in Instruction) (id ident.Account, known bool, err error) {
	accounts, err := b.tx.PayeeAccounts(in.Fund, in.Subject)
	if err != nil {
		return "", false, err
	}
	for _, account := range accounts {
		creditor, err := account.creditor(sealer)
		if err != nil {
			return "", false, err
		}
		if creditor == in.Creditor {
			return account.ID, true, nil
		}
	}
	fund, err := b.account(in.Fund)
	if err != nil {
		return "", false, err
	}
	id = in.Fund + "/" + ident.Account(Payee) + "/" + ident.New[ident.Account](b.tx.Now())
	plain, err := json.Marshal(in.Creditor)
	if err != nil {
		return "", false, err
	}
	sealed, err := sealer.Seal(in.Subject, creditorContext(id), plain)
	if err != nil {
		return "", false, err
	}
	b.open(Account{ID: id, Kind: Payee, Agency: fund.Agency, Currency: fund.Currency, Subject: in.Subject, Sealed: sealed})
	return id, false, nil
}

func creditorContext(id ident.Account) string { return "account:" + string(id) }

// creditor unseals the details of a payee's account.
func (a Account) creditor(sealer *seal.Sealer) (creditor Creditor, err error) {
	plain, err := sealer.Unseal(a.Subject, creditorContext(a.ID), a.Sealed)
	if err != nil {
		return Creditor{}, err
	}
	return creditor, json.Unmarshal(plain, &creditor)
}

// commitOrder writes the order and the event of its act, which says to the payee what became of their payment.
func (b *book) commitOrder(sealer *seal.Sealer, by journal.Actor, order Order, what string, event journal.Event, personal map[string]any) error {
	if err := b.tx.SavePaymentOrder(order); err != nil {
		return err
	}
	event.Type, event.Actor, event.Object = what, by, "order:"+string(order.ID)
	event.Covers = append(event.Covers, order.Cover())
	if event.Parts == nil {
		event.Parts = []journal.Part{{Subject: order.Subject}}
	}
	said := map[string]any{"order": order.ID, "state": order.State}
	for name, value := range personal {
		said[name] = value
	}
	event.Parts[0].Personal = said
	// The payee's data may have been erased while the bank still works: the money is booked all the same.
	if _, err := sealer.Seal(order.Subject, "", nil); fault.Is(err, fault.Erased) {
		event.Parts = nil
	}
	return b.commit(sealer, event)
}

var (
	errFourEyes = fault.New(fault.Forbidden, "order.four-eyes", "You prepared or decided this payment. Another treasurer has to release it.")
	errOwn      = fault.New(fault.Forbidden, "order.own", "This payment goes to you or your household. Another treasurer has to release it.")
)

// Release lets a verified order be sent: the state Released. By is a treasurer of the fund's agency who neither prepared
// nor decided it, and is neither its payee nor of the payee's household. The same person releasing it again gets the
// order as it is; anybody else gets fault.Conflict.
func (l *Ledger) Release(ctx context.Context, by access.Actor, fund ident.Account, id ident.Order) (Order, error) {
	found, agency, err := l.order(ctx, fund, id)
	if err != nil {
		return Order{}, err
	}
	if by.Person == "" || by.As(nil, agency, access.Treasurer, "") != nil {
		return Order{}, access.ErrForbidden
	}
	if l.Related != nil {
		related, err := l.Related(ctx, by.Person, found.Subject)
		if err != nil {
			return Order{}, err
		}
		if related {
			return Order{}, errOwn
		}
	}
	return l.advance(ctx, by.Journal(), found, func(b *book, order *Order) (string, error) {
		switch {
		case slices.Contains(order.PreparedBy, by.Person):
			return "", errFourEyes
		case order.Subject == by.Person.Subject():
			return "", errOwn
		case order.State == Prepared:
			return "", errNotVerified
		case order.State != Verified && order.ReleasedBy == by.Person:
			return "", nil
		case order.State != Verified:
			return "", orderMoved(*order)
		}
		order.State, order.ReleasedBy, order.Released = Released, by.Person, b.tx.Now()
		return "order.released", job.Queue(b.tx, JobSend, 0, OrderJob{Fund: fund, Order: id})
	})
}

// Refuse ends a prepared or verified order unpaid: the state Rejected, its amount free again. By is a treasurer of the fund's agency,
// or the platform when the grant was withdrawn. The reason is a name ("wrong-amount"), never about a person.
func (l *Ledger) Refuse(ctx context.Context, by access.Actor, fund ident.Account, id ident.Order, reason string) (Order, error) {
	found, agency, err := l.order(ctx, fund, id)
	if err != nil {
		return Order{}, err
	}
	if err := mayKeep(by, agency); err != nil {
		return Order{}, err
	}
	if !ident.IsName(reason) {
		return Order{}, fault.New(fault.Invalid, "order.reason", "The reason is a name: lower-case Latin words joined by hyphens.").At("reason")
	}
	return l.advance(ctx, by.Journal(), found, func(b *book, order *Order) (string, error) {
		switch {
		case order.State == Rejected && order.Reason == reason:
			return "", nil
		case order.State != Prepared && order.State != Verified:
			return "", orderMoved(*order)
		}
		return b.end(order, Rejected, reason)
	})
}

// end posts or voids the order's transfer and queues the news for the application.
func (b *book) end(order *Order, state OrderState, reason string) (what string, err error) {
	transfer, err := b.tx.LedgerTransfer(order.Fund, order.Transfer())
	if err != nil {
		return "", err
	}
	into := Posted
	if state == Rejected {
		into = Voided
	}
	if _, err := b.settle(transfer, into); err != nil {
		return "", err
	}
	order.State, order.Reason, order.Settled = state, reason, b.tx.Now()
	if order.Application != "" {
		if err := job.Queue(b.tx, JobSettled, 0, OrderJob{Fund: order.Fund, Order: order.ID, Application: order.Application}); err != nil {
			return "", err
		}
	}
	return "order." + string(state), nil
}

func orderMoved(order Order) error {
	return fault.Newf(fault.Conflict, "order.moved", "This payment order is %s already. Look at it again.", order.State).With("state", string(order.State))
}

// order reads an order and the agency of its fund, outside any act.
func (l *Ledger) order(ctx context.Context, fund ident.Account, id ident.Order) (found Order, agency ident.Agency, err error) {
	err = l.Store.View(ctx, func(tx Reader) error {
		account, err := tx.LedgerAccount(fund)
		if err != nil {
			return err
		}
		agency = account.Agency
		found, err = tx.PaymentOrder(fund, id)
		return err
	})
	return found, agency, err
}

// advance runs one act on an order. Step changes the order and returns the type of the event, or "" if there is nothing
// to do.
func (l *Ledger) advance(ctx context.Context, by journal.Actor, found Order, step func(*book, *Order) (string, error)) (Order, error) {
	sealer, err := l.Vault.Open(ctx, found.Subject)
	if err != nil {
		return Order{}, err
	}
	var order Order
	err = l.Store.Update(ctx, act.OfAccount(found.Fund), func(tx Tx) error {
		b := newBook(tx)
		var err error
		if order, err = tx.PaymentOrder(found.Fund, found.ID); err != nil {
			return err
		}
		what, err := step(b, &order)
		if err != nil || what == "" {
			return err
		}
		order.Event = b.event
		return b.commitOrder(sealer, by, order, what, journal.Event{}, nil)
	})
	return order, err
}
