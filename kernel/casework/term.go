package casework

import (
	"context"
	"time"

	"yagona/kernel/job"
	"yagona/kernel/journal"
)

// An application may wait for somebody who is no official: for who pays its fee, for others of a household, for who was
// offered a place. It does so in a state of its own, for so many working days, and an outage counts against the state.

// wait lets a file wait in a state; the job looks when the time is over (lapse).
func (c *Casework) wait(ctx context.Context, f *file, in State, within int, kind string) error {
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return err
	}
	f.app.State, f.app.Expires = in, days.Deadline(f.now, within)
	f.queue(kind, f.app.Expires, f.job(""))
	return nil
}

// lapse does a job of wait: the event is lapsed where the time since begun is over, and over does what follows and returns
// what else is true of it; where an outage moved the time it is extended.
func (c *Casework) lapse(ctx context.Context, f *file, queued job.Job, begun time.Time, within int, lapsed, extended string,
	over func() (map[string]string, error),
) error {
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return err
	}
	f.finish = &queued
	due := days.Deadline(begun, within)
	if f.now.Before(due) {
		f.app.Expires = due
		f.queue(queued.Kind, due, f.job(""))
		f.note(extended, platform("deadline"), "", "")
		err := c.store(ctx, f, journal.Event{Type: extended, Actor: platform("deadline")})
		return err
	}
	f.note(lapsed, platform("deadline"), "", "")
	facts, err := over()
	if err != nil {
		return err
	}
	err = c.store(ctx, f, journal.Event{Type: lapsed, Actor: platform("deadline"), Facts: facts})
	return err
}

// giveUp closes a file for which nobody did in time what it waited for.
func (f *file) giveUp(event string) {
	f.app.State, f.app.Decided, f.app.Expires = Withdrawn, f.now, time.Time{}
	f.tell(event)
}
