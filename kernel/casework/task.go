package casework

import (
	"context"
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
)

// taken loads a file and its task for an official, and checks that it is theirs: role, agency, territory, turn, and no
// interest of their own.
func (c *Casework) taken(ctx context.Context, by access.Actor, id ident.Task) (f *file, task *Task, err error) {
	err = c.Store.View(ctx, func(tx Reader) error {
		stored, err := tx.Task(id)
		if err != nil {
			return err
		}
		if err := by.As(c.Territories, stored.Agency, stored.Role, stored.Territory); err != nil {
			return c.unseen(err, stored.Service)
		}
		ctx := tx.Within(ctx)
		f, err = c.load(ctx, stored.Application)
		if isArchived(err) && c.Catalogue().Confidential(stored.Service) {
			return errNoTask
		}
		if err != nil {
			return err
		}
		if err := c.mayTake(ctx, by, f); err != nil {
			return err
		}
		task, err = f.task(id)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return f, task, nil
}

// mayTake is tied for an official who asks for a task: that a confidential service was asked for is not told to those
// around the applicant.
func (c *Casework) mayTake(ctx context.Context, by access.Actor, f *file) error {
	return c.unseen(c.tied(ctx, by, f), f.app.Service)
}

// unseen returns what an official reads who may not take a task of the service: of a confidential one there is none for
// them.
func (c *Casework) unseen(err error, of ident.Service) error {
	if fault.Is(err, fault.Forbidden) && c.Catalogue().Confidential(of) {
		return errNoTask
	}
	return err
}

var errInterest = fault.New(fault.Forbidden, "task.own-interest", "This application is your own or of someone you live with or act for. Somebody else decides it: hand it over or leave it in the inbox.")

// disinterested checks that the official is not the subject, does not live with them, and may not act for them.
func (c *Casework) disinterested(ctx context.Context, by access.Actor, subject ident.Subject) error {
	own := by.Person.Subject()
	if subject == own {
		return errInterest
	}
	tied, err := c.Evidence.AreRelated(ctx, register.RelationHousehold, own, subject)
	if err == nil && !tied && c.Representatives != nil {
		tied, err = c.Representatives.Represents(ctx, by.Person, subject)
	}
	if err != nil {
		return err
	}
	if tied {
		return errInterest
	}
	return nil
}

// ties returns all whom disinterested keeps the person from: themself, whom they live with, and for whom they may act.
func (c *Casework) ties(ctx context.Context, who ident.Person) ([]ident.Subject, error) {
	own := who.Subject()
	household, err := c.Evidence.RelatedTo(ctx, register.RelationHousehold, own)
	if err != nil {
		return nil, err
	}
	tied := append([]ident.Subject{own}, household...)
	if c.Representatives == nil {
		return tied, nil
	}
	authorities, err := c.Representatives.Authorities(ctx, who)
	for _, one := range authorities {
		tied = append(tied, one.Subject)
	}
	slices.Sort(tied)
	return slices.Compact(tied), err
}

// Read opens a task's application for its official. That it was read is recorded before anything is returned.
func (c *Casework) Read(ctx context.Context, by access.Actor, id ident.Task) (View, error) {
	var f *file
	var task *Task
	var view View
	err := c.reading(ctx, func(ctx context.Context) (err error) {
		if f, task, err = c.taken(ctx, by, id); err == nil {
			view, err = c.view(ctx, f, "")
		}
		return err
	})
	if err != nil {
		return View{}, err
	}
	if err := c.disclose(ctx, f, by, access.Decide, task); err != nil {
		return View{}, err
	}
	view.Task = task
	return view, nil
}

// Outline returns what a decision on the task has to say: the service's definition and which evidence waits for an
// official's attestation. It holds nobody's values, so nothing is disclosed and nothing journaled by it. The revision is
// that of the application as the official read it.
func (c *Casework) Outline(ctx context.Context, by access.Actor, id ident.Task, revision int64) (View, error) {
	f, task, err := c.taken(ctx, by, id)
	if err != nil {
		return View{}, err
	}
	if f.app.Revision != revision {
		return View{}, errChanged
	}
	return outline(f, task), nil
}

func outline(f *file, task *Task) View {
	view := View{Definition: f.def, Task: task}
	for _, evidence := range f.def.Evidence {
		_, attested := f.content.Attested[evidence.Name]
		for _, bound := range f.bound(evidence.Name) {
			view.Evidence = append(view.Evidence, EvidenceView{Evidence: evidence, Bound: Bound{Name: bound.Name, Status: bound.Status}, Attested: attested})
		}
	}
	return view
}

// disclose records that an official read the file: for the applicant, and for everyone whose values stand in it.
func (c *Casework) disclose(ctx context.Context, f *file, by access.Actor, purpose access.Purpose, task *Task) error {
	event := journal.Event{
		Type: "application.read", Actor: by.Journal(), Object: "application:" + string(f.app.ID), Purpose: string(purpose),
		Parts: readingOf(f, task),
	}
	subjects := make([]ident.Subject, len(event.Parts))
	for i, part := range event.Parts {
		subjects[i] = part.Subject
	}
	sealer, err := c.Vault.Open(ctx, subjects...)
	if err != nil {
		return err
	}
	return c.Store.Update(ctx, act.Of(f.app.Applicant), func(tx Tx) error {
		_, err := journal.Append(tx, sealer, event)
		return err
	})
}

// readingOf returns what those learn whose values stand in a file that an official reads.
func readingOf(f *file, task *Task) (parts []journal.Part) {
	subjects := []ident.Subject{f.app.Applicant}
	for _, bound := range f.content.Evidence {
		if bound.Exchange != "" && !slices.Contains(subjects, bound.Of) {
			subjects = append(subjects, bound.Of)
		}
	}
	for _, one := range f.content.Represented { // whose name the official reads
		if !slices.Contains(subjects, one.By.Subject()) {
			subjects = append(subjects, one.By.Subject())
		}
	}
	for _, subject := range subjects {
		reading := map[string]any{"service": f.app.Service, "step": task.Step, "application": f.app.ID, "agency": task.Agency, "role": task.Role}
		if subject != f.app.Applicant {
			delete(reading, "application") // of another's application, its subject learns the service only
		}
		parts = append(parts, journal.Part{Subject: subject, Disclosure: true, Personal: reading})
	}
	return parts
}

var errNotTurn = fault.New(fault.Conflict, "task.not-open", "This task is not open any more: it was decided, handed up or withdrawn. Look at your inbox again.")

// yours checks that the task is open and that nobody else works on it.
func yours(task *Task, by access.Actor) error {
	switch task.State {
	case TaskOpen:
		return nil
	case TaskClaimed:
		if slices.Contains(by.Appointment.StandsFor(), task.Assignee) {
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
		if err := c.tied(ctx, colleague, f); err != nil {
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
	err := c.store(ctx, f, journal.Event{Type: what, Actor: by.Journal()})
	return *task, err
}
