package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
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
}

// waitFor returns a context that ends with errGone as its cause once the connection's server no longer leads or no longer
// knows the connection. Call stop when the answer is there.
func (d *doubter) waitFor(ctx context.Context, conn *pgx.Conn) (waiting context.Context, stop func()) {
	waiting, cancel := context.WithCancelCause(ctx)
	address, backend := conn.PgConn().Conn().RemoteAddr().String(), conn.PgConn().PID()
	var timer *time.Timer
	timer = time.AfterFunc(doubtAfter, func() {
		if waiting.Err() != nil {
			return
		}
		if d.gone(waiting, address, backend) {
			cancel(errGone)
			d.pool.Reset() // its other connections are of no use either
			return
		}
		timer.Reset(doubtAfter)
	})
	return waiting, func() {
		timer.Stop()
		cancel(nil)
	}
}

// gone reports whether the address, asked anew, leads to another server, or to one that does not know the connection.
// That nobody answers is no reason to give up: nobody else leads either.
func (d *doubter) gone(ctx context.Context, address string, backend uint32) bool {
	if !d.asking.TryLock() {
		return false
	}
	defer d.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	fresh, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
	if err != nil {
		return false
	}
	defer func() { _ = fresh.Close(ctx) }() // it is not needed any more
	if fresh.PgConn().Conn().RemoteAddr().String() != address {
		return true
	}
	known := true
	err = fresh.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1`, int64(backend)).Scan(&known)
	return err == nil && !known
}
