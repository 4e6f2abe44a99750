package browser

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/kernel/ident"
	"yagona/locale"
	"yagona/node"
	"yagona/packs/demo"
)

// told is a story that is being told in one language.
type told struct {
	*installation
	browser context.Context
	axe     string
	also    []locale.Tag // languages in which pages are looked at besides the one in which the story is told

	kinds map[string]bool // of page, by the pattern of their route: whether it was looked at
	mux   *http.ServeMux  // knows the kind of an address
}

// unseen are the routes of pages that show nothing to look at.
var unseen = map[string]string{
	"GET /me/documents/{document}": "a file",
	"GET /me/events/{event}/proof": "a file",

	"GET /desk/simulations/{simulation}/figures.csv": "a file",

	"GET /services/suggest":          "answers a script",
	"GET /desk/manifest.webmanifest": "a file",
	"GET /desk/worker.js":            "a file",
	"GET /sign-in":                   "leads on",
	"GET /sign-in/return":            "leads on",

	// Of shapes that the story has none of, which TestOtherShapesOfServicesInABrowser looks at.
	"GET /applications/{application}/pay":  "leads on",
	"GET /applications/{application}/paid": "leads on",
	"GET /demo-payment/{fee}":              "TestOtherShapesOfServicesInABrowser looks at it",
	"GET /applications/{application}/join": "TestOtherShapesOfServicesInABrowser looks at it",

	// Only after the bank turned an account down, which no bank does in this story.
	"GET /applications/{application}/account": "TestPagesInEveryLanguage looks at it, in all languages",

	"GET /desk/tasks/{task}/photos/{photo}":          "a photo",
	"GET /applications/{application}/photos/{photo}": "a photo",

	"GET /catalogue":                  "data for programs",
	"GET /catalogue/{pack}/{service}": "data for programs",
	// A registrar's pages, which TestComingFromPaperInABrowser looks at.
	"GET /desk/notebooks":          "TestComingFromPaperInABrowser looks at it",
	"GET /desk/notebooks/{import}": "TestComingFromPaperInABrowser looks at it",
	// An analyst's pages, which TestAChangeIsSimulatedInABrowser looks at.
	"GET /desk/simulations":                      "TestAChangeIsSimulatedInABrowser looks at it",
	"GET /desk/simulations/new/{pack}/{service}": "TestAChangeIsSimulatedInABrowser looks at it",
	"GET /desk/simulations/{simulation}":         "TestAChangeIsSimulatedInABrowser looks at it",
	"GET /places/{territory}/indicators.csv":     "a file",
	// The studio's forms, which TestTheStudiosFormsInABrowser looks at.
	"GET /studio/packs/{pack}/guide":                                "TestTheStudiosFormsInABrowser looks at it",
	"GET /studio/packs/{pack}/guide/{service}/questions/{question}": "TestTheStudiosFormsInABrowser looks at it",
	"GET /studio/packs/{pack}/guide/{service}/new-question":         "TestTheStudiosFormsInABrowser looks at it",
	"GET /studio/packs/{pack}/guide/{service}/refusals/{rule}":      "TestTheStudiosFormsInABrowser looks at it",
	"GET /studio/packs/{pack}/translations":                         "TestTheStudiosFormsInABrowser looks at it",
	"GET /studio/packs/{pack}/translations/{key}":                   "TestTheStudiosFormsInABrowser looks at it",

	"GET /catalogue/{pack}/{service}/licences": "data for programs",
	// Nobody in this story has a licence.
	"GET /services/{pack}/{service}/licences": "TestWhatStaysInForceInABrowser looks at it",
	"GET /desk/licences":                      "TestWhatStaysInForceInABrowser looks at it",
	"GET /desk/licences/{document}":           "TestWhatStaysInForceInABrowser looks at it",
}

// begin begins a story in a demonstration of its own.
func begin(t *testing.T, browser context.Context, axe string, change ...func(*node.Config)) *told {
	t.Helper()
	return telling(open(t, change...), browser, axe)
}

// telling begins a story in an installation.
func telling(in *installation, browser context.Context, axe string) *told {
	s := &told{installation: in, browser: browser, axe: axe, kinds: map[string]bool{}, mux: http.NewServeMux()}
	for _, info := range s.Router.Routes() {
		if info.Method != http.MethodGet || info.Face != "page" || strings.HasPrefix(info.Pattern, "/ui/") {
			continue
		}
		s.mux.Handle(info.Name(), http.NotFoundHandler())
		if unseen[info.Name()] == "" {
			s.kinds[info.Name()] = false
		}
	}
	return s
}

// seen remembers the kind of page at an address.
func (s *told) seen(t *testing.T, address string) { s.kinds[s.kind(t, address)] = true }

// kind returns the route of the page at an address, "" if nothing can be opened there.
func (s *told) kind(t *testing.T, address string) string {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.site+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, kind := s.mux.Handler(request)
	return kind
}

const subsidy = "/services/youth/tools-subsidy"

// storyLanguages are those in which the story is told: most people read one of them.
var storyLanguages = []locale.Tag{locale.UzbekLatin, locale.Russian, locale.English}

// The whole story works without scripts in the languages that most people read, and every kind of page is accessible in all.
func TestTheStoryInABrowser(t *testing.T) {
	source := axe(t)
	browser := chromium(t)
	for _, language := range storyLanguages {
		t.Run(string(language), func(t *testing.T) {
			if language != everyWidth && os.Getenv("YAGONA_TEST_LONG") == "" {
				t.Skip("tells the story once more: run ./test long")
			}
			t.Parallel()
			s := begin(t, browser, source)
			s.window(t, language).withoutScripts()
			if language == everyWidth { // and in the languages in which it is not told
				s.also = slices.DeleteFunc(slices.Clone(s.Words.Languages().Tags), func(tag locale.Tag) bool { return slices.Contains(storyLanguages, tag) })
			}
			t.Run("a resident and two officials", func(t *testing.T) { s.tell(t, language) })
			t.Run("what stands beside", func(t *testing.T) { s.lookAround(t, language) })
			t.Run("the desk", func(t *testing.T) { s.desk(t, language) })
			t.Run("the studio", func(t *testing.T) { s.writes(t, language) })
			for kind, seen := range s.kinds {
				if !seen {
					t.Errorf("nobody looked at %s: add it to the story, or to what shows nothing", kind)
				}
			}
		})
	}
}

func (s *told) tell(t *testing.T, language locale.Tag) {
	jobless := s.people.Persona(demo.Jobless)
	resident := s.signedIn(t, language, jobless, "/me")
	resident.look("own-page-empty")
	application := s.apply(t, resident, jobless)

	s.decides(t, language, s.people.Persona(demo.YouthLeader), "recommend")
	s.decides(t, language, s.people.Persona(demo.Chair), "approve")
	s.releases(t, language)

	resident.eventually(application, func() bool {
		return strings.Contains(resident.text(), s.Words.Text(language, "payment.confirmed", nil))
	})
	resident.says("application.state.granted")
	resident.look("application-granted")
	resident.open("/me")
	resident.says("payment.confirmed")
	resident.look("own-page")
	resident.open("/me/contact")
	resident.look("contact")
	resident.open("/me/passkeys")
	resident.look("passkeys")
	resident.open("/me")
	document := ask(resident, chromedp.AttributeValue(chromedp.CSS(`main a[href^="/me/documents/"]`), "href"))
	resident.open("/verify/" + strings.TrimPrefix(document.Value, "/me/documents/"))
	resident.look("document-standing")
	resident.open("/me/readings")
	resident.says("event.application.read")
	resident.look("readings")
	resident.follow("/me/events/")
	resident.look("event")
	resident.verifies()
}

// verifies lets the browser itself verify the entry that the window shows, and then one that was tampered with.
func (w *window) verifies() {
	w.t.Helper()
	w.says("proof.unverified")
	w.run(scripts(true))
	w.open(w.address())
	verdict := func(tampering string) string {
		w.t.Helper()
		return ask(w, chromedp.Evaluate[string](`(async () => {
			const place = document.querySelector("[data-proof]"), verdict = place.querySelector("[role=status]");
			`+tampering+`
			for (let i = 0; i < 100 && verdict.className === "verdict"; i++) await new Promise(done => setTimeout(done, 50));
			return verdict.textContent;
		})()`, chromedp.EvalAwaitPromise))
	}
	const again = `; verdict.className = "verdict"; await import(document.querySelector("script[src*='proof.js']").src + "?" + Math.random());`
	if got, want := verdict(""), w.told.Words.Text(w.language, "proof.good", nil); got != want {
		w.t.Errorf("of an entry of the log the browser says %q", got)
	}
	bad := w.told.Words.Text(w.language, "proof.bad", nil)
	for what, tampering := range map[string]string{
		"a header that was changed":     `place.dataset.header = btoa(atob(place.dataset.header).replace("a", "b"))` + again,
		"another place in the log":      `place.dataset.proof = place.dataset.proof.replace(/index (\d+)/, (_, n) => "index " + (Number(n) ^ 1))` + again,
		"a checkpoint that was changed": `place.dataset.proof = place.dataset.proof.replace(/\n\n([^\n]+)\n/, "\n\n$1x\n")` + again,
	} {
		w.open(w.address())
		if got := verdict(tampering); got != bad {
			w.t.Errorf("of %s the browser says %q", what, got)
		}
	}
	w.run(scripts(false))
}

// apply goes from the catalogue to the receipt, and returns the application's path.
func (s *told) apply(t *testing.T, w *window, who demo.Person) string {
	t.Helper()
	w.open("/")
	w.look("home")
	w.open("/services")
	w.look("services")
	w.follow(subsidy)
	w.look("service")
	w.follow(subsidy + "/eligibility")
	w.says("portal.can")
	w.look("eligibility")
	w.open(subsidy)
	w.press("/apply")
	w.look("question-choice")
	w.submit("form") // nothing is chosen
	if w.status != http.StatusUnprocessableEntity {
		t.Fatalf("no answer is answered with %d", w.status)
	}
	w.look("question-wrong")
	w.choose("trade", "sewing")
	w.submit("form")
	w.look("question-money")
	w.fill("price", "1 500 000")
	w.submit("form")
	w.look("question-account")
	w.fill("account", who.Account)
	w.submit("form")
	application := strings.TrimSuffix(w.address(), "/check")
	w.at(application + "/check")
	w.says("portal.forecast-met")
	w.look("check")
	w.press("/submit")
	w.at(application + "/receipt")
	w.says("portal.received")
	w.look("receipt")
	w.open(application)
	w.look("application-deciding")
	return application
}

// decides lets an official take the task in their inbox.
func (s *told) decides(t *testing.T, language locale.Tag, who demo.Person, action string) {
	t.Helper()
	w := s.signedIn(t, language, who, "/desk")
	w.look("inbox")
	w.follow("/desk/tasks/")
	w.says("desk.requirements")
	w.look("task")
	w.press("/claim")
	w.says("desk.yours")
	w.look("task-claimed")
	w.choose("action", action)
	w.press("/decide")
	w.at("/desk")
	w.look("inbox-empty")
}

// releases lets a treasurer release the payment.
func (s *told) releases(t *testing.T, language locale.Tag) {
	t.Helper()
	w := s.signedIn(t, language, s.office("youth-agency", "treasurer"), "/desk/payments")
	w.eventually("/desk/payments", func() bool {
		return ask(w, chromedp.Evaluate[int](`document.querySelectorAll("main a[href*='/desk/payments/youth-fund/']").length`)) > 0
	})
	w.look("payments")
	w.follow("/desk/payments/youth-fund/")
	w.look("payment")
	w.press("/release")
	w.look("payment-released")
}

// lookAround looks at the pages that stand beside the story.
func (s *told) lookAround(t *testing.T, language locale.Tag) {
	t.Helper()
	anyone := s.window(t, language)
	for name, path := range map[string]string{
		"statistics": subsidy + "/statistics", "transparency": "/transparency", "verify": "/verify", "gallery": "/ui",
		"places": "/places", "place": "/places/" + string(s.people.Home), "indicator": "/places/" + string(s.people.Home) + "/mahalla/residents",
	} {
		anyone.open(path)
		anyone.look(name)
	}
	anyone.open("/verify")
	anyone.fill("payload", "YAG1:nonsense")
	anyone.submit(`form:has([name="payload"])`)
	anyone.says("verify.unreadable")
	anyone.look("verify-unreadable")
	anyone.open("/no-such-page")
	if anyone.status != http.StatusNotFound {
		t.Errorf("a page that there is not is answered with %d", anyone.status)
	}
	anyone.look("error")

	t.Run("a correction request", func(t *testing.T) { s.corrects(t, language) })
	t.Run("a representative", func(t *testing.T) { s.represents(t, language) })
	t.Run("an offer", func(t *testing.T) { s.offered(t, language) })

	// Someone who is too old is refused at once, and contests it.
	old := s.people.Persona(demo.TooOld)
	w := s.signedIn(t, language, old, subsidy)
	application := s.send(w, old)
	w.open(application)
	w.says("application.state.refused")
	w.look("application-refused")
	w.follow("/appeal")
	w.look("appeal")
	w.fill("grounds", "1995")
	w.press("/appeal")
	w.at(application)
	w.look("application-contested")

	// An official asks, the applicant answers and then takes the application back.
	wife := s.people.Persona(demo.Wife)
	w = s.signedIn(t, language, wife, subsidy)
	application = s.send(w, wife)
	leader := s.signedIn(t, language, s.people.Persona(demo.YouthLeader), "/desk")
	leader.follow("/desk/tasks/")
	leader.choose("action", "ask")
	leader.fill("question", "?!")
	leader.press("/decide")
	w.open(application)
	w.follow("/answer")
	w.look("answer")
	w.fill("answer", "!")
	w.press("/answer")
	w.follow("/withdraw")
	w.look("withdraw")
	w.press("/withdraw")
	w.says("application.state.withdrawn")
	leader.open("/sign-in/appointment")
	leader.look("appointments")
}

// Whom an official refused contests it; the level above, where nobody has looked at it yet, grants it.
func TestAnAppealInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	for language, who := range map[locale.Tag]demo.Persona{locale.UzbekLatin: demo.Wife, locale.Russian: demo.Newcomer, locale.English: demo.Jobless} {
		t.Run(string(language), func(t *testing.T) { s.contests(t, language, s.people.Persona(who)) })
	}
}

func (s *told) contests(t *testing.T, language locale.Tag, who demo.Person) {
	t.Helper()
	w := s.signedIn(t, language, who, subsidy)
	application := s.send(w, who)
	leader := s.signedIn(t, language, s.people.Persona(demo.YouthLeader), "/desk")
	leader.follow("/desk/tasks/")
	leader.choose("action", "refuse")
	leader.submit(`form[action$="/decide"]`) // without a reason
	leader.look("task-refusal-wrong")
	leader.choose("action", "refuse")
	leader.fill("reason", "2026")
	leader.press("/decide")
	leader.at("/desk")
	w.open(application)
	w.says("application.state.refused")
	w.shows("2026")
	w.follow("/appeal")
	w.press("/appeal") // without grounds
	w.look("appeal-wrong")
	w.fill("grounds", "12 m²")
	w.press("/appeal")
	w.says("portal.state-appealed")

	above := s.official(t, language, "youth-leader", s.Profile.Territories.Parent(s.people.Home), "/desk")
	above.follow("/desk/tasks/")
	above.says("desk.appeal")
	above.shows("12 m²")
	above.look("task-appeal")
	above.choose("action", "approve")
	above.press("/decide")
	above.at("/desk")
	w.open(application)
	w.says("application.state.granted")
	w.look("application-granted-above")
}

// corrects lets somebody say that a register is wrong, and its owner put it right.
func (s *told) corrects(t *testing.T, language locale.Tag) {
	t.Helper()
	w := s.signedIn(t, language, s.people.Persona(demo.Worker), "/me/data")
	w.says("correction.data")
	w.look("my-data")
	w.follow("register=employment%2Fjobs")
	w.says("correction.statement-hint")
	w.look("correction-question")
	w.press("/me/corrections") // nothing is said
	w.look("correction-wrong")
	w.fill("statement", "2024")
	w.press("/me/corrections")
	w.says("correction.state-open")
	w.look("correction")
	mine := w.address()

	registrar := s.signedIn(t, language, s.office("employment-agency", "registrar"), "/desk/corrections")
	registrar.look("corrections")
	registrar.follow("/desk/corrections/")
	registrar.says("correction.correct")
	registrar.look("correction-task")
	registrar.fill("why", "2024")
	registrar.submit(`form[action*="/records/"]`)
	registrar.at("/desk/corrections")
	registrar.says("correction.waiting-none")
	w.open(mine)
	w.says("correction.state-corrected")
	w.look("correction-corrected")
}

// office returns somebody who holds an office of an agency.
func (s *told) office(agency ident.Agency, role ident.Role) demo.Person {
	at := slices.IndexFunc(s.people.Officials, func(one demo.Official) bool { return one.Agency == agency && one.Role == role })
	person, _ := s.people.Person(s.people.Officials[at].Person)
	return person
}

// send sends an application for the subsidy, and returns its path.
func (s *told) send(w *window, who demo.Person) string {
	w.t.Helper()
	w.press("/apply")
	w.choose("trade", "sewing")
	w.submit("form")
	w.fill("price", "1500000")
	w.submit("form")
	w.fill("account", who.Account)
	w.submit("form")
	w.press("/submit")
	return strings.TrimSuffix(w.address(), "/receipt")
}
