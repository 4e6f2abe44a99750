package casework

import (
	"context"
	"fmt"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
)

// Papers are what of an application leaves for an archive when it is closed for good.
type Papers struct {
	Application Application
	Evidence    []Bound // the answers that it was decided by
	// Until is when the time ends for which they stay at hand; zero: something may still happen.
	Until time.Time
}

// IsClosed reports whether an application in the state was decided, given up or taken in: alone that does not say that
// nothing can happen any more.
func (s State) IsClosed() bool { return s != Draft && !s.IsOpen() }

// Papers returns the papers of an application: closed, with no task, nothing in force, no appeal in its term, no account
// wanted for a payment. Orders under way are the ledger's to tell, and jobs the store's.
func (c *Casework) Papers(ctx context.Context, id ident.Application) (Papers, error) {
	f, err := c.read(ctx, id)
	if err != nil {
		return Papers{}, err
	}
	papers := Papers{Application: f.app}
	if !f.isOver() {
		return papers, nil
	}
	keep := c.Catalogue().Keep(f.app.Service)
	until := keep.After(c.Calendar.Date(ident.At(f.app.Event))).Start(c.Calendar.Location())
	err = c.unseal(ctx, f)
	switch {
	case fault.Is(err, fault.Erased):
		papers.Until = until // nobody can contest for them what nobody can read
		return papers, nil
	case err != nil:
		return Papers{}, err
	}
	if f.content.Granted != nil && f.content.Granted.Rejected != "" {
		return papers, nil
	}
	if !f.content.contested() && (f.app.State == Refused || len(f.content.ended()) > 0) {
		days, err := c.calendarWithOutages(ctx)
		if err != nil {
			return Papers{}, err
		}
		if contest := c.appealUntil(f, days.Deadline); contest.After(until) {
			until = contest
		}
	}
	papers.Evidence, papers.Until = f.content.Evidence, until
	return papers, nil
}

// isOver reports whether nobody has anything to do in the file and nothing that it gave is in force.
func (f *file) isOver() bool {
	if !f.app.State.IsClosed() || f.app.Archived != "" {
		return false
	}
	for _, task := range f.tasks {
		if task.State != TaskDone && task.State != TaskVoid {
			return false
		}
	}
	return f.right == nil || f.right.State == Over || f.right.State == Revoked
}

func isArchived(err error) bool { return fault.Code(err) == errArchived.Code }

// leftOf returns what somebody reads who asks for an application that is in an archive: that it is there only if it is
// their own, or of whom they may act for.
func (c *Casework) leftOf(ctx context.Context, by access.Actor, id ident.Application) error {
	f, err := c.read(ctx, id)
	if err != nil {
		return err
	}
	if by.Person != "" && f.app.Applicant == by.Person.Subject() {
		return c.archived(ctx, f.app)
	}
	if by.Person == "" {
		return errUnknown
	}
	if acting, err := c.represents(ctx, by, f.app.Applicant, f.app.Service, representation.Read); err != nil || !acting.Reads {
		return errUnknown // to whoever may not see it there is none
	}
	return c.archived(ctx, f.app)
}

// archived returns what is said of an application whose papers are in an archive: since when (the variable "since", a time
// as RFC 3339 has it), and whom to ask for them (the variable "agency", by its identifier).
func (c *Casework) archived(ctx context.Context, of Application) error {
	var since time.Time
	err := c.Store.View(ctx, func(tx Reader) (err error) {
		since, err = tx.ArchivedAt(of.Archived)
		return err
	})
	if err != nil {
		return err
	}
	if since.IsZero() {
		return fmt.Errorf("application %s is said to be in the archive %s, which there is not: run yagona audit verify", of.ID, of.Archived)
	}
	return errArchived.With("since", since.UTC().Format(time.RFC3339)).With("agency", string(of.Agency))
}

// Content returns what the digest in the application's Cover is of.
func (a Application) Content() []byte { return journal.Content(a.covered()) }

// Content returns what the digest in the attachment's Cover is of.
func (a Attachment) Content() []byte { return journal.Content(a.covered()) }
