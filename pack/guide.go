package pack

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/rules"
)

// Words are one text by language.
type Words map[string]string

// Guide changes the files of a pack as forms do, for authors who write no YAML: a question, the words of a refusal, a
// translation. What is not changed stays as it was written, with its comments and in its order. A translation carries the
// hash of the text that it translates without anybody writing it; one that was left as it is when its text changed is
// stale, unless its author says that it still fits.
type Guide struct {
	files   map[string][]byte
	changed map[string][]byte
	open    map[string]*revision // those that were read, as they are now
	// Source is the language in which the pack is written, Languages are those into which it is translated by hand.
	Source    string
	Languages []string
}

// GuidedQuestion is a question of a service as a form shows it.
type GuidedQuestion struct {
	Name     string
	Type     string // "": of a group, whose questions are several
	Label    Words
	Hint     Words
	Why      Words // no register can know it
	Term     string
	Required bool
	Options  []GuidedOption
}

// GuidedOption is one of the answers to a choice.
type GuidedOption struct {
	Value string
	Label Words
}

// GuidedRefusal is what a rule says to whom it refuses.
type GuidedRefusal struct {
	ID, Rule string
	Text     Words
}

// Translation is the state of a text in a language.
type Translation string

// The states of translations.
const (
	Translated   Translation = "translated"
	Stale        Translation = "stale" // the text has changed since
	Untranslated Translation = "missing"
)

// The faults of what is changed through forms.
var (
	errNoQuestion = fault.New(fault.NotFound, "draft.no-question", "The draft has no such question. It may have been removed; look at the list.")
	ErrNoRule     = fault.New(fault.NotFound, "draft.no-rule", "The draft has no such rule. It may have been removed; look at the list.")
	ErrNoText     = fault.New(fault.NotFound, "draft.no-text", "The draft has no such text. It may have been removed; look at the list.")
	errQuestion   = fault.New(fault.Invalid, "draft.question-name", "A question's name begins with a Latin letter and is made of letters and digits, like monthlyIncome.").At("name")
	errThere      = fault.New(fault.Conflict, "draft.question-there", "There is a question of this name. Choose another name, or change that question.").At("name")
	errOption     = fault.New(fault.Invalid, "draft.option-name", "A short name is lower-case Latin words joined by hyphens, like own-house, and each option has its own.")
	errNoOptions  = fault.New(fault.Invalid, "draft.no-options", "There is nothing to choose yet. Add the options.").At("options")
)

// NewGuide returns a guide through the files of a pack, by their paths. Languages are those in which every text of the
// country is written by hand. It fails if pack.yaml cannot be read.
func NewGuide(files map[string][]byte, languages []string) (*Guide, error) {
	main, err := revise(files["pack.yaml"])
	if err != nil {
		return nil, err
	}
	g := &Guide{files: files, changed: map[string][]byte{}, open: map[string]*revision{}, Source: textOf(main.value("language"))}
	if g.Source == "" {
		return nil, errUnreadable
	}
	for _, tag := range languages {
		if tag != g.Source {
			g.Languages = append(g.Languages, tag)
		}
	}
	return g, nil
}

// Changed returns the files that are different now.
func (g *Guide) Changed() map[string][]byte { return g.changed }

func (g *Guide) file(path string) (*revision, error) {
	if r := g.open[path]; r != nil {
		return r, nil
	}
	content, ok := g.files[path]
	if !ok {
		return nil, ErrNoText
	}
	r, err := revise(content)
	if err == nil {
		g.open[path] = r
	}
	return r, err
}

func (g *Guide) keep(path string, r *revision) {
	if content := r.content(); string(content) != string(g.files[path]) {
		g.changed[path] = content
	} else {
		delete(g.changed, path)
	}
}

// textOf returns a text without the spaces of its lines.
func textOf(n *node) string {
	if n == nil || n.kind != scalar {
		return ""
	}
	return strings.Join(strings.Fields(n.text), " ")
}

// keyOf returns the key of a service's texts.
func keyOf(r *revision) string { return "services." + textOf(r.value("service")) }

// words returns a text and its translations. The second result are the languages whose translation is stale.
func (g *Guide) words(key, source string) (Words, error) {
	words := Words{g.Source: source}
	for _, tag := range g.Languages {
		r, err := g.file(localePath(tag))
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		words[tag] = textOf(r.value("texts", key, "text"))
	}
	return words, nil
}

func localePath(tag string) string { return "locale/" + tag + ".yaml" }

// Questions returns the questions of a service's file, in their order.
func (g *Guide) Questions(path string) (questions []GuidedQuestion, err error) {
	r, err := g.file(path)
	if err != nil {
		return nil, err
	}
	if ask := r.value("ask"); ask != nil {
		for _, p := range ask.pairs {
			one, err := g.question(r, p)
			if err != nil {
				return nil, err
			}
			questions = append(questions, one)
		}
	}
	return questions, nil
}

// Question returns a question of a service's file, or fault.NotFound.
func (g *Guide) Question(path, name string) (GuidedQuestion, error) {
	r, err := g.file(path)
	if err != nil {
		return GuidedQuestion{}, err
	}
	if ask := r.value("ask"); ask != nil {
		for _, p := range ask.pairs {
			if p.key.text == name && p.value.kind == mapping {
				return g.question(r, p)
			}
		}
	}
	return GuidedQuestion{}, errNoQuestion
}

func (g *Guide) question(r *revision, p pair) (q GuidedQuestion, err error) {
	q = GuidedQuestion{
		Name: p.key.text, Type: textOf(p.value.find("type")), Term: textOf(p.value.find("term")), Required: textOf(p.value.find("optional")) != "true",
	}
	key := keyOf(r) + ".ask." + q.Name
	for _, one := range []struct {
		key  string
		into *Words
	}{{"label", &q.Label}, {"hint", &q.Hint}, {"only-applicant", &q.Why}} {
		if *one.into, err = g.words(key+"."+one.key, textOf(p.value.find(one.key))); err != nil {
			return q, err
		}
	}
	if options := p.value.find("options"); options != nil {
		for _, o := range options.pairs {
			label, err := g.words(key+".options."+o.key.text, optionText(o.value))
			if err != nil {
				return q, err
			}
			q.Options = append(q.Options, GuidedOption{o.key.text, label})
		}
	}
	return q, nil
}

// optionText returns the words of an option, which stand alone or under label.
func optionText(n *node) string {
	if n.kind == mapping {
		return textOf(n.find("label"))
	}
	return textOf(n)
}

// questionOrder is in which order the keys of a question stand that forms write.
var questionOrder = []string{"type", "label", "hint", "options", "optional", "only-applicant"}

// serviceOrder are the keys of a service before its questions.
var serviceOrder = []string{"service", "version", "from", "agency", "title", "summary", "for", "events", "legal"}

// SetQuestion writes a question into a service's file; one that is new stands last. Fits says that the translations that
// were left as they are fit the new words. What is wrong is returned as field.Problems would be: by input.
func (g *Guide) SetQuestion(path string, q GuidedQuestion, isNew, fits bool) error {
	r, err := g.file(path)
	if err != nil {
		return err
	}
	at := []string{"ask", q.Name}
	was := r.value(at...)
	switch {
	case isNew && !rules.IsName(q.Name):
		return errQuestion
	case isNew && was != nil:
		return errThere
	case !isNew && (was == nil || was.kind != mapping):
		return errNoQuestion
	}
	if err := checkOptions(q); err != nil {
		return err
	}
	if isNew {
		if err := r.begin(q); err != nil {
			return err
		}
		was = r.value(at...)
	}
	group := was.find("repeat") != nil
	// What is written, by key; nil: the key is not there.
	written := map[string]*node{"type": given(q.Type), "label": given(q.Label[g.Source]), "hint": given(q.Hint[g.Source]), "only-applicant": given(q.Why[g.Source])}
	if !q.Required {
		written["optional"] = textNode("true")
	}
	if group {
		written["type"] = nil
	}
	previous := ""
	for _, key := range questionOrder {
		if key == "options" {
			err = r.putOptions(at, q, g.Source, previous)
		} else if written[key] == nil {
			err = r.remove(append(slices.Clone(at), key)...)
		} else {
			err = r.put(append(slices.Clone(at), key), written[key], cmp.Or(previous, was.pairs[0].key.text))
		}
		if err != nil {
			return err
		}
		if r.value(append(slices.Clone(at), key)...) != nil {
			previous = key
		}
	}
	g.keep(path, r)
	key := keyOf(r) + ".ask." + q.Name
	for suffix, words := range map[string]Words{"label": q.Label, "hint": q.Hint, "only-applicant": q.Why} {
		if err := g.translate(key+"."+suffix, words, fits); err != nil {
			return err
		}
	}
	left := map[string]Words{}
	if options := was.find("options"); options != nil {
		for _, o := range options.pairs {
			left[o.key.text] = Words{}
		}
	}
	for _, option := range q.Options {
		left[option.Value] = option.Label
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if err := g.translate(key+".options."+name, left[name], fits); err != nil {
			return err
		}
	}
	return nil
}

// asking returns a service's file and its questions, of which one has the name.
func (g *Guide) asking(path, name string) (r *revision, ask *node, err error) {
	if r, err = g.file(path); err != nil {
		return nil, nil, err
	}
	if ask = r.value("ask"); ask == nil || ask.find(name) == nil {
		return nil, nil, errNoQuestion
	}
	return r, ask, nil
}

// MoveQuestion lets a question be asked before the one above it, or with down after the one below it. At either end it
// stays where it is.
func (g *Guide) MoveQuestion(path, name string, down bool) error {
	r, ask, err := g.asking(path, name)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(ask.pairs, func(p pair) bool { return p.key.text == name })
	if !down {
		at--
	}
	if at < 0 || at+1 >= len(ask.pairs) {
		return nil
	}
	if err := r.swap([]string{"ask"}, ask.pairs[at].key.text, ask.pairs[at+1].key.text); err != nil {
		return err
	}
	g.keep(path, r)
	return nil
}

// RemoveQuestion takes a question away, with its translations and with the answers to it in the examples. Rules that
// speak of it stay: the checker then says where.
func (g *Guide) RemoveQuestion(path, name string) error {
	r, _, err := g.asking(path, name)
	if err != nil {
		return err
	}
	key := keyOf(r) + ".ask." + name
	if err := r.removeLast("ask", name); err != nil {
		return err
	}
	if examples := r.value("examples"); examples != nil {
		for i, one := range examples.items {
			if answers := one.find("ask"); answers != nil && answers.find(name) != nil {
				if err := r.removeLast("examples", itemName(i, one), "ask", name); err != nil {
					return err
				}
			}
		}
	}
	g.keep(path, r)
	for _, tag := range g.Languages {
		texts, err := g.file(localePath(tag))
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		all := texts.value("texts")
		if all == nil {
			continue
		}
		for _, p := range all.pairs {
			if strings.HasPrefix(p.key.text, key+".") {
				if err := texts.remove("texts", p.key.text); err != nil {
					return err
				}
			}
		}
		g.keep(localePath(tag), texts)
	}
	return nil
}

// removeLast takes a key away, and what it was in if it was the only one there.
func (r *revision) removeLast(path ...string) error {
	if in := r.value(path[:len(path)-1]...); in != nil && len(in.pairs) == 1 {
		path = path[:len(path)-1]
	}
	return r.remove(path...)
}

// begin writes a question that is new.
func (r *revision) begin(q GuidedQuestion) error {
	empty := &node{kind: mapping, pairs: []pair{{textNode("type"), textNode(q.Type)}}}
	if ask := r.value("ask"); ask != nil && len(ask.pairs) > 0 {
		return r.put([]string{"ask", q.Name}, empty, "")
	}
	after := ""
	for _, key := range serviceOrder {
		if r.root.find(key) != nil {
			after = key
		}
	}
	return r.put([]string{"ask"}, &node{kind: mapping, pairs: []pair{{textNode(q.Name), empty}}}, after)
}

// given is a text, nil if it is empty.
func given(text string) *node {
	if text == "" {
		return nil
	}
	return textNode(text)
}

// checkOptions refuses options that cannot be written down. Each fault names the input.
func checkOptions(q GuidedQuestion) error {
	seen := map[string]bool{}
	for i, option := range q.Options {
		if !ident.IsName(option.Value) || seen[option.Value] {
			return errOption.At("options[" + strconv.Itoa(i) + "].value")
		}
		seen[option.Value] = true
	}
	if q.Type == "choice" && len(q.Options) == 0 {
		return errNoOptions
	}
	return nil
}

// putOptions writes the options of a question, each where it stood; new ones come last.
func (r *revision) putOptions(at []string, q GuidedQuestion, source, after string) error {
	at = append(slices.Clone(at), "options")
	if q.Type != "choice" {
		return r.remove(at...)
	}
	if r.value(at...) == nil {
		all := &node{kind: mapping}
		for _, option := range q.Options {
			all.pairs = append(all.pairs, pair{textNode(option.Value), textNode(option.Label[source])})
		}
		return r.put(at, all, after)
	}
	wanted := map[string]bool{}
	for _, option := range q.Options {
		wanted[option.Value] = true
		one := append(slices.Clone(at), option.Value)
		if was := r.value(one...); was != nil && was.kind == mapping {
			one = append(one, "label")
		}
		if err := r.put(one, textNode(option.Label[source]), ""); err != nil {
			return err
		}
	}
	for _, p := range r.value(at...).pairs {
		if !wanted[p.key.text] {
			if err := r.remove(append(slices.Clone(at), p.key.text)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Refusals returns the rules of a service's file with what they say to whom they refuse.
func (g *Guide) Refusals(path string) (refusals []GuidedRefusal, err error) {
	r, err := g.file(path)
	if err != nil {
		return nil, err
	}
	list := r.value("require")
	if list == nil {
		return nil, nil
	}
	for _, one := range list.items {
		refusal := GuidedRefusal{ID: textOf(one.find("id")), Rule: textOf(one.find("that"))}
		if refusal.ID == "" {
			continue // it is reported where the file is shown
		}
		if refusal.Text, err = g.words(keyOf(r)+".require."+refusal.ID+".otherwise", textOf(one.find("otherwise"))); err != nil {
			return nil, err
		}
		refusals = append(refusals, refusal)
	}
	return refusals, nil
}

// SetRefusal writes what a rule says to whom it refuses.
func (g *Guide) SetRefusal(path, id string, words Words, fits bool) error {
	r, err := g.file(path)
	if err != nil {
		return err
	}
	if r.value("require", id) == nil {
		return ErrNoRule
	}
	if err := r.put([]string{"require", id, "otherwise"}, textNode(words[g.Source]), "that"); err != nil {
		return err
	}
	g.keep(path, r)
	return g.translate(keyOf(r)+".require."+id+".otherwise", words, fits)
}

// SetTranslations writes the translations of a text that stays as it is. Whoever saves them has seen it: they fit.
func (g *Guide) SetTranslations(text Text, words Words) error {
	all := maps.Clone(words)
	all[g.Source] = text.Source
	return g.translate(text.Key, all, true)
}

// Translations returns a text in all languages, and the state of each translation.
func (g *Guide) Translations(text Text) (Words, map[string]Translation, error) {
	words, err := g.words(text.Key, text.Source)
	if err != nil {
		return nil, nil, err
	}
	states := map[string]Translation{}
	for _, tag := range g.Languages {
		states[tag] = Untranslated
		if words[tag] == "" {
			continue
		}
		states[tag] = Translated
		r, err := g.file(localePath(tag))
		if err != nil {
			return nil, nil, err
		}
		if textOf(r.value("texts", text.Key, "source")) != text.Hash {
			states[tag] = Stale
		}
	}
	return words, states, nil
}

// translate writes the translations of a text, each with the hash of what it translates. A translation that is empty is
// taken away.
func (g *Guide) translate(key string, words Words, fits bool) error {
	hash := Hash(words[g.Source])
	for _, tag := range g.Languages {
		file, text := localePath(tag), strings.Join(strings.Fields(words[tag]), " ")
		r, err := g.file(file)
		if fault.Is(err, fault.NotFound) {
			if text == "" {
				continue
			}
			r, err = revise(NewFile(file, ""))
			g.open[file] = r
		}
		if err != nil {
			return err
		}
		was := r.value("texts", key)
		switch {
		case was == nil && text == "":
			continue
		case text == "" || words[g.Source] == "":
			err = r.remove("texts", key)
		case was != nil && textOf(was.find("text")) == text && (textOf(was.find("source")) == hash || !fits):
			continue
		default:
			err = r.put([]string{"texts", key}, &node{kind: mapping, flow: true, pairs: []pair{
				{textNode("source"), &node{text: hash, style: quoted}}, {textNode("text"), &node{text: text, style: quoted}},
			}}, nearest(r.value("texts"), key))
		}
		if err != nil {
			return err
		}
		g.keep(file, r)
	}
	return nil
}

// nearest returns the last of the keys that share the most with one that is new: there it is looked for.
func nearest(texts *node, key string) (found string) {
	if texts == nil {
		return ""
	}
	most, parts := 0, strings.Split(key, ".")
	for _, p := range texts.pairs {
		shared := 0
		for i, part := range strings.Split(p.key.text, ".") {
			if i >= len(parts) || parts[i] != part {
				break
			}
			shared++
		}
		if shared >= most {
			most, found = shared, p.key.text
		}
	}
	return found
}

// Inside returns the keys below a path of a file at which a line stands, the deepest last: what is wrong at the line is
// told at the input for it. It is nil if the line is elsewhere.
func (g *Guide) Inside(file string, at []string, line int) (keys []string, inside bool) {
	r, err := g.file(file)
	if err != nil {
		return nil, false
	}
	spots := r.find(at)
	if len(spots) != len(at) {
		return nil, false
	}
	s := spots[len(spots)-1]
	if line-1 < s.from || line-1 >= r.until(s) {
		return nil, false
	}
	for s.value.kind == mapping {
		deeper := false
		for _, p := range s.value.pairs {
			next := r.find(append(slices.Clone(at), append(slices.Clone(keys), p.key.text)...))
			if one := next[len(next)-1]; line-1 >= one.from && line-1 < one.to && p.key.at.line > s.from+1 {
				keys, s, deeper = append(keys, p.key.text), one, true
				break
			}
		}
		if !deeper {
			break
		}
	}
	return keys, true
}

// ServiceFiles returns the paths of the files that hold services, sorted, and the name of the service in each.
func (g *Guide) ServiceFiles() []string {
	var files []string
	for name := range g.files {
		if path.Dir(name) == "services" {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files
}

// In returns a text in the language, or as its author wrote it.
func (g *Guide) In(words Words, language string) string {
	return cmp.Or(words[language], words[g.Source])
}
