package node_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/kernel/money"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/std/c2sp"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/store/storetest"
	"yagona/web/api"
	"yagona/web/witness"
)

// guarded is a demonstration in a folder, with a witness that outlives it.
type guarded struct {
	config  node.Config
	witness witness.Config
	watcher *witness.Server
	handler atomic.Pointer[http.Handler]
}

// watch starts the witness in place of the one that watched before.
func (g *guarded) watch(t *testing.T) {
	t.Helper()
	if g.watcher != nil {
		if err := g.watcher.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if g.watcher, err = witness.Open(g.witness); err != nil {
		t.Fatal(err)
	}
	handler := g.watcher.Handler()
	g.handler.Store(&handler)
}

// witnessKnows tells the witness of another key of the log.
func (g *guarded) witnessKnows(t *testing.T, key string) {
	t.Helper()
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	g.witness.Logs = append(g.witness.Logs, verifier)
	g.watch(t)
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	g := &guarded{config: node.Config{
		Folder: filepath.Join(t.TempDir(), "installation"), Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Quorum: 1,
	}}
	if err := os.MkdirAll(g.config.Folder, 0o700); err != nil {
		t.Fatal(err)
	}
	private, public, err := c2sp.GenerateCosigner(rand.Reader, "witness.example/1")
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := c2sp.NewCosigner(private, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := node.LogKey(g.config)
	if err != nil {
		t.Fatal(err)
	}
	log, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	g.witness = witness.Config{Folder: t.TempDir(), Cosigner: cosigner, Logs: []note.Verifier{log}, Logger: slog.New(slog.DiscardHandler)}
	g.watch(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*g.handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(func() {
		server.Close()
		if err := g.watcher.Close(); err != nil {
			t.Error(err)
		}
	})
	g.config.Witnesses = []node.Witness{{URL: server.URL, Key: public}}
	return g
}

// open opens the demonstration that lies in the folder now.
func (g *guarded) open(t *testing.T) *node.Node {
	t.Helper()
	n, err := node.OpenDemonstration(t.Context(), g.config, 40)
	if err != nil {
		t.Fatal(err)
	}
	n.Start(context.WithoutCancel(t.Context()))
	return n
}

// happen appends an event.
func happen(ctx context.Context, n *node.Node) error {
	return n.DB.Update(ctx, act.Platform, func(tx *query.Tx) error {
		_, err := journal.Append(tx, nil, journal.Event{Type: "test.happened", Actor: journal.Actor{Component: "test"}})
		return err
	})
}

// erase has two officers erase a resident.
func erase(t *testing.T, n *node.Node) ident.Person {
	t.Helper()
	resident, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	officers := officersOf(t, n)
	_, answer := ask(t, n, "POST", "/erasures", officers[0].Person, `{"subject": "`+string(resident.Subject())+`", "law": "illustrative act"}`)
	var proposed api.Erasure
	if err := json.Unmarshal(answer, &proposed); err != nil {
		t.Fatalf("proposing gives %s", answer)
	}
	if status, answer := ask(t, n, "POST", "/erasures/"+proposed.ID+"/confirm", officers[1].Person, ""); status != http.StatusOK {
		t.Fatalf("confirming gives %d %s", status, answer)
	}
	eventually(t, "the key is destroyed", func() bool {
		_, err := n.People.Attributes(t.Context(), resident)
		return fault.Is(err, fault.Erased)
	})
	return resident
}

// on returns where the databases are, if they are on a server.
func (g *guarded) on() node.Databases {
	return node.Databases{Database: g.config.Database, SubjectKeys: g.config.SubjectKeys}
}

func (g *guarded) backup(t *testing.T, to string) (database, keys string) {
	t.Helper()
	database, keys, err := node.Backup{
		Folder: g.config.Folder, On: g.on(), To: filepath.Join(to, "database"), Keys: filepath.Join(to, "subject-keys"), KeepKeys: time.Hour, Clock: time.Now,
	}.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return database, keys
}

// restore puts copies into a new folder, which is the installation's from then on.
func (g *guarded) restore(t *testing.T, database, keys, erased string) (erasedAgain int) {
	t.Helper()
	signing, old := filepath.Join(g.config.Folder, "keys"), g.config.Folder
	g.config.Folder = filepath.Join(t.TempDir(), "restored")
	erasedAgain, err := node.Restoration{
		Database: database, SubjectKeys: keys, Keys: signing, Erased: erased, Folder: g.config.Folder, Into: g.on(), Clock: time.Now,
		Revoked: filepath.Join(filepath.Dir(erased), "revoked-documents.json"),
	}.Put(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The demonstration's own files: who lives in it, and its simulated bank and payment system, which are no part of the
	// installation.
	for _, name := range []string{"demonstration.json", "bank.journal", "till.json"} {
		content, err := os.ReadFile(filepath.Join(old, name))
		if name == "till.json" && errors.Is(err, fs.ErrNotExist) {
			continue // nobody has paid a fee
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(g.config.Folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return erasedAgain
}

// ends closes the node and audits what it leaves: nothing is found.
func (g *guarded) ends(t *testing.T, n *node.Node) node.Report {
	t.Helper()
	published(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	report := verify(t, g.config.Folder)
	if report.Found != 0 {
		t.Errorf("the findings are %v", report.Findings)
	}
	return report
}

func TestABackupUnderLoadIsWholeAndGoesOnAfterItWasAccepted(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for ctx.Err() == nil {
				if err := happen(context.WithoutCancel(ctx), n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	during, _ := g.backup(t, t.TempDir())
	stop()
	load.Wait()
	published(t, n)
	last, lastKeys := g.backup(t, t.TempDir())
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	// A copy of a moment in the middle of work is whole by itself.
	report := verify(t, during, func(a *node.Audit) { a.Log = logKey(t, g.config.Folder) })
	if report.Found != 0 || report.Events == 0 {
		t.Errorf("the copy under load has %d events, and the findings are %v", report.Events, report.Findings)
	}

	g.restore(t, last, lastKeys, filepath.Join(filepath.Dir(last), "erased-subjects.json"))
	n = g.open(t)
	if err := happen(t.Context(), n); fault.Code(err) != "store.restored" {
		t.Errorf("a restored node that nobody accepted takes acts: %v", err)
	}
	if _, checks := asked(t, n, node.ReadyPath); len(checks) == 0 || !strings.Contains(strings.Join(checks, " "), "restored") {
		t.Errorf("it says that it is ready but for %v", checks)
	}
	page := httptest.NewRecorder()
	n.Handler.ServeHTTP(page, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if page.Code != http.StatusOK {
		t.Errorf("the public page gives %d", page.Code)
	}
	if _, err := n.Accept(t.Context(), node.Acceptance{Reason: " "}); err == nil {
		t.Error("it was accepted without a reason")
	}
	g.goesOn(t, n)
	if report := verify(t, g.config.Folder); report.Found != 0 {
		t.Errorf("the findings are %v", report.Findings)
	}
}

// goesOn accepts a restored installation of which nothing is lost, opens it again, and lets it go on and end.
func (g *guarded) goesOn(t *testing.T, n *node.Node) {
	t.Helper()
	lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"})
	if err != nil || len(lost) != 0 {
		t.Fatalf("accepting gives %v, %v", lost, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	if err := happen(t.Context(), n); err != nil {
		t.Fatalf("an accepted installation takes no acts: %v", err)
	}
	published(t, n) // the witness cosigns: the log continues what it saw
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnOldBackupStartsReadOnlyNamesWhatIsLostAndKeepsTheErasedErased(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	to := t.TempDir()
	old, oldKeys := g.backup(t, to)
	resident := erase(t, n)
	for range 3 {
		if err := happen(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	published(t, n)
	status, err := n.Sequencer.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // backups are named by the second
	g.backup(t, to)         // its database is lost; the list of the erased is not
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if again := g.restore(t, old, oldKeys, filepath.Join(to, "database", "erased-subjects.json")); again != 1 {
		t.Errorf("%d were erased again", again)
	}
	n = g.open(t)
	defer n.Close()
	if _, err := n.People.Attributes(t.Context(), resident); !fault.Is(err, fault.Erased) {
		t.Errorf("who was erased is back: %v", err)
	}
	lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "nothing newer is left", DespiteUnknown: true})
	if err == nil {
		t.Error("it serves although the witness knows more than it does")
	}
	named := map[string]string{}
	for _, one := range lost {
		named[one.Kind] += one.What
	}
	if !strings.Contains(named["erasure"], string(resident.Subject())) || !strings.HasPrefix(named["log"], "the events at the log's indexes ") ||
		!strings.Contains(named["log"], " to ") || len(lost) != 2 {
		t.Errorf("lost is %v", lost)
	}
	sizes, failures, err := n.Sequencer.WitnessedSizes(t.Context())
	if err != nil || len(failures) != 0 || sizes["witness.example/1"] != status.Indexed {
		t.Errorf("the witness knows %v entries (%v, %v), there were %d", sizes, failures, err, status.Indexed)
	}
	if err := happen(t.Context(), n); fault.Code(err) != "store.restored" {
		t.Errorf("it takes acts: %v", err)
	}
}

// checkpointOf returns the published checkpoint of a node's log.
func checkpointOf(t *testing.T, n *node.Node) []byte {
	t.Helper()
	signed, err := n.Log.Resource(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestWhatTheWitnessesKnowAndNobodyHasAnyMoreEndsTheLog restores a copy that is older than what was published. The log of
// that name never goes on; a new one begins with what is left, declares what is lost, and is cosigned.
func TestWhatTheWitnessesKnowAndNobodyHasAnyMoreEndsTheLog(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	old, oldKeys := g.backup(t, t.TempDir())
	kept, err := n.Sequencer.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := happen(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	published(t, n)
	newest := checkpointOf(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	g.restore(t, old, oldKeys, filepath.Join(filepath.Dir(old), "erased-subjects.json"))

	// A log without witnesses is known by the checkpoint that somebody kept.
	guarded := g.config
	g.config.Witnesses, g.config.Quorum = nil, 0
	n = g.open(t)
	lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill", DespiteUnknown: true, Kept: node.Kept{Checkpoint: newest}})
	if err == nil || !strings.Contains(err.Error(), "raise log-number") || !strings.Contains(err.Error(), "the checkpoint that was kept knows the events at the log's indexes ") {
		t.Errorf("what a kept checkpoint knows and the copy does not gives %v, %v", lost, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	g.config = guarded

	// The witness has to know the new log before anything is accepted.
	g.config.LogNumber = 2
	n = g.open(t)
	if _, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"}); err == nil || !strings.Contains(err.Error(), "give it the log's new key") {
		t.Errorf("a log that the witness does not know gives %v", err)
	}
	key, err := node.LogKey(g.config)
	if err != nil {
		t.Fatal(err)
	}
	g.witnessKnows(t, key)
	accept := node.Acceptance{Reason: "a drill", Kept: node.Kept{Checkpoint: newest}}
	mark := g.mark(t)
	lost, err = n.Accept(t.Context(), accept)
	if err != nil || len(lost) != 2 || lost[0].Kind != "log" || lost[1].Kind != "log" {
		t.Fatalf("accepting gives %v, %v", lost, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	g.killedBeforeTheMarkWasRemoved(t, mark, accept)
	unserved, err := node.OpenCopy(t.Context(), g.config.Folder, g.on())
	if err != nil {
		t.Fatal(err)
	}
	audit := unserved.Audit()
	if _, err := audit.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "no published checkpoint") {
		t.Errorf("before the new log's first checkpoint, the audit gives %v", err)
	}
	unserved.Close()
	n = g.open(t)
	published(t, n)
	now, err := c2sp.Unverified(checkpointOf(t, n))
	if err != nil || now.Origin != g.config.Site.Host+"/log/2" || now.Tree.N <= kept.Indexed {
		t.Errorf("the new log is %+v (%v), the copy had %d entries", now, err, kept.Indexed)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, with := range []func(*node.Audit){func(a *node.Audit) { a.Log = verifier }, func(*node.Audit) {}} {
		if report := verify(t, g.config.Folder, with); report.Found != 0 {
			t.Errorf("the findings are %v", report.Findings)
		}
	}

	// Restored once more from the same copy, the second log's name is taken, too: the witness says so.
	g.restore(t, old, oldKeys, filepath.Join(filepath.Dir(old), "erased-subjects.json"))
	n = g.open(t)
	defer n.Close()
	if _, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"}); err == nil || !strings.Contains(err.Error(), "take a higher log-number") {
		t.Errorf("a log under a name that was used gives %v", err)
	}
}

// mark returns the mark of the restoration in the folder.
func (g *guarded) mark(t *testing.T) []byte {
	t.Helper()
	mark, err := os.ReadFile(filepath.Join(g.config.Folder, "restored.json"))
	if err != nil {
		t.Fatal(err)
	}
	return mark
}

// killedBeforeTheMarkWasRemoved puts the mark back of a restoration that was accepted: the same command removes it and does
// nothing else.
func (g *guarded) killedBeforeTheMarkWasRemoved(t *testing.T, mark []byte, accept node.Acceptance) {
	t.Helper()
	path := filepath.Join(g.config.Folder, "restored.json")
	if err := os.WriteFile(path, mark, 0o600); err != nil {
		t.Fatal(err)
	}
	g.config.LogNumber++
	n := g.open(t)
	if _, err := n.Accept(t.Context(), accept); err == nil || !strings.Contains(err.Error(), "write its log-number") {
		t.Errorf("another log than what was accepted gives %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	g.config.LogNumber--
	n = g.open(t)
	if lost, err := n.Lost(t.Context(), accept.Kept); err == nil || !strings.Contains(err.Error(), "accepted already") {
		t.Errorf("checking what was accepted gives %v, %v", lost, err)
	}
	if lost, err := n.Accept(t.Context(), accept); err != nil || len(lost) != 0 {
		t.Errorf("accepting what was accepted gives %v, %v", lost, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mark is still there: %v", err)
	}
	if acceptances := acceptances(t, n); acceptances != 1 {
		t.Errorf("it was journaled %d times", acceptances)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

// acceptances counts how often the journal says that a restoration was accepted.
func acceptances(t *testing.T, n *node.Node) (found int) {
	t.Helper()
	err := n.DB.View(t.Context(), func(tx *query.Tx) error {
		events, err := tx.EventsUnder(act.Platform, 1000)
		found = 0
		for _, event := range events {
			if strings.Contains(string(event.Header), `"type":"installation.restored"`) {
				found++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// begunAnew gives the configuration the next log, of which the witness knows.
func (g *guarded) begunAnew(t *testing.T) {
	t.Helper()
	g.config.LogNumber = 2
	key, err := node.LogKey(g.config)
	if err != nil {
		t.Fatal(err)
	}
	g.witnessKnows(t, key)
}

// payment is what the youth fund owes a resident.
func payment(t *testing.T, n *node.Node, amount money.Amount) ledger.Instruction {
	t.Helper()
	resident, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	known, err := n.People.Attributes(t.Context(), resident)
	if err != nil {
		t.Fatal(err)
	}
	for number, account := range n.SimulatedBank().Accounts {
		if account.NationalNumber == known.Number && !account.Closed {
			return ledger.Instruction{
				ID: ident.Random[ident.Order](), Fund: "fund:youth-fund", Subject: resident.Subject(), Amount: amount,
				Creditor: ledger.Creditor{Name: known.Name, Account: number}, Remittance: "test", ByRule: true,
			}
		}
	}
	t.Fatal("the resident has no account")
	return ledger.Instruction{}
}

// becomes prepares the order unless it is there, and waits until it has the state.
func becomes(t *testing.T, n *node.Node, in ledger.Instruction, wanted ledger.OrderState) {
	t.Helper()
	order, err := n.Ledger.Prepare(t.Context(), journal.Actor{Component: "test"}, in)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the order is "+string(wanted), func() bool {
		err := n.Ledger.Store.View(t.Context(), func(tx ledger.Reader) (err error) {
			order, err = tx.PaymentOrder(in.Fund, in.ID)
			return err
		})
		return err == nil && order.State == wanted
	})
}

// release lets a treasurer release the order.
func release(t *testing.T, n *node.Node, in ledger.Instruction) {
	t.Helper()
	treasurer := access.Actor{
		Person: ident.Random[ident.Person](), Appointment: &access.Appointment{Role: access.Treasurer, Agency: "youth-agency", Territory: "uz"},
	}
	if _, err := n.Ledger.Release(t.Context(), treasurer, in.Fund, in.ID); err != nil {
		t.Fatal(err)
	}
	becomes(t, n, in, ledger.Confirmed)
}

// TestWhatTheBankHasPaidSinceTheCopyIsNotPaidAgain restores a copy from before a release and before a whole order. Both
// payments are named; what is decided once more afterwards is paid by them.
func TestWhatTheBankHasPaidSinceTheCopyIsNotPaidAgain(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	released, whole := payment(t, n, 150_000_00), payment(t, n, 70_000_00)
	becomes(t, n, released, ledger.Verified)
	published(t, n)
	old, oldKeys := g.backup(t, t.TempDir())
	release(t, n, released)
	becomes(t, n, whole, ledger.Verified)
	release(t, n, whole)
	published(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	g.restore(t, old, oldKeys, filepath.Join(filepath.Dir(old), "erased-subjects.json"))
	g.begunAnew(t)
	n = g.open(t)
	n.SimulatedBank().Fault = func(context.Context, bank.Moment, ledger.EndToEndID) error { return errors.New("closed on Sundays") }
	lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"})
	if err == nil || !strings.Contains(err.Error(), "it is not known what the bank has paid since (the bank does not say: closed on Sundays)") {
		t.Errorf("without the bank's word accepting gives %v, %v", lost, err)
	}
	n.SimulatedBank().Fault = nil
	lost, err = n.Accept(t.Context(), node.Acceptance{Reason: "a drill"})
	named := ""
	for _, one := range lost {
		named += one.Kind + " " + one.What + "\n"
	}
	for _, in := range []ledger.Instruction{released, whole} {
		if err != nil || !strings.Contains(named, "payment the payment of order "+string(in.ID)+" from fund:youth-fund\n") {
			t.Errorf("lost are %v (%v), not the payment of %s", named, err, in.ID)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	becomes(t, n, released, ledger.Confirmed)
	again := payment(t, n, whole.Amount)
	becomes(t, n, again, ledger.Confirmed)
	another := payment(t, n, whole.Amount)
	becomes(t, n, another, ledger.Verified)
	if paid := n.SimulatedBank().Paid(); len(paid) != 2 {
		t.Errorf("the bank paid %v", paid)
	}
	g.ends(t, n)
}

// TestFeesThatWerePaidSinceTheCopyAreBookedOrGivenBack restores a copy from before three fees were paid or given back: one of an
// application that the copy has, one of an application that it does not have, one that was given back since. The payment
// system names each, and none is taken twice or given back twice.
func TestFeesThatWerePaidSinceTheCopyAreBookedOrGivenBack(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	who := resident(t, n)
	kept, withdrawn := applied(t, n, who[0], 4), applied(t, n, who[1], 5)
	payFee(t, n, withdrawn)
	isPaid(t, n, withdrawn)
	published(t, n)
	old, oldKeys := g.backup(t, t.TempDir())
	payFee(t, n, kept)
	isPaid(t, n, kept)
	later := applied(t, n, who[2], 6)
	payFee(t, n, later)
	revision := feeOf(t, n, withdrawn).Application.Revision
	if _, err := n.Casework.Withdraw(t.Context(), access.Actor{Person: who[1]}, withdrawn, revision); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the fee is given back", func() bool { return !feeOf(t, n, withdrawn).Returned.IsZero() })
	published(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	g.restore(t, old, oldKeys, filepath.Join(filepath.Dir(old), "erased-subjects.json"))
	g.begunAnew(t)
	n = g.open(t)
	n.SimulatedTill().Fault = func(context.Context) error { return errors.New("closed on Sundays") }
	if lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"}); err == nil || !strings.Contains(err.Error(), "which fees were paid since (the payment system does not say: closed on Sundays)") {
		t.Errorf("without the payment system's word accepting gives %v, %v", lost, err)
	}
	n.SimulatedTill().Fault = nil
	lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"})
	if err != nil {
		t.Fatal(err)
	}
	named := ""
	for _, one := range lost {
		named += one.Kind + " " + one.What + "\n"
	}
	for _, wanted := range []string{
		"fee the fee of application " + string(kept) + ", land/boundary-marking; it is booked\n",
		"fee the fee of application " + string(later) + ", land/boundary-marking; the copy has nothing that it could be for: it is given back\n",
		"fee that the fee of application " + string(withdrawn) + ", land/boundary-marking, was given back\n",
	} {
		if !strings.Contains(named, wanted) {
			t.Errorf("lost is %q, without %q", named, wanted)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	isPaid(t, n, kept)
	eventually(t, "what was given back is settled", func() bool {
		fee := feeOf(t, n, withdrawn)
		return fee.Back == casework.BackFound && !fee.Returned.IsZero()
	})
	eventually(t, "what is for nothing is given back", func() bool {
		collected, err := n.SimulatedTill().Collected(t.Context(), time.Time{})
		if err != nil || len(collected) != 3 {
			t.Fatal(collected, err)
		}
		for _, one := range collected {
			if one.Application == later {
				return !one.Returned.IsZero()
			}
		}
		return false
	})
	err = n.Ledger.Store.View(t.Context(), func(tx ledger.Reader) error {
		suspense, err := tx.LedgerAccount(ledger.SuspenseOf("fund:cadastre-fund"))
		if wanted := money.Amount(feeOf(t, n, kept).Amount); suspense.Balance != (ledger.Balance{Posted: wanted}) {
			t.Errorf("in suspense stands %+v, not %d", suspense.Balance, wanted)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if report := g.ends(t, n); report.Funds == 0 {
		t.Error("no book was audited")
	}
}

// resident returns three adults of the demonstration.
func resident(t *testing.T, n *node.Node) (who []ident.Person) {
	t.Helper()
	for _, about := range []demo.Persona{demo.Jobless, demo.Pensioner, demo.Worker} {
		one, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(about)))
		if err != nil {
			t.Fatal(err)
		}
		who = append(who, one)
	}
	return who
}

// applied sends an application for boundaries, and lets the payment system know of its fee.
func applied(t *testing.T, n *node.Node, who ident.Person, points int) ident.Application {
	t.Helper()
	status, answer := ask(t, n, "POST", "/applications", who, fmt.Sprintf(`{"service": "land/boundary-marking", "answers": {"points": %d}, "send": true}`, points))
	var receipt api.Receipt
	if err := json.Unmarshal(answer, &receipt); err != nil || status != http.StatusCreated {
		t.Fatalf("applying gives %d %s", status, answer)
	}
	id := receipt.Application.ID
	if status, answer := ask(t, n, "POST", "/applications/"+string(id)+"/fee", who, ""); status != http.StatusOK {
		t.Fatalf("asking for the fee gives %d %s", status, answer)
	}
	return id
}

// payFee pays a fee on the payment system's page.
func payFee(t *testing.T, n *node.Node, id ident.Application) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/demo-payment/"+string(id), strings.NewReader(""))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	recorder := httptest.NewRecorder()
	n.Handler.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusSeeOther {
		t.Fatalf("paying gives %d %s", recorder.Code, recorder.Body)
	}
}

// feeOf returns the fee of an application.
func feeOf(t *testing.T, n *node.Node, id ident.Application) casework.Charged {
	t.Helper()
	fee, err := n.Casework.Fee(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return fee
}

// isPaid waits until an application counts as paid.
func isPaid(t *testing.T, n *node.Node, id ident.Application) {
	t.Helper()
	eventually(t, "the application is paid", func() bool { return !feeOf(t, n, id).Paid.IsZero() })
}

// certificate issues an invented certificate to a resident.
func certificate(t *testing.T, n *node.Node) ident.Document {
	t.Helper()
	resident, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	id := ident.New[ident.Document](time.Now())
	text := document.Text{
		Language: "en", Agency: "Example agency", Title: "Example certificate", Contest: "Contest it.", Basis: []string{"An example"},
		Headings: document.Headings{
			Number: "Number", Issued: "Issued", Until: "Until", Reasons: "Reasons", Basis: "Basis", Contest: "Contest", Check: "Check", Authoritative: "Authoritative",
		},
	}
	prepared, err := n.Documents.Prepare(t.Context(), document.Draft{
		Content: document.Content{
			ID: id, Type: "certificate", Service: "youth/certificate", Agency: "youth-agency", Authoritative: "en", Texts: []document.Text{text},
			Link: "https://example.org/verify/" + string(id), Until: time.Now().UTC().Truncate(time.Second).AddDate(1, 0, 0),
		},
		Subject: resident.Subject(), Date: func(_ string, at time.Time) string { return at.Format(time.DateOnly) },
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := n.Vault.Open(t.Context(), resident.Subject())
	if err != nil {
		t.Fatal(err)
	}
	err = n.DB.Update(t.Context(), act.Of(resident.Subject()), func(tx *query.Tx) error {
		return document.Issue(tx, sealer, journal.Actor{Component: "test"}, prepared)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// signedRevocations returns the list of revocations as it is published at the time.
func signedRevocations(t *testing.T, n *node.Node, at time.Time) []byte {
	t.Helper()
	list, err := n.Documents.Revocations(t.Context(), at, at.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	token, err := list.Sign(t.Context(), n.Ring)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestWhatWasRevokedSinceTheCopyIsRevokedAgain restores a copy from before two documents were revoked, one of which was issued
// later than the copy; one revocation is on the list beside the copies, one on a list that somebody kept.
func TestWhatWasRevokedSinceTheCopyIsRevokedAgain(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	kept := certificate(t, n)
	published(t, n)
	to := t.TempDir()
	old, oldKeys := g.backup(t, to)
	before := signedRevocations(t, n, time.Now().Add(-time.Hour))
	later := certificate(t, n)
	for _, id := range []ident.Document{kept, later} {
		if err := n.Documents.Revoke(t.Context(), journal.Actor{Component: "test"}, id, document.Reason{Text: "A drill."}); err != nil {
			t.Fatal(err)
		}
		if id == kept {
			time.Sleep(time.Second) // backups are named by the second
			g.backup(t, to)         // its database is lost; the list of the revoked is not
		}
	}
	token := signedRevocations(t, n, time.Now())
	published(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	g.restore(t, old, oldKeys, filepath.Join(to, "database", "erased-subjects.json"))
	g.begunAnew(t)
	n = g.open(t)
	lost, err := n.Lost(t.Context(), node.Kept{})
	if err != nil || len(lost) != 2 || lost[1].Kind != "revocation" || !strings.HasSuffix(lost[1].What, string(kept)) {
		t.Errorf("without a list that somebody kept, lost are %v (%v)", lost, err)
	}
	if _, err := n.Lost(t.Context(), node.Kept{Revocations: token[:len(token)-1]}); fault.Code(err) != "document.untrusted" {
		t.Errorf("a list that nobody signed gives %v", err)
	}
	if lost, err := n.Lost(t.Context(), node.Kept{Revocations: before}); err == nil || !strings.Contains(err.Error(), "older than the copy") {
		t.Errorf("a list from before the copy gives %v, %v", lost, err)
	}
	lost, err = n.Accept(t.Context(), node.Acceptance{Reason: "a drill", Kept: node.Kept{Revocations: token}})
	if err != nil || len(lost) != 3 {
		t.Fatalf("accepting gives %v, %v", lost, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	again, err := n.Documents.Revocations(t.Context(), time.Now(), time.Now().Add(time.Hour))
	if err != nil || len(again.Revoked) != 2 {
		t.Errorf("the published list has %v (%v)", again.Revoked, err)
	}
	if standing, err := n.Documents.Standing(t.Context(), kept, time.Now()); err != nil || standing.State != document.Revoked {
		t.Errorf("the document that is left is %v (%v)", standing, err)
	}
	g.ends(t, n)
}

// TestALogThatLostNothingKeepsItsName refuses a new log where none is needed.
func TestALogThatLostNothingKeepsItsName(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	database, keys := g.backup(t, t.TempDir())
	g.restore(t, database, keys, filepath.Join(filepath.Dir(database), "erased-subjects.json"))
	g.config.LogNumber = 2
	n = g.open(t)
	if _, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"}); err == nil || !strings.Contains(err.Error(), "has lost nothing") {
		t.Errorf("a new log that nobody needs gives %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	g.config.LogNumber = 0
	g.goesOn(t, g.open(t))
}

func TestCopiesOfTheSubjectsKeysAreShortLived(t *testing.T) {
	g := newGuarded(t)
	if err := g.open(t).Close(); err != nil {
		t.Fatal(err)
	}
	to, now := t.TempDir(), time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	backup := node.Backup{
		Folder: g.config.Folder, To: filepath.Join(to, "database"), Keys: filepath.Join(to, "keys"), KeepKeys: 48 * time.Hour,
		Clock: func() time.Time { return now },
	}
	for range 4 {
		if _, _, err := backup.Make(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(24 * time.Hour)
	}
	for folder, wanted := range map[string]int{"database": 4, "keys": 3} {
		found, err := filepath.Glob(filepath.Join(to, folder, "2*"))
		if err != nil || len(found) != wanted {
			t.Errorf("of %s there are %d copies, not %d: %v", folder, len(found), wanted, err)
		}
	}
	backup.Keys = backup.To
	if _, _, err := backup.Make(t.Context()); err == nil {
		t.Error("the keys were copied beside the database")
	}
}

// TestAnInstallationOnAServerIsCopiedAndRestored copies an installation whose databases are on a server under load, audits
// the copy, and restores it into other databases: every process that opens them is read-only until somebody accepts it.
func TestAnInstallationOnAServerIsCopiedAndRestored(t *testing.T) {
	g := newGuarded(t)
	g.config.Database, g.config.SubjectKeys = storetest.EmptyURL(t), storetest.EmptyURL(t)
	n := g.open(t)
	published(t, n)
	to := t.TempDir()
	_, oldKeys := g.backup(t, to)
	resident := erase(t, n)
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for ctx.Err() == nil {
				if err := happen(context.WithoutCancel(ctx), n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	time.Sleep(time.Second) // backups are named by the second
	during, _ := g.backup(t, to)
	stop()
	load.Wait()
	published(t, n)
	time.Sleep(time.Second)
	last, _ := g.backup(t, to)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, during, func(a *node.Audit) { a.Log = g.witness.Logs[0] }); report.Found != 0 || report.Events == 0 {
		t.Errorf("the copy under load has %d events, and the findings are %v", report.Events, report.Findings)
	}

	// Into databases that are in use nothing is restored, and nothing there is touched.
	folder := g.config.Folder
	into := node.Restoration{
		Database: last, SubjectKeys: oldKeys, Keys: filepath.Join(folder, "keys"), Erased: filepath.Join(to, "database", "erased-subjects.json"),
		Folder: filepath.Join(t.TempDir(), "elsewhere"), Into: g.on(), Clock: time.Now,
	}
	if _, err := into.Put(t.Context()); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("restoring into databases in use gives %v", err)
	}
	n = g.open(t)
	if err := happen(t.Context(), n); err != nil {
		t.Errorf("the databases in use take no acts any more: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}

	time.Sleep(time.Second)
	last, _ = g.backup(t, to)
	g.config.Database, g.config.SubjectKeys = storetest.EmptyURL(t), storetest.EmptyURL(t)
	if again := g.restore(t, last, oldKeys, filepath.Join(to, "database", "erased-subjects.json")); again != 1 {
		t.Errorf("%d were erased again", again)
	}
	n, second := g.open(t), g.open(t)
	for _, process := range []*node.Node{n, second} {
		if err := happen(t.Context(), process); fault.Code(err) != "store.restored" {
			t.Errorf("a process takes acts that nobody accepted: %v", err)
		}
		if _, err := process.People.Attributes(t.Context(), resident); !fault.Is(err, fault.Erased) {
			t.Errorf("who was erased is back: %v", err)
		}
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	server, ok := n.DB.(interface {
		Note(ctx context.Context) (string, error)
		SetNote(ctx context.Context, note string) error
	})
	if !ok {
		t.Fatal("the database carries no mark")
	}
	mark, err := server.Note(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if lost, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"}); err != nil || len(lost) != 0 {
		t.Fatalf("accepting gives %v, %v", lost, err)
	}
	if err := server.SetNote(t.Context(), mark); err != nil { // as if the process had ended before it removed the mark
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	g.goesOn(t, n)
	n = g.open(t)
	if found := acceptances(t, n); found != 1 {
		t.Errorf("it was journaled %d times", found)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := node.OpenCopy(t.Context(), g.config.Folder, g.on())
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	audit := copied.Audit()
	if report, err := audit.Verify(t.Context()); err != nil || report.Found != 0 || report.Parts == 0 {
		t.Errorf("the audit of %d parts gives %v, %v", report.Parts, report.Findings, err)
	}
}

// TestAFileThatSomethingElseHasCopiedIsRestored restores a database that came without word of what it holds, as Litestream
// gives it back, with a copy of the subjects' keys alone.
func TestAFileThatSomethingElseHasCopiedIsRestored(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	copies := t.TempDir()
	someone, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	database, _ := g.backup(t, copies)
	wanted := n.DB.(interface{ LastAct() time.Time }).LastAct()
	alone := node.Backup{Folder: g.config.Folder, Keys: filepath.Join(copies, "alone"), KeepKeys: time.Hour, Clock: time.Now}
	none, keys, err := alone.Make(t.Context())
	if err != nil || none != "" {
		t.Fatalf("a copy of the keys alone gives %q, %v", none, err)
	}
	if err := errors.Join(n.Close(), os.Remove(filepath.Join(database, "backup.json"))); err != nil {
		t.Fatal(err)
	}
	// Somebody is in the database, and was taken up after another copy of the keys.
	older, whole := t.TempDir(), g.config
	if err := os.CopyFS(older, os.DirFS(keys)); err != nil {
		t.Fatal(err)
	}
	one, err := sqlite.OpenFile(filepath.Join(older, "subject-keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = one.ExecContext(t.Context(), `DELETE FROM subject_key WHERE subject = $1`, someone.Subject())
	if err := errors.Join(err, one.Close()); err != nil {
		t.Fatal(err)
	}
	g.restore(t, database, older, filepath.Join(copies, "database", "erased-subjects.json"))
	n = g.open(t)
	lost, err := n.Lost(t.Context(), node.Kept{})
	if err != nil || len(lost) != 1 || lost[0].Kind != "key" || !strings.Contains(lost[0].What, "the keys: 1") {
		t.Errorf("a lost key is named as %v, %v", lost, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	g.config = whole
	g.restore(t, database, keys, filepath.Join(copies, "database", "erased-subjects.json"))
	n = g.open(t)
	if lost, err := n.Lost(t.Context(), node.Kept{}); err != nil || len(lost) != 0 {
		t.Errorf("with a newer copy of the keys %v is lost, %v", lost, err)
	}
	manifest, restored := n.Restored()
	if !restored || manifest.LastAct.After(wanted) || manifest.LastAct.IsZero() || manifest.Made.Before(manifest.LastAct.Truncate(time.Second)) {
		t.Errorf("it is restored: %t, from %+v; the last act was at %s", restored, manifest, wanted)
	}
	if _, err := n.Accept(t.Context(), node.Acceptance{Reason: "a drill"}); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	g.ends(t, n)
	if _, err := (node.Restoration{Database: t.TempDir(), Keys: filepath.Join(g.config.Folder, "keys"), Folder: filepath.Join(t.TempDir(), "r"), Clock: time.Now}).Put(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without a database is restored: %v", err)
	}
}
