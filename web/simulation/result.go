package simulation

import (
	"net/http"

	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// headings are what each dimension is called: above its plots, and above its names.
var headings = map[string]struct{ title, column string }{
	simulation.ByTerritory: {"simulate.by-territory", "simulate.group-territory"},
	simulation.ByAge:       {"simulate.by-age", "simulate.group-age"},
	simulation.BySex:       {"simulate.by-sex", "simulate.group-sex"},
}

// show shows what a change would do.
func (p *Pages) show(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	made, err := p.Simulations.Find(req.Context(), v.Actor, ident.Simulation(req.PathValue("simulation")))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	result := made.Result
	body := []ui.Component{p.headline(r, result), p.tried(r, made)}
	for _, group := range result.Groups() {
		if group.By == simulation.ByAll {
			continue
		}
		body = append(body, ui.Heading{Text: r.Say(headings[group.By].title)})
		body = append(body, p.plots(r, made, group)...)
		body = append(body, ui.Details{Summary: r.Say("simulate.all-figures"), Body: []ui.Component{p.table(r, made, group)}})
	}
	body = append(body,
		ui.Inset{Text: r.Say("simulate.protected")},
		ui.Buttons{
			{Text: r.Say("simulate.again"), Href: trialOf(made.Service)},
			{Text: r.Say("simulate.csv"), Href: pathOf(made.ID) + "/figures.csv", Quiet: true},
		})
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("simulate.result"), Caption: r.Service(made.Service), Wide: true,
		Lead: r.Say("simulate.result-lead", "count", r.Words.Value(r.Language, result.Residents), "place", r.Place(made.Territory), "moment", r.Moment(made.At)),
		Back: &ui.Link{Text: r.Say("simulate.title"), Href: page.SimulationsPath}, Body: body,
	})
}

// number writes a count, or that it is not shown.
func (p *Pages) number(r page.Reader, n simulation.Number) string {
	if n.Hidden {
		return r.Say("simulate.hidden")
	}
	return r.Words.Value(r.Language, n.Count)
}

func (p *Pages) cost(r page.Reader, of simulation.Number, cost money.Amount) string {
	if of.Hidden {
		return r.Say("simulate.hidden")
	}
	return r.Money(cost)
}

// headline is the whole result in four numbers.
func (p *Pages) headline(r page.Reader, result simulation.Result) ui.Figures {
	total := result.Total
	figures := ui.Figures{Items: []ui.Figure{
		{Value: p.number(r, total.Before), Label: r.Say("simulate.before")},
		{Value: p.number(r, total.After), Label: r.Say("simulate.after")},
		{Value: p.number(r, total.In), Label: r.Say("simulate.in")},
		{Value: p.number(r, total.Out), Label: r.Say("simulate.out")},
	}}
	if result.Pays {
		figures.Items[0].Text = r.Say("simulate.cost", "amount", p.cost(r, total.Before, total.Cost))
		figures.Items[1].Text = r.Say("simulate.cost", "amount", p.cost(r, total.After, total.NewCost))
	}
	return figures
}

// tried says what was compared, and what of it is not known.
func (p *Pages) tried(r page.Reader, made simulation.Simulation) ui.SummaryList {
	list := ui.SummaryList{Title: r.Say("simulate.tried")}
	add := func(term string, values ...string) {
		if len(values) > 0 {
			list.Rows = append(list.Rows, ui.SummaryRow{Term: term, Values: values})
		}
	}
	add(r.Say("simulate.change"), p.change(r, made))
	if digest := made.Change.Digest(); digest != "" {
		add(r.Say("simulate.file"), "SHA-256 "+digest)
	}
	definition := p.defined(r, made)
	var assumed []string
	for _, question := range definition.Ask {
		if value, ok := made.Change.Assume[question.Name]; ok {
			assumed = append(assumed, r.In(question.Label)+" "+value)
		}
	}
	add(r.Say("simulate.assumed"), assumed...)
	if unknown := made.Result.Total.NotKnown; unknown.Hidden || unknown.Count > 0 {
		add(r.Say("simulate.not-known"), p.number(r, unknown))
	}
	var lacking []string
	for _, name := range made.Result.Lacks() {
		for _, question := range definition.Ask {
			if question.Name == name {
				lacking = append(lacking, r.In(question.Label))
			}
		}
	}
	add(r.Say("simulate.lacking"), lacking...)
	var unread []string
	for _, one := range made.Result.Unread {
		title := string(one)
		for _, evidence := range definition.Evidence {
			if evidence.From == one {
				title = r.In(evidence.Title)
			}
		}
		unread = append(unread, title)
	}
	add(r.Say("simulate.unread"), unread...)
	return list
}

// defined returns the service, an empty one if it is not offered any more: then things are called by their names.
func (p *Pages) defined(r page.Reader, made simulation.Simulation) *service.Definition {
	definition, err := r.Names().Service(made.Service)
	if err != nil {
		return &service.Definition{}
	}
	return definition
}

// name says which group a row is of.
func (p *Pages) name(r page.Reader, made simulation.Simulation, by string, row simulation.Row) string {
	switch {
	case row.Group == "":
		return r.Say("simulate.unknown-group")
	case by == simulation.ByTerritory:
		return r.Place(ident.Territory(row.Group))
	case by == simulation.ByAge:
		return r.Say("simulate.years", "ages", row.Group)
	}
	for _, evidence := range p.defined(r, made).Evidence {
		for _, answer := range r.EvidenceFields(evidence) {
			for _, option := range answer.Options {
				if option.Value == row.Group {
					return r.In(option.Label)
				}
			}
		}
	}
	return row.Group
}

// plots show who would be entitled, beside who is, and who would come in or drop out if anybody does.
func (p *Pages) plots(r page.Reader, made simulation.Simulation, group simulation.Grouped) []ui.Component {
	plot := func(caption string, tone ui.Tone, of func(simulation.Row) (simulation.Number, simulation.Number)) ui.BarPlot {
		shown := ui.BarPlot{
			Caption: r.Say(caption), Of: r.Say(headings[group.By].column), Unit: r.Say("simulate.people"), Empty: r.Say("simulate.nobody"),
		}
		for _, row := range group.Rows {
			value, mark := of(row)
			if value == (simulation.Number{}) && mark == value {
				continue // nobody is there: the table says so
			}
			shown.Bars = append(shown.Bars, ui.Bar{
				Label: p.name(r, made, group.By, row), Text: p.number(r, value), Value: float64(value.Count), Mark: float64(mark.Count), Tone: tone,
			})
		}
		return shown
	}
	plots := []ui.Component{plot("simulate.plot-entitled", ui.Info, func(row simulation.Row) (simulation.Number, simulation.Number) {
		return row.After, row.Before
	})}
	if made.Result.Total.In.Count > 0 {
		plots = append(plots, plot("simulate.in", ui.Good, func(row simulation.Row) (simulation.Number, simulation.Number) {
			return row.In, simulation.Number{}
		}))
	}
	if made.Result.Total.Out.Count > 0 {
		plots = append(plots, plot("simulate.out", ui.Bad, func(row simulation.Row) (simulation.Number, simulation.Number) {
			return row.Out, simulation.Number{}
		}))
	}
	return plots
}

// table has all figures of a dimension.
func (p *Pages) table(r page.Reader, made simulation.Simulation, group simulation.Grouped) ui.Table {
	table := ui.Table{Caption: r.Say(headings[group.By].title), Columns: []ui.Column{{Text: r.Say(headings[group.By].column)}}}
	keys := []string{"simulate.before", "simulate.after", "simulate.in", "simulate.out", "simulate.not-known"}
	if made.Result.Pays {
		keys = append(keys, "simulate.cost-before", "simulate.cost-after")
	}
	for _, key := range keys {
		table.Columns = append(table.Columns, ui.Column{Text: r.Say(key), Number: true})
	}
	for _, row := range group.Rows {
		cells := ui.TableRow{{Text: p.name(r, made, group.By, row)}}
		for _, n := range []simulation.Number{row.Before, row.After, row.In, row.Out, row.NotKnown} {
			cells = append(cells, ui.Cell{Text: p.number(r, n)})
		}
		if made.Result.Pays {
			cells = append(cells, ui.Cell{Text: p.cost(r, row.Before, row.Cost)}, ui.Cell{Text: p.cost(r, row.After, row.NewCost)})
		}
		table.Rows = append(table.Rows, cells)
	}
	return table
}
