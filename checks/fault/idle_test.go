package fault

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What an idle installation may have resident, and how long it writes nothing.
const (
	idleMemory = 100 << 20
	idleFor    = time.Minute
)

// A node with nothing to do sleeps: it writes nothing, wakes no disk and is small.
func TestAnIdleInstallationWritesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it watches a process for more than a minute")
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what a process has written")
	}
	t.Parallel() // it mostly waits
	i := install(t, filepath.Join(t.TempDir(), "installation"), 100)
	i.start()
	l := newLoad(i)
	for range 4 { // it has worked, and has deadlines to wait for
		if err := l.advance(t.Context(), l.take()); err != nil {
			t.Fatal(err)
		}
	}
	// What it still had to do when the last answer came, such as to ask a slow register again, is done in between.
	before, written := i.written(t), ""
	for quiet, begun := time.Now(), time.Now(); time.Since(quiet) < idleFor; time.Sleep(200 * time.Millisecond) {
		if now := i.written(t); now != before {
			written, before, quiet = cmp.Diff(strings.Split(before, "\n"), strings.Split(now, "\n")), now, time.Now()
		}
		if time.Since(begun) > 4*idleFor {
			t.Fatalf("with nothing to do it has written within every minute, the last time (-before, +after):\n%s", written)
		}
	}
	size := figure(t, i.proc("status"), "VmRSS:") << 10
	t.Logf("idle it has %d MiB resident", size>>20)
	if size > idleMemory {
		t.Errorf("idle it has %d MiB resident, more than %d", size>>20, idleMemory>>20)
	}
}

func (i *installation) proc(name string) string {
	return fmt.Sprintf("/proc/%d/%s", i.process.Process.Pid, name)
}

// written tells what the process has handed to the disk, and the sizes and times of its files.
func (i *installation) written(t *testing.T) string {
	t.Helper()
	var told strings.Builder
	fmt.Fprintf(&told, "%d bytes written\n", figure(t, i.proc("io"), "write_bytes:"))
	err := filepath.Walk(i.folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			fmt.Fprintf(&told, "%s %d %s\n", filepath.Base(path), info.Size(), info.ModTime().Format(time.RFC3339Nano))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return told.String()
}

// figure returns the number behind the name in a file of the system.
func figure(t *testing.T, path, name string) (number int64) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			if _, err := fmt.Sscan(fields[1], &number); err == nil {
				return number
			}
		}
	}
	t.Fatalf("%s tells no %s", path, name)
	return 0
}
