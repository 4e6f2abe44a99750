// Package service owns what people may ask for: the compiled definition of a service, the catalogue of all, and the
// evaluation of a service's rules over answers and evidence.
//
// It hands definitions to casework, which carries applications through them, and to the pages and the API, which show
// them. A definition is data and compiled rules; nothing about one service is written in Go.
//
// Invariants: a definition never changes; a version is named by its hash, and running applications keep theirs.
package service

import (
	"slices"
	"strings"

	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// Definition is a service as a pack declares it, compiled (CPSV-AP public service).
type Definition struct {
	Path    ident.Service
	Hash    string // SHA-256 of what decides: definition, evidence types, rule library; hexadecimal
	Number  int    // the version as its authors count
	From    calendar.Date
	Agency  ident.Agency // the competent authority
	Title   wording.Text
	Summary wording.Text
	For     []string // kinds of applicant: person, organisation, household
	Events  []string // life and business events
	Legal   []Legal
	// Confidential: nobody acts for another in it or sees that it was asked for, and published is only how many applicants the country has.
	Confidential bool
	Notification bool // nobody decides: what is said is recorded, and officials take note of it

	Ask      []Question
	Evidence []Evidence
	Require  []Requirement
	Process  []Stage // empty: granted by rule alone
	Output   Output
	Start    ident.Evidence // whose change makes the platform offer it; empty: it waits to be asked for
	Together *Together      // others of the household confirm; nil: who applies is enough
	Fee      *Fee           // is paid before officials begin; nil: it costs nothing
	Places   *Places        // there are only so many; nil: enough for all
	Every    *Every         // the payment is made again in every period; nil: once
	Licence  *Licence       // it can be renewed and taken away; nil: it cannot
	Params   []Param
	Keep     Period // how long a closed case and its evidence stay at hand; zero: DefaultKeep
	// Appeal is how many working days a refused person has to contest, and who decides it.
	Appeal Appeal
}

// DefaultKeep is how long closed cases stay at hand where the service says nothing.
var DefaultKeep = Period{Months: 36}

// Legal is an act that the service stands on.
type Legal struct {
	Act     wording.Text
	Article wording.Text // nil: the whole act
	URL     string       // where it can be read; empty: nowhere that is known
	Status  string       // "in force" or "illustrative"
}

// In returns the act and its article in the first of the languages that has them.
func (l Legal) In(languages ...string) string {
	return strings.TrimSpace(l.Act.In(languages...) + " " + l.Article.In(languages...))
}

// Question is what only the applicant knows.
type Question struct {
	field.Definition
	When          *rules.Program // asked only if this is true over the answers before it; nil: always
	Term          string         // the information concept; empty if only the applicant can know
	OnlyApplicant wording.Text   // why no register knows; empty if it has a term
	Owner         string         // of a bank account: "applicant": its owner is confirmed before payment
}

// None says what it means that a register has no record.
type None string

// What no record can mean.
const (
	NoneRefuse None = "refuse" // the requirement is not met
	NoneAttest None = "attest" // an official checks and signs the values
	NoneAllow  None = "allow"  // the rules decide: has(name)
)

// Evidence is what the platform fetches itself.
type Evidence struct {
	Name     string
	Of       Of
	From     ident.Evidence
	Agency   ident.Agency // who answers
	Register ident.Register
	Title    wording.Text
	Type     rules.Type // of one answer
	Labels   map[string]wording.Text
	Missing  wording.Text // what a person reads who is refused because there is no record
	Fresh    Period       // how old an answer may be when the decision falls; zero: as old as the application
	None     None
}

// IsFor reports whether such a subject may ask for the service.
func (d *Definition) IsFor(subject ident.Subject) bool {
	return len(d.For) == 0 || slices.Contains(d.For, subject.Kind())
}

// Of says whom an evidence is about.
type Of struct {
	Relation string // empty: the applicant; otherwise "spouse", "children"
	Each     bool   // one answer for each of the related
}

// Period is a span of calendar time.
type Period struct{ Days, Months int }

// IsZero reports whether the period is empty.
func (p Period) IsZero() bool { return p == Period{} }

// After returns the date that lies the period after another.
func (p Period) After(date calendar.Date) calendar.Date {
	return date.AddMonths(p.Months).AddDays(p.Days)
}

// Before returns the date that lies the period before another.
func (p Period) Before(date calendar.Date) calendar.Date {
	return date.AddMonths(-p.Months).AddDays(-p.Days)
}

// Requirement is a rule that must be met (CCCEV criterion).
type Requirement struct {
	ID        string
	That      *rules.Program // bool
	Otherwise wording.Text   // what a refused person reads
	Private   bool           // it reads evidence about another adult: the applicant sees the result only
}

// Stage is a set of steps that run at the same time; the longest deadline counts.
type Stage struct{ Steps []Step }

// Late says what happens when nobody decides in time.
type Late string

// What silence means.
const (
	LateEscalate Late = "escalate" // the level above takes over
	LateRefuse   Late = "refuse"   // it counts as refused, and can be contested
	LateGrant    Late = "grant"    // it counts as consent; never where money follows
)

// Action is what an official may do in a step.
type Action string

// The actions.
const (
	Recommend Action = "recommend" // it goes on to the next stage
	Approve   Action = "approve"   // in the last stage: it is granted; in an earlier one: it goes on
	Ask       Action = "ask"       // the applicant is asked, the clock stops
	Refuse    Action = "refuse"    // it is refused, with reasons
	Note      Action = "note"      // of a notification: an official has taken note of it
)

// Step is a task of an official.
type Step struct {
	Name      string
	Title     wording.Text
	Agency    ident.Agency
	Role      ident.Role
	Territory *rules.Program // whose official: over ask, evidence; nil: the whole country
	Within    int            // working days
	Late      Late
	Silent    wording.Text // what a person reads who is refused because nobody decided in time
	Actions   []Action
	Form      []field.Definition // what the official records: an inspection
	Photos    Photos             // that the official takes: of an inspection
}

// Findings returns what the official records and photographs who takes the action. Who refuses need not have found
// everything: what cannot be done can neither be recorded nor photographed.
func (s Step) Findings(action Action) ([]field.Definition, Photos) {
	if action != Refuse {
		return s.Form, s.Photos
	}
	form, photos := slices.Clone(s.Form), s.Photos
	for i := range form {
		form[i].Optional = true
	}
	photos.Min = 0
	return form, photos
}

// Photos are the photos that an official takes in a step.
type Photos struct {
	Min, Max int
	Position bool // each with the place where it was taken
}

// Allows reports whether the step allows the action.
func (s Step) Allows(action Action) bool {
	for _, allowed := range s.Actions {
		if allowed == action {
			return true
		}
	}
	return false
}

// Output is what comes out of a granted application (CPSV-AP output).
type Output struct {
	Document *Document
	Payment  *Payment
	Record   *Record
}

// Document is the document that is issued.
type Document struct {
	Type  string
	Title wording.Text
	Valid Period // zero: without end
	Lines []Line
}

// Line is one fact that a document states.
type Line struct {
	Name  string
	Label wording.Text
	Is    *rules.Program
}

// Payment is the money that is paid.
type Payment struct {
	Amount *rules.Program // money
	To     string         // the question that asks for the account
	Fund   string
}

// Record is what is written into a register.
type Record struct {
	Register ident.Register
	Set      []Set
}

// Set is one field of a record.
type Set struct {
	Field string
	Is    *rules.Program
}

// Param is a legal amount or date with its history.
type Param struct {
	Name   string
	Type   rules.Type
	Values []ParamValue // oldest first
}

// ParamValue is the value in force from a day on.
type ParamValue struct {
	From   calendar.Date
	Value  any
	Source string
}

// On returns the value in force on the day, nil if there was none yet.
func (p Param) On(day calendar.Date) (value ParamValue, ok bool) {
	for _, one := range p.Values {
		if one.From.After(day) {
			break
		}
		value, ok = one, true
	}
	return value, ok
}

// Appeal says how a refusal is contested.
type Appeal struct {
	Within int        // working days after the refusal
	Role   ident.Role // who decides it; empty: the role of the last step
	Decide int        // working days for the decision
}

// Step returns the step with the name.
func (d *Definition) Step(name string) (stage int, step Step, ok bool) {
	for i, one := range d.Process {
		for _, step := range one.Steps {
			if step.Name == name {
				return i, step, true
			}
		}
	}
	return 0, Step{}, false
}

// Fields returns the questions' fields.
func (d *Definition) Fields() []field.Definition {
	fields := make([]field.Definition, len(d.Ask))
	for i, q := range d.Ask {
		fields[i] = q.Definition
	}
	return fields
}
