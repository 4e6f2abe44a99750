package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var eventRow = regexp.MustCompile("(?m)^\\| `([a-z-]+\\.[a-z-]+)` \\|")

// TestEventsPageIsWhatTheSourceSays holds events.md to the types that the source gives to journal.Event: each that can be
// read from the source stands on the page, and what stands on the page is written by the source.
func TestEventsPageIsWhatTheSourceSays(t *testing.T) {
	text, err := os.ReadFile("events.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range eventRow.FindAllStringSubmatch(string(text), -1) {
		if listed[row[1]] {
			t.Errorf("%s stands twice on the page", row[1])
		}
		listed[row[1]] = true
	}
	written, prefixes, literals := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, top := range []string{"kernel", "web", "node"} {
		readEvents(t, filepath.Join("..", "..", top), written, prefixes, literals)
	}
	if len(written) < 40 || len(prefixes) < 2 {
		t.Fatalf("only %d types and %d beginnings were found: the test reads the source wrongly", len(written), len(prefixes))
	}
	for name := range written {
		if !listed[name] {
			t.Errorf("the source writes events of the type %s, which is not on the page", name)
		}
	}
	for name := range listed {
		area, rest, _ := strings.Cut(name, ".")
		if !literals[name] && !(prefixes[area+"."] && literals[rest]) {
			t.Errorf("the page has the type %s, which the source does not know", name)
		}
	}
}

// readEvents collects the types of events, the beginnings of those that are put together, and all texts of the source.
func readEvents(t *testing.T, root string, written, prefixes, literals map[string]bool) {
	t.Helper()
	packages := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], parsed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range packages {
		r := newReading(files)
		for _, file := range files {
			for _, declared := range file.Decls {
				function, _ := declared.(*ast.FuncDecl)
				ast.Inspect(declared, func(node ast.Node) bool {
					switch node := node.(type) {
					case *ast.BasicLit:
						if node.Kind == token.STRING {
							literals[unquote(node)] = true
						}
					case *ast.BinaryExpr:
						r.types(function, node, written, prefixes)
					case *ast.KeyValueExpr: // a field of journal.Event is the only one named Type that holds such a text
						if name, ok := node.Key.(*ast.Ident); ok && name.Name == "Type" {
							r.types(function, node.Value, written, prefixes)
						}
					case *ast.AssignStmt:
						if to, ok := node.Lhs[0].(*ast.SelectorExpr); ok && to.Sel.Name == "Type" {
							r.types(function, node.Rhs[0], written, prefixes)
						}
					}
					return true
				})
			}
		}
	}
}

var (
	eventType = regexp.MustCompile(`^[a-z-]+\.[a-z-]+$`)
	eventArea = regexp.MustCompile(`^[a-z-]+\.$`)
)

// types adds what an expression can be as the type of an event.
func (r *reading) types(in *ast.FuncDecl, value ast.Expr, written, prefixes map[string]bool) {
	switch value := value.(type) {
	case *ast.BasicLit:
		if text := unquote(value); eventType.MatchString(text) {
			written[text] = true
		}
	case *ast.BinaryExpr:
		if begin, ok := value.X.(*ast.BasicLit); ok && eventArea.MatchString(unquote(begin)) {
			prefixes[unquote(begin)] = true
		}
	case *ast.Ident:
		if place, ok := parametersOf(in)[value.Name]; ok {
			for _, caller := range r.calls {
				if nameOf(caller.node.Fun) == in.Name.Name && place < len(caller.node.Args) {
					r.types(caller.in, caller.node.Args[place], written, prefixes)
				}
			}
			return
		}
		if in == nil || in.Body == nil {
			return
		}
		ast.Inspect(in.Body, func(node ast.Node) bool {
			if set, ok := node.(*ast.AssignStmt); ok && len(set.Lhs) == len(set.Rhs) {
				for i, to := range set.Lhs {
					if name, ok := to.(*ast.Ident); ok && name.Name == value.Name {
						if literal, ok := set.Rhs[i].(*ast.BasicLit); ok {
							r.types(in, literal, written, prefixes)
						}
					}
				}
			}
			return true
		})
	}
}
