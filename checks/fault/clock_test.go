package fault

import (
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/store/sqlite"
)

// machine is a clock that can be set.
type machine struct {
	mu     sync.Mutex
	offset time.Duration // guarded by mu
}

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.offset)
}

func (m *machine) set(offset time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offset = offset
}

// clocked is an installation in this process whose clock can be set.
type clocked struct {
	*node.Node
	t      *testing.T
	folder string
	clock  *machine
	pop    *demo.Population
}

func openClocked(t *testing.T, folder string, clock *machine) *clocked {
	t.Helper()
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: folder, Site: site, Country: uz.Files, Packs: packs.All(), Clock: clock.now, Volatile: true,
	}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var stored node.Demonstration
	read(t, filepath.Join(folder, "demonstration.json"), &stored)
	pop, err := demo.Generate(stored.Seed, opened.Profile, stored.Today, stored.Size)
	if err != nil {
		t.Fatal(err)
	}
	return &clocked{opened, t, folder, clock, pop}
}

// apply lets the person apply for the subsidy and does the jobs that are due.
func (c *clocked) apply(name demo.Persona) casework.Application {
	c.t.Helper()
	person := c.pop.Persona(name)
	receipt, err := c.Casework.Apply(c.t.Context(), access.Actor{Person: person.ID}, "", "youth/tools-subsidy", "en",
		map[string]any{"trade": "sewing", "price": int64(150_000_000), "account": person.Account})
	if err != nil {
		c.t.Fatal(err)
	}
	c.drain()
	return receipt.Application
}

func (c *clocked) drain() {
	c.t.Helper()
	if err := c.Jobs.Drain(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// tasks returns the tasks of an application of the person.
func (c *clocked) tasks(name demo.Persona, id ident.Application) []casework.Task {
	c.t.Helper()
	view, err := c.Casework.Own(c.t.Context(), access.Actor{Person: c.pop.Personas[name]}, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return view.Tasks
}

// checkTimes checks that no event is older than one that was appended before it.
func (c *clocked) checkTimes() {
	c.t.Helper()
	db, err := sqlite.OpenFile(filepath.Join(c.folder, "yagona.db"), "query_only(1)")
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT id, at FROM event WHERE log_index IS NOT NULL ORDER BY log_index`)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	var last int64
	count := 0
	for rows.Next() {
		var id string
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			c.t.Fatal(err)
		}
		if at < last {
			c.t.Errorf("event %s is %s older than one before it", id, time.Duration(last-at)*time.Microsecond)
		}
		last = at
		count++
	}
	if err := rows.Err(); err != nil || count == 0 {
		c.t.Fatalf("%d events: %v", count, err)
	}
}

// TestTheTimeOfActsNeverGoesBack sets the machine's clock back by hours and by days, with and without a new start in
// between.
func TestTheTimeOfActsNeverGoesBack(t *testing.T) {
	folder, clock := t.TempDir(), &machine{}
	c := openClocked(t, folder, clock)
	sequence := func() {
		t.Helper()
		if err := c.Sequencer.Advance(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := c.apply(demo.Jobless)
	for i, back := range []time.Duration{-2 * time.Hour, -50 * time.Hour} {
		sequence()
		clock.set(back)
		if i == 1 {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			c = openClocked(t, folder, clock)
		}
		later := c.apply(demo.Wife)
		withdrawn, err := c.Casework.Withdraw(t.Context(), access.Actor{Person: c.pop.Personas[demo.Wife]}, later.ID, later.Revision)
		if err != nil {
			t.Fatal(err)
		}
		if withdrawn.Application.Decided.Before(later.Submitted) {
			t.Errorf("it was withdrawn at %s, before it was sent at %s", withdrawn.Application.Decided, later.Submitted)
		}
	}
	// What was begun before the jump goes on after it, and not before it began.
	withdrawn, err := c.Casework.Withdraw(t.Context(), access.Actor{Person: c.pop.Personas[demo.Jobless]}, first.ID, first.Revision)
	if err != nil {
		t.Fatal(err)
	}
	if withdrawn.Application.Decided.Before(first.Submitted) {
		t.Errorf("it was withdrawn at %s, before it was sent at %s", withdrawn.Application.Decided, first.Submitted)
	}
	sequence()
	c.checkTimes()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestADeadlineFiresOnceThoughTheClockGoesBack lets a task be late, sets the clock back to before its deadline, and lets
// the same time pass again.
func TestADeadlineFiresOnceThoughTheClockGoesBack(t *testing.T) {
	clock := &machine{}
	c := openClocked(t, t.TempDir(), clock)
	defer c.Close()
	sent := c.apply(demo.Jobless)
	state := func() string {
		t.Helper()
		var said string
		for _, task := range c.tasks(demo.Jobless, sent.ID) {
			said += fmt.Sprintf("%s %s, escalated %d, in %s; ", task.Step, task.State, task.Escalated, task.Territory)
		}
		return said
	}
	fresh := state()
	tasks := c.tasks(demo.Jobless, sent.ID)
	late := time.Until(tasks[0].Due) + time.Minute
	clock.set(late)
	c.drain()
	escalated := state()
	if escalated == fresh {
		t.Fatalf("the task is late, and nothing happened: %s", fresh)
	}
	for _, offset := range []time.Duration{0, late - time.Hour, late, late + time.Minute} {
		clock.set(offset)
		c.drain()
		if again := state(); again != escalated {
			t.Errorf("with the clock at %s the deadline fired again: %s, then %s", offset, escalated, again)
		}
	}
}
