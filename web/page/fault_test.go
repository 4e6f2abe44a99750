package page_test

import (
	"strings"
	"testing"
	"unicode"

	"yagona/kernel/fault"
	"yagona/locale"
	"yagona/web/page"
	"yagona/web/ui"
)

// TestProblemsSpeakTheReadersLanguage holds every refusal to the five languages: each says it in its own words and its own
// alphabet, and not only in general. That each code has its text is held to the source in docs/reference.
func TestProblemsSpeakTheReadersLanguage(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Yagona", words)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	for _, key := range words.Keys() {
		code, ok := strings.CutPrefix(key, "fault.")
		if !ok || !strings.Contains(code, ".") {
			continue
		}
		codes++
		said := map[string]locale.Tag{}
		for _, language := range locale.Known() {
			f := fault.New(fault.Invalid, code, "only English").With("limit", "5")
			_, detail := house.Say(string(language), f)
			if before := said[detail]; before != "" {
				t.Errorf("%s: %s says the same as %s: %s", code, language, before, detail)
			}
			said[detail] = language
			if general := house.Text(string(language), "fault.invalid", nil); detail == general || detail == f.Message {
				t.Errorf("%s is not said in %s but in general: %s", code, language, detail)
			}
			cyrillic := language == locale.Russian || language == locale.UzbekCyrillic
			if has := strings.ContainsFunc(detail, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }); has != cyrillic {
				t.Errorf("%s is said in %s with letters of another alphabet: %s", code, language, detail)
			}
			if strings.ContainsAny(detail, "'‘’") && language != locale.English {
				t.Errorf("%s has a wrong apostrophe in %s: %s", code, language, detail)
			}
		}
	}
	if codes < 200 {
		t.Errorf("only %d codes were found", codes)
	}
}

// TestAFullDiskIsNotBlamedOnAnotherSystem tells the platform's own trouble from that of a register or a bank.
func TestAFullDiskIsNotBlamedOnAnotherSystem(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range locale.Known() {
		other := words.Text(language, "fault.unavailable", nil)
		for _, code := range []string{"cannot-store", "store.cannot-write", "store.damaged", "store.full", "store.restored"} {
			if words.Text(language, "fault."+code, nil) == other {
				t.Errorf("in %s %s is blamed on another system", language, code)
			}
		}
	}
}

// TestAFamilyOfCodesSharesItsText: a code with a name of the country in it has the text of its family, with its variables.
func TestAFamilyOfCodesSharesItsText(t *testing.T) {
	words, err := page.Words()
	if err != nil {
		t.Fatal(err)
	}
	house, err := ui.New("Yagona", words)
	if err != nil {
		t.Fatal(err)
	}
	f := fault.New(fault.Invalid, "country.passport-malformed", "only English").In("country.malformed").With("example", "AB 12")
	if _, detail := house.Say("ru", f); detail != "Написано не по форме. Перепишите целиком из документа; образец: AB 12." {
		t.Errorf("it says %q", detail)
	}
}
