package desk

import (
	"net/http"
	"slices"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

const licencesPath = page.DeskPath + "/licences"

// watches reports whether the official's role keeps watch over the licences of a service.
func (d *Desk) watches(held *access.Appointment) bool {
	return slices.ContainsFunc(d.Services().All(d.Shared.Today()), func(one *service.Definition) bool {
		return one.Licence != nil && one.Agency == held.Agency && (one.Licence.Proposes == held.Role || one.Licence.Decides == held.Role)
	})
}

// licences asks for the number of a licence.
func (d *Desk) licences(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return d.askLicence(w, http.StatusOK, v, "", "")
}

func (d *Desk) askLicence(w http.ResponseWriter, status int, v route.Visitor, typed, mistake string) error {
	r := d.Shared.For(v)
	return r.Render(w, status, ui.Page{
		Title: r.Say("desk.licences"), Lead: r.Say("desk.licences-lead"), Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
		Body: []ui.Component{ui.Form{
			Action: licencesPath, Buttons: ui.Buttons{{Text: r.Say("desk.licence-open")}},
			Fields: []ui.Component{ui.TextInput{Question: ui.Question{Name: "number", Label: r.Say("desk.licence-number"), Error: mistake}, Maximum: 36, Value: typed}},
		}},
	})
}

// findLicence leads to the licence with the number that was typed.
func (d *Desk) findLicence(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	number := strings.TrimSpace(req.PostForm.Get("number"))
	if _, err := ident.Parse[ident.Document](number); err != nil {
		return d.askLicence(w, http.StatusUnprocessableEntity, v, number, d.Shared.For(v).Problem(fault.Of(err)))
	}
	return route.Redirect(w, req, licencesPath+"/"+number)
}

func (d *Desk) licence(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return d.showLicence(w, req, http.StatusOK, v, page.Typed{}, nil)
}

// showLicence shows a licence, with the form by which a measure is proposed.
func (d *Desk) showLicence(w http.ResponseWriter, req *http.Request, status int, v route.Visitor, typed page.Typed, wrong page.Wrong) error {
	view, err := d.Tasks.Licence(req.Context(), v.Actor, ident.Document(req.PathValue("document")))
	if err != nil {
		return err
	}
	r := d.Shared.For(v)
	rows := []ui.SummaryRow{
		{Term: r.Say("desk.licence-number"), Values: []string{string(view.Content.Granted.Document)}},
		{Term: r.Say("portal.state"), Values: []string{r.Say("licence.state-" + string(view.Right.State))}},
		{Term: r.Say("portal.licence-since"), Values: []string{r.Day(view.Right.Since)}},
		{Term: r.Say("portal.licence-end"), Values: []string{r.LastDay(view.Right.Until)}},
	}
	body := []ui.Component{ui.SummaryList{Rows: rows}}
	if ended := view.Content.Ended; ended != nil {
		body = append(body, ui.Texts(r.Because(view.Definition, ended.Because)...))
	}
	body = append(body, r.Answers(view, nil, nil))
	switch measures := view.Measures(); {
	case len(measures) > 0 && view.Task.Role == view.Definition.Licence.Proposes:
		body = append(body, proposing(r, view, measures, typed, wrong))
	case len(measures) == 0 && view.Right.State != casework.Over && view.Right.State != casework.Revoked:
		body = append(body, ui.Inset{Text: r.Say("desk.licence-waits")})
	}
	body = append(body, ui.Heading{Text: r.Say("portal.timeline")}, r.History(view))
	return r.Render(w, status, ui.Page{
		Title: r.In(view.Definition.Title), Back: &ui.Link{Text: r.Say("desk.licences"), Href: licencesPath}, Body: body,
	})
}

func proposing(r page.Reader, view casework.View, measures []service.Measure, typed page.Typed, wrong page.Wrong) ui.Form {
	mistake := func(name string) string {
		if f := wrong[name]; f != nil {
			return r.Problem(f)
		}
		return ""
	}
	choice := ui.Choice{Question: ui.Question{Name: "measure", Label: r.Say("desk.what"), Error: mistake("measure")}}
	for _, one := range measures {
		choice.Options = append(choice.Options, ui.Option{Value: string(one), Label: r.Say("licence.measure-" + string(one)), Checked: typed.Get("measure") == string(one)})
	}
	return ui.Form{
		Action: licencesPath + "/" + string(view.Content.Granted.Document), Buttons: ui.Buttons{{Text: r.Say("desk.licence-propose")}},
		Fields: []ui.Component{
			ui.Heading{Text: r.Say("desk.licence-propose")},
			ui.Paragraph{Text: r.Say("desk.licence-propose-lead")},
			choice,
			ui.TextInput{Question: ui.Question{Name: "reason", Label: r.Say("desk.licence-reason"), Error: mistake("reason")}, Lines: 5, Maximum: 4000, Value: typed.Get("reason")},
		},
	}
}

var errNotSaid = fault.New(fault.Invalid, "field.required", "This is required. Fill it in.")

// propose proposes a measure. What is missing is told at its input.
func (d *Desk) propose(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	number, typed, wrong := ident.Document(req.PathValue("document")), req.PostForm, page.Wrong{}
	for _, name := range []string{"measure", "reason"} {
		if strings.TrimSpace(typed.Get(name)) == "" {
			wrong[name] = errNotSaid.At(name)
		}
	}
	if len(wrong) > 0 {
		return d.showLicence(w, req, http.StatusUnprocessableEntity, v, typed, wrong)
	}
	_, err := d.Tasks.Propose(req.Context(), v.Actor, number, service.Measure(typed.Get("measure")), typed.Get("reason"))
	if fault.Is(err, fault.Invalid) {
		wrong.Add("", route.Faults(err))
		return d.showLicence(w, req, http.StatusUnprocessableEntity, v, typed, wrong)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, licencesPath+"/"+string(number))
}
