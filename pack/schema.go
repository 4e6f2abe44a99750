package pack

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Schema returns the JSON Schema (draft 2020-12) of the files of a pack, for editors. It is made from the same structs
// as the strict reader. A file is recognised by its first word: pack, service, register, indicator, or language for a locale.
func Schema() []byte {
	s := &schemaWriter{defs: map[string]any{}}
	var files []any
	for _, t := range []reflect.Type{
		reflect.TypeFor[packFile](), reflect.TypeFor[serviceFile](), reflect.TypeFor[registerFile](),
		reflect.TypeFor[indicatorFile](), reflect.TypeFor[localeFile](),
	} {
		files = append(files, s.of(t))
	}
	schema := map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Yagona pack",
		"description": "pack.yaml, services/*.yaml, registers/*.yaml, indicators/*.yaml and locale/*.yaml of a pack.",
		"oneOf":       files,
		"$defs":       s.defs,
	}
	data, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("pack: the schema is text, lists and maps: %v", err))
	}
	return append(data, '\n')
}

type schemaWriter struct{ defs map[string]any }

// of returns the schema of a type of the language; that of a struct is a reference into defs.
func (s *schemaWriter) of(t reflect.Type) map[string]any {
	switch v := reflect.New(t).Interface().(type) {
	case reading:
		return v.schema()
	case entriesReader:
		return map[string]any{"type": "object", "minProperties": 1, "additionalProperties": s.of(v.element())}
	case someReader:
		one := s.of(v.element())
		return map[string]any{"anyOf": []any{one, map[string]any{"type": "array", "items": one}}}
	}
	if t.Kind() == reflect.Slice {
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	}
	name := strings.TrimSuffix(t.Name(), "File")
	if _, ok := s.defs[name]; !ok {
		s.defs[name] = nil // a struct inside itself would end here
		s.defs[name] = s.object(t)
	}
	return map[string]any{"$ref": "#/$defs/" + name}
}

func (s *schemaWriter) object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, k := range keysOf(t) {
		property := s.of(k.of)
		described := map[string]any{"description": k.doc}
		for key, value := range property {
			described[key] = value
		}
		properties[k.name] = described
		if k.need {
			required = append(required, k.name)
		}
	}
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		object["required"] = required
	}
	l, ok := reflect.Zero(t).Interface().(loner)
	if !ok {
		return object
	}
	alone := map[string]any{}
	for _, k := range keysOf(t) {
		if k.name == l.lone() {
			alone = s.of(k.of)
		}
	}
	return map[string]any{"anyOf": []any{alone, object}}
}
