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
	// accessNoted is what it costs a file system to note that a file was read for the first time since it was written, which
	// counts as the reader's: a page, of each of the two files of a database.
	accessNoted = 2 * 4096
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
	files, bytes := i.written(t)
	for quiet, begun, told := time.Now(), time.Now(), ""; time.Since(quiet) < idleFor; time.Sleep(200 * time.Millisecond) {
		nowFiles, nowBytes := i.written(t)
		if nowFiles != files || nowBytes > bytes+accessNoted {
			told = fmt.Sprintf("%d bytes, and (-before, +after):\n%s", nowBytes-bytes, cmp.Diff(strings.Split(files, "\n"), strings.Split(nowFiles, "\n")))
			files, bytes, quiet = nowFiles, nowBytes, time.Now()
		}
		if time.Since(begun) > 4*idleFor {
			t.Fatalf("with nothing to do it has written within every minute, the last time %s", told)
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

// written tells the names, sizes and times of the process's files, and how much it has handed to the disk.
func (i *installation) written(t *testing.T) (files string, bytes int64) {
	t.Helper()
	var told strings.Builder
	err := filepath.Walk(i.folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			fmt.Fprintf(&told, "%s %d %s\n", filepath.Base(path), info.Size(), info.ModTime().Format(time.RFC3339Nano))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return told.String(), figure(t, i.proc("io"), "write_bytes:")
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
