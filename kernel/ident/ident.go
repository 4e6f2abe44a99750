// Package ident owns the identifiers of the platform: each thing has its own type, so that a person is never taken for
// an application.
//
// Identifiers are made by the application, not by a database: they are UUIDs in lower-case text. What is born in an act
// is version 7 (ordered by time); a person, an organisation and a household are version 4 (random: the id must tell
// nothing, and a national number is an attribute, never an id). A name that an agency chose (a service, a register, an
// agency, a role) is a plain word, checked by ParseName.
package ident

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"yagona/kernel/fault"
)

// Identifiers of things that are born in an act (UUID version 7) or are subjects (UUID version 4).
type (
	Person       string // a human being
	Organisation string // a legal entity
	Household    string // people who live together, as a register says
	Application  string // one request for a service
	Task         string // one step of an application that waits for an official
	Event        string // one entry of the journal
	Job          string // something that must happen later
	Exchange     string // one question for evidence and its answer
	Record       string // one record of a register, through all its versions
	Document     string // one issued document
	Transfer     string // one movement between two accounts
	Order        string // one payment order
	Session      string // one signed-in browser or program
	Appointment  string // one person in one role of one agency, for a territory and a time
	Publication  string // one published pack
	Correction   string // one request to correct what a register says
	Mandate      string // one person's leave for another to act for them
	Simulation   string // one evaluation of a changed rule over all residents
	Import       string // one notebook that was taken into a register
)

// Names that people choose.
type (
	Agency    string // a competent authority: "youth-agency"
	Role      string // what an official is: "youth-leader"
	Territory string // the code of a territory in the country profile: "1726290"
	Service   string // "youth/tools-subsidy": pack, then service
	Register  string // "employment/unemployed": pack, then register
	Evidence  string // "employment/unemployment": pack, then evidence type
	Indicator string // "employment/unemployed-share": pack, then indicator
	Account   string // an account of the ledger: "fund:youth-fund"
)

// Subject is whose data something is: "person:…", "organisation:…" or "household:…".
type Subject string

// Subject returns the person as the owner of data.
func (p Person) Subject() Subject { return Subject("person:" + p) }

// Subject returns the organisation as the owner of data.
func (o Organisation) Subject() Subject { return Subject("organisation:" + o) }

// Subject returns the household as the owner of data.
func (h Household) Subject() Subject { return Subject("household:" + h) }

// Kind returns "person", "organisation" or "household".
func (s Subject) Kind() string { kind, _, _ := strings.Cut(string(s), ":"); return kind }

// Person returns the person that the subject is, and false if it is no person.
func (s Subject) Person() (Person, bool) {
	id, ok := strings.CutPrefix(string(s), "person:")
	return Person(id), ok
}

// New returns an identifier of something that is born at the given time.
func New[T ~string](at time.Time) T {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // the machine has no randomness: nothing may go on
	}
	// The time is the act's own, not the machine's: the first 48 bits are milliseconds since 1970 (RFC 9562, 5.7).
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	// The next 12 bits are the fraction of the millisecond (RFC 9562, 6.2, method 3), so that identifiers made one after
	// another stand in order; what follows is random.
	fraction := uint16(at.Nanosecond() % 1_000_000 * 4096 / 1_000_000)
	id[6] = 0x70 | byte(fraction>>8)
	id[7] = byte(fraction)
	return T(id.String())
}

// At returns when something was born whose identifier New made, to the millisecond; zero for another identifier.
func At[T ~string](id T) time.Time {
	parsed, err := uuid.Parse(string(id))
	if err != nil || parsed.Version() != 7 {
		return time.Time{}
	}
	var ms int64
	for _, one := range parsed[:6] {
		ms = ms<<8 | int64(one)
	}
	return time.UnixMilli(ms).UTC()
}

// From returns the bound between identifiers of what was born before the millisecond and from it on: those are less.
func From[T ~string](at time.Time) T {
	ms := at.UnixMilli()
	return T(fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff))
}

// Random returns an identifier that tells nothing: of a person, an organisation, a household.
func Random[T ~string]() T { return T(uuid.NewString()) }

// Parse checks that text is an identifier in canonical form.
func Parse[T ~string](text string) (T, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return "", fault.New(fault.Invalid, "ident.malformed", "This is not an identifier. Copy it whole from where you found it.")
	}
	return T(text), nil
}

// ParseSubject checks that text names a subject.
func ParseSubject(text string) (Subject, error) {
	kind, id, _ := strings.Cut(text, ":")
	switch kind {
	case "person", "organisation", "household":
		if _, err := Parse[string](id); err != nil {
			return "", err
		}
		return Subject(text), nil
	}
	return "", fault.New(fault.Invalid, "ident.malformed", "A subject is person:…, organisation:… or household:….")
}

var name = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// IsName reports whether text is a name as agencies choose them: lower-case Latin words joined by hyphens, at most 64
// characters.
func IsName(text string) bool { return len(text) <= 64 && name.MatchString(text) }

// IsPath reports whether text is a pack's name, a slash, and a name: "youth/tools-subsidy".
func IsPath(text string) bool {
	pack, rest, ok := strings.Cut(text, "/")
	return ok && IsName(pack) && IsName(rest)
}
