package route

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// smallest is how many bytes an answer must have for compression to be worth its while.
const smallest = 1 << 10

var compressible = []string{
	"text/html", "text/css", "text/javascript", "image/svg+xml", "application/json", "application/ld+json", "application/manifest+json",
}

// compress makes a gathered answer smaller for a browser that takes gzip. An answer to somebody who is signed in is
// compressed only if its address has no query: whoever can have a stranger's words shown beside a secret, and sees the
// size of the answer, could guess the secret (BREACH). What has an entity tag stays as it is, since the tag is of the
// bytes.
func compress(w *response, r *http.Request, v Visitor) {
	headers := w.Header()
	if w.stream || w.sent || headers.Get("Content-Encoding") != "" || headers.Get("ETag") != "" {
		return
	}
	if kind, _, err := mime.ParseMediaType(headers.Get("Content-Type")); err != nil || !slices.Contains(compressible, kind) {
		return
	}
	headers.Add("Vary", "Accept-Encoding")
	if w.body.Len() < smallest || !acceptsGzip(r) || v.SignedIn() && r.URL.RawQuery != "" {
		return
	}
	var small bytes.Buffer
	packer := gzip.NewWriter(&small)
	if _, err := packer.Write(w.body.Bytes()); err != nil {
		return
	}
	if err := packer.Close(); err != nil {
		return
	}
	w.body, w.size = small, int64(small.Len())
	headers.Set("Content-Encoding", "gzip")
}

// acceptsGzip reports whether the request takes gzip (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil || name != "gzip" {
			continue
		}
		q, given := parameters["q"]
		weight, err := strconv.ParseFloat(q, 64)
		return !given || err == nil && weight > 0
	}
	return false
}
