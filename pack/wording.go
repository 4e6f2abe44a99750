package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"unicode"

	"yagona/kernel/wording"
)

// Text is one text of a pack, as a translator gets it.
type Text struct {
	Key    string // "services.tools-subsidy.title"
	Source string // in the pack's language
	Hash   string // of the source: what a translation names
}

// Hash returns what a translation of the source names: the first eight hexadecimal digits of its SHA-256.
func Hash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:4])
}

// texts are the texts of one pack while it is compiled.
type texts struct {
	c       *compiler
	s       *source
	list    []Text
	known   map[string]bool
	missing map[string][]string // by language: keys
}

func newTexts(c *compiler, s *source) *texts {
	t := &texts{c: c, s: s, known: map[string]bool{}, missing: map[string][]string{}}
	if language := s.file.Language; language.given() && len(c.profile.Languages) > 0 &&
		!slices.Contains(c.profile.Languages, language.text) {
		c.refuse(language.place(), oneOf(language.text, c.profile.Languages), "%s is no language of this country",
			language.text)
	}
	return t
}

// say returns the text in all languages. A text that was not given is nil.
func (t *texts) say(key string, given text) wording.Text {
	if !given.given() || given.text == "" {
		return nil
	}
	return t.sayWords(key, given.text)
}

// sayOr is say, with words from a name where no text was given.
func (t *texts) sayOr(key string, given text, name string) wording.Text {
	if said := t.say(key, given); said != nil {
		return said
	}
	return t.sayWords(key, wordsOf(name))
}

func (t *texts) sayWords(key, words string) wording.Text {
	if t.known[key] {
		return wording.Text{t.s.file.Language.text: words} // a name that stands twice is reported elsewhere
	}
	t.known[key] = true
	t.list = append(t.list, Text{key, words, Hash(words)})
	said := wording.Text{t.s.file.Language.text: words}
	for _, tag := range t.c.profile.Languages {
		if _, derived := t.c.profile.Derived[tag]; derived || tag == t.s.file.Language.text {
			continue
		}
		if translated, ok := t.translated(tag, key, words); ok {
			said[tag] = translated
		}
	}
	for tag, derivation := range t.c.profile.Derived {
		if from, ok := said[derivation.From]; ok && said[tag] == "" {
			said[tag] = derivation.With(from)
		}
	}
	return said
}

// translated returns the text in the language; a stale one too, because old words help more than none.
func (t *texts) translated(tag, key, words string) (string, bool) {
	if locale := t.s.locales[tag]; locale != nil {
		if one, ok := locale.doc.Texts.get(key); ok {
			if one.Source.text != Hash(words) {
				t.c.add(one.place(), t.c.mode == Drafting,
					phrase("the text of %s has changed since it was translated", key), phrase("translate it again and write source: %s", Hash(words)))
			}
			return one.Text.text, one.Text.text != ""
		}
	}
	t.missing[tag] = append(t.missing[tag], key)
	return "", false
}

// finishTexts reports what the locale lacks and what it has too much.
func (c *compiler) finishTexts(s *source) {
	t := s.texts
	s.compiled.Texts = t.list
	keys := make([]string, len(t.list))
	for i, one := range t.list {
		keys[i] = one.Key
	}
	for _, tag := range c.profile.Languages {
		if missing := t.missing[tag]; len(missing) > 0 {
			shown := strings.Join(missing[:min(3, len(missing))], ", ")
			if len(missing) > 3 {
				shown += ", …"
			}
			c.add(s.file.Title.place(), c.mode == Drafting, phrase("%d texts have no %s: %s", len(missing), tag, shown),
				phrase("add them to locale/%s.yaml", tag))
		}
	}
	for tag, locale := range s.locales {
		_, derived := c.profile.Derived[tag]
		if derived || len(c.profile.Languages) > 0 && !slices.Contains(c.profile.Languages, tag) {
			c.fail(locale.at, "remove the file", "%s is no language that is translated here", tag)
			continue
		}
		for _, one := range locale.doc.Texts.list {
			if !t.known[one.key] {
				c.add(one.at, true, phrase("there is no text %s", shorten(one.key)), oneOf(one.key, keys[:min(200, len(keys))]))
			}
		}
	}
}

// wordsOf makes words of a name: "registeredOn" and "registered-on" become "Registered on".
func wordsOf(name string) string {
	var words strings.Builder
	for i, r := range name {
		switch {
		case i == 0:
			words.WriteRune(unicode.ToUpper(r))
		case r == '-' || r == '_':
			words.WriteByte(' ')
		case unicode.IsUpper(r):
			words.WriteByte(' ')
			words.WriteRune(unicode.ToLower(r))
		default:
			words.WriteRune(r)
		}
	}
	return words.String()
}

// digest sums named parts without any two lists of parts giving the same bytes.
type digest struct{ sum hash.Hash }

func newDigest() *digest { return &digest{sha256.New()} }

func (d *digest) add(name string, data []byte) {
	fmt.Fprintf(d.sum, "%d:%s%d:", len(name), name, len(data))
	d.sum.Write(data)
}

func (d *digest) hex() string { return hex.EncodeToString(d.sum.Sum(nil)) }
