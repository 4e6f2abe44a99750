package locale

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// alphabets are the letters of each language in the order of its dictionaries; letters in one group differ only where
// all else is equal. Foreign letters that dictionaries place (c, w) have their Latin place. The Uzbek Latin order, with
// oʻ gʻ sh ch at the end, is that of the law on the alphabet; the Uzbek Cyrillic order has ў қ ғ ҳ after я; the
// Karakalpak order is that of the alphabet of 2016.
var alphabets = map[Tag]string{
	UzbekLatin:    "a b c d e f g h i j k l m n o p q r s t u v w x y z oʻ gʻ sh ch",
	UzbekCyrillic: "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я ў қ ғ ҳ",
	Karakalpak:    "a á b d e f g ǵ h x ı i j k q l m n ń o ó p r s t u ú v w y z sh c ch",
	Russian:       "а б в г д е/ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я",
	English:       "a b c d e f g h i j k l m n o p q r s t u v w x y z",
}

// otherScripts follow the alphabet of a language, so that a Russian name in an Uzbek list stands in Russian order.
const otherScripts = "a b c d e f g h i j k l m n o p q r s t u v w x y z " +
	"а ә б в г ғ д е ё ж з и й к қ л м н ң о ө п р с т у ү ў ф х ҳ ц ч ш щ ъ ы ь э ю я"

// letter is the weight of one letter: primary says the order, variant breaks a tie.
type letter struct{ primary, variant uint32 }

type order struct {
	letters map[string]letter
	longest int // runes of the longest letter
}

// The ranges of primary weights; a character of no alphabet follows by its code point.
const (
	spaceWeight  = 1
	digitWeight  = 2
	letterWeight = 16
	otherWeight  = 1 << 16
)

// orders builds the tables once; they do not change.
var orders = sync.OnceValue(func() map[Tag]order {
	result := map[Tag]order{}
	for tag, alphabet := range alphabets {
		o := order{letters: map[string]letter{}}
		weight := uint32(letterWeight)
		for group := range strings.FieldsSeq(alphabet + " " + otherScripts) {
			for variant, l := range strings.Split(group, "/") {
				if _, placed := o.letters[l]; !placed {
					o.letters[l] = letter{weight, uint32(variant)}
					o.longest = max(o.longest, len([]rune(l)))
				}
			}
			weight++
		}
		result[tag] = o
	}
	return result
})

// SortKey returns a key for the text: comparing keys byte by byte gives the order of the language's dictionaries.
// Digits come before letters, the language's script before others; case, accents that the language does not know, and
// punctuation count only where all else is equal. Equal keys mean equal texts (in NFC). A key can be stored and
// indexed; it holds arbitrary bytes.
func SortKey(tag Tag, text string) string {
	text = norm.NFC.String(text)
	o, ok := orders()[tag]
	if !ok {
		o = orders()[English]
	}
	spelled := text
	if tag == UzbekLatin {
		spelled = NormaliseApostrophes(text)
	}
	original := []rune(spelled)
	small := lower(original)
	if tag == Karakalpak {
		small = lowerKarakalpak(original)
	}
	var primary, tie []byte
	for i := 0; i < len(small); {
		length, weight, ok := o.at(small, i)
		if ok {
			primary = append(primary, byte(weight.primary>>16), byte(weight.primary>>8), byte(weight.primary))
			variant := byte(1 + 2*min(weight.variant, 100))
			if original[i] != small[i] {
				variant++ // a capital follows its small letter
			}
			tie = append(tie, variant)
		}
		i += length
	}
	key := append(primary, 0, 0, 0)
	key = append(key, tie...)
	return string(append(append(key, 0), text...))
}

// at returns the weight of the letter at i and its length in runes, and false for what has no weight (punctuation).
func (o order) at(text []rune, i int) (int, letter, bool) {
	for n := min(o.longest, len(text)-i); n > 0; n-- {
		if l, ok := o.letters[string(text[i:i+n])]; ok {
			return n, l, true
		}
	}
	r := text[i]
	switch {
	case unicode.IsSpace(r):
		return 1, letter{spaceWeight, 0}, true
	case r >= '0' && r <= '9':
		return 1, letter{digitWeight + uint32(r-'0'), 0}, true
	case isApostrophe(r) || unicode.IsMark(r) || !unicode.IsLetter(r) && !unicode.IsDigit(r):
		return 1, letter{}, false
	}
	// A letter with an accent that the language does not know stands with its base letter.
	if base := []rune(norm.NFD.String(string(r))); len(base) > 1 {
		if l, ok := o.letters[string(base[:1])]; ok {
			return 1, letter{l.primary, uint32(base[1]%90) + 10}, true
		}
	}
	if r == 'ı' {
		return 1, letter{o.letters["i"].primary, 9}, true
	}
	return 1, letter{otherWeight + uint32(r), 0}, true
}

// Compare orders two texts as the language's dictionaries do: negative, zero, positive.
func Compare(tag Tag, a, b string) int { return cmp.Compare(SortKey(tag, a), SortKey(tag, b)) }

// Sort sorts the items by the text that of returns for each, in the order of the language. Equal texts keep their
// order.
func Sort[T any](tag Tag, items []T, of func(T) string) {
	type keyed struct {
		key  string
		item T
	}
	list := make([]keyed, len(items))
	for i, item := range items {
		list[i] = keyed{SortKey(tag, of(item)), item}
	}
	slices.SortStableFunc(list, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	for i := range list {
		items[i] = list[i].item
	}
}
