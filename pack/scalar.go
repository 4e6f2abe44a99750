package pack

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// reading is a single value of the language. Each kind checks its own text and tells its JSON Schema, so that the
// reader and the editor's schema cannot say different things.
type reading interface {
	// read takes the text of a node, or says what is wrong and what to do.
	read(n *node) (wrong, hint wording.Phrase)
	// schema is the JSON Schema of the value.
	schema() map[string]any
}

// mark is where a value stands; a value that was not given has none.
type mark struct{ node *node }

func (m mark) given() bool { return m.node != nil }

func (m mark) source() *node { return m.node }

func (m *mark) markAt(n *node) { m.node = n }

func (m mark) place() place {
	if m.node == nil {
		return place{}
	}
	return m.node.at
}

// name is a word that an agency chose: "youth-agency".
type name struct {
	mark
	text string
}

const namePattern = `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`

func (v *name) read(n *node) (wrong, hint wording.Phrase) {
	if !ident.IsName(n.text) {
		return phrase("%s is no name", n.describe()), phrase("write lower-case Latin letters and digits, words joined by hyphens")
	}
	v.text = n.text
	return wording.Phrase{}, wording.Phrase{}
}

func (*name) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": namePattern, "maxLength": 64}
}

// qualified is a name in a pack: "employment/unemployment".
type qualified struct {
	mark
	text string
}

func (v *qualified) read(n *node) (wrong, hint wording.Phrase) {
	if !ident.IsPath(n.text) {
		return phrase("%s names nothing in a pack", n.describe()), phrase("write the pack's name, a slash and the name: employment/unemployment")
	}
	v.text = n.text
	return wording.Phrase{}, wording.Phrase{}
}

func (*qualified) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": `^[a-z][a-z0-9]*(-[a-z0-9]+)*/[a-z][a-z0-9]*(-[a-z0-9]+)*$`}
}

// textLimit is how many characters a text for people may have.
const textLimit = 2000

// text is words for people, in the pack's language; the other languages stand in the locale.
type text struct {
	mark
	text string
}

func (v *text) read(n *node) (wrong, hint wording.Phrase) {
	v.text = strings.Join(strings.Fields(n.text), " ")
	switch {
	case v.text == "":
		return phrase("the text is empty"), phrase("write what people read here")
	case utf8.RuneCountInString(v.text) > textLimit:
		return phrase("the text is too long"), phrase("write at most %d characters", textLimit)
	}
	return wording.Phrase{}, wording.Phrase{}
}

func (*text) schema() map[string]any { return map[string]any{"type": "string", "minLength": 1} }

// word is any short text that is not for people: an address, a term, an amount to be read later.
type word struct {
	mark
	text string
}

func (v *word) read(n *node) (wrong, hint wording.Phrase) {
	v.text = n.text
	if n.text == "" {
		return phrase("the value is empty"), phrase("write a value, or remove the key")
	}
	return wording.Phrase{}, wording.Phrase{}
}

func (*word) schema() map[string]any {
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

// term names an information concept (CCCEV): "person.unemployed". Its first word says of whom.
type term struct {
	mark
	text string
}

var termPattern = regexp.MustCompile(`^(person|organisation|household)\.[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$`)

func (v *term) read(n *node) (wrong, hint wording.Phrase) {
	if !termPattern.MatchString(n.text) {
		return phrase("%s is no term", n.describe()), phrase("write of whom, a dot and the concept: person.unemployed")
	}
	v.text = n.text
	return wording.Phrase{}, wording.Phrase{}
}

func (*term) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": termPattern.String()}
}

// expression is a rule in CEL.
type expression struct {
	mark
	text string
}

func (v *expression) read(n *node) (wrong, hint wording.Phrase) {
	v.text = n.text
	if strings.TrimSpace(n.text) == "" {
		return phrase("the expression is empty"), phrase("write a rule, such as unemployment.registered")
	}
	return wording.Phrase{}, wording.Phrase{}
}

func (*expression) schema() map[string]any {
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

// date is a day.
type date struct {
	mark
	day calendar.Date
}

func (v *date) read(n *node) (wrong, hint wording.Phrase) {
	day, err := calendar.ParseDate(n.text)
	if err != nil {
		return phrase("%s is no date", n.describe()), phrase("write year, month and day: 2026-03-01")
	}
	v.day = day
	return wording.Phrase{}, wording.Phrase{}
}

func (*date) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": `^\d{4}-\d{2}-\d{2}$`}
}

// number is a whole number.
type number struct {
	mark
	value int64
}

var digits = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (v *number) read(n *node) (wrong, hint wording.Phrase) {
	value, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil || !digits.MatchString(n.text) || n.style != plain {
		return phrase("%s is no whole number", n.describe()), phrase("write digits only, without a leading zero")
	}
	v.value = value
	return wording.Phrase{}, wording.Phrase{}
}

func (*number) schema() map[string]any { return map[string]any{"type": "integer"} }

// flag is yes or no.
type flag struct {
	mark
	value bool
}

func (v *flag) read(n *node) (wrong, hint wording.Phrase) {
	v.value = n.text == "true"
	if n.text != "true" && n.text != "false" || n.style != plain {
		return phrase("%s is neither true nor false", n.describe()), phrase("write true or false")
	}
	return wording.Phrase{}, wording.Phrase{}
}

func (*flag) schema() map[string]any { return map[string]any{"type": "boolean"} }

// span is a span of calendar time: "1 day", "6 months", "1 year".
type span struct {
	mark
	period service.Period
}

// longestYears is how long anything can be valid: what should last for ever has no span.
const longestYears = 100

var spanPattern = regexp.MustCompile(`^([1-9][0-9]{0,3}) (day|month|year)s?$`)

func (v *span) read(n *node) (wrong, hint wording.Phrase) {
	m := spanPattern.FindStringSubmatch(n.text)
	if m == nil {
		return phrase("%s is no span of time", n.describe()), phrase("write 1 day, 30 days, 6 months or 1 year")
	}
	count, _ := strconv.Atoi(m[1]) // at most four digits
	switch m[2] {
	case "day":
		v.period.Days = count
	case "month":
		v.period.Months = count
	default:
		v.period.Months = 12 * count
	}
	if v.period.Months > 12*longestYears || v.period.Days > 366*longestYears {
		return phrase("%s is too long", n.describe()), phrase("write at most %d years", longestYears)
	}
	return wording.Phrase{}, wording.Phrase{}
}

func (*span) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": spanPattern.String()}
}

// retention is a span of time for which something stays at hand. It decides nothing: a service is the same version with
// another one.
type retention struct{ span }

// workingDays is a deadline: "3 working days".
type workingDays struct {
	mark
	days int
}

var workingDaysPattern = regexp.MustCompile(`^([1-9][0-9]{0,2}) working days?$`)

func (v *workingDays) read(n *node) (wrong, hint wording.Phrase) {
	m := workingDaysPattern.FindStringSubmatch(n.text)
	if m == nil {
		return phrase("%s is no deadline", n.describe()), phrase("write 3 working days")
	}
	v.days, _ = strconv.Atoi(m[1]) // at most three digits
	return wording.Phrase{}, wording.Phrase{}
}

func (*workingDays) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": workingDaysPattern.String()}
}

// about says whom an evidence is about: "applicant", "applicant.spouse", "each applicant.children".
type about struct {
	mark
	of service.Of
}

var aboutPattern = regexp.MustCompile(`^(each )?applicant(\.([a-z][a-z0-9]*(-[a-z0-9]+)*))?$`)

func (v *about) read(n *node) (wrong, hint wording.Phrase) {
	m := aboutPattern.FindStringSubmatch(n.text)
	if m == nil || m[1] != "" && m[3] == "" {
		return phrase("%s says not whom it is about", n.describe()), phrase("write applicant, applicant.spouse or each applicant.children")
	}
	v.of = service.Of{Relation: m[3], Each: m[1] != ""}
	return wording.Phrase{}, wording.Phrase{}
}

func (*about) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": aboutPattern.String()}
}

// options are the words that a choice allows.
type options interface {
	~string
	options() []string
}

// choice is one of a few words.
type choice[T options] struct {
	mark
	value T
}

func (v *choice[T]) read(n *node) (wrong, hint wording.Phrase) {
	if allowed := v.value.options(); !slices.Contains(allowed, n.text) {
		return phrase("%s is not possible here", n.describe()), oneOf(n.text, allowed)
	}
	v.value = T(n.text)
	return wording.Phrase{}, wording.Phrase{}
}

func (v *choice[T]) schema() map[string]any { return map[string]any{"enum": v.value.options()} }

// anything is a value whose type is known only when it is used: an example's answer, a constant of an adapter.
type anything struct{ mark }

func (*anything) read(*node) (wrong, hint wording.Phrase) { return }

func (*anything) schema() map[string]any { return map[string]any{} }
