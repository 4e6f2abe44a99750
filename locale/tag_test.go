package locale_test

import (
	"strings"
	"testing"

	"yagona/locale"
)

var spoken = locale.Languages{
	Tags: []locale.Tag{locale.UzbekLatin, locale.UzbekCyrillic, locale.Karakalpak, locale.Russian, locale.English},
}

func TestLanguageIsReadFromText(t *testing.T) {
	for text, want := range map[string]locale.Tag{
		"uz": "uz-Latn", "uz-UZ": "uz-Latn", "uz_Latn_UZ": "uz-Latn", "UZ-CYRL": "uz-Cyrl", "uz-Cyrl-UZ": "uz-Cyrl",
		"kaa": "kaa", "kaa-UZ": "kaa", "kaa-Latn": "kaa", "kaa-Cyrl": "kaa",
		"ru": "ru", "ru-RU": "ru", " en-GB ": "en", "en-US-u-nu-latn": "en",
		"kk": "", "tr": "", "de": "", "uz-Arab": "", "": "", "und": "", "und-UZ": "", "*": "", "x-klingon": "",
		"../../etc/passwd": "", "ru\x00": "", strings.Repeat("ru-", 1000): "",
	} {
		if got, ok := spoken.Parse(text); got != want || ok != (want != "") {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, got, ok, want)
		}
	}
}

func TestUzbekWithoutScriptIsCyrillicWhereOnlyThatIsSpoken(t *testing.T) {
	only := locale.Languages{Tags: []locale.Tag{locale.Russian, locale.UzbekCyrillic}}
	if got, ok := only.Parse("uz"); got != locale.UzbekCyrillic || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestLanguageIsChosenByWishThenHeaderThenDefault(t *testing.T) {
	for _, test := range []struct {
		header   string
		explicit []string
		want     locale.Tag
	}{
		{"ru,en;q=0.5", []string{"kaa", "en"}, "kaa"},
		{"ru,en;q=0.5", []string{"", "en"}, "en"},
		{"ru,en;q=0.5", []string{"de", "<script>"}, "ru"},
		{"en;q=0.2, ru;q=0.9", nil, "ru"},
		{"kaa-UZ, ru;q=0.8", nil, "kaa"},
		{"uz-Cyrl-UZ,uz;q=0.9", nil, "uz-Cyrl"},
		{"de-DE,de;q=0.9,fr;q=0.8", nil, "uz-Latn"},
		{"ru;q=0, en", nil, "en"},
		{"!!!, en;q=0.7", nil, "en"},
		{"en;q=high, ru;q=0.1", nil, "ru"},
		{"*", nil, "uz-Latn"},
		{"", nil, "uz-Latn"},
		{strings.Repeat("ru,", 1000), nil, "uz-Latn"},
	} {
		if got := spoken.Choose(test.header, test.explicit...); got != test.want {
			t.Errorf("Choose(%.40q, %q) = %q, want %q", test.header, test.explicit, got, test.want)
		}
	}
}

func TestWrongDeclarationOfLanguagesIsRefused(t *testing.T) {
	for name, languages := range map[string]locale.Languages{
		"none":             {},
		"unknown":          {Tags: []locale.Tag{"tlh"}},
		"twice":            {Tags: []locale.Tag{"ru", "ru"}},
		"fallback unknown": {Tags: []locale.Tag{"ru"}, Fallback: map[locale.Tag][]locale.Tag{"ru": {"en"}}},
		"fallback of none": {Tags: []locale.Tag{"ru"}, Fallback: map[locale.Tag][]locale.Tag{"en": {"ru"}}},
	} {
		if languages.Validate() == nil {
			t.Errorf("%s: %v is accepted", name, languages)
		}
	}
	if err := spoken.Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzChoose(f *testing.F) {
	f.Add("ru,en;q=0.5", "kaa")
	f.Add("*;q=0.1,,;;", "uz_")
	f.Fuzz(func(t *testing.T, header, wish string) {
		got := spoken.Choose(header, wish)
		for _, tag := range spoken.Tags {
			if got == tag {
				return
			}
		}
		t.Fatalf("Choose(%q, %q) = %q, which is not spoken", header, wish, got)
	})
}
