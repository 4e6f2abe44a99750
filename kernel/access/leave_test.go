package access_test

import (
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/ident"
)

// leader appoints a youth leader.
func (w *world) leader(place ident.Territory) access.Actor {
	w.Helper()
	made, err := w.Appoint(w.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: "youth-agency", Role: "youth-leader", Territory: place, From: monday.AddDate(0, 0, -1),
	})
	w.must(err)
	return access.Actor{Person: made.Person, Appointment: &made}
}

func TestAnOfficialOnLeaveNamesASubstitute(t *testing.T) {
	w := newWorld(t)
	away, neighbour := w.leader("X1"), w.leader("X2")
	chair, err := w.Appoint(t.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: "youth-agency", Role: "chair", Territory: "X1",
	})
	w.must(err)
	found, err := w.Colleagues(t.Context(), away, w.now)
	if err != nil || len(found) != 1 || found[0].ID != neighbour.Appointment.ID {
		t.Fatalf("colleagues: %v, %v", found, err)
	}
	until := monday.AddDate(0, 0, 14)
	_, err = w.TakeLeave(t.Context(), away, chair.ID, monday, until)
	w.refused("another role", err, "leave.substitute")
	_, err = w.TakeLeave(t.Context(), away, away.Appointment.ID, monday, until)
	w.refused("themselves", err, "leave.substitute")
	_, err = w.TakeLeave(t.Context(), away, neighbour.Appointment.ID, monday, monday.Add(-time.Hour))
	w.refused("a leave that is over", err, "leave.term")
	_, err = w.TakeLeave(t.Context(), away, neighbour.Appointment.ID, monday, monday.AddDate(2, 0, 0))
	w.refused("two years", err, "leave.term")
	_, err = w.TakeLeave(t.Context(), access.Actor{Person: away.Person}, neighbour.Appointment.ID, monday, until)
	w.refused("a resident", err, "access.forbidden")

	leave, err := w.TakeLeave(t.Context(), away, neighbour.Appointment.ID, monday.Add(-time.Hour), until)
	w.must(err)
	if leave.Person != neighbour.Person || leave.Territory != "X1" || leave.Substitutes != away.Appointment.ID || leave.From.Before(monday) || !leave.Until.Equal(until) {
		t.Errorf("the substitute's appointment is %+v", leave)
	}
	held, err := w.Appointments(t.Context(), neighbour.Person, w.now)
	if err != nil || len(held) != 2 {
		t.Errorf("the substitute holds %v, %v", held, err)
	}
	_, err = w.TakeLeave(t.Context(), away, neighbour.Appointment.ID, until.AddDate(0, 0, -1), until.AddDate(0, 0, 3))
	w.refused("twice in one time", err, "leave.overlap")
	standIn := access.Actor{Person: neighbour.Person, Appointment: &leave}
	_, err = w.TakeLeave(t.Context(), standIn, neighbour.Appointment.ID, monday, until)
	w.refused("a substitute's substitute", err, "access.forbidden")
	_, err = w.EndLeave(t.Context(), neighbour, leave.ID)
	w.refused("the substitute ends it", err, "access.forbidden")

	leaves, err := w.Leaves(t.Context(), away, w.now)
	if err != nil || len(leaves) != 1 || leaves[0].ID != leave.ID {
		t.Errorf("leaves: %v, %v", leaves, err)
	}
	w.now = monday.AddDate(0, 0, 3)
	_, err = w.EndLeave(t.Context(), away, leave.ID)
	w.must(err)
	if held, err = w.Appointments(t.Context(), neighbour.Person, w.now); err != nil || len(held) != 1 {
		t.Errorf("after the leave the substitute holds %v, %v", held, err)
	}
	if leaves, err = w.Leaves(t.Context(), away, w.now); err != nil || len(leaves) != 0 {
		t.Errorf("after the leave: %v, %v", leaves, err)
	}
}
