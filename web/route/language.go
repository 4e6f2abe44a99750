package route

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/text/language"

	"yagona/kernel/fault"
)

const (
	languageCookie = "language"
	languageQuery  = "lang"
	languageAge    = 365 * 24 * 60 * 60 // seconds
	typedMost      = 64 << 10           // bytes of a form whose page takes none itself
)

// languages chooses among those in which the site answers.
type languages struct {
	tags    []string
	matcher language.Matcher
}

func newLanguages(tags []string) languages {
	parsed := make([]language.Tag, len(tags))
	for i, tag := range tags {
		parsed[i] = language.Make(tag)
	}
	return languages{tags: tags, matcher: language.NewMatcher(parsed)}
}

// of returns the language to answer in: the one in the query, the one chosen before, the browser's best, the default.
func (l languages) of(r *http.Request, cookies Cookies) string {
	if asked := r.URL.Query().Get(languageQuery); slices.Contains(l.tags, asked) {
		return asked
	}
	if chosen := cookies.Value(r, languageCookie); slices.Contains(l.tags, chosen) {
		return chosen
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(wanted) == 0 {
		return l.tags[0]
	}
	if _, index, confidence := l.matcher.Match(wanted...); confidence >= language.High {
		return l.tags[index]
	}
	return l.tags[0]
}

// switchLanguage remembers the language that a page's address asks for. A GET is sent back to the same address without
// it, so that the choice stays out of links; anything else that gets here is answered in that language (keepTyped).
func (e *endpoint) switchLanguage(w *response, r *http.Request, c *call) bool {
	if e.route.Face != Page || !r.URL.Query().Has(languageQuery) {
		return false
	}
	e.router.remember(w, r, c)
	if r.Method != http.MethodGet {
		return false
	}
	http.Redirect(w, r, c.visitor.Here, http.StatusSeeOther)
	return true
}

// remember keeps the language that the page's address asks for in a cookie, also if an error is answered.
func (router *Router) remember(w *response, r *http.Request, c *call) {
	if asked := r.URL.Query().Get(languageQuery); slices.Contains(router.languages.tags, asked) {
		router.config.Cookies.Set(w, languageCookie, asked, languageAge)
		c.headers = http.Header{"Set-Cookie": w.Header().Values("Set-Cookie")}
	}
}

// keepTyped turns a form that is sent to its own page in another language into a reading of that page: what was typed
// comes along as Visitor.Typed, and nothing else is done with it. So a page can be read in another language without a
// script and nothing of it is lost. Everything else is returned as it came.
func (router *Router) keepTyped(w *response, r *http.Request, c *call) (*http.Request, error) {
	if r.Method != http.MethodPost || !r.URL.Query().Has(languageQuery) {
		return r, nil
	}
	page := router.at(http.MethodGet, r)
	if page == nil || page.route.Face != Page {
		return r, nil
	}
	most := int64(typedMost)
	if takes := router.at(http.MethodPost, r); takes != nil {
		most = max(most, takes.route.Body)
	}
	// the machine's own time: it is the operating system that waits; what has no deadlines has nothing to do
	_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(time.Now().Add(page.route.Timeout + readGrace))
	r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, most)
	if mediaTypeOf(r.Header.Get("Content-Type")) != "application/x-www-form-urlencoded" { // files are not kept
		return r, fault.New(fault.Invalid, "http.malformed", "This is not a form. Open the page again and send it from there.")
	}
	if err := ReadForm(r); err != nil {
		return r, err
	}
	c.visitor.Typed = r.PostForm
	router.remember(w, r, c)
	read := r.Clone(r.Context())
	query := read.URL.Query()
	query.Del(languageQuery)
	read.Method, read.URL.RawQuery, read.Body, read.ContentLength, read.Form, read.PostForm = http.MethodGet, query.Encode(), http.NoBody, 0, nil, nil
	read.Header.Del("Content-Type")
	return read, nil
}

// here returns the request's path and query on this site, without the choice of a language.
func here(r *http.Request) string {
	query := r.URL.Query()
	query.Del(languageQuery)
	return LocalPath((&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query.Encode()}).RequestURI())
}
