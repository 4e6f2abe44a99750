package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// Marshal returns the value in the platform's one JSON form: an amount is a whole number of minor units, a date is
// "2026-03-02", a territory, a subject and an option are their text, an absent field is left out, fields stand in the
// order of the type. An unknown value has no JSON form and is an error.
func (t Type) Marshal(value any) ([]byte, error) {
	if err := t.Check(value); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.encode(&out, "", value); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (t Type) encode(out *bytes.Buffer, path string, value any) error {
	switch v := value.(type) {
	case Unknown:
		return &TypeError{Path: path, Message: "is unknown and cannot be kept"}
	case []any:
		out.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := t.Element.encode(out, fmt.Sprintf("%s[%d]", path, i), element); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case map[string]any:
		out.WriteByte('{')
		first := true
		for _, field := range t.Fields {
			if v[field.Name] == nil {
				continue
			}
			if !first {
				out.WriteByte(',')
			}
			first = false
			fmt.Fprintf(out, "%q:", field.Name) // a name is ASCII letters, digits and underscores
			if err := field.Type.encode(out, join(path, field.Name), v[field.Name]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	}
	encoded, err := json.Marshal(value)
	out.Write(encoded)
	return err
}

// Unmarshal reads what Marshal writes, and checks it: an unknown field, a missing one, a duplicate and a wrong type are
// errors that name the path, never the value.
func (t Type) Unmarshal(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := t.decode(decoder, "")
	if err != nil {
		var typed *TypeError
		if errors.As(err, &typed) {
			return nil, typed
		}
		return nil, &TypeError{Message: "is not well-formed JSON"}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &TypeError{Message: "is followed by something else"}
	}
	return value, t.Check(value)
}

func (t Type) decode(decoder *json.Decoder, path string) (any, error) {
	wrong := &TypeError{Path: path, Message: "is not " + t.String()}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case bool:
		if t.Kind == KindBool {
			return v, nil
		}
	case json.Number:
		n, err := v.Int64()
		switch {
		case err != nil:
		case t.Kind == KindInt:
			return n, nil
		case t.Kind == KindMoney:
			return money.Amount(n), nil
		}
	case string:
		return t.decodeText(v, wrong)
	case json.Delim:
		switch {
		case v == '[' && t.Kind == KindList:
			return t.decodeList(decoder, path)
		case v == '{' && t.Kind == KindObject:
			return t.decodeObject(decoder, path)
		}
	}
	return nil, wrong
}

func (t Type) decodeText(text string, wrong error) (any, error) {
	switch t.Kind {
	case KindText, KindChoice:
		return text, nil
	case KindTerritory:
		return ident.Territory(text), nil
	case KindSubject:
		if subject, err := ident.ParseSubject(text); err == nil {
			return subject, nil
		}
	case KindDate:
		if date, err := calendar.ParseDate(text); err == nil {
			return date, nil
		}
	}
	return nil, wrong
}

func (t Type) decodeList(decoder *json.Decoder, path string) (any, error) {
	list := []any{}
	for decoder.More() {
		element, err := t.Element.decode(decoder, fmt.Sprintf("%s[%d]", path, len(list)))
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	_, err := decoder.Token()
	return list, err
}

func (t Type) decodeObject(decoder *json.Decoder, path string) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		field, ok := t.Field(name)
		if !ok {
			return nil, &TypeError{Path: path, Message: "has a field that is not known here"}
		}
		if _, twice := object[name]; twice {
			return nil, &TypeError{Path: join(path, name), Message: "stands twice"}
		}
		if object[name], err = field.Type.decode(decoder, join(path, name)); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return object, err
}
