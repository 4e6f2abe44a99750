// Package document owns issued documents: what a document says, the proof that it was issued, how it looks on paper,
// and whether it still counts. Anyone can verify a document offline, with two files that the installation publishes.
//
// Three things are made of one Content, in this order:
//
//   - the content as JSON: the words in the reader's language and in the language that counts. Its SHA-256 binds it to
//     everything below. It is stored sealed under the subject's key.
//   - the payload: the text of the QR code, "YAG1:" and a signed token (package std/cwt) in base45. It states who issued
//     what and when, until when it counts, the few facts that a checker must see, and the digest of the content.
//   - the file: a PDF whose pages are drawn from content and payload alone (the same input gives the same bytes), with
//     both attached, and a seal: a second token that covers every other byte of the file.
//
// The payload is made once, before the act that issues the document, and stored with it. The file is drawn and sealed
// whenever somebody fetches it, so that a newer way to draw never spoils an older file: every file ever handed out
// carries its own seal.
//
// # What verification finds out, and what it cannot
//
// From a file: any changed, added or missing byte is found, wherever it is; so is content that belongs to another
// document, and a file that another program saved anew (it has no seal then; its QR code still verifies). From a QR
// code: any change of what the QR code says. From paper alone nobody can tell whether the words printed around a genuine
// QR code are the issued ones: the checker compares them with the facts that the QR code states. A copy of a genuine
// document is genuine: whether the bearer is its subject shows in the facts, never in the proof. A revocation is found
// by those whose revocation list is newer than it; a result says when the list is stale or absent. A key that was stolen
// can sign anything until it stands as withdrawn in the verifier's key set: then nothing that it ever signed counts.
//
// Invariants: a document is never changed after issue, only revoked, once, with a reason; what the QR code says and what
// the revocation list says tells no internal identifier of a person.
package document

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"yagona/kernel/document/font"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// Limits of a content.
const (
	maxLines   = 200     // of one text, and of its reasons and legal basis each
	maxLetters = 10_000  // of a label, a value, a reason, an act, or how to contest, in characters
	maxHeading = 240     // of every other word or passage, in characters
	maxLink    = 160     // in characters
	maxSize    = 1 << 20 // of the whole in JSON, in bytes
	// MaxFacts is how many lines of a text may be shown to checkers by the QR code.
	MaxFacts = 6
)

// Content is what a document says. Times are UTC in whole seconds.
type Content struct {
	ID      ident.Document `json:"id"`
	Type    string         `json:"type"` // "subsidy-decision"
	Service ident.Service  `json:"service"`
	Agency  ident.Agency   `json:"agency"` // who issues it
	Node    string         `json:"node"`   // the installation that issues it on the agency's behalf: its host name
	Issued  time.Time      `json:"issued"`
	From    time.Time      `json:"from,omitzero"`  // counts from; zero: from issue
	Until   time.Time      `json:"until,omitzero"` // the first second at which it no longer counts; zero: counts forever
	// Authoritative is the language of the text that counts where texts differ.
	Authoritative string `json:"authoritative"`
	Texts         []Text `json:"texts"` // in the reader's language first; one is in the authoritative language
	Link          string `json:"link"`  // the page that tells whether the document counts
}

// Text is the words of a document in one language. All texts of a content have equally many lines, reasons and acts.
type Text struct {
	Language string   `json:"language"` // BCP 47: "uz-Latn"
	Agency   string   `json:"agency"`   // the issuer's name
	Title    string   `json:"title"`
	Issued   string   `json:"issued"`          // the date of issue as it is printed
	Until    string   `json:"until,omitempty"` // the last day on which it counts, as it is printed
	Lines    []Line   `json:"lines"`
	Reasons  []string `json:"reasons,omitempty"` // why it was decided so
	Basis    []string `json:"basis,omitempty"`   // the acts of law that it stands on
	Contest  string   `json:"contest,omitempty"` // how to contest it
	Headings Headings `json:"headings"`
}

// Line is one fact that a document states.
type Line struct {
	Label string `json:"label"`
	Value string `json:"value"`
	// Checked marks what whoever checks the document must see: the QR code states it, in the authoritative language.
	Checked bool `json:"checked,omitempty"`
}

// Headings are the fixed words of a document in one language.
type Headings struct {
	Number        string `json:"number"`        // above the document's id
	Issued        string `json:"issued"`        // above the date of issue
	Until         string `json:"until"`         // above the last day on which it counts
	Reasons       string `json:"reasons"`       // above the reasons
	Basis         string `json:"basis"`         // above the acts of law
	Contest       string `json:"contest"`       // above how to contest it
	Check         string `json:"check"`         // beside the QR code: how to check the document
	Authoritative string `json:"authoritative"` // above the text that counts, if another is shown first
}

// Text returns the text in the language, and whether there is one.
func (c Content) Text(language string) (Text, bool) {
	for _, text := range c.Texts {
		if text.Language == language {
			return text, true
		}
	}
	return Text{}, false
}

// State is what a document is worth.
type State string

// The states. The issuer knows the first five of a document of its own; verification may find any.
const (
	Valid       State = "valid"         // issued, unchanged, counts now
	NotYetValid State = "not-yet-valid" // genuine, but its time has not come
	Expired     State = "expired"       // genuine, but its time is over
	Revoked     State = "revoked"       // genuine, but its issuer took it back
	Suspended   State = "suspended"     // genuine, but the licence that it documents does not count for now
	UnknownKey  State = "unknown-key"   // signed by no key that the key set vouches for: worth nothing
	Tampered    State = "tampered"      // not what was issued: worth nothing
	Unreadable  State = "unreadable"    // not a document of this kind, or damaged: nothing can be said
)

// stateAt returns the state of a genuine document at a time; a revocation outweighs the rest.
func stateAt(from, until time.Time, revoked, suspended bool, now time.Time) State {
	switch {
	case suspended:
		return Suspended
	case revoked:
		return Revoked
	case !until.IsZero() && !now.Before(until):
		return Expired
	case now.Before(from):
		return NotYetValid
	}
	return Valid
}

// encode checks a content and returns it as JSON, the bytes whose digest the payload states.
func (c Content) encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // people read the attached file
	encoder.SetIndent("", " ")
	if err := encoder.Encode(c); err != nil {
		return nil, err
	}
	if out.Len() > maxSize {
		return nil, fault.Newf(fault.TooLarge, "document.too-large",
			"The document's content takes more than %d bytes. Shorten its texts.", maxSize).With("max", strconv.Itoa(maxSize))
	}
	return []byte(out.String()), nil
}

// decodeContent reads what encode made.
func decodeContent(encoded []byte) (Content, error) {
	var content Content
	if err := json.Unmarshal(encoded, &content); err != nil {
		return Content{}, fault.New(fault.Invalid, "document.content", "The document's content cannot be read.").Because(err)
	}
	return content, nil
}

// compose returns the content with every text in Unicode's composed form, the only one that can be printed.
func (c Content) compose() Content {
	texts := make([]Text, len(c.Texts))
	for i, text := range c.Texts {
		text.Lines = append([]Line(nil), text.Lines...)
		text.Reasons = append([]string(nil), text.Reasons...)
		text.Basis = append([]string(nil), text.Basis...)
		text.words(func(_ string, word *string) { *word = norm.NFC.String(*word) })
		texts[i] = text
	}
	c.Texts = texts
	return c
}

// words calls a function with each word or passage of the text and its path.
func (t *Text) words(visit func(path string, word *string)) {
	h := &t.Headings
	for _, field := range []struct {
		path string
		word *string
	}{
		{"agency", &t.Agency},
		{"title", &t.Title},
		{"issued", &t.Issued},
		{"until", &t.Until},
		{"contest", &t.Contest},
		{"headings.number", &h.Number},
		{"headings.issued", &h.Issued},
		{"headings.until", &h.Until},
		{"headings.reasons", &h.Reasons},
		{"headings.basis", &h.Basis},
		{"headings.contest", &h.Contest},
		{"headings.check", &h.Check},
		{"headings.authoritative", &h.Authoritative},
	} {
		visit(field.path, field.word)
	}
	for i := range t.Lines {
		visit("lines.label", &t.Lines[i].Label)
		visit("lines.value", &t.Lines[i].Value)
	}
	for i := range t.Reasons {
		visit("reasons", &t.Reasons[i])
	}
	for i := range t.Basis {
		visit("basis", &t.Basis[i])
	}
}

// check refuses a content that cannot be signed or printed as it is meant.
func (c Content) check() error {
	if _, err := ident.Parse[ident.Document](string(c.ID)); err != nil {
		return err
	}
	switch {
	case !ident.IsName(c.Type):
		return wrong("type", "The type of a document is lower-case words joined by hyphens, for example subsidy-decision.")
	case !ident.IsPath(string(c.Service)):
		return wrong("service", "A service is named by its pack, a slash and its name.")
	case !ident.IsName(string(c.Agency)):
		return wrong("agency", "An agency is named by lower-case words joined by hyphens.")
	case !isNode(c.Node):
		return wrong("node", "The name of an installation is a host name, for example yagona.example.")
	case !isLink(c.Link):
		return wrong("link", "The link to the page that checks the document begins with https://, has no spaces and is short.")
	case !isWholeSecond(c.Issued) || !isWholeSecond(c.From) || !isWholeSecond(c.Until) || c.Issued.IsZero():
		return wrong("issued", "The times of a document are whole seconds in UTC.")
	case !c.Until.IsZero() && (!c.Until.After(c.Issued) || !c.Until.After(c.From)):
		return wrong("until", "A document must end after it begins. Correct how long it counts.")
	}
	authoritative, ok := c.Text(c.Authoritative)
	if !ok {
		return wrong("texts", "The text in the authoritative language is missing. Add it.")
	}
	if len(facts(authoritative)) > MaxFacts {
		return fault.Newf(fault.Invalid, "document.too-many-facts",
			"A QR code has room for %d checked lines. Mark fewer lines as checked.", MaxFacts).At("lines")
	}
	seen := map[string]bool{}
	for _, text := range c.Texts {
		if err := text.check(); err != nil {
			return err
		}
		if seen[text.Language] {
			return wrong("texts", "A document has one text in each language. Remove the second one.")
		}
		seen[text.Language] = true
		if len(text.Lines) != len(authoritative.Lines) || len(text.Reasons) != len(authoritative.Reasons) ||
			len(text.Basis) != len(authoritative.Basis) || (text.Contest == "") != (authoritative.Contest == "") {
			return wrong("texts", "Each text of a document has as many lines, reasons and acts. Complete the translation.")
		}
	}
	return nil
}

func (t Text) check() error {
	if tag, err := language.Parse(t.Language); err != nil || tag.String() != t.Language {
		return wrong("texts.language", "A language is named by its BCP 47 tag, for example uz-Latn.")
	}
	for _, needed := range []string{t.Agency, t.Title, t.Issued, t.Headings.Number, t.Headings.Issued, t.Headings.Check} {
		if strings.TrimSpace(needed) != "" {
			continue
		}
		return wrong("texts", "A document needs the agency's name, a title, a date of issue and its headings in every language.")
	}
	if len(t.Lines) > maxLines || len(t.Reasons) > maxLines || len(t.Basis) > maxLines {
		return fault.Newf(fault.TooLarge, "document.too-many-lines", "A document has at most %d lines. Remove some.", maxLines).
			At("lines").With("max", strconv.Itoa(maxLines))
	}
	var found error
	t.words(func(path string, word *string) {
		if found == nil {
			found = checkWord(path, *word)
		}
	})
	return found
}

func checkWord(path, word string) error {
	if !utf8.ValidString(word) {
		return wrong(path, "The text is not valid UTF-8.")
	}
	most := maxHeading
	switch path {
	case "lines.label", "lines.value", "reasons", "basis", "contest":
		most = maxLetters
	}
	if utf8.RuneCountInString(word) > most {
		return fault.Newf(fault.TooLarge, "document.too-long",
			"This text of a document has at most %d characters. Shorten it.", most).At(path).With("max", strconv.Itoa(most))
	}
	if letter, lacks := font.Lacks(strings.ReplaceAll(word, "\n", "")); lacks {
		return fault.Newf(fault.Invalid, "document.unprintable",
			"The character U+%04X cannot be printed. Write the text in Latin or Cyrillic letters.", letter).
			At(path).With("character", fmt.Sprintf("U+%04X", letter))
	}
	return nil
}

func wrong(field, message string) error {
	return fault.New(fault.Invalid, "document.invalid", message).At(field)
}

// isNode reports whether the name is a host name, as it stands behind the @ of an issuer.
func isNode(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	return true
}

// isLink reports whether the text is a web address that can be printed and typed.
func isLink(text string) bool {
	return len(text) <= maxLink && (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")) &&
		!strings.ContainsFunc(text, func(r rune) bool {
			return r > unicode.MaxASCII || r <= ' ' || strings.ContainsRune("\"<>\\^`{}|()", r)
		})
}

func isWholeSecond(at time.Time) bool { return at.Nanosecond() == 0 && at.Location() == time.UTC }
