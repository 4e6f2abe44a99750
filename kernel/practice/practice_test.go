package practice

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

var (
	learner  = Learner{Person: "1", Appointment: "a", Agency: "youth-agency", Role: "youth-leader", Territory: "m"}
	self     = journal.Actor{Person: "1", Agency: "youth-agency", Role: "youth-leader", Appointment: "a"}
	another  = journal.Actor{Person: "2", Agency: "youth-agency", Role: "youth-leader", Appointment: "b"}
	resident = journal.Actor{Person: "9"}
)

func event(minute int, what string, by journal.Actor, object string, facts ...string) journal.Header {
	header := journal.Header{Type: what, Actor: by, Object: object, At: time.Date(2026, 3, 2, 9, minute, 0, 0, time.UTC), Facts: map[string]string{}}
	for i := 0; i+1 < len(facts); i += 2 {
		header.Facts[facts[i]] = facts[i+1]
	}
	return header
}

// minutes tells which events did a lesson's deeds.
func minutes(done []journal.Header) (found []int) {
	for _, one := range done {
		found = append(found, one.At.Minute())
	}
	return found
}

const (
	prepared = "application:p"
	other    = "application:o"
)

func TestALessonIsDoneByWhatItsLearnerDid(t *testing.T) {
	decide := &Lesson{Prepared: true, Done: []Deed{{Did: []Learned{Read}}, {Did: []Learned{Recommend, Approve}}}}
	ask := &Lesson{Prepared: true, Done: []Deed{{Did: []Learned{Read}}, {Did: []Learned{Ask}}}, Never: []Learned{Recommend, Refuse}}
	offline := &Lesson{Prepared: true, Done: []Deed{{Did: []Learned{TakeAlong}}, {Did: []Learned{Recommend}, Offline: true}}}
	certificate := &Lesson{Done: []Deed{{Did: []Learned{WriteDown}}, {Did: []Learned{Sent}}}}
	conflict := &Lesson{Done: []Deed{{Did: []Learned{Refused}, Because: "assist.own-interest"}}}
	for name, test := range map[string]struct {
		lesson  *Lesson
		events  []journal.Header
		want    []int
		spoiled bool
	}{
		"nothing happened": {decide, nil, nil, false},
		"read, then recommended": {decide, []journal.Header{
			event(1, "application.read", self, prepared), event(2, "task.claimed", self, prepared), event(3, "task.recommend", self, prepared),
		}, []int{1, 3}, false},
		"recommended unread":  {decide, []journal.Header{event(1, "task.recommend", self, prepared)}, nil, false},
		"a colleague read it": {decide, []journal.Header{event(1, "application.read", another, prepared)}, nil, false},
		"of another case": {decide, []journal.Header{
			event(1, "application.read", self, prepared), event(2, "task.recommend", self, other),
		}, []int{1}, false},
		"by another appointment": {decide, []journal.Header{
			event(1, "application.read", journal.Actor{Person: "1", Appointment: "c"}, prepared),
		}, nil, false},
		"asked": {ask, []journal.Header{
			event(1, "application.read", self, prepared), event(2, "application.asked", self, prepared), event(9, "task.recommend", self, prepared),
		}, []int{1, 2}, false},
		"decided instead of asking": {ask, []journal.Header{
			event(1, "application.read", self, prepared), event(2, "task.recommend", self, prepared), event(3, "application.asked", self, prepared),
		}, []int{1}, true},
		"recommended on the device": {offline, []journal.Header{
			event(1, "tasks.taken-along", self, "appointment:a"), event(2, "task.recommend", self, prepared, "offline-act", "x"),
		}, []int{1, 2}, false},
		"recommended with a connection": {offline, []journal.Header{
			event(1, "tasks.taken-along", self, "appointment:a"), event(2, "task.recommend", self, prepared),
		}, []int{1}, false},
		"a resident confirmed what was written down for them": {certificate, []journal.Header{
			event(1, "application.assisted", self, other, "service", "s"), event(2, "application.submitted", resident, other),
		}, []int{1, 2}, false},
		"a resident sent something else": {certificate, []journal.Header{
			event(1, "application.assisted", self, other, "service", "s"), event(2, "application.submitted", resident, prepared),
		}, []int{1}, false},
		"another service was written down":  {certificate, []journal.Header{event(1, "application.assisted", self, other, "service", "t")}, nil, false},
		"refused because of a tie":          {conflict, []journal.Header{event(1, "access.refused", self, "", "reason", "assist.own-interest")}, []int{1}, false},
		"refused because of something else": {conflict, []journal.Header{event(1, "access.refused", self, "", "reason", "access.forbidden")}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			one := attempt{lesson: test.lesson, service: "s", learner: learner}
			if test.lesson.Prepared {
				one.application = ident.Application("p")
			}
			done, spoiled := one.settle(test.events)
			if diff := cmp.Diff(test.want, minutes(done)); diff != "" || spoiled != test.spoiled {
				t.Errorf("spoiled is %v, and the deeds are (-want +got):\n%s", spoiled, diff)
			}
		})
	}
}
