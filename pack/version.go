package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"

	"yagona/kernel/rules"
)

// versionFormat is the version of what the hash of a service version is taken over. It changes whenever the same file
// begins to mean something else.
const versionFormat = 1

// hashOf returns the hash of a service version: SHA-256 over everything in its file that decides, the evidence types
// that it uses with the types of their registers' fields, and the version of the rule functions. Words for people and
// examples are not in it: a corrected wording is a revision, not a version. Nor is the history of a param: a decision
// takes the value of its day.
func hashOf(sc *serviceCompiler) string {
	types := map[string]any{}
	for _, e := range sc.d.Evidence {
		from := sc.compiler.evidence[e.From]
		var fields []any
		for _, f := range from.fields {
			fields = append(fields, []any{f.Name, f.Type().String(), f.Optional})
		}
		types[string(e.From)] = []any{from.Register, from.Agency, decisive(reflect.ValueOf(*from.doc)), fields}
	}
	params := map[string]any{}
	for _, p := range sc.d.Params {
		params[p.Name] = p.Type.String()
	}
	content := []any{versionFormat, rules.LibraryVersion, sc.d.Path, decisive(reflect.ValueOf(*sc.doc)), types, params}
	data, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("pack: a definition is text, numbers and lists: %v", err))
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// decisive returns what decides in a value of the language, as JSON can write it: nil if there is nothing.
func decisive(v reflect.Value) any {
	switch v.Interface().(type) {
	case mark, text, example, retention:
		return nil
	case grant:
		return nil // who else may ask decides nothing here
	}
	if o, ok := v.Interface().(orderer); ok {
		var list []any
		for _, one := range o.ordered() {
			list = append(list, []any{one.key, decisive(one.value)})
		}
		if list == nil {
			return nil
		}
		return list
	}
	if _, ok := reflect.New(v.Type()).Interface().(reading); ok {
		if n := v.Interface().(interface{ source() *node }).source(); n != nil {
			return n.text
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Slice:
		var list []any
		for i := range v.Len() {
			if one := decisive(v.Index(i)); one != nil {
				list = append(list, one)
			}
		}
		if list == nil {
			return nil
		}
		return list
	case reflect.Struct:
		object := map[string]any{}
		for _, k := range keysOf(v.Type()) {
			if one := decisive(v.FieldByIndex(k.index)); one != nil {
				object[k.name] = one
			}
		}
		if len(object) == 0 {
			return nil
		}
		return object
	}
	return nil
}
