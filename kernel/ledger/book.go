package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/seal"
)

// Ledger keeps the books. It is safe for concurrent use.
//
// Who keeps a fund's book is a treasurer of the fund's agency; an actor without a person is the platform itself.
type Ledger struct {
	Store act.Store[Reader, Tx]
	Vault *seal.Vault
	// Related tells whether a person belongs to a payee's household, as the responsible register says. Nil: only the
	// payee in person is barred from releasing.
	Related func(ctx context.Context, person ident.Person, payee ident.Subject) (bool, error)
	// Key is the key of digests over account numbers.
	Key []byte
}

// OpenFund opens the book of an agency's fund, "fund:<name>", in the currency (ISO 4217), with its accounts of the
// outside and of suspense. Opening it again with the same content gives the stored account.
func (l *Ledger) OpenFund(ctx context.Context, by access.Actor, fund ident.Account, agency ident.Agency, currency string) (Account, error) {
	name, ok := strings.CutPrefix(string(fund), "fund:")
	if !ok || !ident.IsName(name) || !ident.IsName(string(agency)) {
		return Account{}, fault.New(fault.Invalid, "ledger.fund-malformed", "A fund is named fund:…, in lower-case Latin words joined by hyphens, and belongs to an agency.")
	}
	if err := (money.Currency{Code: currency}).Check(); err != nil {
		return Account{}, err
	}
	if err := mayKeep(by, agency); err != nil {
		return Account{}, err
	}
	var opened Account
	err := l.Store.Update(ctx, act.OfAccount(fund), func(tx Tx) error {
		stored, err := tx.LedgerAccount(fund)
		if err == nil {
			if opened = stored; stored.Agency != agency || stored.Currency != currency {
				return fault.New(fault.Conflict, "ledger.fund-exists", "A fund of this name exists with another agency or currency. Choose another name.")
			}
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		b := newBook(tx)
		opened = b.open(Account{ID: fund, Kind: Fund, Agency: agency, Currency: currency})
		b.open(Account{ID: OutsideOf(fund), Kind: Outside, Agency: agency, Currency: currency, Overdraft: true})
		b.open(Account{ID: SuspenseOf(fund), Kind: Suspense, Agency: agency, Currency: currency})
		return b.commit(nil, journal.Event{Type: "ledger.fund-opened", Actor: by.Journal(), Object: string(fund)})
	})
	return opened, err
}

// Transfer moves money inside one book: ID, Debit, Credit, Amount, Reason and Reserve say what. To payees money goes by
// orders only.
func (l *Ledger) Transfer(ctx context.Context, by access.Actor, wanted Transfer) (Transfer, error) {
	if _, err := ident.Parse[ident.Transfer](string(wanted.ID)); err != nil {
		return Transfer{}, fault.Of(err).At("id")
	}
	if !ident.IsName(wanted.Reason) {
		return Transfer{}, fault.New(fault.Invalid, "ledger.reason-malformed", "The reason of a transfer is a name: lower-case Latin words joined by hyphens.").At("reason")
	}
	wanted.Order = ""
	var done Transfer
	err := l.Store.Update(ctx, KeyOf(wanted.Debit), func(tx Tx) error {
		b := newBook(tx)
		fund, err := b.account(FundOf(wanted.Debit))
		if err != nil {
			return err
		}
		if err := mayKeep(by, fund.Agency); err != nil {
			return err
		}
		var made bool
		if done, made, err = b.transfer(wanted); err != nil || !made {
			return err
		}
		for _, id := range []ident.Account{wanted.Debit, wanted.Credit} {
			if b.accounts[id].Kind == Payee {
				return fault.New(fault.Forbidden, "ledger.payee-by-order", "Money goes to a payee by a payment order that a second person releases.")
			}
		}
		return b.commit(nil, journal.Event{Type: "ledger." + string(done.State), Actor: by.Journal(), Object: "transfer:" + string(done.ID)})
	})
	return done, err
}

// Appropriate books money that the state budget has put at the disposal of a fund. The same id with the same content gives
// the stored transfer. It only says what the fund's bank account holds: what is paid out of it goes by orders that a second
// person releases, and the bank pays no more than there is.
func (l *Ledger) Appropriate(ctx context.Context, by access.Actor, fund ident.Account, id ident.Transfer, amount money.Amount) (Transfer, error) {
	return l.Transfer(ctx, by, Transfer{ID: id, Debit: OutsideOf(fund), Credit: fund, Amount: amount, Reason: "appropriation"})
}

// Settle posts or voids a pending transfer of the fund's book. A transfer that is there already is given back; one that
// went the other way is fault.Conflict. An order's transfer is settled by its order only.
func (l *Ledger) Settle(ctx context.Context, by access.Actor, fund ident.Account, id ident.Transfer, into TransferState) (Transfer, error) {
	var done Transfer
	err := l.Store.Update(ctx, act.OfAccount(fund), func(tx Tx) error {
		b := newBook(tx)
		account, err := b.account(fund)
		if err != nil {
			return err
		}
		if err := mayKeep(by, account.Agency); err != nil {
			return err
		}
		if done, err = tx.LedgerTransfer(fund, id); err != nil {
			return err
		}
		if done.Order != "" {
			return fault.New(fault.Forbidden, "ledger.transfer-of-order", "This transfer belongs to a payment order and is settled with it.")
		}
		if done.State == into {
			return nil
		}
		if done, err = b.settle(done, into); err != nil {
			return err
		}
		return b.commit(nil, journal.Event{Type: "ledger." + string(into), Actor: by.Journal(), Object: "transfer:" + string(id)})
	})
	return done, err
}

// mayKeep checks that the actor is the platform or a treasurer of the agency.
func mayKeep(by access.Actor, agency ident.Agency) error {
	if by.Person == "" {
		return nil
	}
	return by.As(nil, agency, access.Treasurer, "")
}

// book is what one act does to the accounts of one fund. It reads each account once, computes in memory and writes
// everything at the end, so that the event covers each row in its final form.
type book struct {
	tx       Tx
	event    ident.Event
	accounts map[ident.Account]*Account
	had      map[ident.Account]int64 // entries when it was read; -1: new
	covers   []journal.Cover
}

func newBook(tx Tx) *book {
	return &book{tx: tx, event: journal.NewID(tx), accounts: map[ident.Account]*Account{}, had: map[ident.Account]int64{}}
}

func (b *book) account(id ident.Account) (*Account, error) {
	if account, ok := b.accounts[id]; ok {
		return account, nil
	}
	if KeyOf(id) != b.tx.Key() {
		return nil, fault.New(fault.Invalid, "ledger.other-fund", "Both accounts of a transfer stand in the book of one fund. Money between funds leaves one book and enters the other.")
	}
	account, err := b.tx.LedgerAccount(id)
	if err != nil {
		return nil, err
	}
	b.accounts[id], b.had[id] = &account, account.Entries
	return &account, nil
}

func (b *book) open(account Account) Account {
	account.Event = b.event
	b.accounts[account.ID], b.had[account.ID] = &account, -1
	return account
}

// transfer makes a transfer, or gives the stored one back with made false.
func (b *book) transfer(wanted Transfer) (done Transfer, made bool, err error) {
	if wanted.Amount <= 0 {
		return Transfer{}, false, fault.New(fault.Invalid, "ledger.amount", "The amount of a transfer is above zero. Turn the accounts round to move it back.").At("amount")
	}
	if wanted.Debit == wanted.Credit {
		return Transfer{}, false, fault.New(fault.Invalid, "ledger.same-account", "A transfer is between two accounts.").At("credit")
	}
	debit, err := b.account(wanted.Debit)
	if err != nil {
		return Transfer{}, false, err
	}
	credit, err := b.account(wanted.Credit)
	if err != nil {
		return Transfer{}, false, err
	}
	if debit.Currency != credit.Currency {
		return Transfer{}, false, fault.New(fault.Invalid, "ledger.currency", "Both accounts of a transfer are in one currency.").At("credit")
	}
	stored, err := b.tx.LedgerTransfer(FundOf(wanted.Debit), wanted.ID)
	if err == nil {
		if !stored.same(wanted) {
			return Transfer{}, false, fault.New(fault.Conflict, "ledger.transfer-differs", "A transfer with this id exists with another content. Give a new transfer a new id.").At("id")
		}
		return stored, false, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return Transfer{}, false, err
	}
	done = wanted
	done.Made, done.Event = b.tx.Now(), b.event
	amount := done.Amount
	if done.Reserve {
		done.State = Pending
		err = b.enter(done, Balance{PendingDebits: amount}, Balance{PendingCredits: amount})
	} else {
		done.State, done.Settled = Posted, done.Made
		err = b.enter(done, Balance{Posted: -amount}, Balance{Posted: amount})
	}
	if err != nil {
		return Transfer{}, false, err
	}
	return done, true, b.saveTransfer(done)
}

// settle posts or voids a pending transfer.
func (b *book) settle(t Transfer, into TransferState) (Transfer, error) {
	if t.State != Pending {
		return Transfer{}, fault.Newf(fault.Conflict, "ledger.transfer-settled", "This transfer is %s already.", t.State).With("state", string(t.State))
	}
	var err error
	switch into {
	case Posted:
		err = b.enter(t, Balance{Posted: -t.Amount, PendingDebits: -t.Amount}, Balance{Posted: t.Amount, PendingCredits: -t.Amount})
	case Voided:
		err = b.enter(t, Balance{PendingDebits: -t.Amount}, Balance{PendingCredits: -t.Amount})
	default:
		err = fault.New(fault.Invalid, "ledger.state", "A pending transfer is posted or voided.").At("state")
	}
	if err != nil {
		return Transfer{}, err
	}
	t.State, t.Settled, t.Event = into, b.tx.Now(), b.event
	return t, b.saveTransfer(t)
}

func (b *book) saveTransfer(t Transfer) error {
	b.covers = append(b.covers, t.Cover())
	return b.tx.SaveLedgerTransfer(t)
}

// enter writes the two entries of one step of a transfer.
func (b *book) enter(t Transfer, debited, credited Balance) error {
	for _, side := range []struct {
		account ident.Account
		change  Balance
	}{{t.Debit, debited}, {t.Credit, credited}} {
		account, err := b.account(side.account)
		if err != nil {
			return err
		}
		before := account.Balance.Available()
		if account.Balance, err = account.Balance.Add(side.change); err != nil {
			return err
		}
		if after := account.Balance.Available(); after < before && after < 0 && !account.Overdraft {
			return fault.New(fault.Conflict, "ledger.insufficient", "There is not enough money in the account. Nothing was moved; put money in, then try again.")
		}
		account.Entries++
		entry := Entry{Account: account.ID, Number: account.Entries, Transfer: t.ID, Change: side.change, At: b.tx.Now(), Event: b.event}
		if err := b.tx.AppendLedgerEntry(entry); err != nil {
			return err
		}
		b.covers = append(b.covers, entry.Cover())
	}
	return nil
}

// commit writes the accounts that changed and the event.
func (b *book) commit(sealer *seal.Sealer, event journal.Event) error {
	for _, id := range sorted(b.accounts) {
		account := b.accounts[id]
		if account.Entries == b.had[id] {
			continue
		}
		account.Event = b.event
		if err := b.tx.SaveLedgerAccount(*account, b.had[id]); err != nil {
			return err
		}
		b.covers = append(b.covers, account.Cover())
	}
	event.Covers = append(b.covers, event.Covers...)
	return journal.AppendAs(b.tx, sealer, b.event, event)
}

func sorted(accounts map[ident.Account]*Account) []ident.Account {
	ids := make([]ident.Account, 0, len(accounts))
	for id := range accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func entryRow(account ident.Account, number int64) string {
	return fmt.Sprintf("ledger-entry/%s/%d", account, number)
}
