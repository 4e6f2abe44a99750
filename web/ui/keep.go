package ui

import (
	"cmp"
	"net/url"
	"slices"
)

// asked is the form of a page whose answers stay when its reader chooses another language without a script: the list of
// languages then sends it to the page itself (route.Visitor.Typed). A browser sends one form at a time, so that it is the
// one that asks for most.
type asked struct {
	ID string
	// Default is what the key Enter does in the form: it stands before the languages, which would be meant otherwise.
	Default Button
}

const askedID = "asked"

// Retyped is an input that can be shown with what was typed into it.
type Retyped interface {
	Component
	// Retype returns the input with the answers that a form sent.
	Retype(typed url.Values) Component
}

// keep marks the form that asks for most, and shows what was typed into it. It returns nil if the page asks nothing.
func keep(body []Component, frame Frame) ([]Component, *asked) {
	at, most := -1, 0
	for i, one := range body {
		if form, ok := one.(Form); ok && len(form.Fields) > most {
			at, most = i, len(form.Fields)
		}
	}
	if at < 0 {
		return body, nil
	}
	form := body[at].(Form)
	form.ID = askedID
	kept := &asked{ID: askedID}
	actions := form.Actions()
	if i := slices.IndexFunc(actions, func(b Button) bool { return b.Href == "" }); i >= 0 {
		kept.Default = actions[i]
	}
	if frame.Typed != nil {
		form.Action = cmp.Or(form.Action, frame.Here) // the address names a language: it would only be read again
		form.Fields = slices.Clone(form.Fields)
		for i, one := range form.Fields {
			if input, ok := one.(Retyped); ok {
				form.Fields[i] = input.Retype(frame.Typed)
			}
		}
		form.Hidden = slices.Clone(form.Hidden)
		for i, one := range form.Hidden {
			if frame.Typed.Has(one.Name) { // which state was seen, most of all
				form.Hidden[i].Value = frame.Typed.Get(one.Name)
			}
		}
	}
	body = slices.Clone(body)
	body[at] = form
	return body, kept
}

// Retype implements Retyped.
func (i TextInput) Retype(typed url.Values) Component {
	if typed.Has(i.Name) {
		i.Value = typed.Get(i.Name)
	}
	return i
}

// Retype implements Retyped.
func (d DateInput) Retype(typed url.Values) Component {
	for part, value := range map[string]*string{"-day": &d.Day, "-month": &d.Month, "-year": &d.Year} {
		if typed.Has(d.Name + part) {
			*value = typed.Get(d.Name + part)
		}
	}
	return d
}

// Retype implements Retyped: what is not chosen is not sent.
func (c Choice) Retype(typed url.Values) Component {
	c.Options = chosen(c.Options, typed[c.Name])
	return c
}

// Retype implements Retyped.
func (s Select) Retype(typed url.Values) Component {
	if typed.Has(s.Name) {
		s.Options = chosen(s.Options, typed[s.Name])
	}
	return s
}

func chosen(options []Option, values []string) []Option {
	options = slices.Clone(options)
	for i := range options {
		options[i].Checked = slices.Contains(values, options[i].Value)
	}
	return options
}
