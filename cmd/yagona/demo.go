package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"yagona/kernel/signature"
	"yagona/node"
	"yagona/node/walk"
	"yagona/packs"
	"yagona/packs/uz"
	"yagona/std/c2sp"
	"yagona/std/wholefile"
	"yagona/store"
)

// demoCommand serves a demonstration: synthetic people, the shipped packs, two witnesses in processes of their own.
type demoCommand struct {
	Folder      string   `default:"data/demo" placeholder:"DIR" help:"Folder of everything that is kept; a second start finds it again."`
	Listen      string   `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Loopback address to listen on."`
	Database    string   `placeholder:"URL" help:"Address of an empty PostgreSQL database (postgres://…) instead of a file in the folder."`
	SubjectKeys string   `placeholder:"URL" help:"Address of another one, for the subjects' keys. Required with --database."`
	Packs       []string `placeholder:"DIR" help:"Folders of packs, beside the shipped ones. Repeat it for several."`
	People      int      `default:"1000" help:"How many people to make at the first start."`
	Walk        bool     `help:"Walk through a story in the demonstration that runs in the folder; if none does, in a new one."`
	Log         bool     `help:"Write the log to standard error."`
	Story       string   `arg:"" optional:"" enum:"subsidy,mahalla" default:"subsidy" help:"Which story to walk through: subsidy, from a resident's request to the proof of it; mahalla, a day of the seven officials of a mahalla."`
}

// stories are what can be walked through, by name.
var stories = map[string]func(context.Context, walk.Demonstration, io.Writer) error{"subsidy": walk.Walk, "mahalla": walk.Mahalla}

// witnessCount is how many witnesses a demonstration has; all of them must cosign.
const witnessCount = 2

// running is what a running demonstration leaves in its folder for those who walk through it: what a verifier has to know
// from elsewhere.
type running struct {
	Site      string   `json:"site"`
	NodeKey   []byte   `json:"nodeKey"`
	LogKey    string   `json:"logKey"`
	Witnesses []string `json:"witnesses"`
}

// Run serves, or walks.
func (c demoCommand) Run(ctx context.Context, terminal terminal) error {
	if !c.Walk && c.Story != "subsidy" {
		return usageError{fmt.Errorf("say --walk %s to walk through it", c.Story)}
	}
	if !c.Walk {
		return c.serve(ctx, terminal, func(running) error { return nil })
	}
	found, err := c.found(ctx)
	if err == nil {
		return found.walk(ctx, c.Story, terminal.Out)
	}
	fmt.Fprintf(terminal.Out, "no demonstration runs in %s (%v): walking through a new one\n", c.Folder, err)
	folder, err := os.MkdirTemp("", "yagona-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	c.Folder, c.Listen = folder, "127.0.0.1:0"
	walked := make(chan error, 1)
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := c.serve(serving, terminal, func(ready running) error {
		go func() {
			walked <- ready.walk(ctx, c.Story, terminal.Out)
			stop()
		}()
		return nil
	})
	select {
	case err := <-walked:
		return errors.Join(err, served)
	default:
		return served
	}
}

func (r running) walk(ctx context.Context, story string, out io.Writer) error {
	site, err := url.Parse(r.Site)
	if err != nil {
		return err
	}
	return stories[story](ctx, walk.Demonstration{
		Site: site, SignInPath: node.DemonstrationPath, Client: node.DemonstrationProgram,
		NodeKey: r.NodeKey, LogKey: r.LogKey, Witnesses: r.Witnesses, Quorum: len(r.Witnesses),
	}, out)
}

func (c demoCommand) runningFile() string { return filepath.Join(c.Folder, "running.json") }

// found returns the demonstration that runs in the folder.
func (c demoCommand) found(ctx context.Context) (running, error) {
	var r running
	encoded, err := os.ReadFile(c.runningFile())
	if errors.Is(err, fs.ErrNotExist) {
		return r, errors.New("none was started there")
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(encoded, &r); err != nil {
		return r, err
	}
	site, err := url.Parse(r.Site)
	if err != nil {
		return r, err
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", site.Host)
	if err != nil {
		return r, errors.New("it has ended")
	}
	return r, conn.Close()
}

// serve serves until the context ends; ready is called when it answers.
func (c demoCommand) serve(ctx context.Context, terminal terminal, ready func(running) error) (err error) {
	begun := time.Now()
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return err
	}
	listener, site, err := listenLoopback(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := store.Check(c.Database, c.SubjectKeys); err != nil {
		return usageError{err}
	}
	config := node.Config{Folder: c.Folder, Database: c.Database, SubjectKeys: c.SubjectKeys, Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Quorum: witnessCount}
	if c.Log {
		config.Log = slog.New(slog.NewTextHandler(terminal.Err, nil))
	}
	for _, folder := range c.Packs {
		source, err := packSource(folder)
		if err != nil {
			return err
		}
		config.Packs = append(config.Packs, source)
	}
	logKey, err := node.LogKey(config)
	if err != nil {
		return err
	}
	now := running{Site: site.String(), LogKey: logKey}
	for i := range witnessCount {
		started, err := startWitness(ctx, filepath.Join(c.Folder, fmt.Sprintf("witness-%d", i+1)), fmt.Sprintf("witness-%d.example/demonstration", i+1), logKey)
		if err != nil {
			return fmt.Errorf("starting a witness: %w", err)
		}
		defer started.end()
		config.Witnesses = append(config.Witnesses, started.Witness)
		now.Witnesses = append(now.Witnesses, started.Key)
	}
	opened, err := node.OpenDemonstration(ctx, config, c.People)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	opened.Start(context.WithoutCancel(ctx))
	own, err := opened.Keys.Ensure(signature.Node)
	if err != nil {
		return err
	}
	now.NodeKey = own[0].Public
	encoded, err := json.MarshalIndent(now, "", "\t")
	if err != nil {
		return err
	}
	if err := wholefile.Write(c.runningFile(), append(encoded, '\n')); err != nil {
		return err
	}
	defer os.Remove(c.runningFile())
	fmt.Fprintf(terminal.Out, "ready %s (%.1f s, synthetic people only)\n", site, time.Since(begun).Seconds())
	if err := ready(now); err != nil {
		return err
	}
	return serveUntil(ctx, listener, opened.Handler)
}

// listenLoopback listens for those who may be anyone, and returns the site's address.
func listenLoopback(address string) (net.Listener, *url.URL, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: end what listens there, or choose another address with --listen", err)
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		listener.Close()
		return nil, nil, usageError{errors.New("here everyone may be anyone: it listens on loopback only, for example 127.0.0.1:8080")}
	}
	return listener, &url.URL{Scheme: "http", Host: listener.Addr().String()}, nil
}

// witnessProcess is a witness in a process of its own.
type witnessProcess struct {
	node.Witness
	command *exec.Cmd
	attend  io.Closer // its standard input: closing it ends the witness
}

func (w witnessProcess) end() {
	w.attend.Close()
	_ = w.command.Wait() // it was told to end
}

// startWitness starts a witness with its memory in the folder, and makes its key at the first start. It ends when this
// process does, however that happens.
func startWitness(ctx context.Context, folder, name, logKey string) (witnessProcess, error) {
	key := filepath.Join(folder, "witness.key")
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return witnessProcess{}, err
		}
		private, _, err := c2sp.GenerateCosigner(rand.Reader, name)
		if err != nil {
			return witnessProcess{}, err
		}
		if err := wholefile.Write(key, []byte(private+"\n")); err != nil {
			return witnessProcess{}, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return witnessProcess{}, err
	}
	command := exec.Command(self, "witness", "--attended", "--key", key, "--dir", filepath.Join(folder, "memory"), "--log", logKey)
	command.Stderr = os.Stderr
	attend, err := command.StdinPipe()
	if err != nil {
		return witnessProcess{}, err
	}
	said, err := command.StdoutPipe()
	if err != nil {
		return witnessProcess{}, err
	}
	if err := command.Start(); err != nil {
		return witnessProcess{}, err
	}
	started := witnessProcess{command: command, attend: attend}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "key":
			started.Key = rest
		case "ready":
			started.URL = rest
			go func() { _, _ = io.Copy(io.Discard, said) }() // so that it never waits for a reader
			return started, nil
		}
	}
	started.end()
	return witnessProcess{}, fmt.Errorf("the witness in %s did not start", folder)
}
