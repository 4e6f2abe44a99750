package pack

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"yagona/kernel/fault"
	"yagona/kernel/wording"
	"yagona/locale"
)

// phrase says something. The format is a constant: its translations stand in messages.
func phrase(format string, args ...any) wording.Phrase { return wording.Say(format, args...) }

// refusal is a fault as a part of a sentence.
type refusal struct{ fault *fault.Fault }

func (r refusal) String() string { return strings.TrimSuffix(r.fault.Message, ".") }

// Piece is a part of a phrase in a language.
type Piece struct {
	Text    string
	English bool // it is English, because nobody has said it in the language
}

// What stands between them is English.
const (
	englishBegins = '\u0002'
	englishEnds   = '\u0003'
)

// Said says a phrase of a Problem in a language, of which refused gives the words of a fault. What has no translation is
// a piece of its own, in English.
func Said(p wording.Phrase, tag locale.Tag, refused func(*fault.Fault) string) []Piece {
	var pieces []Piece
	var text strings.Builder
	foreign := false
	flush := func() {
		if text.Len() > 0 {
			pieces = append(pieces, Piece{text.String(), foreign && tag != locale.English})
			text.Reset()
		}
	}
	for _, r := range said(p, tag, refused) {
		switch r {
		case englishBegins, englishEnds:
			flush()
			foreign = r == englishBegins
		default:
			text.WriteRune(r)
		}
	}
	flush()
	return pieces
}

func said(p wording.Phrase, tag locale.Tag, refused func(*fault.Fault) string) string {
	format := p.Format
	if translated, ok := translations()[tag][format]; ok {
		format = translated
	} else if tag != locale.English && hasWords(format) {
		return string(englishBegins) + p.String() + string(englishEnds)
	}
	args := make([]any, len(p.Args))
	for i, arg := range p.Args {
		switch arg := arg.(type) {
		case wording.Phrase:
			args[i] = said(arg, tag, refused)
		case wording.English:
			args[i] = string(englishBegins) + string(arg) + string(englishEnds)
		case refusal:
			args[i] = strings.TrimSuffix(refused(arg.fault), ".")
		default:
			args[i] = arg
		}
	}
	return wording.Phrase{Format: format, Args: args}.String()
}

var verbs = regexp.MustCompile(`%(\[[0-9]+\])?[a-z]`)

// hasWords reports whether there is something to translate besides the arguments.
func hasWords(format string) bool {
	return strings.ContainsFunc(verbs.ReplaceAllString(format, ""), func(r rune) bool { return r >= 'a' && r <= 'z' })
}

//go:embed messages
var messages embed.FS

// translations are the phrases in the languages other than English, by language and English format. They are part of
// the program: one that cannot be read is a mistake of ours.
var translations = sync.OnceValue(func() map[locale.Tag]map[string]string {
	read := map[locale.Tag]map[string]string{}
	files, _ := messages.ReadDir("messages")
	for _, entry := range files {
		data, _ := messages.ReadFile(path.Join("messages", entry.Name()))
		translated, err := readTranslations(entry.Name(), data)
		if err != nil {
			panic(err.Error())
		}
		read[locale.Tag(strings.TrimSuffix(entry.Name(), ".yaml"))] = translated
	}
	for _, tag := range locale.Known() {
		from, derived := tag.DerivedFrom()
		if !derived {
			continue
		}
		read[tag] = map[string]string{}
		for format, said := range read[from] {
			read[tag][format] = derive(from, said)
		}
	}
	for _, said := range read {
		for format := range maps.Clone(said) {
			said[format] = strings.ReplaceAll(said[format], "`", "")
		}
	}
	return read
})

// derive writes a translation in Cyrillic. Verbs stay, and what stands in backquotes: words of the language.
func derive(from locale.Tag, said string) string {
	parts := strings.Split(said, "`")
	for i := 0; i < len(parts); i += 2 {
		written := locale.ToCyrillic(from, verbs.ReplaceAllString(parts[i], "`${0}`"))
		parts[i] = strings.ReplaceAll(written, "`", "")
	}
	return strings.Join(parts, "")
}

// readTranslations reads a file of translations: each key is an English format, each value says the same with the same
// verbs.
func readTranslations(name string, data []byte) (map[string]string, error) {
	c := &collector{seen: map[string]bool{}}
	said := map[string]string{}
	root := parse(name, data, c)
	if root != nil {
		reader{c}.unique(root)
		for _, pair := range root.pairs {
			if pair.value.kind != scalar || !slices.Equal(verbsOf(pair.key.text), verbsOf(pair.value.text)) {
				return nil, fmt.Errorf("%s:%d: a translation is a text with the verbs of the English one: those that change places have numbers, %%[2]s",
					name, pair.key.at.line)
			}
			said[pair.key.text] = pair.value.text
		}
	}
	if len(c.problems) > 0 {
		return nil, c.sorted()
	}
	return said, nil
}

// verbsOf returns each verb with the number of its argument, in the order of the arguments.
func verbsOf(format string) []string {
	found := verbs.FindAllString(format, -1)
	for i, verb := range found {
		if !strings.Contains(verb, "[") {
			found[i] = fmt.Sprintf("%%[%d]%s", i+1, verb[1:])
		}
	}
	slices.Sort(found)
	return found
}
