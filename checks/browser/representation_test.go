package browser

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/locale"
	"yagona/packs/demo"
)

// A company's director applies for it; the pages are looked at in all languages.
func TestADirectorAppliesForABusinessInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.also = s.Words.Languages().Tags
	s.forBusiness(t, locale.English)
}

// represents lets a mother apply for her child, and a pensioner let her neighbour act for her until she takes it back.
func (s *told) represents(t *testing.T, language locale.Tag) {
	t.Helper()
	mother, daughter := s.people.Persona(demo.Mother), s.people.Persona(demo.Daughter)
	const certificate = "/services/education/enrolment-certificate"
	w := s.signedIn(t, language, mother, certificate)
	w.says("representation.for-whom")
	w.look("service-for-whom")
	w.choose("for", string(daughter.ID.Subject()))
	w.press("/apply")
	application := strings.TrimSuffix(w.address(), "/check")
	w.shows(daughter.Name())
	w.look("check-for-a-child")
	w.press("/submit")
	w.at(application + "/receipt")
	w.shows(mother.Name())
	w.look("receipt-for-a-child")
	w.open(application)
	w.says("application.state.granted")
	w.open("/me/represented/" + representation.Authority{Representative: mother.ID, Subject: daughter.ID.Subject()}.ID())
	w.shows(daughter.Name())
	w.look("represented")

	pensioner, worker := s.people.Persona(demo.Pensioner), s.people.Persona(demo.Worker)
	w = s.signedIn(t, language, pensioner, "/me/representatives")
	w.says("representation.given-none")
	w.follow("/me/representatives/new")
	w.look("mandate")
	w.submit(`form[action="/me/representatives"]`) // nothing is said
	w.look("mandate-wrong")
	w.fill("number", worker.Number)
	w.fill("called", "neighbour")
	w.choose("actions", "read")
	w.choose("services", "interior/residence-certificate")
	until := s.Words.Profile.Calendar.Date(s.now()).AddDays(30)
	w.fill("until-day", until.String()[8:])
	w.fill("until-month", until.String()[5:7])
	w.fill("until-year", until.String()[:4])
	w.submit(`form[action="/me/representatives"]`)
	w.says("mandate-state.offered")

	other := s.signedIn(t, language, worker, "/me/representatives")
	other.shows(pensioner.Name())
	other.look("mandate-offered")
	other.press("/accept")
	other.says("ground.mandate")
	other.look("representatives")
	w.open("/me/representatives")
	w.says("mandate-state.in-force")
	w.shows(worker.Name())
	w.press("/end")
	w.says("mandate-state.ended")
	other.open("/me/representatives")
	other.says("representation.others-none")
}

// forBusiness lets a director apply for the business of which the register says that they are.
func (s *told) forBusiness(t *testing.T, language locale.Tag) {
	t.Helper()
	const certificate = "/services/tax/business-certificate"
	director, business := s.people.Persona(demo.Husband), s.people.Organisations[0]
	w := s.signedIn(t, language, director, certificate)
	w.says("representation.for-whom")
	w.shows(business.Name)
	w.look("service-for-a-business")
	w.choose("for", string(business.ID.Subject()))
	w.press("/apply")
	w.look("question-for-a-business")
	w.choose("shownTo", "bank")
	w.submit("form")
	application := strings.TrimSuffix(w.address(), "/check")
	w.at(application + "/check")
	w.says("representation.acting-for", "name", business.Name)
	w.look("check-for-a-business")
	w.press("/submit")
	w.at(application + "/receipt")
	w.shows(director.Name())
	w.look("receipt-for-a-business")
	w.open(application)
	w.says("application.state.granted")
	w.look("granted-to-a-business")
	w.open("/me/represented/" + representation.Authority{Representative: director.ID, Subject: business.ID.Subject()}.ID())
	w.shows(business.Name)
	w.look("represented-business")

	// Whom the register names for no business may ask, and is told what to do.
	other := s.signedIn(t, language, s.people.Persona(demo.Worker), certificate)
	other.press("/apply")
	if other.status != http.StatusForbidden && other.status != http.StatusUnprocessableEntity {
		t.Errorf("who represents no business is answered with %d: %s", other.status, other.text())
	}
	other.look("refused-without-a-business")
}

// offered lets a birth lead to an offer, which the mother only confirms.
func (s *told) offered(t *testing.T, language locale.Tag) {
	t.Helper()
	wife := s.people.Persona(demo.Wife)
	_, _, err := s.Registers.Put(t.Context(), journal.Actor{Component: "test"}, register.Write{
		Register: "civil/births", Reason: "a birth", Values: map[string]any{
			"person": ident.Random[ident.Person]().Subject(), "date": s.Words.Profile.Calendar.Date(s.now()), "sex": "female",
			"mother": wife.ID.Subject(), "order": int64(1),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := s.signedIn(t, language, wife, "/me")
	w.eventually("/me", func() bool {
		return ask(w, chromedp.Evaluate[int](`document.querySelectorAll("main a[href^='/applications/']").length`)) > 0
	})
	w.look("own-page-offered")
	w.open("/me/readings")
	w.says("purpose.proactive")
	w.open("/me/offers")
	w.says("offer.visits-off")
	w.look("offers")
	w.follow("/applications/")
	w.says("offer.draft")
	w.look("offer-draft")
	application := w.address()
	w.follow("/questions/account")
	w.fill("account", wife.Account)
	w.submit("form")
	w.at(application + "/check")
	w.press("/submit")
	w.at(application + "/receipt")
	w.open("/me/offers")
	w.says("offer.none")
	w.choose("chosen", "visits")
	w.press("/me/offers")
	if ask(w, chromedp.Evaluate[int](`document.querySelectorAll("main a[href^='/services/']").length`)) == 0 {
		t.Error("the visit found no service")
	}
	w.look("offers-of-a-visit")
	w.open("/services/social/newborn-allowance/statistics")
	w.says("offer.take-up-lead")
	w.look("take-up")
}
