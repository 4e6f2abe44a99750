package fault

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestAFullDiskStopsAcknowledging fills the disk of an installation under load, a small memory file system of its own.
// What cannot be stored is refused with a problem that says so; nothing that was acknowledged is lost; and when there is
// room again, everything goes on, without a new start.
func TestAFullDiskStopsAcknowledging(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process and fills its disk")
	}
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("yagona-test", disk, "tmpfs", 0, "size=64m"); err != nil {
		inNamespace(t, err)
		return
	}
	t.Cleanup(func() { // after the installation's own, which ends the process
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	i := install(t, filepath.Join(disk, "installation"), 100)
	i.start()
	l := newLoad(i)
	work := func(d time.Duration) {
		ctx, cancel := context.WithTimeout(t.Context(), d)
		defer cancel()
		l.run(ctx, 4)
	}
	work(time.Second)
	before := l.acknowledged()

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	// What the stores had reserved already takes a few more acts; then nothing is acknowledged any more.
	for begun := time.Now(); l.problem("store.full") < 20; work(500 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("a full disk is not noticed; the problems were %v", l.problems)
		}
	}
	for code := range l.problems {
		if code != "store.full" && code != "idempotency.in-progress" {
			t.Errorf("on a full disk the platform answers %s, too (%d times)", code, l.problems[code])
		}
	}
	if got, err := i.send(t.Context(), request{method: http.MethodGet, path: "/api/v1/services"}); err != nil || got.Status != http.StatusOK {
		t.Errorf("what only reads does not work on a full disk: %v %v", got, err)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	full := l.acknowledged()
	for begun := time.Now(); l.acknowledged() == full; work(500 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("with room again, nothing is stored:\n%s", i.tail())
		}
	}
	t.Logf("acknowledged: %d applications before, %d with a full disk, then %d; problems %v", before, full-before, l.acknowledged()-full, l.problems)
	l.settle(t)
	l.check(t, true)
	l.checkMoney(t)
	l.checkAudit(t)
	// The files are whole: another start reads them.
	i.kill()
	i.start()
	l.check(t, true)
}

// inNamespace runs the test again where an ordinary user may mount: in a user namespace of its own.
func inNamespace(t *testing.T, cause error) {
	const marker = "YAGONA_FAULT_NAMESPACE"
	path, err := exec.LookPath("unshare")
	if err == nil && os.Getenv(marker) == "" {
		command := exec.CommandContext(t.Context(), path, "--map-root-user", "--mount", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), marker+"=1")
		said, err := command.CombinedOutput()
		if err == nil {
			t.Logf("in a namespace of its own:\n%s", said)
			return
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
			t.Fatalf("in a namespace of its own:\n%s", said)
		}
		cause = errors.Join(cause, err)
	}
	if os.Getenv("YAGONA_TEST_ALL") != "" {
		t.Fatalf("no file system of its own can be mounted for this test: run it as root, or allow user namespaces: %v", cause)
	}
	t.Skipf("no file system of its own can be mounted for this test, neither as root nor in a user namespace: %v", cause)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// acknowledged returns how many applications were acknowledged.
func (l *load) acknowledged() (count int) {
	for _, s := range l.stories {
		if s.sent {
			count++
		}
	}
	return count
}

// problem returns how often a request failed with the code.
func (l *load) problem(code string) int { return l.problems[code] }
