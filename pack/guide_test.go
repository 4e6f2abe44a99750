package pack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
	"yagona/pack"
)

const guidedService = `service: help            # the name
version: 1
title: Help

ask:
  # What it is for.
  trade:
    type: choice
    label: What will you do?   # asked first
    options: {sewing: Sewing, "on": On}   # two of them
    only-applicant: It is your plan.
  price: {type: money, min: 1 UZS, label: "Price: all of it", only-applicant: x}  # in one line

require:
- {id: age, that: "ask.price > 0", otherwise: Too young.} # short
- id: once
  that: "true"
  otherwise: >-
    You got it
    already.

  # the end
output: {}
`

const guidedLocale = `language: ru
texts:
  # of the service
  services.help.title: {source: "00000000", text: "Помощь"}
  services.help.ask.trade.label: {source: "52b2a2a5", text: "Чем вы займётесь?"}
  services.help.require.age.otherwise: {source: "x", text: "Рано."}
`

func guided(t *testing.T) (*pack.Guide, map[string][]byte) {
	t.Helper()
	files := map[string][]byte{
		"pack.yaml": []byte("pack: one\ntitle: One\nlanguage: en\n"), "services/help.yaml": []byte(guidedService),
		"locale/ru.yaml": []byte(strings.Replace(guidedLocale, "52b2a2a5", pack.Hash("What will you do?"), 1)),
	}
	guide, err := pack.NewGuide(files, []string{"uz-Latn", "ru", "en"})
	if err != nil {
		t.Fatal(err)
	}
	return guide, files
}

// changes returns the lines that a change took away and added.
func changes(before, after []byte) (lines []string) {
	count := map[string]int{}
	for line := range strings.Lines(string(before)) {
		count[line]--
	}
	for line := range strings.Lines(string(after)) {
		if count[line]++; count[line] > 0 {
			lines = append(lines, "+"+strings.TrimSuffix(line, "\n"))
		}
	}
	for line := range strings.Lines(string(before)) {
		if count[line] < 0 {
			count[line]++
			lines = append(lines, "-"+strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

const guidedFile = "services/help.yaml"

func TestAGuideChangesOnlyWhatIsSaid(t *testing.T) {
	for name, one := range map[string]struct {
		change func(*pack.Guide) error
		file   string
		want   []string
	}{
		"a label, whose comment stays": {
			func(g *pack.Guide) error {
				q, err := g.Question(guidedFile, "trade")
				q.Label["en"] = "What is your trade?"
				return errors.Join(err, g.SetQuestion(guidedFile, q, false, false))
			}, guidedFile,
			[]string{"+    label: What is your trade?  # asked first", "-    label: What will you do?   # asked first"},
		},
		"a translation of a label that was left is stale": {
			func(g *pack.Guide) error {
				q, err := g.Question(guidedFile, "trade")
				q.Label["en"] = "What is your trade?"
				return errors.Join(err, g.SetQuestion(guidedFile, q, false, false))
			}, "locale/ru.yaml", nil,
		},
		"a translation that still fits gets the hash of the new words": {
			func(g *pack.Guide) error {
				q, err := g.Question(guidedFile, "trade")
				q.Label["en"] = "What is your trade?"
				return errors.Join(err, g.SetQuestion(guidedFile, q, false, true))
			}, "locale/ru.yaml",
			[]string{
				`+  services.help.ask.trade.label: {source: "` + pack.Hash("What is your trade?") + `", text: "Чем вы займётесь?"}`,
				`-  services.help.ask.trade.label: {source: "` + pack.Hash("What will you do?") + `", text: "Чем вы займётесь?"}`,
			},
		},
		"an option more": {
			func(g *pack.Guide) error {
				q, err := g.Question(guidedFile, "trade")
				q.Options = append(q.Options, pack.GuidedOption{Value: "baking", Label: pack.Words{"en": "Baking: bread"}})
				return errors.Join(err, g.SetQuestion(guidedFile, q, false, false))
			}, guidedFile,
			[]string{
				`+    options:  # two of them`, `+      sewing: Sewing`, `+      "on": On`, `+      baking: "Baking: bread"`,
				`-    options: {sewing: Sewing, "on": On}   # two of them`,
			},
		},
		"a question in one line, with a hint": {
			func(g *pack.Guide) error {
				q, err := g.Question(guidedFile, "price")
				q.Hint["en"], q.Required = "With tax", false
				return errors.Join(err, g.SetQuestion(guidedFile, q, false, false))
			}, guidedFile,
			[]string{
				"+  price:  # in one line", "+    type: money", "+    min: 1 UZS", `+    label: "Price: all of it"`,
				"+    hint: With tax", "+    optional: true", "+    only-applicant: x",
				`-  price: {type: money, min: 1 UZS, label: "Price: all of it", only-applicant: x}  # in one line`,
			},
		},
		"a new question": {
			func(g *pack.Guide) error {
				return g.SetQuestion(guidedFile, pack.GuidedQuestion{
					Name: "area", Type: "int", Required: true, Label: pack.Words{"en": "How large is it?", "ru": "Какая площадь?"}, Why: pack.Words{"en": "It is your plan."},
				}, true, false)
			}, guidedFile,
			[]string{"+  area:", "+    type: int", "+    label: How large is it?", "+    only-applicant: It is your plan."},
		},
		"the words of a refusal": {
			func(g *pack.Guide) error {
				return g.SetRefusal(guidedFile, "once", pack.Words{"en": "You got it before."}, false)
			}, guidedFile,
			[]string{"+  otherwise: You got it before.", "-  otherwise: >-", "-    You got it", "-    already."},
		},
		"the words of a refusal in one line": {
			func(g *pack.Guide) error {
				return g.SetRefusal(guidedFile, "age", pack.Words{"en": "You are too young.", "ru": "Рано."}, true)
			}, guidedFile,
			[]string{
				"+- id: age  # short", `+  that: "ask.price > 0"`, "+  otherwise: You are too young.",
				`-- {id: age, that: "ask.price > 0", otherwise: Too young.} # short`,
			},
		},
		"a translation": {
			func(g *pack.Guide) error {
				return g.SetTranslations(pack.Text{Key: "services.help.ask.price.label", Source: "Price: all of it"}, pack.Words{"ru": "Цена: «вся»"})
			}, "locale/ru.yaml",
			[]string{`+  services.help.ask.price.label: {source: "` + pack.Hash("Price: all of it") + `", text: "Цена: «вся»"}`},
		},
		"a translation into a language without a file": {
			func(g *pack.Guide) error {
				return g.SetTranslations(pack.Text{Key: "pack.title", Source: "One"}, pack.Words{"uz-Latn": "Bir"})
			}, "locale/uz-Latn.yaml",
			[]string{"+language: uz-Latn", "+texts:", `+  pack.title: {source: "` + pack.Hash("One") + `", text: "Bir"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			guide, files := guided(t)
			if err := one.change(guide); err != nil {
				t.Fatal(err)
			}
			after, ok := guide.Changed()[one.file]
			if !ok {
				after = files[one.file]
			}
			if diff := cmp.Diff(one.want, changes(files[one.file], after)); diff != "" {
				t.Errorf("other lines are changed (-want +got):\n%s\nin:\n%s", diff, after)
			}
		})
	}
}

func TestAGuideSaysWhatIsWrong(t *testing.T) {
	named := func(name, kind string, options ...string) pack.GuidedQuestion {
		q := pack.GuidedQuestion{Name: name, Type: kind, Label: pack.Words{"en": "?"}, Required: true}
		for _, option := range options {
			q.Options = append(q.Options, pack.GuidedOption{Value: option, Label: pack.Words{"en": option}})
		}
		return q
	}
	for _, one := range []struct {
		question    pack.GuidedQuestion
		isNew       bool
		code, field string
	}{
		{named("two words", "text"), true, "draft.question-name", "name"},
		{named("price", "text"), true, "draft.question-there", "name"},
		{named("nothing", "text"), false, "draft.no-question", ""},
		{named("kind", "choice"), true, "draft.no-options", "options"},
		{named("kind", "choice", "one", "one"), true, "draft.option-name", "options[1].value"},
		{named("kind", "choice", "Two Words"), true, "draft.option-name", "options[0].value"},
	} {
		guide, _ := guided(t)
		err := guide.SetQuestion(guidedFile, one.question, one.isNew, false)
		if fault.Code(err) != one.code || fault.Of(err).Field != one.field || len(guide.Changed()) > 0 {
			t.Errorf("%+v: %v, and changes %d files", one.question, err, len(guide.Changed()))
		}
	}
	guide, _ := guided(t)
	if err := guide.SetRefusal(guidedFile, "nothing", pack.Words{"en": "?"}, false); fault.Code(err) != "draft.no-rule" {
		t.Errorf("the words of no rule: %v", err)
	}
	if _, err := pack.NewGuide(map[string][]byte{"pack.yaml": []byte("pack: [")}, nil); fault.Code(err) != "draft.unreadable" {
		t.Errorf("a file that is no YAML: %v", err)
	}
}

// A question moves with the comment above it, and back again nothing has changed.
func TestAQuestionIsMoved(t *testing.T) {
	guide, _ := guided(t)
	const path = "services/help.yaml"
	if err := guide.MoveQuestion(path, "price", false); err != nil {
		t.Fatal(err)
	}
	moved := string(guide.Changed()[path])
	price, comment, trade := strings.Index(moved, "  price:"), strings.Index(moved, "  # What it is for."), strings.Index(moved, "  trade:")
	if price < 0 || price > comment || comment > trade || strings.Count(moved, "#") != strings.Count(guidedService, "#") {
		t.Errorf("it became\n%s", moved)
	}
	if err := guide.MoveQuestion(path, "price", false); err != nil { // it is the first already
		t.Fatal(err)
	}
	if err := guide.MoveQuestion(path, "price", true); err != nil {
		t.Fatal(err)
	}
	if got, changed := guide.Changed()[path]; changed {
		t.Errorf("moved back it is\n%s", got)
	}
	if err := guide.MoveQuestion(path, "other", true); fault.Code(err) != "draft.no-question" {
		t.Errorf("a question that there is not: %v", err)
	}
}

// A question goes with its translations and with the answers to it in the examples.
func TestAQuestionIsRemoved(t *testing.T) {
	_, files := guided(t)
	const path, examples = "services/help.yaml", "examples:\n  - name: One\n    ask: {trade: sewing, price: 3 UZS} # two\n  - name: Two\n    ask: {price: 4 UZS}\n"
	files[path] = append(files[path], examples...)
	guide, err := pack.NewGuide(files, []string{"uz-Latn", "ru", "en"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"price", "trade"} {
		if err := guide.RemoveQuestion(path, name); err != nil {
			t.Fatal(err)
		}
	}
	left := string(guide.Changed()[path])
	if strings.Contains(left, "ask:") || !strings.Contains(left, "ask.price > 0") || !strings.Contains(left, "- name: Two\n") {
		t.Errorf("left is\n%s", left)
	}
	if texts := string(guide.Changed()["locale/ru.yaml"]); strings.Contains(texts, "ask.trade") || !strings.Contains(texts, "help.title") {
		t.Errorf("the translations left are\n%s", texts)
	}
	if err := guide.RemoveQuestion(path, "trade"); fault.Code(err) != "draft.no-question" {
		t.Errorf("a second time: %v", err)
	}
}
