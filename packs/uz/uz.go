// Package uz is the country profile of Uzbekistan, as data. It owns the files beside it and hands them out; README.md
// names their sources and what is unverified.
package uz

import "embed"

// Files is the profile's folder, as country.Load reads it.
//
//go:embed *.yaml *.csv
var Files embed.FS
