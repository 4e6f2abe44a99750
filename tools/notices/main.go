// Command notices writes THIRD_PARTY_NOTICES.md: every module that the product links, with its version, the kind of its
// licence and the licence's text.
//
//	go -C tools run ./notices ..
//
// It fails on a module without a licence file and on a licence that is not in the list of those that may be linked, so
// that nobody adds one unseen. Files of other people that the repository carries itself (fonts, scripts) are found by
// the licence file that lies beside them.
package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The Go distribution's own licence: some packages of Go do not ship the file.
//
//go:embed go.licence
var distribution embed.FS

// systems are the operating systems that the product is built for; a module linked on one of them is listed.
var systems = []string{"linux", "darwin", "windows"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: notices ROOT")
		os.Exit(2)
	}
	text, err := Notices(os.Args[1])
	if err == nil {
		err = os.WriteFile(filepath.Join(os.Args[1], "THIRD_PARTY_NOTICES.md"), text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

// part is one thing of other people that the product contains.
type part struct {
	name, version, licence string
	texts                  []string
}

// Notices returns the content of THIRD_PARTY_NOTICES.md for the repository at root.
func Notices(root string) ([]byte, error) {
	modules, err := linked(root)
	if err != nil {
		return nil, err
	}
	own, err := distribution.ReadFile("go.licence")
	if err != nil {
		return nil, err
	}
	parts := []part{{"Go standard library", "", "BSD-3-Clause", []string{string(own)}}}
	for _, m := range modules {
		p := part{name: m.Path, version: m.Version}
		if p.licence, p.texts, err = licences(m.Dir); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		parts = append(parts, p)
	}
	carried, err := carried(root)
	if err != nil {
		return nil, err
	}
	return page(append(parts, carried...)), nil
}

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// linked returns the modules of the packages that the product's commands are built from, by path.
func linked(root string) ([]module, error) {
	found := map[string]module{}
	for _, system := range systems {
		list := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/...")
		list.Dir = root
		list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		list.Env = append(list.Env, "GOFLAGS=") // the caller's flags belong to another module
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", system, err)
		}
		for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct{ Module *module }
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				found[p.Module.Path] = *p.Module
			}
		}
	}
	var modules []module
	for _, m := range found {
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|ofl)([-.].*)?$`)

// isLicence reports whether an entry of a folder is a licence or a notice file. "licence" and "notice" are also nouns of this
// project, in whose folders lie Go and YAML.
func isLicence(entry fs.DirEntry) bool {
	extension := filepath.Ext(entry.Name())
	return !entry.IsDir() && licenceFile.MatchString(entry.Name()) && extension != ".go" && extension != ".yaml"
}

// licences returns the kind of a folder's licence, and the texts of all its licence and notice files.
func licences(dir string) (kind string, texts []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, err
	}
	var kinds []string
	for _, e := range entries {
		if !isLicence(e) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", nil, err
		}
		texts = append(texts, string(text))
		if strings.HasPrefix(strings.ToLower(e.Name()), "notice") {
			continue
		}
		// A file that collects the licences of what a module itself took over names several; its text is kept whole.
		if k := Classify(string(text)); k != "" && !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	if len(texts) == 0 {
		return "", nil, errors.New("it has no licence file, so it may not be linked")
	}
	if len(kinds) == 0 {
		return "", nil, errors.New("its licence is none of those that may be linked; read it, then add it to Classify")
	}
	slices.Sort(kinds)
	return strings.Join(kinds, " AND "), texts, nil
}

var space = regexp.MustCompile(`\s+`)

// Classify returns the SPDX identifier of a licence that may be linked, or "".
func Classify(text string) string {
	t := strings.ToLower(space.ReplaceAllString(text, " "))
	has := func(s string) bool { return strings.Contains(t, s) }
	switch {
	case has("mozilla public license version 2.0"): // it names the GNU licences as those it goes with
		return "MPL-2.0"
	case has("gnu general public") || has("gnu affero") || has("gnu lesser") || has("business source license"):
		return ""
	case has("apache license version 2.0"):
		return "Apache-2.0"
	case has("sil open font license version 1.1"):
		return "OFL-1.1"
	case has("permission is hereby granted, free of charge"):
		return "MIT"
	case has("permission to use, copy, modify, and/or distribute this software"),
		has("permission to use, copy, modify, and distribute this software"):
		return "ISC"
	case has("redistribution and use in source and binary forms"):
		if has("neither the name") || has("names of its contributors may") || has("may be used to endorse") {
			return "BSD-3-Clause"
		}
		return "BSD-2-Clause"
	}
	return ""
}

// carried returns what the repository itself carries of other people: each folder with a licence file of its own.
func carried(root string) ([]part, error) {
	var parts []part
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." {
			return err
		}
		if name := entry.Name(); strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || rel == "tools" {
			return fs.SkipDir
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
			return isLicence(e) && !strings.HasPrefix(strings.ToLower(e.Name()), "notice")
		}) {
			return nil
		}
		p := part{name: filepath.ToSlash(rel), version: "in this repository"}
		if p.licence, p.texts, err = licences(path); err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		parts = append(parts, p)
		return nil
	})
	return parts, err
}

// page lays the parts out: a table, then the texts.
func page(parts []part) []byte {
	var b bytes.Buffer
	b.WriteString("# Third-party notices\n\n" +
		"What the binary contains of other people. Written by `go -C tools run ./notices ..`; do not edit.\n\n" +
		"| Name | Version | Licence |\n| --- | --- | --- |\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.name, p.version, p.licence)
	}
	for _, p := range parts {
		fmt.Fprintf(&b, "\n## %s\n", strings.TrimSpace(p.name+" "+p.version))
		for _, text := range p.texts {
			text = strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n")
			fmt.Fprintf(&b, "\n````text\n%s\n````\n", text)
		}
	}
	return b.Bytes()
}
