package document

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/boombuler/barcode/qr"

	"yagona/kernel/fault"
)

// alphabets are the languages that must print, in words with every letter that is not in the English or the Russian
// alphabet.
var alphabets = map[string]string{
	"uz-Latn":  "Oʻzbekiston gʻoʻza maʼmuriyat shahar choʻqqi",
	"uz-Cyrl":  "Ўзбекистон ғўза қишлоқ ҳокимият маъмурият",
	"kaa-Latn": "Qaraqalpaqstan ǵárezsizlik ınta kúni óner úlken jańa Í í",
	"kaa-Cyrl": "Қарақалпақстан ғәрезсизлик әдет жаңа өнер үлкен ў ҳәким",
	"ru":       "Объявление подъезд ёлка шёлк щука экран",
	"en":       "The quick brown fox jumps over the lazy dog",
}

// inAlphabet is the example with an alphabet in each kind of text.
func inAlphabet(language string) Content {
	text := exampleLatin()
	text.Language, text.Title = language, alphabets[language]
	text.Lines[0] = Line{Label: "A1 " + alphabets[language], Value: "B2 " + alphabets[language], Checked: true}
	text.Reasons[0] = "C3 " + alphabets[language]
	content := exampleContent(text)
	content.Authoritative = language
	return content
}

func TestTheSameInputGivesTheSameBytes(t *testing.T) {
	_, payload := examplePayload(t, exampleContent())
	want, err := Render(exampleContent(), payload)
	if err != nil {
		t.Fatal(err)
	}
	var drawing sync.WaitGroup
	for range 4 {
		drawing.Go(func() {
			for range 3 {
				got, err := Render(exampleContent(), payload)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("drawn again it differs (%v)", err)
				}
			}
		})
	}
	drawing.Wait()
	if !bytes.Equal(exampleFile(t, exampleContent()), exampleFile(t, exampleContent())) {
		t.Error("sealed again at the same time it differs")
	}
	other := exampleContent()
	other.Texts[0].Lines[0].Value = "Another"
	if got, err := Render(other, payload); err != nil || bytes.Equal(got, want) {
		t.Errorf("another content gives the same bytes (%v)", err)
	}
}

func TestUsualContentTakesOnePage(t *testing.T) {
	_, payload := examplePayload(t, exampleContent())
	layout, err := plan(exampleContent(), payload)
	if err != nil {
		t.Fatal(err)
	}
	if len(layout.pages) != 1 {
		t.Errorf("a decision in two languages takes %d pages", len(layout.pages))
	}
}

// longContent is a document of several pages, with a word wider than a line.
func longContent() Content {
	text := exampleLatin()
	word := 0
	words := func(n int) string {
		var out []string
		for range n {
			word++
			out = append(out, fmt.Sprintf("soʻz%d", word))
		}
		return strings.Join(out, " ")
	}
	text.Title = words(25)
	for range 12 {
		text.Lines = append(text.Lines, Line{Label: words(12), Value: words(60)})
	}
	text.Lines = append(text.Lines, Line{Label: words(200), Value: words(500)}) // taller than a page has room for
	text.Lines = append(text.Lines, Line{Label: strings.Repeat("Ж", 300), Value: strings.Repeat("W", 600)})
	text.Reasons = append(text.Reasons, words(800), words(3)+"\n\n"+words(3))
	text.Contest = words(400)
	other := exampleRussian()
	other.Lines, other.Reasons = text.Lines, text.Reasons
	return exampleContent(other, text)
}

// Nothing is set outside of the margins, over the QR code, or over another line in the same column.
func TestLongContentWrapsAndPaginates(t *testing.T) {
	content := longContent()
	_, payload := examplePayload(t, content)
	layout, err := plan(content, payload)
	if err != nil {
		t.Fatal(err)
	}
	if len(layout.pages) < 4 {
		t.Errorf("%d pages are too few", len(layout.pages))
	}
	for number, page := range layout.pages {
		baselines := map[string]float64{} // of the last line at each x
		for _, mark := range page {
			besideCode := number == 0 && mark.y > codeTop-7
			right := mark.x + mark.width
			bottom := mark.y + mark.height
			if mark.text != "" {
				right, bottom = mark.x+layout.width(mark.text, mark.style), mark.y
			}
			if mark.x < marginSide-0.01 || right > sheetWidth-marginSide+0.01 || mark.y < marginTop-0.01 || bottom > footerTop {
				t.Errorf("page %d: %+v leaves the margins", number+1, mark)
			}
			if number == 0 && !besideCode && bottom > codeTop-8 {
				t.Errorf("page 1: %+v runs into the QR code", mark)
			}
			if mark.text == "" || besideCode {
				continue
			}
			column := fmt.Sprint(mark.x)
			if last, ok := baselines[column]; ok && mark.y < last+mark.style.leading*0.9 {
				t.Errorf("page %d: %q is set over the line before", number+1, mark.text)
			}
			baselines[column] = mark.y
		}
	}
}

func TestWrapLosesNoLetter(t *testing.T) {
	layout, err := plan(exampleContent(), Prefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"one two", "", strings.Repeat("щ", 500), "a " + strings.Repeat("W", 99) + " b", "first\nsecond", " spaced  out ",
		"1\u00a0500\u00a0000 soʻm", alphabets["kaa-Cyrl"],
	} {
		lines := layout.wrap(text, 100, styleText)
		for _, line := range lines {
			if width := layout.width(line, styleText); width > 100 {
				t.Errorf("%q is %.1f wide", line, width)
			}
		}
		squeeze := func(text string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(text) }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(text) {
			t.Errorf("%q became %q", text, lines)
		}
	}
	if lines := layout.wrap("first\nsecond", 400, styleText); len(lines) != 2 {
		t.Errorf("a line break became %q", lines)
	}
	if lines := layout.wrap("1\u00a0500\u00a0000 soʻm", 60, styleText); lines[0] != "1\u00a0500\u00a0000" {
		t.Errorf("an amount was broken: %q", lines)
	}
}

// fullContent is the most that a QR code must state: noise, which does not compress.
func fullContent() Content {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("абвгдеёжзийклмнопрстуфхцчшщъыьэюяўқғҳәңөүАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЎҚҒҲ ")
	noise := func(n int) string {
		out := make([]rune, n)
		for i := range out {
			out[i] = letters[random.IntN(len(letters))]
		}
		return string(out)
	}
	most := exampleContent(exampleLatin())
	most.Texts[0].Title, most.Texts[0].Lines = noise(200), nil
	for range MaxFacts {
		most.Texts[0].Lines = append(most.Texts[0].Lines, Line{Label: noise(100), Value: noise(200), Checked: true})
	}
	return most
}

// The payload is measured for usual content and for the most that a content may hold.
func TestSizeOfTheCode(t *testing.T) {
	bare := exampleContent(exampleLatin())
	bare.Texts[0].Title, bare.Texts[0].Lines, bare.Until = "A", nil, bare.Issued.AddDate(1, 0, 0)
	for _, test := range []struct {
		name    string
		content Content
		version int // at most
	}{
		{"without facts", bare, 11},
		{"usual, Uzbek in Latin", exampleContent(), 15},
		{"usual, Cyrillic", func() Content { c := exampleContent(); c.Authoritative = "ru"; return c }(), 16},
		{"as much as may be, in noise", fullContent(), 25},
	} {
		_, payload := examplePayload(t, test.content)
		drawn, err := newCode(payload)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		version := (drawn.size - 17) / 4
		module := codeSize / float64(drawn.size+2*quietModules) / 72 * 25.4
		level := "M"
		if m, err := qr.Encode(payload, qr.M, qr.AlphaNumeric); err != nil || m.Bounds().Dx() != drawn.size {
			level = "L"
		}
		t.Logf("%s: %d characters, QR version %d-%s, %.2f mm a module", test.name, len(payload), version, level, module)
		if version > test.version {
			t.Errorf("%s: QR version %d is over %d", test.name, version, test.version)
		}
		if module < 0.33 { // what a phone still resolves at arm's length
			t.Errorf("%s: a module of %.2f mm is too small", test.name, module)
		}
	}
}

func TestFactsAreCutForTheCodeOnly(t *testing.T) {
	content := exampleContent(exampleLatin())
	content.Texts[0].Lines[0].Value = strings.Repeat("ў", 61)
	content.Texts[0].Lines[3].Value = strings.Repeat("ў", 60)
	_, payload := examplePayload(t, content)
	result := Verify([]byte(payload), newKeyring().keySet(), exampleList(), exampleIssued)
	if result.Claims == nil {
		t.Fatalf("%+v", result)
	}
	if got := result.Claims.Facts[0].Value; got != strings.Repeat("ў", 59)+"…" {
		t.Errorf("61 letters became %q", got)
	}
	if got := result.Claims.Facts[1].Value; got != strings.Repeat("ў", 60) {
		t.Errorf("60 letters became %q", got)
	}
}

func TestAPayloadThatNoCodeHolds(t *testing.T) {
	if _, err := newCode(strings.Repeat("A", mostPayload)); err != nil {
		t.Errorf("a payload of the greatest length is not drawn: %v", err)
	}
	if _, err := newCode(strings.Repeat("A", mostPayload+1)); fault.Code(err) != "document.too-many-facts" {
		t.Errorf("got %v", err)
	}
	if _, err := newCode("small letters"); fault.Code(err) != "document.too-many-facts" {
		t.Errorf("got %v", err)
	}
}

// Other programs read what was drawn: the text in every alphabet, the QR code from a picture of the page, the attached
// files, the structure of the file.

// outside runs a program on a file; ./test quick leaves it out, otherwise it must be there.
func outside(t *testing.T, name string, args ...string) string {
	t.Helper()
	if os.Getenv("YAGONA_TEST") == "quick" {
		t.Skipf("left out in quick mode: needs %s", name)
	}
	var complaints bytes.Buffer
	command := exec.Command(name, args...)
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s (poppler-utils and zbar-tools must be installed)", name, err, &complaints)
	}
	if strings.Contains(complaints.String(), "Syntax") {
		t.Errorf("%s complains: %s", name, &complaints)
	}
	return string(out)
}

func written(t *testing.T, content Content) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "document.pdf")
	if err := os.WriteFile(path, exampleFile(t, content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryAlphabetIsReadBack(t *testing.T) {
	for language := range alphabets {
		t.Run(language, func(t *testing.T) {
			text := strings.Join(strings.Fields(outside(t, "pdftotext", "-raw", written(t, inAlphabet(language)), "-")), " ")
			for _, want := range []string{alphabets[language], "A1 " + alphabets[language], "B2 " + alphabets[language], "C3 " + alphabets[language]} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
		})
	}
}

func TestEveryWordOfALongDocumentIsReadBack(t *testing.T) {
	content := longContent()
	path := written(t, content)
	text := outside(t, "pdftotext", "-raw", path, "-")
	seen := map[string]int{}
	for _, word := range strings.Fields(text) {
		seen[strings.TrimSuffix(word, ":")]++
	}
	for _, line := range content.Texts[1].Lines[6:19] {
		for _, word := range strings.Fields(line.Label + " " + line.Value) {
			if seen[word] != 2 { // in each of the two texts
				t.Errorf("%s is there %d times", word, seen[word])
			}
		}
	}
	pages := strings.Count(text, "\f")
	if last := fmt.Sprintf("%d / %d", pages, pages); !strings.Contains(text, last) {
		t.Errorf("the last page does not say %q", last)
	}
}

func TestTheCodeIsReadBackFromThePage(t *testing.T) {
	for name, content := range map[string]Content{"usual": exampleContent(), "long": longContent(), "full": fullContent()} {
		t.Run(name, func(t *testing.T) {
			_, payload := examplePayload(t, content)
			path := written(t, content)
			picture := strings.TrimSuffix(path, ".pdf")
			outside(t, "pdftoppm", "-r", "200", "-f", "1", "-l", "1", "-singlefile", "-png", path, picture)
			scanned := strings.TrimSuffix(outside(t, "zbarimg", "--quiet", "--raw", picture+".png"), "\n")
			if scanned != payload {
				t.Errorf("scanned %q, want %q", scanned, payload)
			}
			if result := Verify([]byte(scanned), newKeyring().keySet(), exampleList(), exampleIssued); result.State != Valid {
				t.Errorf("what was scanned: %+v", result)
			}
		})
	}
}

func TestAttachedFilesAreReadBack(t *testing.T) {
	content := exampleContent()
	encoded, payload := examplePayload(t, content)
	path := written(t, content)
	folder := filepath.Dir(path)
	outside(t, "pdfdetach", "-saveall", "-o", folder, path)
	for name, want := range map[string]string{"document.json": string(encoded), "verify.txt": payload} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	info := outside(t, "pdfinfo", path)
	for _, want := range []string{content.Texts[0].Title, content.Texts[0].Agency, "A4", "2026 "} {
		if !strings.Contains(info, want) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, info)
		}
	}
	fonts := outside(t, "pdffonts", path)
	for _, line := range strings.Split(strings.TrimSpace(fonts), "\n")[2:] {
		if fields := strings.Fields(line); fields[len(fields)-5] != "yes" {
			t.Errorf("a font is not embedded: %s", line)
		}
	}
}

func BenchmarkFile(b *testing.B) {
	encoded, payload := examplePayload(b, exampleContent())
	for b.Loop() {
		if _, err := sealFile(b.Context(), newKeyring(), encoded, payload, exampleIssued); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyPayload(b *testing.B) {
	_, payload := examplePayload(b, exampleContent())
	keys, list := newKeyring().keySet(), exampleList()
	for b.Loop() {
		if Verify([]byte(payload), keys, list, exampleIssued).State != Valid {
			b.Fatal("not valid")
		}
	}
}
