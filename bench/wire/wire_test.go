package wire_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"yagona/bench/wire"
)

// Answers belong to their requests, whatever their length is and however they are sent, also when the server has closed what
// was idle.
func TestEveryRequestGetsItsAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Query().Has("long") {
			for range 100 {
				fmt.Fprint(w, strings.Repeat("-", 1000))
				w.(http.Flusher).Flush()
			}
		}
		if r.URL.Query().Has("last") {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL.Path, sent)
	}))
	defer server.Close()
	var client wire.Client
	defer client.Close()
	ask := func(method, path string, body any) {
		sent := ""
		if body != nil {
			sent = fmt.Sprint(body)
		}
		status, content, err := client.Send(t.Context(), method, server.URL+path, body)
		name, _, _ := strings.Cut(path, "?")
		if got := strings.TrimLeft(string(content), "-"); err != nil || status != http.StatusOK || got != method+" "+name+" "+sent {
			t.Errorf("%s %s %v was answered %d %.80q, %v", method, path, body, status, got, err)
		}
	}
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := range 50 {
				ask("POST", fmt.Sprintf("/%d/%d", client, i), i)
				ask("GET", fmt.Sprintf("/%d/%d?long", client, i), nil)
				ask("GET", fmt.Sprintf("/%d/%d?last", client, i), nil)
			}
		})
	}
	clients.Wait()
	server.CloseClientConnections()
	time.Sleep(1100 * time.Millisecond) // for so long a connection is believed to be the server's, too
	ask("POST", "/again", 7)
}

func TestAnAnswerIsReadToItsEnd(t *testing.T) {
	var client wire.Client
	defer client.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/nothing":
			w.WriteHeader(http.StatusNoContent)
		case "/whose":
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprint(w, r.Header.Get("Authorization"), r.Header.Get("If-Match"))
		case "/gone":
			panic(http.ErrAbortHandler)
		case "/short":
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "short")
		}
	}))
	defer server.Close()
	for path, want := range map[string]struct {
		status  int
		content string
		fails   bool
	}{
		"/nothing": {204, "", false}, "/whose": {418, "Bearer x\"1\"", false}, "/": {200, "", false},
		"/gone": {0, "", true}, "/short": {200, "", true},
	} {
		for range 3 {
			status, content, err := client.Send(t.Context(), http.MethodGet, server.URL+path, nil, "Authorization", "Bearer x", "If-Match", `"1"`)
			if (err != nil) != want.fails || !want.fails && (status != want.status || string(content) != want.content) {
				t.Errorf("%s was answered %d %q, %v", path, status, content, err)
			}
		}
	}
}
