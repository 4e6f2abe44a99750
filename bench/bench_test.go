package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/country"
	"yagona/packs"
	"yagona/store/query"
)

// Whether everything that is measured still works; how fast it is, no test says.
func TestTheSmallestRunMeasuresEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a whole installation and takes seconds")
	}
	var out strings.Builder
	if err := run(t.Context(), smallest(), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, slug := range []string{"automatic", "story", "payment", "evidence", "record", "reading", "own", "journal", "lifecycle"} {
		if !strings.Contains(out.String(), "run  1  "+slug) {
			t.Errorf("the report has no %s:\n%s", slug, out.String())
		}
	}
	// What an application is made of: with less, something is not measured; the story signs each of its evidences twice,
	// and asks once more for what its own register says before it pays. What this process signed it does not verify.
	for _, expected := range []string{"3.0 signed, 0.0 verified", "11.0 signed", "2.0 signed, 0.0 verified", "a bare handler that answers only: ", "a bare handler that commits one insertion and answers: "} {
		if !strings.Contains(out.String(), expected) {
			t.Errorf("the report does not say %q:\n%s", expected, out.String())
		}
	}
}

func TestWhatAMeasurementTakesIsMeasuredToo(t *testing.T) {
	all := []measurement{{slug: "story"}, {slug: "payment", after: "story"}, {slug: "record"}}
	for _, c := range []struct{ wanted, measured []string }{
		{nil, []string{"story", "payment", "record"}},
		{[]string{"record", "payment"}, []string{"story", "payment", "record"}},
		{[]string{"record"}, []string{"record"}},
	} {
		found, err := only(slices.Clone(all), c.wanted)
		var slugs []string
		for _, one := range found {
			slugs = append(slugs, one.slug)
		}
		if err != nil || !slices.Equal(slugs, c.measured) {
			t.Errorf("with -only %q measured are %q: %v", c.wanted, slugs, err)
		}
	}
	if _, err := only(all, []string{"records"}); err == nil {
		t.Error("a measurement that there is not was taken")
	}
}

// A simulation is measured from its first run, which reads everything, to those that follow and one after some moved.
func TestASimulationIsMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a whole installation and takes seconds")
	}
	wanted := smallest()
	wanted.Simulated = 1000
	var out strings.Builder
	if err := run(t.Context(), wanted, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, line := range []string{"1 processors  first ", "1 processors, median of 1 following runs:", "1 processors  moved "} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the report has no %q:\n%s", line, out.String())
		}
	}
}

// What is stored before something is measured is real enough to be listed, read and audited like the rest.
func TestGrowthIsMeasuredAtEverySize(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a whole installation and takes seconds")
	}
	wanted := smallest()
	wanted.Cases, wanted.Mahallas, wanted.Bursts, wanted.Day = []int{150, 300}, 60, []int{4}, 3*time.Second
	var out strings.Builder
	if err := run(t.Context(), wanted, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, expected := range []string{
		"150 cases of 20 residents stored", "300 cases of 20 residents stored", "| 150 | ", "| 300 | ", "lifecycle: create", "| notification,",
		"Bursts of lifecycles at 300", "| 4 a second | 4 |", "A working day of 20 residents", "median of p50", "On paper: 37 million residents", "| together | ",
	} {
		if !strings.Contains(out.String(), expected) {
			t.Errorf("the report does not say %q:\n%s", expected, out.String())
		}
	}
}

func TestTheTallyCountsFromStartToStop(t *testing.T) {
	var made, computed int64 = 10, 20
	counted := tally{signatures: func() (int64, int64) { return made, computed }}
	counted.committed([]query.Written{{Statements: 1, Bytes: 1}})
	counted.start()
	counted.committed([]query.Written{{Statements: 2, Bytes: 100}, {}, {Statements: 1, Bytes: 50}})
	counted.committed([]query.Written{{}})
	counted.committed([]query.Written{{Statements: 3, Bytes: 7}})
	made, computed = 14, 25
	got := counted.stop()
	counted.committed([]query.Written{{Statements: 1, Bytes: 1}})
	want := work{commits: [][]int{{100, 50}, {7}}, signed: 4, verified: 5, acts: 3, bytes: 157, write: 6}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(work{})); diff != "" {
		t.Error(diff)
	}
	if took, err := got.floor(t.Context(), t.TempDir()); err != nil || took <= 0 {
		t.Errorf("the floor took %v, %v", took, err)
	}
}

func TestFiguresOfAResult(t *testing.T) {
	measured := result{took: 2 * time.Second, floor: time.Second, spent: 400 * time.Millisecond}
	for i := range 100 {
		measured.latencies = append(measured.latencies, time.Duration(100-i)*time.Millisecond)
	}
	if got := measured.rate(); got != 50 {
		t.Errorf("100 in two seconds are %v a second", got)
	}
	if got := measured.ratio(); got != 0.5 {
		t.Errorf("twice as long as the floor is a ratio of %v", got)
	}
	if got := measured.percentile(0.5); got != 50 {
		t.Errorf("p50 is %v ms", got)
	}
	if got := measured.percentile(0.99); got != 99 {
		t.Errorf("p99 is %v ms", got)
	}
	if got := measured.each(measured.spent); got != 4 {
		t.Errorf("each took %v ms of the processors", got)
	}
	if got, want := spread("%.0f", []float64{3, 1, 2, 10}), "2 (1–10)"; got != want {
		t.Errorf("spread is %s, want %s", got, want)
	}
}

// A median of ten runs lies between the second and the ninth with 98 % of chance, between the third and the eighth with 89 %.
func TestAnIntervalHoldsTheMedian(t *testing.T) {
	for _, one := range []struct {
		values      []float64
		least, most float64
	}{
		{[]float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 2, 9},
		{[]float64{1, 2, 3, 4, 5, 6}, 1, 6},
		{[]float64{3, 1, 2}, 1, 3},
		{[]float64{7}, 7, 7},
	} {
		if least, most := interval(one.values); least != one.least || most != one.most {
			t.Errorf("%v: %v–%v, want %v–%v", one.values, least, most, one.least, one.most)
		}
	}
}

func TestMediansAreCompared(t *testing.T) {
	of := func(at grown) []float64 { return at.disk[0] }
	before := grown{cases: 10, disk: [][]float64{{1, 2, 3, 4, 5, 6}}}
	for expected, values := range map[string][]float64{
		"they overlap":                {6, 7, 8, 9, 10, 11},
		"slower: they do not overlap": {7, 8, 9, 10, 11, 12},
		"faster: they do not overlap": {0.1, 0.2, 0.3, 0.4, 0.5, 0.6},
		"2 runs are too few to tell":  {7, 8},
	} {
		var out strings.Builder
		compare(&out, "An act", before, grown{cases: 20, disk: [][]float64{values}}, of)
		if !strings.HasSuffix(out.String(), "at 20: "+expected+"\n") {
			t.Errorf("%v beside 1 to 6: %s", values, out.String())
		}
	}
}

func TestADayHasItsCurveAndEveryKindOfAct(t *testing.T) {
	kinds := []kind{{slug: "often", yearly: 9}, {slug: "seldom", yearly: 1}, {slug: "hardly", yearly: 0.0001}}
	day := arrivals(1, kinds, 20_000, 24*time.Minute)
	hours, count := map[int]int{}, map[string]int{}
	for i, one := range day {
		hours[one.hour]++
		count[one.kind.slug]++
		if got := int(one.due / time.Minute); got != one.hour {
			t.Fatalf("what belongs to the hour %d is due in %d", one.hour, got)
		}
		if i > 0 && one.due < day[i-1].due {
			t.Fatal("arrivals are not in order")
		}
	}
	if len(day) != 20_000 || hours[10] < 2150 || hours[10] > 2450 || hours[3] > 60 {
		t.Errorf("%d acts, %d at ten in the morning, %d at three at night", len(day), hours[10], hours[3])
	}
	if count["often"] < 17_700 || count["often"] > 18_300 || count["hardly"] == 0 {
		t.Errorf("of each kind: %v", count)
	}
}

// What comes while others wait is late from when it was due.
func TestWaitingCounts(t *testing.T) {
	var one sync.Mutex
	const long = 20 * time.Millisecond
	took, errs := arrive(t.Context(), []time.Duration{0, 0, 0}, func(_ context.Context, i int) error {
		one.Lock()
		defer one.Unlock()
		time.Sleep(long)
		if i == 1 {
			return errors.New("wrong")
		}
		return nil
	})
	if slowest := max(took[0], took[1], took[2]); slowest < 3*long {
		t.Errorf("the last of three took %v", slowest)
	}
	if err := failed(errs); err == nil || !strings.Contains(err.Error(), "1 of 3 acts failed, the first: wrong") {
		t.Errorf("the errors are told as %v", err)
	}
}

func TestACountryHasItsMahallas(t *testing.T) {
	files, err := peopled(packs.Country(), 300)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := country.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	before, err := packs.Profile()
	if err != nil {
		t.Fatal(err)
	}
	tree, count := profile.Territories, 0
	for code := range tree.Within(tree.Root()) {
		if tree.Level(code) == "mahalla" {
			count++
		}
		if one, _ := tree.Lookup(code); !before.Territories.Has(code) && !one.Illustrative {
			t.Errorf("%s is invented and does not say so", code)
		}
	}
	if count != 300 {
		t.Errorf("there are %d mahallas", count)
	}
}

func TestACountryOnPaper(t *testing.T) {
	var out strings.Builder
	paper(&out, []kind{{slug: "a", name: "an act", yearly: 10}}, map[string]taken{"a": {bytes: 1 << 20, milliseconds: 2}}, 1024)
	// 370 million acts a year, each a mebibyte: 352.9 TiB. 11.5 % of 1.48 million a day in an hour: 47 a second.
	for _, expected := range []string{"| an act | 10 | 47.3 | 0.09 | 1024.0 | 352.86 |", "1.0 KiB each: 0.03 TiB"} {
		if !strings.Contains(out.String(), expected) {
			t.Errorf("it does not say %q:\n%s", expected, out.String())
		}
	}
}
