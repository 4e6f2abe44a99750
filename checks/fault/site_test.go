package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagona/kernel/ledger"
	"yagona/node"
)

// lineDelay is how long the line between the sites takes in each direction: some hundred kilometres.
const lineDelay = 10 * time.Millisecond

// line is the line between two sites. It can be cut.
type line struct {
	listener net.Listener
	mu       sync.Mutex
	cut      bool       // guarded by mu
	open     []net.Conn // guarded by mu
}

// layLine takes connections and passes on what they say to the address, later.
func layLine(t *testing.T, to string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{listener: listener}
	t.Cleanup(l.end)
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", to)
			if err != nil {
				from.Close()
				continue
			}
			l.mu.Lock()
			l.open = append(l.open, from, there)
			l.mu.Unlock()
			go l.carry(from, there)
			go l.carry(there, from)
		}
	}()
	return l
}

func (l *line) carry(from, to net.Conn) {
	type packet struct {
		content []byte
		due     time.Time
	}
	packets := make(chan packet, 10_000)
	go func() {
		for one := range packets {
			time.Sleep(time.Until(one.due))
			if l.isCut() {
				continue
			}
			if _, err := to.Write(one.content); err != nil {
				from.Close()
			}
		}
		to.Close()
	}()
	defer close(packets)
	for {
		content := make([]byte, 64<<10)
		n, err := from.Read(content)
		if n > 0 {
			packets <- packet{content[:n], time.Now().Add(lineDelay)}
		}
		if err != nil {
			return
		}
	}
}

func (l *line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

func (l *line) cutNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
}

func (l *line) end() {
	l.listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.open {
		one.Close()
	}
}

// distant is a PostgreSQL server in another site that follows the leader asynchronously.
type distant struct {
	of      *replicated
	address string
}

// follow starts a server that follows the leader over the line: a base backup, then its write-ahead log.
func (r *replicated) follow(over *line) *distant {
	r.t.Helper()
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(binaries) == 0 {
		r.t.Fatalf("%v: there is no PostgreSQL", err)
	}
	bin := binaries[len(binaries)-1]
	d := &distant{of: r, address: freeAddresses(r.t, 1)[0]}
	host, port, _ := net.SplitHostPort(over.listener.Addr().String())
	data := filepath.Join(r.folder, "distant")
	_, copied := r.launch("copying", filepath.Join(bin, "pg_basebackup"), "-h", host, "-p", port, "-U", "postgres", "-D", data, "-R", "-X", "stream", "-c", "fast")
	<-copied
	_, own, _ := net.SplitHostPort(d.address)
	r.launch("distant-server", filepath.Join(bin, "postgres"), "-D", data, "-p", own, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories="+r.folder, "-c", "synchronous_standby_names=")
	r.await("a follower in the other site", func() bool { return d.asks(`SELECT pg_is_in_recovery()`) })
	return d
}

func (d *distant) url(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: d.address, Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

// asks returns what a statement answers; false also where nobody answers.
func (d *distant) asks(statement string) (answered bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.url("postgres"))
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, statement).Scan(&answered) == nil && answered
}

// awaitWitnesses waits until the witnesses have cosigned what the log of a database has only from now on.
func (r *replicated) awaitWitnesses(database string) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.url(database))
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close(r.t.Context())
	var now int64
	if err := conn.QueryRow(r.t.Context(), `SELECT size FROM log_head`).Scan(&now); err != nil {
		r.t.Fatal(err)
	}
	r.await("a cosigned checkpoint", func() (larger bool) {
		const statement = `SELECT split_part(convert_from(published, 'UTF8'), E'\n', 2)::bigint > $1 FROM log_head`
		return conn.QueryRow(r.t.Context(), statement, now).Scan(&larger) == nil && larger
	})
}

// written returns how far the leader has written its write-ahead log.
func (r *replicated) written(leader *server) (place string) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), "postgres://postgres@"+leader.address+"/postgres?sslmode=disable")
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(r.t.Context()))
	if err := conn.QueryRow(r.t.Context(), `SELECT pg_current_wal_flush_lsn()::text`).Scan(&place); err != nil {
		r.t.Fatal(err)
	}
	return place
}

// mark marks the database as one that was restored, as docs/how-to/stay-up.md does, and returns when its last act was.
func (d *distant) mark(t *testing.T, database string) time.Time {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.url(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	const statement = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET yagona.note = %L', current_database(), json_build_object(
		'made', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
		'lastAct', (SELECT to_char(to_timestamp(max(at) / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM event))); END $$`
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	var last int64
	if err := conn.QueryRow(t.Context(), `SELECT max(at) FROM event`).Scan(&last); err != nil {
		t.Fatal(err)
	}
	return time.UnixMicro(last)
}

// TestAWholeSiteIsLost serves from a site with two PostgreSQL servers, of which one confirms every commit, and a third in
// another site that follows without confirming. Under load everything in the first site is killed with SIGKILL: both
// servers, who keeps them, and all processes of the platform; some acts before, the line between the sites was cut. The
// other site's server is promoted and marked, its operator compares it with what the witnesses and the bank know, accepts it
// under the log's next number, and serves.
//
// What was acknowledged before the line was cut must be there; what is lost is counted, and it must be what the
// reconciliation names. What is printed is how much was lost, and after how long acts were taken again.
//
// It loses one site; as many as YAGONA_FAULT_KILLS says, every second one without cutting the line before:
//
//	YAGONA_FAULT_KILLS=4 go test ./checks/fault -run TestAWholeSiteIsLost -v -count=1 -timeout 30m
func TestAWholeSiteIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three PostgreSQL servers and kills a site under load")
	}
	t.Parallel() // it mostly waits
	for loss := range killsWanted(t, 1) {
		t.Run(fmt.Sprint(loss+1), func(t *testing.T) { loseSite(t, loss%2 == 0) })
	}
}

func loseSite(t *testing.T, cutBefore bool) {
	r := startReplicated(t)
	c := newClusterOn(t, r.create("yagona"), r.create("yagona_keys"), 400, 2)
	leader, standby := r.awaitStandby()
	over := layLine(t, leader.address)
	other := r.follow(over)
	keys := filepath.Join(t.TempDir(), "site2") // the other site has a copy of the keys, and nothing else of the folder
	if err := os.CopyFS(filepath.Join(keys, "keys"), os.DirFS(filepath.Join(c.folder, "keys"))); err != nil {
		t.Fatal(err)
	}

	l := newLoad(c.installation)
	work := func(until <-chan struct{}) (worked chan struct{}) {
		ctx, cancel := context.WithCancel(t.Context())
		worked = make(chan struct{})
		go func() {
			defer close(worked)
			l.run(ctx, 6)
		}()
		go func() {
			<-until
			cancel()
		}()
		return worked
	}
	enough := make(chan struct{})
	worked := work(enough)
	l.await(t, 40)
	close(enough)
	<-worked
	before := make([]story, len(l.stories))
	for i, s := range l.stories {
		before[i] = *s
	}
	written := r.written(leader)
	r.await("what was acknowledged so far in the other site", func() bool {
		return other.asks(`SELECT pg_last_wal_receive_lsn() >= '` + written + `'`)
	})
	done := l.acknowledged()

	stop, resumed := make(chan struct{}), time.Now()
	worked = work(stop)
	l.await(t, l.answered()+leastWork)
	if cutBefore {
		over.cutNow()
		r.awaitWitnesses("yagona")
	}
	l.await(t, l.answered()+leastWork) // after the cut: it is lost with the site
	lost := time.Now()
	for _, one := range c.processes {
		_ = one.process.Process.Signal(syscall.SIGSTOP) // nobody sees another go
	}
	standby.killAll()
	leader.killAll()
	for _, one := range c.processes {
		one.kill(syscall.SIGKILL)
	}
	over.end()
	close(stop)
	<-worked
	c.client.CloseIdleConnections()

	// The other site takes over.
	conn, err := pgx.Connect(t.Context(), other.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_promote()`); err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	r.await("a promoted server", func() bool { return other.asks(`SELECT NOT pg_is_in_recovery()`) })
	lastAct := other.mark(t, "yagona")
	promoted := time.Since(lost)
	c.config.Folder, c.config.Database, c.config.SubjectKeys = keys, other.url("yagona"), other.url("yagona_keys")
	missing := c.reconcile(t, func(opened *node.Node) ([]node.Lost, error) {
		if _, restored := opened.Restored(); !restored {
			t.Error("the marked database is served as if nothing were lost")
		}
		return opened.Lost(t.Context(), node.Kept{})
	})
	named := map[string]int{}
	for _, one := range missing {
		if named[one.Kind]++; named[one.Kind] <= 2 {
			t.Logf("the reconciliation names: %s (%s)", one.What, one.Known)
		}
	}
	if named["log"] > 0 { // it ends, and another begins
		c.config.LogNumber, c.running.LogKey = 2, c.nextLog
	}
	c.reconcile(t, func(opened *node.Node) ([]node.Lost, error) {
		return opened.Accept(t.Context(), node.Acceptance{Reason: "the first site is lost"})
	})
	accepted := time.Since(lost)
	for _, one := range c.processes {
		c.launch(one)
	}
	for _, one := range c.processes {
		c.await(one)
	}
	c.folder, c.databases = keys, []string{"--database", c.config.Database, "--subject-keys", c.config.SubjectKeys}
	again := newLoad(c.installation)
	again.restored, again.each, again.next, again.waiting = true, 1, l.next/l.each+1, maps.Clone(l.waiting)
	again.goesOn(t, 1)
	served := time.Since(lost)

	// What is lost?
	l.tokens = map[string]string{} // sessions may be
	for i := range before {
		if err := l.verify(t.Context(), &before[i], false); err != nil {
			t.Errorf("acknowledged before the line was cut: application %s: %v", before[i].id, err)
		}
	}
	var gone, behind int
	for _, s := range l.stories {
		if !s.sent {
			continue
		}
		if _, err := l.own(t.Context(), s); err != nil {
			gone++
		} else if err := l.verify(t.Context(), s, false); err != nil {
			behind++
		}
	}
	since := l.acknowledged() - done
	t.Logf("of %d applications that were acknowledged, %d in the last %s, %d are lost and %d lost later acts; the newest act that is left is %s older than the loss",
		l.acknowledged(), since, lost.Sub(resumed).Round(time.Millisecond), gone, behind, lost.Sub(lastAct).Round(time.Millisecond))
	t.Logf("after the loss the other server was promoted in %s, accepted in %s, and acts were taken in %s",
		promoted.Round(10*time.Millisecond), accepted.Round(10*time.Millisecond), served.Round(10*time.Millisecond))
	switch {
	case cutBefore && gone+behind == 0:
		t.Error("nothing is lost, though the line was cut: the test shows nothing")
	case cutBefore && named["log"] == 0:
		t.Error("the witnesses name nothing, though they cosigned what is lost")
	case named["unknown"] > 0:
		t.Error("something could not be asked")
	}

	// It goes on.
	again.goesOn(t, 6)
	again.settle(t)
	again.check(t, true)
	again.checkAudit(t)
	c.paidOnce(t)
}

// goesOn has so many more applications acknowledged. Who still has one open, from before the loss, asks for nothing.
func (l *load) goesOn(t *testing.T, count int) {
	t.Helper()
	for begun := time.Now(); count > 0; {
		s := l.take()
		for !s.sent {
			err := l.advance(t.Context(), s)
			if err != nil && strings.Contains(err.Error(), "application.already-open") {
				l.stories = slices.DeleteFunc(l.stories, func(one *story) bool { return one == s })
				break
			}
			if time.Since(begun) > patience {
				err = fmt.Errorf("nothing is acknowledged %s after the loss", patience)
			}
			if err != nil {
				t.Fatalf("%v; problems %s", err, l.problemsSoFar())
			}
		}
		if s.sent {
			count--
			l.giveBack(s)
		}
	}
}

// reconcile opens the installation, without serving it, and returns what is found of it.
func (c *cluster) reconcile(t *testing.T, with func(*node.Node) ([]node.Lost, error)) []node.Lost {
	t.Helper()
	opened, _ := c.unserved(t)
	found, err := with(opened)
	if err := errors.Join(err, opened.Close()); err != nil {
		t.Fatalf("%v: %v", found, err)
	}
	return found
}

// unserved opens the installation without serving it.
func (c *cluster) unserved(t *testing.T) (*node.Node, node.Config) {
	t.Helper()
	config, _, err := c.config.node()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := node.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return opened, config
}

// paidOnce fails if the bank took the same order twice, or paid what the books do not know.
func (c *cluster) paidOnce(t *testing.T) {
	t.Helper()
	opened, config := c.unserved(t)
	defer opened.Close()
	statement, err := config.Bank.Statement(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	paid := map[ledger.EndToEndID]bool{}
	for _, one := range statement {
		if paid[one.EndToEndID] {
			t.Errorf("the bank paid %s twice", one.EndToEndID)
		}
		paid[one.EndToEndID] = true
	}
	missing, others, err := opened.Ledger.Missing(t.Context(), statement)
	if err != nil || len(missing)+len(others) > 0 {
		t.Errorf("the bank paid what the books do not know: %v, %v (%v)", missing, others, err)
	}
	t.Logf("the bank has paid %d orders, each of which stands in the books", len(paid))
}
