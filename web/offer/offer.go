// Package offer owns the page on which people see what the platform offers them by itself, and say whether they want that.
//
// It hands routes to the router. An offer is a draft, which the pages of package portal carry on.
//
// Invariants: looking at the page asks no register unless its visitor agreed to that before; what was found is shown to
// its own person only.
package offer

import (
	"context"
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/offer"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Applications is what the page needs of casework.
type Applications interface {
	Offers(ctx context.Context, by access.Actor) ([]casework.OpenOffer, error)
	Visit(ctx context.Context, by access.Actor) (offer.Found, error)
}

// Participations is what the page needs of package kernel/offer.
type Participations interface {
	Of(ctx context.Context, subject ident.Subject) (offer.Participation, offer.Found, error)
	Choose(ctx context.Context, by access.Actor, choice offer.Choice) error
	Keep(ctx context.Context, by access.Actor, found offer.Found) error
}

// Config is what the page stands on. All of it is required.
type Config struct {
	Shared         *page.Shared
	Applications   Applications
	Participations Participations
	Readings       *access.OwnReadings
}

// Pages serves it.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

const smallForm = 64 << 10

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	return []route.Route{
		{Method: "GET", Pattern: page.OffersPath, Access: route.SignedIn(), Handle: route.Own(p.Readings, p.offers)},
		{Method: "POST", Pattern: page.OffersPath, Access: route.SignedIn(), Body: smallForm, Handle: route.Own(p.Readings, route.Form(p.choose))},
	}
}

// fresh is for how long what was found on a visit is shown again, before registers are asked anew.
const fresh = 24 * time.Hour

// found returns what a visitor who agreed to it is entitled to, as far as registers know.
func (p *Pages) found(ctx context.Context, by access.Actor) (offer.Participation, offer.Found, error) {
	chosen, found, err := p.Participations.Of(ctx, by.Person.Subject())
	if err != nil || !chosen.Visits || p.Shared.Clock().Before(found.At.Add(fresh)) {
		return chosen, found, err
	}
	if found, err = p.Applications.Visit(ctx, by); err != nil {
		return chosen, found, err
	}
	return chosen, found, p.Participations.Keep(ctx, by, found)
}

func (p *Pages) offers(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r, by := p.Shared.For(v), v.Resident()
	open, err := p.Applications.Offers(req.Context(), by)
	if err != nil {
		return err
	}
	chosen, found, err := p.found(req.Context(), by)
	if err != nil {
		return err
	}
	body := []ui.Component{ui.Heading{Text: r.Say("offer.open")}}
	if len(open) == 0 {
		body = append(body, ui.Paragraph{Text: r.Say("offer.none")})
	}
	body = append(body, page.Offers(r, open)...)
	body = append(body, ui.Heading{Text: r.Say("offer.visits-found")})
	switch {
	case !chosen.Visits:
		body = append(body, ui.Paragraph{Text: r.Say("offer.visits-off")})
	case len(found.Services) == 0:
		body = append(body, ui.Paragraph{Text: r.Say("offer.visits-none", "time", r.Moment(found.At))})
	default:
		body = append(body, ui.Paragraph{Text: r.Say("offer.visits-text", "time", r.Moment(found.At))}, page.Services(r, found.Services))
	}
	choice := ui.Choice{Several: true, Question: ui.Question{Name: "chosen", Label: r.Say("offer.choose"), Hint: r.Say("offer.choose-hint")}, Options: []ui.Option{
		{Value: "changes", Label: r.Say("offer.changes"), Hint: r.Say("offer.changes-hint"), Checked: !chosen.Declined},
		{Value: "visits", Label: r.Say("offer.visits"), Hint: r.Say("offer.visits-hint"), Checked: chosen.Visits},
	}}
	body = append(body, ui.Form{Action: page.OffersPath, Fields: []ui.Component{choice}, Buttons: ui.Buttons{{Text: r.Say("contact.save")}}})
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("offer.title"), Lead: r.Say("offer.lead"), Body: body, Back: &ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath},
	})
}

func (p *Pages) choose(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	choice := offer.Choice{Declined: true}
	for _, one := range req.PostForm["chosen"] {
		switch one {
		case "changes":
			choice.Declined = false
		case "visits":
			choice.Visits = true
		}
	}
	if err := p.Participations.Choose(req.Context(), v.Resident(), choice); err != nil {
		return err
	}
	return route.Redirect(w, req, page.OffersPath)
}
