package desk

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

func (d *Desk) task(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	view, err := d.Tasks.Read(req.Context(), v.Actor, taskOf(req))
	if err != nil {
		return err
	}
	return d.show(w, req, http.StatusOK, v, view, page.Typed{}, nil, nil)
}

// show shows a task, with what was typed into its decision.
func (d *Desk) show(w http.ResponseWriter, req *http.Request, status int, v route.Visitor, view casework.View, typed page.Typed, wrong page.Wrong, banner *ui.Banner) error {
	r, task := d.Shared.For(v), view.Task
	body := d.facts(r, v, view)
	var aside []ui.Component
	var scripts []string
	switch {
	case task.State == casework.TaskWaiting:
		body = append(body, ui.Banner{Tone: ui.Wait, Title: r.Say("desk.waits-for-applicant"), Text: r.Say("desk.clock-stands")})
	case task.State == casework.TaskClaimed && !slices.Contains(v.Actor.Appointment.StandsFor(), task.Assignee):
		body = append(body, ui.Banner{Tone: ui.Wait, Title: r.Say("desk.colleagues"), Text: r.Say("desk.colleagues-text")})
	case task.State == casework.TaskOpen || task.State == casework.TaskClaimed:
		photos, ready, err := d.photographs(req.Context(), r, v, view, wrong)
		if err != nil {
			return err
		}
		decide := d.decision(r, view, typed, wrong)
		decide.Hidden = append(decide.Hidden, ready...)
		body = append(append(body, photos...), decide)
		if len(photos) > 0 {
			scripts = []string{d.program.paths["photo.js"]}
		}
		if aside, err = d.assignment(req.Context(), r, v, *task); err != nil {
			return err
		}
	}
	body = append(body, ui.Heading{Text: r.Say("portal.timeline")}, r.History(view))
	return r.Render(w, status, ui.Page{
		Title: r.Step(view.Definition, task.Step), Caption: r.In(view.Definition.Title), Banner: banner, Body: body, Aside: aside, Scripts: scripts,
		Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
	})
}

// facts shows everything of an application that a decision stands on.
func (d *Desk) facts(r page.Reader, v route.Visitor, view casework.View) []ui.Component {
	task := view.Task
	list := ui.SummaryList{Rows: []ui.SummaryRow{
		{Term: r.Say("desk.number"), Values: []string{string(view.Application.ID)}},
		{Term: r.Say("desk.place"), Values: []string{r.Place(task.Territory)}},
		{Term: r.Say("desk.received"), Values: []string{r.Moment(view.Application.Submitted)}},
		{Term: r.Say("desk.language"), Values: []string{r.SayIf("language."+view.Application.Language, view.Application.Language)}},
	}}
	if !task.Due.IsZero() {
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("desk.due"), Values: []string{r.LastDay(task.Due)}})
	}
	list.Rows = append(list.Rows, r.SentBy(view)...)
	var paper []ui.Component
	if assisted := view.Content.Assisted; assisted != nil {
		said := r.Say(confirmations[assisted.Means], "who", r.Actor(assisted.By))
		if assisted.Means == casework.ConfirmedByPaper {
			paper = append(paper, ui.List{Items: []ui.Link{{Text: r.Say("desk.assisted-photo"), Href: pathOf(task.ID) + "/summary"}}})
		}
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("desk.assisted"), Values: []string{said}})
		list.Rows = append(list.Rows, writtenDown(r, *assisted)...)
	}
	body := append(append([]ui.Component{d.state(r, v, *task), list}, paper...), d.late(r, view)...)
	if appeal := view.Content.Appeal; appeal != nil {
		body = append(body, ui.Heading{Text: r.Say("desk.appeal")}, ui.Inset{Text: appeal.Grounds},
			ui.Paragraph{Text: r.Say("desk.refused-because")}, ui.Texts(r.Because(view.Definition, appeal.Previous)...))
	}
	for _, one := range view.Content.Proposals {
		if one.Task == task.ID {
			body = append(body, ui.Heading{Text: r.Say("licence.measure-" + string(one.Measure))}, ui.Paragraph{Text: r.Say("desk.licence-proposed")}, ui.Inset{Text: one.Reason})
		}
	}
	if requirements := r.Requirements(view); len(requirements.Items) > 0 {
		body = append(body, ui.Heading{Text: r.Say("desk.requirements")}, requirements)
	}
	if legal := r.Legal(view.Definition.Legal); len(legal) > 0 {
		body = append(body, ui.Details{Summary: r.Say("desk.law"), Body: []ui.Component{ui.List{Items: legal}}})
	}
	if len(view.Definition.Ask) > 0 {
		body = append(body, r.Answers(view, nil, nil))
	}
	if shown := r.Evidence(view); len(shown) > 0 {
		body = append(append(body, ui.Heading{Text: r.Say("case.evidence")}), shown...)
	}
	if params := r.Params(view.Content.Params); len(params) > 0 {
		body = append(body, ui.Details{Summary: r.Say("case.params"), Body: []ui.Component{ui.Texts(params...)}})
	}
	return append(append(body, d.earlier(r, view)...), r.Photos(view.Content.Photos, pathOf(task.ID))...)
}

// late shows what was decided on the task without a connection and arrived too late to count, with both times: whoever
// has the task now settles it.
func (d *Desk) late(r page.Reader, view casework.View) (body []ui.Component) {
	for _, one := range view.Content.Arrivals {
		if !one.Late || one.Task != view.Task.ID {
			continue
		}
		list := ui.SummaryList{Rows: []ui.SummaryRow{
			{Term: r.Say("desk.late-action"), Values: []string{r.Say("action." + string(one.Action))}},
			{Term: r.Say("desk.late-by"), Values: []string{r.Actor(one.By)}},
			{Term: r.Say("desk.late-made"), Values: []string{r.Moment(one.Made)}},
			{Term: r.Say("desk.late-received"), Values: []string{r.Moment(one.Received)}},
		}}
		if reasons := r.Because(view.Definition, one.Reasons); len(reasons) > 0 {
			list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("desk.reasons"), Values: reasons})
		}
		if one.Question != "" {
			list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("desk.question"), Values: []string{one.Question}})
		}
		body = append(body, ui.Banner{Tone: ui.Wait, Title: r.Say("desk.late-title"), Text: r.Say("desk.late-text")}, list)
	}
	return body
}

// earlier shows what was asked and decided before.
func (d *Desk) earlier(r page.Reader, view casework.View) (body []ui.Component) {
	if len(view.Content.Questions) > 0 {
		list := ui.SummaryList{Title: r.Say("case.questions")}
		for _, question := range view.Content.Questions {
			row := ui.SummaryRow{Term: question.Text, Values: []string{r.Say("case.no-answer")}}
			if question.Answer != "" {
				row.Values = []string{question.Answer}
			}
			list.Rows = append(list.Rows, row)
		}
		body = append(body, list)
	}
	for _, decision := range view.Content.Decisions {
		_, step, ok := view.Definition.Step(decision.Step)
		if !ok || len(decision.Form) == 0 {
			continue
		}
		values, err := field.Decode(field.TypeOf(step.Form), decision.Form)
		if err == nil {
			body = append(body, r.Fields(r.Step(view.Definition, decision.Step), step.Form, values))
		}
	}
	return body
}

// Prefixes of the names of inputs, so that a step's field is never taken for another input.
const (
	formPrefix   = "form."
	attestPrefix = "attest."
)

// stepOf returns the step of a task; an appeal's allows what every appeal allows.
func stepOf(view casework.View) service.Step {
	if view.Task.Step == casework.StepAppeal {
		return service.Step{Name: casework.StepAppeal, Actions: []service.Action{service.Approve, service.Refuse, service.Ask}}
	}
	if step, ok := view.Definition.MeasureStep(view.Task.Step); ok {
		return step
	}
	_, step, _ := view.Definition.Step(view.Task.Step)
	return step
}

// toAttest returns the evidence that a register has no record of and an official may attest.
func toAttest(view casework.View) (found []service.Evidence) {
	for _, one := range view.Evidence {
		if one.Evidence.None == service.NoneAttest && one.Bound.Status == exchange.StatusNone && !one.Attested {
			found = append(found, one.Evidence)
		}
	}
	return found
}

// decision is the form by which the official takes their step.
func (d *Desk) decision(r page.Reader, view casework.View, typed page.Typed, wrong page.Wrong) ui.Form {
	step := stepOf(view)
	decide := ui.Form{
		Action: pathOf(view.Task.ID) + "/decide", Hidden: []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(view.Application.Revision, 10)}},
		Buttons: ui.Buttons{{Text: r.Say("desk.decide")}},
	}
	if len(step.Form) > 0 {
		decide.Fields = append(decide.Fields, ui.Heading{Text: r.Say("desk.record")})
		for _, one := range step.Form {
			decide.Fields = append(decide.Fields, r.Inputs(one, formPrefix+one.Name, typed, wrong, false)...)
		}
	}
	for _, evidence := range toAttest(view) {
		decide.Fields = append(decide.Fields, ui.Heading{Text: r.Say("desk.attest", "title", r.In(evidence.Title))}, ui.Paragraph{Text: r.Say("desk.attest-text")})
		for _, one := range d.Shared.EvidenceFields(evidence) {
			one.Optional = true
			decide.Fields = append(decide.Fields, r.Inputs(one, attestPrefix+evidence.Name+"."+one.Name, typed, wrong, false)...)
		}
	}
	say := func(name string) string {
		if f := wrong[name]; f != nil {
			return r.Problem(f)
		}
		return ""
	}
	action := ui.Choice{Question: ui.Question{Name: "action", Label: r.Say("desk.what"), Error: say("action")}}
	hint := "action-hint."
	if isMeasure(view) {
		hint = "licence.hint-"
	}
	for _, one := range step.Actions {
		action.Options = append(action.Options, ui.Option{
			Value: string(one), Label: r.Say("action." + string(one)), Hint: r.Say(hint + string(one)), Checked: typed.Get("action") == string(one),
		})
	}
	decide.Fields = append(decide.Fields, ui.Heading{Text: r.Say("page.decision")}, action)
	if step.Allows(service.Ask) {
		decide.Fields = append(decide.Fields, ui.TextInput{
			Question: ui.Question{Name: "question", Label: r.Say("desk.question"), Hint: r.Say("desk.question-hint"), Optional: true, Error: say("question")},
			Lines:    4, Maximum: 5000, Value: typed.Get("question"),
		})
	}
	if step.Allows(service.Refuse) {
		decide.Fields = append(decide.Fields, d.reasons(r, view, typed, say("reasons"))...)
	}
	return decide
}

// isMeasure reports whether the task is about something that was proposed to be done with a licence.
func isMeasure(view casework.View) bool {
	return view.Task != nil && slices.ContainsFunc(view.Content.Proposals, func(one casework.Proposal) bool { return one.Task == view.Task.ID })
}

// reasons asks why an application, or a measure, is refused. The words of the rules are about applications.
func (d *Desk) reasons(r page.Reader, view casework.View, typed page.Typed, mistake string) []ui.Component {
	reasons := ui.Choice{Question: ui.Question{Name: "reasons", Label: r.Say("desk.reasons"), Hint: r.Say("desk.reasons-hint"), Optional: true, Error: mistake}, Several: true}
	for _, requirement := range view.Definition.Require {
		if isMeasure(view) {
			break
		}
		reasons.Options = append(reasons.Options, ui.Option{
			Value: requirement.ID, Label: r.In(requirement.Otherwise), Checked: slices.Contains(typed["reasons"], requirement.ID),
		})
	}
	words := ui.TextInput{Question: ui.Question{Name: "reason", Label: r.Say("desk.reason"), Optional: true}, Lines: 4, Maximum: 5000, Value: typed.Get("reason")}
	if len(reasons.Options) == 0 {
		words.Error = mistake
		return []ui.Component{words}
	}
	return []ui.Component{reasons, words}
}

// assignment lets the official claim the task, or hand it over.
func (d *Desk) assignment(ctx context.Context, r page.Reader, v route.Visitor, task casework.Task) ([]ui.Component, error) {
	if task.State == casework.TaskOpen {
		return []ui.Component{
			ui.Heading{Text: r.Say("desk.claim")},
			ui.Paragraph{Text: r.Say("desk.claim-text")},
			ui.Form{Action: pathOf(task.ID) + "/claim", Buttons: ui.Buttons{{Text: r.Say("desk.claim"), Quiet: true}}},
		}, nil
	}
	colleagues, err := d.colleagues(ctx, v.Actor, task)
	if err != nil {
		return nil, err
	}
	choice := ui.Choice{Question: ui.Question{Name: "to", Label: r.Say("desk.to-whom")}, Options: []ui.Option{
		{Value: "all", Label: r.Say("desk.to-all"), Hint: r.Say("desk.to-all-hint"), Checked: true},
	}}
	for i, one := range colleagues {
		choice.Options = append(choice.Options, ui.Option{
			Value: string(one.ID), Label: r.Say("desk.colleague", "number", i+1, "role", r.Role(one.Agency, one.Role)), Hint: r.Place(one.Territory),
		})
	}
	return []ui.Component{ui.Details{Summary: r.Say("desk.hand-over"), Body: []ui.Component{
		ui.Form{Action: pathOf(task.ID) + "/hand-over", Fields: []ui.Component{choice}, Buttons: ui.Buttons{{Text: r.Say("desk.hand-over"), Quiet: true}}},
	}}}, nil
}

// colleagues returns who else could claim the task: the appointments to its role for its territory and those above.
func (d *Desk) colleagues(ctx context.Context, by access.Actor, task casework.Task) (found []access.Appointment, err error) {
	now := d.Shared.Clock()
	err = d.Office.Store.View(ctx, func(tx access.Reader) error {
		found = nil
		for _, place := range d.Shared.Words.Profile.Territories.Path(task.Territory) {
			held, err := tx.AppointmentsIn(task.Agency, task.Role, place)
			if err != nil {
				return err
			}
			for _, one := range held {
				if one.Holds(now) && one.Person != by.Person {
					found = append(found, one)
				}
			}
		}
		return nil
	})
	return found, err
}

func (d *Desk) claim(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if _, err := d.Tasks.Claim(r.Context(), v.Actor, taskOf(r)); err != nil {
		return err
	}
	return route.Redirect(w, r, pathOf(taskOf(r)))
}

func (d *Desk) handOver(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	to := ident.Appointment(r.PostForm.Get("to"))
	switch to {
	case "":
		return fault.New(fault.Invalid, "task.to-whom", "Choose who takes the task.").At("to")
	case "all":
		to = ""
	}
	if _, err := d.Tasks.HandOver(r.Context(), v.Actor, taskOf(r), to); err != nil {
		return err
	}
	return route.Redirect(w, r, page.DeskPath)
}

// decide takes the official's step on the revision that they read. The task is read again, and that is recorded again,
// only if the page has to be shown again.
func (d *Desk) decide(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id, typed := taskOf(req), req.PostForm
	revision, err := strconv.ParseInt(typed.Get("revision"), 10, 64)
	if err != nil {
		revision = -1
	}
	var wrong page.Wrong
	outline, err := d.Tasks.Outline(req.Context(), v.Actor, id, revision)
	if err == nil {
		var verdict casework.Verdict
		if verdict, wrong = d.verdict(outline, typed); len(wrong) == 0 {
			if _, err = d.Tasks.Decide(req.Context(), v.Actor, id, revision, verdict); err == nil {
				return route.Redirect(w, req, page.DeskPath)
			}
		}
	}
	f := fault.Of(err)
	if f != nil && f.Kind != fault.Invalid && f.Kind != fault.Conflict {
		return err
	}
	view, failed := d.Tasks.Read(req.Context(), v.Actor, id)
	switch {
	case failed != nil:
		return failed
	case f == nil:
		return d.show(w, req, http.StatusUnprocessableEntity, v, view, typed, wrong, nil)
	case f.Kind == fault.Invalid:
		wrong = page.Wrong{}
		wrong.Add("", field.Problems(route.Faults(err)))
		return d.show(w, req, http.StatusUnprocessableEntity, v, view, typed, wrong, nil)
	}
	// What the official typed is kept beside what has become of the application meanwhile.
	r := d.Shared.For(v)
	return d.show(w, req, http.StatusConflict, v, view, typed, nil, &ui.Banner{Tone: ui.Bad, Title: r.Say("desk.not-decided"), Text: r.Problem(f)})
}

// verdict reads the form of a decision.
func (d *Desk) verdict(view casework.View, typed page.Typed) (casework.Verdict, page.Wrong) {
	step, wrong := stepOf(view), page.Wrong{}
	verdict := casework.Verdict{Action: service.Action(typed.Get("action")), Question: typed.Get("question"), Photos: typed["photo"]}
	if !step.Allows(verdict.Action) {
		wrong["action"] = fault.New(fault.Invalid, "task.action", "This step does not allow that. Choose one of its actions.")
	}
	if verdict.Action == service.Refuse {
		for _, reason := range typed["reasons"] {
			verdict.Reasons = append(verdict.Reasons, casework.Reason{Requirement: reason})
		}
		if text := typed.Get("reason"); text != "" {
			verdict.Reasons = append(verdict.Reasons, casework.Reason{Text: text})
		}
	}
	if verdict.Action == service.Ask {
		return verdict, wrong // the step's form is filled in when it is decided
	}
	form, _ := step.Findings(verdict.Action)
	verdict.Form = d.values(formPrefix, form, typed, wrong)
	if verdict.Action == service.Refuse {
		return verdict, wrong
	}
	for _, evidence := range toAttest(view) {
		fields, prefix := d.Shared.EvidenceFields(evidence), attestPrefix+evidence.Name+"."
		if !slices.ContainsFunc(fields, func(one field.Definition) bool {
			return typed.Get(prefix+one.Name) != "" || typed.Get(prefix+one.Name+"-day") != ""
		}) {
			continue
		}
		if verdict.Attest == nil {
			verdict.Attest = map[string]map[string]any{}
		}
		verdict.Attest[evidence.Name] = d.values(prefix, fields, typed, wrong)
	}
	return verdict, wrong
}

// values reads fields from inputs whose names begin with the prefix.
func (d *Desk) values(prefix string, fields []field.Definition, typed page.Typed, wrong page.Wrong) map[string]any {
	values := map[string]any{}
	for _, one := range fields {
		value, problems := d.Shared.Parse(typed, prefix+one.Name, one)
		wrong.Add("", problems)
		if value != nil {
			values[one.Name] = value
		}
	}
	return values
}
