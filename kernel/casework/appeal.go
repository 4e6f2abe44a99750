package casework

import (
	"context"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
)

// Contest appeals against a refusal, in time and with grounds. The level above decides it.
func (c *Casework) Contest(ctx context.Context, by access.Actor, id ident.Application, revision int64, grounds string) (Receipt, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Receipt{}, err
	}
	switch {
	case f.app.State == Appealed:
		return f.receipt(), nil
	case f.app.State != Refused && len(f.content.ended()) == 0:
		return Receipt{}, fault.New(fault.Conflict, "appeal.not-refused", "Only a refusal can be contested.")
	case f.content.contested():
		return Receipt{}, fault.New(fault.Conflict, "appeal.decided", "This refusal was contested already, and the appeal was decided. A court can review it.")
	case f.app.Revision != revision:
		return Receipt{}, errChanged
	}
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return Receipt{}, err
	}
	if until := c.appealUntil(f, days.Deadline); !f.now.Before(until) {
		return Receipt{}, fault.New(fault.Conflict, "appeal.late", "The time to contest this refusal is over. A court can review it.")
	}
	if grounds, err = words("grounds", grounds); err != nil {
		return Receipt{}, err
	}
	f.content.Appeal = &Appeal{Grounds: grounds, At: f.now, Previous: slices.Concat(f.content.Because, f.content.ended())}
	if f.app.State == Refused {
		f.app.Decided = time.Time{}
	}
	f.app.State, f.alone, f.sends = Appealed, once(f.def), once(f.def)
	within := f.def.Appeal.Decide
	if within == 0 {
		within = defaultDecide
	}
	if err := c.openTask(ctx, f, days, c.appealTask(f), within); err != nil {
		return Receipt{}, err
	}
	f.note("appeal.received", by.Journal(), StepAppeal, "")
	return c.acknowledge(ctx, f, journal.Event{Type: "appeal.received", Actor: by.Journal()})
}

func (c *Casework) appealUntil(f *file, deadline func(time.Time, int) time.Time) time.Time {
	within := f.def.Appeal.Within
	if within == 0 {
		within = defaultAppeal
	}
	if ended := f.content.Ended; ended != nil {
		return deadline(ended.At, within)
	}
	return deadline(f.app.Decided, within)
}

// appealTask returns the task of the level above the one that decided.
func (c *Casework) appealTask(f *file) Task {
	task := Task{Step: StepAppeal, Agency: f.def.Agency, Role: f.def.Appeal.Role, Territory: c.Territories.Root()}
	var decided *Task // last: what another step had begun meanwhile became void
	for i := range f.tasks {
		if earlier := &f.tasks[i]; earlier.State == TaskDone && (decided == nil || !earlier.Closed.Before(decided.Closed)) {
			decided = earlier
		}
	}
	if decided != nil {
		task.Agency, task.Territory = decided.Agency, decided.Territory
		if f.def.Appeal.Role == "" {
			task.Role = decided.Role
		}
	}
	if above := c.Territories.Parent(task.Territory); above != "" {
		task.Territory = above
	}
	if task.Role == "" {
		task.Role = access.Registrar
	}
	return task
}
