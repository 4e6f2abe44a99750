package api

import (
	"context"
	"net/http"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/offer"
	"yagona/kernel/representation"
	"yagona/web/route"
)

// Authority is somebody for whom one may act, and by what.
type Authority struct {
	ID       string                `json:"id" doc:"of it in addresses"`
	Subject  ident.Subject         `json:"subject" doc:"whom: for an application, its for"`
	Name     string                `json:"name,omitempty"`
	Ground   representation.Ground `json:"ground" doc:"parent (of a minor child), officer (of an organisation) or mandate"`
	Mandate  ident.Mandate         `json:"mandate,omitempty"`
	Reads    bool                  `json:"reads" doc:"one sees their applications, and what registers say of them there"`
	Applies  bool                  `json:"applies" doc:"one applies for them"`
	Services []ident.Service       `json:"services,omitempty" doc:"only these; absent: all"`
	Until    time.Time             `json:"until,omitzero" doc:"from when on it is over; absent: while the register says so"`
}

// NewMandate lets somebody act for oneself.
type NewMandate struct {
	Mandate  ident.Mandate   `json:"mandate" doc:"a UUID that the client makes: the same again gives the same mandate"`
	Number   string          `json:"number" doc:"the national number of who shall act"`
	Called   string          `json:"called" doc:"what one calls them: 1 to 100 characters"`
	Reads    bool            `json:"reads,omitempty" doc:"they see one's applications, and what registers say there"`
	Applies  bool            `json:"applies,omitempty" doc:"they apply, answer, withdraw and contest"`
	Services []ident.Service `json:"services,omitempty" doc:"only these; absent: all"`
	Until    calendar.Date   `json:"until" doc:"the last day, at most three years ahead"`
}

// Mandate is a mandate as one of its two people sees it.
type Mandate struct {
	ID       ident.Mandate        `json:"id"`
	Given    bool                 `json:"given" doc:"one gave it; otherwise one has it, or is to take it on"`
	Called   string               `json:"called,omitempty" doc:"what who gave it calls the other: for them alone"`
	Name     string               `json:"name,omitempty" doc:"of the other; who gave it sees it once it was taken on"`
	State    representation.State `json:"state"`
	Revision int64                `json:"revision"`
	Reads    bool                 `json:"reads"`
	Applies  bool                 `json:"applies"`
	Services []ident.Service      `json:"services,omitempty"`
	Until    time.Time            `json:"until"`
}

// MandateRevision says which revision of a mandate one has seen.
type MandateRevision struct {
	Revision int64 `json:"revision"`
}

// Offer is a service that the platform offers one by itself: a draft that waits to be sent.
type Offer struct {
	Service     ident.Service     `json:"service"`
	Application ident.Application `json:"application"`
	Made        time.Time         `json:"made"`
	Expires     time.Time         `json:"expires"`
}

// Participation is whether the platform may look for services for one.
type Participation struct {
	Changes bool `json:"changes" doc:"when a register changes; true unless one declined"`
	Visits  bool `json:"visits" doc:"when one visits one's own page; false unless one agreed"`
}

// people are what the operations of representatives and offers stand on.
type people struct {
	representatives *representation.Representatives
	participations  *offer.Participations
	applications    applications
}

// The codes that come out of a change to a mandate.
var mandateCodes = []string{"mandate.unknown", "mandate.ended", "mandate.changed", "seal.erased"}

func (p people) operations() []operation {
	own := func(handle route.Handler) route.Handler { return route.Own(p.applications.readings, handle) }
	changing := func(id, path, summary string, change mandateChange, codes ...string) operation {
		return operation{
			id: id, tag: "representation", summary: summary, method: "POST", path: "/me/mandates/{mandate}/" + path, access: route.SignedIn(),
			body: smallBody, request: MandateRevision{}, response: Mandate{}, codes: append(codes, mandateCodes...), handle: p.change(change),
		}
	}
	return []operation{
		{
			id: "listAuthorities", tag: "representation", summary: "Lists everybody for whom one may act, and by what.",
			method: "GET", path: "/me/authorities", access: route.SignedIn(), response: Page[Authority]{}, handle: own(p.authorities),
		},
		{
			id: "listRepresented", tag: "representation", summary: "Lists the applications of somebody for whom one may act, as far as one may see them. They see that one looked.",
			method: "GET", path: "/me/authorities/{authority}/applications", access: route.SignedIn(), response: Page[ApplicationSummary]{},
			codes: []string{"representation.none", "representation.ended", "seal.erased"}, handle: p.represented,
		},
		{
			id: "listMandates", tag: "representation", summary: "Lists the mandates that one gave, and those that one was given.",
			method: "GET", path: "/me/mandates", access: route.SignedIn(), response: Page[Mandate]{}, handle: own(p.mandates),
		},
		{
			id: "giveMandate", tag: "representation", summary: "Lets somebody act for oneself, once they have taken it on.",
			method: "POST", path: "/me/mandates", access: route.SignedIn(), body: smallBody, request: NewMandate{}, response: Mandate{}, status: http.StatusCreated,
			codes: []string{
				"mandate.self", "mandate.called", "mandate.nothing", "mandate.services", "mandate.until", "mandate.minor", "mandate.too-many", "mandate.unknown",
				"person.unknown", "ident.malformed", "field.type",
			},
			handle: p.give,
		},
		changing("acceptMandate", "accept", "Takes on a mandate that one was given.", p.representatives.Accept, "mandate.accepted", "mandate.minor"),
		changing("endMandate", "end", "Ends a mandate at once: takes it back, lays it down, or declines it.", p.representatives.End),
		{
			id: "listOffers", tag: "offers", summary: "Lists what the platform offers one by itself: drafts that wait to be sent.",
			method: "GET", path: "/me/offers", access: route.SignedIn(), response: Page[Offer]{}, handle: own(p.offers),
		},
		{
			id: "showParticipation", tag: "offers", summary: "Shows when the platform may look for services for one.",
			method: "GET", path: "/me/participation", access: route.SignedIn(), response: Participation{},
			handle: own(func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				chosen, _, err := p.participations.Of(r.Context(), v.Actor.Person.Subject())
				if err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, Participation{!chosen.Declined, chosen.Visits})
			}),
		},
		{
			id: "chooseParticipation", tag: "offers", summary: "Chooses when the platform may look for services for one.",
			method: "PUT", path: "/me/participation", access: route.SignedIn(), body: smallBody, request: Participation{}, response: Participation{},
			codes: []string{"seal.erased"},
			handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var wanted Participation
				if err := route.ReadJSON(r, &wanted); err != nil {
					return err
				}
				if err := p.participations.Choose(r.Context(), v.Resident(), offer.Choice{Declined: !wanted.Changes, Visits: wanted.Visits}); err != nil {
					return err
				}
				return route.WriteJSON(w, http.StatusOK, wanted)
			},
		},
	}
}

func (p people) authorities(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	found, err := p.representatives.Authorities(r.Context(), v.Actor.Person)
	if err != nil {
		return err
	}
	page := Page[Authority]{Items: []Authority{}}
	for _, one := range found {
		name, err := p.representatives.Name(r.Context(), one.Subject)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, Authority{one.ID(), one.Subject, name, one.Ground, one.Mandate, one.Reads, one.Applies, one.Services, one.Until})
	}
	return route.WriteJSON(w, http.StatusOK, page)
}

func (p people) represented(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	subject, err := p.representatives.Whom(r.Context(), v.Actor.Person, r.PathValue("authority"))
	if err != nil {
		return err
	}
	found, err := p.applications.cases.RepresentedAll(r.Context(), v.Resident(), subject, "", 100)
	if err != nil {
		return err
	}
	page := Page[ApplicationSummary]{Items: []ApplicationSummary{}}
	for _, one := range found {
		d, err := p.applications.catalogue().Version(one.Version)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, summarise(one, d, p.applications.words(v)...))
	}
	return route.WriteJSON(w, http.StatusOK, page)
}

// shown returns a mandate as one of its two people may see it.
func (p people) shown(ctx context.Context, reader ident.Person, one representation.Opened) (Mandate, error) {
	shown := Mandate{
		ID: one.ID, Given: one.Subject == reader.Subject(), State: one.State(p.applications.clock()), Revision: one.Revision,
		Reads: one.Reads, Applies: one.Applies, Services: one.Services, Until: one.Until,
	}
	other := one.Subject
	if shown.Given {
		shown.Called, other = one.Called, one.Representative.Subject()
		if one.Accepted.IsZero() {
			return shown, nil
		}
	}
	var err error
	shown.Name, err = p.representatives.Name(ctx, other)
	return shown, err
}

func (p people) all(ctx context.Context, by access.Actor) ([]representation.Opened, error) {
	given, err := p.representatives.Given(ctx, by)
	if err != nil {
		return nil, err
	}
	received, err := p.representatives.Received(ctx, by.Person)
	return append(given, received...), err
}

func (p people) mandates(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	found, err := p.all(r.Context(), v.Resident())
	if err != nil {
		return err
	}
	page := Page[Mandate]{Items: []Mandate{}}
	for _, one := range found {
		shown, err := p.shown(r.Context(), v.Actor.Person, one)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, shown)
	}
	return route.WriteJSON(w, http.StatusOK, page)
}

func (p people) give(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	var wanted NewMandate
	if err := route.ReadJSON(r, &wanted); err != nil {
		return err
	}
	given, err := p.representatives.Give(r.Context(), v.Resident(), representation.Wanted{
		ID: wanted.Mandate, Number: wanted.Number, Called: wanted.Called, Reads: wanted.Reads, Applies: wanted.Applies, Services: wanted.Services, Until: wanted.Until,
	})
	if err != nil {
		return err
	}
	return p.answer(w, r, v, http.StatusCreated, given.ID)
}

// mandateChange is an act of one of a mandate's two people.
type mandateChange func(ctx context.Context, by access.Actor, id ident.Mandate, revision int64) (representation.Mandate, error)

func (p people) change(change mandateChange) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		var seen MandateRevision
		if err := route.ReadJSON(r, &seen); err != nil {
			return err
		}
		changed, err := change(r.Context(), v.Resident(), ident.Mandate(r.PathValue("mandate")), seen.Revision)
		if err != nil {
			return err
		}
		return p.answer(w, r, v, http.StatusOK, changed.ID)
	}
}

// answer answers with a mandate as it stands now.
func (p people) answer(w http.ResponseWriter, r *http.Request, v route.Visitor, status int, id ident.Mandate) error {
	found, err := p.all(r.Context(), v.Resident())
	if err != nil {
		return err
	}
	for _, one := range found {
		if one.ID != id {
			continue
		}
		shown, err := p.shown(r.Context(), v.Actor.Person, one)
		if err != nil {
			return err
		}
		return route.WriteJSON(w, status, shown)
	}
	return representation.ErrUnknown
}

func (p people) offers(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	found, err := p.applications.cases.Offers(r.Context(), v.Actor)
	if err != nil {
		return err
	}
	page := Page[Offer]{Items: []Offer{}}
	for _, one := range found {
		page.Items = append(page.Items, Offer{one.Service, one.Application, one.Made, one.Expires})
	}
	return route.WriteJSON(w, http.StatusOK, page)
}
