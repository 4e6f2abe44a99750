package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// Values are kept and exchanged in JSON that tells its own types, so that an old version still reads after a field has
// changed its type: a bool, a number, a text and a list are plain; everything else is an object with one member that
// names the type: {"date": "2026-03-02"}, {"money": 150000}, {"territory": "…"}, {"subject": "person:…"}, {"object": {…}}.

// EncodeValues returns the values of a record or of an answer as canonical JSON: members sorted, no white space, and <, >,
// & and the line ends of U+2028 and U+2029 escaped. What is nil is left out.
func EncodeValues(values map[string]any) (json.RawMessage, error) {
	return encoded(func(to *jsontext.Encoder) error { return encodeObject(to, values) })
}

// encoded returns the one value that write writes.
func encoded(write func(to *jsontext.Encoder) error) ([]byte, error) {
	var out bytes.Buffer
	encoder := jsontext.NewEncoder(&out, jsontext.EscapeForHTML(true), jsontext.EscapeForJS(true), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err := write(encoder); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func encodeObject(to *jsontext.Encoder, values map[string]any) error {
	if err := to.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] == nil {
			continue
		}
		if err := to.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := encodeValue(to, values[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return to.WriteToken(jsontext.EndObject)
}

func encodeValue(to *jsontext.Encoder, value any) error {
	switch value := value.(type) {
	case bool:
		return to.WriteToken(jsontext.Bool(value))
	case int64:
		return to.WriteToken(jsontext.Int(value))
	case string:
		return to.WriteToken(jsontext.String(value))
	case []any:
		if err := to.WriteToken(jsontext.BeginArray); err != nil {
			return err
		}
		for _, element := range value {
			if err := encodeValue(to, element); err != nil {
				return err
			}
		}
		return to.WriteToken(jsontext.EndArray)
	case calendar.Date:
		return encodeTagged(to, "date", jsontext.String(value.String()))
	case money.Amount:
		return encodeTagged(to, "money", jsontext.Int(int64(value)))
	case ident.Territory:
		return encodeTagged(to, "territory", jsontext.String(string(value)))
	case ident.Subject:
		return encodeTagged(to, "subject", jsontext.String(string(value)))
	case map[string]any:
		if err := errors.Join(to.WriteToken(jsontext.BeginObject), to.WriteToken(jsontext.String("object"))); err != nil {
			return err
		}
		if err := encodeObject(to, value); err != nil {
			return err
		}
		return to.WriteToken(jsontext.EndObject)
	}
	return fmt.Errorf("a value of the type %T cannot be kept", value)
}

func encodeTagged(to *jsontext.Encoder, tag string, value jsontext.Token) error {
	return errors.Join(to.WriteToken(jsontext.BeginObject), to.WriteToken(jsontext.String(tag)), to.WriteToken(value), to.WriteToken(jsontext.EndObject))
}

// DecodeValues returns the values that EncodeValues encoded. Anything else is an error, which holds no value.
func DecodeValues(data []byte) (map[string]any, error) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(data))
	token, err := decoder.ReadToken()
	if err != nil || token.Kind() != '{' {
		return nil, errEncoded
	}
	values, err := decodeObject(decoder)
	if err != nil {
		return nil, errEncoded
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errEncoded
	}
	return values, nil
}

var errEncoded = fmt.Errorf("register: these are not encoded values")

// decodeObject returns the members of an object that has begun.
func decodeObject(from *jsontext.Decoder) (map[string]any, error) {
	values := map[string]any{}
	for {
		token, err := from.ReadToken()
		if err != nil {
			return nil, err
		}
		if token.Kind() == '}' {
			return values, nil
		}
		name := token.String()
		if values[name], err = decodeValue(from); err != nil {
			return nil, err
		}
	}
}

func decodeValue(from *jsontext.Decoder) (any, error) {
	token, err := from.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return strconv.ParseInt(token.String(), 10, 64)
	case '[':
		list := []any{}
		for from.PeekKind() != ']' {
			element, err := decodeValue(from)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err := from.ReadToken()
		return list, err
	case '{':
		return decodeTagged(from)
	}
	return nil, errEncoded
}

// decodeTagged returns the value of an object that has begun, whose one member names the value's type.
func decodeTagged(from *jsontext.Decoder) (value any, err error) {
	name, err := from.ReadToken()
	if err != nil || name.Kind() != '"' {
		return nil, errEncoded
	}
	tag := name.String()
	token, err := from.ReadToken()
	if err != nil {
		return nil, err
	}
	switch kind := token.Kind(); {
	case tag == "date" && kind == '"':
		value, err = calendar.ParseDate(token.String())
	case tag == "territory" && kind == '"':
		value = ident.Territory(token.String())
	case tag == "subject" && kind == '"':
		value = ident.Subject(token.String())
	case tag == "money" && kind == '0':
		var amount int64
		amount, err = strconv.ParseInt(token.String(), 10, 64)
		value = money.Amount(amount)
	case tag == "object" && kind == '{':
		value, err = decodeObject(from)
	default:
		return nil, errEncoded
	}
	if err != nil {
		return nil, err
	}
	if end, err := from.ReadToken(); err != nil || end.Kind() != '}' {
		return nil, errEncoded
	}
	return value, nil
}
