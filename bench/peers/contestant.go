package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The measurements, in the order of a round.
const (
	create = "create" // a case that an official can work on
	record = "record" // a plain record of a register; of the peers it is what create is, and is measured of us alone
	read   = "read"   // one's own case
	own    = "own"    // one's own record; of the peers it is what read is, and is measured of us alone
	submit = "submit" // validate, evaluate, write case, register and journal
)

var measures = []string{create, record, read, own, submit}

// reads tells what the measurements that read read: what another one made.
var reads = map[string]string{read: create, own: record}

var (
	// errNotDone says that a program does not do what is measured.
	errNotDone = errors.New("this program does not do that")
	// errLost says that a program does not have the case.
	errLost = errors.New("it does not have the case")
)

// program is what is measured, ours or a peer. Its methods are called one after another, but do, which is called by many at a time.
type program interface {
	// fetch gets what it needs, once for all runs, and keeps what it builds in the cache. Its error says why the program
	// cannot be had.
	fetch(ctx context.Context, cache string) error
	// lay makes what its folder must have before the first start.
	lay(ctx context.Context) error
	// commands are its processes, in the order in which they are started.
	commands() []*exec.Cmd
	// connect tries to sign in; it is called again until it succeeds.
	connect(ctx context.Context) error
	// do does one piece of a measurement as the number i of all. Of what creates it returns the id; of what reads, it reads
	// that id. What it does not do at all is errNotDone.
	do(ctx context.Context, measure string, i int, id string) (string, error)
	// settle returns when what the answers left to do is done.
	settle(ctx context.Context) error
}

// contestant is a program with its processes and its figures.
type contestant struct {
	program
	name, setting string
	records       bool // it has plain records besides cases
	folder        string
	limit         time.Duration // how long it may take to be there
	processes     []*exec.Cmd
	next, done    atomic.Int64        // pieces: begun of all; done since the last kill began
	made          map[string][]string // the ids of what each measurement created, the newest last
	measured      map[string][]turn
	starts        []float64 // seconds
	idle, busy    int64     // bytes
	acknowledged  int
	lost          int
}

// turn is what one program did in one measurement of a round.
type turn struct {
	latencies   []time.Duration
	took, spent time.Duration // on the clock; of the program's processes on the processors
}

// appear gets the program, lays its folder and starts it.
func (c *contestant) appear(ctx context.Context, cache string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return err
	}
	if err := c.fetch(ctx, cache); err != nil {
		return err
	}
	if err := c.lay(ctx); err != nil {
		return err
	}
	return c.begin(ctx)
}

// begin starts the processes and returns when the program has done all that follows from its start, and may be stopped.
func (c *contestant) begin(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	return c.settled(ctx)
}

// settled returns when what the answers left to do is done.
func (c *contestant) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	return c.settle(ctx)
}

// start starts the processes and returns when the program answers.
func (c *contestant) start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(c.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c.processes = nil
	for _, command := range c.commands() {
		command.Stdout, command.Stderr = log, log
		if err := launch(command); err != nil {
			return err
		}
		c.processes = append(c.processes, command)
	}
	return c.answers(ctx)
}

// answers returns when the program answers.
func (c *contestant) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	for {
		attempt, over := context.WithTimeout(ctx, c.limit/6)
		err := c.connect(attempt)
		over()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer within %s: %w; its log ends with: %s", c.limit, err, c.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// tail returns the end of the program's log.
func (c *contestant) tail() string {
	content, err := os.ReadFile(filepath.Join(c.folder, "log"))
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-3):], []byte(" | ")))
}

// measure lets the program have its turn.
func (c *contestant) measure(ctx context.Context, measure string, wanted options) (turn, error) {
	if (measure == record || measure == own) && !c.records {
		return turn{}, errNotDone
	}
	c.resume()
	defer c.pause()
	if err := c.awake(ctx); err != nil {
		return turn{}, err
	}
	if of, reading := reads[measure]; reading && len(c.made[of]) == 0 {
		return turn{}, errors.New("there is nothing to read")
	}
	spent, begun := c.processorTime(), time.Now()
	pieces, err := c.work(ctx, measure, wanted.clients, begun.Add(wanted.turn))
	if err != nil {
		return turn{}, err
	}
	if err := c.settled(ctx); err != nil {
		return turn{}, err
	}
	done := turn{took: time.Since(begun), spent: c.processorTime() - spent}
	for _, one := range pieces {
		done.latencies = append(done.latencies, one.took)
		if measure == create || measure == record {
			c.made[measure] = append(c.made[measure], one.id)
		}
	}
	c.busy = max(c.busy, c.memory())
	return done, nil
}

// awake returns when the program works again after it was stopped: it creates a case that does not count.
func (c *contestant) awake(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	for {
		id, err := c.do(ctx, create, c.number(), "")
		if err == nil {
			c.made[create] = append(c.made[create], id)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not work again: %w; its log ends with: %s", err, c.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *contestant) number() int { return int(c.next.Add(1)) - 1 }

// piece is one that was done.
type piece struct {
	id   string
	took time.Duration
}

// work does pieces with so many clients until the time. The first error ends it, and what was done is returned with it.
func (c *contestant) work(ctx context.Context, measure string, clients int, until time.Time) ([]piece, error) {
	done := make([][]piece, clients)
	errs := make([]error, clients)
	var failed atomic.Bool
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			for i := client; time.Now().Before(until) && !failed.Load(); i += clients {
				id := ""
				if of := c.made[reads[measure]]; len(of) > 0 {
					id = of[i*7919%len(of)] // any prime: not one after another
				}
				begun := time.Now()
				id, err := c.do(ctx, measure, c.number(), id)
				if err != nil {
					errs[client] = err
					failed.Store(true)
					return
				}
				c.done.Add(1)
				done[client] = append(done[client], piece{id, time.Since(begun)})
			}
		})
	}
	group.Wait()
	var all []piece
	for _, some := range done {
		all = append(all, some...)
	}
	return all, errors.Join(errs...)
}

// weigh ends and starts the program, from the call until it has read a stored case, and looks how much memory it then has.
func (c *contestant) weigh(ctx context.Context, wanted options) error {
	c.resume()
	defer c.pause()
	for range wanted.starts {
		c.end()
		begun := time.Now()
		if err := c.start(ctx); err != nil {
			return err
		}
		if err := c.has(ctx, c.made[create][len(c.made[create])-1]); err != nil && !errors.Is(err, errLost) { // what it keeps in memory only is gone
			return err
		}
		c.starts = append(c.starts, time.Since(begun).Seconds())
		if err := c.settled(ctx); err != nil {
			return err
		}
	}
	c.idle = c.memory()
	return nil
}

// has reads a case, for as long as the program needs to answer.
func (c *contestant) has(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	for {
		_, err := c.do(ctx, read, 0, id)
		if err == nil || errors.Is(err, errLost) || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// lose kills the program while it creates cases, after a turn and when each client has had two on average, starts it again, and counts those that it had acknowledged and does not
// have any more.
func (c *contestant) lose(ctx context.Context, wanted options) error {
	c.resume()
	defer c.pause()
	if err := c.awake(ctx); err != nil {
		return err
	}
	before := len(c.made[create])
	c.done.Store(0)
	end, killed := time.Now().Add(c.limit), make(chan struct{})
	go func() {
		time.Sleep(wanted.turn)
		for c.done.Load() < int64(2*wanted.clients) && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
		}
		c.kill()
		close(killed)
	}()
	pieces, _ := c.work(ctx, create, wanted.clients, end) // it fails when the program is killed
	<-killed
	for _, one := range pieces {
		c.made[create] = append(c.made[create], one.id)
	}
	if err := c.begin(ctx); err != nil {
		return err
	}
	acknowledged := c.made[create][before-1:] // with the one that showed that it works
	for _, id := range acknowledged {
		switch err := c.has(ctx, id); {
		case errors.Is(err, errLost):
			c.lost++
		case err != nil:
			return err
		}
	}
	c.acknowledged += len(acknowledged)
	return nil
}

// refused is an answer that is no success.
type refused struct {
	status int
	body   string
}

func (r refused) Error() string {
	return fmt.Sprintf("answered %d: %s", r.status, strings.TrimSpace(r.body))
}
