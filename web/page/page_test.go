package page_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"yagona/locale"
	"yagona/web/page"
)

func TestEveryTextIsThereInEveryLanguage(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range words.Check() {
		t.Error(problem)
	}
}

// composed are the areas whose keys are made of a name: of a state, an event, a code. All their messages may be used.
var composed = []string{
	"event.", "actor.", "purpose.", "role.", "agency.", "life.", "applicant.", "relation.", "late.", "action.", "action-hint.",
	"payment.", "payment-reason.", "progress.", "notice.", "fault.", "verify.", "part.", "licence.", "ground.", "acting-as.", "mandate-state.",
	"answer-kind.", "translation.", "deed.",
}

func TestEveryTextIsUsedAndEveryUsedTextIsThere(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{} // key → where
	for _, folder := range []string{".", "../portal", "../desk", "../correction", "../opendata", "../representation", "../offer", "../studio", "../passkey", "../simulation", "../indicator", "../notebook", "../practice", "../../node"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", folder, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				literals(t, file, said)
			}
		}
	}
	areas := areasOf(t)
	for key, where := range said {
		area, _, dotted := strings.Cut(key, ".")
		if dotted && slices.Contains(areas, area) && !strings.HasSuffix(key, ".") && !strings.HasSuffix(key, ".js") && !words.Has(locale.English, key) && !strings.Contains(key, "/") {
			if slices.Contains(composed, area+".") || strings.HasPrefix(area, "form") {
				continue
			}
			t.Errorf("%s: there is no text %s", where, key)
		}
	}
	for _, area := range areas {
		for _, key := range words.Keys() {
			if !strings.HasPrefix(key, area+".") || slices.ContainsFunc(composed, func(c string) bool { return strings.HasPrefix(key, c) }) {
				continue
			}
			if _, used := said[key]; !used {
				t.Errorf("no page says %s: remove it", key)
			}
		}
	}
}

// areasOf returns the areas whose messages stand in this package.
func areasOf(t *testing.T) (areas []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("messages/en"), ".", func(path string, entry fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(path, ".yaml"); ok {
			areas = append(areas, name)
		}
		return err
	})
	if err != nil || len(areas) == 0 {
		t.Fatalf("no messages: %v", err)
	}
	return areas
}

func literals(t *testing.T, file string, found map[string]string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				found[text] = file
			}
		}
		return true
	})
}
