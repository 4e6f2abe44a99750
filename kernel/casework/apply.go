package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/money"
	"yagona/kernel/representation"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// Receipt is what an applicant keeps: the application, as it stands, and the event of the act, by which the log proves
// it.
type Receipt struct {
	Application Application
	Event       ident.Event
	Recorded    *journal.Recorded // the event, as this act appended it; nil: the journal has it from before
}

// Start begins a draft for the person who acts, or for whom they act for. The id is made by the client or, if empty, here; starting the same again
// gives the same draft.
func (c *Casework) Start(ctx context.Context, by access.Actor, id ident.Application, path ident.Service, language string) (Receipt, error) {
	f, err := c.start(ctx, by, id, path, language)
	if err != nil {
		return Receipt{}, err
	}
	if f.app.Revision > 0 {
		return f.receipt(), nil
	}
	f.counted = true
	f.queue(JobExpire, f.app.Expires, f.job(""))
	return c.acknowledge(ctx, f, journal.Event{Type: "application.started", Actor: by.Journal()})
}

// start returns a new file, or the stored one with the id.
func (c *Casework) start(ctx context.Context, by access.Actor, id ident.Application, path ident.Service, language string) (*file, error) {
	if by.Person == "" {
		return nil, access.ErrForbidden
	}
	now := c.Clock().UTC().Truncate(time.Microsecond)
	if id == "" {
		id = ident.New[ident.Application](now)
	} else if _, err := ident.Parse[ident.Application](string(id)); err != nil {
		return nil, err
	} else if f, err := c.own(ctx, by, id, representation.Apply); err == nil {
		if f.app.Service != path || f.app.Applicant != by.Whom() {
			return nil, fault.New(fault.Conflict, "application.other-service", "An application with this id exists for another service. Make a new id.")
		}
		return f, nil
	} else if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	def, err := c.Catalogue().Open(path, c.Calendar.Date(now))
	if err != nil {
		return nil, err
	}
	subject := by.Whom()
	if !def.IsFor(subject) {
		return nil, errNotFor
	}
	f := &file{def: def, app: Application{
		ID: id, Applicant: subject, Service: path, Version: def.Hash, Agency: def.Agency, State: Draft,
		Language: language, Created: now, Expires: now.AddDate(0, 0, draftDays),
	}}
	f.prepare(now)
	if subject == by.Person.Subject() {
		f.sealer, err = c.Vault.Open(ctx, subject)
		return f, err
	}
	if f.acting, err = c.represents(ctx, by, subject, path, representation.Apply); err != nil {
		return nil, err
	}
	return f, c.openFor(ctx, f)
}

// Save stores answers in a draft. Answers that are wrong are not stored and come back as field.Problems; the others are.
func (c *Casework) Save(ctx context.Context, by access.Actor, id ident.Application, revision int64, answers map[string]any) (Application, error) {
	f, err := c.draft(ctx, by, id, revision)
	if err != nil {
		return Application{}, err
	}
	stored, err := f.answersOf()
	if err != nil {
		return Application{}, err
	}
	var problems field.Problems
	for name, value := range answers {
		question, ok := field.Find(f.def.Fields(), name)
		if !ok {
			problems = append(problems, fault.New(fault.Invalid, "field.unknown", "There is no such question. Remove the answer.").At(name))
			continue
		}
		if value == nil {
			delete(stored, name)
			continue
		}
		checked, wrong := question.Check(c.Scheme, value)
		if len(wrong) > 0 {
			problems = append(problems, wrong...)
			continue
		}
		stored[name] = checked
	}
	for _, one := range field.CheckOrder(f.def.Fields(), stored) {
		if _, now := answers[one.Field]; now {
			delete(stored, one.Field)
		}
		problems = append(problems, one) // an answer that was there before stays, and is named until it is corrected
	}
	if f.content.Answers, err = field.Encode(stored); err != nil {
		return Application{}, err
	}
	if f.content.Assisted != nil {
		f.content.Assisted.Code = nil // it was for the answers as they stood
	}
	if err := c.store(ctx, f, journal.Event{Type: "application.saved", Actor: by.Journal()}); err != nil {
		return Application{}, err
	}
	return f.app, problems.Err()
}

func (c *Casework) draft(ctx context.Context, by access.Actor, id ident.Application, revision int64) (*file, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return nil, err
	}
	switch {
	case f.app.State == Expired:
		return nil, errClosed
	case f.app.State != Draft:
		return nil, errNotDraft
	case f.app.Revision != revision:
		return nil, errChanged
	}
	return f, nil
}

// Preview is what the applicant sees before they send: what the registers say, and what the rules make of it.
type Preview struct {
	View
	Outcome  rules.Outcome
	Fee      money.Amount   // that would have to be paid; zero: nothing, or an answer is missing still
	Problems field.Problems // answers that are still missing or wrong
}

// Preview asks the registers, for the purpose of preview, and evaluates the rules. Nothing is bound to the application.
func (c *Casework) Preview(ctx context.Context, by access.Actor, id ident.Application) (_ Preview, err error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Preview{}, err
	}
	if f.app.State != Draft {
		return Preview{}, errNotDraft
	}
	return c.preview(ctx, f, by)
}

func (c *Casework) preview(ctx context.Context, f *file, by access.Actor) (Preview, error) {
	_, _, err := c.gather(ctx, f, access.Preview, by.Journal(), all)
	if err = f.disclose(ctx, err); err != nil {
		return Preview{}, err
	}
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return Preview{}, err
	}
	if gives, err := f.def.Grant(ctx, facts); err == nil { // else an answer is missing still: the problems say which
		f.use(gives.Params)
	}
	fee, params, err := f.def.Charge(ctx, facts)
	if err == nil {
		f.use(params)
	}
	_, problems, err := c.check(ctx, f)
	if err != nil {
		return Preview{}, err
	}
	view, err := c.view(ctx, f, f.app.Applicant)
	if err != nil {
		return Preview{}, err
	}
	f.withhold(&view)
	return Preview{View: view, Outcome: evaluation.Outcome(), Fee: fee, Problems: problems}, nil
}

// check checks all answers of the file that are asked, and returns them in canonical form.
func (c *Casework) check(ctx context.Context, f *file) (map[string]any, field.Problems, error) {
	answers, err := f.answersOf()
	if err != nil {
		return nil, nil, err
	}
	asked, err := f.def.Asked(ctx, service.Facts{
		Applicant: f.app.Applicant, Submitted: c.Calendar.Date(f.now), Decided: c.Calendar.Date(f.now), Ask: answers,
	})
	if err != nil {
		return nil, nil, err
	}
	checked, problems := field.CheckAll(c.Scheme, f.def.Fields(), answers, func(name string) bool { return !asked[name] })
	return checked, problems, nil
}

// Submit sends a draft. The registers are asked; if one does not answer, the application is received all the same and
// waits. Sending again gives the same receipt.
func (c *Casework) Submit(ctx context.Context, by access.Actor, id ident.Application, revision int64) (Receipt, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Receipt{}, err
	}
	if f.app.State != Draft {
		if f.app.State == Expired {
			return Receipt{}, errClosed
		}
		return f.receipt(), nil
	}
	if f.app.Revision != revision {
		return Receipt{}, errChanged
	}
	if f.content.Assisted != nil {
		f.confirmed(ConfirmedBySignIn)
	}
	receipt, err := c.submit(ctx, by, f)
	if isChanged(err) { // perhaps the same request, sent twice at once
		if again, err := c.own(ctx, by, id, representation.Apply); err == nil && again.app.State != Draft {
			return again.receipt(), nil
		}
	}
	return receipt, err
}

// Apply starts an application with answers and sends it, in one act: for programs. The same id gives the same receipt.
func (c *Casework) Apply(ctx context.Context, by access.Actor, id ident.Application, path ident.Service, language string, answers map[string]any) (Receipt, error) {
	f, err := c.start(ctx, by, id, path, language)
	if err != nil {
		return Receipt{}, err
	}
	if f.app.Revision > 0 {
		if f.app.State != Draft {
			return f.receipt(), nil
		}
		return Receipt{}, errChanged
	}
	if f.content.Answers, err = field.Encode(answers); err != nil {
		return Receipt{}, err
	}
	receipt, err := c.submit(ctx, by, f)
	if isChanged(err) {
		if again, err := c.own(ctx, by, f.app.ID, representation.Apply); err == nil && again.app.State != Draft {
			return again.receipt(), nil
		}
	}
	return receipt, err
}

// once reports whether a person asks for a service once at a time: what is paid once is not asked for twice, by an appeal
// neither.
func once(d *service.Definition) bool {
	return d.Output.Payment != nil || d.Places != nil || d.Licence != nil
}

func (c *Casework) submit(ctx context.Context, by access.Actor, f *file) (_ Receipt, err error) {
	defer func() { err = f.disclose(ctx, err) }()
	// A version that was closed in the meantime takes no new applications; the applicant looks at the new one first.
	open, err := c.Catalogue().Open(f.app.Service, c.Calendar.Date(f.now))
	if err != nil {
		return Receipt{}, err
	}
	if open.Hash != f.app.Version {
		return Receipt{}, fault.New(fault.Conflict, "application.new-version", "The rules of this service have changed since you began. Start again: your answers can be taken over.")
	}
	answers, problems, err := c.check(ctx, f)
	if err != nil {
		return Receipt{}, err
	}
	if err := problems.Err(); err != nil {
		return Receipt{}, err
	}
	if f.content.Answers, err = field.Encode(answers); err != nil {
		return Receipt{}, err
	}
	again, _, err := c.gather(ctx, f, access.Apply, by.Journal(), all)
	if err != nil {
		return Receipt{}, err
	}
	f.app.Submitted, f.app.Expires = f.now, time.Time{}
	f.represent()
	f.alone, f.sends = once(f.def), true
	f.note("application.submitted", by.Journal(), "", "")
	what, err := c.settle(ctx, f, again)
	if err != nil {
		return Receipt{}, err
	}
	facts := map[string]string{"then": what, "version": f.app.Version}
	if assisted := f.content.Assisted; assisted != nil {
		facts["confirmed"] = string(assisted.Means)
		if assisted.Means != ConfirmedBySignIn { // who did not send it themself hears that it was sent
			f.tell("application.submitted")
		}
	}
	return c.acknowledge(ctx, f, journal.Event{Type: "application.submitted", Actor: by.Journal(), Facts: facts})
}

// Gather asks the registers again that had not answered (JobGather).
func (c *Casework) Gather(ctx context.Context, queued job.Job, payload Job) (err error) {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	defer func() { err = f.disclose(ctx, err) }()
	if f.app.State != Gathering {
		return nil
	}
	f.finish = &queued
	before := len(f.content.History)
	again, _, err := c.gather(ctx, f, access.Apply, platform("exchange"), unanswered)
	if err != nil {
		return err
	}
	what, err := c.settle(ctx, f, again)
	if err != nil {
		return err
	}
	if what == "application.waiting" { // the history says once that it waits
		f.content.History = f.content.History[:before]
	}
	err = c.store(ctx, f, journal.Event{Type: what, Actor: platform("exchange")})
	return err
}

// Expire closes a draft that was not sent in time (JobExpire).
func (c *Casework) Expire(ctx context.Context, queued job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	if f.app.State != Draft {
		return nil
	}
	f.finish = &queued
	f.app.State = Expired
	f.content = Content{} // what was not sent is not kept
	f.note("application.expired", platform("deadline"), "", "")
	err = c.store(ctx, f, journal.Event{Type: "application.expired", Actor: platform("deadline")})
	return err
}

// Withdraw takes an application back that is not decided yet, or gives up a benefit that runs. Withdrawing again changes nothing.
func (c *Casework) Withdraw(ctx context.Context, by access.Actor, id ident.Application, revision int64) (Receipt, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Receipt{}, err
	}
	running := f.app.State == Granted && f.right != nil && f.right.State == InForce && f.def.Licence == nil // that runs out
	switch {
	case f.app.State == Withdrawn || f.app.State == Ended:
		return f.receipt(), nil
	case f.app.State != Draft && !f.app.State.IsOpen() && !running:
		return Receipt{}, errClosed
	case f.app.Revision != revision:
		return Receipt{}, errChanged
	}
	if running {
		f.end(End{At: f.now}, by.Journal())
		f.tellQueue()
		return c.acknowledge(ctx, f, journal.Event{Type: "benefit.ended", Actor: by.Journal()})
	}
	if !f.begun() {
		f.giveBack(BackWithdrawn)
	}
	f.keepFee()
	if f.app.State == Unpaid {
		f.closeFee()
	}
	f.app.State, f.app.Decided, f.app.Expires = Withdrawn, f.now, time.Time{}
	f.tellQueue()
	c.closeTasks(f, TaskVoid)
	f.note("application.withdrawn", by.Journal(), "", "")
	return c.acknowledge(ctx, f, journal.Event{Type: "application.withdrawn", Actor: by.Journal()})
}

// Answer answers an official's question, of several the oldest. The clock of its step runs again.
func (c *Casework) Answer(ctx context.Context, by access.Actor, id ident.Application, revision int64, text string) (Receipt, error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Receipt{}, err
	}
	if awaited(f.content.Questions, f.tasks) == nil {
		return Receipt{}, fault.New(fault.Conflict, "application.not-asked", "Nobody waits for an answer from you. Look at the application again.")
	}
	if f.app.Revision != revision {
		return Receipt{}, errChanged
	}
	if text, err = words("answer", text); err != nil {
		return Receipt{}, err
	}
	question := awaited(f.content.Questions, f.tasks)
	question.Answer, question.Answered = text, f.now
	if err := c.resume(ctx, f, question.Task); err != nil {
		return Receipt{}, err
	}
	f.note("application.answered", by.Journal(), "", "")
	return c.acknowledge(ctx, f, journal.Event{Type: "application.answered", Actor: by.Journal()})
}

// Silence lets the clock run again when the applicant did not answer in time (JobSilence): the official decides on what
// there is.
func (c *Casework) Silence(ctx context.Context, queued job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	question := lastOf(f.content.Questions, payload.Task)
	if question == nil || !waits(f.tasks, payload.Task) || !payload.Asked.IsZero() && !payload.Asked.Equal(question.At) {
		return nil // answered, or nobody waits for it any more
	}
	f.finish = &queued
	until, err := c.DueAfter(ctx, question.At, answerDays)
	if err != nil {
		return err
	}
	if f.now.Before(until) { // an outage moved it
		payload.Asked = question.At
		f.queue(JobSilence, until, payload)
		f.note("task.extended", platform("deadline"), "", "")
		err = c.store(ctx, f, journal.Event{Type: "task.extended", Actor: platform("deadline")})
		return err
	}
	if err := c.resume(ctx, f, payload.Task); err != nil {
		return err
	}
	f.note("application.unanswered", platform("deadline"), "", "")
	err = c.store(ctx, f, journal.Event{Type: "application.unanswered", Actor: platform("deadline")})
	return err
}

// resume lets the clock of the task that asked run again.
func (c *Casework) resume(ctx context.Context, f *file, id ident.Task) error {
	task, err := f.task(id)
	if err != nil {
		return err
	}
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return err
	}
	if task.Clock, err = task.Clock.Resume(f.now); err != nil {
		return err
	}
	task.State = TaskOpen
	if task.Assignee != "" {
		task.State = TaskClaimed
	}
	task.Due, _ = days.Due(task.Clock)
	f.changed[task.ID] = true
	f.queue(JobDeadline, task.Due, f.job(task.ID))
	switch {
	case awaited(f.content.Questions, f.tasks) != nil: // a step beside it asked too
		f.app.State = Asked
	case task.Step == StepAppeal:
		f.app.State = Appealed
	default:
		f.app.State = Deciding
	}
	return nil
}

// awaited returns the question that the applicant answers next: of the steps that wait for an answer, the oldest; nil:
// nobody waits.
func awaited(questions []Question, tasks []Task) *Question {
	for i := range questions {
		if one := &questions[i]; waits(tasks, one.Task) && lastOf(questions, one.Task) == one {
			return one
		}
	}
	return nil
}

// lastOf returns the last question of a task; nil if it asked none. What it asked before was answered, or is too old.
func lastOf(questions []Question, task ident.Task) *Question {
	for i := len(questions) - 1; i >= 0; i-- {
		if questions[i].Task == task {
			return &questions[i]
		}
	}
	return nil
}

// waits reports whether a task waits for the applicant's answer.
func waits(tasks []Task, id ident.Task) bool {
	return slices.ContainsFunc(tasks, func(t Task) bool { return t.ID == id && t.State == TaskWaiting })
}

// words checks a text that a person wrote.
func words(name, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", fault.New(fault.Invalid, "field.required", "This is required. Fill it in.").At(name)
	case !field.Printable(text):
		return "", fault.New(fault.Invalid, "field.characters", "This has characters that cannot be stored. Type it again.").At(name)
	case utf8.RuneCountInString(text) > mostWords:
		return "", fault.New(fault.Invalid, "field.too-long", "This is too long. Shorten it.").At(name).With("max", fmt.Sprint(mostWords))
	}
	return text, nil
}
