package route_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"yagona/kernel/session"
	"yagona/web/route"
)

// limited is a router whose visitors may do little in a minute, behind a declared proxy.
func limited(t *testing.T, now *time.Time) *route.Router {
	t.Helper()
	router := route.New(route.Config{
		Recognise: recognise, Now: func() time.Time { return *now },
		Limits: route.Limits{Person: 3, Program: 5, Address: 2}, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	router.Add(
		route.Route{Method: "GET", Pattern: "/cheap", Access: route.Public(), Handle: say("cheap")},
		route.Route{Method: "GET", Pattern: "/costly", Access: route.Public(), Costly: true, Handle: say("costly")},
		route.Route{Method: "POST", Pattern: "/act", Access: route.SignedIn(), Handle: say("done")},
		route.Route{Method: "POST", Pattern: "/api/act", Face: route.Program, Access: route.SignedIn(), Handle: say("done")},
	)
	return router
}

// sent is a request from somewhere.
type sent struct {
	method, path, from string
	forwarded          []string
	token              session.Token
}

func (s sent) to(t *testing.T, router *route.Router) *http.Response {
	t.Helper()
	r := httptest.NewRequest(s.method, s.path, nil)
	r.RemoteAddr = s.from + ":5000"
	if strings.Contains(s.from, ":") {
		r.RemoteAddr = "[" + s.from + "]:5000"
	}
	for _, line := range s.forwarded {
		r.Header.Add("X-Forwarded-For", line)
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+string(s.token))
	}
	w := httptest.NewRecorder()
	router.ServeHTTP(w, r)
	return w.Result()
}

// until returns how many of the same request are answered before one is refused, at most 20.
func (s sent) until(t *testing.T, router *route.Router) (answered int) {
	t.Helper()
	for ; answered < 20; answered++ {
		if s.to(t, router).StatusCode == http.StatusTooManyRequests {
			return answered
		}
	}
	return answered
}

func TestCostlyRequestsAreLimitedPerPersonAndPerAddress(t *testing.T) {
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	for name, one := range map[string]struct {
		sent sent
		want int
	}{
		"a page that is cheap":                  {sent{method: "GET", path: "/cheap", from: "192.0.2.1"}, 20},
		"an address":                            {sent{method: "GET", path: "/costly", from: "192.0.2.1"}, 2},
		"an address that is told by a stranger": {sent{method: "GET", path: "/costly", from: "192.0.2.1", forwarded: []string{"198.51.100.7"}}, 2},
		"an address behind the proxy":           {sent{method: "GET", path: "/costly", from: "10.0.0.1", forwarded: []string{"198.51.100.7"}}, 2},
		"a proxy that does not say":             {sent{method: "GET", path: "/costly", from: "10.0.0.1"}, 2},
		"an undeclared proxy on this machine":   {sent{method: "GET", path: "/costly", from: "127.0.0.1"}, 20},
		"a person with a browser":               {sent{method: "POST", path: "/act", from: "192.0.2.1", token: resident}, 3},
		"a person with a program":               {sent{method: "POST", path: "/api/act", from: "192.0.2.1", token: resident}, 5},
	} {
		if got := one.sent.until(t, limited(t, &now)); got != one.want {
			t.Errorf("%s is answered %d times, not %d", name, got, one.want)
		}
	}
}

// Two processes of one installation, which tell each other at once, together answer as often as one.
func TestSeveralProcessesCountTogether(t *testing.T) {
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	var processes [2]*route.Router
	var told []string
	for i := range processes {
		processes[i] = route.New(route.Config{
			Recognise: recognise, Now: func() time.Time { return now }, Limits: route.Limits{Person: 50, Address: 20}, Refusals: 10,
			Siblings: route.Siblings{Key: []byte("shared"), Tell: func(word string) {
				told = append(told, word)
				processes[1-i].Hear(word)
			}},
		})
		processes[i].Add(
			route.Route{Method: "GET", Pattern: "/costly", Access: route.Public(), Costly: true, Handle: say("costly")},
			route.Route{Method: "POST", Pattern: "/act", Access: route.SignedIn(), Handle: say("done")},
			route.Route{Method: "POST", Pattern: "/refused", Access: route.Official(), Handle: say("done")},
		)
	}
	for name, one := range map[string]struct {
		sent sent
		most int
	}{
		"a person":           {sent{method: "POST", path: "/act", from: "192.0.2.1", token: resident}, 50},
		"an address":         {sent{method: "GET", path: "/costly", from: "192.0.2.9"}, 20},
		"a refused stranger": {sent{method: "POST", path: "/refused", from: "192.0.2.7"}, 10},
	} {
		told = nil
		answered := 0
		for i := range 3 * one.most {
			if one.sent.to(t, processes[i%2]).StatusCode != http.StatusTooManyRequests {
				answered++
			}
		}
		if more := one.most / 10; answered < one.most || answered > one.most+2*more {
			t.Errorf("%s was answered %d times by two processes, and may be %d times", name, answered, one.most)
		}
		if len(told) > 24 {
			t.Errorf("of %s %d words were told", name, len(told))
		}
		for _, word := range told {
			if strings.ContainsAny(word, " .") || strings.Contains(word, string(resident)) {
				t.Errorf("%s is named: %s", name, word)
			}
		}
	}
	now = now.Add(time.Minute)
	if got := (sent{method: "GET", path: "/costly", from: "192.0.2.9"}).to(t, processes[0]); got.StatusCode != http.StatusOK {
		t.Errorf("a minute later the address is answered with %d", got.StatusCode)
	}
	for _, word := range []string{"", "address", "address:", "address:x:", "address:x:-1", "address:x:1000000", "nobody:x:1", "address:x:1:2"} {
		processes[0].Hear(word)
	}
	if got := (sent{method: "GET", path: "/costly", from: "192.0.2.9"}).to(t, processes[0]); got.StatusCode != http.StatusOK {
		t.Errorf("after words that make no sense it is answered with %d", got.StatusCode)
	}
}

func TestNobodyGetsMoreByWhereTheySayTheyComeFrom(t *testing.T) {
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	router := limited(t, &now)
	real := sent{method: "GET", path: "/costly", from: "10.0.0.1", forwarded: []string{"198.51.100.7"}}
	if got := real.until(t, router); got != 2 {
		t.Fatalf("answered %d times", got)
	}
	for name, one := range map[string]sent{
		"an invented first entry":      {forwarded: []string{"203.0.113.9, 198.51.100.7"}},
		"a header of their own":        {forwarded: []string{"203.0.113.9", "198.51.100.7"}},
		"a second proxy of the house":  {forwarded: []string{"198.51.100.7, 10.2.2.2"}},
		"an address mapped into IPv6":  {forwarded: []string{"::ffff:198.51.100.7"}},
		"past the proxy, by the other": {from: "198.51.100.7", forwarded: []string{"203.0.113.9"}},
	} {
		one.method, one.path = "GET", "/costly"
		if one.from == "" {
			one.from = "10.0.0.1"
		}
		if got := one.to(t, router); got.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s is answered with %d", name, got.StatusCode)
		}
	}
	if got := (sent{method: "GET", path: "/costly", from: "10.0.0.1", forwarded: []string{"198.51.100.8"}}).to(t, router); got.StatusCode != http.StatusOK {
		t.Errorf("a neighbour is answered with %d", got.StatusCode)
	}
	home := sent{method: "GET", path: "/costly", from: "2001:db8::1"}
	if home.until(t, router) != 2 || (sent{method: "GET", path: "/costly", from: "2001:db8::ffff"}).to(t, router).StatusCode != http.StatusTooManyRequests {
		t.Error("a household counts by each of its addresses")
	}
}

func TestWhoAskedTooOftenIsToldWhenToAskAgain(t *testing.T) {
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	router := limited(t, &now)
	one := sent{method: "POST", path: "/api/act", from: "192.0.2.1", token: resident}
	one.until(t, router)
	now = now.Add(20*time.Second + 300*time.Millisecond)
	answer := one.to(t, router)
	if got := answer.Header.Get("Retry-After"); answer.StatusCode != http.StatusTooManyRequests || got != "40" {
		t.Errorf("answered with %d, Retry-After %q", answer.StatusCode, got)
	}
	if got := problem(t, answer).Code(); got != "http.too-often" {
		t.Errorf("the problem is %s", got)
	}
	now = now.Add(40 * time.Second)
	if got := one.to(t, router); got.StatusCode != http.StatusOK {
		t.Errorf("after the time said it is answered with %d", got.StatusCode)
	}
}
