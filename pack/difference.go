package pack

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Part is what of a pack a change is about.
type Part string

// The parts.
const (
	PartFile        Part = "file"        // a whole file
	PartText        Part = "text"        // a title, a summary: what people read
	PartQuestion    Part = "question"    // of a service's form
	PartEvidence    Part = "evidence"    // what is asked of registers, or what a register answers
	PartRule        Part = "rule"        // a requirement
	PartStep        Part = "step"        // of officials
	PartPayment     Part = "payment"     // amount, account, fund
	PartDocument    Part = "document"    // that is issued
	PartRecord      Part = "record"      // that is written into a register
	PartExample     Part = "example"     // what is expected of a case
	PartLaw         Part = "law"         // what it stands on, how it is contested
	PartParam       Part = "param"       // a legal amount, number or date
	PartAgency      Part = "agency"      // agencies, their roles, funds
	PartField       Part = "field"       // of a register
	PartTranslation Part = "translation" // of a text
	PartOther       Part = "other"
)

// Change is one thing that is different in another state of a pack.
type Change struct {
	File string
	Line int    // where it stands: in the file after, or before if it was removed
	Part Part   // what it is about
	Name string // of the part: "age", the requirement; empty where there is only one
	Key  string // inside the part: "otherwise"; empty: the whole of it
	// What it was and what it is, as a pack writes it; empty: it was not there, it is gone.
	Before, After string
}

// Difference returns by meaning what is different between two states of a pack, in the order of the files. Comments,
// spacing and the order of keys mean nothing. Of a file that cannot be read it says only that it is different.
func Difference(before, after map[string][]byte) []Change {
	names := map[string][]byte{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := before[name]
		is, has := after[name]
		d := &difference{file: name}
		switch {
		case bytes.Equal(was, is) && had == has:
			continue
		case !had:
			d.add(nil, 1, "", name)
		case !has:
			d.add(nil, 1, name, "")
		default:
			c := &collector{seen: map[string]bool{}}
			old, new := parse(name, was, c), parse(name, is, c)
			if old == nil || new == nil {
				d.add(nil, 1, name, name)
				break
			}
			d.compare(nil, old, new)
		}
		changes = append(changes, d.changes...)
	}
	return changes
}

// difference is what was found in one file.
type difference struct {
	file    string
	changes []Change
}

func (d *difference) add(path []string, line int, before, after string) {
	part, name, rest := partOf(d.file, path)
	d.changes = append(d.changes, Change{
		File: d.file, Line: line, Part: part, Name: name, Key: strings.Join(rest, " › "), Before: before, After: after,
	})
}

func (d *difference) compare(path []string, was, is *node) {
	switch {
	case was.kind == mapping && is.kind == mapping:
		for _, p := range is.pairs {
			below := append(slices.Clone(path), p.key.text)
			if old := was.find(p.key.text); old != nil {
				d.compare(below, old, p.value)
			} else {
				d.add(below, p.key.at.line, "", flow(p.value))
			}
		}
		for _, p := range was.pairs {
			if is.find(p.key.text) == nil {
				d.add(append(slices.Clone(path), p.key.text), p.key.at.line, flow(p.value), "")
			}
		}
	case was.kind == sequence && is.kind == sequence:
		d.compareLists(path, was, is)
	default:
		if before, after := flow(was), flow(is); before != after {
			d.add(path, is.at.line, before, after)
		}
	}
}

// compareLists compares lists item by item, each with the one of its name.
func (d *difference) compareLists(path []string, was, is *node) {
	old := map[string]*node{}
	for i, item := range was.items {
		old[itemName(i, item)] = item
	}
	seen := map[string]bool{}
	for i, item := range is.items {
		name := itemName(i, item)
		below := append(slices.Clone(path), name)
		if seen[name] = true; old[name] == nil {
			d.add(below, item.at.line, "", flow(item))
			continue
		}
		d.compare(below, old[name], item)
	}
	for i, item := range was.items {
		if name := itemName(i, item); !seen[name] {
			d.add(append(slices.Clone(path), name), item.at.line, flow(item), "")
		}
	}
}

// itemName returns by what an item of a list is known: its name, if it is a single value that, else its place.
func itemName(i int, item *node) string {
	for _, key := range []string{"id", "step", "name", "act"} {
		if named := item.find(key); named != nil && named.kind == scalar {
			return named.text
		}
	}
	if item.kind == scalar {
		return item.text
	}
	return fmt.Sprint(i + 1)
}

// partOf says which part of a pack the path of keys is in: the part, its name, and the keys inside it.
func partOf(file string, path []string) (part Part, name string, rest []string) {
	if len(path) == 0 {
		return PartFile, "", nil
	}
	one := func(part Part) (Part, string, []string) { return part, "", path[1:] }
	named := func(part Part) (Part, string, []string) {
		if len(path) == 1 {
			return part, "", nil
		}
		return part, path[1], path[2:]
	}
	if strings.HasPrefix(file, "locale/") {
		return named(PartTranslation)
	}
	switch path[0] {
	case "title", "summary":
		return PartText, "", path
	case "ask":
		return named(PartQuestion)
	case "evidence":
		return named(PartEvidence)
	case "require":
		return named(PartRule)
	case "process":
		return named(PartStep)
	case "examples":
		return named(PartExample)
	case "params":
		return named(PartParam)
	case "agencies", "funds":
		return named(PartAgency)
	case "fields":
		return named(PartField)
	case "legal":
		return named(PartLaw)
	case "appeal":
		return one(PartLaw)
	case "output":
		if len(path) > 1 {
			for _, part := range []Part{PartPayment, PartDocument, PartRecord} {
				if path[1] == string(part) {
					return part, "", path[2:]
				}
			}
		}
	}
	return PartOther, "", path
}

// flow returns a value on one line, as YAML's flow style has it.
func flow(n *node) string {
	switch n.kind {
	case mapping:
		parts := make([]string, len(n.pairs))
		for i, p := range n.pairs {
			parts[i] = p.key.text + ": " + flow(p.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case sequence:
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = flow(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return n.text
}
