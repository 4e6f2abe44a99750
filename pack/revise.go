package pack

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"yagona/kernel/fault"
)

// lineWidth is how many characters a line has at most that is written here.
const lineWidth = 120

// The faults of files that are changed through forms.
var (
	errUnreadable = fault.New(fault.Invalid, "draft.unreadable", "This file cannot be read as YAML. Mend it as text first; its errors say where.")
	errByHand     = fault.New(fault.Invalid, "draft.by-hand", "This file is written in a way that a form cannot change without touching more. Change it as text.")
)

// revision is one file while values in it are changed. What is not changed stays as its author wrote it: comments, order,
// spacing. Only a mapping in braces is written out over lines when something in it changes.
type revision struct {
	lines    []string // without their ends
	end      string   // of a line
	root     *node
	comments map[int]int // by line, as an index: the column of its comment
}

func revise(content []byte) (*revision, error) {
	r := &revision{end: "\n"}
	if strings.Contains(string(content), "\r\n") {
		r.end = "\r\n"
	}
	r.lines = strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n"), "\n")
	return r, r.read()
}

// content returns the file.
func (r *revision) content() []byte { return []byte(strings.Join(r.lines, r.end) + r.end) }

// read reads what the lines say.
func (r *revision) read() error {
	text := strings.TrimPrefix(strings.Join(r.lines, "\n")+"\n", "\ufeff")
	c := &collector{seen: map[string]bool{}}
	if r.root = parse("", []byte(text), c); r.root == nil || len(c.problems) > 0 || r.root.kind != mapping || r.root.flow || repeats(r.root) {
		return errUnreadable
	}
	r.comments = map[int]int{}
	for _, t := range lexer.Tokenize(text) {
		if t.Type == token.CommentType {
			r.comments[t.Position.Line-1] = t.Position.Column
		}
	}
	return nil
}

// repeats reports whether a key stands twice.
func repeats(n *node) bool {
	seen := map[string]bool{}
	for _, p := range n.pairs {
		if seen[p.key.text] || repeats(p.value) {
			return true
		}
		seen[p.key.text] = true
	}
	return slices.ContainsFunc(n.items, repeats)
}

// spot is where the value of a key, or an item of a list, stands.
type spot struct {
	in       *node
	index    int
	value    *node
	from, to int // its lines, from that of its key or dash to before the next one's
}

// key returns the key, nil of an item.
func (s spot) key() *node {
	if s.in.kind == mapping {
		return s.in.pairs[s.index].key
	}
	return nil
}

// find follows the keys, and the names of a list's items, to a value. It returns how many it could follow, and the spots.
func (r *revision) find(path []string) (spots []spot) {
	n, to := r.root, len(r.lines)
	for _, step := range path {
		at := -1
		switch n.kind {
		case mapping:
			at = slices.IndexFunc(n.pairs, func(p pair) bool { return p.key.text == step })
		case sequence:
			for i, item := range n.items {
				if itemName(i, item) == step {
					at = i
					break
				}
			}
		}
		if at < 0 {
			return spots
		}
		s := spot{in: n, index: at, to: to}
		if n.kind == mapping {
			s.value, s.from = n.pairs[at].value, n.pairs[at].key.at.line-1
			if at+1 < len(n.pairs) {
				s.to = n.pairs[at+1].key.at.line - 1
			}
		} else {
			s.value, s.from = n.items[at], r.dash(n.items[at])
			if at+1 < len(n.items) {
				s.to = r.dash(n.items[at+1])
			}
		}
		spots, n, to = append(spots, s), s.value, s.to
	}
	return spots
}

// value returns the value at the path, nil if there is none.
func (r *revision) value(path ...string) *node {
	if spots := r.find(path); len(spots) == len(path) && len(path) > 0 {
		return spots[len(spots)-1].value
	}
	return nil
}

// dash returns the line of an item's dash.
func (r *revision) dash(item *node) int {
	line := item.at.line - 1
	for line > 0 && !strings.HasPrefix(strings.TrimLeft(r.lines[line], " "), "-") {
		line--
	}
	return line
}

// until returns the line after the last one of the spot: what follows it and belongs to nothing is not its.
func (r *revision) until(s spot) int {
	to := s.to
	for to > s.from+1 {
		line := strings.TrimSpace(r.lines[to-1])
		if _, comment := r.comments[to-1]; line != "" && (!comment || line[0] != '#') {
			break
		}
		to--
	}
	return to
}

// put writes a value at the path, and adds the key after another one if it is not there; after "": as the last.
func (r *revision) put(path []string, value *node, after string) error {
	spots := r.find(path)
	if len(spots) == len(path) && equal(spots[len(spots)-1].value, value) {
		return nil
	}
	return r.keeping(path, value, after, func() error {
		spots, err := r.open(path)
		if err != nil {
			return err
		}
		if len(spots) == len(path) {
			return r.replace(spots[len(spots)-1], value)
		}
		return r.insert(path[len(path)-1], value, after, spots)
	})
}

// remove takes the key at the path away. Its comments stay.
func (r *revision) remove(path ...string) error {
	if r.value(path...) == nil {
		return nil
	}
	return r.keeping(path, nil, "", func() error {
		spots, err := r.open(path)
		if err != nil {
			return err
		}
		s := spots[len(spots)-1]
		if len(s.in.pairs) == 1 && len(spots) > 1 {
			return r.replace(spots[len(spots)-2], &node{kind: mapping, flow: true})
		}
		kept := r.kept(s, strings.Repeat(" ", s.key().at.column-1), -1)
		r.lines = slices.Replace(r.lines, s.from, r.until(s), kept...)
		return r.read()
	})
}

// keeping carries out a change, and takes it back if anything else than the value at the path is different then.
func (r *revision) keeping(path []string, value *node, after string, change func() error) error {
	before := *r
	before.lines = slices.Clone(r.lines)
	wanted, ok := with(r.root, path, value, after)
	err := errByHand
	if ok {
		if failed := change(); failed == nil && equal(r.root, wanted) {
			return nil
		}
	}
	*r = before
	return err
}

// swap exchanges two keys of the mapping at the path that follow each other, with the comments above each.
func (r *revision) swap(path []string, first, second string) error {
	was := r.value(path...)
	if was == nil || was.kind != mapping {
		return errByHand
	}
	swapped := *was
	swapped.pairs = slices.Clone(was.pairs)
	at := slices.IndexFunc(swapped.pairs, func(p pair) bool { return p.key.text == first })
	if at < 0 || at+1 >= len(swapped.pairs) || swapped.pairs[at+1].key.text != second {
		return errByHand
	}
	swapped.pairs[at], swapped.pairs[at+1] = swapped.pairs[at+1], swapped.pairs[at]
	return r.keeping(path, &swapped, "", func() error {
		if _, err := r.open(append(slices.Clone(path), first)); err != nil {
			return err
		}
		span := func(name string) (from, to int) {
			spots := r.find(append(slices.Clone(path), name))
			s := spots[len(spots)-1]
			from = s.from
			for from > 0 && strings.HasPrefix(strings.TrimSpace(r.lines[from-1]), "#") {
				from--
			}
			return from, r.until(s)
		}
		above, from := span(first)
		below, to := span(second)
		if from > below {
			return errByHand
		}
		r.lines = slices.Replace(r.lines, above, to, slices.Concat(r.lines[below:to], r.lines[from:below], r.lines[above:from])...)
		return r.read()
	})
}

// open writes out what is in braces on the way to a value, and returns the spots.
func (r *revision) open(path []string) ([]spot, error) {
	for {
		spots := r.find(path)
		if len(spots) < len(path)-1 {
			return nil, errByHand
		}
		i := slices.IndexFunc(spots, func(s spot) bool { return s.value.flow })
		if i < 0 || i == len(path)-1 || len(spots[i].value.pairs)+len(spots[i].value.items) == 0 {
			return spots, nil
		}
		out := *spots[i].value
		out.flow = false
		if err := r.replace(spots[i], &out); err != nil {
			return nil, err
		}
	}
}

// replace writes another value at a spot.
func (r *revision) replace(s spot, value *node) error {
	var lines []string
	first := []rune(r.lines[s.from])
	var lead string // what stands before the key: spaces, or a dash too
	if key := s.key(); key != nil {
		lead = string(first[:key.at.column-1])
		lines = pairLines(lead, key, value)
	} else {
		lead = string(first[:strings.IndexByte(r.lines[s.from], '-')])
		lines = item(lead, value)
	}
	indent := lead[:len(lead)-len(strings.TrimLeft(lead, " "))]
	above := r.kept(s, indent, s.from)
	if column, ok := r.comments[s.from]; ok {
		comment := string(first[column-1:])
		if len(lines) == 1 || !strings.HasSuffix(lines[0], ">-") {
			space := 2
			if len(lines) == 1 {
				space = max(space, column-1-utf8.RuneCountInString(lines[0]))
			}
			lines[0] += strings.Repeat(" ", space) + comment
		} else {
			above = append(above, indent+comment)
		}
	}
	r.lines = slices.Replace(r.lines, s.from, r.until(s), append(above, lines...)...)
	return r.read()
}

// kept returns the comments inside a spot as lines of their own, but for the one of a line.
func (r *revision) kept(s spot, indent string, but int) (lines []string) {
	for i := s.from; i < r.until(s); i++ {
		if column, ok := r.comments[i]; ok && i != but {
			lines = append(lines, indent+string([]rune(r.lines[i])[column-1:]))
		}
	}
	return lines
}

// insert writes a new key into the mapping that the spots lead to.
func (r *revision) insert(name string, value *node, after string, spots []spot) error {
	in, key := r.root, &node{text: name}
	if len(spots) > 0 {
		in = spots[len(spots)-1].value
	}
	if in.kind != mapping {
		return errByHand
	}
	if len(in.pairs) == 0 {
		if len(spots) == 0 {
			return errByHand
		}
		return r.replace(spots[len(spots)-1], &node{kind: mapping, pairs: []pair{{key, value}}})
	}
	at := slices.IndexFunc(in.pairs, func(p pair) bool { return p.key.text == after })
	if at < 0 {
		at = len(in.pairs) - 1
	}
	var path []string
	for _, s := range spots {
		path = append(path, nameOf(s))
	}
	before := r.find(append(path, in.pairs[at].key.text))
	line := r.until(before[len(before)-1])
	r.lines = slices.Insert(r.lines, line, pairLines(strings.Repeat(" ", in.pairs[0].key.at.column-1), key, value)...)
	return r.read()
}

func nameOf(s spot) string {
	if key := s.key(); key != nil {
		return key.text
	}
	return itemName(s.index, s.value)
}

// with returns the tree with another value at the path, nil: without it.
func with(n *node, path []string, value *node, after string) (*node, bool) {
	if len(path) == 0 {
		return value, true
	}
	copied := *n
	copied.pairs, copied.items = slices.Clone(n.pairs), slices.Clone(n.items)
	switch n.kind {
	case mapping:
		at := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key.text == path[0] })
		switch {
		case at < 0 && len(path) > 1 || at < 0 && value == nil:
			return nil, false
		case at < 0:
			if at = slices.IndexFunc(n.pairs, func(p pair) bool { return p.key.text == after }); at < 0 {
				at = len(n.pairs) - 1
			}
			copied.pairs = slices.Insert(copied.pairs, at+1, pair{&node{text: path[0]}, value})
			return &copied, true
		}
		below, ok := with(n.pairs[at].value, path[1:], value, after)
		if below == nil {
			copied.pairs = slices.Delete(copied.pairs, at, at+1)
		} else {
			copied.pairs[at].value = below
		}
		return &copied, ok
	case sequence:
		for i, one := range n.items {
			if itemName(i, one) == path[0] && len(path) > 1 {
				below, ok := with(one, path[1:], value, after)
				copied.items[i] = below
				return &copied, ok
			}
		}
	}
	return nil, false
}

// equal reports whether two values say the same, in the same order. Runs of spaces in texts mean nothing.
func equal(a, b *node) bool {
	return a.kind == b.kind && strings.Join(strings.Fields(a.text), " ") == strings.Join(strings.Fields(b.text), " ") &&
		slices.EqualFunc(a.pairs, b.pairs, func(a, b pair) bool { return a.key.text == b.key.text && equal(a.value, b.value) }) &&
		slices.EqualFunc(a.items, b.items, equal)
}

// textNode is a text that people read, or another single value.
func textNode(text string) *node { return &node{text: text} }

// pairLines returns the lines of a key with its value, behind a lead.
func pairLines(lead string, key, value *node) []string {
	head := lead + inline(key, true) + ":"
	margin := strings.Repeat(" ", utf8.RuneCountInString(lead)+2)
	if value.kind == mapping && !value.flow || value.kind == sequence && !value.flow {
		return append([]string{head}, below(margin, value)...)
	}
	line := head + " " + inline(value, false)
	if value.kind == nothing && value.text == "" {
		return []string{head}
	}
	if utf8.RuneCountInString(line) <= lineWidth {
		return []string{line}
	}
	if value.kind == scalar && (value.style != quoted || value.at.file == nil) && !strings.Contains(value.text, "\n") && value.text == strings.Join(strings.Fields(value.text), " ") {
		return append([]string{head + " >-"}, folded(margin, value.text)...)
	}
	if value.kind == mapping && len(value.pairs) > 0 {
		return append([]string{head}, below(margin, value)...)
	}
	return []string{line}
}

// below returns the lines of a value that stands under its key.
func below(margin string, value *node) (lines []string) {
	for _, p := range value.pairs {
		lines = append(lines, pairLines(margin, p.key, p.value)...)
	}
	for _, one := range value.items {
		lines = append(lines, item(margin, one)...)
	}
	return lines
}

// item returns the lines of an item of a list.
func item(lead string, value *node) []string {
	if value.kind == mapping && !value.flow && len(value.pairs) > 0 {
		lines := below(lead+"  ", value)
		lines[0] = lead + "- " + lines[0][len(lead)+2:]
		return lines
	}
	return []string{lead + "- " + inline(value, false)}
}

// folded breaks a text into lines.
func folded(margin, text string) (lines []string) {
	line := margin
	for word := range strings.SplitSeq(text, " ") {
		if line != margin && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > lineWidth {
			lines, line = append(lines, line), margin
		}
		if line != margin {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// inline returns a value on one line; within braces and for keys fewer texts can go without quotes.
func inline(n *node, within bool) string {
	switch n.kind {
	case mapping:
		parts := make([]string, len(n.pairs))
		for i, p := range n.pairs {
			parts[i] = inline(p.key, true) + ": " + inline(p.value, true)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case sequence:
		parts := make([]string, len(n.items))
		for i, one := range n.items {
			parts[i] = inline(one, true)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case nothing:
		return n.text
	}
	if n.style == plain && (n.at.file != nil || isPlain(n.text)) && !strings.Contains(n.text, "\n") && !(within && strings.ContainsAny(n.text, ",[]{}")) {
		return n.text // as it stood, or sure to be read as it is
	}
	text := &strings.Builder{}
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(n.text) != nil {
		return n.text // a text is always encoded
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// isPlain reports whether a text needs no quotes, wherever it stands outside of braces.
func isPlain(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(first) && !strings.Contains(text, ": ") && !strings.HasSuffix(text, ":") && !strings.Contains(text, " #") &&
		strings.TrimSpace(text) == text && !strings.ContainsAny(text, "\n\t") && !strings.EqualFold(text, "null")
}
