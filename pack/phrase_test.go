package pack

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"yagona/kernel/fault"
	"yagona/kernel/wording"
	"yagona/locale"
)

// phrasesOf returns the phrases of the source of the checker and of the rules: what fail, refuse and phrase are given, and how the reference of
// each key begins that a file must have.
func phrasesOf(t *testing.T) map[string]string {
	t.Helper()
	formats := map[string]string{} // with where each stands
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := filepath.Glob("../kernel/rules/*.go")
	if err != nil || len(rules) == 0 {
		t.Fatal(len(rules), err)
	}
	set := token.NewFileSet()
	for _, name := range append(files, rules...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			if f, ok := declared.(*ast.FuncDecl); ok && slices.Contains([]string{"fail", "refuse", "phrase"}, f.Name.Name) {
				continue // what they are given is looked at where they are called; those of rules say nothing themselves
			}
			ast.Inspect(declared, func(n ast.Node) bool {
				if field, ok := n.(*ast.Field); ok && field.Tag != nil {
					if tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")); tag.Get("need") == "true" {
						formats[firstSentence(tag.Get("doc")).Format] = set.Position(field.Pos()).String()
					}
				}
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				called := ""
				switch f := call.Fun.(type) {
				case *ast.Ident:
					called = f.Name
				case *ast.SelectorExpr:
					called = f.Sel.Name
				}
				given := map[string][]int{"phrase": {0}, "fail": {1, 2}, "refuse": {2}}
				if path.Dir(name) != "." {
					given = map[string][]int{"Say": {0}}
				}
				for _, i := range given[called] {
					at := set.Position(call.Args[i].Pos())
					literal, ok := call.Args[i].(*ast.BasicLit)
					if !ok {
						t.Errorf("%s: %s is given words that are no constant: make them a phrase with arguments", at, called)
						continue
					}
					format, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					formats[format] = at.String()
				}
				return true
			})
		}
	}
	return formats
}

func TestEveryPhraseIsTranslated(t *testing.T) {
	formats := phrasesOf(t)
	if len(formats) < 400 {
		t.Fatalf("%d phrases are found", len(formats))
	}
	for _, tag := range []locale.Tag{locale.UzbekLatin, locale.UzbekCyrillic, locale.Karakalpak, locale.Russian} {
		translated := translations()[tag]
		for format, at := range formats {
			if _, ok := translated[format]; !ok && hasWords(format) {
				t.Errorf("%s: %s lacks %q", at, tag, format)
			}
		}
		for format, words := range translated {
			if formats[format] == "" {
				t.Errorf("%s translates what is not said: %q", tag, format)
			}
			if strings.Join(verbsOf(format), " ") != strings.Join(verbsOf(words), " ") {
				t.Errorf("%s: %q has other verbs than %q", tag, words, format)
			}
		}
	}
}

// The words of the language are written in a file in Latin letters, whoever reads about them.
func TestWordsOfTheLanguageStayInEveryScript(t *testing.T) {
	for _, one := range []struct {
		said wording.Phrase
		want string
	}{
		{phrase("add count: received, waiting, decided, granted, refused or days"), "`count: received, waiting, decided, granted, refused` ёки `days` қўшинг"},
		{phrase("rename the file to %s.yaml, or correct the tag", "ru"), "файлни ru.yaml деб номланг ёки тил белгисини тузатинг"},
		{phrase("the field %s of %s is required", "since", "employment/unemployed"), "employment/unemployed реестрининг since майдони мажбурий"},
	} {
		pieces := Said(one.said, locale.UzbekCyrillic, nil)
		if want := strings.ReplaceAll(one.want, "`", ""); len(pieces) != 1 || pieces[0] != (Piece{Text: want}) {
			t.Errorf("%q is said as %v, want %q", one.said, pieces, want)
		}
	}
}

func TestWhatNobodyTranslatedIsMarkedAsEnglish(t *testing.T) {
	missing := fault.New(fault.Invalid, "field.required", "This is required. Fill it in.")
	refused := func(f *fault.Fault) string { return "Заполните это поле." }
	for _, one := range []struct {
		said wording.Phrase
		tag  locale.Tag
		want []Piece
	}{
		{phrase("this is not YAML: %s", wording.English("a colon")), locale.Russian, []Piece{{Text: "это не YAML: "}, {Text: "a colon", English: true}}},
		{phrase("this is not YAML: %s", wording.English("a colon")), locale.English, []Piece{{Text: "this is not YAML: "}, {Text: "a colon"}}},
		{phrase("%s: %s", "born", refusal{missing}), locale.Russian, []Piece{{Text: "born: Заполните это поле"}}},
		{phrase("name an earlier example: %s", phrase("did you mean %s?", "age")), locale.Karakalpak, []Piece{{Text: "joqarıdaǵı mısallardıń birin atań: bálkim, age?"}}},
		{phrase("there is no evidence %s", "birth"), "kk", []Piece{{Text: "there is no evidence birth", English: true}}},
		{wording.Verbatim(wording.English("it ends too early")), locale.Russian, []Piece{{Text: "it ends too early", English: true}}},
		{wording.Phrase{}, locale.Russian, nil},
	} {
		pieces := Said(one.said, one.tag, refused)
		if len(pieces) != len(one.want) {
			t.Errorf("%q is said in %s as %v, want %v", one.said, one.tag, pieces, one.want)
			continue
		}
		for i := range pieces {
			if pieces[i] != one.want[i] {
				t.Errorf("%q is said in %s as %v, want %v", one.said, one.tag, pieces, one.want)
			}
		}
	}
}

func TestTranslationsAreReadStrictly(t *testing.T) {
	for content, want := range map[string]string{
		`"the step %s has no %s": "у шага нет %s"`:   "ru.yaml:1: a translation is a text with the verbs of the English one",
		`"the step %s has no %s": "%[2]d: %[1]s"`:    "ru.yaml:1: a translation is a text with the verbs of the English one",
		"\"remove it\": [уберите]":                   "ru.yaml:1: a translation is a text with the verbs of the English one",
		"\"remove it\": уберите\n\"remove it\": нет": "ru.yaml:2:1: the key remove it stands twice",
		"\"remove it": "ru.yaml:1:1: this is not YAML",
	} {
		if _, err := readTranslations("ru.yaml", []byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis read with %v, want %s", content, err, want)
		}
	}
	read, err := readTranslations("ru.yaml", []byte(`"the step %s has no %s": "%[2]s нет у шага %[1]s"`))
	if err != nil || read["the step %s has no %s"] != "%[2]s нет у шага %[1]s" {
		t.Error(read, err)
	}
}

func TestWhatIsWrongInAPackIsSaidInAnotherLanguage(t *testing.T) {
	catalogue, problems := Load([]Source{{Dir: "one", FS: fstest.MapFS{"pack.yaml": {Data: []byte("pack: One\ntitel: One\nlanguage: en\n")}}}}, Profile{}, Drafting)
	if catalogue != nil || len(problems) == 0 {
		t.Fatal("the pack is not refused")
	}
	var lines []string
	for _, one := range problems {
		var line strings.Builder
		for _, piece := range append(Said(one.Message, locale.Russian, nil), Said(one.Hint, locale.Russian, nil)...) {
			line.WriteString(" " + piece.Text)
		}
		lines = append(lines, line.String())
	}
	for _, want := range []string{
		` "One" — не имя напишите строчные латинские буквы и цифры, слова через дефис`,
		` здесь нет ключа titel может быть, title?`,
	} {
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("%q is not among\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

func TestTranslationsAreOfLanguagesThatAreKnown(t *testing.T) {
	files, err := os.ReadDir("messages")
	if err != nil || len(files) != 3 {
		t.Fatal(len(files), err)
	}
	known := map[string]bool{}
	for _, tag := range locale.Known() {
		known[string(tag)+".yaml"] = true
	}
	for _, file := range files {
		if !known[file.Name()] {
			t.Errorf("%s is no file of a language", file.Name())
		}
	}
}
