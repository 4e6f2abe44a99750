package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"yagona/std/c2sp"
	"yagona/web/witness"
)

// witnessCommand watches logs and cosigns what continues what it saw before.
type witnessCommand struct {
	NewKey   string   `name:"new-key" placeholder:"NAME" help:"Make a key with this name (a host's and a path, like witness.example/1), write it to --key, and end."`
	Key      string   `required:"" placeholder:"FILE" help:"The witness's private key."`
	Listen   string   `default:"127.0.0.1:0" help:"Address to listen on."`
	Dir      string   `placeholder:"DIR" help:"Folder of the witness's memory: losing it means a new key."`
	Attended bool     `help:"End when standard input ends."`
	Log      []string `sep:"none" placeholder:"KEY" help:"A log to watch: its verifier key, whose name is its origin. Repeat it for several."`
}

// witnessName is how witnesses are named: "a schema-less URL" of a domain of theirs (C2SP tlog-witness).
var witnessName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$`)

// Run makes a key, or witnesses until it is asked to end.
func (c witnessCommand) Run(ctx context.Context, terminal terminal) error {
	if c.NewKey != "" {
		if !witnessName.MatchString(c.NewKey) {
			return usageError{fmt.Errorf("%q is no witness's name: name a host that is yours and a path, like witness.example/1", c.NewKey)}
		}
		private, public, err := c2sp.GenerateCosigner(rand.Reader, c.NewKey)
		if err != nil {
			return usageError{err}
		}
		if err := writeNewFile(c.Key, []byte(private+"\n")); err != nil {
			return err
		}
		fmt.Fprintln(terminal.Out, public)
		return nil
	}
	if c.Dir == "" || len(c.Log) == 0 {
		return usageError{errors.New("a witness needs --dir, the folder of its memory, and at least one --log to watch")}
	}
	private, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	cosigner, err := c2sp.NewCosigner(strings.TrimSpace(string(private)), time.Now)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Key, err)
	}
	var logs []note.Verifier
	for _, key := range c.Log {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return usageError{fmt.Errorf("the log %q: %w", key, err)}
		}
		logs = append(logs, verifier)
	}
	if c.Attended {
		attended, cancel := context.WithCancel(ctx)
		defer cancel()
		ctx = attended
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // until it ends, whatever it says
			cancel()
		}()
	}
	server, err := witness.Open(witness.Config{
		Folder: c.Dir, Cosigner: cosigner, Logs: logs, Logger: slog.New(slog.NewTextHandler(terminal.Err, nil)),
	})
	if err != nil {
		return err
	}
	defer server.Close()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(terminal.Out, "key %s\nready http://%s\n", cosigner.VerifierKey(), listener.Addr())
	return serveUntil(ctx, listener, server.Handler())
}

// finishWithin is how long requests that have begun may take after a server was asked to end.
const finishWithin = 20 * time.Second

// idleAfter is how long nothing is asked for until a process is idle.
const idleAfter = 10 * time.Second

// serveUntil serves until the context ends; then it takes no new requests and lets those that have begun finish.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	// What work left behind goes back to the machine when nothing was asked for a while: by itself it would take minutes.
	idle := time.AfterFunc(idleAfter, debug.FreeOSMemory)
	defer idle.Stop()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			idle.Reset(idleAfter)
			handler.ServeHTTP(w, r)
		}), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
	}
	group, ended := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ended.Done()
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
		defer cancel()
		return server.Shutdown(finish)
	})
	return group.Wait()
}
