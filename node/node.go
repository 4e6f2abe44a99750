package node

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/correction"
	"yagona/kernel/country"
	"yagona/kernel/document"
	"yagona/kernel/erasure"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/passkey"
	"yagona/kernel/person"
	"yagona/kernel/practice"
	"yagona/kernel/publication"
	"yagona/kernel/queue"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/session"
	"yagona/kernel/signature"
	"yagona/kernel/simulation"
	"yagona/kernel/transparency"
	"yagona/kernel/wording"
	"yagona/locale"
	"yagona/node/telemetry"
	"yagona/std/c2sp"
	"yagona/store"
	"yagona/store/adapter"
	archived "yagona/store/archive"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/web/boundary"
	"yagona/web/page"
	"yagona/web/reading"
	"yagona/web/route"
	"yagona/web/witness"
)

// LogHolder is who signs the log's checkpoints, and nothing else.
const LogHolder signature.Holder = "log"

// Node is an open installation.
type Node struct {
	config Config

	Profile   *country.Profile
	Words     country.Words
	DB        store.DB
	Keys      *keyfile.Folder
	Ring      *signature.Memory // the keys, for whoever signs and verifies
	Vault     *seal.Vault
	People    *person.Directory
	Office    *access.Office
	Sessions  *session.Sessions
	Press     *publication.Press
	Drafting  *publication.Drafting
	Registers *register.Keeper
	Exchange  *exchange.Exchange
	Documents *document.Issuer
	Ledger    *ledger.Ledger
	Notices   *notice.Board
	Courier   *notice.Courier
	Passkeys  *passkey.Passkeys

	Corrections     *correction.Corrections
	Representatives *representation.Representatives
	Participations  *offer.Participations
	Casework        *casework.Casework
	Erasures        *erasure.Erasures
	Indicators      *indicator.Counter
	Simulator       *simulation.Simulator
	Practice        *practice.Ground // nil: this is no practice ground
	Jobs            *job.Runner
	Sequencer       *transparency.Sequencer
	Log             *transparency.Log
	Refusals        *exchange.Refusals
	Router          *route.Router
	Beside          []string // the patterns of what Handler serves beside the router: it knows nobody
	Handler         http.Handler
	Telemetry       *telemetry.Telemetry

	boundaries  *boundary.Boundaries // of the territories; nil: the operator has none
	catalogue   atomic.Pointer[Catalogue]
	loading     sync.Mutex                // held while the catalogue is loaded
	loaded      string                    // guarded by loading: what was loaded, as Node.published tells it
	published   chan struct{}             // that publications may have changed
	doubles     map[ident.Register]string // where the adapters' test doubles listen, in a demonstration
	readings    *access.OwnReadings       // one for the pages, the API and the registers: a session reads its own data once
	trail       *reading.Trail
	shelf       *archived.Folder // the volumes that the database's months were moved into
	closers     []func() error   // what else Close closes
	subjectKeys store.SubjectKeys
	note        atomic.Pointer[string] // what a restoration left in a database on a server; nil: nothing
	indexKeys   seal.IndexKeys         // of the indexes over personal values
	digest      []byte                 // the key of all other digests: of what is counted, limited, challenged
	store       query.DB               // the database, watched
	background  sync.WaitGroup
	stop        context.CancelFunc
	closing     atomic.Bool
}

// Open opens an installation: its stores and keys are made if they are not there. Close it.
func Open(ctx context.Context, config Config) (_ *Node, err error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	config.Log = slog.New(telemetry.LogHandler(config.Log.Handler()))
	n := &Node{
		config: config, doubles: map[ident.Register]string{}, published: make(chan struct{}, 1), Telemetry: telemetry.New(config.Traces),
		shelf: archived.Open(ArchiveFolder(config.Folder, config.Archive)),
	}
	n.closers = append(n.closers, n.shelf.Close)
	defer func() {
		if err != nil {
			n.Close()
		}
	}()
	if err := os.MkdirAll(config.Folder, 0o700); err != nil {
		return nil, err
	}
	if n.Profile, err = country.Load(config.Country); err != nil {
		return nil, fmt.Errorf("loading the country profile:\n%w", err)
	}
	if len(config.Boundaries) > 0 {
		if n.boundaries, err = boundary.Read(config.Boundaries, n.Profile.Territories); err != nil {
			return nil, err
		}
	}
	texts, err := page.Words()
	if err != nil {
		return nil, err
	}
	var spoken []locale.Tag
	for _, tag := range n.Profile.Languages {
		spoken = append(spoken, locale.Tag(tag))
	}
	n.Words = country.Words{Catalogue: texts.Speaking(spoken...), Profile: n.Profile}
	if err := n.openStores(ctx); err != nil {
		return nil, err
	}
	n.wireKernel()
	if err := n.wirePractice(); err != nil {
		return nil, err
	}
	if err := n.wireMessages(); err != nil {
		return nil, err
	}
	if err := n.checkIndex(ctx); err != nil {
		return nil, err
	}
	if err := n.install(ctx); err != nil {
		return nil, err
	}
	if err := n.load(ctx); err != nil {
		return nil, err
	}
	if config.Demonstration {
		if err := n.openDoubles(); err != nil {
			return nil, err
		}
	}
	if err := n.openLog(); err != nil {
		return nil, err
	}
	if err := n.Sequencer.Continues(ctx); err != nil {
		if _, restored := n.Restored(); !restored { // what was restored may begin a new log, once that is accepted
			return nil, err
		}
	}
	if err := n.openPages(ctx); err != nil {
		return nil, err
	}
	if _, restored := n.Restored(); restored {
		n.DB.Refuse(errRestored)
	}
	return n, nil
}

// Catalogue returns what is loaded now.
func (n *Node) Catalogue() *Catalogue { return n.catalogue.Load() }

// secretFiles are what a database is worthless without: the master key, the key of digests and the index keys.
func secretFiles(folder string) []string {
	needed := []string{"keys/master.secret", "keys/digest.secret"}
	found, _ := filepath.Glob(filepath.Join(folder, "keys", "index*.secret")) // it errs on a malformed pattern only
	if len(found) == 0 {
		return append(needed, "keys/index.secret")
	}
	for _, path := range found {
		needed = append(needed, "keys/"+filepath.Base(path))
	}
	return needed
}

// checkIndex compares the index keys with some numbers that were indexed: under another key nobody would be found, and
// everybody could be taken up a second time.
func (n *Node) checkIndex(ctx context.Context) error {
	keys := n.indexKeys()
	next := seal.IndexKey{Generation: keys[len(keys)-1].Generation + 1}
	var some, newer []person.Claimed
	err := n.DB.View(ctx, func(tx *query.Tx) (err error) {
		if some, err = tx.ClaimedNumbers("", 20); err != nil {
			return err
		}
		newer, err = tx.ClaimedNumbers(person.Index(next.Prefix()), 1)
		return err
	})
	if err != nil {
		return err
	}
	if len(newer) > 0 && strings.HasPrefix(string(newer[0].Index), next.Prefix()) {
		return fmt.Errorf("the index key was rotated, and %s is missing: copy it from where it was made, or from the newest backup",
			n.Keys.IndexFile(next.Generation))
	}
	wrong := false
	for _, one := range some {
		known, err := n.People.Attributes(ctx, one.Person)
		switch {
		case fault.Is(err, fault.Erased) || fault.Is(err, fault.NotFound):
			continue // erased, or the process ended between the claim and the person
		case err != nil:
			return err
		case slices.Contains(n.People.Indexes(known.Number), one.Index):
			return nil // one that fits is enough: another may have got a new number, or be of a key that was forgotten
		}
		wrong = true
	}
	if wrong {
		return fmt.Errorf("%s is not the key of the indexes in %s: put it back from the backup that belongs to this database, with those beside it",
			n.Keys.IndexFile(next.Generation-1), n.config.Folder)
	}
	return nil
}

// privateFiles are what nobody but the node's user may read.
var privateFiles = []string{
	databaseFile, databaseFile + "-wal", databaseFile + "-shm", subjectKeysFile, "bank.journal", tillFile, "demonstration.json",
	"keys/master-previous.secret",
}

// protect takes the folder and its files from the eyes of the machine's other users. New files get their modes when they
// are made; these may be from a copy.
func protect(folder string) error {
	if err := os.Chmod(folder, 0o700); err != nil {
		return err
	}
	for _, name := range append(secretFiles(folder), privateFiles...) {
		if err := os.Chmod(filepath.Join(folder, name), 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (n *Node) openStores(ctx context.Context) (err error) {
	folder := n.config.Folder
	if err := store.Check(n.config.Database, n.config.SubjectKeys); err != nil {
		return err
	}
	if err := protect(folder); err != nil {
		return err
	}
	database, subjectKeys, needed := n.config.Database, n.config.SubjectKeys, secretFiles(folder)
	onServer := database != ""
	if !onServer {
		database, subjectKeys = filepath.Join(folder, databaseFile), filepath.Join(folder, subjectKeysFile)
		needed = append([]string{subjectKeysFile}, needed...)
	}
	missing := slices.IndexFunc(needed, func(name string) bool { return !exists(filepath.Join(folder, name)) })
	if missing >= 0 && !onServer && exists(database) {
		return fmt.Errorf("the folder %s has a database, but %s is missing: put it back from its backup; a new one would not open what is stored", folder, needed[missing])
	}
	if n.subjectKeys, err = store.OpenSubjectKeys(ctx, subjectKeys, !n.config.Volatile); err != nil {
		return err
	}
	some, err := n.subjectKeys.Some(ctx)
	if err != nil {
		return err
	}
	if missing >= 0 && some != "" {
		return fmt.Errorf("there are keys of people, but %s is missing in %s: put it back from its backup; a new one would not open them", needed[missing], folder)
	}
	if n.Keys, err = keyfile.Open(filepath.Join(folder, keysFolder), n.config.Clock); err != nil {
		return err
	}
	n.Ring = signature.Remember(n.Keys)
	master, err := n.Keys.Secret("master")
	if err != nil {
		return err
	}
	if n.indexKeys, err = n.Keys.WatchIndexKeys(); err != nil {
		return err
	}
	if n.digest, err = n.Keys.Secret("digest"); err != nil {
		return err
	}
	previous, err := previousMasters(n.Keys)
	if err != nil {
		return err
	}
	if n.Vault, err = seal.NewVault(n.subjectKeys, master, previous...); err != nil {
		return err
	}
	n.subjectKeys.OnErased(n.Vault.Forget)
	if some != "" {
		if _, err := n.Vault.Open(ctx, some); err != nil {
			return err
		}
		if !onServer && !exists(database) {
			return fmt.Errorf("the folder %s has keys of people, but yagona.db is missing: put it back from its backup, or begin in an empty folder", folder)
		}
	}
	n.DB, err = store.Open(ctx, store.Config{Location: database, Clock: n.config.Clock, Durable: !n.config.Volatile})
	if err != nil {
		return err
	}
	if server, ok := n.DB.(noted); ok {
		note, err := server.Note(ctx)
		if err != nil {
			return err
		}
		if note != "" {
			n.note.Store(&note)
		}
	}
	if some != "" && onServer {
		err := n.DB.View(ctx, func(tx *query.Tx) error {
			last, err := tx.LastActTime()
			if err == nil && last.IsZero() {
				err = errors.New("there are keys of people, but the database is empty: put it back from its backup, or begin with two empty databases")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	n.store = n.Telemetry.Store(n.DB)
	n.DB.OnCommit(n.Telemetry.Committed)
	return nil
}

// correctionDays is how many working days an agency has to answer who says that its register is wrong.
const correctionDays = 10

func (n *Node) wireKernel() {
	db, clock := n.store, n.DB.Now
	n.People = &person.Directory{Store: query.For[person.Reader, person.Tx](db), Vault: n.Vault, Keys: n.indexKeys}
	n.Office = &access.Office{
		Store: query.For[access.Reader, access.Tx](db), Vault: n.Vault, Territories: n.Profile.Territories, Roles: n.roles,
		Sensitive: platformRoles, Supervisor: n.Profile.Supervision.Agency,
	}
	n.Sessions = session.New(query.For[session.Reader, session.Tx](db), n.config.Clock, session.Limits{})
	n.Notices = &notice.Board{Store: query.For[notice.Reader, notice.Tx](db), Vault: n.Vault}
	n.Refusals = &exchange.Refusals{Store: query.For[journal.Reader, journal.Tx](db)}
	n.Press = &publication.Press{
		Store: query.For[publication.Reader, publication.Tx](db), Vault: n.Vault, Ring: n.Ring, Clock: clock,
		Check: n.checkPack, Changed: n.reload,
	}
	n.readings = access.NewOwnReadings(query.For[journal.Reader, journal.Tx](db), n.Vault)
	n.Drafting = &publication.Drafting{Press: n.Press, Speakers: n.speakers}
	n.Registers = &register.Keeper{
		Store: query.For[register.Reader, register.Tx](db), Vault: n.Vault, Clock: clock, Scheme: n.Profile,
		Definitions: func() *register.Catalogue { return n.Catalogue().Registers },
		Location:    n.Profile.Location, IndexKeys: n.indexKeys, People: n.People, Currency: n.Profile.Currency,
		Readings: n.readings, Country: n.Profile.Territories.Root(),
	}
	n.Exchange = &exchange.Exchange{
		Store: query.For[exchange.Reader, exchange.Tx](db), Vault: n.Vault, Ring: n.Ring, Clock: clock,
		Registers: n.Registers, Numbers: n.People, Log: n.config.Log,
	}
	n.Exchange.Sources = map[register.Held]exchange.Source{
		register.HeldHere: &exchange.Local{Registers: n.Registers, Ring: n.Ring, Clock: clock},
		register.HeldAdapter: &adapter.Source{
			Ring: n.Ring, Clock: clock, Location: n.Profile.Location, Scheme: n.Profile, Definitions: func() *register.Catalogue { return n.Catalogue().Registers },
			Secrets: n.config.Secrets, Addresses: n.doubles, Log: n.config.Log,
		},
	}
	n.Documents = &document.Issuer{
		Store: query.For[document.Reader, document.Tx](db), Vault: n.Vault, Signer: n.Ring, Node: n.config.Site.Hostname(),
	}
	n.Ledger = &ledger.Ledger{
		Store: query.For[ledger.Reader, ledger.Tx](db), Vault: n.Vault, Key: n.digest,
		Related: func(ctx context.Context, who ident.Person, payee ident.Subject) (bool, error) {
			return n.Exchange.AreRelated(ctx, "household", who.Subject(), payee)
		},
	}
	n.Passkeys = &passkey.Passkeys{Store: query.For[passkey.Reader, passkey.Tx](db), Vault: n.Vault, Clock: clock}
	n.Courier = &notice.Courier{
		Store: query.For[notice.Reader, notice.Tx](db), Vault: n.Vault, Clock: clock, Key: n.digest, Log: n.config.Log,
		Words: page.MessageWords{Words: n.Words, Site: n.config.Site.String()},
	}
	n.Representatives = &representation.Representatives{
		Store: query.For[representation.Reader, representation.Tx](db), Vault: n.Vault, Clock: clock, Location: n.Profile.Location,
		OfAge: n.Profile.OfAge, Registers: n.Registers, People: n.People,
		Definitions: func() *register.Catalogue { return n.Catalogue().Registers }, Notify: n.notify,
	}
	n.Participations = &offer.Participations{Store: query.For[offer.Reader, offer.Tx](db), Vault: n.Vault}
	n.Casework = casework.New(casework.Config{
		Store: query.For[casework.Reader, casework.Tx](db), Vault: n.Vault, Clock: clock,
		Catalogue:       func() *service.Catalogue { return n.Catalogue().Services },
		Representatives: n.Representatives, Language: n.language, Evidence: n.Exchange, Documents: n.Documents, Calendar: n.Profile.Calendar, Territories: n.Profile.Territories, Scheme: n.Profile,
		Queues:    &queue.Queues{Store: query.For[queue.Reader, queue.Tx](db), Vault: n.Vault},
		Messenger: n.Courier, Adult: n.adult,
		Composer: &casework.Letter{
			Words: n.Words, People: n.People, Validity: n.config.Site.String() + "/verify/",
			Agency: func(name ident.Agency) wording.Text { return n.Catalogue().Agency(name) },
		},
	})
	n.Corrections = &correction.Corrections{
		Store: query.For[correction.Reader, correction.Tx](db), Vault: n.Vault, Clock: clock,
		Registers: func() *register.Catalogue { return n.Catalogue().Registers },
		Deadline: func(ctx context.Context, received time.Time) (time.Time, error) {
			return n.Casework.DueAfter(ctx, received, correctionDays)
		},
		Household: func(ctx context.Context, one, other ident.Subject) (bool, error) {
			return n.Exchange.AreRelated(ctx, "household", one, other)
		},
	}
	n.Erasures = &erasure.Erasures{
		Store: query.For[erasure.Reader, erasure.Tx](db), Vault: n.Vault, Country: n.Profile.Territories.Root(),
		Supervisor: n.Profile.Supervision.Agency, KeepPayments: n.Profile.Supervision.KeepPayments, Registers: n.registersOf,
	}
	n.Simulator = &simulation.Simulator{
		Store: query.For[simulation.Reader, simulation.Tx](db), Vault: n.Vault, Registers: n.Registers,
		Services: func() *service.Catalogue { return n.Catalogue().Services }, Draft: n.draft, Scheme: n.Profile,
		Territories: n.Profile.Territories, Location: n.Profile.Location, Clock: clock,
	}
	n.Indicators = &indicator.Counter{
		Store: query.For[indicator.Reader, indicator.Tx](db), Registers: n.Registers, Clock: clock, HashKey: n.digest,
		Catalogue:   func() *indicator.Catalogue { return n.Catalogue().Indicators },
		Definitions: func() *register.Catalogue { return n.Catalogue().Registers },
		Territories: n.Profile.Territories, Location: n.Profile.Location,
	}
	n.Jobs = &job.Runner{
		Store: query.For[job.Reader, job.Tx](db), Clock: n.config.Clock, Log: n.config.Log, Handlers: n.handlers(), Observe: n.Telemetry.Job,
	}
	if shared, ok := n.DB.(store.Claims); ok {
		n.Jobs.Claim = shared.ClaimJobs
	}
	n.DB.OnJobs(n.Jobs.Wake)
	n.DB.OnPublications(func() {
		select {
		case n.published <- struct{}{}:
		default:
		}
	})
}

// handlers returns who does which job.
func (n *Node) handlers() map[string]job.Handler {
	handlers := n.Casework.Handlers()
	add := func(more map[string]job.Handler) {
		for kind, handler := range more {
			handlers[kind] = handler
		}
	}
	add(n.Registers.Handlers(n.output))
	add(n.Corrections.Handlers())
	add(n.Representatives.Handlers())
	add(n.Courier.Handlers())
	add(n.Indicators.Handlers())
	sender := &ledger.Sender{Ledger: n.Ledger, Bank: n.config.Bank, NationalNumber: n.nationalNumber}
	add(map[string]job.Handler{
		casework.JobPay:   job.With(n.pay),
		ledger.JobVerify:  sender.Verify,
		ledger.JobSend:    sender.Send,
		ledger.JobSettled: job.With(n.settled),

		casework.JobFee: job.With(fees{n}.settle), casework.JobUnpaid: job.With(fees{n}.unpaid), ledger.JobCollected: job.With(fees{n}.collected),
		casework.JobFeeClosed: job.With(fees{n}.closed), jobReturnLost: job.With(fees{n}.returnLost),
		erasure.JobErase: n.Erasures.Carry,
	})
	return handlers
}

// language returns in which language somebody is written to.
func (n *Node) language(ctx context.Context, whose ident.Subject) (string, error) {
	who, ok := whose.Person()
	if !ok {
		return n.Profile.Authoritative(), nil
	}
	known, err := n.People.Attributes(ctx, who)
	return cmp.Or(known.Language, n.Profile.Authoritative()), err
}

// adult reports whether somebody is of age.
func (n *Node) adult(ctx context.Context, who ident.Person) (bool, error) {
	known, err := n.People.Attributes(ctx, who)
	return err == nil && !n.Profile.Calendar.Date(n.config.Clock()).Before(known.Birth.AddMonths(12*n.Profile.OfAge)), err
}

// notify tells somebody of what is about no application.
func (n *Node) notify(ctx context.Context, reader ident.Subject, kind, cause string) error {
	return n.Notices.Post(ctx, reader, kind, "", cause)
}

// pay prepares the payment order of a granted application, under its fund's key.
func (n *Node) pay(ctx context.Context, _ job.Job, payload casework.Job) error {
	wanted, err := n.Casework.Payment(ctx, payload.Application, payload.Order)
	if err != nil {
		return err
	}
	holder := person.Attributes{Name: "–"}
	if applicant, ok := wanted.Application.Applicant.Person(); ok {
		if holder, err = n.People.Attributes(ctx, applicant); err != nil {
			return err
		}
	}
	_, err = n.Ledger.Prepare(ctx, journal.Actor{Component: "casework"}, ledger.Instruction{
		ID: wanted.Order, Fund: ident.Account("fund:" + wanted.Fund), Application: wanted.Application.ID,
		Subject: wanted.Application.Applicant, Creditor: ledger.Creditor{Name: holder.Name, Account: wanted.Account},
		Amount: money.Amount(wanted.Amount), Remittance: string(wanted.Application.Service),
		PreparedBy: wanted.DecidedBy, ByRule: len(wanted.DecidedBy) == 0,
	})
	return err
}

// nationalNumber returns the number by which a bank knows a person.
func (n *Node) nationalNumber(ctx context.Context, of ident.Subject) (string, error) {
	holder, ok := of.Person()
	if !ok {
		return "", nil
	}
	known, err := n.People.Attributes(ctx, holder)
	return known.Number, err
}

// settled tells the application and the applicant what became of the payment.
func (n *Node) settled(ctx context.Context, _ job.Job, payload ledger.OrderJob) error {
	if payload.Application == "" {
		return nil
	}
	var order ledger.Order
	err := n.Ledger.Store.View(ctx, func(tx ledger.Reader) (err error) {
		order, err = tx.PaymentOrder(payload.Fund, payload.Order)
		return err
	})
	if err != nil {
		return err
	}
	if order.RejectedByBank() {
		return n.Casework.RejectPayment(ctx, payload.Application, payload.Order, order.Reason)
	}
	return n.Notices.Post(ctx, order.Subject, "payment.settled", payload.Application, string(payload.Order))
}

// output returns what a granted application writes into a register.
func (n *Node) output(ctx context.Context, id ident.Application) (register.Output, error) {
	wanted, err := n.Casework.Record(ctx, id)
	if err != nil {
		return register.Output{}, err
	}
	definition, err := n.Catalogue().Registers.Register(wanted.Register)
	if err != nil {
		return register.Output{}, err
	}
	values, err := field.Decode(field.TypeOf(definition.Fields), wanted.Values)
	return register.Output{
		Register: wanted.Register, Values: values, Reason: "application:" + string(id), By: journal.Actor{Component: "casework"},
		Service: wanted.Application.Service, Agency: wanted.Application.Agency,
	}, err
}

// prepareAgencies makes what a loaded catalogue needs: signing keys of the agencies, books of the funds.
func (n *Node) prepareAgencies(ctx context.Context, loaded *Catalogue) error {
	holders := []signature.Holder{signature.Node, LogHolder}
	for name := range loaded.Agencies {
		holders = append(holders, signature.OfAgency(name))
	}
	if _, err := n.Keys.Ensure(holders...); err != nil {
		return err
	}
	for fund, agency := range loaded.Funds {
		if _, err := n.Ledger.OpenFund(ctx, access.Actor{}, ident.Account("fund:"+fund), agency, n.Profile.Currency.Code); err != nil {
			return fmt.Errorf("opening the fund %s: %w", fund, err)
		}
	}
	return nil
}

// reload loads the catalogue anew; a failure leaves the old one in place.
func (n *Node) reload() {
	ctx := context.Background()
	if err := n.load(ctx); err != nil {
		n.config.Log.Error("loading the packs failed; the earlier ones stay in force", "error", err)
		return
	}
	n.beginIndicators(ctx)
}

// beginIndicators begins to count what is new among the indicators.
func (n *Node) beginIndicators(ctx context.Context) {
	if err := n.Indicators.Begin(ctx); err != nil && ctx.Err() == nil {
		n.config.Log.Error("beginning to count the indicators failed", "error", err)
	}
}

// follow loads the catalogue whenever another process has published.
func (n *Node) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.published:
			n.reload()
		}
	}
}

func (n *Node) openLog() error {
	log := query.For[transparency.Reader, transparency.Tx](n.store)
	if _, shared := n.DB.(store.Claims); shared {
		log = transparency.Elected(query.For[transparency.Reader, transparency.LeadTx](n.store), ident.Random[string](), n.DB.Now)
	}
	signer, err := transparency.RingSigner(n.Keys, LogHolder, n.Origin())
	if err != nil {
		return err
	}
	var witnesses []transparency.Witness
	for _, one := range n.config.Witnesses {
		key, err := c2sp.NewCosignatureVerifier(one.Key)
		if err != nil {
			return fmt.Errorf("the key of the witness %s: %w", one.URL, err)
		}
		witnesses = append(witnesses, witness.NewClient(one.URL, key, &http.Client{Timeout: 5 * time.Second}))
	}
	n.Sequencer, err = transparency.NewSequencer(transparency.Config{
		Store: log, Signer: signer, Witnesses: witnesses, Quorum: n.config.Quorum, Logger: n.config.Log, Indexed: n.Indicators.Wake,
	})
	if err != nil {
		return err
	}
	n.Log = transparency.NewLog(log)
	together := n.journal()
	n.trail = &reading.Trail{Store: together, Vault: n.Vault, Log: n.Log, Clock: n.config.Clock, Away: together.Away, Keeper: n.Profile.Supervision.Agency}
	n.DB.OnEvents(n.Sequencer.Wake)
	return nil
}

// Origin is the log's name: the installation's host and port, and "/log", or "/log/2" of the second and so on.
func (n *Node) Origin() string { return n.config.origin() }

func (c Config) origin() string {
	if c.LogNumber > 1 {
		return fmt.Sprintf("%s/log/%d", c.Site.Host, c.LogNumber)
	}
	return c.Site.Host + "/log"
}

// logVerifier returns what verifies the checkpoints of the log with the origin that the key has signed.
func logVerifier(origin string, key ed25519.PublicKey) (note.Verifier, error) {
	public, err := note.NewEd25519VerifierKey(origin, key)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(public)
}

// openDoubles starts the test doubles of the systems behind adapters, each on a loopback port of its own.
func (n *Node) openDoubles() error {
	for _, definition := range n.Catalogue().Registers.All() {
		if definition.Held != register.HeldAdapter {
			continue
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: adapter.NewDouble(definition.Adapter), ReadHeaderTimeout: 5 * time.Second}
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				n.config.Log.Error("a test double ended", "error", err)
			}
		}()
		n.closers = append(n.closers, server.Close)
		n.doubles[definition.Path] = "http://" + listener.Addr().String()
	}
	return nil
}

// Start begins the work in the background: jobs, the log, the counting of refusals. In a folder that was restored and not
// accepted yet nothing works.
func (n *Node) Start(ctx context.Context) {
	if _, restored := n.Restored(); restored {
		n.config.Log.Warn("the folder was restored from a backup: it is read-only until yagona restore accept")
		return
	}
	ctx, n.stop = context.WithCancel(ctx)
	run := func(what string, do func() error) {
		n.background.Go(func() {
			if err := do(); err != nil {
				n.config.Log.Error("work in the background ended", "work", what, "error", err)
			}
		})
	}
	n.beginIndicators(ctx)
	run("jobs", func() error { return n.Jobs.Run(ctx) })
	n.listen(ctx, run)
	n.background.Go(func() { n.Sequencer.Run(ctx) })
	n.background.Go(func() { n.Indicators.Run(ctx, n.config.Log) })
	n.background.Go(func() { n.tidy(ctx) })
	n.background.Go(func() { n.follow(ctx) })
	run("refusals", func() error { return n.Refusals.Run(ctx, time.Minute, n.config.Log) })
	n.Jobs.Wake()
	n.Sequencer.Wake()
}

// tidy forgets, once an hour, sessions and kept answers that are over.
func (n *Node) tidy(ctx context.Context) {
	every := time.NewTicker(time.Hour)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if _, err := n.Sessions.Tidy(ctx); err != nil {
				n.config.Log.Error("forgetting old sessions failed", "error", err)
			}
		}
	}
}

// Close ends the work in the background and closes the stores.
func (n *Node) Close() error {
	n.closing.Store(true)
	if n.stop != nil {
		n.stop()
	}
	n.background.Wait()
	var errs []error
	for _, closer := range n.closers {
		errs = append(errs, closer())
	}
	if n.DB != nil {
		errs = append(errs, n.DB.Close())
	}
	if n.subjectKeys != nil {
		errs = append(errs, n.subjectKeys.Close())
	}
	return errors.Join(errs...)
}
