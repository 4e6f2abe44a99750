package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"yagona/kernel/fault"
)

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	environment *Environment
	source      string
	result      Type
	optional    bool // the result may be absent
	inputs      []string
	checked     *ast.AST
	costed      *cel.Ast // the same, as CEL estimates its cost
	program     cel.Program
}

// Source returns the expression as it was written.
func (p *Program) Source() string { return p.source }

// Type returns the type of the result.
func (p *Program) Type() Type { return p.result }

// Inputs returns the paths that the expression may read, sorted: "ask.price", "children[].born", "submitted". An
// evaluation may read fewer: what decides the result first ends it.
func (p *Program) Inputs() []string { return slices.Clone(p.inputs) }

// Optional reports whether the result may be absent.
func (p *Program) Optional() bool { return p.optional }

// State says how a reading found its input.
type State uint8

// The states of a reading, from what tells least to what tells most.
const (
	Absent  State = iota + 1 // there is none
	Present                  // only has(x) was asked, and there is one
	Known                    // the value was read
)

// Reading is one input that an evaluation read.
type Reading struct {
	Path  string // "birth.date", "children[0].born"
	State State
	Value any // if Known: the value; of a list of objects only how many there are, as int64
}

// Result is what an evaluation found.
type Result struct {
	Value   any       // of the program's type; nil if it is unknown, or absent where CompileOptional allowed it
	Unknown []string  // the paths that keep the value from being known, sorted; empty if it is known
	Read    []Reading // what was read, in order
}

// Outcome is what a rule says.
type Outcome uint8

// The outcomes. Zero is Unclear: what nobody could say is never taken for a yes or a no.
const (
	Unclear Outcome = iota
	Met
	NotMet
)

// String returns the outcome's name in the language.
func (o Outcome) String() string { return [...]string{"unknown", "met", "not-met"}[o] }

// Outcome returns what a rule of type bool says.
func (r Result) Outcome() Outcome {
	switch r.Value {
	case true:
		return Met
	case false:
		return NotMet
	}
	return Unclear
}

// IsKnown reports whether the result has a value.
func (r Result) IsKnown() bool { return len(r.Unknown) == 0 }

// Evaluate computes the expression over the values, one for each variable of the environment: bool, int64, string,
// calendar.Date, money.Amount, ident.Territory, ident.Subject, []any, map[string]any, or Unknown{}. A missing key or
// nil is an absent value. Only what the expression reads is looked at.
//
// The error is a fault: an overflow, a value of another type than declared, an evaluation that costs too much, or the
// context's end. It never holds a value.
func (p *Program) Evaluate(ctx context.Context, values map[string]any) (Result, error) {
	inputs := &activation{environment: p.environment, values: values}
	value, _, err := p.program.ContextEval(ctx, inputs)
	if err != nil {
		if p.optional && errors.Is(err, errAbsent) {
			return Result{Read: inputs.notes.readings}, nil
		}
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("rules: %w", context.Cause(ctx))
		}
		return Result{}, evaluationFault(err)
	}
	result := Result{Read: inputs.notes.readings}
	if unknown, ok := value.(*types.Unknown); ok {
		for _, id := range unknown.IDs() {
			trails, _ := unknown.GetAttributeTrails(id)
			for _, trail := range trails {
				result.Unknown = append(result.Unknown, trail.Variable())
			}
		}
		slices.Sort(result.Unknown)
		result.Unknown = slices.Compact(result.Unknown)
		return result, nil
	}
	if result.Value, err = native(value); err != nil {
		return Result{}, evaluationFault(err)
	}
	return result, nil
}

// evaluationFault tells what went wrong without the inner text, which could hold a value.
func evaluationFault(err error) error {
	var typed *TypeError
	switch {
	case errors.Is(err, errAbsent):
		return fault.New(fault.Internal, "rules.absent", errAbsent.Error()).Because(err)
	case errors.As(err, &typed):
		return fault.Newf(fault.Internal, "rules.type", "an input of the rule: %s", typed).Because(err)
	}
	return fault.New(fault.Internal, "rules.failed", "The rule cannot be computed from these values.").Because(err)
}

// activation hands the values to CEL and keeps the notes of one evaluation.
type activation struct {
	environment *Environment
	values      map[string]any
	notes       notes
}

// ResolveName returns the value of a variable.
func (a *activation) ResolveName(name string) (any, bool) {
	if asked, ok := strings.CutPrefix(name, presenceOf); ok {
		return a.notes.present(asked, a.values[asked]), true
	}
	variable, ok := a.environment.variables.Field(name)
	if !ok {
		return nil, false
	}
	value, err := a.notes.value(name, variable.Type, a.values[name])
	if err != nil {
		return types.WrapErr(err), true
	}
	return value, true
}

// Parent returns nil: there is nothing behind the values.
func (a *activation) Parent() interpreter.Activation { return nil }
