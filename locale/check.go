package locale

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Problem is something that a catalogue lacks or says wrongly.
type Problem struct {
	Tag      Tag
	Key      string
	Position string // file:line:column of the message, or of the same message in another language if it is missing
	Text     string // what is wrong, and what to do
}

// String is one line for a log or a terminal.
func (p Problem) String() string {
	return fmt.Sprintf("%s: %s in %s: %s", p.Position, p.Key, p.Tag, p.Text)
}

// markup is a tag, a comment or a character reference of HTML.
var markup = regexp.MustCompile(`<[/!]?[A-Za-z-]|&(#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);`)

// Check returns all that is wrong with the catalogue, sorted by key and language: a key that a language lacks, a
// variable that not all languages use in the same way, choices of a select that differ, a plural category that the
// language needs or does not have, HTML in a text, an override of a derived text whose source is gone.
func (c *Catalogue) Check() []Problem {
	var problems []Problem
	for _, key := range c.Keys() {
		reference, _ := c.reference(key)
		for _, tag := range c.languages.Tags {
			report := func(position, format string, args ...any) {
				problems = append(problems, Problem{tag, key, position, fmt.Sprintf(format, args...)})
			}
			message, ok := c.messages[tag][key]
			if !ok {
				if _, derived := tag.DerivedFrom(); !derived {
					report(reference.entry.position(), "missing: translate it")
				}
				continue
			}
			if message.derived {
				continue // its source is checked
			}
			if source, derived := tag.DerivedFrom(); derived && c.languages.speaks(source) {
				if _, ok := c.messages[source][key]; !ok {
					report(message.entry.position(), "overrides a message that %s lacks: remove it", source)
				}
			}
			if !slices.Equal(message.Variables(), reference.Variables()) {
				report(message.entry.position(), "has %s, but %s has %s: use the same",
					list(message.Variables()), reference.entry.Tag, list(reference.Variables()))
			}
			if !maps.EqualFunc(message.options(), reference.options(), slices.Equal) {
				report(message.entry.position(), "its select has other choices than that of %s: use the same", reference.entry.Tag)
			}
			message.check(tag, func(text string) { report(message.entry.position(), "%s", text) })
		}
	}
	return problems
}

// reference returns the message that the others are compared with: that of the first language that has it.
func (c *Catalogue) reference(key string) (compiled, bool) {
	for _, tag := range c.languages.Tags {
		if message, ok := c.messages[tag][key]; ok && !message.derived {
			return message, true
		}
	}
	return compiled{}, false
}

func list(variables []string) string {
	if len(variables) == 0 {
		return "no variable"
	}
	return strings.Join(variables, ", ")
}

// options returns the choices of each select, sorted.
func (m Message) options() map[string][]string {
	options := map[string][]string{}
	m.walk(func(p part) {
		if p.kind != selectChoice {
			return
		}
		for _, c := range p.cases {
			if !slices.Contains(options[p.text], c.selector) {
				options[p.text] = append(options[p.text], c.selector)
			}
		}
		slices.SortFunc(options[p.text], cmp.Compare[string])
	})
	return options
}

// check looks at what concerns the message alone.
func (m Message) check(tag Tag, report func(string)) {
	m.walk(func(p part) {
		switch p.kind {
		case literal:
			if markup.MatchString(p.text) {
				report("has HTML in it: a message is plain text, the page adds the markup")
			}
		case pluralChoice:
			for _, category := range Categories(tag) {
				if !p.has(category) {
					report(fmt.Sprintf("its plural {%s} lacks %s {…}, which the language needs: add it", p.text, category))
				}
			}
			for _, c := range p.cases {
				if !strings.HasPrefix(c.selector, "=") && !slices.Contains(possible(tag), c.selector) {
					report(fmt.Sprintf("its plural {%s} has %s {…}, which the language never uses: remove it", p.text, c.selector))
				}
			}
		}
	})
}

// possible returns the categories that a plural may have in the language.
func possible(tag Tag) []string {
	if tag == Russian {
		return Categories(Russian)
	}
	return []string{"one", "other"}
}
