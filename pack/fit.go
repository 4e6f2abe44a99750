package pack

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"yagona/kernel/document/font"
	"yagona/kernel/field"
	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// fits refuses an expression whose result the field would not take: what is found out when a record is written is found
// out too late.
func (c *compiler) fits(n *node, program *rules.Program, to field.Definition, source func(rules.Source) field.Definition) {
	if bounds := to.Type(); bounds.Within != nil && !bounds.Bounds().Contains(program.Interval()) {
		c.fail(n.at, "let the inputs have the same bounds, or bound it with least(…) and greatest(…)",
			"the result can lie outside the bounds of the field %s", to.Name)
	}
	c.fitsForm(n, program, to, source)
}

// fitsForm is fits for what bounds do not say: options, levels, patterns, whom a field names.
func (c *compiler) fitsForm(n *node, program *rules.Program, to field.Definition,
	source func(rules.Source) field.Definition,
) {
	switch to.Kind {
	case field.Choice, field.BankAccount, field.Phone, field.Person, field.Organisation, field.Household:
	case field.Text, field.LongText:
		if to.Pattern == nil {
			return
		}
	case field.Territory:
		if to.Level == "" {
			return
		}
	default:
		return
	}
	sources, chosen := program.Sources()
	if !chosen {
		c.fail(n.at, "take an input of the same kind as it is, or choose among some: … ? … : …",
			"what is computed may not have the form of the field %s", to.Name)
		return
	}
	for _, one := range sources {
		if !takes(to, one, source(one)) {
			what := one.Path
			if what == "" {
				what = strconv.Quote(shorten(one.Literal))
			}
			c.refuse(n.at, formOf(to), "the field %s does not take %s", to.Name, what)
		}
	}
}

// takes reports whether the field takes whatever the source gives. A source that is not found was reported elsewhere.
func takes(to field.Definition, from rules.Source, found field.Definition) bool {
	if from.Path == "" {
		switch to.Kind {
		case field.Choice:
			return slices.ContainsFunc(to.Options, func(o field.Option) bool { return o.Value == from.Literal })
		case field.Text, field.LongText:
			return to.Pattern.MatchString(from.Literal)
		}
		return false
	}
	switch to.Kind {
	case field.Choice:
		return found.Kind == field.Choice && !slices.ContainsFunc(found.Options, func(o field.Option) bool {
			return !slices.ContainsFunc(to.Options, func(t field.Option) bool { return t.Value == o.Value })
		})
	case field.Text, field.LongText:
		return found.Pattern != nil && found.Pattern.String() == to.Pattern.String()
	case field.Territory:
		return found.Level == to.Level
	}
	return found.Kind == to.Kind
}

func formOf(to field.Definition) wording.Phrase {
	switch to.Kind {
	case field.Choice:
		options := make([]string, len(to.Options))
		for i, o := range to.Options {
			options[i] = o.Value
		}
		return phrase("it takes one of %s", strings.Join(options, ", "))
	case field.Territory:
		return phrase("take an input with level: %s", to.Level)
	case field.Text, field.LongText:
		return phrase("take an input with the same pattern, or a text that matches it")
	}
	return phrase("take an input of the type %s", to.Kind)
}

// sourceOfService returns the field that a service's expression reads.
func (sc *serviceCompiler) sourceOfService(from rules.Source) field.Definition {
	first, rest, _ := strings.Cut(from.Path, ".")
	name, _, each := strings.Cut(first, "[")
	if first == "ask" {
		list, inner, nested := strings.Cut(rest, "[].")
		found, _ := field.Find(sc.d.Fields(), list)
		if nested {
			found, _ = field.Find(found.Fields, inner)
		}
		return found
	}
	if first == "applicant" {
		if len(sc.d.For) == 1 {
			return field.Definition{Kind: field.Kind(sc.d.For[0])}
		}
		return field.Definition{}
	}
	for _, e := range sc.d.Evidence {
		if e.Name == name && e.Of.Each == each {
			return sc.compiler.evidence[e.From].answers[rest]
		}
	}
	return field.Definition{}
}

// sourceOfRecord returns the field that a register's expression reads.
func sourceOfRecord(fields []field.Definition) func(rules.Source) field.Definition {
	return func(from rules.Source) field.Definition {
		found, _ := field.Find(fields, strings.TrimPrefix(from.Path, "record."))
		return found
	}
}

// The limits of a document, which package document keeps.
const (
	documentHeading = 240
	documentLines   = 190 // and a few of its own
	documentText    = 10_000
)

// prints refuses words that a document cannot carry, in any language: of more characters than it has room for, or with
// letters that its font lacks.
func (sc *serviceCompiler) prints(at place, what wording.Phrase, said wording.Text, most int) {
	for _, tag := range sc.languages() {
		words := said[tag]
		if utf8.RuneCountInString(words) > most {
			sc.refuse(at, phrase("shorten it to %d characters", most), "%s is too long for a document in %s", what, tag)
		}
		if letter, lacks := font.Lacks(words); lacks {
			sc.fail(at, "write it in Latin or Cyrillic letters", "%s has a letter in %s that a document cannot print: %s", what,
				tag, strconv.QuoteRuneToASCII(letter))
		}
	}
}

// languages are the tags of all languages of the texts, the pack's own first.
func (sc *serviceCompiler) languages() []string {
	own := sc.s.file.Language.text
	return append([]string{own}, slices.DeleteFunc(slices.Clone(sc.profile.Languages), func(tag string) bool {
		return tag == own
	})...)
}

// documentPrints checks all that a document prints of a service.
func (sc *serviceCompiler) documentPrints() {
	doc := &sc.doc.Output.Document
	title := doc.Title.place()
	if !doc.Title.given() {
		title = sc.doc.Title.place()
	}
	sc.prints(title, phrase("the title"), sc.d.Output.Document.Title, documentHeading)
	if declared := sc.agencies[sc.doc.Agency.text]; declared != nil {
		if agency := sc.agencyTitle(sc.doc.Agency.text); agency != nil {
			sc.prints(declared.Title.place(), phrase("the agency's title"), agency, documentHeading)
		}
	}
	for i, l := range sc.d.Legal {
		sc.prints(sc.doc.Legal[i].Act.place(), phrase("the act"), l.Act, documentText)
	}
	if len(doc.Lines.list) > documentLines {
		sc.fail(doc.Lines.place(), "state fewer facts", "a document has at most %d lines", documentLines)
	}
	for _, l := range sc.d.Output.Document.Lines {
		declared, _ := doc.Lines.get(l.Name)
		sc.prints(declared.Label.place(), phrase("the label"), l.Label, documentText)
		if l.Is.Type().Kind == rules.KindText && l.Is.Interval().High > documentText {
			sc.refuse(declared.Is.place(), phrase("give the text max: %d", documentText), "the text can be too long for a document")
		}
		sources, _ := l.Is.Sources()
		for _, from := range sources {
			if q := sc.sourceOfService(from); q.Kind == field.Choice && strings.HasPrefix(from.Path, "ask.") {
				asked, _ := sc.doc.Ask.get(q.Name)
				for _, o := range q.Options {
					given, _ := asked.Options.get(o.Value)
					sc.prints(given.Label.place(), phrase("the option"), o.Label, documentText)
				}
			}
			if letter, lacks := font.Lacks(from.Literal); lacks {
				sc.fail(declared.Is.place(), "write it in Latin or Cyrillic letters",
					"the text has a letter that a document cannot print: %s", strconv.QuoteRuneToASCII(letter))
			}
		}
	}
}

func (sc *serviceCompiler) agencyTitle(name string) wording.Text {
	for _, a := range sc.s.compiled.Agencies {
		if string(a.Name) == name {
			return a.Title
		}
	}
	return nil
}
