// Package calendar owns dates, working days and deadlines.
//
// It hands dates and ages to rules, and deadlines to whoever must act in time. What a weekend is, which days are
// holidays and which were moved is data of the country profile.
//
// The rule of a deadline: the day on which something is received does not count; the deadline is the end of the n-th
// working day after it, in the country's time zone. "Three working days" received at any time on a Monday ends when
// Thursday ends.
//
// The rule of an outage: a day that a declared outage of the platform touches, be it for a minute, does not count. What
// the state's machine could not take is not charged to anyone who waits or works.
//
// Invariants: a Calendar never changes, so it may be shared; a longer term never ends earlier; an outage never makes a
// deadline earlier. A moment is in UTC; a deadline is the first moment at which it is too late.
package calendar

import (
	"time"

	"yagona/kernel/fault"
)

// maxAnnual keeps enough working days in every year: no country has as many annual holidays.
const maxAnnual = 60

// Annual is a day that comes every year: {time.March, 8}.
type Annual struct {
	Month time.Month
	Day   int
}

// Definition is what a country declares. Working wins over Off, Annual and Weekend.
type Definition struct {
	Location *time.Location // whose midnight ends a day
	Weekend  []time.Weekday // one to six days
	Annual   []Annual       // holidays of fixed date
	Off      []Date         // other days off: movable holidays, and days to which a day off was moved
	Working  []Date         // days that the above would make days off and that are worked instead
}

// Calendar tells working days from days off.
type Calendar struct {
	location *time.Location
	weekend  [7]bool
	annual   map[Annual]bool
	dated    map[Date]bool // true: worked, false: off
	outages  []span
}

// span is a run of days, first and last included.
type span struct{ first, last Date }

// New checks a definition and returns its calendar.
func New(definition Definition) (*Calendar, error) {
	c := &Calendar{
		location: definition.Location,
		annual:   make(map[Annual]bool, len(definition.Annual)),
		dated:    make(map[Date]bool, len(definition.Off)+len(definition.Working)),
	}
	if c.location == nil {
		return nil, invalid("The calendar has no time zone. Name one of the IANA database.")
	}
	working := 7
	for _, day := range definition.Weekend {
		if day < time.Sunday || day > time.Saturday || c.weekend[day] {
			return nil, invalid("A day of the weekend is unknown or named twice. Name each day once.")
		}
		c.weekend[day] = true
		working--
	}
	if working == 0 {
		return nil, invalid("No day of the week is left to work. Take a day out of the weekend.")
	}
	for _, day := range definition.Annual {
		// A leap year, so that 29 February is a day.
		if _, err := NewDate(2000, day.Month, day.Day); err != nil || c.annual[day] {
			return nil, invalid("An annual holiday is no day of the year or stands twice. Write each day once.")
		}
		c.annual[day] = true
	}
	if len(c.annual) > maxAnnual {
		return nil, invalid("The calendar has too many annual holidays. Write those of one day each.")
	}
	for _, day := range definition.Off {
		if _, found := c.dated[day]; found || day.IsZero() {
			return nil, invalid("A day off is empty or stands twice. Write each date once.")
		}
		c.dated[day] = false
	}
	for _, day := range definition.Working {
		if _, found := c.dated[day]; found || day.IsZero() {
			return nil, invalid("A working day is empty, stands twice, or is also a day off. Write each date once.")
		}
		c.dated[day] = true
	}
	return c, nil
}

func invalid(message string) error { return fault.New(fault.Invalid, "calendar.malformed", message) }

// Outage is a time in which the platform could not be used: from its first moment until the first moment after it.
type Outage struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// WithOutages returns a calendar in which the days that the outages touch do not count, in addition to those that
// already do not. An outage that still goes on is passed with the present as its end.
func (c *Calendar) WithOutages(outages ...Outage) (*Calendar, error) {
	with := *c
	with.outages = append([]span(nil), c.outages...)
	for _, outage := range outages {
		if !outage.From.Before(outage.Until) {
			return nil, fault.New(fault.Invalid, "calendar.outage-malformed",
				"An outage ends after it begins. Correct its times.")
		}
		last := outage.Until.Add(-time.Nanosecond)
		with.outages = append(with.outages, span{c.Date(outage.From), c.Date(last)})
	}
	return &with, nil
}

// Location returns the country's time zone.
func (c *Calendar) Location() *time.Location { return c.location }

// Date returns the date of the moment in the country.
func (c *Calendar) Date(moment time.Time) Date { return DateOf(moment, c.location) }

// IsWorking reports whether the day is worked: whether the law makes it a working day, outages or not.
func (c *Calendar) IsWorking(day Date) bool {
	if worked, found := c.dated[day]; found {
		return worked
	}
	return !c.weekend[day.Weekday()] && !c.annual[Annual{day.Month, day.Day}]
}

// Counts reports whether the day counts in a deadline: a working day that no outage touched.
func (c *Calendar) Counts(day Date) bool {
	for _, outage := range c.outages {
		if !day.Before(outage.first) && !day.After(outage.last) {
			return false
		}
	}
	return c.IsWorking(day)
}

// Add returns the n-th counting day after the day. Add of zero, or of less, is the day itself if it counts, else the
// next that does.
func (c *Calendar) Add(day Date, n int) Date {
	for n > 0 {
		if day = day.AddDays(1); c.Counts(day) {
			n--
		}
	}
	for !c.Counts(day) {
		day = day.AddDays(1)
	}
	return day
}

// Between returns how many days count after the one day, up to and including the other; 0 if the other is not later.
func (c *Calendar) Between(after, through Date) int {
	n := 0
	for day := after.AddDays(1); !day.After(through); day = day.AddDays(1) {
		if c.Counts(day) {
			n++
		}
	}
	return n
}

// Deadline returns the first moment, in UTC, that is too late for what was received at the moment and is due within n
// working days.
func (c *Calendar) Deadline(received time.Time, n int) time.Time {
	return c.Add(c.Date(received), n).End(c.location)
}
