package route_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/session"
	"yagona/web/route"
)

// The people whom the tests know, by token.
const (
	resident = session.Token("resident")
	other    = session.Token("other")
	chair    = session.Token("chair")  // one appointment
	hats     = session.Token("hats")   // two appointments, none chosen
	chosen   = session.Token("chosen") // two appointments, the second chosen
	stale    = session.Token("stale")  // chose an appointment that is over
	broken   = session.Token("broken") // the records can't be read
	nobody   = session.Token("nobody") // no session
	empty    = session.Token("")       // no token at all
	aPerson  = ident.Person("5f0c6a52-0f3f-4c53-9d0e-52c2f5a4c001")
	aChair   = ident.Appointment("a-chair")
	aLeader  = ident.Appointment("a-leader")
	anOldOne = ident.Appointment("over")
)

func recognise(_ context.Context, token session.Token) (session.Session, []access.Appointment, error) {
	person := ident.Person("person-of-" + token)
	asChair := access.Appointment{ID: aChair, Agency: "mahalla", Role: "chair", Territory: "1726290"}
	asLeader := access.Appointment{ID: aLeader, Agency: "youth-agency", Role: "youth-leader", Territory: "1726290"}
	held, work := []access.Appointment(nil), ident.Appointment("")
	switch token {
	case resident:
		person = aPerson
	case other:
	case chair:
		held = []access.Appointment{asChair}
	case hats:
		held = []access.Appointment{asChair, asLeader}
	case chosen:
		held, work = []access.Appointment{asChair, asLeader}, aLeader
	case stale:
		held, work = []access.Appointment{asChair}, anOldOne
	case broken:
		return session.Session{}, nil, errors.New("disk is on fire")
	default:
		return session.Session{}, nil, fault.New(fault.Unauthorized, "session.ended", "Sign in again.")
	}
	return session.Session{ID: ident.Session("session-of-" + token), Person: person, Appointment: work}, held, nil
}

func say(text string) route.Handler {
	return func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
		_, err := fmt.Fprintf(w, "%s in %s", text, v.Language)
		return err
	}
}

func fail(err error) route.Handler {
	return func(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
		w.Header().Set("ETag", `"half"`)
		fmt.Fprint(w, "half an answer")
		return err
	}
}

type request struct {
	method, target, body string
	token                session.Token
	header               map[string]string
}

func ask(t *testing.T, handler http.Handler, q request) *http.Response {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodGet
	}
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r := httptest.NewRequest(q.method, q.target, body)
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+string(q.token))
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func problem(t *testing.T, answer *http.Response) route.Problem {
	t.Helper()
	body := text(t, answer)
	found, ok := route.ReadProblem(answer.Header.Get("Content-Type"), []byte(body))
	if !ok {
		t.Fatalf("%d %s is no problem: %s", answer.StatusCode, answer.Header.Get("Content-Type"), body)
	}
	if found.Status != answer.StatusCode {
		t.Errorf("the problem says status %d, the answer %d", found.Status, answer.StatusCode)
	}
	return found
}

func TestARouteSaysWhoMayCallIt(t *testing.T) {
	good := route.Route{Method: "GET", Pattern: "/x/{person}", Access: route.Public(), Handle: say("x")}
	for name, change := range map[string]func(*route.Route){
		"no access":               func(r *route.Route) { r.Access = route.Access{} },
		"no method":               func(r *route.Route) { r.Method = "" },
		"a method of its own":     func(r *route.Route) { r.Method = "BREW" },
		"no slash":                func(r *route.Route) { r.Pattern = "x" },
		"no handler":              func(r *route.Route) { r.Handle = nil },
		"a GET with a body":       func(r *route.Route) { r.Body = 1 },
		"a negative limit":        func(r *route.Route) { r.Timeout = -1 },
		"a subject not in path":   func(r *route.Route) { r.Access = route.SubjectOnly("applicant") },
		"a pattern nobody parses": func(r *route.Route) { r.Pattern = "/x/{" },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			change(&bad)
			defer func() {
				if recover() == nil {
					t.Error("the route was registered")
				}
			}()
			route.New(route.Config{Recognise: recognise}).Add(bad)
		})
	}
	router := route.New(route.Config{Recognise: recognise})
	good.Access = route.SubjectOnly("person")
	router.Add(good)
	router.Add(route.Route{
		Method: "POST", Pattern: "/desk", Access: route.Role("chair", "youth-leader"), Body: 64, Timeout: time.Second,
		Face: route.Program, Handle: say("x"),
	})
	want := []route.Info{
		{
			Method: "POST", Pattern: "/desk", Access: "role chair, youth-leader", Face: "program", Body: 64, Timeout: time.Second,
		},
		{Method: "GET", Pattern: "/x/{person}", Access: "subject {person}", Face: "page", Timeout: 10 * time.Second},
	}
	if diff := cmp.Diff(want, router.Routes()); diff != "" {
		t.Error(diff)
	}
}

func TestAccessIsHeldForEveryIdentity(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	for name, access := range map[string]route.Access{
		"public": route.Public(), "signed-in": route.SignedIn(), "official": route.Official(), "chair": route.Role("chair"),
		"leader": route.Role("youth-leader", "inspector"),
	} {
		router.Add(route.Route{
			Method: "GET", Pattern: "/" + name, Face: route.Program, Access: access, Handle: say(name),
		})
	}
	router.Add(route.Route{
		Method: "GET", Pattern: "/people/{person}", Face: route.Program, Access: route.SubjectOnly("person"), Handle: say("mine"),
	})
	mine := "/people/" + string(aPerson)
	table := map[session.Token]map[string]string{ // path to the code of the refusal, "" for none
		empty: {
			"/public": "", "/signed-in": "access.sign-in", mine: "access.sign-in", "/official": "access.sign-in",
			"/chair": "access.sign-in", "/leader": "access.sign-in",
		},
		nobody: {
			"/public": "", "/signed-in": "session.ended", mine: "session.ended", "/official": "session.ended",
			"/chair": "session.ended", "/leader": "session.ended",
		},
		resident: {
			"/public": "", "/signed-in": "", mine: "", "/official": "access.officials-only", "/chair": "access.officials-only",
			"/leader": "access.officials-only",
		},
		other: {
			"/public": "", "/signed-in": "", mine: "access.not-yours", "/official": "access.officials-only",
			"/chair": "access.officials-only", "/leader": "access.officials-only",
		},
		chair: {
			"/public": "", "/signed-in": "", mine: "access.not-yours", "/official": "", "/chair": "",
			"/leader": "access.other-role",
		},
		hats: {
			"/public": "", "/signed-in": "", mine: "access.not-yours", "/official": "access.choose-appointment",
			"/chair": "access.choose-appointment", "/leader": "access.choose-appointment",
		},
		chosen: {
			"/public": "", "/signed-in": "", mine: "access.not-yours", "/official": "", "/chair": "access.other-role",
			"/leader": "",
		},
		stale: {
			"/public": "", "/signed-in": "", mine: "access.not-yours", "/official": "access.choose-appointment",
			"/chair": "access.choose-appointment", "/leader": "access.choose-appointment",
		},
		broken: {
			"/public": "internal", "/signed-in": "internal", mine: "internal", "/official": "internal", "/chair": "internal",
			"/leader": "internal",
		},
	}
	for token, row := range table {
		if len(row) != len(router.Routes()) {
			t.Fatalf("the row of %s has %d routes of %d", token, len(row), len(router.Routes()))
		}
		for path, code := range row {
			t.Run(string(token)+path, func(t *testing.T) {
				answer := ask(t, router, request{target: path, token: token})
				if code == "" {
					if answer.StatusCode != http.StatusOK {
						t.Errorf("refused: %s", text(t, answer))
					}
					return
				}
				if found := problem(t, answer); found.Code() != code {
					t.Errorf("got %s, want %s", found.Code(), code)
				}
			})
		}
	}
}

func TestAPageSendsStrangersToSignInAndBack(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise, SignIn: "/sign-in"})
	page := route.Route{Method: "GET", Pattern: "/inbox", Access: route.SignedIn(), Handle: say("inbox")}
	form := route.Route{Method: "POST", Pattern: "/inbox", Access: route.SignedIn(), Body: 100, Handle: say("done")}
	lone := route.Route{Method: "POST", Pattern: "/do", Access: route.SignedIn(), Body: 100, Handle: say("done")}
	router.Add(page, form, lone)
	for _, one := range []struct{ method, target, want string }{
		{"GET", "/inbox?page=2&lang=xx", "/sign-in?next=" + url.QueryEscape("/")},
		{"GET", "/inbox?page=2", "/sign-in?next=" + url.QueryEscape("/inbox?page=2")},
		{"POST", "/inbox", "/sign-in?next=" + url.QueryEscape("/inbox")},
		{"POST", "/do", "/sign-in?next=" + url.QueryEscape("/")},
	} {
		answer := ask(t, router, request{method: one.method, target: one.target})
		if strings.Contains(one.target, "lang=") { // first the language leaves the address
			answer = ask(t, router, request{target: answer.Header.Get("Location")})
			one.want = "/sign-in?next=" + url.QueryEscape("/inbox?page=2")
		}
		if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || got != one.want {
			t.Errorf("%s %s: %d to %s, want %s", one.method, one.target, answer.StatusCode, got, one.want)
		}
	}
}

func TestTheCookieCarriesTheSession(t *testing.T) {
	for name, secure := range map[string]bool{"session": false, "__Host-session": true} {
		router := route.New(route.Config{Recognise: recognise, Cookies: route.Cookies{Secure: secure}})
		router.Add(route.Route{
			Method: "GET", Pattern: "/me", Face: route.Program, Access: route.SignedIn(), Handle: say("me"),
		})
		if got := ask(t, router, request{target: "/me", header: map[string]string{"Cookie": name + "=resident"}}); got.StatusCode != 200 {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
		wrong := map[string]string{"Cookie": "x" + name + "=resident"}
		if got := ask(t, router, request{target: "/me", header: wrong}); got.StatusCode != 401 {
			t.Errorf("a cookie of another name: %d", got.StatusCode)
		}
		both := map[string]string{"Cookie": name + "=resident", "Authorization": "Basic eDp5"}
		if got := ask(t, router, request{target: "/me", header: both}); got.StatusCode != 401 {
			t.Errorf("another kind of authorization beside the cookie: %d", got.StatusCode)
		}
		w := httptest.NewRecorder()
		route.Cookies{Secure: secure}.Set(w, route.SessionCookie, "v", 0)
		want := name + "=v; Path=/; HttpOnly"
		if secure {
			want += "; Secure"
		}
		if got := w.Header().Get("Set-Cookie"); got != want+"; SameSite=Lax" {
			t.Errorf("Set-Cookie: %s", got)
		}
	}
}

func TestAnErrorReplacesWhatWasWritten(t *testing.T) {
	inner := errors.New("the password of the database is hunter2")
	joined := errors.Join(
		fault.New(fault.Invalid, "form.invalid", "Correct the marked answers."),
		fault.New(fault.Invalid, "price.too-low", "The least is 1.").At("ask.price").Because(inner),
		fmt.Errorf("wrapped: %w", fault.New(fault.Invalid, "trade.unknown", "Choose one.").At("ask.trade")),
	)
	for name, one := range map[string]struct {
		err    error
		status int
		code   string
		fields []string
	}{
		"unknown":  {inner, 500, "internal", nil},
		"internal": {errors.Join(fault.New(fault.Internal, "internal", "Sorry."), joined), 500, "internal", nil},
		"several":  {joined, 422, "form.invalid", []string{"ask.price", "ask.trade"}},
		"not found": {
			fault.New(fault.NotFound, "application.not-found", "There is none."), 404, "application.not-found", nil,
		},
		"erased": {fault.New(fault.Erased, "subject.erased", "Erased."), 410, "subject.erased", nil},
		"changed": {
			route.CheckMatch(httptest.NewRequest("PUT", "/", nil), `"1"`), 428, "http.precondition-required", nil,
		},
		"deadline": {fmt.Errorf("bank: %w", context.DeadlineExceeded), 503, "http.timeout", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			router := route.New(route.Config{Recognise: recognise, Log: slog.New(slog.NewJSONHandler(&log, nil))})
			router.Add(route.Route{
				Method: "GET", Pattern: "/api/{id}", Face: route.Program, Access: route.Public(), Handle: fail(one.err),
			})
			router.Add(route.Route{Method: "GET", Pattern: "/page", Access: route.Public(), Handle: fail(one.err)})
			answer := ask(t, router, request{target: "/api/secret-path"})
			found := problem(t, answer)
			if found.Code() != one.code || found.Status != one.status {
				t.Errorf("got %d %s", found.Status, found.Code())
			}
			var fields []string
			for _, f := range found.Fields {
				fields = append(fields, f.Field)
			}
			if diff := cmp.Diff(one.fields, fields); diff != "" {
				t.Error(diff)
			}
			if answer.Header.Get("ETag") != "" {
				t.Error("a header of the failed answer was sent")
			}
			if id := answer.Header.Get("X-Request-Id"); found.Instance != "urn:yagona:request:"+id || !strings.Contains(log.String(), id) {
				t.Errorf("the request id %s is not in the problem (%s) and the log (%s)", id, found.Instance, log.String())
			}
			if strings.Contains(log.String(), "secret-path") || !strings.Contains(log.String(), "/api/{id}") {
				t.Errorf("the log shows the path, not the pattern: %s", log.String())
			}
			page := ask(t, router, request{target: "/page"})
			words := text(t, page)
			if page.StatusCode != one.status || strings.Contains(words, "half") || strings.Contains(words, "hunter2") {
				t.Errorf("the page says %d %s", page.StatusCode, words)
			}
			if one.status == 500 && !strings.Contains(log.String(), "hunter2") {
				t.Errorf("the operator does not learn the inner error: %s", log.String())
			}
		})
	}
}

func TestAPanicIsAnErrorOfOursAndTheServerGoesOn(t *testing.T) {
	var log bytes.Buffer
	router := route.New(route.Config{Recognise: recognise, Log: slog.New(slog.NewTextHandler(&log, nil))})
	router.Add(route.Route{
		Method: "GET", Pattern: "/x", Face: route.Program, Access: route.Public(),
		Handle: func(http.ResponseWriter, *http.Request, route.Visitor) error { panic("at the disco") },
	})
	if found := problem(t, ask(t, router, request{target: "/x"})); found.Code() != "internal" || strings.Contains(found.Detail, "disco") {
		t.Errorf("got %+v", found)
	}
	if !strings.Contains(log.String(), "at the disco") || !strings.Contains(log.String(), "router_test.go") {
		t.Errorf("no stack in the log: %s", log.String())
	}
}

func TestWhatMeetsNoRouteIsAnErrorOfItsOwn(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	router.Add(route.Route{
		Method: "POST", Pattern: "/api/things", Face: route.Program, Access: route.Public(), Handle: say("x"),
	})
	if found := problem(t, ask(t, router, request{target: "/api/nothing"})); found.Code() != "http.not-found" {
		t.Errorf("got %+v", found)
	}
	answer := ask(t, router, request{target: "/api/things"})
	if found := problem(t, answer); found.Status != 405 || answer.Header.Get("Allow") != "POST" {
		t.Errorf("got %+v, Allow %s", found, answer.Header.Get("Allow"))
	}
	page := ask(t, router, request{target: "/nothing", header: map[string]string{"Accept": "text/html,*/*;q=0.8"}})
	if page.StatusCode != 404 || page.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("got %d %s", page.StatusCode, page.Header.Get("Content-Type"))
	}
	if got := page.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Errorf("the policy is %q", got)
	}
}

// What goes wrong before anybody is asked for is still told to somebody signed in as to somebody signed in.
func TestAnErrorPageKnowsWhoIsSignedIn(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise, ErrorPage: func(w http.ResponseWriter, _ *http.Request, v route.Visitor, problem route.Problem) error {
		w.WriteHeader(problem.Status)
		_, err := fmt.Fprint(w, v.Session.Person)
		return err
	}})
	router.Add(route.Route{Method: "POST", Pattern: "/photo", Face: route.Page, Access: route.SignedIn(), Body: 3, Handle: say("x")})
	for _, one := range []struct {
		name, method, target, body, cookie string
		status                             int
		shown                              ident.Person
	}{
		{"an address that there is not", "GET", "/nothing", "", "session=resident", 404, aPerson},
		{"what is too large", "POST", "/photo", "much too large", "session=resident", 413, aPerson},
		{"another method", "GET", "/photo", "", "session=resident", 405, aPerson},
		{"a session that is over", "GET", "/nothing", "", "session=nobody", 404, ""},
		{"records that cannot be read", "GET", "/nothing", "", "session=broken", 404, ""},
		{"nobody", "GET", "/nothing", "", "", 404, ""},
	} {
		answer := ask(t, router, request{method: one.method, target: one.target, body: one.body, header: map[string]string{"Accept": "text/html", "Cookie": one.cookie}})
		if shown := text(t, answer); answer.StatusCode != one.status || shown != string(one.shown) {
			t.Errorf("%s: %d, shown to %q", one.name, answer.StatusCode, shown)
		}
	}
}

func TestBodiesAreHeldToTheirLimit(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	read := func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		_, err = w.Write(content)
		return err
	}
	router.Add(
		route.Route{
			Method: "POST", Pattern: "/ten", Face: route.Program, Access: route.Public(), Body: 10, Handle: read,
		},
		route.Route{Method: "POST", Pattern: "/none", Face: route.Program, Access: route.Public(), Handle: read},
	)
	if got := text(t, ask(t, router, request{method: "POST", target: "/ten", body: "0123456789"})); got != "0123456789" {
		t.Errorf("got %s", got)
	}
	for _, target := range []string{"/ten", "/none"} {
		if found := problem(t, ask(t, router, request{method: "POST", target: target, body: "0123456789a"})); found.Status != 413 {
			t.Errorf("%s: got %+v", target, found)
		}
	}
	r := httptest.NewRequest("POST", "/ten", struct{ io.Reader }{strings.NewReader("0123456789a")}) // its length is not known
	r.ContentLength = -1
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	if found := problem(t, w.Result()); found.Status != 413 {
		t.Errorf("a body of unknown length: got %+v", found)
	}
}

func TestOtherSitesCannotActForTheVisitor(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	router.Add(
		route.Route{Method: "POST", Pattern: "/do", Access: route.Public(), Body: 10, Handle: say("done")},
		route.Route{Method: "GET", Pattern: "/do", Access: route.Public(), Handle: say("form")},
	)
	for _, one := range []struct {
		method string
		header map[string]string
		status int
	}{
		{"POST", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"POST", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"POST", map[string]string{"Origin": "https://elsewhere.example"}, 403},
		{"POST", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"POST", nil, 200}, // a program
		{"GET", map[string]string{"Sec-Fetch-Site": "cross-site"}, 200},
	} {
		if got := ask(t, router, request{method: one.method, target: "/do", header: one.header}); got.StatusCode != one.status {
			t.Errorf("%s %v: got %d, want %d", one.method, one.header, got.StatusCode, one.status)
		}
	}
}

func TestAHandlerLearnsThatItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := route.New(route.Config{Recognise: recognise})
		router.Add(route.Route{
			Method: "GET", Pattern: "/slow", Face: route.Program, Access: route.Public(), Timeout: 3 * time.Second,
			Handle: func(_ http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				<-r.Context().Done()
				return r.Context().Err()
			},
		})
		began := time.Now()
		if found := problem(t, ask(t, router, request{target: "/slow"})); found.Code() != "http.timeout" || found.Status != 503 {
			t.Errorf("got %+v", found)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestABodyThatTricklesInDoesNotHoldTheConnection(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	router.Add(route.Route{
		Method: "POST", Pattern: "/x", Face: route.Program, Access: route.Public(), Body: 100, Timeout: 50 * time.Millisecond,
		Handle: func(_ http.ResponseWriter, r *http.Request, _ route.Visitor) error {
			_, err := io.ReadAll(r.Body)
			return err
		},
	})
	connection := connected(t, router)
	began := time.Now()
	_, err := io.WriteString(connection, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nand then nothing")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if found := problem(t, answer); found.Code() != "http.timeout" {
		t.Errorf("got %+v", found)
	}
	if took := time.Since(began); took < 50*time.Millisecond || took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestManyRefusalsMeanWaiting(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var told []string
	router := route.New(route.Config{
		Recognise: recognise, Refusals: 3, Now: func() time.Time { return now },
		Refused: func(_ context.Context, v route.Visitor, refusal route.Refusal) {
			told = append(told, string(v.Session.Person)+" "+refusal.Route.Name()+" "+refusal.Reason.Code)
		},
	})
	router.Add(
		route.Route{
			Method: "GET", Pattern: "/desk", Face: route.Program, Access: route.Official(), Handle: say("desk"),
		},
		route.Route{
			Method: "GET", Pattern: "/mine", Face: route.Program, Access: route.SignedIn(), Handle: say("mine"),
		},
		route.Route{Method: "GET", Pattern: "/open", Face: route.Program, Access: route.Public(), Handle: say("open")},
	)
	statuses := func(token session.Token, target string, times int) (got []int) {
		for range times {
			got = append(got, ask(t, router, request{target: target, token: token}).StatusCode)
		}
		return got
	}
	if diff := cmp.Diff([]int{403, 403, 403, 429, 429}, statuses(resident, "/desk", 5)); diff != "" {
		t.Error(diff)
	}
	want := strings.Repeat("5f0c6a52-0f3f-4c53-9d0e-52c2f5a4c001 GET /desk access.officials-only|", 3)
	if got := strings.Join(told, "|") + "|"; got != want {
		t.Errorf("told %s", got)
	}
	if diff := cmp.Diff([]int{429}, statuses(resident, "/mine", 1)); diff != "" {
		t.Errorf("a session over its limit must wait: %s", diff)
	}
	if diff := cmp.Diff([]int{200}, statuses(other, "/mine", 1)); diff != "" {
		t.Errorf("another session of the same address goes on: %s", diff)
	}
	if diff := cmp.Diff([]int{401, 401, 401, 429}, statuses(empty, "/mine", 4)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{200}, statuses(empty, "/open", 1)); diff != "" {
		t.Errorf("what is public stays open: %s", diff)
	}
	now = now.Add(time.Minute)
	if diff := cmp.Diff([]int{200}, statuses(resident, "/mine", 1)); diff != "" {
		t.Errorf("after a minute: %s", diff)
	}
}

func TestALanguageIsChosenAndTheAddressKept(t *testing.T) {
	router := route.New(route.Config{
		Recognise: recognise, Languages: []string{"uz-Latn", "uz-Cyrl", "kaa", "ru", "en"},
	})
	router.Add(
		route.Route{Method: "GET", Pattern: "/page/{x}", Access: route.Public(), Handle: say("page")},
		route.Route{Method: "POST", Pattern: "/page/{x}", Access: route.Public(), Body: 100, Handle: say("posted")},
	)
	for header, want := range map[string]string{
		"": "uz-Latn", "ru-RU,ru;q=0.9": "ru", "uz": "uz-Latn", "uz-Cyrl": "uz-Cyrl", "fr": "uz-Latn", "kaa,ru;q=0.5": "kaa",
		"fr,en-GB;q=0.2": "en", ";;;": "uz-Latn",
	} {
		answer := ask(t, router, request{target: "/page/1", header: map[string]string{"Accept-Language": header}})
		if got := text(t, answer); got != "page in "+want || answer.Header.Get("Content-Language") != want {
			t.Errorf("%q: %s", header, got)
		}
	}
	answer := ask(t, router, request{target: "/page/a%2Fb?q=1&lang=ru"})
	if got := answer.Header.Get("Location"); answer.StatusCode != 303 || got != "/page/a%2Fb?q=1" {
		t.Errorf("%d to %s", answer.StatusCode, got)
	}
	cookie, _, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	header := map[string]string{"Cookie": cookie, "Accept-Language": "en"}
	if got := text(t, ask(t, router, request{target: "/page/1", header: header})); got != "page in ru" {
		t.Errorf("with the cookie: %s", got)
	}
	unknown := ask(t, router, request{target: "//elsewhere.example/?lang=tlh"})
	if got := unknown.Header.Get("Location"); strings.HasPrefix(got, "//") {
		t.Errorf("sent to another site: %s", got)
	}
}

// A form that is sent to its own page in another language is that page again, with what was typed; nothing is done.
func TestWhatIsTypedComesAlongIntoAnotherLanguage(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise, Languages: []string{"uz-Latn", "ru"}})
	router.Add(
		route.Route{Method: "GET", Pattern: "/page", Access: route.Public(), Handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
			_, err := fmt.Fprintf(w, "%s %s in %s with %v", r.Method, v.Here, v.Language, v.Typed)
			return err
		}},
		route.Route{Method: "POST", Pattern: "/page", Access: route.Public(), Body: 100, Handle: say("posted")},
		route.Route{Method: "POST", Pattern: "/only", Access: route.Public(), Body: 100, Handle: func(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
			_, err := fmt.Fprint(w, "from "+v.Here)
			return err
		}},
		route.Route{Method: "GET", Pattern: "/mine", Access: route.SignedIn(), Handle: say("mine")},
	)
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
	answer := ask(t, router, request{method: "POST", target: "/page?q=1&lang=ru", body: "a=b&a=c&d=", header: form})
	if got := text(t, answer); got != "GET /page?q=1 in ru with map[a:[b c] d:[]]" || !strings.Contains(answer.Header.Get("Set-Cookie"), "language=ru") {
		t.Errorf("got %s, %v", got, answer.Header)
	}
	if got := text(t, ask(t, router, request{method: "POST", target: "/page", body: "a=b", header: form})); got != "posted in uz-Latn" {
		t.Errorf("without a language: %s", got)
	}
	if answer = ask(t, router, request{method: "POST", target: "/page?lang=ru", body: "a=" + strings.Repeat("b", 70_000), header: form}); answer.StatusCode != 413 {
		t.Errorf("a form without end: %d", answer.StatusCode)
	}
	if answer = ask(t, router, request{method: "POST", target: "/mine?lang=ru", body: "a=b", header: form}); answer.StatusCode != 401 {
		t.Errorf("somebody unknown is answered with %d", answer.StatusCode)
	}
	if answer = ask(t, router, request{method: "POST", target: "/page?lang=ru", body: "{}", header: map[string]string{"Content-Type": "multipart/form-data", "Accept": "text/html"}}); answer.StatusCode != 400 {
		t.Errorf("what is no form is answered with %d", answer.StatusCode)
	}
	foreign := map[string]string{"Content-Type": form["Content-Type"], "Sec-Fetch-Site": "cross-site", "Accept": "text/html"}
	if answer = ask(t, router, request{method: "POST", target: "/page?lang=ru", body: "a=b", header: foreign}); answer.StatusCode != 403 {
		t.Errorf("another site is answered with %d", answer.StatusCode)
	}
	for referer, want := range map[string]string{
		"http://example.com/page?q=1": "/page?q=1", "http://example.com/only": "/", "https://elsewhere.example/page": "/", "": "/",
	} {
		got := text(t, ask(t, router, request{method: "POST", target: "/only", body: "a=b", header: map[string]string{"Content-Type": form["Content-Type"], "Referer": referer}}))
		if got != "from "+want {
			t.Errorf("coming from %q: %s", referer, got)
		}
	}
}

func TestAnAnswerIsNegotiated(t *testing.T) {
	for _, one := range []struct{ accept, want string }{
		{"", "text/html"},
		{"*/*", "text/html"},
		{"application/json", "application/json"},
		{"text/html;q=0.4, application/json;q=0.5", "application/json"},
		{"application/*", "application/json"},
		{"image/png", ""},
		{"text/html;q=0, */*", "application/json"},
		{
			"text/html;q=nonsense, */*;q=0.1", "application/json",
		},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", one.accept)
		got, ok := route.Negotiate(r, "text/html", "application/json")
		if got != one.want || ok != (one.want != "") {
			t.Errorf("%q: got %q %t", one.accept, got, ok)
		}
	}
}

func TestJSONIsReadStrictly(t *testing.T) {
	type thing struct {
		Name  string `json:"name"`
		Inner struct {
			Price int64 `json:"price"`
		} `json:"inner"`
	}
	for _, one := range []struct{ media, body, code, field string }{
		{"application/json; charset=utf-8", `{"name":"x","inner":{"price":1}}`, "", ""},
		{"text/plain", `{}`, "http.unsupported-media", ""},
		{"application/json", `{"name":"x"`, "http.malformed", ""},
		{"application/json", `{"name":"x"} {}`, "http.malformed", ""},
		{"application/json", ``, "http.malformed", ""},
		{"application/json", `{"nmae":"x"}`, "http.unknown-field", "nmae"},
		{"application/json", `{"Name":"x"}`, "http.unknown-field", "Name"},
		{"application/json", `{"inner":{"price":1,"prise":2}}`, "http.unknown-field", "inner.prise"},
		{"application/json", `{"inner":{"price":1,"price":2}}`, "http.duplicate-field", "inner.price"},
		{"application/json", `{"` + strings.Repeat("ў", 100) + `":1}`, "http.unknown-field", strings.Repeat("ў", 64)},
		{"application/json", "{\"name\":\"\xff\"}", "http.malformed", ""},
		{"application/json", `[]`, "http.malformed", ""},
		{"application/json", `{"inner":{"price":"4200"}}`, "http.wrong-type", "inner.price"},
		{"application/json", `{"inner":{"price":4200.5}}`, "http.wrong-type", "inner.price"},
		{"application/json", `{"name":4200}`, "http.wrong-type", "name"},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(one.body))
		r.Header.Set("Content-Type", one.media)
		var got thing
		err := route.ReadJSON(r, &got)
		if fault.Code(err) != one.code || err != nil && fault.Of(err).Field != one.field {
			t.Errorf("%s %s: %v", one.media, one.body, err)
		}
		if err != nil && strings.Contains(fault.Of(err).Message, "4200") {
			t.Errorf("the message repeats the input: %v", err)
		}
	}
}

// connected returns a connection to a server that answers by the handler.
func connected(t *testing.T, handler http.Handler) net.Conn {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() }) // before the server, which waits for its connections
	return connection
}

// A machine that stood still, or a handler that did not end in time, must not leave a connection on which nothing works any
// more: a proxy keeps its connections for everybody.
func TestAConnectionOutlivesARequestThatTookTooLong(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	router.Add(route.Route{
		Method: "POST", Pattern: "/slow", Face: route.Program, Access: route.Public(), Body: 100, Timeout: 10 * time.Millisecond,
		Handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
			if _, err := io.ReadAll(r.Body); err != nil {
				return err
			}
			time.Sleep(1200 * time.Millisecond) // longer than a body is awaited
			return route.WriteJSON(w, http.StatusOK, "late")
		},
	}, route.Route{
		Method: "GET", Pattern: "/quick", Face: route.Program, Access: route.Public(),
		Handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
			if err := r.Context().Err(); err != nil {
				return err
			}
			return route.WriteJSON(w, http.StatusOK, "quick")
		},
	})
	connection := connected(t, router)
	answers := bufio.NewReader(connection)
	for i, request := range []string{
		"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		if _, err := io.WriteString(connection, request); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		content, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK || answer.Close {
			t.Errorf("request %d was answered %d %s, closing %t, %v", i, answer.StatusCode, content, answer.Close, err)
		}
	}
}

// An answer tells its length, however long it is and whether or not its content is sent: the next one begins behind it.
func TestAnAnswerTellsItsLength(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	for path, status := range map[string]int{"/long": http.StatusOK, "/refused": http.StatusNotFound, "/unchanged": http.StatusNotModified, "/nothing": http.StatusNoContent} {
		router.Add(route.Route{
			Method: "GET", Pattern: path, Face: route.Program, Access: route.Public(),
			Handle: func(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
				if status == http.StatusNotModified || status == http.StatusNoContent {
					w.WriteHeader(status)
					return nil
				}
				return route.WriteJSON(w, status, strings.Repeat("x", 50_000))
			},
		})
	}
	connection := connected(t, router)
	answers := bufio.NewReader(connection)
	long := int64(len(`""`+"\n") + 50_000)
	for _, asked := range []struct {
		method, path string
		status       int
		told, sent   int64
	}{
		{"GET", "/long", http.StatusOK, long, long},
		{"HEAD", "/long", http.StatusOK, long, 0},
		{"GET", "/refused", http.StatusNotFound, long, long},
		{"GET", "/unchanged", http.StatusNotModified, 0, 0},
		{"GET", "/nothing", http.StatusNoContent, 0, 0},
		{"GET", "/long", http.StatusOK, long, long},
	} {
		if _, err := fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", asked.method, asked.path); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, &http.Request{Method: asked.method})
		if err != nil {
			t.Fatalf("%s %s: %v", asked.method, asked.path, err)
		}
		sent, err := io.Copy(io.Discard, answer.Body)
		if err != nil || answer.StatusCode != asked.status || answer.ContentLength != asked.told || sent != asked.sent || len(answer.TransferEncoding) > 0 {
			t.Errorf("%s %s was answered %d with %d of %d bytes, %v: %v", asked.method, asked.path, answer.StatusCode, sent, answer.ContentLength, answer.TransferEncoding, err)
		}
	}
}

// Whoever is taken for gone is told to come again on another connection.
func TestAnAnswerToSomebodyTakenForGoneClosesTheConnection(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	router.Add(route.Route{
		Method: "GET", Pattern: "/", Face: route.Program, Access: route.Public(),
		Handle: func(_ http.ResponseWriter, r *http.Request, _ route.Visitor) error { return r.Context().Err() },
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(gone))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Connection") != "close" {
		t.Errorf("answered %d with Connection %q", w.Code, w.Header().Get("Connection"))
	}
}

func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{`{"name":"x","inner":{"price":1}}`, `{"name":1,"name":2}`, `{"inner":[{"price":1}]}`, "", "{", `{"name"`, "]", `{"ў":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var into struct {
			Name  string `json:"name"`
			Inner struct {
				Price int64 `json:"price"`
			} `json:"inner"`
		}
		err := route.ReadJSON(r, &into)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("not a fault of the sender: %v", err)
		}
		if err == nil && !json.Valid(body) {
			t.Errorf("no JSON was read: %q", body)
		}
	})
}

func TestAChangeNamesTheVersionItSaw(t *testing.T) {
	tag := route.Tag("application", 7)
	if tag == route.Tag("application", 8) || tag == route.Tag("applicatio", "n7") || tag != route.Tag("application", "7") {
		t.Error("tags do not tell versions apart")
	}
	for header, code := range map[string]string{
		"": "http.precondition-required", tag: "", "*": "", `"x", ` + tag: "", `"x"`: "http.precondition-failed",
		"W/" + tag: "http.precondition-failed",
	} {
		r := httptest.NewRequest("PUT", "/", nil)
		r.Header.Set("If-Match", header)
		if err := route.CheckMatch(r, tag); fault.Code(err) != code {
			t.Errorf("If-Match %s: %v", header, err)
		}
	}
	for header, want := range map[string]bool{"": false, tag: true, "W/" + tag: true, `"x"`: false, "*": true} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("If-None-Match", header)
		if got := route.NotModified(w, r, tag); got != want || got != (w.Code == 304) {
			t.Errorf("If-None-Match %s: %t %d", header, got, w.Code)
		}
	}
}

func TestOnlyPathsOfThisSiteAreReturnedTo(t *testing.T) {
	for path, want := range map[string]string{
		"/inbox?page=2": "/inbox?page=2", "": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/",
		"javascript:alert(1)": "/", "/a\r\nSet-Cookie: x=y": "/", "/\t/evil.example": "/", "inbox": "/",
	} {
		if got := route.LocalPath(path); got != want {
			t.Errorf("%q: got %q", path, got)
		}
	}
}

func TestAStreamBreaksOffWhenItFails(t *testing.T) {
	router := route.New(route.Config{Recognise: recognise})
	router.Add(route.Route{
		Method: "GET", Pattern: "/export", Access: route.Public(), Stream: true,
		Handle: func(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
			fmt.Fprintln(w, "first line")
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
			return errors.New("the disk is gone")
		},
	})
	server := httptest.NewServer(router)
	defer server.Close()
	answer, err := http.Get(server.URL + "/export")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if string(content) != "first line\n" || err == nil {
		t.Errorf("got %q and %v: the reader must see that it is incomplete", content, err)
	}
}

func TestAFormMayLeadToAnotherSiteOnlyWhenSaid(t *testing.T) {
	w := httptest.NewRecorder()
	target, err := url.Parse("https://ministry.example:8443/callback")
	if err != nil {
		t.Fatal(err)
	}
	route.AllowFormTarget(w, target)
	if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "form-action 'self' https://ministry.example:8443;") {
		t.Errorf("got %s", got)
	}
	w = httptest.NewRecorder()
	route.AllowFormTarget(w, &url.URL{Scheme: "https", Host: "x; script-src *"})
	if got := w.Header().Get("Content-Security-Policy"); got != "" {
		t.Errorf("a host smuggled a directive in: %s", got)
	}
}

func FuzzProblem(f *testing.F) {
	f.Add("application/problem+json", []byte(`{"type":"urn:yagona:problem:x","status":404}`))
	f.Add("application/problem+json; charset=utf-8", []byte(`{"fields":[{"field":1}]}`))
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		found, ok := route.ReadProblem(media, body)
		if !ok {
			return
		}
		again, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		twice, ok := route.ReadProblem(route.ProblemType, again)
		if !ok || !cmp.Equal(found, twice) && len(found.Fields) > 0 {
			t.Errorf("%+v became %+v", found, twice)
		}
	})
}
