// Package practice holds the lessons of the practice ground, as data: what the officials of a mahalla of the country that
// is shipped learn. Package kernel/practice reads them and says when one is done.
//
// The lessons name services of the packs that are shipped; the people in them are those of package demo, whom nobody is.
package practice

import (
	"embed"
	"io/fs"
)

//go:embed lessons
var files embed.FS

// Lessons returns the folder of the lessons, as kernel/practice.Load takes it.
func Lessons() fs.FS {
	folder, err := fs.Sub(files, "lessons")
	if err != nil {
		panic(err) // the name above is malformed, and every test would say so
	}
	return folder
}
