package casework

import (
	"context"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/service"
)

// JobTogether is the kind of job, under the applicant's key, that ends the time to confirm: Casework.LapseTogether.
const JobTogether = "application.together"

// Together is who confirms what a household asks for. Nobody of them sees what another answered, or what registers say of
// them; who applied sees how many have confirmed, and not who.
type Together struct {
	Declared  int64     `json:"declared"` // how many others
	Asked     time.Time `json:"asked"`
	Confirmed []Member  `json:"confirmed,omitempty"`
}

// Member is that another adult of the household confirmed.
type Member struct {
	By ident.Person `json:"by"`
	At time.Time    `json:"at"`
}

var (
	errOwnMember = fault.New(fault.Conflict, "together.own", "You asked for this yourself. The others of your household confirm it.")
	errActed     = fault.New(fault.Conflict, "together.acted", "You asked for this in somebody else's name. Others of the household confirm it, each by themselves.")
	errMinor     = fault.New(fault.Forbidden, "together.minor", "Only adults confirm what their household asks for.")
	errJoined    = fault.New(fault.Conflict, "together.closed", "Nobody has to confirm this any more. It goes on as it is.")
)

// gatherMembers asks the others of the household to confirm, or goes on where there are none.
func (c *Casework) gatherMembers(ctx context.Context, f *file, facts service.Facts) error {
	declared, err := f.def.Members(ctx, facts)
	if err != nil {
		return err
	}
	f.content.Together = &Together{Declared: declared, Asked: f.now}
	if declared == 0 {
		return nil
	}
	if err := c.wait(ctx, f, Joining, f.def.Together.Within, JobTogether); err != nil {
		return err
	}
	f.note("together.asked", platform("casework"), "", "")
	return nil
}

// Invitation is what another adult of the household sees before they confirm: what is asked for, and nothing of anybody.
type Invitation struct {
	Definition *service.Definition
	Until      time.Time // zero: nobody waits any more
	Confirmed  bool      // by the reader, already
}

// Invited returns to an adult of the applicant's household what they can confirm. For anybody else there is no such
// application.
func (c *Casework) Invited(ctx context.Context, by access.Actor, id ident.Application) (Invitation, error) {
	f, err := c.member(ctx, by, id)
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{f.def, f.app.Expires, f.content.Together.by(by.Person)}, nil
}

func (t *Together) by(who ident.Person) bool {
	for _, one := range t.Confirmed {
		if one.By == who {
			return true
		}
	}
	return false
}

// member loads a file that waits for others of the household, for one of them.
func (c *Casework) member(ctx context.Context, by access.Actor, id ident.Application) (*file, error) {
	f, err := c.load(ctx, id)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Erased) || isArchived(err) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, err
	}
	switch {
	case by.Person == "" || f.content.Together == nil:
		return nil, errUnknown
	case f.app.Applicant == by.Person.Subject():
		return nil, errOwnMember
	}
	related, err := c.Evidence.AreRelated(ctx, "household", f.app.Applicant, by.Person.Subject())
	if err != nil {
		return nil, err
	}
	if !related {
		return nil, errUnknown
	}
	if f.representedBy(by.Person) {
		return nil, errActed
	}
	adult := false
	if c.Adult != nil {
		if adult, err = c.Adult(ctx, by.Person); err != nil {
			return nil, err
		}
	}
	if !adult {
		return nil, errMinor
	}
	if f.app.State != Joining && !f.content.Together.by(by.Person) {
		return nil, errJoined
	}
	return f, nil
}

// Confirm records that an adult of the household confirms what one of it asked for. With the last who was declared it goes
// on. Confirming again changes nothing.
func (c *Casework) Confirm(ctx context.Context, by access.Actor, id ident.Application) error {
	err := c.confirm(ctx, by, id)
	if isChanged(err) { // two of them at the same moment
		err = c.confirm(ctx, by, id)
	}
	return err
}

func (c *Casework) confirm(ctx context.Context, by access.Actor, id ident.Application) error {
	f, err := c.member(ctx, by, id)
	if err != nil {
		return err
	}
	together := f.content.Together
	if together.by(by.Person) {
		return nil
	}
	if f.sealer, err = c.Vault.Open(ctx, f.app.Applicant, by.Person.Subject()); err != nil {
		return err
	}
	together.Confirmed = append(together.Confirmed, Member{by.Person, f.now})
	f.note("together.confirmed", platform("household"), "", "") // not who: that is theirs to tell
	facts := map[string]string{}
	if int64(len(together.Confirmed)) >= together.Declared {
		if facts["then"], err = c.goOn(ctx, f); err != nil {
			return err
		}
	}
	// The header of an event is whose key it stands under to read: who confirmed stands in a part of their own.
	err = c.store(ctx, f, journal.Event{
		Type: "together.confirmed", Actor: platform("household"), Facts: facts,
		Parts: []journal.Part{{Subject: by.Person.Subject(), Personal: map[string]any{"confirmed": f.app.ID}}},
	})
	return err
}

// goOn carries a file on for which nobody waits any more.
func (c *Casework) goOn(ctx context.Context, f *file) (what string, err error) {
	f.app.Expires = time.Time{}
	f.tell("together.complete")
	return c.settle(ctx, f, false)
}

// LapseTogether lets an application go on with those who confirmed in time (JobTogether).
func (c *Casework) LapseTogether(ctx context.Context, queued job.Job, payload Job) (err error) {
	f, err := c.load(ctx, payload.Application)
	if err != nil || f.app.State != Joining {
		return err
	}
	return c.lapse(ctx, f, queued, f.content.Together.Asked, f.def.Together.Within, "together.lapsed", "together.extended", func() (map[string]string, error) {
		then, err := c.goOn(ctx, f)
		return map[string]string{"then": then}, err
	})
}
