package query

import (
	"encoding/json"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
)

var _ ledger.Tx = (*Tx)(nil)

const accountColumns = `id, kind, agency, currency, overdraft, subject, sealed, posted, pending_debits, pending_credits, entries, event`

func scanAccount(scan func(into ...any) error) (a ledger.Account, err error) {
	err = scan(&a.ID, &a.Kind, &a.Agency, &a.Currency, boolean{&a.Overdraft}, &a.Subject, &a.Sealed,
		&a.Balance.Posted, &a.Balance.PendingDebits, &a.Balance.PendingCredits, &a.Entries, &a.Event)
	return a, err
}

// Funds implements ledger.Reader.
func (t *Tx) Funds() ([]ledger.Account, error) {
	return list(t, `SELECT `+accountColumns+` FROM ledger_account WHERE kind = 'fund' ORDER BY id`, nil, scanAccount)
}

// LedgerAccount implements ledger.Reader.
func (t *Tx) LedgerAccount(id ident.Account) (ledger.Account, error) {
	return first(t, ledger.ErrUnknownAccount, `SELECT `+accountColumns+` FROM ledger_account WHERE key = $1 AND id = $2`,
		args(ledger.KeyOf(id), id), scanAccount)
}

// LedgerAccounts implements ledger.Reader.
func (t *Tx) LedgerAccounts(fund, after ident.Account, limit int) ([]ledger.Account, error) {
	return list(t, `SELECT `+accountColumns+` FROM ledger_account WHERE key = $1 AND id > $2 ORDER BY id LIMIT $3`,
		args(ledger.KeyOf(fund), after, limit), scanAccount)
}

// PayeeAccounts implements ledger.Reader.
func (t *Tx) PayeeAccounts(fund ident.Account, subject ident.Subject) ([]ledger.Account, error) {
	return list(t, `SELECT `+accountColumns+` FROM ledger_account WHERE key = $1 AND subject = $2 AND subject <> '' ORDER BY id`,
		args(ledger.KeyOf(fund), subject), scanAccount)
}

// SaveLedgerAccount implements ledger.Tx.
func (t *Tx) SaveLedgerAccount(a ledger.Account, had int64) error {
	key := ledger.KeyOf(a.ID)
	if had < 0 {
		return t.sendOne(ledger.ErrMoved, `INSERT INTO ledger_account (key, `+accountColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (key, id) DO NOTHING`,
			key, a.ID, a.Kind, a.Agency, a.Currency, flag(a.Overdraft), a.Subject, a.Sealed,
			a.Balance.Posted, a.Balance.PendingDebits, a.Balance.PendingCredits, a.Entries, a.Event)
	}
	return t.sendOne(ledger.ErrMoved, `UPDATE ledger_account SET posted = $3, pending_debits = $4, pending_credits = $5, entries = $6, event = $7
		WHERE key = $1 AND id = $2 AND entries = $8`,
		key, a.ID, a.Balance.Posted, a.Balance.PendingDebits, a.Balance.PendingCredits, a.Entries, a.Event, had)
}

const entryColumns = `account, number, transfer, posted, pending_debits, pending_credits, at, event`

func scanEntry(scan func(into ...any) error) (e ledger.Entry, err error) {
	err = scan(&e.Account, &e.Number, &e.Transfer, &e.Change.Posted, &e.Change.PendingDebits, &e.Change.PendingCredits,
		instant{&e.At}, &e.Event)
	return e, err
}

// LedgerEntries implements ledger.Reader.
func (t *Tx) LedgerEntries(account ident.Account, after int64, limit int) ([]ledger.Entry, error) {
	return list(t, `SELECT `+entryColumns+` FROM ledger_entry WHERE key = $1 AND account = $2 AND number > $3 ORDER BY number LIMIT $4`,
		args(ledger.KeyOf(account), account, after, limit), scanEntry)
}

// AppendLedgerEntry implements ledger.Tx.
func (t *Tx) AppendLedgerEntry(e ledger.Entry) error {
	return t.send(`INSERT INTO ledger_entry (key, `+entryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		ledger.KeyOf(e.Account), e.Account, e.Number, e.Transfer, e.Change.Posted, e.Change.PendingDebits, e.Change.PendingCredits,
		micros(e.At), e.Event)
}

const transferColumns = `id, debit, credit, amount, reason, reserve, payment_order, state, made, settled, event`

func scanTransfer(scan func(into ...any) error) (m ledger.Transfer, err error) {
	err = scan(&m.ID, &m.Debit, &m.Credit, &m.Amount, &m.Reason, boolean{&m.Reserve}, &m.Order, &m.State, instant{&m.Made}, instant{&m.Settled}, &m.Event)
	return m, err
}

// LedgerTransfer implements ledger.Reader.
func (t *Tx) LedgerTransfer(fund ident.Account, id ident.Transfer) (ledger.Transfer, error) {
	return first(t, ledger.ErrUnknownTransfer, `SELECT `+transferColumns+` FROM ledger_transfer WHERE key = $1 AND id = $2`,
		args(ledger.KeyOf(fund), id), scanTransfer)
}

// SaveLedgerTransfer implements ledger.Tx.
func (t *Tx) SaveLedgerTransfer(m ledger.Transfer) error {
	return t.send(`INSERT INTO ledger_transfer (key, `+transferColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (key, id) DO UPDATE SET state = excluded.state, settled = excluded.settled, event = excluded.event`,
		ledger.KeyOf(m.Debit), m.ID, m.Debit, m.Credit, m.Amount, m.Reason, flag(m.Reserve), m.Order, m.State, micros(m.Made), micros(m.Settled), m.Event)
}

const orderColumns = `id, application, payee, subject, amount, currency, remittance, prepared_by, by_rule, released_by,
	state, reason, sendings, prepared, released, sent, settled, event`

func scanOrder(scan func(into ...any) error) (o ledger.Order, err error) {
	o, preparedBy, err := scanOrderRow(scan)
	if err != nil {
		return ledger.Order{}, err
	}
	return o, json.Unmarshal(preparedBy, &o.PreparedBy)
}

// scanOrderToAudit takes people that cannot be read as they stand, so that their digest is wrong and the order is named.
func scanOrderToAudit(scan func(into ...any) error) (ledger.Order, error) {
	o, preparedBy, err := scanOrderRow(scan)
	if json.Unmarshal(preparedBy, &o.PreparedBy) != nil {
		o.PreparedBy = []ident.Person{ident.Person(preparedBy)}
	}
	return o, err
}

// scanOrderRow returns the people who prepared the order as they are stored.
func scanOrderRow(scan func(into ...any) error) (o ledger.Order, preparedBy []byte, err error) {
	err = scan(&o.ID, &o.Application, &o.Payee, &o.Subject, &o.Amount, &o.Currency, &o.Remittance, &preparedBy, boolean{&o.ByRule}, &o.ReleasedBy,
		&o.State, &o.Reason, &o.Sendings, instant{&o.Prepared}, instant{&o.Released}, instant{&o.Sent}, instant{&o.Settled}, &o.Event)
	o.Fund = ledger.FundOf(o.Payee)
	return o, preparedBy, err
}

// PaymentOrder implements ledger.Reader.
func (t *Tx) PaymentOrder(fund ident.Account, id ident.Order) (ledger.Order, error) {
	return first(t, ledger.ErrUnknownOrder, `SELECT `+orderColumns+` FROM payment_order WHERE key = $1 AND id = $2`,
		args(ledger.KeyOf(fund), id), scanOrder)
}

// PaymentOrders implements ledger.Reader.
func (t *Tx) PaymentOrders(fund ident.Account, state ledger.OrderState, after ident.Order, limit int) ([]ledger.Order, error) {
	return list(t, `SELECT `+orderColumns+` FROM payment_order WHERE key = $1 AND state = $2 AND id > $3 ORDER BY id LIMIT $4`,
		args(ledger.KeyOf(fund), state, after, limit), scanOrder)
}

// UnreplacedOrders implements ledger.Reader. A bank's code is of capitals and digits, which come before the small letters of
// a name.
func (t *Tx) UnreplacedOrders(fund ident.Account, limit int) ([]ledger.Order, error) {
	return list(t, `SELECT `+orderColumns+` FROM payment_order WHERE key = $1 AND state = 'rejected' AND reason < 'a'
		AND NOT EXISTS (SELECT 1 FROM payment_order AS later
			WHERE later.key = payment_order.key AND later.application = payment_order.application AND later.application <> '' AND later.id > payment_order.id)
		ORDER BY id DESC LIMIT $2`,
		args(ledger.KeyOf(fund), limit), scanOrder)
}

// OrdersTo implements erasure.Reader. It reads all books: erasing is rare.
func (t *Tx) OrdersTo(subject ident.Subject) ([]ledger.Order, error) {
	return list(t, `SELECT `+orderColumns+` FROM payment_order WHERE subject = $1 ORDER BY id`, args(subject), scanOrder)
}

// SavePaymentOrder implements ledger.Tx.
func (t *Tx) SavePaymentOrder(o ledger.Order) error {
	preparedBy, err := json.Marshal(append([]ident.Person{}, o.PreparedBy...))
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO payment_order (key, `+orderColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (key, id) DO UPDATE SET released_by = excluded.released_by, state = excluded.state, reason = excluded.reason,
			sendings = excluded.sendings, released = excluded.released, sent = excluded.sent, settled = excluded.settled, event = excluded.event`,
		ledger.KeyOf(o.Fund), o.ID, o.Application, o.Payee, o.Subject, o.Amount, o.Currency, o.Remittance, string(preparedBy), flag(o.ByRule),
		o.ReleasedBy, o.State, o.Reason, o.Sendings, micros(o.Prepared), micros(o.Released), micros(o.Sent), micros(o.Settled), o.Event)
}

const foundColumns = `id, fund, digest, amount, at, placed, event`

func scanFound(scan func(into ...any) error) (f ledger.Found, err error) {
	err = scan(&f.ID, &f.Fund, &f.Digest, &f.Amount, instant{&f.At}, &f.Placed, &f.Event)
	return f, err
}

// FoundPayment implements ledger.Reader.
func (t *Tx) FoundPayment(fund ident.Account, id ident.Order) (ledger.Found, error) {
	return first(t, ledger.ErrUnknownOrder, `SELECT `+foundColumns+` FROM found_payment WHERE key = $1 AND id = $2`,
		args(ledger.KeyOf(fund), id), scanFound)
}

// OpenFoundPayment implements ledger.Reader.
func (t *Tx) OpenFoundPayment(fund ident.Account, digest []byte) (ledger.Found, error) {
	return first(t, ledger.ErrUnknownOrder, `SELECT `+foundColumns+` FROM found_payment
		WHERE key = $1 AND digest = $2 AND placed = '' ORDER BY id LIMIT 1`, args(ledger.KeyOf(fund), digest), scanFound)
}

// SaveFoundPayment implements ledger.Tx.
func (t *Tx) SaveFoundPayment(f ledger.Found) error {
	return t.send(`INSERT INTO found_payment (key, `+foundColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (key, id) DO UPDATE SET placed = excluded.placed, event = excluded.event`,
		ledger.KeyOf(f.Fund), f.ID, f.Fund, f.Digest, f.Amount, micros(f.At), f.Placed, f.Event)
}

// LedgerRows calls visit for each row of the ledger with the digest recomputed from what is stored; for the auditor.
func (t *Tx) LedgerRows(visit func(journal.Row) error) error {
	err := covered(t, `SELECT key, `+accountColumns+` FROM ledger_account ORDER BY key, id`, scanAccount,
		func(a ledger.Account) (journal.Cover, ident.Event) { return a.Cover(), a.Event }, visit)
	if err != nil {
		return err
	}
	err = covered(t, `SELECT key, `+entryColumns+` FROM ledger_entry ORDER BY key, account, number`, scanEntry,
		func(e ledger.Entry) (journal.Cover, ident.Event) { return e.Cover(), e.Event }, visit)
	if err != nil {
		return err
	}
	err = covered(t, `SELECT key, `+transferColumns+` FROM ledger_transfer ORDER BY key, id`, scanTransfer,
		func(m ledger.Transfer) (journal.Cover, ident.Event) { return m.Cover(), m.Event }, visit)
	if err != nil {
		return err
	}
	err = covered(t, `SELECT key, `+foundColumns+` FROM found_payment ORDER BY key, id`, scanFound,
		func(f ledger.Found) (journal.Cover, ident.Event) { return f.Cover(), f.Event }, visit)
	if err != nil {
		return err
	}
	return covered(t, `SELECT key, `+orderColumns+` FROM payment_order ORDER BY key, id`, scanOrderToAudit,
		func(o ledger.Order) (journal.Cover, ident.Event) { return o.Cover(), o.Event }, visit)
}

// covered visits the rows of a query whose first column is the key.
func covered[T any](t *Tx, text string, scan func(func(into ...any) error) (T, error), cover func(T) (journal.Cover, ident.Event), visit func(journal.Row) error) error {
	return t.rows(text, nil, func(each func(into ...any) error) error {
		var key act.Key
		row, err := scan(func(into ...any) error { return each(append([]any{&key}, into...)...) })
		if err != nil {
			return err
		}
		vouched, event := cover(row)
		return visit(journal.Row{Name: vouched.Row, Key: key, Event: event, Digest: vouched.Digest})
	})
}

// first runs a query for one row and scans it; none gives the fault missing.
func first[T any](t *Tx, missing error, text string, values []any, scan func(func(into ...any) error) (T, error)) (found T, err error) {
	all, err := list(t, text, values, scan)
	if err != nil {
		return found, err
	}
	if len(all) == 0 {
		return found, missing
	}
	return all[0], nil
}
