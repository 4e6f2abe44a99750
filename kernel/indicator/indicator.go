// Package indicator owns what is counted: measures over registers and services, for each territory and month, beside the
// target that was promised.
//
// It hands figures to the pages, the API and whoever plans. A figure is a numerator, mostly over a denominator. Each is
// either what holds at a month's end (registered unemployed people) or what happened in the month (certificates given).
//
// The counts follow the log: each event says which rows its act wrote, and so which sources changed (one person's records,
// one record about nobody, one application). What a source contributes now is worked out over all months, and the difference
// to what it contributed before is added; both stand under the indicator's key and change in one act, many sources at a
// time. So nothing is scanned but what changed, what is looked at twice counts once, an act pays nothing for being counted,
// and counting all anew gives the same figures.
//
// What a source contributed is kept under a keyed hash of the indicator and the source: it can be found again, and tells
// nobody whose it is.
//
// Invariants: a figure changes only with a source or with the indicator's own measures (which begin a new count, under a
// key of its own); each territory's figure is that of the territories below it and of what lies in none of them; nothing
// is published of fewer than five.
package indicator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// Unit is what an indicator's values are.
type Unit string

// The units.
const (
	Number      Unit = "number"       // the numerator alone
	Percent     Unit = "percent"      // numerator of a hundred of the denominator
	PerThousand Unit = "per-thousand" // numerator of a thousand of the denominator
	Average     Unit = "average"      // numerator for each one of the denominator: days for each decision
)

// Period is over how many months what happens is added up.
type Period string

// The periods.
const (
	EachMonth Period = "month"
	EachYear  Period = "year" // the twelve months that end with the figure's
)

// Definition is an indicator as a pack declares it, compiled.
type Definition struct {
	Path        ident.Indicator
	Agency      ident.Agency // answers for it
	Title       wording.Text
	Summary     wording.Text
	Unit        Unit
	Period      Period
	Since       Month // the first of which figures are kept
	Numerator   Measure
	Denominator *Measure // nil: the unit is Number
	Target      *Target  // nil: none was set
	Source      []service.Legal
}

// Measure is what is counted, in a register or in services.
type Measure struct {
	Register ident.Register
	Where    *rules.Program // bool over record: which records count; nil: all
	Value    *rules.Program // int over record: what each counts; nil: 1
	On       *rules.Program // date over record: it counts as what happened on that day; nil: as what holds
	Field    string         // of the record: the territory it counts for; or
	Place    *Place         // where its subject is; neither: only for the whole country

	Services []ident.Service
	Count    Count
}

// Place says where a subject is, by an answer of an evidence type about them.
type Place struct {
	Register ident.Register
	Where    *rules.Program
	Is       *rules.Program // territory over record
}

// Count is what of applications is counted.
type Count string

// What can be counted.
const (
	Received Count = "received" // in the month in which they were
	Waiting  Count = "waiting"  // received and not decided, as it is at the month's end
	Decided  Count = "decided"  // granted or refused, in the month in which they were
	Granted  Count = "granted"
	Refused  Count = "refused"
	Days     Count = "days" // from receipt to decision, of those decided in the month
)

// Counts are all that can be counted of applications.
var Counts = []Count{Received, Waiting, Decided, Granted, Refused, Days}

// Holds reports whether the measure is of what holds at a month's end, not of what happened in it.
func (m Measure) Holds() bool { return m.Register != "" && m.On == nil || m.Count == Waiting }

// Reads returns the registers that the measure is made from.
func (m Measure) Reads() (registers []ident.Register) {
	if m.Register != "" {
		registers = append(registers, m.Register)
	}
	if m.Place != nil {
		registers = append(registers, m.Place.Register)
	}
	return registers
}

// Measures returns the numerator and, if there is one, the denominator.
func (d *Definition) Measures() []Measure {
	if d.Denominator == nil {
		return []Measure{d.Numerator}
	}
	return []Measure{d.Numerator, *d.Denominator}
}

// counts reports whether what was written of the source may change the indicator.
func (d *Definition) counts(from source) bool {
	return slices.ContainsFunc(d.Measures(), func(m Measure) bool {
		if from.application != nil {
			return slices.Contains(m.Services, from.application.Service)
		}
		return slices.ContainsFunc(m.Reads(), func(path ident.Register) bool { return slices.Contains(from.wrote, path) })
	})
}

// Target is what was promised.
type Target struct {
	Least bool  // at least the value, not at most
	Value int64 // in the indicator's unit
	By    calendar.Date
}

// Month is a month of the calendar: twelve for each year.
type Month int

// MonthOf returns the month of a day.
func MonthOf(day calendar.Date) Month { return Month(day.Year*12 + int(day.Month) - 1) }

// First returns the month's first day.
func (m Month) First() calendar.Date {
	return calendar.Date{Year: int(m) / 12, Month: time.Month(int(m)%12 + 1), Day: 1}
}

// String returns the month as "2026-03".
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", int(m)/12, int(m)%12+1) }

// Key returns what the count is distributed by. It names what is measured: whoever measures something else begins anew,
// and what was counted before stays.
func (d *Definition) Key() act.Key {
	encoded, err := json.Marshal([]any{d.Since, said(d.Measures())})
	if err != nil {
		panic(err) // texts and numbers
	}
	sum := sha256.Sum256(encoded)
	return act.Key("indicator:" + string(d.Path) + ":" + hex.EncodeToString(sum[:8]))
}

// said returns measures as what is digested of them.
func said(measures []Measure) (all [][]string) {
	source := func(p *rules.Program) string {
		if p == nil {
			return ""
		}
		return p.Source()
	}
	for _, m := range measures {
		one := []string{string(m.Register), source(m.Where), source(m.Value), source(m.On), m.Field, string(m.Count)}
		if m.Place != nil {
			one = append(one, "place", string(m.Place.Register), source(m.Place.Where), source(m.Place.Is))
		}
		for _, of := range m.Services {
			one = append(one, "service", string(of))
		}
		all = append(all, one)
	}
	return all
}

// ErrUnknown is what asking for an indicator gives that no pack declares.
var ErrUnknown = fault.New(fault.NotFound, "indicator.unknown", "There is no such indicator. Look at the list of indicators.")

// Catalogue is all indicators of the packs in force. It is immutable.
type Catalogue struct{ all []*Definition }

// NewCatalogue returns the catalogue of the definitions.
func NewCatalogue(all []*Definition) *Catalogue { return &Catalogue{all} }

// All returns the indicators in the order of the packs.
func (c *Catalogue) All() []*Definition { return slices.Clone(c.all) }

// Indicator returns one, or ErrUnknown.
func (c *Catalogue) Indicator(path ident.Indicator) (*Definition, error) {
	for _, one := range c.all {
		if one.Path == path {
			return one, nil
		}
	}
	return nil, ErrUnknown
}
