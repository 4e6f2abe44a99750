package rules

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"yagona/kernel/calendar"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/wording"
)

// opaque is what our values have in common: CEL can compare them for equality, and convert them to nothing.
type opaque struct{}

func (opaque) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("rules: a value of the language has no other form")
}

func (opaque) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("a value is never converted by itself")
}

// moneyValue is an amount inside an expression.
type moneyValue struct {
	opaque
	amount money.Amount
}

func (moneyValue) Type() ref.Type { return moneyType }
func (v moneyValue) Value() any   { return v.amount }
func (v moneyValue) Equal(other ref.Val) ref.Val {
	o, ok := other.(moneyValue)
	return types.Bool(ok && o.amount == v.amount)
}

// dateValue is a date inside an expression.
type dateValue struct {
	opaque
	date calendar.Date
}

func (dateValue) Type() ref.Type { return dateType }
func (v dateValue) Value() any   { return v.date }
func (v dateValue) Equal(other ref.Val) ref.Val {
	o, ok := other.(dateValue)
	return types.Bool(ok && o.date == v.date)
}

// territoryValue is a territory inside an expression.
type territoryValue struct {
	opaque
	code ident.Territory
}

func (territoryValue) Type() ref.Type { return territoryType }
func (v territoryValue) Value() any   { return v.code }
func (v territoryValue) Equal(other ref.Val) ref.Val {
	o, ok := other.(territoryValue)
	return types.Bool(ok && o.code == v.code)
}

// subjectValue is a person, an organisation or a household inside an expression.
type subjectValue struct {
	opaque
	subject ident.Subject
}

func (subjectValue) Type() ref.Type { return subjectType }
func (v subjectValue) Value() any   { return v.subject }
func (v subjectValue) Equal(other ref.Val) ref.Val {
	o, ok := other.(subjectValue)
	return types.Bool(ok && o.subject == v.subject)
}

// rangeValue is range(low, high) inside an expression: both ends belong to it. It exists in order to stand after `in`.
type rangeValue struct {
	opaque
	low, high ref.Val // both Int, both money, or both date
}

func (rangeValue) Type() ref.Type { return rangeType }
func (v rangeValue) Value() any   { return v }
func (v rangeValue) Equal(other ref.Val) ref.Val {
	o, ok := other.(rangeValue)
	return types.Bool(ok && v.low.Equal(o.low) == types.True && v.high.Equal(o.high) == types.True)
}

// objectValue is an object inside an expression. It notes what is read from it.
type objectValue struct {
	opaque
	declared Type
	path     string
	fields   map[string]any
	notes    *notes
}

func (o *objectValue) Type() ref.Type { return types.NewObjectType("object") }
func (o *objectValue) Value() any     { return o }
func (o *objectValue) Equal(other ref.Val) ref.Val {
	p, ok := other.(*objectValue)
	return types.Bool(ok && p.path == o.path)
}

// errAbsent is met only where a value lacks what its type promises: guarded expressions never read what is absent.
var errAbsent = errors.New("an input that the expression reads is absent")

// read returns the field's value and notes it.
func (o *objectValue) read(field Field) (any, error) {
	value, err := o.notes.value(join(o.path, field.Name), field.Type, o.fields[field.Name])
	if err != nil {
		return nil, err
	}
	return value, nil
}

// notes is what one evaluation reads. It belongs to one goroutine.
type notes struct {
	readings []Reading
	unknowns int64
}

func (n *notes) add(reading Reading) {
	for i, r := range n.readings {
		if r.Path == reading.Path {
			if reading.State > r.State {
				n.readings[i] = reading
			}
			return
		}
	}
	n.readings = append(n.readings, reading)
}

// present tells whether an input has a value, and notes that it was asked.
func (n *notes) present(path string, input any) ref.Val {
	switch input.(type) {
	case nil:
		n.add(Reading{Path: path, State: Absent})
		return types.False
	case Unknown:
		return n.unknown(path)
	default:
		n.add(Reading{Path: path, State: Present})
		return types.True
	}
}

func (n *notes) unknown(path string) ref.Val {
	n.unknowns++
	return types.NewUnknown(n.unknowns, types.NewAttributeTrail(path))
}

// value turns an input into what CEL computes with, and notes that it was read.
func (n *notes) value(path string, t Type, input any) (ref.Val, error) {
	if input == nil {
		return nil, errAbsent
	}
	if _, unknown := input.(Unknown); unknown {
		return n.unknown(path), nil
	}
	value, err := n.convert(path, t, input)
	if err == nil && t.Kind != KindObject {
		reading := Reading{Path: path, State: Known, Value: input}
		if t.Kind == KindList && t.Element.Kind == KindObject {
			reading.Value = int64(len(input.([]any)))
		}
		n.add(reading)
	}
	return value, err
}

func (n *notes) convert(path string, t Type, input any) (ref.Val, error) {
	switch v := input.(type) {
	case bool:
		if t.Kind == KindBool {
			return types.Bool(v), nil
		}
	case int64:
		if t.Kind == KindInt {
			return types.Int(v), nil
		}
	case string:
		if t.Kind == KindText || t.Kind == KindChoice {
			return types.String(v), nil
		}
	case calendar.Date:
		if t.Kind == KindDate {
			return dateValue{date: v}, nil
		}
	case money.Amount:
		if t.Kind == KindMoney {
			return moneyValue{amount: v}, nil
		}
	case ident.Territory:
		if t.Kind == KindTerritory {
			return territoryValue{code: v}, nil
		}
	case ident.Subject:
		if t.Kind == KindSubject {
			return subjectValue{subject: v}, nil
		}
	case map[string]any:
		if t.Kind == KindObject {
			return &objectValue{declared: t, path: path, fields: v, notes: n}, nil
		}
	case []any:
		if t.Kind == KindList {
			return n.list(path, *t.Element, v)
		}
	}
	return nil, &TypeError{Path: path, Message: wording.Say("is not %s", t)}
}

func (n *notes) list(path string, element Type, inputs []any) (ref.Val, error) {
	values := make([]ref.Val, len(inputs))
	for i, input := range inputs {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch input.(type) {
		case nil:
			return nil, errAbsent
		case Unknown:
			return n.unknown(at), nil // a list that is known in part is unknown as a whole
		}
		value, err := n.convert(at, element, input)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return types.NewRefValList(types.DefaultTypeAdapter, values), nil
}

// native turns a result back into a value of the language.
func native(value ref.Val) (any, error) {
	switch v := value.(type) {
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.String:
		return string(v), nil
	case moneyValue, dateValue, territoryValue, subjectValue:
		return v.Value(), nil
	case *objectValue:
		return v.fields, nil
	case traits.Lister:
		size := int(v.Size().(types.Int))
		list := make([]any, size)
		for i := range size {
			element, err := native(v.Get(types.Int(i)))
			if err != nil {
				return nil, err
			}
			list[i] = element
		}
		return list, nil
	}
	return nil, fmt.Errorf("rules: a result of type %s", value.Type().TypeName())
}

// The arithmetic of whole numbers that may not overflow.

func plus(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

func minus(a, b int64) (int64, bool) {
	c := a - b
	return c, (c < a) == (b > 0)
}

func times(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, c/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64)
}
