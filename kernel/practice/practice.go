// Package practice owns the practice ground's lessons: what the officials of a mahalla are to do there, and whether they
// have done it.
//
// It hands progress to the pages. What a learner did is read from the journal's events alone, where casework and the router
// wrote them; nobody ticks anything off. Cases that a lesson needs are made by casework, as synthetic residents.
//
// Invariants: it is built only where nobody is real (node.OpenPractice); nothing about a lesson is stored beside the
// journal and the applications, so that progress can neither be claimed nor lost; of a resident it opens nothing that is
// sealed: the headers of events say who did what and when.
package practice

import (
	"slices"

	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/wording"
)

// Lesson is one thing to learn, for one or several roles.
type Lesson struct {
	Name  string // of its file: "decide"
	Order int    // among the lessons of a role
	Title wording.Text
	About wording.Text // why it matters
	Steps []wording.Text
	// Resident says whom it is about.
	Resident Resident
	// Prepared says that an application of theirs waits; else the learner writes one down.
	Prepared bool
	LastDay  bool // the application's step is due on the day on which the learner begins
	Cases    []Case
	Done     []Deed    // in this order
	Never    []Learned // what of the learner spoils a prepared case before all is done
}

// Case is what a role does in a lesson.
type Case struct {
	Agency  ident.Agency
	Role    ident.Role
	Service ident.Service
	Answers map[string]any // of a prepared application, as JSON has them; "@account" is the resident's
}

// Resident says whom a lesson is about.
type Resident string

// The residents.
const (
	Neighbour Resident = "neighbour" // lives in the learner's mahalla, and has no tie to them; or directs a business there
	Relative  Resident = "relative"  // lives with the learner
)

// Learned is something that a learner can be seen to do.
type Learned string

// What can be seen.
const (
	Read      Learned = "read" // they opened the application
	Ask       Learned = "ask"  // they asked the applicant
	Recommend Learned = "recommend"
	Approve   Learned = "approve"
	Refuse    Learned = "refuse"
	WriteDown Learned = "write-down" // they wrote an application down for the resident
	Sent      Learned = "sent"       // what they wrote down was confirmed by the resident, and sent
	TakeAlong Learned = "take-along" // they took their tasks along, to work without a connection
	Refused   Learned = "refused"    // the platform refused them
)

// seen are the types of the events by which it is seen.
var seen = map[Learned]string{
	Read: "application.read", Ask: "application.asked", Recommend: "task.recommend", Approve: "task.approve", Refuse: "task.refuse",
	WriteDown: "application.assisted", Sent: "application.submitted", TakeAlong: "tasks.taken-along", Refused: "access.refused",
}

// Deed is one step by which a lesson is done.
type Deed struct {
	Did     []Learned // one of them
	Offline bool      // on a device without a connection
	Because string    // of what the platform refused: the fault's code
}

// Name returns what the deed is called.
func (d Deed) Name() string {
	name := string(d.Did[0])
	if len(d.Did) > 1 {
		name = "decide"
	}
	if d.Offline {
		name += "-offline"
	}
	return name
}

// Learner is an official on the practice ground.
type Learner struct {
	Person      ident.Person
	Appointment ident.Appointment
	Agency      ident.Agency
	Role        ident.Role
	Territory   ident.Territory
}

// caseOf returns what the role does in the lesson, and false if it is not for it.
func (l *Lesson) caseOf(who Learner) (Case, bool) {
	i := slices.IndexFunc(l.Cases, func(c Case) bool { return c.Agency == who.Agency && c.Role == who.Role })
	if i < 0 {
		return Case{}, false
	}
	return l.Cases[i], true
}

// attempt is what is known of one try at a lesson.
type attempt struct {
	lesson      *Lesson
	service     ident.Service
	learner     Learner
	application ident.Application // of a prepared case; empty: the learner writes one down
}

// settle reads events, oldest first, and returns those by which the lesson's deeds were done, in their order. Spoiled
// says that the learner did what the lesson is there to avoid.
func (a attempt) settle(events []journal.Header) (done []journal.Header, spoiled bool) {
	object := ""
	if a.application != "" {
		object = "application:" + string(a.application)
	}
	for _, event := range events {
		if len(done) == len(a.lesson.Done) {
			break
		}
		own := event.Actor.Person == a.learner.Person && event.Actor.Appointment == a.learner.Appointment
		about := object == "" || event.Object == object
		if own && about && slices.ContainsFunc(a.lesson.Never, func(what Learned) bool { return seen[what] == event.Type }) {
			return done, true
		}
		wanted := a.lesson.Done[len(done)]
		i := slices.IndexFunc(wanted.Did, func(what Learned) bool { return seen[what] == event.Type })
		if i < 0 || wanted.Offline && event.Facts["offline-act"] == "" || wanted.Because != event.Facts["reason"] && wanted.Did[i] == Refused {
			continue
		}
		switch wanted.Did[i] {
		case WriteDown:
			if !own || event.Facts["service"] != string(a.service) {
				continue
			}
			object = event.Object // what follows is about this one
		case Sent: // by the learner or by the resident
			if event.Object != object {
				continue
			}
		case TakeAlong, Refused: // of no single application
			if !own {
				continue
			}
		default:
			if !own || event.Object != object {
				continue
			}
		}
		done = append(done, event)
	}
	return done, false
}
