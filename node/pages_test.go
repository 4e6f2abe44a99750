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
	b.says(b.say("desk.requirements"))
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
	for language, number := range map[string]string{"uz-Latn": "", "ru": "", "en": ""} {
		_ = number
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
	stranger.upload(document)
	stranger.says(stranger.say("verify.valid"))
	stranger.says(jobless.Name())
	stranger.upload([]byte(strings.Replace(string(document), "%PDF-1.7", "%PDF-1.6", 1)))
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

// upload sends a file to the page that verifies documents.
func (b *browser) upload(content []byte) {
	b.t.Helper()
	const boundary = "a-boundary-that-no-file-holds"
	body := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"d.pdf\"\r\nContent-Type: application/pdf\r\n\r\n" +
		string(content) + "\r\n--" + boundary + "--\r\n"
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.url+"/verify", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.show(response)
	b.want(http.StatusOK)
}
