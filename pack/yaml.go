package pack

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"yagona/kernel/wording"
)

// Limits of one file: the language has no need for more, and a reader with no limits can be made to choke.
const (
	sizeLimit  = 256 << 10 // bytes
	depthLimit = 24        // nested mappings and sequences
	tokenLimit = 30_000    // words and signs: the YAML library takes the square of a mapping's length
)

// file is one source file.
type file struct {
	name  string
	lines []string
}

func (f *file) at(line, column int) place { return place{f, line, column} }

// kind is what a node is.
type kind uint8

const (
	scalar kind = iota
	mapping
	sequence
	nothing // a key without a value
	broken  // reported already
)

var kindWords = [...]wording.Phrase{phrase("a single value"), phrase("keys with values"), phrase("a list"), phrase("nothing"), phrase("something else")}

// node is one value of a file. All scalars are text here: what they mean is said by who reads them, never guessed.
type node struct {
	at    place
	kind  kind
	text  string
	style style
	flow  bool // of keys with values, or a list: written in braces or brackets
	pairs []pair
	items []*node
}

type pair struct{ key, value *node }

// style is how a scalar is written, so that a place inside it can be found again.
type style uint8

const (
	plain style = iota
	quoted
	block
)

// parse reads a file into nodes. It returns nil if that cannot be done.
func parse(name string, data []byte, c *collector) (root *node) {
	f := &file{name: name}
	start := f.at(1, 1)
	if len(data) > sizeLimit {
		c.fail(start, "split it into several files", "the file has more than %d KiB", sizeLimit>>10)
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if line, column, found := badText(data); found {
		c.fail(f.at(line, column), "save the file as UTF-8 text", "there is a character that is no text")
		return nil
	}
	f.lines = strings.Split(string(data), "\n")
	// The YAML library is given hostile input here: should it fail in a way that it does not foresee, the file is
	// refused, and the process goes on.
	defer func() {
		if recover() != nil {
			c.fail(start, "write it more simply", "the file cannot be read as YAML")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if len(tokens) > tokenLimit {
		c.fail(start, "split it into several files", "the file has more than %d words and signs", tokenLimit)
		return nil
	}
	if at, found := tooDeep(f, tokens); found {
		c.fail(at, "the language needs no more than a few levels", "the values are nested too deeply")
		return nil
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, message, hint := start, phrase("the file cannot be read as YAML"), phrase("check indentation, quotes and brackets here and in the line above")
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			at, message = f.token(syntax.GetToken()), phrase("this is not YAML: %s", wording.English(syntax.GetMessage()))
			if strings.HasPrefix(syntax.GetMessage(), "mapping value is not allowed") {
				hint = phrase("put a text or an expression that holds a colon in quotes")
			}
		}
		c.add(at, false, message, hint)
		return nil
	}
	var bodies []ast.Node
	for _, document := range parsed.Docs {
		if document.Body != nil && document.Body.Type() != ast.CommentType {
			bodies = append(bodies, document.Body)
		}
	}
	switch len(bodies) {
	case 0:
		c.fail(start, "write the keys of the language, or remove the file", "the file is empty")
		return nil
	case 1:
		return f.convert(bodies[0], c, 0)
	}
	c.fail(f.token(bodies[1].GetToken()), "make a file of each", "there are several documents in one file")
	return nil
}

// badText returns the first place that is not text: bad UTF-8, a control character, or one that reverses what people
// read (UAX #9, explicit formatting characters).
func badText(data []byte) (line, column int, found bool) {
	line, column = 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size <= 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f ||
			r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return line, column, true
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return 0, 0, false
}

// tooDeep looks at the tokens, before the parser recurses into them: at brackets that are open, and at the columns
// where block entries start, which grow with their depth.
func tooDeep(f *file, tokens token.Tokens) (place, bool) {
	open := 0
	line, dashes := 0, 0
	var columns []int // of the blocks that are open
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			open++
		case token.MappingEndType, token.SequenceEndType:
			open--
		case token.SequenceEntryType, token.MappingValueType, token.MappingKeyType:
			if t.Position.Line != line {
				line, dashes = t.Position.Line, 0
			}
			dashes++
			indent := t.Position.Column
			for len(columns) > 0 && columns[len(columns)-1] >= indent {
				columns = columns[:len(columns)-1]
			}
			if open == 0 {
				columns = append(columns, indent)
			}
		}
		if open > depthLimit || open == 0 && dashes > depthLimit || len(columns) > 2*depthLimit {
			return f.token(t), true
		}
	}
	return place{}, false
}

func (f *file) token(t *token.Token) place {
	if t == nil || t.Position == nil {
		return f.at(1, 1)
	}
	return f.at(t.Position.Line, t.Position.Column)
}

func (f *file) convert(n ast.Node, c *collector, depth int) *node {
	at := f.token(n.GetToken())
	if depth > depthLimit {
		c.fail(at, "the language needs no more than a few levels", "the values are nested too deeply")
		return &node{at: at, kind: broken}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		converted := &node{at: at, kind: mapping, flow: n.IsFlowStyle}
		for _, value := range n.Values {
			converted.pairs = append(converted.pairs, f.pair(value, c, depth))
		}
		if len(converted.pairs) > 0 && !n.IsFlowStyle {
			converted.at = converted.pairs[0].key.at
		}
		return converted
	case *ast.MappingValueNode:
		one := f.pair(n, c, depth)
		return &node{at: one.key.at, kind: mapping, pairs: []pair{one}}
	case *ast.SequenceNode:
		converted := &node{at: at, kind: sequence, flow: n.IsFlowStyle}
		for _, value := range n.Values {
			converted.items = append(converted.items, f.convert(value, c, depth+1))
		}
		return converted
	case *ast.NullNode:
		if text := n.GetToken().Value; n.GetToken().Type == token.NullType && text != "" {
			return &node{at: at, kind: nothing, text: text}
		}
		return &node{at: at, kind: nothing}
	case *ast.LiteralNode:
		return &node{at: at, text: strings.TrimSuffix(n.Value.Value, "\n"), style: block}
	case *ast.StringNode:
		converted := &node{at: at, text: n.Value}
		if _, _, bad := badText([]byte(n.Value)); bad { // written as an escape: "\u202E"
			c.fail(at, "remove the escape", "there is a character that is no text")
		}
		if t := n.GetToken().Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
			converted.style = quoted
		}
		return converted
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &node{at: at, text: n.GetToken().Value}
	}
	c.fail(at, "write the value out where it is needed", "the language has no anchors, aliases, tags and merge keys")
	return &node{at: at, kind: broken}
}

func (f *file) pair(n *ast.MappingValueNode, c *collector, depth int) pair {
	key := f.convert(n.Key, c, depth+1)
	if key.kind == nothing && key.text != "" {
		key.kind = scalar // a key that is called null
	}
	value := f.convert(n.Value, c, depth+1)
	if value.kind == nothing && value.text == "" {
		value.at = key.at
	}
	return pair{key, value}
}

// find returns the value of a key, nil if it is not there.
func (n *node) find(key string) *node {
	if n == nil {
		return nil
	}
	for _, pair := range n.pairs {
		if pair.key.text == key {
			return pair.value
		}
	}
	return nil
}

// inside returns the place of a line and column of a scalar's text. Of a text that is folded over several lines it is
// the place of the scalar.
func (n *node) inside(line, column int) place {
	lines := n.at.file.lines
	if n.style == block {
		first := n.at.line // of the text, as an index
		for first < len(lines) && strings.TrimSpace(lines[first]) == "" {
			first++
		}
		if at := n.at.line + line; first < len(lines) && at <= len(lines) {
			indent := len(lines[first]) - len(strings.TrimLeft(lines[first], " "))
			return n.at.file.at(at, indent+column)
		}
	}
	if line > 1 || n.at.line > len(lines) {
		return n.at
	}
	if n.style == quoted {
		return n.at.file.at(n.at.line, n.at.column+1+written([]rune(lines[n.at.line-1]), n.at.column, column-1))
	}
	return n.at.file.at(n.at.line, n.at.column+column-1)
}

// written returns how many characters of the source write the first characters of a quoted text, which begins at the
// index of the line: an escape takes more than one.
func written(source []rune, start, characters int) int {
	at := start
	for range characters {
		if at+1 >= len(source) {
			break
		}
		switch {
		case source[start-1] == '\'' && source[at] == '\'':
			at += 2
		case source[start-1] == '"' && source[at] == '\\':
			at += escapeLength(source[at+1])
		default:
			at++
		}
	}
	return at - start
}

// escapeLength is how many characters an escape takes, by the one after the backslash (YAML 1.2.2, 5.7).
func escapeLength(r rune) int {
	switch r {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}

// describe returns what a node is, for messages.
func (n *node) describe() wording.Phrase {
	if n.kind == scalar {
		return phrase("%q", shorten(n.text))
	}
	return kindWords[n.kind]
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}

// jsonOf returns the node as JSON has it. What is written without quotes and looks like a number, true or false is one.
func jsonOf(n *node) any {
	switch n.kind {
	case mapping:
		object := make(map[string]any, len(n.pairs))
		for _, pair := range n.pairs {
			object[pair.key.text] = jsonOf(pair.value)
		}
		return object
	case sequence:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = jsonOf(item)
		}
		return list
	case scalar:
		if n.style == plain && (n.text == "true" || n.text == "false") {
			return n.text == "true"
		}
		if value, err := strconv.ParseInt(n.text, 10, 64); err == nil && n.style == plain && digits.MatchString(n.text) {
			return value
		}
		return n.text
	}
	return nil
}
