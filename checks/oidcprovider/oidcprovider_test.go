// Package oidcprovider signs in with an identity provider that other people wrote: github.com/zitadel/oidc. It gives what it
// knows of a person at its UserInfo endpoint, as most do; the provider of the demonstration writes it into the ID token.
package oidcprovider

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/session"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/web/route"
	"yagona/web/signin"
	"yagona/web/ui"
)

const numberClaim = "national_number"

// registry is the provider's store of people, which knows their national numbers.
type registry struct {
	*storage.Storage
	number any // of whoever signs in; nil: it knows none
}

func (r registry) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, token, subject, origin string) error {
	if r.number != nil {
		info.AppendClaims(numberClaim, r.number)
	}
	return r.Storage.SetUserinfoFromToken(ctx, info, token, subject, origin)
}

type directory map[string]ident.Person

func (d directory) ByNumber(_ context.Context, number string) (ident.Person, error) {
	if found, ok := d[number]; ok {
		return found, nil
	}
	return "", fault.New(fault.NotFound, "person.unknown", "Unknown.")
}

type office struct{}

func (office) Appointments(context.Context, ident.Person, time.Time) ([]access.Appointment, error) {
	return nil, nil
}

// signIn signs in at a site by that provider, as a browser does, and returns what the site answers in the end.
func signIn(t *testing.T, number any) (int, string) {
	t.Helper()
	db, err := sqlite.Temporary(t.Context(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	words, err := ui.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Sample services", words)
	if err != nil {
		t.Fatal(err)
	}
	var pages, login http.Handler
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pages.ServeHTTP(w, r) }))
	t.Cleanup(site.Close)
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { login.ServeHTTP(w, r) }))
	t.Cleanup(there.Close)

	storage.RegisterClients(storage.WebClient("site", "s3cret", site.URL+signin.ReturnPath))
	login = exampleop.SetupServer(there.URL, registry{storage.NewStorage(storage.NewUserStore(there.URL)), number}, slog.New(slog.DiscardHandler), false,
		op.WithAllowInsecure())

	base, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	store := query.For[session.Reader, session.Tx](db)
	service := signin.New(signin.Config{
		Provider: signin.Provider{Issuer: there.URL, Client: "site", Secret: "s3cret", Number: numberClaim, Scopes: []string{"profile"}},
		Site:     base, Sessions: session.New(store, time.Now, session.Limits{}), Clock: time.Now,
		Directory: directory{"00000000000001": "p-nodira"}, Office: office{},
	})
	router := route.New(route.Config{
		Recognise: service.Recognise, SignIn: signin.SignInPath, ErrorPage: house.ErrorPage, Say: house.Say, Languages: []string{"en"},
		Answers: session.NewAnswers(store, time.Minute), Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	router.Add(service.Routes()...)
	router.Add(route.Route{Method: "GET", Pattern: "/mine", Access: route.SignedIn(), Handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
		_, err := io.WriteString(w, "here is "+string(v.Actor.Person))
		return err
	}})
	pages = router

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	form, err := browser.Get(site.URL + signin.SignInPath + "?next=/mine")
	if err != nil {
		t.Fatal(err)
	}
	page := content(t, form)
	request := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)
	if request == nil {
		t.Fatalf("the provider asks for no password (%s):\n%s", form.Status, page)
	}
	host := strings.Split(strings.TrimPrefix(there.URL, "http://"), ":")[0]
	answer, err := browser.PostForm(there.URL+"/login/username", url.Values{"username": {"test-user@" + host}, "password": {"verysecure"}, "id": {request[1]}})
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, content(t, answer)
}

func content(t *testing.T, answer *http.Response) string {
	t.Helper()
	read, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(read)
}

func TestAnybodysProviderProvesWhoPeopleAre(t *testing.T) {
	if status, page := signIn(t, "00000000000001"); status != http.StatusOK || page != "here is p-nodira" {
		t.Errorf("%d: %s", status, page)
	}
}

func TestWhomTheProviderHasNoNumberOfIsNotSignedIn(t *testing.T) {
	for name, number := range map[string]any{"none": nil, "another's": "00000000000002", "no text": 1} {
		t.Run(name, func(t *testing.T) {
			if status, page := signIn(t, number); status != http.StatusForbidden && status != http.StatusUnauthorized || strings.Contains(page, "here is") {
				t.Errorf("%d: %s", status, page)
			}
		})
	}
}
