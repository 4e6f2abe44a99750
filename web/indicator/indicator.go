// Package indicator owns the public pages on which a place is seen in numbers: its indicators beside those of the places
// that it lies in, and each indicator month by month.
//
// It hands routes to the router. Which indicators there are follows from the packs; nothing here knows one of them.
//
// Invariants: no page tells more than package kernel/indicator publishes; no page needs a visitor to be known.
package indicator

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/territory"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Figures is what the pages need of package kernel/indicator.
type Figures interface {
	Month() indicator.Month
	Show(ctx context.Context, d *indicator.Definition, through indicator.Month, months int, territories ...ident.Territory) (indicator.Shown, error)
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared     *page.Shared
	Figures    Figures
	Indicators func() *indicator.Catalogue
}

// Pages serves them.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

// months is of how many months a page and a file tell.
const months = 24

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	public := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.Public(), Handle: handle}
	}
	return []route.Route{
		public(page.PlacesPath, p.country),
		public(page.PlacesPath+"/{territory}", p.place),
		public(page.PlacesPath+"/{territory}/indicators.csv", p.file),
		public(page.PlacesPath+"/{territory}/{pack}/{indicator}", p.indicator),
	}
}

func (p *Pages) tree() *territory.Tree { return p.Shared.Words.Profile.Territories }

func pathOf(place ident.Territory) string { return page.PlacesPath + "/" + string(place) }

func (p *Pages) country(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.show(w, req, v, p.tree().Root())
}

func (p *Pages) place(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	place, err := p.placeOf(req)
	if err != nil {
		return err
	}
	return p.show(w, req, v, place)
}

func (p *Pages) placeOf(req *http.Request) (ident.Territory, error) {
	place := ident.Territory(req.PathValue("territory"))
	if !p.tree().Has(place) {
		return "", errNowhere
	}
	return place, nil
}

var errNowhere = fault.New(fault.NotFound, "territory.nowhere", "There is no place with this code. Begin with the whole country.")

// around returns the place and those that it lies in, the smallest first.
func (p *Pages) around(place ident.Territory) []ident.Territory {
	path := p.tree().Path(place)
	slices.Reverse(path)
	return path
}

// trail leads from the country down to the place.
func (p *Pages) trail(r page.Reader, place ident.Territory) (trail []ui.Link) {
	for _, one := range p.tree().Path(place) {
		trail = append(trail, ui.Link{Text: p.name(r, one), Href: pathOf(one)})
	}
	return trail
}

// name returns what a place is called; the country is the whole.
func (p *Pages) name(r page.Reader, place ident.Territory) string {
	if place == p.tree().Root() {
		return r.Say("indicator.country")
	}
	return r.Place(place)
}

// month writes a month: 03.2026.
func month(m indicator.Month) string {
	year, number, _ := strings.Cut(m.String(), "-")
	return number + "." + year
}

// show shows all indicators of a place.
func (p *Pages) show(w http.ResponseWriter, req *http.Request, v route.Visitor, place ident.Territory) error {
	r := p.Shared.For(v)
	now := p.Figures.Month()
	around := p.around(place)
	table := ui.Table{
		Caption: r.Say("indicator.caption", "month", month(now)), Empty: r.Say("indicator.empty"), Columns: []ui.Column{{Text: r.Say("indicator.name")}},
	}
	for _, one := range around {
		table.Columns = append(table.Columns, ui.Column{Text: p.name(r, one), Number: true})
	}
	table.Columns = append(table.Columns, ui.Column{Text: r.Say("indicator.target")})
	for _, d := range p.sorted(r) {
		shown, err := p.Figures.Show(req.Context(), d, now, 1, around...)
		if err != nil {
			return err
		}
		row := ui.TableRow{{Text: r.In(d.Title), Href: pathOf(place) + "/" + string(d.Path)}}
		for i := range around {
			row = append(row, ui.Cell{Text: value(r, shown, shown.Now(i))})
		}
		table.Rows = append(table.Rows, append(row, target(r, d)))
	}
	body := []ui.Component{table, ui.List{Items: []ui.Link{{Text: r.Say("indicator.download"), Href: pathOf(place) + "/indicators.csv"}}}}
	var within []ui.Link
	for _, child := range p.tree().Children(place) {
		within = append(within, ui.Link{Text: r.Place(child), Href: pathOf(child)})
	}
	if len(within) > 0 {
		locale.Sort(locale.Tag(r.Language), within, func(link ui.Link) string { return link.Text })
		body = append(body, ui.Heading{Text: r.Say("indicator.within")}, ui.List{Items: within})
	}
	shown := ui.Page{
		Title: p.name(r, place), Caption: r.Say("indicator.places"), Lead: r.Say("indicator.lead"), Wide: true, Body: body,
	}
	if trail := p.trail(r, place); len(trail) > 1 {
		shown.Trail = trail[:len(trail)-1]
		shown.Caption = p.tree().LevelName(p.tree().Level(place), r.Language)
	}
	return r.Render(w, http.StatusOK, shown)
}

// sorted returns the indicators by their titles as the language sorts.
func (p *Pages) sorted(r page.Reader) []*indicator.Definition {
	all := p.Indicators().All()
	locale.Sort(locale.Tag(r.Language), all, func(d *indicator.Definition) string { return r.In(d.Title) })
	return all
}

// value writes a figure in its unit.
func value(r page.Reader, shown indicator.Shown, figure indicator.Figure) string {
	switch {
	case shown.Counting:
		return r.Say("indicator.counting")
	case !figure.Told:
		return r.Say("indicator.few")
	}
	return inUnit(r, shown.Unit, figure.Tenths)
}

// units says which text names a unit.
var units = map[indicator.Unit]string{
	indicator.Number: "indicator.unit-number", indicator.Percent: "indicator.unit-percent",
	indicator.PerThousand: "indicator.unit-per-thousand", indicator.Average: "indicator.unit-average",
}

// inUnit writes ten times a value.
func inUnit(r page.Reader, unit indicator.Unit, tenths int64) string {
	tag := locale.Tag(r.Language)
	switch unit {
	case indicator.Percent:
		return locale.Percent(tag, tenths/10, 0)
	case indicator.PerThousand:
		return r.Say("indicator.of-thousand", "number", locale.Number(tag, tenths/10))
	case indicator.Average:
		return locale.Decimal(tag, tenths, 1)
	}
	return locale.Number(tag, tenths/10)
}

// target says what was promised; whether it was reached stands on the indicator's own page.
func target(r page.Reader, d *indicator.Definition) ui.Cell {
	if d.Target == nil {
		return ui.Cell{Text: r.Say("indicator.none")}
	}
	return ui.Cell{Text: promised(r, d)}
}

func promised(r page.Reader, d *indicator.Definition) string {
	key := "indicator.at-most"
	if d.Target.Least {
		key = "indicator.at-least"
	}
	unit := d.Unit
	if unit == indicator.Average {
		unit = indicator.Number // it was promised in whole ones
	}
	return r.Say(key, "value", inUnit(r, unit, 10*d.Target.Value), "date", r.Date(d.Target.By))
}

// indicator shows one indicator of a place: beside those it lies in, month by month, and for the places in it.
func (p *Pages) indicator(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	place, err := p.placeOf(req)
	if err != nil {
		return err
	}
	d, err := p.Indicators().Indicator(ident.Indicator(req.PathValue("pack") + "/" + req.PathValue("indicator")))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	now, around := p.Figures.Month(), p.around(place)
	shown, err := p.Figures.Show(req.Context(), d, now, months, around...)
	if err != nil {
		return err
	}
	var full int64 // one scale for places and months, so that bars can be compared
	for _, series := range shown.Series {
		for _, figure := range series {
			full = max(full, figure.Tenths)
		}
	}
	if d.Unit == indicator.Number {
		full = 0 // a country's number leaves nothing of a neighbourhood's bar
	}
	beside := p.plot(r, shown, r.Say("indicator.now", "month", month(now)), r.Say("portal.territory"), full)
	for i, one := range around {
		beside.Bars = append(beside.Bars, bar(r, shown, shown.Now(i), p.name(r, one), pathOf(one)+"/"+string(d.Path)))
	}
	series := p.plot(r, shown, r.Say("indicator.months"), r.Say("indicator.month"), full)
	for _, figure := range slices.Backward(shown.Series[0]) {
		series.Bars = append(series.Bars, bar(r, shown, figure, month(figure.Month), ""))
	}
	body := []ui.Component{beside, series, ui.Paragraph{Text: r.Say("indicator.later")}}
	if children := p.tree().Children(place); len(children) > 0 {
		below, err := p.Figures.Show(req.Context(), d, now, 1, children...)
		if err != nil {
			return err
		}
		plot := p.plot(r, below, r.Say("indicator.below"), r.Say("portal.territory"), 0)
		for i, child := range children {
			plot.Bars = append(plot.Bars, bar(r, below, below.Now(i), r.Place(child), pathOf(child)+"/"+string(d.Path)))
		}
		locale.Sort(locale.Tag(r.Language), plot.Bars, func(one ui.Bar) string { return one.Label })
		body = append(body, plot)
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.In(d.Title), Caption: p.name(r, place), Lead: r.In(d.Summary), Trail: p.trail(r, place), Body: body, Aside: p.about(r, shown),
	})
}

// about says who answers for an indicator, and what was promised.
func (p *Pages) about(r page.Reader, shown indicator.Shown) []ui.Component {
	d := shown.Definition
	rows := []ui.SummaryRow{
		{Term: r.Say("indicator.unit"), Values: []string{r.Say(units[d.Unit])}},
		{Term: r.Say("indicator.since"), Values: []string{month(d.Since)}},
		{Term: r.Say("indicator.who"), Values: []string{r.Agency(d.Agency)}},
	}
	if d.Target != nil {
		state := r.Say("indicator.not-reached")
		if d.Target.Reached(shown.Now(0)) {
			state = r.Say("indicator.reached")
		}
		rows = append([]ui.SummaryRow{{Term: r.Say("indicator.target"), Values: []string{promised(r, d), state}}}, rows...)
	}
	return []ui.Component{
		ui.Heading{Text: r.Say("indicator.how")},
		ui.SummaryList{Rows: rows},
		ui.Heading{Text: r.Say("indicator.asked")},
		ui.List{Items: r.Legal(d.Source)},
	}
}

func (p *Pages) plot(r page.Reader, shown indicator.Shown, caption, of string, full int64) ui.BarPlot {
	return ui.BarPlot{
		Caption: caption, Of: of, Unit: r.Say(units[shown.Unit]), Empty: r.Say("indicator.empty"), Full: float64(full),
	}
}

func bar(r page.Reader, shown indicator.Shown, figure indicator.Figure, label, href string) ui.Bar {
	return ui.Bar{Label: label, Href: href, Text: value(r, shown, figure), Value: float64(figure.Tenths)}
}

// file writes all indicators of a place, month by month, as comma-separated values (RFC 4180).
func (p *Pages) file(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	place, err := p.placeOf(req)
	if err != nil {
		return err
	}
	rows := [][]string{{"territory", "indicator", "title", "unit", "month", "value", "numerator", "denominator"}}
	for _, d := range p.Indicators().All() {
		shown, err := p.Figures.Show(req.Context(), d, p.Figures.Month(), months, place)
		if err != nil {
			return err
		}
		for _, figure := range shown.Series[0] {
			row := []string{string(place), string(d.Path), p.Shared.For(v).In(d.Title), string(d.Unit), figure.Month.String(), "", "", ""}
			number := func(n int64) string {
				if n == 0 {
					return ""
				}
				return strconv.FormatInt(n, 10)
			}
			row[6], row[7] = number(figure.Numerator), number(figure.Denominator)
			if figure.Told {
				row[5] = tenths(figure.Tenths)
			}
			rows = append(rows, row)
		}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(place)+`.csv"`)
	w.Header().Set("Access-Control-Allow-Origin", "*") // open data is for programs of every site
	w.Header().Set("Cache-Control", "public, max-age=300")
	return csv.NewWriter(w).WriteAll(rows)
}

// tenths writes ten times a value for programs: 38.5.
func tenths(value int64) string {
	return strconv.FormatInt(value/10, 10) + "." + strconv.FormatInt(value%10, 10)
}
