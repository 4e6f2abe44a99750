package rules_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
)

var subsidy = []rules.Field{
	{Name: "ask", Type: rules.ObjectOf(
		rules.Field{Name: "trade", Type: rules.ChoiceOf("sewing", "welding")},
		rules.Field{Name: "price", Type: rules.Money},
		rules.Field{Name: "note", Type: rules.Text, Optional: true},
	)},
	{Name: "birth", Type: rules.ObjectOf(rules.Field{Name: "date", Type: rules.Date})},
	{Name: "residence", Type: rules.ObjectOf(rules.Field{Name: "mahalla", Type: rules.Territory})},
	{Name: "unemployment", Type: rules.ObjectOf(
		rules.Field{Name: "registered", Type: rules.Bool},
		rules.Field{Name: "since", Type: rules.Date, Optional: true},
	)},
	{Name: "children", Type: rules.ListOf(rules.ObjectOf(
		rules.Field{Name: "born", Type: rules.Date},
		rules.Field{Name: "allowance", Type: rules.Money, Optional: true},
	))},
	{Name: "award", Optional: true, Type: rules.ObjectOf(rules.Field{Name: "year", Type: rules.Int})},
	{Name: "param", Type: rules.ObjectOf(rules.Field{Name: "brv", Type: rules.Money})},
	{Name: "submitted", Type: rules.Date},
}

func environment(t testing.TB) *rules.Environment {
	t.Helper()
	e, err := rules.NewEnvironment(subsidy...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func date(text string) calendar.Date {
	d, err := calendar.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func values() map[string]any {
	return map[string]any{
		"ask":          map[string]any{"trade": "sewing", "price": money.Amount(150_000_000)},
		"birth":        map[string]any{"date": date("2003-11-05")},
		"residence":    map[string]any{"mahalla": ident.Territory("1726290001")},
		"unemployment": map[string]any{"registered": true, "since": date("2025-09-01")},
		"children": []any{
			map[string]any{"born": date("2024-01-31")},
			map[string]any{"born": date("2010-06-01"), "allowance": money.Amount(5_000)},
		},
		"param":     map[string]any{"brv": money.Amount(37_500_000)},
		"submitted": date("2026-03-02"),
	}
}

var anyKind = []rules.Kind{
	rules.KindBool, rules.KindInt, rules.KindText, rules.KindDate, rules.KindMoney,
	rules.KindTerritory, rules.KindSubject, rules.KindList, rules.KindObject,
}

func evaluate(t *testing.T, source string, inputs map[string]any) (rules.Result, error) {
	t.Helper()
	program, err := environment(t).Compile(source, anyKind...)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return program.Evaluate(t.Context(), inputs)
}

func TestExpressions(t *testing.T) {
	for source, want := range map[string]any{
		`age(birth.date, submitted)`:                                        int64(22),
		`age(birth.date, submitted) in range(18, 30)`:                       true,
		`unemployment.registered`:                                           true,
		`!unemployment.registered || ask.trade == "welding"`:                false,
		`least(ask.price, 10 * param.brv)`:                                  money.Amount(150_000_000),
		`least(ask.price, param.brv * 2, param.brv)`:                        money.Amount(37_500_000),
		`greatest(1, 4, 2, 3)`:                                              int64(4),
		`greatest(children.map(c, c.born))`:                                 date("2024-01-31"),
		`ask.price + param.brv - param.brv == ask.price`:                    true,
		`-ask.price < param.brv`:                                            true,
		`positive(param.brv - ask.price)`:                                   money.Amount(0),
		`percent(15, param.brv)`:                                            money.Amount(5_625_000),
		`ask.price in range(param.brv, 4 * param.brv)`:                      true,
		`submitted in range(date("2026-03-02"), date("2026-03-02"))`:        true,
		`days(date("2026-02-28"), submitted)`:                               int64(2),
		`months(date("2026-01-31"), date("2026-02-28"))`:                    int64(0),
		`years(date("2024-02-29"), date("2025-02-28"))`:                     int64(0),
		`plusMonths(date("2026-01-31"), 1)`:                                 date("2026-02-28"),
		`plusYears(plusDays(submitted, -1), 1)`:                             date("2027-03-01"),
		`year(submitted) * 10000 + month(submitted) * 100 + day(submitted)`: int64(20260302),
		`has(unemployment.since) && unemployment.since < submitted`:         true,
		`has(ask.note) ? ask.note : "nothing"`:                              "nothing",
		`!has(ask.note) || ask.note.startsWith("x")`:                        true,
		`has(award) ? award.year : 0`:                                       int64(0),
		`!has(award) || award.year > 2000`:                                  true,
		`size(children)`:                                                    int64(2),
		`children.exists(c, age(c.born, submitted) < 3)`:                    true,
		`children.all(c, !has(c.allowance) || c.allowance > param.brv)`:     false,
		`sum(children.map(c, has(c.allowance) ? c.allowance : param.brv))`:  money.Amount(37_505_000),
		`children.filter(c, c.born > date("2020-01-01"))[0].born`:           date("2024-01-31"),
		`sum([1, 2, 3]) == 6 && 7 % 4 == 3 && 7 / 2 == 3`:                   true,
		`size("oʻzbek")`:                                                    int64(6),
		`residence.mahalla == residence.mahalla && residence == residence`:  true,
		`["a", "b"].exists(x, x == "b") && "c" in ["c"] && !("d" in ["c"])`: true,
		`ask.trade in ["sewing", "welding"]`:                                true,
		`"needle".contains("dl") && "needle".endsWith("e")`:                 true,
		`children[1].born`:                                                  date("2010-06-01"),
		`[submitted, birth.date]`:                                           []any{date("2026-03-02"), date("2003-11-05")},
	} {
		result, err := evaluate(t, source, values())
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if diff := cmp.Diff(want, result.Value); diff != "" || !result.IsKnown() {
			t.Errorf("%s: %v %s", source, result.Unknown, diff)
		}
	}
}

func TestAgeIsCountedInWholeYearsWithBothEnds(t *testing.T) {
	for _, c := range []struct {
		born, submitted string
		want            rules.Outcome
	}{
		{"2008-03-02", "2026-03-02", rules.Met},    // 18 today
		{"2008-03-03", "2026-03-02", rules.NotMet}, // 18 tomorrow
		{"1995-03-03", "2026-03-02", rules.Met},    // 31 tomorrow
		{"1995-03-02", "2026-03-02", rules.NotMet}, // 31 today
		{"2008-02-29", "2026-02-28", rules.NotMet}, // the birthday of a leap day is not yet over the year
		{"2008-02-29", "2026-03-01", rules.Met},
	} {
		inputs := values()
		inputs["birth"] = map[string]any{"date": date(c.born)}
		inputs["submitted"] = date(c.submitted)
		result, err := evaluate(t, `age(birth.date, submitted) in range(18, 30)`, inputs)
		if err != nil || result.Outcome() != c.want {
			t.Errorf("born %s, submitted %s: %v %v", c.born, c.submitted, result.Outcome(), err)
		}
	}
}

func TestUnknownIsNeitherMetNorNotMet(t *testing.T) {
	inputs := values()
	inputs["unemployment"] = rules.Unknown{}
	inputs["birth"] = map[string]any{"date": rules.Unknown{}}
	inputs["award"] = rules.Unknown{}
	inputs["children"].([]any)[0].(map[string]any)["born"] = rules.Unknown{}
	for source, want := range map[string]struct {
		outcome rules.Outcome
		unknown []string
	}{
		`unemployment.registered`: {rules.Unclear, []string{"unemployment"}},
		`!unemployment.registered && birth.date < submitted`: {rules.Unclear, []string{
			"birth.date",
			"unemployment",
		}},
		`unemployment.registered && ask.trade == "welding"`: {rules.NotMet, nil},
		`unemployment.registered || ask.trade == "sewing"`:  {rules.Met, nil},
		`has(award) && award.year > 2000`:                   {rules.Unclear, []string{"award"}},
		`has(unemployment.since)`:                           {rules.Unclear, []string{"unemployment"}},
		`age(birth.date, submitted) in range(18, 30)`:       {rules.Unclear, []string{"birth.date"}},
		`children.exists(c, c.born < submitted)`:            {rules.Met, nil},
		`children.all(c, c.born < submitted)`: {
			rules.Unclear,
			[]string{"children[0].born"},
		},
		`(has(unemployment.since) ? unemployment.since : submitted) < birth.date`: {rules.Unclear, []string{
			"birth.date",
			"unemployment",
		}},
	} {
		result, err := evaluate(t, source, inputs)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if result.Outcome() != want.outcome || !cmp.Equal(result.Unknown, want.unknown) {
			t.Errorf("%s: %v, unknown %v", source, result.Outcome(), result.Unknown)
		}
	}
}

func TestTheResultNamesWhatWasRead(t *testing.T) {
	inputs := values()
	delete(inputs["unemployment"].(map[string]any), "since")
	result, err := evaluate(t,
		`ask.price > param.brv && !has(unemployment.since) && children.exists(c, has(c.allowance)) && size(children) == 2`, inputs)
	if err != nil {
		t.Fatal(err)
	}
	want := []rules.Reading{
		{Path: "ask.price", State: rules.Known, Value: money.Amount(150_000_000)},
		{Path: "param.brv", State: rules.Known, Value: money.Amount(37_500_000)},
		{Path: "unemployment.since", State: rules.Absent},
		{Path: "children", State: rules.Known, Value: int64(2)},
		{Path: "children[0].allowance", State: rules.Absent},
		{Path: "children[1].allowance", State: rules.Present},
	}
	if diff := cmp.Diff(want, result.Read); diff != "" {
		t.Error(diff)
	}
}

func TestAnEvaluationStops(t *testing.T) {
	inputs := values()
	many := make([]any, 2000)
	for i := range many {
		many[i] = map[string]any{"born": date("2020-01-01")}
	}
	inputs["children"] = many
	const square = `children.all(a, children.all(b, a.born <= b.born))`
	if _, err := evaluate(t, square, inputs); err == nil {
		t.Error("four million comparisons were not too many")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	program, err := environment(t).Compile(square, rules.KindBool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := program.Evaluate(ctx, inputs); err == nil {
		t.Error("the evaluation outlived its context")
	}
}
