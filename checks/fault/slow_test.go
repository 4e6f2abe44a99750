package fault

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// slowness is how long each wait for the disk takes longer.
const slowness = time.Second

// TestASlowDiskMakesActsWaitAndReadersNot makes each wait for the disk take a second longer under load, as a disk does
// that other machines use or that is about to die, by holding the system calls of the process back. Acts wait for it and
// are acknowledged no earlier than they are durable; who only reads does not wait; a kill in the middle loses nothing.
func TestASlowDiskMakesActsWaitAndReadersNot(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process and slows its disk down")
	}
	t.Parallel()
	i := install(t, t.TempDir(), 100)
	i.start()
	l := newLoad(i)
	work := func(d time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		l.run(ctx, 4)
	}
	work(time.Second)
	before := len(l.acknowledgements)

	faster := i.slowDown()
	if faster == nil {
		return // it ran elsewhere
	}
	reading := make(chan []time.Duration, 1)
	go func() {
		var took []time.Duration
		for range 40 {
			begun := time.Now()
			if got, err := i.send(t.Context(), request{method: http.MethodGet, path: "/api/v1/services"}); err != nil || got.Status != http.StatusOK {
				t.Errorf("what only reads does not work on a slow disk: %v %v", got, err)
			}
			took = append(took, time.Since(begun))
			time.Sleep(100 * time.Millisecond)
		}
		slices.Sort(took)
		reading <- took
	}()
	// What is asked for again may have been done before the disk became slow.
	var slow []acknowledgement
	for begun := time.Now(); len(slow) == 0 && time.Since(begun) < patience; {
		work(8 * time.Second)
		slow = slices.DeleteFunc(slices.Clone(l.acknowledgements[before:]), func(one acknowledgement) bool { return one.repeated })
	}
	took := <-reading
	if len(slow) == 0 {
		t.Fatalf("nothing is acknowledged on a slow disk; problems %v\n%s", l.problems, i.tail())
	}
	waits := make([]time.Duration, 0, len(slow))
	for _, one := range slow {
		waits = append(waits, one.answered.Sub(one.asked))
	}
	slices.Sort(waits)
	t.Logf("%d acts were acknowledged on a slow disk, after %s at least, %s in the middle; readings took %s in the middle",
		len(waits), waits[0].Round(time.Millisecond), waits[len(waits)/2].Round(time.Millisecond), took[len(took)/2].Round(time.Millisecond))
	if waits[0] < slowness {
		t.Errorf("an act was acknowledged after %s: it did not wait for the disk", waits[0])
	}
	if took[len(took)/2] >= slowness {
		t.Errorf("readings waited for the disk: %v", took)
	}
	for code, times := range l.problems {
		if code == "" || code == "internal" {
			t.Errorf("a slow disk was answered %d times as %q, which tells nobody what to do", times, code)
		}
	}

	// In the middle of it the process is killed.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		l.run(ctx, 4)
	}()
	time.Sleep(1500 * time.Millisecond)
	i.kill()
	<-worked
	faster()
	i.start()
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
}

// slowDown makes the process's waits for the disk take longer until faster is called; nil: the test ran in a namespace of
// its own, where an ordinary user may do that.
func (i *installation) slowDown() (faster func()) {
	i.t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		const advice = "install Debian's package strace"
		if os.Getenv("YAGONA_TEST_ALL") != "" {
			i.t.Fatalf("%v: %s", err, advice)
		}
		i.t.Skipf("%v: %s", err, advice)
	}
	calls := "fsync,fdatasync"
	command := exec.Command(path, "-f", "-qq", "-o", "/dev/null", "-p", strconv.Itoa(i.process.Process.Pid), "-e", "trace="+calls,
		"-e", "inject="+calls+":delay_enter="+strconv.FormatInt(slowness.Microseconds(), 10))
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		i.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // it ends with the process, or when it is told to
		close(ended)
	}()
	faster = func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended with the process
		<-ended
	}
	i.t.Cleanup(faster)
	for begun := time.Now(); !i.traced(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			inNamespace(i.t, &exec.Error{Name: path, Err: syscall.EPERM})
			return nil
		default:
		}
		if time.Since(begun) > 20*time.Second {
			i.t.Fatalf("strace does not begin: %s", said.String())
		}
	}
	return faster
}

// traced reports whether each thread of the process is held back.
func (i *installation) traced() bool {
	i.t.Helper()
	threads, err := os.ReadDir(i.proc("task"))
	if err != nil {
		i.t.Fatal(err)
	}
	return !slices.ContainsFunc(threads, func(thread os.DirEntry) bool {
		return figure(i.t, i.proc("task/"+thread.Name()+"/status"), "TracerPid:") == 0
	})
}
