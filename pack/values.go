package pack

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"yagona/kernel/calendar"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/kernel/wording"
)

// decode reads the root of a file into a struct of the language.
func decode[T any](c *compiler, root *node, into *T) {
	reader{c.collector}.read(root, reflect.ValueOf(into).Elem())
}

// explain collects what is wrong in an expression, at its place in the file.
func (c *compiler) explain(n *node, err error) {
	var errs rules.Errors
	if !errors.As(err, &errs) {
		c.fail(n.at, "correct the expression", "the expression cannot be compiled")
		return
	}
	for _, e := range errs {
		c.add(n.inside(e.Line, e.Column), false, e.Message, e.Hint)
	}
}

// compile compiles an expression, nil if it is not given or wrong. Without an environment nothing is said: what is
// wrong with it stands elsewhere.
func (c *compiler) compile(e *rules.Environment, source expression, wanted ...rules.Kind) *rules.Program {
	if !source.given() || source.text == "" || e == nil {
		return nil
	}
	program, err := e.Compile(source.text, wanted...)
	if err != nil {
		c.explain(source.node, err)
		return nil
	}
	c.total(source.node, program)
	return program
}

// total refuses an expression that may have no result: nothing that passes the checker fails while somebody waits.
func (c *compiler) total(n *node, program *rules.Program) {
	if partial := program.Partial(); len(partial) > 0 {
		c.explain(n, partial)
	}
}

func (c *compiler) compileParam(one entry[param]) service.Param {
	p := service.Param{Name: one.key}
	if !rules.IsName(one.key) {
		c.fail(one.at, "write letters, digits and underscores, a letter first", "%q cannot name a param", shorten(one.key))
	}
	if one.value.From.given() {
		return c.paramOf(one)
	}
	if !one.value.Type.given() || !one.value.History.given() {
		c.fail(one.at, "write type and history, or from: the pack that declares it", "nothing says which values %s has", shorten(one.key))
	}
	switch one.value.Type.value {
	case "money":
		p.Type = rules.Money
	case "int":
		p.Type = rules.Int
	case "date":
		p.Type = rules.Date
	default:
		p.Type = rules.Bool
	}
	for _, h := range one.value.History.list {
		from, err := calendar.ParseDate(h.key)
		if err != nil {
			c.fail(h.at, "write the day from which the value is in force: 2024-10-01", "%q is no date", shorten(h.key))
			continue
		}
		source := h.value.Source.text
		if source == "" {
			source = one.value.Source.text
		}
		if source == "" {
			c.fail(h.at, "add source: the act that sets it, or: illustrative", "nothing says which act sets the value")
		}
		if value := c.value(h.value.Is.node, p.Type); value != nil {
			p.Values = append(p.Values, service.ParamValue{From: from, Value: value, Source: source})
		}
	}
	p.Type = boundsOf(p)
	if !slices.IsSortedFunc(p.Values, func(a, b service.ParamValue) int { return a.From.Compare(b.From) }) {
		c.fail(one.value.History.place(), "write the oldest value first", "the history is not in order")
	}
	return p
}

// paramOf returns the param that another pack declares.
func (c *compiler) paramOf(one entry[param]) service.Param {
	from := one.value.From
	if one.value.Type.given() || one.value.History.given() || one.value.Title.given() || one.value.Source.given() {
		c.fail(one.at, "write from alone, or remove it", "%s is declared here and taken from %s", shorten(one.key), from.text)
	}
	for _, s := range c.sources {
		if s.name != from.text {
			continue
		}
		for _, theirs := range s.file.Params.list {
			if theirs.key == one.key && !theirs.value.From.given() {
				return c.compileParam(theirs)
			}
		}
	}
	c.fail(from.place(), "name the pack that declares it with its history", "%s declares no param %s", from.text, shorten(one.key))
	return service.Param{Name: one.key, Type: rules.Money} // so that nothing more is said of the rules that read it
}

// boundsOf returns the type of a param with what its values have been: rules see no other.
func boundsOf(p service.Param) rules.Type {
	var within []int64
	for _, v := range p.Values {
		switch v := v.Value.(type) {
		case money.Amount:
			within = append(within, int64(v))
		case int64:
			within = append(within, v)
		}
	}
	if len(within) == 0 {
		return p.Type
	}
	return p.Type.WithBounds(rules.Interval{Low: slices.Min(within), High: slices.Max(within)})
}

// value reads a value of the type as a pack writes it, or collects what is wrong and returns nil.
func (c *compiler) value(n *node, t rules.Type) any {
	if n == nil || n.kind == broken {
		return nil
	}
	switch {
	case t.Kind == rules.KindObject && n.kind == mapping:
		return c.object(n, t)
	case t.Kind == rules.KindList && n.kind == sequence:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = c.value(item, *t.Element)
		}
		return list
	case n.kind != scalar || t.Kind == rules.KindObject || t.Kind == rules.KindList:
		c.refuse(n.at, exampleOf(c, t), "%s is not %s", n.describe(), t)
		return nil
	}
	var value any
	var err error
	switch t.Kind {
	case rules.KindBool:
		value, err = strconv.ParseBool(n.text)
		if n.text != "true" && n.text != "false" {
			err = errors.New("neither")
		}
	case rules.KindInt:
		value, err = strconv.ParseInt(n.text, 10, 64)
	case rules.KindMoney:
		value, err = c.profile.Currency.Parse(n.text)
	case rules.KindDate:
		value, err = calendar.ParseDate(n.text)
	case rules.KindTerritory:
		value = ident.Territory(n.text)
	case rules.KindSubject:
		if n.text == "applicant" {
			return c.applicant
		}
		value, err = ident.ParseSubject(n.text)
	default:
		value, err = n.text, t.Check(n.text)
	}
	if wide := (rules.Type{Kind: t.Kind}); err == nil && t.Kind != rules.KindChoice && wide.Check(value) != nil {
		c.fail(n.at, "write a smaller one", "%s is more than the platform counts", n.describe())
		return nil
	}
	if err != nil {
		c.refuse(n.at, exampleOf(c, t), "%s is not %s", n.describe(), t)
		return nil
	}
	return value
}

func (c *compiler) object(n *node, t rules.Type) map[string]any {
	reader{c.collector}.unique(n)
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	object := map[string]any{}
	for _, pair := range n.pairs {
		f, ok := t.Field(pair.key.text)
		if !ok {
			c.refuse(pair.key.at, oneOf(pair.key.text, names), "there is no %s here", shorten(pair.key.text))
			continue
		}
		if value := c.value(pair.value, f.Type); value != nil {
			object[f.Name] = value
		}
	}
	return object
}

// applicantOf is who applies in examples of a service for the kind of applicant.
func applicantOf(kind string) ident.Subject {
	return ident.Subject(kind + ":00000000-0000-4000-8000-000000000001")
}

func exampleOf(c *compiler, t rules.Type) wording.Phrase {
	switch t.Kind {
	case rules.KindBool:
		return phrase("write true or false")
	case rules.KindInt:
		return phrase("write a whole number: 3")
	case rules.KindMoney:
		return phrase("write an amount: 1500000 %s", c.profile.Currency.Code)
	case rules.KindDate:
		return phrase("write a date: 2026-03-02")
	case rules.KindSubject:
		return phrase("write applicant, or an id: person:…")
	case rules.KindList:
		return phrase("write a list, in brackets")
	case rules.KindObject:
		return phrase("write keys with values, in braces")
	}
	return phrase("write one of the possible values")
}

// defineField compiles what a question, a field of a register and a field of a form have in common.
func (c *compiler) defineField(s *source, key string, name string, at place, f *formField,
	optional bool,
) field.Definition {
	if !rules.IsName(name) {
		c.fail(at, "write letters, digits and underscores, a letter first", "%q cannot name a field", shorten(name))
	}
	d := field.Definition{
		Name: name, Kind: field.Kind(f.Type.value), Optional: optional,
		Label: s.texts.sayOr(key+".label", f.Label, name), Hint: s.texts.say(key+".hint", f.Hint),
		Earliest: f.Earliest.day, Latest: f.Latest.day, NotBefore: f.NotBefore.text,
	}
	if !f.Type.given() {
		c.refuse(at, phrase("add type: %s", oneOf("", f.Type.value.options())), "%s has no type", shorten(name))
	}
	d.Options = c.defineOptions(s, key, f.Options)
	if isChoice := d.Kind == field.Choice; isChoice != (len(d.Options) > 0) {
		if isChoice {
			c.fail(at, "add options: {one: One, two: Two}", "%s has nothing to choose", shorten(name))
		} else {
			c.fail(f.Options.place(), "write type: choice, or remove options", "only a choice has options")
		}
	}
	d.Min, d.Max = c.bound(f.Min, d.Kind), c.bound(f.Max, d.Kind)
	if d.Min != nil && d.Max != nil && *d.Min > *d.Max || !d.Earliest.IsZero() && !d.Latest.IsZero() &&
		d.Earliest.After(d.Latest) {
		c.fail(at, "write the smaller one first", "nothing lies between the bounds of %s", shorten(name))
	}
	only := func(m mark, key string, kinds ...field.Kind) {
		if m.given() && f.Type.given() && !slices.Contains(kinds, d.Kind) {
			c.fail(m.place(), "remove it, or change the type", "%s has no meaning for the type %s", key, d.Kind)
		}
	}
	only(f.Min.mark, "min", field.Int, field.Money, field.Text, field.LongText)
	only(f.Max.mark, "max", field.Int, field.Money, field.Text, field.LongText)
	only(f.Earliest.mark, "earliest", field.Date)
	only(f.Latest.mark, "latest", field.Date)
	only(f.NotBefore.mark, "not-before", field.Date)
	only(f.Pattern.mark, "pattern", field.Text)
	only(f.Level.mark, "level", field.Territory)
	if f.Pattern.text != "" {
		pattern, err := regexp.Compile(`\A(?:` + f.Pattern.text + `)\z`)
		if err != nil {
			c.fail(f.Pattern.place(), "correct it: the syntax is RE2", "the pattern is no regular expression")
		}
		d.Pattern = pattern
	}
	if d.Level = f.Level.text; d.Level != "" && len(c.profile.Levels) > 0 && !slices.Contains(c.profile.Levels, d.Level) {
		c.refuse(f.Level.place(), oneOf(d.Level, c.profile.Levels), "there is no level %s", shorten(d.Level))
	}
	return d
}

// ordered refuses a date that is bound to what does not stand before it as a date.
func (c *compiler) ordered(f *formField, before []field.Definition) {
	if !f.NotBefore.given() {
		return
	}
	if first, ok := field.Find(before, f.NotBefore.text); !ok || first.Kind != field.Date {
		c.fail(f.NotBefore.place(), "name a date of the same list, above it, that is asked for whenever it is",
			"no date %s is always asked for before it", shorten(f.NotBefore.text))
	}
}

func (c *compiler) defineOptions(s *source, key string, given entries[option]) []field.Option {
	var options []field.Option
	for _, o := range given.list {
		c.checkName(o.key, o.at)
		options = append(options, field.Option{Value: o.key, Label: s.texts.sayOr(key+".options."+o.key, o.value.Label,
			o.key)})
	}
	return options
}

// bound reads min or max: an amount for money, a number for everything else.
func (c *compiler) bound(given word, kind field.Kind) *int64 {
	if !given.given() || given.text == "" {
		return nil
	}
	if kind == field.Money {
		amount, err := c.profile.Currency.Parse(given.text)
		if err != nil {
			c.refuse(given.place(), exampleOf(c, rules.Money), "%s is not money", given.node.describe())
			return nil
		}
		minor := int64(amount)
		return &minor
	}
	value, err := strconv.ParseInt(given.text, 10, 64)
	if err != nil {
		c.fail(given.place(), "write a whole number", "%s is no number", given.node.describe())
		return nil
	}
	return &value
}
