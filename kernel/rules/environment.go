package rules

import (
	"fmt"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The CEL types that CEL itself does not have. They are opaque: only the functions of this package take them.
var (
	dateType      = cel.OpaqueType("date")
	moneyType     = cel.OpaqueType("money")
	territoryType = cel.OpaqueType("territory")
	subjectType   = cel.OpaqueType("subject")
	rangeType     = cel.OpaqueType("range")
)

// Limits of one expression: of its source in characters, of its nesting, of one evaluation in CEL cost units (about one
// per operation and per visited element).
const (
	sourceLimit  = 4000
	nestingLimit = 60
	costLimit    = 200_000
)

// Environment is what expressions may name. It is immutable and safe for concurrent use.
type Environment struct {
	variables Type // an object: one field per variable
	objects   map[string]Type
	env       *cel.Env
}

// NewEnvironment declares the variables. Their names and the names of fields are CEL identifiers and no word of CEL's.
func NewEnvironment(variables ...Field) (*Environment, error) {
	base, err := baseEnvironment()
	if err != nil {
		return nil, err
	}
	e := &Environment{variables: ObjectOf(variables...), objects: map[string]Type{}}
	options := make([]cel.EnvOption, 0, len(variables)+2)
	seen := map[string]bool{}
	for _, variable := range variables {
		if !IsName(variable.Name) || seen[variable.Name] {
			return nil, fmt.Errorf("rules: %q cannot name a variable, or names two", variable.Name)
		}
		seen[variable.Name] = true
		if err := e.declare(variable.Name, variable.Type); err != nil {
			return nil, err
		}
		options = append(options, cel.Variable(variable.Name, celType(variable.Name, variable.Type)))
		if variable.Optional {
			options = append(options, cel.Variable(presenceOf+variable.Name, cel.BoolType))
		}
	}
	options = append(options, cel.CustomTypeProvider(&provider{Provider: base.CELTypeProvider(), objects: e.objects}))
	if e.env, err = base.Extend(options...); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return e, nil
}

// Variables returns what was declared, as an object type.
func (e *Environment) Variables() Type { return e.variables }

// declare keeps the objects in a type under the path at which they stand, which is the name of their CEL type.
func (e *Environment) declare(path string, t Type) error {
	switch t.Kind {
	case KindNone:
		return fmt.Errorf("rules: %s has no type", path)
	case KindList:
		return e.declare(path+"[]", *t.Element)
	case KindObject:
		seen := map[string]bool{}
		for _, field := range t.Fields {
			if !IsName(field.Name) || seen[field.Name] {
				return fmt.Errorf("rules: %q cannot name a field of %s, or names two", field.Name, path)
			}
			seen[field.Name] = true
			if err := e.declare(path+"."+field.Name, field.Type); err != nil {
				return err
			}
		}
		e.objects[path] = t
	}
	return nil
}

// typeOf returns the type that a checked expression has. A choice is text once it was computed with.
func (e *Environment) typeOf(t *cel.Type) (Type, bool) {
	switch {
	case t.Kind() == types.BoolKind:
		return Bool, true
	case t.Kind() == types.IntKind:
		return Int, true
	case t.Kind() == types.StringKind:
		return Text, true
	case t.Kind() == types.ListKind:
		element, ok := e.typeOf(t.Parameters()[0])
		return ListOf(element), ok
	case t.Kind() == types.StructKind:
		object, ok := e.objects[t.TypeName()]
		return object, ok
	case t.IsExactType(dateType):
		return Date, true
	case t.IsExactType(moneyType):
		return Money, true
	case t.IsExactType(territoryType):
		return Territory, true
	case t.IsExactType(subjectType):
		return Subject, true
	}
	return Type{}, false
}

// reserved are CEL's own words: identifiers that its grammar does not let a name be.
var reserved = []string{
	"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
	"namespace", "null", "package", "return", "true", "var", "void", "while",
}

// IsName reports whether text can name a variable or a field: letters, digits and underscores of ASCII, a letter first,
// at most 64, and no reserved word of CEL.
func IsName(text string) bool {
	if text == "" || len(text) > 64 || slices.Contains(reserved, text) {
		return false
	}
	for i, c := range []byte(text) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// baseEnvironment is what all environments extend: the operators and functions. CEL shares what is not changed.
var baseEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(
		cel.FunctionDecls(library()...),
		cel.Macros(cel.AllMacro, cel.ExistsMacro, cel.ExistsOneMacro, cel.FilterMacro, cel.MapMacro, presenceMacro),
		cel.ParserExpressionSizeLimit(sourceLimit),
		cel.ParserRecursionLimit(nestingLimit),
		cel.ExpressionNodeLimit(sourceLimit),
		cel.EnableHiddenAccumulatorName(true),
	)
})

// provider tells CEL the fields of our objects and how to read them.
type provider struct {
	types.Provider
	objects map[string]Type
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return nil, false
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	object, ok := p.objects[name]
	names := make([]string, len(object.Fields))
	for i, field := range object.Fields {
		names[i] = field.Name
	}
	return names, ok
}

func (p *provider) FindStructFieldType(object, name string) (*types.FieldType, bool) {
	field, ok := p.objects[object].Field(name)
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type:  celType(object+"."+name, field.Type),
		IsSet: func(any) bool { return true }, // never asked: has() is our own macro
		GetFrom: func(target any) (any, error) {
			if _, unknown := target.(*types.Unknown); unknown {
				return target, nil
			}
			return target.(*objectValue).read(field)
		},
	}, true
}

// NewValue refuses: an expression reads objects, it makes none.
func (p *provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("an object of type %s cannot be made in an expression", name)
}

// celType returns the CEL type of a type that stands at the path.
func celType(path string, t Type) *cel.Type {
	switch t.Kind {
	case KindBool:
		return cel.BoolType
	case KindInt:
		return cel.IntType
	case KindDate:
		return dateType
	case KindMoney:
		return moneyType
	case KindTerritory:
		return territoryType
	case KindSubject:
		return subjectType
	case KindList:
		return cel.ListType(celType(path+"[]", *t.Element))
	case KindObject:
		return cel.ObjectType(path)
	default:
		return cel.StringType
	}
}
