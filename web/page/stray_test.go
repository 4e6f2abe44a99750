package page_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

// unspoken are the packages of web that show people no words of their own: programs read what they write.
var unspoken = map[string]string{
	"api": "JSON, whose description is in English", "log": "tiles", "witness": "checkpoints", "route": "faults, whose words are in the catalogue",
	"uitest": "a test", "boundary": "outlines; what is wrong with a file is told to the operator", "provider": "faults of a protocol; its page says what the catalogue says",
}

// synthetic are files of a spoken package whose words only a developer sees.
var synthetic = map[string]bool{"gallery.go": true}

// spoken returns the files of the packages that show words, by their ending.
func spoken(t *testing.T, ending string) (files []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && unspoken[entry.Name()] != "":
			return filepath.SkipDir
		case filepath.Ext(path) == ending && !strings.HasSuffix(path, "_test.go") && !synthetic[entry.Name()]:
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of %s: %v", ending, err)
	}
	return files
}

// words are two or more in a row: what only a person reads.
var words = regexp.MustCompile(`\p{L}{2,}[,.:;!?]? \p{L}{2,}`)

// technical are sentences in Go that no page shows: what is wrong with a program, what goes into its log, what protocols want.
var technical = map[string]bool{
	"New": true, "Newf": true, "Errorf": true, "Fatalf": true, "Error": true, "Warn": true, "Info": true, "panic": true, "MustCompile": true, "Set": true, "Add": true, "ErrTampered": true,
}

// protocol are literals that look like words and are none: what programs tell each other.
var protocol = regexp.MustCompile(`^[a-z]+/[a-z]+; charset=|^public, max-age=|^attachment; filename=|^any maskable$|^.banner [a-z]+.$|^.?yagona event v1`)

// shows are the fields of components in which people read.
var shows = map[string]bool{
	"Text": true, "Title": true, "Label": true, "Hint": true, "Caption": true, "Lead": true, "Summary": true, "Empty": true, "Error": true, "Term": true,
	"Unit": true, "About": true, "Source": true, "Of": true, "Name": false,
}

// Every word that people read stands in the catalogues: none in Go, in a template, or in a script.
func TestNoWordStandsOutsideTheCatalogues(t *testing.T) {
	for _, file := range spoken(t, ".go") {
		for _, found := range strayInGo(t, file, nil) {
			t.Errorf("%s: put it into messages/, in every language", found)
		}
	}
	for _, file := range spoken(t, ".html") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range strayInTemplate(string(content)) {
			t.Errorf("%s: %q: put it into messages/, in every language", file, found)
		}
	}
	for _, file := range spoken(t, ".js") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range strayInScript(string(content)) {
			t.Errorf("%s: %s: let the page say it in data-…", file, found)
		}
	}
}

// strayInGo returns literals that people would read, with where they stand.
func strayInGo(t *testing.T, file string, source any) (found []string) {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	visit := func(node ast.Node) bool { return true }
	say := func(literal *ast.BasicLit) {
		found = append(found, set.Position(literal.Pos()).String()+": "+literal.Value)
	}
	visit = func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec, *ast.Field:
			return false
		case *ast.CallExpr:
			name := ""
			switch called := node.Fun.(type) {
			case *ast.Ident:
				name = called.Name
			case *ast.SelectorExpr:
				name = called.Sel.Name
			}
			if technical[name] {
				for _, argument := range node.Args {
					if _, literal := argument.(*ast.BasicLit); !literal {
						ast.Inspect(argument, visit)
					}
				}
				return false
			}
		case *ast.KeyValueExpr:
			key, named := node.Key.(*ast.Ident)
			if literal, ok := node.Value.(*ast.BasicLit); named && shows[key.Name] && ok && literal.Kind == token.STRING && hasLetters(unquoted(literal)) {
				say(literal)
				return false
			}
		case *ast.BasicLit:
			if node.Kind == token.STRING && words.MatchString(unquoted(node)) && !protocol.MatchString(unquoted(node)) {
				say(node)
			}
		}
		return true
	}
	ast.Inspect(parsed, visit)
	return found
}

func unquoted(literal *ast.BasicLit) string {
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return literal.Value
	}
	return text
}

func hasLetters(text string) bool {
	return strings.ContainsFunc(text, unicode.IsLetter)
}

var (
	actions  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	noScript = regexp.MustCompile(`</?noscript>`) // the tokenizer takes what is in it as text
)

// strayInTemplate returns what a template shows by itself: text between tags, and attributes that are read.
func strayInTemplate(content string) (found []string) {
	tokens := html.NewTokenizer(strings.NewReader(noScript.ReplaceAllString(actions.ReplaceAllString(content, ""), "")))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return found
		case html.TextToken:
			if text := strings.TrimSpace(string(tokens.Text())); hasLetters(text) {
				found = append(found, text)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, one := range tokens.Token().Attr {
				switch one.Key {
				case "aria-label", "title", "alt", "placeholder", "aria-description":
					if hasLetters(one.Val) {
						found = append(found, one.Key+"="+one.Val)
					}
				}
			}
		}
	}
}

var (
	comments     = regexp.MustCompile(`(?ms)/\*.*?\*/|//[^\n]*$`)
	scriptString = regexp.MustCompile("\"([^\"\\n]*)\"|'([^'\\n]*)'|`([^`]*)`")
	notShown     = regexp.MustCompile(`(new Error|throw)`)
)

// strayInScript returns the literals of a script that people would read.
func strayInScript(content string) (found []string) {
	for line := range strings.Lines(comments.ReplaceAllString(content, "")) {
		if notShown.MatchString(line) {
			continue
		}
		for _, literal := range scriptString.FindAllString(line, -1) {
			if words.MatchString(literal) && !protocol.MatchString(literal) {
				found = append(found, literal)
			}
		}
	}
	return found
}

// The test itself finds what it looks for.
func TestAStrayWordIsFound(t *testing.T) {
	for source, want := range map[string]int{
		`package p; var a = ui.Paragraph{Text: "Hello"}`:                                 1,
		`package p; var a = ui.Paragraph{Text: r.Say("portal.hello")}`:                   0,
		`package p; func f() { show("Nothing waits for you") }`:                          1,
		`package p; func f() error { return fault.New(k, "c", "Sign in first.") }`:       0,
		`package p; func f() error { return fault.New(k, "c", show("Sign in first.")) }`: 1,
		`package p; const a = "–"`:                                                       0,
	} {
		if got := strayInGo(t, "source.go", source); len(got) != want {
			t.Errorf("%s: found %q", source, got)
		}
	}
	for content, want := range map[string]int{
		`<p>{{text "ui.hello"}} · {{.Text}}</p>`: 0, `<p>Hello {{.Name}}</p>`: 1, `<a aria-label="Back" href="/back">{{.Text}}</a>`: 1, `<a title="{{.Text}}">←</a>`: 0,
	} {
		if got := strayInTemplate(content); len(got) != want {
			t.Errorf("%s: found %q", content, got)
		}
	}
	for content, want := range map[string]int{
		`place.textContent = "Not found here";`: 1, `place.textContent = place.dataset.good;`: 0, `// Not found here`: 0, `throw new Error("not a tree head")`: 0,
	} {
		if got := strayInScript(content); len(got) != want {
			t.Errorf("%s: found %q", content, got)
		}
	}
}
