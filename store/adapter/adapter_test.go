package adapter_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/signature"
	"yagona/store/adapter"
	"yagona/store/keyfile"
)

const number = "30101900000000"

var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

// world is an adapter with everything around it but the system that it asks.
type world struct {
	*adapter.Source
	ring     *keyfile.Folder
	declared *register.Adapter
	log      bytes.Buffer
	of       ident.Subject
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{of: ident.Random[ident.Person]().Subject()}
	clock := func() time.Time { return start }
	var err error
	if w.ring, err = keyfile.Open(t.TempDir(), clock); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ring.Ensure(signature.OfAgency("tax"), signature.OfAgency("youth-agency")); err != nil {
		t.Fatal(err)
	}
	w.declared = &register.Adapter{
		Method: "GET", URL: "http://system.invalid/people/{number}?by={person}", Header: map[string]string{"Authorization": "Bearer {secret.TAX}"},
		Timeout: time.Second, None: []int{404},
		Fields: map[string]string{
			"person": "/data/pin", "income": "/data/sums/0/amount", "status": "/data/state", "since": "/data/since", "works": "/data/works",
		},
		Values: map[string]map[string]string{"status": {"A": "active", "7": "ended"}},
	}
	fields := []field.Definition{
		{Name: "person", Kind: field.Person},
		{Name: "income", Kind: field.Money},
		{Name: "status", Kind: field.Choice, Options: []field.Option{{Value: "active"}, {Value: "ended"}}},
		{Name: "since", Kind: field.Date},
		{Name: "works", Kind: field.Bool, Optional: true},
	}
	environment, err := rules.NewEnvironment(rules.Field{Name: "record", Type: field.TypeOf(fields)})
	if err != nil {
		t.Fatal(err)
	}
	program := func(source string, kind rules.Kind) *rules.Program {
		compiled, err := environment.Compile(source, kind)
		if err != nil {
			t.Fatal(err)
		}
		return compiled
	}
	catalogue, err := register.NewCatalogue([]*register.Definition{{
		Path: "tax/income", Agency: "tax", Held: register.HeldAdapter, Subject: "person", Fields: fields, Adapter: w.declared,
		Evidence: []register.EvidenceType{{
			Path: "tax/earning", Register: "tax/income", Agency: "tax", Of: "person",
			Where: program(`record.status != "ended"`, rules.KindBool),
			Answer: []register.Answer{
				{Name: "income", Type: rules.Money, Is: program("record.income", rules.KindMoney)},
				{Name: "since", Type: rules.Date, Is: program("record.since", rules.KindDate)},
				{Name: "works", Type: rules.Bool, Is: program("has(record.works) && record.works", rules.KindBool)},
			},
			For: []register.Grant{{Service: "youth/tools-subsidy", Purposes: []access.Purpose{access.Apply}}},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.Source = &adapter.Source{
		Definitions: func() *register.Catalogue { return catalogue }, Ring: w.ring, Clock: clock, Location: time.UTC, Scheme: scheme{},
		Secrets: map[string]string{"TAX": "s3cret"}, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	return w
}

// at makes the system stand at a test server.
func (w *world) at(t *testing.T, system http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(system)
	t.Cleanup(server.Close)
	w.Addresses = map[ident.Register]string{"tax/income": server.URL}
}

func (w *world) ask(t *testing.T) (exchange.Reply, error) {
	t.Helper()
	asked, err := exchange.SignQuestion(t.Context(), w.ring, exchange.Question{
		ID: "1", Evidence: "tax/earning", Of: w.of, Number: number, Service: "youth/tools-subsidy", Purpose: access.Apply,
		Asking: "youth-agency", Answering: "tax", At: start,
	})
	if err != nil {
		t.Fatal(err)
	}
	answered, err := w.Answer(t.Context(), asked)
	if err != nil {
		return exchange.Reply{}, err
	}
	return answered.Verify(w.ring, asked)
}

func answer(pin string) string {
	return fmt.Sprintf(`{"data":{"pin":%q,"sums":[{"amount":150000}],"state":"A","since":"2026-01-02","works":true,"more":[1.5]}}`, pin)
}

func TestAnswersLikeARegister(t *testing.T) {
	w := newWorld(t)
	var got *http.Request
	w.at(t, func(rw http.ResponseWriter, r *http.Request) {
		got = r
		fmt.Fprint(rw, answer(number))
	})
	reply, err := w.ask(t)
	if err != nil {
		t.Fatal(err)
	}
	values, err := register.DecodeValues(reply.Values)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"income": money.Amount(150000), "since": calendar.Date{Year: 2026, Month: 1, Day: 2}, "works": true}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Error(diff)
	}
	if reply.VouchedBy != exchange.VouchedByAdapter || reply.Status != exchange.StatusAnswered {
		t.Errorf("the reply is %+v", reply)
	}
	person, _ := w.of.Person()
	if got.URL.Path != "/people/"+number || got.URL.Query().Get("by") != string(person) || got.Header.Get("Authorization") != "Bearer s3cret" {
		t.Errorf("the system was asked %s with %v", got.URL, got.Header)
	}
}

func TestNoRecord(t *testing.T) {
	for name, system := range map[string]http.HandlerFunc{
		"a status that means so": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"a record that does not count": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Replace(answer(number), `"A"`, `7`, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.at(t, system)
			if reply, err := w.ask(t); err != nil || reply.Status != exchange.StatusNone || reply.Values != nil {
				t.Errorf("got %+v, %v", reply, err)
			}
		})
	}
}

func TestNeverAWrongAnswer(t *testing.T) {
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	elsewhere := httptest.NewServer(says(answer(number)))
	defer elsewhere.Close()
	with := func(old, fresh string) http.HandlerFunc { return says(strings.Replace(answer(number), old, fresh, 1)) }
	for name, system := range map[string]http.HandlerFunc{
		"another status":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); fmt.Fprint(w, answer(number)) },
		"an empty answer":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"a redirect":               func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"no JSON":                  says("<html>maintenance</html>"),
		"half of it":               says(answer(number)[:60]),
		"two answers":              says(answer(number) + answer(number)),
		"bad UTF-8":                with("more", "mor\xff"),
		"somebody else":            says(answer("30101900000001")),
		"nobody":                   with(`"pin":"`+number+`"`, `"pin":5`),
		"an amount as text":        with("150000", `"150000"`),
		"an amount with decimals":  with("150000", "150000.5"),
		"an amount too large":      with("150000", "150000000000000000000000"),
		"a negative amount":        with("150000", "-1"),
		"no such date":             with("2026-01-02", "2026-02-30"),
		"an unknown state":         with(`"A"`, `"B"`),
		"a missing value":          with(`"since":"2026-01-02",`, ``),
		"a null":                   with(`"2026-01-02"`, `null`),
		"another type":             with("true", `"yes"`),
		"a plain value on the way": with(`[{"amount":150000}]`, `5`),
		"a list instead":           says("[]"),
		"10 MB": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"more":"`, strings.Repeat("x", 10<<20), `",`, answer(number)[1:])
		},
		"it hangs up": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.at(t, system)
			reply, err := w.ask(t)
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %+v, %v", reply, err)
			}
			if log := w.log.String(); !strings.Contains(log, "tax/income") || strings.Contains(log, number) || strings.Contains(err.Error(), number) {
				t.Errorf("the operator reads %s", log)
			}
		})
	}
	t.Run("a system that is not there", func(t *testing.T) {
		w := newWorld(t)
		w.Addresses = map[ident.Register]string{"tax/income": "http://127.0.0.1:1"}
		if _, err := w.ask(t); !fault.Is(err, fault.Unavailable) || strings.Contains(w.log.String()+err.Error(), number) {
			t.Errorf("got %v, and the operator reads %s", err, &w.log)
		}
	})
	t.Run("a secret that is not configured", func(t *testing.T) {
		w := newWorld(t)
		w.at(t, says(answer(number)))
		w.Secrets = nil
		if _, err := w.ask(t); !fault.Is(err, fault.Unavailable) || !strings.Contains(w.log.String(), "secret.TAX") {
			t.Errorf("got %v, and the operator reads %s", err, &w.log)
		}
	})
	t.Run("it takes too long", func(t *testing.T) {
		w := newWorld(t)
		w.declared.Timeout = 20 * time.Millisecond
		w.at(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		if _, err := w.ask(t); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	})
}

func TestOnlyTheDeclaredHostIsAsked(t *testing.T) {
	for _, declared := range []string{
		"http://{number}/x", "http://a{number}/x", "http://a.invalid{number}", "{number}", "file:///etc/passwd", "http://user:pass@a.invalid/", "//a.invalid/", "http://",
	} {
		w := newWorld(t)
		w.declared.URL = declared
		if _, err := w.ask(t); !fault.Is(err, fault.Unavailable) || !strings.Contains(w.log.String(), "declared URL") {
			t.Errorf("%s gave %v: %s", declared, err, &w.log)
		}
	}
}

func TestValuesAreEscapedWhereTheyStand(t *testing.T) {
	const hostile = `1/../2?a=b&c="}#%`
	w := newWorld(t)
	w.declared.Method, w.declared.URL = "POST", "http://a.invalid/p/{number}/end?q={number}"
	w.declared.Body = `{"pin": "{number}", "nested": {"a": {}}}`
	var path, query, body string
	w.at(t, func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		path, query, body = r.URL.Path, r.URL.Query().Get("q"), string(text)
	})
	asked, err := exchange.SignQuestion(t.Context(), w.ring, exchange.Question{
		ID: "1", Evidence: "tax/earning", Of: w.of, Number: hostile, Service: "youth/tools-subsidy", Purpose: access.Apply,
		Asking: "youth-agency", Answering: "tax", At: start,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Answer(t.Context(), asked); err == nil {
		t.Fatal("an empty answer counted")
	}
	if path != "/p/"+hostile+"/end" || query != hostile || body != `{"pin": "1/../2?a=b\u0026c=\"}#%", "nested": {"a": {}}}` {
		t.Errorf("asked %q %q %q", path, query, body)
	}
}

func TestUngrantedQuestionReachesNoSystem(t *testing.T) {
	w := newWorld(t)
	w.at(t, func(http.ResponseWriter, *http.Request) { t.Error("the system was asked") })
	asked, err := exchange.SignQuestion(t.Context(), w.ring, exchange.Question{
		ID: "1", Evidence: "tax/earning", Of: w.of, Number: number, Service: "youth/tools-subsidy", Purpose: access.Review,
		Asking: "youth-agency", Answering: "tax", At: start,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Answer(t.Context(), asked); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %v", err)
	}
}

func TestDouble(t *testing.T) {
	w := newWorld(t)
	said := map[string]any{"data": map[string]any{
		"pin": number, "sums": []any{map[string]any{"amount": 7}}, "state": "A", "since": "2026-01-02",
	}}
	w.declared.Double = []register.Double{{Number: number, Answer: said, Fail: 2}}
	server := httptest.NewServer(adapter.NewDouble(w.declared))
	defer server.Close()
	w.Addresses = map[ident.Register]string{"tax/income": server.URL}
	for i := range 2 {
		if _, err := w.ask(t); !fault.Is(err, fault.Unavailable) {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
	if reply, err := w.ask(t); err != nil || reply.Status != exchange.StatusAnswered {
		t.Errorf("the third time: %+v, %v", reply, err)
	}
	w.declared.Double = nil
	if reply, err := w.ask(t); err != nil || reply.Status != exchange.StatusNone {
		t.Errorf("without a declared answer: %+v, %v", reply, err)
	}
}

func TestDoubleTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		double := adapter.NewDouble(&register.Adapter{Double: []register.Double{{After: 3 * time.Second, Status: 201}}})
		began := time.Now()
		recorder := httptest.NewRecorder()
		double.ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
		if took := time.Since(began); took != 3*time.Second || recorder.Code != 201 {
			t.Errorf("it answered %d after %v", recorder.Code, took)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		double.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, "GET", "/", nil))
		if took := time.Since(began); took != time.Second {
			t.Errorf("it held on for %v after the caller had gone", took)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(answer(number))
	f.Add(`{"data":null}`)
	f.Add(`{"data":{"pin":[[[[`)
	f.Fuzz(func(t *testing.T, text string) {
		w := newWorld(t)
		w.at(t, func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, text) })
		reply, err := w.ask(t)
		switch {
		case err != nil && !fault.Is(err, fault.Unavailable):
			t.Errorf("%q gave %v", text, err)
		case err == nil && reply.Status == exchange.StatusAnswered && !strings.Contains(text, number) && !strings.Contains(text, `\`):
			t.Errorf("%q, which is about somebody else, gave %s", text, reply.Values)
		}
	})
}

// scheme accepts what the tests need.
type scheme struct{}

func (scheme) CheckBankAccount(text string) (string, error) { return text, nil }
func (scheme) CheckPhone(text string) (string, error)       { return text, nil }
func (scheme) CheckTerritory(ident.Territory, string) error { return nil }
func (scheme) ParseMoney(text string) (money.Amount, error) {
	return money.Currency{Code: "UZS", MinorDigits: 2}.Parse(text)
}
