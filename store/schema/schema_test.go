package schema_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"yagona/store/schema"
)

// firstRelease is the newest migration of the first release: before it, no release was serving.
const firstRelease = 19

// TestMigrationsRunWhileTheReleaseBeforeServes holds every migration after the first release to the rule.
func TestMigrationsRunWhileTheReleaseBeforeServes(t *testing.T) {
	migrations, err := schema.Migrations(schema.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil || len(names) < firstRelease {
		t.Fatalf("%d migrations, %v", len(names), err)
	}
	seen := map[int]string{}
	for _, name := range names {
		var number int
		if _, err := fmt.Sscanf(name, "%03d_", &number); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, taken := seen[number]; taken {
			t.Errorf("%s and %s have one number", name, other)
		}
		seen[number] = name
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		if number <= firstRelease {
			continue
		}
		for _, violation := range schema.Violations(number, string(text)) {
			t.Errorf("%s: %s", name, violation)
		}
	}
}

// TestViolations holds the rule itself to migrations that keep and break it.
func TestViolations(t *testing.T) {
	const up = "-- +goose Up\n"
	for text, want := range map[string]string{
		up + "CREATE TABLE a (key TEXT NOT NULL PRIMARY KEY); CREATE UNIQUE INDEX a_b ON a (b);":    "",
		up + "ALTER TABLE task ADD COLUMN note TEXT;":                                               "",
		up + "ALTER TABLE task ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;":                       "",
		up + "-- +goose NO TRANSACTION\nCREATE INDEX CONCURRENTLY task_x ON task (x);":              "",
		"-- contract: since 014 nothing uses task.place\n" + up + "ALTER TABLE task DROP COLUMN p;": "",
		up + "-- DROP TABLE task;\nALTER TABLE task ADD COLUMN note TEXT;":                          "",
		up + "ALTER TABLE task DROP COLUMN place;":                                                  "still uses it",
		up + "DROP TABLE IF EXISTS task;":                                                           "still uses it",
		up + "alter table task rename column place to site;":                                        "still uses it",
		up + "DROP INDEX task_inbox;":                                                               "still uses it",
		up + "ALTER TABLE task ADD COLUMN weight INTEGER NOT NULL;":                                 "give it a DEFAULT",
		up + "ALTER TABLE task ALTER COLUMN place SET NOT NULL;":                                    "add a new column",
		up + "ALTER TABLE task ALTER COLUMN place TYPE BIGINT;":                                     "add a new column",
		up + "ALTER TABLE task ADD CONSTRAINT c CHECK (x > 0);":                                     "in a later release",
		up + "CREATE UNIQUE INDEX task_x ON task (x);":                                              "in a later release",
		up + "CREATE INDEX task_x ON task (x);":                                                     "keeps everybody from writing",
		up + "CREATE INDEX CONCURRENTLY task_x ON task (x);":                                        "NO TRANSACTION",
		up + "UPDATE task SET place = '';":                                                          "in batches",
		"-- contract: since 099 nothing uses it\n" + up + "DROP TABLE task;":                        "not an earlier migration",
	} {
		got := strings.Join(schema.Violations(20, text), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q\n\tgave %q instead of %q", text, got, want)
		}
	}
}

// TestNoDifferenceIsLeftUnsaid renders the migrations for both engines: what one has and the other lacks is named.
func TestNoDifferenceIsLeftUnsaid(t *testing.T) {
	for engine, foreign := range map[schema.Engine]string{schema.SQLite: "SEQUENCE", schema.Postgres: "ROWID"} {
		migrations, err := schema.Migrations(engine)
		if err != nil {
			t.Fatal(err)
		}
		names, err := fs.Glob(migrations, "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := fs.ReadFile(migrations, name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), foreign) || strings.Contains(string(text), "{{") {
				t.Errorf("%s for %s has %s or a template", name, engine, foreign)
			}
		}
	}
}
