package fault

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// What a demonstration of a thousand people may take until it is ready: memory of all its processes together, each at its
// most; and time of processors, of which a small machine has two.
const (
	demonstrationMemory = 256 << 20
	demonstrationWork   = 2 * 10 // seconds
)

// The first start of the demonstration, with its witnesses, fits the machine of somebody who only wants to look.
func TestADemonstrationIsSmall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what a process has used")
	}
	i := install(t, filepath.Join(t.TempDir(), "installation"), 1000)
	i.start()
	var memory, ticks int64
	processes := append([]int{i.process.Process.Pid}, childrenOf(t, i.process.Process.Pid)...)
	if len(processes) != 3 {
		t.Fatalf("the demonstration and its two witnesses are the processes %v", processes)
	}
	for _, process := range processes {
		memory += figure(t, fmt.Sprintf("/proc/%d/status", process), "VmHWM:") << 10
		for _, field := range statistics(t, process)[11:15] { // utime, stime and those of children that ended (proc(5))
			number, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			ticks += number
		}
	}
	const perSecond = 100 // USER_HZ, which Linux keeps for programs whatever the kernel counts in
	t.Logf("until it was ready it had %d MiB at most in %d processes, and used %.1f s of processors", memory>>20, len(processes), float64(ticks)/perSecond)
	if memory > demonstrationMemory {
		t.Errorf("it had %d MiB, more than %d", memory>>20, demonstrationMemory>>20)
	}
	if ticks > demonstrationWork*perSecond {
		t.Errorf("it used %d s of processors, more than %d: on two it cannot be ready within ten seconds", ticks/perSecond, demonstrationWork)
	}
}

// statistics returns the fields of a process's stat after its name, beginning with its state (field 3 of proc(5)).
func statistics(t *testing.T, process int) []string {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(content), ") ")
	if !found {
		t.Fatalf("process %d has the statistics %q", process, content)
	}
	return strings.Fields(after)
}

// childrenOf returns the processes that a process has started and that run.
func childrenOf(t *testing.T, parent int) (children []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		process, err := strconv.Atoi(filepath.Base(one))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(one); err == nil && statistics(t, process)[1] == strconv.Itoa(parent) {
			children = append(children, process)
		}
	}
	return children
}
