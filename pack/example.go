package pack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
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
	expect expectation
}

// expectation is what an example expects.
type expectation struct {
	outcome  string
	because  []string
	payment  *money.Amount
	offered  *bool
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
	granted, refused := false, false
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
				sc.fail(e.Like.place(), "name an earlier example: "+oneOf(e.Like.text, names),
					"there is no example of this name before")
				continue
			}
		}
		d := sc.overlay(base, e)
		drafts[e.Name.text] = d
		names = append(names, e.Name.text)
		granted = granted || e.Expect.Outcome.value == "granted"
		refused = refused || e.Expect.Outcome.value == "refused"
		if compiled, ok := sc.example(e, d); ok {
			sc.s.compiled.examples[sc.d.Path] = append(sc.s.compiled.examples[sc.d.Path], compiled)
		}
	}
	at := sc.doc.place()
	if n := sc.doc.node.find("examples"); n != nil {
		at = n.at
	}
	if !granted {
		sc.fail(at, "add an example with expect: {outcome: granted}", "no example of %s is granted", sc.d.Path)
	}
	if !refused && len(sc.doc.Require)+len(sc.doc.Process) > 0 {
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
			sc.fail(one.value.place(), "use one of "+joinActions(step.Actions), "the step %s does not allow %s", one.key,
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
		sc.fail(d.submitted.place(), "write "+sc.d.From.String()+" or later",
			"this version of the service takes no applications yet")
	}
	if d.ask != nil {
		x.facts.Ask = sc.object(d.ask, field.TypeOf(sc.d.Fields()))
	}
	if d.evidence != nil {
		sc.exampleEvidence(x, d.evidence)
	}
	for _, ev := range sc.d.Evidence {
		if d.evidence.find(ev.Name) == nil {
			sc.fail(x.at, "add "+ev.Name+": its values, none, or unknown",
				"the example does not say what the register answers for %s", ev.Name)
		}
	}
	sc.exampleExpect(x, &e.Expect)
	if len(sc.problems) > before {
		return nil, false
	}
	sc.checkAnswers(x)
	return x, len(sc.problems) == before
}

func (sc *serviceCompiler) exampleEvidence(x *compiledExample, given *node) {
	var names []string
	for _, ev := range sc.d.Evidence {
		names = append(names, ev.Name)
	}
	for _, p := range given.pairs {
		i := slices.Index(names, p.key.text)
		if i < 0 {
			if _, declared := sc.doc.Evidence.get(p.key.text); !declared {
				sc.fail(p.key.at, oneOf(p.key.text, names), "there is no evidence %s", shorten(p.key.text))
			}
			continue
		}
		ev := sc.d.Evidence[i]
		switch {
		case p.value.kind == scalar && p.value.text == "unknown":
		case p.value.kind == scalar && p.value.text == "none" && !ev.Of.Each:
			x.facts.Evidence[ev.Name] = nil
		default:
			t := ev.Type
			if ev.Of.Each {
				t = rules.ListOf(t)
			}
			value := sc.value(p.value, t)
			if value == nil {
				continue
			}
			if err := t.Check(value); err != nil {
				sc.fail(p.value.at, "write all values that the register answers", "%s: %s", ev.Name, err)
			}
			x.facts.Evidence[ev.Name] = value
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
	for _, b := range e.Because {
		if !slices.Contains(reasons, b.text) {
			sc.fail(b.place(), oneOf(b.text, reasons), "no requirement, evidence or step is called %s", b.text)
		}
		x.expect.because = append(x.expect.because, b.text)
	}
	if e.Outcome.value == "refused" && len(e.Because) == 0 {
		sc.fail(e.Outcome.place(), "add because: the rule that refuses it", "the example does not say why it is refused")
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

func (sc *serviceCompiler) expected(given entries[anything], names []string,
	types map[string]rules.Type,
) map[string]any {
	values := map[string]any{}
	for _, one := range given.list {
		if t, ok := types[one.key]; ok {
			values[one.key] = sc.value(one.value.node, t)
		} else if !slices.Contains(names, one.key) {
			sc.fail(one.at, oneOf(one.key, names), "the output has no %s", shorten(one.key))
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
		sc.fail(x.at, "correct the answers of the example", "%s: %s", p.Field, strings.TrimSuffix(p.Message, "."))
	}
	x.facts.Ask = checked
}

// Report is what the examples of a catalogue show.
type Report struct{ Services []ServiceReport }

// ServiceReport is what the examples of one service show.
type ServiceReport struct {
	Service  ident.Service
	Examples []ExampleResult
	Coverage []Coverage
}

// ExampleResult is one example that was run.
type ExampleResult struct {
	Name   string
	Place  string   // "packs/youth/services/tools-subsidy.yaml:40:5"
	Failed []string // what came out otherwise than expected; empty: it passes
}

// Coverage says how often the examples met a requirement and how often they did not.
type Coverage struct {
	Requirement          string
	Met, NotMet, Unclear int
}

// Passed reports whether every example came out as expected.
func (r Report) Passed() bool {
	for _, s := range r.Services {
		for _, e := range s.Examples {
			if len(e.Failed) > 0 {
				return false
			}
		}
	}
	return true
}

// String prints the report: each example, and for each requirement how the examples cover it.
func (r Report) String() string {
	var out strings.Builder
	for _, s := range r.Services {
		fmt.Fprintf(&out, "%s\n", s.Service)
		for _, e := range s.Examples {
			if len(e.Failed) == 0 {
				fmt.Fprintf(&out, "  ok      %s\n", e.Name)
				continue
			}
			fmt.Fprintf(&out, "  FAILED  %s (%s)\n", e.Name, e.Place)
			for _, f := range e.Failed {
				fmt.Fprintf(&out, "          %s\n", f)
			}
		}
		if len(s.Coverage) == 0 {
			continue
		}
		table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(table, "  requirement\tmet\tnot met\tunknown\t\n")
		for _, c := range s.Coverage {
			fmt.Fprintf(table, "  %s\t%d\t%d\t%d\t\n", c.Requirement, c.Met, c.NotMet, c.Unclear)
		}
		_ = table.Flush() // a strings.Builder does not fail
	}
	return out.String()
}

// Test runs the examples of all packs on the kernel's own evaluation.
func Test(ctx context.Context, catalogue *Catalogue, currency money.Currency) Report {
	var report Report
	for _, p := range catalogue.Packs {
		for _, d := range p.Services {
			report.Services = append(report.Services, testService(ctx, d, p.examples[d.Path], currency))
		}
	}
	return report
}

func testService(ctx context.Context, d *service.Definition, examples []*compiledExample,
	currency money.Currency,
) ServiceReport {
	report := ServiceReport{Service: d.Path}
	for _, r := range d.Require {
		report.Coverage = append(report.Coverage, Coverage{Requirement: r.ID})
	}
	for _, x := range examples {
		result := ExampleResult{Name: x.name, Place: fmt.Sprintf("%s:%d:%d", x.at.file.name, x.at.line, x.at.column)}
		got, err := run(ctx, d, x)
		if err != nil {
			result.Failed = []string{err.Error()}
		} else {
			result.Failed = x.expect.compare(got, currency)
		}
		for i, f := range got.evaluation.Found {
			switch f.Outcome {
			case rules.Met:
				report.Coverage[i].Met++
			case rules.NotMet:
				report.Coverage[i].NotMet++
			default:
				report.Coverage[i].Unclear++
			}
		}
		report.Examples = append(report.Examples, result)
	}
	return report
}

// came is what came out of an example.
type came struct {
	evaluation service.Evaluation
	outcome    string
	because    []string
	output     service.Outcome
	offered    bool
}

// run carries an example through requirements, steps and outputs, as casework does.
func run(ctx context.Context, d *service.Definition, x *compiledExample) (came, error) {
	evaluation, err := d.Evaluate(ctx, x.facts)
	if err != nil {
		return came{}, err
	}
	got := came{evaluation: evaluation, outcome: "waiting"}
	if got.offered, err = d.Offers(ctx, x.facts); err != nil {
		return came{}, err
	}
	switch evaluation.Outcome() {
	case rules.NotMet:
		got.outcome, got.because = "refused", evaluation.Because()
		return got, nil
	case rules.Unclear:
		return got, nil
	}
	for _, stage := range d.Process {
		for _, s := range stage.Steps {
			switch x.decide[s.Name] {
			case service.Refuse:
				got.because = append(got.because, s.Name)
			case service.Recommend, service.Approve:
				continue
			}
			if len(got.because) == 0 {
				return got, nil // nobody decided yet, or the applicant is asked
			}
		}
		if len(got.because) > 0 {
			got.outcome = "refused"
			return got, nil
		}
	}
	got.output, err = d.Grant(ctx, x.facts)
	got.outcome = "granted"
	return got, err
}

// compare says what came out otherwise than expected.
func (e expectation) compare(got came, currency money.Currency) []string {
	var failed []string
	differ := func(what string, want, is any) {
		failed = append(failed, fmt.Sprintf("%s: expected %s, came out %s", what, shown(currency, want), shown(currency, is)))
	}
	if e.offered != nil && *e.offered != got.offered {
		differ("offered", *e.offered, got.offered)
	}
	if e.outcome != got.outcome {
		differ("outcome", e.outcome, got.outcome)
		if got.outcome == "refused" {
			failed = append(failed, "because of "+strings.Join(got.because, ", "))
		}
		return failed
	}
	want, is := slices.Sorted(slices.Values(e.because)), slices.Sorted(slices.Values(got.because))
	if !slices.Equal(want, is) {
		differ("because", strings.Join(want, ", "), strings.Join(is, ", "))
	}
	if e.payment != nil && *e.payment != got.output.Payment {
		differ("payment", *e.payment, got.output.Payment)
	}
	for _, name := range slices.Sorted(maps.Keys(e.document)) {
		if e.document[name] != got.output.Lines[name] {
			differ("document "+name, e.document[name], got.output.Lines[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.record)) {
		if e.record[name] != got.output.Record[name] {
			differ("record "+name, e.record[name], got.output.Record[name])
		}
	}
	return failed
}

// shown returns a value as a pack writes it. The values of examples are nobody's.
func shown(currency money.Currency, value any) string {
	switch v := value.(type) {
	case money.Amount:
		return currency.Format(v)
	case calendar.Date:
		return v.String()
	case ident.Subject:
		if v == applicantOf(v.Kind()) {
			return "applicant"
		}
	case nil:
		return "nothing"
	case string:
		if v == "" {
			return "nothing"
		}
	}
	return fmt.Sprint(value)
}

// cover refuses requirements that no example makes fail.
func (c *compiler) cover(ctx context.Context, catalogue *Catalogue) {
	for _, s := range c.sources {
		for _, d := range s.compiled.Services {
			report := testService(ctx, d, s.compiled.examples[d.Path], c.profile.Currency)
			for i, r := range report.Coverage {
				if r.NotMet == 0 {
					c.fail(c.requirementPlace(s, d, i), "add an example that is refused because of it",
						"no example makes the requirement %s fail", r.Requirement)
				}
			}
		}
	}
}

func (c *compiler) requirementPlace(s *source, d *service.Definition, i int) place {
	for _, one := range s.services {
		if ident.Service(s.name+"/"+one.doc.Service.text) == d.Path {
			return one.doc.Require[i].ID.place()
		}
	}
	return s.file.place()
}
