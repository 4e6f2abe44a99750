// Package packs owns the country that is shipped: its profile and its packs, one folder per domain, as data. It embeds
// them, and hands the packs to package pack and the profile to whoever runs the platform.
//
// The agencies, registers and services are a demonstration; what stands on a real act says which, and README.md names the
// sources. A pack is YAML alone: a folder is added to the list below, and nothing else in Go knows it.
//
// Invariants: the packs pass the checker as a release; what is embedded never changes.
package packs

import (
	"embed"
	"io/fs"

	"yagona/kernel/country"
	"yagona/pack"
	"yagona/packs/uz"
)

// names are the packs, in the order in which they are shown.
var names = [...]string{
	"finance", "civil", "interior", "employment", "social", "youth", "women", "mahalla", "tax", "land", "housing", "education",
}

//go:embed finance civil interior employment social youth women mahalla tax land housing education
var files embed.FS

// All returns the packs that are shipped, as pack.Load takes them.
func All() []pack.Source {
	sources := make([]pack.Source, len(names))
	for i, name := range names {
		folder, err := fs.Sub(files, name)
		if err != nil {
			panic(err) // the name of a folder above is malformed, and every test would say so
		}
		sources[i] = pack.Source{Dir: "packs/" + name, FS: folder}
	}
	return sources
}

// Country returns the folder of the country profile that is shipped, as country.Load takes it: Uzbekistan's.
func Country() fs.FS { return uz.Files }

// Profile returns that country profile. An error says what is wrong in its files.
func Profile() (*country.Profile, error) { return country.Load(Country()) }
