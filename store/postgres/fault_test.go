package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/store/postgres"
	"yagona/store/query"
	"yagona/store/storetest"
)

// proxy stands between an engine and its server, and cuts connections when it is told to.
type proxy struct {
	listener net.Listener
	server   string
	cuts     atomic.Int32 // how many commits are still to be cut
	arrive   bool         // whether the server gets the commit before the connection is cut
	silent   atomic.Bool  // nothing passes any more, and nothing is closed
	clients  sync.Map     // of net.Conn: those that are open
}

// end ends all connections and takes no new one.
func (p *proxy) end() {
	p.listener.Close()
	for client := range p.clients.Range {
		client.(net.Conn).Close()
	}
}

// silence lets nothing pass any more, without closing anything, and takes no new connection.
func (p *proxy) silence() {
	p.silent.Store(true)
	p.listener.Close()
}

// commitName is how a connection names its prepared COMMIT.
var commitName = func() []byte {
	digest := sha256.Sum256([]byte("COMMIT"))
	return []byte("stmtcache_" + hex.EncodeToString(digest[:24]))
}()

// through returns the address of the database by way of a proxy.
func through(t *testing.T, address string, arrive bool) (*proxy, string) {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, server: parsed.Host, arrive: arrive}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.forward(client)
		}
	}()
	parsed.Host = listener.Addr().String()
	return p, parsed.String()
}

func (p *proxy) forward(client net.Conn) {
	p.clients.Store(client, nil)
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var mute atomic.Bool // what the server answers is lost
	answered := make(chan struct{})
	go func() {
		defer client.Close()
		defer close(answered)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || mute.Load() {
				return
			}
			if p.silent.Load() {
				continue
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if p.silent.Load() {
			continue
		}
		if p.cuts.Load() > 0 && bytes.Contains(buffer[:n], commitName) {
			if p.cuts.Add(-1) >= 0 {
				if p.arrive {
					mute.Store(true)
					_, _ = server.Write(buffer[:n])
					<-answered
				}
				return
			}
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// appendEvent appends an event with the id under the act's key.
func appendEvent(tx *query.Tx, id ident.Event) error {
	return tx.AppendEvent(journal.StoredEvent{Key: tx.Key(), ID: id, At: tx.Now(), Header: []byte("{}"), Entry: []byte("entry")}, nil)
}

func queueJob(tx *query.Tx, id ident.Job) error {
	return tx.QueueJob(job.Job{ID: id, Key: tx.Key(), Kind: "test", Due: tx.Now(), Payload: []byte("{}")})
}

// present tells which of the events and jobs are stored.
func present(t *testing.T, db *postgres.DB) (events, jobs map[string]int) {
	t.Helper()
	events, jobs = map[string]int{}, map[string]int{}
	err := db.View(context.WithoutCancel(t.Context()), func(tx *query.Tx) error {
		entries, err := tx.PendingEntries(100_000)
		for _, one := range entries {
			events[string(one.Event)]++
		}
		if err != nil {
			return err
		}
		due, err := tx.DueJobs(time.Now().Add(time.Hour), 100_000)
		for _, one := range due {
			jobs[string(one.ID)]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return events, jobs
}

// TestTheOutcomeOfALostCommitIsFound cuts the connection while a commit is under way, after the server got it and before.
// In both cases the act is done once and reported as done: it was, or it is run again.
func TestTheOutcomeOfALostCommitIsFound(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		for what, write := range map[string]func(tx *query.Tx, id string) error{
			"an event": func(tx *query.Tx, id string) error { return appendEvent(tx, ident.Event(id)) },
			"a job":    func(tx *query.Tx, id string) error { return queueJob(tx, ident.Job(id)) },
		} {
			t.Run(fmt.Sprintf("%s, the commit arrives: %t", what, arrives), func(t *testing.T) {
				between, address := through(t, storetest.ServerURL(t), arrives)
				db := openAt(t, address, time.Now)
				// The first act prepares the statements.
				for range 5 {
					if err := db.Update(t.Context(), "person:a", func(tx *query.Tx) error { return write(tx, ident.Random[string]()) }); err != nil {
						t.Fatal(err)
					}
				}
				between.cuts.Store(1)
				runs, id := 0, ident.Random[string]()
				err := db.Update(t.Context(), "person:a", func(tx *query.Tx) error {
					runs++
					return write(tx, id)
				})
				if err != nil {
					t.Fatalf("the act: %v", err)
				}
				if between.cuts.Load() != 0 {
					t.Fatal("nothing was cut")
				}
				if want := map[bool]int{true: 1, false: 2}[arrives]; runs != want {
					t.Errorf("it ran %d times instead of %d", runs, want)
				}
				events, jobs := present(t, db)
				if events[id]+jobs[id] != 1 || len(events)+len(jobs) != 6 {
					t.Errorf("stored: %d events, %d jobs, the act's %d times", len(events), len(jobs), events[id]+jobs[id])
				}
			})
		}
	}
}

// TestWhatIsReportedIsWhatIsStored ends the server's side of connections at random under load. Every act that was reported
// as done must be stored, every one that was reported as not done must not be; nothing is stored twice. It goes on until enough
// was done, ended and run again to show that; connections are ended as acts are done, so that on a slow machine some are.
func TestWhatIsReportedIsWhatIsStored(t *testing.T) {
	address := storetest.ServerURL(t)
	db := openAt(t, address, time.Now)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	const enoughEnded, enoughDone, enoughRepeated = 100, 300, 20
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // it hangs
	defer cancel()
	var mu sync.Mutex
	done, refused, unknown, runs := map[string]bool{}, map[string]bool{}, 0, 0
	tally := func() (count, repeated int) {
		mu.Lock()
		defer mu.Unlock()
		return len(done), runs - len(done) - len(refused) - unknown
	}
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := ident.Random[string]()
				err := db.Update(context.WithoutCancel(ctx), act.Key(fmt.Sprint("person:", worker%5)), func(tx *query.Tx) error {
					mu.Lock()
					runs++
					mu.Unlock()
					if i%2 == 0 {
						return appendEvent(tx, ident.Event(id))
					}
					return queueJob(tx, ident.Job(id))
				})
				mu.Lock()
				switch {
				case err == nil:
					done[id] = true
				case fault.Code(err) == "store.outcome-unknown":
					unknown++
				case fault.Is(err, fault.Unavailable):
					refused[id] = true
				default:
					t.Errorf("an act failed with %v", err)
				}
				mu.Unlock()
			}
		})
	}
	killed, enough := 0, false
	for !enough && ctx.Err() == nil {
		var count int
		if err := admin.QueryRow(context.WithoutCancel(ctx), `SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3) AS some_of`).Scan(&count); err != nil {
			t.Fatal(err)
		}
		killed += count
		// The next ones while the act after the next few is under way.
		before, _ := tally()
		for next := before + rand.IntN(10); ctx.Err() == nil; time.Sleep(time.Millisecond) {
			if now, repeated := tally(); now >= next {
				enough = killed >= enoughEnded && now >= enoughDone && repeated >= enoughRepeated
				break
			}
		}
	}
	cancel()
	workers.Wait()
	events, jobs := present(t, db)
	for id := range done {
		if events[id]+jobs[id] != 1 {
			t.Errorf("an act that was reported as done is stored %d times", events[id]+jobs[id])
		}
	}
	for id := range refused {
		if events[id]+jobs[id] != 0 {
			t.Error("an act that was reported as not done is stored")
		}
	}
	if extra := len(events) + len(jobs) - len(done); extra > unknown {
		t.Errorf("%d acts are stored that nobody was told of, %d are unknown", extra, unknown)
	}
	_, repeated := tally()
	t.Logf("%d connections ended; %d acts done, %d refused, %d unknown, %d runs repeated", killed, len(done), len(refused), unknown, repeated)
	if !enough {
		t.Error("the acts do not come on: too little was going on to show anything")
	}
}

// TestActsOfOneKeyTakeTurns lets two processes add to one row at the same time: no addition is lost.
func TestActsOfOneKeyTakeTurns(t *testing.T) {
	address := storetest.ServerURL(t)
	processes := []*postgres.DB{openAt(t, address, time.Now), openAt(t, address, time.Now)}
	queued := job.Job{ID: "counter", Key: "person:a", Kind: "test", Due: storetest.Start, Payload: []byte("{}")}
	if err := processes[0].Update(t.Context(), queued.Key, func(tx *query.Tx) error { return tx.QueueJob(queued) }); err != nil {
		t.Fatal(err)
	}
	const each = 40
	var adding sync.WaitGroup
	for i := range 2 * each {
		adding.Go(func() {
			err := processes[i%2].Update(t.Context(), queued.Key, func(tx *query.Tx) error {
				found, err := tx.DueJobs(time.Now(), 1)
				if err != nil {
					return err
				}
				found[0].Attempts++ // read, then written: under READ COMMITTED alone, two would write the same
				return tx.DelayJob(found[0])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	adding.Wait()
	err := processes[1].View(t.Context(), func(tx *query.Tx) error {
		found, err := tx.DueJobs(time.Now(), 1)
		if err == nil && found[0].Attempts != 2*each {
			t.Errorf("%d of %d additions are left", found[0].Attempts, 2*each)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestALockThatIsNotGivenUpIsSaidSo holds a key from outside: the act gives up in plain words, and works afterwards.
func TestALockThatIsNotGivenUpIsSaidSo(t *testing.T) {
	address := storetest.ServerURL(t)
	db := openAt(t, address+"&lock_timeout=200", time.Now)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	if _, err := admin.Exec(t.Context(), `SELECT pg_advisory_lock(hashtextextended('person:a', 0))`); err != nil {
		t.Fatal(err)
	}
	nothing := func(*query.Tx) error { return nil }
	if err := db.Update(t.Context(), "person:a", nothing); fault.Code(err) != "store.busy" {
		t.Errorf("a locked key gave %v", err)
	}
	if err := db.Update(t.Context(), "person:b", nothing); err != nil {
		t.Errorf("another key gave %v", err)
	}
	if _, err := admin.Exec(t.Context(), `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), "person:a", nothing); err != nil {
		t.Errorf("the freed key gave %v", err)
	}
}

// TestAStatementThatTakesTooLongIsEnded sets the limit so low that an act over many rows cannot stay below it.
func TestAStatementThatTakesTooLongIsEnded(t *testing.T) {
	address := storetest.ServerURL(t)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	db := openAt(t, address+"&statement_timeout=300", time.Now)
	// A table lock that is not given up makes any statement on it take too long.
	if _, err := admin.Exec(t.Context(), `BEGIN; LOCK TABLE job`); err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), "person:a", func(tx *query.Tx) error { return queueJob(tx, "late") })
	if fault.Code(err) != "store.busy" {
		t.Errorf("it gave %v", err)
	}
	if _, err := admin.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if _, jobs := present(t, db); len(jobs) != 0 {
		t.Error("the act that was ended left a job")
	}
}

// TestAReadingSurvivesAServerThatLostItsConnections ends all connections: readings and acts do not notice.
func TestAReadingSurvivesAServerThatLostItsConnections(t *testing.T) {
	address := storetest.ServerURL(t)
	db := openAt(t, address, time.Now)
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	for range 5 {
		if _, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		if err := db.View(t.Context(), func(tx *query.Tx) error { _, err := tx.LastActTime(); return err }); err != nil {
			t.Errorf("a reading: %v", err)
		}
		if err := db.Update(t.Context(), "person:a", func(tx *query.Tx) error { return appendEvent(tx, ident.Random[ident.Event]()) }); err != nil {
			t.Errorf("an act: %v", err)
		}
	}
}

// TestAReadingIsOneSnapshot commits between two queries of one reading.
func TestAReadingIsOneSnapshot(t *testing.T) {
	db := openAt(t, storetest.ServerURL(t), time.Now)
	err := db.View(t.Context(), func(tx *query.Tx) error {
		before, err := tx.PendingEntries(10)
		if err != nil {
			return err
		}
		if err := db.Update(t.Context(), "person:a", func(tx *query.Tx) error { return appendEvent(tx, "e") }); err != nil {
			return err
		}
		after, err := tx.PendingEntries(10)
		if len(before) != 0 || len(after) != 0 {
			t.Errorf("the reading saw %d events, then %d", len(before), len(after))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOneProcessDoesAJob lets two processes claim jobs at the same time: none is claimed twice before its claim runs out.
func TestOneProcessDoesAJob(t *testing.T) {
	address := storetest.ServerURL(t)
	processes := []*postgres.DB{openAt(t, address, storetest.Still), openAt(t, address, storetest.Still)}
	const count = 300
	for i := range count {
		if err := processes[0].Update(t.Context(), act.Key(fmt.Sprint("person:", i)), func(tx *query.Tx) error {
			return queueJob(tx, ident.Job(fmt.Sprintf("job-%03d", i)))
		}); err != nil {
			t.Fatal(err)
		}
	}
	later := storetest.Start.Add(job.Lease)
	claimed := make(chan ident.Job, 2*count)
	var claiming sync.WaitGroup
	for i := range 8 {
		claiming.Go(func() {
			for {
				some, err := processes[i%2].ClaimJobs(t.Context(), storetest.Start, later, 7)
				if err != nil {
					t.Error(err)
				}
				if len(some) == 0 {
					return
				}
				for _, one := range some {
					claimed <- one.ID
				}
			}
		})
	}
	claiming.Wait()
	close(claimed)
	seen := map[ident.Job]bool{}
	for id := range claimed {
		if seen[id] {
			t.Errorf("%s was claimed twice", id)
		}
		seen[id] = true
	}
	if len(seen) != count {
		t.Errorf("%d of %d were claimed", len(seen), count)
	}
	err := processes[0].View(t.Context(), func(tx *query.Tx) error {
		next, err := tx.NextJob()
		if !next.Equal(later) {
			t.Errorf("the claims run out at %v, the next look is at %v", later, next)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := processes[1].ClaimJobs(t.Context(), later, later.Add(job.Lease), count+1)
	if err != nil || len(again) != count || again[0].ID != "job-000" {
		t.Errorf("after the claims ran out %d were claimed, %v", len(again), err)
	}
	// A failed job is given back.
	failed := again[0]
	failed.Due, failed.Attempts = later, 1
	if err := processes[1].Update(t.Context(), failed.Key, func(tx *query.Tx) error { return tx.DelayJob(failed) }); err != nil {
		t.Fatal(err)
	}
	freed, err := processes[0].ClaimJobs(t.Context(), later, later.Add(job.Lease), 10)
	if err != nil || len(freed) != 1 || freed[0].ID != failed.ID || freed[0].Attempts != 1 {
		t.Errorf("the failed job came back as %+v, %v", freed, err)
	}
}

// TestWhatCountsFiguresIsClaimedLast queues much in the background before a payment.
func TestWhatCountsFiguresIsClaimedLast(t *testing.T) {
	db := openAt(t, storetest.ServerURL(t), storetest.Still)
	err := db.Update(t.Context(), "person:a", func(tx *query.Tx) error {
		for range 20 {
			if err := job.QueueBehind(tx, "figures", nil); err != nil {
				return err
			}
		}
		return job.Queue(tx, "pay", 0, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := db.ClaimJobs(t.Context(), storetest.Start, storetest.Start.Add(job.Lease), 4)
	if err != nil || len(claimed) != 4 || claimed[0].Kind != "pay" || claimed[3].Kind != "figures" {
		t.Errorf("claimed are %+v, %v", claimed, err)
	}
}

// TestTheOthersAreTold commits in one process and waits in another.
func TestTheOthersAreTold(t *testing.T) {
	address := storetest.ServerURL(t)
	one, other := openAt(t, address, time.Now), openAt(t, address, time.Now)
	heard := make(chan string, 100)
	other.OnJobs(func() { heard <- "jobs" })
	other.OnEvents(func() { heard <- "events" })
	// Once it hears, it listens; what it was woken with when it began to is not counted.
	const ready = "told ready"
	other.OnTold(func(word string) { heard <- "told " + word })
	for begun, listens := time.Now(), false; !listens; {
		if time.Since(begun) > 2*time.Minute {
			t.Fatal("it does not listen")
		}
		one.Tell("ready")
		time.Sleep(50 * time.Millisecond)
		for len(heard) > 0 {
			listens = <-heard == ready || listens
		}
	}
	expect := func(want string) {
		t.Helper()
		got := ready
		for deadline := time.After(30 * time.Second); got == ready; { // before it looks by itself
			select {
			case got = <-heard:
			case <-deadline:
				t.Fatalf("nothing was heard of %s", want)
			}
		}
		if got != want {
			t.Errorf("heard of %s instead of %s", got, want)
		}
	}
	if err := one.Update(t.Context(), "person:a", func(tx *query.Tx) error { return queueJob(tx, "j") }); err != nil {
		t.Fatal(err)
	}
	expect("jobs")
	if err := one.Update(t.Context(), "person:a", func(tx *query.Tx) error { return appendEvent(tx, "e") }); err != nil {
		t.Fatal(err)
	}
	expect("events")
	one.OnTold(func(word string) { t.Errorf("who told %s hears it", word) })
	one.Tell("address:x:3")
	expect("told address:x:3")
	for range 1000 { // more than a notification holds
		one.Tell(strings.Repeat("y", 100))
	}
	expect("told " + strings.Repeat("y", 100))
}

// TestTimeDoesNotGoBackBetweenProcesses gives two processes clocks that differ.
func TestTimeDoesNotGoBackBetweenProcesses(t *testing.T) {
	address := storetest.ServerURL(t)
	ahead := openAt(t, address, func() time.Time { return storetest.Start.Add(time.Hour) })
	behind := openAt(t, address, storetest.Still)
	var first, second time.Time
	if err := ahead.Update(t.Context(), "person:a", func(tx *query.Tx) error { first = tx.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := behind.Update(t.Context(), "person:b", func(tx *query.Tx) error { second = tx.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	if second.Before(first) {
		t.Errorf("%v came after %v", second, first)
	}
}

// TestAClosedDatabaseSaysSo closes while acts are under way: each is done or told that it was not.
func TestAClosedDatabaseSaysSo(t *testing.T) {
	address := storetest.ServerURL(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: address, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	var acts sync.WaitGroup
	var done atomic.Int32
	for i := range 40 {
		acts.Go(func() {
			err := db.Update(t.Context(), act.Key(fmt.Sprint("person:", i)), func(tx *query.Tx) error { return queueJob(tx, ident.Random[ident.Job]()) })
			if err == nil {
				done.Add(1)
			} else if fault.Code(err) != "store.closed" {
				t.Error(err)
			}
		})
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	acts.Wait()
	if _, jobs := present(t, openAt(t, address, time.Now)); len(jobs) != int(done.Load()) {
		t.Errorf("%d jobs are stored, %d were acknowledged", len(jobs), done.Load())
	}
	if err := db.View(t.Context(), func(*query.Tx) error { return errors.New("not run") }); fault.Code(err) != "store.closed" {
		t.Errorf("a reading afterwards: %v", err)
	}
}

// TestWrongServersAreRefused opens databases that would not keep what the engine promises.
func TestWrongServersAreRefused(t *testing.T) {
	server := storetest.StartServer(t)
	right := storetest.ServerURL(t)
	admin, err := pgx.Connect(t.Context(), right)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	if _, err := admin.Exec(t.Context(), `CREATE DATABASE yagona_bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := admin.Exec(context.WithoutCancel(t.Context()), `DROP DATABASE yagona_bytes`); err != nil {
			t.Error(err)
		}
	}()
	for want, address := range map[string]string{
		"connect":            "postgres://postgres@127.0.0.1:1/none?connect_timeout=1",
		"is not in UTF-8":    server.URL("yagona_bytes"),
		"synchronous_commit": right + "&synchronous_commit=off",
	} {
		_, err := postgres.Open(t.Context(), postgres.Config{URL: address, Clock: time.Now, Durable: true})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("opening %s gave %v", want, err)
		}
	}
}

// TestAServerThatHangsIsLeftForTheOneThatLeads lets the server behind a connection fall silent without closing it, as a
// machine does that loses power, while the address leads to one that answers: acts and readings are done there.
func TestAServerThatHangsIsLeftForTheOneThatLeads(t *testing.T) {
	address := storetest.ServerURL(t)
	silent, through := through(t, address, false)
	parsed, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Host += "," + direct.Host
	db := openAt(t, parsed.String(), time.Now)
	count := 0
	act := func(id ident.Event) error {
		return db.Update(t.Context(), "person:a", func(tx *query.Tx) error {
			count++
			if err := appendEvent(tx, id); err != nil {
				return err
			}
			_, err := tx.PendingEntries(1) // sends the event
			if id == "first" && count == 1 {
				silent.silence()
			}
			return err
		})
	}
	if err := act("first"); err != nil {
		t.Fatal(err)
	}
	if err := act("second"); err != nil {
		t.Fatal(err)
	}
	if events, _ := present(t, db); len(events) != 2 || events["first"] != 1 || events["second"] != 1 {
		t.Errorf("stored are %v", events)
	}
	if count < 2 {
		t.Errorf("nothing was run again: %d runs", count)
	}
}

// TestAReadingWhileNobodyLeadsSaysSo loses the connection of a reading, and finds nobody to make another with.
func TestAReadingWhileNobodyLeadsSaysSo(t *testing.T) {
	between, address := through(t, storetest.ServerURL(t), false)
	db := openAt(t, address, time.Now)
	err := db.View(t.Context(), func(tx *query.Tx) error {
		between.end()
		_, err := tx.PendingEntries(1)
		return err
	})
	if fault.Code(err) != "store.away" {
		t.Errorf("the reading gives %v", err)
	}
}
