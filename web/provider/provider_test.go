package provider_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/session"
	"yagona/web/provider"
	"yagona/web/route"
	"yagona/web/ui"
)

type one provider.Person

func (o one) Search(context.Context, string, int) ([]provider.Person, error) {
	return []provider.Person{provider.Person(o)}, nil
}

func (o one) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	return provider.Person(o), number == o.Number, nil
}

const (
	number   = "00000000000001"
	callback = "https://client.example/callback"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B, as is the challenge
	proof    = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T) (*route.Router, *clock) {
	t.Helper()
	words, err := ui.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Sample services", words)
	if err != nil {
		t.Fatal(err)
	}
	hands := &clock{time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	playing, err := provider.New(provider.Config{
		Demonstration: true, Issuer: &url.URL{
			Scheme: "http", Host: "127.0.0.1:1", Path: "/demo",
		}, House: house, Clock: hands.now,
		Clients: []provider.Client{
			{ID: "site", Secret: "secret", Redirects: []string{callback, "https://client.example/other"}},
			{ID: "public", Redirects: []string{callback}},
		},
		People: one{Number: number, Name: "Nodira Namuna"},
	})
	if err != nil {
		t.Fatal(err)
	}
	router := route.New(route.Config{
		ErrorPage: house.ErrorPage, Now: hands.now,
		Recognise: func(context.Context, session.Token) (session.Session, []access.Appointment, error) {
			return session.Session{}, nil, fault.New(fault.Unauthorized, "session.ended", "Sign in again.")
		},
	})
	router.Add(playing.Routes()...)
	return router, hands
}

func ask() url.Values {
	return url.Values{
		"client_id": {"site"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"},
		"nonce": {"n"}, "code_challenge": {proof}, "code_challenge_method": {"S256"},
	}
}

func send(router http.Handler, method, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path+"?"+form.Encode(), nil)
	if method == http.MethodPost {
		r = httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	return w
}

func TestItStartsInDemonstrationModeOnly(t *testing.T) {
	if _, err := provider.New(provider.Config{}); fault.Code(err) != "provider.demonstration-only" {
		t.Errorf("got %v", err)
	}
}

func TestAWishIsCheckedBeforeAnyoneIsAsked(t *testing.T) {
	for name, row := range map[string]struct {
		key, value string
		status     int
		code       string // goes back to the client; empty: told here, for nobody knows where that would lead
	}{
		"nothing wrong":             {"state", "s", 200, ""},
		"an unknown client":         {"client_id", "x", 422, ""},
		"another address":           {"redirect_uri", "https://evil.example/", 422, ""},
		"a longer address":          {"redirect_uri", callback + "/more", 422, ""},
		"an address with a query":   {"redirect_uri", callback + "?x=y", 422, ""},
		"an address in upper case":  {"redirect_uri", "https://CLIENT.example/callback", 422, ""},
		"an implicit flow":          {"response_type", "id_token", 303, "unsupported_response_type"},
		"no openid":                 {"scope", "profile", 303, "invalid_scope"},
		"no challenge":              {"code_challenge", "", 303, "invalid_request"},
		"a plain challenge":         {"code_challenge_method", "plain", 303, "invalid_request"},
		"no page may be shown":      {"prompt", "none", 303, "login_required"},
		"a form that says the same": {"do", "", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			router, _ := open(t)
			form := ask()
			form.Set(row.key, row.value)
			w := send(router, "GET", "/demo/authorize", form)
			if w.Code != row.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			there, err := url.Parse(w.Header().Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			if got := there.Query().Get("error"); got != row.code || row.code != "" && !strings.HasPrefix(there.String(), callback+"?") {
				t.Errorf("%s to %s", got, there)
			}
			if row.status == 200 && (!strings.Contains(w.Body.String(), "Demonstration only") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self' https://client.example;")) {
				t.Errorf("the page does not say what it is, or its form may not lead back: %s", w.Header().Get("Content-Security-Policy"))
			}
		})
	}
}

// code chooses the person and returns the code that goes back to the client.
func code(t *testing.T, router http.Handler, form url.Values) string {
	t.Helper()
	form.Set("person", number)
	w := send(router, "POST", "/demo/authorize", form)
	there, err := url.Parse(w.Header().Get("Location"))
	if err != nil || there.Query().Get("code") == "" || there.Query().Get("state") != "s" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Location"))
	}
	return there.Query().Get("code")
}

func TestACodeIsHeldToAllThatItWasGivenFor(t *testing.T) {
	if sum := sha256.Sum256([]byte(verifier)); base64.RawURLEncoding.EncodeToString(sum[:]) != proof {
		t.Fatal("verifier and challenge do not belong together")
	}
	for name, row := range map[string]struct {
		change func(form url.Values, hands *clock)
		want   string
	}{
		"right":            {func(url.Values, *clock) {}, ""},
		"another verifier": {func(f url.Values, _ *clock) { f.Set("code_verifier", verifier+"x") }, "invalid_grant"},
		"no verifier":      {func(f url.Values, _ *clock) { f.Del("code_verifier") }, "invalid_grant"},
		"another address": {
			func(f url.Values, _ *clock) { f.Set("redirect_uri", "https://client.example/other") }, "invalid_grant",
		},
		"another client": {
			func(f url.Values, _ *clock) { f.Set("client_id", "public"); f.Del("client_secret") }, "invalid_grant",
		},
		"another secret":    {func(f url.Values, _ *clock) { f.Set("client_secret", "x") }, "invalid_client"},
		"no secret":         {func(f url.Values, _ *clock) { f.Del("client_secret") }, "invalid_client"},
		"an unknown client": {func(f url.Values, _ *clock) { f.Set("client_id", "x") }, "invalid_client"},
		"another grant type": {
			func(f url.Values, _ *clock) { f.Set("grant_type", "password") }, "unsupported_grant_type",
		},
		"after a minute": {func(_ url.Values, h *clock) { h.at = h.at.Add(61 * time.Second) }, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			router, hands := open(t)
			form := url.Values{
				"grant_type": {"authorization_code"}, "code": {code(t, router, ask())}, "redirect_uri": {callback},
				"code_verifier": {verifier}, "client_id": {"site"}, "client_secret": {"secret"},
			}
			row.change(form, hands)
			w := send(router, "POST", "/demo/token", form)
			var got struct{ Error, IDToken string }
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Error != row.want || (w.Code == 200) != (row.want == "") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

func TestACodeThatComesTwiceTakesItsTokenBack(t *testing.T) {
	router, _ := open(t)
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code(t, router, ask())}, "redirect_uri": {callback}, "code_verifier": {verifier},
	}
	exchange := func() *httptest.ResponseRecorder {
		return send(router, "POST", "/demo/token", form, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("site:secret")))
	}
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(exchange().Body.Bytes(), &tokens); err != nil || tokens.Access == "" {
		t.Fatal(err)
	}
	who := func() *httptest.ResponseRecorder {
		return send(router, "GET", "/demo/userinfo", nil, "Authorization", "Bearer "+tokens.Access)
	}
	if w := who(); w.Code != 200 || !strings.Contains(w.Body.String(), number) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := exchange(); w.Code != 400 || !strings.Contains(w.Body.String(), "invalid_grant") {
		t.Errorf("the second time: %d %s", w.Code, w.Body)
	}
	if w := who(); w.Code != 401 {
		t.Errorf("the access token still works: %d %s", w.Code, w.Body)
	}
}

func TestAVisitorCanSearchMistypeAndCancel(t *testing.T) {
	router, _ := open(t)
	form := ask()
	form.Set("number", "99")
	if w := send(router, "POST", "/demo/authorize", form); w.Code != 422 || !strings.Contains(w.Body.String(), "Choose one of the people") {
		t.Errorf("a number of nobody: %d", w.Code)
	}
	form.Set("do", "search")
	form.Set("search", "Nodira")
	if w := send(router, "POST", "/demo/authorize", form); w.Code != 200 || !strings.Contains(w.Body.String(), `value="Nodira"`) {
		t.Errorf("a search: %d", w.Code)
	}
	form.Set("do", "cancel")
	if w := send(router, "POST", "/demo/authorize", form); !strings.Contains(w.Header().Get("Location"), "error=access_denied") {
		t.Errorf("cancelled: %s", w.Header().Get("Location"))
	}
}
