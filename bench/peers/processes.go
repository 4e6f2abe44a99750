package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// launch starts a command in a process group of its own. It dies with this process, whatever that dies of: the system
// holds it to the thread that started it, so that one thread starts all and never ends.
func launch(command *exec.Cmd) error {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	launcher() <- func() { started <- command.Start() }
	return <-started
}

var launcher = sync.OnceValue(func() chan<- func() {
	wanted := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range wanted {
			start()
		}
	}()
	return wanted
})

// family returns the ids of the processes and of everything that they started, which may have gone into groups of its own.
func (c *contestant) family() []int {
	children := map[int][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, one := range entries {
		if id, err := strconv.Atoi(one.Name()); err == nil {
			if fields := stat(id); fields != nil {
				parent, _ := strconv.Atoi(string(fields[1]))
				children[parent] = append(children[parent], id)
			}
		}
	}
	var all []int
	for _, one := range c.processes {
		all = append(all, one.Process.Pid)
	}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// stat returns the fields of a process from its state on, as /proc says them; nil if it is gone.
func stat(id int) [][]byte {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
	if err != nil {
		return nil
	}
	return bytes.Fields(content[bytes.LastIndexByte(content, ')')+1:]) // the name before it may have anything in it
}

func (c *contestant) signal(what syscall.Signal) {
	for _, id := range c.family() {
		_ = syscall.Kill(id, what) // it may have ended
	}
}

func (c *contestant) pause()  { c.signal(syscall.SIGSTOP) }
func (c *contestant) resume() { c.signal(syscall.SIGCONT) }

// kill ends everything at once, as a power button does not: what the system has taken over to write stays written.
func (c *contestant) kill() {
	family := c.family()
	for _, id := range family {
		_ = syscall.Kill(id, syscall.SIGKILL) // it may have ended
	}
	for _, one := range c.processes {
		_ = one.Wait() // it says that it was killed
	}
	for _, id := range family { // a child that is not ours is waited for by somebody else
		for fields := stat(id); fields != nil && string(fields[0]) != "Z"; fields = stat(id) {
			time.Sleep(5 * time.Millisecond)
		}
	}
	c.processes = nil
}

// patience is how long a program may take to end when it is asked to.
const patience = 15 * time.Second

// end asks the processes to end, the last that was started first, and kills them if they do not.
func (c *contestant) end() {
	for i := len(c.processes) - 1; i >= 0; i-- {
		one := c.processes[i]
		ending := syscall.SIGTERM
		if filepath.Base(one.Path) == "postgres" {
			ending = syscall.SIGINT // with the other it would wait for its clients to go
		}
		_ = one.Process.Signal(ending) // it may have ended
		late := time.AfterFunc(patience, func() { _ = one.Process.Kill() })
		_ = one.Wait() // it says by which signal it ended
		late.Stop()
	}
	c.processes = nil
}

// tick is the unit in which /proc tells processor time.
const tick = time.Second / 100

// processorTime returns how long the program's processes have had the processors, and those that they waited for.
func (c *contestant) processorTime() (sum time.Duration) {
	for _, id := range c.family() {
		fields := stat(id)
		if len(fields) < 15 {
			continue // it ended meanwhile
		}
		for _, field := range fields[11:15] {
			ticks, _ := strconv.ParseInt(string(field), 10, 64)
			sum += time.Duration(ticks) * tick
		}
	}
	return sum
}

// memory returns how many bytes the program's processes have resident; what several of them share counts once.
func (c *contestant) memory() (sum int64) {
	for _, id := range c.family() {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", id))
		if err != nil {
			continue // it ended meanwhile
		}
		for line := range bytes.Lines(content) {
			var size int64
			if _, err := fmt.Sscanf(string(line), "Pss: %d kB", &size); err == nil {
				sum += size << 10
			}
		}
	}
	return sum
}
