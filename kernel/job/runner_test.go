package job_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/job"
)

// queue is a store of jobs that are claimed. It implements what a runner asks of one.
type queue struct {
	job.Tx
	wake func()

	mu      sync.Mutex
	jobs    map[ident.Job]job.Job
	claimed map[ident.Job]time.Time
	looks   int // how often somebody asked for jobs to claim
	done    []ident.Job
}

func (q *queue) View(_ context.Context, run func(job.Reader) error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return run(q)
}

func (q *queue) Update(_ context.Context, _ act.Key, run func(job.Tx) error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return run(q)
}

func (q *queue) Now() time.Time { return time.Now() }

func (q *queue) NextJob() (next time.Time, err error) {
	for id, one := range q.jobs {
		at := one.Due
		if until, taken := q.claimed[id]; taken {
			at = until
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next, nil
}

func (q *queue) FinishJob(_ act.Key, id ident.Job) error {
	if _, there := q.jobs[id]; !there {
		return job.ErrGone
	}
	delete(q.jobs, id)
	q.done = append(q.done, id)
	return nil
}

func (q *queue) DelayJob(delayed job.Job) error {
	q.jobs[delayed.ID] = delayed
	delete(q.claimed, delayed.ID)
	q.wake()
	return nil
}

func (q *queue) add(due time.Time, count int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range count {
		id := ident.Random[ident.Job]()
		q.jobs[id] = job.Job{ID: id, Kind: "test", Due: due}
	}
	q.wake()
}

func (q *queue) claim(_ context.Context, at, until time.Time, limit int) (found []job.Job, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.looks++
	for id, one := range q.jobs {
		if len(found) < limit && !one.Due.After(at) && !q.claimed[id].After(at) {
			q.claimed[id] = until
			found = append(found, one)
		}
	}
	return found, nil
}

// left returns how many jobs are not done yet, and how often was looked since it was asked last.
func (q *queue) left() (jobs, looks int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	looks, q.looks = q.looks, 0
	return len(q.jobs), looks
}

// TestJobsThatAreClaimedAreDone lets a runner claim more jobs than it has workers for, jobs that are due later, one that fails
// and one whose claim another process left. It does each, and does not look while nothing can have changed.
func TestJobsThatAreClaimedAreDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{jobs: map[ident.Job]job.Job{}, claimed: map[ident.Job]time.Time{}}
		failing := true
		runner := &job.Runner{Store: q, Clock: time.Now, Workers: 3, Claim: q.claim, Handlers: map[string]job.Handler{
			"test": func(context.Context, job.Job) error { time.Sleep(time.Second); return nil },
			"fails once": func(context.Context, job.Job) error {
				if failing {
					failing = false
					return errors.New("it fails")
				}
				return nil
			},
		}}
		q.wake = runner.Wake
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error)
		go func() { stopped <- runner.Run(ctx) }()
		expect := func(what string, after time.Duration, jobs, mostLooks int) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if left, looks := q.left(); left != jobs || looks > mostLooks {
				t.Errorf("%s: %d jobs are left instead of %d, after %d looks (at most %d)", what, left, jobs, looks, mostLooks)
			}
		}
		expect("nothing is queued", time.Minute, 0, 1)
		q.add(time.Now(), 1)
		expect("one job", 2*time.Second, 0, 1)
		q.add(time.Now(), 8)
		expect("more than there are workers", 3500*time.Millisecond, 0, 9)
		q.add(time.Now().Add(time.Hour), 1)
		expect("one that is not due", time.Second, 1, 1)
		expect("one that is due", time.Hour+time.Second, 0, 61)
		q.add(time.Now(), 2)
		time.Sleep(500 * time.Millisecond)
		q.add(time.Now(), 1) // while others are being done
		expect("one beside others", 1500*time.Millisecond, 0, 4)
		q.mu.Lock()
		q.jobs["f"] = job.Job{ID: "f", Kind: "fails once", Due: time.Now()}
		q.jobs["left"], q.claimed["left"] = job.Job{ID: "left", Kind: "test", Due: time.Now()}, time.Now().Add(job.Lease)
		q.mu.Unlock()
		runner.Wake()
		expect("one that fails, one that another process claimed", 10*time.Second, 1, 4)
		expect("a claim that ran out", job.Lease, 0, 3)
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}
