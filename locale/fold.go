package locale

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// folded are the Cyrillic letters of Uzbek, Karakalpak and Russian as the search key has them.
var folded = map[rune]string{
	'а': "a", 'ә': "a", 'б': "b", 'в': "v", 'г': "g", 'ғ': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "j", 'з': "z",
	'и': "i",
	'й': "y", 'к': "k", 'қ': "q", 'л': "l", 'м': "m", 'н': "n", 'ң': "n", 'о': "o", 'ө': "o", 'п': "p", 'р': "r", 'с': "s",
	'т': "t", 'у': "u", 'ү': "u", 'ў': "o", 'ф': "f", 'х': "h", 'ҳ': "h", 'ц': "s", 'ч': "ch", 'ш': "sh", 'щ': "sh",
	'ъ': "", 'ы': "i", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya", 'ı': "i", 'і': "i", 'ß': "ss",
}

// joined says which two letters spell one sound, in Latin or once the Cyrillic letters were replaced.
var joined = map[[2]rune]rune{
	{'k', 'h'}: 'h', {'g', 'h'}: 'g', {'z', 'h'}: 'j', {'t', 's'}: 's', {'y', 'e'}: 'e', {'i', 'y'}: 'i',
}

// alike are letters that stand for one another; c is s unless h follows.
var alike = map[rune]rune{'x': 'h', 'w': 'o', 'q': 'k'}

// soundKey writes spellings of one sound in one way. It works from left to right on what it has already written, so
// that a key is its own key, however many letters meet.
func soundKey(text string) string {
	var key []rune
	push := func(r rune) {
		for len(key) > 0 {
			one, ok := joined[[2]rune{key[len(key)-1], r}]
			if !ok {
				break
			}
			key, r = key[:len(key)-1], one
		}
		key = append(key, r)
	}
	soft := func() { // the last letter is a c that no h follows
		if len(key) > 0 && key[len(key)-1] == 'c' {
			key = key[:len(key)-1]
			push('s')
		}
	}
	for _, r := range text {
		if other, ok := alike[r]; ok {
			r = other
		}
		if r != 'h' {
			soft()
		}
		push(r)
	}
	soft()
	return string(key)
}

// Fold returns the key under which a text is found however it is spelled: in Latin, Cyrillic or Russian letters, with
// any apostrophe or none, in any case, with or without the accents of Karakalpak. It is for searching, never for
// showing: different words may share a key. The key holds small Latin letters, digits and single spaces.
//
// Fold keeps the vowels apart; a Russian spelling that changes them (Юлдашев for Yoʻldoshev) is found by FoldName.
func Fold(text string) string {
	var out strings.Builder
	for _, r := range norm.NFC.String(text) {
		r = unicode.ToLower(r)
		if letters, ok := folded[r]; ok {
			out.WriteString(letters)
			continue
		}
		for _, r := range norm.NFKD.String(string(r)) {
			r = unicode.ToLower(r)
			switch {
			case isApostrophe(r) || unicode.IsMark(r):
			case folded[r] != "":
				out.WriteString(folded[r])
			case unicode.IsLetter(r) || unicode.IsDigit(r):
				out.WriteRune(r)
			default:
				out.WriteByte(' ')
			}
		}
	}
	return strings.Join(strings.Fields(soundKey(out.String())), " ")
}

// FoldName returns a coarser key for names of people and places, under which the Uzbek, the Russian and an English
// spelling meet: Yoʻldoshev, Йўлдошев and Юлдашев; Qodirov, Қодиров and Кадыров; Toshkent and Ташкент. It joins the
// vowels a, o, u and e, i, and doubled letters. Many unrelated names share a key: it finds candidates for a person to
// choose from, or to be compared by birth date; it never decides that two people are one.
func FoldName(text string) string {
	key := strings.NewReplacer("yo", "ya", "yu", "ya", "o", "a", "u", "a", "e", "i").Replace(Fold(text))
	var out strings.Builder
	var last rune
	for _, r := range key {
		if r != last || unicode.IsDigit(r) || r == ' ' {
			out.WriteRune(r)
		}
		last = r
	}
	return out.String()
}
