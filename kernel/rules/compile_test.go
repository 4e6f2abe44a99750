package rules_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yagona/kernel/money"
	"yagona/kernel/rules"
)

var update = flag.Bool("update", false, "write the golden files")

// TestErrors reads testdata/errors.txt: an expression, dashes, what is wrong with it; a blank line between cases.
func TestErrors(t *testing.T) {
	path := filepath.Join("testdata", "errors.txt")
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(strings.TrimSpace(string(golden)), "\n\n")
	if len(cases) < 25 {
		t.Fatalf("only %d cases", len(cases))
	}
	var got []string
	for _, c := range cases {
		source, _, _ := strings.Cut(c, "\n---")
		_, err := environment(t).Compile(source, rules.KindBool, rules.KindMoney)
		if err == nil {
			t.Errorf("%s: compiles", source)
			continue
		}
		got = append(got, source+"\n---\n"+err.Error())
	}
	text := strings.Join(got, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(golden), text); diff != "" {
		t.Error(diff)
	}
}

func TestInputs(t *testing.T) {
	program, err := environment(t).Compile(
		`has(unemployment.since) && ask.price > param.brv && children.exists(c, c.born < submitted)`, rules.KindBool)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ask.price", "children", "children[].born", "param.brv", "submitted", "unemployment.since"}
	if diff := cmp.Diff(want, program.Inputs()); diff != "" {
		t.Error(diff)
	}
}

func TestAResultMayBeAbsentWhereThatIsAllowed(t *testing.T) {
	program, err := environment(t).CompileOptional(`unemployment.since`, rules.KindDate)
	if err != nil || !program.Optional() {
		t.Fatal(program, err)
	}
	inputs := values()
	if result, err := program.Evaluate(t.Context(), inputs); err != nil || result.Value != any(date("2025-09-01")) {
		t.Error(result, err)
	}
	delete(inputs["unemployment"].(map[string]any), "since")
	if result, err := program.Evaluate(t.Context(), inputs); err != nil || result.Value != nil || !result.IsKnown() {
		t.Error(result, err)
	}
	inputs["unemployment"] = rules.Unknown{}
	if result, err := program.Evaluate(t.Context(), inputs); err != nil || result.IsKnown() {
		t.Error(result, err)
	}
	if _, err := environment(t).CompileOptional(`plusDays(unemployment.since, 1)`, rules.KindDate); err == nil {
		t.Error("a computation with what may be absent compiles")
	}
}

func TestAmountsThatCanBeNegative(t *testing.T) {
	known := func(path string) rules.Interval {
		switch path {
		case "ask.price":
			return rules.Interval{Low: 100, High: rules.Anything.High}
		case "param.brv", "children[].allowance":
			return rules.Interval{Low: 0, High: rules.Anything.High}
		}
		return rules.Anything
	}
	for source, negative := range map[string]bool{
		`least(ask.price, 10 * param.brv)`:                                 false,
		`ask.price - param.brv`:                                            true,
		`positive(ask.price - param.brv)`:                                  false,
		`greatest(ask.price - param.brv, param.brv)`:                       false,
		`-1 * param.brv`:                                                   true,
		`-ask.price`:                                                       true,
		`percent(15, param.brv) + ask.price`:                               false,
		`percent(-15, param.brv)`:                                          true,
		`size(children) * param.brv`:                                       false,
		`(size(children) - 1) * param.brv`:                                 true,
		`sum(children.map(c, has(c.allowance) ? c.allowance : param.brv))`: false,
		`sum(children.map(c, has(c.allowance) ? c.allowance - ask.price : param.brv))`: true,
		`ask.trade == "sewing" ? param.brv : ask.price`:                                false,
		`age(birth.date, submitted) * param.brv`:                                       true,
		`sum([param.brv, ask.price]) + least([param.brv])`:                             false,
	} {
		program, err := environment(t).Compile(source, rules.KindMoney)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := program.Interval(known); (got.Low < 0) != negative {
			t.Errorf("%s: %v", source, got)
		}
	}
}

func TestAProgramIsSharedByGoroutines(t *testing.T) {
	program, err := environment(t).Compile(
		`age(birth.date, submitted) in range(18, 30) && children.exists(c, has(c.allowance))`, rules.KindBool)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				result, err := program.Evaluate(t.Context(), values())
				if err != nil || result.Outcome() != rules.Met || len(result.Read) != 5 {
					t.Errorf("%v %v", result, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestAnOverflowIsNeverAnAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inputs := values()
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		if money.Amount(a) < money.Min || money.Amount(b) < money.Min {
			t.Skip("no amount")
		}
		inputs["ask"].(map[string]any)["price"] = money.Amount(a)
		inputs["param"].(map[string]any)["brv"] = money.Amount(b)
		e, err := rules.NewEnvironment(subsidy...)
		if err != nil {
			t.Fatal(err)
		}
		for source, check := range map[string]func(result int64) bool{
			`ask.price + param.brv`: func(r int64) bool { return r-b == a && (r >= a) == (b >= 0) },
			`ask.price - param.brv`: func(r int64) bool { return r+b == a && (r <= a) == (b >= 0) },
			`3 * ask.price`:         func(r int64) bool { return r/3 == a && r%3 == 0 },
		} {
			program, err := e.Compile(source, rules.KindMoney)
			if err != nil {
				t.Fatal(err)
			}
			result, err := program.Evaluate(t.Context(), inputs)
			if err == nil && !check(int64(result.Value.(money.Amount))) {
				t.Fatalf("%s of %d and %d is %v", source, a, b, result.Value)
			}
			interval := program.Interval(func(path string) rules.Interval {
				if path == "ask.price" {
					return rules.Interval{Low: a, High: a}
				}
				return rules.Interval{Low: min(b, 0), High: max(b, 0)}
			})
			if value, ok := result.Value.(money.Amount); ok && (int64(value) < interval.Low || int64(value) > interval.High) {
				t.Fatalf("%s of %d and %d lies outside %v", source, a, b, interval)
			}
		}
	})
}

// An unknown input never changes what is decided without it, and never decides by itself.
func TestKnowingMoreNeverChangesADecision(t *testing.T) {
	e := environment(t)
	atoms := []string{
		`unemployment.registered`, `ask.trade == "sewing"`, `birth.date < submitted`,
		`ask.price > param.brv`, `has(unemployment.since)`,
	}
	var expression func(t *rapid.T, depth int) string
	expression = func(t *rapid.T, depth int) string {
		shape := rapid.IntRange(0, 4).Draw(t, "shape")
		if depth == 0 || shape == 0 {
			return rapid.SampledFrom(atoms).Draw(t, "atom")
		}
		left := expression(t, depth-1)
		switch shape {
		case 1:
			return "!(" + left + ")"
		case 2:
			return "(" + left + " && " + expression(t, depth-1) + ")"
		case 3:
			return "(" + left + " || " + expression(t, depth-1) + ")"
		default:
			return "(" + left + " ? " + expression(t, depth-1) + " : " + expression(t, depth-1) + ")"
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		source := expression(t, 4)
		program, err := e.Compile(source, rules.KindBool)
		if err != nil {
			t.Fatal(err)
		}
		full := values()
		full["unemployment"].(map[string]any)["registered"] = rapid.Bool().Draw(t, "registered")
		if rapid.Bool().Draw(t, "no since") {
			delete(full["unemployment"].(map[string]any), "since")
		}
		partial := values()
		for _, name := range []string{"unemployment", "birth"} {
			partial[name] = full[name]
			if rapid.Bool().Draw(t, name) {
				partial[name] = rules.Unknown{}
			}
		}
		want, err := program.Evaluate(t.Context(), full)
		if err != nil || want.Outcome() == rules.Unclear {
			t.Fatal(source, want, err)
		}
		got, err := program.Evaluate(t.Context(), partial)
		if err != nil {
			t.Fatal(source, err)
		}
		if got.Outcome() != rules.Unclear && got.Outcome() != want.Outcome() {
			t.Fatalf("%s: %v in part, %v in full", source, got.Outcome(), want.Outcome())
		}
		if (got.Outcome() == rules.Unclear) != (len(got.Unknown) > 0) {
			t.Fatalf("%s: %v without a missing path", source, got.Outcome())
		}
	})
}

func TestValuesOfAnotherTypeAreRefused(t *testing.T) {
	declared := rules.ObjectOf(
		rules.Field{Name: "price", Type: rules.Money},
		rules.Field{Name: "trade", Type: rules.ChoiceOf("sewing", "welding"), Optional: true},
		rules.Field{Name: "days", Type: rules.ListOf(rules.Date), Optional: true},
	)
	for _, c := range []struct {
		value any
		want  string
	}{
		{map[string]any{"price": int64(1)}, "price is not money"},
		{map[string]any{}, "price is missing"},
		{map[string]any{"price": nil}, "price is missing"},
		{map[string]any{"price": money.Amount(1), "cost": true}, "cost is not known here"},
		{map[string]any{"price": money.Amount(1), "trade": "baking"}, "trade is none of the options: choose sewing, welding"},
		{map[string]any{"price": money.Amount(1), "days": []any{submittedOn, "2026"}}, "days[1] is not date"},
		{[]any{}, "the value is not object"},
		{nil, "the value is not object"},
	} {
		if err := declared.Check(c.value); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v", c.value, err)
		}
	}
	if err := declared.Check(map[string]any{"price": rules.Unknown{}, "trade": nil}); err != nil {
		t.Error(err)
	}
}

var submittedOn = date("2026-03-02")

func FuzzCompile(f *testing.F) {
	f.Add(`age(birth.date, submitted) in range(18, 30)`)
	f.Add(`children.all(c, has(c.allowance) ? c.allowance > param.brv : c.born < submitted)`)
	f.Add(`least(ask.price, 10 * param.brv) == sum(children.map(c, param.brv))`)
	f.Add("((((((((((")
	f.Add("ask.price\n  + 1")
	f.Add("\"oʻ\" == ask.trade")
	f.Add(`has(ask.note) && ask.note == "` + "\xff" + `"`)
	f.Add(`date("2026-02-30") < submitted`)
	f.Add(`[1,2][5] == 1/0`)
	e := environment(f)
	f.Fuzz(func(t *testing.T, source string) {
		program, err := e.Compile(source, rules.KindBool, rules.KindMoney)
		if err != nil {
			var errs rules.Errors
			if !errors.As(err, &errs) || len(errs) == 0 {
				t.Fatalf("%v", err)
			}
			lines := strings.Split(source, "\n")
			for _, e := range errs {
				if e.Line < 1 || e.Line > len(lines)+1 || e.Column < 1 || e.Message == "" || e.Hint == "" {
					t.Fatalf("%+v", e)
				}
				if e.Line <= len(lines) && e.Column > utf8.RuneCountInString(lines[e.Line-1])+2 {
					t.Fatalf("%+v is behind its line", e)
				}
			}
			return
		}
		program.Interval(nil)
		result, err := program.Evaluate(t.Context(), values())
		if err == nil && result.IsKnown() {
			if err := program.Type().Check(result.Value); err != nil {
				t.Fatalf("%s: %v", source, err)
			}
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	e := environment(b)
	for name, source := range map[string]string{
		"one":  `unemployment.registered`,
		"five": `age(birth.date, submitted) in range(18, 30) && unemployment.registered && ask.price > param.brv && ask.trade == "sewing" && birth.date < submitted`,
	} {
		program, err := e.Compile(source, rules.KindBool)
		if err != nil {
			b.Fatal(err)
		}
		inputs := values()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if result, err := program.Evaluate(b.Context(), inputs); err != nil || result.Outcome() != rules.Met {
					b.Fatal(result, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	e := environment(b)
	for b.Loop() {
		if _, err := e.Compile(`age(birth.date, submitted) in range(18, 30)`, rules.KindBool); err != nil {
			b.Fatal(err)
		}
	}
}
