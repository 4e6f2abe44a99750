package desk

import (
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

const leavePath = page.DeskPath + "/leave"

// The questions of a leave.
var leaveDays = []field.Definition{{Name: "from", Kind: field.Date}, {Name: "through", Kind: field.Date}}

// leave shows an official's leaves and lets them record one.
func (d *Desk) leave(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return d.showLeave(w, req, http.StatusOK, v, page.Typed{}, nil)
}

func (d *Desk) showLeave(w http.ResponseWriter, req *http.Request, status int, v route.Visitor, typed page.Typed, wrong page.Wrong) error {
	r, held := d.Shared.For(v), v.Actor.Appointment
	shown := ui.Page{
		Title: r.Say("desk.leave"), Caption: r.Role(held.Agency, held.Role) + ", " + r.Place(held.Territory), Lead: r.Say("desk.leave-lead"),
		Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
	}
	if held.Substitutes != "" {
		shown.Body = []ui.Component{ui.Inset{Text: r.Say("desk.leave-substitute")}}
		return r.Render(w, status, shown)
	}
	now := d.Shared.Clock()
	leaves, err := d.Office.Leaves(req.Context(), v.Actor, now)
	if err != nil {
		return err
	}
	for _, one := range leaves {
		shown.Body = append(shown.Body,
			ui.SummaryList{Title: r.Say("desk.leave-recorded"), Rows: []ui.SummaryRow{
				{Term: r.Say("desk.leave-from"), Values: []string{r.Day(one.From)}},
				{Term: r.Say("desk.leave-through"), Values: []string{r.LastDay(one.Until)}},
				{Term: r.Say("desk.leave-who"), Values: []string{d.standIn(req, r, one)}},
			}},
			ui.Form{Action: leavePath + "/" + string(one.ID) + "/end", Buttons: ui.Buttons{{Text: r.Say("desk.leave-end"), Quiet: true}}},
		)
	}
	colleagues, err := d.Office.Colleagues(req.Context(), v.Actor, now)
	if err != nil {
		return err
	}
	if len(colleagues) == 0 {
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("desk.leave-nobody")})
		return r.Render(w, status, shown)
	}
	say := func(name string) string {
		if f := wrong[name]; f != nil {
			return r.Problem(f)
		}
		return ""
	}
	day := func(name, label, hint string) ui.DateInput {
		return ui.DateInput{
			Question: ui.Question{Name: name, Label: label, Hint: hint, Error: say(name)},
			Day:      typed.Get(name + "-day"), Month: typed.Get(name + "-month"), Year: typed.Get(name + "-year"),
		}
	}
	who := ui.Select{Question: ui.Question{Name: "substitute", Label: r.Say("desk.leave-who"), Hint: r.Say("desk.leave-who-hint"), Error: say("substitute")}}
	who.Options = append(who.Options, ui.Option{Label: r.Say("desk.leave-choose")})
	for i, one := range colleagues {
		who.Options = append(who.Options, ui.Option{
			Value: string(one.ID), Label: d.colleagueName(r, i, one), Checked: typed.Get("substitute") == string(one.ID),
		})
	}
	shown.Body = append(shown.Body, ui.Heading{Text: r.Say("desk.leave-new")}, ui.Form{
		Action:  leavePath,
		Fields:  []ui.Component{day("from", r.Say("desk.leave-from"), r.Say("desk.leave-from-hint")), day("through", r.Say("desk.leave-through"), ""), who},
		Buttons: ui.Buttons{{Text: r.Say("desk.leave-record")}},
	})
	return r.Render(w, status, shown)
}

// colleagueName names a colleague by role and place, never by their own name: the number tells two of one place apart.
func (d *Desk) colleagueName(r page.Reader, i int, one access.Appointment) string {
	return r.Say("desk.colleague", "number", i+1, "role", r.Role(one.Agency, one.Role)) + ", " + r.Place(one.Territory)
}

// standIn says who stands in: the colleague's own post.
func (d *Desk) standIn(req *http.Request, r page.Reader, leave access.Appointment) string {
	held, err := d.Office.Appointments(req.Context(), leave.Person, d.Shared.Clock())
	if err == nil {
		for _, one := range held {
			if one.Substitutes == "" && one.Agency == leave.Agency && one.Role == leave.Role {
				return r.Role(one.Agency, one.Role) + ", " + r.Place(one.Territory)
			}
		}
	}
	return r.Role(leave.Agency, leave.Role)
}

func (d *Desk) takeLeave(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	typed, wrong := req.PostForm, page.Wrong{}
	days := map[string]calendar.Date{}
	for _, one := range leaveDays {
		value, problems := d.Shared.Parse(typed, one.Name, one)
		wrong.Add("", problems)
		if date, ok := value.(calendar.Date); ok {
			days[one.Name] = date
		} else if len(problems) == 0 {
			wrong[one.Name] = fault.New(fault.Invalid, "field.required", "This is required. Fill it in.")
		}
	}
	if len(wrong) > 0 {
		return d.showLeave(w, req, http.StatusUnprocessableEntity, v, typed, wrong)
	}
	location := d.Shared.Words.Profile.Location
	start := func(day calendar.Date) time.Time {
		return time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, location)
	}
	from := start(days["from"])
	if now := d.Shared.Clock(); from.Before(now) && !from.AddDate(0, 0, 1).Before(now) {
		from = now // today
	}
	_, err := d.Office.TakeLeave(req.Context(), v.Actor, ident.Appointment(typed.Get("substitute")), from, start(days["through"].AddDays(1)))
	f := fault.Of(err)
	switch {
	case err == nil:
		return route.Redirect(w, req, leavePath)
	case f.Kind != fault.Invalid && f.Kind != fault.Conflict:
		return err
	}
	at := map[string]string{"until": "through", "": "from"}[f.Field]
	if at == "" {
		at = f.Field
	}
	return d.showLeave(w, req, http.StatusUnprocessableEntity, v, typed, page.Wrong{at: f})
}

func (d *Desk) endLeave(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if _, err := d.Office.EndLeave(req.Context(), v.Actor, ident.Appointment(req.PathValue("appointment"))); err != nil {
		return err
	}
	return route.Redirect(w, req, leavePath)
}
