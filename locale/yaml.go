package locale

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const maxFile = 1 << 20 // bytes of one catalogue file

// readFile returns the messages of one file, and all that is wrong in it. Only mappings of texts are accepted: no
// anchors, aliases, tags, lists, second documents, and no number or boolean that YAML would read where a text is meant.
func readFile(name string, tag Tag, area string, data []byte) ([]Entry, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes: split it by area", name, maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("%s:%d:1: the line is not valid UTF-8: save the file as UTF-8", name, i+1)
		}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		if syntax, ok := errors.AsType[yaml.Error](err); ok && syntax.GetToken() != nil {
			return nil, fmt.Errorf("%s: %s: correct the YAML", place(name, syntax.GetToken()), syntax.GetMessage())
		}
		return nil, fmt.Errorf("%s:1:1: %w: correct the YAML", name, err)
	}
	r := &fileReader{name: name, tag: tag, lines: strings.Split(string(data), "\n")}
	documents := 0
	for _, document := range file.Docs {
		switch document.Body.(type) {
		case nil, *ast.CommentGroupNode:
			continue // an empty file, or one with comments only
		}
		if documents++; documents > 1 {
			r.problem(document.Body, "a second document: put all messages into one")
			break
		}
		r.node(area, document.Body)
	}
	return r.entries, errors.Join(r.problems...)
}

type fileReader struct {
	name     string
	tag      Tag
	lines    []string
	entries  []Entry
	problems []error
}

func place(name string, at *token.Token) string {
	return fmt.Sprintf("%s:%d:%d", name, at.Position.Line, at.Position.Column)
}

func (r *fileReader) problem(node ast.Node, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("%s: %s", place(r.name, node.GetToken()), fmt.Sprintf(format, args...)))
}

func (r *fileReader) node(key string, node ast.Node) {
	switch node := node.(type) {
	case *ast.MappingNode:
		for _, pair := range node.Values {
			r.pair(key, pair)
		}
	case *ast.MappingValueNode:
		r.pair(key, node)
	case *ast.StringNode:
		r.text(key, node, node.Value)
	case *ast.LiteralNode:
		r.text(key, node.Value, node.Value.Value)
	case *ast.NullNode:
		r.problem(node, "%s has no text: write it or remove the key", key)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		r.problem(node, "%s is not a text for YAML: put it in quotes", key)
	default:
		kind := strings.ToLower(node.Type().String())
		r.problem(node, "%s: a catalogue holds texts and mappings of texts only, not a %s", key, kind)
	}
}

func (r *fileReader) pair(prefix string, pair *ast.MappingValueNode) {
	switch pair.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode:
	default:
		r.problem(pair.Key, "a key is a name in letters, digits, - and _: %s is not", pair.Key)
		return
	}
	key := pair.Key.GetToken().Value
	if prefix != "" {
		key = prefix + "." + key
	}
	r.node(key, pair.Value)
}

func (r *fileReader) text(key string, node ast.Node, text string) {
	at := node.GetToken().Position
	if key == "" || strings.TrimSpace(text) == "" {
		r.problem(node, "%q has no text under a key: write KEY: TEXT", key)
		return
	}
	text = strings.TrimRight(text, "\n")
	entry := Entry{Tag: r.tag, Key: key, Text: text, File: r.name, Line: at.Line, Column: at.Column}
	if at.Line >= 1 && at.Line <= len(r.lines) {
		entry.Source = r.lines[at.Line-1]
	}
	r.entries = append(r.entries, entry)
}
