package browser

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/locale"
)

// axeVersion is the version of axe-core whose rules the pages are held to.
const axeVersion = "4.14.1"

// axe reads axe-core. Where it is missing the test is skipped, but fails where all tests are asked for.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(os.Getenv("YAGONA_TEST_AXE"))
	if err != nil {
		const missing = "axe-core is missing: let YAGONA_TEST_AXE name the file axe.min.js of the npm package axe-core@" + axeVersion
		if os.Getenv("YAGONA_TEST_ALL") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing + ", or run ./test")
	}
	if !strings.Contains(string(source[:min(len(source), 200)]), "axe v"+axeVersion) {
		t.Fatalf("%s is not axe-core %s", os.Getenv("YAGONA_TEST_AXE"), axeVersion)
	}
	return string(source)
}

// violation is a rule of accessibility that a page breaks.
type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	} `json:"nodes"`
}

// findings are what axe-core found: violations, how many rules the page keeps, and how many there are.
type findings struct {
	Violations []violation `json:"violations"`
	Passes     int         `json:"passes"`
	Rules      int         `json:"rules"` // how many the page was held to, whether it has anything that they are about or not
}

// everyWidth is the language in which pages are held to the rules on a computer's width, too: what depends on the width
// does not depend on the language.
const everyWidth = locale.English

// look holds the page that the window shows to the rules of accessibility, and keeps a picture of it. A page that can be
// opened again is held to them in the story's other languages as well, in another tab: what was typed here stays.
func (w *window) look(name string) {
	w.t.Helper()
	w.told.seen(w.t, w.address())
	w.run(scripts(true))
	w.held(name, w.language == everyWidth)
	w.run(scripts(false))
	w.picture(name)
	if w.status >= http.StatusBadRequest || w.told.axe == "" || len(w.told.also) == 0 || w.told.kind(w.t, w.address()) == "" {
		return
	}
	if w.tab == nil {
		ctx, end := chromedp.NewContext(w.ctx)
		w.t.Cleanup(end)
		w.tab = &window{t: w.t, ctx: ctx, told: w.told}
		if err := chromedp.Do(ctx, scripts(true)); err != nil {
			w.t.Fatal(err)
		}
	}
	tab, address := w.tab, w.address()
	for _, language := range w.told.also {
		if language != w.language {
			tab.in(language, address)
			tab.held(name, false)
			tab.picture(name)
		}
	}
	tab.in(w.language, "/verify") // the tabs share the choice of a language
}

// axeRuns runs axe-core. Of the rules that are kept it need not describe each element that keeps them: that takes long, and nobody
// reads it.
const axeRuns = `axe.run(document, {rules: {"target-size": {enabled: true}}, resultTypes: ["violations"]}).then(r => ({
	violations: r.violations, passes: r.passes.length, rules: r.violations.length + r.passes.length + r.incomplete.length + r.inapplicable.length,
}))`

// held holds the page to the rules of accessibility on a telephone's width, if wanted on a computer's, too. Scripts are on
// for as long as axe-core runs.
func (w *window) held(name string, onComputer bool) {
	w.t.Helper()
	if language := ask(w, chromedp.AttributeValue(chromedp.CSS("html"), "lang")); language.Value != string(w.language) {
		w.t.Errorf("%s speaks %q, not %q", w.address(), language.Value, w.language)
	}
	looked.page()
	w.run(chromedp.Evaluate[chromedp.Void](w.told.axe))
	w.orderly(name)
	for _, width := range []int64{zoomed, narrow, tablet, wide} {
		w.size(width)
		looked.at(w.language, width)
		if overflow := w.overflow(); overflow > 0 {
			w.t.Errorf("%s (%s) in %s is %d pixels wider than its window of %d", name, w.address(), w.language, overflow, width)
		}
		if width == zoomed || width == tablet || width == wide && !onComputer {
			continue
		}
		found := ask(w, chromedp.Evaluate[findings](axeRuns, chromedp.EvalAwaitPromise))
		looked.axe(found.Rules)
		if found.Passes < 10 {
			w.t.Errorf("%s: only %d rules were held: did axe-core see the page?", name, found.Passes)
		}
		for _, one := range found.Violations {
			var where strings.Builder
			for _, node := range one.Nodes {
				fmt.Fprintf(&where, "\n  %s\n    %s", node.HTML, node.FailureSummary)
			}
			w.t.Errorf("%s (%s) in %s, %d pixels wide: %s (%s): %s%s",
				name, w.address(), w.language, width, one.ID, one.Impact, one.Help, where.String())
		}
	}
}

// orderly holds the page to what axe-core does not look at: the order of focus is the order of reading, beginning with the
// way to skip to the content; and each input that is wrong names its error, which the summary at the top links to.
func (w *window) orderly(name string) {
	w.t.Helper()
	found := ask(w, chromedp.Evaluate[[]string](`(() => {
		const wrong = [], focusable = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")];
		if (focusable[0]?.className !== "skip") wrong.push("the first thing in focus is not the way to the content");
		for (const one of focusable) if (one.tabIndex > 0) wrong.push("out of order: " + one.outerHTML.slice(0, 80));
		for (const one of document.querySelectorAll("[aria-invalid=true]")) {
			const group = one.closest("fieldset"), by = one.getAttribute("aria-describedby") || group?.getAttribute("aria-describedby") || "";
			const error = by.split(" ").map(id => document.getElementById(id)).find(e => e?.className === "error");
			if (!error) wrong.push("no error is told at " + one.name);
		}
		for (const link of document.querySelectorAll(".errors a")) {
			const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
			if (!target) wrong.push("the summary leads nowhere: " + link.hash);
		}
		return wrong;
	})()`))
	for _, one := range found {
		w.t.Errorf("%s (%s): %s", name, w.address(), one)
	}
}

// overflow returns by how many pixels the page is wider than its window.
func (w *window) overflow() int {
	w.t.Helper()
	return ask(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
}

// withoutScripts is a window's promise: what a page's own scripts would do does not happen.
func (w *window) withoutScripts() {
	w.t.Helper()
	const page = `data:text/html,<title>off</title><script>document.title = "on"</script>`
	w.run(chromedp.Navigate(page))
	if title := ask(w, chromedp.Title()); title != "off" {
		w.t.Fatalf("scripts are %s", title)
	}
}
