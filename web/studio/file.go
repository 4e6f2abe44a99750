package studio

import (
	"net/http"
	"strconv"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/publication"
	"yagona/web/route"
	"yagona/web/ui"
)

// editor shows a file of a draft as text, with what is wrong at its lines.
func (s *Studio) editor(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	path := req.PathValue("path")
	if _, ok := o.draft.Files[path]; !ok {
		return publication.ErrDraftFile
	}
	return s.edit(w, http.StatusOK, o, path, o.draft.FileRevision(path), nil)
}

// edit shows a file as it stands in o; what is said first, and against which revision it will be saved.
func (s *Studio) edit(w http.ResponseWriter, status int, o *open, path string, against int64, before []ui.Component) error {
	r, name := o.r, o.draft.Pack
	content := o.draft.Files[path]
	shown := ui.Page{
		Title: path, Caption: o.title(), Wide: true, Back: &ui.Link{Text: r.Say("studio.files"), Href: packPath(name)}, Scripts: []string{s.script},
	}
	if written, ok := o.draft.Written[path]; ok {
		shown.Lead = r.Say("studio.written-by", "who", who(r, written.By), "when", r.Moment(written.At))
	}
	shown.Body = append(shown.Body, before...)
	shown.Body = append(shown.Body, ui.Form{
		Action: filePath(name, path), Hidden: []ui.Hidden{revisionOf(against)},
		Fields: []ui.Component{editor{
			Label: r.Say("studio.text"), Hint: r.Say("studio.text-hint"), Content: string(content), Problems: s.problemsOf(o, path),
			Check: packPath(name) + "/check/" + path, Checking: r.Say("studio.checking"),
		}},
		Buttons: ui.Buttons{{Text: r.Say("studio.save")}, {Text: r.Say("studio.check"), Name: "do", Value: "check", Quiet: true}},
	})
	if was, had := o.base.Files[path]; had {
		if changed := compared(r, path, was, content); len(changed) > 0 {
			shown.Body = append(shown.Body, ui.Details{Summary: r.Say("studio.compare"), Body: []ui.Component{lines{path, changed}}})
		}
	}
	if _, kept := o.draft.Files[path]; kept && path != "pack.yaml" && status == http.StatusOK {
		shown.Body = append(shown.Body, ui.Details{Summary: r.Say("studio.remove"), Body: []ui.Component{
			ui.Paragraph{Text: r.Say("studio.remove-text")},
			ui.Form{
				Action: packPath(name) + "/remove", Hidden: []ui.Hidden{revisionOf(against), {Name: "path", Value: path}},
				Buttons: ui.Buttons{{Text: r.Say("studio.remove-do"), Warning: true}},
			},
		}})
	}
	return r.Render(w, status, shown)
}

// problemsOf returns the problems of a file as the editor shows them.
func (s *Studio) problemsOf(o *open, path string) problems {
	here, elsewhere := problemsOf(o.found, o.draft.Pack, path)
	shown := problems{Title: o.r.Say("studio.no-problems"), Wrong: here.Failed()}
	if len(here) > 0 {
		shown.Title = o.r.Say("studio.problems", "count", len(here))
	}
	for _, one := range here {
		where := o.r.Say("studio.place", "line", one.Line, "column", one.Column)
		shown.Items = append(shown.Items, shownProblem(o.r, one, where, "#line-"+strconv.Itoa(one.Line), o.draft.Files[path]))
	}
	switch failing := failed(o.found.Report); {
	case elsewhere > 0:
		shown.More = &ui.Link{Text: o.r.Say("studio.problems-elsewhere", "count", elsewhere), Href: packPath(o.draft.Pack)}
	case failing > 0:
		shown.More = &ui.Link{Text: o.r.Say("studio.examples-fail", "count", failing), Href: packPath(o.draft.Pack) + "/examples"}
	}
	return shown
}

// typed returns a text as it was typed in a form: browsers end lines with two characters.
func typed(req *http.Request) []byte {
	text := strings.ReplaceAll(req.PostForm.Get(editorID), "\r\n", "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text)
}

// with returns what would become of the draft if a file had another text. Nothing is kept.
func (s *Studio) with(req *http.Request, v route.Visitor, path string, content []byte) (*open, error) {
	draft, err := s.Drafting.Draft(req.Context(), v.Actor, req.PathValue("pack"))
	if err != nil {
		return nil, err
	}
	if len(content) > publication.DraftFileBytes {
		return nil, errLarge
	}
	if draft.Files == nil {
		draft.Files = publication.Bundle{}
	}
	if !publication.IsDraftPath(path) {
		return nil, publication.ErrDraftFile
	}
	draft.Files[path] = content
	return s.examined(req.Context(), v, draft)
}

var errLarge = fault.New(fault.TooLarge, "draft.file-large", "The file has more than 256 KiB. Split it into several files.")

// write saves a file, or only checks it. What a colleague saved in the meantime is shown beside it, and nothing is saved
// before the writer has seen it.
func (s *Studio) write(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	path, content := req.PathValue("path"), typed(req)
	if req.PostForm.Get("do") == "check" {
		o, err := s.with(req, v, path, content)
		if err != nil {
			return err
		}
		banner := ui.Inset{Text: o.r.Say("studio.not-saved")}
		return s.edit(w, http.StatusOK, o, path, revision(req), []ui.Component{banner})
	}
	name := req.PathValue("pack")
	_, err := s.Drafting.Write(req.Context(), v.Actor, name, path, revision(req), content)
	switch {
	case fault.Code(err) == "draft.changed":
		return s.conflict(w, req, v, path, content)
	case err != nil && fault.Of(err).Kind == fault.Invalid && fault.Of(err).Field == editorID:
		return s.refused(w, req, v, path, content, err)
	case err != nil:
		return err
	}
	return route.Redirect(w, req, filePath(name, path))
}

// conflict shows the writer's text over what a colleague saved.
func (s *Studio) conflict(w http.ResponseWriter, req *http.Request, v route.Visitor, path string, content []byte) error {
	stored, err := s.Drafting.Draft(req.Context(), v.Actor, req.PathValue("pack"))
	if err != nil {
		return err
	}
	theirs, against, written := stored.Files[path], stored.FileRevision(path), stored.Written[path]
	o, err := s.with(req, v, path, content)
	if err != nil {
		return err
	}
	r := o.r
	by, at := written.By, written.At
	if by == "" {
		by, at = stored.By, stored.Begun
	}
	before := []ui.Component{
		ui.Warning{Text: r.Say("studio.conflict", "who", who(r, by), "when", r.Moment(at))},
		ui.Paragraph{Text: r.Say("studio.conflict-text")},
	}
	if changed := compared(r, path, theirs, content); len(changed) > 0 {
		before = append(before, lines{r.Say("studio.conflict-lines"), changed})
	}
	return s.edit(w, http.StatusConflict, o, path, against, before)
}

// refused shows a text that cannot be kept, so that it is not lost.
func (s *Studio) refused(w http.ResponseWriter, req *http.Request, v route.Visitor, path string, content []byte, reason error) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	o.draft.Files[path] = []byte(strings.ToValidUTF8(string(content), "\uFFFD"))
	return s.edit(w, http.StatusUnprocessableEntity, o, path, revision(req), []ui.Component{ui.Warning{Text: o.r.Problem(fault.Of(reason))}})
}

// check answers a script with the problems that a text would have.
func (s *Studio) check(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	path := req.PathValue("path")
	o, err := s.with(req, v, path, typed(req))
	if err != nil {
		return err
	}
	fragment, err := o.r.House.Fragment(o.r.Language, s.problemsOf(o, path))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(fragment))
	return err
}

// lineOf returns where an editor shows a line.
func lineOf(name, path string, line int) string {
	return filePath(name, path) + "#line-" + strconv.Itoa(line)
}
