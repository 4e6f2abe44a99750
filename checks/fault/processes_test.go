package fault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/rpc"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/country"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/ledger/bank"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/std/c2sp"
	"yagona/store/storetest"
	"yagona/web/provider"
	"yagona/web/witness"
)

// processVariable makes the test binary a process that serves, as its value says.
const processVariable = "YAGONA_FAULT_PROCESS"

// processConfig says what a process serves: what `yagona serve` reads from its configuration, and who plays the bank.
type processConfig struct {
	Folder, Database, SubjectKeys, Site string
	Witnesses                           []node.Witness
	Bank                                string // the address of its bank
	Today                               demonstrationDay
	LogNumber                           int
}

// demonstrationDay makes the same people in every process.
type demonstrationDay = node.Demonstration

func (c processConfig) node() (node.Config, *demo.Population, error) {
	site, err := url.Parse(c.Site)
	if err != nil {
		return node.Config{}, nil, err
	}
	profile, err := country.Load(uz.Files)
	if err != nil {
		return node.Config{}, nil, err
	}
	population, err := demo.Generate(c.Today.Seed, profile, c.Today.Today, c.Today.Size)
	if err != nil {
		return node.Config{}, nil, err
	}
	return node.Config{
		Folder: c.Folder, Database: c.Database, SubjectKeys: c.SubjectKeys, Site: site, Country: uz.Files, Packs: packs.All(),
		Witnesses: c.Witnesses, Quorum: len(c.Witnesses), Demonstration: true, People: everybody{population}, Bank: distantBank{c.Bank},
		Clock: time.Now, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Secrets: map[string]string{"social-agency": "test"}, LogNumber: c.LogNumber,
	}, population, nil
}

// everybody may sign in.
type everybody struct{ *demo.Population }

func (everybody) Search(context.Context, string, int) ([]provider.Person, error) { return nil, nil }

func (e everybody) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	at := slices.IndexFunc(e.People, func(one demo.Person) bool { return one.Number == number })
	if at < 0 {
		return provider.Person{}, false, nil
	}
	return provider.Person{Number: number, Name: e.People[at].Name()}, true, nil
}

// serveAsProcess serves until it is killed or asked to end.
func serveAsProcess(encoded string) error {
	var c processConfig
	if err := json.Unmarshal([]byte(encoded), &c); err != nil {
		return err
	}
	config, _, err := c.node()
	if err != nil {
		return err
	}
	opened, err := node.Open(context.Background(), config)
	if err != nil {
		return err
	}
	opened.Start(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("ready %s\n", listener.Addr())
	server := &http.Server{Handler: opened.Handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends with whoever started it
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return opened.Close()
}

// distantBank is a bank in another process.
type distantBank struct{ address string }

func (b distantBank) call(method string, message, answer any) error {
	client, err := rpc.Dial("tcp", b.address)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Call("Bank."+method, message, answer)
}

// Verify implements ledger.Bank.
func (b distantBank) Verify(_ context.Context, request ledger.IdentificationVerificationRequest) (report ledger.IdentificationVerificationReport, err error) {
	return report, b.call("Verify", request, &report)
}

// Send implements ledger.Bank.
func (b distantBank) Send(_ context.Context, message ledger.CreditTransfer) (report ledger.Report, err error) {
	return report, b.call("Send", message, &report)
}

// State implements ledger.Bank.
func (b distantBank) State(_ context.Context, id ledger.EndToEndID) (report ledger.Report, err error) {
	return report, b.call("State", id, &report)
}

// Statement implements ledger.Bank.
func (b distantBank) Statement(_ context.Context, since time.Time) (statement []ledger.Executed, err error) {
	return statement, b.call("Statement", since, &statement)
}

// bankServer lets other processes reach a bank.
type bankServer struct{ bank *bank.Bank }

// Verify is ledger.Bank's.
func (s bankServer) Verify(request ledger.IdentificationVerificationRequest, report *ledger.IdentificationVerificationReport) (err error) {
	*report, err = s.bank.Verify(context.Background(), request)
	return err
}

// Send is ledger.Bank's.
func (s bankServer) Send(message ledger.CreditTransfer, report *ledger.Report) (err error) {
	*report, err = s.bank.Send(context.Background(), message)
	return err
}

// State is ledger.Bank's.
func (s bankServer) State(id ledger.EndToEndID, report *ledger.Report) (err error) {
	*report, err = s.bank.State(context.Background(), id)
	return err
}

// Statement is ledger.Bank's.
func (s bankServer) Statement(since time.Time, statement *[]ledger.Executed) (err error) {
	*statement, err = s.bank.Statement(context.Background(), since)
	return err
}

// cluster is an installation of several processes on one database, behind a balancer.
type cluster struct {
	*installation
	config    processConfig
	processes []*serving
	nextLog   string       // the key of the log that would begin after a loss
	cosigned  atomic.Int64 // how often a witness was asked to cosign
}

// serving is one of the processes.
type serving struct {
	process *exec.Cmd
	input   io.Closer
	output  *lines
	ended   chan struct{}
	address atomic.Pointer[string] // nil: it does not serve
}

// newCluster makes the people and starts the processes, on databases of their own.
func newCluster(t *testing.T, people, processes int) *cluster {
	t.Helper()
	return newClusterOn(t, storetest.ServerURL(t), storetest.EmptyURL(t), people, processes)
}

func newClusterOn(t *testing.T, database, subjectKeys string, people, processes int) *cluster {
	t.Helper()
	c := &cluster{installation: install(t, t.TempDir(), people)}
	t.Cleanup(func() {
		if t.Failed() {
			for i, one := range c.processes {
				t.Logf("process %d says:\n%s", i, one.output)
			}
		}
	})
	profile, err := country.Load(uz.Files)
	if err != nil {
		t.Fatal(err)
	}
	c.config = processConfig{
		Folder: c.folder, Database: database, SubjectKeys: subjectKeys, Site: "http://" + c.address,
		Today: node.Demonstration{Seed: 1, Today: profile.Calendar.Date(time.Now()), Size: people},
	}
	c.databases = []string{"--database", c.config.Database, "--subject-keys", c.config.SubjectKeys}
	c.startBank()
	config, population, err := c.config.node()
	if err != nil {
		t.Fatal(err)
	}
	if c.running.LogKey, err = node.LogKey(config); err != nil {
		t.Fatal(err)
	}
	next := config
	next.LogNumber = 2 // the witnesses are ready for a log that goes on after a loss
	if c.nextLog, err = node.LogKey(next); err != nil {
		t.Fatal(err)
	}
	c.startWitnesses()
	config.Witnesses, config.Quorum = c.config.Witnesses, len(c.config.Witnesses)
	c.population = population
	seeding, err := node.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	var funds []ident.Account
	for fund := range seeding.Catalogue().Funds {
		funds = append(funds, ident.Account("fund:"+fund))
	}
	slices.Sort(funds)
	err = population.Seed(t.Context(), demo.Keepers{
		Vault: seeding.Vault, People: seeding.People, Registers: seeding.Registers, Office: seeding.Office, Ledger: seeding.Ledger,
	}, funds)
	if err := errors.Join(err, seeding.Close()); err != nil {
		t.Fatal(err)
	}
	c.balance()
	for range processes {
		c.processes = append(c.processes, &serving{})
	}
	t.Cleanup(func() {
		for _, one := range c.processes {
			one.kill(syscall.SIGKILL)
		}
	})
	for _, one := range c.processes {
		c.launch(one)
	}
	for _, one := range c.processes {
		c.await(one)
	}
	return c
}

func (c *cluster) startBank() {
	c.t.Helper()
	_, population, err := c.config.node()
	if err != nil {
		c.t.Fatal(err)
	}
	kept, err := bank.Open(filepath.Join(c.folder, "bank.journal"), time.Now)
	if err != nil {
		c.t.Fatal(err)
	}
	kept.OpenAccounts(population.Accounts())
	server := rpc.NewServer()
	if err := server.RegisterName("Bank", bankServer{kept}); err != nil {
		c.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	go server.Accept(listener)
	c.t.Cleanup(func() {
		if err := errors.Join(listener.Close(), kept.Close()); err != nil {
			c.t.Error(err)
		}
	})
	c.config.Bank = listener.Addr().String()
}

func (c *cluster) startWitnesses() {
	c.t.Helper()
	var logs []note.Verifier
	for _, key := range []string{c.running.LogKey, c.nextLog} {
		log, err := note.NewVerifier(key)
		if err != nil {
			c.t.Fatal(err)
		}
		logs = append(logs, log)
	}
	for i := range 2 {
		private, public, err := c2sp.GenerateCosigner(rand.Reader, fmt.Sprintf("witness-%d.example/test", i+1))
		if err != nil {
			c.t.Fatal(err)
		}
		cosigner, err := c2sp.NewCosigner(private, time.Now)
		if err != nil {
			c.t.Fatal(err)
		}
		opened, err := witness.Open(witness.Config{
			Folder: c.t.TempDir(), Cosigner: cosigner, Logs: logs, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			c.t.Fatal(err)
		}
		handler := opened.Handler()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.cosigned.Add(1)
			handler.ServeHTTP(w, r)
		}))
		c.t.Cleanup(func() {
			server.Close()
			opened.Close()
		})
		c.config.Witnesses = append(c.config.Witnesses, node.Witness{URL: server.URL, Key: public})
		c.running.Witnesses = append(c.running.Witnesses, public)
	}
}

// balance sends each request to a process by chance, as long as one serves; the demonstration's sign-in, which remembers
// what it has begun, always to the first. An answer that breaks off breaks off.
func (c *cluster) balance() {
	c.t.Helper()
	listener, err := net.Listen("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	type target struct{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Context().Value(target{}).(string)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
		Transport:    &http.Transport{MaxIdleConnsPerHost: 16},
	}
	server := &http.Server{
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo), ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			serving := c.processes
			if strings.HasPrefix(r.URL.Path, node.DemonstrationPath) {
				serving = serving[:1]
			}
			var found []string
			for _, one := range serving {
				if address := one.address.Load(); address != nil {
					found = append(found, *address)
				}
			}
			if len(found) == 0 {
				panic(http.ErrAbortHandler)
			}
			proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), target{}, found[mathrand.IntN(len(found))])))
		}),
	}
	go func() { _ = server.Serve(listener) }() // until it is closed
	c.t.Cleanup(func() { server.Close() })
}

func (c *cluster) launch(one *serving) {
	c.t.Helper()
	encoded, err := json.Marshal(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	one.output, one.ended = &lines{ready: make(chan struct{})}, make(chan struct{})
	one.process = exec.Command(os.Args[0])
	one.process.Env = append(os.Environ(), processVariable+"="+string(encoded))
	if one.input, err = one.process.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	out, in := io.Pipe()
	one.process.Stdout, one.process.Stderr = in, in
	one.process.WaitDelay = 5 * time.Second
	go one.output.read(out)
	if err := one.process.Start(); err != nil {
		c.t.Fatal(err)
	}
	process, ended := one.process, one.ended
	go func() {
		_ = process.Wait() // it was killed, or says so itself
		in.Close()
		close(ended)
	}()
}

// await waits until the process serves.
func (c *cluster) await(one *serving) {
	c.t.Helper()
	select {
	case <-one.output.ready:
	case <-one.ended:
		c.t.Fatalf("a process did not start:\n%s", one.output)
	case <-time.After(patience):
		c.t.Fatalf("a process is not ready after %s:\n%s", patience, one.output)
	}
	for line := range strings.Lines(one.output.String()) {
		if address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready "); ok {
			one.address.Store(&address)
		}
	}
}

func (s *serving) kill(how syscall.Signal) {
	s.address.Store(nil)
	if s.process == nil || s.process.Process == nil {
		return
	}
	_ = s.process.Process.Signal(how) // it may have ended
	if how == syscall.SIGKILL {
		<-s.ended
	}
}

// TestAnyOfSeveralProcessesMayBeKilled kills one of two processes on one database with SIGKILL, again and again, while
// clients apply, decide and release payments through both, and starts it anew. Every fourth time a process is not killed
// but stopped for longer than its leases last (of jobs it holds, of the log's leadership), and wakes up in a world that
// went on without it. In the end everything that was acknowledged must be there, nothing may have been done twice, and the
// auditor recomputes the whole installation.
func TestAnyOfSeveralProcessesMayBeKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes under load for half a minute and more")
	}
	t.Parallel()
	kills := killsWanted(t, 4)
	seed := uint64(time.Now().UnixNano())
	chance := mathrand.New(mathrand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	c := newCluster(t, 500, 2)
	l := newLoad(c.installation)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(kills)*patience)
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		for ctx.Err() == nil {
			l.run(ctx, 6) // until nobody answers; then again
			time.Sleep(20 * time.Millisecond)
		}
	}()
	for kill := range kills {
		l.await(t, l.answered()+leastWork+chance.IntN(60))
		time.Sleep(time.Duration(chance.IntN(50)) * time.Millisecond)
		one := c.processes[chance.IntN(len(c.processes))]
		if kill%4 == 3 {
			_ = one.process.Process.Signal(syscall.SIGSTOP)
			time.Sleep(5 * time.Second)
			_ = one.process.Process.Signal(syscall.SIGCONT)
			continue
		}
		one.kill(syscall.SIGKILL)
		time.Sleep(time.Duration(chance.IntN(500)) * time.Millisecond)
		c.launch(one)
		c.await(one)
	}
	cancel()
	<-worked
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
	l.report(t, kills)
}
