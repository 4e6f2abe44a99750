// Package country owns what differs between countries: identifiers, currency, calendar, territories, languages,
// sign-in.
//
// It hands a Profile, loaded from a folder of YAML and CSV, to whoever needs one of these. Nothing in Go knows a
// country; whoever runs the platform elsewhere writes another folder.
//
// The folder holds profile.yaml, calendar.yaml and the CSV files that profile.yaml names for the territories. Texts are
// maps from a language tag (BCP 47) to words; each has at least the authoritative language.
//
// Invariants: a Profile never changes after Load, so it may be shared; what Load returns without an error is complete
// and consistent. An error of Load names file, line and column, what is wrong and what to do.
package country

import (
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/territory"
)

// Profile is one country.
type Profile struct {
	Code         string   // ISO 3166-1, two letters: "UZ"
	Names        Texts    // of the country
	Languages    []string // BCP 47 tags; the first is authoritative
	Location     *time.Location
	Currency     money.Currency
	Person       *Scheme // national identifier of a person
	Organisation *Scheme // national identifier of an organisation
	Account      *Scheme // bank account
	Phone        *Scheme
	SignIn       SignIn
	Supervision  Supervision
	OfAge        int // the age from which people act for themselves, and nobody as their parent
	Calendar     *calendar.Calendar
	Holidays     []Holiday     // what Calendar is made of, for people to read; in order of the file
	Decreed      calendar.Date // the last day for which movable days off are known; later ones may still be declared
	Territories  *territory.Tree
	Tiles        map[ident.Territory]Tile // where each stands on the map of tiles; not all need one
}

// Tile is a place on a map of tiles, counted from 0 in the north-west.
type Tile struct{ Column, Row int }

// Authoritative returns the language whose wording counts.
func (p *Profile) Authoritative() string { return p.Languages[0] }

// Speaks reports whether the country uses the language.
func (p *Profile) Speaks(language string) bool {
	for _, spoken := range p.Languages {
		if spoken == language {
			return true
		}
	}
	return false
}

// Texts is a text in several languages: BCP 47 tag to words. It is not to be changed.
type Texts map[string]string

// In returns the text in the first of the languages that it has, else "".
func (t Texts) In(languages ...string) string {
	for _, language := range languages {
		if text := t[language]; text != "" {
			return text
		}
	}
	return ""
}

// Supervision says who watches over personal data, beside the agency that keeps it.
type Supervision struct {
	Agency       ident.Agency // whose officers confirm erasures and whose registrars approve sensitive appointments; "" : none
	KeepPayments int          // for how many years the law keeps what was paid to whom
}

// SignIn says how people prove who they are.
type SignIn struct {
	Kind  string // "oidc", or the name of an adapter
	Names Texts  // what people call it
}

// Status says whether something is law or only stands for what a law will say.
type Status string

// The two states of a legal fact.
const (
	InForce      Status = "in-force"
	Illustrative Status = "illustrative"
)

// Holiday is one day that the calendar treats differently from its weekday.
type Holiday struct {
	Date    calendar.Date   // of the one day; zero where it comes every year
	Annual  calendar.Annual // of a day that comes every year; zero otherwise
	Working bool            // worked although its weekday is free
	Names   Texts
	Legal   string // the act that says so
	Status  Status
}
