package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/wording"
)

// Kind tells the types apart.
type Kind uint8

// The kinds of type. Zero is no type.
const (
	KindNone      Kind = iota
	KindBool           // bool
	KindInt            // int64
	KindText           // string
	KindDate           // calendar.Date
	KindMoney          // money.Amount, in minor units of the profile's currency
	KindChoice         // string, one of Options
	KindTerritory      // ident.Territory
	KindSubject        // ident.Subject: a person, an organisation, a household
	KindList           // []any of Element
	KindObject         // map[string]any of Fields; a key that is missing or nil is absent
)

var kindNames = [...]string{
	"none", "bool", "int", "text", "date", "money", "choice", "territory", "subject", "list", "object",
}

// String returns the kind's name as it stands in the language.
func (k Kind) String() string { return kindNames[k] }

// Type is the type of an input or of a result. Its zero value is no type.
type Type struct {
	Kind    Kind
	Options []string // of a choice: what may be chosen, in order
	Element *Type    // of a list
	Fields  []Field  // of an object, in order
	// Within is between which ends a number, an amount, a date, the length of a text or of a list lies; nil: between the
	// platform's own (Bounds).
	Within *Interval
}

// Field is one named part of an object, or one variable of an Environment.
type Field struct {
	Name     string
	Type     Type
	Optional bool // it may be absent: an expression asks has(x) before it reads it
}

// The types without parts.
var (
	Bool      = Type{Kind: KindBool}
	Int       = Type{Kind: KindInt}
	Text      = Type{Kind: KindText}
	Date      = Type{Kind: KindDate}
	Money     = Type{Kind: KindMoney}
	Territory = Type{Kind: KindTerritory}
	Subject   = Type{Kind: KindSubject}
)

// ChoiceOf returns the type of one of the options.
func ChoiceOf(options ...string) Type { return Type{Kind: KindChoice, Options: options} }

// ListOf returns the type of a list.
func ListOf(element Type) Type { return Type{Kind: KindList, Element: &element} }

// ObjectOf returns the type of an object.
func ObjectOf(fields ...Field) Type { return Type{Kind: KindObject, Fields: fields} }

// String returns the type as an error message names it: "list of money".
func (t Type) String() string {
	switch t.Kind {
	case KindList:
		return "list of " + t.Element.String()
	case KindChoice:
		return "choice of " + strings.Join(t.Options, ", ")
	default:
		return t.Kind.String()
	}
}

// Field returns the field of an object by its name.
func (t Type) Field(name string) (Field, bool) {
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return t.Fields[i], true
}

// At returns the type at a path inside an object: "price", "children[].born".
func (t Type) At(path string) (Field, bool) {
	found := Field{Type: t}
	for _, name := range strings.Split(path, ".") {
		name, elements, _ := strings.Cut(name, "[")
		var ok bool
		if found, ok = found.Type.Field(name); !ok {
			return Field{}, false
		}
		if elements != "" {
			if found.Type.Kind != KindList {
				return Field{}, false
			}
			found.Type = *found.Type.Element
		}
	}
	return found, true
}

// Unknown is the value of an input that nobody could tell yet: a register did not answer, a person has not filled it
// in.
type Unknown struct{}

// Check reports the first place where the value does not have the type, as a path, and what is wrong there. The texts
// name types, never values.
func (t Type) Check(value any) error { return t.check("", value) }

func (t Type) check(path string, value any) error {
	if _, unknown := value.(Unknown); unknown {
		return nil
	}
	good := false
	switch t.Kind {
	case KindBool:
		_, good = value.(bool)
	case KindInt:
		_, good = value.(int64)
	case KindText:
		_, good = value.(string)
	case KindDate:
		_, good = value.(calendar.Date)
	case KindMoney:
		_, good = value.(money.Amount)
	case KindChoice:
		var text string
		if text, good = value.(string); good && !slices.Contains(t.Options, text) {
			return &TypeError{Path: path, Message: wording.Say("is none of the options: choose %s", strings.Join(t.Options, ", "))}
		}
	case KindTerritory:
		_, good = value.(ident.Territory)
	case KindSubject:
		_, good = value.(ident.Subject)
	case KindList:
		var list []any
		if list, good = value.([]any); good {
			for i, element := range list {
				if err := t.Element.check(fmt.Sprintf("%s[%d]", path, i), element); err != nil {
					return err
				}
			}
		}
	case KindObject:
		var object map[string]any
		if object, good = value.(map[string]any); good {
			return t.checkFields(path, object)
		}
	}
	if !good {
		return &TypeError{Path: path, Message: wording.Say("is not %s", t)}
	}
	if !t.holds(value) {
		return &TypeError{Path: path, Message: wording.Say("lies outside its bounds"), Bounds: true}
	}
	return nil
}

// holds reports whether a value of the type lies in its bounds.
func (t Type) holds(value any) bool {
	switch value := value.(type) {
	case int64:
		return t.Bounds().has(value)
	case money.Amount:
		return t.Bounds().has(int64(value))
	case calendar.Date:
		return t.Bounds().has(dayOf(value))
	case string:
		return t.Bounds().has(int64(utf8.RuneCountInString(value)))
	case []any:
		return t.Bounds().has(int64(len(value)))
	}
	return true
}

func (t Type) checkFields(path string, object map[string]any) error {
	known := 0
	for _, field := range t.Fields {
		value, given := object[field.Name]
		if given {
			known++
		}
		if value == nil {
			if !field.Optional {
				return &TypeError{Path: join(path, field.Name), Message: wording.Say("is missing")}
			}
			continue
		}
		if err := field.Type.check(join(path, field.Name), value); err != nil {
			return err
		}
	}
	if known == len(object) {
		return nil
	}
	for _, name := range sortedKeys(object) {
		if _, ok := t.Field(name); !ok {
			return &TypeError{Path: join(path, name), Message: wording.Say("is not known here")}
		}
	}
	return nil
}

// TypeError says where a value does not have its type.
type TypeError struct {
	Path    string         // "ask.price"; empty for the value itself
	Message wording.Phrase // "is not money"; never a value
	Bounds  bool           // the value is of the type, and lies outside its bounds
}

// Error returns the path and what is wrong there.
func (e *TypeError) Error() string { return e.Phrase().String() }

// Phrase returns the same to be said in another language.
func (e *TypeError) Phrase() wording.Phrase {
	if e.Path == "" {
		return wording.Say("the value %s", e.Message)
	}
	return wording.Say("%s %s", e.Path, e.Message)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func sortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
