package reference

import (
	"go/ast"
	"maps"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// unsaid are the packages whose faults no answer over HTTP carries, with the reason.
var unsaid = map[string]string{
	"packs/demo": "the demonstration is made before the site is open; its operator reads the English of the command line",
}

// namedIn is what stands for a name inside a code: the codes of one family share a text.
var namedIn = regexp.MustCompile(`‹[^›]*›-`)

// raised are the codes of a package whose message may leave the process, with the variables that their faults are given
// somewhere in the package. Findings are no faults, but pages show them by the same texts.
func raised(t *testing.T, folder string, read *reading) (codes []string, given map[string]bool) {
	t.Helper()
	found := map[entry]bool{}
	if err := read.collect(found); err != nil {
		t.Fatalf("%s: %v", folder, err)
	}
	for one := range found {
		switch {
		case kinds[one.Kind] == kinds["Internal"]: // it says only that something went wrong
		case one.Code == "‹code›": // of a finding, which is found below
		default:
			codes = append(codes, namedIn.ReplaceAllString(one.Code, ""))
		}
	}
	given = map[string]bool{}
	for _, one := range read.calls {
		if name, ok := one.node.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "With" && len(one.node.Args) == 2 {
			for _, said := range read.expand(one.in, []ast.Expr{one.node.Args[0], one.node.Args[0], one.node.Args[0]}, 0) {
				given[said[0]] = true
			}
		}
	}
	for _, file := range read.files {
		ast.Inspect(file, func(node ast.Node) bool {
			if made, ok := node.(*ast.CompositeLit); ok && len(made.Elts) == 2 {
				name, ok := made.Type.(*ast.Ident)
				if code := read.text(made.Elts[0]); ok && name.Name == "Finding" && code != "‹code›" { // ‹code›: of a fault
					codes = append(codes, code)
				}
			}
			return true
		})
	}
	return codes, given
}

// variable is one in a text: alone, or where it chooses between texts.
var variable = regexp.MustCompile(`\{([a-z]+)[,}]`)

// catalogues are where the texts of faults stand; that of a language that is derived from another is made from it.
const catalogues = "../../web/page/messages"

// texts returns the texts of one language by code, and tells where they are not in order: sorted by code, with one empty
// line where the first word changes, so that the files are easy to merge.
func texts(t *testing.T, language string) map[string]string {
	t.Helper()
	name := path.Join(catalogues, language, "fault.yaml")
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	found, before := map[string]string{}, ""
	for line := range strings.Lines(string(content)) {
		code, text, said := strings.Cut(line, ": ")
		area, _, _ := strings.Cut(code, ".")
		switch {
		case !said && line != "\n":
			t.Errorf("%s: %q is neither a text nor an empty line", name, line)
			continue
		case !said:
			before += "\n"
			continue
		case len(found) > 0 && (code <= strings.TrimSpace(before) || strings.HasPrefix(before, area+".") == strings.HasSuffix(before, "\n")):
			t.Errorf("%s: %s stands after %q: sort the codes, with one empty line where the first word changes", name, code, before)
		}
		found[code], before = text, code
	}
	if len(found) < 200 {
		t.Errorf("%s: only %d texts were found", name, len(found))
	}
	return found
}

// TestEveryRefusalIsSaidInEveryLanguage holds the texts of faults to the source: each code that can leave the process has
// one in each language, whose variables its package gives; and no text is left of a code that nothing raises.
func TestEveryRefusalIsSaidInEveryLanguage(t *testing.T) {
	folders, err := os.ReadDir(catalogues)
	if err != nil || len(folders) < 4 {
		t.Fatalf("%d languages: %v", len(folders), err)
	}
	said := map[string]map[string]string{}
	for _, language := range folders {
		said[language.Name()] = texts(t, language.Name())
	}
	known, left := map[string]bool{}, maps.Clone(unsaid)
	for folder, read := range readSource(t) {
		codes, given := raised(t, folder, read)
		if unsaid[folder] != "" && len(codes) > 0 {
			delete(left, folder)
			continue
		}
		for _, code := range codes {
			known[code] = true
			for language, texts := range said {
				text, ok := texts[code]
				if !ok {
					t.Errorf("%s raises %s, which is not said in %s: add its text to web/page/messages/%s/fault.yaml", folder, code, language, language)
				}
				for _, name := range variable.FindAllStringSubmatch(text, -1) {
					if !given[name[1]] {
						t.Errorf("%s raises %s, whose text in %s has the variable %s: no fault there is given it", folder, code, language, name[1])
					}
				}
			}
		}
	}
	for folder := range left {
		t.Errorf("%s raises no fault: take it out of unsaid", folder)
	}
	for language, texts := range said {
		for code := range texts {
			if !known[code] {
				t.Errorf("nothing raises %s: take its text out of web/page/messages/%s/fault.yaml", code, language)
			}
		}
	}
}
