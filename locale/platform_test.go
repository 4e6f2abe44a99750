package locale_test

import (
	"strings"
	"testing"
	"unicode"

	"yagona/locale"
)

func platform(t *testing.T) *locale.Catalogue {
	t.Helper()
	catalogue, err := locale.Platform()
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

func TestPlatformCatalogueIsComplete(t *testing.T) {
	catalogue := platform(t)
	for _, problem := range catalogue.Check() {
		t.Error(problem)
	}
	if n := len(catalogue.Keys()); n < 60 {
		t.Errorf("only %d messages were found", n)
	}
	// Every kind of fault has its words; a fault's kind is part of the API and never changes.
	for _, kind := range []string{
		"internal", "invalid", "unauthorized", "forbidden", "not-found", "conflict",
		"erased", "too-large", "too-many", "unavailable",
	} {
		for _, tag := range locale.Known() {
			if text, err := catalogue.Format(tag, "fault."+kind, nil); err != nil || len([]rune(text)) < 20 {
				t.Errorf("fault.%s in %s = %q, %v", kind, tag, text, err)
			}
		}
	}
}

// A letter of the wrong alphabet is how a forgotten translation shows.
func TestPlatformMessagesStandInTheirAlphabet(t *testing.T) {
	catalogue := platform(t)
	for _, key := range catalogue.Keys() {
		if strings.HasPrefix(key, "language.") {
			continue // each in its own words
		}
		for _, tag := range locale.Known() {
			wrong := unicode.Cyrillic
			if tag == locale.Russian || tag == locale.UzbekCyrillic {
				wrong = unicode.Latin
			}
			text := catalogue.Text(tag, key, locale.Args{
				"n": "1", "count": 1, "min": 1, "max": 1, "number": "1", "date": "1", "example": "1", "kinds": "1", "title": "1",
			})
			if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(wrong, r) && !strings.ContainsRune("ʻʼ", r) }) {
				t.Errorf("%s in %s has letters of another alphabet: %q", key, tag, text)
			}
			if strings.ContainsAny(text, "{}'‘`") {
				t.Errorf("%s in %s has a brace or a wrong apostrophe: %q", key, tag, text)
			}
		}
	}
}

// The words of the platform must not need more exceptions than data/uzbek.yaml has.
func TestDerivedMessagesReturnToTheirSource(t *testing.T) {
	catalogue := platform(t)
	args := locale.Args{"count": 2, "min": 1, "max": 1, "number": "1", "date": "1", "example": "1", "kinds": "1"}
	for _, key := range catalogue.Keys() {
		if strings.HasPrefix(key, "language.") {
			continue
		}
		latin, cyrillic := catalogue.Text(locale.UzbekLatin, key, args), catalogue.Text(locale.UzbekCyrillic, key, args)
		if back := locale.ToLatin(locale.UzbekCyrillic, cyrillic); back != latin {
			t.Errorf("%s: %q was derived as %q, which reads %q", key, latin, cyrillic, back)
		}
	}
}

func TestDurationsAgreeWithTheirNumber(t *testing.T) {
	catalogue := platform(t)
	for _, test := range []struct {
		tag           locale.Tag
		n             int
		days, working string
	}{
		{locale.English, 1, "1 day", "1 working day"},
		{locale.English, 3, "3 days", "3 working days"},
		{locale.Russian, 1, "1 день", "1 рабочий день"},
		{locale.Russian, 3, "3 дня", "3 рабочих дня"},
		{locale.Russian, 12, "12 дней", "12 рабочих дней"},
		{locale.UzbekLatin, 3, "3 kun", "3 ish kuni"},
		{locale.UzbekCyrillic, 3, "3 кун", "3 иш куни"},
		{locale.Karakalpak, 3, "3 kún", "3 jumıs kúni"},
	} {
		if got := catalogue.Days(test.tag, test.n); got != test.days {
			t.Errorf("Days(%s, %d) = %q, want %q", test.tag, test.n, got, test.days)
		}
		if got := catalogue.WorkingDays(test.tag, test.n); got != test.working {
			t.Errorf("WorkingDays(%s, %d) = %q, want %q", test.tag, test.n, got, test.working)
		}
	}
}
