package calendar

import (
	"time"

	"yagona/kernel/fault"
)

// Date is a day of the civil (proleptic Gregorian) calendar, without a time and without a time zone: a birthday is
// the same date wherever one stands. Its text and JSON form is ISO 8601: "2026-03-02". The zero Date is no date; its
// text is empty.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// NewDate returns the date, or an error if there is no such day.
func NewDate(year int, month time.Month, day int) (Date, error) {
	date := Date{year, month, day}
	if year < 1 || year > 9999 || dateOf(date.midnight()) != date {
		return Date{}, malformedDate()
	}
	return date, nil
}

// ParseDate reads "2026-03-02", and nothing else.
func ParseDate(text string) (Date, error) {
	if len(text) != len(time.DateOnly) {
		return Date{}, malformedDate()
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1 {
		return Date{}, malformedDate()
	}
	return dateOf(t), nil
}

func malformedDate() error {
	return fault.New(fault.Invalid, "calendar.date-malformed",
		"There is no such date. Write year, month and day, like 2026-03-02.")
}

// DateOf returns the date that the moment has in the location.
func DateOf(moment time.Time, location *time.Location) Date { return dateOf(moment.In(location)) }

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// midnight is the date as a moment in UTC, for arithmetic.
func (d Date) midnight() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Start returns the first moment of the day in the location, in UTC.
func (d Date) Start(location *time.Location) time.Time {
	start := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, location)
	// Where clocks go forward at midnight, 00:00 does not exist and time.Date may answer with the day before.
	for dateOf(start) != d {
		start = start.Add(30 * time.Minute)
	}
	return start.UTC()
}

// End returns the first moment that is no longer in the day, in UTC.
func (d Date) End(location *time.Location) time.Time { return d.AddDays(1).Start(location) }

// String returns the ISO form, "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.midnight().Format(time.DateOnly)
}

// MarshalText returns the ISO form.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the ISO form; an empty text is the zero Date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	date, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = date
	return nil
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Compare returns -1, 0 or 1 as d is before, on or after other.
func (d Date) Compare(other Date) int { return d.midnight().Compare(other.midnight()) }

// Before reports whether d is earlier than other.
func (d Date) Before(other Date) bool { return d.Compare(other) < 0 }

// After reports whether d is later than other.
func (d Date) After(other Date) bool { return d.Compare(other) > 0 }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.midnight().Weekday() }

// AddDays returns the date n days later, or earlier where n is negative.
func (d Date) AddDays(n int) Date { return dateOf(d.midnight().AddDate(0, 0, n)) }

// AddMonths returns the same day n months later; where that month has no such day, its last day. Twelve months are a
// year. A term counted in months or years ends on the corresponding day, or on the last day of a month that lacks it,
// as civil codes commonly have it.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, last)}
}

// DaysUntil returns how many days after d the other date is; negative if it is before.
func (d Date) DaysUntil(other Date) int {
	const day = 24 * 60 * 60
	return int((other.midnight().Unix() - d.midnight().Unix()) / day)
}

// Age returns the whole years that someone born on birth has completed on the day. The year is completed at the start
// of the birthday. Who was born on 29 February completes it on 1 March of a year that is no leap year, so that no
// year counts before it is wholly lived. Before the birth the age is negative.
func Age(birth, on Date) int {
	years := on.Year - birth.Year
	if on.Month < birth.Month || (on.Month == birth.Month && on.Day < birth.Day) {
		years--
	}
	return years
}
