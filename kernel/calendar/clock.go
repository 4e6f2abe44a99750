package calendar

import (
	"time"

	"yagona/kernel/fault"
)

// Clock counts the working days that someone has for a task. It runs, and stops while it waits for someone else.
//
// It keeps only what happened; what is left is computed each time with the calendar of the moment, so that an outage or
// a holiday that is declared afterwards still counts. The zero Clock has not started. It is a plain value with a JSON
// form; its methods return a changed copy.
type Clock struct {
	Days int   `json:"days"` // working days granted
	Runs []Run `json:"runs"` // in order of time; only the last may be without an end
}

// Run is one stretch of time in which a clock ran.
type Run struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"` // zero: still running
}

// StartClock returns a clock that runs from the moment and has n working days.
func StartClock(at time.Time, n int) Clock { return Clock{Days: n, Runs: []Run{{From: at.UTC()}}} }

// Running reports whether the clock runs.
func (k Clock) Running() bool { return len(k.Runs) > 0 && k.Runs[len(k.Runs)-1].Until.IsZero() }

// Pause stops the clock. The day of the pause is used up, unless it is the day on which the clock started or resumed.
func (k Clock) Pause(at time.Time) (Clock, error) {
	if !k.Running() {
		return k, fault.New(fault.Conflict, "calendar.clock-paused", "The clock already stands still. Look again.")
	}
	k.Runs = append([]Run(nil), k.Runs...)
	last := &k.Runs[len(k.Runs)-1]
	last.Until = at.UTC()
	if last.Until.Before(last.From) {
		last.Until = last.From // the machine's time went back: no time passed
	}
	return k, nil
}

// Resume lets the clock run again. The day of resumption does not count, as the day of receipt does not.
func (k Clock) Resume(at time.Time) (Clock, error) {
	if k.Running() || len(k.Runs) == 0 {
		return k, fault.New(fault.Conflict, "calendar.clock-running", "The clock already runs. Look again.")
	}
	if end := k.Runs[len(k.Runs)-1].Until; at.Before(end) {
		at = end
	}
	k.Runs = append(append([]Run(nil), k.Runs...), Run{From: at.UTC()})
	return k, nil
}

// Left returns how many working days are left at the moment, never less than zero.
func (c *Calendar) Left(k Clock, at time.Time) int {
	left := k.Days
	for _, run := range k.Runs {
		until := run.Until
		if until.IsZero() {
			until = at
		}
		left -= c.Between(c.Date(run.From), c.Date(until))
	}
	return max(left, 0)
}

// Due returns the first moment, in UTC, at which the running clock has run out; false if it stands still. A clock that
// resumes with no day left runs out when that day ends, or the next that counts: nobody is late at once.
func (c *Calendar) Due(k Clock) (time.Time, bool) {
	if !k.Running() {
		return time.Time{}, false
	}
	last := k.Runs[len(k.Runs)-1]
	past := Clock{Days: k.Days, Runs: k.Runs[:len(k.Runs)-1]}
	return c.Deadline(last.From, c.Left(past, last.From)), true
}
