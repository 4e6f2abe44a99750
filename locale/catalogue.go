package locale

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Entry is one message as it was written.
type Entry struct {
	Tag    Tag
	Key    string // "fault.not-found"
	Text   string
	File   string
	Line   int // from 1; 0 if it stands in no file
	Column int // in characters, from 1
	// Source is the text of the YAML line, from which the column of an error inside the message is found, or empty.
	Source string
}

func (e Entry) position() string {
	if e.Line == 0 {
		return e.File
	}
	return fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
}

// Catalogue holds compiled messages by key and language. It does not change after it was made and may be used by
// many goroutines.
type Catalogue struct {
	languages Languages
	messages  map[Tag]map[string]compiled
}

type compiled struct {
	Message
	entry   Entry
	derived bool // made by transliteration
}

var keySyntax = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*$`)

// Load reads all catalogues of a file system (use fs.Sub for a folder of a larger one). The messages of a language
// are in TAG.yaml, with their whole keys, and in TAG/AREA.yaml, where AREA is put before each key: `continue: …` in
// en/actions.yaml is "actions.continue". Nested mappings are joined with dots. A file of a language that is not
// spoken is an error. The error joins all that is wrong, each as file:line:column: what, and what to do.
func Load(files fs.FS, languages Languages) (*Catalogue, error) {
	if err := languages.Validate(); err != nil {
		return nil, err
	}
	var entries []Entry
	var problems []error
	err := fs.WalkDir(files, ".", func(name string, item fs.DirEntry, err error) error {
		if err != nil || item.IsDir() {
			return err
		}
		tag, area, ok := placeOf(name)
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%s: not a catalogue: name it TAG.yaml or TAG/AREA.yaml", name))
			return nil
		case !languages.speaks(tag):
			problems = append(problems,
				fmt.Errorf("%s: language %q is not declared: declare it or remove the file", name, tag))
			return nil
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		read, err := readFile(name, tag, area, data)
		entries = append(entries, read...)
		if err != nil {
			problems = append(problems, err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading catalogues: %w", err)
	}
	catalogue, err := Compile(languages, entries)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, err
	}
	return catalogue, nil
}

// placeOf returns the language and the area of a file's name.
func placeOf(name string) (tag Tag, area string, ok bool) {
	stem, ok := strings.CutSuffix(name, ".yaml")
	if !ok {
		return "", "", false
	}
	folder, file := path.Split(stem)
	if folder == "" {
		return Tag(file), "", true
	}
	folder = strings.TrimSuffix(folder, "/")
	return Tag(folder), file, !strings.Contains(folder, "/") && keySyntax.MatchString(file)
}

// Compile makes a catalogue of messages that stand in other files, such as the definition of a service. The messages
// of a derived language (uz-Cyrl) are made here from those of its source; one given in entries overrides.
func Compile(languages Languages, entries []Entry) (*Catalogue, error) {
	if err := languages.Validate(); err != nil {
		return nil, err
	}
	c := &Catalogue{languages: languages, messages: map[Tag]map[string]compiled{}}
	for _, tag := range languages.Tags {
		c.messages[tag] = map[string]compiled{}
	}
	var problems []error
	for _, entry := range entries {
		if err := c.add(entry); err != nil {
			problems = append(problems, err)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for _, tag := range languages.Tags {
		source, ok := tag.DerivedFrom()
		if !ok {
			continue
		}
		for key, original := range c.messages[source] {
			if _, overridden := c.messages[tag][key]; !overridden {
				message := original.mapText(func(text string) string { return ToCyrillic(source, text) })
				c.messages[tag][key] = compiled{Message: message, entry: original.entry, derived: true}
			}
		}
	}
	return c, nil
}

func (c *Catalogue) add(entry Entry) error {
	at := entry.position()
	if !keySyntax.MatchString(entry.Key) {
		return fmt.Errorf("%s: %q is not a key: use letters, digits, - and _, joined by dots", at, entry.Key)
	}
	messages, spoken := c.messages[entry.Tag]
	if !spoken {
		return fmt.Errorf("%s: language %q is not declared: declare it or remove the message", at, entry.Tag)
	}
	if other, twice := messages[entry.Key]; twice {
		return fmt.Errorf("%s: %q stands already at %s: remove one", at, entry.Key, other.entry.position())
	}
	message, err := ParseMessage(entry.Text)
	if err != nil {
		return entry.locate(err)
	}
	if entry.Tag == UzbekLatin {
		message = message.mapText(NormaliseApostrophes)
	}
	messages[entry.Key] = compiled{Message: message, entry: entry}
	return nil
}

// locate says where in the file a message cannot be read. What stands before the fault is looked for on the source
// line; if the file writes it otherwise (folded, escaped), the place in the message is told in words.
func (e Entry) locate(err error) error {
	syntax, ok := errors.AsType[*SyntaxError](err)
	if !ok {
		return fmt.Errorf("%s: %s: %w", e.position(), e.Key, err)
	}
	characters := len([]rune(e.Text[:syntax.Offset]))
	line := []rune(e.Source)
	for _, quote := range []int{0, 1} {
		start := e.Column - 1 + quote
		if start < quote || start+characters > len(line) {
			continue
		}
		quotes := start < len(line) && quote == 0 && strings.ContainsRune(`"'`, line[start])
		if !quotes && string(line[start:start+characters]) == e.Text[:syntax.Offset] {
			e.Column = start + characters + 1
			return fmt.Errorf("%s: %s: %w", e.position(), e.Key, err)
		}
	}
	return fmt.Errorf("%s: %s, character %d of the message: %w", e.position(), e.Key, characters+1, err)
}

// Merge returns one catalogue with the messages of all; a key that two define in the same language is an error. The
// languages are those of the first; what another says in a language that the first does not speak is left out.
func Merge(first *Catalogue, others ...*Catalogue) (*Catalogue, error) {
	merged := &Catalogue{languages: first.languages, messages: map[Tag]map[string]compiled{}}
	var problems []error
	for _, tag := range first.languages.Tags {
		merged.messages[tag] = maps.Clone(first.messages[tag])
		for _, other := range others {
			for _, key := range slices.Sorted(maps.Keys(other.messages[tag])) {
				message := other.messages[tag][key]
				if present, twice := merged.messages[tag][key]; !twice {
					merged.messages[tag][key] = message
				} else if !message.derived {
					problems = append(problems, fmt.Errorf("%s: %q stands already at %s: choose another key",
						message.entry.position(), key, present.entry.position()))
				}
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return merged, nil
}

// Languages returns what the catalogue speaks.
func (c *Catalogue) Languages() Languages { return c.languages }

// Keys returns all keys that any language has, sorted.
func (c *Catalogue) Keys() []string {
	keys := map[string]bool{}
	for _, messages := range c.messages {
		for key := range messages {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// Speaking returns the catalogue for an installation that speaks these languages, in this order. A language that has no
// texts here, or lacks one, gets the English text: the words of an installation's own things stand in its packs, and a
// person rather reads what is not in their language than what is not there.
func (c *Catalogue) Speaking(tags ...Tag) *Catalogue {
	spoken := Languages{Tags: slices.Clone(tags), Fallback: map[Tag][]Tag{}}
	for _, tag := range tags {
		for _, next := range c.languages.Fallback[tag] {
			if spoken.speaks(next) {
				spoken.Fallback[tag] = append(spoken.Fallback[tag], next)
			}
		}
		spoken.Fallback[tag] = append(spoken.Fallback[tag], English)
	}
	return &Catalogue{languages: spoken, messages: c.messages}
}

// Has reports whether some language in the fallback chain of the language has the key.
func (c *Catalogue) Has(tag Tag, key string) bool {
	_, _, ok := c.find(tag, key)
	return ok
}

func (c *Catalogue) find(tag Tag, key string) (Message, Tag, bool) {
	for _, next := range c.languages.chain(tag) {
		if message, ok := c.messages[next][key]; ok {
			return message.Message, next, true
		}
	}
	return Message{}, "", false
}

// Format returns the message in the language, or in the first of its fallback chain that has it. It always returns
// something to show: a key that no language of the chain has stands for itself, a missing variable as {name}; both
// are told in the error. The text is plain: whoever puts it into HTML escapes it.
func (c *Catalogue) Format(tag Tag, key string, args Args) (string, error) {
	message, found, ok := c.find(tag, key)
	if !ok {
		return key, fmt.Errorf("no message %q in %v: add it to the catalogue", key, c.languages.chain(tag))
	}
	text, err := message.Render(found, args)
	if err != nil {
		return text, fmt.Errorf("message %q in %s: %w", key, found, err)
	}
	return text, nil
}

// Text is Format for pages: what is wrong with the catalogue was found by Check, and the reader gets what there is.
func (c *Catalogue) Text(tag Tag, key string, args Args) string {
	text, _ := c.Format(tag, key, args)
	return text
}
