package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"yagona/bench/wire"
	"yagona/store/sqlite"
)

// bareBytes is how much a bare handler commits for a request: as much as a record's act writes.
const bareBytes = 1600

// bare is a server that does nothing of what an installation does: what everything above must stay under, on this machine
// with this load generator. It answers; or it commits one insertion before it answers, those that wait together, with the
// settings of an installation.
type bare struct {
	pool       *sql.DB
	insert     *sql.Stmt
	server     *http.Server
	served     chan error
	waiting    chan chan error // whose insertion is not committed yet
	client     *client
	committing atomic.Bool
	rates      [2][]float64 // of each run: answering only, and committing
}

func openBare(ctx context.Context, folder string, clients int) (*bare, error) {
	pool, err := sqlite.OpenFile(filepath.Join(folder, "bare.db"), "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(12000)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	b := &bare{pool: pool, served: make(chan error, 1), waiting: make(chan chan error, clients)}
	if _, err = pool.ExecContext(ctx, `CREATE TABLE bare (id INTEGER PRIMARY KEY, content BLOB NOT NULL)`); err == nil {
		b.insert, err = pool.PrepareContext(ctx, `INSERT INTO bare (content) VALUES ($1)`)
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	b.client = &client{site: &url.URL{Scheme: "http", Host: listener.Addr().String()}, wire: &wire.Client{}, token: "bare"}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
	go func() { b.served <- b.server.Serve(listener) }()
	go b.commit(context.WithoutCancel(ctx))
	return b, nil
}

// commit commits the insertions of who waits, until nobody will.
func (b *bare) commit(ctx context.Context) {
	content := make([]byte, bareBytes)
	for first := range b.waiting {
		group, sizes := []chan error{first}, []int{bareBytes}
		for range len(b.waiting) {
			group, sizes = append(group, <-b.waiting), append(sizes, bareBytes)
		}
		err := work{commits: [][]int{sizes}}.commit(ctx, b.pool, b.insert, content)
		for _, one := range group {
			one <- err
		}
	}
}

var bareAnswer = bytes.Repeat([]byte("."), 500)

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sent map[string]any
	err := json.NewDecoder(r.Body).Decode(&sent)
	if err == nil && b.committing.Load() {
		done := make(chan error, 1)
		b.waiting <- done
		err = <-done
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(bareAnswer)
}

// measure sends as many requests as records are made, five times, in both ways.
func (b *bare) measure(ctx context.Context, wanted options, counts bool) error {
	body := map[string]any{"reason": "measured", "values": map[string]any{"person": "01a2071b-8425-7c9b-ac44-83b6e2d8b8be", "support": "help", "amount": 100_000}}
	for way := range b.rates {
		b.committing.Store(way == 1)
		begun := time.Now()
		_, err := each(ctx, wanted.Clients, 5*wanted.Records, func(ctx context.Context, _ int) error { return b.client.post(ctx, "/", body, nil) })
		if err != nil {
			return fmt.Errorf("a bare handler: %w", err)
		}
		if counts {
			b.rates[way] = append(b.rates[way], float64(5*wanted.Records)/time.Since(begun).Seconds())
		}
	}
	return nil
}

func (b *bare) report(out io.Writer) {
	for way, what := range []string{"answers only", "commits one insertion and answers"} {
		rates := b.rates[way]
		fmt.Fprintf(out, "a bare handler that %s: %.0f/s (%.0f–%.0f)\n", what, median(rates), slices.Min(rates), slices.Max(rates))
	}
}

func (b *bare) close() error {
	err := b.server.Close()
	if ended := <-b.served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	close(b.waiting)
	return errors.Join(err, b.insert.Close(), b.pool.Close())
}
