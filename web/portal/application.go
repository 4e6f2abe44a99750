package portal

import (
	"context"
	"net/http"
	"slices"

	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// application shows where an application stands and what its applicant can do.
func (p *Portal) application(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	view, err := p.Applications.Own(req.Context(), v.Resident(), applicationOf(req))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	back := ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath}
	if view.Acting != nil {
		back = ui.Link{Text: r.Say("representation.title"), Href: page.RepresentativesPath}
	}
	shown := ui.Page{
		Title: r.In(view.Definition.Title), Caption: r.Say("portal.application-number", "number", string(view.Application.ID)),
		Back: &back,
	}
	if view.Application.State == casework.Draft {
		shown.Body, err = p.draft(req.Context(), r, view)
	} else {
		shown.Banner = p.standingBanner(r, view)
		shown.Body, err = p.status(req.Context(), r, view)
	}
	if err != nil {
		return err
	}
	if view.Content.Offered != nil && view.Application.State == casework.Draft {
		shown.Body = append([]ui.Component{ui.Inset{Text: r.Say("offer.draft")}}, shown.Body...)
	}
	shown.Body = append(r.Acting(view), shown.Body...)
	return r.Render(w, http.StatusOK, shown)
}

// draft shows what is answered and what is still open.
func (p *Portal) draft(ctx context.Context, r page.Reader, view casework.View) ([]ui.Component, error) {
	asked, err := p.Shared.Asked(ctx, view)
	if err != nil {
		return nil, err
	}
	id := view.Application.ID
	var tasks ui.TaskList
	for _, question := range view.Definition.Ask {
		if !asked[question.Name] {
			continue
		}
		item := ui.TaskItem{Title: r.In(question.Label), Href: questionPath(id, question.Name), Status: ui.Tag{Text: r.Say("portal.open-question"), Tone: ui.Wait}}
		if _, answered := view.Answers[question.Name]; answered {
			item.Status = ui.Tag{Text: r.Say("portal.answered"), Tone: ui.Good}
		} else if question.Optional {
			item.Status = ui.Tag{Text: r.Say("field.optional"), Tone: ui.Plain}
		}
		tasks.Items = append(tasks.Items, item)
	}
	tasks.Items = append(tasks.Items, ui.TaskItem{Title: r.Say("page.preview"), Href: pathOf(id) + "/check", Status: ui.Tag{Text: r.Say("portal.last-step"), Tone: ui.Plain}})
	next, err := p.next(ctx, view, "")
	if err != nil {
		return nil, err
	}
	body := []ui.Component{r.State(casework.Draft)}
	if assisted := view.Content.Assisted; assisted != nil {
		body = append(body, ui.Inset{Text: r.Say("portal.assisted", "who", r.Actor(assisted.By))})
	}
	return append(body,
		ui.Paragraph{Text: r.Say("application.draft-kept-until", "date", r.LastDay(view.Application.Expires))},
		tasks,
		ui.Buttons{{Key: "actions.continue", Href: next}, {Text: r.Say("portal.discard"), Href: pathOf(id) + "/withdraw", Quiet: true}},
	), nil
}

// standingBanner says the one thing that matters now.
func (p *Portal) standingBanner(r page.Reader, view casework.View) *ui.Banner {
	id := view.Application.ID
	switch view.Application.State {
	case casework.Gathering:
		return &ui.Banner{Tone: ui.Wait, Title: r.Say("portal.gathering"), Text: r.Say("portal.gathering-text")}
	case casework.Joining:
		return &ui.Banner{Tone: ui.Wait, Title: r.State(casework.Joining).Text, Text: joining(r, view)}
	case casework.Unpaid:
		return &ui.Banner{
			Tone: ui.Wait, Title: r.State(casework.Unpaid).Text, Text: toPay(r, view),
			Link: &ui.Link{Text: r.Say("portal.pay"), Href: pathOf(id) + "/pay"},
		}
	case casework.Asked:
		return &ui.Banner{
			Tone: ui.Wait, Title: r.Say("application.state.question-for-you"), Text: view.Awaited.Text + " " + p.nextThing(r, view),
			Link: &ui.Link{Text: r.Say("actions.answer"), Href: pathOf(id) + "/answer"},
		}
	case casework.Granted:
		if granted := view.Content.Granted; granted != nil && granted.Rejected != "" {
			return &ui.Banner{
				Tone: ui.Wait, Title: r.Say("portal.account-wanted"), Text: r.Say("portal.account-wanted-text", "reason", r.PaymentReason(granted.Rejected)),
				Link: &ui.Link{Text: r.Say("portal.account-wanted"), Href: pathOf(id) + "/account"},
			}
		}
		if view.Definition.Licence != nil && view.Right != nil {
			return licenceBanner(r, view)
		}
		return &ui.Banner{Tone: ui.Good, Title: r.Say("application.state.granted"), Text: r.Say("portal.decided-on", "date", r.Day(view.Application.Decided))}
	case casework.Received:
		return &ui.Banner{Tone: ui.Good, Title: r.State(casework.Received).Text, Text: r.Say("portal.received-text")}
	case casework.Refused:
		return &ui.Banner{Tone: ui.Bad, Title: r.Say("application.state.refused"), Text: r.Say("portal.decided-on", "date", r.Day(view.Application.Decided))}
	case casework.Queued:
		return &ui.Banner{Tone: ui.Wait, Title: r.State(casework.Queued).Text, Text: queued(r, view)}
	case casework.PlaceOffered:
		return &ui.Banner{Tone: ui.Wait, Title: r.State(casework.PlaceOffered).Text, Text: r.Say("portal.offered-text", "date", r.LastDay(view.Application.Expires))}
	case casework.Ended:
		return &ui.Banner{Tone: ui.Plain, Title: r.State(casework.Ended).Text, Text: r.Say("portal.ended-on", "date", r.Day(view.Content.Ended.At))}
	case casework.Withdrawn, casework.Expired:
		return &ui.Banner{Tone: ui.Plain, Title: r.State(view.Application.State).Text}
	}
	return &ui.Banner{Tone: ui.Info, Title: r.State(view.Application.State).Text, Text: p.nextThing(r, view)}
}

// nextThing says by when the next thing must happen; empty if nothing waits for anybody.
func (p *Portal) nextThing(r page.Reader, view casework.View) string {
	switch view.Application.State {
	case casework.Gathering:
		return r.Say("portal.gathering-text")
	case casework.Asked:
		return r.Say("portal.answer-by", "date", r.LastDay(view.AnswerUntil))
	}
	var next casework.Task
	for _, task := range view.Tasks {
		if !task.Due.IsZero() && (next.Due.IsZero() || task.Due.Before(next.Due)) {
			next = task
		}
	}
	if next.Due.IsZero() {
		return ""
	}
	return r.Say("portal.next", "date", r.LastDay(next.Due), "step", r.Step(view.Definition, next.Step), "role", r.Role(next.Agency, next.Role))
}

// ahead returns what must happen next, by whom and by when.
func (p *Portal) ahead(r page.Reader, view casework.View) (events []ui.TimelineEvent) {
	if view.Application.State == casework.Asked {
		return []ui.TimelineEvent{{Title: r.Say("portal.you-answer"), When: r.Say("portal.by-day", "date", r.LastDay(view.AnswerUntil)), By: r.Say("actor.you"), Tone: ui.Wait, Next: true}}
	}
	for _, task := range view.Tasks {
		if task.Due.IsZero() || !view.Application.State.IsOpen() {
			continue
		}
		events = append(events, ui.TimelineEvent{
			Title: r.Step(view.Definition, task.Step), When: r.Say("portal.by-day", "date", r.LastDay(task.Due)), By: r.Role(task.Agency, task.Role), Tone: ui.Info, Next: true,
		})
	}
	return events
}

func (p *Portal) status(ctx context.Context, r page.Reader, view casework.View) (body []ui.Component, err error) {
	switch view.Application.State {
	case casework.Granted:
		if body, err = p.granted(ctx, r, view); err != nil {
			return nil, err
		}
		if ended := view.Content.Ended; ended != nil { // a licence that is suspended
			body = append(p.refused(r, view, "portal.licence-why", ended.Because), body...)
		}
	case casework.Refused:
		body = p.refused(r, view, "portal.because", view.Content.Because)
	case casework.Queued:
		body = standing(r, view)
	case casework.PlaceOffered:
		body = []ui.Component{offered(r, view)}
	case casework.Ended:
		if body, err = p.ended(ctx, r, view); err != nil {
			return nil, err
		}
	}
	if view.Application.State == casework.Joining {
		body = append(body, ui.SummaryList{Rows: []ui.SummaryRow{{
			Term: r.Say("portal.joining-address"), Values: []string{p.Site.JoinPath(pathOf(view.Application.ID), "join").String()},
		}}})
	}
	body = append(body, charged(r, view)...)
	history := r.History(view)
	history.Events = append(p.ahead(r, view), history.Events...)
	body = append(body, ui.Heading{Text: r.Say("portal.timeline")}, history)
	if len(view.Content.Questions) > 0 {
		body = append(body, questions(r, view.Content.Questions)...)
	}
	if len(view.Definition.Ask) > 0 {
		body = append(body, r.Answers(view, nil, nil))
	}
	body = append(body, r.Photos(view.Content.Photos, pathOf(view.Application.ID))...)
	if len(view.Evidence) > 0 {
		body = append(body, ui.Heading{Text: r.Say("case.evidence")})
		body = append(body, r.OwnEvidence(view)...)
	}
	if requirements := r.Requirements(view); len(requirements.Items) > 0 {
		body = append(body, ui.Heading{Text: r.Say("portal.requirements")}, requirements)
	}
	if params := r.Params(view.Content.Params); len(params) > 0 {
		body = append(body, ui.Details{Summary: r.Say("case.params"), Body: []ui.Component{ui.Texts(params...)}})
	}
	links := ui.List{Items: []ui.Link{
		{Text: r.Say("portal.receipt"), Href: pathOf(view.Application.ID) + "/receipt"},
		{Text: r.Say("page.who-read-my-data"), Href: page.ReadingsPath},
	}}
	body = append(body, ui.Heading{Text: r.Say("portal.more")}, links)
	switch {
	case view.MayBeGivenUp():
		body = append(body, ui.Buttons{{Text: r.Say("portal.give-up"), Href: pathOf(view.Application.ID) + "/withdraw", Quiet: true}})
	case view.Application.State.IsOpen() && view.Application.State != casework.PlaceOffered:
		body = append(body, ui.Buttons{{Key: "actions.withdraw", Href: pathOf(view.Application.ID) + "/withdraw", Quiet: true}})
	}
	return body, nil
}

func questions(r page.Reader, asked []casework.Question) []ui.Component {
	list := ui.SummaryList{Title: r.Say("case.questions")}
	for _, question := range asked {
		row := ui.SummaryRow{Term: question.Text, Values: []string{r.Say("case.no-answer")}}
		if question.Answer != "" {
			row.Values = []string{question.Answer}
		}
		list.Rows = append(list.Rows, row)
	}
	return []ui.Component{list}
}

// granted shows what the application gave: the document, the payment.
func (p *Portal) granted(ctx context.Context, r page.Reader, view casework.View) ([]ui.Component, error) {
	result := view.Content.Granted
	if result == nil {
		return nil, nil
	}
	list := ui.SummaryList{Title: r.Say("portal.what-you-got")}
	if result.Document != "" && (view.Acting == nil || view.Acting.Reads) {
		list.Rows = append(list.Rows, ui.SummaryRow{
			Term: r.In(view.Definition.Output.Document.Title), Values: []string{r.Say("portal.pdf")},
			Change: &ui.Link{Text: r.Say("actions.download"), Href: documentPath(result.Document), About: r.In(view.Definition.Output.Document.Title)},
		})
	}
	if payment := view.Definition.Output.Payment; payment != nil && len(result.Payments) > 0 {
		for _, one := range slices.Backward(result.Payments) {
			state, err := p.paymentState(ctx, r, payment.Fund, one.Order)
			if err != nil {
				return nil, err
			}
			list.Rows = append(list.Rows, ui.SummaryRow{
				Term: r.Say("portal.paid-for", "date", r.Date(one.Period)), Values: []string{r.Words.Money(r.Language, amountOf(one.Amount)), state},
			})
		}
	} else if payment != nil && result.Order != "" {
		state, err := p.paymentState(ctx, r, payment.Fund, result.Order)
		if err != nil {
			return nil, err
		}
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("portal.payment"), Values: []string{r.Words.Money(r.Language, amountOf(result.Payment)), state}})
	}
	var body []ui.Component
	if view.Definition.Every != nil && view.MayBeGivenUp() {
		body = append(body, ui.Paragraph{Text: r.Say("portal.next-review", "date", r.Day(view.Right.Next))})
	}
	if len(list.Rows) > 0 {
		body = append(body, list)
	}
	return body, nil
}

// ended shows why what was granted is not in force any more, and what it gave before.
func (p *Portal) ended(ctx context.Context, r page.Reader, view casework.View) ([]ui.Component, error) {
	given, err := p.granted(ctx, r, view)
	if err != nil {
		return nil, err
	}
	because := view.Content.Ended.Because
	if len(because) == 0 {
		return append([]ui.Component{ui.Paragraph{Text: r.Say("portal.given-up")}}, given...), nil
	}
	return append(p.refused(r, view, "portal.because-ended", because), given...), nil
}

// paymentState says where a payment is. Its order is made by a job after the decision: until then it is being prepared.
func (p *Portal) paymentState(ctx context.Context, r page.Reader, fund string, id ident.Order) (state string, err error) {
	err = p.Orders.View(ctx, func(tx ledger.Reader) error {
		order, err := tx.PaymentOrder(ident.Account("fund:"+fund), id)
		switch {
		case fault.Is(err, fault.NotFound):
			state = r.Say("payment.preparing")
			return nil
		case err != nil:
			return err
		}
		state = r.Say("payment." + string(order.State))
		return nil
	})
	return state, err
}

// refused shows why, and how to contest it.
func (p *Portal) refused(r page.Reader, view casework.View, heading string, because []casework.Reason) []ui.Component {
	body := []ui.Component{ui.Heading{Text: r.Say(heading)}, ui.Texts(r.Because(view.Definition, because)...)}
	if len(view.Definition.Legal) > 0 {
		body = append(body, ui.Heading{Text: r.Say("portal.law")}, ui.List{Items: r.Legal(view.Definition.Legal)})
	}
	body = append(body, ui.Heading{Text: r.Say("portal.contest")})
	switch {
	case view.AppealUntil.IsZero():
		return append(body, ui.Paragraph{Text: r.Say("portal.appeal-decided")})
	case p.Shared.Clock().Before(view.AppealUntil):
		return append(body,
			ui.Paragraph{Text: r.Say("portal.contest-until", "date", r.LastDay(view.AppealUntil))},
			ui.Buttons{{Text: r.Say("portal.appeal"), Href: pathOf(view.Application.ID) + "/appeal"}})
	}
	return append(body, ui.Paragraph{Text: r.Say("portal.appeal-late")})
}

// words asks for one text: an answer, the grounds of an appeal.
type words struct {
	title, lead, label string
	name, action       string
	button             string // key
	lines, maximum     int    // of the input
	open               func(casework.View) bool
}

func answering(r page.Reader, view casework.View) words {
	asked := ""
	if view.Awaited != nil {
		asked = view.Awaited.Text
	}
	return words{
		title: r.Say("portal.answer-title"), lead: asked + " " + r.Say("portal.answer-by", "date", r.LastDay(view.AnswerUntil)), label: r.Say("portal.your-answer"), name: "answer", action: "/answer", button: "actions.send",
		lines: 8, maximum: 5000, open: func(view casework.View) bool { return view.Application.State == casework.Asked },
	}
}

func appealing(r page.Reader, view casework.View) words {
	return words{
		title: r.Say("portal.appeal"), lead: r.Say("portal.appeal-lead", "date", r.LastDay(view.AppealUntil)), label: r.Say("portal.grounds"), name: "grounds",
		action: "/appeal", button: "actions.send", lines: 8, maximum: 5000,
		open: func(view casework.View) bool { return !view.AppealUntil.IsZero() },
	}
}

func payingTo(r page.Reader, view casework.View) words {
	return words{
		title: r.Say("portal.account-wanted"), lead: r.Say("portal.account-lead"), label: r.Say("portal.your-account"), name: "account", action: "/account",
		button: "actions.send", maximum: 40, open: func(view casework.View) bool {
			return view.Content.Granted != nil && view.Content.Granted.Rejected != ""
		},
	}
}

// askWords shows the form of one text, or leads back to an application that is not open for it.
func (p *Portal) askWords(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, of func(page.Reader, casework.View) words, wrong page.Wrong) error {
	view, err := p.Applications.Own(req.Context(), v.Resident(), applicationOf(req))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	asked := of(r, view)
	if !asked.open(view) {
		return route.Redirect(w, req, pathOf(view.Application.ID))
	}
	input := ui.TextInput{Question: ui.Question{Name: asked.name, Label: asked.label}, Lines: asked.lines, Maximum: asked.maximum, Value: req.PostForm.Get(asked.name)}
	if f := wrong[asked.name]; f != nil {
		input.Error = r.Problem(f)
	}
	return r.Render(w, status, ui.Page{
		Title: asked.title, Caption: r.In(view.Definition.Title), Lead: asked.lead,
		Back: &ui.Link{Text: r.Say("page.application"), Href: pathOf(view.Application.ID)},
		Body: []ui.Component{ui.Form{
			Action: pathOf(view.Application.ID) + asked.action, Fields: []ui.Component{input}, Hidden: carrying(view.Application.Revision),
			Buttons: ui.Buttons{{Key: asked.button}, {Key: "actions.cancel", Href: pathOf(view.Application.ID), Quiet: true}},
		}},
	})
}

func (p *Portal) showAnswer(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	return p.askWords(w, r, v, http.StatusOK, answering, nil)
}

func (p *Portal) answer(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	_, err := p.Applications.Answer(r.Context(), v.Resident(), applicationOf(r), revision(r), r.PostForm.Get("answer"))
	return p.sent(w, r, v, err, answering)
}

func (p *Portal) showAppeal(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	return p.askWords(w, r, v, http.StatusOK, appealing, nil)
}

func (p *Portal) appeal(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	_, err := p.Applications.Contest(r.Context(), v.Resident(), applicationOf(r), revision(r), r.PostForm.Get("grounds"))
	return p.sent(w, r, v, err, appealing)
}

func (p *Portal) showAccount(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	return p.askWords(w, r, v, http.StatusOK, payingTo, nil)
}

func (p *Portal) account(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	_, err := p.Applications.ChangeAccount(r.Context(), v.Resident(), applicationOf(r), revision(r), r.PostForm.Get("account"))
	return p.sent(w, r, v, err, payingTo)
}

// sent goes back to the application, or shows the form again with what is wrong.
func (p *Portal) sent(w http.ResponseWriter, r *http.Request, v route.Visitor, err error, of func(page.Reader, casework.View) words) error {
	if wrong, ok := correctable(err); ok {
		return p.askWords(w, r, v, http.StatusUnprocessableEntity, of, wrong)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, r, pathOf(applicationOf(r)))
}

func (p *Portal) showWithdraw(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	view, err := p.Applications.Own(req.Context(), v.Resident(), applicationOf(req))
	if err != nil {
		return err
	}
	r, id := p.Shared.For(v), view.Application.ID
	if view.Application.State != casework.Draft && !view.Application.State.IsOpen() && !view.MayBeGivenUp() {
		return route.Redirect(w, req, pathOf(id))
	}
	title, lead, button := r.Say("portal.withdraw-title"), r.Say("portal.withdraw-lead"), ui.Button{Key: "actions.withdraw", Warning: true}
	if view.MayBeGivenUp() {
		title, lead, button = r.Say("portal.give-up-title"), r.Say("portal.give-up-lead"), ui.Button{Text: r.Say("portal.give-up"), Warning: true}
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: title, Caption: r.In(view.Definition.Title), Lead: lead,
		Back: &ui.Link{Text: r.Say("page.application"), Href: pathOf(id)},
		Body: []ui.Component{ui.Form{
			Action: pathOf(id) + "/withdraw", Hidden: carrying(view.Application.Revision),
			Buttons: ui.Buttons{button, {Key: "actions.cancel", Href: pathOf(id), Quiet: true}},
		}},
	})
}

func (p *Portal) withdraw(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if _, err := p.Applications.Withdraw(r.Context(), v.Resident(), applicationOf(r), revision(r)); err != nil {
		return err
	}
	return route.Redirect(w, r, pathOf(applicationOf(r)))
}

func documentPath(id ident.Document) string { return page.DocumentPath + string(id) }

// file sends a document of the visitor as a PDF.
// mayOpen reports whether the visitor may open somebody else's document: they may see, for them, the application that it
// came of. That they do is recorded.
func (p *Portal) mayOpen(ctx context.Context, v route.Visitor, stored document.Stored) bool {
	if stored.Application == "" {
		return false
	}
	view, err := p.Applications.Own(ctx, v.Resident(), stored.Application)
	return err == nil && view.Acting != nil && view.Acting.Reads && view.Application.Applicant == stored.Subject
}

func (p *Portal) file(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	now := p.Shared.Clock()
	held, err := p.Documents.Open(r.Context(), ident.Document(r.PathValue("document")), now)
	if err == nil && held.Stored.Subject != v.Actor.Person.Subject() && !p.mayOpen(r.Context(), v, held.Stored) {
		err = document.ErrUnknown
	}
	if err != nil {
		return err
	}
	content, err := p.Documents.File(r.Context(), held, now)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+held.Content.Type+"-"+string(held.Content.ID)+`.pdf"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(content)
	return err
}

// photo shows a photo of the application to its applicant.
func (p *Portal) photo(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	content, err := p.Applications.OwnPhotograph(req.Context(), v.Actor, ident.Application(req.PathValue("application")), req.PathValue("photo"))
	if err != nil {
		return err
	}
	return page.WritePhoto(w, content)
}
