package locale

import (
	"strings"
	"unicode"
)

// The Karakalpak letters of the Latin alphabet as amended in 2016 and those of the Cyrillic alphabet of 1957. The
// capital of ı is Í, that of i is I (Turkish has it otherwise).
var karakalpakLetters = map[rune]string{
	'a': "а", 'á': "ә", 'b': "б", 'd': "д", 'e': "е", 'f': "ф", 'g': "г", 'ǵ': "ғ", 'h': "ҳ", 'x': "х", 'ı': "ы", 'i': "и",
	'j': "ж", 'k': "к", 'q': "қ", 'l': "л", 'm': "м", 'n': "н", 'ń': "ң", 'o': "о", 'ó': "ө", 'p': "п", 'r': "р", 's': "с",
	't': "т", 'u': "у", 'ú': "ү", 'v': "в", 'w': "ў", 'y': "й", 'z': "з", 'c': "ц",
}

var karakalpakDigraphs = map[string]string{"sh": "ш", "ch": "ч", "yo": "ё", "yu": "ю", "ya": "я"}

var karakalpakCyrillicLetters = map[rune]string{
	'а': "a", 'ә': "á", 'б': "b", 'в': "v", 'г': "g", 'ғ': "ǵ", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "j", 'з': "z",
	'и': "i",
	'й': "y", 'к': "k", 'қ': "q", 'л': "l", 'м': "m", 'н': "n", 'ң': "ń", 'о': "o", 'ө': "ó", 'п': "p", 'р': "r", 'с': "s",
	'т': "t", 'у': "u", 'ү': "ú", 'ў': "w", 'ф': "f", 'х': "x", 'ҳ': "h", 'ц': "c", 'ч': "ch", 'ш': "sh", 'щ': "sh",
	'ъ': "", 'ы': "ı", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
}

// lowerKarakalpak knows the pairs Íı and Ii.
func lowerKarakalpak(word []rune) []rune {
	result := lower(word)
	for i, r := range word {
		if r == 'Í' || r == 'í' {
			result[i] = 'ı'
		}
	}
	return result
}

func karakalpakWordToCyrillic(word []rune) string {
	small := lowerKarakalpak(word)
	for _, r := range small {
		if _, known := karakalpakLetters[r]; !known {
			return string(word)
		}
	}
	var out strings.Builder
	for i := 0; i < len(small); {
		length := 1
		letter := karakalpakLetters[small[i]]
		if i+1 < len(small) {
			if digraph, ok := karakalpakDigraphs[string(small[i:i+2])]; ok {
				letter, length = digraph, 2
			}
		}
		out.WriteString(recase(word, i, i+length, letter))
		i += length
	}
	return out.String()
}

func karakalpakWordToLatin(word []rune) string {
	small := lower(word)
	for _, r := range small {
		if _, known := karakalpakCyrillicLetters[r]; !known {
			return string(word)
		}
	}
	var out strings.Builder
	for i, r := range small {
		if r == 'ы' && unicode.IsUpper(word[i]) {
			out.WriteRune('Í')
			continue
		}
		out.WriteString(recase(word, i, i+1, karakalpakCyrillicLetters[r]))
	}
	return out.String()
}
