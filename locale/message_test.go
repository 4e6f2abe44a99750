package locale_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/locale"
)

func TestMessageIsRenderedInItsLanguage(t *testing.T) {
	const (
		days  = "{n, plural, =0 {today} one {in # day} other {in # days}}"
		дней  = "{n, plural, one {# день} few {# дня} many {# дней} other {# дня}}"
		who   = "{kind, select, person {a person} other {someone called '{'{name}'}'}}"
		inner = "{n, plural, other {{kind, select, a {A #} other {other #}}}}"
	)
	for _, test := range []struct {
		text string
		tag  locale.Tag
		args locale.Args
		want string
	}{
		{"Nothing to fill in, don't worry", locale.English, nil, "Nothing to fill in, don't worry"},
		{"From {min} to {max}", locale.English, locale.Args{"min": 1, "max": int64(1000000)}, "From 1 to 1,000,000"},
		{"До {day}. Потом {day}", locale.Russian, locale.Args{"day": "27 ноября 2026 г."}, "До 27 ноября 2026 г. Потом 27 ноября 2026 г."},
		{"{day}, {day}...", locale.Russian, locale.Args{"day": "2026 г."}, "2026 г., 2026 г...."},
		{"{a}{b}", locale.English, locale.Args{"a": "{b}", "b": "<i>"}, "{b}<i>"},
		{days, locale.English, locale.Args{"n": 0}, "today"},
		{days, locale.English, locale.Args{"n": 1}, "in 1 day"},
		{days, locale.English, locale.Args{"n": 12000}, "in 12,000 days"},
		{days, locale.English, locale.Args{"n": "2"}, "in 2 days"},
		{дней, locale.Russian, locale.Args{"n": 21}, "21 день"},
		{дней, locale.Russian, locale.Args{"n": 3}, "3 дня"},
		{дней, locale.Russian, locale.Args{"n": 11}, "11 дней"},
		{дней, locale.Russian, locale.Args{"n": -2}, "-2 дня"},
		{who, locale.English, locale.Args{"kind": "person"}, "a person"},
		{who, locale.English, locale.Args{"kind": "ghost", "name": "X"}, "someone called {X}"},
		{inner, locale.English, locale.Args{"n": 7, "kind": "a"}, "A 7"},
		{"#1 is # outside a plural", locale.English, nil, "#1 is # outside a plural"},
	} {
		message, err := locale.ParseMessage(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		got, err := message.Render(test.tag, test.args)
		if err != nil || got != test.want {
			t.Errorf("%q with %v = %q, %v; want %q", test.text, test.args, got, err, test.want)
		}
	}
}

func TestMissingVariableIsShownAndReported(t *testing.T) {
	message, err := locale.ParseMessage("{name} has {n, plural, other {# cases}}")
	if err != nil {
		t.Fatal(err)
	}
	got, err := message.Render(locale.English, locale.Args{"n": "many"})
	if got != "{name} has {n}" || err == nil {
		t.Errorf("got %q, %v; want the variables in braces and an error", got, err)
	}
}

func TestUnreadableMessageNamesThePlace(t *testing.T) {
	for _, test := range []struct {
		text   string
		offset int
	}{
		{"a { b", 5},
		{"a } b", 2},
		{"{}", 0},
		{"{1a}", 0},
		{"{a b}", 3},
		{"{a, number}", 4},
		{"{a, plural}", 10},
		{"{a, plural, }", 0},
		{"{a, plural, one {x}}", 0},
		{"{a, plural, eins {x} other {y}}", 12},
		{"{a, plural, =01 {x} other {y}}", 12},
		{"{a, select, b {x} b {y} other {z}}", 18},
		{"{a, select, b x other {z}}", 14},
		{"{a, select, other {z}", 21},
		{strings.Repeat("{a, select, other {", 6) + strings.Repeat("}}", 6), 95},
		{"\xff", 0},
	} {
		_, err := locale.ParseMessage(test.text)
		syntax, ok := errors.AsType[*locale.SyntaxError](err)
		if !ok {
			t.Errorf("%q: got %v, want a syntax error", test.text, err)
			continue
		}
		if syntax.Offset != test.offset {
			t.Errorf("%q: error at %d (%v), want %d", test.text, syntax.Offset, err, test.offset)
		}
	}
}

// The categories are those of CLDR 32 and later, "Language Plural Rules"; Karakalpak, which CLDR lacks, follows Uzbek.
func TestPluralCategoryOfWholeNumbers(t *testing.T) {
	for tag, want := range map[locale.Tag]map[int64]string{
		locale.English: {0: "other", 1: "one", 2: "other", 11: "other", 101: "other", -1: "one", 1_000_001: "other"},
		locale.Russian: {
			0: "many", 1: "one", 2: "few", 4: "few", 5: "many", 11: "many", 12: "many", 14: "many", 21: "one", 22: "few",
			111: "many", 1_000_000: "many", 1_000_001: "one", 9_000_000_000_000_000_002: "few", -3: "few",
		},
		locale.UzbekLatin:    {0: "other", 1: "one", 2: "other", 21: "other", 1_000_001: "other"},
		locale.UzbekCyrillic: {1: "one", 5: "other"},
		locale.Karakalpak:    {1: "one", 5: "other"},
	} {
		got := map[int64]string{}
		for n := range want {
			got[n] = locale.Plural(tag, n)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tag, diff)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, seed := range []string{
		"Hello {name}", "{n, plural, =0 {none} one {# day} other {# days}}",
		"{k, select, a {x} other {{n, plural, other {#}}}}",
		"'{' and '}'", "{{}}", "{a,", "o'zbek {n}'", "#", "'{", "{n, plural, other {'{'#}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		message, err := locale.ParseMessage(text)
		if err != nil {
			syntax, ok := errors.AsType[*locale.SyntaxError](err)
			if !ok || syntax.Offset < 0 || syntax.Offset > len(text) {
				t.Fatalf("the error %#v is outside the message", err)
			}
			return
		}
		again, err := locale.ParseMessage(message.Source())
		if err != nil {
			t.Fatalf("%q was written as %q, which cannot be read: %v", text, message.Source(), err)
		}
		if message.Source() != again.Source() {
			t.Fatalf("%q was written as %q, then as %q", text, message.Source(), again.Source())
		}
		args := locale.Args{"n": 5, "name": "x"}
		first, _ := message.Render(locale.Russian, args)
		second, _ := again.Render(locale.Russian, args)
		if first != second {
			t.Fatalf("%q says %q, but once written and read %q", text, first, second)
		}
	})
}
