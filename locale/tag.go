package locale

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Tag names a language in a script, as BCP 47 writes it: "uz-Latn".
type Tag string

// The languages whose rules (orthography, order, dates) this package knows. Which of them an installation speaks, and
// in which order it prefers them, is not said here but in its country profile.
const (
	UzbekLatin    Tag = "uz-Latn" // the alphabet of the law of 2 September 1993, as amended on 6 May 1995
	UzbekCyrillic Tag = "uz-Cyrl" // the alphabet of 1940; derived from UzbekLatin
	Karakalpak    Tag = "kaa"     // the Latin alphabet as amended in 2016 (Á Ǵ Í Ń Ó Ú instead of apostrophes)
	Russian       Tag = "ru"
	English       Tag = "en"
)

// Known returns the languages whose rules this package knows.
func Known() []Tag { return []Tag{UzbekLatin, UzbekCyrillic, Karakalpak, Russian, English} }

// Languages is what an installation speaks.
type Languages struct {
	// Tags in the order in which they are offered; the first is the default. All must be Known.
	Tags []Tag
	// Fallback is, for each language, where a message that it lacks is looked for, in order. The default language is
	// always the last resort and need not be named.
	Fallback map[Tag][]Tag
}

// Validate reports a language that is not known, is named twice, or is fallen back to without being spoken.
func (l Languages) Validate() error {
	if len(l.Tags) == 0 {
		return fmt.Errorf("no language is declared: name at least one of %v", Known())
	}
	spoken := map[Tag]bool{}
	for _, tag := range l.Tags {
		if !tag.known() {
			return fmt.Errorf("language %q is not known: use one of %v", tag, Known())
		}
		if spoken[tag] {
			return fmt.Errorf("language %q is declared twice: name it once", tag)
		}
		spoken[tag] = true
	}
	for tag, chain := range l.Fallback {
		for _, next := range append([]Tag{tag}, chain...) {
			if !spoken[next] {
				return fmt.Errorf("the fallback of %q names %q, which is not declared: declare it or remove it", tag, next)
			}
		}
	}
	return nil
}

// chain returns where a message of the language is looked for: itself, its fallback, the default.
func (l Languages) chain(tag Tag) []Tag {
	chain := append([]Tag{tag}, l.Fallback[tag]...)
	if len(l.Tags) > 0 {
		chain = append(chain, l.Tags[0])
	}
	return chain
}

func (l Languages) speaks(tag Tag) bool {
	for _, spoken := range l.Tags {
		if spoken == tag {
			return true
		}
	}
	return false
}

func (t Tag) known() bool {
	switch t {
	case UzbekLatin, UzbekCyrillic, Karakalpak, Russian, English:
		return true
	}
	return false
}

// DerivedFrom returns the language that this one is derived from by transliteration, and false if it is written by
// hand.
func (t Tag) DerivedFrom() (Tag, bool) {
	if t == UzbekCyrillic {
		return UzbekLatin, true
	}
	return "", false
}

// Name returns what a language is called in itself, or its tag if that is not known.
func (t Tag) Name() string {
	if name := display.Self.Name(language.Make(string(t))); name != "" {
		return name
	}
	return string(t)
}

// RightToLeft reports whether the language is written from right to left: whether its script is, of those in modern use.
func (t Tag) RightToLeft() bool {
	script, _ := language.Make(string(t)).Script()
	return slices.Contains([]string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg"}, script.String())
}

// bcp returns the tag for x/text. It has no rules for Karakalpak, whose nouns, like Uzbek ones, stay singular after a
// number; so Karakalpak borrows the rules of Uzbek.
func (t Tag) bcp() language.Tag {
	if t == Karakalpak {
		return language.MustParse(string(UzbekLatin))
	}
	return language.Make(string(t))
}

// maxPreference is how many bytes of a header or a cookie are read at most; browsers send fewer than 200.
const maxPreference = 1000

// Parse returns the language among those spoken that text (a cookie, a query parameter, a profile) names: "ru",
// "ru-RU", "uz_Cyrl", "UZ-latn-UZ". Uzbek without a script is Latin, or Cyrillic where only that is spoken.
func (l Languages) Parse(text string) (Tag, bool) {
	if len(text) > maxPreference {
		return "", false
	}
	parsed, err := language.Parse(strings.TrimSpace(text))
	if err != nil {
		return "", false
	}
	return l.match(parsed)
}

// match compares language and script only. The matcher of x/text would also offer a related language, and knows
// nothing of Karakalpak: someone who asks for Kazakh must not be given Karakalpak silently, nor the other way round.
func (l Languages) match(wanted language.Tag) (Tag, bool) {
	base, confidence := wanted.Base()
	if confidence != language.Exact {
		return "", false
	}
	script, scriptConfidence := wanted.Script()
	for _, exact := range []bool{true, false} {
		for _, tag := range l.Tags {
			spoken := language.Make(string(tag))
			spokenBase, _ := spoken.Base()
			if spokenBase != base {
				continue
			}
			spokenScript, _ := spoken.Script()
			if !exact && (scriptConfidence != language.Exact || tag == Karakalpak) {
				return tag, true
			}
			if exact && spokenScript == script {
				return tag, true
			}
		}
	}
	return "", false
}

// Choose returns the language to answer in: the first of the explicit wishes (query parameter, then cookie, then the
// person's record; empty ones are passed over) that is spoken, else the best of an Accept-Language header (RFC 9110,
// section 12.5.4), else the default. It never fails: what cannot be read is no wish.
func (l Languages) Choose(acceptLanguage string, explicit ...string) Tag {
	for _, wish := range explicit {
		if tag, ok := l.Parse(wish); ok {
			return tag
		}
	}
	if len(acceptLanguage) <= maxPreference {
		for _, wanted := range accepted(acceptLanguage) {
			if tag, ok := l.match(wanted); ok {
				return tag
			}
		}
	}
	if len(l.Tags) == 0 {
		return English
	}
	return l.Tags[0]
}

// accepted returns the languages of a header, best first. One malformed element does not spoil the others.
func accepted(header string) []language.Tag {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err == nil {
		return tags
	}
	var good []string
	for element := range strings.SplitSeq(header, ",") {
		if _, _, err := language.ParseAcceptLanguage(element); err == nil {
			good = append(good, element)
		}
	}
	tags, _, _ = language.ParseAcceptLanguage(strings.Join(good, ","))
	return tags
}
