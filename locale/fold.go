package locale

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// folded are the Cyrillic letters of Uzbek, Karakalpak and Russian as the search key has them.
var folded = map[rune]string{
	'а': "a", 'ә': "a", 'б': "b", 'в': "v", 'г': "g", 'ғ': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "j", 'з': "z", 'и': "i",
	'й': "y", 'к': "k", 'қ': "q", 'л': "l", 'м': "m", 'н': "n", 'ң': "n", 'о': "o", 'ө': "o", 'п': "p", 'р': "r", 'с': "s",
	'т': "t", 'у': "u", 'ү': "u", 'ў': "o", 'ф': "f", 'х': "h", 'ҳ': "h", 'ц': "s", 'ч': "ch", 'ш': "sh", 'щ': "sh",
	'ъ': "", 'ы': "i", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya", 'ı': "i", 'і': "i", 'ß': "ss",
}

// rewritten joins spellings of one sound in Latin letters. The rules are tried in this order at each place.
var rewritten = strings.NewReplacer(
	"kh", "h", "gh", "g", "zh", "j", "ts", "s", "ch", "ch", "sh", "sh", "ye", "e", "iy", "i", "x", "h",
	"c", "s", "w", "o", "q", "k",
)

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
	return strings.Join(strings.Fields(rewritten.Replace(out.String())), " ")
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
