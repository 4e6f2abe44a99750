package locale

import (
	"regexp"
	"strings"
	"unicode"
)

// ToCyrillic writes Latin text of the language (UzbekLatin, Karakalpak) in its Cyrillic alphabet; text of another
// language is returned as it is.
//
// What is not running text is left alone: {placeholders} and everything else in braces or in `backquotes`, addresses
// (https://…, my.gov.uz, someone@example.org), words mixed with digits (AA1234567), Roman numbers (II guruh), and words
// with a letter that the alphabet lacks (WhatsApp). In Uzbek, abbreviations that stay Latin and loanwords that the
// rules miss are listed in data/uzbek.yaml.
func ToCyrillic(tag Tag, text string) string {
	switch tag {
	case UzbekLatin:
		return running(NormaliseApostrophes(text), uzbekWordToCyrillic)
	case Karakalpak:
		return running(text, karakalpakWordToCyrillic)
	}
	return text
}

// ToLatin writes Cyrillic text of the language (UzbekCyrillic or UzbekLatin, Karakalpak) in its Latin alphabet; text of
// another language is returned as it is. It leaves alone what ToCyrillic does.
func ToLatin(tag Tag, text string) string {
	switch tag {
	case UzbekLatin, UzbekCyrillic:
		return running(text, uzbekWordToLatin)
	case Karakalpak:
		return running(text, karakalpakWordToLatin)
	}
	return text
}

// address is what no transliterator may touch besides braces: code in backquotes, URLs, mail addresses, host names.
var address = regexp.MustCompile("`[^`]*`" +
	`|\b(?:https?://|ftp://|mailto:|tel:|www\.)[^\s<>"»”]+` +
	`|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+` +
	`|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b(?:/[^\s<>"»”]*)?`)

// running rewrites each word of running text.
func running(text string, word func(w []rune) string) string {
	var out strings.Builder
	for text != "" {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			open = len(text)
		}
		outside(&out, text[:open], word)
		text = text[open:]
		end := closing(text)
		out.WriteString(text[:end])
		text = text[end:]
	}
	return out.String()
}

// closing returns how much of a text that begins with a brace belongs to it; a brace that is never closed keeps the
// rest of the text.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

func outside(out *strings.Builder, text string, word func([]rune) string) {
	done := 0
	for _, span := range address.FindAllStringIndex(text, -1) {
		words(out, text[done:span[0]], word)
		out.WriteString(text[span[0]:span[1]])
		done = span[1]
	}
	words(out, text[done:], word)
}

// roman is a number as centuries, quarters of a year and groups of disability are counted (II guruh). Greater ones do
// not occur, and their letters make words.
var roman = regexp.MustCompile(`^X{0,3}(IX|IV|V?I{0,3})$`)

// words rewrites the runs of letters. A run that touches a digit or an underscore is a code and stays; so does a Roman
// number, unless it is one letter before a full stop: an initial (I. Karimov).
func words(out *strings.Builder, text string, word func([]rune) string) {
	runes := []rune(text)
	for i := 0; i < len(runes); {
		if !inWord(runes[i]) {
			out.WriteRune(runes[i])
			i++
			continue
		}
		start, code := i, false
		for i < len(runes) && inWord(runes[i]) {
			code = code || unicode.IsDigit(runes[i]) || runes[i] == '_'
			i++
		}
		initial := i-start == 1 && i < len(runes) && runes[i] == '.'
		if code || roman.MatchString(string(runes[start:i])) && !initial {
			out.WriteString(string(runes[start:i]))
		} else {
			out.WriteString(word(runes[start:i]))
		}
	}
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '_' // ʻ and ʼ are letters (Lm)
}

// recase gives the rewriting of original the case that original has: lower, Capitalised, or UPPER where the letters
// around it are upper too.
func recase(word []rune, start, end int, rewritten string) string {
	if rewritten == "" || !unicode.IsUpper(word[start]) {
		return rewritten
	}
	runes := []rune(rewritten)
	if len(runes) == 1 || upperAround(word, start, end) {
		return strings.ToUpper(rewritten)
	}
	return string(unicode.ToUpper(runes[0])) + string(runes[1:])
}

// upperAround reports whether the letters next to (or within) the span are upper case, so that a letter that becomes
// two becomes two capitals: ШАҲАР is SHAHAR, Шаҳар is Shahar, and Ш. is Sh.
func upperAround(word []rune, start, end int) bool {
	for _, r := range word[start+1 : end] {
		if unicode.IsLetter(r) && !isApostrophe(r) {
			return unicode.IsUpper(r)
		}
	}
	for _, r := range word[end:] {
		if !isApostrophe(r) {
			return unicode.IsUpper(r)
		}
	}
	for i := start - 1; i >= 0; i-- {
		if !isApostrophe(word[i]) {
			return unicode.IsUpper(word[i])
		}
	}
	return false
}

func lower(word []rune) []rune {
	result := make([]rune, len(word))
	for i, r := range word {
		result[i] = unicode.ToLower(r)
	}
	return result
}
