package rules

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"

	"yagona/kernel/wording"
)

// Partial returns the parts of the expression that may have no result although every input has its type: a division by
// what can be zero, a number that can grow beyond what the platform counts, a day outside the calendar, an element that
// a list may not have. It is empty if an evaluation over values of the declared types cannot fail.
//
// A condition counts where it is asked first: in `ask.n != 0 ? 100 / ask.n : 0` the divisor is never zero.
func (p *Program) Partial() Errors {
	w := newWalk(p.environment, p.checked)
	if p.optional {
		return nil // it only names an input
	}
	w.partial = true
	w.visit(p.checked.Expr(), scope{})
	if most, err := p.environment.env.EstimateCost(p.costed, sizes{w}); err != nil || most.Max > costLimit {
		w.fail(p.checked.Expr(), wording.Say("the expression can take too long: it looks at lists inside lists"),
			wording.Say("look at each list once, or let a repeated question have fewer groups"))
	}
	return w.errors
}

// sizes tells CEL how long lists and texts can be.
type sizes struct{ *walk }

// EstimateSize implements cost.Estimator. What is not known here is computed from an input: it is never longer.
func (w sizes) EstimateSize(element cost.AstNode) *cost.SizeEstimate {
	x := element.Expr()
	if x == nil || !w.measured(x) {
		return &cost.SizeEstimate{Min: 1, Max: 1}
	}
	length := w.interval(x, scope{})
	if length == Anything {
		length = Interval{0, mostLetters}
		if element.Type().Kind() == cel.ListKind {
			length.High = MostElements
		}
	}
	return &cost.SizeEstimate{Min: uint64(max(0, length.Low)), Max: uint64(max(0, length.High))}
}

// EstimateCallCost implements cost.Estimator: our functions cost what the evaluation counts for them.
func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

var (
	hintGuard    = wording.Say("ask first: size(…) > 0 ? … : …, or give the repeated question min: 1")
	hintOverflow = wording.Say("give the inputs min: and max:, or bound the part: least(…, 1000)")
)

// visitPartial looks at one operation for inputs that it has no result for.
func (w *walk) visitPartial(x ast.Expr, s scope) {
	call := x.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case "_/_", "_%_":
		divisor := shown(args[1])
		switch {
		case w.canBeZero(args[1], s):
			w.fail(args[1], wording.Say("the divisor %s can be zero", divisor),
				wording.Say("ask first: %s != 0 ? … : …, or let its min: be 1", divisor))
		case w.interval(x, s).saturated():
			w.fail(x, wording.Say("the quotient can be larger than the platform counts"), hintOverflow)
		}
	case "_+_", "_-_", "_*_", "-_", "percent", "sum":
		if w.measured(x) {
			return // a text or a list: its length is bounded where it is used
		}
		if w.interval(x, s).saturated() {
			w.fail(x, wording.Say("the result can be larger than the platform counts"), hintOverflow)
		}
	case "plusDays", "plusMonths", "plusYears":
		moved := w.interval(x, s)
		if moved.Low < firstDay || moved.High > lastDay {
			w.fail(x, wording.Say("the day can lie outside the calendar, which ends with the year 9999"),
				wording.Say("give the number min: and max:, or bound it: least(…, 3650)"))
		}
	case "_[_]":
		length, index := w.interval(args[0], s), w.interval(args[1], s)
		if index.Low < 0 || index.High >= length.Low {
			w.fail(x, wording.Say("the list can be shorter than the element that is read"), hintGuard)
		}
	case "least", "greatest":
		if len(args) == 1 && w.interval(args[0], s).Low < 1 {
			w.fail(x, wording.Say("the list can be empty, and has no %s then", name), hintGuard)
		}
	}
}

// Always returns the one result that a condition can have, if its inputs cannot change it: a comparison that their
// bounds decide. It does not find every such condition.
func (p *Program) Always() (value, always bool) {
	w := newWalk(p.environment, p.checked)
	return w.decided(p.checked.Expr(), scope{})
}

// decided returns the one value of a condition, if it can have no other.
func (w *walk) decided(x ast.Expr, s scope) (value, always bool) {
	if x.Kind() == ast.LiteralKind {
		value, always = x.AsLiteral().Value().(bool)
		return value, always
	}
	if x.Kind() != ast.CallKind {
		return false, false
	}
	call := x.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case "!_":
		value, always = w.decided(args[0], s)
		return !value, always
	case "_&&_", "_||_":
		// One false decides a conjunction, one true an alternative.
		decisive := name == "_||_"
		left, leftAlways := w.decided(args[0], s)
		right, rightAlways := w.decided(args[1], w.under(args[0], s, !decisive))
		switch {
		case leftAlways && left == decisive, rightAlways && right == decisive:
			return decisive, true
		case leftAlways && rightAlways:
			return !decisive, true
		}
	case "_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_":
		if w.ordered(args[0]) {
			return comparedTo(comparisons[name], w.interval(args[0], s), w.interval(args[1], s))
		}
	}
	return false, false
}

// comparedTo compares all values of one interval with all of another.
func comparedTo(operator string, a, b Interval) (value, always bool) {
	switch operator {
	case "<":
		return a.High < b.Low, a.High < b.Low || a.Low >= b.High
	case "<=":
		return a.High <= b.Low, a.High <= b.Low || a.Low > b.High
	case ">", ">=":
		return comparedTo(map[string]string{">": "<", ">=": "<="}[operator], b, a)
	case "==":
		same := a == b && a.Low == a.High
		return same, same || a.High < b.Low || a.Low > b.High
	default:
		value, always = comparedTo("==", a, b)
		return !value, always
	}
}
