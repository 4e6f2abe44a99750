package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"yagona/store/query"
	"yagona/store/sqlite"
)

// work is what was committed and signed while something was measured.
type work struct {
	commits            [][]int // for each commit, the bytes that each of its acts wrote
	signed, verified   int64
	acts, bytes, write int // totals; write: statements that write
}

// tally counts the work of an installation. It is safe for concurrent use.
type tally struct {
	// signatures returns how many were made, and how many were verified by computing, since the installation was opened.
	signatures       func() (made, computed int64)
	signed, verified int64 // when the counting began

	mu      sync.Mutex
	running bool // guarded by mu
	work    work // guarded by mu
}

// start begins to count from nothing.
func (t *tally) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running, t.work = true, work{}
	t.signed, t.verified = t.signatures()
}

// stop ends the counting and returns what was counted.
func (t *tally) stop() work {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = false
	made, computed := t.signatures()
	t.work.signed, t.work.verified = made-t.signed, computed-t.verified
	return t.work
}

// committed takes in a commit: sqlite.DB.OnCommit.
func (t *tally) committed(acts []query.Written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.running {
		return
	}
	sizes := make([]int, 0, len(acts))
	for _, one := range acts {
		if one.Statements == 0 {
			continue // a reading that took its turn among the acts
		}
		sizes = append(sizes, one.Bytes)
		t.work.acts++
		t.work.bytes += one.Bytes
		t.work.write += one.Statements
	}
	if len(sizes) > 0 {
		t.work.commits = append(t.work.commits, sizes)
	}
}

// floor returns how long the least takes that keeps the same promise: one insertion for each act with as many bytes as
// it wrote, in the same commits, on one connection of the same driver with the same settings; and on another goroutine
// as many signatures and verifications of messages of one kilobyte. Both must be done.
func (w work) floor(ctx context.Context, folder string) (time.Duration, error) {
	path := filepath.Join(folder, "floor.db")
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + suffix) // the folder goes in the end, and the next floor begins anew
		}
	}()
	pool, err := sqlite.OpenFile(path, "journal_mode(WAL)", "synchronous(FULL)", "cache_size(-16000)", "temp_store(MEMORY)")
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	if _, err := pool.ExecContext(ctx, `CREATE TABLE floor (id INTEGER PRIMARY KEY, content BLOB NOT NULL)`); err != nil {
		return 0, err
	}
	insert, err := pool.PrepareContext(ctx, `INSERT INTO floor (content) VALUES ($1)`)
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	content := make([]byte, 0)
	for _, acts := range w.commits {
		for _, size := range acts {
			if size > len(content) {
				content = make([]byte, size)
			}
		}
	}
	rand.Read(content)

	begun := time.Now()
	var signing sync.WaitGroup
	var wrong atomic.Bool
	signing.Go(func() {
		message := make([]byte, 1024)
		made := ed25519.Sign(private, message)
		for range w.signed - 1 {
			made = ed25519.Sign(private, message)
		}
		for range w.verified {
			if !ed25519.Verify(public, message, made) {
				wrong.Store(true)
			}
		}
	})
	err = w.commit(ctx, pool, insert, content)
	signing.Wait()
	took := time.Since(begun)
	if wrong.Load() {
		err = errors.Join(err, errors.New("a signature did not verify"))
	}
	return took, err
}

func (w work) commit(ctx context.Context, pool *sql.DB, insert *sql.Stmt, content []byte) error {
	for _, acts := range w.commits {
		tx, err := pool.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		for _, size := range acts {
			if _, err := tx.StmtContext(ctx, insert).ExecContext(ctx, content[:size]); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}
