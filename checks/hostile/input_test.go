package hostile

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"yagona/kernel/ident"
	"yagona/packs/demo"
	"yagona/web/route"
)

// entitled returns somebody whom the route's access lets in, so that it is the request that is looked at.
func (w *world) entitled() func(route.Info) visitor {
	root := w.node.Profile.Territories.Root()
	resident, leader := w.persona(demo.Jobless), w.persona(demo.YouthLeader)
	known := map[string]visitor{
		"signed in": resident, "official": leader, "public": resident,
		"role treasurer": w.official("treasurer", "youth-agency", root),
		"role operator":  w.official("operator", "platform-operator", root),
		"role registrar": w.official("registrar", "interior-ministry", root),
		"role publisher": w.official("publisher", "youth-agency", root),
		"role analyst":   w.official("analyst", "youth-agency", root),

		"role data-protection-officer": w.official("data-protection-officer", "civil-registry", root),
	}
	return func(info route.Info) visitor {
		who, ok := known[info.Access]
		if !ok {
			w.t.Fatalf("%s: nobody here is let in by the access %q: add them", info.Name(), info.Access)
		}
		return who
	}
}

// sane checks what every answer to a hostile request must be: no success, no failure of ours, and nothing of what was
// sent in a header.
func sane(t *testing.T, what string, got answer) {
	t.Helper()
	if got.Status < 300 || got.Status >= 500 {
		t.Errorf("%s: it was answered %v", what, got)
	}
	if got.Header.Get("X-Injected") != "" || strings.Contains(got.Header.Get("Set-Cookie"), "injected") {
		t.Errorf("%s: it set a header: %v", what, got.Header)
	}
}

// TestBodiesThatAreNoRequests sends to every route that takes a body what it cannot mean.
func TestBodiesThatAreNoRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("sends hundreds of requests")
	}
	w := open(t)
	entitled := w.entitled()
	ids := w.victim(demo.Wife, visitor{}, visitor{})
	large := `{"x":"` + strings.Repeat("a", 10<<20) + `"}`
	for _, info := range w.node.Router.Routes() {
		if info.Method == http.MethodGet || info.Face == "page" {
			continue
		}
		t.Run(info.Name(), func(t *testing.T) {
			w.clock.pass(61 * time.Second)
			who := entitled(info)
			path := ids.fill(info.Pattern)
			if info.Name() == "DELETE /api/v1/sessions/current" {
				who = w.persona(demo.Worker)
			}
			for name, hostile := range map[string]struct {
				body, kind string
				statuses   []int
			}{
				"10 MB":              {large, "application/json", []int{http.StatusRequestEntityTooLarge}},
				"broken UTF-8":       {"{\"x\":\"\xff\xfe\xc0\"}", "application/json", nil},
				"a name twice":       {`{"x":1,"x":2}`, "application/json", nil},
				"another media type": {`<x/>`, "text/xml", nil},
				"deep":               {strings.Repeat(`{"x":`, 100) + "1" + strings.Repeat("}", 100), "application/json", nil},
				"very deep":          {strings.Repeat("[", 10_000), "application/json", nil},
				"cut off":            {`{"x":`, "application/json", nil},
				"two values":         {`{} {}`, "application/json", nil},
				"an unknown member":  {`{"is_admin":true}`, "application/json", nil},
				"no object":          {`[1e400,-1,9223372036854775808]`, "application/json", nil},
				"a number":           {`1e400`, "application/json", nil},
				"nothing but a zero": {"\x00", "application/json", nil},
				"a form":             {"x=1&x=2", "application/x-www-form-urlencoded", nil},
				"UTF-16":             {"\xff\xfe{\x00}\x00", "application/json; charset=utf-16", nil},
			} {
				if info.Body == 0 && name != "10 MB" {
					continue // it reads no body
				}
				got := who.send(info.Method, path, hostile.body, "Content-Type", hostile.kind, "If-Match", `"99"`)
				sane(t, name, got)
				if len(hostile.statuses) > 0 && got.Status != hostile.statuses[0] {
					t.Errorf("%s: it was answered %v", name, got)
				}
			}
		})
	}
	w.t = t
}

// tellsNothing are the routes that answer everybody the same, whether there is what they name or not.
var tellsNothing = map[string]bool{"POST /api/v1/fees/{application}": true}

// TestIdentifiersThatAreNone puts into every path what is no identifier.
func TestIdentifiersThatAreNone(t *testing.T) {
	if testing.Short() {
		t.Skip("sends hundreds of requests")
	}
	w := open(t)
	entitled := w.entitled()
	for _, info := range w.node.Router.Routes() {
		if !strings.Contains(info.Pattern, "{") {
			continue
		}
		t.Run(info.Name(), func(t *testing.T) {
			who := entitled(info)
			for _, hostile := range []string{
				"..%2F..%2F..%2Fetc%2Fpasswd", "%2e%2e%2f%2e%2e", "%00", "'%20OR%20'1'='1", "1;DROP%20TABLE%20event", "%0d%0aX-Injected:%20yes",
				"%0d%0aSet-Cookie:%20session=injected", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%FF%FE", strings.Repeat("a", 8000),
				"-1", "9223372036854775808", "00000000-0000-0000-0000-000000000000", "~", "%7B%7B.%7D%7D", "*",
			} {
				w.clock.pass(61 * time.Second)
				path := info.Pattern
				for _, part := range strings.Split(info.Pattern, "/") {
					if strings.HasPrefix(part, "{") {
						path = strings.Replace(path, part, hostile, 1)
					}
				}
				body := any(nil)
				if found, ok := rowOf(info); ok && found.body != nil {
					body = found.body
				}
				got := who.send(info.Method, path, body, "If-Match", `"1"`)
				if _, err := ident.Parse[string](hostile); err == nil && tellsNothing[info.Name()] && got.Status == http.StatusNoContent {
					continue
				}
				sane(t, hostile[:min(len(hostile), 40)], got)
				if strings.Contains(string(got.Body), "<script>") || bytes.Contains(got.Body, []byte("root:")) {
					t.Errorf("%s: it came back: %v", hostile, got)
				}
			}
		})
	}
}

// TestRequestsOfAnotherSite sends everything that changes something as another site's page would.
func TestRequestsOfAnotherSite(t *testing.T) {
	w := open(t)
	entitled := w.entitled()
	for _, info := range w.node.Router.Routes() {
		if info.Method == http.MethodGet {
			continue
		}
		who := entitled(info)
		for _, header := range [][]string{
			{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
			{"Origin", "https://evil.example"},
			{"Origin", "null"},
			{"Sec-Fetch-Site", "same-site"},
		} {
			got := who.send(info.Method, strings.NewReplacer("{", "", "}", "").Replace(info.Pattern), "", header...)
			if got.Status != http.StatusForbidden {
				t.Errorf("%s with %v: it was answered %v", info.Name(), header, got)
			}
		}
	}
}

// TestAnswersThatNoRegisterWouldGive sends answers that are of the wrong kind or absurd.
func TestAnswersThatNoRegisterWouldGive(t *testing.T) {
	w := open(t)
	who := w.persona(demo.Jobless)
	right := `{"trade":"sewing","price":150000000,"account":"00000000000000000001"}`
	for _, change := range [][2]string{
		{`150000000`, `1e400`},
		{`150000000`, `-1`},
		{`150000000`, `0`},
		{`150000000`, `9223372036854775808`},
		{`150000000`, `1.5`},
		{`150000000`, `"150000000"`},
		{`150000000`, `"1' OR '1'='1"`},
		{`150000000`, `[1]`},
		{`150000000`, `{}`},
		{`150000000`, `true`},
		{`"sewing"`, `"flying"`},
		{`"sewing"`, `"sewing\u0000"`},
		{`"sewing"`, `"=cmd|' /C calc'!A0"`},
		{`"sewing"`, `null`},
		{`"00000000000000000001"`, `"0000000000000000001"`},
		{`"00000000000000000001"`, `"'; DROP TABLE application; --"`},
		{`"00000000000000000001"`, `"` + strings.Repeat("0", 100_000) + `"`},
		{`"00000000000000000001"`, `1`},
		{`"trade"`, `"__proto__"`},
		{`"trade":`, `"trade":"welding","trade":`},
	} {
		answers := strings.Replace(right, change[0], change[1], 1)
		got := who.send("POST", "/api/v1/applications", `{"service":"youth/tools-subsidy","language":"en","send":true,"answers":`+answers+`}`)
		if got.Status != http.StatusUnprocessableEntity && got.Status != http.StatusBadRequest {
			t.Errorf("%.80s: it was answered %v", change[1], got)
		}
		if got.code() == "" {
			t.Errorf("%.80s: the answer says no code: %v", change[1], got)
		}
	}
	for _, change := range []map[string]any{
		{"service": "../../etc/passwd"},
		{"service": "youth/tools-subsidy' --"},
		{"service": ""},
		{"language": "en\r\nX-Injected: yes"},
		{"language": "<script>"},
		{"service": "youth/tools-subsidy", "send": "yes"},
		{"role": "chair"},
		{"applicant": "person:1"},
	} {
		wish := map[string]any{"service": "youth/tools-subsidy", "language": "en"}
		for name, value := range change {
			wish[name] = value
		}
		sane(t, fmt.Sprint(change), who.send("POST", "/api/v1/applications", wish))
	}
	var page struct{ Items []application }
	who.send("GET", "/api/v1/applications", nil).into(t, http.StatusOK, &page)
	if len(page.Items) != 0 {
		t.Errorf("%d of these became applications", len(page.Items))
	}
}

// injections are texts that somebody could type in order to be run somewhere.
var injections = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; DROP TABLE event; --`, `' OR '1'='1`, `{{.}} {{printf "%s" .}} ${7*7}`,
	`=HYPERLINK("http://evil.example","x")`, `@SUM(1+1)*cmd|' /C calc'!A0`, "a\r\nSet-Cookie: session=injected", `%s%n%x`, "\u202Egnp.exe\u202C",
	`../../../../etc/passwd`, `&lt;b&gt;`, "ў қ ғ ҳ ʻ 🙂",
}

// TestTextsAreKeptAsTheyAreAndRunNowhere writes each injection wherever a person can write, and reads it back.
func TestTextsAreKeptAsTheyAreAndRunNowhere(t *testing.T) {
	if testing.Short() {
		t.Skip("sends hundreds of requests")
	}
	w := open(t)
	resident, leader := w.persona(demo.Jobless), w.persona(demo.YouthLeader)
	for _, injection := range injections {
		w.clock.pass(2 * time.Minute)
		one := resident.apply()
		task := "/api/v1/tasks/" + one.task(t)
		leader.send("POST", task+"/decide", map[string]any{"action": "ask", "question": injection}, "If-Match", match(one.Revision)).into(t, http.StatusOK, nil)
		one = resident.own(one.ID)
		path := "/api/v1/applications/" + one.ID
		resident.send("POST", path+"/answer", map[string]any{"answer": injection}, "If-Match", match(one.Revision)).into(t, http.StatusOK, nil)
		one = resident.own(one.ID)
		leader.send("POST", task+"/decide", map[string]any{"action": "refuse", "reasons": []map[string]any{{"text": injection}}},
			"If-Match", match(one.Revision)).into(t, http.StatusOK, nil)
		one = resident.own(one.ID)
		resident.send("POST", path+"/appeal", map[string]any{"grounds": injection}, "If-Match", match(one.Revision)).into(t, http.StatusOK, nil)

		got := resident.send("GET", path, nil)
		var shown struct {
			Questions []struct{ Text, Answer string }
			Because   []struct{ Text string }
			Appeal    struct {
				Grounds  string
				Previous []struct{ Text string }
			}
		}
		got.into(t, http.StatusOK, &shown)
		if len(shown.Questions) != 1 || len(shown.Appeal.Previous) != 1 {
			t.Fatalf("%q: the application shows %v", injection, got)
		}
		for what, text := range map[string]string{
			"question": shown.Questions[0].Text, "answer": shown.Questions[0].Answer, "reason": shown.Appeal.Previous[0].Text, "grounds": shown.Appeal.Grounds,
		} {
			if text != injection {
				t.Errorf("%s: %q became %q", what, injection, text)
			}
		}
		page := resident.send("GET", "/applications/"+one.ID, nil, "Accept", "text/html")
		if page.Status != http.StatusOK || bytes.Contains(page.Body, []byte("<script>alert")) || bytes.Contains(page.Body, []byte("<img src=x")) {
			t.Errorf("%q: the page does not show it as text: %d", injection, page.Status)
		}
		if bytes.ContainsAny(got.Body, "<>") {
			t.Errorf("%q: the answer has a bare angle bracket, which a careless reader could take for markup", injection)
		}
		if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: the answer could be taken for a page: %v", injection, got.Header)
		}
	}
	// What is typed into a page comes back in it as text.
	form := "client_id=yagona-program&redirect_uri=http%3A%2F%2F127.0.0.1%2Freturn&response_type=code&scope=openid&code_challenge_method=S256" +
		"&code_challenge=" + strings.Repeat("a", 43) + "&state=%3Cscript%3E&do=search&search=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E"
	got := w.nobody().send("POST", "/demo-sign-in/authorize", form, "Content-Type", "application/x-www-form-urlencoded")
	if got.Status != http.StatusOK || bytes.Contains(got.Body, []byte("<script>")) || !bytes.Contains(got.Body, []byte("&lt;script&gt;alert(1)")) {
		t.Errorf("a page does not show as text what was typed: %v", got)
	}
	for _, path := range []string{"/%3Cscript%3Ealert(1)%3C/script%3E", "/sign-in/return?code=%3Cscript%3E&state=%3Cscript%3E", "/?q=%3Cscript%3E"} {
		if got := w.nobody().send("GET", path, nil, "Accept", "text/html"); bytes.Contains(got.Body, []byte("<script>")) || got.Status >= 500 {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestHeadersThatAreNone sends absurd headers.
func TestHeadersThatAreNone(t *testing.T) {
	w := open(t)
	who := w.persona(demo.Jobless)
	one := who.apply()
	path := "/api/v1/applications/" + one.ID
	for _, tag := range []string{"1", `"x"`, `W/"1"`, `"-1"`, `"9223372036854775808"`, `"1","2"`, strings.Repeat(`"`, 5000), `*`} {
		got := who.send("POST", path+"/withdraw", nil, "If-Match", tag)
		if got.Status != http.StatusPreconditionFailed && got.Status != http.StatusPreconditionRequired {
			t.Errorf("If-Match %.20s: it was answered %v", tag, got)
		}
	}
	for _, key := range []string{"short", "' OR '1'='1' -- and more", strings.Repeat("k", 300), "../../../etc/passwd.....", "00000000-0000-4000-8000-000000000000"} {
		sane(t, "Idempotency-Key "+key[:5], who.send("POST", "/api/v1/applications", subsidy("00000000000000000001"), "Idempotency-Key", key))
	}
	for _, token := range []string{"Bearer", "Bearer ' OR 1=1", "Basic YTpi", "Bearer " + strings.Repeat("A", 7000), "bearer \xff"} {
		got := w.nobody().send("GET", path, nil, "Authorization", token)
		if got.Status != http.StatusUnauthorized {
			t.Errorf("Authorization %.20s: it was answered %v", token, got)
		}
	}
	for name, value := range map[string]string{
		"Accept-Language": strings.Repeat("uz-Latn;q=0.1,", 500), "Accept": "application/xml;q=nan", "X-Forwarded-For": "127.0.0.1' --",
		"X-HTTP-Method-Override": "DELETE", "Cookie": "session=" + strings.Repeat("A", 5000), "X-Role": "chair", "X-Request-Id": "<script>",
	} {
		if got := who.send("GET", path, nil, name, value); got.Status != http.StatusOK || strings.Contains(got.Header.Get("X-Request-Id"), "<") {
			t.Errorf("%s: it was answered %v", name, got)
		}
	}
	// Where a sign-in returns to does not come from the request.
	for _, next := range []string{"//evil.example", "https://evil.example/", "/\\evil.example", "/%0d%0aX-Injected:yes", "javascript:alert(1)"} {
		got := w.nobody().send("GET", "/sign-in?next="+next, nil, "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example")
		if got.Status != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), w.site+"/demo-sign-in/authorize?") ||
			strings.Contains(got.Header.Get("Location"), "evil") || got.Header.Get("X-Injected") != "" {
			t.Errorf("next=%s: it leads to %s", next, got.Header.Get("Location"))
		}
	}
	if after := who.own(one.ID); after.State != one.State || after.Revision != one.Revision {
		t.Errorf("one of these changed the application: %+v", after)
	}
}
