package casework

import (
	"context"
	"encoding/json"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// The kinds of job that casework queues, under the applicant's key.
const (
	JobGather   = "application.gather"        // ask the registers again: Casework.Gather
	JobExpire   = "application.expire"        // a draft expires: Casework.Expire
	JobDeadline = "application.deadline"      // a task may be late: Casework.Deadline
	JobSilence  = "application.silence"       // the applicant did not answer: Casework.Silence
	JobCode     = "application.send-code"     // a code that confirms what an official wrote down
	JobForget   = "application.forget-upload" // a photo that no decision took up in time
	JobRefusal  = "application.refusal"       // count the reasons of a refusal, under the agency's key: Casework.CountRefusal
	JobOutage   = "application.outage"        // deadlines move: Casework.Extend
	JobPay      = "application.pay"           // prepare the payment order, under the fund's key
)

// Job is the payload of casework's jobs.
type Job struct {
	Applicant   ident.Subject     `json:"applicant"`
	Application ident.Application `json:"application"`
	Task        ident.Task        `json:"task,omitempty"`
	Asked       time.Time         `json:"asked,omitzero"`    // of JobSilence: Question.At
	Refusal     string            `json:"refusal,omitempty"` // of JobRefusal: Refusal.ID
	Order       ident.Order       `json:"order,omitempty"`   // of JobPay
	Period      calendar.Date     `json:"period,omitzero"`   // of JobReview: its first day
	Again       bool              `json:"again,omitempty"`   // of JobReview: a register was silent
}

// platform is the actor of what no person does.
func platform(component string) journal.Actor { return journal.Actor{Component: component} }

// settle carries a received file on: it waits for evidence, is refused or granted by rule, or goes to officials. Again
// says that a register has not answered.
func (c *Casework) settle(ctx context.Context, f *file, again bool) (what string, err error) {
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return "", err
	}
	switch outcome := evaluation.Outcome(); {
	case outcome == rules.NotMet:
		if len(f.def.Process) > 0 { // it counts where it would have been decided, if the registers tell
			if place, err := c.territoryOf(ctx, f, f.def.Process[0].Steps[0], facts); err == nil {
				f.app.Territory = place
			}
		}
		c.refuse(f, reasonsOf(evaluation.Because()))
		f.note("application.refused", platform("rules"), "", "")
		return "application.refused", nil
	case again:
		f.app.State = Gathering
		f.queue(JobGather, f.now.Add(retryAfter(f.now.Sub(f.submitted()))), f.job(""))
		f.note("application.waiting", platform("exchange"), "", "")
		return "application.waiting", nil
	case f.def.Together != nil && f.content.Together == nil:
		if err := c.gatherMembers(ctx, f, facts); err != nil {
			return "", err
		}
		if f.app.State != Joining {
			return c.settle(ctx, f, again)
		}
		return "together.asked", nil
	case f.def.Notification:
		if err := c.receive(ctx, f, facts); err != nil {
			return "", err
		}
		f.note("notification.received", platform("casework"), "", "")
		return "notification.received", nil
	case f.def.Fee != nil && f.content.Fee == nil:
		if err := c.charge(ctx, f, facts); err != nil {
			return "", err
		}
		if f.app.State != Unpaid {
			return c.settle(ctx, f, again)
		}
		return "fee.due", nil
	case len(f.def.Process) > 0:
		f.app.State, f.app.Stage = Deciding, 0
		if err := c.openStage(ctx, f, facts); err != nil {
			return "", err
		}
		f.note("application.received", platform("casework"), "", "")
		return "application.received", nil
	case outcome == rules.Met:
		if err := c.conclude(ctx, f, facts); err != nil {
			return "", err
		}
		what := "application." + string(f.app.State) // granted, queued
		f.note(what, platform("rules"), "", "")
		return what, nil
	}
	// A service without officials whose rules cannot tell: an official of its agency must look at the register.
	return "", fault.New(fault.Conflict, "application.undecidable", "The rules of this service cannot tell from the answers that the registers gave. Its agency has been told; nothing is lost.")
}

func (f *file) job(task ident.Task) Job {
	return Job{Applicant: f.app.Applicant, Application: f.app.ID, Task: task}
}

func reasonsOf(because []string) (reasons []Reason) {
	for _, id := range because {
		reasons = append(reasons, Reason{Requirement: id})
	}
	return reasons
}

// openStage opens the tasks of the file's stage.
func (c *Casework) openStage(ctx context.Context, f *file, facts service.Facts) error {
	return c.reading(ctx, func(ctx context.Context) error { return c.openSteps(ctx, f, facts) })
}

func (c *Casework) openSteps(ctx context.Context, f *file, facts service.Facts) error {
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return err
	}
	for _, step := range f.def.Process[f.app.Stage].Steps {
		place, err := c.territoryOf(ctx, f, step, facts)
		if err != nil {
			return err
		}
		if f.app.Territory == "" {
			f.app.Territory = place
		}
		task := Task{Step: step.Name, Agency: step.Agency, Role: step.Role, Territory: place}
		if err := c.openTask(ctx, f, days, task, step.Within); err != nil {
			return err
		}
	}
	return nil
}

// territoryOf returns the territory whose officials do a step.
func (c *Casework) territoryOf(ctx context.Context, f *file, step service.Step, facts service.Facts) (ident.Territory, error) {
	if step.Territory == nil {
		return c.Territories.Root(), nil
	}
	result, err := step.Territory.Evaluate(ctx, f.def.Values(facts))
	if err != nil {
		return "", err
	}
	code, ok := result.Value.(ident.Territory)
	if !ok || !c.Territories.Has(code) {
		return "", fault.New(fault.Conflict, "application.no-territory", "The registers do not tell in which territory this is to be decided. Ask the register's owner to correct the record.")
	}
	return code, nil
}

// openTask adds a task with its deadline to the file. Where everybody who holds its role is kept from deciding it (see
// tied), it goes to the level above at once: at its place nobody would see it until its deadline.
func (c *Casework) openTask(ctx context.Context, f *file, days *calendar.Calendar, task Task, within int) error {
	if at, err := c.held(ctx, f, task, task.Territory); err != nil {
		return err
	} else if at == heldByTied {
		above, found, err := c.levelAbove(ctx, f, task)
		if err != nil {
			return err
		}
		if found {
			task.Territory = above
			f.note("task.raised", platform("casework"), task.Step, "")
		}
	}
	task.ID = ident.New[ident.Task](f.now)
	task.Application, task.Applicant, task.Service = f.app.ID, f.app.Applicant, f.app.Service
	task.State, task.Opened = TaskOpen, f.now
	task.Place = c.placeOf(task.Territory)
	task.Clock = calendar.StartClock(f.now, within)
	task.Due, _ = days.Due(task.Clock)
	f.tasks = append(f.tasks, task)
	f.changed[task.ID] = true
	f.queue(JobDeadline, task.Due, f.job(task.ID))
	return nil
}

// holding says who holds a task's role at a place.
type holding int

const (
	heldByNobody holding = iota
	heldByTied           // only officials who may not decide because of whom it is about
	heldByOthers
)

// held returns who holds the task's role for exactly the place.
func (c *Casework) held(ctx context.Context, f *file, task Task, place ident.Territory) (by holding, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		by = heldByNobody
		found, err := tx.AppointmentsIn(task.Agency, task.Role, place)
		for _, one := range found {
			if !one.Holds(f.now) {
				continue
			}
			switch err := c.tied(tx.Within(ctx), access.Actor{Person: one.Person, Appointment: &one}, f); {
			case err == nil, fault.Is(err, fault.Unavailable), fault.Is(err, fault.Erased):
				by = heldByOthers // whoever it cannot be told of is asked when they open the task: nothing waits for it here
				return nil
			case fault.Code(err) != errInterest.Code:
				return err
			}
			by = heldByTied
		}
		return err
	})
	return by, err
}

// levelAbove returns the nearest level above the task's at which somebody holds its role who may decide it, and whether
// there is one; if not, the highest.
func (c *Casework) levelAbove(ctx context.Context, f *file, task Task) (place ident.Territory, found bool, err error) {
	place = task.Territory
	for above := c.Territories.Parent(place); above != ""; above = c.Territories.Parent(above) {
		place = above
		by, err := c.held(ctx, f, task, above)
		if err != nil || by == heldByOthers {
			return above, err == nil, err
		}
	}
	return place, false, nil
}

// refuse closes the file with reasons.
func (c *Casework) refuse(f *file, reasons []Reason) {
	f.app.State, f.app.Decided = Refused, f.now
	f.content.Because = reasons
	f.countRefusal()
	if f.def.Fee != nil && f.def.Fee.IfRefused {
		f.giveBack(BackRefused)
	}
	f.keepFee()
	c.closeTasks(f, TaskVoid)
	f.tell("application.refused")
}

// closeTasks closes the tasks that are still open.
func (c *Casework) closeTasks(f *file, into TaskState) {
	for i := range f.tasks {
		if task := &f.tasks[i]; task.State != TaskDone && task.State != TaskVoid {
			c.closeTask(f, task, into)
		}
	}
}

func (c *Casework) closeTask(f *file, task *Task, into TaskState) {
	task.State, task.Closed, task.Due = into, f.now, time.Time{}
	if paused, err := task.Clock.Pause(f.now); err == nil {
		task.Clock = paused
	}
	f.changed[task.ID] = true
}

// grant closes the file with its outputs: the document is composed and signed, what belongs under other keys is queued.
func (c *Casework) grant(ctx context.Context, f *file, facts service.Facts) error {
	outcome, err := f.def.Grant(ctx, facts)
	if err != nil {
		return err
	}
	f.use(outcome.Params)
	if err := c.lookBack(ctx, f); err != nil {
		return err
	}
	f.app.State, f.app.Decided, f.granting = Granted, f.now, true
	c.closeTasks(f, TaskVoid)
	result := &Result{Payment: int64(outcome.Payment)}
	if err := c.issue(ctx, f, outcome, result); err != nil {
		return err
	}
	if f.def.Every == nil && outcome.Payment > 0 {
		result.Order = ident.New[ident.Order](f.now)
		f.pay(result.Order)
	}
	if f.def.Output.Record != nil {
		if result.Record, err = field.Encode(outcome.Record); err != nil {
			return err
		}
		f.queue(register.JobWrite, time.Time{}, f.job(""))
	}
	if f.content.Granted != nil { // granted again on appeal
		result.Payments, result.Account = f.content.Granted.Payments, f.content.Granted.Account
	}
	f.content.Granted = result
	f.content.Because = nil
	f.keepFee()
	if f.def.Places != nil {
		f.hold()
	}
	if f.def.Licence != nil {
		if err := c.license(f, outcome); err != nil {
			return err
		}
	}
	if f.def.Every != nil {
		if err := c.begin(ctx, f, outcome.Payment); err != nil {
			return err
		}
	}
	f.tell("application.granted")
	return nil
}

// receive takes a notification in: what it records is queued, and officials get a task in which they take note of it.
func (c *Casework) receive(ctx context.Context, f *file, facts service.Facts) error {
	outcome, err := f.def.Grant(ctx, facts)
	if err != nil {
		return err
	}
	f.use(outcome.Params)
	f.app.State, f.app.Decided = Received, f.now
	if f.def.Output.Record != nil {
		f.content.Granted = &Result{}
		if f.content.Granted.Record, err = field.Encode(outcome.Record); err != nil {
			return err
		}
		f.queue(register.JobWrite, time.Time{}, f.job(""))
	}
	if len(f.def.Process) == 0 {
		return nil
	}
	return c.openStage(ctx, f, facts)
}

// issue composes and signs the document of a granted file, if its service issues one.
func (c *Casework) issue(ctx context.Context, f *file, outcome service.Outcome, result *Result) error {
	if f.def.Output.Document == nil {
		return nil
	}
	id := ident.New[ident.Document](f.now)
	draft, err := c.Composer.Compose(ctx, f.def, f.app, outcome, f.sentBy(), id, f.now)
	if err != nil {
		return err
	}
	if f.def.Licence != nil {
		draft.Content.Until = c.validUntil(f)
	}
	prepared, err := c.Documents.Prepare(ctx, draft, f.now)
	if err != nil {
		return err
	}
	f.documents = append(f.documents, prepared)
	result.Document = id
	return nil
}

// deciders returns the people who recommended or approved.
func (f *file) deciders() (people []ident.Person) {
	for _, decision := range f.content.Decisions {
		if decision.By.Person != "" && (decision.Action == service.Recommend || decision.Action == service.Approve) {
			people = append(people, decision.By.Person)
		}
	}
	return people
}

// Payment is what has to be paid for a granted application.
type Payment struct {
	Application Application
	Order       ident.Order
	Fund        string
	Amount      int64 // minor units
	Account     string
	DecidedBy   []ident.Person
}

// Payment returns what the job JobPay has to prepare. A job of an earlier release names no order: then it is the last.
func (c *Casework) Payment(ctx context.Context, id ident.Application, order ident.Order) (Payment, error) {
	f, err := c.load(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	amount, known := f.ordered(&order)
	if !known {
		return Payment{}, fault.New(fault.Conflict, "application.no-payment", "Nothing is paid for this application.")
	}
	answers, err := f.answersOf()
	if err != nil {
		return Payment{}, err
	}
	account, _ := answers[f.def.Output.Payment.To].(string)
	if f.content.Granted.Account != "" {
		account = f.content.Granted.Account
	}
	return Payment{
		Application: f.app, Order: order, Fund: f.def.Output.Payment.Fund, Amount: amount, Account: account, DecidedBy: f.deciders(),
	}, nil
}

// ordered returns what the order pays; of an empty one, the last.
func (f *file) ordered(order *ident.Order) (amount int64, known bool) {
	result := f.content.Granted
	if result == nil || f.def.Output.Payment == nil || f.app.State != Granted && f.app.State != Ended && f.app.State != Appealed {
		return 0, false
	}
	for _, one := range result.Payments {
		if one.Order == *order {
			return one.Amount, true
		}
	}
	if *order == "" {
		*order = result.Order
	}
	return result.Payment, *order != "" && *order == result.Order
}

// Record is what has to be written into a register for a granted application.
type Record struct {
	Application Application
	Register    ident.Register
	Values      json.RawMessage
}

// Record returns what the job register.JobWrite has to write.
func (c *Casework) Record(ctx context.Context, id ident.Application) (Record, error) {
	f, err := c.load(ctx, id)
	if err != nil {
		return Record{}, err
	}
	if f.app.State != Granted && f.app.State != Received || f.def.Output.Record == nil {
		return Record{}, fault.New(fault.Conflict, "application.no-record", "Nothing is recorded for this application.")
	}
	return Record{Application: f.app, Register: f.def.Output.Record.Register, Values: f.content.Granted.Record}, nil
}
