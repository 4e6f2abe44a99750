package pack_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/pack"
)

const subsidyFile = "services/tools-subsidy.yaml"

func replaced(t *testing.T, packs map[string]fstest.MapFS, folder, file, old, changed string) map[string]fstest.MapFS {
	t.Helper()
	before := packs[folder][file].Data
	if !bytes.Contains(before, []byte(old)) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	packs[folder][file] = &fstest.MapFile{Data: bytes.Replace(before, []byte(old), []byte(changed), 1)}
	return packs
}

func TestHowLongCasesStayAtHandIsTheServicesToSay(t *testing.T) {
	for _, c := range []struct {
		said string
		want service.Period
	}{{"", service.DefaultKeep}, {"keep: 5 years\n", service.Period{Months: 60}}, {"keep: 28 days\n", service.Period{Days: 28}}} {
		d := find(t, load(t, replaced(t, national(t), "youth", subsidyFile, "for: person", c.said+"for: person")), "youth/tools-subsidy")
		if got := service.NewCatalogue([]*service.Definition{d}, nil).Keep(d.Path); got != c.want {
			t.Errorf("%q keeps for %+v, not %+v", c.said, got, c.want)
		}
	}
	if got := service.NewCatalogue(nil, nil).Keep("none/such"); got != service.DefaultKeep {
		t.Errorf("a service that is gone keeps for %+v", got)
	}
}

func TestAVersionIsWhatDecides(t *testing.T) {
	original := load(t, national(t))
	hash := func(c *pack.Catalogue) string { return find(t, c, "youth/tools-subsidy").Hash }
	revision := func(c *pack.Catalogue) string { return c.Packs[len(c.Packs)-1].Revision }
	for _, c := range []struct {
		what, folder, file, old, changed string
		newVersion                       bool
	}{
		{"a corrected title", "youth", subsidyFile, "title: Subsidy to buy tools", "title: Subsidy for tools", false},
		{"corrected words for the refused", "youth", subsidyFile, "Register first, then", "Register first and then", false},
		{"a comment", "youth", subsidyFile, "# person | organisation", "# a person or organisation", false},
		{"another example", "youth", subsidyFile, "price: 9000000 UZS", "price: 8000000 UZS", false},
		{"a label of an option", "youth", subsidyFile, "sewing: Sewing", "sewing: Sew", false},
		{"a param's next value", "youth", "pack.yaml", "2025-08-01: {is", "2025-09-01: {is", false},
		{
			"who else may ask", "employment", "registers/unemployed.yaml", ", employment/unemployment-certificate]",
			", employment/unemployment-certificate, youth/two-agencies]", false,
		},
		{"how long closed cases stay at hand", "youth", subsidyFile, "for: person", "keep: 5 years\nfor: person", false},
		{"another rule", "youth", subsidyFile, "range(18, 30)", "range(18, 29)", true},
		{"another deadline", "youth", subsidyFile, "within: 3 working", "within: 4 working", true},
		{"another fresh", "youth", subsidyFile, "fresh: 1 day", "fresh: 2 days", true},
		{"another bound", "youth", subsidyFile, "min: 1 UZS", "min: 2 UZS", true},
		{"another option", "youth", subsidyFile, "welding: Welding}", "welding: Welding, baking: Baking}", true},
		{
			"another evidence type", "employment", "registers/unemployed.yaml", `"!has(record.closedOn)"`,
			`"!has(record.closedOn) || record.closedOn > record.registeredOn"`, true,
		},
	} {
		changed := load(t, replaced(t, national(t), c.folder, c.file, c.old, c.changed))
		if got := hash(changed) != hash(original); got != c.newVersion {
			t.Errorf("%s: a new version: %v", c.what, got)
		}
		if c.folder == "youth" && revision(changed) == revision(original) {
			t.Errorf("%s: no new revision", c.what)
		}
	}
	if hash(load(t, national(t))) != hash(original) || revision(load(t, national(t))) != revision(original) {
		t.Error("the same files give another version")
	}
}

func TestTranslations(t *testing.T) {
	packs := national(t)
	for _, other := range []string{"youth", "employment"} {
		delete(packs, other)
	}
	country := profile()
	country.Languages = []string{"en", "uz-Latn", "uz-Cyrl"}
	country.Derived = map[string]pack.Derivation{"uz-Cyrl": {From: "uz-Latn", With: strings.ToUpper}}
	catalogue, problems := pack.Load(sources(packs), country, pack.Drafting)
	if catalogue == nil {
		t.Fatal(problems)
	}
	for name := range packs {
		var locale strings.Builder
		locale.WriteString("language: uz-Latn\ntexts:\n")
		for _, p := range catalogue.Packs {
			if p.Name == name {
				for _, text := range p.Texts {
					locale.WriteString("  " + text.Key + `: {source: "` + text.Hash + `", text: "uz ` + text.Source + "\"}\n")
				}
			}
		}
		packs[name]["locale/uz-Latn.yaml"] = &fstest.MapFile{Data: []byte(locale.String())}
	}
	catalogue, problems = pack.Load(sources(packs), country, pack.Release)
	if catalogue == nil {
		t.Fatal(problems)
	}
	title := catalogue.Registers()[0].Title
	if title.In("uz-Latn") != "uz "+title.In("en") || title.In("uz-Cyrl") != strings.ToUpper(title.In("uz-Latn")) {
		t.Error(title)
	}
	packs = replaced(t, packs, "civil", "pack.yaml", "title: Civil registry", "title: Registry of people")
	catalogue, problems = pack.Load(sources(packs), country, pack.Drafting)
	if catalogue == nil || len(problems) == 0 || !strings.Contains(problems[0].Message.String(), "pack.title has changed") {
		t.Error(problems)
	}
	if _, problems := pack.Load(sources(packs), country, pack.Release); !problems.Failed() {
		t.Error("a stale translation is released")
	}
}

func TestWhatARegisterSaysOfOthersStaysPrivate(t *testing.T) {
	packs := replaced(t, national(t), "youth", subsidyFile, "  birth:        {of: applicant,",
		"  partner: {of: applicant.spouse, from: civil/birth, none: allow}\n  children: {of: each applicant.children, from: civil/birth}\n  birth:        {of: applicant,")
	replaced(t, packs, "youth", subsidyFile, "  - id: unemployed",
		"  - id: family\n    that: size(children) < 9 && (!has(partner) || age(partner.date, submitted) >= 18)\n    otherwise: Another rule.\n  - id: unemployed")
	replaced(t, packs, "youth", subsidyFile, "evidence: {birth: {date: 2003-11-05}",
		"evidence: {children: [{date: 2025-01-01}], partner: none, birth: {date: 2003-11-05}")
	replaced(t, packs, "youth", subsidyFile,
		"    evidence: {birth: {date: 1995-01-10}}\n    expect: {outcome: refused, because: [age]}",
		"    evidence: {birth: {date: 1995-01-10}, partner: {date: 2010-01-01}}\n    expect: {outcome: refused, because: [age, family]}")
	catalogue := load(t, packs)
	report := pack.Test(t.Context(), catalogue, soum)
	if !report.Passed() {
		t.Error(report.String())
	}
	d := find(t, catalogue, "youth/tools-subsidy")
	if !d.Require[1].Private || d.Require[0].Private {
		t.Errorf("%+v", d.Require)
	}
	if d.Evidence[0].None != service.NoneAllow || !d.Evidence[1].Of.Each {
		t.Errorf("%+v", d.Evidence)
	}
}

func TestAnswersOfARegister(t *testing.T) {
	for _, r := range load(t, national(t)).Registers() {
		if r.Path != "employment/unemployed" {
			continue
		}
		day, err := calendar.ParseDate("2026-01-01")
		if err != nil {
			t.Fatal(err)
		}
		record := map[string]any{"record": map[string]any{"registeredOn": day}}
		var got []any
		for _, a := range r.Evidence[0].Answer {
			result, err := a.Is.Evaluate(t.Context(), record)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, result.Value)
		}
		if got[0] != true || got[1] != any(day) || got[2] != nil {
			t.Error(got)
		}
		return
	}
	t.Error("the register is gone")
}

func TestFailingExamplesSayWhy(t *testing.T) {
	packs := replaced(t, national(t), "youth", subsidyFile, "expect: {outcome: granted, payment: 4120000 UZS}",
		"expect: {outcome: granted, payment: 5000000 UZS}")
	replaced(t, packs, "youth", subsidyFile, "because: [age]}", "because: [age, unemployed]}")
	replaced(t, packs, "employment", "services/unemployment-certificate.yaml", "{outcome: waiting}", "{outcome: granted}")
	report := pack.Test(t.Context(), load(t, packs), soum)
	if report.Passed() {
		t.Fatal("it passes")
	}
	golden(t, "failures.txt", report.String())
}

func scaffolded(t *testing.T, name string) fstest.MapFS {
	t.Helper()
	files, err := pack.New(name, "en", "")
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{}
	for path, data := range files {
		all[path] = &fstest.MapFile{Data: data}
	}
	return all
}

func TestANewPackPassesAsItIs(t *testing.T) {
	catalogue, problems := pack.Load([]pack.Source{{Dir: "health", FS: scaffolded(t, "health")}}, profile(), pack.Release)
	if catalogue == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	if report := pack.Test(t.Context(), catalogue, soum); !report.Passed() || len(report.Services) != 1 {
		t.Error(report)
	}
	if _, err := pack.New("../health", "en", ""); err == nil {
		t.Error("a path is a name")
	}
}

func TestHostileFilesAreRefusedSoon(t *testing.T) {
	aliases := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		aliases += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "*" + string(c-1) + "]\n"
	}
	load := func(packs map[string]fstest.MapFS) (*pack.Catalogue, pack.Problems, time.Duration) {
		start := time.Now()
		catalogue, problems := pack.Load(sources(packs), profile(), pack.Drafting)
		return catalogue, problems, time.Since(start)
	}
	for name, data := range map[string]string{
		"empty":                "",
		"only a comment":       "# nothing",
		"bad UTF-8":            "service: \xff\xfe",
		"a NUL":                "service: a\x00b",
		"two documents":        "service: a\n---\nservice: b\n",
		"a list":               "- service",
		"a word":               "service",
		"open brackets":        strings.Repeat("[", 100_000),
		"open braces":          "a: " + strings.Repeat("{a: ", 50_000),
		"dashes":               strings.Repeat("- ", 100_000),
		"deep blocks":          deepBlocks(200),
		"too large":            strings.Repeat("# a comment\n", 30_000),
		"aliases":              aliases,
		"merge":                "base: &b {service: x}\n<<: *b\n",
		"many keys":            manyKeys(9_000),
		"too many words":       manyKeys(20_000),
		"many duplicates":      strings.Repeat("service: a\n", 9_000),
		"truncated":            "service: tools-subsidy\nask: {trade: {type: choice, label: \"What",
		"a tab":                "service:\n\t- a",
		"a complex key":        "? [a, b]\n: c\n",
		"a null key":           "null: 1\n~: 2\n",
		"a huge number":        "version: 99999999999999999999999999",
		"infinity":             "version: .inf\nfrom: .nan\n",
		"a long name":          "service: " + strings.Repeat("a", 200_000),
		"a long key":           strings.Repeat("k", 200_000) + ": 1",
		"a long expression":    "require: [{id: a, that: \"" + strings.Repeat("1+", 100_000) + "1\"}]",
		"an unclosed quote":    "title: 'abc",
		"values that are gone": "service:\nversion:\nask:\n  x:\n",
	} {
		t.Run(name, func(t *testing.T) {
			packs := national(t)
			packs["youth"][subsidyFile] = &fstest.MapFile{Data: []byte(data)}
			catalogue, problems, took := load(packs)
			if catalogue != nil || !problems.Failed() {
				t.Error("it is accepted")
			}
			// It may take as long as a hundred times what the packs take without it. Where that is not plain from one of them,
			// a hundred are loaded: whoever else needs the processors slows down both.
			const most = 100
			_, _, without := load(national(t))
			soon := took <= most/4*without
			for tries := 0; !soon && tries < 3; tries++ {
				_, _, took = load(packs)
				without = 0
				for range most {
					_, _, one := load(national(t))
					without += one
				}
				soon = took <= without
			}
			if !soon {
				t.Errorf("it took %v, and %d times the packs without it %v", took, most, without)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Column < 1 || p.Message.String() == "" || p.Hint.String() == "" {
					t.Fatalf("%+v", p)
				}
				if len(p.String()) > 3000 {
					t.Fatalf("a problem of %d characters", len(p.String()))
				}
			}
		})
	}
}

func deepBlocks(depth int) string {
	var out strings.Builder
	for i := range depth {
		out.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return out.String()
}

func manyKeys(count int) string {
	var out strings.Builder
	for i := range count {
		out.WriteString("key" + strings.Repeat("x", i%5) + string(rune('a'+i%26)) + ": 1\n")
	}
	return out.String()
}

func TestFilesThatAreMissing(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no pack.yaml": {"services/a.yaml": {Data: []byte("service: a")}},
		"an unknown folder": {
			"pack.yaml":      {Data: []byte("pack: a\ntitle: A\nlanguage: en\n")},
			"service/a.yaml": {Data: []byte("x: y")},
		},
		"another ending": {
			"pack.yaml":      {Data: []byte("pack: a\ntitle: A\nlanguage: en\n")},
			"services/a.yml": {Data: []byte("x: y")},
		},
	} {
		if _, problems := pack.Load([]pack.Source{{Dir: "a", FS: files}}, profile(), pack.Drafting); !problems.Failed() {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, broken := range []string{
		"", "- a", "a", "pack: [",
		"pack:\n  a: b\ntitle: []\nagencies: x\nparams: [1]\nfunds: {a: }\n",
	} {
		files := scaffolded(t, "health")
		files["pack.yaml"] = &fstest.MapFile{Data: []byte(broken)}
		if _, problems := pack.Load([]pack.Source{{FS: files}}, profile(), pack.Drafting); !problems.Failed() {
			t.Errorf("the pack.yaml %q is accepted", broken)
		}
	}
	same := []pack.Source{{Dir: "a", FS: scaffolded(t, "health")}, {Dir: "b", FS: scaffolded(t, "health")}}
	if _, problems := pack.Load(same, profile(), pack.Drafting); !problems.Failed() {
		t.Error("two packs of one name are accepted")
	}
	readme := scaffolded(t, "health")
	readme["README.md"] = &fstest.MapFile{Data: []byte("# Health")}
	if catalogue, problems := pack.Load([]pack.Source{{FS: readme}}, profile(), pack.Drafting); catalogue == nil {
		t.Error(problems)
	}
}

func FuzzLoad(f *testing.F) {
	targets := []struct{ folder, file string }{
		{"youth", subsidyFile}, {"youth", "registers/notebook.yaml"}, {"youth", "pack.yaml"}, {"youth", "locale/en.yaml"},
	}
	for _, files := range national(f) {
		for name, file := range files {
			for i, target := range targets {
				if strings.HasPrefix(target.file, strings.SplitAfter(name, "/")[0]) {
					f.Add(uint8(i), string(file.Data))
				}
			}
		}
	}
	f.Add(uint8(0), "service: a\nask: {x: {type: money, min: 1}}\n")
	f.Add(uint8(1), "register: a\nfields: [1]\n")
	f.Add(uint8(3), "language: en\ntexts: {pack.title: {source: \"00000000\", text: Youth}}\n")
	f.Fuzz(func(t *testing.T, i uint8, data string) {
		packs := national(t)
		target := targets[int(i)%len(targets)]
		packs[target.folder][target.file] = &fstest.MapFile{Data: []byte(data)}
		catalogue, problems := pack.Load(sources(packs), profile(), pack.Drafting)
		if (catalogue == nil) != problems.Failed() {
			t.Fatal("a catalogue with errors, or none without")
		}
		if catalogue != nil {
			pack.Test(t.Context(), catalogue, soum)
			for _, d := range catalogue.Services() {
				for _, r := range d.Require {
					if r.That == nil || r.That.Type().Kind != rules.KindBool {
						t.Fatal("a requirement is no rule")
					}
				}
			}
		}
	})
}

func TestAParamIsWrittenOnceAndReadInSeveralPacks(t *testing.T) {
	before := find(t, load(t, national(t)), "youth/tools-subsidy")
	packs := national(t)
	declared := packs["youth"]["pack.yaml"].Data[bytes.Index(packs["youth"]["pack.yaml"].Data, []byte("params:")):]
	packs["civil"]["pack.yaml"] = &fstest.MapFile{Data: append(bytes.Clone(packs["civil"]["pack.yaml"].Data), declared...)}
	replaced(t, packs, "youth", "pack.yaml", string(declared), "params: {brv: civil}\n")
	after := find(t, load(t, packs), "youth/tools-subsidy")
	if after.Hash != before.Hash || len(after.Params) != len(before.Params) {
		t.Errorf("the version changed with the place of the param: %s with %d params, %s with %d", before.Hash, len(before.Params), after.Hash, len(after.Params))
	}
	on := calendar.Date{Year: 2026, Month: 3, Day: 2}
	was, _ := before.Params[0].On(on)
	if is, ok := after.Params[0].On(on); !ok || is.Value != was.Value || is.Source != was.Source {
		t.Errorf("it is %v, and was %v", is, was)
	}
}
