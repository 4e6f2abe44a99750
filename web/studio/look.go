package studio

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"yagona/kernel/publication"
	"yagona/kernel/service"
	"yagona/locale"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/portal"
	"yagona/web/route"
	"yagona/web/ui"
)

// form shows a service as residents will see it: its page and its questions.
func (s *Studio) form(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	return s.showForm(w, o, req.URL.Query().Get("service"), page.Typed{}, nil)
}

// tryForm says of answers what a resident would be told of them. They are not kept.
func (s *Studio) tryForm(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	chosen, wrong := req.PostForm.Get("service"), page.Wrong{}
	for _, one := range o.services() {
		if string(one.Path) != chosen {
			continue
		}
		for _, question := range one.Ask {
			if !page.Resize(req.PostForm, question.Name, question.Definition, strings.TrimPrefix(req.PostForm.Get("do"), question.Name+":")) {
				_, problems := o.r.Parse(req.PostForm, question.Name, question.Definition)
				wrong.Add("", problems)
			}
		}
	}
	return s.showForm(w, o, chosen, req.PostForm, wrong)
}

// services returns the services of the draft, none as long as it does not compile.
func (o *open) services() []*service.Definition {
	if o.found.Pack == nil {
		return nil
	}
	return o.r.Sorted(o.found.Pack.Services)
}

func (s *Studio) showForm(w http.ResponseWriter, o *open, chosen string, typed page.Typed, wrong page.Wrong) error {
	r, shown := o.r, s.frame(o, "studio.form")
	all := o.services()
	if len(all) == 0 {
		shown.Body = append(shown.Body, o.mendFirst())
		return r.Render(w, http.StatusOK, shown)
	}
	at := max(0, slices.IndexFunc(all, func(one *service.Definition) bool { return string(one.Path) == chosen }))
	if len(all) > 1 {
		choose := ui.Select{Question: ui.Question{Name: "service", Label: r.Say("studio.service")}}
		for i, one := range all {
			choose.Options = append(choose.Options, ui.Option{Value: string(one.Path), Label: r.In(one.Title), Checked: i == at})
		}
		shown.Body = append(shown.Body, ui.Filter{Action: packPath(o.draft.Pack) + "/form", Fields: []ui.Component{choose}})
	}
	status := http.StatusOK
	switch {
	case len(wrong) > 0:
		status = http.StatusUnprocessableEntity
	case len(typed) > 0:
		shown.Banner = &ui.Banner{Tone: ui.Good, Title: r.Say("studio.answers-good"), Text: r.Say("studio.answers-good-text")}
	}
	shown.Body = append(shown.Body, previews(r, all[at], packPath(o.draft.Pack)+"/form", typed, wrong)...)
	return r.Render(w, status, shown)
}

// previews shows the page of a service, and its questions if action says where answers may be tried.
func previews(r page.Reader, definition *service.Definition, action string, typed page.Typed, wrong page.Wrong) []ui.Component {
	about := append([]ui.Component{ui.Heading{Text: r.In(definition.Title)}, ui.Paragraph{Text: r.In(definition.Summary)}}, portal.About(r, definition)...)
	shown := []ui.Component{preview{r.Say("studio.as-page"), about}}
	if len(definition.Ask) == 0 {
		return shown
	}
	form := ui.Form{
		Action: action, Hidden: []ui.Hidden{{Name: "service", Value: string(definition.Path)}},
		Buttons: ui.Buttons{{Text: r.Say("studio.try")}},
	}
	for _, question := range definition.Ask {
		form.Fields = append(form.Fields, r.Inputs(question.Definition, question.Name, typed, wrong, false)...)
		buttons, hidden := r.ListButtons(question.Definition, question.Name, typed)
		for i := range buttons {
			buttons[i].Value = question.Name + ":" + buttons[i].Value
		}
		if len(buttons) > 0 {
			form.Fields = append(form.Fields, buttons)
		}
		form.Hidden = append(form.Hidden, hidden...)
	}
	// A form of the page's own, so that what is wrong stands in the summary at its top, as for residents.
	return append(shown, ui.Heading{Text: r.Say("studio.as-form")}, ui.Paragraph{Text: r.Say("studio.as-form-text")}, form)
}

// mendFirst leads back to the errors that keep everything else from being computed.
func (o *open) mendFirst() ui.Component {
	if o.found.Pack != nil {
		return ui.Inset{Text: o.r.Say("studio.no-services")}
	}
	return ui.Inset{Text: o.r.Say("studio.mend-first")}
}

// examples shows what comes out of the examples, and how they cover the rules.
func (s *Studio) examples(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	shown := s.frame(o, "studio.examples")
	if len(o.found.Report.Services) == 0 {
		shown.Body = append(shown.Body, o.mendFirst())
	}
	shown.Body = append(shown.Body, results(o.r, o.found, func(path string, line int) string { return lineOf(o.draft.Pack, path, line) })...)
	return o.r.Render(w, http.StatusOK, shown)
}

// results shows a report; where leads to a line of a file, or is nil.
func results(r page.Reader, found pack.Examination, where func(path string, line int) string) (shown []ui.Component) {
	for _, one := range found.Report.Services {
		title := r.Service(one.Service)
		table := ui.Table{Caption: r.Say("studio.examples-of", "service", title), Columns: []ui.Column{
			{Text: r.Say("studio.example")}, {Text: r.Say("studio.result")}, {Text: r.Say("studio.came-out")},
		}}
		for _, example := range one.Examples {
			cell := ui.Cell{Text: example.Name}
			if path, line, ok := placeIn(example.Place); ok && where != nil {
				cell.Href = where(path, line)
			}
			tag := ui.Tag{Text: r.Say("studio.passes"), Tone: ui.Good}
			var came []string
			for _, one := range example.Failed {
				came = append(came, plain(pack.Said(one, locale.Tag(r.Language), r.Problem)))
			}
			if len(came) > 0 {
				tag = ui.Tag{Text: r.Say("studio.fails"), Tone: ui.Bad}
			}
			table.Rows = append(table.Rows, ui.TableRow{cell, {Status: &tag}, {Text: strings.Join(came, "; ")}})
		}
		shown = append(shown, table)
		if len(one.Coverage) == 0 {
			continue
		}
		cover := ui.Table{Caption: r.Say("studio.coverage-of", "service", title), Columns: []ui.Column{
			{Text: r.Say("studio.rule")}, {Text: r.Say("studio.met"), Number: true}, {Text: r.Say("studio.not-met"), Number: true}, {Text: r.Say("studio.unknown"), Number: true},
		}}
		number := func(n int) ui.Cell { return ui.Cell{Text: r.Words.Value(r.Language, int64(n))} }
		for _, rule := range one.Coverage {
			cover.Rows = append(cover.Rows, ui.TableRow{{Text: rule.Requirement}, number(rule.Met), number(rule.NotMet), number(rule.Unclear)})
		}
		shown = append(shown, cover)
	}
	return shown
}

// plain is what is said where a part cannot be marked as English.
func plain(said []pack.Piece) string {
	var text strings.Builder
	for _, piece := range said {
		text.WriteString(piece.Text)
	}
	return text.String()
}

// placeIn returns file and line of "youth/services/tools-subsidy.yaml:40:5", the file without its pack.
func placeIn(place string) (path string, line int, ok bool) {
	parts := strings.Split(place, ":")
	_, path, ok = strings.Cut(parts[0], "/")
	if !ok || len(parts) < 2 {
		return "", 0, false
	}
	for _, r := range parts[1] {
		if r < '0' || r > '9' {
			return "", 0, false
		}
		line = line*10 + int(r-'0')
	}
	return path, line, true
}

// difference shows what the draft changes of what is in force.
func (s *Studio) difference(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	shown := s.frame(o, "studio.difference")
	shown.Body = append(shown.Body, o.goOn()...)
	shown.Body = append(shown.Body, differences(o.r, o.base.Files, o.draft.Files, func(path string, line int) string {
		if _, there := o.draft.Files[path]; !there {
			return ""
		}
		return lineOf(o.draft.Pack, path, line)
	})...)
	return o.r.Render(w, http.StatusOK, shown)
}

// differences shows two states of a pack beside each other: by meaning, then by line.
func differences(r page.Reader, before, after publication.Bundle, where func(path string, line int) string) []ui.Component {
	table := ui.Table{
		Caption: r.Say("studio.by-meaning"), Empty: r.Say("studio.no-difference"),
		Columns: []ui.Column{{Text: r.Say("studio.what")}, {Text: r.Say("studio.before")}, {Text: r.Say("studio.after")}, {Text: r.Say("studio.where")}},
	}
	for _, one := range pack.Difference(before, after) {
		place := ui.Cell{Text: one.File}
		if one.Part != pack.PartFile {
			place.Text += ", " + r.Say("studio.line", "line", one.Line)
		}
		if where != nil && one.After != "" {
			place.Href = where(one.File, one.Line)
		}
		table.Rows = append(table.Rows, ui.TableRow{{Text: what(r, one)}, {Text: orNothing(r, one.Before)}, {Text: orNothing(r, one.After)}, place})
	}
	shown := []ui.Component{table}
	all := publication.Bundle{}
	maps.Copy(all, before)
	maps.Copy(all, after)
	var byLine []ui.Component
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if changed := compared(r, path, before[path], after[path]); len(changed) > 0 {
			byLine = append(byLine, lines{path, changed})
		}
	}
	if len(byLine) > 0 {
		shown = append(shown, ui.Heading{Text: r.Say("studio.by-line")})
		shown = append(shown, byLine...)
	}
	return shown
}

// what says what a change is about: "Rule age – otherwise".
func what(r page.Reader, one pack.Change) string {
	text := r.Say("part." + string(one.Part))
	if one.Name != "" {
		text += " " + one.Name
	}
	if one.Key != "" {
		text += " – " + one.Key
	}
	return text
}

func orNothing(r page.Reader, text string) string {
	if text == "" {
		return r.Say("studio.nothing")
	}
	return text
}
