package font

import (
	"testing"

	"golang.org/x/image/font/sfnt"
)

// The letters of the languages that the first country needs, beside plain Latin.
const alphabets = "ʻʼ oʻ gʻ ЎўҚқҒғҲҳ ÁáǴǵÍíİıŃńÓóÚú ӘәҢңӨөҮүЪъЫыЬьЭэЁё №«»—–…“”’ €₽₸ 0123456789"

func TestEveryAlphabetIsThere(t *testing.T) {
	if letter, lacks := Lacks(alphabets); lacks {
		t.Errorf("U+%04X is missing", letter)
	}
}

func TestLacksNamesTheLetter(t *testing.T) {
	for text, want := range map[string]rune{"abc中": '中', "a\u0007b": 7, "🙂": '🙂', "ا": 'ا'} {
		if letter, lacks := Lacks(text); !lacks || letter != want {
			t.Errorf("Lacks(%q) = U+%04X, %t, want U+%04X", text, letter, lacks, want)
		}
	}
}

func TestWeightsAreSmallAndHaveTheSameLetters(t *testing.T) {
	for name, file := range map[string][]byte{"regular": Regular(), "bold": Bold()} {
		if len(file) > 200_000 {
			t.Errorf("%s has %d bytes, more than 200000", name, len(file))
		}
	}
	bold, err := sfnt.Parse(Bold())
	if err != nil {
		t.Fatal(err)
	}
	var buffer sfnt.Buffer
	letters := 0
	for letter := rune(0x20); letter < 0x2300; letter++ {
		_, lacks := Lacks(string(letter))
		index, err := bold.GlyphIndex(&buffer, letter)
		if err != nil {
			t.Fatal(err)
		}
		if lacks != (index == 0) {
			t.Errorf("U+%04X is in one weight only", letter)
		}
		if !lacks {
			letters++
		}
	}
	if letters < 1000 {
		t.Errorf("%d letters, fewer than were asked for", letters)
	}
}
