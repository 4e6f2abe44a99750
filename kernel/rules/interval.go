package rules

import (
	"math"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// Interval is what is known of a number or of an amount before any value is: both ends are included.
type Interval struct{ Low, High int64 }

// Anything is the interval of a number of which nothing is known.
var Anything = Interval{math.MinInt64, math.MaxInt64}

// Interval returns between which ends the result of a number or an amount lies, whatever the inputs are. What is known
// of an input is asked by its path ("ask.price", "children[].allowance"); nil knows nothing. The answer may be wider
// than the truth, never narrower: an amount whose Low is not negative cannot be negative.
func (p *Program) Interval(input func(path string) Interval) Interval {
	if input == nil {
		input = func(string) Interval { return Anything }
	}
	w := newWalk(p.environment, p.checked)
	return w.interval(p.checked.Expr(), scope{}, input)
}

func (w *walk) interval(x ast.Expr, s scope, input func(string) Interval) Interval {
	switch x.Kind() {
	case ast.LiteralKind:
		if n, ok := x.AsLiteral().(types.Int); ok {
			return Interval{int64(n), int64(n)}
		}
	case ast.IdentKind, ast.SelectKind:
		if path, _, ok := w.input(x, s); ok {
			return input(path)
		}
	case ast.CallKind:
		return w.intervalOfCall(x, s, input)
	}
	return Anything
}

func (w *walk) intervalOfCall(x ast.Expr, s scope, input func(string) Interval) Interval {
	call := x.AsCall()
	args := call.Args()
	at := func(i int) Interval { return w.interval(args[i], s, input) }
	switch call.FunctionName() {
	case "_+_":
		a, b := at(0), at(1)
		return Interval{saturatedSum(a.Low, b.Low), saturatedSum(a.High, b.High)}
	case "_-_":
		a, b := at(0), at(1)
		return Interval{saturatedDifference(a.Low, b.High), saturatedDifference(a.High, b.Low)}
	case "-_":
		a := at(0)
		return Interval{saturatedDifference(0, a.High), saturatedDifference(0, a.Low)}
	case "_*_":
		return product(at(0), at(1))
	case "_?_:_":
		a, b := at(1), at(2)
		return Interval{min(a.Low, b.Low), max(a.High, b.High)}
	case "_[_]":
		if path, _, ok := w.input(x, s); ok {
			return input(path)
		}
	case "least", "greatest":
		return w.intervalOfExtreme(call.FunctionName() == "least", args, s, input)
	case "positive":
		a := at(0)
		return Interval{max(0, a.Low), max(0, a.High)}
	case "percent":
		if p := product(at(0), at(1)); p.Low >= 0 {
			return Interval{0, math.MaxInt64}
		}
	case "sum":
		if w.intervalOfElements(args[0], s, input).Low >= 0 {
			return Interval{0, math.MaxInt64}
		}
	case "size":
		return Interval{0, math.MaxInt64}
	}
	return Anything
}

func (w *walk) intervalOfExtreme(least bool, args []ast.Expr, s scope, input func(string) Interval) Interval {
	if len(args) == 1 {
		return w.intervalOfElements(args[0], s, input)
	}
	total := w.interval(args[0], s, input)
	for _, arg := range args[1:] {
		next := w.interval(arg, s, input)
		if least {
			total = Interval{min(total.Low, next.Low), min(total.High, next.High)}
		} else {
			total = Interval{max(total.Low, next.Low), max(total.High, next.High)}
		}
	}
	return total
}

// intervalOfElements holds every element of a list.
func (w *walk) intervalOfElements(list ast.Expr, s scope, input func(string) Interval) Interval {
	switch list.Kind() {
	case ast.IdentKind, ast.SelectKind:
		if path, _, ok := w.input(list, s); ok {
			return input(path + "[]")
		}
	case ast.ListKind:
		all := Interval{math.MaxInt64, math.MinInt64}
		for _, element := range list.AsList().Elements() {
			next := w.interval(element, s, input)
			all = Interval{min(all.Low, next.Low), max(all.High, next.High)}
		}
		if all.Low <= all.High {
			return all
		}
		return Interval{}
	case ast.ComprehensionKind:
		return w.intervalOfMap(list.AsComprehension(), s, input)
	}
	return Anything
}

// intervalOfMap knows the shape that CEL gives to list.map(x, f(x)): the accumulator grows by a list of one element.
func (w *walk) intervalOfMap(c ast.ComprehensionExpr, s scope, input func(string) Interval) Interval {
	step := c.LoopStep()
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != "_+_" ||
		step.AsCall().Args()[1].Kind() != ast.ListKind {
		return Anything
	}
	path, list, ok := w.input(c.IterRange(), s)
	bound := local{path: c.IterVar()}
	if ok && list.Type.Kind == KindList {
		bound = local{path + "[]", *list.Type.Element, true}
	}
	return w.intervalOfElements(step.AsCall().Args()[1], s.bind(c.IterVar(), bound), input)
}

// product is the interval of all products.
func product(a, b Interval) Interval {
	corners := [4]int64{
		saturatedProduct(a.Low, b.Low), saturatedProduct(a.Low, b.High),
		saturatedProduct(a.High, b.Low), saturatedProduct(a.High, b.High),
	}
	result := Interval{corners[0], corners[0]}
	for _, corner := range corners[1:] {
		result = Interval{min(result.Low, corner), max(result.High, corner)}
	}
	return result
}

// The operations below stay at the end of int64 where the result would go beyond: an interval only grows wider by it,
// because an evaluation that overflows gives no result.

func saturatedSum(a, b int64) int64 {
	if sum, ok := plus(a, b); ok {
		return sum
	}
	return end(a < 0)
}

func saturatedDifference(a, b int64) int64 {
	if difference, ok := minus(a, b); ok {
		return difference
	}
	return end(b > 0)
}

func saturatedProduct(a, b int64) int64 {
	if product, ok := times(a, b); ok {
		return product
	}
	return end((a < 0) != (b < 0))
}

func end(negative bool) int64 {
	if negative {
		return math.MinInt64
	}
	return math.MaxInt64
}
