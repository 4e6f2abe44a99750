package desk

import (
	"math"
	"net/http"
	"net/url"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

func teamAddress(place ident.Territory) string {
	return page.TeamPath + "?" + url.Values{"place": {string(place)}}.Encode()
}

// team shows a leader the work of each territory below and of each official: load, what is overdue, how long it takes.
func (d *Desk) team(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	held := v.Actor.Appointment
	place := ident.Territory(req.URL.Query().Get("place"))
	team, err := d.Tasks.Team(req.Context(), v.Actor, place)
	if err != nil {
		return err
	}
	if place == "" {
		place = held.Territory
	}
	r := d.Shared.For(v)
	all := team.All
	body := []ui.Component{ui.Figures{Items: []ui.Figure{
		{Value: number(r, all.Open), Label: r.Say("desk.team-open"), Text: r.Say("desk.team-unclaimed", "count", number(r, all.Unclaimed))},
		{Value: number(r, all.Overdue), Label: r.Say("desk.view-overdue")},
		{Value: number(r, all.Waiting), Label: r.Say("desk.view-waiting")},
		{Value: d.took(r, all), Label: r.Say("desk.team-median"), Text: r.Say("desk.team-done", "count", number(r, all.Done), "days", casework.TeamDays)},
	}}}
	if tree := d.Shared.Words.Profile.Territories; len(tree.Children(place)) > 1 {
		body = append(body, d.workMap(r, place, team))
	}
	body = append(body, d.placeTable(r, team))
	if len(team.Officials) > 0 || team.All.Open+team.All.Done == 0 {
		body = append(body, d.officialTable(r, team))
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("desk.team"), Caption: r.Role(held.Agency, held.Role) + ", " + r.Place(place), Lead: r.Say("desk.team-lead"),
		Trail: d.trail(r, held.Territory, place, teamAddress), Wide: true, Body: body,
	})
}

// took writes how long steps took: in hours up to two days, else in days. Without one it is a dash.
func (d *Desk) took(r page.Reader, figures casework.Figures) string {
	switch hours := int(figures.Median / time.Hour); {
	case figures.Done == 0:
		return "–"
	case hours < 48:
		return r.Say("desk.hours", "count", hours)
	default:
		return r.Say("duration.days", "count", int(math.Round(float64(hours)/24)))
	}
}

// workMap is the map of the territories below: the shade of each tells what part is overdue.
func (d *Desk) workMap(r page.Reader, place ident.Territory, team casework.Team) ui.Component {
	legend := []string{
		r.Say("desk.shade-none"), r.Say("desk.shade-open"), r.Say("desk.shade-few"), r.Say("desk.shade-some"), r.Say("desk.shade-many"),
	}
	places := make([]page.Place, len(team.Places))
	for i, one := range team.Places {
		places[i] = page.Place{Territory: one.Territory, Text: number(r, one.Open), Level: shade(one), Href: teamAddress(one.Territory)}
		if one.Open > 0 {
			places[i].Text += " / " + number(r, one.Overdue)
		}
	}
	return r.Map(r.Say("desk.team-map"), legend, place, places)
}

// shade tells by 0 to 4 which part of the open tasks is overdue: no task, none of them, up to a tenth, up to a third, more.
func shade(f casework.Figures) int {
	switch {
	case f.Open == 0:
		return 0
	case f.Overdue == 0:
		return 1
	case 10*f.Overdue <= f.Open:
		return 2
	case 3*f.Overdue <= f.Open:
		return 3
	}
	return 4
}

// columns are those that a territory's and an official's figures have in common.
func (d *Desk) columns(r page.Reader, first ...string) (columns []ui.Column) {
	for _, text := range first {
		columns = append(columns, ui.Column{Text: text})
	}
	for _, key := range []string{"desk.team-open", "desk.view-overdue", "desk.view-waiting", "desk.team-done-short", "desk.team-median"} {
		columns = append(columns, ui.Column{Text: r.Say(key), Number: true})
	}
	return columns
}

func (d *Desk) cells(r page.Reader, f casework.Figures) []ui.Cell {
	return []ui.Cell{
		{Text: number(r, f.Open)}, {Text: number(r, f.Overdue)}, {Text: number(r, f.Waiting)}, {Text: number(r, f.Done)}, {Text: d.took(r, f)},
	}
}

func (d *Desk) placeTable(r page.Reader, team casework.Team) ui.Table {
	table := ui.Table{Caption: r.Say("desk.team-places"), Columns: d.columns(r, r.Say("desk.place"))}
	for _, one := range team.Places {
		cell := ui.Cell{Text: r.Place(one.Territory)}
		if one.Territory != team.All.Territory {
			cell.Href = teamAddress(one.Territory)
		}
		table.Rows = append(table.Rows, append(ui.TableRow{cell}, d.cells(r, one)...))
	}
	return table
}

// mostOfficials is how many officials are listed; those with the most overdue tasks come first.
const mostOfficials = 100

func (d *Desk) officialTable(r page.Reader, team casework.Team) ui.Table {
	table := ui.Table{
		Caption: r.Say("desk.team-officials"), Empty: r.Say("desk.team-nobody"), Columns: d.columns(r, r.Say("desk.team-official"), r.Say("desk.place")),
	}
	for i, one := range team.Officials[:min(len(team.Officials), mostOfficials)] {
		cells := ui.TableRow{{Text: r.Say("desk.team-number", "number", i+1, "role", r.Role(r.Visitor.Actor.Appointment.Agency, one.Role))}, {Text: r.Place(one.Territory)}}
		table.Rows = append(table.Rows, append(cells, d.cells(r, one)...))
	}
	return table
}
