package pack_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/pack"
)

// drawn is a pack with one register and one service whose bounds and expressions are drawn.
func drawn(t *rapid.T) fstest.MapFS {
	// One place of the pack is drawn from all that can be written there; the others take what is first and mostly right.
	wild := rapid.SampledFrom([]string{"rule", "line", "set", "amount", "shape", "day", "when", "since", "note", "kind", "to"}).Draw(t, "wild")
	pick := func(label string, from ...string) string {
		switch label {
		case "rule", "line", "set", "amount", "shape", "day", "when", "since", "note", "kind", "to":
			if label != wild {
				return from[0]
			}
		}
		return rapid.SampledFrom(from).Draw(t, label)
	}
	bound := func(label string) string {
		return pick(label, "", ", min: 0", ", min: 1", ", min: -5, max: 5", ", min: 1, max: 1000", ", max: 1000000000000")
	}
	number := func(label string) string {
		return pick(label, "1", "ask.n", "size(ask.items)", "work.n", "age(work.since, submitted)", "days(work.since, decided)", "7",
			"sum(ask.items.map(i, i.n))", "param.top", "(has(ask.more) ? ask.more : 1)", "month(decided)")
	}
	formula := func(label string) string {
		return strings.NewReplacer("A", number(label), "B", number(label), "C", number(label)).Replace(pick(label, "7", "A + B",
			"A - B", "A * B", "A / B", "A % B", "A * B * C", "(B != 0 ? A / B : C)", "(B > 0 ? A % B : C)", "least(A, B)",
			"least(greatest(A, 0), 500)", "greatest(ask.items.map(i, i.n))", "ask.items[0].n",
			"(size(ask.items) > 0 ? ask.items[0].n : A)"))
	}
	amount := strings.NewReplacer("A", formula("amount"), "B", number("amount")).Replace(pick("shape", "ask.price", "A * param.brv",
		"least(ask.price, 10 * param.brv)", "positive(ask.price - A * param.brv)", "percent(A, ask.price)", "ask.price - param.brv",
		"least(positive(A * ask.price), param.brv)", "sum(ask.items.map(i, i.n * param.brv))"))
	item := bound("item")
	day := pick("day", "decided", "plusDays(decided, A)", "plusMonths(work.since, A)", "plusYears(submitted, least(greatest(A, -50), 50))")
	return fstest.MapFS{
		"pack.yaml": {Data: []byte(`pack: one
title: One
language: en
agencies: {office: {title: Office, roles: {clerk: Clerk}}}
funds: {purse: Purse}
params:
  brv: {type: money, source: illustrative, history: {2020-01-01: 375000 UZS, 2025-01-01: 412000 UZS}}
  top: {type: int, source: illustrative, history: {2020-01-01: 3, 2025-01-01: 0}}
`)},
		"registers/work.yaml": {Data: fmt.Appendf(nil, `register: work
agency: office
held: here
title: Work
subject: person
fields:
  person: {type: person, required: true}
  n: {type: int, required: true%s}
  since: {type: date, required: true}
  kind: {type: choice, options: {a: A, b: B}}
  note: {type: text, max: %s}
  paid: {type: money%s}
evidence:
  work: {of: person, answer: {n: {type: int}, since: {type: date}}, for: [one/help]}
`, pick("field", "", ", min: 0", ", min: 1, max: 1000"), pick("letters", "200", "5000", "3"), pick("paid", "", "", ", max: 1000000 UZS"))},
		"services/help.yaml": {Data: fmt.Appendf(nil, `service: help
version: 1
from: 2026-01-01
agency: office
title: Help
summary: Help.
for: person
legal: [{act: An act, status: illustrative}]
ask:
  n: {type: int, label: N%s, only-applicant: a plan}
  more: {type: int, label: More, when: "%s", only-applicant: a plan}
  price: {type: money, label: Price, %sonly-applicant: a plan}
  word: {type: text, label: Word, only-applicant: a plan}
  account: {type: bank-account, label: Account, owner: applicant, term: person.account}
  items: {label: Items, repeat: {min: %s, max: %s}, only-applicant: a plan, ask: {n: {type: int, label: N%s}}}
evidence:
  work: {of: applicant, from: one/work}
require:
  - {id: first, that: "ask.n > 0 && %s >= 1 || ask.n < 7", otherwise: No.}
output:
  document: {type: paper, valid: 1 year, lines: {day: {label: Day, is: "%s"}, n: {label: N, is: "%s"}, word: {label: Word, is: ask.word}}}
  payment: {amount: "%s", to: ask.account, fund: purse}
  record: {register: one/work, set: {person: applicant, n: "%s", since: "%s", note: "%s", kind: "%s", paid: "%s"}}
examples: []
`, bound("n"), pick("when", "ask.n > 0", "10 / ask.n > 2", "ask.n != 0 && 10 / ask.n > 2"),
			pick("price", "", "min: 1 UZS, ", "max: 1000000 UZS, "), pick("least", "0", "1"), pick("most", "1", "100"), item,
			formula("rule"), strings.Replace(day, "A", formula("day"), 1), formula("line"), amount, formula("set"),
			pick("since", "decided", "work.since", "submitted"), pick("note", "ask.word", "ask.word + ask.word", "'a'"),
			pick("kind", "a", "ask.n > 2 ? 'a' : 'b'", "ask.word"), pick("to", "ask.price", "least(ask.price, param.brv)"))},
	}
}

// within draws a value of a field, mostly from the ends of its bounds.
func within(t *rapid.T, d field.Definition) any {
	bounds := d.Type().Bounds()
	n := rapid.SampledFrom([]int64{bounds.Low, bounds.High, min(max(0, bounds.Low), bounds.High), min(bounds.Low+1, bounds.High)}).Draw(t, d.Name)
	switch d.Kind {
	case field.Int:
		return n
	case field.Money:
		return money.Amount(n)
	case field.Date:
		return calendar.Date{Year: 1970, Month: 1, Day: 1}.AddDays(int(n))
	case field.Choice:
		return d.Options[0].Value
	case field.BankAccount:
		return "20208000000000000001"
	case field.List:
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"n": within(t, d.Fields[0])}
		}
		return list
	}
	return strings.Repeat("ў", int(max(1, n)))
}

// What passes the checker, but for its examples, is decided without an error, whatever people and registers say.
func TestWhatPassesTheCheckerIsDecided(t *testing.T) {
	passed, granted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		files := drawn(t)
		services, registers, problems := pack.LoadWithoutExamples([]pack.Source{{Dir: "one", FS: files}}, profile())
		if problems.Failed() {
			return
		}
		passed++
		d, keeper := services[0], registers[0]
		answers := map[string]any{}
		for _, q := range d.Ask {
			answers[q.Name] = within(t, q.Definition)
		}
		work := map[string]any{}
		for _, f := range keeper.Fields[1:3] {
			work[f.Name] = within(t, f)
		}
		day := calendar.Date{Year: rapid.SampledFrom([]int{2026, 2100, 2899}).Draw(t, "year"), Month: 2, Day: 28}
		facts := service.Facts{
			Applicant: ident.Subject("person:00000000-0000-4000-8000-000000000001"), Submitted: day, Decided: day, Ask: answers,
			Evidence: map[string]any{"work": work},
		}
		asked, err := d.Asked(t.Context(), facts)
		if err != nil {
			t.Fatal(err)
		}
		checked, wrong := field.CheckAll(scheme{soum}, d.Fields(), answers, func(name string) bool { return !asked[name] })
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		facts.Ask = checked
		evaluation, err := d.Evaluate(t.Context(), facts)
		if err != nil || evaluation.Outcome() == rules.Unclear {
			t.Fatal(evaluation.Outcome(), err)
		}
		outcome, err := d.Grant(t.Context(), facts) // an appeal can grant what the rules would not, so it must never fail
		if err != nil {
			t.Fatal(err)
		}
		granted++
		if _, wrong := field.CheckAll(scheme{soum}, keeper.Fields, outcome.Record, nil); len(wrong) > 0 {
			t.Fatal(wrong)
		}
	})
	if passed == 0 || granted == 0 {
		t.Errorf("%d packs passed, %d applications were granted", passed, granted)
	}
	t.Logf("%d packs passed the checker, %d applications were granted", passed, granted)
}
