package register

import (
	"encoding/json"
	"fmt"
	"strings"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
)

// Values are kept and exchanged in JSON that tells its own types, so that an old version still reads after a field has
// changed its type: a bool, a number, a text and a list are plain; everything else is an object with one member that
// names the type: {"date": "2026-03-02"}, {"money": 150000}, {"territory": "…"}, {"subject": "person:…"}, {"object": {…}}.

// EncodeValues returns the values of a record or of an answer as canonical JSON: members sorted, no white space.
func EncodeValues(values map[string]any) (json.RawMessage, error) {
	tagged, err := tagObject(values)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tagged)
}

func tagObject(values map[string]any) (map[string]any, error) {
	tagged := make(map[string]any, len(values))
	for name, value := range values {
		if value == nil {
			continue
		}
		one, err := tag(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		tagged[name] = one
	}
	return tagged, nil
}

func tag(value any) (any, error) {
	switch value := value.(type) {
	case bool, int64, string:
		return value, nil
	case calendar.Date:
		return map[string]any{"date": value}, nil
	case money.Amount:
		return map[string]any{"money": int64(value)}, nil
	case ident.Territory:
		return map[string]any{"territory": value}, nil
	case ident.Subject:
		return map[string]any{"subject": value}, nil
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			one, err := tag(element)
			if err != nil {
				return nil, err
			}
			list[i] = one
		}
		return list, nil
	case map[string]any:
		object, err := tagObject(value)
		return map[string]any{"object": object}, err
	}
	return nil, fmt.Errorf("a value of the type %T cannot be kept", value)
}

// DecodeValues returns the values that EncodeValues encoded. Anything else is an error, which holds no value.
func DecodeValues(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var tagged map[string]any
	if err := decoder.Decode(&tagged); err != nil || decoder.More() || tagged == nil {
		return nil, errEncoded
	}
	return untagObject(tagged)
}

var errEncoded = fmt.Errorf("register: these are not encoded values")

func untagObject(tagged map[string]any) (map[string]any, error) {
	values := make(map[string]any, len(tagged))
	for name, one := range tagged {
		value, err := untag(one)
		if err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, nil
}

func untag(tagged any) (any, error) {
	switch tagged := tagged.(type) {
	case bool, string:
		return tagged, nil
	case json.Number:
		number, err := tagged.Int64()
		if err != nil {
			return nil, errEncoded
		}
		return number, nil
	case []any:
		list := make([]any, len(tagged))
		for i, element := range tagged {
			value, err := untag(element)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case map[string]any:
		if len(tagged) == 1 {
			for kind, inner := range tagged {
				return untagKind(kind, inner)
			}
		}
	}
	return nil, errEncoded
}

func untagKind(kind string, inner any) (any, error) {
	switch inner := inner.(type) {
	case string:
		switch kind {
		case "date":
			date, err := calendar.ParseDate(inner)
			if err != nil {
				return nil, errEncoded
			}
			return date, nil
		case "territory":
			return ident.Territory(inner), nil
		case "subject":
			return ident.Subject(inner), nil
		}
	case json.Number:
		amount, err := inner.Int64()
		if kind == "money" && err == nil {
			return money.Amount(amount), nil
		}
	case map[string]any:
		if kind == "object" {
			return untagObject(inner)
		}
	}
	return nil, errEncoded
}
