package portal

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// start begins a draft. The form names the application, so that a form sent twice begins one.
func (p *Portal) start(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.definition(req)
	if err != nil {
		return err
	}
	by := v.Resident()
	by.For = ident.Subject(req.PostForm.Get("for"))
	receipt, err := p.Applications.Start(req.Context(), by, ident.Application(req.PostForm.Get("application")), definition.Path, v.Language)
	if err != nil {
		return err
	}
	view, err := p.Applications.Own(req.Context(), by, receipt.Application.ID)
	if err != nil {
		return err
	}
	next, err := p.next(req.Context(), view, "")
	if err != nil {
		return err
	}
	return route.Redirect(w, req, next)
}

// next returns where a draft goes on: the first question after the given one ("" : the first without an answer), or the
// check of everything.
func (p *Portal) next(ctx context.Context, view casework.View, after string) (string, error) {
	asked, err := p.Shared.Asked(ctx, view)
	if err != nil {
		return "", err
	}
	reached := after == ""
	for _, question := range view.Definition.Ask {
		_, answered := view.Answers[question.Name]
		switch {
		case reached && asked[question.Name] && (after != "" || !answered && !question.Optional):
			return questionPath(view.Application.ID, question.Name), nil
		case question.Name == after:
			reached = true
		}
	}
	return pathOf(view.Application.ID) + "/check", nil
}

func questionPath(id ident.Application, name string) string {
	return pathOf(id) + "/questions/" + name
}

// draftQuestion returns a draft and the question that the address names, if it is asked.
func (p *Portal) draftQuestion(req *http.Request, v route.Visitor) (view casework.View, question service.Question, err error) {
	view, err = p.Applications.Own(req.Context(), v.Resident(), applicationOf(req))
	if err != nil || view.Application.State != casework.Draft {
		return view, question, err
	}
	asked, err := p.Shared.Asked(req.Context(), view)
	if err != nil {
		return view, question, err
	}
	i := slices.IndexFunc(view.Definition.Ask, func(q service.Question) bool { return q.Name == req.PathValue("question") })
	if i < 0 || !asked[view.Definition.Ask[i].Name] {
		return view, question, fault.New(fault.NotFound, "application.no-question", "This question is not asked here. Go back to your application.")
	}
	return view, view.Definition.Ask[i], nil
}

func (p *Portal) question(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	view, question, err := p.draftQuestion(req, v)
	if err != nil {
		return err
	}
	if view.Application.State != casework.Draft {
		return route.Redirect(w, req, pathOf(view.Application.ID))
	}
	typed := page.Typed{"from": req.URL.Query()["from"]}
	if v.Typed != nil { // a list may have grown
		typed = v.Typed
	} else {
		p.Shared.Fill(typed, question.Name, question.Definition, view.Answers[question.Name])
	}
	return p.ask(w, http.StatusOK, p.Shared.For(v), view, question, typed, nil, nil)
}

// ask shows one question.
func (p *Portal) ask(w http.ResponseWriter, status int, r page.Reader, view casework.View, question service.Question, typed page.Typed, wrong page.Wrong, banner *ui.Banner) error {
	form := ui.Form{
		Action: questionPath(view.Application.ID, question.Name),
		Fields: r.Inputs(question.Definition, question.Name, typed, wrong, true),
		Hidden: append(carrying(view.Application.Revision), ui.Hidden{Name: "from", Value: typed.Get("from")}),
	}
	if why := r.In(question.OnlyApplicant); why != "" {
		form.Fields = append(form.Fields, ui.Details{Summary: r.Say("question.why"), Body: []ui.Component{ui.Paragraph{Text: why}}})
	}
	buttons, hidden := r.ListButtons(question.Definition, question.Name, typed)
	form.Hidden = append(form.Hidden, hidden...)
	form.Buttons = append(ui.Buttons{{Key: "actions.continue"}}, buttons...)
	form.Buttons = append(form.Buttons, ui.Button{Text: r.Say("question.later"), Name: "do", Value: "later", Quiet: true})
	return r.Render(w, status, ui.Page{
		Title: r.In(question.Label), Caption: r.In(view.Definition.Title), Asks: true, Banner: banner, Body: []ui.Component{form},
		Back: &ui.Link{Text: r.Say("portal.back-to-draft"), Href: pathOf(view.Application.ID)},
	})
}

// saveAnswer keeps the answer to one question and goes on to the next.
func (p *Portal) saveAnswer(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	view, question, err := p.draftQuestion(req, v)
	if err != nil {
		return err
	}
	if view.Application.State != casework.Draft {
		return route.Redirect(w, req, pathOf(view.Application.ID))
	}
	r, typed, id := p.Shared.For(v), req.PostForm, view.Application.ID
	if page.Resize(typed, question.Name, question.Definition, typed.Get("do")) {
		return p.ask(w, http.StatusOK, r, view, question, typed, nil, nil)
	}
	value, problems := p.Shared.Parse(typed, question.Name, question.Definition)
	if len(problems) > 0 {
		if typed.Get("do") == "later" {
			return route.Redirect(w, req, pathOf(id))
		}
		return p.correct(w, r, view, question, typed, problems)
	}
	answers, err := p.changed(req.Context(), view, question.Name, value)
	if err != nil {
		return err
	}
	saved, err := p.Applications.Save(req.Context(), v.Resident(), id, revision(req), answers)
	if fault.Code(err) == "application.changed" {
		// The answer is shown again over what the other window saved: who sends it again has seen that.
		banner := &ui.Banner{Tone: ui.Wait, Title: r.Say("question.other-window"), Text: r.Say("question.other-window-text")}
		return p.ask(w, http.StatusConflict, r, view, question, typed, nil, banner)
	}
	if wrong, ok := correctable(err); ok {
		view.Application.Revision = max(view.Application.Revision, saved.Revision) // what else was answered is kept
		if _, ours := wrong[question.Name]; !ours && saved.Revision > 0 {          // this answer is kept, and another no longer fits it
			other := slices.Min(slices.Collect(maps.Keys(wrong)))
			return route.Redirect(w, req, pathOf(id)+"/questions/"+other)
		}
		return p.ask(w, http.StatusUnprocessableEntity, r, view, question, typed, wrong, nil)
	}
	if err != nil {
		return err
	}
	if typed.Get("do") == "later" {
		return route.Redirect(w, req, pathOf(id))
	}
	if view, err = p.Applications.Own(req.Context(), v.Resident(), id); err != nil {
		return err
	}
	after := question.Name
	if typed.Get("from") == "check" {
		after = ""
	}
	next, err := p.next(req.Context(), view, after)
	if err != nil {
		return err
	}
	return route.Redirect(w, req, next)
}

// changed returns what a new answer changes in a draft: itself, and the answers to questions that are then no longer
// asked, which are taken away.
func (p *Portal) changed(ctx context.Context, view casework.View, name string, value any) (map[string]any, error) {
	view.Answers = maps.Clone(view.Answers)
	if view.Answers[name] = value; value == nil {
		delete(view.Answers, name)
	}
	asked, err := p.Shared.Asked(ctx, view)
	if err != nil {
		return nil, err
	}
	answers := map[string]any{name: value}
	for other := range view.Answers {
		if !asked[other] {
			answers[other] = nil
		}
	}
	return answers, nil
}

func (p *Portal) correct(w http.ResponseWriter, r page.Reader, view casework.View, question service.Question, typed page.Typed, problems field.Problems) error {
	wrong := page.Wrong{}
	wrong.Add("", problems)
	return p.ask(w, http.StatusUnprocessableEntity, r, view, question, typed, wrong, nil)
}

// check shows everything before it is sent: the answers, what the registers say, what the rules make of it.
func (p *Portal) check(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	preview, err := p.Applications.Preview(req.Context(), v.Resident(), applicationOf(req))
	if fault.Code(err) == "application.sent" {
		return route.Redirect(w, req, pathOf(applicationOf(req)))
	}
	if err != nil {
		return err
	}
	asked, err := p.Shared.Asked(req.Context(), preview.View)
	if err != nil {
		return err
	}
	r, id := p.Shared.For(v), preview.Application.ID
	body := r.Acting(preview.View)
	if len(preview.Definition.Ask) > 0 {
		body = append(body, r.Answers(preview.View, asked, func(name string) string { return questionPath(id, name) + "?from=check" }))
	}
	if preview.Acting != nil {
		body = append(body, ui.Heading{Text: r.Say("representation.state-knows")})
	} else {
		body = append(body, ui.Heading{Text: r.Say("portal.state-knows")}, ui.Paragraph{Text: r.Say("portal.state-knows-lead")})
	}
	body = append(body, r.OwnEvidence(preview.View)...)
	body = append(body, ui.Heading{Text: r.Say("portal.requirements")}, r.Requirements(preview.View))
	body = append(body, p.forecast(req.Context(), r, preview)...)
	if problems := p.open(r, preview); problems != nil {
		body = append(body, problems...)
	} else {
		if preview.Fee > 0 {
			body = append(body, ui.Inset{Text: r.Say("portal.fee-before", "amount", r.Money(preview.Fee))})
		}
		body = append(body, ui.Paragraph{Text: r.Say("portal.send-lead")}, ui.Form{
			Action: pathOf(id) + "/submit", Hidden: carrying(preview.Application.Revision),
			Buttons: ui.Buttons{{Key: "actions.send"}, {Text: r.Say("question.later"), Href: pathOf(id), Quiet: true}},
		})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("page.preview"), Caption: r.In(preview.Definition.Title), Body: body,
		Back: &ui.Link{Text: r.Say("portal.back-to-draft"), Href: pathOf(id)},
	})
}

// forecast says what would come out if the application were sent now.
func (p *Portal) forecast(ctx context.Context, r page.Reader, preview casework.Preview) []ui.Component {
	if preview.Definition.Notification {
		return []ui.Component{ui.Inset{Text: r.Say("portal.course-notification")}}
	}
	banner := ui.Banner{Tone: ui.Wait, Title: r.Say("portal.forecast-unknown"), Text: r.Say("portal.forecast-unknown-text")}
	switch preview.Outcome {
	case rules.Met:
		banner = ui.Banner{Tone: ui.Good, Title: r.Say("portal.forecast-met"), Text: r.Say("portal.forecast-met-text")}
		if len(preview.Definition.Process) == 0 {
			banner.Text = r.Say("portal.forecast-at-once")
		}
		if gives, err := p.Shared.Gives(ctx, preview.View); err == nil && gives.Payment > 0 {
			banner.Text += " " + r.Say("portal.forecast-amount", "amount", r.Money(gives.Payment))
		}
	case rules.NotMet:
		banner = ui.Banner{Tone: ui.Bad, Title: r.Say("portal.forecast-not-met"), Text: r.Say("portal.forecast-not-met-text")}
	}
	if said, ok := map[rules.Outcome]string{rules.Met: "representation.forecast-met", rules.NotMet: "representation.forecast-not-met"}[preview.Outcome]; ok && preview.Acting != nil {
		banner.Title = r.Say(said) // it is somebody else who meets them, or not
	}
	body := []ui.Component{banner}
	if params := r.Params(preview.Content.Params); len(params) > 0 {
		body = append(body, ui.Details{Summary: r.Say("case.params"), Body: []ui.Component{ui.Texts(params...)}})
	}
	return body
}

// open lists the answers that are missing or wrong, each with a link to its question; nil if there are none.
func (p *Portal) open(r page.Reader, preview casework.Preview) []ui.Component {
	if len(preview.Problems) == 0 {
		return nil
	}
	var links []ui.Link
	for _, question := range preview.Definition.Ask {
		for _, problem := range preview.Problems {
			if name, _, _ := cutPath(problem.Field); name == question.Name {
				links = append(links, ui.Link{
					Text: r.In(question.Label) + " – " + r.Problem(problem), Href: questionPath(preview.Application.ID, name) + "?from=check",
				})
			}
		}
	}
	return []ui.Component{
		ui.Banner{Tone: ui.Wait, Title: r.Say("portal.answers-missing"), Text: r.Say("portal.answers-missing-text")}, ui.List{Items: links},
	}
}

// cutPath returns the question's name at the beginning of a problem's path: "partners[0].name" is of "partners".
func cutPath(path string) (name, rest string, nested bool) {
	for i, letter := range path {
		if letter == '[' || letter == '.' {
			return path[:i], path[i:], true
		}
	}
	return path, "", false
}

func (p *Portal) submit(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id := applicationOf(req)
	_, err := p.Applications.Submit(req.Context(), v.Resident(), id, revision(req))
	if _, ok := correctable(err); ok {
		return route.Redirect(w, req, pathOf(id)+"/check") // which says what is wrong, and where
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(id)+"/receipt")
}

// receipt is what an applicant keeps.
func (p *Portal) receipt(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	view, err := p.Applications.Own(req.Context(), v.Resident(), applicationOf(req))
	if err != nil {
		return err
	}
	id := view.Application.ID
	if view.Application.Submitted.IsZero() {
		return route.Redirect(w, req, pathOf(id))
	}
	r := p.Shared.For(v)
	receipt := ui.Receipt{
		Title: r.Say("portal.received"), Label: r.Say("portal.its-number"), Number: string(id),
		Text: r.Say("portal.received-on", "time", r.Moment(view.Application.Submitted)),
	}
	proof, err := p.proven(req.Context(), r, v.Resident().Person.Subject(), view.Application.Event)
	if fault.Is(err, fault.NotFound) && view.Acting != nil { // the last act was not theirs
		proof, err = r.Say("proof.pending"), nil
	}
	if err != nil {
		return err
	}
	body := append([]ui.Component{receipt}, r.Acting(view)...)
	if next := p.nextThing(r, view); next != "" {
		body = append(body, ui.Inset{Text: next})
	}
	body = append(body, ui.SummaryList{Rows: append(r.SentBy(view), []ui.SummaryRow{
		{Term: r.Say("portal.state"), Values: []string{r.State(view.Application.State).Text}},
		{Term: r.Say("proof.title"), Values: []string{proof}, Change: &ui.Link{Text: r.Say("actions.open"), Href: eventPath(view.Application.Event), About: r.Say("proof.title")}},
	}...)}, ui.Buttons{{Text: r.Say("portal.to-application"), Href: pathOf(id)}})
	return r.Render(w, http.StatusOK, ui.Page{Title: r.Say("portal.receipt"), Caption: r.In(view.Definition.Title), Body: body})
}
