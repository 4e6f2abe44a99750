package rules

import (
	"cmp"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"yagona/kernel/calendar"
	"yagona/kernel/money"
)

// LibraryVersion changes whenever an operator or a function of this package begins to give another result for the same
// values. It is part of the hash of a service version.
const LibraryVersion = "1"

// What has() becomes: of a field, has(x.f), a function; of a variable, has(x), another variable. Neither can be written
// in a source.
const (
	present    = "@present"
	presenceOf = "@has_"
)

// presenceOfNothing is what CEL is told of has() around anything else; words says it to people.
const presenceOfNothing = "has() takes one name: write has(ask.price)"

// presenceMacro turns has(x.f) into a function that also knows a third answer: unknown.
var presenceMacro = cel.GlobalMacro(operators.Has, 1,
	func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		switch args[0].Kind() {
		case ast.IdentKind:
			return f.NewIdent(presenceOf + args[0].AsIdent()), nil
		case ast.SelectKind:
		default:
			return nil, f.NewError(args[0].ID(), presenceOfNothing)
		}
		selected := args[0].AsSelect()
		return f.NewCall(present, selected.Operand(), f.NewLiteral(types.String(selected.FieldName()))), nil
	})

// library is every operator and function that an expression may use. What CEL's own library offers beyond it (floating
// point, bytes, timestamps, conversions, the clock of a time zone) does not belong into a decision.
func library() []*decls.FunctionDecl {
	a := types.NewTypeParamType("A")
	listOfA := types.NewListType(a)
	functions := []*decls.FunctionDecl{
		function(operators.LogicalAnd, decls.Overload("and", bools(2), types.BoolType)),
		function(operators.LogicalOr, decls.Overload("or", bools(2), types.BoolType)),
		function(operators.LogicalNot, unary("not", types.BoolType, types.BoolType, func(v ref.Val) ref.Val {
			return !v.(types.Bool)
		})),
		function(operators.NotStrictlyFalse,
			decls.Overload("not_strictly_false", bools(1), types.BoolType, decls.OverloadIsNonStrict(),
				decls.UnaryBinding(func(v ref.Val) ref.Val { return types.Bool(v != types.False) }))),
		function(operators.Conditional,
			decls.Overload("conditional", []*types.Type{types.BoolType, a, a}, a)),
		function(operators.Equals, decls.Overload("equals", []*types.Type{a, a}, types.BoolType,
			decls.BinaryBinding(func(x, y ref.Val) ref.Val { return x.Equal(y) }))),
		function(operators.NotEquals, decls.Overload("not_equals", []*types.Type{a, a}, types.BoolType,
			decls.BinaryBinding(func(x, y ref.Val) ref.Val { return types.Bool(x.Equal(y) != types.True) }))),
		function(operators.Index, binary("index_list", listOfA, types.IntType, a, func(list, i ref.Val) ref.Val {
			return list.(traits.Indexer).Get(i)
		})),
		function(operators.Add,
			binary("add_int", types.IntType, types.IntType, types.IntType, arithmetic(plus)),
			binary("add_money", moneyType, moneyType, moneyType, moneyArithmetic(money.Amount.Add)),
			binary("add_text", types.StringType, types.StringType, types.StringType, func(x, y ref.Val) ref.Val {
				return x.(types.String) + y.(types.String)
			}),
			binary("add_list", listOfA, listOfA, listOfA, func(x, y ref.Val) ref.Val {
				return x.(traits.Adder).Add(y)
			})),
		function(operators.Subtract,
			binary("subtract_int", types.IntType, types.IntType, types.IntType, arithmetic(minus)),
			binary("subtract_money", moneyType, moneyType, moneyType, moneyArithmetic(money.Amount.Sub))),
		function(operators.Multiply,
			binary("multiply_int", types.IntType, types.IntType, types.IntType, arithmetic(times)),
			binary("multiply_money_int", moneyType, types.IntType, moneyType, multiplyMoney),
			binary("multiply_int_money", types.IntType, moneyType, moneyType, func(n, m ref.Val) ref.Val {
				return multiplyMoney(m, n)
			})),
		function(operators.Divide, binary("divide_int", types.IntType, types.IntType, types.IntType,
			func(x, y ref.Val) ref.Val { return x.(types.Int).Divide(y) })),
		function(operators.Modulo, binary("modulo_int", types.IntType, types.IntType, types.IntType,
			func(x, y ref.Val) ref.Val { return x.(types.Int).Modulo(y) })),
		function(operators.Negate,
			unary("negate_int", types.IntType, types.IntType, func(v ref.Val) ref.Val {
				return arithmetic(minus)(types.Int(0), v)
			}),
			unary("negate_money", moneyType, moneyType, func(v ref.Val) ref.Val {
				return moneyArithmetic(money.Amount.Sub)(moneyValue{}, v)
			})),
		function(operators.In,
			binary("in_list", a, listOfA, types.BoolType, func(v, list ref.Val) ref.Val {
				return list.(traits.Container).Contains(v)
			}),
			binary("in_range_int", types.IntType, rangeType, types.BoolType, inRange),
			binary("in_range_money", moneyType, rangeType, types.BoolType, inRange),
			binary("in_range_date", dateType, rangeType, types.BoolType, inRange)),
		function(present, binary("present", types.DynType, types.StringType, types.BoolType, func(o, f ref.Val) ref.Val {
			object, ok := o.(*objectValue)
			if !ok {
				return types.NewErr("has() takes a field of an object")
			}
			name := string(f.(types.String))
			return object.notes.present(join(object.path, name), object.fields[name])
		})),
		function("size",
			unary("size_list", listOfA, types.IntType, func(v ref.Val) ref.Val { return v.(traits.Sizer).Size() }),
			unary("size_text", types.StringType, types.IntType, func(v ref.Val) ref.Val {
				return v.(types.String).Size() // in characters, not bytes
			})),
		function("startsWith", text("starts_with", strings.HasPrefix)),
		function("endsWith", text("ends_with", strings.HasSuffix)),
		function("contains", text("contains", strings.Contains)),
		function("sum",
			unary("sum_int", types.NewListType(types.IntType), types.IntType, fold(types.Int(0), arithmetic(plus))),
			unary("sum_money", types.NewListType(moneyType), moneyType, fold(moneyValue{}, moneyArithmetic(money.Amount.Add)))),
		function("positive", unary("positive_money", moneyType, moneyType, func(v ref.Val) ref.Val {
			return moneyValue{amount: max(0, v.(moneyValue).amount)}
		})),
		function("percent", binary("percent_money", types.IntType, moneyType, moneyType, percent)),
	}
	for _, operator := range []struct {
		name, id string
		holds    func(order int) bool
	}{
		{operators.Less, "less", func(o int) bool { return o < 0 }},
		{operators.LessEquals, "less_equals", func(o int) bool { return o <= 0 }},
		{operators.Greater, "greater", func(o int) bool { return o > 0 }},
		{operators.GreaterEquals, "greater_equals", func(o int) bool { return o >= 0 }},
	} {
		var overloads []decls.FunctionOpt
		for _, t := range ordered {
			overloads = append(overloads, binary(operator.id+"_"+t.TypeName(), t, t, types.BoolType,
				func(x, y ref.Val) ref.Val { return types.Bool(operator.holds(order(x, y))) }))
		}
		functions = append(functions, function(operator.name, overloads...))
	}
	var ranges []decls.FunctionOpt
	for _, t := range ordered {
		ranges = append(ranges, binary("range_"+t.TypeName(), t, t, rangeType, func(low, high ref.Val) ref.Val {
			return rangeValue{low: low, high: high}
		}))
	}
	functions = append(functions, function("range", ranges...),
		extreme("least", func(o int) bool { return o < 0 }),
		extreme("greatest", func(o int) bool { return o > 0 }))
	return append(functions, dates()...)
}

// ordered are the types that have an order.
var ordered = []*types.Type{types.IntType, moneyType, dateType}

// order compares two values of the same ordered type.
func order(x, y ref.Val) int {
	switch x := x.(type) {
	case types.Int:
		return cmp.Compare(x, y.(types.Int))
	case moneyValue:
		return cmp.Compare(x.amount, y.(moneyValue).amount)
	default:
		return x.(dateValue).date.Compare(y.(dateValue).date)
	}
}

func inRange(v, r ref.Val) ref.Val {
	limits := r.(rangeValue)
	if v.Type() != limits.low.Type() {
		return types.NewErr("the range is of another type")
	}
	return types.Bool(order(v, limits.low) >= 0 && order(v, limits.high) <= 0)
}

// extreme declares least or greatest, of two to four values or of a list that is not empty.
func extreme(name string, better func(int) bool) *decls.FunctionDecl {
	choose := func(values ...ref.Val) ref.Val {
		best := values[0]
		for _, value := range values[1:] {
			if better(order(value, best)) {
				best = value
			}
		}
		return best
	}
	var overloads []decls.FunctionOpt
	for _, t := range ordered {
		for n := 2; n <= 4; n++ {
			args := make([]*types.Type, n)
			for i := range args {
				args[i] = t
			}
			binding := decls.FunctionBinding(choose)
			if n == 2 {
				binding = decls.BinaryBinding(func(x, y ref.Val) ref.Val { return choose(x, y) })
			}
			overloads = append(overloads, decls.Overload(fmt.Sprintf("%s_%s_%d", name, t.TypeName(), n), args, t, binding))
		}
		overloads = append(overloads, unary(name+"_list_"+t.TypeName(), types.NewListType(t), t, func(v ref.Val) ref.Val {
			list := v.(traits.Lister)
			size := list.Size().(types.Int)
			if size == 0 {
				return types.NewErr("%s() of an empty list: ask size() first", name)
			}
			best := list.Get(types.Int(0))
			for i := types.Int(1); i < size; i++ {
				best = choose(best, list.Get(i))
			}
			return best
		}))
	}
	return function(name, overloads...)
}

func arithmetic(operate func(a, b int64) (int64, bool)) func(x, y ref.Val) ref.Val {
	return func(x, y ref.Val) ref.Val {
		result, ok := operate(int64(x.(types.Int)), int64(y.(types.Int)))
		if !ok {
			return errOverflow()
		}
		return types.Int(result)
	}
}

func moneyArithmetic(operate func(a, b money.Amount) (money.Amount, error)) func(x, y ref.Val) ref.Val {
	return func(x, y ref.Val) ref.Val { return moneyOf(operate(x.(moneyValue).amount, y.(moneyValue).amount)) }
}

func multiplyMoney(m, n ref.Val) ref.Val {
	return moneyOf(m.(moneyValue).amount.Times(int64(n.(types.Int)), 1, money.Exactly))
}

// percent(15, wages) is 15 % of the wages; a part of a minor unit is cut off.
func percent(n, m ref.Val) ref.Val {
	return moneyOf(m.(moneyValue).amount.Times(int64(n.(types.Int)), 100, money.TowardZero))
}

func moneyOf(amount money.Amount, err error) ref.Val {
	if err != nil {
		return errOverflow()
	}
	return moneyValue{amount: amount}
}

func errOverflow() ref.Val {
	return types.NewErr("a number is larger than the platform can count")
}

func fold(start ref.Val, operate func(x, y ref.Val) ref.Val) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val {
		list := v.(traits.Lister)
		size := list.Size().(types.Int)
		total := start
		for i := types.Int(0); i < size && !types.IsError(total); i++ {
			total = operate(total, list.Get(i))
		}
		return total
	}
}

// dates are the functions of dates. Years and months are completed ones, as calendar.Age counts them.
func dates() []*decls.FunctionDecl {
	between := func(name, id string, count func(from, to calendar.Date) int) *decls.FunctionDecl {
		return function(name, binary(id, dateType, dateType, types.IntType, func(from, to ref.Val) ref.Val {
			return types.Int(count(from.(dateValue).date, to.(dateValue).date))
		}))
	}
	part := func(name string, of func(calendar.Date) int) *decls.FunctionDecl {
		return function(name, unary(name+"_date", dateType, types.IntType, func(d ref.Val) ref.Val {
			return types.Int(of(d.(dateValue).date))
		}))
	}
	later := func(name string, limit int64, move func(calendar.Date, int) calendar.Date) *decls.FunctionDecl {
		return function(name, binary(name+"_date", dateType, types.IntType, dateType, func(d, n ref.Val) ref.Val {
			count := int64(n.(types.Int))
			if count < -limit || count > limit {
				return errOverflow()
			}
			moved := move(d.(dateValue).date, int(count))
			if moved.Year < 1 || moved.Year > 9999 {
				return errOverflow()
			}
			return dateValue{date: moved}
		}))
	}
	return []*decls.FunctionDecl{
		function("date", unary("date_text", types.StringType, dateType, func(v ref.Val) ref.Val {
			date, err := calendar.ParseDate(string(v.(types.String)))
			if err != nil {
				return types.NewErr("a date is written 2026-03-01")
			}
			return dateValue{date: date}
		})),
		between("age", "age_dates", calendar.Age),
		between("years", "years_dates", calendar.Age),
		between("months", "months_dates", monthsBetween),
		between("days", "days_dates", calendar.Date.DaysUntil),
		part("year", func(d calendar.Date) int { return d.Year }),
		part("month", func(d calendar.Date) int { return int(d.Month) }),
		part("day", func(d calendar.Date) int { return d.Day }),
		later("plusDays", 4_000_000, calendar.Date.AddDays),
		later("plusMonths", 120_000, calendar.Date.AddMonths),
		later("plusYears", 10_000, func(d calendar.Date, n int) calendar.Date { return d.AddMonths(12 * n) }),
	}
}

// monthsBetween counts the months that are completed on the day; negative where it is before. Who starts on a 31st
// completes a shorter month on the first day of the next.
func monthsBetween(from, to calendar.Date) int {
	months := 12*(to.Year-from.Year) + int(to.Month) - int(from.Month)
	if to.Day < from.Day {
		months--
	}
	return months
}

func function(name string, overloads ...decls.FunctionOpt) *decls.FunctionDecl {
	declared, err := decls.NewFunction(name, overloads...)
	if err != nil {
		panic(err) // two overloads collide: the table above is wrong, and every test would say so
	}
	return declared
}

func unary(id string, of, result *types.Type, run func(ref.Val) ref.Val) decls.FunctionOpt {
	return decls.Overload(id, []*types.Type{of}, result, decls.UnaryBinding(run))
}

func binary(id string, left, right, result *types.Type, run func(x, y ref.Val) ref.Val) decls.FunctionOpt {
	return decls.Overload(id, []*types.Type{left, right}, result, decls.BinaryBinding(run))
}

func text(id string, test func(text, part string) bool) decls.FunctionOpt {
	return decls.MemberOverload(id, []*types.Type{types.StringType, types.StringType}, types.BoolType,
		decls.BinaryBinding(func(x, y ref.Val) ref.Val {
			return types.Bool(test(string(x.(types.String)), string(y.(types.String))))
		}))
}

func bools(n int) []*types.Type {
	list := make([]*types.Type, n)
	for i := range list {
		list[i] = types.BoolType
	}
	return list
}
