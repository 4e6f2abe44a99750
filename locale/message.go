package locale

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
)

// Message is a compiled text with variables. The syntax is a subset of ICU MessageFormat:
//
//	{name}                                     the variable
//	{count, plural, one {# day} other {# days}}  by the plural category of a whole number (CLDR) or an exact =0;
//	                                           # is the number, written as the language writes it
//	{kind, select, person {…} other {…}}       by the value of the variable
//
// "other" is always required. A literal brace is written '{' or '}'; any other apostrophe is itself, so that "don't"
// and "o'zbek" need no quoting (in full ICU an apostrophe may quote; here it never does).
type Message struct{ parts []part }

// part is text, a variable, or a choice between messages.
type part struct {
	kind  partKind
	text  string // the literal text, or the variable's name
	cases []choice
}

type partKind uint8

const (
	literal partKind = iota
	variable
	number // # inside a plural
	pluralChoice
	selectChoice
)

var kindNames = [...]string{
	literal: "text", variable: "variable", number: "#", pluralChoice: "plural", selectChoice: "select",
}

type choice struct {
	selector string // a plural category, "=0", or a value
	message  Message
}

// SyntaxError says where a message cannot be read.
type SyntaxError struct {
	Offset  int // bytes from the start of the message
	Problem string
}

// Error says what is wrong and what to do.
func (e *SyntaxError) Error() string { return e.Problem }

const (
	maxDepth   = 5      // choices inside choices; a reader of the file is lost before
	maxMessage = 20_000 // bytes
)

// ParseMessage compiles a text. The error is a *SyntaxError.
func ParseMessage(text string) (Message, error) {
	p := &messageParser{text: text}
	if len(text) > maxMessage {
		return Message{}, p.fail(0, "the message is longer than %d bytes: split it", maxMessage)
	}
	if !utf8.ValidString(text) {
		return Message{}, p.fail(0, "the message is not valid UTF-8: save the file as UTF-8")
	}
	message, err := p.message(0, false)
	if err != nil {
		return Message{}, err
	}
	return message, nil
}

type messageParser struct {
	text string
	pos  int
}

func (p *messageParser) fail(at int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Offset: at, Problem: fmt.Sprintf(format, args...)}
}

// message reads until the end of the text or, inside a choice, until the brace that closes its branch.
func (p *messageParser) message(depth int, inPlural bool) (Message, error) {
	var m Message
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			m.parts = append(m.parts, part{kind: literal, text: text.String()})
			text.Reset()
		}
	}
	for p.pos < len(p.text) {
		rest := p.text[p.pos:]
		switch {
		case strings.HasPrefix(rest, "'{'") || strings.HasPrefix(rest, "'}'"):
			text.WriteByte(rest[1])
			p.pos += 3
		case rest[0] == '{':
			flush()
			next, err := p.placeholder(depth, inPlural)
			if err != nil {
				return Message{}, err
			}
			m.parts = append(m.parts, next)
		case rest[0] == '}':
			if depth == 0 {
				return Message{}, p.fail(p.pos, "this } closes nothing: remove it, or write '}' for a brace")
			}
			flush()
			return m, nil
		case rest[0] == '#' && inPlural:
			flush()
			m.parts = append(m.parts, part{kind: number})
			p.pos++
		default:
			text.WriteByte(rest[0])
			p.pos++
		}
	}
	if depth > 0 {
		return Message{}, p.fail(p.pos, "a brace is not closed: add }")
	}
	flush()
	return m, nil
}

// placeholder reads {name}, {name, plural, …} or {name, select, …}.
func (p *messageParser) placeholder(depth int, inPlural bool) (part, error) {
	start := p.pos
	p.pos++
	p.space()
	name := p.word()
	if name == "" || (name[0] >= '0' && name[0] <= '9') {
		return part{}, p.fail(start, "after { the name of a variable is expected, in letters, digits and _: {name}")
	}
	p.space()
	if p.take('}') {
		return part{kind: variable, text: name}, nil
	}
	if !p.take(',') {
		return part{}, p.fail(p.pos, "after {%s a } or a , is expected", name)
	}
	p.space()
	at := p.pos
	result := part{text: name}
	switch form := p.word(); form {
	case "plural":
		result.kind, inPlural = pluralChoice, true
	case "select":
		result.kind = selectChoice
	default:
		return part{}, p.fail(at, "%q is not a form of a variable: use plural or select", form)
	}
	p.space()
	if !p.take(',') {
		return part{}, p.fail(p.pos, "after %s a , and the choices are expected", kindNames[result.kind])
	}
	if depth == maxDepth {
		return part{}, p.fail(start, "choices are nested more than %d deep: split the message", maxDepth)
	}
	cases, err := p.choices(result.kind, depth, inPlural)
	if err != nil {
		return part{}, err
	}
	result.cases = cases
	if !result.has("other") {
		return part{}, p.fail(start, "%s of {%s} lacks the choice other {…}: add it", kindNames[result.kind], name)
	}
	return result, nil
}

func (p *messageParser) choices(kind partKind, depth int, inPlural bool) ([]choice, error) {
	var cases []choice
	for {
		p.space()
		if p.take('}') {
			return cases, nil
		}
		at := p.pos
		selector := p.selector()
		switch {
		case p.pos == len(p.text):
			return nil, p.fail(p.pos, "a brace is not closed: add }")
		case selector == "":
			return nil, p.fail(at, "a choice is expected, for example other {…}")
		case kind == pluralChoice && !isPluralSelector(selector):
			return nil, p.fail(at, "%q is not a plural category: use zero, one, two, few, many, other or =0", selector)
		case slices.ContainsFunc(cases, func(c choice) bool { return c.selector == selector }):
			return nil, p.fail(at, "the choice %q stands twice: remove one", selector)
		}
		p.space()
		if !p.take('{') {
			return nil, p.fail(p.pos, "after the choice %q its text is expected in braces: %s {…}", selector, selector)
		}
		message, err := p.message(depth+1, inPlural)
		if err != nil {
			return nil, err
		}
		p.pos++ // the closing brace, at which message stopped
		cases = append(cases, choice{selector, message})
	}
}

func (p *messageParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *messageParser) take(b byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == b {
		p.pos++
		return true
	}
	return false
}

func (p *messageParser) word() string {
	return p.run(func(b byte) bool {
		return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_'
	})
}

func (p *messageParser) selector() string {
	return p.run(func(b byte) bool { return strings.IndexByte(" \t\r\n{},#'", b) < 0 })
}

func (p *messageParser) run(belongs func(byte) bool) string {
	start := p.pos
	for p.pos < len(p.text) && belongs(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

func isPluralSelector(selector string) bool {
	if exact, ok := strings.CutPrefix(selector, "="); ok {
		n, err := strconv.ParseInt(exact, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == exact
	}
	return slices.Contains(pluralNames[:], selector)
}

func (p part) has(selector string) bool {
	return slices.ContainsFunc(p.cases, func(c choice) bool { return c.selector == selector })
}

// pluralNames are the categories of CLDR in the order of plural.Form.
var pluralNames = [...]string{
	plural.Other: "other", plural.Zero: "zero", plural.One: "one",
	plural.Two: "two", plural.Few: "few", plural.Many: "many",
}

// Plural returns the category of a whole number in the language, as CLDR names it: zero, one, two, few, many, other.
func Plural(tag Tag, n int64) string {
	// No rule of these languages looks further than the last six digits; a million is kept apart from zero.
	last := n % 1_000_000
	if last < 0 {
		last = -last
	}
	if n != last && n != -last {
		last += 1_000_000
	}
	return pluralNames[plural.Cardinal.MatchPlural(tag.bcp(), int(last), 0, 0, 0, 0)]
}

// Categories returns the plural categories that a text in the language must distinguish. Uzbek and Karakalpak nouns
// stay singular after a number ("5 kun"), so that "other" is enough there, although CLDR gives Uzbek a "one".
func Categories(tag Tag) []string {
	switch tag {
	case English:
		return []string{"one", "other"}
	case Russian:
		return []string{"one", "few", "many", "other"}
	}
	return []string{"other"}
}

// Args are the variables of a message: strings, and whole numbers (int, int64), which are written as the language
// writes them. A plural also takes a whole number in a string.
type Args map[string]any

// Strings returns variables that are all strings.
func Strings(values map[string]string) Args {
	args := make(Args, len(values))
	for name, value := range values {
		args[name] = value
	}
	return args
}

// Render writes the message for the language. A variable that is missing, or that is no number where one is needed,
// stands as its name in braces, so that a page is never empty, and is told in the error.
func (m Message) Render(tag Tag, args Args) (string, error) {
	r := renderer{tag: tag, args: args}
	r.message(m, 0)
	if len(r.missing) > 0 {
		return r.out.String(), fmt.Errorf("the message lacks its variables %s", strings.Join(r.missing, ", "))
	}
	return r.out.String(), nil
}

type renderer struct {
	tag     Tag
	args    Args
	out     strings.Builder
	missing []string

	abbreviated bool // a variable's value just ended with a full stop
}

func (r *renderer) message(m Message, count int64) {
	for _, p := range m.parts {
		switch p.kind {
		case literal:
			text := p.text
			if r.abbreviated && strings.HasPrefix(text, ".") && !strings.HasPrefix(text, "..") {
				text = text[1:] // the full stop of "2026 г." ends the sentence, too
			}
			r.out.WriteString(text)
			r.abbreviated = false
		case variable:
			r.variable(p.text)
		case number:
			r.out.WriteString(Number(r.tag, count))
		case pluralChoice:
			n, ok := integer(r.args[p.text])
			if !ok {
				r.lack(p.text)
				continue
			}
			r.message(p.pick("="+strconv.FormatInt(n, 10), Plural(r.tag, n)), n)
		case selectChoice:
			value, ok := r.args[p.text]
			if !ok {
				r.lack(p.text)
				continue
			}
			r.message(p.pick(fmt.Sprint(value)), count)
		}
	}
}

func (r *renderer) variable(name string) {
	value, ok := r.args[name]
	if !ok {
		r.lack(name)
		return
	}
	switch value := value.(type) {
	case string:
		r.out.WriteString(value)
		r.abbreviated = strings.HasSuffix(value, ".")
	case int:
		r.out.WriteString(Number(r.tag, int64(value)))
	case int64:
		r.out.WriteString(Number(r.tag, value))
	default:
		fmt.Fprint(&r.out, value)
	}
}

func (r *renderer) lack(name string) {
	r.out.WriteString("{" + name + "}")
	if !slices.Contains(r.missing, name) {
		r.missing = append(r.missing, name)
	}
}

// pick returns the branch of the first selector that there is, else "other".
func (p part) pick(selectors ...string) Message {
	for _, selector := range append(selectors, "other") {
		for _, c := range p.cases {
			if c.selector == selector {
				return c.message
			}
		}
	}
	return Message{}
}

func integer(value any) (int64, bool) {
	switch value := value.(type) {
	case int:
		return int64(value), true
	case int64:
		return value, true
	case string:
		n, err := strconv.ParseInt(value, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Variables returns the names of the message's variables with how each is used ("variable", "plural", "select"),
// sorted.
func (m Message) Variables() []string {
	found := map[string]bool{}
	m.walk(func(p part) {
		if p.kind != literal && p.kind != number {
			found["{"+p.text+"} as "+kindNames[p.kind]] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}

func (m Message) walk(visit func(part)) {
	for _, p := range m.parts {
		visit(p)
		for _, c := range p.cases {
			c.message.walk(visit)
		}
	}
}

// mapText returns the message with its literal texts rewritten; variables, selectors and numbers stay.
func (m Message) mapText(rewrite func(string) string) Message {
	var result Message
	for _, p := range m.parts {
		if p.kind == literal {
			p.text = rewrite(p.text)
		}
		var cases []choice
		for _, c := range p.cases {
			cases = append(cases, choice{c.selector, c.message.mapText(rewrite)})
		}
		p.cases = cases
		result.parts = append(result.parts, p)
	}
	return result
}

// Source writes the message in its syntax: parsing it again gives the same message.
func (m Message) Source() string {
	var out strings.Builder
	m.source(&out, false)
	return out.String()
}

var braces = strings.NewReplacer("{", "'{'", "}", "'}'")

func (m Message) source(out *strings.Builder, inPlural bool) {
	for _, p := range m.parts {
		switch p.kind {
		case literal:
			out.WriteString(braces.Replace(p.text))
		case variable:
			out.WriteString("{" + p.text + "}")
		case number:
			out.WriteString("#")
		case pluralChoice, selectChoice:
			out.WriteString("{" + p.text + ", " + kindNames[p.kind] + ",")
			for _, c := range p.cases {
				out.WriteString(" " + c.selector + " {")
				c.message.source(out, inPlural || p.kind == pluralChoice)
				out.WriteString("}")
			}
			out.WriteString("}")
		}
	}
}
