package practice

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/service"
	"yagona/kernel/territory"
)

// Someone is a synthetic resident, as they would tell an official who they are.
type Someone struct {
	Person  ident.Person
	For     ident.Subject // the business that they direct, and for which they ask; empty: they ask for themself
	Number  string
	Name    string
	Account string
}

// actor returns them as who asks for a service.
func (s Someone) actor() access.Actor { return access.Actor{Person: s.Person, For: s.For} }

// Residents are the synthetic people whom the lessons are about.
type Residents interface {
	// Neighbours returns those of a mahalla, always in the same order; who asks for a business comes after who does not.
	Neighbours(place ident.Territory) []Someone
	// Relative returns who lives with an official, and false if nobody does.
	Relative(of ident.Person) (Someone, bool)
}

// Reader is what the ground needs for reading.
type Reader interface {
	casework.Reader
	document.Reader
	// EventsUnder returns the newest events under a key, oldest first, at most limit, without ShownFrom.
	EventsUnder(key act.Key, limit int) ([]journal.StoredEvent, error)
}

// Tx is what the ground needs of an act.
type Tx interface {
	casework.Tx
	EventsUnder(key act.Key, limit int) ([]journal.StoredEvent, error)
}

// Ground is a practice ground. It is safe for concurrent use.
type Ground struct {
	Store       act.Store[Reader, Tx]
	Casework    *casework.Casework
	Lessons     []*Lesson
	Residents   Residents
	Territories *territory.Tree
	Calendar    *calendar.Calendar
	Clock       act.Clock
	Language    string // in which the residents write
	Documents   *document.Issuer
	// Compose writes the certificate of a learner: everything but its number, with which its link ends, and its subject.
	Compose func(ctx context.Context, who Learner, lessons []Standing, language string) (document.Draft, error)
	// Again lays the ground out anew and records who wanted it; it returns at once.
	Again func(by journal.Actor)
}

const (
	mostAttempts = 20
	mostEvents   = 2000 // under one key: a learner who did more than that wipes the ground
	helped       = 4    // how many neighbours the learners write applications down for; the others' wait prepared
)

var (
	errNoLesson = fault.New(fault.NotFound, "practice.unknown", "There is no such lesson for your role. Choose one of your lessons.")
	errNobody   = fault.New(fault.Conflict, "practice.nobody-left", "Nobody is left here to practise with. Let somebody of the district lay the practice ground out anew.")
	errPrepared = fault.New(fault.Conflict, "practice.waits", "The case of this lesson waits for you already. Open it.")
	// ErrNotLeader is what whoever does not lead learners gets for what is their leaders'.
	ErrNotLeader = fault.New(fault.Forbidden, "practice.not-leader", "Only officials of the district or above see the progress of others and lay the practice ground out anew.")
)

// Standing is how far a learner is with one lesson.
type Standing struct {
	Lesson  *Lesson
	Service ident.Service
	Deeds   []time.Time // when each of the lesson's deeds was done, in order; fewer than all: it is not done
	Done    time.Time   // zero: not yet
	Spoiled bool        // the learner did what the lesson is there to avoid: they begin it anew
	Begun   bool        // its case waits, or the learner writes it down at any time
	Task    ident.Task  // of a prepared case, the learner's; empty: there is none
	Closed  bool        // that task does not wait any more
	// About is whom a case that the learner writes down is about.
	About Someone
}

// learner returns who learns: an official of the lowest level, for whose role there are lessons.
func (g *Ground) learner(held access.Appointment) (Learner, bool) {
	who := Learner{held.Person, held.ID, held.Agency, held.Role, held.Territory}
	return who, len(g.Territories.Children(held.Territory)) == 0 && g.roles()[post{held.Agency, held.Role}]
}

// post is a role in an agency.
type post struct {
	agency ident.Agency
	role   ident.Role
}

// roles returns those for whom there are lessons.
func (g *Ground) roles() map[post]bool {
	found := map[post]bool{}
	for _, lesson := range g.Lessons {
		for _, one := range lesson.Cases {
			found[post{one.Agency, one.Role}] = true
		}
	}
	return found
}

// Leads reports whether the actor sees the progress of the learners of their territory, and may lay the ground out anew.
func (g *Ground) Leads(by access.Actor) bool {
	held := by.Appointment
	return held != nil && len(g.Territories.Children(held.Territory)) > 0 && g.roles()[post{held.Agency, held.Role}]
}

// Own returns how far the official who asks is with each lesson of their role, in the lessons' order; none if there are no
// lessons for them.
func (g *Ground) Own(ctx context.Context, by access.Actor) ([]Standing, error) {
	if by.Appointment == nil {
		return nil, access.ErrForbidden
	}
	who, ok := g.learner(*by.Appointment)
	if !ok {
		return nil, nil
	}
	return g.progress(ctx, who)
}

// Lesson returns how far the official is with one lesson.
func (g *Ground) Lesson(ctx context.Context, by access.Actor, name string) (Standing, error) {
	own, err := g.Own(ctx, by)
	if err != nil {
		return Standing{}, err
	}
	i := slices.IndexFunc(own, func(s Standing) bool { return s.Lesson.Name == name })
	if i < 0 {
		return Standing{}, errNoLesson
	}
	return own[i], nil
}

// Progress is how far one learner is.
type Progress struct {
	Learner Learner
	Done    int
	Lessons []Standing
	Last    time.Time // when the last lesson was done; zero: none
}

// Team returns the progress of the learners of the leader's territory, mahalla by mahalla. It says nothing of residents.
func (g *Ground) Team(ctx context.Context, by access.Actor) (team []Progress, err error) {
	if !g.Leads(by) {
		return nil, ErrNotLeader
	}
	posts := g.roles()
	now := g.Clock()
	var learners []Learner
	err = g.Store.View(ctx, func(tx Reader) error {
		for place := range g.Territories.Within(by.Appointment.Territory) {
			if len(g.Territories.Children(place)) > 0 {
				continue
			}
			for one := range posts {
				held, err := tx.AppointmentsIn(one.agency, one.role, place)
				if err != nil {
					return err
				}
				for _, appointment := range held {
					if who, ok := g.learner(appointment); ok && appointment.Holds(now) {
						learners = append(learners, who)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(learners, func(a, b Learner) int {
		return cmp.Or(cmp.Compare(a.Territory, b.Territory), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Appointment, b.Appointment))
	})
	for _, who := range learners {
		progress := Progress{Learner: who}
		if progress.Lessons, err = g.progress(ctx, who); err != nil {
			return nil, err
		}
		for _, one := range progress.Lessons {
			if one.Done.IsZero() {
				continue
			}
			progress.Done++
			if one.Done.After(progress.Last) {
				progress.Last = one.Done
			}
		}
		team = append(team, progress)
	}
	return team, nil
}

// progress reads what the learner did.
func (g *Ground) progress(ctx context.Context, who Learner) (all []Standing, err error) {
	err = g.Store.View(ctx, func(tx Reader) error {
		all = nil
		own, err := headers(tx, act.Of(who.Person.Subject()))
		if err != nil {
			return err
		}
		for _, lesson := range g.Lessons {
			one, ok := lesson.caseOf(who)
			if !ok {
				continue
			}
			standing, err := g.standing(tx, lesson, one, who, own)
			if err != nil {
				return err
			}
			all = append(all, standing)
		}
		return nil
	})
	return all, err
}

// standing reads what the learner did in one lesson; own are the events under the learner's key.
func (g *Ground) standing(tx Reader, lesson *Lesson, one Case, who Learner, own []journal.Header) (Standing, error) {
	standing := Standing{Lesson: lesson, Service: one.Service}
	if !lesson.Prepared {
		var err error
		if standing.About, err = g.visitor(lesson, who); err != nil {
			return standing, err
		}
		standing.Begun = true
		events, err := headers(tx, act.Of(standing.About.Person.Subject()))
		if err != nil {
			return standing, err
		}
		standing.take(attempt{lesson: lesson, service: one.Service, learner: who}.settle(merge(own, events)))
		return standing, nil
	}
	for number := range mostAttempts {
		id := applicationOf(who, lesson, number)
		application, err := tx.Application(id)
		if fault.Is(err, fault.NotFound) {
			return standing, nil
		}
		if err != nil {
			return standing, err
		}
		events, err := headers(tx, act.Of(application.Applicant))
		if err != nil {
			return standing, err
		}
		standing.Begun = true
		standing.take(attempt{lesson: lesson, service: one.Service, learner: who, application: id}.settle(merge(own, events)))
		if standing.Task, standing.Closed, err = taskOf(tx, application, who); err != nil {
			return standing, err
		}
		if !standing.Done.IsZero() {
			return standing, nil
		}
	}
	return standing, nil
}

func (s *Standing) take(done []journal.Header, spoiled bool) {
	s.Deeds, s.Spoiled, s.Done = nil, spoiled, time.Time{}
	for _, event := range done {
		s.Deeds = append(s.Deeds, event.At)
	}
	if len(done) == len(s.Lesson.Done) {
		s.Done = s.Deeds[len(done)-1]
	}
}

// taskOf returns the task of the application that is or was the learner's, and whether it does not wait any more.
func taskOf(tx Reader, application casework.Application, who Learner) (id ident.Task, closed bool, err error) {
	tasks, err := tx.TasksOf(application.Applicant, application.ID)
	for _, task := range tasks {
		if who.holds(task) {
			return task.ID, task.State == casework.TaskDone || task.State == casework.TaskVoid, err
		}
	}
	return "", false, err
}

// holds reports whether the task is for the learner.
func (w Learner) holds(task casework.Task) bool {
	return task.Agency == w.Agency && task.Role == w.Role && task.Territory == w.Territory
}

// headers returns what the events under a key say of themselves, oldest first.
func headers(tx Reader, key act.Key) ([]journal.Header, error) {
	stored, err := tx.EventsUnder(key, mostEvents)
	found := make([]journal.Header, len(stored))
	for i, one := range stored {
		if err := json.Unmarshal(one.Header, &found[i]); err != nil {
			return nil, err
		}
	}
	return found, err
}

// merge returns both, oldest first.
func merge(one, other []journal.Header) []journal.Header {
	all := slices.Concat(one, other)
	slices.SortStableFunc(all, func(a, b journal.Header) int { return a.At.Compare(b.At) })
	return all
}

// applicationOf returns the id of the learner's application for the lesson, by how often they have begun it before.
func applicationOf(who Learner, lesson *Lesson, number int) ident.Application {
	name := fmt.Sprintf("%s %s %d", who.Appointment, lesson.Name, number)
	return ident.Application(uuid.NewHash(sha256.New(), uuid.Nil, []byte(name), 8).String())
}

// visitor returns for whom the learner writes an application down in the lesson.
func (g *Ground) visitor(lesson *Lesson, who Learner) (Someone, error) {
	if lesson.Resident == Relative {
		found, ok := g.Residents.Relative(who.Person)
		if !ok {
			return Someone{}, errNobody
		}
		return found, nil
	}
	near := g.Residents.Neighbours(who.Territory)
	if len(near) < helped {
		return Someone{}, errNobody
	}
	digest := sha256.Sum256([]byte(string(who.Appointment) + lesson.Name))
	return near[int(digest[0])%helped], nil
}

// Begin prepares the case of a lesson for the learner: a resident applies, for themself or for their business, and if other officials come before the
// learner they take their steps. A lesson that was spoiled, or whose case went elsewhere, is begun anew with somebody else.
func (g *Ground) Begin(ctx context.Context, by access.Actor, name string) (Standing, error) {
	standing, err := g.Lesson(ctx, by, name)
	if err != nil {
		return Standing{}, err
	}
	lesson := standing.Lesson
	if !lesson.Prepared || !standing.Done.IsZero() {
		return standing, nil
	}
	who, _ := g.learner(*by.Appointment)
	id, err := g.next(ctx, who, lesson)
	if err != nil {
		return Standing{}, err
	}
	one, _ := lesson.caseOf(who)
	definition, err := g.Casework.Catalogue().Open(one.Service, g.Calendar.Date(g.Clock()))
	if err != nil {
		return Standing{}, err
	}
	applicant, err := g.applicant(ctx, who, definition)
	if err != nil {
		return Standing{}, err
	}
	cases := g.at(g.Clock(), lesson, definition, who)
	answers, err := one.answers(definition, applicant)
	if err != nil {
		return Standing{}, err
	}
	sent, err := cases.Apply(ctx, applicant.actor(), id, one.Service, g.Language, answers)
	if err != nil {
		return Standing{}, err
	}
	if err := g.colleagues(ctx, cases, sent.Application, who); err != nil {
		return Standing{}, err
	}
	return g.Lesson(ctx, by, name)
}

// next returns the id under which the lesson's next case is made. One that still waits for the learner is not made twice.
func (g *Ground) next(ctx context.Context, who Learner, lesson *Lesson) (id ident.Application, err error) {
	err = g.Store.View(ctx, func(tx Reader) error {
		for number := range mostAttempts {
			id = applicationOf(who, lesson, number)
			application, err := tx.Application(id)
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			tasks, err := tx.TasksOf(application.Applicant, id)
			if err != nil {
				return err
			}
			for _, task := range tasks {
				open := task.State == casework.TaskOpen || task.State == casework.TaskClaimed
				if open && who.holds(task) {
					return errPrepared
				}
			}
		}
		return errNobody
	})
	return id, err
}

// applicant returns the first neighbour whom the service is for, as themself or for their business, and who has never asked
// for it.
func (g *Ground) applicant(ctx context.Context, who Learner, wanted *service.Definition) (found Someone, err error) {
	near := g.Residents.Neighbours(who.Territory)
	err = g.Store.View(ctx, func(tx Reader) error {
		for _, one := range near[min(len(near), helped):] {
			whom := one.actor().Whom()
			if !wanted.IsFor(whom) {
				continue
			}
			before, err := tx.OutlinesOf(whom, 100)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(before, func(o casework.Outline) bool { return o.Service == wanted.Path }) {
				found = one
				return nil
			}
		}
		return errNobody
	})
	return found, err
}

// at returns casework at the time at which the lesson's case is sent: now, or so early that the learner's step falls due
// at the end of today, or of the next working day.
func (g *Ground) at(now time.Time, lesson *Lesson, definition *service.Definition, who Learner) *casework.Casework {
	config := g.Casework.Config
	if !lesson.LastDay {
		return casework.New(config)
	}
	sent := now
	for _, stage := range definition.Process {
		for _, step := range stage.Steps {
			if step.Agency != who.Agency || step.Role != who.Role {
				continue
			}
			for earlier := now.AddDate(0, 0, -1); g.Calendar.Deadline(earlier, step.Within).After(now); earlier = earlier.AddDate(0, 0, -1) {
				if _, err := config.Catalogue().Open(definition.Path, g.Calendar.Date(earlier)); err != nil {
					break // there was no such service yet: then the case is due later
				}
				sent = earlier
			}
		}
	}
	config.Clock = func() time.Time { return sent }
	return casework.New(config)
}

// answers returns the case's answers as the service's questions take them.
func (c Case) answers(definition *service.Definition, of Someone) (map[string]any, error) {
	said := map[string]any{}
	for name, value := range c.Answers {
		if value == "@account" {
			value = of.Account
		}
		said[name] = value
	}
	encoded, err := json.Marshal(said)
	if err != nil {
		return nil, err
	}
	return field.Decode(field.TypeOf(definition.Fields()), encoded)
}

// colleagues takes the steps that come before the learner's, as those who hold their roles in the learner's mahalla.
func (g *Ground) colleagues(ctx context.Context, cases *casework.Casework, application casework.Application, who Learner) error {
	for {
		var tasks []casework.Task
		var before *casework.Task
		err := g.Store.View(ctx, func(tx Reader) (err error) {
			if application, err = tx.Application(application.ID); err != nil {
				return err
			}
			tasks, err = tx.TasksOf(application.Applicant, application.ID)
			return err
		})
		if err != nil {
			return err
		}
		for i, task := range tasks {
			if task.State != casework.TaskOpen {
				continue
			}
			if task.Agency == who.Agency && task.Role == who.Role {
				return nil
			}
			before = &tasks[i]
		}
		if before == nil {
			return fault.Newf(fault.Internal, "practice.case", "The application %s does not come to the learner.", application.ID)
		}
		colleague, err := g.holder(ctx, *before)
		if err != nil {
			return err
		}
		_, err = cases.Decide(ctx, colleague, before.ID, application.Revision, casework.Verdict{Action: service.Recommend})
		if err != nil {
			return err
		}
	}
}

// holder returns somebody who may take the task.
func (g *Ground) holder(ctx context.Context, task casework.Task) (found access.Actor, err error) {
	now := g.Clock()
	err = g.Store.View(ctx, func(tx Reader) error {
		held, err := tx.AppointmentsIn(task.Agency, task.Role, task.Territory)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(held, func(a access.Appointment) bool { return a.Holds(now) })
		if i < 0 {
			return errNobody
		}
		found = access.Actor{Person: held[i].Person, Appointment: &held[i]}
		return nil
	})
	return found, err
}

// LayOut has the ground laid out anew for a leader: it returns at once, and what was done on it is gone soon after.
func (g *Ground) LayOut(by access.Actor) error {
	if !g.Leads(by) {
		return ErrNotLeader
	}
	g.Again(by.Journal())
	return nil
}
