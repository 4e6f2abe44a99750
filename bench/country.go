package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing/fstest"

	"yagona/kernel/country"
	"yagona/kernel/ident"
)

// peopled returns the country's profile with so many mahallas at least: those that its files name, and invented ones,
// spread evenly over the territories in which a mahalla can lie. The demonstration fills the seven posts of each.
func peopled(files fs.FS, mahallas int) (fs.FS, error) {
	profile, err := country.Load(files)
	if err != nil {
		return nil, err
	}
	tree := profile.Territories
	levels := tree.Levels()
	lowest, above := levels[len(levels)-1], levels[len(levels)-2]
	var parents []ident.Territory
	there := map[ident.Territory]int{}
	count := 0
	for code := range tree.Within(tree.Root()) {
		switch tree.Level(code) {
		case above:
			parents = append(parents, code)
		case lowest:
			there[tree.Parent(code)]++
			count++
		}
	}
	if count >= mahallas {
		return files, nil
	}
	const file = "mahallas.csv"
	stored, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, err
	}
	header, _, _ := bytes.Cut(stored, []byte("\n"))
	languages := strings.Count(string(header), ",") - 4 // after the authoritative one
	added := bytes.NewBuffer(stored)
	for i := 0; count < mahallas; i++ {
		parent := parents[i%len(parents)]
		there[parent]++
		count++
		fmt.Fprintf(added, "%s-%03d,%s,%s,illustrative,Namuna mahalla %d%s\n", parent, there[parent], parent, lowest, count, strings.Repeat(",", languages))
	}
	return overlay{files, fstest.MapFS{file: {Data: added.Bytes()}}}, nil
}

// overlay has the files of upper in front of those of FS.
type overlay struct {
	fs.FS
	upper fstest.MapFS
}

func (o overlay) Open(name string) (fs.File, error) {
	file, err := o.upper.Open(name)
	if os.IsNotExist(err) {
		return o.FS.Open(name)
	}
	return file, err
}
