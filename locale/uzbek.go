package locale

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// The rules of Uzbek spelling in both alphabets follow the basic rules of Uzbek orthography, approved by resolution 339
// of the Cabinet of Ministers of 24 August 1995, and the Cyrillic rules approved on 4 April 1956:
//
//   - ye, yo, yu, ya are е, ё, ю, я; before oʻ the y stands alone (yoʻl, йўл);
//   - e is э at the start of a word and after a vowel, else е;
//   - sh and ch are ш and ч; sʼh is с and ҳ (Isʼhoq);
//   - ʼ is ъ; after oʻ the Latin spelling drops it (moʻjiza, мўъжиза);
//   - ц is ts between or after vowels and s elsewhere (konstitutsiya, sirk), ь is dropped: which words have them in
//     Cyrillic is known from the list in data/uzbek.yaml only.

//go:embed data/uzbek.yaml
var uzbekData []byte

// spelling is the form of data/uzbek.yaml.
type spelling struct {
	Keep       []string          `yaml:"keep"`
	ToCyrillic map[string]string `yaml:"to-cyrillic"`
	ToLatin    map[string]string `yaml:"to-latin"`
}

// pattern is a sequence of letters that is spelled otherwise than the rules say.
type pattern struct {
	from       []rune
	to         string
	start, end bool // only at the start, the end of a word
}

type exceptions struct {
	keep       map[string]bool // by the word as it is written
	toCyrillic map[rune][]pattern
	toLatin    map[rune][]pattern
}

// uzbekExceptions reads the embedded list once. It cannot fail but by a defect of the list, which a test finds.
var uzbekExceptions = sync.OnceValue(func() *exceptions {
	var data spelling
	if err := yaml.UnmarshalWithOptions(uzbekData, &data, yaml.Strict()); err != nil {
		panic(fmt.Sprintf("data/uzbek.yaml: %v", err))
	}
	keep := map[string]bool{}
	for _, word := range data.Keep {
		keep[word] = true
	}
	return &exceptions{keep, patterns(data.ToCyrillic), patterns(data.ToLatin)}
})

// patterns sorts the list by first letter, longest first; ^ and $ bind to the start and the end of a word.
func patterns(list map[string]string) map[rune][]pattern {
	result := map[rune][]pattern{}
	for from, to := range list {
		p := pattern{to: to}
		from, p.start = strings.CutPrefix(from, "^")
		from, p.end = strings.CutSuffix(from, "$")
		p.from = []rune(from)
		result[p.from[0]] = append(result[p.from[0]], p)
	}
	for _, list := range result {
		slices.SortFunc(list, func(a, b pattern) int {
			if d := len(b.from) - len(a.from); d != 0 {
				return d
			}
			if d := anchors(b) - anchors(a); d != 0 {
				return d
			}
			return slices.Compare(a.from, b.from)
		})
	}
	return result
}

func anchors(p pattern) int {
	n := 0
	if p.start {
		n++
	}
	if p.end {
		n++
	}
	return n
}

func match(list map[rune][]pattern, word []rune, at int) (pattern, bool) {
	for _, p := range list[word[at]] {
		end := at + len(p.from)
		if p.start && at > 0 || end > len(word) || p.end && end < len(word) || !slices.Equal(p.from, word[at:end]) {
			continue
		}
		return p, true
	}
	return pattern{}, false
}

// uzbekDigraphs are tried before single letters.
var uzbekDigraphs = map[string]string{
	"sh": "ш", "ch": "ч", "oʻ": "ў", "gʻ": "ғ", "yo": "ё", "yu": "ю", "ya": "я", "ye": "е",
}

var uzbekLetters = map[rune]string{
	'a': "а", 'b': "б", 'd': "д", 'e': "е", 'f': "ф", 'g': "г", 'h': "ҳ", 'i': "и", 'j': "ж", 'k': "к", 'l': "л",
	'm': "м", 'n': "н", 'o': "о", 'p': "п", 'q': "қ", 'r': "р", 's': "с", 't': "т", 'u': "у", 'v': "в", 'x': "х",
	'y': "й", 'z': "з", modifierApostrophe: "ъ",
}

func uzbekWordToCyrillic(word []rune) string {
	list := uzbekExceptions()
	if list.keep[string(word)] || !isUzbekLatin(word) {
		return string(word)
	}
	small := lower(word)
	var out strings.Builder
	for i := 0; i < len(small); {
		if p, ok := match(list.toCyrillic, small, i); ok {
			end := i + len(p.from)
			out.WriteString(recase(word, i, end, p.to))
			i = end
			continue
		}
		text, length := uzbekLetter(small, i)
		out.WriteString(recase(word, i, i+length, text))
		i += length
	}
	return out.String()
}

// uzbekLetter returns the Cyrillic letter at i and how many Latin letters it stands for.
func uzbekLetter(word []rune, i int) (string, int) {
	at := func(j int) rune {
		if j < 0 || j >= len(word) {
			return 0
		}
		return word[j]
	}
	if word[i] == 's' && at(i+1) == modifierApostrophe && at(i+2) == 'h' {
		return "с", 2 // the apostrophe only keeps s and h apart
	}
	if word[i] == 'y' && at(i+1) == 'o' && at(i+2) == turnedComma {
		return "й", 1
	}
	if i+1 < len(word) {
		if letter, ok := uzbekDigraphs[string(word[i:i+2])]; ok {
			if letter == "е" && i > 0 && !isLatinVowel(at(i-1)) && at(i-1) != turnedComma {
				return "ье", 2 // kuryer: after a consonant ye is written for ье, or ъе where the list says so
			}
			return letter, 2
		}
	}
	if word[i] == 'e' && (i == 0 || isLatinVowel(at(i-1)) || at(i-1) == turnedComma && at(i-2) == 'o') {
		return "э", 1
	}
	if letter, ok := uzbekLetters[word[i]]; ok {
		return letter, 1
	}
	return string(word[i]), 1
}

func isLatinVowel(r rune) bool { return r != 0 && strings.ContainsRune("aeiou", r) }

// isUzbekLatin reports whether the alphabet has all letters of the word; c stands in ch only.
func isUzbekLatin(word []rune) bool {
	small := lower(word)
	for i, r := range small {
		_, known := uzbekLetters[r]
		switch {
		case known:
		case r == turnedComma && i > 0 && (small[i-1] == 'o' || small[i-1] == 'g'):
		case r == 'c' && i+1 < len(small) && small[i+1] == 'h':
		default:
			return false
		}
	}
	return true
}

var uzbekCyrillicLetters = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "j", 'з': "z", 'и': "i", 'й': "y",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f",
	'х': "x", 'ц': "s", 'ч': "ch", 'ш': "sh", 'щ': "sh", 'ъ': "ʼ", 'ы': "i", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	'ў': "oʻ", 'қ': "q", 'ғ': "gʻ", 'ҳ': "h",
}

func uzbekWordToLatin(word []rune) string {
	small := lower(word)
	for _, r := range small {
		if _, known := uzbekCyrillicLetters[r]; !known {
			return string(word) // Latin already, or of another alphabet
		}
	}
	list := uzbekExceptions()
	var out strings.Builder
	for i := 0; i < len(small); {
		if p, ok := match(list.toLatin, small, i); ok {
			end := i + len(p.from)
			out.WriteString(recase(word, i, end, p.to))
			i = end
			continue
		}
		out.WriteString(recase(word, i, i+1, uzbekLatinLetter(small, i)))
		i++
	}
	return out.String()
}

func uzbekLatinLetter(word []rune, i int) string {
	var before, after rune
	if i > 0 {
		before = word[i-1]
	}
	if i+1 < len(word) {
		after = word[i+1]
	}
	switch word[i] {
	case 'е':
		if before == 0 || isCyrillicVowel(before) || before == 'ъ' || before == 'ь' {
			return "ye"
		}
	case 'ц':
		if isCyrillicVowel(before) {
			return "ts"
		}
	case 'ъ':
		if before == 'ў' || strings.ContainsRune("еёюя", after) && !isCyrillicVowel(before) {
			return "" // moʻjiza; obyekt, adyutant
		}
	case 'ь':
		if after == 'о' {
			return "y" // бульон, bulyon
		}
	case 'с':
		if after == 'ҳ' {
			return "sʼ" // Исҳоқ, Isʼhoq
		}
	}
	return uzbekCyrillicLetters[word[i]]
}

func isCyrillicVowel(r rune) bool { return r != 0 && strings.ContainsRune("аеёиоуыэюяў", r) }
