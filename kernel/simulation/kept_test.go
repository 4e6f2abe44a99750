package simulation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
)

// another returns a simulator of the same world that keeps nothing yet.
func (w *world) another() *simulation.Simulator {
	s := w.Simulator
	return &simulation.Simulator{
		Store: s.Store, Vault: s.Vault, Registers: s.Registers, Scheme: s.Scheme, Services: s.Services, Territories: s.Territories,
		Location: s.Location, Clock: s.Clock, Draft: s.Draft, Runs: s.Runs,
	}
}

// history is a country in which something happens between one run and the next.
type history struct {
	*world
	t       *testing.T
	random  *rand.Rand
	people  []ident.Subject // who were not erased
	records []written
}

// written is a record and how many versions it has.
type written struct {
	register ident.Register
	record   ident.Record
	values   map[string]any
	versions int
	closed   bool
}

func one[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// values are what a register might say of somebody. Few differ, so that records tie.
func (h *history) values(of ident.Register, who ident.Subject) map[string]any {
	values := map[string]any{"person": who}
	today := calendar.DateOf(h.now, h.Location)
	switch of {
	case "civil/births":
		values["date"], values["sex"] = today.AddMonths(-12*h.random.IntN(90)-h.random.IntN(2)), one(h.random, "female", "male")
	case "interior/residences":
		values["place"] = one(h.random, ident.Territory("north"), "south", "land")
		if h.random.IntN(3) == 0 {
			values["leaves"] = today.AddDays(h.random.IntN(9) - 2)
		}
	case "employment/unemployed":
		values["since"] = today
		if h.random.IntN(3) == 0 {
			values["until"] = today
		}
	}
	return values
}

// write writes a record: a new one, a change, a correction or an end, of today, of a day before or of one that is to come.
func (h *history) write(change register.Write, closes bool) (register.Version, error) {
	by := access.Actor{Person: "registrar", Appointment: &access.Appointment{
		ID: "r", Agency: ident.Agency(map[ident.Register]string{
			"civil/births": "civil", "interior/residences": "interior", "employment/unemployed": "employment",
		}[change.Register]), Role: access.Registrar, Territory: "land",
	}}
	change.Reason = "test"
	switch {
	case closes:
		return h.keeper.Close(h.t.Context(), by, change.Register, change.Record, change.Expect, change.From, "test")
	case change.Corrects > 0:
		return h.keeper.Correct(h.t.Context(), by, change)
	}
	return h.keeper.Save(h.t.Context(), by, change)
}

// happen makes something happen, and says what.
func (h *history) happen() string {
	h.t.Helper()
	today := calendar.DateOf(h.now, h.Location)
	from := today.AddDays(one(h.random, 0, 0, 0, -1, -30, 1, 3))
	switch h.random.IntN(12) {
	case 0:
		comes := one(h.random, resident{}, resident{birth: "2001-01-10", sex: "female", unemployed: "2026-01-05"})
		h.people = append(h.people, h.settle(h.t, 1+h.random.IntN(3), comes)...)
		return "somebody comes"
	case 1:
		h.now = h.now.AddDate(0, 0, 1+h.random.IntN(4))
		return "days pass"
	case 2:
		if len(h.people) < 10 {
			return "nobody is erased"
		}
		at := h.random.IntN(len(h.people))
		vault := h.vault
		if h.random.IntN(2) == 0 { // of another process
			var err error
			if vault, err = seal.NewVault(h.keys, make([]byte, seal.KeySize)); err != nil {
				h.t.Fatal(err)
			}
		}
		if err := vault.Erase(h.t.Context(), h.people[at]); err != nil {
			h.t.Fatal(err)
		}
		h.records = slices.DeleteFunc(h.records, func(w written) bool { return w.values["person"] == h.people[at] })
		h.people = slices.Delete(h.people, at, at+1)
		return "somebody is erased"
	case 3, 4, 5, 6:
		if len(h.people) == 0 {
			return "there is nobody"
		}
		change := register.Write{Register: one(h.random, ident.Register("civil/births"), "interior/residences", "employment/unemployed"), From: from}
		change.Values = h.values(change.Register, one(h.random, h.people...))
		made, err := h.write(change, false)
		if err != nil {
			h.t.Fatal(err)
		}
		h.records = append(h.records, written{change.Register, made.Record, change.Values, 1, false})
		return "a record is made"
	case 7:
		if h.random.IntN(4) == 0 {
			h.vault.Forget()
			return "erasures may have been missed"
		}
		return "nothing happens"
	}
	if len(h.records) == 0 {
		return "there is no record"
	}
	at := &h.records[h.random.IntN(len(h.records))]
	change := register.Write{Register: at.register, Record: at.record, Expect: at.versions, From: from}
	change.Values = h.values(at.register, at.values["person"].(ident.Subject))
	what := one(h.random, "changed", "changed", "corrected", "closed")
	if what == "corrected" {
		change.Corrects = 1 + h.random.IntN(at.versions)
	}
	if _, err := h.write(change, what == "closed"); err != nil {
		return "a record is not " + what // it was already, or it would be out of order
	}
	at.versions++
	return "a record is " + what
}

// applying counts as if everybody applied: each register is asked about each of them, and each is judged alone.
func (h *history) applying(before, after *service.Definition, brv money.Amount) (people int64, groups map[string][]int64) {
	h.t.Helper()
	today := calendar.DateOf(h.now, h.Location)
	groups = map[string][]int64{}
	price := money.Amount(9_000_000_00)
	for _, who := range h.people {
		var outcomes [2]rules.Outcome
		var amounts [2]money.Amount
		facts := service.Facts{Submitted: today, Decided: today, Ask: map[string]any{"price": price}, Evidence: map[string]any{}}
		for _, evidence := range before.Evidence {
			found, _, err := h.keeper.Definitions().Evidence(evidence.From)
			if err != nil {
				h.t.Fatal(err)
			}
			answer, _, err := h.keeper.Answer(h.t.Context(), found, who)
			if err != nil {
				h.t.Fatal(err)
			}
			if facts.Evidence[evidence.Name] = nil; answer != nil {
				facts.Evidence[evidence.Name] = answer
			}
		}
		for side, definition := range []*service.Definition{before, after} {
			evaluation, err := definition.Evaluate(h.t.Context(), facts)
			if err != nil {
				h.t.Fatal(err)
			}
			if outcomes[side] = evaluation.Outcome(); outcomes[side] == rules.Met {
				amounts[side] = min(price, 10*[2]money.Amount{400_000_00, brv}[side])
			}
		}
		names := []string{"all", "territory ", "age ", "sex "}
		if residence, ok := facts.Evidence["residence"].(map[string]any); ok && residence["place"] != ident.Territory("land") {
			names[1] += string(residence["place"].(ident.Territory))
		}
		if birth, ok := facts.Evidence["birth"].(map[string]any); ok {
			decade := min(calendar.Age(birth["date"].(calendar.Date), today)/10, 8) * 10
			if names[2] += fmt.Sprintf("%d-%d", decade, decade+9); decade == 80 {
				names[2] = "age 80+"
			}
			names[3] += birth["sex"].(string)
		}
		people++
		for _, name := range names {
			counts := groups[name]
			if counts == nil {
				counts = make([]int64, 7)
				groups[name] = counts
			}
			for column, counted := range []bool{
				outcomes[0] == rules.Met, outcomes[1] == rules.Met, outcomes == [2]rules.Outcome{rules.NotMet, rules.Met},
				outcomes == [2]rules.Outcome{rules.Met, rules.NotMet}, slices.Contains(outcomes[:], rules.Unclear),
			} {
				if counted {
					counts[column]++
				}
			}
			counts[5], counts[6] = counts[5]+int64(amounts[0]), counts[6]+int64(amounts[1])
		}
	}
	return people, groups
}

// Whatever happens between one run and the next: what is kept of the one before gives what a run gives that reads everything,
// and both give what would come out if everybody applied.
func TestWhatIsKeptIsNeverStale(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for name, test := range map[string]struct {
		block  int
		memory int64
	}{"kept": {0, 0}, "in small blocks": {1, 0}, "without room": {2, 1}} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			h := &history{world: newWorld(t), t: t, random: rand.New(rand.NewPCG(seed, 0))}
			h.Blocks(test.block)
			h.Memory = test.memory
			h.people = h.settle(t, 10, resident{})
			h.people = append(h.people, h.settle(t, 10, resident{birth: "2001-01-10", sex: "female", place: "north", unemployed: "2026-01-05"})...)
			h.people = append(h.people, h.settle(t, 10, resident{birth: "1985-03-04", sex: "male", place: "south", unemployed: "2026-01-05"})...)
			const rule = "age(birth.date, submitted) in range(18, 60)"
			before, after := definition(t, tools, "age(birth.date, submitted) in range(18, 30)"), definition(t, tools, rule)
			changed := simulation.Change{Params: map[string]string{"brv": "600000 UZS"}, Assume: map[string]string{"price": "9000000 UZS"}, Draft: rule}
			var happened []string
			entitled := int64(0)
			for range rounds {
				for range 1 + h.random.IntN(4) {
					happened = append(happened, h.happen())
				}
				wanted := simulation.Wanted{Service: tools, Change: changed, Territory: one(h.random, ident.Territory(""), "", "north")}
				people, groups, lacking, err := h.Exactly(t.Context(), analyst("land"), wanted)
				if err != nil {
					t.Fatal(err)
				}
				plainly, plain, plainlyLacking, err := h.another().Exactly(t.Context(), analyst("land"), wanted)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(plain, groups) + cmp.Diff(plainlyLacking, lacking); people != plainly || diff != "" {
					t.Fatalf("after %v: %d people are counted by what is kept, %d by reading everything\n%s", happened, people, plainly, diff)
				}
				if wanted.Territory != "" {
					continue
				}
				people, applied := h.applying(before, after, 600_000_00)
				if people != plainly {
					t.Fatalf("after %v: %d people are counted instead of %d", happened, plainly, people)
				}
				for name, counts := range plain {
					want := applied[name]
					if want == nil {
						want = make([]int64, 7)
					}
					if got := append(slices.Clone(counts[:5]), counts[6], counts[19]); !slices.Equal(got, want) {
						t.Fatalf("after %v: of %q are counted %v instead of %v", happened, name, got, want)
					}
				}
				entitled += plain["all"][1]
			}
			if entitled == 0 {
				t.Error("nobody was ever entitled: nothing was compared")
			}
			_, _, residents := h.KeptTexts()
			if (residents > 0) != (test.memory == 0) {
				t.Errorf("%d residents are kept", residents)
			}
		})
	}
}

// reads counts what is read of a store.
type reads struct {
	act.Store[simulation.Reader, simulation.Tx]
	people, versions atomic.Int64
}

// View implements act.Store.
func (r *reads) View(ctx context.Context, run func(simulation.Reader) error) error {
	return r.Store.View(ctx, func(tx simulation.Reader) error { return run(counting{tx, r}) })
}

type counting struct {
	simulation.Reader
	by *reads
}

// PeopleBetween implements simulation.Reader.
func (c counting) PeopleBetween(after, until ident.Subject, limit int) ([]ident.Subject, error) {
	found, err := c.Reader.PeopleBetween(after, until, limit)
	c.by.people.Add(int64(len(found)))
	return found, err
}

// VersionsBetween implements simulation.Reader.
func (c counting) VersionsBetween(of ident.Register, from, until ident.Subject) ([]register.StoredVersion, error) {
	found, err := c.Reader.VersionsBetween(of, from, until)
	c.by.versions.Add(int64(len(found)))
	return found, err
}

// A run that follows another reads of those alone of whom the registers say something new.
func TestWhoIsAsBeforeIsNotReadAgain(t *testing.T) {
	w := settled(t)
	run := func() {
		t.Helper()
		if _, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools}); err != nil {
			t.Fatal(err)
		}
	}
	run()
	read := &reads{Store: w.Store}
	w.Simulator.Store = read
	if run(); read.versions.Load() != 0 || read.people.Load() != 0 {
		t.Errorf("of nobody anything is new, and %d versions of %d people were read", read.versions.Load(), read.people.Load())
	}
	w.settle(t, 2, resident{birth: "2004-01-10", sex: "female", place: "north"})
	if run(); read.versions.Load() < 4 || read.versions.Load() > 12 { // their neighbours' in the same block may be read with them
		t.Errorf("of two people four versions are new, and %d were read", read.versions.Load())
	}
}

// Who was erased is in nothing that is kept, at once: neither is what only they were.
func TestWhoWasErasedIsNotKept(t *testing.T) {
	for name, erase := range map[string]func(w *world, who ident.Subject){
		"by this process": func(w *world, who ident.Subject) {
			if err := w.vault.Erase(t.Context(), who); err != nil {
				t.Fatal(err)
			}
		},
		"by another process, which says so": func(w *world, who ident.Subject) {
			if err := w.keys.EraseSubjectKey(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			w.vault.Forget(who)
		},
		"by another process, when that may have been missed": func(w *world, who ident.Subject) {
			if err := w.keys.EraseSubjectKey(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			w.vault.Forget()
		},
		"by another process, found by the next run": func(w *world, who ident.Subject) {
			if err := w.keys.EraseSubjectKey(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t)
			who := w.settle(t, 1, resident{birth: "1931-07-19", sex: "female", place: "south", unemployed: "2026-01-05"})[0]
			if _, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools}); err != nil {
				t.Fatal(err)
			}
			states, counted := w.Kept(who)
			if !counted || len(states) != 3 || !strings.Contains(states["civil/births"], "1931-07-19") {
				t.Fatalf("before the erasure is kept: %v, counted %t", states, counted)
			}
			erase(w, who)
			if states, counted := w.Kept(who); counted || len(states) != 0 {
				t.Errorf("after it is kept: %v, counted %t", states, counted)
			}
			texts, values, _ := w.KeptTexts()
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "1931-07-19") }) || slices.Contains(values, any(date("1931-07-19"))) {
				t.Error("what only they said is still there")
			}
		})
	}
}

// Another definition of an evidence type reads anew: what is kept was an answer to another question.
func TestAnotherDefinitionOfARegisterIsReadAnew(t *testing.T) {
	w := settled(t)
	run := func(want string) {
		t.Helper()
		made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools})
		if err != nil {
			t.Fatal(err)
		}
		if got := table([]simulation.Row{made.Result.Total}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	run("10 10 – – 5")
	definitions := registers(t)
	unemployed := definitions[2]
	unemployed.Evidence[0].Answer[0].Is = compile(t, []field.Definition{{Name: "person", Kind: field.Person}, {Name: "since", Kind: field.Date}}, "record.since > record.since", rules.KindBool)
	catalogue, err := register.NewCatalogue(definitions)
	if err != nil {
		t.Fatal(err)
	}
	w.keeper.Definitions = func() *register.Catalogue { return catalogue }
	run("– – – – –")
}

// What a register says changes by the day alone: a record that holds from tomorrow, and a rule that reads the day.
func TestADayAloneChangesWhatIsKept(t *testing.T) {
	w := newWorld(t)
	like := resident{birth: "2004-01-10", sex: "female", unemployed: "2026-01-05"}
	put := func(who []ident.Subject, place ident.Territory, from, leaves string) {
		t.Helper()
		for _, one := range who {
			values := map[string]any{"person": one, "place": place}
			if leaves != "" {
				values["leaves"] = date(leaves)
			}
			if _, _, err := w.keeper.Put(t.Context(), journal.Actor{Component: "test"}, register.Write{
				Register: "interior/residences", Values: values, From: date(from), Reason: "test",
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(w.settle(t, 10, like), "north", "2026-01-01", "2026-03-03")
	put(w.settle(t, 20, like), "south", "2026-03-03", "")
	for _, day := range []struct{ rows, now string }{
		{"north 10 10 – – –\nsouth – – – – –\n20 20 – – –", "2026-03-02"},
		{"north – – – – –\nsouth 20 20 – – –\n10 10 – – –", "2026-03-03"},
	} {
		w.now = date(day.now).Start(w.Location)
		made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(day.rows, table(made.Result.Territories)); diff != "" {
			t.Errorf("on %s: %s", day.now, diff)
		}
	}
}
