// Package notebook owns the pages on which whoever keeps a register takes over a notebook that was kept on paper: they send
// it as a table, see what would become of its rows, settle whom rows are about that only give a name, import it, and undo
// an import.
//
// It hands routes to the router. What is in a notebook, and who may be meant, is kernel/register's to say.
//
// Invariants: before a page shows whom a row may be about, that is recorded; an address holds the number of an import and
// nothing of a row; a form carries the revision that its page was made from.
package notebook

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// Registers is what the pages need of the registers' keeper.
type Registers interface {
	Taking(ctx context.Context, by access.Actor) ([]register.Notebook, error)
	Begin(ctx context.Context, by access.Actor, register ident.Register, reason string, mapping, content []byte) (register.Notebook, error)
	Look(ctx context.Context, by access.Actor, id ident.Import) (register.Looked, error)
	SettleRows(ctx context.Context, by access.Actor, id ident.Import, revision int64, chosen map[int]ident.Person) error
	Finish(ctx context.Context, by access.Actor, id ident.Import) (register.Looked, error)
	Drop(ctx context.Context, by access.Actor, id ident.Import) error
	UndoImport(ctx context.Context, by access.Actor, register ident.Register, id ident.Import, reason string) (register.Undoing, map[ident.Record]*fault.Fault, error)
}

// Config is what the pages stand on. All of it is required.
type Config struct {
	Shared    *page.Shared
	Registers Registers
	Catalogue func() *register.Catalogue
}

// Pages serves them.
type Pages struct{ Config }

// New returns the pages.
func New(config Config) *Pages { return &Pages{config} }

const (
	smallForm = 64 << 10
	fileForm  = register.LargestNotebook + smallForm
	nobody    = "nobody"
)

// Routes returns all pages.
func (p *Pages) Routes() []route.Route {
	show := func(pattern string, handle route.Handler) route.Route {
		return route.Route{Method: "GET", Pattern: pattern, Access: route.Role(access.Registrar), Handle: handle}
	}
	take := func(pattern string, body int64, handle route.Handler) route.Route {
		return route.Route{Method: "POST", Pattern: pattern, Access: route.Role(access.Registrar), Body: body, Handle: route.Form(handle)}
	}
	const one = page.NotebooksPath + "/{import}"
	return []route.Route{
		show(page.NotebooksPath, p.all),
		take(page.NotebooksPath, fileForm, p.begin),
		take(page.NotebooksPath+"/undo", smallForm, p.undo),
		show(one, p.one),
		take(one+"/settle", smallForm, p.settle),
		take(one+"/finish", smallForm, p.finish),
		take(one+"/drop", smallForm, p.drop),
	}
}

func idOf(r *http.Request) ident.Import { return ident.Import(r.PathValue("import")) }

func pathOf(id ident.Import) string { return page.NotebooksPath + "/" + string(id) }

func (p *Pages) all(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.list(w, req, v, http.StatusOK, page.Typed{}, nil, nil)
}

// kept returns the choices of registers that the visitor's agency keeps here.
func (p *Pages) kept(r page.Reader, v route.Visitor, chosen string) (options []ui.Option) {
	for _, one := range p.Catalogue().All() {
		if one.Held == register.HeldHere && one.Agency == v.Actor.Appointment.Agency {
			options = append(options, ui.Option{Value: string(one.Path), Label: r.In(one.Title), Checked: string(one.Path) == chosen})
		}
	}
	if len(options) == 1 {
		options[0].Checked = true
	}
	return options
}

// list shows the notebooks that are being taken over, and the forms to begin with one and to undo an import.
func (p *Pages) list(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, typed page.Typed, wrong page.Wrong, banner *ui.Banner) error {
	taking, err := p.Registers.Taking(req.Context(), v.Actor)
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	problem := func(name string) string {
		if wrong[name] == nil {
			return ""
		}
		return r.Problem(wrong[name])
	}
	table := ui.Table{Caption: r.Say("notebook.taking"), Empty: r.Say("notebook.none"), Columns: []ui.Column{{Text: r.Say("notebook.register")}, {Text: r.Say("notebook.begun")}}}
	for _, one := range taking {
		table.Rows = append(table.Rows, ui.TableRow{{Text: r.Register(one.Register), Href: pathOf(one.ID)}, {Text: r.Moment(one.Begun)}})
	}
	begin := ui.Form{Files: true, Action: page.NotebooksPath, Buttons: ui.Buttons{{Text: r.Say("notebook.look")}}, Fields: []ui.Component{
		ui.Choice{Question: ui.Question{Name: "register", Label: r.Say("notebook.register"), Error: problem("register")}, Options: p.kept(r, v, typed.Get("register"))},
		ui.FileInput{Question: ui.Question{Name: "file", Label: r.Say("notebook.file"), Hint: r.Say("notebook.file-hint"), Error: problem("file")}, Accept: ".xlsx,.csv"},
		ui.TextInput{Question: ui.Question{Name: "mapping", Label: r.Say("notebook.mapping"), Hint: r.Say("notebook.mapping-hint"), Error: problem("mapping")}, Value: typed.Get("mapping"), Lines: 10},
		ui.TextInput{Question: ui.Question{Name: "reason", Label: r.Say("notebook.reason"), Hint: r.Say("notebook.reason-hint"), Error: problem("reason")}, Value: typed.Get("reason")},
	}}
	undo := ui.Form{Action: page.NotebooksPath + "/undo", Buttons: ui.Buttons{{Text: r.Say("notebook.undo"), Quiet: true}}, Fields: []ui.Component{
		ui.Choice{Question: ui.Question{Name: "undo-register", Label: r.Say("notebook.register"), Error: problem("undo-register")}, Options: p.kept(r, v, typed.Get("undo-register"))},
		ui.TextInput{Question: ui.Question{Name: "import", Label: r.Say("notebook.number"), Error: problem("import")}, Value: typed.Get("import")},
		ui.TextInput{Question: ui.Question{Name: "undo-reason", Label: r.Say("notebook.undo-reason"), Error: problem("undo-reason")}, Value: typed.Get("undo-reason")},
	}}
	return r.Render(w, status, ui.Page{
		Title: r.Say("notebook.title"), Caption: r.Agency(v.Actor.Appointment.Agency), Lead: r.Say("notebook.lead"), Banner: banner, Body: []ui.Component{
			table, ui.Heading{Text: r.Say("notebook.begin")}, begin, ui.Heading{Text: r.Say("notebook.undo-title")}, ui.Paragraph{Text: r.Say("notebook.undo-text")}, undo,
		},
	})
}

// asked holds the inputs that must be filled in.
func asked(typed page.Typed, names ...string) page.Wrong {
	wrong := page.Wrong{}
	for _, name := range names {
		if strings.TrimSpace(typed.Get(name)) == "" {
			wrong[name] = fault.New(fault.Invalid, "field.required", "This is required. Fill it in.").At(name)
		}
	}
	return wrong
}

// begin takes a notebook up. What is wrong with it stands at the form, which keeps what was typed; the file has to be
// chosen again.
func (p *Pages) begin(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	wrong := asked(req.PostForm, "register", "mapping", "reason")
	var content []byte
	if file, _, err := req.FormFile("file"); err == nil {
		defer file.Close()
		if content, err = io.ReadAll(file); err != nil {
			return err
		}
	}
	if len(content) == 0 {
		wrong["file"] = fault.New(fault.Invalid, "field.required", "This is required. Fill it in.").At("file")
	}
	if len(wrong) == 0 {
		begun, err := p.Registers.Begin(req.Context(), v.Actor, ident.Register(req.PostForm.Get("register")), strings.TrimSpace(req.PostForm.Get("reason")),
			[]byte(req.PostForm.Get("mapping")), content)
		if err == nil {
			return route.Redirect(w, req, pathOf(begun.ID))
		}
		f := fault.Of(err)
		if f.Kind != fault.Invalid && f.Kind != fault.TooLarge && f.Kind != fault.Conflict {
			return err
		}
		at := "file"
		if f.Code == "import.mapping" || f.Code == "import.column-missing" {
			at = "mapping"
		}
		wrong[at] = f
	}
	return p.list(w, req, v, http.StatusUnprocessableEntity, req.PostForm, wrong, nil)
}

// sums are the rows of a reconciliation.
func sums(r page.Reader, of register.Reconciliation) ui.SummaryList {
	list := ui.SummaryList{}
	for _, one := range []struct {
		key   string
		count int
	}{
		{"notebook.read", of.Read}, {"notebook.created", of.Created}, {"notebook.changed", of.Changed}, {"notebook.unchanged", of.Unchanged}, {"notebook.rejected", of.Rejected}, {"notebook.to-settle", of.ToSettle},
	} {
		list.Rows = append(list.Rows, ui.SummaryRow{Term: r.Say(one.key), Values: []string{r.Words.Value(r.Language, int64(one.count))}})
	}
	return list
}

func rejected(r page.Reader, rejects []register.Reject) ui.Table {
	const most = 200
	table := ui.Table{Caption: r.Say("notebook.rejects"), Empty: r.Say("notebook.no-rejects"), Columns: []ui.Column{{Text: r.Say("notebook.line")}, {Text: r.Say("notebook.why")}}}
	for _, one := range rejects[:min(len(rejects), most)] {
		table.Rows = append(table.Rows, ui.TableRow{{Text: strconv.Itoa(one.Line)}, {Text: r.Problem(one.Reason)}})
	}
	return table
}

func (p *Pages) one(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return p.look(w, req, v, http.StatusOK, nil)
}

// look shows what would become of a notebook, and the next rows to settle.
func (p *Pages) look(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, banner *ui.Banner) error {
	found, err := p.Registers.Look(req.Context(), v.Actor, idOf(req))
	if err != nil {
		return err
	}
	r, path := p.Shared.For(v), pathOf(found.ID)
	body := []ui.Component{sums(r, found.Reconciliation)}
	if len(found.ToSettle) > 0 {
		settle := ui.Form{
			Action: path + "/settle", Hidden: []ui.Hidden{{Name: "revision", Value: strconv.FormatInt(found.Revision, 10)}},
			Buttons: ui.Buttons{{Text: r.Say("notebook.settle")}},
		}
		for _, row := range found.ToSettle {
			settle.Fields = append(settle.Fields, p.choice(r, row, found.Shown[row.Line]))
		}
		body = append(body, ui.Heading{Text: r.Say("notebook.who")}, ui.Paragraph{Text: r.Say("notebook.who-text")}, settle)
	}
	body = append(body, rejected(r, found.Rejects),
		ui.Form{Action: path + "/finish", Buttons: ui.Buttons{{Text: r.Say("notebook.finish")}}},
		ui.Form{Action: path + "/drop", Buttons: ui.Buttons{{Text: r.Say("notebook.drop"), Quiet: true}}})
	return r.Render(w, status, ui.Page{
		Title: r.Say("notebook.one"), Caption: r.Register(found.Register), Lead: r.Say("notebook.one-lead"), Banner: banner, Body: body,
		Back: &ui.Link{Text: r.Say("notebook.title"), Href: page.NotebooksPath},
	})
}

// What is said of how well a row fits somebody.
var (
	names = map[register.Likeness]string{
		register.Same: "notebook.name-same", register.Alike: "notebook.name-alike", register.NotSaid: "notebook.name-not-said", register.Different: "notebook.name-different",
	}
	births = map[register.Likeness]string{
		register.Same: "notebook.birth-same", register.NotSaid: "notebook.birth-not-said", register.Different: "notebook.birth-different",
	}
)

// choice asks whom a row is about.
func (p *Pages) choice(r page.Reader, row register.Unsettled, shown []register.ShownCandidate) ui.Choice {
	said := row.Name
	if !row.Birth.IsZero() {
		said += ", " + r.Day(row.Birth.Start(p.Shared.Words.Profile.Calendar.Location()))
	}
	choice := ui.Choice{Question: ui.Question{Name: "line-" + strconv.Itoa(row.Line), Label: r.Say("notebook.row", "line", strconv.Itoa(row.Line), "name", said), Optional: true}}
	for _, one := range shown {
		label := one.Known.Name
		if !one.Known.Birth.IsZero() {
			label += ", " + r.Day(one.Known.Birth.Start(p.Shared.Words.Profile.Calendar.Location()))
		}
		choice.Options = append(choice.Options, ui.Option{
			Value: string(one.Person), Label: label,
			Hint: one.Known.Number + ". " + r.Say(names[one.Name]) + " " + r.Say(births[one.Birth]),
		})
	}
	choice.Options = append(choice.Options, ui.Option{Value: nobody, Label: r.Say("notebook.nobody")})
	return choice
}

func (p *Pages) settle(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	revision, err := strconv.ParseInt(req.PostForm.Get("revision"), 10, 64)
	if err != nil {
		revision = -1 // of none: the page is shown again
	}
	chosen := map[int]ident.Person{}
	for name, values := range req.PostForm {
		text, ok := strings.CutPrefix(name, "line-")
		line, err := strconv.Atoi(text)
		if !ok || err != nil || len(values) != 1 || values[0] == "" {
			continue
		}
		chosen[line] = ident.Person(values[0])
		if values[0] == nobody {
			chosen[line] = ""
		}
	}
	err = p.Registers.SettleRows(req.Context(), v.Actor, idOf(req), revision, chosen)
	if f := fault.Of(err); err != nil && slices.Contains([]string{"register.changed", "import.choice"}, f.Code) {
		return p.look(w, req, v, http.StatusConflict, &ui.Banner{Tone: ui.Bad, Title: p.Shared.For(v).Problem(f)})
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, pathOf(idOf(req)))
}

// finish imports the good rows and says what became of all, with the number by which the import can be undone.
func (p *Pages) finish(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	done, err := p.Registers.Finish(req.Context(), v.Actor, idOf(req))
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	back := &ui.Link{Text: r.Say("notebook.title"), Href: page.NotebooksPath}
	if done.Reconciliation.ToSettle > 0 {
		back = &ui.Link{Text: r.Say("notebook.who"), Href: pathOf(done.ID)}
	}
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("notebook.imported"), Caption: r.Register(done.Register), Back: back, Body: []ui.Component{
			ui.Reference{Number: string(done.ID)}, ui.Paragraph{Text: r.Say("notebook.imported-text")}, sums(r, done.Reconciliation), rejected(r, done.Rejects),
		},
	})
}

func (p *Pages) drop(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	if err := p.Registers.Drop(req.Context(), v.Actor, idOf(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, page.NotebooksPath)
}

func (p *Pages) undo(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	wrong := asked(req.PostForm, "undo-register", "import", "undo-reason")
	if len(wrong) > 0 {
		return p.list(w, req, v, http.StatusUnprocessableEntity, req.PostForm, wrong, nil)
	}
	done, refused, err := p.Registers.UndoImport(req.Context(), v.Actor, ident.Register(req.PostForm.Get("undo-register")),
		ident.Import(strings.TrimSpace(req.PostForm.Get("import"))), strings.TrimSpace(req.PostForm.Get("undo-reason")))
	if f := fault.Of(err); err != nil && f.Code == "import.unknown" {
		return p.list(w, req, v, http.StatusUnprocessableEntity, req.PostForm, page.Wrong{"import": f}, nil)
	}
	if err != nil {
		return err
	}
	r := p.Shared.For(v)
	text := r.Say("notebook.undone-text", "undone", strconv.Itoa(done.Undone), "before", strconv.Itoa(done.Before), "refused", strconv.Itoa(len(refused)))
	banner := &ui.Banner{Tone: ui.Good, Title: r.Say("notebook.undone"), Text: text}
	if len(refused) > 0 {
		banner.Tone = ui.Wait
	}
	return p.list(w, req, v, http.StatusOK, page.Typed{}, nil, banner)
}
