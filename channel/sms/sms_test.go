package sms_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/channel/sms"
	"yagona/kernel/notice"
)

// gateway is a fake of an operator's gateway.
type gateway struct {
	status int
	header map[string]string
	answer string
	asked  []*http.Request
	bodies []string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.asked, g.bodies = append(g.asked, r), append(g.bodies, string(body))
	for name, value := range g.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(g.status)
	io.WriteString(w, g.answer)
}

func start(t *testing.T) (*gateway, *sms.Gateway) {
	t.Helper()
	fake := &gateway{status: http.StatusOK, answer: `{"message_id": 815, "status": "ENROUTE"}`}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return fake, &sms.Gateway{
		URL: server.URL + "/messages", Body: `{"phone": "{to}", "message": "{text}", "ref": "{id}"}`, Header: map[string]string{"Authorization": "Bearer secret"},
		Receipt: "message_id", Status: server.URL + "/messages/{receipt}", StatusMember: "status", StatusDelivered: "DELIVERED", StatusFailed: "FAILED",
	}
}

var message = notice.Message{ID: "0123abcd", To: "+998901234567", Text: `News & "more" {id}: https://services.example/me`}

func TestAMessageIsEscapedAsItsTypeAsks(t *testing.T) {
	fake, g := start(t)
	receipt, err := g.Send(t.Context(), message)
	if err != nil || receipt != (notice.Receipt{ID: "815"}) {
		t.Fatalf("%v %v", receipt, err)
	}
	g.Type, g.Body = "application/x-www-form-urlencoded", "to={to}&text={text}"
	if _, err := g.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"phone": "+998901234567", "message": "News & \"more\" {id}: https://services.example/me", "ref": "0123abcd"}`,
		"to=%2B998901234567&text=" + url.QueryEscape(message.Text),
	}
	if diff := cmp.Diff(want, fake.bodies); diff != "" {
		t.Error(diff)
	}
	for i, r := range fake.asked {
		if r.Method != "POST" || r.URL.String() != "/messages" || r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Idempotency-Key") != "0123abcd" {
			t.Errorf("request %d is %s %s %v", i, r.Method, r.URL, r.Header)
		}
	}
}

func TestWhatAGatewayRefuses(t *testing.T) {
	for name, one := range map[string]struct {
		status int
		after  string
		want   notice.Failure
	}{
		"a wrong number":   {400, "", notice.Failure{Reason: "gateway 400", Final: true}},
		"a wrong secret":   {401, "", notice.Failure{Reason: "gateway 401"}},
		"too many":         {429, "120", notice.Failure{Reason: "gateway 429", After: 2 * time.Minute}},
		"broken":           {500, "", notice.Failure{Reason: "gateway 500"}},
		"sends it on":      {307, "", notice.Failure{Reason: "gateway 307"}},
		"asks for forever": {503, "99999999999", notice.Failure{Reason: "gateway 503", After: 24 * time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			fake, g := start(t)
			elsewhere, _ := start(t)
			fake.status, fake.answer = one.status, "+998901234567 refused"
			fake.header = map[string]string{"Retry-After": one.after, "Location": g.URL}
			_, err := g.Send(t.Context(), message)
			got, ok := errors.AsType[*notice.Failure](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			if diff := cmp.Diff(&one.want, got); diff != "" {
				t.Error(diff)
			}
			if len(elsewhere.asked) > 0 || len(fake.asked) != 1 {
				t.Error("it went on to another address")
			}
		})
	}
	_, g := start(t)
	g.URL = "http://127.0.0.1:1/"
	if _, err := g.Send(t.Context(), message); err == nil || err.Error() != "the message was not taken: unreachable" {
		t.Errorf("the error is %v", err)
	}
}

func TestAGatewayTellsWhatBecameOfAMessage(t *testing.T) {
	fake, g := start(t)
	for answer, want := range map[string]notice.State{
		`{"status": "ENROUTE"}`: notice.Sent, `{"status": "DELIVERED"}`: notice.Delivered, `{"status": "FAILED"}`: notice.Failed, `?`: notice.Sent,
	} {
		fake.answer = answer
		if got, _, err := g.Track(t.Context(), "8/15"); got != want || err != nil {
			t.Errorf("%s is %s %v", answer, got, err)
		}
	}
	if got := fake.asked[0]; got.URL.EscapedPath() != "/messages/8%2F15" || got.Header.Get("Authorization") != "Bearer secret" {
		t.Errorf("asked was %s", got.URL)
	}
}

func TestSettingsThatWouldTellOrNotWorkAreRefused(t *testing.T) {
	for name, change := range map[string]func(*sms.Gateway){
		"number in the address": func(g *sms.Gateway) { g.URL += "?to={to}" },
		"no TLS":                func(g *sms.Gateway) { g.URL = "http://gateway.example/" },
		"no text":               func(g *sms.Gateway) { g.Body = `{"to": "{to}"}` },
		"not JSON":              func(g *sms.Gateway) { g.Body = `{"to": {to}, "text": {text}` },
		"another type":          func(g *sms.Gateway) { g.Type = "text/xml" },
		"status without member": func(g *sms.Gateway) { g.StatusMember = "" },
	} {
		_, g := start(t)
		if err := g.Check(); err != nil {
			t.Fatal(err)
		}
		if change(g); g.Check() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
