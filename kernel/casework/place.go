package casework

import (
	"context"
	"fmt"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/queue"
	"yagona/kernel/representation"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// The kinds of job of limited places. JobPlace is under the applicant's key.
const (
	JobPlace = "application.place" // tell the queue where the application stands: Casework.TellQueue
	JobLapse = "application.lapse" // an offer may have lapsed: Casework.Lapse
)

// Place is where an application waits for one of limited places.
type Place struct {
	Queue   string    `json:"queue"`
	Values  []any     `json:"values,omitempty"` // by criterion of the order; nil where it may not be shown
	Rank    string    `json:"rank"`
	Since   time.Time `json:"since"`
	Offered time.Time `json:"offered,omitzero"`
}

var (
	errNoOffer = fault.New(fault.Conflict, "application.no-offer", "No place is offered to you at the moment. Look at the application again.")
	errSilent  = fault.New(fault.Unavailable, "application.register-silent", "A register does not answer, and what it said before is too old. Your place is kept; try again later.")
)

// conclude grants a file whose requirements are met and whose officials agree; where places are limited, it waits for one.
func (c *Casework) conclude(ctx context.Context, f *file, facts service.Facts) error {
	if f.def.Places == nil {
		return c.grant(ctx, f, facts)
	}
	place, err := f.def.Place(ctx, facts)
	if err != nil {
		return err
	}
	for i, criterion := range f.def.Places.Order {
		if criterion.Private {
			place.Values[i] = nil
		}
	}
	f.app.State = Queued
	f.content.Because = nil
	f.content.Place = &Place{
		Queue: place.Queue, Values: place.Values, Since: f.now,
		Rank: place.Rank + fmt.Sprintf("%0*x", service.RankLength, f.submitted().UnixMicro()) + string(f.app.ID),
	}
	c.closeTasks(f, TaskVoid)
	f.tellQueue()
	f.tell("application.queued")
	return nil
}

// tellQueue queues the news for the queue that the file is in, if it is in one.
func (f *file) tellQueue() {
	if f.content.Place != nil {
		f.queue(JobPlace, time.Time{}, f.job(""))
	}
}

// TellQueue tells the queue where an application stands (JobPlace). It may be done again.
func (c *Casework) TellQueue(ctx context.Context, _ job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	entry := queue.Entry{Queue: f.content.Place.Queue, Application: f.app.ID, Applicant: f.app.Applicant, Rank: f.content.Place.Rank, Entered: f.content.Place.Since}
	switch f.app.State {
	case Queued, PlaceOffered:
		entry.State = queue.Waiting // that it was offered, the queue knows first
	case Granted:
		entry.State = queue.Held
	default:
		entry.State = queue.Left
	}
	count, err := c.countOf(ctx, f)
	if err != nil {
		return err
	}
	return c.Queues.Put(ctx, entry, count)
}

// countOf returns how many places the file's queue has.
func (c *Casework) countOf(ctx context.Context, f *file) (int64, error) {
	asked, err := f.answersOf()
	if err != nil {
		return 0, err
	}
	today := c.Calendar.Date(f.now)
	return f.def.Count(ctx, service.Facts{Applicant: f.app.Applicant, Submitted: c.Calendar.Date(f.submitted()), Decided: today, Ask: asked})
}

// fillQueue looks once a day whether there are more places (queue.JobFill).
func (c *Casework) fillQueue(ctx context.Context, _ job.Job, payload queue.Job) error {
	first, err := c.Queues.First(ctx, payload.Queue)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := c.load(ctx, first.Application)
	if err != nil {
		return err
	}
	count, err := c.countOf(ctx, f)
	if err != nil {
		return err
	}
	return c.Queues.Fill(ctx, payload.Queue, count)
}

// offer tells an application that a place is kept for it (queue.JobOffer). Whoever has left meanwhile has told the queue.
func (c *Casework) offer(ctx context.Context, queued job.Job, payload queue.Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil {
		return err
	}
	if f.app.State != Queued {
		return c.TellQueue(ctx, queued, f.job(""))
	}
	f.content.Place.Offered = f.now
	if err := c.wait(ctx, f, PlaceOffered, f.def.Places.Accept, JobLapse); err != nil {
		return err
	}
	f.tell("place.offered")
	f.note("place.offered", platform("queue"), "", "")
	err = c.store(ctx, f, journal.Event{Type: "place.offered", Actor: platform("queue")})
	return err
}

// Accept takes an offered place. What the registers say must still be true: what is too old is asked for again.
func (c *Casework) Accept(ctx context.Context, by access.Actor, id ident.Application, revision int64) (_ Receipt, err error) {
	f, err := c.own(ctx, by, id, representation.Apply)
	if err != nil {
		return Receipt{}, err
	}
	defer func() { err = f.disclose(ctx, err) }()
	switch {
	case f.app.State == Granted && f.content.Place != nil:
		return f.receipt(), nil
	case f.app.State != PlaceOffered:
		return Receipt{}, errNoOffer
	case f.app.Revision != revision:
		return Receipt{}, errChanged
	}
	silent, _, err := c.gather(ctx, f, access.Apply, by.Journal(), c.stale(f))
	if err != nil {
		return Receipt{}, err
	}
	if silent {
		return Receipt{}, errSilent
	}
	facts, evaluation, err := c.evaluate(ctx, f)
	if err != nil {
		return Receipt{}, err
	}
	f.app.Expires = time.Time{}
	what := "place.accepted"
	if evaluation.Outcome() == rules.NotMet {
		what = "application.refused"
		c.refuse(f, reasonsOf(evaluation.Because()))
	} else if err := c.grant(ctx, f, facts); err != nil {
		return Receipt{}, err
	}
	f.tellQueue()
	f.note(what, by.Journal(), "", "")
	return c.acknowledge(ctx, f, journal.Event{Type: what, Actor: by.Journal()})
}

// Lapse gives a place that was not accepted in time to the next (JobLapse).
func (c *Casework) Lapse(ctx context.Context, queued job.Job, payload Job) error {
	f, err := c.load(ctx, payload.Application)
	if err != nil || f.app.State != PlaceOffered {
		return err
	}
	return c.lapse(ctx, f, queued, f.content.Place.Offered, f.def.Places.Accept, "place.lapsed", "place.extended", func() (map[string]string, error) {
		f.tellQueue()
		f.giveUp("place.lapsed")
		return nil, nil
	})
}

// QueuePosition is where an application that waits for a place stands, as its applicant sees it.
type QueuePosition struct {
	queue.Position       // Ahead: by criterion of the order; the last: by the moment of receipt
	Places         int64 // that the queue has
}

// position returns where a file that waits stands.
func (c *Casework) position(ctx context.Context, f *file) (*QueuePosition, error) {
	if f.app.State != Queued {
		return nil, nil
	}
	count, err := c.countOf(ctx, f)
	if err != nil {
		return nil, err
	}
	found, err := c.Queues.Position(ctx, f.content.Place.Queue, f.content.Place.Rank, len(f.def.Places.Order), service.RankLength)
	return &QueuePosition{Position: found, Places: count}, err
}
