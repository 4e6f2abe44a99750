package portal

import (
	"net/http"

	"yagona/kernel/casework"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// queued says where an application that waits for a place stands.
func queued(r page.Reader, view casework.View) string {
	ahead := int64(0)
	for _, one := range view.Queue.Ahead {
		ahead += one
	}
	return r.Say("portal.queued-text", "count", ahead, "waiting", view.Queue.Waiting, "places", view.Queue.Places)
}

// standing shows why an application stands where it stands: by each point of the order how many are before it.
func standing(r page.Reader, view casework.View) []ui.Component {
	list := ui.SummaryList{Title: r.Say("portal.queue-why")}
	ahead := func(i int) string { return r.Say("portal.queue-ahead", "count", view.Queue.Ahead[i]) }
	for i, criterion := range view.Definition.Places.Order {
		own := r.Say("portal.queue-hidden")
		if value := view.Content.Place.Values[i]; value != nil {
			own = r.Words.Value(r.Language, value)
		}
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.In(criterion.Title), Values: []string{own, ahead(i)}})
	}
	last := len(view.Queue.Ahead) - 1
	list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say("portal.queue-received"), Values: []string{r.Moment(view.Application.Submitted), ahead(last)}})
	return []ui.Component{list, ui.Paragraph{Text: r.Say("portal.queue-order")}}
}

// offered asks whether the applicant accepts the place.
func offered(r page.Reader, view casework.View) ui.Component {
	return ui.Form{
		Action: pathOf(view.Application.ID) + "/accept", Hidden: carrying(view.Application.Revision),
		Buttons: ui.Buttons{{Text: r.Say("portal.accept-place")}, {Text: r.Say("portal.decline-place"), Href: pathOf(view.Application.ID) + "/withdraw", Quiet: true}},
	}
}

func (p *Portal) accept(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if _, err := p.Applications.Accept(r.Context(), v.Resident(), applicationOf(r), revision(r)); err != nil {
		return err
	}
	return route.Redirect(w, r, pathOf(applicationOf(r)))
}

// limited says how places are given.
func limited(r page.Reader, places *service.Places) []string {
	said := []string{r.Say("portal.places-limited")}
	for _, criterion := range places.Order {
		said = append(said, r.In(criterion.Title))
	}
	return append(said, r.Say("portal.queue-received"))
}
