// Package practice owns the pages of the practice ground: an official's own lessons, one lesson, and for the district how
// far its learners are.
//
// It hands routes to the router; they exist on a practice ground only. A lesson is done by what the server recorded of its
// learner: no form here says so.
//
// Invariants: the pages tell of no real person; of other learners a leader sees role, mahalla and which lessons are done.
package practice

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/kernel/practice"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Ground is what the pages need of package kernel/practice.
type Ground interface {
	Own(ctx context.Context, by access.Actor) ([]practice.Standing, error)
	Lesson(ctx context.Context, by access.Actor, name string) (practice.Standing, error)
	Begin(ctx context.Context, by access.Actor, name string) (practice.Standing, error)
	Leads(by access.Actor) bool
	Team(ctx context.Context, by access.Actor) ([]practice.Progress, error)
	LayOut(by access.Actor) error
	Certificate(ctx context.Context, by access.Actor) (id ident.Document, issued bool, err error)
	Certify(ctx context.Context, by access.Actor, language string) (ident.Document, error)
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared *page.Shared
	Ground Ground
}

// Pages serves them.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

const (
	teamPath        = page.PracticePath + "/team"
	againPath       = page.PracticePath + "/again"
	certificatePath = page.PracticePath + "/certificate"
	lessonPath      = page.PracticePath + "/lessons/{lesson}"
	smallForm       = 4 << 10
	caseTime        = 30 * time.Second // a case asks several registers
)

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	return []route.Route{
		{Method: "GET", Pattern: page.PracticePath, Access: route.Official(), Handle: p.own},
		{Method: "GET", Pattern: lessonPath, Access: route.Official(), Handle: p.lesson},
		{Method: "POST", Pattern: lessonPath + "/begin", Access: route.Official(), Body: smallForm, Timeout: caseTime, Handle: route.Form(p.begin)},
		{Method: "POST", Pattern: certificatePath, Access: route.Official(), Body: smallForm, Handle: route.Form(p.certify)},
		{Method: "GET", Pattern: teamPath, Access: route.Official(), Costly: true, Timeout: caseTime, Handle: p.team},
		{Method: "GET", Pattern: againPath, Access: route.Official(), Handle: p.askAgain},
		{Method: "POST", Pattern: againPath, Access: route.Official(), Body: smallForm, Handle: route.Form(p.again)},
	}
}

func addressOf(lesson *practice.Lesson) string { return page.PracticePath + "/lessons/" + lesson.Name }

// status says how far a lesson is.
func status(r page.Reader, s practice.Standing) ui.Tag {
	switch {
	case !s.Done.IsZero():
		return ui.Tag{Text: r.Say("practice.done"), Tone: ui.Good}
	case s.Spoiled:
		return ui.Tag{Text: r.Say("practice.spoiled"), Tone: ui.Bad}
	case len(s.Deeds) > 0 || s.Lesson.Prepared && s.Begun:
		return ui.Tag{Text: r.Say("practice.begun"), Tone: ui.Wait}
	}
	return ui.Tag{Text: r.Say("practice.open"), Tone: ui.Info}
}

// own lists the official's lessons and says which is next.
func (p *Pages) own(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	all, err := p.Ground.Own(req.Context(), v.Actor)
	if err != nil {
		return err
	}
	r, held := p.Shared.For(v), v.Actor.Appointment
	shown := ui.Page{
		Title: r.Say("practice.title"), Caption: r.Role(held.Agency, held.Role) + ", " + r.Place(held.Territory), Lead: r.Say("practice.lead"),
	}
	var next *practice.Standing
	done := 0
	list := ui.TaskList{}
	for i, one := range all {
		hint := r.In(one.Lesson.About)
		switch {
		case !one.Done.IsZero():
			done++
			hint = r.Say("practice.done-at", "when", r.Moment(one.Done))
		case next == nil:
			next = &all[i]
		}
		list.Items = append(list.Items, ui.TaskItem{Title: r.In(one.Lesson.Title), Href: addressOf(one.Lesson), Hint: hint, Status: status(r, one)})
	}
	switch {
	case len(all) == 0 && !p.Ground.Leads(v.Actor):
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("practice.none")})
	case len(all) > 0 && next == nil:
		shown.Banner = &ui.Banner{Tone: ui.Good, Title: r.Say("practice.all-done"), Text: r.Say("practice.all-done-text")}
	case next != nil:
		shown.Body = append(shown.Body, ui.Paragraph{Text: r.Say("practice.count", "done", done, "all", len(all))},
			ui.Buttons{{Text: r.Say("practice.next", "lesson", r.In(next.Lesson.Title)), Href: addressOf(next.Lesson)}})
	}
	if len(all) > 0 && next == nil {
		id, issued, err := p.Ground.Certificate(req.Context(), v.Actor)
		if err != nil {
			return err
		}
		if issued {
			shown.Body = append(shown.Body, ui.Buttons{
				{Text: r.Say("practice.certificate"), Href: page.DocumentPath + string(id)},
				{Text: r.Say("actions.verify"), Href: page.VerifyPath + "/" + string(id), Quiet: true},
			})
		} else {
			shown.Body = append(shown.Body, ui.Form{Action: certificatePath, Buttons: ui.Buttons{{Text: r.Say("practice.certify")}}})
		}
	}
	if len(list.Items) > 0 {
		shown.Body = append(shown.Body, list)
	}
	if p.Ground.Leads(v.Actor) {
		shown.Body = append(shown.Body, ui.Cards{Items: []ui.Card{
			{Title: r.Say("practice.team"), Href: teamPath, Text: r.Say("practice.team-text")},
			{Title: r.Say("practice.again"), Href: againPath, Text: r.Say("practice.again-text")},
		}})
	}
	return r.Render(w, http.StatusOK, shown)
}

// lesson shows what to do, how far the learner is, and leads to where it is done.
func (p *Pages) lesson(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	one, err := p.Ground.Lesson(req.Context(), v.Actor, req.PathValue("lesson"))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	shown := ui.Page{
		Title: r.In(one.Lesson.Title), Caption: r.Service(one.Service), Lead: r.In(one.Lesson.About),
		Back: &ui.Link{Text: r.Say("practice.title"), Href: page.PracticePath},
	}
	begin := func(label string) ui.Form {
		return ui.Form{Action: addressOf(one.Lesson) + "/begin", Buttons: ui.Buttons{{Text: r.Say(label)}}}
	}
	switch {
	case !one.Done.IsZero():
		shown.Banner = &ui.Banner{Tone: ui.Good, Title: r.Say("practice.done"), Text: r.Say("practice.done-at", "when", r.Moment(one.Done))}
	case one.Spoiled:
		shown.Banner = &ui.Banner{Tone: ui.Bad, Title: r.Say("practice.spoiled"), Text: r.Say("practice.spoiled-text")}
	}
	steps := ui.List{}
	for _, text := range one.Lesson.Steps {
		steps.Items = append(steps.Items, ui.Link{Text: r.In(text)})
	}
	shown.Body = append(shown.Body, ui.Heading{Text: r.Say("practice.steps")}, steps)
	switch {
	case !one.Done.IsZero():
	case !one.Lesson.Prepared:
		shown.Body = append(shown.Body,
			ui.SummaryList{Title: r.Say("practice.resident"), Rows: []ui.SummaryRow{
				{Term: r.Say("practice.name"), Values: []string{one.About.Name}},
				{Term: r.Say("practice.number"), Values: []string{one.About.Number}},
				{Term: r.Say("practice.account"), Values: []string{one.About.Account}},
			}},
			p.doors(r, one, ui.Button{Text: r.Say("practice.open-service"), Href: page.AssistPath + "/" + string(one.Service)}))
	case one.Spoiled || !one.Begun:
		label := "practice.begin"
		if one.Begun {
			label = "practice.begin-again"
		}
		shown.Body = append(shown.Body, begin(label))
	case one.Task == "":
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("practice.gone")}, begin("practice.begin-again"))
	default:
		shown.Body = append(shown.Body, p.doors(r, one, ui.Button{Text: r.Say("practice.open-task"), Href: page.DeskPath + "/tasks/" + string(one.Task)}))
		if one.Closed {
			shown.Body = append(shown.Body, ui.Inset{Text: r.Say("practice.gone")}, begin("practice.begin-again"))
		}
	}
	seen := ui.SummaryList{Title: r.Say("practice.seen")}
	for i, deed := range one.Lesson.Done {
		row := ui.SummaryRow{Term: r.Say("deed." + deed.Name()), Values: []string{r.Say("practice.not-yet")}}
		if i < len(one.Deeds) {
			row.Values[0] = r.Moment(one.Deeds[i])
		}
		seen.Rows = append(seen.Rows, row)
	}
	shown.Body = append(shown.Body, seen)
	return r.Render(w, http.StatusOK, shown)
}

// doors lead to where a lesson is done: with a connection by the given one.
func (p *Pages) doors(r page.Reader, one practice.Standing, connected ui.Button) ui.Buttons {
	if !slices.ContainsFunc(one.Lesson.Done, func(d practice.Deed) bool { return d.Offline }) {
		return ui.Buttons{connected}
	}
	connected.Quiet = true
	return ui.Buttons{{Text: r.Say("desk.along"), Href: page.OfflinePath}, connected}
}

// begin prepares the lesson's case.
func (p *Pages) begin(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	one, err := p.Ground.Begin(req.Context(), v.Actor, req.PathValue("lesson"))
	if err != nil {
		return err
	}
	http.Redirect(w, req, addressOf(one.Lesson), http.StatusSeeOther)
	return nil
}

// certify issues the learner's certificate.
func (p *Pages) certify(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if _, err := p.Ground.Certify(req.Context(), v.Actor, v.Language); err != nil {
		return err
	}
	http.Redirect(w, req, page.PracticePath, http.StatusSeeOther)
	return nil
}

// team shows a leader how far the learners of their territory are.
func (p *Pages) team(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	team, err := p.Ground.Team(req.Context(), v.Actor)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	table := ui.Table{Caption: r.Say("practice.team"), Empty: r.Say("practice.none"), Columns: []ui.Column{
		{Text: r.Say("practice.learner")},
		{Text: r.Say("desk.place")},
		{Text: r.Say("practice.lessons-done"), Number: true},
		{Text: r.Say("practice.which"), Prose: true},
		{Text: r.Say("practice.last")},
	}}
	begun, finished := 0, 0
	for _, one := range team {
		which, last := "", "–"
		for _, lesson := range one.Lessons {
			if lesson.Done.IsZero() {
				continue
			}
			if which != "" {
				which += "; "
			}
			which += r.In(lesson.Lesson.Title)
		}
		if !one.Last.IsZero() {
			last = r.Moment(one.Last)
			begun++
		}
		if one.Done == len(one.Lessons) {
			finished++
		}
		table.Rows = append(table.Rows, ui.TableRow{
			{Text: r.Role(one.Learner.Agency, one.Learner.Role)},
			{Text: r.Place(one.Learner.Territory)},
			{Text: r.Say("practice.of", "done", one.Done, "all", len(one.Lessons))},
			{Text: which},
			{Text: last},
		})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("practice.team"), Caption: r.Place(v.Actor.Appointment.Territory), Lead: r.Say("practice.team-text"), Wide: true,
		Back: &ui.Link{Text: r.Say("practice.title"), Href: page.PracticePath},
		Body: []ui.Component{ui.Figures{Items: []ui.Figure{
			{Value: strconv.Itoa(len(team)), Label: r.Say("practice.learners")},
			{Value: strconv.Itoa(begun), Label: r.Say("practice.learners-begun")},
			{Value: strconv.Itoa(finished), Label: r.Say("practice.learners-finished")},
		}}, table},
	})
}

// askAgain asks a leader whether the ground is to be laid out anew.
func (p *Pages) askAgain(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	if !p.Ground.Leads(v.Actor) {
		return practice.ErrNotLeader
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("practice.again"), Lead: r.Say("practice.again-text"), Back: &ui.Link{Text: r.Say("practice.title"), Href: page.PracticePath},
		Body: []ui.Component{ui.Warning{Text: r.Say("practice.again-warning")}, ui.Form{Action: againPath, Buttons: ui.Buttons{{Text: r.Say("practice.again"), Warning: true}}}},
	})
}

// again has the ground laid out anew.
func (p *Pages) again(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	if err := p.Ground.LayOut(v.Actor); err != nil {
		return err
	}
	r := p.Shared.For(v)
	return r.Render(w, http.StatusAccepted, ui.Page{
		Title: r.Say("practice.laying-out"), Lead: r.Say("practice.laying-out-text"),
		Body: []ui.Component{ui.Buttons{{Text: r.Say("practice.sign-in-again"), Href: "/sign-in?next=" + page.PracticePath}}},
	})
}
