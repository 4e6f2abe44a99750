package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// linger is how long a connection stays within the transaction of a reading that is over, for whoever comes next. It keeps
// the server from tidying up what was changed meanwhile, so it is short.
const linger = 2 * time.Millisecond

const (
	beginReading = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
	readAnew     = "ROLLBACK AND CHAIN" // ends a reading and begins another: a new snapshot
	endReading   = "ROLLBACK"
)

// lease is a connection of the pool that was given to an act or a reading. Nobody waits for the end of a reading: it is sent
// along with what the connection is used for next. Between the two the connection lingers.
type lease struct {
	*pgxpool.Conn
	timer *time.Timer // ends the lingering; nil: it never lingered
}

// reading reports whether the connection is within the transaction of a reading that is over.
func (l *lease) reading() bool { return l.Conn.Conn().PgConn().TxStatus() == 'T' }

// lingering holds the leases that linger.
type lingering struct {
	mu     sync.Mutex
	leases []*lease // guarded by mu; who comes next gets the last
}

// take returns a lease that lingers, or nil.
func (l *lingering) take() *lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.leases) - 1
	if last < 0 {
		return nil
	}
	found := l.leases[last]
	l.leases = slices.Delete(l.leases, last, last+1)
	found.timer.Stop()
	return found
}

// acquire returns a connection, one that lingers first.
func (db *DB) acquire(ctx context.Context) (*lease, error) { return db.wait(ctx, true) }

// fresh returns a connection that does not linger.
func (db *DB) fresh(ctx context.Context) (*lease, error) { return db.wait(ctx, false) }

// wait waits for a connection, for Patience at most. Each act and each reading has its turn before it asks the pool: so one that lingers is found by
// whoever waits, and the pool has one for everybody else.
func (db *DB) wait(ctx context.Context, lingers bool) (_ *lease, err error) {
	waiting, cancel := context.WithTimeout(ctx, db.config.Patience)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() == nil && waiting.Err() != nil {
			err = errAway.Because(err)
		}
	}()
	select {
	case db.turn <- struct{}{}:
	case <-waiting.Done():
		return nil, waiting.Err()
	}
	if lingers {
		if found := db.lingering.take(); found != nil {
			return found, nil
		}
	}
	conn, err := db.pool.Acquire(waiting)
	if err != nil {
		<-db.turn
		return nil, err
	}
	return &lease{Conn: conn}, nil
}

// release gives back a connection. One whose transaction did not end is closed.
func (db *DB) release(l *lease) {
	l.Release()
	<-db.turn
}

// leave gives back a connection on which at most a reading was begun: then it lingers.
func (db *DB) leave(l *lease) {
	if conn := l.Conn.Conn().PgConn(); conn.IsClosed() || conn.IsBusy() || conn.TxStatus() != 'T' {
		db.rollback(&connection{conn: l.Conn.Conn()})
		db.release(l)
		return
	}
	db.lingering.mu.Lock()
	db.lingering.leases = append(db.lingering.leases, l)
	if l.timer == nil {
		l.timer = time.AfterFunc(linger, func() { db.end(l) })
	} else {
		l.timer.Reset(linger)
	}
	db.lingering.mu.Unlock()
	<-db.turn
}

// end ends a reading that nothing followed.
func (db *DB) end(l *lease) {
	db.lingering.mu.Lock()
	i := slices.Index(db.lingering.leases, l)
	if i >= 0 {
		db.lingering.leases = slices.Delete(db.lingering.leases, i, i+1)
	}
	db.lingering.mu.Unlock()
	if i < 0 {
		return // somebody came at the last moment
	}
	db.rollback(&connection{conn: l.Conn.Conn()})
	l.Release()
}
