// Package desk owns the pages of officials: the inbox, the task with everything that a decision needs, the release of
// payments.
//
// It hands routes to the router. Which tasks, actions and forms an official sees follows from the service's definition
// and from their appointment in the server's records.
//
// Invariants: the inbox shows no personal data; opening a task is recorded before anything of it is shown; a decision
// carries the revision that the official saw, so that nobody decides on what they have not read.
package desk

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Tasks is what the pages need of casework.
type Tasks interface {
	Tasks(ctx context.Context, by access.Actor, filter casework.Filter, after casework.Cursor, limit int) ([]casework.Task, error)
	Read(ctx context.Context, by access.Actor, id ident.Task) (casework.View, error)
	Outline(ctx context.Context, by access.Actor, id ident.Task, revision int64) (casework.View, error)
	Claim(ctx context.Context, by access.Actor, id ident.Task) (casework.Task, error)
	HandOver(ctx context.Context, by access.Actor, id ident.Task, to ident.Appointment) (casework.Task, error)
	Decide(ctx context.Context, by access.Actor, id ident.Task, revision int64, verdict casework.Verdict) (casework.Receipt, error)
}

// Orders is what the pages need of the ledger.
type Orders interface {
	Release(ctx context.Context, by access.Actor, fund ident.Account, id ident.Order) (ledger.Order, error)
	Refuse(ctx context.Context, by access.Actor, fund ident.Account, id ident.Order, reason string) (ledger.Order, error)
}

// Config is what the desk stands on. All of it is required.
type Config struct {
	Shared *page.Shared
	Tasks  Tasks
	Office *access.Office
	Orders Orders
	Books  act.Store[ledger.Reader, ledger.Tx]
}

// Desk serves the pages of officials.
type Desk struct{ Config }

// New returns the desk.
func New(config Config) *Desk { return &Desk{config} }

const (
	smallForm    = 16 << 10
	decisionForm = 256 << 10
)

// Routes returns all pages of the desk.
func (d *Desk) Routes() []route.Route {
	show := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.Official(), Handle: handle}
	}
	send := func(pattern string, access route.Access, body int64, handle route.Handler) route.Route {
		return route.Route{Method: "POST", Pattern: pattern, Access: access, Body: body, Handle: form(handle)}
	}
	const one, order = "/desk/tasks/{task}", "/desk/payments/{fund}/{order}"
	treasurer := route.Role(access.Treasurer)
	return []route.Route{
		show(page.DeskPath, d.inbox),
		show(one, d.task),
		send(one+"/claim", route.Official(), smallForm, d.claim),
		send(one+"/hand-over", route.Official(), smallForm, d.handOver),
		send(one+"/decide", route.Official(), decisionForm, d.decide),
		{Method: "GET", Pattern: page.PaymentsPath, Access: treasurer, Handle: d.payments},
		{Method: "GET", Pattern: order, Access: treasurer, Handle: d.payment},
		send(order+"/release", treasurer, smallForm, d.release),
		send(order+"/refuse", treasurer, smallForm, d.refuse),
	}
}

func form(handle route.Handler) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		if err := route.ReadForm(r); err != nil {
			return err
		}
		return handle(w, r, v)
	}
}

func taskOf(r *http.Request) ident.Task { return ident.Task(r.PathValue("task")) }

func pathOf(id ident.Task) string { return "/desk/tasks/" + string(id) }

const inboxPage = 50

// inbox lists the tasks that wait for the official, the most urgent first.
func (d *Desk) inbox(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	after := cursorOf(req)
	tasks, err := d.Tasks.Tasks(req.Context(), v.Actor, casework.Filter{}, after, inboxPage+1)
	if err != nil {
		return err
	}
	r := d.Shared.For(v)
	table := ui.Table{Caption: r.Say("desk.waiting"), Empty: r.Say("desk.empty"), Columns: []ui.Column{
		{Text: r.Say("desk.step")}, {Text: r.Say("desk.service")}, {Text: r.Say("desk.place")}, {Text: r.Say("desk.due")}, {Text: r.Say("desk.state")},
	}}
	if len(tasks) > inboxPage {
		tasks = tasks[:inboxPage]
		last := tasks[inboxPage-1]
		table.Pages = &ui.Pagination{Next: page.DeskPath + "?due=" + strconv.FormatInt(last.Due.UnixMicro(), 10) + "&task=" + string(last.ID)}
	}
	if !after.Due.IsZero() {
		if table.Pages == nil {
			table.Pages = &ui.Pagination{}
		}
		table.Pages.Previous = page.DeskPath
	}
	for _, task := range tasks {
		state := d.state(r, v, task)
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: d.stepTitle(r, task), Href: pathOf(task.ID)},
			{Text: r.Service(task.Service)},
			{Text: r.Place(task.Territory)},
			{Text: r.LastDay(task.Due)},
			{Status: &state},
		})
	}
	held := v.Actor.Appointment
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("page.inbox"), Caption: r.Role(held.Agency, held.Role) + ", " + r.Place(held.Territory), Lead: r.Say("desk.inbox-lead"), Wide: true,
		Body: []ui.Component{table},
	})
}

func cursorOf(r *http.Request) (after casework.Cursor) {
	if due, err := strconv.ParseInt(r.URL.Query().Get("due"), 10, 64); err == nil {
		after = casework.Cursor{Due: time.UnixMicro(due).UTC(), Task: ident.Task(r.URL.Query().Get("task"))}
	}
	return after
}

func (d *Desk) stepTitle(r page.Reader, task casework.Task) string {
	definition, err := r.Names().Service(task.Service)
	if err != nil {
		return task.Step
	}
	return r.Step(definition, task.Step)
}

// state says who works on a task and how urgent it is.
func (d *Desk) state(r page.Reader, v route.Visitor, task casework.Task) ui.Tag {
	switch now := d.Shared.Clock(); {
	case task.State == casework.TaskWaiting:
		return ui.Tag{Text: r.Say("desk.waits-for-applicant"), Tone: ui.Plain}
	case !task.Due.IsZero() && !now.Before(task.Due):
		return ui.Tag{Text: r.Say("desk.late"), Tone: ui.Bad}
	case task.Escalated > 0:
		return ui.Tag{Text: r.Say("desk.escalated"), Tone: ui.Bad}
	case task.State == casework.TaskClaimed && task.Assignee == v.Actor.Appointment.ID:
		return ui.Tag{Text: r.Say("desk.yours"), Tone: ui.Good}
	case task.State == casework.TaskClaimed:
		return ui.Tag{Text: r.Say("desk.colleagues"), Tone: ui.Plain}
	case !task.Due.IsZero() && d.Shared.Words.Profile.Calendar.Date(now) == d.Shared.Words.Profile.Calendar.Date(task.Due.Add(-time.Second)):
		return ui.Tag{Text: r.Say("desk.today"), Tone: ui.Wait}
	}
	return ui.Tag{Text: r.Say("desk.open"), Tone: ui.Info}
}
