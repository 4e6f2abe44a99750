package page

import (
	"context"
	"strings"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
	"yagona/web/ui"
)

// Namer tells what people and organisations are called to those who act for each other.
type Namer interface {
	Name(ctx context.Context, of ident.Subject) (string, error)
}

// NameOf returns what somebody is called for whom others act, or who acts.
func NameOf(ctx context.Context, names Namer, r Reader, subject ident.Subject) (string, error) {
	name, err := names.Name(ctx, subject)
	if name == "" {
		name = r.unnamed(subject)
	}
	return name, err
}

// unnamed stands for the name of somebody whom nobody can name.
func (r Reader) unnamed(subject ident.Subject) string {
	if _, id, _ := strings.Cut(string(subject), ":"); subject.Kind() == "organisation" {
		return r.Say("representation.organisation", "number", id)
	}
	return r.Say("representation.somebody")
}

// called returns the name that a view knows of somebody.
func (r Reader) called(view casework.View, subject ident.Subject) string {
	if name := view.People[subject]; name != "" {
		return name
	}
	return r.unnamed(subject)
}

// ActedBy says who did something in an application: a representative by name, everybody else as Actor does.
func (r Reader) ActedBy(view casework.View, by journal.Actor, ground representation.Ground) string {
	if ground == "" {
		return r.Actor(by)
	}
	return r.Say("acting-as."+string(ground), "name", r.called(view, by.Person.Subject()))
}

// Acting tells a representative for whom they act, and what they see; nil for everybody else.
func (r Reader) Acting(view casework.View) []ui.Component {
	if view.Acting == nil {
		return nil
	}
	sees := "representation.sees-results"
	if view.Acting.Reads {
		sees = "representation.sees-all"
	}
	return []ui.Component{ui.Inset{Text: r.Say("representation.acting-for", "name", r.called(view, view.Application.Applicant)) + " " + r.Say(sees)}}
}

// SentBy says who sent an application for its applicant; nil if they did themself.
func (r Reader) SentBy(view casework.View) []ui.SummaryRow {
	for _, entry := range view.Content.History {
		if entry.What == "application.submitted" && entry.For != "" {
			return []ui.SummaryRow{{Term: r.Say("representation.applied-by"), Values: []string{r.ActedBy(view, entry.By, entry.For)}}}
		}
	}
	return nil
}
