package route_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"yagona/web/route"
)

func TestAnswersAreCompressedWhereNobodyCanGuessFromTheirSize(t *testing.T) {
	long := strings.Repeat("one house, many pages; ", 200)
	page := func(header, value string) route.Handler {
		return func(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set(header, value)
			_, err := fmt.Fprint(w, long)
			return err
		}
	}
	router := route.New(route.Config{Recognise: recognise})
	router.Add(
		route.Route{Method: "GET", Pattern: "/page", Access: route.Public(), Handle: page("X-Sample", "")},
		route.Route{Method: "GET", Pattern: "/tagged", Access: route.Public(), Handle: page("ETag", `"1"`)},
		route.Route{Method: "GET", Pattern: "/picture", Access: route.Public(), Handle: page("Content-Type", "image/png")},
		route.Route{Method: "GET", Pattern: "/stream", Access: route.Public(), Stream: true, Handle: page("X-Sample", "")},
	)
	for name, one := range map[string]struct {
		target, accepts string
		signedIn, small bool
	}{
		"a page":                         {"/page", "gzip, br", false, true},
		"a page with a query":            {"/page?q=a", "gzip", false, true},
		"one's own page":                 {"/page", "gzip", true, true},
		"one's own page with a query":    {"/page?q=a", "gzip", true, false},
		"a browser that takes none":      {"/page", "", false, false},
		"a browser that refuses it":      {"/page", "gzip;q=0", false, false},
		"what has a tag":                 {"/tagged", "gzip", false, false},
		"what is packed already":         {"/picture", "gzip", false, false},
		"what is sent as it is written":  {"/stream", "gzip", false, false},
		"a browser that takes all kinds": {"/page", "br;q=1.0, gzip;q=0.8", false, true},
	} {
		r, w := httptest.NewRequest("GET", one.target, nil), httptest.NewRecorder()
		r.Header.Set("Accept-Encoding", one.accepts)
		if one.signedIn {
			r.AddCookie(&http.Cookie{Name: route.SessionCookie, Value: string(resident)})
		}
		router.ServeHTTP(w, r)
		packed := w.Header().Get("Content-Encoding") == "gzip"
		if packed != one.small || packed != (w.Body.Len() < len(long)) {
			t.Errorf("%s: %d bytes, packed: %t", name, w.Body.Len(), packed)
		}
		if !packed {
			continue
		}
		if !strings.Contains(w.Header().Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: a cache is not told that it varies", name)
		}
		unpacked, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(unpacked); err != nil || string(content) != long {
			t.Errorf("%s: something else came out (%v)", name, err)
		}
	}
}
