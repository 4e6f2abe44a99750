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
	transport := &wire.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ask := func(method, path, body string) {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		content, err := io.ReadAll(answer.Body)
		name, _, _ := strings.Cut(path, "?")
		if got := strings.TrimLeft(string(content), "-"); err != nil || got != method+" "+name+" "+body {
			t.Errorf("%s %s %q was answered %.80q, %v", method, path, body, got, err)
		}
	}
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := range 50 {
				ask("POST", fmt.Sprintf("/%d/%d", client, i), fmt.Sprint(i))
				ask("GET", fmt.Sprintf("/%d/%d?long", client, i), "")
				ask("GET", fmt.Sprintf("/%d/%d?last", client, i), "")
			}
		})
	}
	clients.Wait()
	server.CloseClientConnections()
	time.Sleep(1100 * time.Millisecond) // for so long a connection is believed to be the server's, too
	ask("POST", "/again", "later")
}
