package api

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/country"
	"yagona/kernel/document"
	"yagona/kernel/field"
	"yagona/kernel/ledger"
	"yagona/kernel/money"
	"yagona/kernel/publication"
	"yagona/kernel/service"
)

// schemas turns Go types into components of the document. A request's object takes no other fields than its own; an
// answer's may grow, and its programs must let it.
type schemas struct {
	components openapi3.Schemas
	closed     bool // the types of requests
}

// values are the types that are plain values in JSON.
var values = map[reflect.Type]func() *openapi3.Schema{
	reflect.TypeFor[time.Time](): func() *openapi3.Schema { return openapi3.NewDateTimeSchema() },
	reflect.TypeFor[calendar.Date](): func() *openapi3.Schema {
		return &openapi3.Schema{Type: &openapi3.Types{"string"}, Format: "date"}
	},
	reflect.TypeFor[money.Amount](): func() *openapi3.Schema {
		return &openapi3.Schema{Type: &openapi3.Types{"integer"}, Format: "int64", Description: "minor units of the currency"}
	},
	reflect.TypeFor[json.RawMessage](): func() *openapi3.Schema { return openapi3.NewObjectSchema() },
	reflect.TypeFor[map[string]any]():  func() *openapi3.Schema { return openapi3.NewObjectSchema() },
	reflect.TypeFor[[]byte](): func() *openapi3.Schema {
		return &openapi3.Schema{Type: &openapi3.Types{"string"}, ContentEncoding: "base64"}
	},
	reflect.TypeFor[openapi3.Schema](): func() *openapi3.Schema {
		return &openapi3.Schema{Type: &openapi3.Types{"object"}, Description: "a JSON Schema (2020-12)"}
	},
}

// choices are the words that a type's values can be.
var choices = map[reflect.Type][]any{
	reflect.TypeFor[casework.State](): words(casework.Draft, casework.Gathering, casework.Joining, casework.Unpaid, casework.Deciding, casework.Asked,
		casework.Queued, casework.PlaceOffered, casework.Received, casework.Granted,
		casework.Refused, casework.Appealed, casework.Withdrawn, casework.Ended, casework.Expired),
	reflect.TypeFor[casework.Back]():      words(casework.BackWithdrawn, casework.BackRefused, casework.BackLate, casework.BackTooLate, casework.BackFound),
	reflect.TypeFor[casework.TaskState](): words(casework.TaskOpen, casework.TaskClaimed, casework.TaskWaiting, casework.TaskDone, casework.TaskVoid),
	reflect.TypeFor[service.Measure]():    words(service.Measures...),
	reflect.TypeFor[service.Action]():     words(service.Recommend, service.Approve, service.Ask, service.Refuse, service.Note),
	reflect.TypeFor[ledger.OrderState]():  words(orderStates...),
	reflect.TypeFor[document.State](): words(document.Valid, document.NotYetValid, document.Expired, document.Revoked, document.Suspended, document.UnknownKey,
		document.Tampered, document.Unreadable),
	reflect.TypeFor[publication.State](): words(publication.Proposed, publication.InForce, publication.Rejected, publication.Withdrawn),
}

func words[T ~string](all ...T) []any {
	list := make([]any, len(all))
	for i, one := range all {
		list[i] = string(one)
	}
	return list
}

var generic = regexp.MustCompile(`\[.*\]`)

// of returns the schema of a type: a reference to a component if it is a named struct.
func (s *schemas) of(t reflect.Type) *openapi3.SchemaRef {
	if schema, ok := values[t]; ok {
		return schema().NewRef()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return (&openapi3.Schema{Type: &openapi3.Types{"array"}, Items: s.of(t.Elem())}).NewRef()
	case reflect.Map:
		element := s.of(t.Elem())
		return (&openapi3.Schema{
			Type: &openapi3.Types{"object"}, AdditionalProperties: openapi3.AdditionalProperties{Schema: element},
		}).NewRef()
	case reflect.Bool:
		return openapi3.NewBoolSchema().NewRef()
	case reflect.Int, reflect.Int64:
		return openapi3.NewInt64Schema().NewRef()
	case reflect.String:
		schema := openapi3.NewStringSchema()
		schema.Enum = choices[t]
		return schema.NewRef()
	case reflect.Interface:
		return (&openapi3.Schema{}).NewRef()
	}
	name := t.Name()
	if generic.MatchString(name) { // Page[yagona/web/api.Count] → CountPage
		inner := name[strings.IndexByte(name, '[')+1 : len(name)-1]
		name = inner[strings.LastIndexByte(inner, '.')+1:] + name[:strings.IndexByte(name, '[')]
	}
	reference := "#/components/schemas/" + name
	if known, ok := s.components[name]; ok {
		return &openapi3.SchemaRef{Ref: reference, Value: known.Value}
	}
	schema := openapi3.NewObjectSchema()
	s.components[name] = schema.NewRef() // before its fields: a type may contain itself
	s.fields(schema, t)
	if s.closed {
		schema.AdditionalProperties = openapi3.AdditionalProperties{Has: new(bool)}
	}
	return &openapi3.SchemaRef{Ref: reference, Value: schema}
}

func (s *schemas) fields(schema *openapi3.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.fields(schema, f.Type)
			continue
		case !f.IsExported() || name == "-":
			continue
		case name == "":
			name = f.Name
		}
		property := s.of(f.Type)
		if text := f.Tag.Get("doc"); text != "" {
			if property.Ref != "" { // in OpenAPI 3.1 a description may stand beside a reference, but not every reader knows
				property = (&openapi3.Schema{AllOf: openapi3.SchemaRefs{property}}).NewRef()
			}
			property.Value.Description = text
		}
		schema.WithPropertyRef(name, property)
		if !strings.Contains(options, "omit") {
			schema.Required = append(schema.Required, name)
		}
	}
}

// answersSchema returns the JSON Schema of the answers to a service, with an example that it accepts.
func answersSchema(d *service.Definition, profile *country.Profile, language string, today calendar.Date) *openapi3.Schema {
	in := func(f field.Definition) string { return f.Label.In(language, profile.Authoritative()) }
	schema := fieldsSchema(d.Fields(), profile, in)
	schema.Title = d.Title.In(language, profile.Authoritative())
	for _, question := range d.Ask {
		if question.When == nil {
			continue
		}
		schema.Properties[question.Name].Value.Description = "Asked only if earlier answers call for it. Required then."
		schema.Required = remove(schema.Required, question.Name)
	}
	schema.Examples = []any{exampleAnswers(d.Fields(), profile, today)}
	return schema
}

func remove(names []string, name string) []string {
	var kept []string
	for _, one := range names {
		if one != name {
			kept = append(kept, one)
		}
	}
	return kept
}

func fieldsSchema(fields []field.Definition, profile *country.Profile, label func(field.Definition) string) *openapi3.Schema {
	schema := openapi3.NewObjectSchema()
	schema.AdditionalProperties = openapi3.AdditionalProperties{Has: new(bool)}
	schema.Properties = openapi3.Schemas{}
	for _, one := range fields {
		property := fieldSchema(one, profile, label)
		property.Title = label(one)
		schema.Properties[one.Name] = property.NewRef()
		if !one.Optional {
			schema.Required = append(schema.Required, one.Name)
		}
	}
	return schema
}

// fieldSchema returns the schema of one field. What a schema cannot say (a check digit, a territory's level) the
// description does.
func fieldSchema(d field.Definition, profile *country.Profile, label func(field.Definition) string) *openapi3.Schema {
	schema := openapi3.NewStringSchema()
	switch d.Kind {
	case field.Bool:
		return openapi3.NewBoolSchema()
	case field.Int, field.Money:
		schema = openapi3.NewInt64Schema()
		schema.Min, schema.Max = float(d.Min), float(d.Max)
		if d.Kind == field.Money {
			schema.Description = "minor units of " + profile.Currency.Code
			if d.Min == nil {
				schema.Min = new(float64)
			}
		}
		return schema
	case field.Date:
		schema.Format = "date"
	case field.Choice:
		for _, option := range d.Options {
			schema.Enum = append(schema.Enum, option.Value)
		}
	case field.Person, field.Organisation, field.Household:
		schema.Pattern = "^" + string(d.Kind) + ":[0-9a-f-]{36}$"
	case field.Territory:
		schema.Description = "the code of a territory"
		if d.Level != "" {
			schema.Description += " of the level " + d.Level
		}
	case field.BankAccount:
		schema.Pattern = patternOf(profile.Account)
	case field.Phone:
		schema.Pattern = patternOf(profile.Phone)
	case field.List:
		schema = openapi3.NewArraySchema()
		schema.Items = fieldsSchema(d.Fields, profile, label).NewRef()
		schema.MinItems, schema.MaxItems = unsigned(d.Min), unsignedPointer(d.Max, 20)
	case field.LongText:
		schema.MinLength, schema.MaxLength = max(unsigned(d.Min), atLeast(d)), unsignedPointer(d.Max, 5_000)
	default:
		schema.MinLength, schema.MaxLength = max(unsigned(d.Min), atLeast(d)), unsignedPointer(d.Max, 200)
		if d.Pattern != nil {
			schema.Pattern = d.Pattern.String()
		}
	}
	return schema
}

func patternOf(scheme *country.Scheme) string {
	if scheme == nil {
		return ""
	}
	return scheme.Pattern()
}

// atLeast is how many characters a text has that is given.
func atLeast(d field.Definition) uint64 {
	if d.Optional {
		return 0
	}
	return 1
}

func float(bound *int64) *float64 {
	if bound == nil {
		return nil
	}
	value := float64(*bound)
	return &value
}

func unsigned(bound *int64) uint64 {
	if bound == nil || *bound < 0 {
		return 0
	}
	return uint64(*bound)
}

func unsignedPointer(bound *int64, otherwise uint64) *uint64 {
	if bound != nil {
		otherwise = unsigned(bound)
	}
	return &otherwise
}
