package locale_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"yagona/locale"
)

func TestSpellingsOfOneTextShareAKey(t *testing.T) {
	for _, group := range [][]string{
		{"Oʻzbekiston", "O'zbekiston", "O‘ZBEKISTON", "Ўзбекистон", "ozbekiston", "O`zbekiston "},
		{"Gʻaniyev", "G'aniyev", "Ғаниев", "Ганиев", "Ganiev"},
		{"Isʼhoq", "Is'hoq", "Исҳоқ", "Ishoq", "исхок"},
		{"sement", "цемент", "tsement"},
		{"yetti xazinabon", "етти хазинабон", "Yetti   Xazinabon", "етти, хазинабон!"},
		{"obyekt", "объект"},
		{"Nókis", "Нөкис", "Nokis", "No'kis"},
		{"Qaraqalpaqstan", "Қарақалпақстан", "Каракалпакстан"},
		{"taw", "таў"},
		{"Shımbay", "Шымбай", "SHÍMBAY", "Shimbay"},
		{"Мария", "Mariya", "Maria"},
		{"AA 123-45", "aa 123 45", "АА 123—45"},
		{"Müller", "Muller"},
	} {
		for _, text := range group[1:] {
			if a, b := locale.Fold(group[0]), locale.Fold(text); a != b {
				t.Errorf("%q is %q, but %q is %q", group[0], a, text, b)
			}
		}
	}
}

func TestSearchKeepsWordsApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"ona", "una"}, {"bola", "bela"}, {"ish", "is"}, {"kun", "kum"}, {"ota", "oʻtar"}, {"2026", "2025"},
	} {
		if a, b := locale.Fold(pair[0]), locale.Fold(pair[1]); a == b {
			t.Errorf("%q and %q share the key %q", pair[0], pair[1], a)
		}
	}
}

func TestSpellingsOfOneNameShareAKey(t *testing.T) {
	for _, group := range [][]string{
		{"Yoʻldoshev", "Йўлдошев", "Юлдашев", "Yuldashev"},
		{"Qodirov", "Қодиров", "Кадыров", "Kadirov"},
		{"Xusanov", "Husanov", "Ҳусанов", "Хусанов", "Khusanov"},
		{"Toshkent", "Тошкент", "Ташкент", "Tashkent"},
		{"Gʻofurov", "Ғофуров", "Гафуров"},
		{"Muhammad", "Муҳаммад", "Мухамад"},
		{"Oʻtkir Hoshimov", "Уткир Хашимов"},
	} {
		for _, text := range group[1:] {
			if a, b := locale.FoldName(group[0]), locale.FoldName(text); a != b {
				t.Errorf("%q is %q, but %q is %q", group[0], a, text, b)
			}
		}
	}
	if a, b := locale.FoldName("Karimov"), locale.FoldName("Rahimov"); a == b {
		t.Errorf("unlike names share the key %q", a)
	}
}

// The alphabets are the dictionaries' own: the law on the Uzbek Latin alphabet (as amended in 1995), the Uzbek Cyrillic
// alphabet of 1940, the Karakalpak Latin alphabet as amended in 2016.
func TestTextsAreInDictionaryOrder(t *testing.T) {
	for tag, want := range map[locale.Tag][]string{
		locale.UzbekLatin: {
			"10-maktab", "5-maktab", "ona", "ona tili", "onalik", "oy", "Oybek", "sabzi", "Sabzi", "Samarqand", "sen", "Surxon",
			"tuman", "xona", "yosh", "zamon", "oʻn", "oʻquv", "Oʻzbekiston", "gʻalaba", "gʻoya", "shahar", "Shovot", "chegara",
			"Chirchiq", "Юлдашев",
		},
		locale.UzbekCyrillic: {
			"аҳоли", "банк", "ер", "ёш", "жамият", "иш", "йил", "кун", "халқ", "цемент", "чегара", "шаҳар", "эл", "юрт", "ягона",
			"ўзбек", "қонун", "ғалаба", "ҳоким", "Ҳоким", "Wien",
		},
		locale.Karakalpak: {
			"awıl", "ádep", "bala", "gaz", "ǵalaba", "hám", "xalıq", "ıqlas", "ilim", "Ilim", "jańa", "kún", "qala", "nan",
			"ńa", "oqıw", "óner", "ullı", "úlken", "waqıt", "yarım", "zaman", "shaxs", "cirk", "chempion",
		},
		locale.Russian: {"елец", "ёлка", "ель", "ельник", "ива", "йод", "Йод", "явь", "Andijon"},
		locale.English: {"apple", "Apple", "cafe", "café", "cafes", "zoo", "Ёлкин"},
	} {
		for i := range want {
			for j := range want {
				if got := locale.Compare(tag, want[i], want[j]); sign(got) != sign(i-j) {
					t.Errorf("%s: Compare(%q, %q) = %d", tag, want[i], want[j], got)
				}
			}
		}
		shuffled := slices.Clone(want)
		slices.Reverse(shuffled)
		locale.Sort(tag, shuffled, func(s string) string { return s })
		if diff := cmp.Diff(want, shuffled); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tag, diff)
		}
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestOrderDoesNotDependOnTheApostropheTyped(t *testing.T) {
	if locale.Compare(locale.UzbekLatin, "o'zbek", "zamon") <= 0 || locale.Compare(locale.UzbekLatin, "o’n", "oʻq") >= 0 {
		t.Error("o' does not stand where oʻ does")
	}
}

func TestEqualKeysMeanEqualTexts(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("aAoOsShHcCgGiIıÍáéбБёеЁўʻʼ' -1z\n")), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := letters.Draw(t, "a"), letters.Draw(t, "b"), letters.Draw(t, "c")
		for _, tag := range locale.Known() {
			if locale.Compare(tag, a, b) == 0 && a != b {
				t.Fatalf("%s: %q and %q have the same key", tag, a, b)
			}
			if locale.Compare(tag, a, b) < 0 && locale.Compare(tag, b, c) < 0 && locale.Compare(tag, a, c) >= 0 {
				t.Fatalf("%s: %q < %q < %q, but not the first before the last", tag, a, b, c)
			}
		}
	})
}
