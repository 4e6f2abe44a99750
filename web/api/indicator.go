package api

import (
	"context"
	"net/http"
	"strconv"

	"yagona/kernel/casework"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/web/route"
)

// IndicatorSummary is an indicator in the list.
type IndicatorSummary struct {
	Indicator ident.Indicator `json:"indicator"`
	Agency    ident.Agency    `json:"agency" doc:"who answers for it"`
	Title     string          `json:"title"`
	Summary   string          `json:"summary"`
	Unit      indicator.Unit  `json:"unit" doc:"number, percent, per-thousand or average"`
	Period    string          `json:"period" doc:"over how long what happens is added up: month or year"`
	Since     string          `json:"since" doc:"the first month of which figures are kept: 2026-01"`
	Target    *Target         `json:"target,omitempty"`
	Source    []Legal         `json:"source" doc:"who asks for it"`
}

// Target is what was promised.
type Target struct {
	AtLeast *int64 `json:"atLeast,omitempty" doc:"the least value, in the unit"`
	AtMost  *int64 `json:"atMost,omitempty" doc:"the greatest value, in the unit"`
	By      string `json:"by" doc:"2026-12-31"`
}

// Figure is the value of an indicator for a month.
type Figure struct {
	Month       string `json:"month" doc:"2026-03"`
	Tenths      *int64 `json:"tenths,omitempty" doc:"ten times the value in the unit: 385 is 38.5; absent: fewer than five, or none"`
	Numerator   int64  `json:"numerator,omitempty" doc:"rounded to roundedTo; absent where it is not published"`
	Denominator int64  `json:"denominator,omitempty" doc:"rounded to roundedTo"`
}

// IndicatorSeries is an indicator of a territory, month by month.
type IndicatorSeries struct {
	IndicatorSummary
	Territory ident.Territory `json:"territory"`
	RoundedTo int64           `json:"roundedTo" doc:"numbers are rounded to the nearest multiple of this"`
	Counting  bool            `json:"counting" doc:"true: the indicator is new, and what was there before is still being counted; no figure is told yet"`
	Figures   []Figure        `json:"figures" doc:"the earliest month first"`
}

// Indicators is what the API needs of package kernel/indicator.
type Indicators interface {
	Month() indicator.Month
	Show(ctx context.Context, d *indicator.Definition, through indicator.Month, months int, territories ...ident.Territory) (indicator.Shown, error)
}

// mostMonths is how many months of an indicator are told at once.
const mostMonths = 120

func indicatorOperations(figures Indicators, catalogue func() *indicator.Catalogue, profile *country.Profile) []operation {
	return []operation{
		{
			id: "listIndicators", tag: "indicators", summary: "Lists the indicators.",
			method: "GET", path: "/indicators", access: route.Public(), response: Page[IndicatorSummary]{},
			handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
				page := Page[IndicatorSummary]{Items: []IndicatorSummary{}}
				for _, d := range catalogue().All() {
					page.Items = append(page.Items, indicatorOf(d, v.Language, profile.Authoritative()))
				}
				return route.WriteJSON(w, http.StatusOK, page)
			},
		},
		{
			id: "showIndicator", tag: "indicators", summary: "Shows an indicator of a territory, month by month. Numbers are rounded; fewer than five are not told.",
			method: "GET", path: "/indicators/{pack}/{indicator}", access: route.Public(), response: IndicatorSeries{},
			query: []parameter{
				{"territory", "The territory's code; without it, the whole country.", "string"},
				{"months", "How many months to show at most, up to the present one: 1 to 120; otherwise 12.", "integer"},
			},
			codes: []string{"indicator.unknown", "territory.unknown", "indicator.months"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				d, err := catalogue().Indicator(ident.Indicator(r.PathValue("pack") + "/" + r.PathValue("indicator")))
				if err != nil {
					return err
				}
				place, months, err := seriesOf(r, profile)
				if err != nil {
					return err
				}
				found, err := figures.Show(r.Context(), d, figures.Month(), months, place)
				if err != nil {
					return err
				}
				shown := IndicatorSeries{
					IndicatorSummary: indicatorOf(d, v.Language, profile.Authoritative()), Territory: place, RoundedTo: casework.RoundedTo,
					Counting: found.Counting, Figures: []Figure{},
				}
				for _, one := range found.Series[0] {
					shown.Figures = append(shown.Figures, figureOf(one))
				}
				return route.WriteJSON(w, http.StatusOK, shown)
			},
		},
	}
}

// seriesOf returns which territory and how many months are asked for.
func seriesOf(r *http.Request, profile *country.Profile) (place ident.Territory, months int, err error) {
	place, months = ident.Territory(r.URL.Query().Get("territory")), 12
	if place == "" {
		place = profile.Territories.Root()
	}
	if !profile.Territories.Has(place) {
		return "", 0, fault.New(fault.Invalid, "territory.unknown", "There is no territory with this code. Begin without a code.").At("territory")
	}
	if given := r.URL.Query().Get("months"); given != "" {
		if months, err = strconv.Atoi(given); err != nil || months < 1 || months > mostMonths {
			return "", 0, fault.Newf(fault.Invalid, "indicator.months", "Ask for 1 to %d months.", mostMonths).At("months")
		}
	}
	return place, months, nil
}

func indicatorOf(d *indicator.Definition, languages ...string) IndicatorSummary {
	shown := IndicatorSummary{
		Indicator: d.Path, Agency: d.Agency, Title: d.Title.In(languages...), Summary: d.Summary.In(languages...),
		Unit: d.Unit, Period: string(d.Period), Since: d.Since.String(), Source: []Legal{},
	}
	for _, one := range d.Source {
		shown.Source = append(shown.Source, Legal{one.Act.In(languages...), one.Article.In(languages...), one.URL, one.Status})
	}
	if d.Target != nil {
		shown.Target = &Target{By: d.Target.By.String()}
		if d.Target.Least {
			shown.Target.AtLeast = &d.Target.Value
		} else {
			shown.Target.AtMost = &d.Target.Value
		}
	}
	return shown
}

func figureOf(f indicator.Figure) Figure {
	shown := Figure{Month: f.Month.String(), Numerator: f.Numerator, Denominator: f.Denominator}
	if f.Told {
		shown.Tenths = &f.Tenths
	}
	return shown
}
