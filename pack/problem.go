package pack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"yagona/kernel/rules"
	"yagona/kernel/wording"
)

// Problem is one thing that is wrong in a file. Line and column count from 1; the column counts characters.
type Problem struct {
	File         string
	Line, Column int
	Message      wording.Phrase // what is wrong
	Hint         wording.Phrase // what to do
	Warning      bool           // it does not keep the pack from being used
}

// String returns "file:line:column: what is wrong: what to do".
func (p Problem) String() string {
	kind := ""
	if p.Warning {
		kind = "warning: "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s: %s", p.File, p.Line, p.Column, kind, p.Message, p.Hint)
}

// Problems is everything that is wrong, in the order of the files.
type Problems []Problem

// Error returns the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Failed reports whether any of them is more than a warning.
func (p Problems) Failed() bool {
	return slices.ContainsFunc(p, func(problem Problem) bool { return !problem.Warning })
}

// problemLimit is how many problems are collected: nobody reads more, and a hostile file could make millions.
const problemLimit = 500

// place is where something stands in a file.
type place struct {
	file         *file
	line, column int
}

// collector collects problems.
type collector struct {
	problems Problems
	seen     map[string]bool // by what it says in English
	current  place           // of the file that is looked at: what is missing in it has no place of its own
}

func (c *collector) add(at place, warning bool, message, hint wording.Phrase) {
	if at.file == nil {
		at = c.current
	}
	problem := Problem{at.file.name, max(1, at.line), max(1, at.column), message, hint, warning}
	if said := problem.String(); len(c.problems) < problemLimit && !c.seen[said] {
		c.seen[said] = true
		c.problems = append(c.problems, problem)
	}
}

// fail collects an error. The hint says what to do, always the same; refuse takes one that names something.
func (c *collector) fail(at place, hint, format string, args ...any) {
	c.refuse(at, phrase(hint), format, args...)
}

// refuse collects an error.
func (c *collector) refuse(at place, hint wording.Phrase, format string, args ...any) {
	c.add(at, false, phrase(format, args...), hint)
}

func (c *collector) sorted() Problems {
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.problems
}

// oneOf returns a hint that names the nearest candidate, or all if none is near.
func oneOf(name string, candidates []string) wording.Phrase {
	if near, ok := rules.Nearest(name, candidates); ok {
		return phrase("did you mean %s?", near)
	}
	switch len(candidates) {
	case 0:
		return phrase("there is none to choose yet: declare it first")
	case 1:
		return phrase("write %s", candidates[0])
	}
	return phrase("use one of %s", strings.Join(candidates, ", "))
}
