package log_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"yagona/kernel/fault"
	"yagona/web/log"
)

// resources is a log as a map, in which one file cannot be read.
type resources map[string]string

func (r resources) Resource(_ context.Context, path string) ([]byte, error) {
	if path == "tile/0/broken" {
		return nil, errors.New("disk: a detail for the operator only")
	}
	content, ok := r[path]
	if !ok {
		return nil, fault.New(fault.NotFound, "log.no-resource", "There is no such file.")
	}
	return []byte(content), nil
}

var files = resources{
	"checkpoint": "the checkpoint", "tile/0/x001/234": "a tile", "tile/1/000.p/17": "a partial tile", "tile/entries/000": "a bundle",
}

func TestHandler(t *testing.T) {
	const immutable, octets = "public, max-age=31536000, immutable", "application/octet-stream"
	var operator bytes.Buffer
	handler := log.Handler(files, slog.New(slog.NewTextHandler(&operator, nil)))
	for _, test := range []struct {
		method, path                  string
		status                        int
		contentType, caching, content string
	}{
		{"GET", "/log/checkpoint", 200, "text/plain; charset=utf-8", "public, max-age=1", "the checkpoint"},
		{"HEAD", "/log/checkpoint", 200, "text/plain; charset=utf-8", "public, max-age=1", ""},
		{"GET", "/log/tile/0/x001/234", 200, octets, immutable, "a tile"},
		{"GET", "/log/tile/1/000.p/17", 200, octets, immutable, "a partial tile"},
		{"GET", "/log/tile/entries/000", 200, octets, immutable, "a bundle"},
		{"GET", "/log/tile/0/999", 404, "text/plain; charset=utf-8", "no-store", "There is no such file.\n"},
		{"POST", "/log/checkpoint", 405, "", "", ""},
		{"GET", "/log/other", 404, "", "", ""},
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(test.method, test.path, nil))
		if recorder.Code != test.status {
			t.Errorf("%s %s gave %d", test.method, test.path, recorder.Code)
		}
		if test.caching == "" {
			continue
		}
		got := recorder.Result()
		if got.Header.Get("Content-Type") != test.contentType || got.Header.Get("Cache-Control") != test.caching {
			t.Errorf("%s %s gave %v", test.method, test.path, got.Header)
		}
		if test.method == "GET" && recorder.Body.String() != test.content {
			t.Errorf("%s gave %q", test.path, recorder.Body)
		}
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/log/tile/0/broken", nil))
	if recorder.Code != 500 || strings.Contains(recorder.Body.String(), "detail") {
		t.Errorf("a broken store gave %d %q", recorder.Code, recorder.Body)
	}
	if !strings.Contains(operator.String(), "a detail for the operator only") {
		t.Errorf("the operator reads %q", operator.String())
	}
}

func TestRemote(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle(log.Prefix, log.Handler(files, slog.New(slog.DiscardHandler)))
	mux.HandleFunc("/large/checkpoint", func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 17<<20))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	remote := log.NewRemote(server.URL+log.Prefix, server.Client())
	for path, want := range files {
		got, err := remote.Resource(t.Context(), path)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	if _, err := remote.Resource(t.Context(), "tile/0/999"); err == nil {
		t.Error("a missing file is no error")
	}
	if _, err := log.NewRemote(server.URL+"/large", server.Client()).Resource(t.Context(), "checkpoint"); err == nil {
		t.Error("17 MiB are taken for a file of a log")
	}
	server.Close()
	if _, err := remote.Resource(t.Context(), "checkpoint"); err == nil {
		t.Error("a log that does not answer is no error")
	}
}
