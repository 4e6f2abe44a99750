package pack

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/register"
	"yagona/kernel/rules"
)

func (c *compiler) compileIndicator(s *source, from *sourceOf[indicatorFile]) {
	doc := &from.doc
	if doc.Indicator.text == "" {
		return // reported as missing
	}
	d := &indicator.Definition{
		Path: ident.Indicator(s.name + "/" + doc.Indicator.text), Agency: ident.Agency(doc.Agency.text),
		Unit: indicator.Unit(doc.Unit.value), Period: cmp.Or(indicator.Period(doc.Period.value), indicator.EachMonth),
	}
	if slices.ContainsFunc(s.compiled.Indicators, func(other *indicator.Definition) bool { return other.Path == d.Path }) {
		c.fail(doc.Indicator.place(), "give each indicator a name of its own", "another file is the indicator %s too", d.Path)
		return
	}
	key := "indicators." + doc.Indicator.text
	d.Title, d.Summary = s.texts.say(key+".title", doc.Title), s.texts.say(key+".summary", doc.Summary)
	d.Source = c.acts(s, key+".source", doc.Source)
	if written := doc.node.find("source"); written != nil && len(doc.Source) == 0 {
		c.fail(written.at, "name the act or the programme, or write {act: …, status: illustrative}", "nobody asks for the indicator")
	}
	c.checkAgency(s, doc.Agency)
	if d.Since = indicator.MonthOf(doc.Since.day); doc.Since.given() && doc.Since.day.Day != 1 {
		c.refuse(doc.Since.place(), phrase("write the first day of a month: %s", d.Since.First()), "figures are kept by month")
	}
	d.Numerator = c.compileMeasure(d, &doc.Numerator)
	if doc.Denominator.given() {
		denominator := c.compileMeasure(d, &doc.Denominator)
		d.Denominator = &denominator
	}
	if doc.Unit.given() && (d.Unit == indicator.Number) == doc.Denominator.given() {
		if doc.Denominator.given() {
			c.fail(doc.Denominator.place(), "choose percent, per-thousand or average, or remove it", "a number has no denominator")
		} else {
			c.fail(doc.Unit.place(), "add denominator: of how many, or choose number", "nothing says of how many")
		}
	}
	d.Target = c.compileTarget(&doc.Target)
	s.compiled.Indicators = append(s.compiled.Indicators, d)
}

func (c *compiler) compileTarget(doc *target) *indicator.Target {
	if !doc.given() {
		return nil
	}
	if doc.Least.given() == doc.Most.given() {
		c.fail(doc.place(), "write either at-least or at-most", "a target is a least or a greatest value")
	}
	return &indicator.Target{Least: doc.Least.given(), Value: doc.Least.value + doc.Most.value, By: doc.By.day}
}

func (c *compiler) compileMeasure(of *indicator.Definition, doc *measure) (m indicator.Measure) {
	if !doc.given() {
		return m // reported as missing
	}
	if doc.Register.given() == (len(doc.Services.list) > 0) {
		c.fail(doc.place(), "write register: whose records, or services: whose applications", "a measure counts either records or applications")
		return m
	}
	if doc.Register.given() {
		return c.measureRecords(of, doc)
	}
	for _, given := range []mark{doc.Where.mark, doc.Value.mark, doc.On.mark, doc.Territory.mark} {
		if given.given() {
			c.fail(given.place(), "remove it: an application counts where its first step was, as count says",
				"only records are counted by rules")
		}
	}
	for _, one := range doc.Services.list {
		path := ident.Service(one.text)
		if one.text != "" && !c.services[path] {
			c.refuse(one.place(), oneOf(one.text, namesOfPaths(c.services)), "there is no service %s", shorten(one.text))
		}
		if slices.Contains(m.Services, path) {
			c.fail(one.place(), "name each service once", "the service %s stands twice", path)
		}
		m.Services = append(m.Services, path)
	}
	if m.Count = indicator.Count(doc.Count.value); !doc.Count.given() {
		c.fail(doc.place(), "add count: received, waiting, decided, granted, refused or days", "nothing says what of the applications is counted")
	}
	if m.Count == indicator.Days && of.Unit != indicator.Average {
		c.fail(doc.Count.place(), "choose unit: average, with the decided as denominator", "days are told as an average")
	}
	return m
}

func namesOfPaths[T ~string, V any](known map[T]V) (names []string) {
	for _, path := range slices.Sorted(maps.Keys(known)) {
		names = append(names, string(path))
	}
	return names
}

func (c *compiler) measureRecords(of *indicator.Definition, doc *measure) (m indicator.Measure) {
	if doc.Count.given() {
		c.fail(doc.Count.place(), "remove it, or write services instead of register", "only of applications something else is counted")
	}
	m.Register = ident.Register(doc.Register.text)
	d := c.registers[m.Register]
	if d == nil {
		if doc.Register.text != "" {
			c.refuse(doc.Register.place(), oneOf(doc.Register.text, namesOfPaths(c.registers)), "there is no register %s", shorten(doc.Register.text))
		}
		return m
	}
	c.mayCount(of, d, doc.Register.place())
	environment, err := rules.NewEnvironment(rules.Field{Name: "record", Type: field.TypeOf(d.Fields)})
	if err != nil {
		return m // the name of a field is wrong, and reported
	}
	m.Where = c.compile(environment, doc.Where, rules.KindBool)
	m.Value = c.compile(environment, doc.Value, rules.KindInt)
	m.On = c.compile(environment, doc.On, rules.KindDate)
	if doc.Territory.given() {
		m.Field, m.Place = c.placeOf(of, d, doc.Territory)
	}
	return m
}

// mayCount checks that the register is held here and lets the indicator count its records.
func (c *compiler) mayCount(of *indicator.Definition, d *register.Definition, at place) {
	switch {
	case d.Held != register.HeldHere:
		c.fail(at, "count where the register is held", "the records of %s are not held here", d.Path)
	case d.Agency != of.Agency && !slices.Contains(c.countable[d.Path], of.Path):
		c.refuse(at, phrase("ask %s to add %s to the register's indicators", d.Agency, of.Path),
			"the register %s does not let this indicator count its records", d.Path)
	}
}

// placeOf returns the field of the register that says where a record counts, or the answer about its subject that does.
func (c *compiler) placeOf(of *indicator.Definition, d *register.Definition, given word) (string, *indicator.Place) {
	path, answer, isAnswer := strings.Cut(given.text, ".")
	if !isAnswer {
		if known, ok := field.Find(d.Fields, given.text); !ok || known.Kind != field.Territory {
			c.fail(given.place(), "name a field of the type territory, or an evidence type with its answer: interior/residence.place",
				"%s is no field that holds a territory", given.node.describe())
		}
		return given.text, nil
	}
	e := c.evidence[ident.Evidence(path)]
	if e == nil {
		c.refuse(given.place(), oneOf(path, namesOfPaths(c.evidence)), "there is no evidence type %s", shorten(path))
		return "", nil
	}
	at := slices.IndexFunc(e.Answer, func(one register.Answer) bool { return one.Name == answer })
	if at < 0 || e.Answer[at].Type.Kind != rules.KindTerritory {
		c.fail(given.place(), "name an answer of the type territory", "%s does not answer with the territory %s", e.Path, shorten(answer))
		return "", nil
	}
	from := c.registers[e.Register]
	if from.Subject != e.Of || subjectKindOf(from) != subjectKindOf(d) {
		c.fail(given.place(), "name an evidence type about whom the register's records are about", "%s is not about the subjects of %s", e.Path, d.Path)
		return "", nil
	}
	c.mayCount(of, from, given.place())
	return "", &indicator.Place{Register: e.Register, Where: e.Where, Is: e.Answer[at].Is}
}

// subjectKindOf returns of what kind the register's subjects are, "" if it is about nobody.
func subjectKindOf(d *register.Definition) field.Kind {
	found, _ := field.Find(d.Fields, d.Subject)
	return found.Kind
}
