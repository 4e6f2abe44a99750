package rules_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yagona/kernel/calendar"
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
	e := bounded(t, map[string]rules.Interval{
		"ask.price": {Low: 100, High: 1_000_000_000}, "param.brv": {Low: 0, High: 1_000_000_000},
		"children.allowance": {Low: 0, High: 1_000_000_000},
	})
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
		program, err := e.Compile(source, rules.KindMoney)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := program.Interval(); (got.Low < 0) != negative {
			t.Errorf("%s: %v", source, got)
		}
	}
}

// bounded is the environment with bounds for some inputs.
func bounded(t interface {
	Helper()
	Fatal(...any)
}, bounds map[string]rules.Interval,
) *rules.Environment {
	t.Helper()
	var bind func(path string, of rules.Type) rules.Type
	bind = func(path string, of rules.Type) rules.Type {
		if within, ok := bounds[path]; ok {
			of = of.WithBounds(within)
		}
		if of.Element != nil {
			of = rules.ListOf(bind(path, *of.Element))
		}
		of.Fields = slices.Clone(of.Fields)
		for i, f := range of.Fields {
			of.Fields[i].Type = bind(strings.TrimPrefix(path+"."+f.Name, "."), f.Type)
		}
		return of
	}
	e, err := rules.NewEnvironment(bind("", rules.ObjectOf(subsidy...)).Fields...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPartsThatMayHaveNoResult(t *testing.T) {
	e := bounded(t, map[string]rules.Interval{
		"award.year": {Low: 0, High: 5000}, "ask.price": {Low: 0, High: 100_000_000_000},
	})
	for source, partial := range map[string]bool{
		`100 / size(children) > 3`:                                                                        true,
		`size(children) > 0 && 100 / size(children) > 3`:                                                  false,
		`size(children) != 0 && 100 % size(children) > 3`:                                                 false,
		`size(children) == 0 || 100 / size(children) > 3`:                                                 false,
		`!(size(children) == 0) && 100 / size(children) > 3`:                                              false,
		`100 / size(children) > 3 && size(children) > 0`:                                                  true,
		`size(children) >= 0 && 100 / size(children) > 3`:                                                 true,
		`size(children) in range(1, 5) ? 7 / size(children) > 1 : false`:                                  false,
		`days(birth.date, submitted) != 0 && 7 / days(birth.date, submitted) > 1`:                         false,
		`days(birth.date, submitted) != 1 && 7 / days(birth.date, submitted) > 1`:                         true,
		`7 / 2 == 3 && 7 % -2 == 1`:                                                                       false,
		`children[0].born < submitted`:                                                                    true,
		`size(children) > 0 && children[0].born < submitted`:                                              false,
		`size(children) > 1 && children[1].born < submitted`:                                              false,
		`size(children) > 1 && children[2].born < submitted`:                                              true,
		`least(children.map(c, c.born)) < submitted`:                                                      true,
		`size(children) > 0 && least(children.map(c, c.born)) < submitted`:                                false,
		`size(children) > 0 && least(children.filter(c, c.born < submitted).map(c, c.born)) < submitted`:  true,
		`least([submitted, birth.date]) == submitted`:                                                     false,
		`has(award) && plusYears(submitted, award.year) > birth.date`:                                     false,
		`has(award) && plusDays(birth.date, 400 * award.year) > birth.date`:                               false,
		`has(award) && plusYears(birth.date, 2 * award.year) > birth.date`:                                true,
		`has(award) && plusYears(birth.date, least(2 * award.year, 50)) > birth.date`:                     false,
		`plusMonths(birth.date, -6) < plusDays(submitted, 1)`:                                             false,
		`has(award) && award.year * ask.price > ask.price`:                                                false,
		`has(award) && award.year * 1000 * ask.price > ask.price`:                                         false,
		`has(award) && award.year * award.year * award.year * ask.price > ask.price`:                      true,
		`percent(15, ask.price) + param.brv > ask.price`:                                                  false,
		`percent(1000000, param.brv) > ask.price`:                                                         true,
		`sum(children.map(c, has(c.allowance) ? c.allowance : param.brv)) > param.brv`:                    false,
		`sum(children.map(c, 100000 * param.brv)) > param.brv`:                                            true,
		`children.exists_one(c, c.born < submitted)`:                                                      false,
		`children.map(c, age(c.born, submitted)).all(n, n != 0 && 100 / n > 2)`:                           false,
		`children.map(c, age(c.born, submitted)).all(n, 100 / n > 2)`:                                     true,
		`children.all(c, age(c.born, submitted) > 0) && children.all(c, 10 / age(c.born, submitted) > 1)`: true,
		`children.all(c, age(c.born, submitted) > 0 && children.all(c, 10 / age(c.born, submitted) > 1))`: true,
		`year(submitted) * 10000 + month(submitted) * 100 + day(submitted) > 5`:                           false,
		`months(birth.date, submitted) / 12 * param.brv > ask.price`:                                      true,
	} {
		program, err := e.Compile(source, rules.KindBool)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := program.Partial(); (len(got) > 0) != partial {
			t.Errorf("%s: %v", source, got)
		}
	}
}

// An expression of which nothing is said has a result for every input of its types.
func TestWhatIsNotPartialNeverFails(t *testing.T) {
	number := func(t *rapid.T) string {
		return rapid.SampledFrom([]string{
			"award.year", "size(children)", "days(birth.date, submitted)", "age(birth.date, submitted)", "0", "1", "-1", "7",
			"1000000000000", "months(submitted, birth.date)", "size(ask.note)", "year(birth.date)",
		}).Draw(t, "number")
	}
	var expression func(t *rapid.T, depth int) string
	expression = func(t *rapid.T, depth int) string {
		if depth == 0 {
			return number(t)
		}
		left, right := expression(t, depth-1), expression(t, rapid.IntRange(0, depth-1).Draw(t, "depth"))
		switch rapid.IntRange(0, 9).Draw(t, "shape") {
		case 0:
			return "(" + left + " + " + right + ")"
		case 1:
			return "(" + left + " - " + right + ")"
		case 2:
			return "(" + left + " * " + right + ")"
		case 3:
			return "(" + right + " != 0 ? " + left + " / " + right + " : 0)"
		case 4:
			return "(" + right + " > 0 ? " + left + " % " + right + " : -5)"
		case 5:
			return "least(" + left + ", " + right + ")"
		case 6:
			return "days(submitted, plusDays(birth.date, " + left + "))"
		case 7:
			return "sum(children.map(c, age(c.born, submitted) + " + left + "))"
		case 8:
			return "(size(children) > 0 ? year(children[0].born) : " + left + ")"
		default:
			return "years(plusMonths(submitted, least(greatest(" + left + ", -240), 240)), birth.date)"
		}
	}
	total := 0
	rapid.Check(t, func(t *rapid.T) {
		within := rapid.SampledFrom([]int64{1, 100, 1_000_000_000_000}).Draw(t, "within")
		e := bounded(t, map[string]rules.Interval{"award.year": {Low: -within, High: within}})
		source := "has(award) && has(ask.note) ? " + expression(t, 3) + " : 0"
		program, err := e.Compile(source, rules.KindInt)
		if err != nil {
			t.Skip(err)
		}
		if len(program.Partial()) > 0 {
			t.Skip("said to be partial")
		}
		total++
		inputs := values()
		day := func(label string) calendar.Date {
			return calendar.Date{
				Year:  rapid.SampledFrom([]int{1000, 1970, 2000, 2026, 2999}).Draw(t, label),
				Month: time.Month(rapid.IntRange(1, 12).Draw(t, label)), Day: rapid.IntRange(1, 28).Draw(t, label),
			}
		}
		inputs["award"] = map[string]any{"year": rapid.SampledFrom([]int64{-within, -1, 0, 1, within}).Draw(t, "year")}
		inputs["ask"].(map[string]any)["note"] = strings.Repeat("я", rapid.IntRange(0, 5).Draw(t, "note"))
		inputs["birth"], inputs["submitted"] = map[string]any{"date": day("birth")}, day("submitted")
		children := make([]any, rapid.SampledFrom([]int{0, 1, 2, 100}).Draw(t, "children"))
		for i := range children {
			children[i] = map[string]any{"born": day("born")}
		}
		inputs["children"] = children
		result, err := program.Evaluate(t.Context(), inputs)
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if found := program.Interval(); !found.Contains(rules.Interval{Low: result.Value.(int64), High: result.Value.(int64)}) {
			t.Fatalf("%s is %v, outside %v", source, result.Value, found)
		}
	})
	if total == 0 {
		t.Error("nothing was evaluated")
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
		e := bounded(t, map[string]rules.Interval{
			"ask.price": {Low: a, High: a}, "param.brv": {Low: min(b, 0), High: max(b, 0)},
		})
		counted := rules.Money.Bounds().Contains(rules.Interval{Low: min(a, b), High: max(a, b)})
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
			interval := program.Interval()
			if value, ok := result.Value.(money.Amount); ok && counted && (int64(value) < interval.Low || int64(value) > interval.High) {
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
		{map[string]any{"price": money.Max}, "price lies outside its bounds"},
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
				if e.Line < 1 || e.Line > len(lines)+1 || e.Column < 1 || e.Message.String() == "" || e.Hint.String() == "" {
					t.Fatalf("%+v", e)
				}
				if e.Line <= len(lines) && e.Column > utf8.RuneCountInString(lines[e.Line-1])+2 {
					t.Fatalf("%+v is behind its line", e)
				}
			}
			return
		}
		program.Interval()
		partial := program.Partial()
		result, err := program.Evaluate(t.Context(), values())
		if err != nil && len(partial) == 0 {
			t.Fatalf("%s: %v, and the checker said nothing", source, err)
		}
		if err == nil && result.IsKnown() && len(partial) == 0 {
			if err := program.Type().Check(result.Value); err != nil && !strings.Contains(err.Error(), "bounds") {
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
