package locale_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"yagona/locale"
)

func files(content map[string]string) fstest.MapFS {
	result := fstest.MapFS{}
	for name, text := range content {
		result[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return result
}

func load(t *testing.T, content map[string]string) *locale.Catalogue {
	t.Helper()
	languages := spoken
	languages.Fallback = map[locale.Tag][]locale.Tag{locale.Karakalpak: {locale.Russian}}
	catalogue, err := locale.Load(files(content), languages)
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

func TestMessagesAreReadFromFlatAndNestedFiles(t *testing.T) {
	catalogue := load(t, map[string]string{
		"en.yaml":           "a.b: One\na:\n  c: Two # a comment\n",
		"en/page.yaml":      "\ufefftitle: Three\nlong: |\n  Four\n  lines\nfolded: >-\n  Five\n  words\n",
		"en/empty.yaml":     "# nothing yet\n",
		"uz-Latn/page.yaml": "title: Uch so'm\n",
	})
	want := []string{"a.b", "a.c", "page.folded", "page.long", "page.title"}
	if diff := cmp.Diff(want, catalogue.Keys()); diff != "" {
		t.Error(diff)
	}
	for key, want := range map[string]string{
		"a.b": "One", "a.c": "Two", "page.title": "Three", "page.long": "Four\nlines", "page.folded": "Five words",
	} {
		if got := catalogue.Text(locale.English, key, nil); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if got := catalogue.Text(locale.UzbekLatin, "page.title", nil); got != "Uch soʻm" {
		t.Errorf("apostrophes are not normalised: %q", got)
	}
}

func TestUnreadableFileNamesFileLineAndColumn(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"not YAML":            {"en.yaml", "a: b\n  c: [\n", "en.yaml:"},
		"duplicate key":       {"en.yaml", "a: x\na: y\n", "en.yaml:2:1"},
		"same key twice":      {"en.yaml", "a.b: x\na:\n  b: y\n", `en.yaml:3:6: "a.b" stands already at en.yaml:1:6`},
		"plain message":       {"en.yaml", "a: Hello {name\n", "en.yaml:1:15: a: after {name a } or a , is expected"},
		"quoted message":      {"en.yaml", "b: ok\na: \"Пять } дней\"\n", "en.yaml:2:10: a: this }"},
		"folded message":      {"en.yaml", "a: >\n  one\n  two }\n", "a, character 9 of the message: this }"},
		"number":              {"en.yaml", "a: 010\n", "en.yaml:1:4: a is not a text for YAML: put it in quotes"},
		"boolean":             {"en.yaml", "a: true\n", "en.yaml:1:4: a is not a text"},
		"null":                {"en.yaml", "a:\nb: x\n", "a has no text"},
		"list":                {"en.yaml", "a: [x]\n", "en.yaml:1:4: a: a catalogue holds texts"},
		"anchor":              {"en.yaml", "a: &x y\nb: *x\n", "en.yaml:1:4: a: a catalogue holds texts"},
		"merge key":           {"en.yaml", "a: {b: c}\n<<: {d: e}\n", "en.yaml:2:1: a key is a name"},
		"tag":                 {"en.yaml", "a: !!str y\n", "en.yaml:1:4: a: a catalogue holds texts"},
		"unquoted brace":      {"en.yaml", "a: {name}\n", "en.yaml:1:"},
		"two documents":       {"en.yaml", "a: b\n---\nc: d\n", "en.yaml:3:"},
		"no mapping":          {"en.yaml", "just a text\n", "en.yaml:1:1"},
		"empty text":          {"en.yaml", "a: ''\n", "en.yaml:1:4: \"a\" has no text"},
		"bad key":             {"en.yaml", "a b: c\n", `en.yaml:1:6: "a b" is not a key`},
		"bad UTF-8":           {"en.yaml", "a: \"\xff\xfe\"\n", "en.yaml:1:"},
		"undeclared language": {"de.yaml", "a: b\n", `de.yaml: language "de" is not declared`},
		"stray file":          {"README.md", "x", "README.md: not a catalogue"},
		"deep folder":         {"en/a/b.yaml", "a: b\n", "en/a/b.yaml: not a catalogue"},
		"huge file":           {"en.yaml", "a: " + strings.Repeat("x", 2<<20), "en.yaml: larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := locale.Load(files(map[string]string{test.file: test.text}), spoken)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	_, err := locale.Load(files(map[string]string{"en.yaml": "a: x }\nb: 1\n", "ru.yaml": "a: '{'\n"}), spoken)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three lines, got %v", err)
	}
}

func TestMissingMessageFallsBackAlongTheChain(t *testing.T) {
	catalogue := load(t, map[string]string{
		"en.yaml": "only-en: E\n", "ru.yaml": "both: Р\n", "uz-Latn.yaml": "both: U\nonly-uz: Oʻzbekcha {n}\n",
	})
	for _, test := range []struct {
		tag  locale.Tag
		key  string
		want string
		ok   bool
	}{
		{locale.Karakalpak, "both", "Р", true},              // declared: Russian
		{locale.Karakalpak, "only-uz", "Oʻzbekcha 5", true}, // the default, last
		{locale.English, "both", "U", true},
		{locale.UzbekCyrillic, "only-uz", "Ўзбекча 5", true},
		{locale.Russian, "only-en", "only-en", false},
		{locale.English, "nowhere", "nowhere", false},
	} {
		got, err := catalogue.Format(test.tag, test.key, locale.Args{"n": 5})
		if got != test.want || (err == nil) != test.ok || catalogue.Has(test.tag, test.key) != test.ok {
			t.Errorf("%s in %s = %q, %v; want %q", test.key, test.tag, got, err, test.want)
		}
	}
	if _, err := catalogue.Format(locale.UzbekLatin, "only-uz", nil); err == nil {
		t.Error("a missing variable is not reported")
	}
}

func TestUzbekCyrillicIsDerivedAndCanBeOverridden(t *testing.T) {
	catalogue := load(t, map[string]string{
		"uz-Latn.yaml": "a: \"Shu yerda {count, plural, =0 {yoʻq} other {# ta}} ariza, {name}\"\nb: Sirk\nc: Yana\n",
		"uz-Cyrl.yaml": "c: Бошқача\n",
	})
	args := locale.Args{"count": 0, "name": "Ali"}
	if got := catalogue.Text(locale.UzbekCyrillic, "a", args); got != "Шу ерда йўқ ариза, Ali" {
		t.Errorf("got %q", got)
	}
	if got := catalogue.Text(locale.UzbekCyrillic, "c", nil); got != "Бошқача" {
		t.Errorf("the override is not used: %q", got)
	}
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	const good = "a: x\nn: \"{n, plural, other {#}}\"\ns: \"{k, select, a {x} other {y}}\"\n"
	english := "a: x\nn: \"{n, plural, one {#} other {#}}\"\ns: \"{k, select, a {x} other {y}}\"\n"
	russian := "a: x\nn: \"{n, plural, one {#} few {#} many {#} other {#}}\"\ns: \"{k, select, a {x} other {y}}\"\n"
	content := map[string]string{"uz-Latn.yaml": good, "kaa.yaml": good, "ru.yaml": russian, "en.yaml": english}
	if problems := load(t, content).Check(); len(problems) != 0 {
		t.Fatalf("a right catalogue is blamed: %v", problems)
	}
	for name, test := range map[string]struct{ file, old, new, want string }{
		"a missing key":          {"ru.yaml", "a: x\n", "", "uz-Latn.yaml:1:4: a in ru: missing"},
		"a key of one language":  {"en.yaml", "a: x\n", "a: x\nz: more\n", "en.yaml:2:4: z in kaa: missing"},
		"an unknown variable":    {"kaa.yaml", "a: x", "a: x {y}", "kaa.yaml:1:4: a in kaa: has {y} as variable, but"},
		"another form":           {"kaa.yaml", "{n, plural, other {#}}", "{n}", "n in kaa: has {n} as variable"},
		"another choice":         {"kaa.yaml", "select, a", "select, b", "s in kaa: its select has other choices"},
		"a lacking category":     {"ru.yaml", "few {#} ", "", "n in ru: its plural {n} lacks few {…}"},
		"an impossible category": {"en.yaml", "one {#}", "one {#} few {#}", "n in en: its plural {n} has few {…}"},
		"HTML":                   {"en.yaml", "a: x", "a: x <b>y</b>", "en.yaml:1:4: a in en: has HTML"},
		"a character reference":  {"en.yaml", "a: x", "a: x&nbsp;y", "a in en: has HTML"},
		"HTML in a choice":       {"en.yaml", "other {#}", "other {<br>}", "n in en: has HTML"},
		"an override of nothing": {"uz-Cyrl.yaml", "", "q: Қ\n", "q in uz-Cyrl: overrides a message that uz-Latn lacks"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(content)
			changed[test.file] = strings.Replace(content[test.file], test.old, test.new, 1)
			var lines []string
			for _, problem := range load(t, changed).Check() {
				lines = append(lines, problem.String())
			}
			if !strings.Contains(strings.Join(lines, "\n"), test.want) {
				t.Errorf("got %q, want %q among them", lines, test.want)
			}
		})
	}
}

func TestCataloguesAreMerged(t *testing.T) {
	first := load(t, map[string]string{"en.yaml": "a: A\n", "uz-Latn.yaml": "a: Bir\n"})
	second := load(t, map[string]string{"en.yaml": "b: B\n", "uz-Latn.yaml": "b: Shu\n"})
	merged, err := locale.Merge(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if got := merged.Text(locale.English, "b", nil) + merged.Text(locale.UzbekCyrillic, "b", nil); got != "BШу" {
		t.Errorf("got %q", got)
	}
	if first.Has(locale.English, "b") {
		t.Error("the first catalogue was changed")
	}
	if _, err := locale.Merge(first, load(t, map[string]string{"en.yaml": "x: y\na: Z\n"})); err == nil ||
		!strings.Contains(err.Error(), `en.yaml:2:4: "a" stands already at en.yaml:1:4`) {
		t.Errorf("a key of both is accepted: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"a: b\n", "a:\n  b: \"{n, plural, other {#}}\"\n", "? a\n: b\n", "a: &x b\nc: *x", "a: |\n  x", "- a", "\t", "{",
		"a: !!binary eA==",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		catalogue, err := locale.Load(files(map[string]string{"uz-Latn.yaml": text}), spoken)
		if err != nil {
			if !strings.Contains(err.Error(), "uz-Latn.yaml:") {
				t.Fatalf("the error names no file: %v", err)
			}
			return
		}
		catalogue.Check()
		for _, key := range catalogue.Keys() {
			if got := catalogue.Text(locale.UzbekCyrillic, key, nil); got == key && !catalogue.Has(locale.UzbekCyrillic, key) {
				t.Fatalf("%q is not derived", key)
			}
		}
	})
}
