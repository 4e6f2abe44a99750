package script

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"yagona/web/provider"
	"yagona/web/route"
	"yagona/web/signin"
	"yagona/web/ui"
)

// known are the people whom the tests' provider knows: anybody with a number.
type known struct{}

func (known) Search(context.Context, string, int) ([]provider.Person, error) { return nil, nil }

func (known) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	return provider.Person{Number: number, Name: "Synthetic Person"}, true, nil
}

// openProvider starts an OpenID Connect provider on a port of its own, for a site on a port that is free. It sets ISSUER,
// SITE and LISTEN.
func openProvider(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 0 {
		ts.Fatalf("usage: provider")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	listen := free.Addr().String()
	ts.Check(free.Close())
	words, err := ui.Words()
	ts.Check(err)
	house, err := ui.New("Provider of the tests", words)
	ts.Check(err)
	var router *route.Router
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { router.ServeHTTP(w, r) }))
	ts.Defer(server.Close)
	issuer, err := url.Parse(server.URL + "/national")
	ts.Check(err)
	playing, err := provider.New(provider.Config{
		Demonstration: true, Issuer: issuer, House: house, Clock: time.Now, People: known{},
		Clients: []provider.Client{{ID: "yagona", Secret: "secret", Redirects: []string{"http://" + listen + signin.ReturnPath}}},
	})
	ts.Check(err)
	router = route.New(route.Config{ErrorPage: house.ErrorPage, Say: house.Say, Languages: []string{"en"}, Now: time.Now})
	router.Add(playing.Routes()...)
	ts.Setenv("ISSUER", issuer.String())
	ts.Setenv("SITE", "http://"+listen)
	ts.Setenv("LISTEN", listen)
}

var (
	hiddenInput = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
	inputName   = regexp.MustCompile(`name="([^"]*)"`)
	inputValue  = regexp.MustCompile(`value="([^"]*)"`)
)

// surfer is a browser without scripts.
type surfer struct {
	ts   *testscript.TestScript
	http *http.Client
	at   *url.URL
	page string
}

func (s *surfer) show(response *http.Response, err error) {
	s.ts.Check(err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	s.ts.Check(err)
	s.at, s.page = response.Request.URL, string(content)
	if response.StatusCode != http.StatusOK {
		s.ts.Fatalf("%s answered %d:\n%s", s.at, response.StatusCode, s.page)
	}
}

func (s *surfer) get(address string) { s.show(s.http.Get(address)) }

// post sends the hidden values of the page with the given ones.
func (s *surfer) post(address string, values url.Values) {
	for _, input := range hiddenInput.FindAllString(s.page, -1) {
		name, value := inputName.FindStringSubmatch(input), inputValue.FindStringSubmatch(input)
		if name != nil && value != nil && !values.Has(name[1]) {
			values.Set(name[1], strings.ReplaceAll(value[1], "&amp;", "&"))
		}
	}
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(values.Encode()))
	s.ts.Check(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", request.URL.Scheme+"://"+request.URL.Host)
	s.show(s.http.Do(request))
}

// signedIn returns the browser of the person with the number, back from the provider.
func signedIn(ts *testscript.TestScript, number string) *surfer {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	s := &surfer{ts: ts, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	s.get(ts.Getenv("SITE") + signin.SignInPath + "?next=/me")
	there := *s.at
	there.RawQuery = ""
	s.post(there.String(), url.Values{"person": {number}})
	return s
}

// visit signs a person in and shows a page, which is written to page.html: visit NUMBER PATH.
func visit(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: visit NUMBER PATH")
	}
	s := signedIn(ts, args[0])
	s.get(ts.Getenv("SITE") + args[1])
	ts.Check(os.WriteFile(ts.MkAbs("page.html"), []byte(s.page), 0o600))
}

// obtain signs a person in, applies for a service that asks nothing, and writes the document that comes out into
// document.pdf: obtain NUMBER SERVICE.
func obtain(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: obtain NUMBER SERVICE")
	}
	s, site := signedIn(ts, args[0]), ts.Getenv("SITE")
	s.get(site + "/services/" + args[1])
	s.post(site+"/services/"+args[1]+"/apply", url.Values{})
	application := regexp.MustCompile(`^/applications/[0-9a-f-]+`).FindString(s.at.Path)
	if application == "" {
		ts.Fatalf("applying leads to %s:\n%s", s.at, s.page)
	}
	s.get(site + application + "/check")
	s.post(site+application+"/submit", url.Values{})
	s.get(site + application)
	document := regexp.MustCompile(`/me/documents/[0-9a-f-]+`).FindString(s.page)
	if document == "" {
		ts.Fatalf("no document came out:\n%s", s.page)
	}
	s.get(site + document)
	if !bytes.HasPrefix([]byte(s.page), []byte("%PDF-")) {
		ts.Fatalf("the document is no PDF: %.40q", s.page)
	}
	ts.Check(os.WriteFile(ts.MkAbs("document.pdf"), []byte(s.page), 0o600))
	fmt.Fprintln(ts.Stdout(), "obtained", document)
}
