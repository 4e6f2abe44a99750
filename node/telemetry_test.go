package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"yagona/kernel/country"
	"yagona/kernel/signature"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/node/walk"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
)

// logged is a log that is written by many and read at the end.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// watched is a demonstration whose log, metrics and spans are kept.
type watched struct {
	*node.Node
	site   *url.URL
	folder string
	log    *logged
	spans  *tracetest.SpanRecorder
	today  node.Demonstration
}

func openWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{folder: nodetest.Populated(t, 200, time.Now), log: &logged{}, spans: tracetest.NewSpanRecorder()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.site = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	w.today = node.Demonstration{Seed: 1, Size: 200}
	if w.Node, err = node.OpenDemonstration(t.Context(), node.Config{
		Folder: w.folder, Site: w.site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
		Log:    slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Traces: sdk.NewTracerProvider(sdk.WithSpanProcessor(w.spans)),
	}, w.today.Size); err != nil {
		t.Fatal(err)
	}
	w.today.Today = w.Profile.Calendar.Date(time.Now())
	w.Start(context.WithoutCancel(t.Context()))
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: w.Handler}}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *watched) metrics(t *testing.T) string {
	t.Helper()
	answer := httptest.NewRecorder()
	w.Operator().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, node.MetricsPath, nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("the metrics give %d %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// TestTheStoryLeavesNoPersonalDataInWhatTheOperatorSees tells the whole story, with wrong turns, and searches the log,
// the metrics and the spans for everything that is known of the people involved.
func TestTheStoryLeavesNoPersonalDataInWhatTheOperatorSees(t *testing.T) {
	if testing.Short() {
		t.Skip("tells the whole story over HTTP")
	}
	w := openWatched(t)
	key, err := node.LogKey(node.Config{Folder: w.folder, Site: w.site, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.Keys.Ensure(signature.Node)
	if err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	if err := walk.Walk(t.Context(), walk.Demonstration{
		Site: w.site, SignInPath: node.DemonstrationPath, Client: node.DemonstrationProgram, NodeKey: own[0].Public, LogKey: key,
	}, said); err != nil {
		t.Fatalf("the story fails: %v\n%s", err, said)
	}
	profile, err := country.Load(uz.Files)
	if err != nil {
		t.Fatal(err)
	}
	population, err := demo.Generate(w.today.Seed, profile, w.today.Today, w.today.Size)
	if err != nil {
		t.Fatal(err)
	}
	// Wrong turns carry what strangers write: in paths, in queries, in bodies.
	someone := population.People[0]
	for _, path := range []string{
		"/api/v1/people/" + someone.Number, "/api/v1/applications/" + someone.Number, "/verify/" + url.PathEscape(someone.Name()),
		"/?q=" + url.QueryEscape(someone.Phone), "/log/tile/" + url.PathEscape(someone.Number), "/api/v1/tasks?person=" + someone.Number,
	} {
		answer, err := http.Get(w.site.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	answer, err := http.Post(w.site.String()+"/api/v1/sessions", "application/json", strings.NewReader(`{"id_token": "`+someone.Number+`", "`+someone.Phone+`": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || !strings.Contains(string(body), "urn:yagona:request:"+answer.Header.Get("X-Request-Id")) {
		t.Errorf("a problem does not name its request: %s %v", body, err)
	}

	metrics := w.metrics(t)
	var spans strings.Builder
	for _, span := range w.spans.Ended() {
		fmt.Fprintln(&spans, span.Name(), span.Attributes(), span.Status(), span.Events(), span.Links(), span.Resource())
	}
	seen := map[string]string{"log": w.log.String(), "metrics": metrics, "spans": spans.String()}
	for where, text := range seen {
		if len(text) < 5000 {
			t.Fatalf("the %s has only %d bytes: what would be searched?", where, len(text))
		}
		for _, one := range population.People {
			for what, value := range map[string]string{
				"id": string(one.ID), "number": one.Number, "name": one.Name(), "family name": one.FamilyName, "given name": one.GivenName,
				"patronymic": one.Patronymic, "account": one.Account, "phone": one.Phone, "household": string(one.Household),
			} {
				if value != "" && strings.Contains(text, value) {
					t.Errorf("the %s holds somebody's %s, %q", where, what, value)
				}
			}
		}
	}
	w.holdDatabase(t, population)
	w.holdLog(t)
	for _, wanted := range []string{
		`yagona_requests_total{method="POST",route="/api/v1/applications",status="201"}`, `yagona_acts_total{key="person"}`,
		`yagona_commit_acts_count`, `yagona_jobs_dead 0`, `yagona_jobs_total{kind="ledger.send-order",outcome="done"}`,
		`yagona_log_entries{state="cosigned"}`, `yagona_disclosures_total{purpose="apply"}`, `yagona_build_info{`, `yagona_unready 0`,
	} {
		if !strings.Contains(metrics, wanted) {
			t.Errorf("the metrics lack %s", wanted)
		}
	}
	w.holdSpans(t)
}

// holdDatabase searches the files of the database for what is sealed there: who has them, and no key, learns ids only.
func (w *watched) holdDatabase(t *testing.T, population *demo.Population) {
	t.Helper()
	stored := map[string][]byte{}
	for _, name := range []string{"yagona.db", "yagona.db-wal"} {
		content, err := os.ReadFile(filepath.Join(w.folder, name))
		if err != nil {
			t.Fatal(err)
		}
		stored[name] = content
	}
	applicant := population.People[0].ID
	for _, one := range population.People {
		for name, content := range stored {
			for what, value := range map[string]string{"number": one.Number, "name": one.Name(), "account": one.Account, "phone": one.Phone} {
				if value != "" && bytes.Contains(content, []byte(value)) {
					t.Errorf("%s holds somebody's %s, %q", name, what, value)
				}
			}
		}
	}
	if !bytes.Contains(stored["yagona.db"], []byte(applicant)) && !bytes.Contains(stored["yagona.db-wal"], []byte(applicant)) {
		t.Errorf("the id of %s, which lies there in clear, was not found either: what was searched?", applicant)
	}
}

// holdLog holds each line to JSON, and each line of a request to its request's id.
func (w *watched) holdLog(t *testing.T) {
	t.Helper()
	requests := 0
	for line := range strings.Lines(w.log.String()) {
		var read struct{ Msg, Request string }
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Fatalf("a line of the log is no JSON: %s", line)
		}
		if read.Msg == "request" {
			requests++
			if read.Request == "" {
				t.Errorf("a line names no request: %s", line)
			}
		}
	}
	if requests < 50 {
		t.Errorf("only %d requests are in the log", requests)
	}
}

// holdSpans looks for a chain from a request over its act and commit to the job that the act queued and to its act.
func (w *watched) holdSpans(t *testing.T) {
	t.Helper()
	byID := map[string]sdk.ReadOnlySpan{}
	for _, span := range w.spans.Ended() {
		byID[span.SpanContext().SpanID().String()] = span
	}
	chains := map[string]int{}
	for _, span := range byID {
		chain := ""
		for span, ok := span, true; ok; span, ok = byID[span.Parent().SpanID().String()] {
			name, _, _ := strings.Cut(span.Name(), " ")
			chain = name + ">" + chain
		}
		chains[chain]++
	}
	for _, wanted := range []string{"POST>act>commit>", "POST>act>job>act>commit>"} {
		if chains[wanted] == 0 {
			t.Errorf("no spans go %s; those that there are: %v", wanted, chains)
		}
	}
}
