package calendar_test

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	place, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// sample is a calendar with a five-day week, 8 and 21 March free each year, Monday 23 March 2026 free in exchange for
// Saturday 28 March.
func sample(t testing.TB) *calendar.Calendar {
	t.Helper()
	c, err := calendar.New(calendar.Definition{
		Location: location(t, "Asia/Tashkent"),
		Weekend:  []time.Weekday{time.Saturday, time.Sunday},
		Annual:   []calendar.Annual{{Month: time.March, Day: 8}, {Month: time.March, Day: 21}, {Month: time.May, Day: 1}},
		Off:      []calendar.Date{day(t, "2026-03-23")},
		Working:  []calendar.Date{day(t, "2026-03-28")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDeadlineIsTheEndOfTheLastWorkingDay(t *testing.T) {
	c := sample(t)
	for _, test := range []struct {
		name, received string
		days           int
		last           string // the last day on which it is in time
	}{
		{"the day of receipt does not count", "2026-03-02T00:00:00+05:00", 3, "2026-03-05"},
		{"nor does its last second change that", "2026-03-02T23:59:59+05:00", 3, "2026-03-05"},
		{"the day is that of the country, not of UTC", "2026-03-02T19:00:00Z", 3, "2026-03-06"},
		{"a weekend is skipped", "2026-03-05T10:00:00+05:00", 2, "2026-03-09"},
		{"received on a weekend", "2026-03-07T10:00:00+05:00", 1, "2026-03-09"},
		{"a day off and a worked Saturday", "2026-03-20T10:00:00+05:00", 5, "2026-03-28"},
		{"a holiday in the week", "2026-04-30T10:00:00+05:00", 1, "2026-05-04"},
		{"no days: the same day", "2026-03-02T10:00:00+05:00", 0, "2026-03-02"},
		{"no days on a weekend: the next working day", "2026-03-07T10:00:00+05:00", 0, "2026-03-09"},
	} {
		t.Run(test.name, func(t *testing.T) {
			received, err := time.Parse(time.RFC3339, test.received)
			if err != nil {
				t.Fatal(err)
			}
			want := day(t, test.last).End(c.Location())
			if got := c.Deadline(received, test.days); !got.Equal(want) {
				t.Errorf("Deadline = %v, want %v", got, want)
			}
		})
	}
}

func TestAnOutageAddsTheWorkingDaysThatItTouches(t *testing.T) {
	c := sample(t)
	received := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC) // Monday; three days end on Thursday the 5th
	for _, test := range []struct {
		name        string
		from, until string
		last        string
	}{
		{"a minute of one day", "2026-03-04T10:00:00+05:00", "2026-03-04T10:01:00+05:00", "2026-03-06"},
		{"over midnight: two days", "2026-03-03T23:00:00+05:00", "2026-03-04T01:00:00+05:00", "2026-03-09"},
		{"until midnight exactly: one day", "2026-03-03T23:00:00+05:00", "2026-03-04T00:00:00+05:00", "2026-03-06"},
		{"on the day of receipt, which does not count anyway", "2026-03-02T12:00:00+05:00", "2026-03-02T13:00:00+05:00", "2026-03-05"},
		{"on a weekend", "2026-03-07T12:00:00+05:00", "2026-03-08T13:00:00+05:00", "2026-03-05"},
		{"after the deadline", "2026-03-06T12:00:00+05:00", "2026-03-06T13:00:00+05:00", "2026-03-05"},
		{"the added day is touched too", "2026-03-05T12:00:00+05:00", "2026-03-06T13:00:00+05:00", "2026-03-09"},
	} {
		t.Run(test.name, func(t *testing.T) {
			with, err := c.WithOutages(outage(t, test.from, test.until))
			if err != nil {
				t.Fatal(err)
			}
			want := day(t, test.last).End(c.Location())
			if got := with.Deadline(received, 3); !got.Equal(want) {
				t.Errorf("Deadline = %v, want %v", got, want)
			}
			if got, want := c.Deadline(received, 3), day(t, "2026-03-05").End(c.Location()); !got.Equal(want) {
				t.Errorf("the calendar without the outage changed: %v", got)
			}
		})
	}
	if _, err := c.WithOutages(calendar.Outage{From: received, Until: received}); fault.Code(err) != "calendar.outage-malformed" {
		t.Errorf("an outage of no length: %v", err)
	}
}

func outage(t testing.TB, from, until string) calendar.Outage {
	t.Helper()
	var o calendar.Outage
	if err := json.Unmarshal([]byte(`{"from":"`+from+`","until":"`+until+`"}`), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAClockStopsWhileItWaits(t *testing.T) {
	c := sample(t)
	at := func(date string) time.Time { return day(t, date).Start(c.Location()).Add(10 * time.Hour) }

	clock := calendar.StartClock(at("2026-03-02"), 3) // due with Thursday the 5th
	if due, _ := c.Due(clock); !due.Equal(day(t, "2026-03-05").End(c.Location())) {
		t.Fatalf("due %v", due)
	}
	paused, err := clock.Pause(at("2026-03-03")) // Tuesday is used up, two days are left
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Left(paused, at("2026-04-01")); got != 2 {
		t.Fatalf("%d days are left, want 2", got)
	}
	if due, running := c.Due(paused); running {
		t.Fatalf("a clock that stands still is due %v", due)
	}
	resumed, err := paused.Resume(at("2026-03-10")) // Tuesday does not count: Wednesday, Thursday
	if err != nil {
		t.Fatal(err)
	}
	if due, _ := c.Due(resumed); !due.Equal(day(t, "2026-03-12").End(c.Location())) {
		t.Fatalf("due %v", due)
	}
	// An outage that is declared afterwards, for a day that the clock had used up, gives that day back.
	with, err := c.WithOutages(outage(t, "2026-03-03T09:00:00+05:00", "2026-03-03T18:00:00+05:00"))
	if err != nil {
		t.Fatal(err)
	}
	if due, _ := with.Due(resumed); !due.Equal(day(t, "2026-03-13").End(c.Location())) {
		t.Fatalf("due %v", due)
	}
	if clock.Runs[0] != (calendar.Run{From: at("2026-03-02")}) || !clock.Running() {
		t.Fatalf("pausing changed the clock it was called on: %+v", clock)
	}
}

func TestAClockOnItsLastDayIsNotLateAtOnce(t *testing.T) {
	c := sample(t)
	at := func(date string) time.Time { return day(t, date).Start(c.Location()).Add(10 * time.Hour) }
	paused, err := calendar.StartClock(at("2026-03-02"), 1).Pause(at("2026-03-03"))
	if err != nil {
		t.Fatal(err)
	}
	resumed, err := paused.Resume(at("2026-03-07")) // a Saturday
	if err != nil {
		t.Fatal(err)
	}
	if due, _ := c.Due(resumed); !due.Equal(day(t, "2026-03-09").End(c.Location())) {
		t.Fatalf("due %v", due)
	}
}

func TestAClockRefusesWhatItAlreadyDoes(t *testing.T) {
	at := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	clock := calendar.StartClock(at, 3)
	if _, err := clock.Resume(at); fault.Code(err) != "calendar.clock-running" {
		t.Errorf("resuming a running clock: %v", err)
	}
	paused, err := clock.Pause(at.Add(-time.Hour)) // the machine's time went back
	if err != nil || paused.Runs[0].Until != at {
		t.Fatalf("%+v, %v", paused, err)
	}
	if _, err := paused.Pause(at); fault.Code(err) != "calendar.clock-paused" {
		t.Errorf("pausing a clock that stands still: %v", err)
	}
	if _, err := (calendar.Clock{}).Resume(at); err == nil {
		t.Error("a clock that never started resumes")
	}
}

func TestAClockHasAJSONForm(t *testing.T) {
	at := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	clock := calendar.StartClock(at, 3)
	clock, err := clock.Pause(at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if clock, err = clock.Resume(at.Add(2 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(clock)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"days":3,"runs":[{"from":"2026-03-02T05:00:00Z","until":"2026-03-02T06:00:00Z"},{"from":"2026-03-02T07:00:00Z"}]}`
	if string(out) != want {
		t.Fatalf("%s", out)
	}
	var back calendar.Clock
	if err := json.Unmarshal(out, &back); err != nil || !cmp.Equal(clock, back) {
		t.Fatalf("%v %s", err, cmp.Diff(clock, back))
	}
}

func TestADefinitionThatCannotBeIsRefused(t *testing.T) {
	place := location(t, "Asia/Tashkent")
	var everyDay []calendar.Annual
	for d := day(t, "2024-01-01"); d.Year == 2024; d = d.AddDays(1) {
		everyDay = append(everyDay, calendar.Annual{Month: d.Month, Day: d.Day})
	}
	week := []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	for name, definition := range map[string]calendar.Definition{
		"no time zone":           {},
		"no day to work":         {Location: place, Weekend: week},
		"a weekend day twice":    {Location: place, Weekend: []time.Weekday{0, 0}},
		"an unknown weekday":     {Location: place, Weekend: []time.Weekday{7}},
		"no day of the year":     {Location: place, Annual: []calendar.Annual{{Month: time.April, Day: 31}}},
		"a holiday twice":        {Location: place, Annual: []calendar.Annual{{Month: 1, Day: 1}, {Month: 1, Day: 1}}},
		"holidays all year":      {Location: place, Annual: everyDay},
		"a day off twice":        {Location: place, Off: []calendar.Date{day(t, "2026-03-23"), day(t, "2026-03-23")}},
		"both off and worked":    {Location: place, Off: []calendar.Date{day(t, "2026-03-23")}, Working: []calendar.Date{day(t, "2026-03-23")}},
		"a day off that is none": {Location: place, Off: []calendar.Date{{}}},
	} {
		if _, err := calendar.New(definition); fault.Code(err) != "calendar.malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// drawn is a calendar and up to four outages around 2026.
func drawn(t *rapid.T, place *time.Location) (plain, with *calendar.Calendar) {
	definition := calendar.Definition{Location: place}
	for _, day := range rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 0, 6, rapid.ID).Draw(t, "weekend") {
		definition.Weekend = append(definition.Weekend, time.Weekday(day))
	}
	start := calendar.Date{Year: 2026, Month: time.January, Day: 1}
	for i, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 400), 0, 40, rapid.ID).Draw(t, "dated") {
		if i%2 == 0 {
			definition.Off = append(definition.Off, start.AddDays(n))
		} else {
			definition.Working = append(definition.Working, start.AddDays(n))
		}
	}
	plain, err := calendar.New(definition)
	if err != nil {
		t.Fatal(err)
	}
	var outages []calendar.Outage
	for range rapid.IntRange(0, 4).Draw(t, "outages") {
		from := moment(t, "from")
		minutes := rapid.IntRange(1, 60*24*10).Draw(t, "minutes")
		outages = append(outages, calendar.Outage{From: from, Until: from.Add(time.Duration(minutes) * time.Minute)})
	}
	if with, err = plain.WithOutages(outages...); err != nil {
		t.Fatal(err)
	}
	return plain, with
}

func moment(t *rapid.T, label string) time.Time {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(t, label)) * time.Minute)
}

func TestCountingGivesBackWhatWasAdded(t *testing.T) {
	place := location(t, "Asia/Tashkent")
	rapid.Check(t, func(t *rapid.T) {
		_, c := drawn(t, place)
		from := c.Date(moment(t, "at"))
		n := rapid.IntRange(1, 60).Draw(t, "n")
		to := c.Add(from, n)
		if got := c.Between(from, to); got != n {
			t.Fatalf("from %v, %d days on is %v, which is %d days on", from, n, to, got)
		}
		if !c.Counts(to) {
			t.Fatalf("%v does not count", to)
		}
	})
}

func TestALongerTermNeverEndsEarlier(t *testing.T) {
	place := location(t, "Asia/Tashkent")
	rapid.Check(t, func(t *rapid.T) {
		_, c := drawn(t, place)
		at, later := moment(t, "at"), moment(t, "later")
		if later.Before(at) {
			at, later = later, at
		}
		n := rapid.IntRange(0, 60).Draw(t, "n")
		if c.Deadline(at, n+1).Before(c.Deadline(at, n)) {
			t.Fatalf("%d days end before %d", n+1, n)
		}
		if c.Deadline(later, n).Before(c.Deadline(at, n)) {
			t.Fatalf("what came later is due earlier")
		}
		if !c.Deadline(at, n).After(at) {
			t.Fatalf("it is late at once")
		}
	})
}

func TestAnOutageNeverShortens(t *testing.T) {
	place := location(t, "Asia/Tashkent")
	rapid.Check(t, func(t *rapid.T) {
		plain, with := drawn(t, place)
		at := moment(t, "at")
		n := rapid.IntRange(0, 60).Draw(t, "n")
		if with.Deadline(at, n).Before(plain.Deadline(at, n)) {
			t.Fatalf("with outages %v, without %v", with.Deadline(at, n), plain.Deadline(at, n))
		}
	})
}

func TestAPauseMovesTheDeadlineByTheDaysOfWaiting(t *testing.T) {
	place := location(t, "Asia/Tashkent")
	rapid.Check(t, func(t *rapid.T) {
		plain, c := drawn(t, place)
		start := moment(t, "start")
		n := rapid.IntRange(1, 40).Draw(t, "n")
		clock := calendar.StartClock(start, n)
		due, _ := c.Due(clock)
		pause := start.Add(time.Duration(rapid.IntRange(0, int(due.Sub(start).Minutes())-1).Draw(t, "pause")) * time.Minute)
		resume := pause.Add(time.Duration(rapid.IntRange(0, 30*24*60).Draw(t, "waiting")) * time.Minute)

		waited, err := clock.Pause(pause)
		if err != nil {
			t.Fatal(err)
		}
		if waited, err = waited.Resume(resume); err != nil {
			t.Fatal(err)
		}
		moved, _ := c.Due(waited)
		left := c.Left(clock, pause)
		if want := c.Deadline(resume, left); !moved.Equal(want) {
			t.Fatalf("due %v, want %v", moved, want)
		}
		if left > 0 {
			last, newLast := c.Date(due.Add(-1)), c.Date(moved.Add(-1))
			waiting := c.Between(c.Date(pause), c.Date(resume))
			if got := c.Between(last, newLast); got != waiting {
				t.Fatalf("waited %d working days, the deadline moved by %d", waiting, got)
			}
		}
		if moved.Before(due) {
			t.Fatalf("a pause made the deadline earlier")
		}
		if without, _ := plain.Due(waited); moved.Before(without) {
			t.Fatalf("an outage made the deadline of a paused clock earlier")
		}
	})
}
