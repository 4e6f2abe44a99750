package casework

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// Verdict is what an official says in a step.
type Verdict struct {
	Action   service.Action
	Reasons  []Reason                  // of a refusal: at least one
	Question string                    // when asking the applicant
	Form     map[string]any            // the step's form
	Photos   []string                  // of the step: the ids of uploads of the official
	Attest   map[string]map[string]any // evidence: the values that the official checked and signs for
}

// Decide carries out an official's verdict on a task. The revision is that of the application as they saw it.
func (c *Casework) Decide(ctx context.Context, by access.Actor, id ident.Task, revision int64, verdict Verdict) (Receipt, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return Receipt{}, err
	}
	return c.decide(ctx, f, task, by, revision, verdict)
}

var errAction = fault.New(fault.Invalid, "task.action", "This step does not allow that. Choose one of its actions.").At("action")

// decide is Decide on a file that the official may take.
func (c *Casework) decide(ctx context.Context, f *file, task *Task, by access.Actor, revision int64, verdict Verdict) (Receipt, error) {
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
		return Receipt{}, errAction
	}
	if err := f.separate(by, task, verdict.Action); err != nil {
		return Receipt{}, err
	}
	if verdict.Action == service.Ask {
		return c.ask(ctx, f, task, by, verdict.Question)
	}
	decision := Decision{Task: task.ID, Step: task.Step, By: by.Journal(), Action: verdict.Action, At: f.now}
	if f.arrival != nil {
		decision.Made = f.arrival.Made
	}
	if decision.Reasons, err = f.reasons(verdict); err != nil {
		return Receipt{}, err
	}
	form, photos := step.Findings(verdict.Action)
	if decision.Form, err = c.form(form, verdict); err != nil {
		return Receipt{}, err
	}
	if err := c.attest(f, by, verdict.Attest); err != nil {
		return Receipt{}, err
	}
	if err := c.takeUp(ctx, f, task, by, photos, verdict); err != nil {
		return Receipt{}, err
	}
	f.content.Decisions = append(f.content.Decisions, decision)
	f.note("task."+string(verdict.Action), by.Journal(), task.Step, "")
	if verdict.Action == service.Note {
		task.Assignee = by.Appointment.ID
		c.closeTask(f, task, TaskDone)
		return c.decided(ctx, f, task, by, verdict)
	}
	if f.proposal(task) != nil {
		return c.enact(ctx, f, task, by, verdict)
	}
	if verdict.Action == service.Refuse {
		task.Assignee = by.Appointment.ID
		c.closeTask(f, task, TaskDone)
		switch {
		case task.Step == StepAppeal && f.content.Ended != nil:
			f.app.State = Ended
			if f.right.State == Suspended {
				f.app.State = Granted
			}
			f.tell("appeal.refused")
		default:
			c.refuse(f, decision.Reasons)
		}
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
	if step, ok := f.def.MeasureStep(task.Step); ok {
		return step, nil
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
	if proposal := f.proposal(task); proposal != nil {
		if proposal.By.Person == by.Person {
			return errProposed
		}
		return nil // who granted a licence may take it away
	}
	if err := f.helped(by, task, action); err != nil {
		return err
	}
	if !f.looked(by) {
		return errUnseen
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
func (c *Casework) form(form []field.Definition, verdict Verdict) (json.RawMessage, error) {
	if len(form) == 0 {
		return nil, nil
	}
	if verdict.Form == nil {
		verdict.Form = map[string]any{}
	}
	checked, problems := field.CheckAll(c.Scheme, form, verdict.Form, nil)
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
		if i < 0 || f.def.Evidence[i].None != service.NoneAttest || len(bound) != 1 ||
			bound[0].Status != exchange.StatusNone && bound[0].Status != statusNoRelation {
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
	silence := f.job(task.ID)
	silence.Asked = f.now
	f.queue(JobSilence, days.Deadline(f.now, answerDays), silence)
	f.tell("application.asked")
	f.note("application.asked", by.Journal(), task.Step, "")
	return c.acknowledge(ctx, f, journal.Event{Type: "application.asked", Actor: by.Journal()})
}

// consent carries out a recommendation or an approval.
func (c *Casework) consent(ctx context.Context, f *file, task *Task, by access.Actor, verdict Verdict) (_ Receipt, err error) {
	defer func() { err = f.disclose(ctx, err) }()
	final := task.Step == StepAppeal || f.isLast(task)
	if final {
		// What is decided on must be true on the day of the decision.
		if err := c.lookBack(ctx, f); err != nil {
			return Receipt{}, err
		}
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
	task.Assignee = by.Appointment.ID
	c.closeTask(f, task, TaskDone)
	if task.Step == StepAppeal {
		f.settleAppeal(false, nil)
	}
	switch {
	case final:
		err = c.conclude(ctx, f, facts)
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
	f.arrival = nil // an act done offline has not been carried out
	f.leavePhotos()
	f.note("evidence.changed", platform("exchange"), task.Step, "")
	if err := c.store(ctx, f, journal.Event{Type: "evidence.changed", Actor: platform("exchange")}); err != nil {
		return nil, err
	}
	return fault.New(fault.Conflict, "task.evidence-changed", "A register's answer has changed since you saw it. Look at the application again, then decide.").With("evidence", differs[0]), nil
}

func (c *Casework) decided(ctx context.Context, f *file, task *Task, by access.Actor, verdict Verdict) (Receipt, error) {
	return c.acknowledge(ctx, f, journal.Event{
		Type: "task." + string(verdict.Action), Actor: by.Journal(), Facts: map[string]string{"step": task.Step},
	})
}
