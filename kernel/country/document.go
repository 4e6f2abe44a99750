package country

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// document is a YAML file that remembers where each value stands.
type document struct {
	file string
	root ast.Node
}

// path leads to a value: keys (string) and positions (int) from the top.
type path []any

// decode reads a YAML file strictly into the value; nil after reporting what is wrong with it.
func (l *loader) decode(file string, into any) *document {
	content := l.read(file)
	if content == nil {
		return nil
	}
	parsed, err := parser.ParseBytes(content, 0)
	if err == nil && (len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil) {
		l.fail(file, 1, 1, "the file is not one YAML document; write exactly one")
		return nil
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(content, into, yaml.Strict())
	}
	if err != nil {
		l.syntax(file, err)
		return nil
	}
	return &document{file, parsed.Docs[0].Body}
}

// syntax reports an error of the YAML library.
func (l *loader) syntax(file string, err error) {
	var message string
	line, column := 1, 1
	if positioned, ok := errors.AsType[yaml.Error](err); ok {
		message = positioned.GetMessage()
		if token := positioned.GetToken(); token != nil {
			line, column = token.Position.Line, token.Position.Column
		}
	} else {
		message = err.Error()
	}
	l.fail(file, line, column, "%s; correct it", message)
}

// fail reports a fault at the value that the path leads to, or at the closest one above it that is there.
func (d *document) fail(l *loader, at path, format string, args ...any) {
	position := d.find(at).GetToken().Position
	l.fail(d.file, position.Line, position.Column, "%s", fmt.Sprintf(format, args...))
}

func (d *document) find(at path) ast.Node {
	node := d.root
	best := node
	for _, step := range at {
		node = child(node, step)
		if node == nil {
			break
		}
		best = node
	}
	// The token of a mapping is its first colon: its first key is where a reader looks.
	for {
		mapping, ok := best.(*ast.MappingNode)
		if !ok || len(mapping.Values) == 0 {
			return best
		}
		best = mapping.Values[0].Key
	}
}

func child(node ast.Node, step any) ast.Node {
	switch step := step.(type) {
	case string:
		if mapping, ok := node.(*ast.MappingNode); ok {
			for _, value := range mapping.Values {
				if value.Key.GetToken().Value == step {
					return value.Value
				}
			}
		}
	case int:
		if sequence, ok := node.(*ast.SequenceNode); ok && step < len(sequence.Values) {
			return sequence.Values[step]
		}
	}
	return nil
}
