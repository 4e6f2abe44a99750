package browser

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"yagona/packs/demo"
)

// telephone is a browser that several people use, one after the other.
type telephone struct {
	*http.Client
	t    *testing.T
	site string
}

func (i *installation) telephone(t *testing.T) *telephone {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &telephone{&http.Client{Jar: jar}, t, i.site}
}

func (p *telephone) send(request *http.Request) (*http.Response, string) {
	p.t.Helper()
	answer, err := p.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer, string(body)
}

func (p *telephone) get(path string) (*http.Response, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.site+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.send(request)
}

func (p *telephone) post(path string, form url.Values) (*http.Response, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.site+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.send(request)
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// signIn signs a person in on the shared device, leading to the page.
func (p *telephone) signIn(who demo.Person, next string) (*http.Response, string) {
	p.t.Helper()
	answer, form := p.get("/sign-in?shared=yes&next=" + url.QueryEscape(next))
	values := url.Values{"number": {who.Number}}
	for _, found := range hiddenInput.FindAllStringSubmatch(form, -1) {
		values.Set(found[1], strings.ReplaceAll(found[2], "&amp;", "&"))
	}
	answer, page := p.post(answer.Request.URL.Path, values)
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != next {
		p.t.Fatalf("signing in leads to %s: %s", answer.Request.URL, answer.Status)
	}
	return answer, page
}

// A family has one telephone with one number. Who signs in on it as on a shared device leaves nothing behind, and nobody
// of the family sees what another adult did or who read their data.
func TestASharedTelephoneKeepsPeopleApart(t *testing.T) {
	installed := open(t)
	wife, husband := installed.people.Persona(demo.Wife), installed.people.Persona(demo.Husband)
	phone := installed.telephone(t)

	answer, page := phone.signIn(wife, "/me")
	if got := answer.Header.Get("Refresh"); got != "300; url=/" {
		t.Errorf("after five idle minutes the page does what %q says", got)
	}
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page may be kept: Cache-Control %q", got)
	}
	for _, secret := range []string{wife.Number, wife.GivenName, wife.Phone} {
		if strings.Contains(page, secret) {
			t.Errorf("the page shows %q to whoever looks at the telephone", secret)
		}
	}
	_, form := phone.get(subsidy)
	application := regexp.MustCompile(`name="application" value="([^"]+)"`).FindStringSubmatch(form)
	if application == nil {
		t.Fatal("the service cannot be applied for")
	}
	answer, _ = phone.post(subsidy+"/apply", url.Values{"application": {application[1]}})
	draft := answer.Request.URL.Path
	if !strings.Contains(draft, application[1]) {
		t.Fatalf("no draft was begun: %s", draft)
	}
	_, readings := phone.get("/me/readings")
	event := regexp.MustCompile(`/me/events/[0-9a-f-]{36}`).FindString(readings)
	if event == "" { // nobody has read her data yet: the preview does
		phone.get(subsidy + "/eligibility")
		_, readings = phone.get("/me/readings")
		event = regexp.MustCompile(`/me/events/[0-9a-f-]{36}`).FindString(readings)
	}
	if event == "" {
		t.Fatalf("she sees no reading of her data: %s", readings)
	}
	if answer, _ := phone.get(event); answer.StatusCode != http.StatusOK {
		t.Errorf("she cannot open the entry about herself: %s", answer.Status)
	}

	phone.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, _ = phone.post("/sign-out", nil)
	if got := answer.Header.Get("Clear-Site-Data"); got != `"cache", "cookies"` {
		t.Errorf("signing out clears %q", got)
	}
	answer, _ = phone.get(draft)
	if where := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(where, "/sign-in") {
		t.Errorf("after signing out her draft answers %s, %s", answer.Status, where)
	}
	phone.CheckRedirect = nil

	_, page = phone.signIn(husband, "/me")
	if strings.Contains(page, application[1]) {
		t.Error("he sees her draft on his page")
	}
	for _, hers := range []string{draft, draft + "/check", event, event + "/proof"} {
		if answer, _ := phone.get(hers); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %s to him", hers, answer.Status)
		}
	}
	if _, readings := phone.get("/me/readings"); strings.Contains(readings, event) {
		t.Error("he sees who read her data")
	}
}
