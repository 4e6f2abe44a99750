package register_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/store/query"
)

var errKilled = errors.New("the process was killed")

// mortal is a store of a process that dies before one of its acts.
type mortal[R, W any] struct {
	act.Store[R, W]
	left *int // acts until then
}

func (m mortal[R, W]) Update(ctx context.Context, key act.Key, run func(W) error) error {
	if *m.left <= 0 {
		return errKilled
	}
	*m.left--
	return m.Store.Update(ctx, key, run)
}

// process is one of several on the world's store, with the index keys that it knows.
type process struct {
	*register.Keeper
	people *person.Directory
	left   int
}

func (w *world) process(generations ...int) *process {
	var keys []seal.IndexKey
	for _, one := range generations {
		secret := make([]byte, 32)
		secret[0] = byte(one)
		keys = append(keys, seal.IndexKey{Generation: one, Secret: secret})
	}
	known := func() []seal.IndexKey { return keys }
	p := &process{left: 1_000_000}
	p.people = &person.Directory{
		Store: mortal[person.Reader, person.Tx]{query.For[person.Reader, person.Tx](w.db), &p.left}, Vault: w.vault, Keys: known,
	}
	keeper := *w.Keeper
	keeper.Store = mortal[register.Reader, register.Tx]{query.For[register.Reader, register.Tx](w.db), &p.left}
	keeper.IndexKeys, keeper.People = known, p.people
	p.Keeper = &keeper
	return p
}

func (p *process) takeUp(t *testing.T, number string) ident.Person {
	t.Helper()
	found, err := p.people.TakeUp(t.Context(), journal.Actor{Component: "test"}, "", person.Attributes{Number: number, Name: "N " + number})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (p *process) vehicle(t *testing.T, owner ident.Person, plate string) error {
	t.Helper()
	_, err := p.Save(t.Context(), registrar("transport-agency"), register.Write{
		Register: "transport/vehicles", Reason: "bought", Values: map[string]any{"owner": owner.Subject(), "plate": plate, "driver": owner.Subject()},
	})
	return err
}

// driven returns the plate of the vehicle that is found by who drives it.
func (p *process) driven(t *testing.T, driver ident.Person) any {
	t.Helper()
	evidence, _, err := p.Definitions().Evidence("transport/driven")
	if err != nil {
		t.Fatal(err)
	}
	values, _, err := p.Answer(t.Context(), evidence, driver.Subject())
	if err != nil {
		t.Fatal(err)
	}
	return values["plate"]
}

// reindexed indexes everything anew, as an operator's command does.
func (p *process) reindexed(ctx context.Context) (int, error) {
	by := journal.Actor{Component: "operator"}
	people, err := p.people.Reindex(ctx, by)
	if err != nil {
		return people, err
	}
	records, err := p.Reindex(ctx, by)
	return people + records, err
}

func (p *process) forgotten(ctx context.Context) (int, error) {
	by := journal.Actor{Component: "operator"}
	people, err := p.people.ForgetIndexes(ctx, by)
	if err != nil {
		return people, err
	}
	records, err := p.ForgetIndexes(ctx, by)
	return people + records, err
}

// untilDone runs what dies after so many acts, each time one more, until it comes to its end, and returns how often it died.
func (p *process) untilDone(t *testing.T, run func(context.Context) (int, error)) (deaths int) {
	t.Helper()
	for {
		p.left = deaths % 4 // three acts of progress at most
		_, err := run(t.Context())
		switch {
		case err == nil:
			p.left = 1_000_000
			return deaths
		case !errors.Is(err, errKilled) || deaths > 1000:
			t.Fatalf("after %d deaths: %v", deaths, err)
		}
		deaths++
	}
}

// hashes returns how many entries there are under each generation of the index key.
func (w *world) hashes(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	count := func(hash string) {
		generation, _, later := strings.Cut(hash, ".")
		if !later {
			generation = "1"
		}
		found[generation]++
	}
	err := w.db.View(t.Context(), func(tx *query.Tx) error {
		people, err := tx.ClaimedNumbers("", 1000)
		if err != nil {
			return err
		}
		entries, err := tx.IndexEntries(register.Entry{}, 1000)
		if err != nil {
			return err
		}
		claims, err := tx.RegisterClaims("", 1000)
		for _, one := range people {
			count(string(one.Index))
		}
		for _, one := range entries {
			count(string(one.Index))
		}
		for _, one := range claims {
			count(string(one.Index))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTheIndexKeyIsRotatedWhileProcessesThatKnowDifferentKeysServe goes through a rotation with processes that learn of the
// new key and forget the old one at different times: whatever one of them takes up, each of the others finds, and nobody
// and nothing is taken up twice. What indexes anew is killed between any two of its acts, again and again.
func TestTheIndexKeyIsRotatedWhileProcessesThatKnowDifferentKeysServe(t *testing.T) {
	w := newWorld(t)
	before, between, after := w.process(1), w.process(1, 2), w.process(2)
	agree := func(made *process, number string, others ...*process) ident.Person {
		t.Helper()
		who := made.takeUp(t, number)
		if err := made.vehicle(t, who, "plate "+number); err != nil {
			t.Fatal(err)
		}
		for i, other := range others {
			if found, err := other.people.ByNumber(t.Context(), number); err != nil || found != who {
				t.Errorf("%s: process %d finds %q instead of %q (%v)", number, i, found, who, err)
			}
			if again := other.takeUp(t, number); again != who {
				t.Errorf("%s: process %d takes the person up a second time", number, i)
			}
			if err := other.vehicle(t, other.takeUp(t, "thief of "+number), "plate "+number); fault.Code(err) != "register.not-unique" {
				t.Errorf("%s: process %d registers the same plate twice: %v", number, i, err)
			}
			if found := other.driven(t, who); found != "plate "+number {
				t.Errorf("%s: process %d finds %v by the driver", number, i, found)
			}
		}
		return who
	}
	agree(before, "old", before)
	agree(before, "one", between)
	agree(between, "two", before)
	erased := agree(before, "erased", between)
	if err := w.vault.Erase(t.Context(), erased.Subject()); err != nil {
		t.Fatal(err)
	}
	if deaths := between.untilDone(t, between.reindexed); deaths < 3 {
		t.Errorf("it died %d times only: the test kills nothing", deaths)
	}
	if again, err := between.reindexed(t.Context()); err != nil || again != 0 {
		t.Errorf("a second time %d people and records are indexed (%v)", again, err)
	}
	for _, number := range []string{"old", "one", "two"} {
		who, err := after.people.ByNumber(t.Context(), number)
		if err != nil {
			t.Fatalf("%s is not found under the new key alone: %v", number, err)
		}
		if err := after.vehicle(t, after.takeUp(t, "thief"), "plate "+number); fault.Code(err) != "register.not-unique" {
			t.Errorf("under the new key alone the plate of %s is registered twice: %v", number, err)
		}
		if found := after.driven(t, who); found != "plate "+number {
			t.Errorf("under the new key alone %v is found by the driver %s", found, number)
		}
	}
	agree(after, "three", between)
	agree(between, "four", after)
	newest := w.hashes(t)
	if newest["1"] == 0 || newest["2"] < newest["1"]/2 {
		t.Errorf("entries before the old key is forgotten: %v", newest)
	}
	if deaths := after.untilDone(t, after.forgotten); deaths < 3 {
		t.Errorf("it died %d times only: the test kills nothing", deaths)
	}
	if left := w.hashes(t); left["1"] != 0 || left["2"] != newest["2"] {
		t.Errorf("entries afterwards: %v, before: %v", left, newest)
	}
	if again, err := after.forgotten(t.Context()); err != nil || again != 0 {
		t.Errorf("a second time %d entries are removed (%v)", again, err)
	}
	agree(after, "five", after)
}
