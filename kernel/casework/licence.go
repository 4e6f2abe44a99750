package casework

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/service"
)

// Proposal is what one official proposed to do with a licence, and another decides on.
type Proposal struct {
	Measure  service.Measure `json:"measure"`
	Task     ident.Task      `json:"task"`
	By       journal.Actor   `json:"by"`
	Reason   string          `json:"reason"`
	At       time.Time       `json:"at"`
	Approved *bool           `json:"approved,omitempty"` // nil: not decided
}

// Published is what the open list says of a licence, besides its state and its time.
type Published struct {
	Document ident.Document  `json:"document"`        // its number
	Lines    json.RawMessage `json:"lines,omitempty"` // of the document, those that the service publishes
}

var (
	errNoLicence = fault.New(fault.NotFound, "licence.unknown", "There is no such licence here, or it is not for you to see. Check its number.")
	errMeasure   = fault.New(fault.Conflict, "licence.measure", "This cannot be done to a licence in its state, or something is proposed already. Look at it again.")
	errProposed  = fault.New(fault.Forbidden, "licence.same-person", "You proposed this. A second person decides on it: hand it over.")
)

// license brings a licence into force, for the first time or again, and publishes it.
func (c *Casework) license(f *file, outcome service.Outcome) error {
	until := c.validUntil(f)
	f.hold()
	f.right.Until = until
	lines := map[string]any{}
	for _, name := range f.def.Licence.Publish {
		lines[name] = outcome.Lines[name]
	}
	encoded, err := field.Encode(lines)
	if err != nil {
		return err
	}
	f.right.Published = &Published{Document: f.content.Granted.Document, Lines: encoded}
	last := c.Calendar.Date(f.right.Until.Add(-time.Second))
	c.awaitTerm(f, f.def.Licence.Renew.Before(last).Start(c.Calendar.Location()))
	return nil
}

// validUntil returns when a licence that is issued now ends: one that is restored when it would have ended.
func (c *Casework) validUntil(f *file) time.Time {
	if f.right != nil && f.right.Until.After(f.now) {
		return f.right.Until
	}
	return f.def.Output.Document.Valid.After(c.Calendar.Date(f.now)).End(c.Calendar.Location()).UTC()
}

// awaitTerm queues the next thing that happens to a licence by itself.
func (c *Casework) awaitTerm(f *file, at time.Time) {
	if at.Before(f.now) {
		at = f.right.Until
	}
	f.right.Next = at
	f.queue(JobReview, at, f.job(""))
}

// term reminds the holder of a licence that it will end, and ends it on its day.
func (c *Casework) term(ctx context.Context, f *file) error {
	what := "licence.ends-soon"
	switch {
	case f.app.State == Appealed: // whoever decides the appeal decides first
		c.awaitTerm(f, f.now.AddDate(0, 0, 1))
		err := c.store(ctx, f, journal.Event{Type: "licence.contested", Actor: platform("deadline")})
		return err
	case f.now.Before(f.right.Until):
		c.awaitTerm(f, f.right.Until)
	default:
		what = "licence.expired"
		f.app.State, f.content.Ended = Ended, &End{At: f.now, Because: []Reason{{Requirement: service.Ended}}}
		f.right.State, f.right.Next = Over, time.Time{}
		c.closeTasks(f, TaskVoid)
	}
	f.tell(what)
	f.note(what, platform("deadline"), "", "")
	err := c.store(ctx, f, journal.Event{Type: what, Actor: platform("deadline")})
	return err
}

// renewable reports whether the holder of a licence may apply for it anew.
func (c *Casework) renewable(def *service.Definition, held Entitlement, now time.Time) bool {
	if def.Licence == nil || held.State != InForce {
		return false
	}
	last := c.Calendar.Date(held.Until.Add(-time.Second))
	return !c.Calendar.Date(now).Before(def.Licence.Renew.Before(last))
}

// licensed loads the licence with the number of its document, for an official who may propose or decide.
func (c *Casework) licensed(ctx context.Context, by access.Actor, number ident.Document) (*file, *Task, error) {
	var stored document.Stored
	err := c.Documents.Store.View(ctx, func(tx document.Reader) (err error) {
		stored, err = tx.Document(number)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil, nil, errNoLicence
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := c.load(ctx, stored.Application)
	if isArchived(err) {
		return nil, nil, errNoLicence // it ended long ago
	}
	if err != nil {
		return nil, nil, err
	}
	if f.def.Licence == nil || f.right == nil {
		return nil, nil, errNoLicence
	}
	task := &Task{Application: f.app.ID, Applicant: f.app.Applicant, Step: "licence", Agency: f.def.Agency, Role: f.def.Licence.Proposes, Territory: f.app.Territory}
	if task.Territory == "" {
		task.Territory = c.Territories.Root()
	}
	if by.As(c.Territories, task.Agency, task.Role, task.Territory) != nil {
		task.Role = f.def.Licence.Decides
		if by.As(c.Territories, task.Agency, task.Role, task.Territory) != nil {
			return nil, nil, errNoLicence
		}
	}
	return f, task, c.disinterested(ctx, by, f.app.Applicant)
}

// Licence opens a licence, by the number of its document, for an official who keeps watch over it. That it was read is
// recorded before anything is returned.
func (c *Casework) Licence(ctx context.Context, by access.Actor, number ident.Document) (View, error) {
	f, task, err := c.licensed(ctx, by, number)
	if err != nil {
		return View{}, err
	}
	view, err := c.view(ctx, f, "")
	if err != nil {
		return View{}, err
	}
	view.Task = task
	return view, c.disclose(ctx, f, by, access.Decide, task)
}

// mostLicences is how many licences are listed at once.
const mostLicences = 1000

// Licences returns the open list of a service's licences, in the order of their applications: what the law publishes, and
// nothing of their holders.
func (c *Casework) Licences(ctx context.Context, of ident.Service, after ident.Application, limit int) (found []Entitlement, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		found, err = tx.Licences(of, after, min(max(limit, 1), mostLicences))
		return err
	})
	return found, err
}

// Measures returns what can be done to the licence now.
func (v View) Measures() []service.Measure {
	if v.Right == nil || v.Definition.Licence == nil || v.Application.State != Granted || v.Content.proposed() != nil {
		return nil
	}
	switch v.Right.State {
	case InForce:
		return []service.Measure{service.Suspend, service.Revoke}
	case Suspended:
		return []service.Measure{service.Restore, service.Revoke}
	}
	return nil
}

// proposed returns the proposal that is not decided yet; nil if there is none.
func (c Content) proposed() *Proposal {
	for i := range c.Proposals {
		if c.Proposals[i].Approved == nil {
			return &c.Proposals[i]
		}
	}
	return nil
}

// Propose proposes a measure, with reasons. Who decides on the service's licences decides on it.
func (c *Casework) Propose(ctx context.Context, by access.Actor, number ident.Document, measure service.Measure, reason string) (Receipt, error) {
	f, task, err := c.licensed(ctx, by, number)
	if err != nil {
		return Receipt{}, err
	}
	if task.Role != f.def.Licence.Proposes {
		return Receipt{}, access.ErrForbidden
	}
	possible := View{Application: f.app, Definition: f.def, Content: f.content, Right: f.right}.Measures()
	if !slices.Contains(possible, measure) {
		return Receipt{}, errMeasure
	}
	if reason, err = words("reason", reason); err != nil {
		return Receipt{}, err
	}
	days, err := c.calendarWithOutages(ctx)
	if err != nil {
		return Receipt{}, err
	}
	decides := Task{Step: string(measure), Agency: task.Agency, Role: f.def.Licence.Decides, Territory: task.Territory}
	if err := c.openTask(ctx, f, days, decides, f.def.Licence.Within); err != nil {
		return Receipt{}, err
	}
	opened := f.tasks[len(f.tasks)-1].ID
	f.content.Proposals = append(f.content.Proposals, Proposal{Measure: measure, Task: opened, By: by.Journal(), Reason: reason, At: f.now})
	f.note("licence.proposed", by.Journal(), string(measure), "")
	return c.acknowledge(ctx, f, journal.Event{Type: "licence.proposed", Actor: by.Journal(), Facts: map[string]string{"measure": string(measure)}})
}

// proposal returns the proposal that the task decides on; nil if it is another task.
func (f *file) proposal(task *Task) *Proposal {
	for i := range f.content.Proposals {
		if f.content.Proposals[i].Task == task.ID {
			return &f.content.Proposals[i]
		}
	}
	return nil
}

// enact carries out what was decided on a proposal.
func (c *Casework) enact(ctx context.Context, f *file, task *Task, by access.Actor, verdict Verdict) (Receipt, error) {
	proposal := f.proposal(task)
	approved := verdict.Action == service.Approve
	proposal.Approved = &approved
	task.Assignee = by.Appointment.ID
	c.closeTask(f, task, TaskDone)
	if !approved {
		return c.decided(ctx, f, task, by, verdict)
	}
	because := []Reason{{Text: proposal.Reason}}
	what := map[service.Measure]string{service.Suspend: "licence.suspended", service.Revoke: "licence.revoked", service.Restore: "licence.restored"}[proposal.Measure]
	switch proposal.Measure {
	case service.Restore:
		if err := c.restore(ctx, f); err != nil {
			return Receipt{}, err
		}
	case service.Revoke:
		f.app.State, f.right.Next = Ended, time.Time{}
		fallthrough
	default:
		if f.right.State == InForce {
			f.revoked = append(f.revoked, revocation{f.content.Granted.Document, document.Reason{Text: proposal.Reason}})
		}
		f.content.Ended = &End{At: f.now, Because: because}
		f.right.State = map[service.Measure]Standing{service.Suspend: Suspended, service.Revoke: Revoked}[proposal.Measure]
	}
	f.tell(what)
	f.note(what, by.Journal(), "", "")
	return c.decided(ctx, f, task, by, verdict)
}

// revocation is a document that an act takes back.
type revocation struct {
	document ident.Document
	reason   document.Reason
}

// restore issues the document of a licence anew, for the rest of its time.
func (c *Casework) restore(ctx context.Context, f *file) error {
	facts, err := c.facts(ctx, f)
	if err != nil {
		return err
	}
	outcome, err := f.def.Grant(ctx, facts)
	if err != nil {
		return err
	}
	if err := c.issue(ctx, f, outcome, f.content.Granted); err != nil {
		return err
	}
	return c.license(f, outcome)
}
