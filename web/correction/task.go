package correction

import (
	"net/http"

	"yagona/kernel/correction"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

func asker(found correction.Opened) journal.Actor {
	who, _ := found.Subject.Person()
	return journal.Actor{Person: who}
}

func taskPath(id ident.Correction) string { return page.CorrectionTasksPath + "/" + string(id) }

// waiting lists the corrections that wait for the registrar's agency. It shows no personal data.
func (p *Pages) waiting(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	found, err := p.Corrections.Waiting(req.Context(), v.Actor, correction.Cursor{}, listed)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	table := ui.Table{Caption: r.Say("correction.waiting"), Empty: r.Say("correction.waiting-none"), Columns: []ui.Column{
		{Text: r.Say("correction.register")}, {Text: r.Say("correction.asked-on")}, {Text: r.Say("correction.until")}, {Text: r.Say("portal.state")},
	}}
	for _, one := range found {
		state := stateTag(r, one)
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: registerTitle(r, one.Register), Href: taskPath(one.ID)}, {Text: r.Day(one.Created)}, {Text: r.LastDay(one.Due)}, {Status: &state},
		})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("correction.tasks"), Caption: r.Agency(v.Actor.Appointment.Agency), Lead: r.Say("correction.tasks-lead"), Wide: true, Body: []ui.Component{table},
	})
}

func (p *Pages) task(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.showTask(w, req, v, http.StatusOK, "", nil, nil)
}

// showTask shows a correction with what the register says, each record as a form to correct it. Typed and wrong are
// what was sent for one of the records, or for the refusal, and is to be corrected.
func (p *Pages) showTask(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, sent ident.Record, typed page.Typed, wrong page.Wrong) error {
	found, err := p.Corrections.Read(req.Context(), v.Actor, idOf(req))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	definition, err := r.Names().Register(found.Register)
	if err != nil {
		return err
	}
	body := []ui.Component{p.said(r, found)}
	if found.State == correction.Open {
		forms, err := p.answerForms(req, r, found, definition, sent, typed, wrong)
		if err != nil {
			return err
		}
		body = append(body, forms...)
	}
	state := stateTag(r, found.Correction)
	banner := &ui.Banner{Tone: state.Tone, Title: state.Text}
	if found.State == correction.Open {
		banner.Text = r.Say("correction.answer-until", "date", r.LastDay(found.Due))
	}
	return r.Render(w, status, ui.Page{
		Title: r.Say("correction.one"), Caption: r.In(definition.Title), Banner: banner, Body: body,
		Back: &ui.Link{Text: r.Say("correction.tasks"), Href: page.CorrectionTasksPath},
	})
}

func (p *Pages) answerForms(req *http.Request, r page.Reader, found correction.Opened, definition *register.Definition, sent ident.Record, typed page.Typed, wrong page.Wrong) (body []ui.Component, err error) {
	if definition.Held == register.HeldHere {
		versions, err := p.Registers.FindBySubject(req.Context(), r.Visitor.Actor, found.Register, found.Subject)
		if err != nil {
			return nil, err
		}
		for i, version := range versions {
			body = append(body, p.recordForm(r, found, definition, version, i+1, len(versions), sent, typed, wrong)...)
		}
		if len(versions) == 0 {
			body = append(body, ui.Inset{Text: r.Say("correction.no-record")})
		}
	}
	reason := ui.TextInput{Question: ui.Question{Name: "reason", Label: r.Say("correction.reason"), Hint: r.Say("correction.reason-hint")}, Lines: 4, Maximum: 4000}
	if sent == "" && typed != nil {
		reason.Value = typed.Get("reason")
		if f := wrong["reason"]; f != nil {
			reason.Error = r.Problem(f)
		}
	}
	buttons := ui.Buttons{{Text: r.Say("correction.refuse"), Name: "do", Value: "refuse", Warning: true}}
	title := r.Say("correction.or-refuse")
	if definition.Held != register.HeldHere {
		title = r.Say("correction.in-own-system")
		buttons = append(ui.Buttons{{Text: r.Say("correction.done"), Name: "do", Value: "corrected"}}, buttons...)
	}
	return append(body, ui.Heading{Text: title}, ui.Form{
		Action: taskPath(found.ID) + "/answer", Fields: []ui.Component{reason}, Hidden: carrying(found.Revision), Buttons: buttons,
	}), nil
}

// recordForm asks for the right values of a record.
func (p *Pages) recordForm(r page.Reader, found correction.Opened, definition *register.Definition, version register.Version, place, of int, sent ident.Record, typed page.Typed, wrong page.Wrong) []ui.Component {
	if sent != version.Record {
		typed, wrong = page.Typed{}, nil
		for _, d := range shownFields(definition) {
			p.Shared.Fill(typed, d.Name, d, version.Values[d.Name])
		}
	}
	title := r.Say("correction.record")
	if of > 1 {
		title = r.Say("correction.record-of", "number", place, "count", of)
	}
	prefix := "" // names of inputs are anchors: they differ between the forms of one page
	if place > 1 {
		prefix = "r" + string(version.Record[:8]) + "-"
	}
	var inputs []ui.Component
	for _, d := range shownFields(definition) {
		renamed := page.Typed{}
		for name, values := range typed {
			renamed[prefix+name] = values
		}
		faults := page.Wrong{}
		for name, problem := range wrong {
			faults[prefix+name] = problem
		}
		inputs = append(inputs, r.Inputs(d, prefix+d.Name, renamed, faults, false)...)
	}
	why := ui.TextInput{
		Question: ui.Question{Name: prefix + "why", Label: r.Say("correction.why"), Hint: r.Say("correction.reason-hint")}, Lines: 3, Maximum: 4000, Value: typed.Get("why"),
	}
	if f := wrong["why"]; f != nil {
		why.Error = r.Problem(f)
	}
	return []ui.Component{ui.Heading{Text: title}, ui.Form{
		Action: taskPath(found.ID) + "/records/" + string(version.Record), Fields: append(inputs, why),
		Hidden: append(carrying(found.Revision), ui.Hidden{Name: "prefix", Value: prefix}), Buttons: ui.Buttons{{Text: r.Say("correction.correct")}},
	}}
}

// correct records the right values of a record, and answers with that.
func (p *Pages) correct(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	id, record, r := idOf(req), ident.Record(req.PathValue("record")), p.Shared.For(v)
	found, err := p.Corrections.Read(req.Context(), v.Actor, id)
	if err != nil {
		return err
	}
	version, err := p.Registers.Current(req.Context(), v.Actor, found.Register, record)
	if err == nil && version.Subject != found.Subject {
		err = register.ErrNoRecord
	}
	if err != nil {
		return err
	}
	definition, err := r.Names().Register(found.Register)
	if err != nil {
		return err
	}
	typed := page.Typed{}
	prefix := req.PostForm.Get("prefix")
	for name, values := range req.PostForm {
		if len(name) >= len(prefix) && name[:len(prefix)] == prefix {
			typed[name[len(prefix):]] = values
		}
	}
	values, wrong := map[string]any{}, page.Wrong{}
	for _, d := range definition.Fields {
		values[d.Name] = version.Values[d.Name]
	}
	for _, d := range shownFields(definition) {
		value, problems := p.Shared.Parse(typed, d.Name, d)
		wrong.Add("", problems)
		values[d.Name] = value
	}
	for name, value := range values {
		if value == nil {
			delete(values, name)
		}
	}
	why := typed.Get("why")
	if why == "" {
		wrong["why"] = fault.New(fault.Invalid, "correction.reason", "Say why, in at most 4000 characters. The person reads exactly these words.")
	}
	if len(wrong) > 0 {
		return p.showTask(w, req, v, http.StatusUnprocessableEntity, record, typed, wrong)
	}
	_, err = p.Registers.Correct(req.Context(), v.Actor, register.Write{
		Register: found.Register, Record: record, Expect: version.Number, Corrects: version.Number, Values: values, Reason: why,
	})
	if fault.Is(err, fault.Invalid) {
		wrong.Add("", field.Problems(route.Faults(err)))
		return p.showTask(w, req, v, http.StatusUnprocessableEntity, record, typed, wrong)
	}
	if err != nil {
		return err
	}
	if _, err := p.Corrections.Resolve(req.Context(), v.Actor, id, revision(req), correction.Answer{Corrected: true, Reason: why}); err != nil {
		return err
	}
	return route.Redirect(w, req, page.CorrectionTasksPath)
}

// answer refuses a correction, or says that it was done in the register's own system.
func (p *Pages) answer(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	_, err := p.Corrections.Resolve(req.Context(), v.Actor, idOf(req), revision(req), correction.Answer{
		Corrected: req.PostForm.Get("do") == "corrected", Reason: req.PostForm.Get("reason"),
	})
	if fault.Code(err) == "correction.reason" {
		return p.showTask(w, req, v, http.StatusUnprocessableEntity, "", req.PostForm, page.Wrong{"reason": fault.Of(err)})
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, page.CorrectionTasksPath)
}
