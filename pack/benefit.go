package pack

import (
	"slices"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// every compiles what makes a payment a benefit, and checks that each payment can be decided without anybody at hand.
func (sc *serviceCompiler) every() {
	e := &sc.doc.Every
	if !e.given() {
		return
	}
	out := &service.Every{Months: e.Period.period.Months, Until: sc.compile(sc.environment, e.Until, rules.KindDate), Over: sc.says("application.benefit-over")}
	if e.Period.given() && (e.Period.period.Days > 0 || out.Months < 1 || 12%out.Months != 0) {
		sc.fail(e.Period.place(), "write 1 month, 2 months, 3 months, 4 months, 6 months or 1 year", "a year is not divided into such periods")
		out.Months = 1
	}
	if !sc.doc.Output.Payment.given() {
		sc.fail(e.place(), "add payment to output, or remove every", "nothing is paid that could be paid again")
	}
	if n := e.node.find("review"); n != nil && len(e.Review) == 0 {
		sc.fail(n.at, "name the evidence that can change", "nothing is asked for again: the benefit would never end or change")
	}
	for _, one := range e.Review {
		if one.text == "" {
			continue
		}
		declared, ok := sc.doc.Evidence.get(one.text)
		if !ok {
			sc.refuse(one.place(), oneOf(one.text, sc.doc.Evidence.keys()), "there is no evidence %s", shorten(one.text))
			continue
		}
		if declared.None.value == "attest" {
			sc.refuse(one.place(), phrase("write none: refuse or none: allow at %s", one.text), "nobody attests %s when a benefit is reviewed", one.text)
		}
		out.Review = append(out.Review, one.text)
		if from := sc.compiler.evidence[ident.Evidence(declared.From.text)]; from != nil {
			sc.grantedFor(one, from, access.Review)
			if r, ok := sc.relations[declared.Of.of.Relation]; ok && !r.Grants(sc.d.Path, access.Review) {
				sc.refuse(one.place(), phrase("ask the register's agency to add %s with purposes: to for: of the relation", sc.d.Path),
					"the relation %s is not granted to %s for %s", r.Name, sc.d.Path, access.Review)
			}
		}
	}
	for _, r := range sc.doc.Require {
		if r.ID.text == service.Ended {
			sc.fail(r.ID.place(), "give the rule another id", "%s is the reason of a benefit that has reached its last day", service.Ended)
		}
	}
	sc.d.Every = out
}

// grantedFor checks that the register answers this service for the purpose, too.
func (sc *serviceCompiler) grantedFor(at name, from *evidenceSource, purpose access.Purpose) {
	for _, g := range from.For {
		if g.Service == sc.d.Path && slices.Contains(g.Purposes, purpose) {
			return
		}
	}
	sc.refuse(at.place(), phrase("ask %s to write {service: %s, purposes: [preview, apply, %s]} in for: of the evidence", from.Agency, sc.d.Path, purpose),
		"%s does not grant %s to %s for %s", from.Register, from.Path, sc.d.Path, purpose)
}
