package locale

import (
	"strings"
	"unicode"
)

// The two signs of the Uzbek Latin alphabet that keyboards lack.
const (
	turnedComma        = 'ʻ' // U+02BB, in oʻ and gʻ
	modifierApostrophe = 'ʼ' // U+02BC, the tutuq belgisi: maʼno, sanʼat, Isʼhoq
)

// isApostrophe reports whether people write the rune where an Uzbek apostrophe belongs.
func isApostrophe(r rune) bool {
	switch r {
	case '\'', '‘', '’', '`', '´', turnedComma, modifierApostrophe:
		return true
	}
	return false
}

// NormaliseApostrophes writes the apostrophes of Uzbek Latin text as the alphabet has them: ʻ (U+02BB) after o and g,
// ʼ (U+02BC) elsewhere inside a word. It accepts ' ‘ ’ ` ´ ʻ ʼ. An apostrophe that stands before a word, or that closes
// a quotation, is punctuation and stays. The result of a second call is the same as of the first.
func NormaliseApostrophes(text string) string {
	if !strings.ContainsFunc(text, isApostrophe) {
		return text
	}
	runes := []rune(text)
	quoted := false // an apostrophe opened a quotation that has not been closed
	for i, r := range runes {
		if !isApostrophe(r) {
			continue
		}
		var before, after rune
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		typed := r != turnedComma && r != modifierApostrophe // it may be a quotation mark
		inside := unicode.IsLetter(after) && !isApostrophe(after)
		switch {
		case isApostrophe(before):
		case !unicode.IsLetter(before):
			quoted = quoted || inside && typed
		case !inside && quoted && typed:
			quoted = false
		case strings.ContainsRune("oOgG", before):
			runes[i] = turnedComma
		case (inside || r == turnedComma) && unicode.Is(unicode.Latin, before):
			runes[i] = modifierApostrophe
		}
	}
	return string(runes)
}
