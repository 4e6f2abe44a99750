package simulation_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
	"yagona/store/query"
)

// settled is a world of residents whose entitlement is known: 12 young unemployed in the north, 8 of 33 years in the south,
// 20 young ones who work, 6 of whom no birth is known, 5 whose registration has ended.
func settled(t testing.TB) *world {
	w := newWorld(t)
	w.settle(t, 12, resident{birth: "2004-01-10", sex: "female", place: "north", unemployed: "2026-01-05"})
	w.settle(t, 8, resident{birth: "1993-01-10", sex: "male", place: "south", unemployed: "2026-01-05"})
	w.settle(t, 20, resident{birth: "2003-05-01", sex: "male", place: "north"})
	w.settle(t, 6, resident{place: "south", unemployed: "2026-01-05"})
	w.settle(t, 5, resident{birth: "2004-01-10", sex: "female", place: "south", unemployed: "2025-01-05", until: "2025-06-01"})
	return w
}

const older = "age(birth.date, submitted) in range(18, 35)"

func TestAChangeIsCountedOverAKnownPopulation(t *testing.T) {
	w := settled(t)
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools, Change: simulation.Change{
		Draft: older, Params: map[string]string{"brv": "600000 UZS"}, Assume: map[string]string{"price": "9000000 UZS"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if made.Result.Residents != 50 { // 51, rounded
		t.Errorf("%d residents were counted", made.Result.Residents)
	}
	for name, test := range map[string]struct {
		rows []simulation.Row
		want string
	}{
		"all":       {[]simulation.Row{made.Result.Total}, "10 20 10 – 5"}, // 12, 20, 8, 0 and 6
		"territory": {made.Result.Territories, "north 10 10 – – –\nsouth – 10 10 – 5"},
		"age":       {made.Result.Ages, "0-9 – – – – –\n10-19 – – – – –\n20-29 10 10 – – –\n30-39 – 10 10 – –\n40-49 – – – – –\n50-59 – – – – –\n60-69 – – – – –\n70-79 – – – – –\n80+ – – – – –\n– – – – 5"},
		"sex":       {made.Result.Sexes, "female 10 10 – – –\nmale – 10 10 – –\n– – – – 5"},
	} {
		if diff := cmp.Diff(test.want, table(test.rows)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// Ten base amounts: 4,000,000 for each by the rules in force, 6,000,000 with the change.
	total := made.Result.Total
	if !made.Result.Pays || total.Cost != money.Amount(10*4_000_000_00) || total.NewCost != money.Amount(20*6_000_000_00) {
		t.Errorf("it costs %d, and %d with the change", total.Cost, total.NewCost)
	}
}

func TestWhoIsNoLongerEntitledIsCounted(t *testing.T) {
	w := settled(t)
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools, Change: simulation.Change{
		Draft: "age(birth.date, submitted) in range(30, 35)",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := table([]simulation.Row{made.Result.Total}); got != "10 10 10 10 5" { // 12, 8, 8, 12, 6
		t.Errorf("got %s", got)
	}
	// What people would ask for is not assumed: nobody can say what it costs, and the result says why.
	if made.Result.Pays || !cmp.Equal(made.Result.Lacks(), []string{"price"}) {
		t.Errorf("it pays: %t, for want of %v", made.Result.Pays, made.Result.Lacking)
	}
}

func TestARegionIsCountedAlone(t *testing.T) {
	w := settled(t)
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools, Territory: "north"})
	if err != nil {
		t.Fatal(err)
	}
	if got := table(append([]simulation.Row{made.Result.Total}, made.Result.Territories...)); got != "10 10 – – –\nnorth 10 10 – – –" {
		t.Errorf("got %s", got)
	}
	if made.Result.Residents != 30 { // 32
		t.Errorf("%d residents were counted", made.Result.Residents)
	}
}

func TestFewAreNotShown(t *testing.T) {
	w := newWorld(t)
	w.settle(t, 11, resident{birth: "2004-01-10", sex: "female", place: "north", unemployed: "2026-01-05"})
	w.settle(t, 2, resident{birth: "2004-01-10", sex: "male", place: "south", unemployed: "2026-01-05"})
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools})
	if err != nil {
		t.Fatal(err)
	}
	if got := table(append([]simulation.Row{made.Result.Total}, made.Result.Territories...)); got != "15 15 – – –\nnorth – – – – –\nsouth – – – – –" {
		t.Errorf("got %s", got)
	}
	var file strings.Builder
	if err := made.Result.WriteCSV(&file, money.Currency{Code: "UZS", MinorDigits: 2}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(file.String(), "territory,south,,,,,,,\n") || strings.Contains(file.String(), ",2,") {
		t.Errorf("the file tells:\n%s", file.String())
	}
}

// A draft that leaves one day of birth out tells nothing of whoever was born on it: nobody looks like few.
func TestOneRunDoesNotTellWhetherSomebodyIsEntitled(t *testing.T) {
	w := newWorld(t)
	w.settle(t, 12, resident{birth: "2004-01-10", sex: "female", place: "north", unemployed: "2026-01-05"})
	w.settle(t, 1, resident{birth: "2003-07-22", sex: "female", place: "north", unemployed: "2026-01-05"}) // 13 round up, 12 down
	w.settle(t, 1, resident{birth: "2001-07-22", sex: "female", place: "north"})
	told := map[string]string{}
	for who, born := range map[string]string{"entitled": "2003-07-22", "not entitled": "2001-07-22", "nobody": "2002-01-01"} {
		made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools, Change: simulation.Change{
			Draft: `age(birth.date, submitted) in range(18, 30) && birth.date != date("` + born + `")`,
		}})
		if err != nil {
			t.Fatal(err)
		}
		rows := append([]simulation.Row{made.Result.Total}, made.Result.Territories...)
		told[who] = table(append(append(rows, made.Result.Ages...), made.Result.Sexes...))
	}
	if told["entitled"] != told["nobody"] || told["not entitled"] != told["nobody"] {
		t.Errorf("one run tells them apart: %q", told)
	}
}

func TestAnAgencyHasSoManyRunsADay(t *testing.T) {
	w := settled(t)
	w.Simulator.Runs = 2
	run := func() error {
		_, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: "youth/poor"})
		return err
	}
	for i, want := range []string{"", "", "simulation.too-many"} {
		if err := run(); fault.Code(err) != want && (want != "" || err != nil) {
			t.Errorf("run %d: %v", i+1, err)
		}
	}
	tomorrow := w.Simulator.Clock().Add(24*time.Hour + time.Minute)
	w.Simulator.Clock = func() time.Time { return tomorrow }
	if err := run(); err != nil {
		t.Errorf("on the next day: %v", err)
	}
}

func TestARegisterThatAnswersOneByOneIsNotKnown(t *testing.T) {
	w := settled(t)
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: "youth/poor"})
	if err != nil {
		t.Fatal(err)
	}
	// Who is not registered as unemployed is refused whatever that register says.
	if got := table([]simulation.Row{made.Result.Total}); got != "– – – – 30" { // 12 + 8 + 6 + 5
		t.Errorf("got %s", got)
	}
	if !cmp.Equal(made.Result.Unread, []ident.Evidence{"tax/low-income"}) {
		t.Errorf("not read: %v", made.Result.Unread)
	}
}

func TestWhoWasErasedIsNotCounted(t *testing.T) {
	w := newWorld(t)
	everybody := w.settle(t, 12, resident{birth: "2004-01-10", sex: "female", place: "north", unemployed: "2026-01-05"})
	for _, one := range everybody[:7] {
		if err := w.vault.Erase(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools})
	if err != nil {
		t.Fatal(err)
	}
	if got := table([]simulation.Row{made.Result.Total}); got != "5 5 – – –" || made.Result.Residents != 5 {
		t.Errorf("got %s of %d", got, made.Result.Residents)
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := settled(t)
	other, ended, leader := analyst("land"), analyst("land"), analyst("land")
	other.Appointment.Agency, leader.Appointment.Role, ended.Appointment.Until = "women-committee", "youth-leader", w.now
	of := func(change simulation.Change) simulation.Wanted {
		return simulation.Wanted{Service: tools, Change: change}
	}
	for name, test := range map[string]struct {
		by     access.Actor
		wanted simulation.Wanted
		code   string
	}{
		"a resident":                      {access.Actor{Person: "somebody"}, of(simulation.Change{}), "access.forbidden"},
		"another role":                    {leader, of(simulation.Change{}), "access.forbidden"},
		"an analyst of another agency":    {other, of(simulation.Change{}), "access.forbidden"},
		"one whose post has ended":        {ended, of(simulation.Change{}), "access.forbidden"},
		"a region that is not theirs":     {analyst("north"), simulation.Wanted{Service: tools, Territory: "south"}, "access.forbidden"},
		"a territory that is none":        {analyst("land"), simulation.Wanted{Service: tools, Territory: "west"}, "territory.unknown"},
		"a service that is none":          {analyst("land"), simulation.Wanted{Service: "youth/none"}, "service.unknown"},
		"an amount that is none":          {analyst("land"), of(simulation.Change{Params: map[string]string{"mrot": "1"}}), "simulation.param"},
		"an amount that is no amount":     {analyst("land"), of(simulation.Change{Params: map[string]string{"brv": "much"}}), "money.malformed"},
		"an amount without a value":       {analyst("land"), of(simulation.Change{Params: map[string]string{"brv": " "}}), "simulation.no-value"},
		"a question that nobody asks":     {analyst("land"), of(simulation.Change{Assume: map[string]string{"colour": "red"}}), "simulation.assume"},
		"a register that does not let it": {analyst("land"), simulation.Wanted{Service: "youth/ill"}, "simulation.not-granted"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.Run(t.Context(), test.by, test.wanted); fault.Code(err) != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
	_, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: "youth/ill"})
	if err == nil || !strings.Contains(err.Error(), "health/illness") || !strings.Contains(err.Error(), "Ask health to grant it") {
		t.Errorf("a missing grant does not say whom to ask for what: %v", err)
	}
	if runs, _, err := w.List(t.Context(), analyst("land"), "", 10); err != nil || len(runs) != 0 {
		t.Errorf("refused runs are kept: %d, %v", len(runs), err)
	}
}

func TestARunIsOneEventThatEverybodySees(t *testing.T) {
	w := settled(t)
	who := w.settle(t, 1, resident{place: "north"})[0]
	change := simulation.Change{Draft: older, Params: map[string]string{"brv": "600000 UZS"}}
	made, err := w.Run(t.Context(), analyst("land"), simulation.Wanted{Service: tools, Change: change})
	if err != nil {
		t.Fatal(err)
	}
	readings := func(at time.Time) (found []journal.Reading) {
		t.Helper()
		err := w.db.View(t.Context(), func(tx *query.Tx) (err error) {
			found, _, err = journal.Readings(tx, who, at, "", 10)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	// A register that was read has a law that delays what people see of it.
	if found := readings(w.now); len(found) != 0 {
		t.Fatalf("people see %d readings although a law delays them", len(found))
	}
	found := readings(w.now.AddDate(0, 0, 31))
	if len(found) != 1 || found[0].Part != nil || found[0].Event.ID != made.Event {
		t.Fatalf("people see %d readings: %+v", len(found), found)
	}
	var header journal.Header
	if err := json.Unmarshal(found[0].Event.Header, &header); err != nil {
		t.Fatal(err)
	}
	if header.Type != "simulation.run" || header.Purpose != "simulate" || header.Population.Of != "land" || header.Actor.Role != simulation.Analyst || len(header.Commitments) != 0 {
		t.Errorf("the journal says %+v", header)
	}
	want := map[string]string{
		"service": "youth/tools", "version": "age(birth.date, submitted) in range(18, 30)", "territory": "land", "residents": "50",
		"param.brv": "600000 UZS", "draft": change.Digest(), "evidence": "civil/birth interior/residence employment/unemployment",
	}
	if diff := cmp.Diff(want, header.Facts); diff != "" {
		t.Error(diff)
	}
	// What is kept is what the event vouches for, and only analysts of the agency and the territory read it.
	again, err := w.Find(t.Context(), analyst("land"), made.ID)
	if err != nil || !cmp.Equal(header.Covers, []journal.Cover{again.Cover()}) || !cmp.Equal(again, made) {
		t.Errorf("kept is %+v, %v", again, err)
	}
	if _, err := w.Find(t.Context(), analyst("north"), made.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("an analyst of a region reads of the country: %v", err)
	}
	if _, err := w.Find(t.Context(), access.Actor{Person: "somebody"}, made.ID); fault.Code(err) != "access.forbidden" {
		t.Errorf("a resident reads a simulation: %v", err)
	}
	// The event's place among the readings is a column: whoever changes it is found.
	err = w.db.View(t.Context(), func(tx *query.Tx) error {
		event, err := tx.StoredEvent(act.OfAgency("youth-agency"), made.Event)
		if err != nil {
			return err
		}
		if _, _, err := journal.Check(nil, event, nil); err != nil {
			return fmt.Errorf("an event as it was appended: %w", err)
		}
		event.ShownFrom = time.Time{}
		if _, _, err := journal.Check(nil, event, nil); fault.Code(err) != "journal.tampered" {
			return fmt.Errorf("an event that people no longer see: %w", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// What a run finds about somebody is what an application of theirs would find.
func TestEntitledIsWhatAnApplicationFinds(t *testing.T) {
	d := definition(t, tools, older)
	today := date("2026-03-02")
	births := []any{nil, map[string]any{"date": date("2004-01-10")}, map[string]any{"date": date("1970-01-10")}, "unknown"}
	unemployments := []any{nil, map[string]any{"registered": true}, map[string]any{"registered": false}, "unknown"}
	for _, birth := range births {
		for _, unemployment := range unemployments {
			facts := service.Facts{Submitted: today, Decided: today, Evidence: map[string]any{"residence": nil}}
			for name, value := range map[string]any{"birth": birth, "unemployment": unemployment} {
				if value != "unknown" {
					facts.Evidence[name] = value
				}
			}
			evaluation, err := d.Evaluate(t.Context(), facts)
			if err != nil {
				t.Fatal(err)
			}
			outcome, _, err := d.Entitled(facts.Evidence, func(one *rules.Program) (rules.Result, error) {
				return one.Evaluate(t.Context(), d.Values(facts))
			})
			if err != nil || outcome != evaluation.Outcome() {
				t.Errorf("birth %v, unemployment %v: %s, %v instead of %s", birth, unemployment, outcome, err, evaluation.Outcome())
			}
		}
	}
}

// BenchmarkEvaluation measures evaluation alone, before and after a change, on one processor: a resident's answers are in
// memory. As in a country, others had the same answers before; of "each alone" nobody had.
func BenchmarkEvaluation(b *testing.B) {
	for _, test := range []struct {
		name  string
		alone bool
	}{{"as in a country", false}, {"each alone", true}} {
		b.Run(test.name, func(b *testing.B) {
			w := newWorld(b)
			count, note, forget, entitled, err := w.Evaluation(b.Context(), analyst("land"), simulation.Wanted{Service: tools, Change: simulation.Change{
				Draft: older, Params: map[string]string{"brv": "600000 UZS"}, Assume: map[string]string{"price": "9000000 UZS"},
			}})
			if err != nil {
				b.Fatal(err)
			}
			births := make([]uint32, 80*365)
			for i := range births {
				births[i] = note(0, fmt.Sprint("birth ", i), map[string]any{"date": date("1946-03-02").AddDays(i), "sex": []string{"female", "male"}[i%2]})
			}
			places := []uint32{note(1, "north", map[string]any{"place": ident.Territory("north")}), note(1, "south", map[string]any{"place": ident.Territory("south")})}
			registered, working := note(2, "registered", map[string]any{"registered": true}), note(2, "", nil)
			states := make([]uint32, 3)
			one := func(i int) {
				states[0], states[1], states[2] = births[i%len(births)], places[i%2], working
				if i%10 == 0 || test.alone {
					states[2] = registered
				}
				if test.alone {
					forget()
				}
				if err := count(states); err != nil {
					b.Fatal(err)
				}
			}
			i := 0
			for ; i < 20*len(births) && !test.alone; i++ { // so that all kinds of answers were judged
				one(i)
			}
			for b.Loop() {
				one(i)
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "residents/s")
			if entitled() == 0 && i > len(births) {
				b.Error("nobody is entitled")
			}
		})
	}
}
