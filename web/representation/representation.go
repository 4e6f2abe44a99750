// Package representation owns the pages on which people let others act for them, and see for whom they may act.
//
// It hands routes to the router. The application itself is on the pages of package portal, which let a representative in
// as casework does.
//
// Invariants: an address holds random ids only; the name of who shall represent is not shown before they agreed; a page
// about somebody else is shown after its reading is recorded.
package representation

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/representation"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Representatives is what the pages need of package kernel/representation.
type Representatives interface {
	Give(ctx context.Context, by access.Actor, wanted representation.Wanted) (representation.Mandate, error)
	Accept(ctx context.Context, by access.Actor, id ident.Mandate, revision int64) (representation.Mandate, error)
	End(ctx context.Context, by access.Actor, id ident.Mandate, revision int64) (representation.Mandate, error)
	Given(ctx context.Context, by access.Actor) ([]representation.Opened, error)
	Received(ctx context.Context, by ident.Person) ([]representation.Opened, error)
	Authorities(ctx context.Context, by ident.Person) ([]representation.Authority, error)
	Name(ctx context.Context, of ident.Subject) (string, error)
	Whom(ctx context.Context, by ident.Person, id string) (ident.Subject, error)
}

// Applications is what the pages need of casework.
type Applications interface {
	RepresentedAll(ctx context.Context, by access.Actor, of ident.Subject, before ident.Application, limit int) ([]casework.Application, error)
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared          *page.Shared
	Representatives Representatives
	Applications    Applications
	Services        func() *service.Catalogue
	Readings        *access.OwnReadings
}

// Pages serves them.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

const (
	smallForm   = 64 << 10
	shownAtOnce = 50
)

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	own := func(method, pattern string, handle route.Handler) route.Route {
		one := route.Route{Method: method, Pattern: pattern, Access: route.SignedIn(), Handle: route.Own(p.Readings, handle)}
		if method == http.MethodPost {
			one.Body, one.Handle = smallForm, route.Own(p.Readings, route.Form(handle))
		}
		return one
	}
	const one = page.RepresentativesPath + "/{mandate}"
	return []route.Route{
		own("GET", page.RepresentativesPath, p.all),
		own("GET", page.RepresentativesPath+"/new", p.showGive),
		own("POST", page.RepresentativesPath, p.give),
		own("POST", one+"/accept", p.accept),
		own("POST", one+"/end", p.end),
		own("GET", page.RepresentedPath+"/{authority}", p.theirs),
	}
}

// all shows who may act for the visitor, and for whom the visitor may act.
func (p *Pages) all(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	ctx, r, by := req.Context(), p.Shared.For(v), v.Resident()
	authorities, err := p.Representatives.Authorities(ctx, by.Person)
	if err != nil {
		return err
	}
	received, err := p.Representatives.Received(ctx, by.Person)
	if err != nil {
		return err
	}
	given, err := p.Representatives.Given(ctx, by)
	if err != nil {
		return err
	}
	offers, err := p.offers(ctx, r, received)
	if err != nil {
		return err
	}
	others, err := p.others(ctx, r, authorities, received)
	if err != nil {
		return err
	}
	mandates, err := p.given(ctx, r, given)
	if err != nil {
		return err
	}
	body := append(offers, others...)
	body = append(body, mandates...)
	body = append(body, ui.Buttons{{Text: r.Say("representation.give"), Href: page.RepresentativesPath + "/new"}}, ui.Inset{Text: r.Say("representation.never")})
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("representation.title"), Lead: r.Say("representation.lead"), Body: body,
		Back: &ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath},
	})
}

// offers shows the mandates that wait for the visitor.
func (p *Pages) offers(ctx context.Context, r page.Reader, received []representation.Opened) (body []ui.Component, err error) {
	for _, one := range received {
		if one.State(p.Shared.Clock()) != representation.Offered {
			continue
		}
		if len(body) == 0 {
			body = append(body, ui.Heading{Text: r.Say("representation.offered")})
		}
		name, err := page.NameOf(ctx, p.Representatives, r, one.Subject)
		if err != nil {
			return nil, err
		}
		body = append(body, ui.SummaryList{Title: name, Under: true, Rows: rows(r, one)}, ui.Form{
			Action: path(one.ID) + "/accept", Hidden: carrying(one.Revision), Buttons: ui.Buttons{{Text: r.Say("representation.accept")}},
		}, endForm(r, one, "representation.decline"))
	}
	return body, nil
}

// others shows for whom the visitor may act.
func (p *Pages) others(ctx context.Context, r page.Reader, authorities []representation.Authority, received []representation.Opened) ([]ui.Component, error) {
	body := []ui.Component{ui.Heading{Text: r.Say("representation.others")}}
	if len(authorities) == 0 {
		return append(body, ui.Paragraph{Text: r.Say("representation.others-none")}), nil
	}
	for _, one := range authorities {
		name, err := page.NameOf(ctx, p.Representatives, r, one.Subject)
		if err != nil {
			return nil, err
		}
		until := r.Say("representation.while-registered")
		switch one.Ground {
		case representation.Parent:
			until = r.Say("representation.until-of-age", "date", r.LastDay(one.Until))
		case representation.Mandated:
			until = r.LastDay(one.Until)
		}
		list := ui.SummaryList{Title: name, Under: true, Rows: []ui.SummaryRow{
			{Term: r.Say("representation.why"), Values: []string{r.Say("ground." + string(one.Ground))}},
			{Term: r.Say("representation.what"), Values: scope(r, one.Reads, one.Applies, one.Services)},
			{Term: r.Say("representation.until"), Values: []string{until}},
		}}
		body = append(body, list, ui.Buttons{{Text: r.Say("representation.theirs", "name", name), Href: page.RepresentedPath + "/" + one.ID(), Quiet: true}})
		for _, mandate := range received {
			if mandate.ID == one.Mandate {
				body = append(body, endForm(r, mandate, "representation.end-own"))
			}
		}
	}
	return body, nil
}

// given shows the mandates that the visitor gave.
func (p *Pages) given(ctx context.Context, r page.Reader, given []representation.Opened) ([]ui.Component, error) {
	body := []ui.Component{ui.Heading{Text: r.Say("representation.given")}}
	if len(given) == 0 {
		return append(body, ui.Paragraph{Text: r.Say("representation.given-none")}), nil
	}
	for _, one := range given {
		title, state := one.Called, one.State(p.Shared.Clock())
		if !one.Accepted.IsZero() {
			name, err := page.NameOf(ctx, p.Representatives, r, one.Representative.Subject())
			if err != nil {
				return nil, err
			}
			title = name + " (" + one.Called + ")"
		}
		body = append(body, ui.SummaryList{Title: title, Under: true, Rows: append([]ui.SummaryRow{
			{Term: r.Say("portal.state"), Values: []string{r.Say("mandate-state." + string(state))}},
		}, rows(r, one)...)})
		if state != representation.Ended {
			body = append(body, endForm(r, one, "representation.end"))
		}
	}
	return body, nil
}

func path(id ident.Mandate) string { return page.RepresentativesPath + "/" + string(id) }

func carrying(revision int64) []ui.Hidden {
	return []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(revision, 10)}}
}

func endForm(r page.Reader, one representation.Opened, key string) ui.Form {
	return ui.Form{Action: path(one.ID) + "/end", Hidden: carrying(one.Revision), Buttons: ui.Buttons{{Text: r.Say(key), Quiet: true}}}
}

// rows say what a mandate lets its holder do.
func rows(r page.Reader, one representation.Opened) []ui.SummaryRow {
	return []ui.SummaryRow{
		{Term: r.Say("representation.what"), Values: scope(r, one.Reads, one.Applies, one.Services)},
		{Term: r.Say("representation.until"), Values: []string{r.LastDay(one.Until)}},
	}
}

func scope(r page.Reader, reads, applies bool, services []ident.Service) []string {
	what := "representation.reads-applies"
	if !applies {
		what = "representation.reads"
	} else if !reads {
		what = "representation.applies"
	}
	if len(services) == 0 {
		return []string{r.Say(what), r.Say("representation.all-services")}
	}
	said := []string{r.Say(what)}
	for _, one := range services {
		said = append(said, r.Service(one))
	}
	return said
}

func (p *Pages) showGive(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.askGive(w, req, v, http.StatusOK, nil)
}

// lastDay is the question for a mandate's end.
func lastDay(r page.Reader) field.Definition {
	say := func(key string) map[string]string { return map[string]string{r.Language: r.Say(key)} }
	return field.Definition{Name: "until", Kind: field.Date, Label: say("representation.last-day"), Hint: say("representation.last-day-hint")}
}

func (p *Pages) askGive(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, wrong page.Wrong) error {
	r, typed := p.Shared.For(v), req.PostForm
	if typed == nil {
		typed = page.Typed{}
	}
	question := func(name, label, hint string) ui.Question {
		asked := ui.Question{Name: name, Label: label, Hint: hint}
		if f := wrong[name]; f != nil {
			asked.Error = r.Problem(f)
		}
		return asked
	}
	id := typed.Get("mandate")
	if id == "" {
		id = string(ident.New[ident.Mandate](p.Shared.Clock()))
	}
	number := r.Words.Profile.Person
	actions := ui.Choice{Several: true, Question: question("actions", r.Say("representation.actions"), ""), Options: []ui.Option{
		{Value: "read", Label: r.Say("representation.reads"), Hint: r.Say("representation.reads-hint"), Checked: slices.Contains(typed["actions"], "read")},
		{Value: "apply", Label: r.Say("representation.applies"), Hint: r.Say("representation.applies-hint"), Checked: slices.Contains(typed["actions"], "apply")},
	}}
	services := ui.Choice{Several: true, Question: question("services", r.Say("representation.services"), r.Say("representation.services-hint"))}
	services.Optional = true
	for _, one := range r.Sorted(p.Services().All(p.Shared.Today())) {
		services.Options = append(services.Options, ui.Option{
			Value: string(one.Path), Label: r.In(one.Title), Checked: slices.Contains(typed["services"], string(one.Path)),
		})
	}
	fields := []ui.Component{
		ui.TextInput{Question: question("number", number.Labels.In(r.Language, r.Words.Profile.Authoritative()), r.Say("representation.number-hint")), Value: typed.Get("number"), Short: true, Autocomplete: "off"},
		ui.TextInput{Question: question("called", r.Say("representation.called"), r.Say("representation.called-hint")), Value: typed.Get("called"), Autocomplete: "off"},
		actions,
	}
	fields = append(fields, r.Inputs(lastDay(r), "until", typed, wrong, false)...)
	fields = append(fields, services)
	return r.Render(w, status, ui.Page{
		Title: r.Say("representation.give"), Lead: r.Say("representation.give-lead"), Back: &ui.Link{Text: r.Say("representation.title"), Href: page.RepresentativesPath},
		Body: []ui.Component{ui.Form{
			Action: page.RepresentativesPath, Fields: fields, Hidden: []ui.Hidden{{Name: "mandate", Value: id}},
			Buttons: ui.Buttons{{Text: r.Say("representation.give")}, {Key: "actions.cancel", Href: page.RepresentativesPath, Quiet: true}},
		}, ui.Inset{Text: r.Say("representation.never")}},
	})
}

func (p *Pages) give(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	typed := req.PostForm
	wanted := representation.Wanted{
		ID: ident.Mandate(typed.Get("mandate")), Called: typed.Get("called"),
		Reads: slices.Contains(typed["actions"], "read"), Applies: slices.Contains(typed["actions"], "apply"),
	}
	for _, one := range typed["services"] {
		wanted.Services = append(wanted.Services, ident.Service(one))
	}
	wrong := page.Wrong{}
	day, problems := p.Shared.Parse(typed, "until", lastDay(p.Shared.For(v)))
	wrong.Add("", problems)
	wanted.Until, _ = day.(calendar.Date)
	wanted.Number = strings.TrimSpace(typed.Get("number"))
	if err := p.Shared.Words.Profile.Person.Validate(wanted.Number); err != nil {
		wrong["number"] = fault.Of(err)
	}
	if len(wrong) > 0 {
		return p.askGive(w, req, v, http.StatusUnprocessableEntity, wrong)
	}
	_, err := p.Representatives.Give(req.Context(), v.Resident(), wanted)
	if of := fault.Of(err); err != nil && of.Field != "" {
		return p.askGive(w, req, v, http.StatusUnprocessableEntity, page.Wrong{of.Field: of})
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, page.RepresentativesPath)
}

func revision(r *http.Request) int64 {
	number, err := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64)
	if err != nil {
		return -1 // of none: the form is asked for again
	}
	return number
}

func (p *Pages) accept(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if _, err := p.Representatives.Accept(req.Context(), v.Resident(), ident.Mandate(req.PathValue("mandate")), revision(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, page.RepresentativesPath)
}

func (p *Pages) end(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if _, err := p.Representatives.End(req.Context(), v.Resident(), ident.Mandate(req.PathValue("mandate")), revision(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, page.RepresentativesPath)
}

// theirs shows the applications of somebody for whom the visitor may act.
func (p *Pages) theirs(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	subject, err := p.Representatives.Whom(req.Context(), v.Resident().Person, req.PathValue("authority"))
	if err != nil {
		return err
	}
	found, err := p.Applications.RepresentedAll(req.Context(), v.Resident(), subject, "", shownAtOnce)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	name, err := page.NameOf(req.Context(), p.Representatives, r, subject)
	if err != nil {
		return err
	}
	table := ui.Table{Caption: r.Say("page.my-applications"), Empty: r.Say("representation.none-theirs"), Columns: []ui.Column{
		{Text: r.Say("portal.service")}, {Text: r.Say("portal.state")}, {Text: r.Say("portal.since")},
	}}
	for _, one := range found {
		since, state := one.Submitted, r.State(one.State)
		if since.IsZero() {
			since = one.Created
		}
		table.Rows = append(table.Rows, ui.TableRow{{Text: r.Service(one.Service), Href: "/applications/" + string(one.ID)}, {Status: &state}, {Text: r.Day(since)}})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("representation.theirs", "name", name), Lead: r.Say("representation.theirs-lead"),
		Back: &ui.Link{Text: r.Say("representation.title"), Href: page.RepresentativesPath},
		Body: []ui.Component{table, ui.Buttons{{Text: r.Say("representation.to-services"), Href: page.ServicesPath}}},
	})
}
