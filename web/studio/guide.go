package studio

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/publication"
	"yagona/kernel/wording"
	"yagona/locale"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

// The forms of this file change a pack for who writes no YAML: a question, the words of a refusal, a translation.

// guided returns a guide through the draft.
func (o *open) guided() (*pack.Guide, error) {
	var written []string
	for _, tag := range o.r.Words.Profile.Languages {
		if _, derived := locale.Tag(tag).DerivedFrom(); !derived {
			written = append(written, tag)
		}
	}
	return pack.NewGuide(o.draft.Files, written)
}

func guidePath(name string) string { return packPath(name) + "/guide" }

func translationsPath(name, language string) string {
	return packPath(name) + "/translations?language=" + language
}

// serviceFile returns the file of a service as its name stands in an address.
func serviceFile(name string) string { return "services/" + name + ".yaml" }

func serviceName(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(path, "services/"), ".yaml")
}

// guide lists the questions and the refusals of a service, each with a way to change it.
func (s *Studio) guide(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	r, shown := o.r, s.frame(o, "studio.guide")
	guide, err := o.guided()
	if err != nil {
		shown.Body = append(shown.Body, ui.Warning{Text: r.Problem(fault.Of(err))})
		return r.Render(w, http.StatusOK, shown)
	}
	files := guide.ServiceFiles()
	if len(files) == 0 {
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("studio.no-services")})
		return r.Render(w, http.StatusOK, shown)
	}
	shown.Body = append(shown.Body, ui.Paragraph{Text: r.Say("studio.guide-lead")})
	chosen := serviceFile(req.URL.Query().Get("service"))
	if !slices.Contains(files, chosen) {
		chosen = files[0]
	}
	if len(files) > 1 {
		choose := ui.Select{Question: ui.Question{Name: "service", Label: r.Say("studio.service")}}
		for _, path := range files {
			choose.Options = append(choose.Options, ui.Option{Value: serviceName(path), Label: o.calls(path), Checked: path == chosen})
		}
		shown.Body = append(shown.Body, ui.Filter{Action: guidePath(o.draft.Pack), Fields: []ui.Component{choose}})
	}
	questions, err := guide.Questions(chosen)
	if err != nil {
		shown.Body = append(shown.Body, ui.Warning{Text: r.Problem(fault.Of(err))}, ui.Buttons{{Text: o.calls(chosen), Href: filePath(o.draft.Pack, chosen), Quiet: true}})
		return r.Render(w, http.StatusOK, shown)
	}
	refusals, err := guide.Refusals(chosen)
	if err != nil {
		return err
	}
	at := guidePath(o.draft.Pack) + "/" + serviceName(chosen)
	shown.Body = append(shown.Body, ui.Heading{Text: r.Say("studio.questions")})
	list := ui.SummaryList{Under: true}
	for _, one := range questions {
		label := guide.In(one.Label, r.Language)
		kind := r.Say("answer-kind.group")
		if one.Type != "" {
			kind = r.SayIf("answer-kind."+one.Type, one.Type)
		}
		if !one.Required {
			kind += ", " + r.Say("field.optional")
		}
		list.Rows = append(list.Rows, ui.SummaryRow{
			Term: label, Values: []string{kind}, Change: &ui.Link{Text: r.Say("actions.change"), Href: at + "/questions/" + one.Name, About: label},
		})
	}
	if len(list.Rows) > 0 {
		shown.Body = append(shown.Body, list)
	} else {
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("studio.no-questions")})
	}
	shown.Body = append(shown.Body, ui.Buttons{{Text: r.Say("studio.add-question"), Href: at + "/new-question", Quiet: true}}, ui.Heading{Text: r.Say("studio.refusals")})
	list = ui.SummaryList{Under: true}
	for _, one := range refusals {
		list.Rows = append(list.Rows, ui.SummaryRow{
			Term: one.ID, Values: []string{guide.In(one.Text, r.Language)},
			Change: &ui.Link{Text: r.Say("actions.change"), Href: at + "/refusals/" + one.ID, About: one.ID},
		})
	}
	if len(list.Rows) > 0 {
		shown.Body = append(shown.Body, list)
	} else {
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("studio.no-refusals")})
	}
	return r.Render(w, http.StatusOK, shown)
}

// guiding is one thing that is changed through a form: its inputs, what stood in them, and how they are kept.
type guiding struct {
	title, hint string
	caption     string
	back        string
	before      []ui.Component     // what is said above the form
	after       []ui.Component     // what else can be done, below it
	fields      []field.Definition // the inputs
	typed       page.Typed         // what stands in the file
	fits        bool               // it has translations that may still fit
	seen        string             // which state that is: who saves has seen it

	file string   // whose errors concern it
	at   []string // where it stands there
	// input returns the input in which a line of the file is changed, by the keys that lead to it.
	input func(keys []string, typed page.Typed) string
	keep  func(g *pack.Guide, typed page.Typed, values map[string]any) error
	done  string // where it leads then
}

// seenOf returns by what a state is known that somebody saw.
func seenOf(what any) string {
	encoded, err := json.Marshal(what)
	if err != nil {
		panic(err) // texts are always encoded
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}

// glance returns the draft without examining it, which takes longer the more packs there are. Only texts to translate are
// not known without.
func (s *Studio) glance(req *http.Request, v route.Visitor) (*open, error) {
	if req.PathValue("key") != "" {
		return s.look(req, v)
	}
	draft, err := s.Drafting.Draft(req.Context(), v.Actor, req.PathValue("pack"))
	if err != nil {
		return nil, err
	}
	return &open{r: s.Shared.For(v), draft: draft}, nil
}

// formOf makes the form of a request over what a draft holds.
type formOf func(*open, *http.Request, *pack.Guide) (guiding, error)

// formOver opens the draft of a request, and makes the form.
func (s *Studio) formOver(req *http.Request, v route.Visitor, from formOf) (*open, *pack.Guide, guiding, error) {
	o, err := s.glance(req, v)
	if err != nil {
		return nil, nil, guiding{}, err
	}
	guide, err := o.guided()
	if err != nil {
		return nil, nil, guiding{}, err
	}
	form, err := from(o, req, guide)
	form.caption = s.titleOf(o.r, o.draft.Pack)
	return o, guide, form, err
}

// guideForm shows a form.
func (s *Studio) guideForm(from formOf) route.Handler {
	return func(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
		o, _, form, err := s.formOver(req, v, from)
		if err != nil {
			return err
		}
		typed := form.typed
		if v.Typed != nil { // a list may have grown
			typed = v.Typed
		}
		return o.showGuiding(w, http.StatusOK, form, typed, nil, nil)
	}
}

// guideSave keeps what was typed into a form. What the checker would refuse of it is told at its input and not kept; what
// a colleague changed meanwhile is not written over unseen.
func (s *Studio) guideSave(from formOf) route.Handler {
	return func(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
		o, guide, form, err := s.formOver(req, v, from)
		if err != nil {
			return err
		}
		typed, values, wrong := req.PostForm, map[string]any{}, page.Wrong{}
		for _, one := range form.fields {
			if page.Resize(typed, one.Name, one, typed.Get("do")) {
				return o.showGuiding(w, http.StatusOK, form, typed, nil, nil)
			}
		}
		for _, one := range form.fields {
			value, problems := o.r.Parse(typed, one.Name, one)
			wrong.Add("", problems)
			values[one.Name] = value
		}
		if len(wrong) > 0 {
			return o.showGuiding(w, http.StatusUnprocessableEntity, form, typed, wrong, nil)
		}
		if seen := req.PostForm.Get("seen"); seen != form.seen {
			form.before = append([]ui.Component{ui.Warning{Text: o.r.Say("studio.guide-conflict")}, o.saved(form)}, form.before...)
			return o.showGuiding(w, http.StatusConflict, form, typed, nil, nil)
		}
		if err := form.keep(guide, typed, values); err != nil {
			f := fault.Of(err)
			if f.Kind != fault.Invalid && f.Kind != fault.Conflict {
				return err
			}
			return o.showGuiding(w, f.Kind.Status(), form, typed, page.Wrong{f.Field: f}, nil)
		}
		changed := guide.Changed()
		if len(changed) == 0 {
			return route.Redirect(w, req, form.done)
		}
		after := o.draft
		after.Files = maps.Clone(o.draft.Files)
		maps.Copy(after.Files, changed)
		then, err := s.examined(req.Context(), v, after)
		if err != nil {
			return err
		}
		if then.found.Problems.Failed() {
			if o, err = s.examined(req.Context(), v, o.draft); err != nil {
				return err
			}
			if wrong, found := newProblems(o, then, guide, form, typed); len(found) > 0 {
				return then.showGuiding(w, http.StatusUnprocessableEntity, form, typed, wrong, found)
			}
		}
		_, err = s.Drafting.WriteFiles(req.Context(), v.Actor, o.draft.Pack, o.draft.Revision, publication.Bundle(changed))
		if fault.Code(err) == "draft.changed" {
			form.before = append([]ui.Component{ui.Warning{Text: o.r.Problem(fault.Of(err))}}, form.before...)
			return o.showGuiding(w, http.StatusConflict, form, typed, nil, nil)
		}
		if err != nil {
			return err
		}
		return route.Redirect(w, req, form.done)
	}
}

// saved shows what stands in the file, to who typed something else.
func (o *open) saved(form guiding) ui.Component {
	list := ui.SummaryList{Title: o.r.Say("studio.guide-saved")}
	for _, one := range form.fields {
		if value := form.typed.Get(one.Name); value != "" && one.Kind != field.List {
			list.Rows = append(list.Rows, ui.SummaryRow{Term: o.r.In(one.Label), Values: []string{value}})
		}
	}
	return list
}

// newProblems returns the errors that a change makes where it is made, and the input of each.
func newProblems(before, after *open, guide *pack.Guide, form guiding, typed page.Typed) (wrong page.Wrong, found pack.Problems) {
	wrong = page.Wrong{}
	at := form.at
	if len(at) > 0 && at[len(at)-1] == "" { // of a question that is new
		at = append(slices.Clone(at[:len(at)-1]), strings.TrimSpace(typed.Get("name")))
	}
	for _, one := range raised(before, after, form.file) {
		if keys, inside := guide.Inside(form.file, at, one.Line); inside {
			wrong[form.input(keys, typed)] = errChecked
			found = append(found, one)
		}
	}
	return wrong, found
}

var errChecked = fault.New(fault.Invalid, "draft.checked", "This cannot stand so. What is wrong with it is said above the form.")

func (o *open) showGuiding(w http.ResponseWriter, status int, form guiding, typed page.Typed, wrong page.Wrong, found pack.Problems) error {
	r := o.r
	shown := ui.Page{Title: form.title, Caption: form.caption, Lead: form.hint, Back: &ui.Link{Text: r.Say("studio.guide"), Href: form.back}}
	if f := wrong[""]; f != nil {
		shown.Body = append(shown.Body, ui.Warning{Text: r.Problem(f)})
	}
	if len(found) > 0 {
		said := problems{Title: r.Say("studio.problems", "count", len(found)), Wrong: true}
		for _, one := range found {
			where := r.Say("studio.place", "line", one.Line, "column", one.Column)
			said.Items = append(said.Items, shownProblem(r, one, where, lineOf(o.draft.Pack, form.file, one.Line), o.draft.Files[form.file]))
		}
		shown.Body = append(shown.Body, said)
	}
	shown.Body = append(shown.Body, form.before...)
	// Saving is the first of the buttons: it is what the key Enter does.
	asked := ui.Form{Hidden: []ui.Hidden{{Name: "seen", Value: form.seen}}, Buttons: ui.Buttons{{Text: r.Say("studio.save")}}}
	fits := ui.Choice{
		Question: ui.Question{Name: "fits", Label: r.Say("studio.fits"), Hint: r.Say("studio.fits-hint")}, Several: true,
		Options: []ui.Option{{Value: "true", Label: r.Say("studio.fits-yes"), Checked: typed.Get("fits") == "true"}},
	}
	for _, one := range form.fields {
		asked.Fields = append(asked.Fields, r.Inputs(one, one.Name, typed, wrong, false)...)
		if one.Kind == field.List {
			if f := wrong[one.Name]; f != nil {
				asked.Fields = append(asked.Fields, ui.Warning{Text: r.Problem(f)})
			}
			buttons, hidden := r.ListButtons(one, one.Name, typed)
			asked.Buttons, asked.Hidden = append(asked.Buttons, buttons...), append(asked.Hidden, hidden...)
		}
	}
	if form.fits {
		asked.Fields = append(asked.Fields, fits)
	}
	shown.Body = append(append(shown.Body, asked), form.after...)
	return r.Render(w, status, shown)
}

// change is what is done with a question as a whole.
type change func(g *pack.Guide, file, question, what string) error

func move(g *pack.Guide, file, question, what string) error {
	return g.MoveQuestion(file, question, what == "down")
}

func removal(g *pack.Guide, file, question, _ string) error {
	return g.RemoveQuestion(file, question)
}

// guideChange changes a question as a whole. What the checker would refuse then is told, and nothing is changed.
func (s *Studio) guideChange(with change) route.Handler {
	return func(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
		o, guide, form, err := s.formOver(req, v, question)
		if err != nil {
			return err
		}
		if err := with(guide, form.file, req.PathValue("question"), req.PostForm.Get("do")); err != nil {
			return err
		}
		if len(guide.Changed()) == 0 {
			return route.Redirect(w, req, form.done)
		}
		after := o.draft
		after.Files = maps.Clone(o.draft.Files)
		maps.Copy(after.Files, guide.Changed())
		then, err := s.examined(req.Context(), v, after)
		if err != nil {
			return err
		}
		if then.found.Problems.Failed() {
			before, err := s.examined(req.Context(), v, o.draft)
			if err != nil {
				return err
			}
			if found := raised(before, then, form.file); len(found) > 0 {
				form.before = append([]ui.Component{ui.Warning{Text: o.r.Say("studio.question-needed")}}, form.before...)
				return then.showGuiding(w, http.StatusUnprocessableEntity, form, form.typed, nil, found)
			}
		}
		_, err = s.Drafting.WriteFiles(req.Context(), v.Actor, o.draft.Pack, o.draft.Revision, publication.Bundle(guide.Changed()))
		if err != nil {
			return err
		}
		return route.Redirect(w, req, form.done)
	}
}

// raised returns the errors of a file that were not there before.
func raised(before, after *open, file string) (found pack.Problems) {
	known := map[string]bool{}
	for _, one := range before.found.Problems {
		known[one.File+one.Message.String()+one.Hint.String()] = true
	}
	here, _ := problemsOf(after.found, after.draft.Pack, file)
	for _, one := range here {
		if !one.Warning && !known[one.File+one.Message.String()+one.Hint.String()] {
			found = append(found, one)
		}
	}
	return found
}

// Limits of the texts of forms, in characters.
var (
	textLimit   = int64(200)
	longLimit   = int64(2000)
	optionLimit = int64(40)
)

// questionName is what a question can be called; the checker says the same.
var questionName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)

// say is a text of the catalogue as a definition has it.
func say(r page.Reader, key string, variables ...any) wording.Text {
	return wording.Text{r.Language: r.Say(key, variables...)}
}

// languageName returns what a language is called in itself.
func languageName(r page.Reader, tag string) string {
	return r.Words.Text(locale.Tag(tag), "language."+tag, nil)
}

// in returns the name of the input for a text in a language.
func in(name, tag string) string { return name + "-" + tag }

// words returns the inputs of a text in all languages; the one in which the pack is written comes first.
func words(r page.Reader, g *pack.Guide, name, key string, d field.Definition, optional bool) (fields []field.Definition) {
	for _, tag := range append([]string{g.Source}, g.Languages...) {
		one := d
		one.Name, one.Label = in(name, tag), say(r, key, "language", languageName(r, tag))
		one.Optional = optional || tag != g.Source
		fields = append(fields, one)
	}
	return fields
}

// fill writes a text into its inputs.
func fill(g *pack.Guide, typed page.Typed, name string, text pack.Words) {
	for _, tag := range append([]string{g.Source}, g.Languages...) {
		typed.Set(in(name, tag), text[tag])
	}
}

// typedWords returns a text as it was typed, without the ends of its lines.
func typedWords(g *pack.Guide, typed page.Typed, name string) pack.Words {
	text := pack.Words{}
	for _, tag := range append([]string{g.Source}, g.Languages...) {
		text[tag] = strings.Join(strings.Fields(typed.Get(in(name, tag))), " ")
	}
	return text
}

// question is the form of a question that stands in the draft.
func question(o *open, req *http.Request, g *pack.Guide) (guiding, error) {
	q, err := g.Question(serviceFile(req.PathValue("service")), req.PathValue("question"))
	if err != nil {
		return guiding{}, err
	}
	form := questionForm(o, req, g, q, false)
	form.title = o.r.Say("studio.change-question")
	form.hint = g.In(q.Label, o.r.Language)
	at := guidePath(o.draft.Pack) + "/" + req.PathValue("service") + "/questions/" + q.Name
	form.after = []ui.Component{
		ui.Heading{Text: o.r.Say("studio.question-place")},
		ui.Form{Action: at + "/move", Buttons: ui.Buttons{
			{Text: o.r.Say("studio.question-up"), Name: "do", Value: "up", Quiet: true}, {Text: o.r.Say("studio.question-down"), Name: "do", Value: "down", Quiet: true},
		}},
		ui.Details{Summary: o.r.Say("studio.remove-question"), Body: []ui.Component{
			ui.Paragraph{Text: o.r.Say("studio.remove-question-text")},
			ui.Form{Action: at + "/remove", Buttons: ui.Buttons{{Text: o.r.Say("studio.remove-question"), Warning: true}}},
		}},
	}
	return form, nil
}

// newQuestion is the form of one more.
func newQuestion(o *open, req *http.Request, g *pack.Guide) (guiding, error) {
	if _, err := g.Questions(serviceFile(req.PathValue("service"))); err != nil {
		return guiding{}, err
	}
	form := questionForm(o, req, g, pack.GuidedQuestion{Type: string(field.Text), Required: true}, true)
	form.title = o.r.Say("studio.add-question")
	form.hint = o.r.Say("studio.new-question-lead")
	return form, nil
}

// unasked are kinds of field that nobody is asked for in a form.
var unasked = []field.Kind{field.List, field.Person, field.Organisation, field.Household}

func questionForm(o *open, req *http.Request, g *pack.Guide, q pack.GuidedQuestion, isNew bool) guiding {
	r, service := o.r, req.PathValue("service")
	group := q.Type == "" && !isNew
	form := guiding{
		back: guidePath(o.draft.Pack) + "?service=" + service, typed: page.Typed{}, seen: seenOf(q), fits: !isNew, file: serviceFile(service),
		at: []string{"ask", q.Name}, input: questionInput(g), done: guidePath(o.draft.Pack) + "?service=" + service,
	}
	if isNew {
		form.fields = append(form.fields, field.Definition{
			Name: "name", Kind: field.Text, Label: say(r, "studio.question-name"), Hint: say(r, "studio.question-name-hint"), Max: &optionLimit,
		})
	}
	form.fields = append(form.fields, words(r, g, "label", "studio.question-label", field.Definition{Kind: field.Text, Max: &textLimit}, false)...)
	form.fields = append(form.fields, words(r, g, "hint", "studio.question-hint", field.Definition{Kind: field.Text, Max: &textLimit}, true)...)
	if !group {
		kind := field.Definition{Name: "type", Kind: field.Choice, Label: say(r, "studio.question-type")}
		for _, one := range field.Kinds {
			if !slices.Contains(unasked, one) || string(one) == q.Type {
				kind.Options = append(kind.Options, field.Option{Value: string(one), Label: say(r, "answer-kind."+string(one))})
			}
		}
		form.fields = append(form.fields, kind)
	}
	form.fields = append(form.fields, field.Definition{Name: "required", Kind: field.Bool, Label: say(r, "studio.question-required")})
	form.fields = append(form.fields, words(r, g, "why", "studio.question-why", field.Definition{
		Kind: field.Text, Max: &textLimit, Hint: say(r, "studio.question-why-hint"),
	}, q.Term != "")...)
	if !group {
		form.fields = append(form.fields, options(r, g))
	}
	typed := form.typed
	typed.Set("name", q.Name)
	fill(g, typed, "label", q.Label)
	fill(g, typed, "hint", q.Hint)
	fill(g, typed, "why", q.Why)
	typed.Set("type", q.Type)
	typed.Set("required", strconv.FormatBool(q.Required))
	typed.Set("options", strconv.Itoa(len(q.Options)))
	for i, option := range q.Options {
		at := "options[" + strconv.Itoa(i) + "]."
		typed.Set(at+"value", option.Value)
		fill(g, typed, at+"label", option.Label)
	}
	form.keep = func(g *pack.Guide, typed page.Typed, values map[string]any) error {
		made := q
		if isNew {
			made.Name, _ = values["name"].(string)
			if !questionName.MatchString(made.Name) {
				return g.SetQuestion(form.file, made, true, false) // says what is wrong
			}
		}
		made.Label, made.Hint, made.Why = typedWords(g, typed, "label"), typedWords(g, typed, "hint"), typedWords(g, typed, "why")
		made.Required = values["required"] == true
		if !group {
			made.Type, _ = values["type"].(string)
			made.Options = nil
			list, _ := values["options"].([]any)
			for i := range list {
				at := "options[" + strconv.Itoa(i) + "]."
				made.Options = append(made.Options, pack.GuidedOption{Value: strings.TrimSpace(typed.Get(at + "value")), Label: typedWords(g, typed, at+"label")})
			}
		}
		return g.SetQuestion(form.file, made, isNew, typed.Get("fits") == "true")
	}
	return form
}

// options are the answers to a choice: each a short name and its words.
func options(r page.Reader, g *pack.Guide) field.Definition {
	most := int64(50)
	list := field.Definition{
		Name: "options", Kind: field.List, Label: say(r, "studio.question-options"), Optional: true, Max: &most,
		Fields: []field.Definition{{Name: "value", Kind: field.Text, Label: say(r, "studio.option-name"), Max: &optionLimit}},
	}
	list.Fields = append(list.Fields, words(r, g, "label", "studio.option-label", field.Definition{Kind: field.Text, Max: &textLimit}, false)...)
	return list
}

// questionInput says in which input the keys of a question are changed.
func questionInput(g *pack.Guide) func([]string, page.Typed) string {
	return func(keys []string, typed page.Typed) string {
		if len(keys) == 0 {
			return in("label", g.Source)
		}
		switch keys[0] {
		case "label", "hint":
			return in(keys[0], g.Source)
		case "only-applicant", "term":
			return in("why", g.Source)
		case "optional":
			return "required"
		case "options":
			if len(keys) > 1 {
				count, _ := strconv.Atoi(typed.Get("options")) // of no number: none
				for i := range count {
					if at := "options[" + strconv.Itoa(i) + "]."; typed.Get(at+"value") == keys[1] {
						return in(at+"label", g.Source)
					}
				}
			}
			return "options"
		}
		return "type"
	}
}

// refusal is the form of what a rule says to whom it refuses.
func refusal(o *open, req *http.Request, g *pack.Guide) (guiding, error) {
	r, service, id := o.r, req.PathValue("service"), req.PathValue("rule")
	all, err := g.Refusals(serviceFile(service))
	if err != nil {
		return guiding{}, err
	}
	at := slices.IndexFunc(all, func(one pack.GuidedRefusal) bool { return one.ID == id })
	if at < 0 {
		return guiding{}, pack.ErrNoRule
	}
	one, file := all[at], serviceFile(service)
	form := guiding{
		title: r.Say("studio.change-refusal"), hint: r.Say("studio.refusal-lead"), back: guidePath(o.draft.Pack) + "?service=" + service, typed: page.Typed{},
		before: []ui.Component{ui.Paragraph{Text: r.Say("studio.refusal-rule")}, ui.Code{Text: one.Rule}},
		fields: words(r, g, "text", "studio.refusal-text", field.Definition{Kind: field.LongText, Max: &longLimit}, false),
		seen:   seenOf(one), fits: true, file: file, at: []string{"require", id}, input: func([]string, page.Typed) string { return in("text", g.Source) },
		done: guidePath(o.draft.Pack) + "?service=" + service,
	}
	fill(g, form.typed, "text", one.Text)
	form.keep = func(g *pack.Guide, typed page.Typed, _ map[string]any) error {
		return g.SetRefusal(file, id, typedWords(g, typed, "text"), typed.Get("fits") == "true")
	}
	return form, nil
}

// textsPerPage are how many texts a page of translations shows.
const textsPerPage = 50

// translations lists the texts of the pack in a language, those first that are to be translated.
func (s *Studio) translations(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	o, err := s.look(req, v)
	if err != nil {
		return err
	}
	r, shown := o.r, s.frame(o, "studio.translations")
	if o.found.Pack == nil {
		shown.Body = append(shown.Body, ui.Inset{Text: r.Say("studio.mend-first")})
		return r.Render(w, http.StatusOK, shown)
	}
	guide, err := o.guided()
	if err != nil {
		return err
	}
	language := req.URL.Query().Get("language")
	if !slices.Contains(guide.Languages, language) {
		language = guide.Languages[0]
		if slices.Contains(guide.Languages, r.Language) {
			language = r.Language
		}
	}
	choose := ui.Select{Question: ui.Question{Name: "language", Label: r.Say("studio.translate-into")}}
	for _, tag := range guide.Languages {
		choose.Options = append(choose.Options, ui.Option{Value: tag, Label: languageName(r, tag), Checked: tag == language})
	}
	shown.Body = append(shown.Body, ui.Paragraph{Text: r.Say("studio.translations-lead")}, ui.Filter{Action: packPath(o.draft.Pack) + "/translations", Fields: []ui.Component{choose}})
	table := ui.Table{Caption: r.Say("studio.texts"), Columns: []ui.Column{{Text: r.Say("studio.text-source"), Prose: true}, {Text: r.Say("studio.text-translation"), Prose: true}, {Text: r.Say("studio.state")}}}
	var waiting, done []ui.TableRow
	for _, text := range o.found.Pack.Texts {
		words, states, err := guide.Translations(text)
		if err != nil {
			return err
		}
		tag := ui.Tag{Text: r.Say("translation." + string(states[language])), Tone: ui.Wait}
		if states[language] == pack.Translated {
			tag.Tone = ui.Good
		}
		row := ui.TableRow{{Text: text.Source, Href: packPath(o.draft.Pack) + "/translations/" + text.Key + "?language=" + language}, {Text: words[language]}, {Status: &tag}}
		if states[language] == pack.Translated {
			done = append(done, row)
		} else {
			waiting = append(waiting, row)
		}
	}
	rows := append(waiting, done...)
	from, err := strconv.Atoi(req.URL.Query().Get("from"))
	if err != nil || from < 0 || from >= len(rows) {
		from = 0
	}
	to := min(from+textsPerPage, len(rows))
	table.Rows, table.Pages = rows[from:to], &ui.Pagination{From: from + 1, To: to, Of: len(rows)}
	if from > 0 {
		table.Pages.Previous = translationsPath(o.draft.Pack, language) + "&from=" + strconv.Itoa(max(0, from-textsPerPage))
	}
	if to < len(rows) {
		table.Pages.Next = translationsPath(o.draft.Pack, language) + "&from=" + strconv.Itoa(to)
	}
	shown.Body = append(shown.Body, table)
	return r.Render(w, http.StatusOK, shown)
}

// translation is the form of the translations of one text.
func translation(o *open, req *http.Request, g *pack.Guide) (guiding, error) {
	r, key := o.r, req.PathValue("key")
	if o.found.Pack == nil {
		return guiding{}, pack.ErrNoText
	}
	at := slices.IndexFunc(o.found.Pack.Texts, func(one pack.Text) bool { return one.Key == key })
	if at < 0 {
		return guiding{}, pack.ErrNoText
	}
	text := o.found.Pack.Texts[at]
	given, states, err := g.Translations(text)
	if err != nil {
		return guiding{}, err
	}
	language := req.URL.Query().Get("language")
	if !slices.Contains(g.Languages, language) {
		language = g.Languages[0]
	}
	form := guiding{
		title: r.Say("studio.translate"), hint: r.Say("studio.translate-lead"), back: translationsPath(o.draft.Pack, language), typed: page.Typed{},
		before: []ui.Component{ui.SummaryList{Rows: []ui.SummaryRow{{Term: r.Say("studio.text-source"), Values: []string{text.Source}}}}},
		seen:   seenOf([]any{text, given, states}), done: translationsPath(o.draft.Pack, language),
	}
	kind := field.Definition{Kind: field.Text, Max: &textLimit}
	if len([]rune(text.Source)) > 80 {
		kind = field.Definition{Kind: field.LongText, Max: &longLimit}
	}
	for _, one := range words(r, g, "text", "studio.translation", kind, true)[1:] {
		if tag := strings.TrimPrefix(one.Name, "text-"); states[tag] == pack.Stale {
			one.Hint = say(r, "studio.translation-stale")
		}
		form.fields = append(form.fields, one)
	}
	fill(g, form.typed, "text", given)
	form.keep = func(g *pack.Guide, typed page.Typed, _ map[string]any) error {
		return g.SetTranslations(text, typedWords(g, typed, "text"))
	}
	return form, nil
}
