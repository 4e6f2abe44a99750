package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"yagona/store/schema"
	"yagona/store/sqlite"
)

// made050 are the tables that migration 050 makes anew, with rows of their columns.
var made050 = map[string]string{
	"event": `VALUES ('person:b', '01', 1, x'01', x'02', 7), ('person:a', '02', 2, x'03', x'04', NULL)`,
	"exchange (key, id, at, sealed, event, application)": `VALUES ('person:b', '01', 1, x'01', '01', 'a1'), ('person:a', '02', 2, x'02', '02', NULL)`,
	"task": `VALUES ('person:a', 't1', 'a1', 's', 'assess', 'g', 'r', '17', '17', 0, 'open', '', 1, '{}', 5, NULL, '01'),
		('person:b', 't2', 'a2', 's', 'assess', 'g', 'r', '17', '17', 1, 'done', 'person:c', 1, '{}', NULL, 9, '02')`,
	"register_version": `VALUES ('person:b', 'a/one', 'r1', 1, 1, '2026-01-01', 0, 0, '', x'01', '01'),
		('person:a', 'a/two', 'r2', 1, 2, '2026-01-02', 1, 0, 'why', x'02', '02')`,
}

func TestADatabaseOfAnEarlierReleaseKeepsItsRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yagona.db")
	pool, err := sqlite.OpenFile(path, "journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	migrations, err := schema.Migrations(schema.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, migrations)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 49); err != nil {
		t.Fatal(err)
	}
	before := map[string][]string{}
	for into, values := range made050 {
		if _, err := pool.ExecContext(t.Context(), `INSERT INTO `+into+` `+values); err != nil {
			t.Fatal(into, err)
		}
		table, _, _ := strings.Cut(into, " ")
		before[table] = rowsOf(t, pool, table)
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for table, rows := range before {
		if diff := cmp.Diff(rows, rowsOf(t, pool, table)); diff != "" || len(rows) != 2 {
			t.Errorf("%d rows of %s: %s", len(rows), table, diff)
		}
	}
}

// rowsOf returns a table's rows in their order, each with the names of its columns.
func rowsOf(t *testing.T, pool *sql.DB, table string) (found []string) {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), `SELECT * FROM `+table+` ORDER BY rowid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, column := range columns {
			row[column] = values[i]
		}
		found = append(found, fmt.Sprint(row)) // in the order of the names
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestWhatIsAskedUnderAKeyIsFoundByAnIndex: in one file some indexes begin with an id and not, as on a server, with the key.
// No statement that names a key may read a whole table because of that.
func TestWhatIsAskedUnderAKeyIsFoundByAnIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "yagona.db")
	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pool, err := sqlite.OpenFile(path, "query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, statement := range []string{
		`SELECT header FROM event WHERE key = $1 AND id = $2`,
		`DELETE FROM event WHERE key = $1 AND id = $2`,
		`SELECT sealed FROM exchange WHERE key = $1 AND id = $2`,
		`SELECT sealed FROM exchange WHERE key = $1 AND application = $2 ORDER BY id`,
		`SELECT state FROM task WHERE id = $1`,
		`SELECT state FROM task WHERE key = $1 AND application = $2 ORDER BY opened, id`,
		`SELECT body FROM register_version WHERE key = $1 AND register = $2 ORDER BY record, number`,
		`SELECT body FROM register_version WHERE key = $1 AND register = $2 AND record = $3 ORDER BY number`,
		`SELECT body FROM register_version WHERE record = $1 ORDER BY number`,
		`SELECT body FROM register_version WHERE key = $1 AND register = $2 AND cause = $3 AND cause <> ''`,
		`SELECT DISTINCT register FROM register_version WHERE key = $1 AND register IN ($2, $3) ORDER BY register`,
		`SELECT body FROM register_version WHERE register = $1 AND (key, record, number) > ($2, $3, $4) ORDER BY key, record, number LIMIT 9`,
		`SELECT count(*) FROM register_version WHERE register = $1 AND key > $2 AND key <= $3`,
	} {
		var plan []string
		rows, err := pool.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+statement, "a", "b", "c", "d")
		if err != nil {
			t.Fatal(statement, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, step)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
		if text := strings.Join(plan, "; "); strings.Contains(text, "SCAN") || !strings.Contains(text, "INDEX") {
			t.Errorf("%s: %s", statement, text)
		}
	}
}
