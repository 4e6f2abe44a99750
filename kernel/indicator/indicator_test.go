package indicator_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/seal"
	"yagona/kernel/territory"
	"yagona/kernel/transparency"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// world is indicators over registers in a real store.
type world struct {
	*indicator.Counter
	registers *register.Keeper
	db        *sqlite.DB
	path      string // of its file

	unreadable act.Key // whose records do not open
	vault      *seal.Vault
	jobs       *job.Runner
	now        time.Time
}

const (
	country  ident.Territory = "17"
	district ident.Territory = "1726"
	garden   ident.Territory = "1726-1"
	bridge   ident.Territory = "1726-2"
)

var (
	work  = ident.Register("employment/unemployed")
	homes = ident.Register("interior/residences")
	areas = ident.Register("mahalla/passports")
)

func program(t testing.TB, fields []field.Definition, source string, kind rules.Kind) *rules.Program {
	t.Helper()
	environment, err := rules.NewEnvironment(rules.Field{Name: "record", Type: field.TypeOf(fields)})
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := environment.Compile(source, kind)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	folder := t.TempDir()
	w.path = filepath.Join(folder, "yagona.db")
	var err error
	if w.db, err = sqlite.Open(t.Context(), sqlite.Config{Path: w.path, Clock: clock, Readers: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	keys, err := sqlite.OpenSubjectKeys(t.Context(), filepath.Join(folder, "keys.db"), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	if w.vault, err = seal.NewVault(keys, make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	workFields := []field.Definition{{Name: "person", Kind: field.Person}, {Name: "since", Kind: field.Date}, {Name: "closed", Kind: field.Bool}}
	homeFields := []field.Definition{{Name: "person", Kind: field.Person}, {Name: "place", Kind: field.Territory}}
	areaFields := []field.Definition{{Name: "place", Kind: field.Territory}, {Name: "residents", Kind: field.Int}}
	registers, err := register.NewCatalogue([]*register.Definition{
		{Path: work, Agency: "a", Held: register.HeldHere, Subject: "person", Fields: workFields},
		{Path: homes, Agency: "a", Held: register.HeldHere, Subject: "person", Fields: homeFields, Unique: [][]string{{"person"}}},
		{Path: areas, Agency: "a", Held: register.HeldHere, Fields: areaFields, Unique: [][]string{{"place"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := territory.New([]territory.Level{{Name: "country"}, {Name: "district"}, {Name: "mahalla"}}, []territory.Territory{
		{Code: country, Level: "country"},
		{Code: district, Parent: country, Level: "district"},
		{Code: garden, Parent: district, Level: "mahalla"},
		{Code: bridge, Parent: district, Level: "mahalla"},
	})
	if err != nil {
		t.Fatal(err)
	}
	home := &indicator.Place{Register: homes, Is: program(t, homeFields, "record.place", rules.KindTerritory)}
	residents := indicator.Measure{Register: areas, Field: "place", Value: program(t, areaFields, "record.residents", rules.KindInt)}
	since := indicator.MonthOf(date("2026-01-01"))
	catalogue := indicator.NewCatalogue([]*indicator.Definition{
		{
			Path: "employment/unemployed", Unit: indicator.PerThousand, Period: indicator.EachMonth, Since: since,
			Numerator: indicator.Measure{Register: work, Where: program(t, workFields, "!record.closed", rules.KindBool), Place: home}, Denominator: &residents,
		},
		{
			Path: "employment/registered", Unit: indicator.Number, Period: indicator.EachMonth, Since: since,
			Numerator: indicator.Measure{Register: work, On: program(t, workFields, "record.since", rules.KindDate), Place: home},
		},
		{
			Path: "youth/days", Unit: indicator.Average, Period: indicator.EachYear, Since: since,
			Numerator:   indicator.Measure{Services: []ident.Service{"youth/tools"}, Count: indicator.Days},
			Denominator: &indicator.Measure{Services: []ident.Service{"youth/tools"}, Count: indicator.Decided},
		},
		{
			Path: "youth/waiting", Unit: indicator.Number, Period: indicator.EachMonth, Since: since,
			Numerator: indicator.Measure{Services: []ident.Service{"youth/tools"}, Count: indicator.Waiting},
		},
	})
	w.registers = &register.Keeper{
		Store: query.For[register.Reader, register.Tx](w.db), Vault: w.vault, Clock: clock, Scheme: scheme{}, Location: time.UTC,
		Definitions: func() *register.Catalogue { return registers }, IndexKeys: seal.OneIndexKey(make([]byte, 32)),
	}
	w.Counter = &indicator.Counter{
		Store: query.For[indicator.Reader, indicator.Tx](w.db), Registers: timelines{w.registers, w}, Clock: clock, HashKey: make([]byte, 32),
		Catalogue:   func() *indicator.Catalogue { return catalogue },
		Definitions: func() *register.Catalogue { return registers }, Territories: tree, Location: time.UTC,
	}
	w.jobs = &job.Runner{Store: query.For[job.Reader, job.Tx](w.db), Clock: clock, Handlers: w.Handlers()}
	return w
}

// timelines are the registers', of which some cannot be read.
type timelines struct {
	*register.Keeper
	w *world
}

func (l timelines) Timeline(ctx context.Context, key act.Key, path ident.Register, record ident.Record) ([]register.Span, int, error) {
	if l.w.unreadable == key {
		return nil, 0, fault.New(fault.Internal, "register.broken", "A stored version does not open.")
	}
	return l.Keeper.Timeline(ctx, key, path, record)
}

// scheme accepts what the tests need.
type scheme struct{}

func (scheme) CheckBankAccount(text string) (string, error)        { return text, nil }
func (scheme) CheckPhone(text string) (string, error)              { return text, nil }
func (scheme) CheckTerritory(code ident.Territory, _ string) error { return nil }
func (scheme) ParseMoney(text string) (money.Amount, error) {
	return money.Currency{Code: "UZS", MinorDigits: 2}.Parse(text)
}

func date(text string) calendar.Date {
	found, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return found
}

var keeper = access.Actor{Person: "official", Appointment: &access.Appointment{ID: "a", Agency: "a", Role: access.Registrar}}

// fails is what both testing.T and rapid.T do.
type fails interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// write saves a record, and returns it.
func (w *world) write(t fails, into ident.Register, record register.Version, from string, values map[string]any) register.Version {
	t.Helper()
	saved, err := w.registers.Save(background, keeper, register.Write{
		Register: into, Record: record.Record, Expect: record.Number, Values: values, From: date(from), Reason: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// another returns the counter of another process on the same store, which knows these indicators.
func (w *world) another(known *indicator.Catalogue) *indicator.Counter {
	return &indicator.Counter{
		Store: w.Store, Registers: w.Registers, Clock: w.Clock, HashKey: w.HashKey, Definitions: w.Definitions,
		Territories: w.Territories, Location: w.Location, Catalogue: func() *indicator.Catalogue { return known },
	}
}

// register registers so many people as unemployed, and returns them.
func (w *world) register(t fails, count int) (people []ident.Subject) {
	t.Helper()
	for range count {
		person := ident.Random[ident.Person]().Subject()
		people = append(people, person)
		w.write(t, work, register.Version{}, "2026-02-01", map[string]any{"person": person, "since": date("2026-02-01"), "closed": false})
	}
	return people
}

// indexed gives all events their places in the log.
func (w *world) indexed(t fails) {
	t.Helper()
	err := query.For[transparency.Reader, transparency.Tx](w.db).Update(background, act.Platform, func(tx transparency.Tx) error {
		head, err := tx.LogHead()
		if err != nil {
			return err
		}
		pending, err := tx.PendingEntries(1000)
		if err != nil {
			return err
		}
		for _, one := range pending {
			if err := tx.SaveLogIndex(one.Key, one.Event, head.Size); err != nil {
				return err
			}
			head.Size++
		}
		return tx.SaveLogHead(head)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// drain counts what was written.
func (w *world) drain(t fails) {
	t.Helper()
	w.indexed(t)
	if err := w.Follow(background); err != nil {
		t.Fatal(err)
	}
	if err := w.jobs.Drain(background); err != nil {
		t.Fatal(err)
	}
}

// figure returns the figure of an indicator.
func (w *world) figure(t fails, path ident.Indicator, where ident.Territory, month string) indicator.Figure {
	t.Helper()
	d, err := w.Catalogue().Indicator(path)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := w.Show(background, d, indicator.MonthOf(date(month+"-01")), 1, where)
	if err != nil {
		t.Fatal(err)
	}
	if shown.Counting {
		t.Fatal("it is still being counted")
	}
	return shown.Now(0)
}

// verified checks that every figure is what counting anew gives.
func (w *world) verified(t fails) {
	t.Helper()
	for _, d := range w.Catalogue().All() {
		differences, err := w.Verify(background, d)
		if err != nil {
			t.Fatal(err)
		}
		if len(differences) > 0 {
			t.Errorf("%s: counting anew differs: %+v", d.Path, differences)
		}
	}
}

func TestAFigureFollowsItsRecords(t *testing.T) {
	w := newWorld(t)
	w.write(t, areas, register.Version{}, "2026-01-01", map[string]any{"place": garden, "residents": int64(200)})
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	var people []ident.Subject
	var records, residences []register.Version
	for range 8 {
		person := ident.Random[ident.Person]().Subject()
		people = append(people, person)
		residences = append(residences, w.write(t, homes, register.Version{}, "2025-05-01", map[string]any{"person": person, "place": garden}))
		records = append(records, w.write(t, work, register.Version{}, "2026-01-20", map[string]any{"person": person, "since": date("2026-01-20"), "closed": false}))
	}
	w.drain(t)
	none := w.figure(t, "employment/unemployed", garden, "2025-12")
	if none.Told {
		t.Errorf("before anything is counted there is %+v", none)
	}
	for month, want := range map[string]indicator.Figure{
		"2026-01": {Month: indicator.MonthOf(date("2026-01-01")), Territory: garden, Told: true, Numerator: 10, Denominator: 200, Tenths: 500},
		"2026-03": {Month: indicator.MonthOf(date("2026-03-01")), Territory: garden, Told: true, Numerator: 10, Denominator: 200, Tenths: 500},
	} {
		if diff := cmp.Diff(want, w.figure(t, "employment/unemployed", garden, month)); diff != "" {
			t.Errorf("%s: %s", month, diff)
		}
	}
	if found := w.figure(t, "employment/registered", district, "2026-01"); found.Numerator != 10 {
		t.Errorf("what happened in January is %+v", found)
	}
	if found := w.figure(t, "employment/registered", district, "2026-02"); found.Told {
		t.Errorf("nothing happened in February, it says %+v", found)
	}

	// Four find work: the figure of that month falls, the past stays, and fewer than five are not counted out.
	for i := range 4 {
		w.write(t, work, records[i], "2026-02-10", map[string]any{"person": people[i], "since": date("2026-01-20"), "closed": true})
	}
	w.drain(t)
	if found := w.figure(t, "employment/unemployed", district, "2026-02"); found.Told || found.Numerator != 0 || found.Tenths != 0 {
		t.Errorf("of four nothing is told, it says %+v", found)
	}
	if found := w.figure(t, "employment/unemployed", garden, "2026-01"); found.Numerator != 10 {
		t.Errorf("January has become %+v", found)
	}

	// All move: they count where they live now from that day on.
	for i := range people {
		w.write(t, homes, residences[i], "2026-03-01", map[string]any{"person": people[i], "place": bridge})
	}
	w.drain(t)
	w.verified(t)
	if found := w.figure(t, "employment/registered", garden, "2026-01"); found.Numerator != 10 {
		t.Errorf("what happened where they lived then is %+v", found)
	}
}

func TestApplicationsAreCountedInTheMonthsOfTheirActs(t *testing.T) {
	w := newWorld(t)
	save := func(app casework.Application) {
		app.Revision++
		err := query.For[casework.Reader, casework.Tx](w.db).Update(t.Context(), act.Of(app.Applicant), func(tx casework.Tx) error {
			if err := tx.SaveApplication(app); err != nil {
				return err
			}
			_, err := journal.Append(tx, nil, journal.Event{Type: "application.stored", Covers: []journal.Cover{app.Cover()}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var open []casework.Application
	for range 10 {
		app := casework.Application{
			ID: ident.New[ident.Application](w.now), Applicant: ident.Random[ident.Person]().Subject(), Service: "youth/tools", Version: "v", Agency: "a",
			State: casework.Deciding, Created: w.now, Submitted: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), Territory: garden, Sealed: []byte{1},
		}
		save(app)
		open = append(open, app)
	}
	w.drain(t)
	for i, app := range open[:5] {
		app.State, app.Decided, app.Revision = casework.Granted, time.Date(2026, 2, 5+i, 9, 0, 0, 0, time.UTC), 1
		save(app)
	}
	// The count begins only now: what the log tells from here on counts nothing twice.
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.drain(t)
	w.verified(t)
	if found := w.figure(t, "youth/waiting", country, "2026-01"); found.Numerator != 10 {
		t.Errorf("ten waited in January, it says %+v", found)
	}
	if found := w.figure(t, "youth/waiting", garden, "2026-02"); found.Numerator != 5 {
		t.Errorf("five waited in February, it says %+v", found)
	}
	if found := w.figure(t, "youth/days", garden, "2026-03"); found.Tenths != 330 {
		t.Errorf("31 to 35 days are 33 on average, it says %+v", found)
	}
	if found := w.figure(t, "youth/days", bridge, "2026-03"); found.Told {
		t.Errorf("elsewhere nothing was decided, it says %+v", found)
	}
}

func TestWhatAnErasedPersonContributedStays(t *testing.T) {
	w := newWorld(t)
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	people := w.register(t, 5)
	w.drain(t)
	if err := w.vault.Erase(t.Context(), people[0]); err != nil {
		t.Fatal(err)
	}
	w.verified(t)
	if found := w.figure(t, "employment/registered", country, "2026-02"); found.Numerator != 5 {
		t.Errorf("it says %+v", found)
	}
}

// Several processes follow one log: what two look at counts once.
func TestTwoWhoFollowCountOnce(t *testing.T) {
	w := newWorld(t)
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.register(t, 300) // more than is looked at in one go
	w.indexed(t)
	other := w.another(w.Catalogue())
	var both sync.WaitGroup
	for _, one := range []*indicator.Counter{w.Counter, other} {
		both.Go(func() {
			if err := one.Follow(background); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	w.drain(t)
	w.verified(t)
	if found := w.figure(t, "employment/registered", country, "2026-02"); found.Numerator != 300 {
		t.Errorf("of 300 it counts %+v", found)
	}
}

// What was counted before the log was followed, and what left for an archive before it was looked at, is counted once.
func TestWhatTheLogDoesNotTellIsCountedWithAll(t *testing.T) {
	w := newWorld(t)
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.register(t, 5)
	w.drain(t)
	change := func(text string) {
		t.Helper()
		file, err := sqlite.OpenFile(w.path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	change("DELETE FROM indicator_place") // as the store of an earlier release
	w.register(t, 5)
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.drain(t)
	w.verified(t)
	w.register(t, 5)
	w.indexed(t)
	change("DELETE FROM event WHERE log_index IN (SELECT next FROM indicator_place)")
	w.drain(t)
	w.verified(t)
	if found := w.figure(t, "employment/registered", country, "2026-02"); found.Numerator != 15 {
		t.Errorf("of 15 it counts %+v", found)
	}
}

// A source that cannot be worked out waits as a job, which an operator sees, and holds up nobody; following begins by
// itself.
func TestWhatCannotBeCountedHoldsUpNobody(t *testing.T) {
	w := newWorld(t)
	people := w.register(t, 8)
	w.unreadable = act.Of(people[0])
	w.indexed(t)
	if err := w.Follow(background); err != nil {
		t.Fatal(err)
	}
	if err := w.jobs.Drain(background); err != nil { // what is counted with all leaves them, too
		t.Fatal(err)
	}
	w.figure(t, "employment/registered", country, "2026-02") // fails if it is still being counted
	w.write(t, work, register.Version{}, "2026-02-01", map[string]any{"person": people[0], "since": date("2026-02-02"), "closed": false})
	w.register(t, 1)
	w.indexed(t)
	if err := w.Follow(background); err != nil {
		t.Fatal(err)
	}
	waiting := 0
	err := query.For[job.Reader, job.Tx](w.db).View(background, func(tx job.Reader) error {
		due, err := tx.DueJobs(w.now, 100)
		for _, one := range due {
			if one.Kind == "indicator.count" && one.Key == act.Of(people[0]) {
				waiting++
			}
		}
		return err
	})
	if err != nil || waiting != 1 {
		t.Errorf("%d jobs wait for the source that could not be counted: %v", waiting, err)
	}
	w.unreadable = ""
	w.now = w.now.Add(24 * time.Hour)
	w.drain(t)
	w.verified(t)
	if found := w.figure(t, "employment/registered", country, "2026-02"); found.Numerator != 10 {
		t.Errorf("of ten it counts %+v", found)
	}
}

// A process that does not know an indicator follows the log without it; whoever knows it begins its count again.
func TestACountThatWasLeftBehindBeginsAgain(t *testing.T) {
	w := newWorld(t)
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.drain(t)
	older := w.another(indicator.NewCatalogue(w.Catalogue().All()[:1]))
	w.register(t, 5)
	w.indexed(t)
	if err := older.Follow(background); err != nil {
		t.Fatal(err)
	}
	if err := w.Begin(t.Context()); err != nil { // it has taken up what was published
		t.Fatal(err)
	}
	w.drain(t)
	w.verified(t)
	if found := w.figure(t, "employment/registered", country, "2026-02"); found.Numerator != 5 {
		t.Errorf("of five it counts %+v", found)
	}
}

// Whatever is written, corrected, moved and closed, in whichever order the jobs are done and however often, the figures
// are those that counting everything anew gives.
func TestCountingAnewGivesTheSameFigures(t *testing.T) {
	w := newWorld(t)
	if err := w.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	written := 0
	rapid.Check(t, func(rt *rapid.T) {
		day := func(label string) string {
			return date("2025-11-01").AddDays(rapid.IntRange(0, 240).Draw(rt, label)).String()
		}
		place := func() ident.Territory {
			return rapid.SampledFrom([]ident.Territory{garden, bridge, district, "unknown"}).Draw(rt, "place")
		}
		person := ident.Random[ident.Person]().Subject()
		latest := map[ident.Record]register.Version{}
		var order []ident.Record
		for range rapid.IntRange(1, 8).Draw(rt, "acts") {
			into := rapid.SampledFrom([]ident.Register{work, homes}).Draw(rt, "register")
			values := map[string]any{"person": person, "place": place()}
			if into == work {
				values = map[string]any{"person": person, "since": date(day("since")), "closed": rapid.Bool().Draw(rt, "closed")}
			}
			wanted := register.Write{Register: into, Values: values, From: date(day("from")), Reason: "test"}
			var candidates []ident.Record
			for _, one := range order {
				if latest[one].Register == into && !latest[one].Closed {
					candidates = append(candidates, one)
				}
			}
			kind := "new"
			if len(candidates) > 0 {
				kind = rapid.SampledFrom([]string{"new", "change", "correct", "close"}).Draw(rt, "kind")
			}
			if kind != "new" {
				known := latest[rapid.SampledFrom(candidates).Draw(rt, "record")]
				wanted.Record, wanted.Expect = known.Record, known.Number
			}
			var saved register.Version
			var err error
			switch kind {
			case "correct":
				wanted.Corrects = wanted.Expect
				saved, err = w.registers.Correct(background, keeper, wanted)
			case "close":
				saved, err = w.registers.Close(background, keeper, into, wanted.Record, wanted.Expect, wanted.From, "test")
			default:
				saved, err = w.registers.Save(background, keeper, wanted)
			}
			if err != nil {
				continue // a second home, or an earlier day: refused, and nothing is written
			}
			if kind == "new" {
				order = append(order, saved.Record)
			}
			latest[saved.Record] = saved
			written++
			if rapid.Bool().Draw(rt, "count now") {
				w.drain(rt)
			}
		}
		w.drain(rt)
		w.verified(rt)
	})
	least := 200
	if testing.Short() {
		least = 40 // a fifth of the sequences is made
	}
	if written < least {
		t.Errorf("only %d acts wrote something", written)
	}
	for _, d := range w.Catalogue().All() {
		if err := w.Recount(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	w.drain(t)
	w.verified(t)
}

// background is for readings in checks of rapid, whose T has no context of the test.
var background = context.Background()
