package portal

import (
	"context"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// sum adds up what is published of some cells.
type sum struct {
	number int64
	cells  int
	median time.Duration // of the only cell
}

func (s *sum) add(number int64, median time.Duration) {
	s.number += number
	if s.cells++; s.cells > 1 {
		median = 0
	}
	s.median = median
}

func (s sum) text(r page.Reader) string { return r.Words.Value(r.Language, s.number) }

// figures are the published figures of a service within one territory, by the territories directly below it.
type figures struct {
	around   ident.Territory
	places   []ident.Territory // those with figures, in the order of the tree; "" is the whole country
	all      map[ident.Territory]*sum
	states   map[ident.Territory]map[casework.State]*sum
	refusals map[ident.Territory]map[string]*sum
	reasons  map[string]*sum // of all places
}

func added[K comparable](to map[K]*sum, key K) *sum {
	if to[key] == nil {
		to[key] = &sum{}
	}
	return to[key]
}

// within sorts the published cells by the territory below around in which they lie; those beyond it are left out.
func (p *Portal) within(around ident.Territory, counts []casework.Count, refusals []casework.RefusalCount) figures {
	tree := p.Shared.Words.Profile.Territories
	found := figures{
		around: around, all: map[ident.Territory]*sum{}, states: map[ident.Territory]map[casework.State]*sum{},
		refusals: map[ident.Territory]map[string]*sum{}, reasons: map[string]*sum{},
	}
	below := func(place ident.Territory) (ident.Territory, bool) {
		if place == "" || place == around {
			return place, place != "" || around == tree.Root()
		}
		path := tree.Path(place)
		at := slices.Index(path, around)
		if at < 0 {
			return "", false
		}
		return path[at+1], true
	}
	for _, count := range counts {
		place, ok := below(count.Territory)
		if !ok || count.State == casework.Draft || count.State == casework.Expired {
			continue
		}
		if found.states[place] == nil {
			found.states[place] = map[casework.State]*sum{}
		}
		added(found.states[place], count.State).add(count.Number, count.Median)
		added(found.all, place).add(count.Number, 0)
	}
	for _, count := range refusals {
		place, ok := below(count.Territory)
		if !ok {
			continue
		}
		if found.refusals[place] == nil {
			found.refusals[place] = map[string]*sum{}
		}
		added(found.refusals[place], count.Requirement).add(count.Number, 0)
		added(found.reasons, count.Requirement).add(count.Number, 0)
	}
	for _, place := range append([]ident.Territory{"", around}, tree.Children(around)...) {
		if found.all[place] != nil {
			found.places = append(found.places, place)
		}
	}
	return found
}

// statistics shows how many applied, what became of it, why it was refused and how long it took, place by place.
func (p *Portal) statistics(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req)
	if err != nil {
		return err
	}
	tree := p.Shared.Words.Profile.Territories
	around := ident.Territory(req.URL.Query().Get("place"))
	if around == "" {
		around = tree.Root()
	}
	if !tree.Has(around) {
		return fault.New(fault.NotFound, "territory.unknown", "There is no such territory. Choose one of the list.")
	}
	counts, err := p.Applications.Statistics(req.Context(), definition.Path)
	if err != nil {
		return err
	}
	refusals, err := p.Applications.Refusals(req.Context(), definition.Path)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	found := p.within(around, counts, refusals)
	var body []ui.Component
	if around == tree.Root() {
		performance, err := p.Applications.Performance(req.Context(), definition.Path)
		if err != nil {
			return err
		}
		body = p.performance(r, performance)
	}
	if len(tree.Children(around)) > 1 && len(found.places) > 0 && !definition.Confidential {
		body = append(body, p.placeMap(r, definition, found))
	}
	body = append(body, p.stateTable(r, definition, found))
	if len(found.reasons) > 0 {
		body = append(body, p.reasonPlot(r, definition, found), p.reasonTable(r, definition, found))
	}
	if definition.Start != "" {
		takeUp, err := p.takeUp(req.Context(), r, definition, around)
		if err != nil {
			return err
		}
		body = append(body, takeUp...)
	}
	body = append(body, ui.List{Items: []ui.Link{{Text: r.Say("portal.statistics-data"), Href: "/api/v1" + servicePath(definition.Path) + "/statistics"}}})
	shown := ui.Page{
		Title: r.Say("portal.statistics"), Caption: r.In(definition.Title), Lead: r.Say("portal.statistics-lead"), Wide: true, Body: body,
		Back: &ui.Link{Text: r.In(definition.Title), Href: servicePath(definition.Path)},
	}
	if around != tree.Root() {
		shown.Title, shown.Back = r.Say("portal.statistics")+": "+r.Place(around), nil
		shown.Trail = []ui.Link{{Text: r.In(definition.Title), Href: servicePath(definition.Path)}}
		for _, above := range tree.Path(around)[:len(tree.Path(around))-1] {
			shown.Trail = append(shown.Trail, ui.Link{Text: r.Place(above), Href: placePath(definition, above)})
		}
	}
	return r.Render(w, http.StatusOK, shown)
}

// placePath leads to the statistics of a place.
func placePath(definition *service.Definition, place ident.Territory) string {
	return servicePath(definition.Path) + "/statistics?" + url.Values{"place": {string(place)}}.Encode()
}

// placeCell names a place, and leads to what lies in it.
func (p *Portal) placeCell(r page.Reader, definition *service.Definition, found figures, place ident.Territory) ui.Cell {
	if place == "" {
		return ui.Cell{Text: r.Say("portal.no-territory")}
	}
	cell := ui.Cell{Text: r.Place(place)}
	if place != found.around && len(p.Shared.Words.Profile.Territories.Children(place)) > 0 {
		cell.Href = placePath(definition, place)
	}
	return cell
}

// performance shows the country in a few numbers.
func (p *Portal) performance(r page.Reader, measured casework.Performance) []ui.Component {
	var shown ui.Figures
	if measured.Decided > 0 {
		shown.Items = append(shown.Items,
			ui.Figure{Value: r.Words.Value(r.Language, measured.Decided), Label: r.Say("portal.decided")},
			ui.Figure{Value: p.days(r, measured.Median), Label: r.Say("portal.half-took")})
	}
	if measured.Steps > 0 {
		share := measured.OnTime * 100 / measured.Steps
		shown.Items = append(shown.Items, ui.Figure{
			Value: locale.Percent(locale.Tag(r.Language), share, 0), Label: r.Say("portal.on-time"), Text: r.Say("portal.on-time-text"),
		})
	}
	if len(shown.Items) == 0 {
		return nil
	}
	return []ui.Component{shown}
}

// placeMap shows the places side by side: a shade for each quarter of the largest number.
func (p *Portal) placeMap(r page.Reader, definition *service.Definition, found figures) ui.Component {
	var most int64
	for _, one := range found.all {
		most = max(most, one.number)
	}
	legend := []string{r.Say("portal.shade-none")}
	var bounds []int64
	for quarter := int64(1); quarter <= 4; quarter++ {
		bound := int64(math.Ceil(float64(most*quarter)/4/casework.RoundedTo)) * casework.RoundedTo
		if bound > 0 && !slices.Contains(bounds, bound) {
			bounds = append(bounds, bound)
			legend = append(legend, r.Say("portal.shade-up-to", "number", r.Words.Value(r.Language, bound)))
		}
	}
	var places []page.Place
	for _, place := range p.Shared.Words.Profile.Territories.Children(found.around) {
		shown := page.Place{Territory: place, Text: "–"}
		if one := found.all[place]; one != nil {
			shown.Href = p.placeCell(r, definition, found, place).Href
			shown.Text = one.text(r)
			shown.Level = 1 + slices.IndexFunc(bounds, func(bound int64) bool { return one.number <= bound })
		}
		places = append(places, shown)
	}
	return r.Map(r.Say("portal.by-place"), legend, found.around, places)
}

func (p *Portal) stateTable(r page.Reader, definition *service.Definition, found figures) ui.Table {
	table := ui.Table{Caption: r.Say("portal.statistics-caption"), Empty: r.Say("portal.statistics-empty"), Columns: []ui.Column{
		{Text: r.Say("portal.territory")}, {Text: r.Say("portal.state")}, {Text: r.Say("portal.number"), Number: true}, {Text: r.Say("portal.median"), Number: true},
	}}
	for _, place := range found.places {
		for _, state := range slices.Sorted(maps.Keys(found.states[place])) {
			one, median := found.states[place][state], "–"
			if one.median > 0 {
				median = r.Say("duration.days", "count", int(one.median.Round(24*time.Hour)/(24*time.Hour)))
			}
			tag := r.State(state)
			if state == casework.Asked {
				tag.Text = r.Say("portal.state-asked")
			}
			table.Rows = append(table.Rows, ui.TableRow{p.placeCell(r, definition, found, place), {Status: &tag}, {Text: one.text(r)}, {Text: median}})
		}
	}
	return table
}

// reason returns the words of a reason that is counted.
func reason(r page.Reader, definition *service.Definition, requirement string) string {
	if requirement == "" {
		return r.Say("portal.reason-other")
	}
	text := casework.Because(definition, casework.Reason{Requirement: requirement}, r.Language, r.Words.Profile.Authoritative())
	if text == "" { // of an earlier version, which asked for something else
		return r.Say("portal.reason-earlier", "name", requirement)
	}
	return text
}

// reasonPlot compares the reasons of the refusals, the most frequent first.
func (p *Portal) reasonPlot(r page.Reader, definition *service.Definition, found figures) ui.BarPlot {
	plot := ui.BarPlot{Caption: r.Say("portal.refusals"), Of: r.Say("portal.reason"), Unit: r.Say("portal.refused-count"), Empty: r.Say("portal.statistics-empty")}
	for requirement, one := range found.reasons {
		plot.Bars = append(plot.Bars, ui.Bar{Label: reason(r, definition, requirement), Text: one.text(r), Value: float64(one.number)})
	}
	slices.SortFunc(plot.Bars, func(a, b ui.Bar) int {
		if a.Value != b.Value {
			return int(b.Value - a.Value)
		}
		return strings.Compare(a.Label, b.Label)
	})
	return plot
}

func (p *Portal) reasonTable(r page.Reader, definition *service.Definition, found figures) ui.Table {
	table := ui.Table{Caption: r.Say("portal.refusals-by-place"), Columns: []ui.Column{
		{Text: r.Say("portal.territory")}, {Text: r.Say("portal.reason"), Prose: true}, {Text: r.Say("portal.refused-count"), Number: true},
	}}
	for _, place := range found.places {
		for _, requirement := range slices.Sorted(maps.Keys(found.refusals[place])) {
			table.Rows = append(table.Rows, ui.TableRow{
				p.placeCell(r, definition, found, place), {Text: reason(r, definition, requirement)}, {Text: found.refusals[place][requirement].text(r)},
			})
		}
	}
	return table
}

// takeUp shows, for a service that starts by itself, who was offered it and did not take it up, in the territory and below.
func (p *Portal) takeUp(ctx context.Context, r page.Reader, definition *service.Definition, around ident.Territory) ([]ui.Component, error) {
	gaps, err := p.Applications.TakeUp(ctx, definition.Path)
	if err != nil {
		return nil, err
	}
	number := func(published int64) string {
		if published == 0 {
			return r.Say("portal.fewer-than-five")
		}
		return r.Words.Value(r.Language, published)
	}
	tree := p.Shared.Words.Profile.Territories
	table := ui.Table{Caption: r.Say("offer.take-up"), Empty: r.Say("portal.statistics-empty"), Columns: []ui.Column{
		{Text: r.Say("portal.territory")}, {Text: r.Say("offer.not-taken"), Number: true}, {Text: r.Say("offer.granted"), Number: true},
	}}
	for _, gap := range gaps {
		place := r.Say("portal.no-territory")
		if gap.Territory != "" {
			place = r.Place(gap.Territory)
		}
		if gap.Territory == "" && around != tree.Root() || gap.Territory != "" && !tree.Contains(around, gap.Territory) {
			continue
		}
		table.Rows = append(table.Rows, ui.TableRow{{Text: place}, {Text: number(gap.NotTaken)}, {Text: number(gap.Granted)}})
	}
	return []ui.Component{ui.Paragraph{Text: r.Say("offer.take-up-lead")}, table}, nil
}
