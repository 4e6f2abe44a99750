package pack

import (
	"slices"

	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// publishable are the kinds of line that the open list of a licence can show.
var publishable = []rules.Kind{rules.KindBool, rules.KindInt, rules.KindText, rules.KindDate, rules.KindChoice, rules.KindTerritory}

// licence compiles what makes of a document a licence.
func (sc *serviceCompiler) licence() {
	l := &sc.doc.Licence
	if !l.given() {
		return
	}
	out := &service.Licence{
		Renew: l.Renew.period, Proposes: ident.Role(l.Proposes.text), Decides: ident.Role(l.Decides.text), Within: l.Within.days,
		Over: sc.says("application.licence-over"),
	}
	doc := sc.d.Output.Document
	switch {
	case doc == nil || doc.Valid.IsZero():
		sc.fail(l.place(), "add document: with valid: to output", "a licence is a document that is valid for a time")
	case l.Renew.given() && days(l.Renew.period) >= days(doc.Valid):
		sc.fail(l.Renew.place(), "write a shorter time than the document is valid", "the licence could be renewed from its first day")
	}
	sc.checkRole(l.Proposes, sc.doc.Agency.text)
	sc.checkRole(l.Decides, sc.doc.Agency.text)
	if l.Proposes.text == l.Decides.text && l.Decides.given() {
		sc.fail(l.Decides.place(), "give it to another role", "whoever proposes to take a right away does not decide on it")
	}
	for _, one := range l.Publish {
		i := -1
		if doc != nil {
			i = slices.IndexFunc(doc.Lines, func(line service.Line) bool { return line.Name == one.text })
		}
		switch {
		case i < 0:
			sc.refuse(one.place(), oneOf(one.text, sc.doc.Output.Document.Lines.keys()), "the document has no line %s", shorten(one.text))
		case !slices.Contains(publishable, doc.Lines[i].Is.Type().Kind):
			sc.fail(one.place(), "publish what is no person and no amount", "the line %s is not for everybody", shorten(one.text))
		default:
			out.Publish = append(out.Publish, one.text)
		}
	}
	for _, measure := range service.Measures {
		if _, _, taken := sc.d.Step(string(measure)); taken {
			sc.fail(sc.stepPlace(string(measure)), "give the step another name", "%s is what is decided about a licence", measure)
		}
	}
	if sc.doc.Every.given() || sc.doc.Places.given() {
		sc.fail(l.place(), "grant each by a service of its own", "a licence is neither a benefit nor one of limited places")
	}
	sc.d.Licence = out
}

// days returns about how many days a period has, to compare two.
func days(p service.Period) int { return p.Days + 30*p.Months }
