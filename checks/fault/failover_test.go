package fault

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestTheDatabasesLeaderIsLost lets two processes serve from two PostgreSQL servers under Patroni, with synchronous
// replication, and takes the leading server away under load, each time in another way:
//
//   - PostgreSQL is killed with SIGKILL, and Patroni sees it;
//   - the whole server is killed with SIGKILL, Patroni too, and comes back later;
//   - the whole server hangs for longer than its claim to lead lasts, and wakes up in a world that went on without it.
//
// Each time the standby stops confirming a moment before, so that the leader has commits that nobody else has: until the
// loss, nothing may be acknowledged and no witness may be asked to cosign. In the end everything that was acknowledged
// must be there, nothing twice, and the log must be what the witnesses cosigned. What is printed is the gap: for how long
// nothing was acknowledged.
//
// It takes the leader away once; 30 times in
//
//	make fault
func TestTheDatabasesLeaderIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two PostgreSQL servers under Patroni and kills them under load")
	}
	t.Parallel() // it mostly waits
	losses := killsWanted(t, 1)
	r := startReplicated(t)
	c := newClusterOn(t, r.create("yagona"), r.create("yagona_keys"), 400+50*losses, 2)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.said())
		}
	})
	l := newLoad(c.installation)
	l.each = 20 // everybody gets the subsidy once: there are enough for the whole time
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(losses)*3*patience)
	defer cancel()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		for ctx.Err() == nil {
			l.run(ctx, 6) // until nobody answers; then again
			time.Sleep(20 * time.Millisecond)
		}
	}()
	ways := []struct {
		name       string
		lose, back func(*server)
	}{
		{"the whole server killed", (*server).killAll, (*server).start},
		{"PostgreSQL killed", (*server).killPostgres, func(*server) {}},
		{"the whole server hangs", (*server).freeze, (*server).thaw},
	}
	gaps := map[string][]time.Duration{}
	for loss := range losses {
		leader, standby := r.awaitStandby()
		l.await(t, l.answered()+leastWork)
		way := ways[loss%len(ways)]
		l.confirmsNothing(t, c, standby, func() { way.lose(leader) })
		lost := time.Now()
		for l.firstAsked(lost).IsZero() {
			if time.Since(lost) > patience {
				t.Fatalf("%s: nothing is acknowledged %s later; problems %v\n%s", way.name, patience, l.problemsSoFar(), r.said())
			}
			time.Sleep(20 * time.Millisecond)
		}
		gap := l.longestPause(lost)
		gaps[way.name] = append(gaps[way.name], gap)
		t.Logf("loss %d of %d, %s: nothing was acknowledged for %s", loss+1, losses, way.name, gap.Round(10*time.Millisecond))
		way.back(leader)
		if loss+1 == losses {
			break
		}
		r.awaitStandby()
		t.Logf("the lost server confirms again %s after the loss", time.Since(lost).Round(100*time.Millisecond))
	}
	cancel()
	<-worked
	for i, one := range c.processes {
		select {
		case <-one.ended:
			t.Errorf("process %d did not live through it", i)
		default:
		}
	}
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
	l.report(t, losses)
	for _, way := range ways {
		if measured := gaps[way.name]; len(measured) > 0 {
			slices.Sort(measured)
			t.Logf("%s, %d times: the gap was %s at least, %s in the middle, %s at most", way.name, len(measured),
				measured[0].Round(10*time.Millisecond), measured[len(measured)/2].Round(10*time.Millisecond), measured[len(measured)-1].Round(10*time.Millisecond))
		}
	}
	for code, times := range l.problems {
		t.Logf("answered %d times: %s", times, code)
		if code == "" || code == "internal" {
			t.Errorf("what a lost leader brings about was answered %d times as %q, which tells nobody what to do", times, code)
		}
	}
}

// confirmsNothing loses the leader while the standby confirms nothing, and fails if anything that was asked meanwhile was
// acknowledged, or if a witness was asked to cosign.
func (l *load) confirmsNothing(t *testing.T, c *cluster, standby *server, lose func()) {
	t.Helper()
	again := standby.confirmNothing()
	defer again()
	stopped := time.Now()
	// What the standby had confirmed before is still cosigned, however long that takes; then nothing more may be.
	cosigned, quiet := c.cosigned.Load(), time.Now()
	for ; time.Since(quiet) < 2*time.Second; time.Sleep(20 * time.Millisecond) {
		if now := c.cosigned.Load(); now != cosigned {
			cosigned, quiet = now, time.Now()
		}
		if time.Since(stopped) > patience {
			t.Errorf("witnesses are asked to cosign on and on while no commit is on the standby")
			break
		}
	}
	if first := l.firstAsked(stopped); !first.IsZero() {
		t.Errorf("an act was acknowledged %s after the standby stopped confirming", first.Sub(stopped))
	}
	lose()
}

// acknowledgement is a change that was asked for and answered as done.
type acknowledgement struct {
	asked, answered time.Time
	repeated        bool // it was asked for before: it may have been done then
}

// firstAsked returns when the first change was acknowledged that was first asked for after the time; zero: none yet.
func (l *load) firstAsked(after time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.acknowledgements {
		if one.asked.After(after) && !one.repeated {
			return one.answered
		}
	}
	return time.Time{}
}

// longestPause returns for how long nothing was acknowledged around the time, at most.
func (l *load) longestPause(around time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := around
	for _, one := range l.acknowledgements {
		if one.answered.After(around) {
			longest = max(longest, one.answered.Sub(from))
			from = one.answered
		}
	}
	return longest
}

func (l *load) problemsSoFar() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprint(l.problems)
}
