package rules

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// Source is where a result comes from unchanged: an input, by its path, or a text that stands in the expression.
type Source struct {
	Path    string // "ask.trade"; empty: a text
	Literal string
}

// Sources returns where the result comes from, if the expression only chooses among inputs and texts and computes
// nothing: `has(ask.other) ? ask.other : "none"` chooses.
func (p *Program) Sources() (sources []Source, ok bool) {
	w := newWalk(p.environment, p.checked)
	return w.sources(p.checked.Expr())
}

func (w *walk) sources(x ast.Expr) ([]Source, bool) {
	switch x.Kind() {
	case ast.LiteralKind:
		text, ok := x.AsLiteral().(types.String)
		return []Source{{Literal: string(text)}}, ok
	case ast.IdentKind, ast.SelectKind:
		path, _, ok := w.input(x, scope{})
		return []Source{{Path: path}}, ok
	case ast.CallKind:
		call := x.AsCall()
		args := call.Args()
		switch call.FunctionName() {
		case "_[_]":
			path, _, ok := w.input(x, scope{})
			return []Source{{Path: path}}, ok
		case "_?_:_":
			first, ok := w.sources(args[1])
			second, also := w.sources(args[2])
			return append(first, second...), ok && also
		}
	}
	return nil, false
}
