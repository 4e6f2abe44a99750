package desk

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// inboxPage is how many tasks stand on one page.
const inboxPage = 25

// The views of the inbox, as its address names them.
const (
	viewMine      = "mine"
	viewUnclaimed = "unclaimed"
	viewOverdue   = "overdue"
	viewWaiting   = "waiting"
)

// wish is what an official wants to see of the inbox. All of it stands in the page's address; none of it is personal.
type wish struct {
	view    string
	service ident.Service
	step    string
	place   ident.Territory
	after   casework.Cursor
}

func wishOf(r *http.Request) wish {
	query := r.URL.Query()
	wanted := wish{view: query.Get("view"), place: ident.Territory(query.Get("place"))}
	if path, step, both := cutLast(query.Get("step")); both {
		wanted.service, wanted.step = ident.Service(path), step
	}
	if due, err := strconv.ParseInt(query.Get("due"), 10, 64); err == nil {
		wanted.after = casework.Cursor{Due: time.UnixMicro(due).UTC(), Task: ident.Task(query.Get("task"))}
	}
	return wanted
}

// cutLast cuts "youth/tools-subsidy/assess" into the service and its step.
func cutLast(text string) (before, after string, found bool) {
	for i := len(text) - 1; i > 0; i-- {
		if text[i] == '/' {
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

func (w wish) filter() casework.Filter {
	filter := casework.Filter{Service: w.service, Step: w.step, Territory: w.place}
	switch w.view {
	case viewMine:
		filter.Work = casework.Mine
	case viewUnclaimed:
		filter.Work = casework.Unclaimed
	case viewWaiting:
		filter.Work = casework.Waiting
	case viewOverdue:
		filter.Overdue = true
	}
	return filter
}

// address returns the inbox's address with the wish; the cursor, if it is wanted, leads to the page after it.
func (w wish) address(after *casework.Cursor) string {
	query := url.Values{}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	set("view", w.view)
	set("place", string(w.place))
	if w.service != "" {
		set("step", string(w.service)+"/"+w.step)
	}
	if after != nil {
		set("due", strconv.FormatInt(after.Due.UnixMicro(), 10))
		set("task", string(after.Task))
	}
	if len(query) == 0 {
		return page.DeskPath
	}
	return page.DeskPath + "?" + query.Encode()
}

// inbox lists the tasks that wait for the official, the most urgent first.
func (d *Desk) inbox(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	wanted := wishOf(req)
	tasks, err := d.Tasks.Tasks(req.Context(), v.Actor, wanted.filter(), wanted.after, inboxPage+1)
	if err != nil {
		return err
	}
	counts, err := d.Tasks.TaskCounts(req.Context(), v.Actor, wanted.place)
	if err != nil {
		return err
	}
	r := d.Shared.For(v)
	table := d.taskTable(r, v, wanted, tasks)
	held := v.Actor.Appointment
	place := held.Territory
	if wanted.place != "" {
		place = wanted.place
	}
	caption := r.Role(held.Agency, held.Role) + ", " + r.Place(place)
	if held.Substitutes != "" {
		caption += " – " + r.Say("desk.standing-in")
	}
	body := []ui.Component{d.views(r, wanted, counts)}
	if filter, any := d.filter(r, v, wanted); any {
		body = append(body, filter)
	}
	more := ui.Cards{Under: true, Items: []ui.Card{
		{Title: r.Say("desk.along"), Href: page.OfflinePath, Text: r.Say("desk.along-text")},
		{Title: r.Say("assist.title"), Href: assistPath, Text: r.Say("desk.assist-text")},
		{Title: r.Say("desk.leave"), Href: leavePath, Text: r.Say("desk.leave-text")},
	}}
	if d.watches(held) {
		more.Items = append(more.Items, ui.Card{Title: r.Say("desk.licences"), Href: licencesPath, Text: r.Say("desk.licences-text")})
	}
	body = append(body, table, ui.Heading{Text: r.Say("desk.more")}, more)
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("page.inbox"), Caption: caption, Lead: r.Say("desk.inbox-lead"), Trail: d.trail(r, held.Territory, place, func(code ident.Territory) string {
			return wish{view: wanted.view, service: wanted.service, step: wanted.step, place: code}.address(nil)
		}), Wide: true, Body: body,
	})
}

// trail leads from the official's own territory down to the one that is shown.
func (d *Desk) trail(r page.Reader, own, shown ident.Territory, address func(ident.Territory) string) (links []ui.Link) {
	if own == shown {
		return nil
	}
	tree := d.Shared.Words.Profile.Territories
	for _, code := range tree.Path(shown) {
		if code != shown && tree.Contains(own, code) {
			links = append(links, ui.Link{Text: r.Place(code), Href: address(code)})
		}
	}
	return links
}

// views are the tabs of the inbox, each with how many tasks it holds.
func (d *Desk) views(r page.Reader, wanted wish, counts casework.Counts) ui.Tabs {
	tabs := ui.Tabs{Label: r.Say("desk.waiting")}
	for _, one := range []struct {
		view, key string
		count     int
	}{
		{"", "desk.view-all", counts.Open},
		{viewMine, "desk.view-mine", counts.Mine},
		{viewUnclaimed, "desk.view-unclaimed", counts.Unclaimed},
		{viewOverdue, "desk.view-overdue", counts.Overdue},
		{viewWaiting, "desk.view-waiting", counts.Waiting},
	} {
		other := wanted
		other.view = one.view
		count := number(r, int64(min(one.count, casework.MostCounted)))
		if one.count > casework.MostCounted {
			count += "+"
		}
		tabs.Items = append(tabs.Items, ui.Tab{Text: r.Say(one.key), Href: other.address(nil), Current: wanted.view == one.view, Count: count})
	}
	return tabs
}

// filter narrows the inbox to a step of a service and to a territory below; it is not shown where there is no choice.
func (d *Desk) filter(r page.Reader, v route.Visitor, wanted wish) (ui.Filter, bool) {
	held := v.Actor.Appointment
	filter := ui.Filter{Action: page.DeskPath}
	if wanted.view != "" {
		filter.Hidden = append(filter.Hidden, ui.Hidden{Name: "view", Value: wanted.view})
	}
	steps := ui.Select{Question: ui.Question{Name: "step", Label: r.Say("desk.step")}, Options: []ui.Option{{Label: r.Say("desk.any")}}}
	for _, definition := range r.Sorted(d.Services().All(d.Shared.Today())) {
		for _, step := range stepsOf(definition, held.Agency, held.Role) {
			value := string(definition.Path) + "/" + step
			steps.Options = append(steps.Options, ui.Option{
				Value: value, Label: r.In(definition.Title) + " – " + r.Step(definition, step),
				Checked: definition.Path == wanted.service && step == wanted.step,
			})
		}
	}
	if len(steps.Options) > 2 {
		filter.Fields = append(filter.Fields, steps)
	}
	if places := d.places(r, held.Territory, wanted.place); len(places.Options) > 1 {
		filter.Fields = append(filter.Fields, places)
	}
	return filter, len(filter.Fields) > 0
}

// places lets an official choose a territory below their own.
func (d *Desk) places(r page.Reader, own, chosen ident.Territory) ui.Select {
	tree := d.Shared.Words.Profile.Territories
	place := own
	if chosen != "" {
		place = chosen
	}
	places := ui.Select{Question: ui.Question{Name: "place", Label: r.Say("desk.place")}, Options: []ui.Option{{Value: string(place), Label: r.Place(place), Checked: true}}}
	if place == own {
		places.Options[0].Value = ""
	}
	for _, below := range tree.Children(place) {
		places.Options = append(places.Options, ui.Option{Value: string(below), Label: r.Place(below)})
	}
	return places
}

// stepsOf returns the steps of a service that officials in the role take.
func stepsOf(definition *service.Definition, agency ident.Agency, role ident.Role) (names []string) {
	for _, stage := range definition.Process {
		for _, step := range stage.Steps {
			if step.Agency == agency && step.Role == role {
				names = append(names, step.Name)
			}
		}
	}
	return names
}

func (d *Desk) taskTable(r page.Reader, v route.Visitor, wanted wish, tasks []casework.Task) ui.Table {
	table := ui.Table{Caption: r.Say("desk.waiting"), Empty: r.Say("desk.empty"), Columns: []ui.Column{
		{Text: r.Say("desk.step")}, {Text: r.Say("desk.service")}, {Text: r.Say("desk.place")}, {Text: r.Say("desk.due")}, {Text: r.Say("desk.state")},
	}}
	if len(tasks) > inboxPage {
		tasks = tasks[:inboxPage]
		last := tasks[inboxPage-1].Cursor()
		table.Pages = &ui.Pagination{Next: wanted.address(&last)}
	}
	if !wanted.after.Due.IsZero() {
		if table.Pages == nil {
			table.Pages = &ui.Pagination{}
		}
		table.Pages.Previous = wanted.address(nil)
	}
	for _, task := range tasks {
		state := d.state(r, v, task)
		due := r.Say("desk.clock-stands-short")
		if !task.Due.IsZero() {
			due = r.LastDay(task.Due)
		}
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: d.stepTitle(r, task), Href: pathOf(task.ID)},
			{Text: r.Service(task.Service)},
			{Text: r.Place(task.Territory)},
			{Text: due},
			{Status: &state},
		})
	}
	return table
}

func (d *Desk) stepTitle(r page.Reader, task casework.Task) string {
	definition, err := r.Names().Service(task.Service)
	if err != nil {
		return task.Step
	}
	return r.Step(definition, task.Step)
}
