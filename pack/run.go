package pack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// Report is what the examples of a catalogue show.
type Report struct{ Services []ServiceReport }

// ServiceReport is what the examples of one service show.
type ServiceReport struct {
	Service  ident.Service
	Examples []ExampleResult
	Coverage []Coverage
	// Undecided says of each criterion of an order that no example is put before another by it.
	Undecided []bool
}

// ExampleResult is one example that was run.
type ExampleResult struct {
	Name   string
	Place  string           // "packs/youth/services/tools-subsidy.yaml:40:5"
	Failed []wording.Phrase // what came out otherwise than expected; empty: it passes
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
	places, decided := map[string]service.Place{}, map[int]bool{}
	for _, x := range examples {
		result := ExampleResult{Name: x.name, Place: fmt.Sprintf("%s:%d:%d", x.at.file.name, x.at.line, x.at.column)}
		got, err := run(ctx, d, x)
		if err != nil {
			result.Failed = []wording.Phrase{wording.Verbatim(wording.English(err.Error()))}
		} else {
			result.Failed = x.expect.compare(got, currency)
			places[x.name] = got.place
			if other := places[x.expect.before]; x.expect.before != "" && len(result.Failed) == 0 {
				if by, ok := comesBefore(got.place, other); ok {
					decided[by] = true
				} else {
					result.Failed = append(result.Failed, phrase("it does not come before %s", x.expect.before))
				}
			}
		}
		for _, evaluation := range got.evaluations {
			for i, f := range evaluation.Found {
				switch f.Outcome {
				case rules.Met:
					report.Coverage[i].Met++
				case rules.NotMet:
					report.Coverage[i].NotMet++
				default:
					report.Coverage[i].Unclear++
				}
			}
		}
		report.Examples = append(report.Examples, result)
	}
	if d.Places != nil {
		for i := range d.Places.Order {
			report.Undecided = append(report.Undecided, !decided[i])
		}
	}
	return report
}

// comesBefore reports by which criterion a place comes before another of the same queue; false if by none.
func comesBefore(one, other service.Place) (criterion int, ok bool) {
	if one.Queue != other.Queue {
		return 0, false
	}
	for i := range one.Values {
		from, to := i*service.RankLength, (i+1)*service.RankLength
		if mine, theirs := one.Rank[from:to], other.Rank[from:to]; mine != theirs {
			return i, mine < theirs
		}
	}
	return 0, false
}

// came is what came out of an example.
type came struct {
	evaluations []service.Evaluation
	outcome     string
	because     []string
	output      service.Outcome
	place       service.Place // of limited places
	fee         money.Amount
	offered     bool
}

// run carries an example through requirements, steps and outputs, as casework does.
func run(ctx context.Context, d *service.Definition, x *compiledExample) (came, error) {
	evaluation, err := d.Evaluate(ctx, x.facts)
	if err != nil {
		return came{}, err
	}
	got := came{evaluations: []service.Evaluation{evaluation}, outcome: "waiting"}
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
	if got.fee, _, err = d.Charge(ctx, x.facts); err != nil {
		return got, err
	}
	if d.Notification {
		got.output, err = d.Grant(ctx, x.facts)
		got.outcome = "received"
		return got, err
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
	if err == nil && d.Places != nil {
		if got.place, err = d.Place(ctx, x.facts); err == nil {
			_, err = d.Count(ctx, x.facts)
		}
	}
	if err == nil && x.review != nil {
		return got, got.reviewed(ctx, d, *x.review)
	}
	return got, err
}

// reviewed carries a granted benefit into a later period.
func (got *came) reviewed(ctx context.Context, d *service.Definition, facts service.Facts) (err error) {
	evaluation, err := d.Evaluate(ctx, facts)
	if err != nil {
		return err
	}
	got.evaluations = append(got.evaluations, evaluation)
	because, err := d.Ends(ctx, facts, evaluation)
	if err != nil {
		return err
	}
	switch {
	case len(because) > 0:
		got.outcome, got.because, got.output = "ended", because, service.Outcome{}
	case evaluation.Outcome() != rules.Met:
		got.outcome, got.output = "waiting", service.Outcome{}
	default:
		got.output, err = d.Grant(ctx, facts)
	}
	return err
}

// compare says what came out otherwise than expected.
func (e expectation) compare(got came, currency money.Currency) []wording.Phrase {
	var failed []wording.Phrase
	differ := func(what string, want, is any) {
		failed = append(failed, phrase("%s: expected %s, came out %s", what, shown(currency, want), shown(currency, is)))
	}
	if e.offered != nil && *e.offered != got.offered {
		differ("offered", *e.offered, got.offered)
	}
	if e.outcome != got.outcome {
		differ("outcome", e.outcome, got.outcome)
		if len(got.because) > 0 {
			failed = append(failed, phrase("because of %s", strings.Join(got.because, ", ")))
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
	if e.fee != nil && *e.fee != got.fee {
		differ("fee", *e.fee, got.fee)
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
func shown(currency money.Currency, value any) wording.Phrase {
	switch v := value.(type) {
	case money.Amount:
		return wording.Verbatim(currency.Format(v))
	case calendar.Date:
		return wording.Verbatim(v)
	case ident.Subject:
		if v == applicantOf(v.Kind()) {
			return wording.Verbatim("applicant")
		}
	case nil:
		return phrase("nothing")
	case string:
		if v == "" {
			return phrase("nothing")
		}
	}
	return wording.Verbatim(fmt.Sprint(value))
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
			for i, undecided := range report.Undecided {
				if undecided {
					c.fail(c.fileOf(s, d).Places.Order[i].place(), "add an example with expect: {outcome: granted, before: …}",
						"no example comes before another by this")
				}
			}
		}
	}
}

func (c *compiler) requirementPlace(s *source, d *service.Definition, i int) place {
	return c.fileOf(s, d).Require[i].ID.place()
}

// fileOf returns the file that declares a service of the source.
func (c *compiler) fileOf(s *source, d *service.Definition) *serviceFile {
	for _, one := range s.services {
		if ident.Service(s.name+"/"+one.doc.Service.text) == d.Path {
			return &one.doc
		}
	}
	return &serviceFile{mark: s.file.mark} // never: each was made of its file
}
