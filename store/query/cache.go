package query

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Cache keeps rows that hardly change and that every request reads: sessions, appointments, people. It is for an engine
// whose process is the only one that writes the database; others have none. It is safe for concurrent use.
//
// A row is kept with the generation that its place had before the reading began; a commit that wrote to the place
// raises the generation before it is acknowledged. So a row that was read before such a commit and kept after it does
// not count, and whoever acts after an acknowledgement reads what was acknowledged.
type Cache struct {
	seed        maphash.Seed
	generations [1024]atomic.Uint64

	mu   sync.RWMutex
	rows map[place]kept // guarded by mu
}

// place names what is kept: the rows of a table by what they are looked up by.
type place struct{ table, name string }

type kept struct {
	generation uint64
	value      any
}

// mostKept is how many readings a cache holds.
const mostKept = 20_000

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{seed: maphash.MakeSeed(), rows: map[place]kept{}} }

func (c *Cache) generation(at place) *atomic.Uint64 {
	return &c.generations[maphash.Comparable(c.seed, at)%uint64(len(c.generations))]
}

// Written tells the cache what a committed act wrote. The engine calls it before it acknowledges the act.
func (c *Cache) Written(tx *Tx) {
	for _, at := range tx.overwritten {
		c.generation(at).Add(1)
	}
}

func (c *Cache) keep(at place, one kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rows) >= mostKept {
		for some := range c.rows { // any one: the map's order is random
			delete(c.rows, some)
			break
		}
	}
	c.rows[at] = one
}

// Cached makes a reading use the cache.
func (t *Tx) Cached(by *Cache) *Tx {
	t.cache = by
	return t
}

// overwrites notes that the act wrote rows that are looked up so.
func (t *Tx) overwrites(table, name string) {
	t.overwritten = append(t.overwritten, place{table, name})
}

// cached returns what is kept at the place, or reads and keeps it. The value must not be changed by who gets it. A
// reading that has read something else already has a snapshot, which may be older than the generation: it reads.
func cached[T any](t *Tx, table, name string, read func() (T, error)) (T, error) {
	if t.cache == nil || t.begun {
		return read()
	}
	at := place{table, name}
	generation := t.cache.generation(at).Load()
	t.cache.mu.RLock()
	found, ok := t.cache.rows[at]
	t.cache.mu.RUnlock()
	if ok && found.generation == generation {
		return found.value.(T), nil
	}
	value, err := read()
	if err == nil {
		t.cache.keep(at, kept{generation, value})
	}
	return value, err
}
