// Package desk owns the pages of officials: the inbox, the task with everything that a decision needs, the leader's view
// of the work, leave, the release of payments, and what an official can do without a connection.
//
// It hands routes to the router. Which tasks, actions and forms an official sees follows from the service's definition
// and from their appointment in the server's records.
//
// Invariants: the inbox and the leader's view show no personal data; opening a task is recorded before anything of it is shown; a decision
// carries the revision that the official saw, so that nobody decides on what they have not read.
package desk

import (
	"context"
	"net/http"
	"slices"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/service"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Tasks is what the pages need of casework.
type Tasks interface {
	Tasks(ctx context.Context, by access.Actor, filter casework.Filter, after casework.Cursor, limit int) ([]casework.Task, error)
	TaskCounts(ctx context.Context, by access.Actor, place ident.Territory) (casework.Counts, error)
	Team(ctx context.Context, by access.Actor, place ident.Territory) (casework.Team, error)
	Read(ctx context.Context, by access.Actor, id ident.Task) (casework.View, error)
	Outline(ctx context.Context, by access.Actor, id ident.Task, revision int64) (casework.View, error)
	Claim(ctx context.Context, by access.Actor, id ident.Task) (casework.Task, error)
	HandOver(ctx context.Context, by access.Actor, id ident.Task, to ident.Appointment) (casework.Task, error)
	TakeAlong(ctx context.Context, by access.Actor) ([]casework.View, error)
	Arrive(ctx context.Context, by access.Actor, offline casework.Offline) (casework.Arrival, error)
	Licence(ctx context.Context, by access.Actor, number ident.Document) (casework.View, error)
	Propose(ctx context.Context, by access.Actor, number ident.Document, measure service.Measure, reason string) (casework.Receipt, error)
	Decide(ctx context.Context, by access.Actor, id ident.Task, revision int64, verdict casework.Verdict) (casework.Receipt, error)
}

// Orders is what the pages need of the ledger.
type Orders interface {
	Release(ctx context.Context, by access.Actor, fund ident.Account, id ident.Order) (ledger.Order, error)
	Refuse(ctx context.Context, by access.Actor, fund ident.Account, id ident.Order, reason string) (ledger.Order, error)
}

// Config is what the desk stands on. All of it is required.
type Config struct {
	Shared  *page.Shared
	Tasks   Tasks
	Helping Helping
	Photos  Photographing
	Signing Signing
	People  People
	Site    string // where people open the pages: "https://example.org"
	// Services returns the services that are loaded.
	Services func() *service.Catalogue
	Office   *access.Office
	Orders   Orders
	Books    act.Store[ledger.Reader, ledger.Tx]
}

// Desk serves the pages of officials.
type Desk struct {
	Config
	program *program
}

// New returns the desk. From now on every page of an official loads what the desk needs on it.
func New(site string, config Config) (*Desk, error) {
	loaded, err := loadProgram(site, config.Shared.House.Routes())
	if err != nil {
		return nil, err
	}
	config.Shared.Desk = page.Desk{Manifest: manifestPath, Scripts: []string{loaded.Script}}
	return &Desk{config, loaded}, nil
}

const (
	smallForm    = 16 << 10
	decisionForm = 256 << 10
	takeTimeout  = 30 * time.Second
)

// Routes returns all pages of the desk.
func (d *Desk) Routes() []route.Route {
	show := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.Official(), Handle: handle}
	}
	send := func(pattern string, access route.Access, body int64, handle route.Handler) route.Route {
		return route.Route{Method: "POST", Pattern: pattern, Access: access, Body: body, Handle: route.Form(handle)}
	}
	const one, order = "/desk/tasks/{task}", "/desk/payments/{fund}/{order}"
	treasurer := route.Role(access.Treasurer)
	return append([]route.Route{
		show(page.DeskPath, d.inbox),
		{Method: "GET", Pattern: page.TeamPath, Access: route.Official(), Costly: true, Handle: d.team},
		show(leavePath, d.leave),
		show(page.OfflinePath, d.offline),
		{Method: "POST", Pattern: tasksPath, Face: route.Program, Access: route.Official(), Timeout: takeTimeout, Handle: d.takeAlong},
		{Method: "POST", Pattern: actsPath, Face: route.Program, Access: route.Official(), Body: decisionForm, Timeout: takeTimeout, Handle: d.takeAct},
		{Method: "GET", Pattern: formsPath, Face: route.Program, Access: route.Official(), Handle: d.forms},
		send(leavePath, route.Official(), smallForm, d.takeLeave),
		send(leavePath+"/{appointment}/end", route.Official(), smallForm, d.endLeave),
		show(licencesPath, d.licences),
		send(licencesPath, route.Official(), smallForm, d.findLicence),
		show(licencesPath+"/{document}", d.licence),
		send(licencesPath+"/{document}", route.Official(), smallForm, d.propose),
		{Method: "GET", Pattern: one, Access: route.Official(), Costly: true, Handle: d.task},
		send(one+"/claim", route.Official(), smallForm, d.claim),
		send(one+"/hand-over", route.Official(), smallForm, d.handOver),
		send(one+"/decide", route.Official(), decisionForm, d.decide),
		{Method: "GET", Pattern: page.PaymentsPath, Access: treasurer, Handle: d.payments},
		{Method: "GET", Pattern: order, Access: treasurer, Handle: d.payment},
		send(order+"/release", treasurer, smallForm, d.release),
		send(order+"/refuse", treasurer, smallForm, d.refuse),
	}, slices.Concat(d.program.routes, d.assistRoutes(), d.photoRoutes())...)
}

// number writes a whole number as the reader's language does.
func number(r page.Reader, n int64) string { return locale.Number(locale.Tag(r.Language), n) }

func taskOf(r *http.Request) ident.Task { return ident.Task(r.PathValue("task")) }

func pathOf(id ident.Task) string { return "/desk/tasks/" + string(id) }

// state says who works on a task and how urgent it is.
func (d *Desk) state(r page.Reader, v route.Visitor, task casework.Task) ui.Tag {
	switch now := d.Shared.Clock(); {
	case task.State == casework.TaskWaiting:
		return ui.Tag{Text: r.Say("desk.waits-for-applicant"), Tone: ui.Plain}
	case !task.Due.IsZero() && !now.Before(task.Due):
		return ui.Tag{Text: r.Say("desk.late"), Tone: ui.Bad}
	case task.Escalated > 0:
		return ui.Tag{Text: r.Say("desk.escalated"), Tone: ui.Bad}
	case task.State == casework.TaskClaimed && slices.Contains(v.Actor.Appointment.StandsFor(), task.Assignee):
		return ui.Tag{Text: r.Say("desk.yours"), Tone: ui.Good}
	case task.State == casework.TaskClaimed:
		return ui.Tag{Text: r.Say("desk.colleagues"), Tone: ui.Plain}
	case !task.Due.IsZero() && d.Shared.Words.Profile.Calendar.Date(now) == d.Shared.Words.Profile.Calendar.Date(task.Due.Add(-time.Second)):
		return ui.Tag{Text: r.Say("desk.today"), Tone: ui.Wait}
	}
	return ui.Tag{Text: r.Say("desk.open"), Tone: ui.Info}
}
