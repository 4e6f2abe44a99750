// Package ledger owns the money: double entry in minor units, and the payment orders that move it to people.
//
// Every fund keeps a book of its own: the fund's account, where its money comes from (outside), what nobody can place
// yet (suspense), and one account for each payee's bank account. A transfer debits one account and credits another of
// the same book, so that each book balances by itself and an act that moves money locks one key, the fund's
// (docs/adr/0004). Money between two funds leaves one book and enters the other in two acts.
//
// A transfer is posted at once, or it is pending first: it then reserves the amount until it is posted or voided. Ids
// are made by whoever asks: the same id with the same content gives the stored answer, with another content
// fault.Conflict.
//
// It hands out Ledger (books, transfers), Orders in the life of Order, Sender (the handlers that ask a Bank whose account
// it is and carry an order to it), and Check (the auditor's question whether a book is right).
//
// Invariants, of every book at every commit:
//   - the posted balances of its accounts sum to zero, and as much is pending on the debit as on the credit side;
//   - the balance of an account is the sum of its entries, which are numbered without a gap and never changed;
//   - an account that may not be overdrawn never has less posted than its pending debits;
//   - an order is released only after the bank has confirmed that the account is the payee's;
//   - an order is released by a person who neither prepared nor decided it and is not its payee;
//   - an order moves its money once, whatever fails and however often it is tried;
//   - what a bank has paid and a restoration lost stands in the book before anything else is paid (TakeUp).
package ledger

import (
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
)

// AccountKind says what an account stands for.
type AccountKind string

// The kinds of account.
const (
	Fund     AccountKind = "fund"     // money that may be spent: "fund:youth-fund"
	Outside  AccountKind = "outside"  // the world that gives to the fund: "fund:youth-fund/outside"; negative by nature
	Suspense AccountKind = "suspense" // money that nobody can place yet: "fund:youth-fund/suspense"
	Payee    AccountKind = "payee"    // what was paid to one bank account: "fund:youth-fund/payee/<id>"
)

// FundOf returns the fund in whose book an account stands.
func FundOf(account ident.Account) ident.Account {
	fund, _, _ := strings.Cut(string(account), "/")
	return ident.Account(fund)
}

// KeyOf returns the key of an account's book.
func KeyOf(account ident.Account) act.Key { return act.OfAccount(FundOf(account)) }

// OutsideOf returns the fund's account of the world outside.
func OutsideOf(fund ident.Account) ident.Account { return fund + "/" + ident.Account(Outside) }

// SuspenseOf returns the fund's account of what cannot be placed.
func SuspenseOf(fund ident.Account) ident.Account { return fund + "/" + ident.Account(Suspense) }

// Balance is what an account holds, or how an entry changes it: credits count up, debits down.
type Balance struct {
	Posted         money.Amount // credits less debits
	PendingDebits  money.Amount // reserved to leave: not below zero in an account
	PendingCredits money.Amount // announced to come: not below zero in an account
}

// Available returns what may still be debited: what is posted less what is reserved.
func (b Balance) Available() money.Amount { return b.Posted - b.PendingDebits }

// Add returns the sum, or an error if it does not fit.
func (b Balance) Add(change Balance) (sum Balance, err error) {
	if sum.Posted, err = b.Posted.Add(change.Posted); err != nil {
		return Balance{}, err
	}
	if sum.PendingDebits, err = b.PendingDebits.Add(change.PendingDebits); err != nil {
		return Balance{}, err
	}
	if sum.PendingCredits, err = b.PendingCredits.Add(change.PendingCredits); err != nil {
		return Balance{}, err
	}
	_, err = sum.Posted.Sub(sum.PendingDebits) // so that Available fits
	return sum, err
}

// Account is one account of a fund's book.
type Account struct {
	ID        ident.Account
	Kind      AccountKind
	Agency    ident.Agency  // the fund's owner
	Currency  string        // ISO 4217, the same in the whole book
	Overdraft bool          // may be debited below zero
	Subject   ident.Subject // the payee, or ""
	Sealed    []byte        // the payee's Creditor as JSON, sealed with the context "account:<id>"; nil if no payee
	Balance   Balance
	Entries   int64       // how many entries it has: the number of the last
	Event     ident.Event // the journal's event that last wrote it
}

// Entry is one line of an account: how a transfer changed it. An entry is never changed.
type Entry struct {
	Account  ident.Account
	Number   int64 // from 1, without a gap
	Transfer ident.Transfer
	Change   Balance
	At       time.Time
	Event    ident.Event
}

// TransferState is where a transfer is in its life.
type TransferState string

// The states: pending → posted | voided; a transfer in one step is posted from its birth.
const (
	Pending TransferState = "pending"
	Posted  TransferState = "posted"
	Voided  TransferState = "voided"
)

// Transfer is one movement from the debited account to the credited one, of the same book and currency.
type Transfer struct {
	ID      ident.Transfer
	Debit   ident.Account
	Credit  ident.Account
	Amount  money.Amount // above zero
	Reason  string       // a name of a kind of movement: "appropriation", "payment"; never about a person
	Reserve bool         // in two steps: pending first
	Order   ident.Order  // whose payment it is, or ""
	State   TransferState
	Made    time.Time
	Settled time.Time // when it was posted or voided, zero while it is pending
	Event   ident.Event
}

// same reports whether two transfers ask for the same, however far they came.
func (t Transfer) same(other Transfer) bool {
	return t.ID == other.ID && t.Debit == other.Debit && t.Credit == other.Credit && t.Amount == other.Amount &&
		t.Reason == other.Reason && t.Reserve == other.Reserve && t.Order == other.Order
}

// Reader is what the ledger needs for reading.
type Reader interface {
	// Funds returns the accounts of all funds, by id.
	Funds() ([]Account, error)
	// LedgerAccount returns an account, or fault.NotFound.
	LedgerAccount(id ident.Account) (Account, error)
	// LedgerAccounts returns the accounts of a fund's book by id, those after the given one ("" : from the first), at
	// most limit.
	LedgerAccounts(fund, after ident.Account, limit int) ([]Account, error)
	// PayeeAccounts returns the subject's accounts in the fund's book, by id.
	PayeeAccounts(fund ident.Account, subject ident.Subject) ([]Account, error)
	// LedgerEntries returns an account's entries in order, those after the number, at most limit.
	LedgerEntries(account ident.Account, after int64, limit int) ([]Entry, error)
	// LedgerTransfer returns a transfer in the fund's book, or fault.NotFound.
	LedgerTransfer(fund ident.Account, id ident.Transfer) (Transfer, error)
	// PaymentOrder returns an order on the fund, or fault.NotFound.
	PaymentOrder(fund ident.Account, id ident.Order) (Order, error)
	// PaymentOrders returns the fund's orders in the state, oldest first, those after the given one ("" : from the
	// first), at most limit.
	PaymentOrders(fund ident.Account, state OrderState, after ident.Order, limit int) ([]Order, error)
	// FoundPayment returns a payment of the fund that was found at the bank, or fault.NotFound.
	FoundPayment(fund ident.Account, id ident.Order) (Found, error)
	// OpenFoundPayment returns the first one with the digest that no order has taken for its own, or fault.NotFound.
	OpenFoundPayment(fund ident.Account, digest []byte) (Found, error)
	// UnreplacedOrders returns the fund's orders that the bank did not take (Order.RejectedByBank) and that no later order of
	// the same application replaced, newest first, at most limit.
	UnreplacedOrders(fund ident.Account, limit int) ([]Order, error)
}

// Tx is what the ledger needs of an act. Its key is the fund's (KeyOf), which the store locked before anything is read:
// balances are read, computed and written under that lock, never in one statement that relies on an isolation level.
type Tx interface {
	journal.Tx
	job.Tx
	Reader
	// SaveLedgerAccount stores an account that had the given number of entries when it was read, or -1 for a new one. If
	// that is no longer so, fault.Conflict with the code "ledger.moved": a broken lock loses no money.
	SaveLedgerAccount(account Account, had int64) error
	// AppendLedgerEntry stores a new entry.
	AppendLedgerEntry(entry Entry) error
	// SaveLedgerTransfer stores a new or settled transfer.
	SaveLedgerTransfer(transfer Transfer) error
	// SavePaymentOrder stores a new or changed order.
	SavePaymentOrder(order Order) error
	// SaveFoundPayment stores a new or placed payment.
	SaveFoundPayment(found Found) error
}

// ErrMoved is what saving an account gives that has changed since it was read.
var ErrMoved = fault.New(fault.Conflict, "ledger.moved", "The account has changed in the meantime. Try again.")

// ErrUnknownAccount is what looking for an account that is not there gives.
var ErrUnknownAccount = fault.New(fault.NotFound, "ledger.account-unknown", "There is no such account. Check its name.")

// ErrUnknownTransfer is what looking for a transfer that is not there gives.
var ErrUnknownTransfer = fault.New(fault.NotFound, "ledger.transfer-unknown", "There is no such transfer in this fund's book.")

// ErrUnknownOrder is what looking for an order that is not there gives.
var ErrUnknownOrder = fault.New(fault.NotFound, "order.unknown", "There is no such payment order on this fund.")

// Cover returns what an event says of the account.
func (a Account) Cover() journal.Cover {
	a.Event = ""
	return journal.Cover{Row: "ledger-account/" + string(a.ID), Digest: journal.Digest(a)}
}

// Cover returns what an event says of the entry.
func (e Entry) Cover() journal.Cover {
	e.Event, e.At = "", e.At.UTC()
	return journal.Cover{Row: entryRow(e.Account, e.Number), Digest: journal.Digest(e)}
}

// Cover returns what an event says of the transfer.
func (t Transfer) Cover() journal.Cover {
	t.Event, t.Made, t.Settled = "", t.Made.UTC(), t.Settled.UTC()
	return journal.Cover{Row: "ledger-transfer/" + string(t.ID), Digest: journal.Digest(t)}
}
