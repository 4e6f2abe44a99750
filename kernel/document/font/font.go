// Package font owns the letters in which documents are printed: Noto Sans in two weights, cut down to the Latin and
// Cyrillic alphabets. It hands the font files to whoever draws, and tells which letters they lack.
//
// The files are made by subset.sh and stand under the SIL Open Font License 1.1 (OFL.txt). They hold single letters
// only, so text must be in Unicode's composed form (NFC).
package font

import (
	_ "embed"
	"sync"

	"golang.org/x/image/font/sfnt"
)

//go:generate ./subset.sh

//go:embed NotoSans-Regular.ttf
var regular []byte

//go:embed NotoSans-Bold.ttf
var bold []byte

// Regular returns the TrueType file of the normal weight. It must not be changed.
func Regular() []byte { return regular }

// Bold returns the TrueType file of the bold weight, which has the same letters. It must not be changed.
func Bold() []byte { return bold }

var parsed = sync.OnceValue(func() *sfnt.Font {
	font, err := sfnt.Parse(regular)
	if err != nil {
		panic(err) // the file is embedded and a test reads it
	}
	return font
})

// printable holds, as bits, which letters of the Basic Multilingual Plane can be printed: looking each up in the font takes
// as long as signing the text.
var printable = sync.OnceValue(func() *[1 << 16 / 64]uint64 {
	var found [1 << 16 / 64]uint64
	var buffer sfnt.Buffer
	for letter := range rune(1 << 16) {
		if index, err := parsed().GlyphIndex(&buffer, letter); err == nil && index != 0 {
			found[letter/64] |= 1 << (letter % 64)
		}
	}
	return &found
})

// Lacks returns the first letter of the text that cannot be printed, and whether there is one.
func Lacks(text string) (rune, bool) {
	known := printable()
	for _, letter := range text {
		if letter >= 1<<16 || known[letter/64]&(1<<(letter%64)) == 0 {
			return letter, true
		}
	}
	return 0, false
}
