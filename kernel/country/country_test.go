package country_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"yagona/kernel/country"
	"yagona/kernel/fault"
)

const profileYAML = `country: XA
names: {en: Aland, fr: Alande}
languages: [en, fr]
time-zone: UTC
currency: {code: XAL, minor-digits: 2}
person:
  name: number
  labels: {en: Number}
  pattern: "[3-6][0-9]{13}"
  example: "30101900000011"
  source: invented
  check: {weights: [7, 3, 1], modulus: 10}
  layout:
    - {part: century-and-sex, digits: 1, codes: {1900-male: "3", 1900-female: "4", 2000-male: "5", 2000-female: "6"}}
    - {part: day, digits: 2}
    - {part: month, digits: 2}
    - {part: year, digits: 2}
    - {part: serial, digits: 6}
    - {part: check, digits: 1}
organisation: {name: firm, labels: {en: Firm}, pattern: "[0-9]{9}", example: "000000000", source: invented}
bank-account: {name: account, labels: {en: Account}, pattern: "[0-9]{20}", example: "00000000000000000000", source: invented}
phone: {name: phone, labels: {en: Telephone}, pattern: "[0-9]{3}", example: "000", source: invented}
sign-in: {kind: oidc, names: {en: Key}}
territories:
  levels:
    - {level: land, names: {en: Land}}
    - {level: town, names: {en: Town}}
  files: [towns.csv]
`

const calendarYAML = `weekend: [saturday, sunday]
decreed: 2026-12-31
annual:
  - {day: "01-01", names: {en: New Year}, legal: invented, status: illustrative}
days-off:
  - {date: 2026-01-02, names: {en: Day after}, legal: invented, status: illustrative}
working-days: []
`

const townsCSV = "code,parent,level,status,en,fr\nXA,,land,in-force,Aland,\nXA1,XA,town,illustrative,First,Premier\n"

// files are those of a good profile, with one text replaced in one of them.
func files(t testing.TB, file, old, new string) fs.FS {
	t.Helper()
	contents := map[string]string{"profile.yaml": profileYAML, "calendar.yaml": calendarYAML, "towns.csv": townsCSV}
	if file != "" {
		if !strings.Contains(contents[file], old) {
			t.Fatalf("%s does not contain %q", file, old)
		}
		contents[file] = strings.Replace(contents[file], old, new, 1)
	}
	fsys := fstest.MapFS{}
	for name, content := range contents {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

func TestAGoodProfileLoads(t *testing.T) {
	p, err := country.Load(files(t, "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if p.Code != "XA" || p.Names.In("fr") != "Alande" || p.Location.String() != "UTC" || p.Decreed.String() != "2026-12-31" {
		t.Errorf("%+v", p)
	}
	town, _ := p.Territories.Lookup("XA1")
	if !town.Illustrative || town.Names["fr"] != "Premier" || p.Territories.Len() != 2 {
		t.Errorf("%+v", town)
	}
	land, _ := p.Territories.Lookup("XA")
	if land.Illustrative || land.Names["fr"] != "" {
		t.Errorf("%+v", land)
	}
}

func TestAWrongProfileIsRefusedWhereItIsWrong(t *testing.T) {
	for _, test := range []struct{ name, file, old, new, want string }{
		{"an unknown key", "profile.yaml", "country: XA", "country: XA\ncapital: Atown", `profile.yaml:2:1: unknown field "capital"`},
		{"a wrong type", "profile.yaml", "minor-digits: 2", "minor-digits: two", "profile.yaml:5:37: cannot unmarshal string"},
		{"a key twice", "profile.yaml", "country: XA", "country: XA\ncountry: XB", "profile.yaml:2:1: mapping key"},
		{"no YAML", "profile.yaml", "names: {en: Aland, fr: Alande}", "names: {en: Aland", "profile.yaml:3:1: ',' or '}'"},
		{"two documents", "profile.yaml", "country: XA", "a: b\n---\ncountry: XA", "profile.yaml:1:1: the file is not one"},
		{"a code in small letters", "profile.yaml", "XA", "xa", "profile.yaml:1:10: the country's code"},
		{"no language", "profile.yaml", "[en, fr]", "[]", "profile.yaml:3:12: no language is named"},
		{"no language tag", "profile.yaml", "[en, fr]", "[en, french]", `profile.yaml:3:17: "french" is no language tag`},
		{"a tag that is not canonical", "profile.yaml", "[en, fr]", "[en, FR]", `profile.yaml:3:17: "FR" is no language tag`},
		{"a language twice", "profile.yaml", "[en, fr]", "[en, fr, en]", "profile.yaml:3:21: the language en stands twice"},
		{"a text in no declared language", "profile.yaml", "{en: Number}", "{en: Number, ru: Номер}", "profile.yaml:8:28: the language ru"},
		{"a text without the authoritative one", "profile.yaml", "{en: Number}", "{fr: Numéro}", "profile.yaml:8:12: the text in en is missing"},
		{"a place that is no time zone", "profile.yaml", "UTC", "Atlantis", `profile.yaml:4:12: "Atlantis" is no time zone`},
		{"the machine's own time zone", "profile.yaml", "UTC", "Local", `profile.yaml:4:12: "Local" is no time zone`},
		{"a currency that is none", "profile.yaml", "XAL", "Aland", "profile.yaml:5:12: the currency is malformed"},
		{"a pattern that is none", "profile.yaml", "[3-6][0-9]{13}", "[3-6", "profile.yaml:9:12: the pattern is no regular"},
		{"an example with a mistyped digit", "profile.yaml", "30101900000011", "30101900000016", "profile.yaml:10:12: the example does not fit"},
		{"an example of a day that is none", "profile.yaml", "30101900000011", "33202900000014", "profile.yaml:10:12: the example does not fit"},
		{"no source", "profile.yaml", "  source: invented\n", "", "profile.yaml:7:3: the source is missing"},
		{"no weights", "profile.yaml", "[7, 3, 1]", "[]", "profile.yaml:12:20: weights are"},
		{"a modulus of one", "profile.yaml", "modulus: 10", "modulus: 1", "profile.yaml:12:40: the modulus"},
		{"a part that is none", "profile.yaml", "part: serial", "part: number", `profile.yaml:18:14: "number" is no part`},
		{"half a date of birth", "profile.yaml", "    - {part: month, digits: 2}\n", "", "profile.yaml:14:5: a date of birth needs"},
		{"a part twice", "profile.yaml", "part: month", "part: day", "the part day stands twice"},
		{"a check that is not last", "profile.yaml", "    - {part: check, digits: 1}\n", "    - {part: check, digits: 1}\n    - {part: fixed, value: X}\n", "a check is 1 digit, the last"},
		{"a century that is none", "profile.yaml", "1900-male", "1950-male", `"1950-male" is no century and sex`},
		{"a code twice", "profile.yaml", `1900-female: "4"`, `1900-female: "3"`, "is no century and sex with a code of its own"},
		{"a kind of sign-in that is none", "profile.yaml", "kind: oidc", "kind: One ID", `profile.yaml:23:17: "One ID" is no kind`},
		{"a level twice", "profile.yaml", "level: town", "level: land", `profile.yaml:27:15: "land" is no name or stands twice`},
		{"a file that is missing", "profile.yaml", "towns.csv", "cities.csv", "cities.csv: the file cannot be read"},
		{"no file", "profile.yaml", "[towns.csv]", "[]", "profile.yaml:28:10: no file of territories"},

		{"an unknown weekday", "calendar.yaml", "sunday", "Sunday", `calendar.yaml:1:21: "Sunday" is no day of the week`},
		{"no date", "calendar.yaml", "2026-01-02", "2026-02-30", `calendar.yaml:6:12: "2026-02-30" is no date`},
		{"no day of the year", "calendar.yaml", "01-01", "13-01", `calendar.yaml:4:11: "13-01" is no day of the year`},
		{"no act", "calendar.yaml", "legal: invented", "legal: ''", "calendar.yaml:4:50: the act is missing"},
		{"no status", "calendar.yaml", "status: illustrative", "status: perhaps", `calendar.yaml:4:68: "perhaps" is no status`},
		{"an unknown key in the calendar", "calendar.yaml", "decreed", "decreeded", `calendar.yaml:2:1: unknown field`},
		{"all week free", "calendar.yaml", "[saturday, sunday]", "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]", "calendar.yaml:1:1: the calendar cannot be"},

		{"a tile of nowhere", "profile.yaml", "files: [towns.csv]", "files: [towns.csv]\n  tiles: [[\"\", XB]]", `profile.yaml:29:16: there is no territory "XB"`},
		{"a tile twice", "profile.yaml", "files: [towns.csv]", "files: [towns.csv]\n  tiles: [[XA1], [XA1]]", "profile.yaml:29:19: XA1 stands on the map twice"},
		{"a header that is none", "towns.csv", "code,", "Code,", "towns.csv:1:1: the first line"},
		{"a column in no declared language", "towns.csv", ",en,fr", ",en,ru", `towns.csv:1:29: the language "ru"`},
		{"too few columns", "towns.csv", "Aland,", "Aland", "towns.csv:2:1: the line is no CSV of 6 columns"},
		{"an unknown status", "towns.csv", "illustrative", "guessed", `towns.csv:3:13: "guessed" is no status`},
		{"no name", "towns.csv", "First", "", "towns.csv:3:1: XA1 has no name in en"},
		{"an unknown parent", "towns.csv", "XA1,XA", "XA1,XB", "towns.csv:3:1: the parent XB is not in the list"},
		{"no root", "towns.csv", "XA,,", "XA,XA1,", "towns.csv:2:1: a land cannot lie in a town"},
		{"bad UTF-8", "towns.csv", "First", "Fi\xffrst", "towns.csv:3:1: a character of this line is not UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := country.Load(files(t, test.file, test.old, test.new))
			if err == nil {
				t.Fatal("it loads")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is\n%v\nand should tell\n%s", err, test.want)
			}
		})
	}
}

func TestAllFaultsAreTold(t *testing.T) {
	fsys := files(t, "profile.yaml", "UTC", "Atlantis").(fstest.MapFS)
	fsys["calendar.yaml"].Data = []byte(strings.Replace(calendarYAML, "saturday", "caturday", 1))
	_, err := country.Load(fsys)
	if err == nil || !strings.Contains(err.Error(), "Atlantis") || !strings.Contains(err.Error(), "caturday") {
		t.Errorf("%v", err)
	}
}

func TestAnIdentifierIsCheckedWithoutBeingRepeated(t *testing.T) {
	p, err := country.Load(files(t, "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ text, code string }{
		{"30101900000011", ""},
		{"30101900000016", "country.number-mistyped"},
		{"31001900000011", "country.number-mistyped"}, // two digits in the wrong order
		{"3010190000002", "country.number-malformed"},
		{"", "country.number-malformed"},
		{"30101900000011 ", "country.number-malformed"},
		{"33202900000014", "country.number-malformed"}, // 32 February
		{"70101900000017", "country.number-malformed"}, // no such century
	} {
		err := p.Person.Validate(test.text)
		if fault.Code(err) != test.code {
			t.Errorf("%q: %v, want %q", test.text, err, test.code)
		}
		if err != nil && len(test.text) > 12 && strings.Contains(err.Error(), test.text) {
			t.Errorf("the error repeats the identifier: %v", err)
		}
	}
}

// FuzzIdentifier holds that Validate, BirthDate and Sex agree and never fail otherwise, whatever is typed.
func FuzzIdentifier(f *testing.F) {
	for _, seed := range []string{"30101900000011", "", "3010190000001", "33202900000014", "٣0101900000015", "\xff"} {
		f.Add(seed)
	}
	p, err := country.Load(files(f, "", "", ""))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		birth, dated := p.Person.BirthDate(text)
		sex, sexed := p.Person.Sex(text)
		err := p.Person.Validate(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if !dated || !sexed {
			t.Fatalf("%q is valid but tells no birth or sex", text)
		}
		serial := 0
		for _, digit := range text[7:13] {
			serial = 10*serial + int(digit-'0')
		}
		if again, err := p.Person.Compose(birth, sex, serial); err != nil || again != text {
			t.Fatalf("%q is composed again as %q, %v", text, again, err)
		}
	})
}

// FuzzLoad holds that whatever stands in the profile's file, Load returns an error or a whole profile.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(profileYAML))
	f.Add([]byte("country: &a [*a]"))
	f.Add([]byte("{}"))
	f.Add([]byte("- a"))
	f.Fuzz(func(t *testing.T, content []byte) {
		fsys := files(t, "", "", "").(fstest.MapFS)
		fsys["profile.yaml"].Data = content
		p, err := country.Load(fsys)
		if err == nil && (p.Calendar == nil || p.Territories == nil || p.Person == nil || p.Authoritative() == "") {
			t.Fatalf("half a profile: %+v", p)
		}
	})
}
