package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	for _, expected := range []string{"3.0 signed, 0.0 verified", "11.0 signed", "2.0 signed, 0.0 verified"} {
		if !strings.Contains(out.String(), expected) {
			t.Errorf("the report does not say %q:\n%s", expected, out.String())
		}
	}
}

// What is stored before something is measured is real enough to be listed, read and audited like the rest.
func TestGrowthIsMeasuredAtEverySize(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a whole installation and takes seconds")
	}
	wanted := smallest()
	wanted.Cases = []int{150, 300}
	var out strings.Builder
	if err := run(t.Context(), wanted, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, expected := range []string{"150 cases of 20 residents stored", "300 cases of 20 residents stored", "| 150 | ", "| 300 | ", "lifecycle: create"} {
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
