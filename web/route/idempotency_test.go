package route_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"yagona/kernel/fault"
	"yagona/kernel/session"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/web/route"
)

func TestARepeatedRequestIsCarriedOutOnce(t *testing.T) {
	now := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	db, err := sqlite.Temporary(t.Context(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	router := route.New(route.Config{
		Recognise: recognise, Answers: session.NewAnswers(query.For[session.Reader, session.Tx](db), time.Minute),
	})
	done, fails := 0, error(nil)
	router.Add(
		route.Route{
			Method: "POST", Pattern: "/api/things", Face: route.Program, Access: route.SignedIn(), Body: 100,
			Handle: func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
				var thing struct{ Name string }
				if err := route.ReadJSON(r, &thing); err != nil {
					return err
				}
				if fails != nil {
					return fails
				}
				done++
				w.Header().Set("Location", fmt.Sprintf("/api/things/%d", done))
				return route.WriteJSON(w, http.StatusCreated, map[string]string{"name": thing.Name, "key": v.Key})
			},
		},
		route.Route{
			Method: "POST", Pattern: "/api/public", Face: route.Program, Access: route.Public(), Body: 100, Handle: say("x"),
		},
	)
	send := func(key, content string, token session.Token) *http.Response {
		return ask(t, router, request{
			method: "POST", target: "/api/things", body: content, token: token,
			header: map[string]string{"Idempotency-Key": key, "Content-Type": "application/json"},
		})
	}
	const one, two, three = "key-number-one-1", "key-number-two-2", "key-number-three"

	first := send(one, `{"Name":"a"}`, resident)
	words := text(t, first)
	if first.StatusCode != 201 || words != `{"key":"key-number-one-1","name":"a"}`+"\n" || first.Header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %s", first.StatusCode, words)
	}
	again := send(one, `{"Name":"a"}`, resident)
	if got := text(t, again); again.StatusCode != 201 || got != words || again.Header.Get("Location") != "/api/things/1" ||
		again.Header.Get("Idempotency-Replayed") != "true" || again.Header.Get("Content-Type") != "application/json" {
		t.Errorf("again: %d %s %v", again.StatusCode, got, again.Header)
	}
	if found := problem(t, send(one, `{"Name":"b"}`, resident)); found.Status != 422 || found.Code() != "idempotency.other-request" {
		t.Errorf("other content: %+v", found)
	}
	if answer := send(one, `{"Name":"a"}`, other); answer.StatusCode != 201 || done != 2 {
		t.Errorf("another person's key: %d, done %d", answer.StatusCode, done)
	}
	if found := problem(t, send("short", `{"Name":"a"}`, resident)); found.Code() != "idempotency.malformed" {
		t.Errorf("a short key: %+v", found)
	}

	fails = errors.New("the disk is full")
	if found := problem(t, send(two, `{"Name":"c"}`, resident)); found.Status != 500 {
		t.Errorf("a failure of ours: %+v", found)
	}
	fails = nil
	if answer := send(two, `{"Name":"c"}`, resident); answer.StatusCode != 201 || done != 3 {
		t.Errorf("after a failure of ours it is done: %d, done %d", answer.StatusCode, done)
	}

	fails = fault.New(fault.Conflict, "thing.taken", "It is taken.")
	refused := problem(t, send(three, `{"Name":"d"}`, resident))
	fails = nil
	if same := problem(t, send(three, `{"Name":"d"}`, resident)); same.Code() != "thing.taken" || same.Instance != refused.Instance || done != 3 {
		t.Errorf("a refusal is the answer, too: %+v, done %d", same, done)
	}

	public := ask(t, router, request{
		method: "POST", target: "/api/public", body: "x", header: map[string]string{"Idempotency-Key": one},
	})
	if found := problem(t, public); found.Code() != "idempotency.not-here" {
		t.Errorf("without a person: %+v", found)
	}
}
