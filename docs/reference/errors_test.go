// Package reference holds the reference pages that are made from the source to the source.
package reference

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
)

var update = flag.Bool("update", false, "write errors.md anew")

// kinds are the kinds of error by their name in Go.
var kinds = map[string]fault.Kind{
	"Internal": fault.Internal, "Invalid": fault.Invalid, "Unauthorized": fault.Unauthorized, "Forbidden": fault.Forbidden,
	"NotFound": fault.NotFound, "Conflict": fault.Conflict, "Archived": fault.Archived, "Erased": fault.Erased, "TooLarge": fault.TooLarge,
	"TooMany": fault.TooMany, "Unavailable": fault.Unavailable, "CannotStore": fault.CannotStore,
}

// TestErrorsPageIsWhatTheSourceSays makes errors.md from every call of fault.New and fault.Newf in the product.
func TestErrorsPageIsWhatTheSourceSays(t *testing.T) {
	found := map[entry]bool{}
	for _, read := range readSource(t) {
		if err := read.collect(found); err != nil {
			t.Fatal(err)
		}
	}
	want := written(found)
	if *update {
		if err := os.WriteFile("errors.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("errors.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("errors.md is not what the source says; run go test ./docs/reference -update\n(-source +page)\n%s", diff)
	}
}

func TestErrorsAreFoundThroughVariablesAndFunctions(t *testing.T) {
	const source = `package p
import "yagona/kernel/fault"
type finding struct{ Code, Reason string }
var known = finding{"p.known", "It is known."}
var plain = fault.New(fault.Conflict, "p.plain", "It is " + "plain.")
var through = fault.New(fault.Invalid, known.Code, known.Reason)
func wrong(field, message string) error { return fault.New(fault.Invalid, "p."+field, message) }
func deeper(message string) error { return wrong("deep", message) }
func local() { spoken := func(message string) error { return fault.New(fault.Forbidden, "p.local", message) }; spoken("Not here.") }
func use(n int) { wrong("width", "It is too wide."); deeper("It is too deep."); fault.Newf(fault.TooLarge, "p.large", "At most %d.", n) }
`
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[entry]bool{}
	if err := newReading([]*ast.File{parsed}).collect(found); err != nil {
		t.Fatal(err)
	}
	want := map[entry]bool{
		{"p.plain", "Conflict", "It is plain."}:   true,
		{"p.known", "Invalid", "It is known."}:    true,
		{"p.width", "Invalid", "It is too wide."}: true,
		{"p.deep", "Invalid", "It is too deep."}:  true,
		{"p.local", "Forbidden", "Not here."}:     true,
		{"p.large", "TooLarge", "At most ‹n›."}:   true,
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// entry is one error: code, kind, and message with ‹variables›.
type entry struct{ Code, Kind, Message string }

// readSource reads the product's packages by their folder below the root.
func readSource(t *testing.T) map[string]*reading {
	t.Helper()
	const root = "../.."
	packages := map[string][]*ast.File{}
	files := token.NewFileSet()
	for _, top := range []string{"kernel", "pack", "packs", "store", "web", "node", "cmd", "channel"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "storetest"):
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			parsed, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			folder, err := filepath.Rel(root, filepath.Dir(path))
			packages[filepath.ToSlash(folder)] = append(packages[filepath.ToSlash(folder)], parsed)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read := map[string]*reading{}
	for folder, parsed := range packages {
		read[folder] = newReading(parsed)
	}
	return read
}

// reading is one package as it is read.
type reading struct {
	files  []*ast.File
	values map[string]ast.Expr // package-level variables and constants
	calls  []call              // with the function that they stand in
}

type call struct {
	in   *ast.FuncDecl // nil: outside a function
	node *ast.CallExpr
}

func newReading(files []*ast.File) *reading {
	r := &reading{files: files, values: map[string]ast.Expr{}}
	for _, file := range files {
		for _, declared := range file.Decls {
			function, _ := declared.(*ast.FuncDecl)
			ast.Walk(visitor{r, function}, declared)
		}
	}
	return r
}

// visitor walks through a package and knows in which function it is.
type visitor struct {
	*reading
	in *ast.FuncDecl
}

// Visit notes calls and values; a function that is a variable counts as one of that name.
func (v visitor) Visit(node ast.Node) ast.Visitor {
	switch node := node.(type) {
	case *ast.CallExpr:
		v.calls = append(v.calls, call{v.in, node})
	case *ast.ValueSpec:
		for i, name := range node.Names {
			if i < len(node.Values) && v.in == nil {
				v.values[name.Name] = node.Values[i]
			}
		}
	case *ast.AssignStmt:
		name, named := node.Lhs[0].(*ast.Ident)
		if literal, ok := node.Rhs[0].(*ast.FuncLit); ok && named && len(node.Lhs) == 1 {
			ast.Walk(visitor{v.reading, &ast.FuncDecl{Name: name, Type: literal.Type}}, literal.Body)
			return nil
		}
	}
	return v
}

// collect adds the errors of the package.
func (r *reading) collect(found map[entry]bool) error {
	for _, one := range r.calls {
		name, ok := one.node.Fun.(*ast.SelectorExpr)
		if !ok || len(one.node.Args) < 3 {
			continue
		}
		from, ok := name.X.(*ast.Ident)
		if !ok || from.Name != "fault" || name.Sel.Name != "New" && name.Sel.Name != "Newf" {
			continue
		}
		for _, said := range r.expand(one.in, []ast.Expr{one.node.Args[0], one.node.Args[1], r.formatted(name.Sel.Name, one.node)}, 0) {
			kind, ok := strings.CutPrefix(said[0], "fault.")
			if !ok {
				kind = "Internal"
			}
			if _, known := kinds[kind]; !known {
				return fmt.Errorf("fault.%s is no kind that this test knows", kind)
			}
			found[entry{said[1], kind, said[2]}] = true
		}
	}
	return nil
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z]`)

// formatted returns the message of the call; the verbs of a format become the text of their arguments.
func (r *reading) formatted(function string, node *ast.CallExpr) ast.Expr {
	message := node.Args[2]
	literal, ok := message.(*ast.BasicLit)
	if function != "Newf" || !ok {
		return message
	}
	text, rest := unquote(literal), node.Args[3:]
	parts := []ast.Expr{}
	for {
		at := verb.FindStringIndex(text)
		if at == nil || len(rest) == 0 {
			break
		}
		parts = append(parts, quote(text[:at[0]]), rest[0])
		text, rest = text[at[1]:], rest[1:]
	}
	joined := ast.Expr(quote(text))
	for _, part := range slices.Backward(parts) {
		joined = &ast.BinaryExpr{X: part, Op: token.ADD, Y: joined}
	}
	return joined
}

func quote(text string) *ast.BasicLit {
	return &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(text)}
}

func unquote(literal *ast.BasicLit) string {
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return literal.Value
	}
	return text
}

// expand returns the texts of the expressions: one for each call of the function that they stand in, if they use its
// parameters and it is called with texts.
func (r *reading) expand(in *ast.FuncDecl, expressions []ast.Expr, depth int) (all [][]string) {
	parameters := parametersOf(in)
	used := false
	for _, one := range expressions[:2] { // a message alone may stay open: a variable is named in it
		used = used || mentions(one, parameters)
	}
	if message, ok := expressions[2].(*ast.Ident); ok {
		_, given := parameters[message.Name]
		used = used || given
	}
	if used && depth < 3 {
		for _, caller := range r.calls {
			if nameOf(caller.node.Fun) != in.Name.Name || len(caller.node.Args) < len(parameters) && in.Type.Params.NumFields() != len(caller.node.Args) {
				continue
			}
			replaced := make([]ast.Expr, len(expressions))
			for i, one := range expressions {
				replaced[i] = substitute(one, parameters, caller.node.Args)
			}
			all = append(all, r.expand(caller.in, replaced, depth+1)...)
		}
		if len(all) > 0 {
			return all
		}
	}
	texts := make([]string, len(expressions))
	for i, one := range expressions {
		texts[i] = r.text(one)
	}
	return [][]string{texts}
}

func parametersOf(function *ast.FuncDecl) map[string]int {
	places := map[string]int{}
	if function == nil {
		return places
	}
	n := 0
	for _, field := range function.Type.Params.List {
		for _, name := range field.Names {
			places[name.Name] = n
			n++
		}
	}
	return places
}

func nameOf(function ast.Expr) string {
	switch f := function.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func mentions(expression ast.Expr, parameters map[string]int) bool {
	found := false
	ast.Inspect(expression, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok {
			_, is := parameters[name.Name]
			found = found || is
		}
		return !found
	})
	return found
}

func substitute(expression ast.Expr, parameters map[string]int, arguments []ast.Expr) ast.Expr {
	switch e := expression.(type) {
	case *ast.Ident:
		if place, ok := parameters[e.Name]; ok && place < len(arguments) {
			return arguments[place]
		}
	case *ast.BinaryExpr:
		return &ast.BinaryExpr{X: substitute(e.X, parameters, arguments), Op: e.Op, Y: substitute(e.Y, parameters, arguments)}
	}
	return expression
}

// text returns what an expression says; what is only known when it runs becomes ‹its name›.
func (r *reading) text(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		return unquote(e)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "‹…›"
		}
		return r.text(e.X) + r.text(e.Y)
	case *ast.ParenExpr:
		return r.text(e.X)
	case *ast.Ident:
		if value, ok := r.values[e.Name]; ok {
			if text := r.text(value); !strings.Contains(text, "‹…›") {
				return text
			}
		}
		return "‹" + e.Name + "›"
	case *ast.SelectorExpr:
		from, _ := e.X.(*ast.Ident)
		if from != nil && from.Name == "fault" {
			return "fault." + e.Sel.Name
		}
		if from != nil {
			if value, ok := r.values[from.Name].(*ast.CompositeLit); ok && len(value.Elts) == 2 {
				switch e.Sel.Name {
				case "Code":
					return r.text(value.Elts[0])
				case "Reason":
					return r.text(value.Elts[1])
				}
			}
		}
		return "‹" + strings.ToLower(e.Sel.Name) + "›"
	case *ast.CallExpr:
		if len(e.Args) == 1 {
			if inner := r.text(e.Args[0]); strings.HasPrefix(inner, "‹") {
				return inner
			}
		}
		return "‹" + strings.ToLower(nameOf(e.Fun)) + "›"
	case *ast.IndexExpr:
		return r.text(e.X)
	}
	return "‹…›"
}

// written returns errors.md.
func written(found map[entry]bool) string {
	all := slices.SortedFunc(maps.Keys(found), func(a, b entry) int {
		return strings.Compare(a.Code+"\x00"+a.Message+"\x00"+a.Kind, b.Code+"\x00"+b.Message+"\x00"+b.Kind)
	})
	var out strings.Builder
	out.WriteString(`# Errors

Every error that a person or a program may see has a kind, which decides the HTTP status, and a code that never changes
its meaning (package ` + "`kernel/fault`" + `). Programs read the code from the ` + "`type`" + ` of an RFC 9457 problem; people read
the message in their language, from the catalogues, where the code is the key. What is not classified is ` + "`internal`" + `, and
its text never leaves the server's log.

This page is made from the source: ` + "`go test ./docs/reference -update`" + `. ‹Words in these brackets› stand for what is known
only when the error happens. One code may have several messages, which say more about the one place.

## Kinds

| Kind | Status | Codes |
|---|---|---|
`)
	codes := map[fault.Kind]map[string]bool{}
	for _, one := range all {
		kind := kinds[one.Kind]
		if codes[kind] == nil {
			codes[kind] = map[string]bool{}
		}
		codes[kind][one.Code] = true
	}
	for _, kind := range slices.Sorted(maps.Keys(codes)) {
		fmt.Fprintf(&out, "| `%s` | %d | %d |\n", kind, kind.Status(), len(codes[kind]))
	}
	last := ""
	for _, one := range all {
		area, _, _ := strings.Cut(one.Code, ".")
		if area != last {
			fmt.Fprintf(&out, "\n## %s\n\n| Code | Kind | Status | Message |\n|---|---|---|---|\n", area)
			last = area
		}
		kind := kinds[one.Kind]
		message := strings.ReplaceAll(strings.ReplaceAll(one.Message, "|", `\|`), "\n", " ")
		fmt.Fprintf(&out, "| `%s` | %s | %d | %s |\n", one.Code, kind, kind.Status(), message)
	}
	return out.String()
}
