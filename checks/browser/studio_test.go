package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/kernel/ident"
	"yagona/kernel/wording"
	"yagona/locale"
	"yagona/pack"
	"yagona/packs/demo"
)

// publishers returns the two who publish for an agency.
func (s *told) publishers(agency ident.Agency) (found []demo.Person) {
	for _, one := range s.people.Officials {
		if one.Agency == agency && one.Role == "publisher" {
			person, _ := s.people.Person(one.Person)
			found = append(found, person)
		}
	}
	return found
}

// replaces changes every place of a text in the editor, as somebody who types it would.
func (w *window) replaces(old, new string) {
	w.t.Helper()
	if !ask(w, chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
		const text = document.querySelector("textarea"), before = text.value;
		text.value = before.replaceAll(%q, %q);
		text.dispatchEvent(new InputEvent("input", { bubbles: true }));
		return text.value !== before;
	})()`, old, new))) {
		w.t.Fatalf("the file at %s does not hold %q", w.address(), old)
	}
}

const draftOfYouth, subsidyFile = "/studio/packs/youth", "/studio/packs/youth/files/services/tools-subsidy.yaml"

// writes lets an analyst change an amount and a second one bring it into force.
func (s *told) writes(t *testing.T, language locale.Tag) {
	t.Helper()
	publishers := s.publishers("youth-agency")
	w := s.signedIn(t, language, publishers[0], "/studio")
	w.says("studio.no-drafts")
	w.look("studio")
	w.choose("pack", "youth")
	w.submit(`form:has([name="pack"])`)
	w.at(draftOfYouth)
	w.says("studio.unchanged")
	w.look("studio-draft")
	w.follow("/files/services/tools-subsidy.yaml")
	w.says("studio.no-problems")
	w.look("studio-file")

	// A mistyped word is told at its line; what is wrong may be kept.
	w.replaces("that: unemployment.registered", "that: unemployment.registred")
	w.press("/tools-subsidy.yaml")
	w.at(subsidyFile)
	for _, piece := range pack.Said(wording.Say("did you mean %s?", "registered"), language, nil) {
		w.shows(piece.Text) // in the reader's language
	}
	w.look("studio-file-wrong")
	w.open(draftOfYouth + "/form")
	w.says("studio.mend-first")
	w.open(subsidyFile)
	w.replaces("registred", "registered")

	// The ceiling rises; an example of the old one fails until it is mended.
	w.replaces("10 * param.brv", "12 * param.brv")
	w.press("/tools-subsidy.yaml")
	w.says("studio.no-problems")
	w.open(draftOfYouth)
	w.says("studio.examples-fail", "count", 1)
	w.look("studio-draft-fails")
	w.follow("/examples")
	w.shows("4120000 UZS")
	w.shows("4944000 UZS")
	w.look("studio-examples")
	w.follow("/files/services/tools-subsidy.yaml")
	w.replaces("payment: 4120000 UZS", "payment: 4944000 UZS")
	w.press("/tools-subsidy.yaml")
	w.open(draftOfYouth + "/form?service=youth%2Ftools-subsidy")
	w.look("studio-form")
	w.fill("price", "0")
	w.submit(`form:has([name="price"])`)
	if w.status != http.StatusUnprocessableEntity {
		t.Fatalf("wrong answers that are tried are answered with %d", w.status)
	}
	w.look("studio-form-wrong")
	w.open(draftOfYouth + "/difference")
	w.shows("least(ask.price, 12 * param.brv)")
	w.look("studio-difference")
	w.open(draftOfYouth + "/publish")
	w.look("studio-publish")
	w.press("/publish")
	w.says("studio.own-proposal")
	w.look("studio-own-proposal")
	proposal := w.address()

	second := s.signedIn(t, language, publishers[1], "/studio")
	second.says("studio.waits-for-you")
	second.look("studio-waiting")
	second.follow(proposal)
	second.shows("least(ask.price, 12 * param.brv)")
	second.look("studio-proposal")
	second.press("/approve")
	second.says("studio.state-in-force")
	second.look("studio-in-force")

	// A resident who applies now is promised the new amount.
	patient := s.people.Persona(demo.Newcomer)
	resident := s.signedIn(t, language, patient, subsidy)
	resident.press("/apply")
	resident.choose("trade", "sewing")
	resident.submit("form")
	resident.fill("price", "9000000")
	resident.submit("form")
	resident.fill("account", patient.Account)
	resident.submit("form")
	if shown := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, resident.text()); !strings.Contains(shown, "4944000") {
		t.Errorf("the resident is not promised the new amount: %s", resident.text())
	}
}

// guides lets an analyst who writes no YAML change a service through forms.
func (s *told) guides(t *testing.T, language locale.Tag) {
	t.Helper()
	w := s.signedIn(t, language, s.publishers("youth-agency")[0], "/studio")
	w.choose("pack", "youth")
	w.submit(`form:has([name="pack"])`)
	w.follow(draftOfYouth + "/guide")
	w.open(draftOfYouth + "/guide?service=tools-subsidy")
	w.says("studio.refusals")
	w.look("studio-guide")
	w.follow("/questions/trade")
	w.look("studio-question")
	w.open(draftOfYouth + "/guide/tools-subsidy/new-question")
	w.fill("name", "two words")
	w.submit(`form:has([name="name"])`)
	if w.status != http.StatusUnprocessableEntity {
		t.Fatalf("a question without words is answered with %d", w.status)
	}
	w.look("studio-question-wrong")
	w.open(draftOfYouth + "/guide/tools-subsidy/questions/price")
	w.choose("type", "date") // what the checker refuses is told at the input
	w.submit(`form:has([name="type"])`)
	w.shows("min has no meaning for the type date")
	w.look("studio-question-refused")
	w.open(draftOfYouth + "/guide/tools-subsidy/questions/price")
	w.submit(`form[action$="/move"]`) // before the trade
	w.says("studio.questions")
	if list := w.text(); strings.Index(list, "How much do the tools cost?") > strings.Index(list, "What will you do?") {
		t.Errorf("the question did not move: %s", list)
	}
	w.open(draftOfYouth + "/guide/tools-subsidy/questions/price")
	w.run(chromedp.Click(chromedp.CSS("main details:has(form[action$='/remove']) summary")))
	w.press("/remove") // the amount is computed from it
	w.says("studio.question-needed")
	w.look("studio-question-needed")
	w.open(draftOfYouth + "/guide/tools-subsidy/new-question")
	w.fill("name", "note")
	w.fill("label-en", "Anything else?")
	w.choose("required", "false")
	w.fill("why-en", "It is yours to say.")
	w.submit(`form:has([name="name"])`)
	w.shows("Anything else?")
	w.open(draftOfYouth + "/guide/tools-subsidy/questions/note")
	w.run(chromedp.Click(chromedp.CSS("main details:has(form[action$='/remove']) summary")))
	w.press("/remove")
	w.says("studio.refusals")
	if strings.Contains(w.text(), "Anything else?") {
		t.Errorf("the question is still asked: %s", w.text())
	}
	w.open(draftOfYouth + "/guide/tools-subsidy/refusals/unemployed")
	w.look("studio-refusal")
	w.fill("text-en", "Register with the employment agency first.")
	w.submit(`form:has([name="text-en"])`)
	w.open(draftOfYouth + "/translations?language=ru")
	w.says("translation.stale")
	w.look("studio-translations")
	w.follow("/translations/services.tools-subsidy.require.unemployed.otherwise")
	w.says("studio.translation-stale")
	w.look("studio-translation")
}

// The forms of the studio, for who writes no YAML.
func TestTheStudiosFormsInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.also = s.Words.Languages().Tags
	s.guides(t, locale.English)
}

// The story shows the studio in the languages that most people read; here it stands in one more.
func TestTheStudioInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.window(t, locale.Karakalpak).withoutScripts()
	s.writes(t, locale.Karakalpak)
}

// With scripts a file is checked while it is typed, and what was typed is not lost with the window.
func TestTheStudioChecksWhileOneTypes(t *testing.T) {
	s := begin(t, chromium(t), "")
	w := s.window(t, locale.English)
	w.run(scripts(true))
	w.open("/sign-in?next=%2Fstudio")
	w.fill("number", s.publishers("youth-agency")[0].Number)
	w.submit(`form:has(input[name="number"])`)
	w.choose("pack", "youth")
	w.submit(`form:has([name="pack"])`)
	w.follow("/files/services/tools-subsidy.yaml")
	until := func(what, script string) {
		t.Helper()
		if !ask(w, chromedp.Evaluate[bool](`(async () => {
			for (let i = 0; i < 200; i++) {
				if (`+script+`) return true;
				await new Promise(done => setTimeout(done, 100));
			}
			return false;
		})()`, chromedp.EvalAwaitPromise)) {
			t.Fatalf("%s: %s", what, w.text())
		}
	}
	// A line more has its number; the window is left without saving, and the text is there again.
	w.replaces("title: Subsidy to buy tools", "# a note\ntitle: Subsidy to buy tools")
	until("the numbers", `document.querySelector(".gutter").childElementCount === document.querySelector("textarea").value.split("\n").length`)
	if ask(w, chromedp.Evaluate[bool](`dispatchEvent(new Event("beforeunload", { cancelable: true }))`)) {
		t.Error("the browser is not asked to warn of what is not saved")
	}
	// The question would stop this test: as far as the page can see, nothing is left unsaved any more.
	w.run(chromedp.Evaluate[chromedp.Void](`{ const text = document.querySelector("textarea"); text.value = text.defaultValue; }`))
	w.open(draftOfYouth)
	w.says("studio.unchanged")
	w.open(subsidyFile)
	until("what was typed", `document.querySelector("textarea").value.includes("# a note")`)
	w.replaces("that: unemployment.registered", "that: unemployment.registred")
	until("the check", `document.querySelector(".found").textContent.includes("did you mean registered?")`)
	until("the mark at the line", `document.querySelector(".gutter .bad")?.textContent === document.querySelector("[data-line]").dataset.line`)
	until("the state for those who hear it", `document.querySelector("textarea").getAttribute("aria-invalid") === "true"`)
	w.run(chromedp.Click(chromedp.CSS(".problems a")))
	until("the way to the place", `(() => {
		const text = document.activeElement;
		return text.name === "content" && text.value.slice(text.selectionStart).startsWith(".registred");
	})()`)
	w.replaces("registred", "registered")
	until("the check", `document.querySelector(".found .right") !== null && !document.querySelector(".gutter .bad")`)
	w.press("/tools-subsidy.yaml")
	w.open(draftOfYouth)
	w.says("studio.changed")
}
