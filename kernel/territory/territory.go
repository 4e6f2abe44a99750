// Package territory owns the country's tree of territories: which lies in which, and what they are called.
//
// It hands the tree to whoever must know whether an official's territory holds a resident's, which level stands above,
// or what to print. Codes, levels and names are data of the country profile.
//
// Invariants: a tree never changes after New, so it may be shared; there is one root, which holds everything; a
// territory's level is below its parent's, so there are no cycles. Contains and Lookup take the same time in a tree of
// ten and of ten thousand.
package territory

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"yagona/kernel/ident"
)

// Level is one kind of territory, as the country declares it.
type Level struct {
	Name  string            // as packs name it: "mahalla"
	Names map[string]string // as people read it: language tag to words
}

// Territory is one node of the tree.
type Territory struct {
	Code         ident.Territory
	Parent       ident.Territory // empty for the root
	Level        string
	Names        map[string]string // language tag to name
	Illustrative bool              // invented for a demonstration: no such place is known
}

// Error says which territory of the list that New was given is wrong, and why.
type Error struct {
	Index   int // into the list; -1 if the fault is in the levels or the whole
	Problem string
}

// Error returns the problem and what to do.
func (e *Error) Error() string { return e.Problem }

// Tree is all territories of a country.
type Tree struct {
	levels []Level
	rank   map[string]int // level's name to its depth in levels
	index  map[ident.Territory]int
	nodes  []node // in depth-first order: what a node holds follows it directly
}

type node struct {
	Territory
	parent int // index into nodes, -1 for the root
	end    int // index after the last node that this one holds
}

// New builds the tree from the levels, highest first, and the territories in any order. Children keep the order in
// which they stand in the list. The error is an *Error.
func New(levels []Level, territories []Territory) (*Tree, error) {
	t := &Tree{
		rank:  make(map[string]int, len(levels)),
		index: make(map[ident.Territory]int, len(territories)),
		nodes: make([]node, 0, len(territories)),
	}
	for i, level := range levels {
		if _, found := t.rank[level.Name]; found || !ident.IsName(level.Name) {
			return nil, wrong(-1,
				"the level %q stands twice or is no name; give each level a name of its own", level.Name)
		}
		t.rank[level.Name] = i
		t.levels = append(t.levels, Level{level.Name, maps.Clone(level.Names)})
	}
	position := make(map[ident.Territory]int, len(territories))
	for i, territory := range territories {
		if territory.Code == "" {
			return nil, wrong(i, "the territory has no code; write its code")
		}
		if first, found := position[territory.Code]; found {
			return nil, wrong(i, "the code %s is already that of territory %d of the list; write each once",
				territory.Code, first+1)
		}
		if _, found := t.rank[territory.Level]; !found {
			return nil, wrong(i, "the level %q is not declared; use one of the declared levels", territory.Level)
		}
		position[territory.Code] = i
	}
	children := make(map[ident.Territory][]int, len(territories))
	root := -1
	for i, territory := range territories {
		if territory.Parent == "" {
			if root >= 0 {
				return nil, wrong(i, "the territory has no parent, but %s is the root already; name its parent",
					territories[root].Code)
			}
			root = i
			continue
		}
		parent, found := position[territory.Parent]
		if !found {
			return nil, wrong(i, "the parent %s is not in the list; add it or name another", territory.Parent)
		}
		if t.rank[territory.Level] <= t.rank[territories[parent].Level] {
			return nil, wrong(i, "a %s cannot lie in a %s; name a parent of a higher level",
				territory.Level, territories[parent].Level)
		}
		children[territory.Parent] = append(children[territory.Parent], i)
	}
	if root < 0 {
		return nil, wrong(-1, "no territory is without a parent; add the one that holds all others")
	}
	t.place(territories, children, root, -1)
	return t, nil
}

// place appends territory i and all that it holds. It is as deep as there are levels.
func (t *Tree) place(territories []Territory, children map[ident.Territory][]int, i, parent int) {
	territory := territories[i]
	territory.Names = maps.Clone(territory.Names)
	self := len(t.nodes)
	t.index[territory.Code] = self
	t.nodes = append(t.nodes, node{Territory: territory, parent: parent})
	for _, child := range children[territory.Code] {
		t.place(territories, children, child, self)
	}
	t.nodes[self].end = len(t.nodes)
}

func wrong(index int, format string, args ...any) *Error {
	return &Error{Index: index, Problem: fmt.Sprintf(format, args...)}
}

// Len returns the number of territories.
func (t *Tree) Len() int { return len(t.nodes) }

// Root returns the code of the territory that holds all others.
func (t *Tree) Root() ident.Territory { return t.nodes[0].Code }

// Levels returns the names of the levels, highest first.
func (t *Tree) Levels() []string {
	names := make([]string, len(t.levels))
	for i, level := range t.levels {
		names[i] = level.Name
	}
	return names
}

// LevelName returns what a level is called in the first of the languages that has a word for it, else its name in
// packs.
func (t *Tree) LevelName(level string, languages ...string) string {
	if rank, found := t.rank[level]; found {
		for _, language := range languages {
			if words := t.levels[rank].Names[language]; words != "" {
				return words
			}
		}
	}
	return level
}

// Lookup returns the territory with the code, and false if there is none. Its names are the caller's own copy.
func (t *Tree) Lookup(code ident.Territory) (Territory, bool) {
	i, found := t.index[code]
	if !found {
		return Territory{}, false
	}
	territory := t.nodes[i].Territory
	territory.Names = maps.Clone(territory.Names)
	return territory, true
}

// Has reports whether there is a territory with the code.
func (t *Tree) Has(code ident.Territory) bool { _, found := t.index[code]; return found }

// Level returns the level of the territory, "" if there is none with the code.
func (t *Tree) Level(code ident.Territory) string {
	if i, found := t.index[code]; found {
		return t.nodes[i].Territory.Level
	}
	return ""
}

// Name returns what the territory is called in the first of the languages that has a name for it, else its code.
func (t *Tree) Name(code ident.Territory, languages ...string) string {
	if i, found := t.index[code]; found {
		for _, language := range languages {
			if name := t.nodes[i].Names[language]; name != "" {
				return name
			}
		}
	}
	return string(code)
}

// Contains reports whether the descendant is the ancestor or lies in it. An unknown code contains nothing and lies in
// nothing.
func (t *Tree) Contains(ancestor, descendant ident.Territory) bool {
	a, foundA := t.index[ancestor]
	d, foundD := t.index[descendant]
	return foundA && foundD && a <= d && d < t.nodes[a].end
}

// Parent returns the territory directly above, "" for the root and for an unknown code.
func (t *Tree) Parent(code ident.Territory) ident.Territory {
	if i, found := t.index[code]; found {
		return t.nodes[i].Territory.Parent
	}
	return ""
}

// Path returns the codes from the root to the territory, both included; nil for an unknown code.
func (t *Tree) Path(code ident.Territory) []ident.Territory {
	i, found := t.index[code]
	if !found {
		return nil
	}
	var path []ident.Territory
	for ; i >= 0; i = t.nodes[i].parent {
		path = append(path, t.nodes[i].Code)
	}
	slices.Reverse(path)
	return path
}

// At returns the territory of the level that holds the given one or is it, and false if no such level stands on its
// path: the district of a mahalla, the region of a district.
func (t *Tree) At(code ident.Territory, level string) (ident.Territory, bool) {
	i, found := t.index[code]
	for ; found && i >= 0; i = t.nodes[i].parent {
		if t.nodes[i].Territory.Level == level {
			return t.nodes[i].Code, true
		}
	}
	return "", false
}

// Children returns the codes of the territories directly below, in the order of the list.
func (t *Tree) Children(code ident.Territory) []ident.Territory {
	var children []ident.Territory
	if i, found := t.index[code]; found {
		for child := i + 1; child < t.nodes[i].end; child = t.nodes[child].end {
			children = append(children, t.nodes[child].Code)
		}
	}
	return children
}

// Within yields the territory and all that it holds, each before what it holds itself: all mahallas of a district are
// those of Within(district) whose Level is "mahalla". It yields nothing for an unknown code.
func (t *Tree) Within(code ident.Territory) iter.Seq[ident.Territory] {
	return func(yield func(ident.Territory) bool) {
		i, found := t.index[code]
		if !found {
			return
		}
		for _, node := range t.nodes[i:t.nodes[i].end] {
			if !yield(node.Code) {
				return
			}
		}
	}
}
