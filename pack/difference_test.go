package pack_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"yagona/pack"
)

func TestADifferenceIsToldByItsMeaning(t *testing.T) {
	const service = `service: tools
title: Tools
ask:
  price: {type: money, label: Price, min: 1 UZS}
  note: {type: text, label: Note}
require:
  - id: age
    that: age(birth.date, submitted) in range(18, 30)
    otherwise: Too old.
  - {id: once, that: "true", otherwise: Twice.}
output:
  payment: {amount: "10 * param.brv", fund: youth-fund}
examples:
  - {name: Granted, expect: {outcome: granted, payment: 5 UZS}}
`
	one := func(changed string) []pack.Change {
		return pack.Difference(map[string][]byte{"services/tools.yaml": []byte(service)}, map[string][]byte{"services/tools.yaml": []byte(changed)})
	}
	change := func(line int, part pack.Part, name, key, before, after string) []pack.Change {
		return []pack.Change{{File: "services/tools.yaml", Line: line, Part: part, Name: name, Key: key, Before: before, After: after}}
	}
	for what, test := range map[string]struct {
		old, new string
		want     []pack.Change
	}{
		"a title":              {"title: Tools", "title: Dear tools", change(2, pack.PartText, "", "title", "Tools", "Dear tools")},
		"a question's limit":   {"min: 1 UZS", "min: 2 UZS", change(4, pack.PartQuestion, "price", "min", "1 UZS", "2 UZS")},
		"a question gone":      {"  note: {type: text, label: Note}\n", "", change(5, pack.PartQuestion, "note", "", "{type: text, label: Note}", "")},
		"a rule's words":       {"Too old.", "Too late.", change(9, pack.PartRule, "age", "otherwise", "Too old.", "Too late.")},
		"a rule more":          {"output:\n", "  - {id: new, that: \"false\"}\noutput:\n", change(11, pack.PartRule, "new", "", "", "{id: new, that: false}")},
		"an amount":            {"10 * param.brv", "12 * param.brv", change(12, pack.PartPayment, "", "amount", "10 * param.brv", "12 * param.brv")},
		"an example":           {"payment: 5 UZS", "payment: 6 UZS", change(14, pack.PartExample, "Granted", "expect › payment", "5 UZS", "6 UZS")},
		"a comment, a space":   {"title: Tools\n", "# a title\ntitle:   Tools\n", nil},
		"another way to quote": {`"true"`, `'true'`, nil},
		"what is no YAML":      {"title: Tools", "title: [", change(1, pack.PartFile, "", "", "services/tools.yaml", "services/tools.yaml")},
	} {
		t.Run(what, func(t *testing.T) {
			changed := strings.Replace(service, test.old, test.new, 1)
			if changed == service {
				t.Fatal("nothing is changed")
			}
			if diff := cmp.Diff(test.want, one(changed)); diff != "" {
				t.Error(diff)
			}
		})
	}
	order := strings.Replace(service, "  price: {type: money, label: Price, min: 1 UZS}\n  note: {type: text, label: Note}\n", "  note: {type: text, label: Note}\n  price: {min: 1 UZS, type: money, label: Price}\n", 1)
	if found := one(order); found != nil {
		t.Errorf("the order of keys is no change: %+v", found)
	}
	files := pack.Difference(map[string][]byte{"registers/a.yaml": []byte("register: a\n")}, map[string][]byte{"locale/ru.yaml": []byte("language: ru\n")})
	want := []pack.Change{
		{File: "locale/ru.yaml", Line: 1, Part: pack.PartFile, After: "locale/ru.yaml"},
		{File: "registers/a.yaml", Line: 1, Part: pack.PartFile, Before: "registers/a.yaml"},
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	if found := pack.Difference(nil, map[string][]byte{"pack.yaml": []byte("pack: a\n")}); len(found) != 1 {
		t.Errorf("a new pack is %+v", found)
	}
}

func TestAnExaminationTellsAllThatIsWrongAndRunsTheExamples(t *testing.T) {
	found := pack.Examine(t.Context(), sources(national(t)), "youth", profile())
	if !found.Ready() || found.Pack.Name != "youth" || len(found.Report.Services) != len(found.Pack.Services) {
		t.Fatalf("the pack as it stands: %v, %s", found.Problems, found.Report)
	}

	packs := national(t)
	replaced(t, packs, "youth", "services/tools-subsidy.yaml", "10 * param.brv", "12 * param.brv")
	if found := pack.Examine(t.Context(), sources(packs), "youth", profile()); found.Ready() || found.Report.Passed() || found.Problems.Failed() {
		t.Errorf("another amount: %v, %s", found.Problems, found.Report)
	}

	packs = national(t)
	replaced(t, packs, "youth", "services/tools-subsidy.yaml", "unemployment.registered", "unemployment.registred")
	found = pack.Examine(t.Context(), sources(packs), "youth", profile())
	if found.Ready() || found.Pack != nil || len(found.Report.Services) > 0 || !strings.Contains(found.Problems.Error(), "did you mean registered?") {
		t.Errorf("a mistyped word: %v", found.Problems)
	}

	// Examples are run, although one is missing: nothing makes the rule of the age fail any more.
	packs = national(t)
	replaced(t, packs, "youth", "services/tools-subsidy.yaml", "in range(18, 30)", "in range(0, 200)")
	found = pack.Examine(t.Context(), sources(packs), "youth", profile())
	if found.Ready() || found.Pack == nil || found.Report.Passed() || !strings.Contains(found.Problems.Error(), "no example makes the requirement age fail") {
		t.Errorf("a rule that nothing fails: %v, %s", found.Problems, found.Report)
	}
}

func TestANewPackSpeaksForTheAgencyThatIsNamed(t *testing.T) {
	for agency, want := range map[string]string{"": "health-agency", "ministry-of-health": "ministry-of-health"} {
		files, err := pack.New("health", "en", agency)
		if err != nil {
			t.Fatal(err)
		}
		folder := fstest.MapFS{}
		for path, data := range files {
			folder[path] = &fstest.MapFile{Data: data}
		}
		found := pack.Examine(t.Context(), []pack.Source{{Dir: "health", FS: folder}}, "health", profile())
		if !found.Ready() {
			t.Fatal(found.Problems)
		}
		if got := found.Pack.Speakers(); len(got) != 1 || string(got[0]) != want {
			t.Errorf("it speaks for %v, not %s", got, want)
		}
	}
}

func TestANewFilePassesAsItIs(t *testing.T) {
	files, err := pack.New("health", "en", "")
	if err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{}
	for path, data := range files {
		folder[path] = &fstest.MapFile{Data: data}
	}
	for _, path := range []string{"services/tree.yaml", "registers/trees.yaml"} {
		folder[path] = &fstest.MapFile{Data: pack.NewFile(path, "health-agency")}
	}
	if found := pack.Examine(t.Context(), []pack.Source{{Dir: "health", FS: folder}}, "health", profile()); !found.Ready() {
		t.Error(found.Problems, found.Report)
	}
}
