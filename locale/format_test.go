package locale_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"yagona/locale"
)

// visible shows no-break spaces, which the eye cannot tell from spaces.
func visible(text string) string { return strings.ReplaceAll(text, "\u00a0", "_") }

func TestNumbersAreGrouped(t *testing.T) {
	for _, test := range []struct {
		tag      locale.Tag
		unscaled int64
		decimals int
		want     string
	}{
		{locale.English, 0, 0, "0"},
		{locale.English, 999, 0, "999"},
		{locale.English, 1500000, 0, "1,500,000"},
		{locale.English, -1234, 2, "-12.34"},
		{locale.English, 5, 3, "0.005"},
		{locale.Russian, 1500000, 0, "1_500_000"},
		{locale.Russian, 123456789, 2, "1_234_567,89"},
		{locale.UzbekLatin, 1000, 0, "1_000"},
		{locale.UzbekCyrillic, 1000, 1, "100,0"},
		{locale.Karakalpak, -100000, 0, "-100_000"},
		{locale.English, math.MinInt64, 0, "-9,223,372,036,854,775,808"},
	} {
		if got := visible(locale.Decimal(test.tag, test.unscaled, test.decimals)); got != test.want {
			t.Errorf("Decimal(%s, %d, %d) = %q, want %q", test.tag, test.unscaled, test.decimals, got, test.want)
		}
	}
}

func TestPercentagesHaveTheLanguagesSign(t *testing.T) {
	for tag, want := range map[locale.Tag]string{
		locale.English: "15.5%", locale.Russian: "15,5_%", locale.UzbekLatin: "15,5%", locale.Karakalpak: "15,5%",
	} {
		if got := visible(locale.Percent(tag, 155, 1)); got != want {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
}

func TestMoneyIsWrittenFromMinorUnits(t *testing.T) {
	currency := locale.Currency{Code: "UZS", Decimals: 2, Names: map[locale.Tag]string{
		locale.UzbekLatin: "soʻm", locale.Russian: "сум", locale.Karakalpak: "sum",
	}}
	for _, test := range []struct {
		tag   locale.Tag
		minor int64
		want  string
	}{
		{locale.UzbekLatin, 150000000, "1_500_000_soʻm"},
		{locale.UzbekCyrillic, 150000000, "1_500_000_сўм"},
		{locale.Russian, 150000050, "1_500_000,50_сум"},
		{locale.Karakalpak, 100, "1_sum"},
		{locale.English, -5, "-0.05_UZS"},
		{locale.English, 0, "0_UZS"},
	} {
		if got := visible(locale.Money(test.tag, test.minor, currency)); got != test.want {
			t.Errorf("Money(%s, %d) = %q, want %q", test.tag, test.minor, got, test.want)
		}
	}
	if got := visible(locale.Money(locale.English, 1234, locale.Currency{Code: "JPY"})); got != "1,234_JPY" {
		t.Errorf("a currency without a minor unit: %q", got)
	}
}

func TestDatesStandOnTheCalendarOfThePlace(t *testing.T) {
	tashkent := time.FixedZone("Asia/Tashkent", 5*60*60)
	evening := time.Date(2026, 3, 4, 23, 30, 0, 0, time.UTC) // already 5 March, 04:30, in Tashkent
	for _, test := range []struct {
		tag                locale.Tag
		long, short, timed string
	}{
		{locale.UzbekLatin, "2026-yil 5-mart", "05.03.2026", "2026-yil 5-mart, 04:30"},
		{locale.UzbekCyrillic, "2026_йил 5_март", "05.03.2026", "2026_йил 5_март, 04:30"},
		{locale.Karakalpak, "2026-jıl 5-mart", "05.03.2026", "2026-jıl 5-mart, 04:30"},
		{locale.Russian, "5_марта 2026_г.", "05.03.2026", "5_марта 2026_г., 04:30"},
		{locale.English, "5_March 2026", "5_Mar_2026", "5_March 2026, 04:30"},
	} {
		got := []string{
			visible(locale.Date(test.tag, locale.Long, evening, tashkent)),
			visible(locale.Date(test.tag, locale.Short, evening, tashkent)),
			visible(locale.Date(test.tag, locale.LongTime, evening, tashkent)),
			visible(locale.Date(test.tag, locale.ShortTime, evening, tashkent)),
		}
		want := []string{test.long, test.short, test.timed, test.short + ", 04:30"}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %q, want %q", test.tag, got[i], want[i])
			}
		}
	}
	if got := locale.Date(locale.Russian, locale.Short, evening, time.UTC); got != "04.03.2026" {
		t.Errorf("in UTC: %q", got)
	}
}

func TestEveryMonthHasItsName(t *testing.T) {
	for _, tag := range locale.Known() {
		seen := map[string]bool{}
		for month := time.January; month <= time.December; month++ {
			seen[locale.Date(tag, locale.Long, time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC), time.UTC)] = true
		}
		if len(seen) != 12 {
			t.Errorf("%s has %d names of months", tag, len(seen))
		}
	}
}
