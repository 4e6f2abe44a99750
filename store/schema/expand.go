package schema

import (
	"fmt"
	"strings"
)

// Violations returns what a migration does that a release before it would not survive while it still serves, one sentence
// each. A migration expands: it adds tables, columns that may be left out, and indexes. What takes away (contract) comes
// in a later release than the one that stopped using it, in a migration whose first line says so:
//
//	-- contract: since 014 nothing uses task.place
//
// number is the migration's own. Filling a new column for old rows is no migration: it is done in batches, by a job.
func Violations(number int, text string) (found []string) {
	made := map[string]bool{} // the tables that this migration makes: nobody uses them yet
	contract := 0
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if _, err := fmt.Sscanf(first, "-- contract: since %d", &contract); err == nil && contract >= number {
		found = append(found, fmt.Sprintf("it takes away what %03d replaced, which is not an earlier migration", contract))
	}
	concurrent := strings.Contains(text, "-- +goose NO TRANSACTION")
	for _, words := range statements(text) {
		has := func(sequence ...string) bool { return contains(words, sequence) }
		say := func(what string) {
			found = append(found, fmt.Sprintf("%s: %s", strings.Join(words[:min(6, len(words))], " "), what))
		}
		table := ""
		switch {
		case has("CREATE", "TABLE"):
			made[after(words, "TABLE")] = true
			continue
		case has("ALTER", "TABLE"):
			table = after(words, "TABLE")
		case has("INDEX") && has("ON"):
			table = after(words, "ON")
		}
		existing := !made[table]
		removes := has("DROP") || has("RENAME") || has("TRUNCATE")
		switch {
		case removes && contract == 0 && existing:
			say("the release before still uses it; take it away in a later release, in a migration that begins with -- contract: since NNN")
		case has("ADD", "COLUMN") && has("NOT", "NULL") && !has("DEFAULT") && existing:
			say("the release before writes rows without it; give it a DEFAULT, or let it be NULL")
		case has("SET", "NOT", "NULL") && contract == 0, has("ALTER", "COLUMN") && has("TYPE"):
			say("it rewrites or refuses rows of the release before; add a new column instead")
		case has("ADD", "CONSTRAINT") && !has("NOT", "VALID") && existing, has("CREATE", "UNIQUE", "INDEX") && existing && contract == 0:
			say("rows of the release before may break it, and checking them locks the table; enforce it in a later release")
		case has("CREATE", "INDEX") && existing && !has("CONCURRENTLY"):
			say("it keeps everybody from writing while it is built; write CREATE INDEX {{concurrently}} and -- +goose NO TRANSACTION")
		case has("CONCURRENTLY") && !concurrent:
			say("it cannot run in a transaction; add -- +goose NO TRANSACTION")
		case (words[0] == "UPDATE" || words[0] == "DELETE") && existing:
			say("it locks all rows for as long as it takes; fill in batches, in a job")
		}
	}
	return found
}

// statements returns the words of each statement, in upper case, without comments.
func statements(text string) (found [][]string) {
	var code strings.Builder
	for line := range strings.Lines(text) {
		before, _, _ := strings.Cut(line, "--")
		code.WriteString(before + "\n")
	}
	separated := strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ").Replace(code.String())
	for statement := range strings.SplitSeq(separated, ";") {
		if words := strings.Fields(strings.ToUpper(statement)); len(words) > 0 {
			found = append(found, words)
		}
	}
	return found
}

func contains(words, sequence []string) bool {
	for i := range words {
		if len(words)-i >= len(sequence) && strings.Join(words[i:i+len(sequence)], " ") == strings.Join(sequence, " ") {
			return true
		}
	}
	return false
}

// after returns the word after one, past IF [NOT] EXISTS.
func after(words []string, one string) string {
	for i, word := range words {
		if word != one {
			continue
		}
		for _, next := range words[i+1:] {
			if next != "IF" && next != "NOT" && next != "EXISTS" && next != "ONLY" {
				return next
			}
		}
	}
	return ""
}
