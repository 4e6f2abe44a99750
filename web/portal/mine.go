package portal

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

const shownAtOnce = 50

func amountOf(minor int64) money.Amount { return money.Amount(minor) }

// mine shows everything of a person: applications, documents, payments, messages.
func (p *Portal) mine(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	ctx, r, by := req.Context(), p.Shared.For(v), v.Resident()
	before := ident.Application(req.URL.Query().Get("before"))
	applications, err := p.Applications.OwnAll(ctx, by, before, shownAtOnce)
	if err != nil {
		return err
	}
	open, err := p.Applications.Offers(ctx, by)
	if err != nil {
		return err
	}
	listed, err := p.applications(ctx, r, by, applications)
	if err != nil {
		return err
	}
	documents, err := p.documents(ctx, r, by)
	if err != nil {
		return err
	}
	payments, err := p.payments(ctx, r, by, applications)
	if err != nil {
		return err
	}
	messages, err := p.messages(ctx, r, by)
	if err != nil {
		return err
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("portal.mine"), Lead: r.Say("portal.mine-lead"), Wide: true,
		Body: append(page.Offers(r, open), listed, documents, payments, messages, ui.Buttons{
			{Text: r.Say("correction.data"), Href: page.DataPath, Quiet: true},
			{Text: r.Say("page.who-read-my-data"), Href: page.ReadingsPath, Quiet: true},
			{Text: r.Say("representation.title"), Href: page.RepresentativesPath, Quiet: true},
			{Text: r.Say("offer.title"), Href: page.OffersPath, Quiet: true},
			{Text: r.Say("contact.title"), Href: page.ContactPath, Quiet: true},
			{Text: r.Say("passkey.title"), Href: page.PasskeysPath, Quiet: true},
		}),
	})
}

func (p *Portal) applications(ctx context.Context, r page.Reader, by access.Actor, applications []casework.Application) (ui.Table, error) {
	table := ui.Table{Caption: r.Say("page.my-applications"), Empty: r.Say("portal.no-applications"), Columns: []ui.Column{
		{Text: r.Say("portal.service")}, {Text: r.Say("portal.state")}, {Text: r.Say("portal.since")}, {Text: r.Say("portal.next-by")},
	}}
	for _, application := range applications {
		next, err := p.nextDay(ctx, r, by, application)
		if err != nil {
			return table, err
		}
		since := application.Submitted
		if since.IsZero() {
			since = application.Created
		}
		state := r.State(application.State)
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Service(application.Service), Href: pathOf(application.ID)}, {Status: &state}, {Text: r.Day(since)}, {Text: next},
		})
	}
	if len(applications) == shownAtOnce {
		table.Pages = &ui.Pagination{Next: page.MinePath + "?before=" + string(applications[shownAtOnce-1].ID)}
	}
	return table, nil
}

// nextDay returns the day by which the next thing must happen in an application; a dash if nothing waits for anybody.
func (p *Portal) nextDay(ctx context.Context, r page.Reader, by access.Actor, application casework.Application) (string, error) {
	const nothing = "–"
	if application.State == casework.Draft {
		return r.LastDay(application.Expires), nil
	}
	if !application.State.IsOpen() {
		return nothing, nil
	}
	view, err := p.Applications.Own(ctx, by, application.ID)
	if err != nil {
		return "", err
	}
	next := view.AnswerUntil
	if application.State == casework.Unpaid || application.State == casework.Joining {
		next = application.Expires
	}
	for _, task := range view.Tasks {
		if !task.Due.IsZero() && (next.IsZero() || task.Due.Before(next)) {
			next = task.Due
		}
	}
	if next.IsZero() {
		return nothing, nil
	}
	return r.LastDay(next), nil
}

func (p *Portal) documents(ctx context.Context, r page.Reader, by access.Actor) (ui.Table, error) {
	table := ui.Table{Caption: r.Say("page.my-documents"), Empty: r.Say("portal.no-documents"), Columns: []ui.Column{
		{Text: r.Say("portal.document")}, {Text: r.Say("portal.state")}, {Text: r.Say("document.issued")}, {Text: r.Say("portal.verify")},
	}}
	var stored []document.Stored
	err := p.Documents.Store.View(ctx, func(tx document.Reader) (err error) {
		stored, err = tx.DocumentsOf(by.Person.Subject())
		return err
	})
	if err != nil {
		return table, err
	}
	for _, one := range stored[:min(len(stored), shownAtOnce)] {
		standing, err := p.Documents.Standing(ctx, one.ID, p.Shared.Clock())
		if err != nil {
			return table, err
		}
		state := standingTag(r, standing.State)
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: p.documentTitle(r, one), Href: documentPath(one.ID)},
			{Status: &state},
			{Text: r.Day(one.Issued)},
			{Text: r.Say("actions.verify"), Href: page.VerifyPath + "/" + string(one.ID)},
		})
	}
	return table, nil
}

func (p *Portal) payments(ctx context.Context, r page.Reader, by access.Actor, applications []casework.Application) (ui.Table, error) {
	table := ui.Table{Caption: r.Say("portal.my-payments"), Empty: r.Say("portal.no-payments"), Columns: []ui.Column{
		{Text: r.Say("portal.service")}, {Text: r.Say("portal.state")}, {Text: r.Say("portal.amount"), Number: true},
	}}
	for _, application := range applications {
		if application.State != casework.Granted || application.Archived != "" {
			continue
		}
		view, err := p.Applications.Own(ctx, by, application.ID)
		if err != nil {
			return table, err
		}
		payment := view.Definition.Output.Payment
		if payment == nil || view.Content.Granted == nil || view.Content.Granted.Order == "" {
			continue
		}
		state, err := p.paymentState(ctx, r, payment.Fund, view.Content.Granted.Order)
		if err != nil {
			return table, err
		}
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.In(view.Definition.Title), Href: pathOf(application.ID)}, {Text: state}, {Text: r.Money(amountOf(view.Content.Granted.Payment))},
		})
	}
	return table, nil
}

func (p *Portal) messages(ctx context.Context, r page.Reader, by access.Actor) (ui.Component, error) {
	notices, err := p.Notices.Of(ctx, by.Person.Subject(), shownAtOnce)
	if err != nil {
		return nil, err
	}
	table := ui.Table{Caption: r.Say("portal.messages"), Empty: r.Say("portal.no-messages"), Columns: []ui.Column{
		{Text: r.Say("portal.message")}, {Text: r.Say("portal.when")},
	}}
	for _, one := range notices {
		about := page.DataPath // where corrections are, which are about no application
		switch {
		case one.Application != "":
			about = pathOf(one.Application)
		case strings.HasPrefix(one.Kind, "mandate."):
			about = page.RepresentativesPath
		}
		table.Rows = append(table.Rows, ui.TableRow{{Text: r.SayIf("notice."+one.Kind, r.Event(one.Kind)), Href: about}, {Text: r.Moment(one.At)}})
	}
	return table, nil
}

// appointments lets an official choose in which of their offices they work, or that they come as a resident.
func (p *Portal) appointments(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	choice := ui.Choice{Question: ui.Question{Name: "appointment", Label: r.Say("portal.hats")}}
	for _, held := range v.Appointments {
		acting := v.Actor.Appointment
		choice.Options = append(choice.Options, ui.Option{
			Value: string(held.ID), Label: r.Role(held.Agency, held.Role), Hint: fmt.Sprintf("%s, %s", r.Agency(held.Agency), r.Place(held.Territory)),
			Checked: acting != nil && acting.ID == held.ID,
		})
	}
	if len(choice.Options) == 0 {
		return route.Redirect(w, req, page.MinePath)
	}
	next := route.LocalPath(req.URL.Query().Get("next"))
	if next == page.HomePath {
		next = page.DeskPath
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("portal.choose-hat"), Lead: r.Say("portal.hats-lead"),
		Body: []ui.Component{
			ui.Form{Action: page.AppointmentsPath, Fields: []ui.Component{choice}, Hidden: []ui.Hidden{{Name: "next", Value: next}}},
			ui.Paragraph{Text: r.Say("portal.as-resident")},
			ui.Buttons{{Text: r.Say("portal.mine"), Href: page.MinePath, Quiet: true}},
		},
	})
}
