package node_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/packs/demo"
	"yagona/web/reading"
)

const toolsPath = "/services/youth/tools-subsidy"

// apply goes through the tools subsidy up to the receipt, and returns the application's path.
func apply(t *testing.T, b *browser, account string) string {
	t.Helper()
	b.get(toolsPath)
	b.want(http.StatusOK)
	b.press("/apply")
	b.fill(map[string]string{"trade": "sewing"}, "")
	b.fill(map[string]string{"price": "1 500 000"}, "")
	b.fill(map[string]string{"account": account}, "")
	if !strings.HasSuffix(b.at.Path, "/check") {
		t.Fatalf("after the questions stands %s: %s", b.at, b.text(b.page))
	}
	b.says(b.say("portal.forecast-met"))
	b.press("/submit")
	if !strings.HasSuffix(b.at.Path, "/receipt") {
		t.Fatalf("after sending stands %s: %s", b.at, b.text(b.page))
	}
	b.says(b.say("portal.received"))
	return strings.TrimSuffix(b.at.Path, "/receipt")
}

// decides lets an official take the first task of their inbox.
func decides(t *testing.T, s *site, language string, who demo.Person, answers map[string]string) {
	t.Helper()
	b := s.signedIn(t, language, who)
	b.get("/desk")
	b.want(http.StatusOK)
	b.follow("/desk/tasks/")
	if answers["action"] != "note" { // a notification has no rules
		b.says(b.say("desk.requirements"))
	}
	b.press("/claim")
	b.says(b.say("desk.yours"))
	b.fill(answers, "")
	if b.at.Path != "/desk" {
		t.Fatalf("the decision leads to %s: %s", b.at, b.text(b.page))
	}
}

// official returns who holds the role in the agency.
func official(t *testing.T, s *site, agency ident.Agency, role ident.Role) demo.Person {
	t.Helper()
	for _, one := range s.people.Officials {
		if one.Agency == agency && one.Role == role {
			person, _ := s.people.Person(one.Person)
			return person
		}
	}
	t.Fatalf("nobody is %s of %s", role, agency)
	return demo.Person{}
}

func TestTheStoryFromApplicationToPayment(t *testing.T) {
	for _, language := range []string{"uz-Latn", "ru", "en"} {
		t.Run(language, func(t *testing.T) { story(t, open(t), language) })
	}
}

func story(t *testing.T, s *site, language string) {
	jobless := s.people.Persona(demo.Jobless)
	b := s.signedIn(t, language, jobless)
	application := apply(t, b, jobless.Account)

	decides(t, s, language, s.people.Persona(demo.YouthLeader), map[string]string{"action": "recommend"})
	decides(t, s, language, s.people.Persona(demo.Chair), map[string]string{"action": "approve"})

	b.get(application)
	b.says(b.say("application.state.granted"))
	treasurer := s.signedIn(t, language, official(t, s, "youth-agency", access.Treasurer))
	eventually(t, "the payment is prepared", func() bool {
		treasurer.get("/desk/payments")
		return len(all(treasurer.one("main"), "a")) > 0
	})
	treasurer.follow("/desk/payments/youth-fund/")
	treasurer.press("/release")
	eventually(t, "the bank has paid", func() bool {
		b.get(application)
		return strings.Contains(b.text(b.page), b.say("payment.confirmed"))
	})

	b.get("/me")
	b.says(b.say("payment.confirmed"))
	b.says(b.say("notice.application.granted"))
	b.follow("/me/documents/")
	if !strings.HasPrefix(string(b.raw), "%PDF-") {
		t.Fatal("the document is no PDF")
	}
	document := b.raw
	stranger := s.browser(t, language)
	stranger.verify(document)
	stranger.says(stranger.say("verify.valid"))
	stranger.says(jobless.Name())
	stranger.verify([]byte(strings.Replace(string(document), "%PDF-1.7", "%PDF-1.6", 1)))
	stranger.says(stranger.say("verify.tampered"))

	b.get("/me/readings")
	b.says(b.say("event.application.read"))
	b.says(b.say("event.own-data.read"))
	eventually(t, "the proof is there", func() bool {
		b.get("/me/readings")
		b.follow("/me/events/")
		for _, link := range all(b.one("main"), "a") {
			if strings.HasSuffix(attribute(link, "href"), "/proof") {
				b.get(attribute(link, "href"))
				return true
			}
		}
		return false
	})
	var evidence reading.Evidence
	if err := json.Unmarshal(b.raw, &evidence); err != nil {
		t.Fatal(err)
	}
	header, entry, err := evidence.Opening.Verify()
	if err != nil || string(entry) != string(evidence.Entry) || header.At.IsZero() {
		t.Fatalf("the entry does not verify: %v", err)
	}
}

// verify sends a file to the page that verifies documents.
func (b *browser) verify(content []byte) {
	b.t.Helper()
	b.upload("/verify", nil, "file", "d.pdf", "application/pdf", content)
	b.want(http.StatusOK)
}

func TestAQuestionIsAskedAgainWithWhatWasTyped(t *testing.T) {
	s := open(t)
	b := s.signedIn(t, "ru", s.people.Persona(demo.Jobless))
	b.get(toolsPath)
	b.press("/apply")
	b.fill(map[string]string{}, "") // nothing chosen
	b.want(http.StatusUnprocessableEntity)
	b.says(b.say("fault.field.required"))
	b.fill(map[string]string{"trade": "repair"}, "")
	b.fill(map[string]string{"price": "полтора миллиона"}, "")
	b.want(http.StatusUnprocessableEntity)
	b.says(b.say("fault.money.malformed"))
	if got := b.form(nil, "").values.Get("price"); got != "полтора миллиона" {
		t.Errorf("what was typed became %q", got)
	}
	b.fill(map[string]string{"price": "0"}, "")
	b.want(http.StatusUnprocessableEntity)
	b.fill(map[string]string{"price": "1 500 000"}, "")
	b.fill(map[string]string{"account": "12"}, "")
	b.want(http.StatusUnprocessableEntity)
	// Nothing of it is lost: the draft goes on where it stopped.
	draft := strings.TrimSuffix(b.at.Path, "/questions/account")
	b.get("/me")
	b.follow(draft)
	b.says(b.say("portal.open-question"))
	b.follow("/questions/account")
	b.want(http.StatusOK)
	b.get(draft + "/check")
	b.says(b.say("portal.answers-missing"))
	if strings.Contains(b.text(b.page), b.say("portal.send-lead")) {
		t.Error("it can be sent without an answer")
	}
}

func TestTwoWindowsDoNotOverwriteEachOther(t *testing.T) {
	s := open(t)
	b := s.signedIn(t, "en", s.people.Persona(demo.Jobless))
	b.get(toolsPath)
	b.press("/apply")
	first := b.form(map[string]string{"trade": "sewing"}, "")
	second := b.form(map[string]string{"trade": "welding"}, "")
	b.send(first)
	b.send(second)
	b.want(http.StatusConflict)
	b.says(b.say("question.other-window"))
	again := b.form(nil, "")
	if again.values.Get("trade") != "welding" {
		t.Errorf("the answer was lost: %v", again.values)
	}
	b.send(again) // having seen it
	b.want(http.StatusOK)
	b.get(strings.TrimSuffix(again.to, "/questions/trade"))
	b.follow("/questions/trade")
	if got := b.form(nil, "").values.Get("trade"); got != "welding" {
		t.Errorf("the answer is %q", got)
	}
}

func TestQuestionsDependOnAnswers(t *testing.T) {
	s := open(t)
	b := s.signedIn(t, "uz-Latn", s.people.Persona(demo.Jobless))
	b.get("/services/housing/accessible-home")
	b.press("/apply")
	b.fill(map[string]string{"works": "ramp"}, "")
	b.fill(map[string]string{"entrance": "shared"}, "")
	b.fill(map[string]string{"neighbours": "true"}, "")
	b.fill(map[string]string{"cost": "7400000"}, "")
	if !strings.HasSuffix(b.at.Path, "/questions/remarks") {
		t.Fatalf("at %s", b.at)
	}
	works := strings.TrimSuffix(b.at.Path, "remarks") + "works"
	b.get(works)
	b.fill(map[string]string{"works": "bathroom"}, "")
	if !strings.HasSuffix(b.at.Path, "/questions/cost") {
		t.Errorf("without a ramp %s is asked", b.at)
	}
	b.get(strings.TrimSuffix(works, "works") + "entrance")
	b.want(http.StatusNotFound)
}

func TestARefusalSaysWhyAndIsContested(t *testing.T) {
	s := open(t)
	old := s.people.Persona(demo.TooOld)
	b := s.signedIn(t, "en", old)
	b.get(toolsPath)
	b.press("/apply")
	b.fill(map[string]string{"trade": "sewing"}, "")
	b.fill(map[string]string{"price": "1500000"}, "")
	b.fill(map[string]string{"account": old.Account}, "")
	b.says(b.say("portal.forecast-not-met"))
	b.says("This subsidy is for people who are 18 to 30 years old")
	b.press("/submit")
	application := strings.TrimSuffix(b.at.Path, "/receipt")
	b.get(application)
	b.says(b.say("application.state.refused"))
	b.says("This subsidy is for people who are 18 to 30 years old")
	b.follow("/appeal")
	b.fill(map[string]string{"grounds": " "}, "")
	b.want(http.StatusUnprocessableEntity)
	b.fill(map[string]string{"grounds": "The register has a wrong date of birth."}, "")
	if b.at.Path != application {
		t.Fatalf("the appeal leads to %s", b.at)
	}
	b.says(b.say("portal.state-appealed"))
}

func TestADecisionReadsNothingAgain(t *testing.T) {
	s := open(t)
	jobless := s.people.Persona(demo.Jobless)
	b := s.signedIn(t, "en", jobless)
	apply(t, b, jobless.Account)
	readings := func() int {
		b.get("/me/readings")
		return strings.Count(b.text(b.one("main")), b.say("event.application.read"))
	}

	d := s.signedIn(t, "en", s.people.Persona(demo.YouthLeader))
	d.get("/desk")
	if got := readings(); got != 0 {
		t.Fatalf("%d readings before anybody opened the task", got)
	}
	d.follow("/desk/tasks/")
	if got := readings(); got != 1 {
		t.Fatalf("%d readings after the task was opened, want 1", got)
	}
	d.fill(map[string]string{"action": "refuse", "reason": ""}, "")
	d.want(http.StatusUnprocessableEntity)
	if got := readings(); got != 2 {
		t.Errorf("%d readings after the page was shown again with what is wrong, want 2", got)
	}
	d.fill(map[string]string{"action": "recommend"}, "")
	if d.at.Path != "/desk" {
		t.Fatalf("the decision leads to %s: %s", d.at, d.text(d.page))
	}
	if got := readings(); got != 2 {
		t.Errorf("%d readings after the decision, want 2: a decision shows nothing", got)
	}
}

func TestAnOfficialAsksAndTheApplicantAnswers(t *testing.T) {
	s := open(t)
	jobless, leader := s.people.Persona(demo.Jobless), s.people.Persona(demo.YouthLeader)
	b := s.signedIn(t, "en", jobless)
	application := apply(t, b, jobless.Account)

	d := s.signedIn(t, "en", leader)
	d.get("/desk")
	for _, personal := range []string{jobless.FamilyName, jobless.GivenName, jobless.Number, jobless.Account} {
		if strings.Contains(string(d.raw), personal) {
			t.Errorf("the inbox tells %s", personal)
		}
	}
	d.follow("/desk/tasks/")
	task := d.at.Path
	d.fill(map[string]string{"action": "ask", "question": ""}, "")
	d.want(http.StatusUnprocessableEntity)
	d.fill(map[string]string{"action": "refuse", "reason": ""}, "")
	d.want(http.StatusUnprocessableEntity)
	d.says(d.say("fault.task.no-reason"))
	stale := d.form(map[string]string{"action": "recommend"}, "")
	d.fill(map[string]string{"action": "ask", "question": "Which shop is it?"}, "")
	d.send(stale)
	d.want(http.StatusConflict)

	b.get(application)
	b.says("Which shop is it?")
	b.follow("/answer")
	b.fill(map[string]string{"answer": "The one at the bazaar."}, "")
	b.says("The one at the bazaar.")
	d.get(task)
	d.says("The one at the bazaar.")
	d.fill(map[string]string{"to": "all"}, "")
	d.get(task)
	d.says(d.say("desk.claim-text"))

	b.follow("/withdraw")
	b.press("/withdraw")
	b.says(b.say("application.state.withdrawn"))
	d.get("/desk")
	d.says(d.say("desk.empty"))
}

func TestOthersSeeNothing(t *testing.T) {
	s := open(t)
	jobless := s.people.Persona(demo.Jobless)
	b := s.signedIn(t, "en", jobless)
	application := apply(t, b, jobless.Account)
	b.follow("/me/events/")
	event := b.at.Path
	other := s.signedIn(t, "en", s.people.Persona(demo.Outsider))
	for _, path := range []string{application, application + "/receipt", application + "/check", application + "/withdraw", event, event + "/proof"} {
		other.get(path)
		other.want(http.StatusNotFound)
	}
	other.get("/desk")
	other.want(http.StatusForbidden)
	stranger := s.browser(t, "en")
	stranger.get(application)
	if !strings.HasPrefix(stranger.at.Path, "/demo-sign-in") {
		t.Errorf("who is not signed in is sent to %s", stranger.at)
	}
	chair := s.signedIn(t, "en", s.people.Persona(demo.Chair))
	leader := s.signedIn(t, "en", s.people.Persona(demo.YouthLeader))
	leader.get("/desk")
	leader.follow("/desk/tasks/")
	chair.get(leader.at.Path)
	chair.want(http.StatusForbidden)
}

func TestPublicPagesNeedNobody(t *testing.T) {
	s := open(t)
	for _, language := range []string{"uz-Latn", "uz-Cyrl", "kaa", "ru", "en"} {
		b := s.browser(t, language)
		for _, path := range []string{"/", "/services", toolsPath, toolsPath + "/statistics", "/services/housing/accessible-home", "/verify", "/transparency"} {
			b.get(path)
			b.want(http.StatusOK)
			b.one("h1")
		}
		b.get("/verify/" + string(ident.Random[ident.Document]()))
		b.want(http.StatusNotFound)
		b.get("/verify")
		b.fill(map[string]string{"payload": "YAG1:nonsense"}, "")
		b.says(b.say("verify.unreadable"))
	}
}
