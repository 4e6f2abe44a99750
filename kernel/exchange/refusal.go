package exchange

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/journal"
)

// refusalKinds is how many kinds of refusal are counted apart between two flushes.
const refusalKinds = 64

// Refusals counts refused attempts of callers who have no session, so that a flood of them is one event and not a flood
// of events. It is safe for concurrent use; its zero value with a Store is ready.
type Refusals struct {
	Store act.Store[journal.Reader, journal.Tx]

	mu     sync.Mutex
	counts map[string]int // guarded by mu; by what was refused
}

// Count counts one refused attempt. What is a route's pattern or a fault's code: never an address or a value from the
// request. It does no I/O.
func (r *Refusals) Count(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	if _, known := r.counts[what]; !known && len(r.counts) >= refusalKinds {
		what = "others"
	}
	r.counts[what]++
}

// Flush journals what was counted since the last flush, as one event; nothing if nothing was. If it fails, the counts
// are kept for the next.
func (r *Refusals) Flush(ctx context.Context) error {
	r.mu.Lock()
	counts := r.counts
	r.counts = nil
	r.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	facts := make(map[string]string, len(counts))
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		facts[what] = strconv.Itoa(counts[what])
	}
	err := r.Store.Update(ctx, act.Platform, func(tx journal.Tx) error {
		_, err := journal.Append(tx, nil, journal.Event{
			Type: "access.refused", Actor: journal.Actor{Component: "refusals"}, Facts: facts,
		})
		return err
	})
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.counts == nil {
			r.counts = map[string]int{}
		}
		for what, n := range counts {
			r.counts[what] += n
		}
	}
	return err
}

// Run flushes at each interval until the context ends, and once more then.
func (r *Refusals) Run(ctx context.Context, every time.Duration, log *slog.Logger) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := r.Flush(ctx); err != nil {
				log.Error("journaling refusals failed", "error", err)
			}
		case <-ctx.Done():
			return r.Flush(context.WithoutCancel(ctx))
		}
	}
}
