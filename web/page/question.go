package page

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/web/ui"
)

// Typed are the answers as they stand in a form's inputs, right or wrong: what was typed is shown again until it is
// right. A date stands in NAME-day, NAME-month and NAME-year; the groups of a list are counted in NAME and stand in
// NAME[0].FIELD, NAME[1].FIELD.
type Typed = url.Values

// Wrong are problems by the name of the input.
type Wrong map[string]*fault.Fault

// Add adds problems of the fields whose inputs' names begin with the prefix.
func (w Wrong) Add(prefix string, problems field.Problems) {
	for _, one := range problems {
		if _, said := w[prefix+one.Field]; !said {
			w[prefix+one.Field] = one
		}
	}
}

// Fill writes a value into the inputs of a field.
func (s *Shared) Fill(typed Typed, name string, d field.Definition, value any) {
	switch value := value.(type) {
	case nil:
	case bool:
		typed.Set(name, strconv.FormatBool(value))
	case int64:
		typed.Set(name, strconv.FormatInt(value, 10))
	case money.Amount:
		typed.Set(name, s.Words.Profile.Currency.FormatNumber(value))
	case calendar.Date:
		typed.Set(name+"-day", strconv.Itoa(value.Day))
		typed.Set(name+"-month", strconv.Itoa(int(value.Month)))
		typed.Set(name+"-year", strconv.Itoa(value.Year))
	case []any:
		typed.Set(name, strconv.Itoa(len(value)))
		for i, one := range value {
			group, _ := one.(map[string]any)
			for _, inner := range d.Fields {
				s.Fill(typed, groupName(name, i, inner.Name), inner, group[inner.Name])
			}
		}
	default:
		typed.Set(name, fmt.Sprint(value))
	}
}

func groupName(list string, i int, field string) string {
	return fmt.Sprintf("%s[%d].%s", list, i, field)
}

const mostGroups = 50 // shown, whatever a form says

func groups(typed Typed, name string) int {
	count, err := strconv.Atoi(typed.Get(name))
	if err != nil {
		return 0
	}
	return min(max(count, 0), mostGroups)
}

// Parse reads the inputs of a field. A problem names the input that is wrong. An empty answer is nil, and a problem
// unless the field is optional.
func (s *Shared) Parse(typed Typed, name string, d field.Definition) (any, field.Problems) {
	if d.Kind == field.List {
		return s.parseList(typed, name, d)
	}
	scheme := s.Words.Profile
	text := typed.Get(name)
	if d.Kind == field.Date {
		var ok bool
		if text, ok = dateOf(typed, name); !ok {
			return nil, at(name, field.Problems{fault.New(fault.Invalid, "field.date", "This is not a date.")})
		}
	}
	if d.Kind == field.Territory {
		text = s.territory(text, d.Level)
	}
	value, problems := d.Parse(scheme, text)
	if len(problems) > 0 {
		return nil, at(name, problems)
	}
	if value == nil {
		if d.Optional {
			return nil, nil
		}
		return nil, at(name, field.Problems{fault.New(fault.Invalid, "field.required", "This is required. Fill it in.")})
	}
	checked, problems := d.Check(scheme, value)
	return checked, at(name, problems)
}

func at(name string, problems field.Problems) field.Problems {
	for i, one := range problems {
		problems[i] = one.At(name)
	}
	return problems
}

func (s *Shared) parseList(typed Typed, name string, d field.Definition) (any, field.Problems) {
	list := make([]any, groups(typed, name))
	var problems field.Problems
	for i := range list {
		group := map[string]any{}
		for _, inner := range d.Fields {
			value, wrong := s.Parse(typed, groupName(name, i, inner.Name), inner)
			problems = append(problems, wrong...)
			if value != nil {
				group[inner.Name] = value
			}
		}
		list[i] = group
	}
	if len(problems) > 0 {
		return nil, problems
	}
	checked, problems := d.Check(s.Words.Profile, list)
	return checked, problems
}

// dateOf returns a date's three inputs as one text, and false if they cannot be a date.
func dateOf(typed Typed, name string) (string, bool) {
	var parts [3]string
	empty := true
	for i, part := range []string{"-year", "-month", "-day"} {
		parts[i] = strings.TrimSpace(typed.Get(name + part))
		empty = empty && parts[i] == ""
	}
	if empty {
		return "", true
	}
	var numbers [3]int
	for i, part := range parts {
		var err error
		if numbers[i], err = strconv.Atoi(part); err != nil {
			return "", false
		}
	}
	return fmt.Sprintf("%04d-%02d-%02d", numbers[0], numbers[1], numbers[2]), true
}

// Resize adds or takes away a group of a list, as a button of its form asks ("add", "remove-2"), and reports whether it
// did.
func Resize(typed Typed, name string, d field.Definition, do string) bool {
	if d.Kind != field.List {
		return false
	}
	count := groups(typed, name)
	if do == "add" {
		typed.Set(name, strconv.Itoa(min(count+1, mostGroups)))
		return true
	}
	number, ok := strings.CutPrefix(do, "remove-")
	removed, err := strconv.Atoi(number)
	if !ok || err != nil || removed < 0 || removed >= count {
		return false
	}
	for i := removed; i < count; i++ {
		from, to := fmt.Sprintf("%s[%d].", name, i+1), fmt.Sprintf("%s[%d].", name, i)
		for key := range typed {
			if strings.HasPrefix(key, to) {
				typed.Del(key)
			}
		}
		for key, values := range typed {
			if inner, ok := strings.CutPrefix(key, from); ok {
				typed[to+inner] = values
			}
		}
	}
	typed.Set(name, strconv.Itoa(count-1))
	return true
}

// Inputs returns the components that ask for a field. Title makes the label the page's heading.
func (r Reader) Inputs(d field.Definition, name string, typed Typed, wrong Wrong, title bool) []ui.Component {
	question := ui.Question{
		Name: name, Label: r.In(d.Label), Hint: r.In(d.Hint), Optional: d.Optional, Title: title, Error: r.wrong(d, wrong[name]),
	}
	if question.Label == "" {
		question.Label = d.Name
	}
	value := typed.Get(name)
	input := ui.TextInput{Question: question, Value: value}
	switch d.Kind {
	case field.List:
		return r.list(d, question, typed, wrong)
	case field.Bool:
		return one(r.choice(question, value, true, ui.Option{Value: "true", Label: r.Say("value.yes")}, ui.Option{Value: "false", Label: r.Say("value.no")}))
	case field.Choice:
		var options []ui.Option
		for _, option := range d.Options {
			options = append(options, ui.Option{Value: option.Value, Label: r.In(option.Label)})
		}
		return one(r.choice(question, value, false, options...))
	case field.Date:
		return one(ui.DateInput{Question: question, Day: typed.Get(name + "-day"), Month: typed.Get(name + "-month"), Year: typed.Get(name + "-year")})
	case field.Money:
		return one(ui.Money(question, value, r.Words.Profile.Currency.Code))
	case field.Int:
		input.Short, input.Keyboard = true, "numeric"
	case field.LongText:
		input.Lines = 6
		if d.Max != nil {
			input.Maximum = int(*d.Max)
		}
	case field.Phone:
		input.Short, input.Keyboard, input.Autocomplete = true, "tel", "tel"
	case field.BankAccount:
		input.Keyboard = "numeric"
	case field.Territory:
		return one(r.territories(d, question, value, input))
	}
	return one(input)
}

func one(component ui.Component) []ui.Component { return []ui.Component{component} }

func (r Reader) choice(question ui.Question, value string, inline bool, options ...ui.Option) ui.Choice {
	for i := range options {
		options[i].Checked = options[i].Value == value
	}
	return ui.Choice{Question: question, Options: options, Inline: inline}
}

// fewTerritories are chosen from a list; of more, the name is typed.
const fewTerritories = 30

func (r Reader) territories(d field.Definition, question ui.Question, value string, input ui.TextInput) ui.Component {
	var options []ui.Option
	tree := r.Words.Profile.Territories
	for code := range tree.Within(tree.Root()) {
		if d.Level != "" && tree.Level(code) != d.Level {
			continue
		}
		if options = append(options, ui.Option{Value: string(code), Label: r.Place(code)}); len(options) > fewTerritories {
			if code := ident.Territory(value); tree.Has(code) {
				input.Value = r.Place(code)
			}
			return input
		}
	}
	return r.choice(question, value, false, options...)
}

// territory returns the code of what was typed: a code, or a name that only one territory of the level has.
func (s *Shared) territory(text, level string) string {
	tree := s.Words.Profile.Territories
	text = strings.TrimSpace(text)
	if text == "" || tree.Has(ident.Territory(text)) {
		return text
	}
	var found []string
	for code := range tree.Within(tree.Root()) {
		if level != "" && tree.Level(code) != level {
			continue
		}
		for _, language := range s.Words.Profile.Languages {
			if strings.EqualFold(tree.Name(code, language), text) {
				found = append(found, string(code))
				break
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return text
}

// list shows the groups of a list, one below the other.
func (r Reader) list(d field.Definition, question ui.Question, typed Typed, wrong Wrong) (shown []ui.Component) {
	count := groups(typed, question.Name)
	switch {
	case question.Title:
		shown = append(shown, ui.Title{Text: question.Label, Hint: question.Hint, ID: question.Name, Error: question.Error})
	default:
		shown = append(shown, ui.Heading{Text: question.Label})
	}
	if count == 0 {
		shown = append(shown, ui.Inset{Text: r.Say("question.none-yet")})
	}
	for i := range count {
		shown = append(shown, ui.Heading{Text: r.Say("question.entry", "number", i+1)})
		for _, inner := range d.Fields {
			shown = append(shown, r.Inputs(inner, groupName(question.Name, i, inner.Name), typed, wrong, false)...)
		}
	}
	return shown
}

// ListButtons returns the buttons that add and remove groups of a list, and what a form must carry to count them.
func (r Reader) ListButtons(d field.Definition, name string, typed Typed) (buttons ui.Buttons, hidden []ui.Hidden) {
	if d.Kind != field.List {
		return nil, nil
	}
	count := groups(typed, name)
	hidden = append(hidden, ui.Hidden{Name: name, Value: strconv.Itoa(count)})
	buttons = append(buttons, ui.Button{Text: r.Say("question.add"), Name: "do", Value: "add", Quiet: true})
	for i := range count {
		buttons = append(buttons, ui.Button{Text: r.Say("question.remove", "number", i+1), Name: "do", Value: fmt.Sprintf("remove-%d", i), Quiet: true})
	}
	return buttons, hidden
}

// wrong says what is wrong with a field's answer.
func (r Reader) wrong(d field.Definition, f *fault.Fault) string {
	if f == nil {
		return ""
	}
	if like := r.example(d); like != "" && strings.HasPrefix(f.Code, "country.") {
		return r.Say("question.like", "example", like)
	}
	if f.Code != "field.range" {
		return r.Problem(f)
	}
	bound := func(limit *int64) string {
		if d.Kind == field.Money {
			return r.Money(money.Amount(*limit))
		}
		return r.Words.Value(r.Language, *limit)
	}
	switch {
	case d.Min != nil && d.Max != nil:
		return r.Say("field.out-of-range", "min", bound(d.Min), "max", bound(d.Max))
	case d.Min != nil:
		return r.Say("question.at-least", "min", bound(d.Min))
	case d.Max != nil:
		return r.Say("question.at-most", "max", bound(d.Max))
	}
	return r.Problem(f)
}

// example returns how an identifier of the country profile looks.
func (r Reader) example(d field.Definition) string {
	switch d.Kind {
	case field.BankAccount:
		return r.Words.Profile.Account.Example
	case field.Phone:
		return r.Words.Profile.Phone.Example
	}
	return ""
}

// EvidenceFields returns the values of an evidence as fields, for an official who attests them.
func (s *Shared) EvidenceFields(evidence service.Evidence) []field.Definition {
	var fields []field.Definition
	known, _ := s.Names().Register(evidence.Register)
	for _, value := range evidence.Type.Fields {
		d := field.Definition{Name: value.Name, Kind: kindOf(value.Type), Label: evidence.Labels[value.Name], Optional: value.Optional}
		for _, option := range value.Type.Options {
			d.Options = append(d.Options, field.Option{Value: option, Label: optionLabel(known, value.Name, option)})
		}
		fields = append(fields, d)
	}
	return fields
}

func kindOf(t rules.Type) field.Kind {
	switch t.Kind {
	case rules.KindBool:
		return field.Bool
	case rules.KindInt:
		return field.Int
	case rules.KindMoney:
		return field.Money
	case rules.KindDate:
		return field.Date
	case rules.KindTerritory:
		return field.Territory
	}
	if len(t.Options) > 0 {
		return field.Choice
	}
	return field.Text
}
