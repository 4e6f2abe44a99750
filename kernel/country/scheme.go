package country

import (
	"regexp"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
)

// Sex is what a civil register records.
type Sex string

// The values of Sex.
const (
	Male   Sex = "male"
	Female Sex = "female"
)

// Scheme is one way to write an identifier: a person's, an organisation's, a bank account, a telephone number.
type Scheme struct {
	Name    string // as packs and columns name it
	Labels  Texts
	Example string // a well-formed one that belongs to nobody
	Source  string // the act or the document that defines the scheme

	pattern *regexp.Regexp // matches the whole text
	check   *checkDigit    // nil where the scheme has none, or where its rule is not published
	layout  []part         // nil where nothing but the pattern is known
	source  string         // the pattern as it stands in the profile
}

// Pattern returns the regular expression that a whole identifier matches, without anchors, for schemas and forms.
func (s *Scheme) Pattern() string { return s.source }

// checkDigit is a last character computed from those before it: the sum of each character's value (0 to 9, A = 10 to
// Z = 35) times its weight, modulo the modulus.
type checkDigit struct {
	weights    []int // from the left, repeated as often as needed
	modulus    int
	complement bool // the digit is what is missing to the next multiple of the modulus
}

// part is a run of characters with a meaning.
type part struct {
	kind   partKind
	digits int
	codes  map[cohort]string // of century-and-sex
}

type partKind string

const (
	partCentury partKind = "century-and-sex"
	partDay     partKind = "day"
	partMonth   partKind = "month"
	partYear    partKind = "year" // the last two digits
	partSerial  partKind = "serial"
	partFixed   partKind = "fixed" // always the same characters
	partCheck   partKind = "check"
)

// cohort is who shares the first digit of an identifier that tells century and sex.
type cohort struct {
	century int // its first year: 1900
	sex     Sex
}

// Validate reports whether the text is a well-formed identifier: its pattern, its check digit and the date in it are
// right. Whether it belongs to anyone is a register's question. The error never holds the text: it may be personal
// data.
func (s *Scheme) Validate(text string) error {
	malformed := fault.Newf(fault.Invalid, "country."+s.Name+"-malformed",
		"This is not a well-formed %s. Copy it whole from the document; it looks like %s.",
		s.Labels.In("en", s.first()), s.Example).In("country.malformed").With("example", s.Example)
	if !s.pattern.MatchString(text) {
		return malformed
	}
	if s.check != nil && !s.check.fits(text) {
		return fault.Newf(fault.Invalid, "country."+s.Name+"-mistyped",
			"A digit of this %s is mistyped: its check digit does not fit. Compare it with the document.",
			s.Labels.In("en", s.first())).In("country.mistyped")
	}
	if _, dated := s.BirthDate(text); s.dated() && !dated {
		return malformed
	}
	return nil
}

// first is any language that the label has, so that a message is never without the name of what it asks for.
func (s *Scheme) first() string {
	least := ""
	for language := range s.Labels {
		if least == "" || language < least {
			least = language
		}
	}
	return least
}

// length is how many bytes the parts of the layout make.
func (s *Scheme) length() int {
	n := 0
	for _, p := range s.layout {
		n += p.digits
	}
	return n
}

func (s *Scheme) dated() bool {
	for _, p := range s.layout {
		if p.kind == partCentury {
			return true
		}
	}
	return false
}

// BirthDate returns the date of birth that the identifier tells, and false if its scheme tells none or there is no such
// day.
func (s *Scheme) BirthDate(text string) (calendar.Date, bool) {
	birth, _, ok := s.read(text)
	return birth, ok
}

// Sex returns the sex that the identifier tells, and false if its scheme tells none.
func (s *Scheme) Sex(text string) (Sex, bool) {
	_, sex, ok := s.read(text)
	return sex, ok
}

func (s *Scheme) read(text string) (calendar.Date, Sex, bool) {
	if !s.dated() || len(text) != s.length() || !s.pattern.MatchString(text) {
		return calendar.Date{}, "", false
	}
	var century, year, month, day int
	var sex Sex
	for at, i := 0, 0; i < len(s.layout); i++ {
		p := s.layout[i]
		piece := text[at : at+p.digits]
		at += p.digits
		switch p.kind {
		case partCentury:
			for who, code := range p.codes {
				if code == piece {
					century, sex = who.century, who.sex
				}
			}
		case partYear:
			year = number(piece)
		case partMonth:
			month = number(piece)
		case partDay:
			day = number(piece)
		}
	}
	if sex == "" {
		return calendar.Date{}, "", false
	}
	birth, err := calendar.NewDate(century+year, time.Month(month), day)
	return birth, sex, err == nil
}

// Compose builds the identifier that the scheme gives to who was born on the day, with a serial number. It is for
// synthetic people: only the state gives real ones. An organisation's or an account's scheme ignores birth and sex.
func (s *Scheme) Compose(birth calendar.Date, sex Sex, serial int) (string, error) {
	if s.layout == nil {
		return "", fault.Newf(fault.Invalid, "country.no-layout",
			"The profile does not say how the identifier %s is composed. Declare its layout.", s.Name)
	}
	text := make([]byte, 0, 32)
	for _, p := range s.layout {
		switch p.kind {
		case partCentury:
			code, found := p.codes[cohort{birth.Year / 100 * 100, sex}]
			if !found {
				return "", fault.Newf(fault.Invalid, "country.no-cohort",
					"The identifier %s has no code for this century and sex. Declare it in the layout.", s.Name)
			}
			text = append(text, code...)
		case partDay:
			text = appendNumber(text, birth.Day, p.digits)
		case partMonth:
			text = appendNumber(text, int(birth.Month), p.digits)
		case partYear:
			text = appendNumber(text, birth.Year%100, p.digits)
		case partSerial:
			text = appendNumber(text, serial, p.digits)
		case partFixed:
			text = append(text, p.codes[cohort{}]...)
		case partCheck:
			digit, ok := s.check.digit(string(text))
			if !ok {
				return "", fault.Newf(fault.Invalid, "country.never-issued",
					"This serial number of %s has no check digit and is never issued. Take the next.", s.Name)
			}
			text = append(text, digit)
		}
	}
	return string(text), nil
}

// digit computes the check character of what stands before it; false where the remainder is no single character.
func (c *checkDigit) digit(before string) (byte, bool) {
	sum := 0
	for i := range len(before) {
		sum += value(before[i]) * c.weights[i%len(c.weights)]
	}
	rest := sum % c.modulus
	if c.complement {
		rest = (c.modulus - rest) % c.modulus
	}
	return byte('0' + rest), rest <= 9
}

func (c *checkDigit) fits(text string) bool {
	if text == "" {
		return false
	}
	digit, ok := c.digit(text[:len(text)-1])
	return ok && digit == text[len(text)-1]
}

// value is that of a character of an identifier: ISO 7064 counts letters on from the digits. Anything else is 0.
func value(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 0
}

func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = 10*n + value(digits[i])
	}
	return n
}

// appendNumber appends the last digits of n, with leading zeros.
func appendNumber(text []byte, n, digits int) []byte {
	at := len(text)
	for range digits {
		text = append(text, '0')
	}
	for i := at + digits - 1; i >= at; i-- {
		text[i] = byte('0' + n%10)
		n /= 10
	}
	return text
}
