package casework

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/service"
)

// MostTaken is how many tasks an official takes along at a time: a day's work.
const MostTaken = 30

// TakeAlong opens the official's tasks to be read without a connection: those that they claimed, then the open ones by
// due time, at most MostTaken. The whole is one disclosure, under the official's key, that names every subject; it is
// recorded before anything is returned. Tasks in which they have an interest of their own are left out.
func (c *Casework) TakeAlong(ctx context.Context, by access.Actor) (views []View, err error) {
	var tasks []Task
	for _, work := range []Work{Mine, Unclaimed} {
		found, err := c.Tasks(ctx, by, Filter{Work: work}, Cursor{}, MostTaken-len(tasks))
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, found[:min(len(found), MostTaken-len(tasks))]...)
	}
	event := journal.Event{
		Type: "tasks.taken-along", Actor: by.Journal(), Object: "appointment:" + string(by.Appointment.ID), Purpose: string(access.Decide),
	}
	for _, one := range tasks {
		f, task, err := c.taken(ctx, by, one.ID)
		switch {
		case fault.Is(err, fault.Forbidden), fault.Is(err, fault.NotFound), fault.Is(err, fault.Erased):
			continue
		case err != nil:
			return nil, err
		case yours(task, by) != nil:
			continue // somebody was faster
		}
		view, err := c.view(ctx, f, "")
		if err != nil {
			return nil, err
		}
		view.Task = task
		views = append(views, view)
		event.Parts = append(event.Parts, readingOf(f, task)...)
	}
	if len(views) == 0 {
		return nil, nil
	}
	var subjects []ident.Subject
	for _, part := range event.Parts {
		subjects = append(subjects, part.Subject)
	}
	slices.Sort(subjects)
	sealer, err := c.Vault.Open(ctx, slices.Compact(subjects)...)
	if err != nil {
		return nil, err
	}
	err = c.Store.Update(ctx, act.Of(by.Person.Subject()), func(tx Tx) error {
		_, err := journal.Append(tx, sealer, event)
		return err
	})
	if err != nil {
		return nil, err
	}
	return views, nil
}

// Offline is what an official decided on a device that had no connection.
type Offline struct {
	Act      string    // the act's id, a UUID that the device made: the act has its effect once
	Made     time.Time // when, by the device's clock
	Digest   []byte    // SHA-256 over what the device wrote down at that time, with a random salt
	Task     ident.Task
	Revision int64 // of the application as it was read

	// Verdict reads what the device wrote down, by what a decision on the task has to say: see Outline.
	Verdict func(outline View) (Verdict, error)
}

// Arrival is an act that was done offline and reached the platform.
type Arrival struct {
	Act      string          `json:"act"`
	Task     ident.Task      `json:"task"`
	Step     string          `json:"step"`
	By       journal.Actor   `json:"by"`
	Action   service.Action  `json:"action"`
	Reasons  []Reason        `json:"reasons,omitempty"`
	Question string          `json:"question,omitempty"`
	Form     json.RawMessage `json:"form,omitempty"`
	Made     time.Time       `json:"made"`     // by the device's clock
	Received time.Time       `json:"received"` // by the platform's
	Digest   []byte          `json:"digest"`
	Late     bool            `json:"late,omitempty"` // its step was over, or had gone to somebody else: it changed nothing
}

// Escalation is a step that went to the level above because nobody took it in time.
type Escalation struct {
	Task ident.Task      `json:"task"`
	From ident.Territory `json:"from"`
	At   time.Time       `json:"at"`
}

var errAct = fault.New(fault.Invalid, "offline.act", "This was not written down as the platform expects. Decide again with a connection.")

// Arrive takes up an act that was done offline. If the task still waits for the official and the application is as they
// read it, it is decided, and device time and platform time both stand in the decision. If the task has meanwhile gone to
// the level above, or to a colleague, or is done, the act changes nothing but is kept with both times, for whoever has
// the task now to see. If only the application has changed, it is refused as in Decide, for the official to look again.
// The same act again gives what it gave first.
func (c *Casework) Arrive(ctx context.Context, by access.Actor, offline Offline) (Arrival, error) {
	if _, err := ident.Parse[string](offline.Act); err != nil || offline.Made.IsZero() || len(offline.Digest) != 32 {
		return Arrival{}, errAct
	}
	f, task, theirs, err := c.reached(ctx, by, offline.Task)
	if err != nil {
		return Arrival{}, err
	}
	if known, ok := f.arrived(offline.Act, by); ok {
		return known, nil
	}
	verdict, err := offline.Verdict(outline(f, task))
	if err != nil {
		return Arrival{}, err
	}
	f.arrival = &Arrival{
		Act: offline.Act, Task: task.ID, Step: task.Step, By: by.Journal(), Action: verdict.Action,
		Made: offline.Made.UTC().Truncate(time.Microsecond), Received: f.now, Digest: offline.Digest,
	}
	if !theirs || yours(task, by) != nil {
		return c.arriveLate(ctx, f, task, by, verdict)
	}
	if _, err := c.decide(ctx, f, task, by, offline.Revision, verdict); err != nil {
		return Arrival{}, err
	}
	return f.content.Arrivals[len(f.content.Arrivals)-1], nil
}

// reached loads a file and its task for an official whose task it is, or was before it went to the level above.
func (c *Casework) reached(ctx context.Context, by access.Actor, id ident.Task) (f *file, task *Task, theirs bool, err error) {
	var stored Task
	err = c.Store.View(ctx, func(tx Reader) (err error) {
		stored, err = tx.Task(id)
		return err
	})
	if err != nil {
		return nil, nil, false, err
	}
	held := by.Appointment
	if held == nil || held.Agency != stored.Agency || held.Role != stored.Role {
		return nil, nil, false, c.unseen(access.ErrForbidden, stored.Service)
	}
	if f, err = c.load(ctx, stored.Application); err != nil {
		return nil, nil, false, err
	}
	if err := c.mayTake(ctx, by, f); err != nil {
		return nil, nil, false, err
	}
	if task, err = f.task(id); err != nil {
		return nil, nil, false, err
	}
	theirs = c.Territories.Contains(held.Territory, task.Territory)
	were := theirs || slices.ContainsFunc(f.content.Escalations, func(one Escalation) bool {
		return one.Task == task.ID && c.Territories.Contains(held.Territory, one.From)
	})
	if !were {
		return nil, nil, false, c.unseen(access.ErrForbidden, stored.Service)
	}
	return f, task, theirs, nil
}

// arrived returns an act that has arrived before.
func (f *file) arrived(id string, by access.Actor) (Arrival, bool) {
	for _, one := range f.content.Arrivals {
		if one.Act == id && one.By.Person == by.Person {
			return one, true
		}
	}
	return Arrival{}, false
}

// arriveLate keeps an act that changes nothing any more.
func (c *Casework) arriveLate(ctx context.Context, f *file, task *Task, by access.Actor, verdict Verdict) (_ Arrival, err error) {
	step, err := c.stepOf(f, task)
	if err != nil {
		return Arrival{}, err
	}
	late := f.arrival
	late.Late = true
	switch {
	case !step.Allows(verdict.Action):
		return Arrival{}, errAction
	case verdict.Action == service.Ask:
		if late.Question, err = words("question", verdict.Question); err != nil {
			return Arrival{}, err
		}
	default:
		if late.Reasons, err = f.reasons(verdict); err != nil {
			return Arrival{}, err
		}
		form, photos := step.Findings(verdict.Action)
		if late.Form, err = c.form(form, verdict); err != nil {
			return Arrival{}, err
		}
		if err := c.takeUp(ctx, f, task, by, photos, verdict); err != nil {
			return Arrival{}, err
		}
	}
	f.note("task.arrived-late", by.Journal(), task.Step, string(verdict.Action))
	err = c.store(ctx, f, journal.Event{
		Type: "task.arrived-late", Actor: by.Journal(), Facts: map[string]string{"step": task.Step, "action": string(verdict.Action)},
	})
	return *late, err
}

// facts returns what an event says of an act that was done offline: nothing that tells about a person.
func (a *Arrival) facts() map[string]string { return deviceFacts(a.Act, a.Made, a.Digest) }

func deviceFacts(act string, made time.Time, digest []byte) map[string]string {
	return map[string]string{"offline-act": act, "device-time": made.Format(time.RFC3339Nano), "device-digest": hex.EncodeToString(digest)}
}
