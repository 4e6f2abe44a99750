package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/locale"
	"yagona/web/page"
)

func TestEveryDocumentedCodeHasItsText(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	for code := range statuses {
		for _, language := range locale.Known() {
			if !words.Has(language, "fault."+code) {
				t.Errorf("%s is documented, but not said in %s", code, language)
			}
		}
	}
}

// TestWhatIsWrongIsSaidInTheReadersLanguage asks for each kind of answer that says what is wrong, in each language.
func TestWhatIsWrongIsSaidInTheReadersLanguage(t *testing.T) {
	w := newWorld(t)
	registrar := w.official("employment-agency", access.Registrar)
	said := map[string]map[string]string{} // what was asked → language → what it said
	for _, language := range w.Profile.Languages {
		in := []string{"Accept-Language", language}
		begun := w.ask("POST", "/applications", w.resident, map[string]any{"service": "youth/tools", "answers": map[string]any{"trade": "flying"}}, in...)
		draft := into[Receipt](begun, http.StatusCreated)
		saved := w.ask("PATCH", "/applications/"+string(draft.Application.ID), w.resident, map[string]any{"answers": map[string]any{"trade": "sailing"}},
			append(in, "If-Match", begun.header.Get("ETag"))...)
		imported := w.ask("POST", "/registers/employment/unemployed/import", registrar, map[string]any{
			"format": "csv", "reason": "taken over", "content": "person,registeredOn\n30000000000009,2026-02-01\n",
		}, in...)
		verified := w.ask("POST", "/verify", "", Payload{"x"}, in...)
		sent := w.ask("POST", "/applications", w.resident, map[string]any{"service": "youth/tools", "flying": true}, in...).problem(422, "http.unknown-field")
		for what, detail := range map[string]string{
			"a draft begun": draft.Problems[0].Detail,
			"a draft saved": into[Draft](saved, http.StatusOK).Problems[0].Detail,
			"an import":     into[Imported](imported, http.StatusOK).Rejects[0].Detail,
			"a document":    into[Verification](verified, http.StatusOK).Finding.Reason,
			"a problem":     sent.Detail,
			"its field":     sent.Fields[0].Detail,
		} {
			if said[what] == nil {
				said[what] = map[string]string{}
			}
			for other, text := range said[what] {
				if text == detail {
					t.Errorf("%s is answered alike in %s and %s: %s", what, language, other, detail)
				}
			}
			said[what][language] = detail
		}
	}
	want := map[string]string{
		"a draft begun": "Выберите один из вариантов.",
		"a draft saved": "Выберите один из вариантов.",
		"an import":     "Человека с этим номером нет. Проверьте номер.",
		"a document":    "Это не читается как документ.",
		"a problem":     "Такого поля нет. Удалите его или проверьте название.",
		"its field":     "Такого поля нет. Удалите его или проверьте название.",
	}
	got := map[string]string{}
	for what := range said {
		got[what] = said[what]["ru"]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in Russian (-want +got):\n%s", diff)
	}
}
