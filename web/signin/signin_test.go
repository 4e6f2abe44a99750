package signin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/session"
	"yagona/kernel/wording"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/web/provider"
	"yagona/web/route"
	"yagona/web/signin"
	"yagona/web/ui"
)

// people are the synthetic people of the tests: their numbers are no valid ones.
type people []provider.Person

func (p people) Search(_ context.Context, text string, limit int) (found []provider.Person, err error) {
	for _, one := range p {
		if strings.Contains(one.Name+one.Number, text) && len(found) < limit {
			found = append(found, one)
		}
	}
	return found, nil
}

func (p people) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	for _, one := range p {
		if one.Number == number {
			return one, true, nil
		}
	}
	return provider.Person{}, false, nil
}

type directory map[string]ident.Person

func (d directory) ByNumber(_ context.Context, number string) (ident.Person, error) {
	if found, ok := d[number]; ok {
		return found, nil
	}
	return "", fault.New(fault.NotFound, "person.unknown", "Unknown.")
}

type office map[ident.Person][]access.Appointment

func (o office) Appointments(_ context.Context, person ident.Person, _ time.Time) ([]access.Appointment, error) {
	return o[person], nil
}

// site is a whole site with the demonstration's provider, as a browser or a program meets it.
type site struct {
	*httptest.Server
	log     *bytes.Buffer // written by requests one after the other
	shift   *atomic.Int64 // of the site's clock, in nanoseconds
	browser *http.Client
	base    *url.URL
}

const (
	nodira, anvar, stranger = "00000000000001", "00000000000002", "00000000000003"
	program                 = "program"
)

func open(t *testing.T) *site {
	t.Helper()
	s := &site{log: &bytes.Buffer{}, shift: &atomic.Int64{}}
	clock := func() time.Time { return time.Now().Add(time.Duration(s.shift.Load())) }
	db, err := sqlite.Temporary(t.Context(), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	words, err := ui.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Sample services", words)
	if err != nil {
		t.Fatal(err)
	}
	var router *route.Router
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { router.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	if s.base, err = url.Parse(s.URL); err != nil {
		t.Fatal(err)
	}
	issuer := s.base.JoinPath("demo-sign-in")
	playing, err := provider.New(provider.Config{
		Demonstration: true, Issuer: issuer, House: house, Clock: clock,
		Clients: []provider.Client{
			{ID: "site", Secret: "s3cret & more", Redirects: []string{s.URL + signin.ReturnPath}},
			{ID: program, Redirects: []string{"http://127.0.0.1:1/callback"}},
			{ID: "foreign", Redirects: []string{"http://127.0.0.1:1/callback"}},
		},
		People: people{
			{Number: nodira, Name: "Nodira Namuna", About: wording.Text{"en": "22"}},
			{Number: anvar, Name: "Anvar Namuna", About: wording.Text{"en": "chair"}},
			{Number: stranger, Name: "Nobody Known"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	store := query.For[session.Reader, session.Tx](db)
	service := signin.New(signin.Config{
		Provider: signin.Provider{
			Issuer: issuer.String(), Client: "site", Secret: "s3cret & more", Programs: []string{program}, Number: provider.NumberClaim,
		},
		Site: s.base, Sessions: session.New(store, clock, session.Limits{}), Clock: clock,
		Directory: directory{nodira: "p-nodira", anvar: "p-anvar"},
		Office: office{"p-anvar": {
			{ID: "a1", Agency: "mahalla", Role: "chair", Territory: "1"}, {
				ID: "a2", Agency: "social", Role: "inspector", Territory: "1",
			},
		}},
	})
	router = route.New(route.Config{
		Recognise: service.Recognise, SignIn: signin.SignInPath, ErrorPage: house.ErrorPage, Say: house.Say, Languages: []string{"en"},
		Answers: session.NewAnswers(store, time.Minute), Now: clock, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	router.Add(house.Routes()...)
	router.Add(service.Routes()...)
	router.Add(playing.Routes()...)
	router.Add(
		route.Route{Method: "GET", Pattern: "/{$}", Access: route.Public(), Handle: who},
		route.Route{Method: "GET", Pattern: "/mine", Access: route.SignedIn(), Handle: who},
		route.Route{Method: "GET", Pattern: "/desk", Access: route.Role("inspector"), Handle: who},
	)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.browser = &http.Client{Jar: jar, Timeout: 10 * time.Second}
	return s
}

// who answers with who the visitor is, and as what they act.
func who(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
	acting := ""
	if v.Actor.Appointment != nil {
		acting = " as " + string(v.Actor.Appointment.Role)
	}
	_, err := io.WriteString(w, r.URL.RequestURI()+": "+string(v.Actor.Person)+acting)
	return err
}

func (s *site) get(t *testing.T, target string) (int, string, *url.URL) {
	t.Helper()
	answer, err := s.browser.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, answer)
}

func (s *site) post(t *testing.T, target string, form url.Values) (int, string, *url.URL) {
	t.Helper()
	answer, err := s.browser.PostForm(target, form)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, answer)
}

func read(t *testing.T, answer *http.Response) (int, string, *url.URL) {
	t.Helper()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Request.URL
}

// hidden returns the hidden inputs of a page's form.
func hidden(t *testing.T, page string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	values := url.Values{}
	for node := range root.Descendants() {
		attributes := map[string]string{}
		for _, one := range node.Attr {
			attributes[one.Key] = one.Val
		}
		if node.Data == "input" && attributes["type"] == "hidden" {
			values.Set(attributes["name"], attributes["value"])
		}
	}
	if len(values) == 0 {
		t.Fatalf("no form on the page: %s", page)
	}
	return values
}

// signIn goes through the provider's page as a browser does.
func (s *site) signIn(t *testing.T, target, number string) (int, string, *url.URL) {
	t.Helper()
	_, page, there := s.get(t, s.URL+target)
	form := hidden(t, page)
	form.Set("person", number)
	there.RawQuery = ""
	return s.post(t, there.String(), form)
}

func TestAResidentSignsInAndIsBackWhereTheyWantedToBe(t *testing.T) {
	s := open(t)
	status, page, at := s.signIn(t, "/mine?page=2", nodira)
	if status != 200 || page != "/mine?page=2: p-nodira" || strings.Contains(at.String(), nodira) {
		t.Fatalf("%d %s at %s", status, page, at)
	}
	s.Close() // all requests are logged
	if log := s.log.String(); strings.Contains(log, nodira) || strings.Contains(log, "p-nodira") || !strings.Contains(log, "/sign-in/return") {
		t.Errorf("the log tells who it was: %s", log)
	}
}

func TestASessionLastsUntilItIsSignedOut(t *testing.T) {
	s := open(t)
	s.signIn(t, "/mine", nodira)
	if _, page, _ := s.get(t, s.URL+"/mine"); page != "/mine: p-nodira" {
		t.Errorf("the session is lost: %s", page)
	}
	if _, page, at := s.post(t, s.URL+signin.SignOutPath, nil); page != "/: " || at.Path != "/" {
		t.Errorf("after signing out: %s at %s", page, at)
	}
	if _, _, at := s.get(t, s.URL+"/mine"); at.Path != "/demo-sign-in/authorize" {
		t.Errorf("still signed in at %s", at)
	}
}

func TestASignInReturnsToThisSiteOnly(t *testing.T) {
	s := open(t)
	if _, page, _ := s.signIn(t, signin.SignInPath+"?next=//evil.example/", nodira); page != "/: p-nodira" {
		t.Errorf("got %s", page)
	}
}

func TestASignInThatDoesNotHoldIsRefused(t *testing.T) {
	for name, one := range map[string]struct {
		change func(s *site, back *url.URL)
		status int
		says   string
	}{
		"untouched":       {func(*site, *url.URL) {}, 200, "p-nodira"},
		"another state":   {set("state", "forged"), 401, "Begin again"},
		"no state":        {set("state", ""), 401, "Begin again"},
		"another code":    {set("code", "forged"), 401, "Begin again"},
		"stopped":         {set("code", ""), 401, "stopped"},
		"another browser": {func(s *site, _ *url.URL) { s.browser.Jar = nil }, 401, "Begin again"},
		"a code older than a minute": {
			func(s *site, _ *url.URL) { s.shift.Store(int64(61 * time.Second)) }, 401, "Begin again",
		},
		"a code of just under minute": {
			func(s *site, _ *url.URL) { s.shift.Store(int64(50 * time.Second)) }, 200, "p-nodira",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			back := s.codeFor(t, nodira)
			one.change(s, back)
			status, page, _ := s.get(t, back.String())
			if status != one.status || !strings.Contains(page, one.says) {
				t.Errorf("%d %s", status, page)
			}
		})
	}
}

func set(name, value string) func(*site, *url.URL) {
	return func(_ *site, back *url.URL) {
		query := back.Query()
		query.Set(name, value)
		back.RawQuery = query.Encode()
	}
}

// codeFor goes as far as the provider's answer and returns the address to which it sends the browser.
func (s *site) codeFor(t *testing.T, number string) *url.URL {
	t.Helper()
	var back *url.URL
	s.browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == signin.ReturnPath {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	s.signIn(t, signin.SignInPath, number)
	s.browser.CheckRedirect = nil
	if back == nil {
		t.Fatal("the provider did not send the browser back")
	}
	return back
}

func TestACodeIsGoodOnce(t *testing.T) {
	s := open(t)
	back := s.codeFor(t, nodira)
	jar := s.browser.Jar.Cookies(s.base)
	if status, page, _ := s.get(t, back.String()); status != 200 {
		t.Fatalf("%d %s", status, page)
	}
	s.browser.Jar.SetCookies(s.base, jar) // the attempt's cookie, kept by a thief
	if status, _, _ := s.get(t, back.String()); status != 401 {
		t.Errorf("the second time: %d", status)
	}
}

func TestAPersonWhomTheDirectoryDoesNotKnowStaysOutside(t *testing.T) {
	s := open(t)
	status, page, _ := s.signIn(t, "/mine", stranger)
	if status != 403 || !strings.Contains(page, "not known here") || strings.Contains(page, stranger) {
		t.Errorf("%d %s", status, page)
	}
}

func TestAnOfficialChoosesAmongTheirOwnAppointments(t *testing.T) {
	s := open(t)
	s.signIn(t, "/mine", anvar)
	if status, _, _ := s.get(t, s.URL+"/desk"); status != 403 {
		t.Errorf("without a choice: %d", status)
	}
	work := func(appointment string) (int, string) {
		status, page, _ := s.post(t, s.URL+signin.AppointmentPath, url.Values{
			"appointment": {appointment}, "next": {"/desk"},
		})
		return status, page
	}
	if status, _ := work("a1"); status != 403 {
		t.Errorf("as chair at the inspectors' desk: %d", status)
	}
	if status, page := work("a2"); status != 200 || page != "/desk: p-anvar as inspector" {
		t.Errorf("as inspector: %d %s", status, page)
	}
	if status, page := work("a3"); status != 403 || !strings.Contains(page, "not an appointment that you hold") {
		t.Errorf("another's appointment: %d", status)
	}
	if _, page, _ := s.get(t, s.URL+"/desk"); page != "/desk: p-anvar as inspector" {
		t.Errorf("the choice is lost: %s", page)
	}
}

func TestASilentProviderIsNoDeadEnd(t *testing.T) {
	s := open(t)
	service := signin.New(signin.Config{
		Provider: signin.Provider{Issuer: "http://127.0.0.1:1/nothing", Client: "site"}, Site: s.base, Clock: time.Now,
	})
	router := route.New(route.Config{Recognise: service.Recognise})
	router.Add(service.Routes()...)
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequest("GET", signin.SignInPath, nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "Try again in a few minutes") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// call is what a program does with the API.
func (s *site) call(t *testing.T, method, path string, token session.Token, content string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if content == "" {
		r.Body, r.ContentLength = nil, 0
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	status, body, _ := read(t, answer)
	var decoded map[string]any
	if body != "" {
		if err := json.Unmarshal([]byte(body), &decoded); err != nil {
			t.Fatalf("%d %s: %v", status, body, err)
		}
	}
	return status, decoded
}

func TestAProgramExchangesAnIDTokenForASession(t *testing.T) {
	s := open(t)
	proof := s.idToken(t, program, anvar)
	status, begun := s.call(t, "POST", "/api/v1/sessions", "", `{"id_token":"`+proof+`"}`)
	if status != 201 || begun["person"] != "p-anvar" || len(begun["appointments"].([]any)) != 2 {
		t.Fatalf("%d %v", status, begun)
	}
	token := session.Token(begun["token"].(string))
	if status, again := s.call(t, "POST", "/api/v1/sessions", "", `{"id_token":"`+proof+`"}`); status != 401 || again["type"] != "urn:yagona:problem:session.proof-used" {
		t.Errorf("the same ID token again: %d %v", status, again)
	}
	if status, _ := s.call(t, "PUT", "/api/v1/sessions/current", token, `{"appointment":"a9"}`); status != 403 {
		t.Errorf("another's appointment: %d", status)
	}
	if status, now := s.call(t, "PUT", "/api/v1/sessions/current", token, `{"appointment":"a2"}`); status != 200 || now["appointment"] != "a2" {
		t.Errorf("%d %v", status, now)
	}
	if status, now := s.call(t, "GET", "/api/v1/sessions/current", token, ""); status != 200 || now["appointment"] != "a2" || now["token"] != nil {
		t.Errorf("%d %v", status, now)
	}
	if status, _ := s.call(t, "DELETE", "/api/v1/sessions/current", token, ""); status != 204 {
		t.Errorf("%d", status)
	}
	if status, _ := s.call(t, "GET", "/api/v1/sessions/current", token, ""); status != 401 {
		t.Errorf("after its end: %d", status)
	}
}

func TestAnIDTokenThatDoesNotHoldOpensNoSession(t *testing.T) {
	for name, one := range map[string]struct {
		client string
		change func(s *site, token string) string
	}{
		"of another client": {"foreign", func(_ *site, token string) string { return token }},
		"old":               {program, func(s *site, token string) string { s.shift.Store(int64(6 * time.Minute)); return token }},
		"with another claim": {
			program, func(_ *site, token string) string {
				middle, letter := len(token)/2, "A"
				if token[middle] == 'A' {
					letter = "B"
				}
				return token[:middle] + letter + token[middle+1:]
			},
		},
		"unsigned": {
			program, func(_ *site, token string) string { return token[:strings.LastIndexByte(token, '.')+1] },
		},
		"nothing": {program, func(*site, string) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			token := one.change(s, s.idToken(t, one.client, nodira))
			if status, got := s.call(t, "POST", "/api/v1/sessions", "", `{"id_token":"`+token+`"}`); status != 401 || got["type"] != "urn:yagona:problem:signin.not-trusted" {
				t.Errorf("%d %v", status, got)
			}
		})
	}
}
