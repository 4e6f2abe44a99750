package uz_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/packs/uz"
)

func load(t testing.TB) *country.Profile {
	t.Helper()
	p, err := country.Load(uz.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day(t testing.TB, text string) calendar.Date {
	t.Helper()
	date, err := calendar.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return date
}

func TestTheProfileIsUzbekistans(t *testing.T) {
	p := load(t)
	if p.Code != "UZ" || p.Authoritative() != "uz-Latn" || p.Location.String() != "Asia/Tashkent" {
		t.Errorf("%s, %v, %v", p.Code, p.Languages, p.Location)
	}
	if got := p.Currency.Format(37500000); got != "375000 UZS" {
		t.Errorf("money is written %q", got)
	}
	if p.Decreed != day(t, "2026-12-31") {
		t.Errorf("days off are known until %v", p.Decreed)
	}
}

func TestThereAre14RegionsAnd208DistrictsAndCities(t *testing.T) {
	tree := load(t).Territories
	count := map[string]int{}
	perRegion := map[ident.Territory]int{}
	for code := range tree.Within(tree.Root()) {
		place, _ := tree.Lookup(code)
		count[place.Level]++
		if place.Level == "district" {
			region, _ := tree.At(code, "region")
			perRegion[region]++
			if !strings.HasPrefix(string(code), string(region)) {
				t.Errorf("%s lies in %s", code, region)
			}
		}
		if place.Illustrative != (place.Level == "mahalla") {
			t.Errorf("%s is a %s; only the mahallas are invented", code, place.Level)
		}
	}
	if count["region"] != 14 || count["district"] != 208 || count["mahalla"] != 21 {
		t.Errorf("%v", count)
	}
	// Districts and cities for each region, as the README's sources count them.
	want := map[ident.Territory]int{
		"1703": 16, "1706": 13, "1708": 13, "1710": 16, "1712": 11, "1714": 14, "1718": 16, "1722": 15, "1724": 11,
		"1726": 12, "1727": 22, "1730": 19, "1733": 13, "1735": 17,
	}
	for region, n := range want {
		if perRegion[region] != n {
			t.Errorf("%s has %d districts and cities, want %d", region, perRegion[region], n)
		}
	}
}

func TestNamesInCyrillicFollowFromThoseInLatin(t *testing.T) {
	tree := load(t).Territories
	for code, want := range map[ident.Territory]string{"17": "Ўзбекистон Республикаси", "1730": "Фарғона вилояти", "1735": "Қорақалпоғистон Республикаси"} {
		if got := tree.Name(code, "uz-Cyrl"); got != want {
			t.Errorf("%s is %q, not %q", code, got, want)
		}
	}
}

func TestEachRegionHasATileOfItsOwn(t *testing.T) {
	p := load(t)
	taken := map[country.Tile]ident.Territory{}
	for _, region := range p.Territories.Children(p.Territories.Root()) {
		tile, placed := p.Tiles[region]
		if other := taken[tile]; !placed || other != "" {
			t.Errorf("%s stands at %v (%t), with %q", region, tile, placed, other)
		}
		taken[tile] = region
	}
}

func TestNamesAreWrittenInTheirOwnLetters(t *testing.T) {
	p := load(t)
	tree := p.Territories
	for code := range tree.Within(tree.Root()) {
		place, _ := tree.Lookup(code)
		for _, tag := range []string{"uz-Latn", "ru", "en"} {
			name := place.Names[tag]
			if name == "" {
				t.Errorf("%s has no name in %s", code, tag)
			}
			for _, r := range name {
				cyrillic := unicode.Is(unicode.Cyrillic, r)
				if unicode.IsLetter(r) && r != 'ʻ' && r != 'ʼ' && cyrillic != (tag == "ru") {
					t.Errorf("%q in %s has the letter %q", name, tag, r)
				}
				if strings.ContainsRune("'`‘’", r) {
					t.Errorf("%q in %s has %q; write ʻ or ʼ", name, tag, r)
				}
			}
		}
	}
	for code, want := range map[ident.Territory]string{
		"1726290": "Yashnobod tumani", "1730405": "Qoʻqon shahri", "1733221": "Tuproqqalʼa tumani", "1726": "Toshkent shahri",
	} {
		if got := tree.Name(code, "uz-Latn"); got != want {
			t.Errorf("%s is called %q, want %q", code, got, want)
		}
	}
	if got := tree.Name("1735401", "kaa"); got != "Nókis qalası" {
		t.Errorf("Nukus is called %q in Karakalpak", got)
	}
}

func TestWorkingDaysFollowTheDecrees(t *testing.T) {
	p := load(t)
	for date, working := range map[string]bool{
		"2026-03-02": true,
		"2026-03-08": false, "2026-03-09": false, // Women's Day on a Sunday, moved to Monday
		"2026-03-19": true, "2026-03-20": false, "2026-03-23": false, "2026-03-24": true,
		"2026-05-27": false, "2026-05-28": false, "2026-05-29": false,
		"2026-08-31": false, "2026-09-01": false, "2026-09-02": true,
		"2026-12-12": true, "2026-12-31": false, // a Saturday is worked for New Year's Eve
		"2025-01-02": false, "2025-01-04": true, "2025-06-06": false, "2025-12-31": false,
		"2027-03-22": false, "2027-12-08": false,
	} {
		if got := p.Calendar.IsWorking(day(t, date)); got != working {
			t.Errorf("%s is worked: %v", date, got)
		}
	}
	// Three working days from Thursday 19 March 2026: Navruz and hayit lie between.
	received := time.Date(2026, 3, 19, 8, 0, 0, 0, time.UTC)
	if got, want := p.Calendar.Deadline(received, 3), day(t, "2026-03-26").End(p.Location); !got.Equal(want) {
		t.Errorf("due %v, want %v", got, want)
	}
}

func TestWhatIsNotDecreedIsMarked(t *testing.T) {
	p := load(t)
	for _, holiday := range p.Holidays {
		feast := strings.Contains(holiday.Names["uz-Latn"], "hayiti")
		if feast && holiday.Date.After(p.Decreed) && holiday.Status != country.Illustrative {
			t.Errorf("%v is told as law before a decree names it", holiday.Date)
		}
	}
	years := map[int]int{}
	for _, holiday := range p.Holidays {
		if strings.Contains(holiday.Names["uz-Latn"], "hayiti") {
			years[holiday.Date.Year]++
		}
	}
	if years[2025] != 2 || years[2026] != 2 || years[2027] != 2 {
		t.Errorf("two feasts a year, but %v", years)
	}
}

func TestPINFL(t *testing.T) {
	p := load(t)
	for _, test := range []struct{ text, code string }{
		{"30101900000011", ""},
		{"30101900000012", "country.pinfl-mistyped"},
		{"70101900000019", "country.pinfl-malformed"},
		{"3010190000001", "country.pinfl-malformed"},
		{"33002900000012", "country.pinfl-malformed"}, // 30 February, check digit right
	} {
		if err := p.Person.Validate(test.text); fault.Code(err) != test.code {
			t.Errorf("%s: %v, want %q", test.text, err, test.code)
		}
	}
	for digit, who := range map[byte]struct {
		birth string
		sex   country.Sex
	}{
		'1': {"1899-12-31", country.Male}, '4': {"1974-06-01", country.Female},
		'5': {"2003-11-05", country.Male}, '6': {"2000-02-29", country.Female},
	} {
		text, err := p.Person.Compose(day(t, who.birth), who.sex, 7)
		if err != nil || text[0] != digit || p.Person.Validate(text) != nil {
			t.Errorf("%s, %v for %v", text, err, who)
		}
	}
}

func TestOtherIdentifiers(t *testing.T) {
	p := load(t)
	for _, test := range []struct {
		scheme    *country.Scheme
		good, bad []string
	}{
		{p.Organisation, []string{"200000000", "309999999"}, []string{"100000000", "20000000", "2000000000"}},
		{p.Account, []string{"00000000000000000001"}, []string{"0000000000000000000", "0000000000000000000X"}},
		{p.Phone, []string{"+998901234567"}, []string{"998901234567", "+99890123456", "+998 90 123 45 67"}},
	} {
		for _, text := range test.good {
			if err := test.scheme.Validate(text); err != nil {
				t.Errorf("%s %s: %v", test.scheme.Name, text, err)
			}
		}
		for _, text := range test.bad {
			if test.scheme.Validate(text) == nil {
				t.Errorf("%s %s is accepted", test.scheme.Name, text)
			}
		}
	}
	account, err := p.Account.Compose(calendar.Date{}, "", 42)
	if err != nil || account != "00000000000000000042" || p.Account.Validate(account) != nil {
		t.Errorf("%s, %v", account, err)
	}
	if !slices.Contains(p.Languages, "kaa") {
		t.Error("Karakalpak is missing")
	}
}

func FuzzPINFL(f *testing.F) {
	for _, seed := range []string{"30101900000011", "62902000000071", "", "00000000000000", "3010190000001१"} {
		f.Add(seed)
	}
	p := load(f)
	f.Fuzz(func(t *testing.T, text string) {
		if p.Person.Validate(text) != nil {
			return
		}
		sum := 0
		for i := range 13 {
			sum += int(text[i]-'0') * []int{7, 3, 1}[i%3]
		}
		if len(text) != 14 || int(text[13]-'0') != sum%10 {
			t.Fatalf("%q is accepted against the rule", text)
		}
	})
}
