// Package correction owns the pages on which people see what the registers say of them and say what of it is wrong, and
// those on which the registers' owners answer.
//
// It hands routes to the router. Which fields are shown and can be corrected follows from the register's definition.
//
// Invariants: before a page shows a register's data to its subject or to its owner, that is recorded; an address holds
// the names of a register and of a field, never a value; a form carries the revision that its page was made from.
package correction

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"yagona/kernel/access"
	"yagona/kernel/correction"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Corrections is what the pages need of package kernel/correction.
type Corrections interface {
	Ask(ctx context.Context, by access.Actor, wanted correction.Wanted) (correction.Correction, error)
	Own(ctx context.Context, by access.Actor, id ident.Correction) (correction.Opened, error)
	OwnAll(ctx context.Context, by access.Actor, before ident.Correction, limit int) ([]correction.Opened, error)
	Withdraw(ctx context.Context, by access.Actor, id ident.Correction, revision int64) (correction.Correction, error)
	Waiting(ctx context.Context, by access.Actor, from correction.Cursor, limit int) ([]correction.Correction, error)
	Read(ctx context.Context, by access.Actor, id ident.Correction) (correction.Opened, error)
	Resolve(ctx context.Context, by access.Actor, id ident.Correction, revision int64, answer correction.Answer) (correction.Correction, error)
}

// Registers is what the pages need of the registers' keeper.
type Registers interface {
	Own(ctx context.Context, reader access.Actor) ([]register.Version, error)
	FindBySubject(ctx context.Context, by access.Actor, register ident.Register, subject ident.Subject) ([]register.Version, error)
	Current(ctx context.Context, by access.Actor, register ident.Register, record ident.Record) (register.Version, error)
	Correct(ctx context.Context, by access.Actor, wanted register.Write) (register.Version, error)
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared      *page.Shared
	Corrections Corrections
	Registers   Registers
	Readings    *access.OwnReadings
}

// Pages serves them.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

const (
	listed     = 100 // corrections on a page, the newest or the most urgent
	smallForm  = 64 << 10
	recordForm = 256 << 10
)

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	read := func(method string, handle route.Handler) route.Handler {
		if method == http.MethodPost {
			return route.Form(handle)
		}
		return handle
	}
	own := func(method, pattern string, body int64, handle route.Handler) route.Route {
		return route.Route{Method: method, Pattern: pattern, Access: route.SignedIn(), Body: body, Handle: route.Own(p.Readings, read(method, handle))}
	}
	registrar := func(method, pattern string, body int64, handle route.Handler) route.Route {
		return route.Route{Method: method, Pattern: pattern, Access: route.Role(access.Registrar), Body: body, Handle: read(method, handle)}
	}
	const one, task = page.CorrectionsPath + "/{correction}", page.CorrectionTasksPath + "/{correction}"
	return []route.Route{
		own("GET", page.DataPath, 0, p.data),
		own("GET", page.CorrectionsPath+"/new", 0, p.question),
		own("POST", page.CorrectionsPath, smallForm, p.ask),
		own("GET", one, 0, p.show),
		own("POST", one+"/withdraw", smallForm, p.withdraw),
		registrar("GET", page.CorrectionTasksPath, 0, p.waiting),
		registrar("GET", task, 0, p.task),
		registrar("POST", task+"/records/{record}", recordForm, p.correct),
		registrar("POST", task+"/answer", smallForm, p.answer),
	}
}

func idOf(r *http.Request) ident.Correction { return ident.Correction(r.PathValue("correction")) }

func pathOf(id ident.Correction) string { return page.CorrectionsPath + "/" + string(id) }

func revision(r *http.Request) int64 {
	number, err := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64)
	if err != nil {
		return -1 // of none: the form is asked for again
	}
	return number
}

func carrying(revision int64) []ui.Hidden {
	return []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(revision, 10)}}
}

// data shows what each register that is held here says of the visitor.
func (p *Pages) data(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	versions, err := p.Registers.Own(req.Context(), v.Resident())
	if err != nil {
		return err
	}
	asked, err := p.Corrections.OwnAll(req.Context(), v.Resident(), "", listed)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	var body []ui.Component
	if len(asked) > 0 {
		body = append(body, p.list(r, asked))
	}
	if len(versions) == 0 {
		body = append(body, ui.Inset{Text: r.Say("correction.no-data")})
	}
	for _, version := range versions {
		definition, err := r.Names().Register(version.Register)
		if err != nil {
			return err
		}
		list := ui.SummaryList{Title: r.In(definition.Title)}
		for _, d := range shownFields(definition) {
			row, ok := fieldRow(r, d, version)
			if !ok {
				continue
			}
			row.Contest = &ui.Link{Text: r.Say("correction.wrong"), Href: page.ContestPath(definition.Path, d.Name), About: row.Term}
			list.Rows = append(list.Rows, row)
		}
		if len(list.Rows) > 0 {
			list.Rows[0].Source = r.Say("correction.source", "agency", r.Agency(definition.Agency), "date", r.Date(version.From))
		}
		body = append(body, list)
		if version.Closed {
			body = append(body, ui.Inset{Text: r.Say("correction.closed-record")})
		}
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("correction.data"), Lead: r.Say("correction.data-lead"), Body: body, Back: &ui.Link{Text: r.Say("portal.mine"), Href: page.MinePath},
	})
}

// shownFields are the fields of a register without those that name who it is about.
func shownFields(definition *register.Definition) []field.Definition {
	return slices.DeleteFunc(slices.Clone(definition.Fields), func(d field.Definition) bool {
		return d.Kind == field.Person || d.Kind == field.Organisation || d.Kind == field.Household
	})
}

// fieldRow shows a field of a version; false if it has no value.
func fieldRow(r page.Reader, d field.Definition, version register.Version) (ui.SummaryRow, bool) {
	rows := r.Fields("", []field.Definition{d}, version.Values).Rows
	if len(rows) == 0 {
		return ui.SummaryRow{}, false
	}
	if rows[0].Term == "" {
		rows[0].Term = d.Name
	}
	return rows[0], true
}

func (p *Pages) list(r page.Reader, asked []correction.Opened) ui.Table {
	table := ui.Table{Caption: r.Say("correction.mine"), Columns: []ui.Column{
		{Text: r.Say("correction.register")}, {Text: r.Say("portal.state")}, {Text: r.Say("correction.until")},
	}}
	for _, one := range asked {
		state := stateTag(r, one.Correction)
		until := r.LastDay(one.Due)
		if one.State != correction.Open {
			until = "–"
		}
		table.Rows = append(table.Rows, ui.TableRow{{Text: registerTitle(r, one.Register), Href: pathOf(one.ID)}, {Status: &state}, {Text: until}})
	}
	return table
}

func registerTitle(r page.Reader, path ident.Register) string {
	definition, err := r.Names().Register(path)
	if err != nil {
		return string(path)
	}
	return r.In(definition.Title)
}

func stateTag(r page.Reader, c correction.Correction) ui.Tag {
	switch c.State {
	case correction.Corrected:
		return ui.Tag{Text: r.Say("correction.state-corrected"), Tone: ui.Good}
	case correction.Refused:
		return ui.Tag{Text: r.Say("correction.state-refused"), Tone: ui.Bad}
	case correction.Withdrawn:
		return ui.Tag{Text: r.Say("correction.state-withdrawn"), Tone: ui.Plain}
	}
	if c.Late {
		return ui.Tag{Text: r.Say("correction.state-late"), Tone: ui.Wait}
	}
	return ui.Tag{Text: r.Say("correction.state-open"), Tone: ui.Info}
}

// contested is the thing that a visitor says is wrong.
type contested struct {
	definition *register.Definition
	field      string
	label      string
	shown      string // what the register says, if it is held here and says something
}

// contested finds what the names of a register and of a field mean, and what is said of the visitor there.
func (p *Pages) contested(req *http.Request, r page.Reader, names url.Values) (contested, error) {
	definition, err := r.Names().Register(ident.Register(names.Get("register")))
	if err != nil {
		return contested{}, err
	}
	what := contested{definition: definition, field: names.Get("field")}
	if d, ok := field.Find(definition.Fields, what.field); ok {
		what.label = r.In(d.Label)
		versions, err := p.Registers.Own(req.Context(), r.Visitor.Resident())
		if err != nil {
			return contested{}, err
		}
		for _, version := range versions {
			if row, ok := fieldRow(r, d, version); ok && version.Register == definition.Path {
				what.shown = row.Values[0]
			}
		}
	}
	for _, evidence := range definition.Evidence {
		for _, answer := range evidence.Answer {
			if answer.Name == what.field && what.label == "" {
				what.label = r.In(answer.Label)
			}
		}
	}
	if what.label == "" {
		what.field, what.label = "", r.Say("correction.whole")
	}
	return what, nil
}

func (p *Pages) question(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if !req.URL.Query().Has("register") {
		return route.Redirect(w, req, page.DataPath) // where they choose what is wrong
	}
	return p.askWords(w, req, http.StatusOK, p.Shared.For(v), req.URL.Query(), nil)
}

// askWords asks what is wrong.
func (p *Pages) askWords(w http.ResponseWriter, req *http.Request, status int, r page.Reader, names url.Values, wrong *fault.Fault) error {
	what, err := p.contested(req, r, names)
	if err != nil {
		return err
	}
	id := names.Get("correction")
	if id == "" {
		id = string(ident.New[ident.Correction](p.Shared.Clock()))
	}
	input := ui.TextInput{
		Question: ui.Question{Name: "statement", Label: r.Say("correction.statement"), Hint: r.Say("correction.statement-hint")},
		Lines:    6, Maximum: 4000, Value: names.Get("statement"),
	}
	if wrong != nil {
		input.Error = r.Problem(wrong)
	}
	rows := []ui.SummaryRow{
		{Term: r.Say("correction.register"), Values: []string{r.In(what.definition.Title), r.Agency(what.definition.Agency)}},
		{Term: r.Say("correction.field"), Values: []string{what.label}},
	}
	if what.shown != "" {
		rows = append(rows, ui.SummaryRow{Term: r.Say("correction.says"), Values: []string{what.shown}})
	}
	return r.Render(w, status, ui.Page{
		Title: r.Say("correction.title"), Lead: r.Say("correction.lead"),
		Back: &ui.Link{Text: r.Say("correction.data"), Href: page.DataPath},
		Body: []ui.Component{ui.SummaryList{Rows: rows}, ui.Form{
			Action: page.CorrectionsPath, Fields: []ui.Component{input}, Buttons: ui.Buttons{{Key: "actions.send"}, {Key: "actions.cancel", Href: page.DataPath, Quiet: true}},
			Hidden: []ui.Hidden{{Name: "correction", Value: id}, {Name: "register", Value: string(what.definition.Path)}, {Name: "field", Value: what.field}},
		}},
	})
}

func (p *Pages) ask(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	r := p.Shared.For(v)
	what, err := p.contested(req, r, req.PostForm)
	if err != nil {
		return err
	}
	id := ident.Correction(req.PostForm.Get("correction"))
	if id == "" {
		id = ident.New[ident.Correction](p.Shared.Clock())
	}
	asked, err := p.Corrections.Ask(req.Context(), v.Resident(), correction.Wanted{
		ID: id, Register: what.definition.Path, Field: what.field, Shown: what.shown,
		Statement: req.PostForm.Get("statement"),
	})
	if fault.Code(err) == "correction.statement" {
		return p.askWords(w, req, http.StatusUnprocessableEntity, r, req.PostForm, fault.Of(err))
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(asked.ID))
}

// show shows a correction to whoever asked for it.
func (p *Pages) show(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	found, err := p.Corrections.Own(req.Context(), v.Resident(), idOf(req))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	state := stateTag(r, found.Correction)
	banner := &ui.Banner{Tone: state.Tone, Title: state.Text}
	switch {
	case found.State == correction.Open && found.Late:
		banner.Text = r.Say("correction.late-text", "date", r.LastDay(found.Due))
	case found.State == correction.Open:
		banner.Text = r.Say("correction.open-text", "agency", r.Agency(found.Agency), "date", r.LastDay(found.Due))
	case found.Reason != "":
		banner.Text = found.Reason
	}
	body := []ui.Component{p.said(r, found), ui.Heading{Text: r.Say("portal.timeline")}, p.history(r, found)}
	if found.State == correction.Refused {
		body = append(body, ui.Paragraph{Text: r.Say("correction.refused-next")})
	}
	if found.State == correction.Open {
		body = append(body, ui.Form{
			Action: pathOf(found.ID) + "/withdraw", Hidden: carrying(found.Revision),
			Buttons: ui.Buttons{{Text: r.Say("correction.withdraw"), Quiet: true}},
		})
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("correction.one"), Caption: registerTitle(r, found.Register), Banner: banner, Body: body,
		Back: &ui.Link{Text: r.Say("correction.data"), Href: page.DataPath},
	})
}

func (p *Pages) history(r page.Reader, found correction.Opened) ui.Timeline {
	var events []ui.TimelineEvent
	state := stateTag(r, found.Correction)
	if found.State == correction.Open {
		events = append(events, ui.TimelineEvent{
			Title: r.Say("correction.answer-by"), When: r.LastDay(found.Due), By: r.Agency(found.Agency), Tone: ui.Info, Next: true,
		})
	} else {
		by := r.Say("actor.you")
		if found.By.Agency != "" {
			by = r.Actor(found.By)
		}
		events = append(events, ui.TimelineEvent{Title: state.Text, When: r.Moment(found.Resolved), By: by, Tone: state.Tone})
	}
	return ui.Timeline{Events: append(events, ui.TimelineEvent{Title: r.Say("event.correction.asked"), When: r.Moment(found.Created), By: r.Actor(asker(found)), Tone: ui.Plain})}
}

// said shows what somebody says against a register.
func (p *Pages) said(r page.Reader, found correction.Opened) ui.SummaryList {
	rows := []ui.SummaryRow{{Term: r.Say("correction.register"), Values: []string{registerTitle(r, found.Register), r.Agency(found.Agency)}}}
	if definition, err := r.Names().Register(found.Register); err == nil && found.Field != "" {
		label := found.Field
		if d, ok := field.Find(definition.Fields, found.Field); ok {
			label = r.In(d.Label)
		}
		rows = append(rows, ui.SummaryRow{Term: r.Say("correction.field"), Values: []string{label}})
	}
	if found.Shown != "" {
		rows = append(rows, ui.SummaryRow{Term: r.Say("correction.says"), Values: []string{found.Shown}})
	}
	rows = append(rows, ui.SummaryRow{Term: r.Say("correction.statement"), Values: []string{found.Statement}})
	if found.Reason != "" {
		rows = append(rows, ui.SummaryRow{Term: r.Say("correction.answer"), Values: []string{found.Reason}})
	}
	return ui.SummaryList{Rows: rows}
}

func (p *Pages) withdraw(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if _, err := p.Corrections.Withdraw(req.Context(), v.Resident(), idOf(req), revision(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(idOf(req)))
}
