// Package bank owns a simulated bank: what the demo pays with, and what tests put between the ledger and its failures.
//
// It behaves as ledger.Bank promises: what it accepted it keeps in a file, durably, before it answers; an id is taken
// once, and a duplicate is answered like the first. It can be slow, fail before or after it accepted, reject, forget to
// answer, and report a payment as under way until some time has passed. In its file stand amounts, digests and what payments are
// for, no names and no account numbers.
//
// It knows the accounts that it is given, and their holders: a payment to one that is unknown or closed is rejected. Asked
// whose account it is, it tells the holder by the national number if both sides know one, else by the whole name, as
// written but for case and spacing: a name that is merely similar is another holder.
package bank

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
)

// Moment is where in a call a Fault strikes.
type Moment string

// The moments.
const (
	BeforeAccepting Moment = "before-accepting" // nothing of the message is known to the bank
	AfterAccepting  Moment = "after-accepting"  // the bank keeps the message, its answer is lost
	BeforeTelling   Moment = "before-telling"   // asked for a state, the bank does not answer
	BeforeVerifying Moment = "before-verifying" // asked whose account it is, the bank does not answer
)

// Account is one account that the bank keeps.
type Account struct {
	Holder         string // their name
	NationalNumber string // of a person, or "" where the bank knows none
	Closed         bool
}

// Bank is a simulated bank. Its fields are set before the first call. It is safe for concurrent use.
type Bank struct {
	Clock act.Clock // required
	// Accounts are what the bank keeps, by number. It knows no others; OpenAccounts adds some later.
	Accounts map[string]Account
	// SettleAfter is how long an accepted payment is in process before it is completed; zero: it is completed at once.
	SettleAfter time.Duration
	// Reject returns a reason (ExternalStatusReason1Code) to reject a new message with, or "" to accept it. Nil accepts
	// all.
	Reject func(ledger.CreditTransfer) string
	// RefuseDuplicates makes a second message with a known id a rejection with ledger.Duplicate, instead of the first
	// answer again.
	RefuseDuplicates bool
	// Fault is called at each moment of each call; an error of it is what the caller gets. It may wait, to be slow. Nil
	// never fails.
	Fault func(context.Context, Moment, ledger.EndToEndID) error

	file *os.File // nil: memory only

	mu   sync.Mutex
	size int64                         // of the file's whole lines, guarded by mu
	kept map[ledger.EndToEndID]payment // guarded by mu
	sent map[ledger.EndToEndID]int     // how many messages came in, guarded by mu
}

// payment is what the bank keeps of a message.
type payment struct {
	ID       ledger.EndToEndID `json:"id"`
	Amount   money.Amount      `json:"amount"`
	Content  []byte            `json:"content"` // SHA-256 of the message
	Reason   string            `json:"reason,omitempty"`
	Accepted time.Time         `json:"accepted"`
	// What a statement says. The account's number stands here as its digest.
	Debtor     ident.Account `json:"debtor,omitempty"`
	Account    []byte        `json:"account,omitempty"`
	Remittance string        `json:"remittance,omitempty"`
}

// New returns a bank that keeps what it accepts in memory.
func New(clock act.Clock) *Bank {
	return &Bank{Clock: clock, kept: map[ledger.EndToEndID]payment{}, sent: map[ledger.EndToEndID]int{}}
}

// Open returns a bank that keeps what it accepts in the file, one JSON object on each line. A last line that was cut
// off by a crash, at its end or in the middle (a disk leaves zeros where it wrote nothing), was never answered for, and is
// removed. Any other line that is no payment is an error, which names it and says what to do.
func Open(path string, clock act.Clock) (*Bank, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	b := New(clock)
	if err := b.load(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	b.file = file
	return b, nil
}

func (b *Bank) load(file *os.File) error {
	reader := bufio.NewReader(file)
	whole := int64(0)
	for number := 1; ; number++ {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if _, err := reader.Peek(1); errors.Is(err, io.EOF) && bytes.IndexByte(line, 0) >= 0 {
			break
		}
		var p payment
		if json.Unmarshal(line, &p) != nil || p.ID == "" {
			return fmt.Errorf("%s:%d: this line of the simulated bank is no payment, and everything after it would be lost: "+
				"put the file back from its backup; if there is none, move it away and keep it, and settle the orders of that time by hand",
				file.Name(), number)
		}
		b.kept[p.ID] = p
		whole += int64(len(line))
	}
	if err := file.Truncate(whole); err != nil {
		return err
	}
	b.size = whole
	_, err := file.Seek(whole, io.SeekStart)
	return err
}

// Close closes the bank's file.
func (b *Bank) Close() error {
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}

// Send implements ledger.Bank.
func (b *Bank) Send(ctx context.Context, message ledger.CreditTransfer) (ledger.Report, error) {
	if err := b.fault(ctx, BeforeAccepting, message.EndToEndID); err != nil {
		return ledger.Report{}, err
	}
	report, err := b.accept(message)
	if err != nil {
		return ledger.Report{}, err
	}
	if err := b.fault(ctx, AfterAccepting, message.EndToEndID); err != nil {
		return ledger.Report{}, err
	}
	return report, nil
}

func (b *Bank) accept(message ledger.CreditTransfer) (ledger.Report, error) {
	encoded, err := json.Marshal(message)
	if err != nil {
		return ledger.Report{}, err
	}
	content := sha256.Sum256(encoded)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent[message.EndToEndID]++
	if known, ok := b.kept[message.EndToEndID]; ok {
		if b.RefuseDuplicates || !bytes.Equal(known.Content, content[:]) {
			return ledger.Report{EndToEndID: message.EndToEndID, Status: ledger.RejectedByBank, Reason: ledger.Duplicate}, nil
		}
		return b.report(known), nil
	}
	p := payment{
		ID: message.EndToEndID, Amount: message.InstructedAmount, Content: content[:], Accepted: b.Clock(),
		Debtor: message.Debtor, Account: digest(message.Creditor.Account), Remittance: message.RemittanceInformation,
	}
	if p.Reason = b.unusable(message.Creditor.Account); p.Reason == "" && b.Reject != nil {
		p.Reason = b.Reject(message)
	}
	if err := b.keep(p); err != nil {
		return ledger.Report{}, err
	}
	return b.report(p), nil
}

// OpenAccounts lets the bank keep more accounts. It may be called at any time.
func (b *Bank) OpenAccounts(more map[string]Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Accounts == nil {
		b.Accounts = map[string]Account{}
	}
	maps.Copy(b.Accounts, more)
}

// unusable says why nothing can be paid to an account, or "". The caller holds mu.
func (b *Bank) unusable(number string) (reason string) {
	account, known := b.Accounts[number]
	switch {
	case !known:
		return ledger.IncorrectAccount
	case account.Closed:
		return ledger.ClosedAccount
	}
	return ""
}

// Verify implements ledger.Bank.
func (b *Bank) Verify(ctx context.Context, request ledger.IdentificationVerificationRequest) (ledger.IdentificationVerificationReport, error) {
	if err := b.fault(ctx, BeforeVerifying, request.Identification); err != nil {
		return ledger.IdentificationVerificationReport{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	report := ledger.IdentificationVerificationReport{OriginalIdentification: request.Identification}
	report.Reason = b.unusable(request.Creditor.Account)
	if report.Reason == "" && !b.Accounts[request.Creditor.Account].isOf(request) {
		report.Reason = ledger.OtherHolder
	}
	report.Verification = report.Reason == ""
	return report, nil
}

func (a Account) isOf(request ledger.IdentificationVerificationRequest) bool {
	if a.NationalNumber != "" && request.NationalNumber != "" {
		return a.NationalNumber == request.NationalNumber
	}
	written := func(name string) string { return strings.Join(strings.Fields(name), " ") }
	return written(a.Holder) != "" && strings.EqualFold(written(a.Holder), written(request.Creditor.Name))
}

// keep stores a payment durably. The caller holds mu.
func (b *Bank) keep(p payment) error {
	if b.file != nil {
		line, err := json.Marshal(p)
		if err != nil {
			return err
		}
		line = append(line, '\n')
		// Written where the last whole line ends: what a full disk left of an earlier one, which was never answered for,
		// is written over and not read as a second payment.
		_, err = b.file.WriteAt(line, b.size)
		if err == nil {
			err = b.file.Sync()
		}
		if err != nil {
			return errors.Join(err, b.file.Truncate(b.size))
		}
		b.size += int64(len(line))
	}
	b.kept[p.ID] = p
	return nil
}

// report says what became of a payment.
func (b *Bank) report(p payment) ledger.Report {
	report := ledger.Report{EndToEndID: p.ID, Status: ledger.Completed, InstructedAmount: p.Amount}
	switch {
	case p.Reason != "":
		report.Status, report.Reason = ledger.RejectedByBank, p.Reason
	case b.Clock().Before(p.Accepted.Add(b.SettleAfter)):
		report.Status = ledger.InProcess
	}
	return report
}

// State implements ledger.Bank.
func (b *Bank) State(ctx context.Context, id ledger.EndToEndID) (ledger.Report, error) {
	if err := b.fault(ctx, BeforeTelling, id); err != nil {
		return ledger.Report{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.kept[id]
	if !ok {
		return ledger.Report{EndToEndID: id, Status: ledger.NotFound}, nil
	}
	return b.report(known), nil
}

func digest(account string) []byte {
	sum := sha256.Sum256([]byte(account))
	return sum[:]
}

// Statement implements ledger.Bank. A number is told of accounts that the bank still keeps.
func (b *Bank) Statement(ctx context.Context, since time.Time) ([]ledger.Executed, error) {
	if err := b.fault(ctx, BeforeTelling, ""); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	numbers := map[string]string{}
	for number := range b.Accounts {
		numbers[string(digest(number))] = number
	}
	var statement []ledger.Executed
	for _, p := range b.kept {
		if p.Reason == "" && !p.Accepted.Before(since) {
			statement = append(statement, ledger.Executed{
				EndToEndID: p.ID, Debtor: p.Debtor, CreditorAccount: numbers[string(p.Account)], Amount: p.Amount,
				RemittanceInformation: p.Remittance, Taken: p.Accepted,
			})
		}
	}
	slices.SortFunc(statement, func(one, other ledger.Executed) int {
		return cmp.Or(one.Taken.Compare(other.Taken), cmp.Compare(one.EndToEndID, other.EndToEndID))
	})
	return statement, nil
}

func (b *Bank) fault(ctx context.Context, moment Moment, id ledger.EndToEndID) error {
	if b.Fault == nil {
		return ctx.Err()
	}
	return b.Fault(ctx, moment, id)
}

// Paid returns what the bank has paid and will pay, by id: an id that it rejected is not there.
func (b *Bank) Paid() map[ledger.EndToEndID]money.Amount {
	b.mu.Lock()
	defer b.mu.Unlock()
	paid := map[ledger.EndToEndID]money.Amount{}
	for id, p := range b.kept {
		if p.Reason == "" {
			paid[id] = p.Amount
		}
	}
	return paid
}

// Messages returns how many messages with the id came in, duplicates included.
func (b *Bank) Messages(id ledger.EndToEndID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent[id]
}
