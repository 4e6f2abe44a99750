package api

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/wording"
)

var indicators = indicator.NewCatalogue([]*indicator.Definition{{
	Path: "employment/unemployed", Agency: "employment-agency", Title: wording.Text{"en": "Unemployed"}, Unit: indicator.PerThousand,
	Period: indicator.EachMonth, Since: indicator.MonthOf(calendar.Date{Year: 2026, Month: 1, Day: 1}),
	Target: &indicator.Target{Value: 40, By: calendar.Date{Year: 2026, Month: 12, Day: 31}},
}})

// counted tells of two months: one whose figure is told, and one in which there are too few.
type counted struct{}

func (counted) Month() indicator.Month {
	return indicator.MonthOf(calendar.Date{Year: 2026, Month: 3, Day: 1})
}

func (c counted) Show(_ context.Context, d *indicator.Definition, through indicator.Month, months int, places ...ident.Territory) (indicator.Shown, error) {
	series := []indicator.Figure{
		{Month: through - 1, Territory: places[0], Told: true, Numerator: 5, Denominator: 100, Tenths: 500}, {Month: through, Territory: places[0], Denominator: 100},
	}
	return indicator.Shown{Definition: d, Series: [][]indicator.Figure{series[max(0, 2-months):]}}, nil
}

func TestIndicators(t *testing.T) {
	w := newWorld(t)
	list := into[Page[IndicatorSummary]](w.ask("GET", "/indicators", "", nil), 200)
	if len(list.Items) != 1 || list.Items[0].Title != "Unemployed" || list.Items[0].Target == nil || *list.Items[0].Target.AtMost != 40 {
		t.Errorf("the list is %+v", list)
	}
	shown := into[IndicatorSeries](w.ask("GET", "/indicators/employment/unemployed", "", nil), 200)
	fifty := int64(500)
	want := []Figure{{Month: "2026-02", Tenths: &fifty, Numerator: 5, Denominator: 100}, {Month: "2026-03", Denominator: 100}}
	if diff := cmp.Diff(want, shown.Figures); diff != "" {
		t.Error(diff)
	}
	if shown.Territory == "" || shown.RoundedTo != 5 || shown.Since != "2026-01" {
		t.Errorf("it says %+v", shown)
	}
	shown = into[IndicatorSeries](w.ask("GET", "/indicators/employment/unemployed?months=1", "", nil), 200)
	if len(shown.Figures) != 1 {
		t.Errorf("one month was asked for, and %d came", len(shown.Figures))
	}
	for path, code := range map[string]string{
		"/indicators/employment/unemployed?territory=nowhere": "territory.unknown",
		"/indicators/employment/unemployed?months=0":          "indicator.months",
		"/indicators/employment/unemployed?months=many":       "indicator.months",
	} {
		w.ask("GET", path, "", nil).refused(422, code)
	}
	w.ask("GET", "/indicators/employment/nothing", "", nil).refused(404, "indicator.unknown")
}
