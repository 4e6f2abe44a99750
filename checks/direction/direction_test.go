package direction

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

func TestImportsKeepTheDirection(t *testing.T) {
	packages := load(t)
	if len(packages) < 4 {
		t.Fatalf("go list found %d packages; the tree has more", len(packages))
	}
	for _, violation := range Violations(packages) {
		t.Error(violation)
	}
}

// load returns the packages of the whole module.
func load(t *testing.T) []Package {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = root
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []Package
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestCheckerFindsPlantedViolations(t *testing.T) {
	for name, test := range map[string]struct {
		planted Package
		want    []string
	}{
		"the kernel reaches into a store": {
			Package{ImportPath: "yagona/kernel/ledger", Imports: []string{"context", "yagona/store/sqlite"}},
			[]string{"kernel/ledger imports yagona/store/sqlite: kernel must not import store"},
		},
		"a kernel package imports a later one": {
			Package{ImportPath: "yagona/kernel/journal", Imports: []string{"yagona/kernel/casework", "yagona/kernel/act"}},
			[]string{"kernel/journal imports yagona/kernel/casework: it stands later in the kernel's order"},
		},
		"a folder inside a kernel package keeps its package's place": {
			Package{ImportPath: "yagona/kernel/ledger/bank", Imports: []string{"yagona/kernel/ledger", "yagona/kernel/notice"}},
			[]string{"kernel/ledger/bank imports yagona/kernel/notice: it stands later in the kernel's order"},
		},
		"a kernel package that nobody ordered": {
			Package{ImportPath: "yagona/kernel/blockchain"},
			[]string{"kernel/blockchain: the kernel's order does not have it; add it to Kernel at its place"},
		},
		"a folder that no layer has": {
			Package{ImportPath: "yagona/util"},
			[]string{"util: no layer has this folder; add it to Layers with what it may import"},
		},
		"code at the root": {
			Package{ImportPath: "yagona"},
			[]string{".: no layer has this folder; add it to Layers with what it may import"},
		},
		"SQL in the kernel": {
			Package{ImportPath: "yagona/kernel/register", Imports: []string{"database/sql"}},
			[]string{"kernel/register imports database/sql: SQL belongs to store"},
		},
		"a standard that knows the kernel": {
			Package{ImportPath: "yagona/std/tlog", Imports: []string{"yagona/kernel/fault", "yagona/std/cbor"}},
			[]string{
				"std/tlog imports yagona/kernel/fault: std must not import kernel",
				"std/tlog imports yagona/std/cbor: a standard imports nothing in-tree",
			},
		},
		"languages that know the kernel": {
			Package{ImportPath: "yagona/locale", Imports: []string{"yagona/kernel/fault"}},
			[]string{"locale imports yagona/kernel/fault: locale must not import kernel"},
		},
		"the pack language that knows a store": {
			Package{ImportPath: "yagona/pack", Imports: []string{"yagona/store/query", "yagona/web/api"}},
			[]string{"pack imports yagona/store/query: pack must not import store", "pack imports yagona/web/api: pack must not import web"},
		},
		"a pack that knows another pack": {
			Package{ImportPath: "yagona/packs/youth", Imports: []string{"yagona/packs/civil", "yagona/pack", "yagona/packs/youth/form"}},
			[]string{"packs/youth imports yagona/packs/civil: a pack never imports another pack; it names the other's register"},
		},
		"a store that knows pages": {
			Package{ImportPath: "yagona/store/sqlite", Imports: []string{"yagona/web/api", "yagona/store/query"}},
			[]string{"store/sqlite imports yagona/web/api: store must not import web"},
		},
		"pages that know a store": {
			Package{ImportPath: "yagona/web/desk", Imports: []string{"yagona/store/sqlite", "yagona/web/ui"}},
			[]string{"web/desk imports yagona/store/sqlite: web must not import store"},
		},
		"a test that goes against the direction": {
			Package{ImportPath: "yagona/kernel/act", XTestImports: []string{"yagona/kernel/ledger", "yagona/store/sqlite"}},
			[]string{"a test of kernel/act imports yagona/kernel/ledger: it stands later in the kernel's order"},
		},
		"a test of a standard that opens a store": {
			Package{ImportPath: "yagona/std/tlog", TestImports: []string{"yagona/store/sqlite"}},
			[]string{"a test of std/tlog imports yagona/store/sqlite: std must not import store"},
		},
		"all that is allowed": {
			Package{
				ImportPath:   "yagona/cmd/yagona",
				Imports:      []string{"yagona/kernel/casework", "yagona/store/sqlite", "yagona/web/api", "yagona/packs", "database/sql"},
				TestImports:  []string{"yagona/store/storetest"},
				XTestImports: []string{"yagona/store/sqlite"},
			},
			nil,
		},
		"the folder of all packs": {
			Package{ImportPath: "yagona/packs", Imports: []string{"yagona/packs/youth", "yagona/packs/civil"}},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Violations([]Package{test.planted})); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKernelOrderHasEachPackageOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Kernel {
		if seen[name] {
			t.Errorf("%s stands twice in the kernel's order", name)
		}
		seen[name] = true
	}
}

func TestSourceKeepsTheRules(t *testing.T) {
	count := 0
	walk(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" {
			return
		}
		count++
		found, err := SourceViolations(path, content)
		if err != nil {
			t.Error(err)
		}
		for _, violation := range found {
			t.Error(violation)
		}
	})
	if count < 4 {
		t.Fatalf("only %d Go files were read; the tree has more", count)
	}
}

// country matches words of the country that is shipped.
var country = regexp.MustCompile(`(?i)uzbek|tashkent|mahalla|pinfl|soato|\bUZS\b`)

// SourceViolations returns what a Go file, named by its path in the repository, does against the rules of the tree: no
// package asks the machine's clock in the kernel, none keeps state in init, and no country stands in the code that every
// country runs: there only comments may take their examples from one.
func SourceViolations(path string, content []byte) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, content, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []string
	report := func(node ast.Node, text string) {
		found = append(found, fmt.Sprintf("%s: %s", files.Position(node.Pos()), text))
	}
	clock := "" // the name under which the file imports the time package
	for _, spec := range file.Imports {
		if spec.Path.Value == `"time"` {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	test := strings.HasSuffix(path, "_test.go")
	kernel := top(path) == "kernel" && !test
	every := slices.Contains([]string{"std", "kernel", "pack", "store", "web"}, top(path)) && !test
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.BasicLit:
			if every && country.MatchString(n.Value) {
				report(n, "a country stands in the code: it belongs to the country profile")
			}
		case *ast.Ident:
			if every && country.MatchString(n.Name) {
				report(n, "a country stands in the code: it belongs to the country profile")
			}
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				report(n, "init hides state: make it an explicit list or a constructor")
			}
		case *ast.SelectorExpr:
			from, ok := n.X.(*ast.Ident)
			if kernel && ok && clock != "" && from.Name == clock {
				switch n.Sel.Name {
				case "Now", "Since", "Until":
					report(n, "the kernel never asks the machine's clock: take act.Clock or the transaction's Now")
				}
			}
		}
		return true
	})
	return found, nil
}

func TestSourceCheckFindsPlantedViolations(t *testing.T) {
	const clock = `package p; import "time"; var now = time.Now; func f(t time.Time) { _ = time.Since(t) }`
	for name, test := range map[string]struct {
		path, source string
		want         int
	}{
		"the machine's clock in the kernel": {"kernel/act/a.go", clock, 2},
		"under another name":                {"kernel/act/a.go", `package p; import c "time"; var _ = c.Now()`, 1},
		"in a test":                         {"kernel/act/a_test.go", clock, 0},
		"outside the kernel":                {"web/a.go", clock, 0},
		"another thing called time":         {"kernel/act/a.go", `package p; func f(time struct{ Now int }) { _ = time.Now }`, 0},
		"state in init":                     {"web/a.go", `package p; func init() {}`, 1},
		"a country's word in a literal":     {"web/a.go", "package p; const zone = `Asia/Tashkent`", 1},
		"a country's word in a name":        {"pack/a.go", `package p; type Mahalla int`, 1},
		"a country's word in a comment":     {"kernel/act/a.go", `package p // a mahalla`, 0},
		"a country's word in a pack":        {"packs/a.go", `package p; type Mahalla int`, 0},
		"a method called init":              {"web/a.go", `package p; type t int; func (t) init() {}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := SourceViolations(test.path, []byte(test.source))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != test.want {
				t.Errorf("found %q, want %d", found, test.want)
			}
		})
	}
}

// places are patterns of what ties the repository to one network or one machine. They are put together here, so that
// this file does not hold what it looks for.
var places = []*regexp.Regexp{
	regexp.MustCompile(`(proxy|sum)\.` + `golang\.org`),
	regexp.MustCompile(`registry\.` + `(npmjs|yarnpkg)\.(org|com)`),
	regexp.MustCompile(`(deb|security)\.` + `debian\.org`),
	regexp.MustCompile(`(^|[^A-Za-z0-9_./-])/` + `(work|root|home/[a-z]+)/`),
}

func namesPlace(content []byte) string {
	for _, place := range places {
		if found := place.Find(content); found != nil {
			return strings.TrimSpace(string(found))
		}
	}
	return ""
}

func TestNoFileNamesAMachineOrARegistry(t *testing.T) {
	walk(t, func(path string, content []byte) {
		if place := namesPlace(content); place != "" {
			t.Errorf("%s names %s: it must build anywhere", path, place)
		}
	})
}

func TestPlaceCheckFindsPlantedPlaces(t *testing.T) {
	for _, planted := range []string{
		"GOPROXY=https://proxy." + "golang.org", `"resolved": "https://registry.` + `npmjs.org/x"`, "cd /" + "work/main", "ls /" + "root/go",
	} {
		if namesPlace([]byte(planted)) == "" {
			t.Errorf("%q was not found", planted)
		}
	}
	for _, innocent := range []string{"network/work/plan", "the root/folder", "golang.org/x/mod", "docs/work/a.md"} {
		if place := namesPlace([]byte(innocent)); place != "" {
			t.Errorf("%q was taken for a place: %q", innocent, place)
		}
	}
}

// walk calls the function for each text file of the repository, with its path below the root and slashes.
func walk(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", "node_modules":
				return fs.SkipDir
			}
			if rel == "data" { // what a running platform leaves, not source
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || rel == ".git" || rel == "yagona" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.IndexByte(content, 0) < 0 {
			visit(filepath.ToSlash(rel), content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
