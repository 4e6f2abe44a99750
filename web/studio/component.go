package studio

import (
	"embed"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"yagona/locale"
	"yagona/pack"
	"yagona/web/page"
	"yagona/web/ui"
)

//go:embed templates/*.html assets/studio.js
var files embed.FS

// Templates returns the templates of the components that only the studio has, for ui.New.
func Templates() fs.FS {
	found, err := fs.Sub(files, "templates")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return found
}

// editorID is the anchor of the editor's text.
const editorID = "content"

// editor is a file's text with its lines numbered, and its problems below.
type editor struct {
	Label, Hint string
	Check       string // where a script has the text checked while it is typed
	Checking    string // what is said while it is
	Content     string
	Problems    problems
}

// Rows returns as many rows as the text has lines: the numbers beside it then stand at their lines.
func (e editor) Rows() int { return strings.Count(e.Content, "\n") + 1 }

// Retype implements ui.Retyped.
func (e editor) Retype(typed url.Values) ui.Component {
	if typed.Has(editorID) {
		e.Content = strings.ReplaceAll(typed.Get(editorID), "\r\n", "\n") // as browsers send lines
	}
	return e
}

// numbered is the number of a line, and what is wrong there.
type numbered struct {
	Number int
	Tone   ui.Tone
}

// Lines returns the numbers of the lines.
func (e editor) Lines() []numbered {
	lines := make([]numbered, e.Rows())
	for i := range lines {
		lines[i].Number = i + 1
	}
	for _, one := range e.Problems.Items {
		if at := one.Line - 1; at < len(lines) && lines[at].Tone != ui.Bad {
			lines[at].Tone = one.Tone
		}
	}
	return lines
}

// problems are what is wrong, each with its line.
type problems struct {
	Title string // how many there are, or that there are none
	Wrong bool   // one of them is more than a warning
	Items []problem
	More  *ui.Link // to those of other files
}

type problem struct {
	Where        string // "line 12, column 3", or with its file
	Href         string
	Line, Column int
	Tone         ui.Tone
	Kind         string       // an error, a warning
	Message      []pack.Piece // what is wrong
	Hint         []pack.Piece // what to do
	Before, At   string       // the line up to the place, and from there on
}

// problem shows one of the problems; the content is that of its file.
func shownProblem(r page.Reader, one pack.Problem, where, href string, content []byte) problem {
	shown := problem{
		Where: where, Href: href, Line: one.Line, Column: one.Column, Tone: ui.Bad, Kind: r.Say("studio.error"),
		Message: pack.Said(one.Message, locale.Tag(r.Language), r.Problem), Hint: pack.Said(one.Hint, locale.Tag(r.Language), r.Problem),
	}
	if one.Warning {
		shown.Tone, shown.Kind = ui.Wait, r.Say("studio.warning")
	}
	line := []rune(strings.TrimRight(sourceLine(content, one.Line), "\r"))
	at := min(one.Column-1, len(line))
	shown.Before, shown.At = string(line[max(0, at-60):at]), string(line[at:min(len(line), at+80)])
	return shown
}

// lines are two states of a file, line by line.
type lines struct {
	File  string
	Lines []changedLine
}

type changedLine struct {
	Sign  string // "+", "−" or ""
	Said  string // the same in words, for those who hear it
	Class string
	Text  string
}

// compared returns the difference of two texts by line, nil if there is none.
func compared(r page.Reader, file string, before, after []byte) []changedLine {
	var shown []changedLine
	for i, line := range strings.Split(strings.TrimSuffix(string(diff.Diff(file, before, file, after)), "\n"), "\n") {
		switch {
		case i < 3 || line == "": // the names
		case line[0] == '+':
			shown = append(shown, changedLine{"+", r.Say("studio.line-added"), "added", line[1:]})
		case line[0] == '-':
			shown = append(shown, changedLine{"−", r.Say("studio.line-removed"), "removed", line[1:]})
		case line[0] == '@':
			shown = append(shown, changedLine{"", "", "place", placeOf(r, line)})
		default:
			shown = append(shown, changedLine{"", "", "", line[1:]})
		}
	}
	return shown
}

// placeOf says where "@@ -1,3 +5,4 @@" leads: the line in the text after.
func placeOf(r page.Reader, header string) string {
	_, after, _ := strings.Cut(header, "+")
	number, _, _ := strings.Cut(strings.TrimSuffix(after, " @@"), ",")
	line, err := strconv.Atoi(number)
	if err != nil {
		return "…"
	}
	return r.Say("studio.line", "line", line)
}

// preview frames what residents will see.
type preview struct {
	Label string
	Body  []ui.Component
}

// The templates of the components.
func (editor) Template() string   { return "studio-editor" }
func (problems) Template() string { return "studio-problems" }
func (lines) Template() string    { return "studio-lines" }
func (preview) Template() string  { return "studio-preview" }
