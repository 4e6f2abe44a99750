package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/store/storetest"
)

const (
	agency = ident.Agency("youth-agency")
	fund   = ident.Account("fund:youth-fund")
)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// world is a ledger on a fresh store, with a simulated bank and a runner.
type world struct {
	t      failer
	close  func()
	clock  *clock
	db     query.DB
	vault  *seal.Vault
	ledger *ledger.Ledger
	bank   *bank.Bank
	runner *job.Runner
	// breaks is asked before and after each act of the ledger and of the runner; see breakingStore.
	breaks func(after bool) error

	decider   ident.Person
	payee     ident.Subject
	treasurer access.Actor
}

// failer is a test, or one run of a property.
type failer interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// newWorld returns a fresh world, on the engine that package storetest chooses.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newRun(t, t)
}

// newRun is newWorld for one run of a property of a test: it calls close at its end, as there are more runs than
// PostgreSQL has connections.
func newRun(test testing.TB, t failer) *world {
	t.Helper()
	moved := &clock{now: start}
	return built(t, moved, storetest.Temporary(test, moved.Now), storetest.Keys(test))
}

// newFile returns a world on the embedded engine, and the path of its file: for a test that looks into the file or changes
// it.
func newFile(t *testing.T) (w *world, path string) {
	t.Helper()
	moved, path := &clock{now: start}, filepath.Join(t.TempDir(), "yagona.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Clock: moved.Now, Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	w = built(t, moved, db, storetest.Keys(t))
	t.Cleanup(w.close)
	return w, path
}

// start is the morning on which every world begins.
var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// database is a store that a world closes.
type database interface {
	query.DB
	io.Closer
}

// subjectKeys are keys that a world closes.
type subjectKeys interface {
	seal.Store
	io.Closer
}

// built returns the world on a store.
func built(t failer, moved *clock, db database, keys subjectKeys) *world {
	t.Helper()
	w := &world{
		t: t, clock: moved, db: db, decider: ident.Random[ident.Person](), payee: ident.Random[ident.Person]().Subject(),
		treasurer: official(access.Treasurer, agency),
	}
	w.close = func() {
		if err := errors.Join(db.Close(), keys.Close()); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	var err error
	if w.vault, err = seal.NewVault(keys, make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	w.ledger = &ledger.Ledger{Store: breakingStore[ledger.Reader, ledger.Tx]{query.For[ledger.Reader, ledger.Tx](w.db), w}, Vault: w.vault}
	w.bank = bank.New(w.clock.Now)
	w.bank.Accounts = map[string]bank.Account{
		"20208000900000000001": {Holder: "Synthetic Resident", NationalNumber: "1"},
		"20208000900000000002": {Holder: "Synthetic Resident", NationalNumber: "1"},
		"20208000900000000003": {Holder: "Another Resident", NationalNumber: "2"},
		"20208000900000000004": {Holder: "Synthetic Resident", NationalNumber: "1", Closed: true},
	}
	w.newRunner()
	return w
}

// newRunner starts over with a runner that remembers nothing, as after a crash.
func (w *world) newRunner() {
	sender := &ledger.Sender{Ledger: w.ledger, Bank: w.bank, Patience: time.Minute, NationalNumber: w.number}
	w.runner = &job.Runner{
		Store: breakingStore[job.Reader, job.Tx]{query.For[job.Reader, job.Tx](w.db), w}, Clock: w.clock.Now,
		Handlers: map[string]job.Handler{
			ledger.JobVerify:  sender.Verify,
			ledger.JobSend:    sender.Send,
			ledger.JobSettled: func(context.Context, job.Job) error { return nil },
		},
		MostAttempts: 1000,
	}
}

// number is the payee's national number.
func (w *world) number(context.Context, ident.Subject) (string, error) { return "1", nil }

// breakingStore fails acts as a crash does: before anything was done, or after all of it was.
type breakingStore[R, W any] struct {
	act.Store[R, W]
	world *world
}

func (s breakingStore[R, W]) Update(ctx context.Context, key act.Key, run func(W) error) error {
	if s.world.breaks == nil {
		return s.Store.Update(ctx, key, run)
	}
	if err := s.world.breaks(false); err != nil {
		return err
	}
	if err := s.Store.Update(ctx, key, run); err != nil {
		return err
	}
	return s.world.breaks(true)
}

func official(role ident.Role, of ident.Agency) access.Actor {
	person := ident.Random[ident.Person]()
	return access.Actor{Person: person, Appointment: &access.Appointment{
		ID: ident.Random[ident.Appointment](), Person: person, Agency: of, Role: role,
	}}
}

// funded opens the fund and puts the amount in.
func (w *world) funded(amount money.Amount) {
	w.t.Helper()
	if _, err := w.ledger.OpenFund(context.Background(), access.Actor{}, fund, agency, "UZS"); err != nil {
		w.t.Fatal(err)
	}
	if amount > 0 {
		w.move(ledger.Transfer{ID: ident.Random[ident.Transfer](), Debit: ledger.OutsideOf(fund), Credit: fund, Amount: amount, Reason: "appropriation"})
	}
}

func (w *world) move(wanted ledger.Transfer) ledger.Transfer {
	w.t.Helper()
	done, err := w.ledger.Transfer(context.Background(), w.treasurer, wanted)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func (w *world) instruction(amount money.Amount) ledger.Instruction {
	return ledger.Instruction{
		ID: ident.Random[ident.Order](), Fund: fund, Application: ident.Random[ident.Application](), Subject: w.payee,
		Creditor: ledger.Creditor{Name: "Synthetic Resident", Account: "20208000900000000001", Agent: "00014"},
		Amount:   amount, Remittance: "Subsidy for tools", PreparedBy: []ident.Person{w.decider},
	}
}

func (w *world) prepare(in ledger.Instruction) ledger.Order {
	w.t.Helper()
	order, err := w.ledger.Prepare(context.Background(), journal.Actor{Component: "casework"}, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return order
}

// verified prepares an order and lets the bank confirm whose account it is.
func (w *world) verified(in ledger.Instruction) ledger.Order {
	w.t.Helper()
	w.prepare(in)
	w.drain()
	order := w.order(in.ID)
	if order.State != ledger.Verified {
		w.t.Fatal("the bank was asked whose account it is, and the order is", order.State, order.Reason)
	}
	return order
}

func (w *world) release(id ident.Order) ledger.Order {
	w.t.Helper()
	order, err := w.ledger.Release(context.Background(), w.treasurer, fund, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return order
}

func (w *world) drain() {
	w.t.Helper()
	if err := w.runner.Drain(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(read func(ledger.Reader) error) {
	w.t.Helper()
	if err := w.ledger.Store.View(context.Background(), read); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) order(id ident.Order) (order ledger.Order) {
	w.t.Helper()
	w.view(func(tx ledger.Reader) (err error) {
		order, err = tx.PaymentOrder(fund, id)
		return err
	})
	return order
}

func (w *world) balance(id ident.Account) (balance ledger.Balance) {
	w.t.Helper()
	w.view(func(tx ledger.Reader) error {
		account, err := tx.LedgerAccount(id)
		balance = account.Balance
		return err
	})
	return balance
}

// check fails the test unless the book is right and every row is as its event says.
func (w *world) check() {
	w.t.Helper()
	w.view(func(tx ledger.Reader) error { return ledger.Check(tx, fund) })
	for _, name := range w.tampered() {
		w.t.Errorf("%s is not what its event says", name)
	}
}

// tampered returns the rows of the ledger that their events do not vouch for.
func (w *world) tampered() (names []string) {
	w.t.Helper()
	err := w.db.View(context.Background(), func(tx *query.Tx) error {
		var rows []journal.Row // all first: a connection answers one question at a time
		err := tx.LedgerRows(func(row journal.Row) error {
			rows = append(rows, row)
			return nil
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			event, err := tx.StoredEvent(row.Key, row.Event)
			if fault.Is(err, fault.NotFound) {
				names = append(names, row.Name)
				continue
			}
			if err != nil {
				return err
			}
			parts, err := tx.StoredParts(row.Key, row.Event)
			if err != nil {
				return err
			}
			var subjects []ident.Subject
			for _, part := range parts {
				subjects = append(subjects, part.Subject)
			}
			sealer, err := w.vault.Open(context.Background(), subjects...)
			if err != nil {
				return err
			}
			header, _, err := journal.Check(sealer, event, parts)
			if err != nil {
				return err
			}
			count := 0
			for _, cover := range header.Covers {
				if cover.Row == row.Name && bytes.Equal(cover.Digest, row.Digest) {
					count++
				}
			}
			if count != 1 {
				names = append(names, row.Name)
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return names
}

func TestOpeningAFund(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	platform := access.Actor{}
	first, err := w.ledger.OpenFund(ctx, platform, fund, agency, "UZS")
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.ledger.OpenFund(ctx, w.treasurer, fund, agency, "UZS")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("opening it again gave another account (-first +again):\n%s", diff)
	}
	w.view(func(tx ledger.Reader) error {
		funds, err := tx.Funds()
		if len(funds) != 1 || funds[0].ID != fund {
			t.Errorf("the funds are %+v", funds)
		}
		return err
	})
	for name, test := range map[string]struct {
		by       access.Actor
		fund     ident.Account
		agency   ident.Agency
		currency string
		code     string
	}{
		"another currency":          {platform, fund, agency, "EUR", "ledger.fund-exists"},
		"another agency":            {platform, fund, "employment-agency", "UZS", "ledger.fund-exists"},
		"no fund":                   {platform, "youth-fund", agency, "UZS", "ledger.fund-malformed"},
		"an account inside a book":  {platform, "fund:a/payee", agency, "UZS", "ledger.fund-malformed"},
		"no currency":               {platform, "fund:b", agency, "sum", "money.currency-malformed"},
		"a resident":                {access.Actor{Person: "p"}, "fund:b", agency, "UZS", "access.forbidden"},
		"another agency's official": {official(access.Treasurer, "employment-agency"), "fund:b", agency, "UZS", "access.forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.ledger.OpenFund(ctx, test.by, test.fund, test.agency, test.currency); fault.Code(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
	w.check()
}

func TestTransferIsMadeOnce(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	wanted := ledger.Transfer{ID: ident.Random[ident.Transfer](), Debit: fund, Credit: ledger.SuspenseOf(fund), Amount: 300, Reason: "correction"}
	first := w.move(wanted)
	again := w.move(wanted)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the second answer differs (-first +second):\n%s", diff)
	}
	for name, change := range map[string]func(*ledger.Transfer){
		"amount":   func(t *ledger.Transfer) { t.Amount++ },
		"accounts": func(t *ledger.Transfer) { t.Debit, t.Credit = t.Credit, t.Debit },
		"reason":   func(t *ledger.Transfer) { t.Reason = "other" },
		"steps":    func(t *ledger.Transfer) { t.Reserve = true },
	} {
		other := wanted
		change(&other)
		if _, err := w.ledger.Transfer(t.Context(), w.treasurer, other); fault.Code(err) != "ledger.transfer-differs" || !fault.Is(err, fault.Conflict) {
			t.Errorf("the same id with another %s gave %v", name, err)
		}
	}
	if got, want := w.balance(fund), (ledger.Balance{Posted: 700}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	w.check()
}

func TestTransferThatIsRefusedMovesNothing(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	if _, err := w.ledger.OpenFund(t.Context(), access.Actor{}, "fund:other", agency, "UZS"); err != nil {
		t.Fatal(err)
	}
	payee := w.prepare(w.instruction(100)).Payee
	id := ident.Random[ident.Transfer]()
	suspense := ledger.SuspenseOf(fund)
	for name, test := range map[string]struct {
		by     access.Actor
		wanted ledger.Transfer
		code   string
	}{
		"more than there is":  {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: suspense, Amount: 901, Reason: "a"}, "ledger.insufficient"},
		"nothing":             {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: suspense, Amount: 0, Reason: "a"}, "ledger.amount"},
		"less than nothing":   {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: suspense, Amount: -5, Reason: "a"}, "ledger.amount"},
		"more than counts":    {w.treasurer, ledger.Transfer{ID: id, Debit: ledger.OutsideOf(fund), Credit: fund, Amount: money.Max, Reason: "a"}, "money.too-large"},
		"to itself":           {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: fund, Amount: 1, Reason: "a"}, "ledger.same-account"},
		"into another book":   {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: "fund:other", Amount: 1, Reason: "a"}, "ledger.other-fund"},
		"from nowhere":        {w.treasurer, ledger.Transfer{ID: id, Debit: "fund:none", Credit: fund, Amount: 1, Reason: "a"}, "ledger.account-unknown"},
		"to nowhere":          {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: fund + "/none", Amount: 1, Reason: "a"}, "ledger.account-unknown"},
		"to a payee by hand":  {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: payee, Amount: 1, Reason: "a"}, "ledger.payee-by-order"},
		"without an id":       {w.treasurer, ledger.Transfer{Debit: fund, Credit: suspense, Amount: 1, Reason: "a"}, "ident.malformed"},
		"for a told reason":   {w.treasurer, ledger.Transfer{ID: id, Debit: fund, Credit: suspense, Amount: 1, Reason: "For A. B."}, "ledger.reason-malformed"},
		"by another official": {official("chair", agency), ledger.Transfer{ID: id, Debit: fund, Credit: suspense, Amount: 1, Reason: "a"}, "access.forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.ledger.Transfer(t.Context(), test.by, test.wanted); fault.Code(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
	if got, want := w.balance(fund), (ledger.Balance{Posted: 1000, PendingDebits: 100}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	w.check()
}

func TestPendingTransfer(t *testing.T) {
	w := newWorld(t)
	w.funded(1000)
	suspense := ledger.SuspenseOf(fund)
	reserve := func(amount money.Amount) ledger.Transfer {
		return w.move(ledger.Transfer{ID: ident.Random[ident.Transfer](), Debit: fund, Credit: suspense, Amount: amount, Reason: "correction", Reserve: true})
	}
	posted, voided := reserve(600), reserve(400)
	if got, want := w.balance(fund), (ledger.Balance{Posted: 1000, PendingDebits: 1000}); got != want {
		t.Fatalf("reserved: the fund has %+v, want %+v", got, want)
	}
	_, err := w.ledger.Transfer(t.Context(), w.treasurer, ledger.Transfer{ID: ident.Random[ident.Transfer](), Debit: fund, Credit: suspense, Amount: 1, Reason: "correction"})
	if fault.Code(err) != "ledger.insufficient" {
		t.Errorf("reserved money was spent: %v", err)
	}
	for range 2 { // the second time nothing happens
		if _, err := w.ledger.Settle(t.Context(), w.treasurer, fund, posted.ID, ledger.Posted); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ledger.Settle(t.Context(), w.treasurer, fund, voided.ID, ledger.Voided); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		by   access.Actor
		id   ident.Transfer
		into ledger.TransferState
		code string
	}{
		"what is posted cannot be voided": {w.treasurer, posted.ID, ledger.Voided, "ledger.transfer-settled"},
		"what is voided cannot be posted": {w.treasurer, voided.ID, ledger.Posted, "ledger.transfer-settled"},
		"nothing goes back to pending":    {w.treasurer, posted.ID, ledger.Pending, "ledger.transfer-settled"},
		"an unknown one":                  {w.treasurer, ident.Random[ident.Transfer](), ledger.Posted, "ledger.transfer-unknown"},
		"by another official":             {official("chair", agency), posted.ID, ledger.Posted, "access.forbidden"},
	} {
		if _, err := w.ledger.Settle(t.Context(), test.by, fund, test.id, test.into); fault.Code(err) != test.code {
			t.Errorf("%s: got %v, want %s", name, err, test.code)
		}
	}
	if got, want := w.balance(fund), (ledger.Balance{Posted: 400}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	if got, want := w.balance(suspense), (ledger.Balance{Posted: 600}); got != want {
		t.Errorf("suspense has %+v, want %+v", got, want)
	}
	w.check()
}

func TestManyAtOnceNeverOverdrawAnAccount(t *testing.T) {
	const workers, amount, enough = 64, 10, 20
	w := newWorld(t)
	w.funded(amount * enough)
	var (
		mu      sync.Mutex
		granted int
		all     sync.WaitGroup
	)
	for range workers {
		all.Go(func() {
			_, err := w.ledger.Prepare(context.Background(), journal.Actor{Component: "casework"}, w.instruction(amount))
			mu.Lock()
			defer mu.Unlock()
			switch fault.Code(err) {
			case "":
				granted++
			case "ledger.insufficient":
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if granted != enough {
		t.Errorf("%d orders were prepared, the money is for %d", granted, enough)
	}
	if got, want := w.balance(fund), (ledger.Balance{Posted: amount * enough, PendingDebits: amount * enough}); got != want {
		t.Errorf("the fund has %+v, want %+v", got, want)
	}
	w.view(func(tx ledger.Reader) error {
		accounts, err := tx.PayeeAccounts(fund, w.payee)
		if len(accounts) != 1 {
			t.Errorf("one bank account became %d accounts of the book", len(accounts))
		}
		return err
	})
	w.check()
}
