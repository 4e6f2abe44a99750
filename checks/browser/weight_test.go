package browser

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// What pages may weigh over the wire: everything that a first visit loads before fonts, which come after the words.
const (
	firstPage   = 60 << 10
	servicePage = 100 << 10
)

var loads = regexp.MustCompile(`<(?:link rel="(?:stylesheet|icon)" href|script src)="([^"]+)"`)

// weight fetches a page and what it loads as a browser does, and returns how many bytes came over the wire, with their
// headers, without and with fonts.
func (i *installation) weight(t *testing.T, path string) (before, all int) {
	t.Helper()
	fetch := func(path string) (content []byte, size int) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.site+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Encoding", "gzip") // said by hand, so that the answer is not unpacked
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		content, err = io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, response.Status, err)
		}
		size = len(content)
		for name, values := range response.Header {
			size += len(fmt.Sprint(name, values))
		}
		return unpacked(t, response, content), size
	}
	page, before := fetch(path)
	fonts := 0
	for _, found := range loads.FindAllSubmatch(page, -1) {
		content, size := fetch(string(found[1]))
		before += size
		for _, font := range fontFiles.FindAllSubmatch(content, -1) {
			_, size := fetch(string(font[1]))
			fonts += size
		}
	}
	return before, before + fonts
}

func TestPagesAreLight(t *testing.T) {
	installed := open(t)
	for path, most := range map[string]int{
		"/": firstPage, "/services": servicePage, "/services?q=subsidiya": servicePage,
		subsidy: servicePage, subsidy + "/statistics": servicePage, "/verify": servicePage, "/transparency": servicePage,
	} {
		before, all := installed.weight(t, path)
		t.Logf("%-45s %6d bytes, %6d with all fonts", path, before, all)
		if before > most {
			t.Errorf("%s weighs %d bytes, more than %d", path, before, most)
		}
	}
}

var fontFiles = regexp.MustCompile(`url\((/ui/[^)]+\.woff2)\)`)

func unpacked(t *testing.T, response *http.Response, content []byte) []byte {
	t.Helper()
	if response.Header.Get("Content-Encoding") != "gzip" {
		return content
	}
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if content, err = io.ReadAll(reader); err != nil {
		t.Fatal(err)
	}
	return content
}
