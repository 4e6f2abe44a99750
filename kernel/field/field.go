// Package field owns the typed values that people and programs fill in: a question to an applicant, a field of a
// register's record, a field of an official's form. One definition drives the web form, the API's schema, the import
// and the rules.
//
// Values are those of package rules: bool, int64, string, calendar.Date, money.Amount, ident.Territory, ident.Subject,
// []any. In JSON, money is a whole number of minor units, a date is "2026-03-02", everything else is plain.
//
// Lengths of texts are counted in characters.
package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// Kind is a field's kind as it stands in a pack.
type Kind string

// The kinds of field.
const (
	Text         Kind = "text"
	LongText     Kind = "long-text"
	Int          Kind = "int"
	Bool         Kind = "bool"
	Money        Kind = "money"
	Date         Kind = "date"
	Choice       Kind = "choice"
	Person       Kind = "person"       // a person known to the platform
	Organisation Kind = "organisation" // an organisation known to the platform
	Household    Kind = "household"
	Territory    Kind = "territory"
	BankAccount  Kind = "bank-account" // as the country profile declares it
	Phone        Kind = "phone"        // as the country profile declares it
	List         Kind = "list"         // repeated groups of Fields
)

// Kinds are all kinds, in the order in which documentation lists them.
var Kinds = []Kind{Text, LongText, Int, Bool, Money, Date, Choice, Person, Organisation, Household, Territory, BankAccount, Phone, List}

// Option is one of the answers to a choice.
type Option struct {
	Value string
	Label wording.Text
}

// Definition is a field.
type Definition struct {
	Name     string // letters, digits, underscores: as rules name it
	Kind     Kind
	Label    wording.Text
	Hint     wording.Text // empty: none
	Options  []Option     // of a choice
	Level    string       // of a territory: the level it must have; empty: any
	Optional bool
	// Min and Max bound a number, an amount in minor units, a text's characters, a list's length; nil: unbounded (a text
	// has at most 200 characters, a long text 5,000, a list 20 groups).
	Min, Max *int64
	// Earliest and Latest bound a date; zero: unbounded.
	Earliest, Latest calendar.Date
	NotBefore        string         // of a date: the date field among the same fields whose day it may not precede; empty: none
	Pattern          *regexp.Regexp // of a text; nil: any
	Fields           []Definition   // of a list: each group's
}

// Scheme checks what a country profile declares: a bank account, a phone number, a territory's level.
type Scheme interface {
	// CheckBankAccount returns the account in canonical form, or a fault.
	CheckBankAccount(text string) (string, error)
	// CheckPhone returns the number in canonical form, or a fault.
	CheckPhone(text string) (string, error)
	// CheckTerritory checks that there is such a territory, of the level if one is named.
	CheckTerritory(code ident.Territory, level string) error
	// ParseMoney returns the amount that a person wrote, without or with the currency.
	ParseMoney(text string) (money.Amount, error)
}

// Type returns the field's type in rules, with the bounds that every checked value keeps.
func (d Definition) Type() rules.Type {
	of := d.unbounded()
	switch d.Kind {
	case Int:
		return of.WithBounds(d.between(rules.Int.Bounds()))
	case Money:
		within := rules.Money.Bounds()
		within.Low = 0 // an amount is never negative unless min says so
		return of.WithBounds(d.between(within))
	case Date:
		return of.WithBounds(rules.DaysBetween(d.Earliest, d.Latest))
	case Text, LongText, BankAccount, Phone:
		within := rules.Interval{Low: 1, High: d.mostLetters()}
		if d.Optional {
			within.Low = 0
		}
		return of.WithBounds(d.between(within))
	case List:
		return of.WithBounds(d.between(rules.Interval{Low: 0, High: mostGroups}))
	}
	return of
}

// between lays Min and Max over the interval.
func (d Definition) between(within rules.Interval) rules.Interval {
	if d.Min != nil {
		within.Low = *d.Min
	}
	if d.Max != nil {
		within.High = *d.Max
	}
	return within
}

// mostLetters is how long a text may be where the definition names no Max.
func (d Definition) mostLetters() int64 {
	if d.Kind == LongText {
		return mostLongText
	}
	return mostText
}

// unbounded returns the field's type without its bounds.
func (d Definition) unbounded() rules.Type {
	switch d.Kind {
	case Int:
		return rules.Int
	case Bool:
		return rules.Bool
	case Money:
		return rules.Money
	case Date:
		return rules.Date
	case Choice:
		options := make([]string, len(d.Options))
		for i, option := range d.Options {
			options[i] = option.Value
		}
		return rules.ChoiceOf(options...)
	case Person, Organisation, Household:
		return rules.Subject
	case Territory:
		return rules.Territory
	case List:
		return rules.ListOf(TypeOf(d.Fields))
	default:
		return rules.Text
	}
}

// TypeOf returns the object type of several fields.
func TypeOf(fields []Definition) rules.Type {
	var of []rules.Field
	for _, d := range fields {
		of = append(of, rules.Field{Name: d.Name, Type: d.Type(), Optional: d.Optional})
	}
	return rules.ObjectOf(of...)
}

// Find returns the field with the name.
func Find(fields []Definition, name string) (Definition, bool) {
	i := slices.IndexFunc(fields, func(d Definition) bool { return d.Name == name })
	if i < 0 {
		return Definition{}, false
	}
	return fields[i], true
}

// Problems are what is wrong with several inputs: one fault for each, Field naming it.
type Problems []*fault.Fault

// Error lists the problems, without any value.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, one := range p {
		texts[i] = one.Error()
	}
	return strings.Join(texts, "; ")
}

// Err returns nil if there are none, and otherwise a fault of kind Invalid that carries them.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	first := *p[0]
	first.Err = p
	return &first
}

func invalid(name, code, message string) *fault.Fault {
	return fault.New(fault.Invalid, "field."+code, message).At(name)
}

// Limits where a definition names none.
const (
	mostText     = 200
	mostLongText = 5_000
	mostGroups   = 20
)

// CheckAll checks an object of values against the fields: each is of its type and in its bounds, none is missing, none is
// unknown. Skip tells which fields are not asked (nil: none); those must be absent. It returns the values in canonical
// form.
func CheckAll(scheme Scheme, fields []Definition, values map[string]any, skip func(name string) bool) (map[string]any, Problems) {
	var problems Problems
	checked := make(map[string]any, len(values))
	for _, d := range fields {
		value, given := values[d.Name]
		if skip != nil && skip(d.Name) {
			continue // an answer to a question that is no longer asked is dropped
		}
		if !given || value == nil {
			if !d.Optional {
				problems = append(problems, invalid(d.Name, "required", "This is required. Fill it in."))
			}
			continue
		}
		value, err := d.Check(scheme, value)
		if err != nil {
			problems = append(problems, err...)
			continue
		}
		checked[d.Name] = value
	}
	for name := range values {
		if _, ok := Find(fields, name); !ok {
			problems = append(problems, invalid(name, "unknown", "There is no such field. Remove it."))
		}
	}
	return checked, append(problems, CheckOrder(fields, checked)...)
}

// CheckOrder names each date that precedes the one that it may not precede (NotBefore). What is not there, or is no date,
// precedes nothing.
func CheckOrder(fields []Definition, values map[string]any) Problems {
	var problems Problems
	for _, d := range fields {
		day, given := values[d.Name].(calendar.Date)
		first, bounded := values[d.NotBefore].(calendar.Date)
		if given && bounded && day.Before(first) {
			problems = append(problems, invalid(d.Name, "before",
				"This day is before the first day that is given. Choose a later day, or correct the first."))
		}
	}
	return problems
}

// Check checks one value, and returns it in canonical form.
func (d Definition) Check(scheme Scheme, value any) (any, Problems) {
	bad := func(code, message string) (any, Problems) { return nil, Problems{invalid(d.Name, code, message)} }
	if d.Kind == List {
		return d.checkList(scheme, value)
	}
	var wrong *rules.TypeError
	if err := d.unbounded().Check(value); errors.As(err, &wrong) && !wrong.Bounds {
		if d.Kind == Choice {
			return bad("option", "This is not one of the options. Choose one of them.")
		}
		return bad("type", fmt.Sprintf("This is not of the type %s. Correct it.", d.Kind))
	}
	switch value := value.(type) {
	case string:
		return d.checkText(scheme, value)
	case int64:
		if d.Type().Check(value) != nil {
			return nil, Problems{d.outOfRange()}
		}
	case money.Amount:
		if d.Type().Check(value) != nil {
			return nil, Problems{d.outOfRange()}
		}
	case calendar.Date:
		if d.Type().Check(value) != nil {
			return bad("date-range", "This date is outside the allowed time. Check the year.")
		}
	case ident.Territory:
		if err := scheme.CheckTerritory(value, d.Level); err != nil {
			return nil, Problems{fault.Of(err).At(d.Name)}
		}
	case ident.Subject:
		if _, err := ident.ParseSubject(string(value)); err != nil || value.Kind() != string(d.Kind) {
			return bad("subject", fmt.Sprintf("This is no %s that is known here.", d.Kind))
		}
	}
	return value, nil
}

func (d Definition) outOfRange() *fault.Fault {
	out := invalid(d.Name, "range", "This is outside the allowed range.")
	if d.Min != nil {
		out = out.With("min", strconv.FormatInt(*d.Min, 10))
	}
	if d.Max != nil {
		out = out.With("max", strconv.FormatInt(*d.Max, 10))
	}
	return out
}

func (d Definition) checkText(scheme Scheme, text string) (any, Problems) {
	if !Printable(text) {
		return nil, Problems{invalid(d.Name, "characters", "This has characters that cannot be stored. Type it again.")}
	}
	text = strings.TrimSpace(text)
	length := int64(utf8.RuneCountInString(text))
	most := d.mostLetters()
	if d.Max != nil {
		most = *d.Max
	}
	switch {
	case text == "" && !d.Optional:
		return nil, Problems{invalid(d.Name, "required", "This is required. Fill it in.")}
	case length > most:
		return nil, Problems{invalid(d.Name, "too-long", "This is too long. Shorten it.").With("max", strconv.FormatInt(most, 10))}
	case d.Min != nil && length < *d.Min:
		return nil, Problems{invalid(d.Name, "too-short", "This is too short. Write more.").With("min", strconv.FormatInt(*d.Min, 10))}
	case d.Pattern != nil && !d.Pattern.MatchString(text):
		return nil, Problems{invalid(d.Name, "pattern", "This does not have the right form. Look at the example.")}
	}
	var err error
	switch d.Kind {
	case BankAccount:
		text, err = scheme.CheckBankAccount(text)
	case Phone:
		text, err = scheme.CheckPhone(text)
	}
	if err != nil {
		return nil, Problems{fault.Of(err).At(d.Name)}
	}
	return text, nil
}

// Printable reports whether a text can be stored: it is UTF-8, without control characters but those that a text area sends.
func Printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f
	})
}

func (d Definition) checkList(scheme Scheme, value any) (any, Problems) {
	groups, ok := value.([]any)
	if !ok {
		return nil, Problems{invalid(d.Name, "type", "This is not a list. Correct it.")}
	}
	most := int64(mostGroups)
	if d.Max != nil {
		most = *d.Max
	}
	if n := int64(len(groups)); n > most || d.Min != nil && n < *d.Min {
		return nil, Problems{d.outOfRange()}
	}
	var problems Problems
	checked := make([]any, len(groups))
	for i, group := range groups {
		object, ok := group.(map[string]any)
		if !ok {
			problems = append(problems, invalid(fmt.Sprintf("%s[%d]", d.Name, i), "type", "This is not a group of answers. Correct it."))
			continue
		}
		values, wrong := CheckAll(scheme, d.Fields, object, nil)
		for _, one := range wrong {
			problems = append(problems, one.At(fmt.Sprintf("%s[%d].%s", d.Name, i, one.Field)))
		}
		checked[i] = values
	}
	return checked, problems
}

// Parse returns the value that a person typed into a form or a file; it is not yet checked against bounds. An empty text
// is nil: no value.
func (d Definition) Parse(scheme Scheme, text string) (any, Problems) {
	if d.Kind != LongText {
		text = strings.TrimSpace(text)
	}
	if text == "" {
		return nil, nil
	}
	bad := func(code, message string) (any, Problems) { return nil, Problems{invalid(d.Name, code, message)} }
	switch d.Kind {
	case Int:
		value, err := strconv.ParseInt(strings.ReplaceAll(text, " ", ""), 10, 64)
		if err != nil {
			return bad("number", "This is not a whole number. Use digits only.")
		}
		return value, nil
	case Bool:
		switch text {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "0":
			return false, nil
		}
		return bad("type", "This is neither yes nor no. Choose one.")
	case Money:
		value, err := scheme.ParseMoney(text)
		if err != nil {
			return nil, Problems{fault.Of(err).At(d.Name)}
		}
		return value, nil
	case Date:
		value, err := calendar.ParseDate(text)
		if err != nil {
			return bad("date", "This is not a date. Write it like 2026-03-02.")
		}
		return value, nil
	case Territory:
		return ident.Territory(text), nil
	case Person, Organisation, Household:
		return ident.Subject(text), nil
	case List:
		return bad("type", "A list cannot be typed into one field.")
	}
	return text, nil
}

// Encode returns values as JSON: money as a whole number, dates as text.
func Encode(values any) (json.RawMessage, error) { return json.Marshal(values) }

// Decode returns the values of an object of the type from JSON, unknown keys refused. It does not check bounds.
func Decode(object rules.Type, data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return nil, fault.New(fault.Invalid, "field.json", "This is not valid JSON.").Because(err)
	}
	value, problems := decode("", object, raw)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return value.(map[string]any), nil
}

func decode(path string, t rules.Type, raw any) (any, Problems) {
	bad := func() (any, Problems) {
		return nil, Problems{invalid(path, "type", fmt.Sprintf("This is not of the type %s. Correct it.", t))}
	}
	switch t.Kind {
	case rules.KindObject:
		object, ok := raw.(map[string]any)
		if !ok {
			return bad()
		}
		return decodeObject(path, t, object)
	case rules.KindList:
		list, ok := raw.([]any)
		if !ok {
			return bad()
		}
		var problems Problems
		values := make([]any, len(list))
		for i, one := range list {
			value, wrong := decode(fmt.Sprintf("%s[%d]", path, i), *t.Element, one)
			values[i], problems = value, append(problems, wrong...)
		}
		return values, problems
	case rules.KindBool:
		if value, ok := raw.(bool); ok {
			return value, nil
		}
		return bad()
	case rules.KindInt, rules.KindMoney:
		number, ok := raw.(json.Number)
		if !ok {
			return bad()
		}
		value, err := number.Int64()
		if err != nil {
			return bad()
		}
		if t.Kind == rules.KindMoney {
			return money.Amount(value), nil
		}
		return value, nil
	}
	text, ok := raw.(string)
	if !ok {
		return bad()
	}
	switch t.Kind {
	case rules.KindDate:
		value, err := calendar.ParseDate(text)
		if err != nil {
			return bad()
		}
		return value, nil
	case rules.KindTerritory:
		return ident.Territory(text), nil
	case rules.KindSubject:
		return ident.Subject(text), nil
	}
	return text, nil
}

func decodeObject(path string, t rules.Type, object map[string]any) (any, Problems) {
	var problems Problems
	values := make(map[string]any, len(object))
	for name, one := range object {
		at := name
		if path != "" {
			at = path + "." + name
		}
		field, ok := t.Field(name)
		switch {
		case !ok:
			problems = append(problems, invalid(at, "unknown", "There is no such field. Remove it."))
		case one != nil:
			value, wrong := decode(at, field.Type, one)
			values[name], problems = value, append(problems, wrong...)
		}
	}
	return values, problems
}
