package studio

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/publication"
	"yagona/locale"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// lastWritten returns who wrote the draft last, and when.
func lastWritten(draft publication.Draft) (ident.Person, time.Time) {
	by, at := draft.By, draft.Begun
	for _, one := range draft.Written {
		if one.At.After(at) {
			by, at = one.By, one.At
		}
	}
	return by, at
}

// draft shows the files of a draft with what is wrong in them.
func (s *Studio) draft(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	return s.showDraft(w, req, v, http.StatusOK, nil)
}

func (s *Studio) showDraft(w http.ResponseWriter, req *http.Request, v route.Visitor, status int, wrong *fault.Fault) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	r, shown := o.r, s.frame(o, "studio.files")
	shown.Banner = o.state()
	shown.Body = append(shown.Body, o.goOn()...)
	for _, kind := range folders {
		var list ui.TaskList
		for _, path := range slices.Sorted(maps.Keys(o.draft.Files)) {
			if folderOf(path) == kind.name {
				list.Items = append(list.Items, o.item(path))
			}
		}
		if len(list.Items) > 0 {
			shown.Body = append(shown.Body, ui.Heading{Text: r.Say(kind.title)}, list)
		}
	}
	shown.Body = append(shown.Body, ui.Heading{Text: r.Say("studio.add")}, addForm(r, req.PostForm, wrong))
	shown.Body = append(shown.Body, ui.Details{Summary: r.Say("studio.anew"), Body: []ui.Component{
		ui.Paragraph{Text: r.Say("studio.anew-text")},
		ui.Form{
			Action: packPath(o.draft.Pack) + "/begin-anew", Hidden: []ui.Hidden{revisionOf(o.draft.Revision)},
			Buttons: ui.Buttons{{Text: r.Say("studio.anew-do"), Warning: true}},
		},
	}})
	return r.Render(w, status, shown)
}

// folders are those of a pack; "" holds pack.yaml.
var folders = []struct{ name, title, kind string }{
	{"", "studio.folder-pack", ""},
	{"services", "studio.folder-services", "studio.kind-services"},
	{"registers", "studio.folder-registers", "studio.kind-registers"},
	{"indicators", "studio.folder-indicators", "studio.kind-indicators"},
	{"locale", "studio.folder-locale", "studio.kind-locale"},
}

func folderOf(path string) string {
	folder, _, found := strings.Cut(path, "/")
	if !found {
		return ""
	}
	return folder
}

func revisionOf(revision int64) ui.Hidden {
	return ui.Hidden{Name: "revision", Value: strconv.FormatInt(revision, 10)}
}

// revision returns the revision that a form carries; none that is right is -1, which nothing has.
func revision(req *http.Request) int64 {
	number, err := strconv.ParseInt(req.PostForm.Get("revision"), 10, 64)
	if err != nil {
		return -1
	}
	return number
}

// state says how the draft stands.
func (o *open) state() *ui.Banner {
	errors, warnings := 0, 0
	for _, one := range o.found.Problems {
		if one.Warning {
			warnings++
		} else {
			errors++
		}
	}
	failing := failed(o.found.Report)
	switch {
	case errors > 0:
		return &ui.Banner{Tone: ui.Bad, Title: o.r.Say("studio.errors", "count", errors), Text: o.r.Say("studio.errors-text")}
	case failing > 0:
		return &ui.Banner{
			Tone: ui.Bad, Title: o.r.Say("studio.examples-fail", "count", failing), Text: o.r.Say("studio.examples-fail-text"),
			Link: &ui.Link{Text: o.r.Say("studio.examples"), Href: packPath(o.draft.Pack) + "/examples"},
		}
	case warnings > 0:
		return &ui.Banner{Tone: ui.Wait, Title: o.r.Say("studio.warnings", "count", warnings), Text: o.r.Say("studio.warnings-text")}
	case !o.changed():
		return &ui.Banner{Tone: ui.Info, Title: o.r.Say("studio.unchanged"), Text: o.r.Say("studio.unchanged-text")}
	}
	return &ui.Banner{
		Tone: ui.Good, Title: o.r.Say("studio.ready"), Text: o.r.Say("studio.ready-text"),
		Link: &ui.Link{Text: o.r.Say("studio.publish"), Href: packPath(o.draft.Pack) + "/publish"},
	}
}

// goOn asks to go on from what came into force since the draft was begun.
func (o *open) goOn() []ui.Component {
	if !o.behind() {
		return nil
	}
	return []ui.Component{
		ui.Warning{Text: o.r.Say("studio.behind", "when", o.r.Moment(o.base.InForceAt))},
		ui.Form{
			Action: packPath(o.draft.Pack) + "/rebase", Hidden: []ui.Hidden{{Name: "base", Value: string(o.base.ID)}},
			Buttons: ui.Buttons{{Text: o.r.Say("studio.rebase"), Quiet: true}},
		},
	}
}

// item is a file in the list.
func (o *open) item(path string) ui.TaskItem {
	item := ui.TaskItem{Title: o.calls(path), Href: filePath(o.draft.Pack, path), Status: ui.Tag{Text: o.r.Say("studio.as-in-force"), Tone: ui.Plain}}
	was, had := o.base.Files[path]
	switch {
	case !had:
		item.Status = ui.Tag{Text: o.r.Say("studio.new-file"), Tone: ui.Info}
	case !bytes.Equal(was, o.draft.Files[path]):
		item.Status = ui.Tag{Text: o.r.Say("studio.changed"), Tone: ui.Info}
	}
	if here, _ := problemsOf(o.found, o.draft.Pack, path); len(here) > 0 {
		item.Status = ui.Tag{Text: o.r.Say("studio.problems", "count", len(here)), Tone: ui.Bad}
		if !here.Failed() {
			item.Status.Tone = ui.Wait
		}
	}
	if written, ok := o.draft.Written[path]; ok {
		item.Hint = o.r.Say("studio.written-by", "who", who(o.r, written.By), "when", o.r.Moment(written.At))
	}
	if item.Title != path {
		item.Hint = strings.TrimSuffix(path+" · "+item.Hint, " · ")
	}
	return item
}

// calls returns what people call what is in a file; its path where that is not known.
func (o *open) calls(path string) string {
	if o.found.Pack != nil {
		name := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".yaml")
		switch folderOf(path) {
		case "services":
			if one, err := o.r.Names().Service(ident.Service(o.draft.Pack + "/" + name)); err == nil {
				return o.r.In(one.Title)
			}
		case "registers":
			if one, err := o.r.Names().Register(ident.Register(o.draft.Pack + "/" + name)); err == nil {
				return o.r.In(one.Title)
			}
		case "locale":
			if tag, key := locale.Tag(name), "language."+name; o.r.Words.Has(tag, key) {
				return o.r.Words.Text(tag, key, nil) // in itself
			}
		}
	}
	return path
}

func addForm(r page.Reader, typed page.Typed, wrong *fault.Fault) ui.Form {
	folder := ui.Choice{Question: ui.Question{Name: "folder", Label: r.Say("studio.file-kind")}}
	for _, kind := range folders[1:] {
		folder.Options = append(folder.Options, ui.Option{
			Value: kind.name, Label: r.Say(kind.kind), Checked: kind.name == cmp.Or(typed.Get("folder"), folders[1].name),
		})
	}
	name := ui.TextInput{
		Question: ui.Question{Name: "file", Label: r.Say("studio.file-name"), Hint: r.Say("studio.file-name-hint")}, Value: typed.Get("file"),
	}
	if wrong != nil {
		name.Error = r.Problem(wrong)
	}
	return ui.Form{Fields: []ui.Component{folder, name}, Buttons: ui.Buttons{{Text: r.Say("studio.add-file"), Quiet: true}}}
}

// fileName is what an analyst may call a file, without its ending; what a pack's files may be called, the draft says.
var fileName = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// add adds a file and leads to it.
func (s *Studio) add(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	name := strings.TrimSuffix(strings.TrimSpace(req.PostForm.Get("file")), ".yaml")
	path := req.PostForm.Get("folder") + "/" + name + ".yaml"
	draft, err := s.Drafting.Draft(req.Context(), v.Actor, req.PathValue("pack"))
	if err != nil {
		return err
	}
	if _, there := draft.Files[path]; there {
		return s.showDraft(w, req, v, http.StatusConflict, errThere)
	}
	if !fileName.MatchString(name) {
		return s.showDraft(w, req, v, http.StatusUnprocessableEntity, errFileName)
	}
	agency := v.Actor.Appointment.Agency
	if found, err := s.examine(req.Context(), draft.Pack, draft.Files); err == nil && found.Pack != nil {
		if speakers := found.Pack.Speakers(); len(speakers) > 0 && !slices.Contains(speakers, agency) {
			agency = speakers[0]
		}
	}
	_, err = s.Drafting.Write(req.Context(), v.Actor, draft.Pack, path, draft.FileRevision(path), pack.NewFile(path, string(agency)))
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
		return s.showDraft(w, req, v, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return route.Redirect(w, req, filePath(draft.Pack, path))
}

var (
	errThere    = fault.New(fault.Conflict, "draft.file-there", "There is a file of this name. Open it in the list, or choose another name.")
	errFileName = fault.New(fault.Invalid, "draft.file-name", "A file's name is made of Latin letters, digits and hyphens, like tools-subsidy.")
)

// remove removes a file.
func (s *Studio) remove(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	name := req.PathValue("pack")
	if _, err := s.Drafting.Remove(req.Context(), v.Actor, name, req.PostForm.Get("path"), revision(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, packPath(name))
}

// beginAnew begins a draft again from what is in force.
func (s *Studio) beginAnew(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	name := req.PathValue("pack")
	fresh, err := s.scaffold(name, v)
	if err != nil {
		return err
	}
	if _, err := s.Drafting.Begin(req.Context(), v.Actor, name, fresh, revision(req)); err != nil {
		return err
	}
	return route.Redirect(w, req, packPath(name))
}

// rebase goes on from what is in force now.
func (s *Studio) rebase(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	name := req.PathValue("pack")
	if _, err := s.Drafting.Rebase(req.Context(), v.Actor, name, ident.Publication(req.PostForm.Get("base"))); err != nil {
		return err
	}
	return route.Redirect(w, req, packPath(name)+"/difference")
}
