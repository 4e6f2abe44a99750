package postgres_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagona/kernel/act"
	"yagona/store/postgres"
	"yagona/store/schema"
	"yagona/store/storetest"
)

// TestTheTablesCanBeSpread holds the migrated database itself to the rule: every table is classified, and the first column
// of every primary key, unique index and foreign key of a table that is spread is the one that it is spread by.
func TestTheTablesCanBeSpread(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), storetest.ServerURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if problems := unspread(t, conn); len(problems) > 0 {
		t.Errorf("the tables cannot be spread:\n%s", strings.Join(problems, "\n"))
	}
	// The rule holds: a table that nobody classified, a unique index and a foreign key that begin with another column.
	for plant, want := range map[string]string{
		`CREATE TABLE planted (key TEXT PRIMARY KEY)`:                      "planted is not in schema.Tables",
		`CREATE UNIQUE INDEX planted_index ON task (id)`:                   "planted_index begins with id",
		`ALTER TABLE notice ADD FOREIGN KEY (id) REFERENCES planted (key)`: "begins with id",
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plant, "REFERENCES") {
			if _, err := tx.Exec(t.Context(), `CREATE TABLE planted (key TEXT PRIMARY KEY)`); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tx.Exec(t.Context(), plant); err != nil {
			t.Fatal(err)
		}
		if problems := unspread(t, tx); !strings.Contains(strings.Join(problems, "\n"), want) {
			t.Errorf("%s went unnoticed: %v", plant, problems)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// asker is a connection or a transaction.
type asker interface {
	Query(ctx context.Context, text string, args ...any) (pgx.Rows, error)
}

// unspread returns what keeps the tables from being spread.
func unspread(t *testing.T, conn asker) (problems []string) {
	t.Helper()
	columns := map[string]string{}
	for _, table := range schema.Tables {
		columns[table.Name] = table.Column
	}
	rows, err := conn.Query(t.Context(), `
		SELECT relname, '', '', '' FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
		UNION ALL
		SELECT t.relname, i.relname, 'index', a.attname FROM pg_index x
			JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
			WHERE x.indisunique AND t.relnamespace = 'public'::regnamespace
		UNION ALL
		SELECT t.relname, c.conname, 'constraint', a.attname FROM pg_constraint c
			JOIN pg_class t ON t.oid = c.conrelid
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
			WHERE c.contype IN ('p', 'u', 'f') AND t.relnamespace = 'public'::regnamespace
		ORDER BY 1, 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	present := map[string]bool{}
	for rows.Next() {
		var table, name, kind, first string
		if err := rows.Scan(&table, &name, &kind, &first); err != nil {
			t.Fatal(err)
		}
		present[table] = true
		column, known := columns[table]
		switch {
		case !known && name == "":
			problems = append(problems, table+" is not in schema.Tables: say by which column it is spread")
		case name != "" && column != "" && first != column && schema.Unsharded[name] == "":
			problems = append(problems, table+": the "+kind+" "+name+" begins with "+first+" instead of "+column)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for table := range columns {
		if !present[table] {
			problems = append(problems, table+" is in schema.Tables and not in the database")
		}
	}
	slices.Sort(problems)
	return problems
}

// citusVariable names the environment variable with the address of an empty database on a Citus coordinator. All that is
// in its schema public is removed.
const citusVariable = "YAGONA_TEST_CITUS_DSN"

// TestOnCitus runs the conformance suite where a Citus stands, on tables that were spread by the plan.
func TestOnCitus(t *testing.T) {
	address := os.Getenv(citusVariable)
	if address == "" {
		t.Skip("it needs a Citus: set " + citusVariable + " to the address of an empty database on its coordinator")
	}
	open := func(t *testing.T, clock act.Clock) storetest.DB {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		if _, err := conn.Exec(t.Context(), `DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
			t.Fatal(err)
		}
		migrated, err := postgres.Open(t.Context(), postgres.Config{URL: address, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if err := migrated.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.PgConn().Exec(t.Context(), schema.CitusPlan()).ReadAll(); err != nil {
			t.Fatal(err)
		}
		return openAt(t, address, clock)
	}
	for name, suite := range map[string]func(*testing.T, storetest.Open){
		"act": storetest.TestAct, "journal": storetest.TestJournal, "casework": storetest.TestCasework, "uploads": storetest.TestUploads, "inbox": storetest.TestInbox,
		"archive": storetest.TestArchive, "document": storetest.TestDocument, "exchange": storetest.TestExchange, "ledger": storetest.TestLedger,
		"register": storetest.TestRegister, "sign-in": storetest.TestSignIn, "transparency": storetest.TestTransparency,
	} {
		t.Run(name, func(t *testing.T) { suite(t, open) })
	}
}
