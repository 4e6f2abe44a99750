package casework_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

// another lets one more resident of the mahalla apply.
func (w *world) another(mahalla ident.Territory) casework.Receipt {
	w.Helper()
	before := w.applicant
	defer func() { w.applicant = before }()
	w.applicant = access.Actor{Person: ident.Random[ident.Person]()}
	for _, evidence := range []ident.Evidence{"civil/birth", "employment/unemployment"} {
		w.registers.set(evidence, w.applicant.Person.Subject(), w.registers.values[evidence][before.Person.Subject()])
	}
	w.registers.set("interior/residence", w.applicant.Person.Subject(), map[string]any{"mahalla": mahalla})
	return w.apply()
}

func (w *world) counts(by access.Actor, place ident.Territory) casework.Counts {
	w.Helper()
	counts, err := w.TaskCounts(w.Context(), by, place)
	if err != nil {
		w.Fatal(err)
	}
	return counts
}

func TestCountsAreRightAtOnce(t *testing.T) {
	w := newWorld(t)
	leader, district := w.official("youth-leader", "X11"), w.official("youth-leader", "X1")
	w.official("chair", "X11")
	w.apply()
	w.another("X12")
	w.another("X21")
	if diff := cmp.Diff(casework.Counts{Open: 1, Unclaimed: 1}, w.counts(leader, "")); diff != "" {
		t.Errorf("the mahalla's counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(casework.Counts{Open: 2, Unclaimed: 2}, w.counts(district, "")); diff != "" {
		t.Errorf("the district's counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(casework.Counts{Open: 1, Unclaimed: 1}, w.counts(district, "X12")); diff != "" {
		t.Errorf("the counts of one of its mahallas (-want +got):\n%s", diff)
	}
	task := w.open(leader)
	if _, err := w.Claim(t.Context(), leader, task.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(casework.Counts{Open: 1, Mine: 1}, w.counts(leader, "")); diff != "" {
		t.Errorf("after claiming (-want +got):\n%s", diff)
	}
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	if diff := cmp.Diff(casework.Counts{}, w.counts(leader, "")); diff != "" {
		t.Errorf("after deciding (-want +got):\n%s", diff)
	}
	for what, err := range map[string]error{
		"another district's tasks": second(w.Tasks(t.Context(), leader, casework.Filter{Territory: "X12"}, casework.Cursor{}, 10)),
		"another district's count": second(w.TaskCounts(t.Context(), leader, "X2")),
		"the level above":          second(w.Team(t.Context(), leader, "X1")),
		"a resident":               second(w.TaskCounts(t.Context(), w.applicant, "")),
	} {
		if err == nil {
			t.Errorf("%s: shown", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhatIsOverdueAndWhatWaitsIsCounted(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-leader", "X11")
	w.apply()
	w.must(w.decide(leader, casework.Verdict{Action: service.Ask, Question: "Which machine?"}))
	w.another("X11")
	w.now = monday.AddDate(0, 0, 2) // three working days end with Thursday
	if diff := cmp.Diff(casework.Counts{Open: 1, Unclaimed: 1, Waiting: 1}, w.counts(leader, "")); diff != "" {
		t.Errorf("on Wednesday (-want +got):\n%s", diff)
	}
	w.now = monday.AddDate(0, 0, 3)
	if diff := cmp.Diff(casework.Counts{Open: 1, Today: 1, Unclaimed: 1, Waiting: 1}, w.counts(leader, "")); diff != "" {
		t.Errorf("on Thursday (-want +got):\n%s", diff)
	}
	w.now = monday.AddDate(0, 0, 4)
	if diff := cmp.Diff(casework.Counts{Open: 1, Overdue: 1, Unclaimed: 1, Waiting: 1}, w.counts(leader, "")); diff != "" {
		t.Errorf("on Friday (-want +got):\n%s", diff)
	}
	for filter, want := range map[casework.Filter]int{
		{Overdue: true}: 1, {Work: casework.Waiting}: 1, {Work: casework.Mine}: 0, {Work: casework.Unclaimed}: 1,
		{Service: "youth/tools"}: 1, {Service: "youth/other"}: 0, {Step: "approve"}: 0, {Territory: "X11"}: 1,
	} {
		found, err := w.Tasks(t.Context(), leader, filter, casework.Cursor{}, 10)
		if err != nil || len(found) != want {
			t.Errorf("%+v: %d tasks, %v", filter, len(found), err)
		}
	}
}

func TestALeaderSeesTheWorkOfEachPlaceAndOfficial(t *testing.T) {
	w := newWorld(t)
	leader, other, district := w.official("youth-leader", "X11"), w.official("youth-leader", "X12"), w.official("youth-leader", "X1")
	w.another("X12")
	w.another("X12")
	w.apply()
	w.now = w.now.Add(5 * time.Hour)
	w.must(w.decide(leader, casework.Verdict{Action: service.Recommend}))
	tasks, err := w.Tasks(t.Context(), other, casework.Filter{}, casework.Cursor{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Claim(t.Context(), other, tasks[0].ID); err != nil {
		t.Fatal(err)
	}
	w.now = monday.AddDate(0, 0, 7) // nobody has looked whether they are late
	team, err := w.Team(t.Context(), district, "")
	if err != nil {
		t.Fatal(err)
	}
	want := casework.Team{
		All: casework.Figures{Territory: "X1", Open: 2, Unclaimed: 1, Overdue: 2, Done: 1, Median: 5 * time.Hour},
		Places: []casework.Figures{
			{Territory: "X11", Done: 1, Median: 5 * time.Hour},
			{Territory: "X12", Open: 2, Unclaimed: 1, Overdue: 2},
		},
		Officials: []casework.Figures{
			{Territory: "X12", Appointment: other.Appointment.ID, Role: "youth-leader", Open: 1, Overdue: 1},
			{Territory: "X11", Appointment: leader.Appointment.ID, Role: "youth-leader", Done: 1, Median: 5 * time.Hour},
		},
	}
	if diff := cmp.Diff(want, team, cmpopts.IgnoreUnexported(casework.Figures{})); diff != "" {
		t.Errorf("the team (-want +got):\n%s", diff)
	}
	if own, err := w.Team(t.Context(), leader, ""); err != nil || len(own.Places) != 1 || own.Places[0].Done != 1 {
		t.Errorf("of the lowest level: %+v, %v", own, err)
	}
}

func TestASubstituteCarriesOnWhatWasClaimed(t *testing.T) {
	w := newWorld(t)
	w.office.Territories = w.Territories
	away, neighbour := w.official("youth-leader", "X11"), w.official("youth-leader", "X12")
	w.official("chair", "X11")
	w.apply()
	task := w.open(away)
	if _, err := w.Claim(t.Context(), away, task.ID); err != nil {
		t.Fatal(err)
	}
	leave, err := w.office.TakeLeave(t.Context(), away, neighbour.Appointment.ID, w.now, w.now.AddDate(0, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	standIn := access.Actor{Person: neighbour.Person, Appointment: &leave}
	if diff := cmp.Diff(casework.Counts{Open: 1, Mine: 1}, w.counts(standIn, "")); diff != "" {
		t.Errorf("the substitute's counts (-want +got):\n%s", diff)
	}
	w.must(w.decide(standIn, casework.Verdict{Action: service.Recommend}))
}
