package fault

import (
	"context"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"yagona/store/storetest"
)

// wire stands between processes and their database and resets connections when it is told to.
type wire struct {
	listener net.Listener
	server   string

	mu   sync.Mutex
	open map[*net.TCPConn]*net.TCPConn // guarded by mu: from a process to the server
}

// through returns the address of a database by way of a wire.
func through(t *testing.T, address string) (*wire, string) {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, server: parsed.Host, open: map[*net.TCPConn]*net.TCPConn{}}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(accepted.(*net.TCPConn))
		}
	}()
	parsed.Host = listener.Addr().String()
	return w, parsed.String()
}

// carry carries what both sides say until one of them ends or the connection is reset.
func (w *wire) carry(process *net.TCPConn) {
	dialed, err := net.Dial("tcp", w.server)
	if err != nil {
		process.Close()
		return
	}
	server := dialed.(*net.TCPConn)
	w.mu.Lock()
	w.open[process] = server
	w.mu.Unlock()
	var both sync.WaitGroup
	copied := func(to, from *net.TCPConn) {
		_, _ = to.ReadFrom(from) // it ends with either
		to.Close()
		from.Close()
	}
	both.Go(func() { copied(server, process) })
	both.Go(func() { copied(process, server) })
	both.Wait()
	w.mu.Lock()
	delete(w.open, process)
	w.mu.Unlock()
}

// reset resets some connections, each with the chance, and returns how many. What is on its way is lost on both sides: a
// commit may have arrived or not, and its answer may.
func (w *wire) reset(chance float64) (count int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for process, server := range w.open {
		if rand.Float64() >= chance {
			continue
		}
		for _, side := range []*net.TCPConn{process, server} {
			_ = side.SetLinger(0) // a reset, not an end
			side.Close()
		}
		delete(w.open, process)
		count++
	}
	return count
}

// TestResetConnectionsLoseNothing resets connections between two processes and their databases at random under load. What
// was acknowledged is there, nothing happened twice, and nobody reads that anything else went wrong.
func TestResetConnectionsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a PostgreSQL server and resets connections under load for several seconds")
	}
	resets := killsWanted(t, 40)
	wires := [2]*wire{}
	var database, subjectKeys string
	wires[0], database = through(t, storetest.ServerURL(t))
	wires[1], subjectKeys = through(t, storetest.EmptyURL(t))
	c := newClusterOn(t, database, subjectKeys, 300, 2)
	l := newLoad(c.installation)
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		for ctx.Err() == nil {
			l.run(ctx, 6)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	reset := 0
	for reset < resets || l.answered() < 30 {
		l.await(t, l.answered()+rand.IntN(3)) // on a slow machine acts must come to their end between resets, too
		time.Sleep(time.Duration(10+rand.IntN(150)) * time.Millisecond)
		for _, one := range wires {
			reset += one.reset(0.1)
		}
	}
	cancel()
	<-worked
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
	t.Logf("%d connections reset; acknowledged: %d applications; %d requests repeated; problems %v", reset, l.acknowledged(), l.repeated, l.problems)
	for code, times := range l.problems {
		if code == "" || code == "internal" {
			t.Errorf("a reset connection was answered %d times as %q, which tells nobody what to do", times, code)
		}
	}
}
