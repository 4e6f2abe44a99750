package page

import (
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/web/ui"
)

// Offers shows what the platform offers its reader by itself.
func Offers(r Reader, open []casework.OpenOffer) (body []ui.Component) {
	for _, one := range open {
		body = append(body, ui.Banner{
			Tone: ui.Info, Title: r.Service(one.Service), Text: r.Say("offer.entitled", "date", r.LastDay(one.Expires)),
			Link: &ui.Link{Text: r.Say("offer.confirm"), Href: "/applications/" + string(one.Application)},
		})
	}
	return body
}

// Services leads to services.
func Services(r Reader, paths []ident.Service) ui.List {
	var list ui.List
	for _, path := range paths {
		list.Items = append(list.Items, ui.Link{Text: r.Service(path), Href: ServicesPath + "/" + string(path)})
	}
	return list
}
