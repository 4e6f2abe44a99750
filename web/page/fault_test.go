package page_test

import (
	"strings"
	"testing"

	"yagona/kernel/fault"
	"yagona/web/page"
	"yagona/web/ui"
)

// TestProblemsSpeakTheReadersLanguage holds what a program hears most often to the five languages.
func TestProblemsSpeakTheReadersLanguage(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Yagona", words)
	if err != nil {
		t.Fatal(err)
	}
	for code, kind := range map[string]fault.Kind{
		"application.already-open": fault.Conflict, "application.too-many-drafts": fault.Conflict, "http.unknown-field": fault.Invalid,
		"http.duplicate-field": fault.Invalid, "http.malformed": fault.Invalid, "http.precondition-failed": fault.Conflict,
		"http.precondition-required": fault.Invalid, "http.cross-origin": fault.Forbidden, "http.timeout": fault.Unavailable,
		"http.too-many": fault.TooMany, "idempotency.malformed": fault.Invalid, "idempotency.not-uuid": fault.Invalid,
		"idempotency.other-request": fault.Invalid, "idempotency.in-progress": fault.Conflict, "page.cursor": fault.Invalid,
		"page.limit": fault.Invalid, "seal.erased": fault.Erased, "session.ended": fault.Unauthorized, "outage.too-long": fault.Invalid,
		"erasure.open-business": fault.Conflict, "store.cannot-write": fault.CannotStore,
	} {
		said := map[string]string{}
		for _, language := range []string{"uz-Latn", "uz-Cyrl", "kaa", "ru", "en"} {
			f := fault.New(kind, code, "only English").With("open", "x")
			_, detail := house.Say(language, f)
			if before := said[detail]; before != "" {
				t.Errorf("%s: %s says the same as %s: %s", code, language, before, detail)
			}
			said[detail] = language
			general := house.Text(language, "fault."+kind.String(), nil)
			if detail == general || strings.Contains(detail, "only English") {
				t.Errorf("%s is not said in %s but in general: %s", code, language, detail)
			}
			if other := house.Text(language, "fault.unavailable", nil); kind == fault.CannotStore && detail == other {
				t.Errorf("in %s a full disk is blamed on another system", language)
			}
		}
	}
}
