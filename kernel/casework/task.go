package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// Tasks returns the official's inbox: the open tasks for their role, agency and territory, by due time. It holds no
// personal data.
func (c *Casework) Tasks(ctx context.Context, by access.Actor, after Cursor, limit int) (found []Task, err error) {
	if by.Appointment == nil {
		return nil, access.ErrForbidden
	}
	held := by.Appointment
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Inbox(Inbox{
			Agency: held.Agency, Role: held.Role, Place: c.placeOf(held.Territory), After: after, Limit: min(max(limit, 1), 200),
		})
		return err
	})
	return found, err
}

// taken loads a file and its task for an official, and checks that it is theirs: role, agency, territory, turn, and no
// interest of their own.
func (c *Casework) taken(ctx context.Context, by access.Actor, id ident.Task) (*file, *Task, error) {
	var stored Task
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		stored, err = tx.Task(id)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if err := by.As(c.Territories, stored.Agency, stored.Role, stored.Territory); err != nil {
		return nil, nil, err
	}
	if err := c.disinterested(ctx, by, stored); err != nil {
		return nil, nil, err
	}
	f, err := c.load(ctx, stored.Application)
	if err != nil {
		return nil, nil, err
	}
	task, err := f.task(id)
	return f, task, err
}

var errInterest = fault.New(fault.Forbidden, "task.own-interest", "This application is your own or of someone you live with. Somebody else decides it: hand it over or leave it in the inbox.")

// disinterested checks that the official is neither the applicant nor lives with them.
func (c *Casework) disinterested(ctx context.Context, by access.Actor, task Task) error {
	own := by.Person.Subject()
	if task.Applicant == own {
		return errInterest
	}
	together, err := c.Evidence.AreRelated(ctx, relationHousehold, own, task.Applicant)
	if err != nil {
		return err
	}
	if together {
		return errInterest
	}
	return nil
}

// Read opens a task's application for its official. That it was read is recorded before anything is returned.
func (c *Casework) Read(ctx context.Context, by access.Actor, id ident.Task) (View, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return View{}, err
	}
	view, err := c.view(ctx, f, "")
	if err != nil {
		return View{}, err
	}
	if err := c.disclose(ctx, f, by, task); err != nil {
		return View{}, err
	}
	view.Task = task
	return view, nil
}

// disclose records that an official read the file: for the applicant, and for everyone whose values stand in it.
func (c *Casework) disclose(ctx context.Context, f *file, by access.Actor, task *Task) error {
	subjects := []ident.Subject{f.app.Applicant}
	for _, bound := range f.content.Evidence {
		if bound.Exchange != "" && !slices.Contains(subjects, bound.Of) {
			subjects = append(subjects, bound.Of)
		}
	}
	sealer, err := c.Vault.Open(ctx, subjects...)
	if err != nil {
		return err
	}
	event := journal.Event{
		Type: "application.read", Actor: by.Journal(), Object: "application:" + string(f.app.ID), Purpose: string(access.Decide),
	}
	for _, subject := range subjects {
		reading := map[string]any{"service": f.app.Service, "step": task.Step, "application": f.app.ID, "agency": task.Agency, "role": task.Role}
		if subject != f.app.Applicant {
			delete(reading, "application") // of another's application, its subject learns the service only
		}
		event.Parts = append(event.Parts, journal.Part{Subject: subject, Disclosure: true, Personal: reading})
	}
	return c.Store.Update(ctx, act.Of(f.app.Applicant), func(tx Tx) error {
		_, err := journal.Append(tx, sealer, event)
		return err
	})
}

var errNotTurn = fault.New(fault.Conflict, "task.not-open", "This task is not open any more: it was decided, handed up or withdrawn. Look at your inbox again.")

// yours checks that the task is open and that nobody else works on it.
func yours(task *Task, by access.Actor) error {
	switch task.State {
	case TaskOpen:
		return nil
	case TaskClaimed:
		if task.Assignee == by.Appointment.ID {
			return nil
		}
		return fault.New(fault.Conflict, "task.claimed", "A colleague works on this task. Ask them to hand it over.")
	}
	return errNotTurn
}

// Claim takes a task for the official. Claiming one's own task changes nothing.
func (c *Casework) Claim(ctx context.Context, by access.Actor, id ident.Task) (Task, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return Task{}, err
	}
	if err := yours(task, by); err != nil {
		return Task{}, err
	}
	if task.State == TaskClaimed {
		return *task, nil
	}
	return c.assign(ctx, f, task, by, by.Appointment.ID, "task.claimed")
}

// HandOver gives a task to a colleague who could have claimed it, or, with an empty appointment, back to all.
func (c *Casework) HandOver(ctx context.Context, by access.Actor, id ident.Task, to ident.Appointment) (Task, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return Task{}, err
	}
	if err := yours(task, by); err != nil {
		return Task{}, err
	}
	if to != "" {
		var other access.Appointment
		err := c.Store.View(ctx, func(tx Reader) (err error) {
			other, err = tx.Appointment(to)
			return err
		})
		if err != nil {
			return Task{}, err
		}
		if !other.Holds(f.now) {
			return Task{}, access.ErrForbidden
		}
		colleague := access.Actor{Person: other.Person, Appointment: &other}
		if err := colleague.As(c.Territories, task.Agency, task.Role, task.Territory); err != nil {
			return Task{}, err
		}
		if err := c.disinterested(ctx, colleague, *task); err != nil {
			return Task{}, err
		}
	}
	return c.assign(ctx, f, task, by, to, "task.handed-over")
}

func (c *Casework) assign(ctx context.Context, f *file, task *Task, by access.Actor, to ident.Appointment, what string) (Task, error) {
	task.Assignee, task.State = to, TaskClaimed
	if to == "" {
		task.State = TaskOpen
	}
	f.changed[task.ID] = true
	f.note(what, by.Journal(), task.Step, "")
	_, err := c.store(ctx, f, journal.Event{Type: what, Actor: by.Journal()})
	return *task, err
}

// Verdict is what an official says in a step.
type Verdict struct {
	Action   service.Action
	Reasons  []Reason                  // of a refusal: at least one
	Question string                    // when asking the applicant
	Form     map[string]any            // the step's form
	Attest   map[string]map[string]any // evidence: the values that the official checked and signs for
}

// Decide carries out an official's verdict on a task. The revision is that of the application as they saw it.
func (c *Casework) Decide(ctx context.Context, by access.Actor, id ident.Task, revision int64, verdict Verdict) (Receipt, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := yours(task, by); err != nil {
		return Receipt{}, err
	}
	if f.app.Revision != revision {
		return Receipt{}, errChanged
	}
	step, err := c.stepOf(f, task)
	if err != nil {
		return Receipt{}, err
	}
	if !step.Allows(verdict.Action) {
		return Receipt{}, fault.New(fault.Invalid, "task.action", "This step does not allow that. Choose one of its actions.").At("action")
	}
	if err := f.separate(by, task, verdict.Action); err != nil {
		return Receipt{}, err
	}
	if verdict.Action == service.Ask {
		return c.ask(ctx, f, task, by, verdict.Question)
	}
	decision := Decision{Task: id, Step: task.Step, By: by.Journal(), Action: verdict.Action, At: f.now}
	if decision.Reasons, err = f.reasons(verdict); err != nil {
		return Receipt{}, err
	}
	if decision.Form, err = c.form(step, verdict); err != nil {
		return Receipt{}, err
	}
	if err := c.attest(f, by, verdict.Attest); err != nil {
		return Receipt{}, err
	}
	f.content.Decisions = append(f.content.Decisions, decision)
	f.note("task."+string(verdict.Action), by.Journal(), task.Step, "")
	if verdict.Action == service.Refuse {
		c.closeTask(f, task, TaskDone)
		c.refuse(f, decision.Reasons)
		if task.Step == StepAppeal {
			f.settleAppeal(true, decision.Reasons)
		}
		return c.decided(ctx, f, task, by, verdict)
	}
	return c.consent(ctx, f, task, by, verdict)
}

// stepOf returns the step that a task is of.
func (c *Casework) stepOf(f *file, task *Task) (service.Step, error) {
	if task.Step == StepAppeal {
		return service.Step{
			Name: StepAppeal, Agency: task.Agency, Role: task.Role, Late: service.LateEscalate,
			Actions: []service.Action{service.Approve, service.Refuse, service.Ask},
		}, nil
	}
	_, step, ok := f.def.Step(task.Step)
	if !ok {
		return service.Step{}, fault.Newf(fault.Internal, "task.no-step", "The definition has no step %s.", task.Step)
	}
	return step, nil
}

// separate checks that who recommended does not approve, and that who decided does not decide the appeal.
func (f *file) separate(by access.Actor, task *Task, action service.Action) error {
	if action == service.Ask {
		return nil
	}
	for _, earlier := range f.content.Decisions {
		if earlier.By.Person == by.Person && earlier.Task != task.ID && (action == service.Approve || task.Step == StepAppeal) {
			return fault.New(fault.Forbidden, "task.same-person", "You took an earlier step of this application. A second person takes this one: hand it over.")
		}
	}
	return nil
}

// reasons checks the reasons of a refusal.
func (f *file) reasons(verdict Verdict) ([]Reason, error) {
	if verdict.Action != service.Refuse {
		return nil, nil
	}
	var reasons []Reason
	for _, reason := range verdict.Reasons {
		if reason.Requirement != "" && !f.knows(reason.Requirement) {
			return nil, fault.New(fault.Invalid, "task.reason", "The service has no such requirement. Choose one of its requirements or write the reason.").At("reasons")
		}
		if reason.Text != "" || reason.Requirement == "" {
			text, err := words("reasons", reason.Text)
			if err != nil {
				return nil, err
			}
			reason.Text = text
		}
		reasons = append(reasons, reason)
	}
	if len(reasons) == 0 {
		return nil, fault.New(fault.Invalid, "task.no-reason", "A refusal says why. Choose a requirement or write the reason.").At("reasons")
	}
	return reasons, nil
}

func (f *file) knows(requirement string) bool {
	return slices.ContainsFunc(f.def.Require, func(r service.Requirement) bool { return r.ID == requirement }) ||
		slices.ContainsFunc(f.def.Evidence, func(e service.Evidence) bool { return e.Name == requirement })
}

// form checks what the step's form recorded.
func (c *Casework) form(step service.Step, verdict Verdict) (json.RawMessage, error) {
	if len(step.Form) == 0 {
		return nil, nil
	}
	if verdict.Form == nil {
		verdict.Form = map[string]any{}
	}
	checked, problems := field.CheckAll(c.Scheme, step.Form, verdict.Form, nil)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return field.Encode(checked)
}

// attest keeps the values that the official signs for.
func (c *Casework) attest(f *file, by access.Actor, attested map[string]map[string]any) error {
	for name, values := range attested {
		i := slices.IndexFunc(f.def.Evidence, func(e service.Evidence) bool { return e.Name == name })
		bound := f.bound(name)
		if i < 0 || f.def.Evidence[i].None != service.NoneAttest || len(bound) != 1 || bound[0].Status != exchange.StatusNone {
			return fault.New(fault.Invalid, "task.attest", "Only what a register has no record of can be attested.").At("attest." + name)
		}
		if err := f.def.Evidence[i].Type.Check(values); err != nil {
			return fault.New(fault.Invalid, "task.attest-type", "These values are not of the evidence's types. Correct them.").At("attest." + name)
		}
		encoded, err := field.Encode(values)
		if err != nil {
			return err
		}
		if f.content.Attested == nil {
			f.content.Attested = map[string]Attested{}
		}
		f.content.Attested[name] = Attested{Values: encoded, By: by.Journal(), At: f.now}
	}
	return nil
}

// ask asks the applicant and stops the clock.
func (c *Casework) ask(ctx context.Context, f *file, task *Task, by access.Actor, text string) (Receipt, error) {
	text, err := words("question", text)
	if err != nil {
		return Receipt{}, err
	}
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return Receipt{}, err
	}
	if task.Clock, err = task.Clock.Pause(f.now); err != nil {
		return Receipt{}, err
	}
	task.State, task.Due, task.Assignee = TaskWaiting, time.Time{}, by.Appointment.ID
	f.changed[task.ID] = true
	f.app.State = Asked
	f.content.Questions = append(f.content.Questions, Question{Task: task.ID, By: by.Journal(), Text: text, At: f.now})
	f.queue(JobSilence, days.Deadline(f.now, answerDays), f.job(task.ID))
	f.queue(JobNotify, time.Time{}, f.told("application.asked"))
	f.note("application.asked", by.Journal(), task.Step, "")
	event, err := c.store(ctx, f, journal.Event{Type: "application.asked", Actor: by.Journal()})
	return Receipt{f.app, event}, err
}

// consent carries out a recommendation or an approval.
func (c *Casework) consent(ctx context.Context, f *file, task *Task, by access.Actor, verdict Verdict) (Receipt, error) {
	final := task.Step == StepAppeal || f.isLast(task)
	if final {
		// What is decided on must be true on the day of the decision.
		wanted := c.stale(f)
		if task.Step == StepAppeal {
			wanted = all
		}
		returned, err := c.refresh(ctx, f, task, by, wanted)
		if err != nil || returned != nil {
			return Receipt{}, firstError(err, returned)
		}
	}
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return Receipt{}, err
	}
	switch outcome := evaluation.Outcome(); {
	case outcome == rules.NotMet:
		return Receipt{}, fault.Newf(fault.Conflict, "task.requirement-not-met", "A requirement is not met: %s. It can only be refused, or the register's owner corrects its record.", evaluation.Because()[0])
	case outcome == rules.Unclear && (final || len(evaluation.Attest) > 0):
		return Receipt{}, fault.New(fault.Conflict, "task.requirement-unknown", "It is not known yet whether every requirement is met. Attest what the register lacks, or ask the applicant.")
	}
	c.closeTask(f, task, TaskDone)
	if task.Step == StepAppeal {
		f.settleAppeal(false, nil)
	}
	switch {
	case final:
		err = c.grant(ctx, f, facts, f.deciders())
	case f.stageDone():
		f.app.Stage++
		err = c.openStage(ctx, f, facts)
	}
	if err != nil {
		return Receipt{}, err
	}
	return c.decided(ctx, f, task, by, verdict)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// isLast reports whether the task is the only one left in the last stage.
func (f *file) isLast(task *Task) bool {
	if f.app.Stage != len(f.def.Process)-1 {
		return false
	}
	for _, other := range f.tasks {
		if other.ID != task.ID && other.State != TaskDone && other.State != TaskVoid {
			return false
		}
	}
	return true
}

// stageDone reports whether no task of the stage is left.
func (f *file) stageDone() bool {
	return !slices.ContainsFunc(f.tasks, func(t Task) bool { return t.State != TaskDone && t.State != TaskVoid })
}

func (f *file) settleAppeal(upheld bool, reasons []Reason) {
	f.content.Appeal.Upheld, f.content.Appeal.Reasons = &upheld, reasons
}

// refresh asks again for evidence that is too old for a decision. If an answer has changed, the file goes back to the
// official with the new answer, and returned says so; the decision is not carried out.
func (c *Casework) refresh(ctx context.Context, f *file, task *Task, by access.Actor, wanted func(service.Evidence, *Bound) bool) (returned, err error) {
	if !slices.ContainsFunc(f.content.Evidence, func(b Bound) bool {
		i := slices.IndexFunc(f.def.Evidence, func(e service.Evidence) bool { return e.Name == b.Name })
		return i >= 0 && wanted(f.def.Evidence[i], &b)
	}) {
		return nil, nil
	}
	again, differs, err := c.gather(ctx, f, access.Apply, by.Journal(), wanted)
	if err != nil {
		return nil, err
	}
	if again {
		return nil, fault.New(fault.Unavailable, "task.register-silent", "A register does not answer, and what it said before is too old to decide on. Nothing was decided; try again later.")
	}
	if len(differs) == 0 || task.Step == StepAppeal {
		return nil, nil
	}
	f.content.Decisions = f.content.Decisions[:len(f.content.Decisions)-1]
	f.content.History = f.content.History[:len(f.content.History)-1]
	if _, _, err := c.evaluate(ctx, f); err != nil {
		return nil, err
	}
	f.note("evidence.changed", platform("exchange"), task.Step, "")
	if _, err := c.store(ctx, f, journal.Event{Type: "evidence.changed", Actor: platform("exchange")}); err != nil {
		return nil, err
	}
	return fault.New(fault.Conflict, "task.evidence-changed", "A register's answer has changed since you saw it. Look at the application again, then decide.").With("evidence", differs[0]), nil
}

func (c *Casework) decided(ctx context.Context, f *file, task *Task, by access.Actor, verdict Verdict) (Receipt, error) {
	event, err := c.store(ctx, f, journal.Event{
		Type: "task." + string(verdict.Action), Actor: by.Journal(), Facts: map[string]string{"step": task.Step},
	})
	return Receipt{f.app, event}, err
}

// Deadline looks whether a task is late, and does what its step says about silence (JobDeadline).
func (c *Casework) Deadline(ctx context.Context, queued job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
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
	switch step.Late {
	case service.LateRefuse:
		c.closeTask(f, task, TaskVoid)
		c.refuse(f, []Reason{{Text: step.Silent.In(f.app.Language)}})
	case service.LateGrant:
		c.closeTask(f, task, TaskDone)
		if err := c.silentConsent(ctx, f, task); err != nil {
			return err
		}
	default:
		if err := c.escalate(ctx, f, task, days, step.Within); err != nil {
			return err
		}
	}
	_, err = c.store(ctx, f, journal.Event{Type: "task.late", Actor: platform("deadline"), Facts: map[string]string{"step": task.Step, "late": string(step.Late)}})
	return err
}

// moveDeadline stores a deadline that an outage moved.
func (c *Casework) moveDeadline(ctx context.Context, f *file, task *Task, due time.Time) error {
	task.Due = due
	f.changed[task.ID] = true
	f.queue(JobDeadline, due, f.job(task.ID))
	f.note("task.extended", platform("deadline"), task.Step, "")
	_, err := c.store(ctx, f, journal.Event{Type: "task.extended", Actor: platform("deadline")})
	return err
}

// silentConsent lets a late step count as consent. No money ever follows it.
func (c *Casework) silentConsent(ctx context.Context, f *file, task *Task) error {
	if f.def.Output.Payment != nil {
		return fault.New(fault.Internal, "task.silent-payment", "Silence never pays: the definition should have been refused.")
	}
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return err
	}
	switch {
	case evaluation.Outcome() != rules.Met:
		c.refuse(f, reasonsOf(evaluation))
		return nil
	case f.app.Stage == len(f.def.Process)-1 && f.stageDone():
		return c.grant(ctx, f, facts, nil)
	case f.stageDone():
		f.app.Stage++
		return c.openStage(ctx, f, facts)
	}
	return nil
}

// escalate hands a late task to the nearest level above at which somebody holds its role, with a new deadline.
func (c *Casework) escalate(ctx context.Context, f *file, task *Task, days *calendar.Calendar, within int) error {
	place := task.Territory
	for above := c.Territories.Parent(place); above != ""; above = c.Territories.Parent(above) {
		place = above
		var held []access.Appointment
		err := c.Store.View(ctx, func(tx Reader) (err error) {
			held, err = tx.AppointmentsIn(task.Agency, task.Role, above)
			return err
		})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(held, func(a access.Appointment) bool { return a.Holds(f.now) }) {
			break
		}
	}
	task.Territory, task.Place = place, c.placeOf(place)
	task.Escalated++
	task.State, task.Assignee = TaskOpen, ""
	task.Clock = calendar.StartClock(f.now, max(within, 1))
	task.Due, _ = days.Due(task.Clock)
	f.changed[task.ID] = true
	f.queue(JobDeadline, task.Due, f.job(task.ID))
	f.queue(JobNotify, time.Time{}, f.told("task.late"))
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
