package node_test

import (
	"net/http"
	"strings"
	"testing"
)

const subsidyGuide = youthDraft + "/guide/tools-subsidy"

// An analyst who writes no YAML adds a question, changes one and the words of a refusal, and translates; the file keeps
// its order, and the colleague's part of it.
func TestAnAnalystChangesAServiceThroughForms(t *testing.T) {
	s := open(t)
	anna, bek := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(subsidyFile)
	before, _ := anna.editor()
	anna.get(youthDraft + "/guide?service=tools-subsidy")
	anna.want(http.StatusOK)
	anna.says("How much do the tools cost?")
	anna.says("You are not registered as unemployed.")

	// A question that is new: what is missing is told at its input, and nothing that was typed is lost.
	anna.follow(subsidyGuide + "/new-question")
	anna.fill(map[string]string{"name": "premises", "label-en": "Where will you work?", "type": "choice"}, "")
	anna.want(http.StatusUnprocessableEntity)
	anna.fill(map[string]string{"why-en": "It is your plan.", "hint-ru": "Где вы будете работать"}, "")
	anna.want(http.StatusUnprocessableEntity)
	anna.says("There is nothing to choose yet. Add the options.")
	anna.fill(map[string]string{}, "do=add")
	anna.fill(map[string]string{}, "do=add")
	anna.fill(map[string]string{"options[0].value": "at-home", "options[0].label-en": "At home", "options[1].value": "at-home", "options[1].label-en": "Elsewhere"}, "")
	anna.want(http.StatusUnprocessableEntity)
	anna.says("each option has its own")
	anna.fill(map[string]string{"options[1].value": "elsewhere", "options[0].label-ru": "Дома", "required": "false"}, "")
	anna.want(http.StatusOK)
	anna.says("Where will you work?")

	// What is changed of a question that stands in one place is changed there alone.
	anna.follow(subsidyGuide + "/questions/price")
	anna.fill(map[string]string{"label-en": "What is the price of the tools?", "fits": "true"}, "")
	anna.want(http.StatusOK)
	anna.follow(subsidyGuide + "/refusals/unemployed")
	anna.fill(map[string]string{"text-en": "Register with the employment agency first."}, "")
	anna.want(http.StatusOK)
	anna.says("Register with the employment agency first.")

	anna.get(subsidyFile)
	after, _ := anna.editor()
	want := strings.NewReplacer(
		"label: How much do the tools cost?", "label: What is the price of the tools?",
		"    term: person.account\n", `    term: person.account
  premises:
    type: choice
    label: Where will you work?
    options:
      at-home: At home
      elsewhere: Elsewhere
    optional: true
    only-applicant: It is your plan.
`,
		`    otherwise: >-
      You are not registered as unemployed. Register with the employment agency first, and then apply again.
`, "    otherwise: Register with the employment agency first.\n",
	).Replace(before)
	if after != want {
		t.Errorf("the file is now:\n%s", after)
	}

	// The question whose translations still fit needs none; the refusal's do not say what it says.
	anna.get(youthDraft + "/translations?language=ru")
	anna.says("Text has changed")
	anna.follow("/translations/services.tools-subsidy.require.unemployed.otherwise")
	anna.says("The text has changed since this was translated.")
	anna.fill(map[string]string{"text-ru": "Сначала встаньте на учёт в службе занятости."}, "")
	anna.want(http.StatusOK)
	anna.get(youthDraft + "/files/locale/ru.yaml")
	translated, _ := anna.editor()
	for _, text := range []string{"Сначала встаньте на учёт", `premises.options.at-home: {source: "`, "services.tools-subsidy.ask.price.label:"} {
		if !strings.Contains(translated, text) {
			t.Errorf("the translations lack %q:\n%s", text, translated)
		}
	}
	if strings.Contains(anna.text(anna.one("main")), "price.label has changed") {
		t.Error("a translation that fits is told to be stale")
	}

	// What a colleague changed meanwhile is not written over unseen; another question is nobody's business.
	anna.get(subsidyGuide + "/questions/price")
	bek.get(subsidyGuide + "/questions/account")
	bek.fill(map[string]string{"hint-en": "Yours."}, "")
	bek.want(http.StatusOK)
	bek.get(subsidyGuide + "/questions/price")
	bek.fill(map[string]string{"label-en": "The price?"}, "")
	bek.want(http.StatusOK)
	anna.fill(map[string]string{"label-en": "The whole price?"}, "")
	anna.want(http.StatusConflict)
	anna.says("A colleague changed this")
	anna.says("The price?")
	anna.fill(map[string]string{}, "")
	anna.want(http.StatusOK)
	anna.says("The whole price?")
	anna.get(subsidyFile)
	if now, _ := anna.editor(); !strings.Contains(now, "hint: Yours.") || !strings.Contains(now, "label: The whole price?") {
		t.Errorf("one of the changes is lost:\n%s", now)
	}
}

// What the checker refuses of a change is told at its input, and the file stays as it was.
func TestAFormOfTheStudioKeepsNothingWrong(t *testing.T) {
	s := open(t)
	anna, _ := publishers(t, s, "youth-agency")
	anna.post("/studio/packs", "pack", "youth")
	anna.get(subsidyFile)
	before, _ := anna.editor()
	anna.get(subsidyGuide + "/questions/price")
	anna.fill(map[string]string{"type": "date"}, "") // it has a least amount, and the payment is made of it
	anna.want(http.StatusUnprocessableEntity)
	anna.says("This cannot stand so.")
	anna.says("min has no meaning for the type date")
	anna.get(subsidyFile)
	if now, _ := anna.editor(); now != before {
		t.Error("what is wrong was kept")
	}
	for _, path := range []string{
		subsidyGuide + "/questions/nothing", subsidyGuide + "/refusals/nothing", youthDraft + "/guide/nothing/new-question", youthDraft + "/translations/nothing",
	} {
		anna.get(path)
		anna.want(http.StatusNotFound)
	}
	// A file that is no YAML can be mended as text only, and the forms say so.
	anna.get(subsidyFile)
	_, revision := anna.editor()
	anna.post(subsidyFile, "content", before+"x: [", "revision", revision)
	anna.get(youthDraft + "/guide?service=tools-subsidy")
	anna.says("Mend it as text first")
	anna.get(subsidyGuide + "/questions/price")
	anna.want(http.StatusUnprocessableEntity)
}
