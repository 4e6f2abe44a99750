package page_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/field"
	"yagona/kernel/money"
	"yagona/packs"
	"yagona/web/page"
)

func shared(t *testing.T) *page.Shared {
	t.Helper()
	profile, err := packs.Profile()
	if err != nil {
		t.Fatal(err)
	}
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	return &page.Shared{Words: country.Words{Catalogue: words, Profile: profile}}
}

var partners = field.Definition{Name: "partners", Kind: field.List, Fields: []field.Definition{
	{Name: "name", Kind: field.Text}, {Name: "share", Kind: field.Int}, {Name: "born", Kind: field.Date, Optional: true},
}}

func TestWhatIsFilledInIsReadBack(t *testing.T) {
	s := shared(t)
	values := map[string]struct {
		of    field.Definition
		value any
	}{
		"text":      {field.Definition{Kind: field.Text}, "Oʻtkir"},
		"long text": {field.Definition{Kind: field.LongText}, "one\ntwo"},
		"number":    {field.Definition{Kind: field.Int}, int64(-3)},
		"no":        {field.Definition{Kind: field.Bool}, false},
		"money":     {field.Definition{Kind: field.Money}, money.Amount(150_000_050)},
		"date":      {field.Definition{Kind: field.Date}, calendar.Date{Year: 2003, Month: time.November, Day: 5}},
		"choice":    {field.Definition{Kind: field.Choice, Options: []field.Option{{Value: "a"}, {Value: "b"}}}, "b"},
		"no groups": {partners, []any{}},
		"groups": {partners, []any{
			map[string]any{"name": "A", "share": int64(40)},
			map[string]any{"name": "B", "share": int64(60), "born": calendar.Date{Year: 1999, Month: time.May, Day: 31}},
		}},
	}
	for name, one := range values {
		t.Run(name, func(t *testing.T) {
			typed := page.Typed{}
			s.Fill(typed, "it", one.of, one.value)
			got, problems := s.Parse(typed, "it", one.of)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(one.value, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAProblemNamesItsInput(t *testing.T) {
	s := shared(t)
	for name, one := range map[string]struct {
		of    field.Definition
		typed page.Typed
		want  map[string]string // input → code
	}{
		"nothing":       {field.Definition{Kind: field.Text}, page.Typed{}, map[string]string{"it": "field.required"}},
		"half a date":   {field.Definition{Kind: field.Date}, page.Typed{"it-day": {"3"}}, map[string]string{"it": "field.date"}},
		"no such day":   {field.Definition{Kind: field.Date}, page.Typed{"it-day": {"31"}, "it-month": {"2"}, "it-year": {"2026"}}, map[string]string{"it": "field.date"}},
		"other option":  {field.Definition{Kind: field.Choice, Options: []field.Option{{Value: "a"}}}, page.Typed{"it": {"z"}}, map[string]string{"it": "field.option"}},
		"in two groups": {partners, page.Typed{"it": {"2"}, "it[0].name": {"A"}, "it[0].share": {"many"}, "it[1].share": {"1"}}, map[string]string{"it[0].share": "field.number", "it[1].name": "field.required"}},
		"no count":      {partners, page.Typed{"it": {"-5"}}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := s.Parse(one.typed, "it", one.of)
			got := map[string]string{}
			for _, problem := range problems {
				got[problem.Field] = problem.Code
			}
			if diff := cmp.Diff(one.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAGroupIsAddedAndTakenAwayWithoutLosingTheOthers(t *testing.T) {
	s := shared(t)
	typed := page.Typed{}
	s.Fill(typed, "it", partners, []any{
		map[string]any{"name": "A", "share": int64(1)}, map[string]any{"name": "B", "share": int64(2)}, map[string]any{"name": "C", "share": int64(3)},
	})
	if !page.Resize(typed, "it", partners, "remove-1") || !page.Resize(typed, "it", partners, "add") {
		t.Fatal("nothing was done")
	}
	if page.Resize(typed, "it", partners, "remove-9") || page.Resize(typed, "it", partners, "") || page.Resize(typed, "it", field.Definition{Kind: field.Text}, "add") {
		t.Error("something was done that nobody asked for")
	}
	want := url.Values{
		"it": {"3"}, "it[0].name": {"A"}, "it[0].share": {"1"}, "it[1].name": {"C"}, "it[1].share": {"3"},
	}
	if diff := cmp.Diff(want, typed); diff != "" {
		t.Error(diff)
	}
}
