package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// home leads to services by the words of the reader and by the events of life in which people need them.
func (p *Portal) home(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("portal.home-title"), Lead: r.Say("portal.home-lead"), Hero: true, Wide: true,
		Search: p.searchBox(r, ""), Scripts: p.searchScript(), Body: p.byEvent(r),
	})
}

// byEvent shows the services under the events of life in which people need them.
func (p *Portal) byEvent(r page.Reader) []ui.Component {
	open := r.Sorted(p.Services().All(p.Shared.Today()))
	var events []string
	for _, definition := range open {
		for _, event := range definition.Events {
			if !slices.Contains(events, event) {
				events = append(events, event)
			}
		}
	}
	name := func(event string) string { return r.SayIf("life."+event, event) }
	locale.Sort(locale.Tag(r.Language), events, name)
	shown := ui.Cards{Under: true}
	links := func(title string, in func(*service.Definition) bool) {
		card := ui.Card{Title: title}
		for _, definition := range open {
			if in(definition) {
				card.Links = append(card.Links, ui.Link{Text: r.In(definition.Title), Href: servicePath(definition.Path)})
			}
		}
		if len(card.Links) > 0 {
			shown.Items = append(shown.Items, card)
		}
	}
	for _, event := range events {
		links(name(event), func(d *service.Definition) bool { return slices.Contains(d.Events, event) })
	}
	links(r.Say("portal.other-services"), func(d *service.Definition) bool { return len(d.Events) == 0 })
	return []ui.Component{
		ui.Heading{Text: r.Say("portal.by-event")}, shown,
		ui.Heading{Text: r.Say("portal.promises")}, ui.Texts(r.Say("portal.promise-once"), r.Say("portal.promise-seen"), r.Say("portal.promise-reasons")),
	}
}

func cards(r page.Reader, definitions []*service.Definition, in func(*service.Definition) bool) ui.Cards {
	var shown ui.Cards
	for _, definition := range definitions {
		if !in(definition) {
			continue
		}
		card := ui.Card{Title: r.In(definition.Title), Href: servicePath(definition.Path), Text: r.In(definition.Summary)}
		if len(definition.Process) == 0 {
			card.Status = &ui.Tag{Text: r.Say("portal.at-once"), Tone: ui.Good}
		}
		shown.Items = append(shown.Items, card)
	}
	return shown
}

func (p *Portal) definition(r *http.Request) (*service.Definition, error) {
	return p.Services().Open(ident.Service(r.PathValue("pack")+"/"+r.PathValue("service")), p.Shared.Today())
}

// service shows everything that someone should know before they apply.
func (p *Portal) service(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	apply := ui.Form{
		Action: servicePath(definition.Path) + "/apply", Buttons: ui.Buttons{{Key: "actions.apply"}},
		Hidden: []ui.Hidden{{Name: "application", Value: string(ident.New[ident.Application](p.Shared.Clock()))}},
	}
	if !v.SignedIn() {
		apply = ui.Form{Action: "", Buttons: ui.Buttons{{Text: r.Say("portal.sign-in-to-apply"), Href: "/sign-in?next=" + servicePath(definition.Path)}}}
	}
	body := []ui.Component{entrance(apply)}
	body = append(body, ui.SummaryList{Title: r.Say("portal.what-you-get"), Rows: p.outputs(r, definition)})
	body = append(body, p.conditions(r, definition)...)
	body = append(body, p.needed(r, definition)...)
	body = append(body, p.course(r, definition)...)
	body = append(body,
		ui.Heading{Text: r.Say("portal.law")}, ui.List{Items: r.Legal(definition)},
		ui.Heading{Text: r.Say("portal.more")}, ui.List{Items: []ui.Link{{Text: r.Say("portal.statistics"), Href: servicePath(definition.Path) + "/statistics"}}},
	)
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.In(definition.Title), Caption: r.Agency(definition.Agency), Lead: r.In(definition.Summary),
		Back: &ui.Link{Text: r.Say("page.services"), Href: page.ServicesPath}, Body: body,
	})
}

// entrance shows a form, or its buttons alone where they lead elsewhere.
func entrance(form ui.Form) ui.Component {
	if form.Action == "" {
		return form.Buttons
	}
	return form
}

func (p *Portal) outputs(r page.Reader, definition *service.Definition) (rows []ui.SummaryRow) {
	if document := definition.Output.Document; document != nil {
		values := []string{r.In(document.Title)}
		if !document.Valid.IsZero() {
			values = append(values, r.Say("portal.valid", "period", r.Period(document.Valid)))
		}
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.document"), Values: values})
	}
	if definition.Output.Payment != nil {
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.payment"), Values: []string{r.Say("portal.payment-by-rule")}})
	}
	return append(rows, ui.SummaryRow{Term: r.Say("portal.cost"), Values: []string{r.Say("portal.free")}})
}

func (p *Portal) conditions(r page.Reader, definition *service.Definition) []ui.Component {
	var kinds, texts []string
	for _, kind := range definition.For {
		kinds = append(kinds, r.SayIf("applicant."+kind, kind))
	}
	for _, requirement := range definition.Require {
		texts = append(texts, r.In(requirement.Otherwise))
	}
	body := []ui.Component{
		ui.Heading{Text: r.Say("portal.who")}, ui.Paragraph{Text: r.Say("portal.for", "kinds", strings.Join(kinds, ", "))},
	}
	if len(texts) > 0 {
		body = append(body, ui.Paragraph{Text: r.Say("portal.conditions")}, ui.Texts(texts...))
	}
	return body
}

// needed tells what is asked, and what is not, because the state fetches it itself.
func (p *Portal) needed(r page.Reader, definition *service.Definition) []ui.Component {
	body := []ui.Component{ui.Heading{Text: r.Say("portal.evidence")}}
	var fetched []string
	for _, evidence := range definition.Evidence {
		text := r.Say("portal.fetched", "title", r.In(evidence.Title), "agency", r.Agency(evidence.Agency))
		if evidence.Of.Relation != "" {
			text += " " + r.SayIf("relation."+evidence.Of.Relation, "")
		}
		fetched = append(fetched, text)
	}
	if len(fetched) > 0 {
		body = append(body, ui.Paragraph{Text: r.Say("portal.evidence-lead")}, ui.Texts(fetched...))
	}
	if len(definition.Ask) == 0 {
		return append(body, ui.Paragraph{Text: r.Say("portal.asks-nothing")})
	}
	var asked []string
	for _, question := range definition.Ask {
		asked = append(asked, r.In(question.Label))
	}
	return append(body, ui.Paragraph{Text: r.Say("portal.asks")}, ui.Texts(asked...))
}

// course tells who decides, in which time, and what silence means.
func (p *Portal) course(r page.Reader, definition *service.Definition) []ui.Component {
	body := []ui.Component{ui.Heading{Text: r.Say("portal.course")}}
	if len(definition.Process) == 0 {
		return append(body, ui.Paragraph{Text: r.Say("portal.course-at-once")})
	}
	table := ui.Table{Caption: r.Say("portal.steps"), Columns: []ui.Column{
		{Text: r.Say("portal.step")}, {Text: r.Say("portal.by")}, {Text: r.Say("portal.within")}, {Text: r.Say("portal.late")},
	}}
	for _, stage := range definition.Process {
		for _, step := range stage.Steps {
			table.Rows = append(table.Rows, ui.TableRow{
				{Text: r.Step(definition, step.Name)},
				{Text: r.Role(step.Agency, step.Role)},
				{Text: r.Say("duration.working-days", "count", step.Within)},
				{Text: r.Say("late." + string(step.Late))},
			})
		}
	}
	within := definition.Appeal.Within
	if within > 0 {
		body = append(body, table, ui.Paragraph{Text: r.Say("portal.appeal-within", "days", r.Say("duration.working-days", "count", within))})
		return body
	}
	return append(body, table, ui.Paragraph{Text: r.Say("portal.can-appeal")})
}

// statistics shows how many applied and how long it took.
func (p *Portal) statistics(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req)
	if err != nil {
		return err
	}
	counts, err := p.Applications.Statistics(req.Context(), definition.Path)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	table := ui.Table{Caption: r.Say("portal.statistics-caption"), Empty: r.Say("portal.statistics-empty"), Columns: []ui.Column{
		{Text: r.Say("portal.territory")}, {Text: r.Say("portal.state")}, {Text: r.Say("portal.number"), Number: true}, {Text: r.Say("portal.median"), Number: true},
	}}
	for _, count := range counts {
		if count.State == casework.Draft || count.State == casework.Expired {
			continue
		}
		number, median := r.Words.Value(r.Language, count.Number), "–"
		if count.Few {
			number = r.Say("portal.fewer-than-five")
		} else if count.Median > 0 {
			median = r.Say("duration.days", "count", int(count.Median.Round(24*time.Hour)/(24*time.Hour)))
		}
		place := r.Say("portal.no-territory")
		if count.Territory != "" {
			place = r.Place(count.Territory)
		}
		state := r.State(count.State)
		if count.State == casework.Asked {
			state.Text = r.Say("portal.state-asked")
		}
		table.Rows = append(table.Rows, ui.TableRow{{Text: place}, {Status: &state}, {Text: number}, {Text: median}})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("portal.statistics"), Caption: r.In(definition.Title), Lead: r.Say("portal.statistics-lead"), Wide: true,
		Back: &ui.Link{Text: r.In(definition.Title), Href: servicePath(definition.Path)}, Body: []ui.Component{table},
	})
}
