package rules

import (
	"math"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"

	"yagona/kernel/calendar"
	"yagona/kernel/wording"
)

// walk looks at a checked expression for what CEL does not know: inputs that may be absent, options of choices.
type walk struct {
	environment *Environment
	tree        *ast.AST
	errors      Errors
	read        map[string]bool
	partial     bool // it looks for parts that may have no result, and for nothing else
}

func newWalk(e *Environment, tree *ast.AST) *walk {
	return &walk{environment: e, tree: tree, read: map[string]bool{}}
}

// scope is what is known at one place of the expression.
type scope struct {
	locals  map[string]local    // the variables of all(), map() and so on
	present map[string]bool     // the paths that has() found present
	known   map[string]Interval // what conditions say of numbers, by the key of the expression
}

type local struct {
	path   string // of the element: "children[]"
	t      Type
	ok     bool      // the type is known
	within *Interval // of an element that is no object, or of an accumulator
}

func (s scope) with(present map[string]bool) scope {
	merged := make(map[string]bool, len(s.present)+len(present))
	for path := range s.present {
		merged[path] = true
	}
	for path := range present {
		merged[path] = true
	}
	return scope{s.locals, merged, s.known}
}

func (s scope) bind(name string, to local) scope {
	locals := make(map[string]local, len(s.locals)+1)
	for n, l := range s.locals {
		locals[n] = l
	}
	locals[name] = to
	present := make(map[string]bool, len(s.present))
	for path := range s.present {
		// What has() found of another variable of the same name does not count.
		if !strings.HasPrefix(path, to.path+".") {
			present[path] = true
		}
	}
	known := make(map[string]Interval, len(s.known))
	for key, i := range s.known {
		if !strings.Contains(key, localMark+name+localMark) {
			known[key] = i
		}
	}
	return scope{locals, present, known}
}

// inside is the scope of a comprehension's steps.
func (w *walk) inside(c ast.ComprehensionExpr, s scope) scope {
	bound := local{path: c.IterVar()}
	if path, list, ok := w.input(c.IterRange(), s); ok && list.Type.Kind == KindList {
		bound = local{path: path + "[]", t: *list.Type.Element, ok: true}
	} else if t, ok := w.environment.typeOf(w.tree.GetType(c.IterRange().ID())); ok && t.Kind == KindList {
		bound = local{path: c.IterVar(), t: *t.Element, ok: true}
	}
	if bound.t.Kind != KindObject {
		within := w.elements(c.IterRange(), s)
		bound.within = &within
	}
	counted := Interval{0, math.MaxInt32} // exists_one() counts with it
	return s.bind(c.IterVar(), bound).bind(c.AccuVar(), local{path: c.AccuVar(), within: &counted})
}

// input returns the path and type of an expression that only selects: a variable, a field, an element.
func (w *walk) input(x ast.Expr, s scope) (path string, field Field, ok bool) {
	switch x.Kind() {
	case ast.IdentKind:
		name := x.AsIdent()
		if l, found := s.locals[name]; found {
			return l.path, Field{Name: name, Type: l.t}, l.ok
		}
		field, ok = w.environment.variables.Field(name)
		return name, field, ok
	case ast.SelectKind:
		path, parent, ok := w.input(x.AsSelect().Operand(), s)
		if !ok {
			return "", Field{}, false
		}
		field, ok := parent.Type.Field(x.AsSelect().FieldName())
		return path + "." + field.Name, field, ok
	case ast.CallKind:
		call := x.AsCall()
		if call.FunctionName() != "_[_]" {
			break
		}
		path, parent, ok := w.input(call.Args()[0], s)
		if ok && parent.Type.Kind == KindList {
			return path + "[]", Field{Type: *parent.Type.Element}, true
		}
	}
	return "", Field{}, false
}

func (w *walk) visit(x ast.Expr, s scope) {
	switch x.Kind() {
	case ast.IdentKind, ast.SelectKind:
		if asked, ok := presenceAsked(x); ok {
			w.read[asked] = true
			return
		}
		w.visitInput(x, s)
	case ast.CallKind:
		w.visitCall(x, s)
	case ast.ListKind:
		for _, element := range x.AsList().Elements() {
			w.visit(element, s)
		}
	case ast.MapKind, ast.StructKind:
		w.fail(x, wording.Say("an expression makes no objects"), wording.Say("read the fields of the inputs"))
	case ast.ComprehensionKind:
		c := x.AsComprehension()
		w.visit(c.IterRange(), s)
		inner := w.inside(c, s)
		w.visit(c.AccuInit(), s)
		w.visit(c.LoopCondition(), inner)
		w.visit(c.LoopStep(), inner)
		w.visit(c.Result(), inner)
	}
}

func (w *walk) visitInput(x ast.Expr, s scope) {
	path, field, ok := w.input(x, s)
	if x.Kind() == ast.SelectKind {
		w.visit(x.AsSelect().Operand(), s)
	}
	if !ok {
		return
	}
	if field.Type.Kind != KindObject {
		w.read[path] = true
	}
	if field.Optional && !s.present[path] && !w.partial {
		w.fail(x, wording.Say("%s may be absent", shown(x)), wording.Say("ask first: has(%s) && …, or has(%s) ? … : …", shown(x), shown(x)))
	}
}

// shown returns a selection as the source shows it.
func shown(x ast.Expr) string {
	if x.Kind() == ast.SelectKind {
		return shown(x.AsSelect().Operand()) + "." + x.AsSelect().FieldName()
	}
	if x.Kind() == ast.IdentKind {
		return x.AsIdent()
	}
	if x.Kind() == ast.CallKind && IsName(x.AsCall().FunctionName()) && !x.AsCall().IsMemberFunction() {
		args := make([]string, len(x.AsCall().Args()))
		for i, arg := range x.AsCall().Args() {
			args[i] = shown(arg)
		}
		return x.AsCall().FunctionName() + "(" + strings.Join(args, ", ") + ")"
	}
	return "…"
}

func (w *walk) visitCall(x ast.Expr, s scope) {
	call := x.AsCall()
	args := call.Args()
	if w.partial {
		w.visitPartial(x, s)
	}
	switch call.FunctionName() {
	case "_&&_":
		w.visit(args[0], s)
		w.visit(args[1], w.under(args[0], s, true))
		return
	case "_||_":
		w.visit(args[0], s)
		w.visit(args[1], w.under(args[0], s, false))
		return
	case "_?_:_":
		w.visit(args[0], s)
		w.visit(args[1], w.under(args[0], s, true))
		w.visit(args[2], w.under(args[0], s, false))
		return
	case present:
		w.visit(args[0], s)
		w.visitPresence(call, s)
		return
	case "date":
		w.checkDate(args[0])
	case "_==_", "_!=_":
		w.checkOption(args[0], args[1], s)
		w.checkOption(args[1], args[0], s)
	case "@in":
		if args[1].Kind() == ast.ListKind {
			for _, element := range args[1].AsList().Elements() {
				w.checkOption(args[0], element, s)
			}
		}
	}
	if call.IsMemberFunction() {
		w.visit(call.Target(), s)
	}
	for _, arg := range args {
		w.visit(arg, s)
	}
}

// checkDate refuses what would fail in every evaluation, and what nobody could check before.
func (w *walk) checkDate(x ast.Expr) {
	if x.Kind() == ast.LiteralKind {
		if text, ok := x.AsLiteral().Value().(string); ok {
			if _, err := calendar.ParseDate(text); err == nil {
				return
			}
		}
	}
	w.fail(x, wording.Say("date() takes one date in quotes, and there must be such a day"), signatures["date"])
}

func (w *walk) visitPresence(call ast.CallExpr, s scope) {
	operand, name := call.Args()[0], call.Args()[1].AsLiteral().Value().(string)
	t, ok := w.environment.typeOf(w.tree.GetType(operand.ID()))
	if !ok || t.Kind != KindObject {
		w.fail(operand, wording.Say("%s has no fields", shown(operand)), wording.Say("ask has() of a field of an object"))
		return
	}
	field, ok := t.Field(name)
	if !ok {
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		w.fail(operand, wording.Say("there is no field %s", name), suggest(name, names, strings.Join(names, ", ")))
		return
	}
	if !field.Optional {
		w.fail(operand, wording.Say("%s is always there", shown(operand)+"."+name), wording.Say("leave has() out"))
		return
	}
	if path, _, ok := w.input(operand, s); ok {
		w.read[path+"."+name] = true
	}
}

// presenceAsked returns the variable of has(variable).
func presenceAsked(x ast.Expr) (string, bool) {
	if x.Kind() != ast.IdentKind {
		return "", false
	}
	return strings.CutPrefix(x.AsIdent(), presenceOf)
}

// shows returns the paths that are present if the condition is the given truth.
func (w *walk) shows(x ast.Expr, s scope, truth bool) map[string]bool {
	if asked, ok := presenceAsked(x); ok && truth {
		return map[string]bool{asked: true}
	}
	if x.Kind() != ast.CallKind {
		return nil
	}
	call := x.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); {
	case name == "!_":
		return w.shows(args[0], s, !truth)
	case name == "_&&_" && truth, name == "_||_" && !truth:
		return scope{present: w.shows(args[0], s, truth)}.with(w.shows(args[1], s, truth)).present
	case name == present && truth:
		if path, _, ok := w.input(args[0], s); ok {
			return map[string]bool{path + "." + args[1].AsLiteral().Value().(string): true}
		}
	}
	return nil
}

func (w *walk) checkOption(choice, option ast.Expr, s scope) {
	_, field, ok := w.input(choice, s)
	if !ok || field.Type.Kind != KindChoice || option.Kind() != ast.LiteralKind {
		return
	}
	text, isText := option.AsLiteral().Value().(string)
	if isText && !slices.Contains(field.Type.Options, text) {
		w.fail(option, wording.Say("'%s' is no option of %s", text, shown(choice)),
			suggest(text, field.Type.Options, strings.Join(field.Type.Options, ", ")))
	}
}

func (w *walk) fail(x ast.Expr, message, hint wording.Phrase) {
	at := w.tree.SourceInfo().GetStartLocation(x.ID())
	w.errors = append(w.errors, &Error{max(1, at.Line()), max(0, at.Column()) + 1, message, hint})
}

func (w *walk) inputs() []string {
	paths := make([]string, 0, len(w.read))
	for path := range w.read {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
