package pack

import (
	"reflect"
	"strings"

	"yagona/kernel/wording"
)

// entries is a mapping whose keys the author chooses, in the order of the file.
type entries[T any] struct {
	mark
	list []entry[T]
}

type entry[T any] struct {
	key   string
	at    place
	value T
}

func (e entries[T]) keys() []string {
	keys := make([]string, len(e.list))
	for i, one := range e.list {
		keys[i] = one.key
	}
	return keys
}

func (e entries[T]) get(key string) (T, bool) {
	for _, one := range e.list {
		if one.key == key {
			return one.value, true
		}
	}
	var none T
	return none, false
}

// readEntries reads the mapping, each value with read.
func (e *entries[T]) readEntries(n *node, read func(n *node, into reflect.Value)) {
	for _, pair := range n.pairs {
		one := entry[T]{key: pair.key.text, at: pair.key.at}
		read(pair.value, reflect.ValueOf(&one.value).Elem())
		e.list = append(e.list, one)
	}
}

func (*entries[T]) element() reflect.Type { return reflect.TypeFor[T]() }

// some is one value or a list of them.
type some[T any] struct {
	mark
	list []T
}

func (s *some[T]) readSome(n *node, read func(n *node, into reflect.Value)) {
	items := n.items
	if n.kind != sequence {
		items = []*node{n}
	}
	s.list = make([]T, len(items))
	for i, item := range items {
		read(item, reflect.ValueOf(&s.list[i]).Elem())
	}
}

func (*some[T]) element() reflect.Type { return reflect.TypeFor[T]() }

// What the reader and the schema ask of a type.
type (
	entriesReader interface {
		readEntries(n *node, read func(*node, reflect.Value))
		element() reflect.Type
	}
	someReader interface {
		readSome(n *node, read func(*node, reflect.Value))
		element() reflect.Type
	}
	// loner is a struct that can be written as the single value of one of its keys.
	loner interface{ lone() string }
	// marker keeps where it stands: every struct, every single value and all entries do.
	marker interface{ markAt(n *node) }
)

// key is one key of a struct of the language.
type key struct {
	name  string
	doc   string
	need  bool
	index []int
	of    reflect.Type
}

// keysOf returns the keys of a struct, those of embedded structs among them.
func keysOf(t reflect.Type) []key {
	var keys []key
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type == reflect.TypeFor[mark]() {
			continue
		}
		if f.Anonymous {
			for _, inner := range keysOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				keys = append(keys, inner)
			}
			continue
		}
		keys = append(keys, key{f.Tag.Get("key"), f.Tag.Get("doc"), f.Tag.Get("need") == "true", f.Index, f.Type})
	}
	return keys
}

// reader fills the structs of the language from nodes.
type reader struct{ c *collector }

// read fills the value from the node, and collects what does not fit.
func (r reader) read(n *node, into reflect.Value) {
	address := into.Addr().Interface()
	if m, ok := address.(marker); ok {
		m.markAt(n) // also where it cannot be read: it was given
	}
	switch n.kind {
	case broken:
		return
	case nothing:
		r.c.fail(n.at, "write one, or remove the key", "there is no value")
		return
	}
	switch v := address.(type) {
	case *anything: // read when it is used
	case reading:
		if n.kind != scalar {
			r.c.fail(n.at, "write one value", "here stands %s, where a single value belongs", n.describe())
			return
		}
		if wrong, hint := v.read(n); wrong.Format != "" {
			r.c.add(n.at, false, wrong, hint)
		}
	case entriesReader:
		if n.kind != mapping {
			r.c.fail(n.at, "write key: value", "here stands %s, where keys with values belong", n.describe())
			return
		}
		r.unique(n)
		v.readEntries(n, r.read)
	case someReader:
		v.readSome(n, r.read)
	default:
		if into.Kind() == reflect.Slice {
			r.readList(n, into)
			return
		}
		r.readStruct(n, into)
	}
}

func (r reader) readList(n *node, into reflect.Value) {
	if n.kind != sequence {
		r.c.fail(n.at, "write each item after a dash, or all of them in brackets", "here stands %s, where a list belongs",
			n.describe())
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		r.read(item, into.Index(i))
	}
}

func (r reader) readStruct(n *node, into reflect.Value) {
	keys := keysOf(into.Type())
	if l, ok := into.Interface().(loner); ok && n.kind == scalar {
		for _, k := range keys {
			if k.name == l.lone() {
				r.read(n, into.FieldByIndex(k.index))
			}
		}
		return
	}
	if n.kind != mapping {
		r.c.refuse(n.at, phrase("write %s", keyList(keys)), "here stands %s, where keys with values belong", n.describe())
		return
	}
	r.unique(n)
	for _, pair := range n.pairs {
		known := false
		for _, k := range keys {
			if k.name == pair.key.text {
				known = true
				r.read(pair.value, into.FieldByIndex(k.index))
			}
		}
		if !known {
			names := make([]string, len(keys))
			for i, k := range keys {
				names[i] = k.name
			}
			r.c.refuse(pair.key.at, oneOf(pair.key.text, names), "there is no key %s here", shorten(pair.key.text))
		}
	}
	for _, k := range keys {
		if k.need && n.find(k.name) == nil {
			r.c.refuse(n.at, phrase("add it: %s", firstSentence(k.doc)), "the key %s is missing", k.name)
		}
	}
}

func keyList(keys []key) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
}

// firstSentence returns how the reference of a key begins.
func firstSentence(doc string) wording.Phrase {
	first, _, _ := strings.Cut(doc, ". ")
	return wording.Phrase{Format: strings.TrimSuffix(strings.ToLower(first[:1])+first[1:], ".")}
}

// unique refuses a key that stands twice.
func (r reader) unique(n *node) {
	seen := make(map[string]bool, len(n.pairs))
	for _, pair := range n.pairs {
		if pair.key.kind != scalar {
			if pair.key.kind != broken {
				r.c.fail(pair.key.at, "write a word before the colon", "a key is a single word")
			}
			continue
		}
		if seen[pair.key.text] {
			r.c.fail(pair.key.at, "keep one of them", "the key %s stands twice", shorten(pair.key.text))
		}
		seen[pair.key.text] = true
	}
}

// What the version's hash asks of a type: the pairs of entries in their order, and the single value that stands for a
// struct or a scalar.

func (e entries[T]) ordered() []entryValue {
	list := make([]entryValue, len(e.list))
	for i, one := range e.list {
		list[i] = entryValue{one.key, reflect.ValueOf(one.value)}
	}
	return list
}

func (s some[T]) ordered() []entryValue {
	list := make([]entryValue, len(s.list))
	for i, one := range s.list {
		list[i] = entryValue{"", reflect.ValueOf(one)}
	}
	return list
}

type entryValue struct {
	key   string
	value reflect.Value
}

type orderer interface{ ordered() []entryValue }
