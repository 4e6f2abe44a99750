// Package uitest owns the check that holds templates to the data that they are given. Package ui, and each package that
// brings components of its own, runs it in a test.
//
// Invariants: every component of a package is given, every template of it is reached; a field, a method or a template that
// is not there fails, whether or not a page comes by it.
package uitest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template/parse"
)

// Component is ui.Component.
type Component interface{ Template() string }

// Templates checks every template in files against the type that it shows: that of the component which names it, or of the
// data under its name in others. Further are templates that those in files may call. The calling package's folder is read to
// see that no component is left out.
func Templates(t *testing.T, files fs.FS, further []fs.FS, components []Component, others map[string]any) {
	t.Helper()
	own := trees(t, files)
	c := &checker{trees: map[string]*parse.Tree{}, done: map[called]bool{}}
	for _, from := range append([]fs.FS{files}, further...) {
		for name, tree := range trees(t, from) {
			c.trees[name] = tree
		}
	}
	given := map[string]bool{}
	for _, one := range components {
		given[reflect.TypeOf(one).Name()] = true
		c.template(one.Template(), reflect.TypeOf(one), "component "+reflect.TypeOf(one).Name())
	}
	for _, name := range componentsIn(t, ".") {
		if !given[name] {
			t.Errorf("the component %s is not checked against its template: give it to uitest.Templates", name)
		}
	}
	for name, data := range others {
		c.template(name, reflect.TypeOf(data), "given")
	}
	for name := range own {
		if !slices.ContainsFunc(c.reached, func(one string) bool { return one == name }) {
			t.Errorf("no data reaches the template %q: remove it, or give its component", name)
		}
	}
	for _, fault := range c.faults {
		t.Error(fault)
	}
}

func trees(t *testing.T, files fs.FS) map[string]*parse.Tree {
	t.Helper()
	names, err := fs.Glob(files, "*.html")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	found := map[string]*parse.Tree{}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parse.Parse(name, string(content), "{{", "}}", functions)
		if err != nil {
			t.Fatal(err)
		}
		for defined, tree := range parsed {
			if defined != name { // what stands outside of all definitions is white space
				found[defined] = tree
			}
		}
	}
	return found
}

// componentsIn returns the types of a folder that have a method Template, outside of tests.
func componentsIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range parsed.Decls {
			method, ok := declared.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Name.Name != "Template" {
				continue
			}
			of := method.Recv.List[0].Type
			if pointer, ok := of.(*ast.StarExpr); ok {
				of = pointer.X
			}
			names = append(names, of.(*ast.Ident).Name)
		}
	}
	return names
}

// called is a template with the type of its data.
type called struct {
	name string
	data reflect.Type
}

type checker struct {
	trees   map[string]*parse.Tree
	done    map[called]bool
	reached []string
	faults  []string
}

// scope is where in a template the checker is.
type scope struct {
	template string
	dot      reflect.Type
	vars     map[string]reflect.Type
}

func (s scope) with(dot reflect.Type) scope {
	inner := scope{s.template, dot, map[string]reflect.Type{}}
	for name, kind := range s.vars {
		inner.vars[name] = kind
	}
	return inner
}

func (c *checker) template(name string, data reflect.Type, by string) {
	if c.done[called{name, data}] {
		return
	}
	c.done[called{name, data}] = true
	tree, ok := c.trees[name]
	if !ok {
		c.faults = append(c.faults, fmt.Sprintf("%s: there is no template %q", by, name))
		return
	}
	c.reached = append(c.reached, name)
	c.list(tree.Root, scope{name, data, map[string]reflect.Type{"$": data}})
}

func (c *checker) fail(in scope, node parse.Node, format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf("template %q, %s (of a %v): %s", in.template, node, in.dot, fmt.Sprintf(format, args...)))
}

func (c *checker) list(list *parse.ListNode, in scope) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.ActionNode:
			got := c.pipe(node.Pipe, in)
			if len(node.Pipe.Decl) == 0 && !printable(got) {
				c.fail(in, node, "it prints a %v", got)
			}
		case *parse.IfNode:
			inner := in.with(in.dot)
			c.pipe(node.Pipe, inner)
			c.list(node.List, inner)
			c.list(node.ElseList, inner)
		case *parse.WithNode:
			inner := in.with(in.dot)
			inner.dot = c.pipe(node.Pipe, inner)
			c.list(node.List, inner)
			c.list(node.ElseList, in)
		case *parse.RangeNode:
			c.loop(node, in)
		case *parse.TemplateNode:
			data := reflect.TypeFor[struct{}]() // a template that is called without data
			if node.Pipe != nil {
				data = c.pipe(node.Pipe, in)
			}
			if data != nil {
				c.template(node.Name, data, "template "+in.template)
			}
		case *parse.TextNode, *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
		default:
			c.fail(in, node, "the check does not know this kind of node")
		}
	}
}

func (c *checker) loop(node *parse.RangeNode, in scope) {
	over, inner := c.pipe(node.Pipe, in), in.with(in.dot)
	for over != nil && over.Kind() == reflect.Pointer {
		over = over.Elem()
	}
	index := reflect.TypeFor[int]()
	switch {
	case over == nil:
		return
	case over.Kind() == reflect.Slice || over.Kind() == reflect.Array:
		inner.dot = over.Elem()
	case over.Kind() == reflect.Map:
		index, inner.dot = over.Key(), over.Elem()
	default:
		c.fail(in, node.Pipe, "it ranges over a %v", over)
		return
	}
	switch declared := node.Pipe.Decl; len(declared) {
	case 1:
		inner.vars[declared[0].Ident[0]] = inner.dot
	case 2:
		inner.vars[declared[0].Ident[0]], inner.vars[declared[1].Ident[0]] = index, inner.dot
	}
	c.list(node.List, inner)
	c.list(node.ElseList, in)
}

// pipe returns the type of a pipeline's value; nil if it is wrong, which is then said.
func (c *checker) pipe(pipe *parse.PipeNode, in scope) (got reflect.Type) {
	if pipe == nil {
		return nil
	}
	for i, command := range pipe.Cmds {
		if i > 0 {
			c.fail(in, pipe, "the check does not know chained commands")
			return nil
		}
		got = c.command(command, in)
	}
	for _, declared := range pipe.Decl {
		in.vars[declared.Ident[0]] = got
	}
	return got
}

func (c *checker) command(command *parse.CommandNode, in scope) reflect.Type {
	if function, ok := command.Args[0].(*parse.IdentifierNode); ok {
		return c.function(command, function.Ident, in)
	}
	if len(command.Args) > 1 {
		c.fail(in, command, "the check does not know methods with arguments")
		return nil
	}
	return c.value(command.Args[0], in)
}

// functions are those that templates may call: the two of package ui, and what text/template has and is used.
var functions = map[string]any{"text": true, "render": true}

func (c *checker) function(command *parse.CommandNode, name string, in scope) reflect.Type {
	arguments := make([]reflect.Type, 0, len(command.Args)-1)
	for _, argument := range command.Args[1:] {
		arguments = append(arguments, c.value(argument, in))
	}
	if slices.Contains(arguments, nil) {
		return nil
	}
	switch {
	case name == "text" && len(arguments)%2 == 1:
		for i, argument := range arguments {
			if (i == 0 || i%2 == 1) && argument.Kind() != reflect.String {
				c.fail(in, command, "argument %d is a %v, not a key or the name of a variable", i+1, argument)
			}
		}
		return reflect.TypeFor[string]()
	case name == "render" && len(arguments) == 1:
		if !arguments[0].Implements(reflect.TypeFor[Component]()) {
			c.fail(in, command, "a %v is no component", arguments[0])
		}
		return reflect.TypeFor[template.HTML]()
	}
	c.fail(in, command, "the check does not know this call")
	return nil
}

func (c *checker) value(node parse.Node, in scope) reflect.Type {
	switch node := node.(type) {
	case *parse.DotNode:
		return in.dot
	case *parse.FieldNode:
		return c.fields(node, in.dot, node.Ident, in)
	case *parse.VariableNode:
		of, known := in.vars[node.Ident[0]]
		if !known {
			c.fail(in, node, "there is no such variable")
			return nil
		}
		return c.fields(node, of, node.Ident[1:], in)
	case *parse.ChainNode:
		return c.fields(node, c.value(node.Node, in), node.Field, in)
	case *parse.PipeNode:
		return c.pipe(node, in)
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.NumberNode:
		return reflect.TypeFor[int]()
	case *parse.BoolNode:
		return reflect.TypeFor[bool]()
	}
	c.fail(in, node, "the check does not know this kind of value")
	return nil
}

func (c *checker) fields(node parse.Node, of reflect.Type, names []string, in scope) reflect.Type {
	for _, name := range names {
		if of == nil {
			return nil
		}
		next, ok := member(of, name)
		if !ok {
			c.fail(in, node, "a %v has no %s", of, name)
			return nil
		}
		of = next
	}
	return of
}

// member returns the type of a field, or of what a method without arguments returns.
func member(of reflect.Type, name string) (reflect.Type, bool) {
	if method, ok := of.MethodByName(name); ok {
		takes := 1 // the receiver
		if of.Kind() == reflect.Interface {
			takes = 0
		}
		if kind := method.Type; kind.NumIn() == takes && kind.NumOut() >= 1 {
			return kind.Out(0), true
		}
		return nil, false
	}
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch of.Kind() {
	case reflect.Struct:
		field, ok := of.FieldByName(name)
		return field.Type, ok && field.IsExported()
	case reflect.Map:
		return of.Elem(), of.Key().Kind() == reflect.String
	}
	return nil, false
}

// printable reports whether a value of the type reads well on a page; what is wrong already is not said again.
func printable(kind reflect.Type) bool {
	if kind == nil || kind.Implements(reflect.TypeFor[fmt.Stringer]()) {
		return true
	}
	switch kind.Kind() {
	case reflect.String, reflect.Int, reflect.Int64, reflect.Bool: // a bool is for scripts
		return true
	}
	return false
}
