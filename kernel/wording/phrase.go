package wording

import "fmt"

// Phrase is something that the program says of what somebody wrote, as a whole sentence or a part of one. It is written
// in English where it is said; by that its translations are found (pack.Said).
type Phrase struct {
	Format string // as of fmt
	// Args are names and values as they were written, which no language changes, and what is said itself: a Phrase,
	// English.
	Args []any
}

// English is text that comes from a library, which knows no other language.
type English string

// Say says something. The format is a constant.
func Say(format string, args ...any) Phrase { return Phrase{format, args} }

// Verbatim says what is no words of ours: a name, a value, English.
func Verbatim(words any) Phrase { return Phrase{"%s", []any{words}} }

// String returns the phrase in English.
func (p Phrase) String() string {
	if len(p.Args) == 0 {
		return p.Format
	}
	return fmt.Sprintf(p.Format, p.Args...)
}
