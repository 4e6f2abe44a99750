package casework

import (
	"context"
	"fmt"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// Deadline looks whether a task is late, and does what its step says about silence (JobDeadline).
func (c *Casework) Deadline(ctx context.Context, queued job.Job, payload Job) (err error) {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	defer func() { err = f.disclose(ctx, err) }()
	task, err := f.task(payload.Task)
	if err != nil {
		return err
	}
	if task.State != TaskOpen && task.State != TaskClaimed {
		return nil
	}
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return err
	}
	f.finish = &queued
	due, running := days.Due(task.Clock)
	if !running {
		return nil
	}
	if f.now.Before(due) {
		return c.moveDeadline(ctx, f, task, due)
	}
	step, err := c.stepOf(f, task)
	if err != nil {
		return err
	}
	f.note("task.late", platform("deadline"), task.Step, string(step.Late))
	if f.def.Fee != nil && f.def.Fee.IfLate {
		f.giveBack(BackLate)
	}
	switch step.Late {
	case service.LateRefuse:
		c.closeTask(f, task, TaskDone) // its silence is the decision
		c.refuse(f, []Reason{{Text: step.Silent.In(f.app.Language)}})
	case service.LateGrant:
		if err := c.silentConsent(ctx, f, task, days, step); err != nil {
			return err
		}
	default:
		if err := c.escalate(ctx, f, task, days, step.Within); err != nil {
			return err
		}
	}
	err = c.store(ctx, f, journal.Event{Type: "task.late", Actor: platform("deadline"), Facts: map[string]string{"step": task.Step, "late": string(step.Late)}})
	return err
}

// moveDeadline stores a deadline that an outage moved.
func (c *Casework) moveDeadline(ctx context.Context, f *file, task *Task, due time.Time) error {
	task.Due = due
	f.changed[task.ID] = true
	f.queue(JobDeadline, due, f.job(task.ID))
	f.note("task.extended", platform("deadline"), task.Step, "")
	err := c.store(ctx, f, journal.Event{Type: "task.extended", Actor: platform("deadline")})
	return err
}

// silentConsent lets a late step count as consent. No money ever follows it. What it decides on must be true on the day, as
// with an official's; where a register does not answer, or lacks what somebody has to attest, the level above decides.
func (c *Casework) silentConsent(ctx context.Context, f *file, task *Task, days *calendar.Calendar, step service.Step) error {
	if f.def.Output.Payment != nil {
		return fault.New(fault.Internal, "task.silent-payment", "Silence never pays: the definition should have been refused.")
	}
	unknown := false
	if f.isLast(task) {
		var err error
		if unknown, _, err = c.gather(ctx, f, access.Apply, platform("deadline"), c.stale(f)); err != nil {
			return err
		}
	}
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return err
	}
	outcome := evaluation.Outcome()
	if unknown || outcome == rules.Unclear {
		return c.escalate(ctx, f, task, days, step.Within)
	}
	c.closeTask(f, task, TaskDone)
	switch {
	case outcome == rules.NotMet:
		c.refuse(f, reasonsOf(evaluation.Because()))
		return nil
	case f.app.Stage == len(f.def.Process)-1 && f.stageDone():
		return c.conclude(ctx, f, facts)
	case f.stageDone():
		f.app.Stage++
		return c.openStage(ctx, f, facts)
	}
	return nil
}

// escalate hands a late task to the nearest level above at which somebody holds its role who may decide it, with a new deadline.
func (c *Casework) escalate(ctx context.Context, f *file, task *Task, days *calendar.Calendar, within int) error {
	place, _, err := c.levelAbove(ctx, f, *task)
	if err != nil {
		return err
	}
	f.content.Escalations = append(f.content.Escalations, Escalation{Task: task.ID, From: task.Territory, At: f.now})
	task.Territory, task.Place = place, c.placeOf(place)
	task.Escalated++
	task.State, task.Assignee = TaskOpen, ""
	task.Clock = calendar.StartClock(f.now, max(within, 1))
	task.Due, _ = days.Due(task.Clock)
	f.changed[task.ID] = true
	f.queue(JobDeadline, task.Due, f.job(task.ID))
	f.tell("task.late")
	return nil
}

// Extend moves the shown deadlines of open tasks after an outage was declared (JobOutage). A deadline that was not moved
// yet is moved when it falls due.
func (c *Casework) Extend(ctx context.Context) error {
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return err
	}
	var after Cursor
	for {
		var tasks []Task
		err := c.Store.View(ctx, func(tx Reader) (err error) {
			tasks, err = tx.OpenTasks(after, 500)
			return err
		})
		if err != nil || len(tasks) == 0 {
			return err
		}
		for _, task := range tasks {
			after = Cursor{task.Due, task.ID}
			due, running := days.Due(task.Clock)
			if !running || due.Equal(task.Due) {
				continue
			}
			f, err := c.load(ctx, task.Application)
			if err != nil {
				return err
			}
			open, err := f.task(task.ID)
			if err != nil {
				return err
			}
			if err := c.moveDeadline(ctx, f, open, due); err != nil && !isChanged(err) {
				return fmt.Errorf("moving a deadline: %w", err)
			}
		}
	}
}

// longestOutage is how long one declared outage may last: every deadline moves by it, and a mistyped year must not stop
// them all.
const longestOutage = 31 * 24 * time.Hour

// DeclareOutage records that the platform could not be used, and moves the deadlines of all open tasks. By is an operator.
func (c *Casework) DeclareOutage(ctx context.Context, by access.Actor, from, until time.Time, reason string) (Outage, error) {
	if by.Appointment == nil || by.Appointment.Role != access.Operator {
		return Outage{}, access.ErrForbidden
	}
	if !from.Before(until) || until.After(c.Clock()) {
		return Outage{}, fault.New(fault.Invalid, "outage.time", "An outage has begun and ended. Write when.").At("until")
	}
	if until.Sub(from) > longestOutage {
		return Outage{}, fault.New(fault.Invalid, "outage.too-long", "An outage lasts at most 31 days: check the year. Declare a longer one in parts.").At("from")
	}
	reason, err := words("reason", reason)
	if err != nil {
		return Outage{}, err
	}
	sealer, err := c.Vault.Open(ctx)
	if err != nil {
		return Outage{}, err
	}
	declared := Outage{From: from.UTC(), Until: until.UTC(), Reason: reason}
	err = c.Store.Update(ctx, act.Platform, func(tx Tx) error {
		declared.ID = ident.New[string](tx.Now())
		declared.Event = journal.NewID(tx)
		if err := tx.SaveOutage(declared); err != nil {
			return err
		}
		if err := job.Queue(tx, JobOutage, 0, Job{}); err != nil {
			return err
		}
		return journal.AppendAs(tx, sealer, declared.Event, journal.Event{
			Type: "outage.declared", Actor: by.Journal(), Object: "outage:" + declared.ID, Covers: []journal.Cover{declared.Cover()},
			Facts: map[string]string{"from": declared.From.Format(time.RFC3339), "until": declared.Until.Format(time.RFC3339)},
		})
	})
	return declared, err
}
