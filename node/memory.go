package node

import (
	"os"
	"runtime/debug"
)

// How a process that serves uses memory: what requests leave behind is collected when it has grown to eight times of what
// is in use, and sooner where the process would have more than half a gigabyte. A request leaves hundreds of kilobytes,
// and what is in use is some thirty megabytes, so that at the runtime's own setting a fifth of the processors' time went
// into collecting.
const (
	garbagePercent = 800
	memoryBound    = 512 << 20
)

// Roomy lets this process collect its garbage less often, for serving. What the operator says in GOGC and GOMEMLIMIT stands.
func Roomy() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryBound)
	}
}
