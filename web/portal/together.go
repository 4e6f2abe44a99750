package portal

import (
	"net/http"

	"yagona/kernel/casework"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// joining says how many of the household have confirmed.
func joining(r page.Reader, view casework.View) string {
	together := view.Content.Together
	return r.Say("portal.joining-text", "confirmed", len(together.Confirmed), "declared", together.Declared, "date", r.LastDay(view.Application.Expires))
}

// showJoin asks another adult of the household whether they confirm.
func (p *Portal) showJoin(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	found, err := p.Applications.Invited(req.Context(), v.Resident(), applicationOf(req))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	shown := ui.Page{
		Title: r.Say("portal.join-title"), Caption: r.In(found.Definition.Title), Lead: r.In(found.Definition.Summary),
		Back: &ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath},
	}
	if found.Confirmed {
		shown.Banner = &ui.Banner{Tone: ui.Good, Title: r.Say("portal.join-done")}
		return r.Render(w, http.StatusOK, shown)
	}
	shown.Body = []ui.Component{
		ui.Paragraph{Text: r.Say("portal.join-lead")},
		ui.Paragraph{Text: r.Say("portal.join-until", "date", r.LastDay(found.Until))},
		ui.Form{
			Action:  pathOf(applicationOf(req)) + "/join",
			Buttons: ui.Buttons{{Text: r.Say("portal.join-confirm")}, {Key: "actions.cancel", Href: page.MinePath, Quiet: true}},
		},
	}
	return r.Render(w, http.StatusOK, shown)
}

func (p *Portal) join(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	if err := p.Applications.Confirm(r.Context(), v.Resident(), applicationOf(r)); err != nil {
		return err
	}
	return route.Redirect(w, r, pathOf(applicationOf(r))+"/join")
}
