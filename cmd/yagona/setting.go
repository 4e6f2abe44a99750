package main

import (
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// setting is one value of the configuration.
type setting struct {
	Key      string       // in the file: "limits.person"
	Variable string       // in the environment: "YAGONA_LIMITS_PERSON"; the number of a list's member is 0
	Kind     reflect.Type // of the value, or of what a pointer to it points to
	Example  string       // of what is not simply text
}

// settings returns every value of a part of the configuration, whose keys and variables begin as they are given.
func settings(of reflect.Type, key, prefix string) (all []setting) {
	for field := range of.Fields() {
		key, under, kind := key+field.Tag.Get("yaml"), prefix+field.Tag.Get("envPrefix"), field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch {
		case field.Tag.Get("env") != "":
			all = append(all, setting{key, prefix + field.Tag.Get("env"), kind, field.Tag.Get("example")})
		case kind.Kind() == reflect.Slice:
			all = append(all, settings(kind.Elem(), key+"[].", under+"0_")...)
		case kind.Kind() == reflect.Struct:
			all = append(all, settings(kind, key+".", under)...)
		}
	}
	return all
}

// check says what a value is not, as far as its kind tells. It shows the value but of a map, which may be secret.
func (s setting) check(value string) error {
	var wanted string
	var err error
	switch kind := s.Kind.Kind(); {
	case s.Kind == reflect.TypeFor[slog.Level]():
		wanted, err = "a level, which are debug, info, warn and error", new(slog.Level).UnmarshalText([]byte(value))
	case kind == reflect.Int || kind == reflect.Int64:
		wanted = "a whole number in digits"
		_, err = strconv.ParseInt(value, 10, 32)
	case kind == reflect.Float64:
		wanted = "a number"
		_, err = strconv.ParseFloat(value, 64)
	case kind == reflect.Bool && value != "true" && value != "false":
		return fmt.Errorf("%q is neither true nor false: give one of the two", value)
	case kind == reflect.Map:
		for part := range strings.SplitSeq(value, ",") {
			if !strings.Contains(part, ":") {
				return fmt.Errorf("a part is not NAME:value: separate parts by commas, and write values with a comma into the file")
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%q is not %s: give one like %s", value, wanted, s.Example)
	}
	return nil
}

// checkFile checks the values in a configuration file, by line and column. What is no YAML, or of no known key, is for the
// decoder to say.
func checkFile(path string, content []byte) error {
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		return nil //nolint:nilerr // the decoder says so
	}
	known := map[string]setting{}
	for _, one := range settings(reflect.TypeFor[Config](), "", environmentPrefix) {
		known[one.Key] = one
	}
	var check func(key string, in ast.Node) error
	check = func(key string, in ast.Node) error {
		switch in := in.(type) {
		case *ast.MappingNode:
			for _, one := range in.Values {
				if err := check(key, one); err != nil {
					return err
				}
			}
		case *ast.MappingValueNode:
			under := strings.TrimPrefix(key+"."+in.Key.String(), ".")
			return check(under, in.Value)
		case ast.ScalarNode:
			of, ok := known[key]
			if !ok || of.Kind.Kind() == reflect.Map || in.Type() == ast.NullType { // one without a value is as if it were not there
				return nil
			}
			if err := of.check(in.GetToken().Value); err != nil {
				at := in.GetToken().Position
				return fmt.Errorf("%s:%d:%d: %s: %w", path, at.Line, at.Column, key, err)
			}
		}
		return nil
	}
	for _, document := range file.Docs {
		if err := check("", document.Body); err != nil {
			return err
		}
	}
	return nil
}
