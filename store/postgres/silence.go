package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A server that ends closes its connections. One that hangs, or whose machine is gone, says nothing: whoever waits for its
// answer would wait for as long as the network does, a quarter of an hour, while another server leads already.
const (
	// doubtAfter is how long an answer may take before somebody looks whether the server still leads, again and again. An
	// answer may take longer: while a lock is held, or while a standby does not confirm.
	doubtAfter = 3 * time.Second
	// connectTimeout is how long making a connection to one of the hosts may take, if the address says nothing else.
	connectTimeout = 3 * time.Second
	// pingTimeout is how long an idle connection may take to show that it is alive before another is used.
	pingTimeout = 2 * time.Second
)

// errGone is why waiting for an answer was given up.
var errGone = errors.New("another server leads than the one that was asked")

// doubter finds out whether whoever is waited for still leads.
type doubter struct {
	pool   *pgxpool.Pool
	asking sync.Mutex // held while one asks: the others need not, too

	mu      sync.Mutex
	waiting map[*waiting]struct{} // guarded by mu
}

// waiting is somebody who waits for an answer.
type waiting struct {
	conn   *pgconn.PgConn
	giveUp context.CancelCauseFunc
	timer  *time.Timer // guarded by the doubter's mu: when to look
}

// server returns the address of whom is waited for.
func (w *waiting) server() string { return w.conn.Conn().RemoteAddr().String() }

// waitFor returns a context that ends with errGone as its cause once the connection's server no longer leads or no longer
// knows the connection. Call stop when the answer is there.
func (d *doubter) waitFor(ctx context.Context, conn *pgx.Conn) (_ context.Context, stop func()) {
	ctx, giveUp := context.WithCancelCause(ctx)
	one := &waiting{conn: conn.PgConn(), giveUp: giveUp}
	d.mu.Lock()
	d.waiting[one] = struct{}{}
	one.timer = time.AfterFunc(doubtAfter, func() {
		if ctx.Err() == nil && !d.look(ctx, one) {
			d.mu.Lock()
			one.timer.Reset(doubtAfter)
			d.mu.Unlock()
		}
	})
	d.mu.Unlock()
	return ctx, func() {
		d.mu.Lock()
		one.timer.Stop()
		delete(d.waiting, one)
		d.mu.Unlock()
		giveUp(nil)
	}
}

// look looks whether there is nothing to wait for any more: then it ends the waiting, of all who wait for that server if
// it no longer leads, and reports so.
func (d *doubter) look(ctx context.Context, one *waiting) (ended bool) {
	if !d.asking.TryLock() {
		return false
	}
	defer d.asking.Unlock()
	moved, gone := d.gone(ctx, one.server(), one.conn.PID())
	if !moved && !gone {
		return false
	}
	d.mu.Lock()
	for other := range d.waiting {
		if other == one || moved && other.server() == one.server() {
			other.giveUp(errGone)
		}
	}
	d.mu.Unlock()
	d.pool.Reset() // the other connections are of no use either
	return true
}

// gone reports whether the address of the database, asked anew, leads to another server, or to one that does not know the
// connection. That nobody answers is no reason to give up: nobody else leads either.
func (d *doubter) gone(ctx context.Context, server string, backend uint32) (moved, gone bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	fresh, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
	if err != nil {
		return false, false
	}
	defer func() { _ = fresh.Close(ctx) }() // it is not needed any more
	if fresh.PgConn().Conn().RemoteAddr().String() != server {
		return true, true
	}
	known := true
	err = fresh.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1`, int64(backend)).Scan(&known)
	return false, err == nil && !known
}
