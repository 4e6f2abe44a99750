package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/representation"
	"yagona/kernel/rules"
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
		ui.Heading{Text: r.Say("portal.by-event")},
		shown,
		ui.Heading{Text: r.Say("portal.promises")},
		ui.Texts(r.Say("portal.promise-once"), r.Say("portal.promise-seen"), r.Say("portal.promise-reasons")),
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
	performance, err := p.Applications.Performance(req.Context(), definition.Path)
	if err != nil {
		return err
	}
	apply := ui.Form{
		Action: servicePath(definition.Path) + "/apply", Buttons: ui.Buttons{{Key: "actions.apply"}},
		Hidden: []ui.Hidden{{Name: "application", Value: string(ident.New[ident.Application](p.Shared.Clock()))}},
	}
	apply.Buttons = append(apply.Buttons, ui.Button{Text: r.Say("portal.can-i"), Href: servicePath(definition.Path) + "/eligibility", Quiet: true})
	if !v.SignedIn() {
		apply = ui.Form{Action: "", Buttons: ui.Buttons{{Text: r.Say("portal.sign-in-to-apply"), Href: "/sign-in?next=" + servicePath(definition.Path)}, apply.Buttons[1]}}
	}
	if v.SignedIn() {
		if apply.Fields, err = p.forWhom(req.Context(), r, definition); err != nil {
			return err
		}
	}
	body := append([]ui.Component{entrance(apply)}, About(r, definition)...)
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.In(definition.Title), Caption: r.Agency(definition.Agency), Lead: r.In(definition.Summary),
		Trail: []ui.Link{{Text: r.Say("portal.home"), Href: page.HomePath}, {Text: r.Say("page.services"), Href: page.ServicesPath}},
		Body:  body, Aside: p.brief(req.Context(), r, definition, performance),
	})
}

// About says what a service gives, to whom, what is needed for it and how it goes: what stands on its page below the way in.
func About(r page.Reader, definition *service.Definition) []ui.Component {
	body := []ui.Component{ui.SummaryList{Title: r.Say("portal.what-you-get"), Rows: outputs(r, definition)}}
	body = append(body, conditions(r, definition)...)
	body = append(body, needed(r, definition)...)
	body = append(body, course(r, definition)...)
	return append(body, ui.Heading{Text: r.Say("portal.law")}, ui.List{Items: r.Legal(definition.Legal)})
}

// forWhom asks for whom the visitor applies, if they may apply for somebody else.
func (p *Portal) forWhom(ctx context.Context, r page.Reader, definition *service.Definition) ([]ui.Component, error) {
	if definition.Confidential {
		return nil, nil
	}
	authorities, err := p.Representatives.Authorities(ctx, r.Visitor.Actor.Person)
	if err != nil {
		return nil, err
	}
	choice := ui.Choice{Question: ui.Question{Name: "for", Label: r.Say("representation.for-whom")}}
	if len(definition.For) == 0 || slices.Contains(definition.For, "person") {
		choice.Options = append(choice.Options, ui.Option{Value: "", Label: r.Say("representation.for-myself"), Checked: true})
	}
	others := false
	for _, one := range authorities {
		if !one.Allows(definition.Path, representation.Apply) || len(definition.For) > 0 && !slices.Contains(definition.For, one.Subject.Kind()) {
			continue
		}
		if slices.ContainsFunc(choice.Options, func(o ui.Option) bool { return o.Value == string(one.Subject) }) {
			continue
		}
		name, err := page.NameOf(ctx, p.Representatives, r, one.Subject)
		if err != nil {
			return nil, err
		}
		choice.Options = append(choice.Options, ui.Option{Value: string(one.Subject), Label: name, Hint: r.Say("ground." + string(one.Ground))})
		others = true
	}
	if !others {
		return nil, nil
	}
	return []ui.Component{choice}, nil
}

// brief says in a few lines what people ask first; how long it takes is measured on real cases.
func (p *Portal) brief(ctx context.Context, r page.Reader, definition *service.Definition, measured casework.Performance) []ui.Component {
	long := []string{r.Say("portal.at-once")}
	if len(definition.Process) > 0 && !definition.Notification {
		days := 0
		for _, stage := range definition.Process {
			longest := 0
			for _, step := range stage.Steps {
				longest = max(longest, step.Within)
			}
			days += longest
		}
		long = []string{r.Say("portal.at-most", "days", r.Say("duration.working-days", "count", days))}
		if measured.Decided > 0 {
			long = append([]string{p.took(r, measured.Median)}, append(long, r.Say("portal.measured-on", "count", int(measured.Decided)))...)
		}
	}
	rows := []ui.SummaryRow{
		{Term: r.Say("portal.cost"), Values: p.cost(ctx, r, definition)},
		{Term: r.Say("portal.how-long"), Values: long},
	}
	if len(definition.Ask) == 0 {
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.questions"), Values: []string{r.Say("portal.none")}})
	} else {
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.questions"), Values: []string{r.Words.Value(r.Language, int64(len(definition.Ask)))}})
	}
	links := []ui.Link{
		{Text: r.Say("portal.statistics"), Href: servicePath(definition.Path) + "/statistics"},
		{Text: r.Say("portal.open-data"), Href: catalogueServicePath(definition.Path)},
	}
	if definition.Licence != nil {
		links = append(links, ui.Link{Text: r.Say("portal.licences"), Href: licencesPath(definition.Path)})
	}
	return []ui.Component{
		ui.Heading{Text: r.Say("portal.in-short")},
		ui.SummaryList{Rows: rows},
		ui.List{Items: links},
	}
}

// took writes how long half of the cases took at most.
func (p *Portal) took(r page.Reader, median time.Duration) string {
	const day = 24 * time.Hour
	if median < day {
		return r.Say("portal.half-within-a-day")
	}
	return r.Say("portal.half-within", "days", r.Say("duration.days", "count", int((median+day-1)/day)))
}

// eligibility tells a visitor, before they apply, which requirements they meet.
func (p *Portal) eligibility(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req)
	if err != nil {
		return err
	}
	found, err := p.Applications.Eligibility(req.Context(), v.Resident(), definition.Path, v.Language)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	var banner ui.Banner
	switch found.Outcome {
	case rules.Met:
		banner = ui.Banner{Tone: ui.Good, Title: r.Say("portal.can"), Text: r.Say("portal.can-text")}
	case rules.NotMet:
		banner = ui.Banner{Tone: ui.Bad, Title: r.Say("portal.cannot"), Text: r.Say("portal.cannot-text")}
	default:
		banner = ui.Banner{Tone: ui.Wait, Title: r.Say("portal.can-unknown"), Text: r.Say("portal.can-unknown-text")}
	}
	body := []ui.Component{}
	if requirements := r.Requirements(found.View); len(requirements.Items) > 0 {
		body = append(body, ui.Heading{Text: r.Say("portal.requirements")}, requirements)
	}
	if len(found.Evidence) > 0 {
		body = append(body, ui.Heading{Text: r.Say("portal.state-knows")}, ui.Paragraph{Text: r.Say("portal.state-knows-lead")})
		body = append(body, r.OwnEvidence(found.View)...)
	}
	body = append(body, ui.Form{
		Action:  servicePath(definition.Path) + "/apply",
		Hidden:  []ui.Hidden{{Name: "application", Value: string(ident.New[ident.Application](p.Shared.Clock()))}},
		Buttons: ui.Buttons{{Key: "actions.apply"}, {Key: "actions.cancel", Href: servicePath(definition.Path), Quiet: true}},
	})
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("portal.can-i"), Caption: r.In(definition.Title), Lead: r.Say("portal.can-i-lead"), Banner: &banner, Body: body,
		Back: &ui.Link{Text: r.In(definition.Title), Href: servicePath(definition.Path)},
	})
}

// entrance shows a form, or its buttons alone where they lead elsewhere.
func entrance(form ui.Form) ui.Component {
	if form.Action == "" {
		return form.Buttons
	}
	return form
}

func outputs(r page.Reader, definition *service.Definition) (rows []ui.SummaryRow) {
	if document := definition.Output.Document; document != nil {
		values := []string{r.In(document.Title)}
		if !document.Valid.IsZero() {
			values = append(values, r.Say("portal.valid", "period", r.Period(document.Valid)))
		}
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.document"), Values: values})
	}
	if definition.Places != nil {
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.places"), Values: limited(r, definition.Places)})
	}
	if definition.Output.Payment != nil {
		values := []string{r.Say("portal.payment-by-rule")}
		if every := definition.Every; every != nil {
			values = append(values, r.Say("portal.payment-every", "period", r.Period(service.Period{Months: every.Months})))
		}
		rows = append(rows, ui.SummaryRow{Term: r.Say("portal.payment"), Values: values})
	}
	return rows
}

func conditions(r page.Reader, definition *service.Definition) []ui.Component {
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
	if definition.Confidential {
		body = append(body, ui.Paragraph{Text: r.Say("portal.confidential")})
	}
	if len(texts) > 0 {
		body = append(body, ui.Paragraph{Text: r.Say("portal.conditions")}, ui.Texts(texts...))
	}
	return body
}

// needed tells what is asked, and what is not, because the state fetches it itself.
func needed(r page.Reader, definition *service.Definition) []ui.Component {
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
func course(r page.Reader, definition *service.Definition) []ui.Component {
	body := []ui.Component{ui.Heading{Text: r.Say("portal.course")}}
	if definition.Notification {
		body = append(body, ui.Paragraph{Text: r.Say("portal.course-notification")})
	}
	if len(definition.Process) == 0 && definition.Notification {
		return body
	}
	if len(definition.Process) == 0 {
		return append(body, ui.Paragraph{Text: r.Say("portal.course-at-once")})
	}
	if together := definition.Together; together != nil {
		body = append(body, ui.Paragraph{Text: r.Say("portal.course-together", "days", r.Say("duration.working-days", "count", together.Within))})
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
	if definition.Notification {
		return append(body, table)
	}
	if within > 0 {
		body = append(body, table, ui.Paragraph{Text: r.Say("portal.appeal-within", "days", r.Say("duration.working-days", "count", within))})
		return body
	}
	return append(body, table, ui.Paragraph{Text: r.Say("portal.can-appeal")})
}

// days writes a span in whole days; less than one is said so.
func (p *Portal) days(r page.Reader, span time.Duration) string {
	const day = 24 * time.Hour
	if span < day {
		return r.Say("portal.under-a-day")
	}
	return r.Say("duration.days", "count", int(span.Round(day)/day))
}
