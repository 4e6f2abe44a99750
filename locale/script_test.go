package locale_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"yagona/locale"
)

// The pairs are spelled as in the examples and rules of the basic rules of Uzbek orthography (resolution 339 of the
// Cabinet of Ministers, 24 August 1995) and as the bulletins of legislation print the same words in both alphabets.
func TestUzbekIsSpelledInBothAlphabets(t *testing.T) {
	for _, test := range []struct{ why, latin, cyrillic string }{
		{"oʻ and gʻ", "Oʻzbekiston togʻi gʻalaba", "Ўзбекистон тоғи ғалаба"},
		{"sh and ch", "shahar chegara pishiriqchi", "шаҳар чегара пишириқчи"},
		{"sʼh is not sh", "Isʼhoq asʼhob", "Исҳоқ асҳоб"},
		{"yo yu ya ye", "yoz yulduz yangi yer dunyo dengiz", "ёз юлдуз янги ер дунё денгиз"},
		{"y before oʻ", "yoʻl yoʻq Yoʻldosh", "йўл йўқ Йўлдош"},
		{"e at the start and after a vowel", "elektr Eron aeroport poema", "электр Эрон аэропорт поэма"},
		{"ye after a vowel", "poyezd loyiha", "поезд лойиҳа"},
		{"the tutuq belgisi", "maʼno sanʼat eʼlon qalʼa", "маъно санъат эълон қалъа"},
		{"no tutuq after oʻ", "moʻjiza moʻtabar", "мўъжиза мўътабар"},
		{"x and h, q and k, j", "xalq hokim qonun jamiyat", "халқ ҳоким қонун жамият"},
		{"ts in loanwords", "konstitutsiya informatsiya litsey protsent", "конституция информация лицей процент"},
		{"s for ц", "sirk sement aksiya funksiya konferensiya", "цирк цемент акция функция конференция"},
		{"s that is с", "pensiya sessiya versiya biopsiya", "пенсия сессия версия биопсия"},
		{"t and s meet", "otsiz aytsa ketsin", "отсиз айтса кетсин"},
		{"signs", "obyekt subyekt kompyuter albom kuryer premyera", "объект субъект компьютер альбом курьер премьера"},
		{"months", "yanvar yanvarda sentabr oktabrdan iyul", "январь январда сентябрь октябрдан июль"},
		{"upper case", "SHAHAR OʻZBEKISTON YAGONA YOʻL CHORSU AKSIYA", "ШАҲАР ЎЗБЕКИСТОН ЯГОНА ЙЎЛ ЧОРСУ АКЦИЯ"},
		{"capitals", "Shahar Oʻtkir Yagona Chorsu Aksiya Yer Sement", "Шаҳар Ўткир Ягона Чорсу Акция Ер Цемент"},
		{"initials", "Sh. Rashidov, Oʻ. Hoshimov", "Ш. Рашидов, Ў. Ҳошимов"},
		{"hyphens and numbers", "2026-yil 5-mart, 3-sinf", "2026-йил 5-март, 3-синф"},
	} {
		if got := locale.ToCyrillic(locale.UzbekLatin, test.latin); got != test.cyrillic {
			t.Errorf("%s: ToCyrillic(%q)\n got %q\nwant %q", test.why, test.latin, got, test.cyrillic)
		}
		if got := locale.ToLatin(locale.UzbekCyrillic, test.cyrillic); got != test.latin {
			t.Errorf("%s: ToLatin(%q)\n got %q\nwant %q", test.why, test.cyrillic, got, test.latin)
		}
	}
}

func TestCyrillicLettersThatLatinDrops(t *testing.T) {
	for cyrillic, latin := range map[string]string{
		"борщ": "borsh", "бульон": "bulyon", "адъютант": "adyutant", "пицца": "pitsa", "рубль": "rubl", "МЭРИЯ": "MERIYA",
		"Щ": "Sh", "район": "rayon", "Рыбинск": "Ribinsk",
	} {
		if got := locale.ToLatin(locale.UzbekCyrillic, cyrillic); got != latin {
			t.Errorf("ToLatin(%q) = %q, want %q", cyrillic, got, latin)
		}
	}
}

func TestWhatIsNotRunningTextIsLeftAlone(t *testing.T) {
	for text, want := range map[string]string{
		"Salom, {name}!":                            "Салом, {name}!",
		"{n, plural, other {# kun}} va yana":        "{n, plural, other {# kun}} ва яна",
		"kod {ABC} va `yagona pack`":                "код {ABC} ва `yagona pack`",
		"manzil: https://my.gov.uz/ariza?a=b.":      "манзил: https://my.gov.uz/ariza?a=b.",
		"my.gov.uz saytida":                         "my.gov.uz сайтида",
		"xat: ism@misol.uz":                         "хат: ism@misol.uz",
		"AA1234567 pasport, PDF fayl, OneID orqali": "AA1234567 паспорт, PDF файл, OneID орқали",
		"WhatsApp va Microsoft":                     "WhatsApp ва Microsoft",
		"II guruh, XX asr, I. Karimov, IV chorak":   "II гуруҳ, XX аср, И. Каримов, IV чорак",
		"yopilmagan {qavs bilan":                    "ёпилмаган {qavs bilan",
		"Салом аллақачон кирилл":                    "Салом аллақачон кирилл",
	} {
		if got := locale.ToCyrillic(locale.UzbekLatin, text); got != want {
			t.Errorf("ToCyrillic(%q) = %q, want %q", text, got, want)
		}
	}
	if got := locale.ToCyrillic(locale.Russian, "shahar"); got != "shahar" {
		t.Errorf("a language without two alphabets is rewritten: %q", got)
	}
}

// The pairs follow the alphabet of 2016; Í is the capital of ı.
func TestKarakalpakIsSpelledInBothAlphabets(t *testing.T) {
	for latin, cyrillic := range map[string]string{
		"Qaraqalpaqstan": "Қарақалпақстан", "Nókis": "Нөкис", "jańa": "жаңа",
		"hám": "ҳәм", "ǵárezsiz": "ғәрезсиз", "qızı": "қызы",
		"ÍQLAS": "ЫҚЛАС", "Ilim": "Илим", "úlken": "үлкен", "taw": "таў",
		"xalıq": "халық", "SHÍMBAY": "ШЫМБАЙ", "cirk": "цирк", "chempion": "чемпион", "emes": "емес",
	} {
		if got := locale.ToCyrillic(locale.Karakalpak, latin); got != cyrillic {
			t.Errorf("ToCyrillic(%q) = %q, want %q", latin, got, cyrillic)
		}
		if got := locale.ToLatin(locale.Karakalpak, cyrillic); got != latin {
			t.Errorf("ToLatin(%q) = %q, want %q", cyrillic, got, latin)
		}
	}
}

func TestApostrophesAreWrittenAsTheAlphabetHasThem(t *testing.T) {
	for text, want := range map[string]string{
		"o'zbek":                "oʻzbek",
		"O‘ZBEKISTON G’ALABA":   "OʻZBEKISTON GʻALABA",
		"to`g´ri":               "toʻgʻri",
		"ma'no, san’at, is'hoq": "maʼno, sanʼat, isʼhoq",
		"bog' bog‘":             "bogʻ bogʻ",
		"'salom' dedi":          "'salom' dedi",
		"‘kino’ bor":            "‘kino’ bor",
		"oʼzbek maʻno":          "oʻzbek maʼno",
		"5' va 'a":              "5' va 'a",
		"bogʼʼ":                 "bogʻʼ",
	} {
		if got := locale.NormaliseApostrophes(text); got != want {
			t.Errorf("NormaliseApostrophes(%q) = %q, want %q", text, got, want)
		}
	}
}

func wordList(t *testing.T) []string {
	data, err := os.ReadFile("testdata/uzbek-words.txt")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			words = append(words, strings.Fields(line)...)
		}
	}
	if len(words) < 300 {
		t.Fatalf("the word list has %d words only", len(words))
	}
	return words
}

func TestWordsReturnFromCyrillicUnchanged(t *testing.T) {
	words := wordList(t)
	rapid.Check(t, func(t *rapid.T) {
		picked := rapid.SliceOfN(rapid.SampledFrom(words), 1, 8).Draw(t, "words")
		for i, word := range picked {
			switch rapid.IntRange(0, 2).Draw(t, "case") {
			case 1:
				runes := []rune(word)
				picked[i] = string(unicode.ToUpper(runes[0])) + string(runes[1:])
			case 2:
				picked[i] = strings.ToUpper(word)
			}
		}
		text := strings.Join(picked, " ")
		cyrillic := locale.ToCyrillic(locale.UzbekLatin, text)
		for _, r := range cyrillic {
			if unicode.Is(unicode.Latin, r) {
				t.Fatalf("%q became %q, which has Latin letters", text, cyrillic)
			}
		}
		if back := locale.ToLatin(locale.UzbekCyrillic, cyrillic); back != text {
			t.Fatalf("%q became %q and came back as %q", text, cyrillic, back)
		}
	})
	for _, word := range words { // each at least once
		if back := locale.ToLatin(locale.UzbekCyrillic, locale.ToCyrillic(locale.UzbekLatin, word)); back != word {
			t.Errorf("%q came back as %q", word, back)
		}
	}
}

var doubled = regexp.MustCompile("['‘’`´ʻʼ]{2}")

func FuzzTransliterate(f *testing.F) {
	for _, seed := range []string{
		"Oʻzbekiston {name} https://my.gov.uz", "Is'hoq",
		"ШАҲАР съезд", "{{}", "a`b`", "Íı", "ǅ", "\xff{",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, tag := range []locale.Tag{locale.UzbekLatin, locale.UzbekCyrillic, locale.Karakalpak} {
			cyrillic := locale.ToCyrillic(tag, text)
			if doubled.MatchString(text) {
				continue // two apostrophes in a row have no meaning that could be kept
			}
			if again := locale.ToCyrillic(tag, cyrillic); again != cyrillic {
				t.Fatalf("%s: %q became %q, then %q", tag, text, cyrillic, again)
			}
			latin := locale.ToLatin(tag, text)
			if again := locale.ToLatin(tag, latin); again != latin {
				t.Fatalf("%s: %q became %q, then %q", tag, text, latin, again)
			}
		}
		if once := locale.NormaliseApostrophes(text); locale.NormaliseApostrophes(once) != once {
			t.Fatalf("normalising %q twice differs from once: %q", text, once)
		}
		placeholder := "{" + strings.NewReplacer("{", "", "}", "").Replace(text) + "}"
		if got := locale.ToLatin(locale.UzbekLatin, placeholder); got != placeholder {
			t.Fatalf("the placeholder %q became %q", placeholder, got)
		}
		if key := locale.Fold(text); locale.Fold(key) != key {
			t.Fatalf("Fold(%q) = %q, whose key is %q", text, key, locale.Fold(key))
		}
		locale.FoldName(text)
	})
}
