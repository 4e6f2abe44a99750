package locale_test

import (
	"slices"
	"testing"

	"yagona/locale"
)

// An installation speaks what its country speaks, and nothing of another country's.
func TestACatalogueSpeaksTheLanguagesOfACountry(t *testing.T) {
	platform, err := locale.Platform()
	if err != nil {
		t.Fatal(err)
	}
	spoken := platform.Speaking("fr", "ru", "ar")
	if tags := spoken.Languages().Tags; !slices.Equal(tags, []locale.Tag{"fr", "ru", "ar"}) {
		t.Errorf("it speaks %v", tags)
	}
	for tag, want := range map[locale.Tag]string{"fr": "3 days", "ar": "3 days", "ru": platform.Days("ru", 3)} {
		if got := spoken.Days(tag, 3); got != want {
			t.Errorf("%s: got %q, want %q", tag, got, want)
		}
	}
	for tag, want := range map[locale.Tag]string{"fr": "français", "ar": "العربية", "uz-Latn": "o‘zbek", "xx": "xx"} {
		if got := tag.Name(); got != want {
			t.Errorf("%s is called %q, want %q", tag, got, want)
		}
	}
	if !locale.Tag("ar").RightToLeft() || locale.Tag("ar-Latn").RightToLeft() || locale.Tag("fr").RightToLeft() {
		t.Error("Arabic is written from right to left, Latin letters are not")
	}
}
