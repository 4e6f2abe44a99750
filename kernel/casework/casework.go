// Package casework owns the life of an application: draft, evidence, tasks of officials, deadlines, decision, appeal.
//
// An application lives under its applicant's key, with its tasks and all that was said in it; one act changes it, and
// every act appends one event. What a decision causes elsewhere (a payment order under a fund's key, a record in another
// agency's register) is a job queued in the act; what it tells the applicant is a notice in the act.
//
// How an act runs: the file (application, definition, tasks, evidence) is read; what happens next is computed from it
// without any I/O; evidence is asked for and documents are signed; then one transaction checks that nobody changed the
// file in between (its revision) and stores the result, with the answers about the applicant and their disclosure. Two
// officials who decide at once thus get one decision and one fault.Conflict. If the act fails, the disclosure is
// committed alone, before anybody hears of the failure.
//
// Invariants: nobody decides on their own or a household member's application, or outside their role, territory or turn;
// whoever recommended does not approve; to a service that pays, a person has one open application at a time; nothing is granted while a requirement is not met or not known; silence never
// pays; nobody works on what is not paid for, and a fee is kept or given back once; an application that was received is never lost to a register's failure, and its day of receipt never changes.
package casework

import (
	"context"
	"encoding/json"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/document"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/queue"
	"yagona/kernel/representation"
	"yagona/kernel/seal"
	"yagona/kernel/service"
	"yagona/kernel/territory"
)

// State is where an application is in its life.
type State string

// The states.
const (
	Draft        State = "draft"     // being written; nobody else sees it
	Gathering    State = "gathering" // received; a register has not answered yet
	Joining      State = "joining"   // others of the household have not confirmed yet
	Unpaid       State = "unpaid"    // its fee is not paid yet; nobody works on it
	Deciding     State = "deciding"  // officials have tasks
	Asked        State = "asked"     // the applicant was asked; the clock stands still
	Queued       State = "queued"    // it meets the requirements, and waits for one of limited places
	PlaceOffered State = "offered"   // a place is kept for it, until the applicant accepts it or the time is over
	Received     State = "received"  // a notification: what was said is recorded, and nobody decides
	Granted      State = "granted"
	Refused      State = "refused"
	Appealed     State = "appealed" // refused, and contested
	Withdrawn    State = "withdrawn"
	Ended        State = "ended"   // granted, and what was granted is not in force any more: a benefit
	Expired      State = "expired" // a draft that was not sent in time
)

// IsOpen reports whether something is still to happen after it was received.
func (s State) IsOpen() bool {
	switch s {
	case Gathering, Joining, Unpaid, Deciding, Asked, Queued, PlaceOffered, Appealed:
		return true
	}
	return false
}

// Application is one request for a service, as the store keeps it.
type Application struct {
	ID        ident.Application
	Applicant ident.Subject // whose key it lives under
	Service   ident.Service
	Version   string // the hash of the definition it is decided by
	Agency    ident.Agency
	State     State
	Revision  int64 // counts its acts; what an edit is checked against
	Stage     int   // of the process, while deciding
	Language  string
	Created   time.Time
	Submitted time.Time       // zero: a draft
	Decided   time.Time       // of a notification when it was taken in; zero: not yet
	Expires   time.Time       // of a draft, of an offered place, of a fee that is not paid, of the time to confirm
	Territory ident.Territory // of the first step, for statistics
	Helper    ident.Person    `json:",omitempty"` // the official who wrote it down for the applicant; empty: nobody did
	Sealed    []byte          // Content as JSON, sealed under the applicant's key
	Event     ident.Event     // that last wrote it
	Archived  string          `json:"-"` // the volume of the archive that has what was said; empty: Sealed has it
}

// Cover returns what an event says of the application.
func (a Application) Cover() journal.Cover {
	return journal.Cover{Row: "application/" + string(a.ID), Digest: journal.Digest(a.covered())}
}

func (a Application) covered() Application { a.Event = ""; return a }

// Content is what was said in an application. All of it is personal.
type Content struct {
	Answers   json.RawMessage     `json:"answers,omitempty"` // by question, as package field encodes them
	Evidence  []Bound             `json:"evidence,omitempty"`
	Attested  map[string]Attested `json:"attested,omitempty"` // by evidence
	Rules     []RuleResult        `json:"rules,omitempty"`    // of the last evaluation
	Params    []ParamUsed         `json:"params,omitempty"`   // that they, and what was granted, were computed with
	Together  *Together           `json:"together,omitempty"` // others of the household confirm
	Fee       *Fee                `json:"fee,omitempty"`      // nil: it was not asked for yet, or the service costs nothing
	Decisions []Decision          `json:"decisions,omitempty"`
	Questions []Question          `json:"questions,omitempty"`
	Because   []Reason            `json:"because,omitempty"` // why it was refused
	Granted   *Result             `json:"granted,omitempty"`
	Offered   *Offered            `json:"offered,omitempty"`   // the platform opened it by itself
	Place     *Place              `json:"place,omitempty"`     // of limited places
	Proposals []Proposal          `json:"proposals,omitempty"` // to do something with a licence
	Ended     *End                `json:"ended,omitempty"`     // why what was granted is not in force any more
	Appeal    *Appeal             `json:"appeal,omitempty"`

	Photos      []Photo       `json:"photos,omitempty"`
	Assisted    *Assisted     `json:"assisted,omitempty"`    // an official wrote it down
	Represented []Represented `json:"represented,omitempty"` // who acted for the applicant
	Escalations []Escalation  `json:"escalations,omitempty"`
	Arrivals    []Arrival     `json:"arrivals,omitempty"` // of acts that were done offline
	History     []Entry       `json:"history,omitempty"`
}

// Bound is an answer to an evidence, bound to the application. Its values stay with the exchange, sealed under the key of
// whom they are about.
type Bound struct {
	Name      string             `json:"name"`
	Of        ident.Subject      `json:"of"`
	Exchange  ident.Exchange     `json:"exchange,omitempty"` // empty: the register has not answered yet
	Status    exchange.Status    `json:"status,omitempty"`
	At        time.Time          `json:"at,omitzero"`
	Answering ident.Agency       `json:"answering,omitempty"`
	VouchedBy exchange.VouchedBy `json:"vouchedBy,omitempty"`
	Failure   string             `json:"failure,omitempty"` // the code of the last failed try
}

// Attested are values that an official checked and signed for a person whom the register lacks.
type Attested struct {
	Values json.RawMessage `json:"values"`
	By     journal.Actor   `json:"by"`
	At     time.Time       `json:"at"`
}

// RuleResult is what the evaluation found of one requirement.
type RuleResult struct {
	ID      string    `json:"id"`
	Outcome string    `json:"outcome"` // met, not-met, unknown
	Read    []Reading `json:"read,omitempty"`
	Unknown []string  `json:"unknown,omitempty"`
}

// Reading is a value that a rule read. It is empty where it is another adult's.
type Reading struct {
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// ParamUsed is a legal amount or date that a rule or an amount was computed with.
type ParamUsed struct {
	Name   string        `json:"name"`
	From   calendar.Date `json:"from"`
	Value  any           `json:"value"`
	Source string        `json:"source,omitempty"`
}

// Decision is what an official did in a step.
type Decision struct {
	Task    ident.Task      `json:"task"`
	Step    string          `json:"step"`
	By      journal.Actor   `json:"by"`
	Action  service.Action  `json:"action"`
	Reasons []Reason        `json:"reasons,omitempty"`
	Form    json.RawMessage `json:"form,omitempty"` // what the step's form recorded
	At      time.Time       `json:"at"`
	Made    time.Time       `json:"made,omitzero"` // by the device's clock, if it was done offline
}

// Reason is why something was refused: a requirement or an evidence of the service, or an official's words.
type Reason struct {
	Requirement string `json:"requirement,omitempty"` // or the name of an evidence that has no record
	Text        string `json:"text,omitempty"`        // in the official's words
}

// Question is what an official asked the applicant.
type Question struct {
	Task     ident.Task    `json:"task"`
	By       journal.Actor `json:"by"`
	Text     string        `json:"text"`
	At       time.Time     `json:"at"`
	Answer   string        `json:"answer,omitempty"`
	Answered time.Time     `json:"answered,omitzero"`
}

// Result is what a granted application gave.
type Result struct {
	Payment  int64           `json:"payment,omitempty"` // in minor units
	Order    ident.Order     `json:"order,omitempty"`
	Account  string          `json:"account,omitempty"`  // named after the bank turned down the one in the answers
	Rejected string          `json:"rejected,omitempty"` // why the bank did not take the order: a code; another account is wanted
	Payments []Instalment    `json:"payments,omitempty"` // of a benefit, oldest first; Payment and Order are those of the last
	Document ident.Document  `json:"document,omitempty"`
	Record   json.RawMessage `json:"record,omitempty"`
}

// Appeal is a contested refusal.
type Appeal struct {
	Grounds  string    `json:"grounds"`
	At       time.Time `json:"at"`
	Upheld   *bool     `json:"upheld,omitempty"` // the refusal stands; nil: not decided
	Reasons  []Reason  `json:"reasons,omitempty"`
	Previous []Reason  `json:"previous,omitempty"` // why it was refused before
}

// Entry is one line of the application's history, in plain facts.
type Entry struct {
	At   time.Time             `json:"at"`
	What string                `json:"what"` // the event's type
	By   journal.Actor         `json:"by"`
	Step string                `json:"step,omitempty"`
	Note string                `json:"note,omitempty"`
	Made time.Time             `json:"made,omitzero"` // by a device's clock, if it was done offline
	For  representation.Ground `json:"for,omitempty"` // by what they acted for the applicant
}

// TaskState is where a task is.
type TaskState string

// The states of a task.
const (
	TaskOpen    TaskState = "open"    // whoever has the role may claim it
	TaskClaimed TaskState = "claimed" // somebody works on it
	TaskWaiting TaskState = "waiting" // the applicant was asked
	TaskDone    TaskState = "done"
	TaskVoid    TaskState = "void" // withdrawn, or no longer needed
)

// StepAppeal is the step of an appeal's task.
const StepAppeal = "appeal"

// Task is one step of an application that waits for an official.
type Task struct {
	ID          ident.Task
	Application ident.Application
	Applicant   ident.Subject // the application's key
	Service     ident.Service
	Step        string
	Agency      ident.Agency
	Role        ident.Role
	Territory   ident.Territory // whose officials may take it; after an escalation, the one above
	Place       string          // the path to the territory from the root, "/UZ/1726/1726290/": for finding
	Escalated   int             // how often
	State       TaskState
	Assignee    ident.Appointment // of a claimed or waiting one: who works on it; of a done one: who took the step
	Opened      time.Time
	Clock       calendar.Clock
	Due         time.Time // the first moment that is too late; zero while the clock stands still
	Closed      time.Time
	Event       ident.Event
}

// Cover returns what an event says of the task.
func (t Task) Cover() journal.Cover {
	t.Event = ""
	return journal.Cover{Row: "task/" + string(t.ID), Digest: journal.Digest(t)}
}

// Outage is a time in which the platform could not be used. It counts against the state: deadlines move by the working
// days that it touched.
type Outage struct {
	ID     string
	From   time.Time
	Until  time.Time
	Reason string
	Event  ident.Event
}

// Cover returns what an event says of the outage.
func (o Outage) Cover() journal.Cover {
	o.Event = ""
	return journal.Cover{Row: "outage/" + o.ID, Digest: journal.Digest(o)}
}

// Count is how many applications to a service are in a state in a territory, and how long the decided ones took.
type Count struct {
	Service   ident.Service
	Territory ident.Territory
	State     State
	Number    int64         // as it is published: rounded, never fewer than SmallestCell
	Median    time.Duration // from receipt to decision, as it is published: whole hours; zero where none is decided
}

// Outline is what others of a person's applications are asked for, without what is sealed in them.
type Outline struct {
	ID       ident.Application
	Service  ident.Service
	Version  string
	State    State
	Revision int64
	Decided  time.Time
}

// Reader is what casework needs for reading.
type Reader interface {
	act.Snapshot
	access.Reader
	// Application returns one, or fault.NotFound.
	Application(id ident.Application) (Application, error)
	// RevisionOf returns an application's revision and whether an archive has what was said in it, or fault.NotFound.
	RevisionOf(id ident.Application) (revision int64, archived bool, err error)
	// ApplicationsOf returns the applicant's applications, newest first, at most limit, with ids before the given one.
	ApplicationsOf(applicant ident.Subject, before ident.Application, limit int) ([]Application, error)
	// OutlinesOf returns the outlines of the applicant's newest applications, newest first, at most limit.
	OutlinesOf(applicant ident.Subject, limit int) ([]Outline, error)
	// AssistedDrafts returns the drafts that the official wrote down for residents, newest first, at most limit.
	AssistedDrafts(helper ident.Person, limit int) ([]Application, error)
	// Task returns one, or fault.NotFound.
	Task(id ident.Task) (Task, error)
	// TasksOf returns the application's tasks in the order in which they were opened.
	TasksOf(applicant ident.Subject, application ident.Application) ([]Task, error)
	InboxReader
	representation.Mandates
	offer.Reader
	// OpenTasks returns the open and claimed tasks of all officials by due time, at most limit.
	OpenTasks(after Cursor, limit int) ([]Task, error)
	// Attachment returns one of the applicant's attachments, or fault.NotFound.
	Attachment(applicant ident.Subject, id string) (Attachment, error)
	UploadReader
	// Entitlement returns what the holder's application left in force, or fault.NotFound.
	Entitlement(holder ident.Subject, application ident.Application) (Entitlement, error)
	// EntitlementsOf returns all that was ever in force for the holder.
	EntitlementsOf(holder ident.Subject) ([]Entitlement, error)
	// JobsOf returns all jobs that wait under the key.
	JobsOf(key act.Key) ([]job.Job, error)
	// Licences returns the licences of a service that are published, in the order of their applications, after the given
	// one ("" : from the first), at most limit.
	Licences(of ident.Service, after ident.Application, limit int) ([]Entitlement, error)
	// ArchivedAt returns when the volume of the archive was made; zero: there is none.
	ArchivedAt(volume string) (time.Time, error)
	// Outages returns all declared outages.
	Outages() ([]Outage, error)
	// Counts returns the statistics of a service.
	Counts(of ident.Service) ([]Count, error)
	// Applicants returns how many applicants' last application to a service is in each state: each once, without a place
	// and a median.
	Applicants(of ident.Service) ([]Count, error)
	// RefusalCounts returns the reasons of a service's refusals.
	RefusalCounts(of ident.Service) ([]RefusalCount, error)
	// Performance returns how long a service takes in the whole country.
	Performance(of ident.Service) (Performance, error)
}

// Tx is what casework needs of an act.
type Tx interface {
	job.Tx
	document.Tx
	exchange.Tx
	notice.Tx
	Reader
	offer.Tx
	// SaveApplication stores a new or changed application under the act's key, its applicant.
	SaveApplication(application Application) error
	// SaveTask stores a new or changed task under the act's key, its application's applicant.
	SaveTask(task Task) error
	// AddAttachment stores an attachment under the act's key, its applicant.
	AddAttachment(attachment Attachment) error
	// AddRefusal stores a reason of a refusal under the act's key, the agency's; one that is there stays.
	AddRefusal(refusal Refusal) error
	UploadTx
	// SaveEntitlement stores a new or changed entitlement under the act's key, its holder.
	SaveEntitlement(entitlement Entitlement) error
	// SaveOutage stores an outage under the act's key, the platform's.
	SaveOutage(outage Outage) error
}

// Evidence is what casework needs of the exchange.
type Evidence interface {
	Inquire(ctx context.Context, within ident.Subject, requests ...exchange.Request) ([]exchange.Result, *exchange.Unkept)
	Answer(ctx context.Context, id ident.Exchange, of ident.Subject) (exchange.Answer, error)
	Related(ctx context.Context, relation string, of ident.Subject, request exchange.Request) ([]ident.Subject, error)
	AreRelated(ctx context.Context, relation string, one, other ident.Subject) (bool, error)
	RelatedTo(ctx context.Context, relation string, one ident.Subject) ([]ident.Subject, error)
}

// Composer writes the document of a granted application: the words, in the applicant's language and in the one that
// counts. Sent says who sent the application for its applicant; nil: they did.
type Composer interface {
	Compose(ctx context.Context, definition *service.Definition, application Application, outcome service.Outcome, sent *Represented, id ident.Document, now time.Time) (document.Draft, error)
}

// Config is what casework needs to work.
type Config struct {
	Store           act.Store[Reader, Tx]
	Vault           *seal.Vault
	Clock           act.Clock
	Catalogue       func() *service.Catalogue
	Evidence        Evidence
	Representatives Representatives // nil: nobody acts for anybody
	// Language returns in which language somebody is written to; nil: nobody is written to unasked.
	Language  func(context.Context, ident.Subject) (string, error)
	Documents *document.Issuer
	Composer  Composer
	Messenger Messenger
	// Adult reports whether somebody is of age. Nil: nobody confirms what a household asks for.
	Adult       func(context.Context, ident.Person) (bool, error)
	Calendar    *calendar.Calendar // without the declared outages
	Territories *territory.Tree
	Scheme      field.Scheme
	Queues      *queue.Queues
}

// Casework carries applications through their life. It is safe for concurrent use.
type Casework struct{ Config }

// New returns casework with the config.
func New(config Config) *Casework { return &Casework{config} }

// The limits that casework keeps.
const (
	draftDays     = 30 // a draft expires after so many days
	answerDays    = 15 // working days for an answer to an official's question; then the official decides on what there is
	mostWords     = 5_000
	firstRetry    = 2 * time.Second
	defaultAppeal = 22 // working days to contest, where the service names none
	defaultDecide = 15 // working days to decide an appeal, where the service names none
)

var (
	errChanged  = fault.New(fault.Conflict, "application.changed", "This application has changed since you opened it. Look at it again, then act.")
	errNotDraft = fault.New(fault.Conflict, "application.sent", "This application was already sent. Its answers cannot be changed any more; withdraw it or wait for a question.")
	errClosed   = fault.New(fault.Conflict, "application.closed", "This application is closed. Nothing can be done in it any more.")
	errArchived = fault.New(fault.Archived, "application.archived", "This application is closed, and the time for which its papers stay at hand is over: they were moved into an archive. Nothing can be done in it any more; what was issued stays valid as it says. Ask the agency that decided it if you need the papers.")
	errRunning  = fault.New(fault.Conflict, "application.in-force", "You receive this already. You need not apply again; if something has changed, it is looked at before the next payment.")
	errDrafts   = fault.New(fault.Conflict, "application.too-many-drafts", "You have 20 drafts. Send one or withdraw one before you begin another.")
	errOpen     = fault.New(fault.Conflict, "application.already-open", "There is an application to this service already, for you or for whom you ask, that is not decided yet. Wait for the decision, or withdraw it first.")
	errMostOpen = fault.New(fault.Conflict, "application.too-many-open", "Several of your applications to this service are not decided yet, as many as one person may have open at a time. Wait for a decision, or withdraw one first.")
	errUnknown  = fault.New(fault.NotFound, "application.unknown", "There is no such application here, or it is not for you to see.")
)
