package pack

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/locale"
)

// serviceCompiler compiles one service.
type serviceCompiler struct {
	*compiler
	s           *source
	doc         *serviceFile
	d           *service.Definition
	key         string // of its texts: "services.tools-subsidy"
	environment *rules.Environment
	said        map[string]bool // what was said of the answers of examples: those that are alike have the same faults
}

func (c *compiler) compileService(s *source, from *sourceOf[serviceFile]) {
	doc := &from.doc
	if doc.Service.text == "" {
		return // reported as missing
	}
	sc := &serviceCompiler{
		compiler: c, said: map[string]bool{}, s: s, doc: doc, key: "services." + doc.Service.text,
		d: &service.Definition{
			Path: ident.Service(s.name + "/" + doc.Service.text), Number: int(doc.Version.value), From: doc.From.day,
			Agency: ident.Agency(doc.Agency.text),
		},
	}
	d := sc.d
	d.Title, d.Summary = s.texts.say(sc.key+".title", doc.Title), s.texts.say(sc.key+".summary", doc.Summary)
	for _, kind := range doc.For.list {
		d.For = append(d.For, string(kind.value))
	}
	c.applicant = applicantOf("person")
	if len(d.For) > 0 {
		c.applicant = applicantOf(d.For[0])
	}
	for _, event := range doc.Events {
		d.Events = append(d.Events, event.text)
	}
	sc.confidential()
	sc.legal()
	if doc.Version.given() && doc.Version.value < 1 && digits.MatchString(doc.Version.node.text) {
		c.fail(doc.Version.place(), "write 1 for the first version", "a version is counted from 1")
	}
	if legal := doc.node.find("legal"); legal != nil && len(doc.Legal) == 0 {
		c.fail(legal.at, "name the act, or write {act: …, status: illustrative}", "the service stands on no act")
	}
	c.checkAgency(s, doc.Agency)
	d.Params = s.compiled.Params
	sc.questions()
	sc.evidences()
	environment, err := d.Environment()
	if err != nil {
		return // a name is wrong, and reported
	}
	sc.environment = environment
	sc.notification()
	sc.requirements()
	sc.process()
	sc.outputs()
	sc.together()
	sc.fee()
	sc.start()
	sc.licence()
	sc.places()
	sc.every()
	sc.appeal()
	sc.keep()
	sc.params()
	sc.examples()
	sc.checkFee()
	d.Hash = hashOf(sc)
	s.compiled.Services = append(s.compiled.Services, d)
}

// confidential compiles whether a service keeps to itself that somebody asked for it, and refuses what would tell.
func (sc *serviceCompiler) confidential() {
	if !sc.doc.Confidential.value {
		return
	}
	sc.d.Confidential = true
	at := sc.doc.Confidential.place()
	for _, kind := range sc.doc.For.list {
		if kind.value != "person" {
			sc.fail(at, "write for: person, or remove confidential", "what a person asks for in confidence is asked for by no %s", kind.value)
		}
	}
	if sc.doc.Start.given() {
		sc.fail(at, "remove one of the two", "an offer tells whoever looks over a shoulder what a confidential service is about")
	}
	if sc.doc.Licence.given() {
		sc.fail(at, "remove one of the two", "a licence stands in an open list, and a confidential service tells nobody")
	}
}

// keep compiles how long closed cases stay at hand.
func (sc *serviceCompiler) keep() {
	keep := sc.doc.Keep
	if keep.given() && keep.period.Months == 0 && keep.period.Days < leastKept {
		sc.fail(keep.place(), "write 1 month or more", "%s is too short: people have questions about a decision for longer", keep.node.describe())
	}
	sc.d.Keep = keep.period
}

// leastKept is for how many days a closed case stays at hand at least.
const leastKept = 28

// legal compiles the acts that the service stands on.
func (sc *serviceCompiler) legal() {
	sc.d.Legal = sc.acts(sc.s, sc.key+".legal", sc.doc.Legal)
}

// acts compiles acts that something stands on.
func (c *compiler) acts(s *source, under string, given []legal) (acts []service.Legal) {
	for i, l := range given {
		key := fmt.Sprintf("%s.%d", under, i+1)
		acts = append(acts, service.Legal{
			Act: s.texts.say(key+".act", l.Act), Article: s.texts.say(key+".article", l.Article), URL: l.URL.text,
			Status: string(l.Status.value),
		})
		if l.URL.given() && !isPublic(l.URL.text) {
			c.fail(l.URL.place(), "write the whole address: https://…", "this is no address where people can read the act")
		}
	}
	return acts
}

// isPublic reports whether the text is an address that people can follow safely.
func isPublic(text string) bool {
	address, err := url.Parse(text)
	return err == nil && address.Scheme == "https" && address.Host != "" && address.User == nil
}

// questions compiles what is asked.
func (sc *serviceCompiler) questions() {
	for i := range sc.doc.Ask.list {
		one := &sc.doc.Ask.list[i]
		q, key := &one.value, sc.key+".ask."+one.key
		compiled := service.Question{Term: q.Term.text, OnlyApplicant: sc.s.texts.say(key+".only-applicant",
			q.OnlyApplicant), Owner: string(q.Owner.value)}
		if q.Repeat.given() || q.Ask.given() {
			compiled.Definition = sc.repeated(key, one)
		} else {
			compiled.Definition = sc.defineField(sc.s, key, one.key, one.at, &q.formField, q.Optional.value)
			sc.ordered(&q.formField, sc.askedBefore(one))
		}
		if !q.Label.given() {
			sc.fail(one.at, "add label: what the applicant reads", "the question %s has no words", shorten(one.key))
		}
		if q.When.given() {
			before := &service.Definition{Params: sc.d.Params, Ask: slices.Clone(sc.d.Ask)}
			if environment, err := before.Environment(); err == nil {
				compiled.When = sc.compile(environment, q.When, rules.KindBool)
				sc.asked(q.When, compiled.When)
			}
		}
		if q.Owner.given() && compiled.Kind != field.BankAccount {
			sc.fail(q.Owner.place(), "remove it, or write type: bank-account", "only a bank account has an owner")
		}
		sc.onceOnly(one)
		sc.d.Ask = append(sc.d.Ask, compiled)
	}
}

// askedBefore returns the questions before one that are asked whenever it is: on no condition, or on the same.
func (sc *serviceCompiler) askedBefore(one *entry[question]) []field.Definition {
	var before []field.Definition
	for i, compiled := range sc.d.Ask {
		if when := sc.doc.Ask.list[i].value.When.text; when == "" || when == one.value.When.text {
			before = append(before, compiled.Definition)
		}
	}
	return before
}

// asked refuses a condition that never holds, or always.
func (sc *serviceCompiler) asked(when expression, condition *rules.Program) {
	if condition == nil {
		return
	}
	if value, always := condition.Always(); always && value {
		sc.fail(when.place(), "remove it", "the condition always holds")
	} else if always {
		sc.fail(when.place(), "correct the condition, or remove the question", "the condition never holds: nobody is asked this")
	}
}

// repeated compiles a group of questions that is answered several times.
func (sc *serviceCompiler) repeated(key string, one *entry[question]) field.Definition {
	q := &one.value
	d := field.Definition{
		Name: one.key, Kind: field.List, Label: sc.s.texts.say(key+".label", q.Label),
		Hint: sc.s.texts.say(key+".hint", q.Hint), Optional: q.Optional.value,
	}
	if !rules.IsName(one.key) {
		sc.fail(one.at, "write letters, digits and underscores, a letter first", "%q cannot name a question",
			shorten(one.key))
	}
	if q.Type.given() || !q.Repeat.given() || len(q.Ask.list) == 0 {
		sc.fail(one.at, "write repeat: how often at most, ask: the questions of a group, and no type",
			"a repeated question has repeat and ask, and no type")
	}
	for _, own := range []mark{q.Options.mark, q.Min.mark, q.Max.mark, q.Earliest.mark, q.Latest.mark, q.NotBefore.mark, q.Pattern.mark, q.Level.mark} {
		if own.given() {
			sc.fail(own.place(), "write it at one of the questions of the group", "a repeated question has no bounds of its own")
		}
	}
	if q.Repeat.Min.given() {
		d.Min = &q.Repeat.Min.value
	}
	if q.Repeat.Max.given() {
		d.Max = &q.Repeat.Max.value
	}
	low, high := q.Repeat.Min.value, q.Repeat.Max.value
	if q.Repeat.given() && (low < 0 || high < 1 || low > high || high > 100) {
		sc.fail(q.Repeat.place(), "write at least 1 and at most 100", "it cannot be repeated so often")
	}
	for i := range q.Ask.list {
		inner := &q.Ask.list[i]
		f := sc.defineField(sc.s, key+".ask."+inner.key, inner.key, inner.at, &inner.value.formField,
			inner.value.Optional.value)
		if !inner.value.Label.given() {
			sc.fail(inner.at, "add label: what the applicant reads", "the question %s has no words", shorten(inner.key))
		}
		sc.ordered(&inner.value.formField, d.Fields)
		d.Fields = append(d.Fields, f)
	}
	return d
}

// onceOnly refuses a question that a register answers, and one that does not say why it is asked.
func (sc *serviceCompiler) onceOnly(one *entry[question]) {
	q := &one.value
	if !q.Term.given() && !q.OnlyApplicant.given() {
		sc.fail(one.at, "write term: the concept that it asks for, or only-applicant: why no register can know it",
			"the question %s has neither term nor only-applicant", shorten(one.key))
	}
	if !q.Term.given() {
		return
	}
	asked, _, _ := strings.Cut(q.Term.text, ".")
	if q.Term.text != "" && !slices.Contains(sc.d.For, asked) && len(sc.d.For) > 0 {
		sc.refuse(q.Term.place(), phrase("write a term of %s", alternatives(sc.d.For)), "%s is no concept of who applies",
			q.Term.text)
	}
	for _, from := range slices.Sorted(maps.Keys(sc.evidence)) {
		e := sc.evidence[from]
		for _, a := range e.Answer {
			if a.Term != "" && a.Term == q.Term.text && e.subject == asked {
				sc.refuse(one.at, phrase("take it as evidence (from: %s); if it is not granted, ask %s for the grant", from, e.Agency),
					"the register %s already answers %s", e.Register, a.Term)
				return
			}
		}
	}
}

// alternatives says a list of words: one or another.
func alternatives(words []string) wording.Phrase {
	said := wording.Verbatim(words[0])
	for _, word := range words[1:] {
		said = phrase("%s or %s", said, word)
	}
	return said
}

// notEvidence are names that rules use for something else.
var notEvidence = []string{"ask", "param", "applicant", "submitted", "decided", "record", "each", "of"}

// evidences compiles what is asked of registers.
func (sc *serviceCompiler) evidences() {
	for i := range sc.doc.Evidence.list {
		one := &sc.doc.Evidence.list[i]
		if !rules.IsName(one.key) || slices.Contains(notEvidence, one.key) {
			taken := strings.Join(notEvidence, ", ")
			sc.refuse(one.at, phrase("write letters, digits and underscores, a letter first, and none of %s", taken),
				"%q cannot name an evidence", shorten(one.key))
			continue
		}
		e := &one.value
		from := sc.compiler.evidence[ident.Evidence(e.From.text)]
		if from == nil {
			if e.From.text != "" {
				sc.refuse(e.From.place(), oneOf(e.From.text, sc.evidenceTypes()), "no register answers %s", shorten(e.From.text))
			}
			continue
		}
		sc.checkSubjectOf(e, from)
		sc.checkGrant(e, from)
		compiled := service.Evidence{
			Name: one.key, Of: e.Of.of, From: from.Path, Agency: from.Agency, Register: from.Register, Title: from.Title,
			Type: from.Type(), Labels: labelsOf(from.EvidenceType), Fresh: e.Fresh.period, None: service.None(e.None.value),
		}
		if e.Title.given() {
			compiled.Title = sc.s.texts.say(sc.key+".evidence."+one.key+".title", e.Title)
		}
		compiled.Missing = sc.noRecord(compiled.Title)
		if compiled.None == "" {
			compiled.None = service.NoneRefuse
		}
		if compiled.Of.Each && e.None.given() {
			sc.fail(e.None.place(), "remove it: without records the list is empty",
				"none has no meaning where each is asked about")
		}
		sc.d.Evidence = append(sc.d.Evidence, compiled)
	}
}

// evidenceTypes returns the paths of all evidence types, sorted.
func (sc *serviceCompiler) evidenceTypes() []string {
	var known []string
	for path := range sc.evidence {
		known = append(known, string(path))
	}
	slices.Sort(known)
	return known
}

// noRecord returns what a person reads who is refused because a register has no record, in the languages of its title.
func (sc *serviceCompiler) noRecord(title wording.Text) wording.Text {
	said := wording.Text{}
	for tag, words := range title {
		said[tag] = sc.platform.Text(locale.Tag(tag), "application.no-record", locale.Args{"title": words})
	}
	return said
}

// says returns the platform's own words in all languages.
func (sc *serviceCompiler) says(key string) wording.Text {
	said := wording.Text{}
	for _, tag := range sc.profile.Languages {
		said[tag] = sc.platform.Text(locale.Tag(tag), key, nil)
	}
	return said
}

// checkSubjectOf checks that the evidence can be about whom it is asked.
func (sc *serviceCompiler) checkSubjectOf(e *evidence, from *evidenceSource) {
	if !e.Of.given() {
		return
	}
	if of := e.Of.of; of.Relation != "" {
		r, ok := sc.relations[of.Relation]
		if !ok {
			sc.refuse(e.Of.place(), oneOf(of.Relation, slices.Sorted(maps.Keys(sc.relations))), "no register says who is the %s",
				of.Relation)
		} else if r.Many != of.Each {
			sc.refuse(e.Of.place(), map[bool]wording.Phrase{
				true:  phrase("write each applicant.%s", of.Relation),
				false: phrase("write applicant.%s", of.Relation),
			}[r.Many],
				"a person has %s %s", map[bool]wording.Phrase{true: phrase("several"), false: phrase("one")}[r.Many], of.Relation)
		}
		if ok {
			sc.checkRelationGrant(e, r)
		}
		return
	}
	for _, kind := range sc.d.For {
		if from.subject != "" && kind != from.subject {
			sc.fail(e.Of.place(), "ask a register of each kind of applicant, or narrow for:",
				"%s is about a %s, and the service is for: %s", from.Path, from.subject, kind)
		}
	}
}

// checkRelationGrant checks that the register that knows the relation tells it to this service.
func (sc *serviceCompiler) checkRelationGrant(e *evidence, r register.Relation) {
	for _, purpose := range []access.Purpose{access.Preview, access.Apply} {
		if !r.Grants(sc.d.Path, purpose) {
			sc.refuse(e.Of.place(), phrase("ask the register's agency to add %s to for: of the relation", sc.d.Path),
				"the relation %s is not granted to %s for %s", r.Name, sc.d.Path, purpose)
			return
		}
	}
}

// checkGrant checks that the register answers this service, for what a service needs.
func (sc *serviceCompiler) checkGrant(e *evidence, from *evidenceSource) {
	needed := []access.Purpose{access.Preview, access.Apply}
	for _, g := range from.For {
		if g.Service == sc.d.Path {
			needed = slices.DeleteFunc(needed, func(p access.Purpose) bool { return slices.Contains(g.Purposes, p) })
		}
	}
	if len(needed) > 0 {
		purposes := wording.Verbatim(needed[0])
		if len(needed) > 1 {
			purposes = phrase("%s and %s", needed[0], needed[1])
		}
		sc.refuse(e.From.place(), phrase("ask %s to add it to for: of the evidence", from.Agency),
			"%s does not grant %s to %s for %s", from.Register, from.Path, sc.d.Path, purposes)
	}
}

// requirements compiles the rules.
func (sc *serviceCompiler) requirements() {
	seen := map[string]bool{}
	for i := range sc.doc.Require {
		r := &sc.doc.Require[i]
		if r.ID.text == "" {
			continue
		}
		if seen[r.ID.text] {
			sc.fail(r.ID.place(), "give each rule an id of its own", "the id %s stands twice", r.ID.text)
		}
		if _, ok := sc.doc.Evidence.get(r.ID.text); ok {
			sc.fail(r.ID.place(), "give the rule another id: both can be the reason of a refusal",
				"an evidence is called %s too", r.ID.text)
		}
		seen[r.ID.text] = true
		compiled := service.Requirement{
			ID: r.ID.text, That: sc.compile(sc.environment, r.That, rules.KindBool),
			Otherwise: sc.s.texts.say(sc.key+".require."+r.ID.text+".otherwise", r.Otherwise),
		}
		if !r.Otherwise.given() {
			sc.fail(r.ID.place(), "add otherwise: what is missing, and what to do", "the rule %s has no words for the refused",
				r.ID.text)
		}
		if compiled.That == nil {
			continue
		}
		if _, always := compiled.That.Always(); always || len(compiled.That.Inputs()) == 0 {
			sc.fail(r.That.place(), "let it read an answer or an evidence, or remove it", "the rule always says the same")
		}
		compiled.Private = sc.readsOthers(compiled.That)
		sc.d.Require = append(sc.d.Require, compiled)
	}
}

// readsOthers reports whether a rule reads what registers say of somebody else.
func (sc *serviceCompiler) readsOthers(p *rules.Program) bool {
	for _, input := range p.Inputs() {
		name, _, _ := strings.Cut(input, ".")
		name, _, _ = strings.Cut(name, "[")
		for _, e := range sc.d.Evidence {
			if e.Name == name && e.Of.Relation != "" && e.Of.Relation != "children" { // what registers say of one's children is shown
				return true
			}
		}
	}
	return false
}

// start compiles what sets the service off, and checks that registers tell it so and answer it unasked.
func (sc *serviceCompiler) start() {
	given := sc.doc.Start.Changes
	if given.text == "" {
		return
	}
	sc.d.Start = ident.Evidence(given.text)
	from := sc.compiler.evidence[sc.d.Start]
	if from == nil {
		sc.refuse(given.place(), oneOf(given.text, sc.evidenceTypes()), "no register answers %s", shorten(given.text))
		return
	}
	if from.subject != "" && !slices.Contains(sc.d.For, from.subject) {
		sc.fail(given.place(), "name an evidence type that is about who may apply", "%s is about a %s, and the service is for: %s",
			from.Path, from.subject, strings.Join(sc.d.For, ", "))
	}
	if definition := sc.registers[from.Register]; definition != nil && definition.Held != register.HeldHere {
		sc.fail(given.place(), "name an evidence type of a register that is held here", "%s is held elsewhere and tells of no changes", from.Register)
	}
	sc.proactive(given, from)
	for _, e := range sc.d.Evidence {
		if asked := sc.compiler.evidence[e.From]; asked != nil && asked != from {
			sc.proactive(given, asked)
		}
		if r, ok := sc.relations[e.Of.Relation]; ok && !r.Grants(sc.d.Path, access.Proactive) {
			sc.fail(given.place(), "ask the register's agency to grant the relation for proactive", "the relation %s is not granted to %s for %s",
				r.Name, sc.d.Path, access.Proactive)
		}
	}
}

// proactive checks that an evidence is answered before anybody applied.
func (sc *serviceCompiler) proactive(given qualified, from *evidenceSource) {
	if !from.Grants(sc.d.Path, access.Proactive) {
		sc.refuse(given.place(), phrase("ask %s to write {service: %s, purposes: [preview, apply, %s]} in for: of the evidence", from.Agency, sc.d.Path, access.Proactive),
			"%s does not grant %s to %s for %s", from.Register, from.Path, sc.d.Path, access.Proactive)
	}
}

func (sc *serviceCompiler) appeal() {
	a := &sc.doc.Appeal
	if !a.given() {
		return
	}
	sc.d.Appeal = service.Appeal{Within: a.Within.days, Role: ident.Role(a.Role.text), Decide: a.Decide.days}
	if a.Role.text != "" {
		sc.checkRole(a.Role, string(sc.d.Agency))
	} else if len(sc.d.Process) == 0 {
		sc.fail(a.place(), "add role: who decides it", "a service without steps has no last step whose level above decides")
	}
}

// params keeps the params that the rules read, and checks that each has a value from the first day on.
func (sc *serviceCompiler) params() {
	read := map[string]bool{}
	for _, p := range programsOf(sc.d) {
		for _, input := range p.Inputs() {
			if name, ok := strings.CutPrefix(input, "param."); ok {
				read[name] = true
			}
		}
	}
	var used []service.Param
	for _, p := range sc.d.Params {
		if !read[p.Name] {
			continue
		}
		used = append(used, p)
		if _, ok := p.On(sc.d.From); !ok && sc.d.From != (calendar.Date{}) {
			declared := slices.IndexFunc(sc.s.file.Params.list, func(e entry[param]) bool { return e.key == p.Name })
			sc.refuse(sc.s.file.Params.list[declared].at, phrase("add the value that is in force on %s", sc.d.From),
				"%s has no value on the first day of %s", p.Name, sc.d.Path)
		}
	}
	sc.d.Params = used
}

// programsOf returns all expressions of a service.
func programsOf(d *service.Definition) []*rules.Program {
	var all []*rules.Program
	add := func(programs ...*rules.Program) {
		for _, p := range programs {
			if p != nil {
				all = append(all, p)
			}
		}
	}
	for _, q := range d.Ask {
		add(q.When)
	}
	for _, r := range d.Require {
		add(r.That)
	}
	for _, stage := range d.Process {
		for _, step := range stage.Steps {
			add(step.Territory)
		}
	}
	if o := d.Output.Document; o != nil {
		for _, l := range o.Lines {
			add(l.Is)
		}
	}
	if o := d.Output.Payment; o != nil {
		add(o.Amount)
	}
	if o := d.Output.Record; o != nil {
		for _, s := range o.Set {
			add(s.Is)
		}
	}
	if d.Together != nil {
		add(d.Together.Members)
	}
	if d.Fee != nil {
		add(d.Fee.Amount)
	}
	if d.Every != nil {
		add(d.Every.Until)
	}
	if d.Places != nil {
		add(d.Places.Of, d.Places.Count)
		for _, criterion := range d.Places.Order {
			add(criterion.By)
		}
	}
	return all
}

func labelsOf(e register.EvidenceType) map[string]wording.Text {
	labels := make(map[string]wording.Text, len(e.Answer))
	for _, a := range e.Answer {
		labels[a.Name] = a.Label
	}
	return labels
}
