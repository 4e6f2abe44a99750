package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"yagona/locale"
	"yagona/packs/demo"
)

// in shows a page in a language, as a choice in the page's head does, which keeps it.
func (w *window) in(language locale.Tag, path string) {
	w.t.Helper()
	w.language = language
	with := "?"
	if strings.Contains(path, "?") {
		with = "&"
	}
	w.open(path + with + "lang=" + string(language))
}

// Pages that the story does not come by are accessible in all five languages, too: where messages go, and the account that is
// asked for once the bank turned one down.
func TestPagesInEveryLanguage(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	jobless, worker := s.people.Persona(demo.Jobless), s.people.Persona(demo.Worker)
	language := locale.UzbekLatin
	resident := s.signedIn(t, language, jobless, "/me/contact")
	resident.choose("channel", "email")
	resident.fill("address", "resident@example.org")
	resident.press("/me/contact/addresses")
	resident.submit(`form:has([name^="code-"])`) // no code
	resident.look("contact-wrong")
	resident.open(subsidy)
	mistaken := jobless
	mistaken.Account = worker.Account // the bank will say that it is somebody else's
	application := s.send(resident, mistaken)
	s.decides(t, language, s.people.Persona(demo.YouthLeader), "recommend")
	s.decides(t, language, s.people.Persona(demo.Chair), "approve")
	resident.eventually(application, func() bool {
		return strings.Contains(resident.text(), s.Words.Text(language, "portal.account-wanted", nil))
	})
	treasurer := s.signedIn(t, language, s.office("youth-agency", "treasurer"), "/desk/payments")
	treasurer.says("desk.turned-down")
	treasurer.follow("/desk/payments/youth-fund/")
	order := treasurer.address()

	for _, language := range s.Words.Languages().Tags {
		for _, page := range []struct {
			name string
			by   *window
			path string
			says string // a text that only this page has
		}{
			{"account", resident, application + "/account", ""},
			{"contact", resident, "/me/contact", "contact.lead"},
			{"payments", treasurer, "/desk/payments", "desk.next-account"},
			{"payment", treasurer, order, "payment-reason.be01"},
		} {
			page.by.in(language, page.path)
			if page.says != "" {
				page.by.says(page.says)
			}
			page.by.look(page.name + "-all")
		}
	}
	resident.in(locale.English, application+"/account")
	resident.fill("account", jobless.Account)
	resident.press("/account")
	resident.says("event.payment.account-changed")
}

// What is typed and not sent yet stays when the reader chooses another language, and is kept nowhere afterwards; with the
// browser's scripts and without them.
func TestChoosingALanguageKeepsWhatIsTyped(t *testing.T) {
	s := begin(t, chromium(t), "")
	for name, with := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) { s.choosesALanguage(t, with) })
	}
}

func (s *told) choosesALanguage(t *testing.T, with bool) {
	w := s.window(t, locale.English)
	w.run(scripts(with))
	w.open("/sign-in?next=" + "%2Fservices%2Fyouth%2Ftools-subsidy")
	w.fill("number", s.people.Persona(demo.Jobless).Number)
	w.submit(`form:has(input[name="number"])`)
	w.press("/apply")
	question := w.address()
	choose := func(language locale.Tag) {
		t.Helper()
		w.run(chromedp.Click(chromedp.CSS(".languages summary")))
		w.leading(chromedp.Click(chromedp.CSS(fmt.Sprintf(`.languages [lang=%q]`, language))))
		if shown := ask(w, chromedp.AttributeValue(chromedp.CSS("html"), "lang")); shown.Value != string(language) {
			t.Fatalf("the page speaks %s", shown.Value)
		}
	}
	holds := func(what, script string) {
		t.Helper()
		if !ask(w, chromedp.Evaluate[bool](script)) {
			t.Errorf("%s is lost: %s", what, w.text())
		}
	}
	w.choose("trade", "welding")
	choose(locale.Russian)
	holds("the choice", `document.querySelector("input[name=trade]:checked")?.value === "welding"`)
	w.submit("form")
	if w.address() == question {
		t.Fatalf("the answer in the other language is not taken: %s", w.text())
	}
	w.fill("price", "1 234 567")
	choose(locale.UzbekCyrillic)
	holds("the amount", `document.querySelector("input[name=price]").value === "1 234 567"`)
	holds("that nothing is kept", `Object.keys(sessionStorage).length === 0`)
	w.run(chromedp.Evaluate[chromedp.Void](`{ document.querySelector("input[name=price]").value = ""; }`))
	w.fill("price", "0")
	w.leading(chromedp.KeyEvent(kb.Enter)) // sends the form, in the language that was chosen
	if w.status != 422 {
		t.Fatalf("an amount of nothing is answered with %d at %s", w.status, w.address())
	}
	choose(locale.Karakalpak)
	holds("the wrong amount", `document.querySelector("input[name=price]").value === "0"`)
	w.open("/services")
	holds("that nothing is kept", `Object.keys(sessionStorage).length === 0`)
}

// tabs walks through a page with the keyboard alone, and holds it to three things: what has the focus can be seen and is not
// covered (WCAG 2.2, 2.4.7 and 2.4.11), and the focus goes the way that one reads (2.4.3).
func (w *window) tabs(name string) {
	w.t.Helper()
	w.run(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur(); window.scrollTo(0, 0); window.walked = [];`))
	const most = 150
	for step := range most {
		w.run(chromedp.KeyEvent(kb.Tab))
		found := ask(w, chromedp.Evaluate[struct {
			Done    bool   `json:"done"`
			Problem string `json:"problem"`
		}](`(() => {
			const now = document.activeElement, walked = window.walked;
			if (!now || now === document.body || walked.includes(now)) return {done: true, problem: ""};
			const called = now.outerHTML.slice(0, 90), before = walked.at(-1);
			walked.push(now);
			if (before && !(before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING)) return {problem: "the focus goes back to " + called};
			const shown = now.matches("input[type=radio], input[type=checkbox]") ? now.closest(".option") ?? now : now;
			const box = shown.getBoundingClientRect();
			if (box.width < 1 || box.height < 1) return {problem: "what has the focus has no size: " + called};
			const x = Math.min(Math.max(box.left + Math.min(box.width, 20) / 2, 0), innerWidth - 1), y = box.top + box.height / 2;
			if (y < 0 || y >= innerHeight) return box.height > innerHeight ? {} : {problem: "what has the focus is off the screen: " + called};
			const top = document.elementFromPoint(x, y);
			if (top !== shown && !shown.contains(top) && !top?.contains(shown)) return {problem: "what has the focus is covered: " + called};
			const style = getComputedStyle(now), around = getComputedStyle(shown), inside = [...now.querySelectorAll("rect, path")].map(one => getComputedStyle(one).strokeWidth);
			const seen = [style, around].some(one => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) > 0 || one.boxShadow !== "none") || inside.some(width => parseFloat(width) >= 3);
			return seen ? {} : {problem: "nothing shows that it has the focus: " + called};
		})()`))
		if found.Problem != "" {
			w.t.Errorf("%s (%s), step %d: %s", name, w.address(), step+1, found.Problem)
		}
		if found.Done {
			if step < 5 {
				w.t.Errorf("%s: only %d things can have the focus", name, step)
			}
			return
		}
	}
	w.t.Errorf("%s: after %d steps the focus is still on the page", name, most)
}

// The main pages can be used with a keyboard alone, on a computer, on a telephone, and at 400 % zoom.
func TestTheKeyboardLeadsThroughEveryPage(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.busy(t)
	jobless := s.people.Persona(demo.Wife)
	resident := s.signedIn(t, locale.Russian, jobless, subsidy)
	resident.press("/apply")
	draft := resident.address()
	resident.open(subsidy)
	application := s.send(resident, jobless)
	leader := s.signedIn(t, locale.Russian, s.people.Persona(demo.YouthLeader), "/desk")
	leader.follow("/desk/tasks/")
	task := leader.address()
	for _, width := range []int64{wide, narrow, zoomed} {
		for _, page := range []struct {
			by   *window
			path string
		}{
			{resident, "/"},
			{resident, subsidy},
			{resident, subsidy + "/statistics"},
			{resident, draft},
			{resident, application},
			{resident, "/me/contact"},
			{leader, "/desk"},
			{leader, task},
			{leader, "/desk/team"},
		} {
			page.by.run(scripts(true))
			page.by.open(page.path)
			page.by.size(width)
			page.by.tabs(fmt.Sprintf("%d pixels wide", width))
		}
	}
}
