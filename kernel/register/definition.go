package register

import (
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// Held says where a register's records are.
type Held string

// Where a register can be held.
const (
	HeldHere    Held = "here"    // in this installation
	HeldNode    Held = "node"    // in another agency's installation
	HeldAdapter Held = "adapter" // in an existing system, behind HTTP
)

// Definition is a register as a pack declares it, compiled.
type Definition struct {
	Path      ident.Register
	Agency    ident.Agency // keeps it and answers for it
	Held      Held
	Title     wording.Text
	Subject   string // the field whose person, organisation or household each record is about; empty: about nobody
	Fields    []field.Definition
	Unique    [][]string // fields whose values together are unique in the register
	Index     [][]string // fields by which records are found
	Evidence  []EvidenceType
	Relations []Relation
	Writers   []ident.Service // services of other agencies that may write records
	Adapter   *Adapter        // of a register behind an adapter
	Delay     *Delay          // the law delays what subjects see of disclosures; nil: they see them at once
}

// Delay is what a law says about telling subjects of disclosures later.
type Delay struct {
	Days  int    // calendar days after the disclosure
	Legal string // the law that says so, as the subject reads it afterwards
}

// EvidenceType is a question that others may ask: an answer, not the record (CCCEV evidence type).
type EvidenceType struct {
	Path     ident.Evidence // pack, then name
	Register ident.Register
	Agency   ident.Agency
	Title    wording.Text
	Of       string         // the field that names whom it is about
	Where    *rules.Program // which records count (bool over record and today); nil: all. Of several, the newest counts.
	Answer   []Answer
	For      []Grant
}

// Answer is one value of an evidence type's answer.
type Answer struct {
	Name     string
	Label    wording.Text
	Type     rules.Type
	Is       *rules.Program // over record
	Optional bool           // it may be absent
	Term     string         // the information concept (CCCEV) that it answers: "person.unemployed"
}

// Type returns the type of the whole answer.
func (e EvidenceType) Type() rules.Type {
	var of []rules.Field
	for _, a := range e.Answer {
		of = append(of, rules.Field{Name: a.Name, Type: a.Type, Optional: a.Optional})
	}
	return rules.ObjectOf(of...)
}

// Grant is one service that may ask, for the purposes.
type Grant struct {
	Service  ident.Service
	Purposes []access.Purpose
}

// Relation tells how a register relates its subject to others: their spouse, their children, those they live with.
type Relation struct {
	Name  string         // "spouse", "children", "household"
	Where *rules.Program // which records count (bool over record and today); nil: all
	To    string         // the field that names the related person; or
	Same  string         // the field whose value the related share
	Many  bool           // several may be related

	Represents Represents // whom the subject may act for by this relation; empty: nobody

	For []Grant // the services that may be told; the platform's own checks need no grant
}

// Represents says for whom a relation lets its subject act.
type Represents string

// Whom a subject may represent.
const (
	RepresentsMinor        Represents = "minor"        // the related person, until they come of age
	RepresentsOrganisation Represents = "organisation" // the related organisation
)

// Grants reports whether the service may be told for the purpose who is related.
func (r Relation) Grants(service ident.Service, purpose access.Purpose) bool {
	return grants(r.For, service, purpose)
}

// Takes reports whether a service of the agency may write records: one of the register's own agency, or one of its
// writers.
func (d *Definition) Takes(service ident.Service, of ident.Agency) bool {
	return of != "" && of == d.Agency || slices.Contains(d.Writers, service)
}

// Says reports whether the name is one of the register's fields or of what it answers; the empty name is the whole record.
func (d *Definition) Says(name string) bool {
	_, found := field.Find(d.Fields, name)
	return found || name == "" || slices.ContainsFunc(d.Evidence, func(evidence EvidenceType) bool {
		return slices.ContainsFunc(evidence.Answer, func(answer Answer) bool { return answer.Name == name })
	})
}

// Adapter says how an existing HTTP system is asked.
type Adapter struct {
	Method  string            // GET or POST
	URL     string            // with {number} and {person} for whom it is asked about
	Header  map[string]string // {secret.NAME} is taken from the configuration
	Body    string            // of a POST, with the same variables
	Timeout time.Duration
	None    []int                        // HTTP statuses that mean that there is no record
	Fields  map[string]string            // field of the register: JSON pointer (RFC 6901) into the answer
	Values  map[string]map[string]string // field: what the system says → what the register says
	Double  []Double                     // the test double's answers
}

// Double is one answer of an adapter's test double.
type Double struct {
	Number string         // whom it is about; empty: everybody else
	Status int            // HTTP
	After  time.Duration  // how long it takes
	Answer map[string]any // the JSON body
	Fail   int            // how many times it fails first
}
