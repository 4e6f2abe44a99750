package pack

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"yagona/kernel/field"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// compiledExample is one example, with everything that it takes from the example that it is like.
type compiledExample struct {
	name   string
	at     place
	facts  service.Facts
	decide map[string]service.Action
	review *service.Facts // of a benefit: what a later period is decided on
	expect expectation
}

// expectation is what an example expects.
type expectation struct {
	outcome  string
	because  []string
	payment  *money.Amount
	fee      *money.Amount
	offered  *bool
	before   string // the name of an example that it comes before
	document map[string]any
	record   map[string]any
}

// draft is an example before its values are read.
type draft struct {
	submitted, decided date
	ask, evidence      *node
	decide             map[string]service.Action
}

// examples compiles the examples of a service and checks that they can be run.
func (sc *serviceCompiler) examples() {
	drafts := map[string]draft{}
	granted, refused, ended := false, false, false
	var names []string
	for i := range sc.doc.Examples {
		e := &sc.doc.Examples[i]
		if e.Name.text == "" || !e.Expect.Outcome.given() {
			continue // reported as missing
		}
		if _, twice := drafts[e.Name.text]; twice {
			sc.fail(e.Name.place(), "give each example a name of its own", "an example is called so already")
		}
		base := draft{}
		if e.Like.given() {
			var ok bool
			if base, ok = drafts[e.Like.text]; !ok {
				sc.refuse(e.Like.place(), phrase("name an earlier example: %s", oneOf(e.Like.text, names)),
					"there is no example of this name before")
				continue
			}
		}
		d := sc.overlay(base, e)
		drafts[e.Name.text] = d
		names = append(names, e.Name.text)
		granted = granted || e.Expect.Outcome.value == "granted" || sc.d.Notification && e.Expect.Outcome.value == "received"
		refused = refused || e.Expect.Outcome.value == "refused"
		ended = ended || e.Expect.Outcome.value == "ended"
		if compiled, ok := sc.example(e, d); ok {
			sc.s.compiled.examples[sc.d.Path] = append(sc.s.compiled.examples[sc.d.Path], compiled)
		}
	}
	at := sc.doc.place()
	if n := sc.doc.node.find("examples"); n != nil {
		at = n.at
	}
	if !granted && sc.d.Notification {
		sc.fail(at, "add an example with expect: {outcome: received}", "no example of %s is received", sc.d.Path)
	} else if !granted {
		sc.fail(at, "add an example with expect: {outcome: granted}", "no example of %s is granted", sc.d.Path)
	}
	if sc.d.Every != nil && !ended {
		sc.fail(at, "add an example with review: and expect: {outcome: ended, because: […]}", "no example of %s ends", sc.d.Path)
	}
	if !refused && len(sc.doc.Require)+len(sc.doc.Process) > 0 && !sc.d.Notification {
		sc.fail(at, "add an example with expect: {outcome: refused, because: […]}", "no example of %s is refused", sc.d.Path)
	}
}

func (sc *serviceCompiler) overlay(base draft, e *example) draft {
	d := draft{submitted: base.submitted, decided: base.decided, decide: maps.Clone(base.decide)}
	if e.Submitted.given() {
		d.submitted = e.Submitted
	}
	if e.Decided.given() {
		d.decided = e.Decided
	}
	d.ask, d.evidence = merge(base.ask, e.Ask.node), merge(base.evidence, e.Evidence.node)
	for _, one := range e.Decide.list {
		if d.decide == nil {
			d.decide = map[string]service.Action{}
		}
		if _, step, ok := sc.d.Step(one.key); !ok {
			sc.fail(one.at, "name a step of the process", "there is no step %s", shorten(one.key))
		} else if !step.Allows(service.Action(one.value.value)) {
			sc.refuse(one.value.place(), phrase("use one of %s", joinActions(step.Actions)), "the step %s does not allow %s", one.key,
				one.value.value)
		}
		d.decide[one.key] = service.Action(one.value.value)
	}
	return d
}

func joinActions(actions []service.Action) string {
	words := make([]string, len(actions))
	for i, a := range actions {
		words[i] = string(a)
	}
	return strings.Join(words, ", ")
}

// merge lays the keys of one mapping over those of another, all the way down.
func merge(under, over *node) *node {
	if over == nil || under == nil || under.kind != mapping || over.kind != mapping {
		if over != nil {
			return over
		}
		return under
	}
	merged := &node{at: over.at, kind: mapping}
	for _, p := range under.pairs {
		if above := over.find(p.key.text); above != nil {
			merged.pairs = append(merged.pairs, pair{p.key, merge(p.value, above)})
		} else {
			merged.pairs = append(merged.pairs, p)
		}
	}
	for _, p := range over.pairs {
		if under.find(p.key.text) == nil {
			merged.pairs = append(merged.pairs, p)
		}
	}
	return merged
}

// example reads the values of one example.
func (sc *serviceCompiler) example(e *example, d draft) (*compiledExample, bool) {
	before := len(sc.problems)
	x := &compiledExample{
		name: e.Name.text, at: e.Name.place(), decide: d.decide,
		expect: expectation{outcome: string(e.Expect.Outcome.value)},
	}
	if !d.submitted.given() {
		sc.fail(x.at, "add submitted: 2026-03-02", "the example does not say when the application is made")
		return nil, false
	}
	x.facts = service.Facts{
		Applicant: sc.applicant, Submitted: d.submitted.day, Decided: d.submitted.day,
		Ask: map[string]any{}, Evidence: map[string]any{},
	}
	if d.decided.given() {
		x.facts.Decided = d.decided.day
	}
	if x.facts.Decided.Before(x.facts.Submitted) {
		sc.fail(d.decided.place(), "write a later day", "it is decided before it is submitted")
	}
	if x.facts.Submitted.Before(sc.d.From) {
		sc.refuse(d.submitted.place(), phrase("write %s or later", sc.d.From),
			"this version of the service takes no applications yet")
	}
	if d.ask != nil {
		x.facts.Ask = sc.object(d.ask, field.TypeOf(sc.d.Fields()))
	}
	if d.evidence != nil {
		sc.exampleEvidence(&x.facts, d.evidence)
	}
	for _, ev := range sc.d.Evidence {
		if d.evidence.find(ev.Name) == nil {
			sc.refuse(x.at, phrase("add %s: its values, none, or unknown", ev.Name),
				"the example does not say what the register answers for %s", ev.Name)
		}
	}
	sc.exampleReview(x, e, d)
	sc.exampleExpect(x, &e.Expect)
	if len(sc.problems) > before {
		return nil, false
	}
	sc.checkAnswers(x)
	return x, len(sc.problems) == before
}

// exampleReview reads what a later period of a benefit is decided on.
func (sc *serviceCompiler) exampleReview(x *compiledExample, e *example, d draft) {
	if !e.Review.given() {
		if e.Expect.Outcome.value == "ended" {
			sc.fail(e.Expect.Outcome.place(), "add review: {on: …}, the period with which it ends", "the example does not say when it ends")
		}
		return
	}
	if sc.d.Every == nil {
		sc.fail(e.Review.place(), "remove it, or add every to the service", "the service is granted once, and not reviewed")
		return
	}
	later := x.facts
	later.Evidence = map[string]any{}
	sc.exampleEvidence(&later, merge(d.evidence, e.Review.Evidence.node))
	later.Decided = sc.d.Every.Period(e.Review.On.day)
	if !later.Decided.After(x.facts.Decided) {
		sc.fail(e.Review.On.place(), "write a day of a later period", "it is reviewed before it is granted")
	}
	x.review = &later
}

func (sc *serviceCompiler) exampleEvidence(facts *service.Facts, given *node) {
	var names []string
	for _, ev := range sc.d.Evidence {
		names = append(names, ev.Name)
	}
	for _, p := range given.pairs {
		i := slices.Index(names, p.key.text)
		if i < 0 {
			if _, declared := sc.doc.Evidence.get(p.key.text); !declared {
				sc.refuse(p.key.at, oneOf(p.key.text, names), "there is no evidence %s", shorten(p.key.text))
			}
			continue
		}
		ev := sc.d.Evidence[i]
		switch {
		case p.value.kind == scalar && p.value.text == "unknown":
		case p.value.kind == scalar && p.value.text == "none" && !ev.Of.Each:
			facts.Evidence[ev.Name] = nil
		default:
			t := ev.Type
			if ev.Of.Each {
				t = rules.ListOf(t)
			}
			value := sc.value(p.value, t)
			if value == nil {
				continue
			}
			if wrong, ok := errors.AsType[*rules.TypeError](t.Check(value)); ok {
				sc.fail(p.value.at, "write all values that the register answers", "%s: %s", ev.Name, wrong.Phrase())
			}
			facts.Evidence[ev.Name] = value
		}
	}
}

func (sc *serviceCompiler) exampleExpect(x *compiledExample, e *expect) {
	var reasons []string
	for _, r := range sc.doc.Require {
		reasons = append(reasons, r.ID.text)
	}
	reasons = append(reasons, sc.doc.Evidence.keys()...)
	for _, stage := range sc.d.Process {
		for _, s := range stage.Steps {
			reasons = append(reasons, s.Name)
		}
	}
	sc.expectBefore(x, e)
	if sc.d.Every != nil {
		reasons = append(reasons, service.Ended)
	}
	for _, b := range e.Because {
		if !slices.Contains(reasons, b.text) {
			sc.refuse(b.place(), oneOf(b.text, reasons), "no requirement, evidence or step is called %s", b.text)
		}
		x.expect.because = append(x.expect.because, b.text)
	}
	if (e.Outcome.value == "refused" || e.Outcome.value == "ended") && len(e.Because) == 0 {
		sc.fail(e.Outcome.place(), "add because: the rule that is not met", "the example does not say why it is %s", e.Outcome.value)
	}
	if e.Offered.given() {
		x.expect.offered = &e.Offered.value
		if sc.d.Start == "" {
			sc.fail(e.Offered.place(), "add start: the evidence type whose change makes the platform offer it, or remove it", "nobody is offered a service that does not start by itself")
		}
	}
	if e.Payment.given() {
		if amount, ok := sc.value(e.Payment.node, rules.Money).(money.Amount); ok {
			x.expect.payment = &amount
		}
	}
	if e.Fee.given() {
		if amount, ok := sc.value(e.Fee.node, rules.Money).(money.Amount); ok {
			x.expect.fee = &amount
		}
		if sc.d.Fee == nil && !sc.doc.Fee.given() {
			sc.fail(e.Fee.place(), "add fee to the service, or remove it", "the service costs nothing")
		}
	}
	lines, fields := map[string]rules.Type{}, map[string]rules.Type{}
	if out := sc.d.Output.Document; out != nil {
		for _, l := range out.Lines {
			lines[l.Name] = l.Is.Type()
		}
	}
	if out := sc.d.Output.Record; out != nil {
		for _, s := range out.Set {
			fields[s.Field] = s.Is.Type()
		}
	}
	x.expect.document = sc.expected(e.Document, sc.doc.Output.Document.Lines.keys(), lines)
	x.expect.record = sc.expected(e.Record, sc.doc.Output.Record.Set.keys(), fields)
}

// expectBefore reads before which example one comes in the queue.
func (sc *serviceCompiler) expectBefore(x *compiledExample, e *expect) {
	if !e.Before.given() {
		return
	}
	x.expect.before = e.Before.text
	known := slices.ContainsFunc(sc.s.compiled.examples[sc.d.Path], func(other *compiledExample) bool {
		return other.name == x.expect.before && other.expect.outcome == "granted"
	})
	switch {
	case sc.d.Places == nil:
		sc.fail(e.Before.place(), "remove it, or add places to the service", "the service has enough for all, and no queue")
	case e.Outcome.value != "granted" || !known:
		sc.fail(e.Before.place(), "name an earlier example that is granted, in one that is granted", "there is no such example in the queue")
	}
}

func (sc *serviceCompiler) expected(given entries[anything], names []string,
	types map[string]rules.Type,
) map[string]any {
	values := map[string]any{}
	for _, one := range given.list {
		if t, ok := types[one.key]; ok {
			values[one.key] = sc.value(one.value.node, t)
		} else if !slices.Contains(names, one.key) {
			sc.refuse(one.at, oneOf(one.key, names), "the output has no %s", shorten(one.key))
		}
	}
	return values
}

// checkAnswers checks the answers as the form would.
func (sc *serviceCompiler) checkAnswers(x *compiledExample) {
	asked, err := sc.d.Asked(context.Background(), x.facts)
	if err != nil || sc.profile.Scheme == nil {
		return // a rule that cannot be computed fails in the test
	}
	checked, problems := field.CheckAll(sc.profile.Scheme, sc.d.Fields(), x.facts.Ask,
		func(name string) bool { return !asked[name] })
	for _, p := range problems {
		if sc.said[p.Field+p.Code] {
			continue
		}
		sc.said[p.Field+p.Code] = true
		sc.fail(x.at, "correct the answers of the example", "%s: %s", p.Field, refusal{p})
	}
	x.facts.Ask = checked
}
