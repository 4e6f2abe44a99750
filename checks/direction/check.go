// Package direction holds the code to the direction of its imports and to the few rules of the whole tree that no
// compiler checks. The rules stand in this file, once; the tests read the real tree, and hold the checker itself to
// planted violations.
//
// The direction (may be imported by): std, locale → kernel → pack → packs; kernel → store, channel; kernel, pack → web;
// everything → cmd. Inside the kernel a package imports only those listed before it.
package direction

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path that all packages of the product begin with.
const Module = "yagona"

// Kernel lists the packages of the kernel: each may import those before it, and none after it.
var Kernel = []string{
	"fault", "ident", "act", "money", "calendar", "territory", "country", "wording", "rules", "field", "signature", "seal", "journal",
	"transparency", "job", "person", "passkey", "access", "session", "register", "exchange", "service", "document", "ledger", "notice", "queue", "correction", "representation", "offer",
	"casework", "archive", "publication", "erasure", "indicator", "simulation", "practice",
}

// Layers says for each top folder which others it may import. A folder always may import its own packages, but for the
// exceptions in reason: the kernel's order, and std, locale and packs, whose members do not know each other.
var Layers = map[string][]string{
	"std":     {},
	"locale":  {},
	"kernel":  {"std", "locale"},
	"pack":    {"std", "locale", "kernel"},
	"packs":   {"std", "locale", "kernel", "pack"},
	"store":   {"std", "locale", "kernel"},
	"channel": {"std", "locale", "kernel"},
	"web":     {"std", "locale", "kernel", "pack"},
	"node":    {"std", "locale", "kernel", "pack", "packs", "store", "channel", "web"},
	"cmd":     {"std", "locale", "kernel", "pack", "packs", "store", "channel", "web", "node"},
	"checks":  {"std", "locale", "kernel", "pack", "packs", "store", "channel", "web", "node", "cmd"},
	"docs":    {"kernel"}, // the tests of pages that are made from the source
	"bench":   {"std", "locale", "kernel", "pack", "packs", "store", "channel", "web", "node", "cmd"},
}

// ForTests says what the test files of every layer may import besides: an embedded store that opens in milliseconds,
// its conformance suite, and the folder of keys that stands beside it. Pages may be tested with the packs that are shipped.
func ForTests(layer, imported string) bool {
	for _, allowed := range []string{"store/sqlite", "store/query", "store/storetest", "store/keyfile"} {
		if within(imported, allowed) && layer != "std" && layer != "locale" {
			return true
		}
	}
	return layer == "web" && within(imported, "packs")
}

// Foreign lists packages outside the tree that a layer must not import, with the reason.
var Foreign = map[string]map[string]string{
	"kernel":  {"database/sql": "SQL belongs to store", "html/template": "pages belong to web"},
	"pack":    {"database/sql": "SQL belongs to store", "net/http": "HTTP belongs to web"},
	"packs":   {"database/sql": "SQL belongs to store"},
	"web":     {"database/sql": "SQL belongs to store"},
	"channel": {"database/sql": "SQL belongs to store"},
}

// Package is one package of the import graph, with paths as `go list` gives them.
type Package struct {
	ImportPath   string
	Imports      []string
	TestImports  []string // of its _test files in the same package
	XTestImports []string // of its _test files in an external test package
}

// Violations returns one sentence for each import that goes against the direction, in the order of the packages.
func Violations(packages []Package) []string {
	var found []string
	for _, p := range packages {
		importer, ok := inside(p.ImportPath)
		if !ok {
			continue
		}
		if reason := misplaced(importer); reason != "" {
			found = append(found, fmt.Sprintf("%s: %s", importer, reason))
			continue
		}
		for _, imported := range p.Imports {
			if reason := reason(importer, imported); reason != "" {
				found = append(found, fmt.Sprintf("%s imports %s: %s", importer, imported, reason))
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			name, ok := inside(imported)
			if !ok || ForTests(top(importer), name) {
				continue
			}
			if reason := reason(importer, imported); reason != "" {
				found = append(found, fmt.Sprintf("a test of %s imports %s: %s", importer, imported, reason))
			}
		}
	}
	return found
}

// misplaced says why a package must not be where it is, or "".
func misplaced(name string) string {
	if _, ok := Layers[top(name)]; !ok {
		return "no layer has this folder; add it to Layers with what it may import"
	}
	if top(name) == "kernel" && !slices.Contains(Kernel, second(name)) {
		return "the kernel's order does not have it; add it to Kernel at its place"
	}
	return ""
}

// reason says why the importer, named without the module, must not import the path, or "".
func reason(importer, path string) string {
	layer := top(importer)
	imported, ok := inside(path)
	if !ok {
		return Foreign[layer][path]
	}
	other := top(imported)
	if layer != other {
		if !slices.Contains(Layers[layer], other) {
			return layer + " must not import " + other
		}
		return ""
	}
	same := second(importer) == second(imported)
	switch layer {
	case "kernel":
		if slices.Index(Kernel, second(imported)) > slices.Index(Kernel, second(importer)) {
			return "it stands later in the kernel's order"
		}
	case "std":
		if !same {
			return "a standard imports nothing in-tree"
		}
	case "packs":
		// The folder itself embeds all packs and lists those that have Go; a pack knows no other pack.
		if importer != "packs" && !same {
			return "a pack never imports another pack; it names the other's register"
		}
	case "cmd":
		return "commands do not know each other"
	}
	return ""
}

// inside returns the path without the module, and whether it is in the module at all.
func inside(path string) (string, bool) {
	if path == Module {
		return ".", true
	}
	return strings.CutPrefix(path, Module+"/")
}

func top(name string) string { layer, _, _ := strings.Cut(name, "/"); return layer }

func second(name string) string {
	_, rest, _ := strings.Cut(name, "/")
	return top(rest)
}

func within(name, folder string) bool { return name == folder || strings.HasPrefix(name, folder+"/") }
