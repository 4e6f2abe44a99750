package pack

import (
	"slices"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/rules"
)

// evidenceSource is an evidence type with what the checks need beside it.
type evidenceSource struct {
	register.EvidenceType
	subject string // person, organisation or household
	doc     *evidenceType
	fields  []field.Definition          // of its register
	answers map[string]field.Definition // by name: the kind of each answer, and the form that it has from its record
}

func (c *compiler) compileRegister(s *source, from *sourceOf[registerFile]) {
	doc := &from.doc
	d := &register.Definition{
		Path: ident.Register(s.name + "/" + doc.Register.text), Agency: ident.Agency(doc.Agency.text),
		Held: register.Held(doc.Held.value), Subject: doc.Subject.text,
	}
	if doc.Register.text == "" {
		return // reported as missing
	}
	key := "registers." + doc.Register.text
	d.Title = s.texts.say(key+".title", doc.Title)
	if c.registers[d.Path] != nil {
		c.fail(doc.Register.place(), "give each register a name of its own", "another file is the register %s too", d.Path)
		return
	}
	c.registers[d.Path] = d
	c.checkAgency(s, doc.Agency)
	for i := range doc.Fields.list {
		one := &doc.Fields.list[i]
		if order := &one.value.NotBefore; order.given() {
			c.fail(order.place(), "write it at the question whose answer is recorded",
				"a register takes what a service computes, and cannot tell it to choose another day")
		}
		d.Fields = append(d.Fields, c.defineField(s, key+".fields."+one.key, one.key, one.at, &one.value.formField,
			!one.value.Required.value))
	}
	if d.Subject != "" {
		c.checkSubject(doc.Subject, d.Fields)
	}
	d.Unique = c.fieldLists(doc.Unique, d.Fields)
	d.Index = c.fieldLists(doc.Index, d.Fields)
	if doc.Delay.given() {
		d.Delay = &register.Delay{Days: int(doc.Delay.Days.value), Legal: doc.Delay.Legal.text}
		if doc.Delay.Days.value < 1 || doc.Delay.Days.value > delayLimit {
			c.fail(doc.Delay.Days.place(), "write a number of days from 1 to 366", "this is no time for which a law delays")
		}
	}
	for _, writer := range doc.Writers {
		d.Writers = append(d.Writers, ident.Service(writer.text))
	}
	for _, one := range doc.Indicators {
		c.countable[d.Path] = append(c.countable[d.Path], ident.Indicator(one.text))
	}
	record := rules.Field{Name: "record", Type: field.TypeOf(d.Fields)}
	environment, err := rules.NewEnvironment(record)
	if err != nil {
		return // the name of a field is wrong, and reported
	}
	counting, err := rules.NewEnvironment(record, rules.Field{Name: "today", Type: rules.Date})
	if err != nil {
		return // likewise
	}
	for i := range doc.Evidence.list {
		c.compileEvidenceType(s, d, environment, counting, &doc.Evidence.list[i])
	}
	for i := range doc.Relations.list {
		c.compileRelation(from, d, counting, &doc.Relations.list[i])
	}
	c.compileAdapter(from, d)
	s.compiled.Registers = append(s.compiled.Registers, d)
}

// checkAgency checks that the pack speaks for the agency.
func (c *compiler) checkAgency(s *source, given name) {
	if given.text == "" {
		return
	}
	if _, ok := s.file.Agencies.get(given.text); !ok {
		c.refuse(given.place(), phrase("%s (agencies are declared in pack.yaml)", oneOf(given.text, s.file.Agencies.keys())),
			"this pack does not speak for %s", given.text)
	}
}

var subjectKinds = []field.Kind{field.Person, field.Organisation, field.Household}

// checkSubject checks that the word names a field that holds a person, an organisation or a household, and returns its
// kind.
func (c *compiler) checkSubject(given word, fields []field.Definition) string {
	var possible []string
	for _, f := range fields {
		if slices.Contains(subjectKinds, f.Kind) {
			possible = append(possible, f.Name)
			if f.Name == given.text {
				return string(f.Kind)
			}
		}
	}
	if given.text != "" {
		c.refuse(given.place(), oneOf(given.text, possible),
			"%s is no field that names a person, an organisation or a household", given.node.describe())
	}
	return ""
}

// checkField checks that the word names a field.
func (c *compiler) checkField(given word, fields []field.Definition) {
	if _, ok := field.Find(fields, given.text); !ok && given.text != "" {
		c.refuse(given.place(), oneOf(given.text, namesOf(fields)), "there is no field %s", shorten(given.text))
	}
}

func namesOf(fields []field.Definition) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func (c *compiler) fieldLists(given []some[word], fields []field.Definition) [][]string {
	var lists [][]string
	for _, one := range given {
		var list []string
		for _, name := range one.list {
			c.checkField(name, fields)
			list = append(list, name.text)
		}
		lists = append(lists, list)
	}
	return lists
}

func (c *compiler) compileEvidenceType(s *source, d *register.Definition, environment, counting *rules.Environment,
	one *entry[evidenceType],
) {
	c.checkName(one.key, one.at)
	_, registerName, _ := strings.Cut(string(d.Path), "/")
	key := "registers." + registerName + ".evidence." + one.key
	e := &evidenceSource{doc: &one.value, fields: d.Fields, answers: map[string]field.Definition{}, EvidenceType: register.EvidenceType{
		Path: ident.Evidence(s.name + "/" + one.key), Register: d.Path, Agency: d.Agency, Of: one.value.Of.text,
		Title: s.texts.sayOr(key+".title", one.value.Title, one.key),
		Where: c.compile(counting, one.value.Where, rules.KindBool),
	}}
	e.subject = c.checkSubject(one.value.Of, d.Fields)
	for i := range one.value.Answer.list {
		if a, ok := c.compileAnswer(s, key, environment, &one.value.Answer.list[i], e); ok {
			e.Answer = append(e.Answer, a) // also a faulty one: its type is known to those who ask for it
		}
	}
	e.For = c.compileGrants(one.value.For)
	if c.evidence[e.Path] != nil {
		c.fail(one.at, "give each evidence type of a pack a name of its own", "another register answers %s too", e.Path)
		return
	}
	c.evidence[e.Path] = e
	d.Evidence = append(d.Evidence, e.EvidenceType)
}

func (c *compiler) compileGrants(given []grant) (grants []register.Grant) {
	for _, g := range given {
		granted := register.Grant{Service: ident.Service(g.Service.text)}
		for _, purpose := range g.Purposes {
			granted.Purposes = append(granted.Purposes, access.Purpose(purpose.value))
		}
		if len(g.Purposes) == 0 {
			granted.Purposes = []access.Purpose{access.Preview, access.Apply}
		}
		if g.Service.text != "" && !c.services[granted.Service] {
			c.add(g.Service.place(), true, phrase("there is no service %s in the packs that are loaded", g.Service.text),
				phrase("load its pack too, or correct the name"))
		}
		grants = append(grants, granted)
	}
	return grants
}

// compileAnswer compiles one value of an answer.
func (c *compiler) compileAnswer(s *source, key string, environment *rules.Environment,
	one *entry[answer], of *evidenceSource,
) (register.Answer, bool) {
	as := c.defineField(s, key+".answer."+one.key, one.key, one.at, &formField{
		Type:  one.value.Type,
		Label: one.value.Label, Options: one.value.Options,
	}, false)
	if !one.value.Type.given() {
		return register.Answer{}, false
	}
	a := register.Answer{
		Name: one.key, Label: as.Label, Type: as.Type(), Optional: one.value.Optional.value,
		Term: one.value.Term.text,
	}
	is := one.value.Is
	if !is.given() {
		is = expression{mark{&node{at: one.at}}, "record." + one.key}
	}
	compile := environment.Compile
	if a.Optional {
		compile = environment.CompileOptional
	}
	program, err := compile(is.text, a.Type.Kind)
	if err != nil {
		c.explain(is.node, err)
		of.answers[a.Name] = as
		return a, true
	}
	c.total(is.node, program)
	source := sourceOfRecord(of.fields)
	c.fitsForm(is.node, program, as, source)
	if sources, chosen := program.Sources(); chosen && len(sources) == 1 {
		from := source(sources[0])
		as.Level, as.Pattern = from.Level, from.Pattern
	}
	of.answers[a.Name] = as
	if a.Type.Within != nil {
		a.Type = a.Type.WithBounds(program.Interval())
	}
	a.Is = program
	return a, true
}

func (c *compiler) compileRelation(from *sourceOf[registerFile], d *register.Definition, counting *rules.Environment,
	one *entry[relation],
) {
	c.checkName(one.key, one.at)
	r := register.Relation{
		Name: one.key, Where: c.compile(counting, one.value.Where,
			rules.KindBool), To: one.value.To.text, Same: one.value.Same.text,
		Many: one.value.Many.value, For: c.compileGrants(one.value.For), Represents: register.Represents(one.value.Represents.value),
	}
	if (r.To == "") == (r.Same == "") {
		c.fail(one.at, "write to: the field that names the other, or same: the field that both share",
			"a relation has either to or same")
	}
	to := ""
	if r.To != "" {
		to = c.checkSubject(one.value.To, d.Fields)
	}
	if r.Represents != "" {
		c.checkRepresents(d, one, r, to)
	}
	c.checkField(one.value.Same, d.Fields)
	if d.Held != register.HeldHere && from.doc.Held.given() {
		c.fail(from.doc.Held.place(), "declare the relation in a register that is held here",
			"only a register that is held here says who is related")
	}
	if d.Subject == "" {
		c.fail(one.at, "add subject: the field that names whose record it is", "a register without a subject relates nobody")
	}
	if _, twice := c.relations[one.key]; twice {
		c.fail(one.at, "keep each relation in one register", "another register says who is the %s too", one.key)
	}
	c.relations[one.key] = r
	d.Relations = append(d.Relations, r)
}

// checkRepresents checks that a person represents by the relation, and whom.
func (c *compiler) checkRepresents(d *register.Definition, one *entry[relation], r register.Relation, to string) {
	wanted := map[register.Represents]string{register.RepresentsMinor: "person", register.RepresentsOrganisation: "organisation"}[r.Represents]
	if to != wanted {
		c.refuse(one.value.Represents.place(), phrase("write to: a field that names the %s", wanted), "nobody can represent as %s whom this relation names", r.Represents)
	}
	if of, ok := field.Find(d.Fields, d.Subject); ok && of.Kind != field.Person {
		c.fail(one.value.Represents.place(), "let the subject be a person", "only people represent others")
	}
}

// timeoutLimit is how long a register may be waited for: an applicant waits with it.
const timeoutLimit = 30 * time.Second

// delayLimit is for how many days a disclosure can be kept from its subject: nothing is kept from them for ever.
const delayLimit = 366

func (c *compiler) compileAdapter(from *sourceOf[registerFile], d *register.Definition) {
	doc := &from.doc.Adapter
	if doc.given() != (d.Held == register.HeldAdapter) {
		if doc.given() {
			c.fail(doc.place(), "write held: adapter, or remove it", "only a register behind an adapter has one")
		} else {
			c.fail(from.doc.Held.place(), "add adapter: with url, timeout and fields", "nothing says how the system is asked")
		}
	}
	if !doc.given() {
		return
	}
	a := &register.Adapter{
		Method: string(doc.Method.value), URL: doc.URL.text, Body: doc.Body.text,
		Header: map[string]string{}, Fields: map[string]string{}, Values: map[string]map[string]string{},
		Timeout: c.duration(doc.Timeout, timeoutLimit),
	}
	if a.Method == "" {
		a.Method = "GET"
	}
	if a.Body != "" && a.Method != "POST" {
		c.fail(doc.Body.place(), "write method: POST, or remove the body", "a GET has no body")
	}
	if a.URL != "" && !strings.HasPrefix(a.URL, "https://") && !strings.HasPrefix(a.URL, "http://") {
		c.fail(doc.URL.place(), "write https://…", "this is no address of an HTTP system")
	}
	if !strings.Contains(a.URL+a.Body, "{number}") && !strings.Contains(a.URL+a.Body, "{person}") {
		c.fail(doc.URL.place(), "write {number} or {person} where whom it is about belongs",
			"nothing says whom it is asked about")
	}
	for _, h := range doc.Header.list {
		a.Header[h.key] = h.value.text
	}
	for _, status := range doc.None {
		a.None = append(a.None, int(status.value))
	}
	for _, f := range doc.Fields.list {
		c.checkField(word{mark{&node{at: f.at, text: f.key}}, f.key}, d.Fields)
		a.Fields[f.key] = f.value.text
		if !strings.HasPrefix(f.value.text, "/") {
			c.fail(f.value.place(), "write a JSON pointer: /status", "%s is no JSON pointer", f.value.node.describe())
		}
	}
	for _, f := range d.Fields {
		if _, ok := a.Fields[f.Name]; !ok && !f.Optional && f.Name != d.Subject {
			c.refuse(doc.Fields.place(), phrase("add %s: where it stands in the answer", f.Name),
				"the required field %s is not taken from the answer", f.Name)
		}
	}
	for _, f := range doc.Values.list {
		c.checkField(word{mark{&node{at: f.at, text: f.key}}, f.key}, d.Fields)
		a.Values[f.key] = map[string]string{}
		for _, v := range f.value.list {
			a.Values[f.key][v.key] = v.value.text
		}
	}
	for _, one := range doc.Double {
		a.Double = append(a.Double, c.double(one))
	}
	d.Adapter = a
}

func (c *compiler) double(one double) register.Double {
	d := register.Double{Number: one.Number.text, Status: int(one.Status.value), After: c.duration(one.After,
		timeoutLimit*2), Fail: int(one.Fail.value)}
	if d.Status == 0 {
		d.Status = 200
	}
	if body := one.Answer; body.given() {
		if body.node.kind != mapping {
			c.fail(body.place(), "write the JSON object that it answers", "the answer is no object")
			return d
		}
		d.Answer, _ = jsonOf(body.node).(map[string]any)
	}
	return d
}

func (c *compiler) duration(given word, most time.Duration) time.Duration {
	if !given.given() {
		return 0
	}
	d, err := time.ParseDuration(given.text)
	if err != nil || d < 0 || d > most {
		c.refuse(given.place(), phrase("write 500ms or 2s, at most %s", most), "%s is no such time", given.node.describe())
	}
	return d
}
