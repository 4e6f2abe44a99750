// Package country is an invented second country: the Lakeland of the tests. Its weekend is Friday and Saturday, its
// money has three minor digits, its identifiers have letters, it has two levels of territory and writes one language
// from right to left. What works there knows nothing of the first country.
//
// It owns the files of its profile and of its only pack, and hands them out; it has no logic. No such country exists.
package country

import (
	"embed"
	"io/fs"

	"yagona/pack"
)

//go:embed profile harbour
var files embed.FS

// Files returns the folder of the invented country's profile, as country.Load reads it.
func Files() fs.FS { return folder("profile") }

// Pack returns the pack of its port.
func Pack() pack.Source { return pack.Source{Dir: "harbour", FS: folder("harbour")} }

func folder(name string) fs.FS {
	found, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the folder is embedded: only a misspelt name gets here
	}
	return found
}
