// Package job owns what must happen later and outside the act: a deadline, a retry, a message to a bank, a command under
// another key. A job is queued in the act's transaction, so it exists exactly if the act does.
//
// A job is done at least once. Its handler makes it once in effect: either it removes the job in its own act
// (Tx.FinishJob, which fails if the job is gone), or the receiver can tell a duplicate by the job's id. A handler that
// fails is run again with growing delay; one that fails for good becomes a dead letter that an operator sees and can
// retry. Payloads hold ids, never personal data.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// Job is something that must happen later.
type Job struct {
	ID       ident.Job
	Key      act.Key         // under which it is queued
	Kind     string          // which handler does it: "payment.send"
	Due      time.Time       // not before
	Payload  json.RawMessage // ids only
	Attempts int             // how often it was tried and failed
	Failure  string          // the fault code of the last try, or ""
	Dead     bool            // given up: an operator decides
	// Background: it waits until nothing else is due, so that much of it, such as counting figures, holds nobody up.
	Background bool
	Trace      string // of the act that queued it, where it is traced (W3C Trace Context, traceparent), or ""
}

// Backlog is how much waits, for the operator.
type Backlog struct {
	Due    int       // jobs that could be done now
	Oldest time.Time // when the oldest of them became due, zero if there is none
	Dead   int       // given up
}

// Reader is what the runner needs for reading.
type Reader interface {
	// DueJobs returns jobs due at the time that are not dead, those in the background last, the oldest first, at most limit.
	DueJobs(at time.Time, limit int) ([]Job, error)
	// NextJob returns when the earliest living job is due that no process has claimed, or when a claim runs out; zero if
	// there is neither.
	NextJob() (time.Time, error)
	// DeadJobs returns the dead letters, oldest first.
	DeadJobs(limit int) ([]Job, error)
	// JobBacklog returns how much waits at the time.
	JobBacklog(at time.Time) (Backlog, error)
}

// Tx is what acts need to queue and to finish jobs.
type Tx interface {
	act.Tx
	Reader
	// QueueJob stores a new job.
	QueueJob(job Job) error
	// FinishJob removes a job; if it is gone already, fault.Conflict with the code "job.gone".
	FinishJob(key act.Key, id ident.Job) error
	// DelayJob stores a failed try: attempts, due, failure and dead.
	DelayJob(job Job) error
}

// ErrGone is what FinishJob returns for a job that is done already.
var ErrGone = fault.New(fault.Conflict, "job.gone", "This job is done already.")

// Queue queues a job of the kind in the act, due after the delay.
func Queue(tx Tx, kind string, after time.Duration, payload any) error {
	return QueueAt(tx, kind, tx.Now().Add(after), payload)
}

// QueueAt queues a job of the kind in the act, due at the time.
func QueueAt(tx Tx, kind string, due time.Time, payload any) error {
	encoded, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	return tx.QueueJob(Job{ID: ident.New[ident.Job](tx.Now()), Key: tx.Key(), Kind: kind, Due: due, Payload: encoded})
}

// QueueBehind queues a job of the kind in the act that waits until nothing else is due.
func QueueBehind(tx Tx, kind string, payload any) error {
	encoded, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	return tx.QueueJob(Job{ID: ident.New[ident.Job](tx.Now()), Key: tx.Key(), Kind: kind, Due: tx.Now(), Payload: encoded, Background: true})
}

// Handler does a job. It may be called again for a job that it did.
type Handler func(ctx context.Context, job Job) error

// With returns a handler of jobs whose payload is JSON of a T.
func With[T any](do func(ctx context.Context, queued Job, payload T) error) Handler {
	return func(ctx context.Context, queued Job) error {
		var payload T
		if err := json.Unmarshal(queued.Payload, &payload); err != nil {
			return err
		}
		return do(ctx, queued, payload)
	}
}

// MostAttempts is after how many failures a job is given up (about two days).
const MostAttempts = 20

// noHandler is the failure of a job of a kind that nothing here does: it is given up at once.
const noHandler = "job.no-handler"

// GivenUp reports whether a dead job is one that a runner gave up: it failed as often as that takes.
func (j Job) GivenUp() bool {
	return j.Dead && j.Failure != "" && (j.Attempts >= MostAttempts || j.Attempts > 0 && j.Failure == noHandler)
}

// Lease is for how long a process claims a job. A handler's context ends before its claim does; if the process dies,
// another does the job when the claim has run out.
const Lease = time.Minute

// Runner does due jobs, several at a time, never the same twice at once. An idle runner sleeps until the next job is
// due or until it is woken: it does not poll.
type Runner struct {
	Store    act.Store[Reader, Tx]
	Clock    act.Clock
	Handlers map[string]Handler
	Workers  int // how many jobs at a time; zero: 4
	// MostAttempts is after how many failures a job becomes a dead letter; zero: MostAttempts. One that fails with
	// fault.Unavailable never does: it is tried again at least every mostWait.
	MostAttempts int
	Log          *slog.Logger
	// Claim takes due jobs upon this process until the time, at most limit, so that no other process does them before.
	// Required where several processes run the jobs of one store; nil: this one does all.
	Claim func(ctx context.Context, at, until time.Time, limit int) ([]Job, error)
	// Observe is told when a job begins, and by the function that it returns how it ended; the context that it returns is
	// the handler's. Nil: nobody is told.
	Observe func(ctx context.Context, job Job) (context.Context, func(err error))

	wake chan struct{}
	once sync.Once
}

func (r *Runner) init() {
	r.once.Do(func() {
		r.wake = make(chan struct{}, 1)
		if r.Workers == 0 {
			r.Workers = 4
		}
		if r.MostAttempts == 0 {
			r.MostAttempts = MostAttempts
		}
		if r.Log == nil {
			r.Log = slog.New(slog.DiscardHandler)
		}
	})
}

// Wake tells the runner that a job may have been queued. It never blocks.
func (r *Runner) Wake() {
	r.init()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run does jobs until the context ends; it then waits for those under way.
func (r *Runner) Run(ctx context.Context) error {
	r.init()
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		running = map[ident.Job]bool{}
		full    bool // guarded by mu: with a free worker there may be more to claim
		slots   = make(chan struct{}, r.Workers)
	)
	defer workers.Wait()
	for {
		mu.Lock()
		free := r.Workers - len(running)
		full = free <= 0
		mu.Unlock()
		due, next, err := r.look(ctx, free)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("reading the queue failed", "error", err)
			next = r.Clock().Add(time.Second)
		}
		started := false
		for _, one := range due {
			mu.Lock()
			busy := running[one.ID]
			running[one.ID] = true
			mu.Unlock()
			if busy {
				continue
			}
			started = true
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			workers.Go(func() {
				r.do(ctx, one)
				mu.Lock()
				delete(running, one.ID)
				look := full || r.Claim == nil
				mu.Unlock()
				<-slots
				if look {
					r.Wake()
				}
			})
		}
		again, busy := started, len(due) > 0
		if r.Claim != nil {
			// Who claimed fewer jobs than there were workers for has all that was due.
			again, busy = free > 0 && len(due) >= free, free <= 0
		}
		if again {
			continue
		}
		if err := r.sleep(ctx, next, busy); err != nil {
			return nil
		}
	}
}

// look returns the due jobs and when the next is due (zero: none). Jobs that must be claimed are as many as can be done
// at once; if they are, who claimed them looks again, and need not know the next.
func (r *Runner) look(ctx context.Context, free int) (due []Job, next time.Time, err error) {
	now := r.Clock()
	if r.Claim != nil {
		if free <= 0 {
			return nil, next, nil
		}
		if due, err = r.Claim(ctx, now, now.Add(Lease), free); err != nil || len(due) >= free {
			return due, next, err
		}
	}
	err = r.Store.View(ctx, func(tx Reader) error {
		if r.Claim == nil {
			if due, err = tx.DueJobs(now, 64); err != nil {
				return err
			}
		}
		next, err = tx.NextJob()
		return err
	})
	return due, next, err
}

// sleep waits for a wake-up or for the next job; busy means that all due jobs are under way and only a wake-up helps.
func (r *Runner) sleep(ctx context.Context, next time.Time, busy bool) error {
	var timer <-chan time.Time
	if !next.IsZero() && !busy {
		// The machine's clock may be set while we sleep: look again at least every minute while something waits.
		wait := min(max(next.Sub(r.Clock()), time.Millisecond), time.Minute)
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.wake:
	case <-timer:
	}
	return nil
}

// Drain does all jobs due until none is left, in order, and returns the first error; for tests and examples.
func (r *Runner) Drain(ctx context.Context) error {
	r.init()
	for {
		due, _, err := r.look(ctx, r.Workers)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, one := range due {
			r.do(ctx, one)
		}
	}
}

func (r *Runner) do(ctx context.Context, job Job) {
	handler, ok := r.Handlers[job.Kind]
	err := error(fault.Newf(fault.Internal, noHandler, "Nothing here does jobs of the kind %s.", job.Kind))
	doing, ended := ctx, func(error) {}
	if r.Observe != nil {
		doing, ended = r.Observe(ctx, job)
	}
	if ok {
		err = r.call(doing, handler, job)
	}
	if errors.Is(err, ErrGone) { // the handler finished it in its own act
		ended(nil)
		return
	}
	ended(err)
	if ctx.Err() != nil && err != nil {
		return // shutting down: the job stays as it is
	}
	settle := func(tx Tx) error {
		if err == nil {
			if gone := tx.FinishJob(job.Key, job.ID); gone != nil && !errors.Is(gone, ErrGone) {
				return gone
			}
			return nil
		}
		job := job
		job.Attempts++
		job.Failure = fault.Code(err)
		// What cannot be reached is unknown, and waits: for a bank or a register as long as it takes.
		waits := fault.Is(err, fault.Unavailable)
		// Where several processes run, another may be of a newer release and know the kind.
		job.Dead = job.Attempts >= r.MostAttempts && !waits || !ok && r.Claim == nil
		wait := Backoff(job.Attempts)
		if waits {
			wait = min(wait, mostWait)
		}
		job.Due = tx.Now().Add(wait)
		return tx.DelayJob(job)
	}
	if err != nil {
		r.Log.WarnContext(doing, "a job failed", "job", job.ID, "kind", job.Kind, "attempts", job.Attempts+1, "error", err)
	}
	// A job under way when the process is told to stop is still settled.
	if err := r.Store.Update(context.WithoutCancel(ctx), job.Key, settle); err != nil {
		r.Log.Error("settling a job failed", "job", job.ID, "kind", job.Kind, "error", err)
		// A store that cannot write is not asked without end.
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (r *Runner) call(ctx context.Context, handler Handler, job Job) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fault.Newf(fault.Internal, "job.panic", "The handler of %s panicked: %v", job.Kind, broken)
		}
	}()
	if r.Claim != nil {
		bounded, cancel := context.WithTimeout(ctx, Lease-5*time.Second)
		defer cancel()
		ctx = bounded
	}
	return handler(ctx, job)
}

// mostWait is the longest time between two tries to reach what is not available.
const mostWait = 15 * time.Minute

// Backoff returns how long to wait after a number of failures: from one second, doubling, to at most six hours, with a
// tenth of chance so that many failures at once do not come back at once.
func Backoff(attempts int) time.Duration {
	wait := min(time.Second<<min(attempts-1, 15), 6*time.Hour)
	return wait + time.Duration(rand.Int64N(int64(wait)/10+1))
}
