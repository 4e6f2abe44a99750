package casework

import (
	"context"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/ident"
)

// Work says who works on a task.
type Work string

// The values of Work. The zero value means whoever.
const (
	Mine      Work = "mine"      // the official who asks, or whom they stand in for
	Unclaimed Work = "unclaimed" // nobody yet
	Waiting   Work = "waiting"   // the applicant was asked; without Waiting no such task is listed
)

// Filter narrows an inbox. Its zero value narrows nothing.
type Filter struct {
	Service   ident.Service
	Step      string
	Territory ident.Territory // with all that lies in it; what lies outside the official's own is not shown
	Work      Work
	Overdue   bool
}

// Inbox says which tasks a store is to find: those of a role for a place and all that lies in it.
type Inbox struct {
	Agency ident.Agency
	Role   ident.Role
	Place  string // the path of the territory

	// Wide says that the place holds a good part of the country, so that the tasks are found faster by their due time
	// than by their place. It changes nothing of what is found.
	Wide bool

	Service   ident.Service // empty: any
	Step      string        // empty: any
	Work      Work
	Assignees []ident.Appointment // of Mine: one or two
	Before    time.Time           // tasks due by then; zero: any
	Without   []ident.Subject     // applicants whose tasks are left out
	After     Cursor
	Limit     int
}

// Cursor is a place in the inbox: after this due time (of waiting tasks: of opening) and this task.
type Cursor struct {
	Due  time.Time
	Task ident.Task
}

// Cursor returns the task's place in an inbox.
func (t Task) Cursor() Cursor {
	if t.State == TaskWaiting {
		return Cursor{t.Opened, t.ID}
	}
	return Cursor{t.Due, t.ID}
}

// InboxReader is what the work of officials needs for reading. None of it tells anything about an applicant.
type InboxReader interface {
	// Inbox returns tasks by due time, those without one by their age.
	Inbox(inbox Inbox) ([]Task, error)
	// InboxCount returns how many tasks there are, at most the limit; the cursor does not count.
	InboxCount(inbox Inbox) (int, error)
	// Loads returns the tasks that are not closed, for each territory and, if asked for, assignee.
	Loads(team TeamOf, now time.Time) ([]Load, error)
	// Spans returns how long the tasks took that were done since then, for each territory and, if asked for, assignee.
	Spans(team TeamOf, since time.Time) ([]Span, error)
}

// TeamOf says whose work a store is to add up: that of a role for a place and all that lies in it.
type TeamOf struct {
	Agency    ident.Agency
	Role      ident.Role
	Place     string          // the path of the territory
	Officials bool            // each official's apart
	Without   []ident.Subject // applicants whose tasks are left out
}

// MostCounted is up to which number the tasks of an inbox are counted: more are "more than".
const MostCounted = 1000

// Counts are the numbers beside an inbox. They are read with it and so include the reader's own last act.
type Counts struct {
	Open, Overdue, Today, Mine, Unclaimed, Waiting int // each at most MostCounted+1
}

// Tasks returns the official's inbox: the open tasks for their role, agency and territory, by due time. It holds no
// personal data, and no task of their own, of somebody they live with, or of somebody for whom they may act: that there is
// one is not theirs to know.
func (c *Casework) Tasks(ctx context.Context, by access.Actor, filter Filter, after Cursor, limit int) (found []Task, err error) {
	inbox, err := c.inbox(by, filter)
	if err != nil {
		return nil, err
	}
	inbox.After, inbox.Limit = after, min(max(limit, 1), 201)
	err = c.Store.View(ctx, func(tx Reader) error {
		if inbox.Without, err = c.ties(tx.Within(ctx), by.Person); err != nil {
			return err
		}
		found, err = tx.Inbox(inbox)
		return err
	})
	return found, err
}

// TaskCounts returns the numbers beside the inbox for the official's territory, or one in it.
func (c *Casework) TaskCounts(ctx context.Context, by access.Actor, place ident.Territory) (counts Counts, err error) {
	now := c.Clock()
	today := c.Calendar.Date(now)
	endOfToday := time.Date(today.Year, today.Month, today.Day+1, 0, 0, 0, 0, c.Calendar.Location())
	wanted := []struct {
		into   *int
		filter Filter
		before time.Time
	}{
		{&counts.Open, Filter{}, time.Time{}},
		{&counts.Overdue, Filter{Overdue: true}, time.Time{}},
		{&counts.Today, Filter{}, endOfToday},
		{&counts.Mine, Filter{Work: Mine}, time.Time{}},
		{&counts.Unclaimed, Filter{Work: Unclaimed}, time.Time{}},
		{&counts.Waiting, Filter{Work: Waiting}, time.Time{}},
	}
	inboxes := make([]Inbox, len(wanted))
	for i, one := range wanted {
		one.filter.Territory = place
		if inboxes[i], err = c.inbox(by, one.filter); err != nil {
			return Counts{}, err
		}
		if !one.before.IsZero() {
			inboxes[i].Before = one.before
		}
		inboxes[i].Limit = MostCounted + 1
	}
	err = c.Store.View(ctx, func(tx Reader) error {
		tied, err := c.ties(tx.Within(ctx), by.Person)
		if err != nil {
			return err
		}
		for i, one := range wanted {
			inboxes[i].Without = tied
			if *one.into, err = tx.InboxCount(inboxes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	counts.Today -= counts.Overdue
	return counts, err
}

// inbox returns what the store is to find for an official.
func (c *Casework) inbox(by access.Actor, filter Filter) (Inbox, error) {
	held := by.Appointment
	if held == nil {
		return Inbox{}, access.ErrForbidden
	}
	place := held.Territory
	if filter.Territory != "" {
		if !c.Territories.Contains(place, filter.Territory) {
			return Inbox{}, access.ErrForbidden
		}
		place = filter.Territory
	}
	inbox := Inbox{
		Agency: held.Agency, Role: held.Role, Place: c.placeOf(place), Wide: c.isWide(place),
		Service: filter.Service, Step: filter.Step, Work: filter.Work, Assignees: held.StandsFor(),
	}
	if filter.Overdue {
		inbox.Before = c.Clock()
	}
	return inbox, nil
}

// wideShare is the part of a country from which on it is faster to go through all tasks by due time.
const wideShare = 100

// isWide reports whether the territory holds at least a hundredth of the country's territories.
func (c *Casework) isWide(place ident.Territory) bool {
	held, enough := 0, c.Territories.Len()/wideShare
	for range c.Territories.Within(place) {
		if held++; held > enough {
			return enough > 0
		}
	}
	return false
}

// Load is how many tasks for a territory lie with an official, or with nobody.
type Load struct {
	Territory ident.Territory
	Assignee  ident.Appointment // empty: nobody has claimed them, or the officials are not told apart

	Open, Unclaimed, Overdue, Waiting int64
}

// Span is how many tasks took so many whole hours from their opening to the step.
type Span struct {
	Territory ident.Territory
	Assignee  ident.Appointment
	Hours     int64
	Number    int64
}

// Figures are the work of a territory or of an official.
type Figures struct {
	Territory   ident.Territory
	Appointment ident.Appointment // of an official's figures
	Role        ident.Role        // of an official's figures
	Open        int64             // open and claimed tasks; of an official's figures: those that they claimed
	Unclaimed   int64
	Overdue     int64
	Waiting     int64         // for an answer of the applicant
	Done        int64         // within the last TeamDays
	Median      time.Duration // of the done ones, from opening to step, in whole hours: the lower of two middles
	hours       []Span
}

// Team is the work that a leader answers for. It tells nothing about an applicant.
type Team struct {
	All       Figures
	Places    []Figures // of each territory directly below the leader's, in the order of the tree; of their own if it has none
	Officials []Figures // of those who hold or held tasks, the fullest first; of a good part of a country, none
}

// TeamDays is over how many days a team's medians go.
const TeamDays = 30

// Team returns the figures of the official's agency and role for their territory, or one in it.
func (c *Casework) Team(ctx context.Context, by access.Actor, place ident.Territory) (Team, error) {
	inbox, err := c.inbox(by, Filter{Territory: place})
	if err != nil {
		return Team{}, err
	}
	if place == "" {
		place = by.Appointment.Territory
	}
	of := TeamOf{Agency: inbox.Agency, Role: inbox.Role, Place: inbox.Place, Officials: !inbox.Wide}
	now := c.Clock()
	var loads []Load
	var spans []Span
	err = c.Store.View(ctx, func(tx Reader) (err error) {
		if !inbox.Wide { // among those of a good part of a country, one is not seen
			if of.Without, err = c.ties(tx.Within(ctx), by.Person); err != nil {
				return err
			}
		}
		if loads, err = tx.Loads(of, now); err != nil {
			return err
		}
		spans, err = tx.Spans(of, now.AddDate(0, 0, -TeamDays))
		return err
	})
	if err != nil {
		return Team{}, err
	}
	return c.team(place, inbox.Role, loads, spans), nil
}

func (c *Casework) team(place ident.Territory, role ident.Role, loads []Load, spans []Span) Team {
	team := Team{All: Figures{Territory: place}}
	places := c.Territories.Children(place)
	if len(places) == 0 {
		places = []ident.Territory{place}
	}
	below := map[ident.Territory]int{} // where each territory's figures go
	for i, one := range places {
		team.Places = append(team.Places, Figures{Territory: one})
		for inner := range c.Territories.Within(one) {
			below[inner] = i
		}
	}
	officials := map[ident.Appointment]*Figures{}
	each := func(territory ident.Territory, assignee ident.Appointment, add func(*Figures)) {
		add(&team.All)
		if i, ok := below[territory]; ok { // what was escalated to the leader lies in no place below
			add(&team.Places[i])
		}
		if assignee == "" {
			return
		}
		if officials[assignee] == nil {
			officials[assignee] = &Figures{Territory: territory, Appointment: assignee, Role: role}
		}
		add(officials[assignee])
	}
	for _, one := range loads {
		each(one.Territory, one.Assignee, func(f *Figures) {
			f.Open += one.Open
			f.Overdue += one.Overdue
			f.Waiting += one.Waiting
			f.Unclaimed += one.Unclaimed
		})
	}
	for _, one := range spans {
		each(one.Territory, one.Assignee, func(f *Figures) {
			f.Done += one.Number
			f.hours = append(f.hours, one)
		})
	}
	team.All.settle()
	for i := range team.Places {
		team.Places[i].settle()
	}
	for _, one := range officials {
		one.settle()
		team.Officials = append(team.Officials, *one)
	}
	slices.SortFunc(team.Officials, func(a, b Figures) int {
		switch {
		case a.Overdue != b.Overdue:
			return int(b.Overdue - a.Overdue)
		case a.Open != b.Open:
			return int(b.Open - a.Open)
		case a.Appointment < b.Appointment:
			return -1
		}
		return 1
	})
	return team
}

// settle computes the median.
func (f *Figures) settle() {
	slices.SortFunc(f.hours, func(a, b Span) int { return int(a.Hours - b.Hours) })
	var passed int64
	for _, one := range f.hours {
		if passed += one.Number; 2*passed >= f.Done {
			f.Median = time.Duration(one.Hours) * time.Hour
			break
		}
	}
	f.hours = nil
}
