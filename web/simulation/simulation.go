// Package simulation owns the pages on which an analyst asks what a change of a service's rules would do, and sees the counts
// as plots and tables.
//
// It hands routes to the router. Which services, legal amounts and questions stand on a page follows from the definitions
// that are loaded.
//
// Invariants: a page shows only what package kernel/simulation published; an address holds the number of a run, never a value.
package simulation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/kernel/simulation"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Simulations is what the pages need of package kernel/simulation.
type Simulations interface {
	Run(ctx context.Context, by access.Actor, wanted simulation.Wanted) (simulation.Simulation, error)
	Find(ctx context.Context, by access.Actor, id ident.Simulation) (simulation.Simulation, error)
	List(ctx context.Context, by access.Actor, before ident.Simulation, limit int) ([]simulation.Simulation, ident.Simulation, error)
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared      *page.Shared
	Simulations Simulations
	Services    func() *service.Catalogue
}

// Pages serves them.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

const (
	formSize = 256 << 10 // with the file of a service
	timeout  = 15 * time.Minute
	atOnce   = 25
	trial    = page.SimulationsPath + "/new/{pack}/{service}"
	one      = page.SimulationsPath + "/{simulation}"
)

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	analyst := route.Role(simulation.Analyst)
	return []route.Route{
		{Method: "GET", Pattern: page.SimulationsPath, Access: analyst, Handle: p.list},
		{Method: "GET", Pattern: trial, Access: analyst, Handle: p.ask},
		{Method: "POST", Pattern: trial, Access: analyst, Body: formSize, Timeout: timeout, Handle: route.Form(p.run)},
		{Method: "GET", Pattern: one, Access: analyst, Handle: p.show},
		{Method: "GET", Pattern: one + "/figures.csv", Access: analyst, Handle: p.figures},
	}
}

func pathOf(id ident.Simulation) string { return page.SimulationsPath + "/" + string(id) }

func trialOf(of ident.Service) string { return page.SimulationsPath + "/new/" + string(of) }

// list shows the services that can be simulated, and what was simulated.
func (p *Pages) list(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	before := ident.Simulation(req.URL.Query().Get("before"))
	found, next, err := p.Simulations.List(req.Context(), v.Actor, before, atOnce)
	if err != nil {
		return err
	}
	cards := ui.Cards{Under: true}
	for _, definition := range r.Sorted(p.Services().All(p.Shared.Today())) {
		if definition.Agency == v.Actor.Appointment.Agency && slices.Contains(definition.For, "person") {
			cards.Items = append(cards.Items, ui.Card{Title: r.In(definition.Title), Href: trialOf(definition.Path), Text: r.In(definition.Summary)})
		}
	}
	table := ui.Table{Caption: r.Say("simulate.runs"), Empty: r.Say("simulate.none"), Columns: []ui.Column{
		{Text: r.Say("simulate.when")},
		{Text: r.Say("desk.service")},
		{Text: r.Say("portal.territory")},
		{Text: r.Say("simulate.change")},
		{Text: r.Say("simulate.before"), Number: true},
		{Text: r.Say("simulate.after"), Number: true},
	}}
	for _, made := range found {
		total := made.Result.Total
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Moment(made.At), Href: pathOf(made.ID)},
			{Text: r.Service(made.Service)},
			{Text: r.Place(made.Territory)},
			{Text: p.change(r, made)},
			{Text: p.number(r, total.Before)},
			{Text: p.number(r, total.After)},
		})
	}
	if next != "" || before != "" {
		table.Pages = &ui.Pagination{}
		if next != "" {
			table.Pages.Next = page.SimulationsPath + "?before=" + string(next)
		}
		if before != "" {
			table.Pages.Previous = page.SimulationsPath
		}
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("simulate.title"), Caption: r.Agency(v.Actor.Appointment.Agency), Lead: r.Say("simulate.lead"), Wide: true,
		Body: []ui.Component{ui.Heading{Text: r.Say("simulate.choose")}, cards, table},
	})
}

// change says in a few words what was tried.
func (p *Pages) change(r page.Reader, made simulation.Simulation) string {
	var parts []string
	for name, value := range made.Change.Params {
		parts = append(parts, name+" = "+value)
	}
	slices.Sort(parts)
	if made.Change.Draft != "" {
		parts = append(parts, r.Say("simulate.other-file"))
	}
	if len(parts) == 0 {
		return r.Say("simulate.no-change")
	}
	return strings.Join(parts, ", ")
}

// definition returns the service of the address, if it is one of the analyst's agency.
func (p *Pages) definition(req *http.Request, v route.Visitor) (*service.Definition, error) {
	definition, err := p.Services().Open(ident.Service(req.PathValue("pack")+"/"+req.PathValue("service")), p.Shared.Today())
	if err == nil && definition.Agency != v.Actor.Appointment.Agency {
		err = access.ErrForbidden
	}
	return definition, err
}

func (p *Pages) ask(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req, v)
	if err != nil {
		return err
	}
	return p.form(w, http.StatusOK, v, definition, page.Typed{}, page.Wrong{}, nil)
}

// amountField is a legal amount as a field that may be left empty.
func (p *Pages) amountField(param service.Param) field.Definition {
	return field.Definition{Name: param.Name, Kind: field.Kind(param.Type.Kind.String()), Optional: true}
}

// form asks what is to be tried.
func (p *Pages) form(w http.ResponseWriter, status int, v route.Visitor, definition *service.Definition, typed page.Typed, wrong page.Wrong, banner *ui.Banner) error {
	r := p.Shared.For(v)
	tree := p.Shared.Words.Profile.Territories
	held := v.Actor.Appointment.Territory
	places := ui.Select{Question: ui.Question{Name: "territory", Label: r.Say("simulate.whose")}}
	for _, place := range append([]ident.Territory{held}, tree.Children(held)...) {
		places.Options = append(places.Options, ui.Option{Value: string(place), Label: r.Place(place), Checked: typed.Get("territory") == string(place)})
	}
	fields := []ui.Component{places}
	if amounts := simulation.Amounts(definition); len(amounts) > 0 {
		fields = append(fields, ui.Heading{Text: r.Say("simulate.amounts")})
		for _, param := range amounts {
			one := p.amountField(param)
			inputs := r.Inputs(one, "param."+param.Name, typed, wrong, false)
			if value, ok := param.On(p.Shared.Today()); ok {
				hint := r.Say("simulate.in-force", "value", r.Words.Value(r.Language, value.Value))
				inputs = hinted(inputs, hint)
			}
			fields = append(fields, inputs...)
		}
	}
	if questions := simulation.Questions(definition); len(questions) > 0 {
		fields = append(fields, ui.Heading{Text: r.Say("simulate.assumptions")}, ui.Paragraph{Text: r.Say("simulate.assumptions-text")})
		for _, question := range questions {
			one := question.Definition
			one.Optional = true
			fields = append(fields, r.Inputs(one, "ask."+question.Name, typed, wrong, false)...)
		}
	}
	fields = append(fields, ui.Heading{Text: r.Say("simulate.rules")}, ui.FileInput{
		Question: ui.Question{Name: "draft", Label: r.Say("simulate.file"), Hint: r.Say("simulate.file-hint"), Optional: true}, Accept: ".yaml,.yml",
	})
	return r.Render(w, status, ui.Page{
		Title: r.Say("simulate.try"), Caption: r.In(definition.Title), Lead: r.Say("simulate.try-lead"), Banner: banner,
		Back: &ui.Link{Text: r.Say("simulate.title"), Href: page.SimulationsPath},
		Body: []ui.Component{ui.Form{Action: trialOf(definition.Path), Files: true, Fields: fields, Buttons: ui.Buttons{{Text: r.Say("simulate.run")}}}},
	})
}

// hinted gives inputs a hint.
func hinted(inputs []ui.Component, hint string) []ui.Component {
	for i, input := range inputs {
		switch input := input.(type) {
		case ui.TextInput:
			input.Hint = hint
			inputs[i] = input
		case ui.DateInput:
			input.Hint = hint
			inputs[i] = input
		case ui.Choice:
			input.Hint = hint
			inputs[i] = input
		}
	}
	return inputs
}

// run evaluates what was asked for, and leads to the result.
func (p *Pages) run(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req, v)
	if err != nil {
		return err
	}
	typed, wrong := req.PostForm, page.Wrong{}
	wanted := simulation.Wanted{Service: definition.Path, Territory: ident.Territory(typed.Get("territory"))}
	wanted.Change.Params, wanted.Change.Assume = map[string]string{}, map[string]string{}
	for _, param := range simulation.Amounts(definition) {
		p.take(typed, wrong, wanted.Change.Params, "param.", p.amountField(param))
	}
	for _, question := range simulation.Questions(definition) {
		p.take(typed, wrong, wanted.Change.Assume, "ask.", question.Definition)
	}
	if wanted.Change.Draft, err = draftOf(req); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return p.form(w, http.StatusUnprocessableEntity, v, definition, typed, wrong, nil)
	}
	made, err := p.Simulations.Run(req.Context(), v.Actor, wanted)
	if err == nil {
		return route.Redirect(w, req, pathOf(made.ID))
	}
	f := fault.Of(err)
	if f.Kind != fault.Invalid && f.Kind != fault.Conflict && f.Code != "simulation.not-granted" {
		return err
	}
	r := p.Shared.For(v)
	text := r.Problem(f)
	if f.Code == "pack.problems" {
		text = f.Message // the places in the file that was sent
	}
	return p.form(w, f.Kind.Status(), v, definition, typed, wrong, &ui.Banner{Tone: ui.Bad, Title: r.Say("desk.not-done"), Text: text})
}

// take reads what was typed for a field that may be left empty, as the text that is recorded.
func (p *Pages) take(typed page.Typed, wrong page.Wrong, into map[string]string, prefix string, d field.Definition) {
	d.Optional = true
	value, problems := p.Shared.Parse(typed, prefix+d.Name, d)
	wrong.Add("", problems)
	switch {
	case value == nil:
	case d.Kind == field.Date || d.Kind == field.Territory:
		into[d.Name] = fmt.Sprint(value)
	default:
		into[d.Name] = strings.TrimSpace(typed.Get(prefix + d.Name))
	}
}

// draftOf returns the file that was sent, "" if there is none.
func draftOf(req *http.Request) (string, error) {
	file, _, err := req.FormFile("draft")
	if err != nil {
		return "", nil // no file was sent: the rules in force count
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	return string(content), err
}

// figures sends the result as CSV.
func (p *Pages) figures(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	made, err := p.Simulations.Find(req.Context(), v.Actor, ident.Simulation(req.PathValue("simulation")))
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := made.Result.WriteCSV(&file, p.Shared.Words.Profile.Currency); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="simulation-`+string(made.ID)+`.csv"`)
	_, err = w.Write(file.Bytes())
	return err
}
