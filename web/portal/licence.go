package portal

import (
	"encoding/json"
	"net/http"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/opendata"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// licenceTag returns the word for the state of a licence, with its tone.
func licenceTag(r page.Reader, state casework.Standing) ui.Tag {
	tone := map[casework.Standing]ui.Tone{casework.InForce: ui.Good, casework.Suspended: ui.Wait, casework.Revoked: ui.Bad}[state]
	if tone == "" {
		tone = ui.Plain
	}
	return ui.Tag{Text: r.Say("licence.state-" + string(state)), Tone: tone}
}

func licenceBanner(r page.Reader, view casework.View) *ui.Banner {
	tag := licenceTag(r, view.Right.State)
	return &ui.Banner{Tone: tag.Tone, Title: tag.Text, Text: r.Say("portal.licence-until", "date", r.LastDay(view.Right.Until))}
}

func licencesPath(of ident.Service) string { return servicePath(of) + "/licences" }

// mostLicences is how many licences a page shows.
const mostLicences = 100

// licences is the open list of a service's licences.
func (p *Portal) licences(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	definition, err := p.Services().Open(ident.Service(req.PathValue("pack")+"/"+req.PathValue("service")), p.Shared.Today())
	if err != nil {
		return err
	}
	if definition.Licence == nil {
		return service.ErrNoService
	}
	found, err := p.Applications.Licences(req.Context(), definition.Path, ident.Application(req.URL.Query().Get("after")), mostLicences)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	table := ui.Table{Caption: r.Say("portal.licences"), Empty: r.Say("portal.licences-empty"), Columns: []ui.Column{
		{Text: r.Say("portal.licence-number")}, {Text: r.Say("portal.state")}, {Text: r.Say("portal.licence-since")}, {Text: r.Say("portal.licence-end")},
	}}
	for _, name := range definition.Licence.Publish {
		table.Columns = append(table.Columns, ui.Column{Text: r.In(lineOf(definition, name).Label)})
	}
	for _, one := range found {
		cells := []ui.Cell{
			{Text: string(one.Published.Document)}, {Status: tagOf(licenceTag(r, one.State))}, {Text: r.Day(one.Since)}, {Text: r.LastDay(one.Until)},
		}
		var lines map[string]any
		if err := json.Unmarshal(one.Published.Lines, &lines); err != nil {
			return err
		}
		for _, name := range definition.Licence.Publish {
			cells = append(cells, ui.Cell{Text: publishedLine(r, definition, lineOf(definition, name), lines[name])})
		}
		table.Rows = append(table.Rows, cells)
	}
	more := ui.List{Items: []ui.Link{{Text: r.Say("portal.licences-data"), Href: opendata.LicencesPath(definition.Path)}}}
	if len(found) == mostLicences {
		more.Items = append(more.Items, ui.Link{Text: r.Say("actions.continue"), Href: licencesPath(definition.Path) + "?after=" + string(found[len(found)-1].Application)})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("portal.licences"), Caption: r.In(definition.Title), Lead: r.Say("portal.licences-lead"),
		Back: &ui.Link{Text: r.In(definition.Title), Href: servicePath(definition.Path)}, Wide: true, Body: []ui.Component{table, more},
	})
}

func tagOf(tag ui.Tag) *ui.Tag { return &tag }

func lineOf(definition *service.Definition, name string) service.Line {
	for _, line := range definition.Output.Document.Lines {
		if line.Name == name {
			return line
		}
	}
	return service.Line{}
}

// publishedLine writes a line as the open list keeps it.
func publishedLine(r page.Reader, definition *service.Definition, line service.Line, value any) string {
	if line.Is == nil {
		return ""
	}
	if text, ok := value.(string); ok {
		if day, err := calendar.ParseDate(text); err == nil {
			return r.Date(day)
		}
		if place := ident.Territory(text); r.Words.Profile.Territories.Has(place) {
			return r.Place(place)
		}
	}
	if number, ok := value.(float64); ok {
		value = int64(number)
	}
	return casework.Shown(r.Words, definition, r.Language, line.Is.Source(), value)
}
