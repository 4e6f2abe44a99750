package casework

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"yagona/kernel/country"
	"yagona/kernel/document"
	"yagona/kernel/document/font"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/person"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/locale"
)

// Letter writes the documents of granted applications, from the definition's words and the platform's.
type Letter struct {
	Words    country.Words
	People   *person.Directory
	Agency   func(ident.Agency) wording.Text // what an agency is called
	Validity string                          // the address of the page that tells whether a document counts; the id follows
}

// Compose implements Composer.
func (l *Letter) Compose(ctx context.Context, definition *service.Definition, application Application, outcome service.Outcome, sent *Represented, id ident.Document, now time.Time) (document.Draft, error) {
	var holder person.Attributes
	if applicant, ok := application.Applicant.Person(); ok {
		var err error
		if holder, err = l.People.Attributes(ctx, applicant); err != nil {
			return document.Draft{}, err
		}
	}
	var representative person.Attributes
	if sent != nil {
		var err error
		if representative, err = l.People.Attributes(ctx, sent.By); err != nil {
			return document.Draft{}, err
		}
	}
	form := definition.Output.Document
	content := document.Content{
		ID: id, Type: form.Type, Service: definition.Path, Agency: definition.Agency,
		Authoritative: l.Words.Profile.Authoritative(), Link: l.Validity + string(id),
	}
	if !form.Valid.IsZero() {
		day := l.Words.Profile.Calendar.Date(now)
		content.Until = form.Valid.After(day).End(l.Words.Profile.Location).UTC()
	}
	languages := slices.Compact([]string{application.Language, content.Authoritative})
	for _, language := range languages {
		content.Texts = append(content.Texts, l.text(language, definition, holder, representative.Name, outcome))
	}
	return document.Draft{Content: content, Subject: application.Applicant, Application: application.ID, Date: l.Words.Day}, nil
}

// text returns the words of a document in one language.
func (l *Letter) text(language string, definition *service.Definition, holder person.Attributes, representative string, outcome service.Outcome) document.Text {
	say := func(key string) string { return l.Words.Text(locale.Tag(language), "document."+key, nil) }
	in := func(text wording.Text) string { return text.In(language, l.Words.Profile.Authoritative()) }
	form := definition.Output.Document
	text := document.Text{
		Language: language, Agency: in(l.Agency(definition.Agency)), Title: in(form.Title), Contest: say("contest-words"),
		Headings: document.Headings{
			Number: say("number"), Issued: say("issued"), Until: say("until"), Reasons: say("reasons"), Basis: say("basis"),
			Contest: say("contest"), Check: say("check"), Authoritative: say("authoritative"),
		},
	}
	if holder.Name != "" {
		text.Lines = append(text.Lines, document.Line{Label: say("holder"), Value: printed(holder.Name), Checked: true})
	}
	if !holder.Birth.IsZero() {
		text.Lines = append(text.Lines, document.Line{Label: say("born"), Value: l.Words.Date(language, holder.Birth), Checked: true})
	}
	if representative != "" {
		text.Lines = append(text.Lines, document.Line{Label: say("represented-by"), Value: printed(representative)})
	}
	for _, line := range form.Lines {
		text.Lines = append(text.Lines, document.Line{
			Label: in(line.Label), Value: printed(Shown(l.Words, definition, language, line.Is.Source(), outcome.Lines[line.Name])),
			Checked: len(text.Lines) < document.MaxFacts,
		})
	}
	if outcome.Payment > 0 {
		text.Lines = append(text.Lines, document.Line{Label: say("amount"), Value: l.Words.Money(language, outcome.Payment)})
	}
	for _, legal := range definition.Legal {
		text.Basis = append(text.Basis, LegalBasis(l.Words, language, legal))
	}
	return text
}

// unprinted stands for a letter that a document cannot print: what a person wrote, or a register says, is not a reason
// to fail when everything is decided.
const unprinted = "?"

// printed returns a value as a document can print it.
func printed(value string) string {
	var shown strings.Builder
	for _, letter := range norm.NFC.String(value) {
		switch _, lacks := font.Lacks(string(letter)); {
		case letter == '\n' || !lacks:
			shown.WriteRune(letter)
		case unicode.IsSpace(letter):
			shown.WriteByte(' ')
		default:
			shown.WriteString(unprinted)
		}
	}
	return shown.String()
}

// LegalBasis writes an act that a service stands on; an invented one says that it is.
func LegalBasis(words country.Words, language string, legal service.Legal) string {
	basis := legal.In(language, words.Profile.Authoritative())
	if legal.Status == "illustrative" {
		basis += " (" + words.Text(locale.Tag(language), "document.illustrative", nil) + ")"
	}
	return basis
}

// Shown writes a value that the path (or the expression) gave, with the words of an option where the path names a
// choice.
func Shown(words country.Words, definition *service.Definition, language, path string, value any) string {
	if name, ok := strings.CutPrefix(path, "ask."); ok {
		if question, ok := field.Find(definition.Fields(), name); ok {
			for _, option := range question.Options {
				if option.Value == value {
					return option.Label.In(language, words.Profile.Authoritative())
				}
			}
		}
	}
	return words.Value(language, value)
}
