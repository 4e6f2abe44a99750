package rules

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"yagona/kernel/calendar"
)

// Interval is what is known of a value before it is: of a number or an amount between which ends it lies, of a date the
// same in days since 1970-01-01, of a text how many characters it has, of a list how many elements. Both ends are
// included.
type Interval struct{ Low, High int64 }

// Anything is the interval of a number of which nothing is known.
var Anything = Interval{math.MinInt64, math.MaxInt64}

// What a value lies between where its type says nothing narrower. The ends of numbers and amounts are so far from those
// of int64 that a sum over a whole list cannot overflow.
const (
	mostInt      = 1_000_000_000_000
	mostMoney    = 10_000_000_000_000_000
	mostLetters  = 10_000
	MostElements = 100 // of a list
)

var (
	earliestDay = dayOf(calendar.Date{Year: 1000, Month: time.January, Day: 1})
	latestDay   = dayOf(calendar.Date{Year: 2999, Month: time.December, Day: 31})
	// The ends of what calendar.Date can be.
	firstDay = dayOf(calendar.Date{Year: 1, Month: time.January, Day: 1})
	lastDay  = dayOf(calendar.Date{Year: 9999, Month: time.December, Day: 31})
)

// dayOf counts days since 1970-01-01.
func dayOf(d calendar.Date) int64 {
	return int64(calendar.Date{Year: 1970, Month: time.January, Day: 1}.DaysUntil(d))
}

// DaysBetween returns the interval of dates that lie between two days; a zero date leaves its end open.
func DaysBetween(earliest, latest calendar.Date) Interval {
	i := Interval{earliestDay, latestDay}
	if !earliest.IsZero() {
		i.Low = dayOf(earliest)
	}
	if !latest.IsZero() {
		i.High = dayOf(latest)
	}
	return i
}

// Bounds returns between which ends a value of the type lies: what the type declares, and the platform's own limits.
func (t Type) Bounds() Interval {
	limits := Anything
	switch t.Kind {
	case KindInt:
		limits = Interval{-mostInt, mostInt}
	case KindMoney:
		limits = Interval{-mostMoney, mostMoney}
	case KindDate:
		limits = Interval{earliestDay, latestDay}
	case KindText:
		limits = Interval{0, mostLetters}
	case KindChoice:
		limits = Interval{mostLetters, 0}
		for _, option := range t.Options {
			n := int64(utf8.RuneCountInString(option))
			limits = limits.or(Interval{n, n})
		}
		return limits
	case KindList:
		limits = Interval{0, MostElements}
	default:
		return limits
	}
	if t.Within == nil {
		return limits
	}
	if t.Kind == KindText || t.Kind == KindList {
		return *t.Within
	}
	return limits.and(*t.Within)
}

// WithBounds returns the type for values that lie between the ends.
func (t Type) WithBounds(within Interval) Type {
	t.Within = &within
	return t
}

// Contains reports whether the whole of the other interval lies in this one.
func (i Interval) Contains(other Interval) bool { return i.Low <= other.Low && other.High <= i.High }

func (i Interval) and(other Interval) Interval {
	return Interval{max(i.Low, other.Low), min(i.High, other.High)}
}

func (i Interval) or(other Interval) Interval {
	return Interval{min(i.Low, other.Low), max(i.High, other.High)}
}

func (i Interval) has(n int64) bool { return i.Low <= n && n <= i.High }

// saturated reports whether a result can lie beyond int64.
func (i Interval) saturated() bool { return i.Low == math.MinInt64 || i.High == math.MaxInt64 }

// Interval returns between which ends the result lies, whatever the inputs are that have their types. The answer may be
// wider than the truth, never narrower: an amount whose Low is not negative cannot be negative.
func (p *Program) Interval() Interval {
	w := newWalk(p.environment, p.checked)
	return w.interval(p.checked.Expr(), scope{})
}

// interval is computed from the expression, and cut to what the conditions around it say.
func (w *walk) interval(x ast.Expr, s scope) Interval {
	found := w.computed(x, s)
	key := w.key(x, s)
	if key == "" {
		return found
	}
	if w.measured(x) {
		key = "size(" + key + ")"
	}
	if known, ok := s.known[key]; ok {
		if cut := found.and(known); cut.Low <= cut.High {
			return cut
		}
	}
	return found
}

// measured reports whether an expression is a text or a list, whose interval is its length.
func (w *walk) measured(x ast.Expr) bool {
	t, ok := w.environment.typeOf(w.tree.GetType(x.ID()))
	return ok && (t.Kind == KindText || t.Kind == KindList)
}

func (w *walk) computed(x ast.Expr, s scope) Interval {
	switch x.Kind() {
	case ast.LiteralKind:
		switch v := x.AsLiteral().(type) {
		case types.Int:
			return Interval{int64(v), int64(v)}
		case types.String:
			n := int64(utf8.RuneCountInString(string(v)))
			return Interval{n, n}
		}
	case ast.IdentKind, ast.SelectKind:
		if x.Kind() == ast.IdentKind {
			if l, ok := s.locals[x.AsIdent()]; ok && l.within != nil {
				return *l.within
			}
		}
		if _, field, ok := w.input(x, s); ok {
			return field.Type.Bounds()
		}
		if t, ok := w.environment.typeOf(w.tree.GetType(x.ID())); ok && x.Kind() == ast.SelectKind {
			return t.Bounds() // a field of an element of a list that was computed: no expression makes objects
		}
	case ast.ListKind:
		n := int64(len(x.AsList().Elements()))
		return Interval{n, n}
	case ast.ComprehensionKind:
		return w.lengthOfComprehension(x.AsComprehension(), s)
	case ast.CallKind:
		return w.intervalOfCall(x, s)
	}
	return Anything
}

func (w *walk) intervalOfCall(x ast.Expr, s scope) Interval {
	call := x.AsCall()
	args := call.Args()
	at := func(i int) Interval { return w.interval(args[i], s) }
	switch call.FunctionName() {
	case "_+_":
		a, b := at(0), at(1)
		return Interval{saturatedSum(a.Low, b.Low), saturatedSum(a.High, b.High)}
	case "_-_":
		return difference(at(0), at(1))
	case "-_":
		return difference(Interval{}, at(0))
	case "_*_":
		return product(at(0), at(1))
	case "_/_":
		return quotient(at(0), at(1))
	case "_%_":
		return remainder(at(0), at(1))
	case "_?_:_":
		return w.interval(args[1], w.under(args[0], s, true)).or(w.interval(args[2], w.under(args[0], s, false)))
	case "_[_]":
		if _, field, ok := w.input(x, s); ok {
			return field.Type.Bounds()
		}
		return w.elements(args[0], s)
	case "least", "greatest":
		return w.intervalOfExtreme(call.FunctionName() == "least", args, s)
	case "positive":
		a := at(0)
		return Interval{max(0, a.Low), max(0, a.High)}
	case "percent":
		return percentage(at(0), at(1))
	case "sum":
		return total(w.interval(args[0], s), w.elements(args[0], s))
	case "size":
		return at(0)
	}
	return w.intervalOfDates(call, at)
}

// intervalOfDates knows the functions of dates.
func (w *walk) intervalOfDates(call ast.CallExpr, at func(int) Interval) Interval {
	switch call.FunctionName() {
	case "date":
		if text, ok := call.Args()[0].AsLiteral().(types.String); ok {
			if day, err := calendar.ParseDate(string(text)); err == nil {
				return Interval{dayOf(day), dayOf(day)}
			}
		}
	case "days":
		return difference(at(1), at(0))
	case "years", "age":
		return completed(difference(at(1), at(0)), 365, 366)
	case "months":
		return completed(difference(at(1), at(0)), 28, 31)
	case "year":
		return Interval{yearOf(at(0).Low), yearOf(at(0).High)}
	case "month":
		return Interval{1, 12}
	case "day":
		return Interval{1, 31}
	case "plusDays":
		return later(at(0), at(1), 1, 1)
	case "plusMonths":
		return later(at(0), at(1), 28, 31)
	case "plusYears":
		return later(at(0), at(1), 365, 366)
	}
	return Anything
}

// completed counts the spans that are completed in so many days; a span has between the shortest and the longest.
func completed(days Interval, shortest, longest int64) Interval {
	count := Interval{0, 0}
	if days.Low < 0 {
		count.Low = days.Low/shortest - 1
	} else if days.Low > longest {
		count.Low = days.Low/longest - 1
	}
	if days.High > 0 {
		count.High = days.High/shortest + 1
	}
	return count
}

// later moves dates by so many spans. What the end of a shorter month cuts off is at most three days.
func later(date, count Interval, shortest, longest int64) Interval {
	by := Interval{saturatedProduct(count.Low, shortest), saturatedProduct(count.High, longest)}
	if count.Low < 0 {
		by.Low = saturatedProduct(count.Low, longest)
	}
	if count.High < 0 {
		by.High = saturatedProduct(count.High, shortest)
	}
	moved := Interval{saturatedSum(date.Low, by.Low), saturatedSum(date.High, by.High)}
	if longest > 1 {
		moved = Interval{saturatedSum(moved.Low, -3), saturatedSum(moved.High, 3)}
	}
	return moved
}

func yearOf(day int64) int64 {
	day = min(max(day, firstDay), lastDay)
	return int64(calendar.Date{Year: 1970, Month: time.January, Day: 1}.AddDays(int(day)).Year)
}

func (w *walk) intervalOfExtreme(least bool, args []ast.Expr, s scope) Interval {
	if len(args) == 1 {
		return w.elements(args[0], s)
	}
	found := w.interval(args[0], s)
	for _, arg := range args[1:] {
		next := w.interval(arg, s)
		if least {
			found = Interval{min(found.Low, next.Low), min(found.High, next.High)}
		} else {
			found = Interval{max(found.Low, next.Low), max(found.High, next.High)}
		}
	}
	return found
}

// elements holds every element of a list.
func (w *walk) elements(list ast.Expr, s scope) Interval {
	switch list.Kind() {
	case ast.IdentKind, ast.SelectKind:
		if _, field, ok := w.input(list, s); ok && field.Type.Kind == KindList {
			return field.Type.Element.Bounds()
		}
	case ast.ListKind:
		all := Interval{math.MaxInt64, math.MinInt64}
		for _, element := range list.AsList().Elements() {
			all = all.or(w.interval(element, s))
		}
		if all.Low <= all.High {
			return all
		}
		return Interval{}
	case ast.ComprehensionKind:
		return w.elementsOfComprehension(list.AsComprehension(), s)
	case ast.CallKind:
		call := list.AsCall()
		switch args := call.Args(); call.FunctionName() {
		case "_+_":
			return w.elements(args[0], s).or(w.elements(args[1], s))
		case "_?_:_":
			return w.elements(args[1], w.under(args[0], s, true)).or(w.elements(args[2], w.under(args[0], s, false)))
		}
	}
	return Anything
}

// The shapes that CEL gives to list.map(x, f) and list.filter(x, p): the accumulator grows by a list of one element,
// always or if a condition holds.
func grownBy(c ast.ComprehensionExpr) (element, condition ast.Expr, ok bool) {
	step := c.LoopStep()
	if step.Kind() == ast.CallKind && step.AsCall().FunctionName() == "_?_:_" {
		condition, step = step.AsCall().Args()[0], step.AsCall().Args()[1]
	}
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != "_+_" ||
		step.AsCall().Args()[1].Kind() != ast.ListKind {
		return nil, nil, false
	}
	return step.AsCall().Args()[1].AsList().Elements()[0], condition, true
}

func (w *walk) elementsOfComprehension(c ast.ComprehensionExpr, s scope) Interval {
	element, condition, ok := grownBy(c)
	if !ok {
		return Anything
	}
	inner := w.inside(c, s)
	if condition != nil {
		inner = w.under(condition, inner, true)
	}
	return w.interval(element, inner)
}

func (w *walk) lengthOfComprehension(c ast.ComprehensionExpr, s scope) Interval {
	_, condition, ok := grownBy(c)
	if !ok {
		return Anything
	}
	length := w.interval(c.IterRange(), s)
	if condition != nil {
		length.Low = 0
	}
	return length
}

// key names an expression, so that what a condition says of it is found again; "" where it has no name.
func (w *walk) key(x ast.Expr, s scope) string {
	switch x.Kind() {
	case ast.LiteralKind:
		switch v := x.AsLiteral().(type) {
		case types.Int:
			return strconv.FormatInt(int64(v), 10)
		case types.String:
			return strconv.Quote(string(v))
		case types.Bool:
			return strconv.FormatBool(bool(v))
		}
	case ast.IdentKind:
		if _, local := s.locals[x.AsIdent()]; local {
			return localMark + x.AsIdent() + localMark
		}
		return x.AsIdent()
	case ast.SelectKind:
		if of := w.key(x.AsSelect().Operand(), s); of != "" {
			return of + "." + x.AsSelect().FieldName()
		}
	case ast.CallKind:
		call := x.AsCall()
		parts := call.Args()
		if call.IsMemberFunction() {
			parts = append([]ast.Expr{call.Target()}, parts...)
		}
		keys := make([]string, len(parts))
		for i, part := range parts {
			if keys[i] = w.key(part, s); keys[i] == "" {
				return ""
			}
		}
		return call.FunctionName() + "(" + strings.Join(keys, ",") + ")"
	}
	return ""
}

// localMark stands around the variables of all(), map() and so on: no name of the language holds it.
const localMark = "$"

// under is the scope in which the condition has the given truth.
func (w *walk) under(condition ast.Expr, s scope, truth bool) scope {
	refined := s.with(w.shows(condition, s, truth))
	known := make(map[string]Interval, len(s.known))
	for key, i := range s.known {
		known[key] = i
	}
	refined.known = known
	w.learn(condition, s, truth, known)
	return refined
}

// learn adds what a condition of the given truth says of numbers.
func (w *walk) learn(x ast.Expr, s scope, truth bool, known map[string]Interval) {
	if x.Kind() != ast.CallKind {
		return
	}
	call := x.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case "!_":
		w.learn(args[0], s, !truth, known)
	case "_&&_", "_||_":
		if (name == "_&&_") == truth {
			w.learn(args[0], s, truth, known)
			w.learn(args[1], s, truth, known)
		}
	case "_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_":
		w.compare(comparisons[name], args[0], args[1], s, truth, known)
	case "@in":
		if r := args[1]; truth && r.Kind() == ast.CallKind && r.AsCall().FunctionName() == "range" {
			w.compare("<=", r.AsCall().Args()[0], args[0], s, true, known)
			w.compare("<=", args[0], r.AsCall().Args()[1], s, true, known)
		}
	}
}

var comparisons = map[string]string{"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "_==_": "==", "_!=_": "!="}

var opposite = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

func (w *walk) compare(operator string, left, right ast.Expr, s scope, truth bool, known map[string]Interval) {
	if !w.ordered(left) {
		return
	}
	if !truth {
		operator = opposite[operator]
	}
	a, b := w.interval(left, s), w.interval(right, s)
	narrow := func(x ast.Expr, to Interval) {
		key := w.key(x, s)
		if key == "" || x.Kind() == ast.LiteralKind {
			return
		}
		if before, ok := known[key]; ok {
			to = to.and(before)
		}
		known[key] = to
	}
	switch operator {
	case "<":
		narrow(left, Interval{a.Low, min(a.High, saturatedDifference(b.High, 1))})
		narrow(right, Interval{max(b.Low, saturatedSum(a.Low, 1)), b.High})
	case "<=":
		narrow(left, Interval{a.Low, min(a.High, b.High)})
		narrow(right, Interval{max(b.Low, a.Low), b.High})
	case ">", ">=":
		w.compare(map[string]string{">": "<", ">=": "<="}[operator], right, left, s, true, known)
	case "==":
		narrow(left, a.and(b))
		narrow(right, a.and(b))
	case "!=":
		w.without(left, a, b, s, known)
		w.without(right, b, a, s, known)
	}
}

// without narrows an expression that is not the one value that the other has.
func (w *walk) without(x ast.Expr, is, not Interval, s scope, known map[string]Interval) {
	key := w.key(x, s)
	if key == "" || x.Kind() == ast.LiteralKind || not.Low != not.High {
		return
	}
	switch {
	case is.Low == not.Low:
		known[key] = Interval{is.Low + 1, is.High}
	case is.High == not.Low:
		known[key] = Interval{is.Low, is.High - 1}
	}
	if not.Low == 0 {
		known[notZero+key] = Interval{}
	}
}

// notZero stands before the key of what a condition found to be other than zero.
const notZero = "!=0 "

// canBeZero reports whether a divisor can be zero.
func (w *walk) canBeZero(x ast.Expr, s scope) bool {
	if _, not := s.known[notZero+w.key(x, s)]; not {
		return false
	}
	return w.interval(x, s).has(0)
}

// ordered reports whether an expression is a number, an amount or a date.
func (w *walk) ordered(x ast.Expr) bool {
	t, ok := w.environment.typeOf(w.tree.GetType(x.ID()))
	return ok && (t.Kind == KindInt || t.Kind == KindMoney || t.Kind == KindDate)
}

func difference(a, b Interval) Interval {
	return Interval{saturatedDifference(a.Low, b.High), saturatedDifference(a.High, b.Low)}
}

// product is the interval of all products.
func product(a, b Interval) Interval {
	corners := [4]int64{
		saturatedProduct(a.Low, b.Low), saturatedProduct(a.Low, b.High),
		saturatedProduct(a.High, b.Low), saturatedProduct(a.High, b.High),
	}
	result := Interval{corners[0], corners[0]}
	for _, corner := range corners[1:] {
		result = result.or(Interval{corner, corner})
	}
	return result
}

// quotient is the interval of all quotients, cut off toward zero, by divisors that are not zero.
func quotient(a, b Interval) Interval {
	if b.has(0) {
		largest := Interval{min(a.Low, 0), max(a.High, 0)}
		if b.Low < 0 {
			largest = largest.or(difference(Interval{}, largest))
		}
		return largest
	}
	result := Interval{math.MaxInt64, math.MinInt64}
	for _, x := range [2]int64{a.Low, a.High} {
		for _, y := range [2]int64{b.Low, b.High} {
			if y == -1 {
				x, y = saturatedDifference(0, x), 1
			}
			result = result.or(Interval{x / y, x / y})
		}
	}
	return result
}

// remainder has the sign of the dividend and is smaller than the divisor.
func remainder(a, b Interval) Interval {
	most := max(saturatedDifference(0, b.Low), b.High)
	most = max(0, saturatedDifference(most, 1))
	result := Interval{0, 0}
	if a.Low < 0 {
		result.Low = max(a.Low, -most)
	}
	if a.High > 0 {
		result.High = min(a.High, most)
	}
	return result
}

// percentage computes in 128 bits, as money does: only the result must fit.
func percentage(n, amount Interval) Interval {
	exact := product(n, amount)
	if !exact.saturated() {
		return Interval{exact.Low / 100, exact.High / 100}
	}
	return product(Interval{n.Low/100 - 1, n.High/100 + 1}, amount)
}

// total is the sum of so many elements.
func total(length, element Interval) Interval {
	sum := Interval{saturatedProduct(length.Low, element.Low), saturatedProduct(length.High, element.High)}
	if element.Low < 0 {
		sum.Low = saturatedProduct(length.High, element.Low)
	}
	if element.High < 0 {
		sum.High = saturatedProduct(length.Low, element.High)
	}
	return sum
}

// The operations below stay at the end of int64 where the result would go beyond.

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
