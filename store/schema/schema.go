// Package schema owns the tables: one set of migrations for all engines, and what a migration may do while the release
// before it still serves.
//
// The migrations are written in the SQL that the engines share. Where they cannot be the same, the text names the
// difference, and this package says what each engine gets for it:
//
//	{{clustered}}   ends a table of short rows that lie in the order of its primary key. SQLite: WITHOUT ROWID. Long rows
//	                (sealed ones) are appended instead, so that those of one commit share pages. PostgreSQL has
//	                heaps only: nothing.
//	{{concurrently}} makes an index on a table in use without keeping anybody from writing. PostgreSQL: CONCURRENTLY, in
//	                a migration with -- +goose NO TRANSACTION. SQLite: nothing.
//	{{if postgres}} … {{end}}, {{if sqlite}} … {{end}}   what one engine alone needs.
//
// Of the types, BIGINT, INTEGER and TEXT mean the same on both. BYTEA is PostgreSQL's; SQLite takes any name for a type
// and keeps a blob as it is. Texts are ordered by their bytes: SQLite's default, on PostgreSQL the locale C.
package schema

import (
	"embed"
	"io/fs"
	"strings"
	"testing/fstest"
	"text/template"
)

// Engine is a kind of database.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the migrations as the engine takes them, one file each: "001_act.sql".
func Migrations(engine Engine) (fs.FS, error) {
	differences := template.FuncMap{
		"clustered": func() string {
			if engine == SQLite {
				return " WITHOUT ROWID"
			}
			return ""
		},
		"concurrently": func() string {
			if engine == Postgres {
				return "CONCURRENTLY"
			}
			return ""
		},
		"sqlite":   func() bool { return engine == SQLite },
		"postgres": func() bool { return engine == Postgres },
	}
	parsed, err := template.New("").Funcs(differences).ParseFS(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	written := fstest.MapFS{}
	for _, one := range parsed.Templates() {
		var text strings.Builder
		if err := one.Execute(&text, nil); err != nil {
			return nil, err
		}
		written[one.Name()] = &fstest.MapFile{Data: []byte(text.String())}
	}
	return written, nil
}
