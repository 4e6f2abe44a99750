package ui_test

import (
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"yagona/locale"
)

// What a browser is told of the letters in each font file is what the file was made with.
func TestFontsHoldWhatTheStyleSays(t *testing.T) {
	script, err := os.ReadFile("assets/font/subset.sh")
	if err != nil {
		t.Fatal(err)
	}
	style, err := os.ReadFile("assets/house.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"latin", "cyrillic"} {
		made := regexp.MustCompile(`(?m)^` + part + `='([^']+)'`).FindSubmatch(script)
		said := regexp.MustCompile(`noto-sans-`+part+`-[47]00\.woff2.*unicode-range: ([^;]+);`).FindAllSubmatch(style, -1)
		if made == nil || len(said) != 2 {
			t.Fatalf("%s: %d of 2 faces", part, len(said))
		}
		for _, one := range said {
			if string(one[1]) != string(made[1]) {
				t.Errorf("%s: the style says %s, the file was made with %s", part, one[1], made[1])
			}
		}
	}
}

// Every letter of every text is in a font of the house: no word changes its face midway.
func TestFontsHaveTheLettersOfAllTexts(t *testing.T) {
	style, err := os.ReadFile("assets/house.css")
	if err != nil {
		t.Fatal(err)
	}
	var ranges [][2]rune
	for _, found := range regexp.MustCompile(`U\+([0-9A-F]+)(?:-([0-9A-F]+))?`).FindAllStringSubmatch(string(style), -1) {
		first, _ := strconv.ParseInt(found[1], 16, 32)
		last := first
		if found[2] != "" {
			last, _ = strconv.ParseInt(found[2], 16, 32)
		}
		ranges = append(ranges, [2]rune{rune(first), rune(last)})
	}
	has := func(letter rune) bool {
		for _, one := range ranges {
			if letter >= one[0] && letter <= one[1] {
				return true
			}
		}
		return false
	}
	const alphabets = "ʻʼ‘’ ҚқҒғҲҳЎўЁё ӘәҢңҮүӨө ǴǵŃńÁáIıÓóÚú №«»—–…"
	for _, letter := range alphabets {
		if !has(letter) {
			t.Errorf("no font has %q", letter)
		}
	}
	catalogue := words(t)
	for _, tag := range catalogue.Languages().Tags {
		for _, key := range catalogue.Keys() {
			for _, letter := range catalogue.Text(tag, key, locale.Args{}) {
				if letter >= ' ' && !has(letter) {
					t.Errorf("%s of %s has %q, which no font has", key, tag, letter)
				}
			}
		}
	}
}

func TestFontsAreSmallFilesOfOurOwn(t *testing.T) {
	serving := router(t)
	_, root := get(t, serving, "/ui", "en")
	href, _ := attribute(find(root, "link[rel=stylesheet]")[0], "href")
	w := httptest.NewRecorder()
	serving.ServeHTTP(w, httptest.NewRequest("GET", href, nil))
	fonts := regexp.MustCompile(`url\((/ui/[^)]+\.woff2)\)`).FindAllStringSubmatch(w.Body.String(), -1)
	if len(fonts) != 4 || strings.Count(w.Body.String(), "font-display: swap") != 4 {
		t.Fatalf("%d fonts", len(fonts))
	}
	for _, font := range fonts {
		w := httptest.NewRecorder()
		serving.ServeHTTP(w, httptest.NewRequest("GET", font[1], nil))
		if w.Code != 200 || w.Header().Get("Content-Type") != "font/woff2" || w.Body.Len() > 12<<10 {
			t.Errorf("%s: %d, %d bytes of %s", font[1], w.Code, w.Body.Len(), w.Header().Get("Content-Type"))
		}
	}
}
