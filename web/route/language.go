package route

import (
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/text/language"
)

const (
	languageCookie = "language"
	languageQuery  = "lang"
	languageAge    = 365 * 24 * 60 * 60 // seconds
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
// it, so that the choice stays out of links; anything else is answered in that language, and nothing of it is lost.
func (e *endpoint) switchLanguage(w *response, r *http.Request, c *call) bool {
	if e.route.Face != Page || !r.URL.Query().Has(languageQuery) {
		return false
	}
	if asked := r.URL.Query().Get(languageQuery); slices.Contains(e.router.languages.tags, asked) {
		e.router.config.Cookies.Set(w, languageCookie, asked, languageAge)
		c.headers = w.Header().Clone() // an error keeps the choice
	}
	if r.Method != http.MethodGet {
		return false
	}
	http.Redirect(w, r, c.visitor.Here, http.StatusSeeOther)
	return true
}

// here returns the request's path and query on this site, without the choice of a language.
func here(r *http.Request) string {
	query := r.URL.Query()
	query.Del(languageQuery)
	return LocalPath((&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query.Encode()}).RequestURI())
}
