package query_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"yagona/store/schema"
)

// statement is one SQL statement of this package, with the function that has it. What is put in at run time is "…".
type statement struct{ function, text string }

// statementsOf reads the statements out of the source: every text that begins like SQL.
func statementsOf(t *testing.T) (found []statement) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]ast.Expr{}
	functions := map[string]*ast.FuncDecl{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			switch declared := declared.(type) {
			case *ast.FuncDecl:
				functions[declared.Name.Name] = declared
			case *ast.GenDecl:
				for _, spec := range declared.Specs {
					if value, ok := spec.(*ast.ValueSpec); ok && len(value.Values) == len(value.Names) {
						for i, name := range value.Names {
							constants[name.Name] = value.Values[i]
						}
					}
				}
			}
		}
	}
	var text func(of ast.Expr) string
	text = func(of ast.Expr) string {
		switch of := of.(type) {
		case *ast.BasicLit:
			if plain, err := strconv.Unquote(of.Value); err == nil && of.Kind == token.STRING {
				return plain
			}
		case *ast.BinaryExpr:
			return text(of.X) + text(of.Y)
		case *ast.Ident:
			if constant, ok := constants[of.Name]; ok {
				return text(constant)
			}
		}
		return "…"
	}
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		if functions[name].Body == nil {
			continue
		}
		ast.Inspect(functions[name].Body, func(node ast.Node) bool {
			expression, ok := node.(ast.Expr)
			if !ok {
				return true
			}
			switch expression.(type) {
			case *ast.BasicLit, *ast.BinaryExpr:
			default:
				return true
			}
			written := strings.Join(strings.Fields(text(expression)), " ")
			if begins.MatchString(written) {
				found = append(found, statement{name, written})
				return false
			}
			return true
		})
	}
	return found
}

var (
	begins = regexp.MustCompile(`^(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) `)
	tables = regexp.MustCompile(`\b(?:FROM|INTO|UPDATE|JOIN) ([a-z_]+)\b`)
)

// asksOne reports whether a statement names the machine that it is for: the value of each table's column.
func asksOne(text string) bool {
	for _, found := range tables.FindAllStringSubmatch(text, -1) {
		at := slices.IndexFunc(schema.Tables, func(table schema.Table) bool { return table.Name == found[1] })
		if at < 0 || schema.Tables[at].Column == "" {
			continue // a part of the statement that has a name, or a table of the coordinator
		}
		column := schema.Tables[at].Column
		if columns, inserts := strings.CutPrefix(text, "INSERT INTO "+found[1]+" ("); inserts {
			columns, _, _ = strings.Cut(columns, ")")
			if !slices.Contains(strings.Split(columns, ", "), column) {
				return false
			}
			continue
		}
		_, where, _ := strings.Cut(text, " WHERE ")
		if !regexp.MustCompile(`(^|AND |\()`+column+` = \$\d`).MatchString(where) || strings.Contains(where, " OR "+column) {
			return false
		}
	}
	return true
}

// TestEveryStatementNamesItsMachine holds the text of every statement to the distribution key: it is in its condition, or
// the statement stands in schema.CrossShard with the reason why it may ask every machine.
func TestEveryStatementNamesItsMachine(t *testing.T) {
	all := statementsOf(t)
	if len(all) < 80 {
		t.Fatalf("only %d statements were found in the source", len(all))
	}
	spread := map[string]bool{}
	for _, one := range all {
		if asksOne(one.text) {
			continue
		}
		spread[one.function] = true
		if schema.CrossShard[one.function] == "" {
			t.Errorf("%s asks every machine: name the key in its WHERE, or say why not in schema.CrossShard:\n\t%s", one.function, one.text)
		}
	}
	for function := range schema.CrossShard {
		if !spread[function] {
			t.Errorf("schema.CrossShard lists %s, which asks one machine only, or is not there any more", function)
		}
	}
}

// TestAsksOne holds the rule itself to statements that keep and break it.
func TestAsksOne(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT id FROM task WHERE key = $1 AND id = $2":                true,
		"SELECT id FROM task WHERE id = $1":                             false,
		"SELECT id FROM task":                                           false,
		"SELECT id FROM task WHERE id = $1 OR key = $2":                 false,
		"INSERT INTO task (key, id) VALUES ($1, $2)":                    true,
		"INSERT INTO task (id) VALUES ($1)":                             false,
		"SELECT person FROM person_index WHERE number_index = $1":       true,
		"SELECT person FROM person_index WHERE person = $1":             false,
		"UPDATE event SET log_index = $3 WHERE key = $1 AND id = $2":    true,
		"DELETE FROM session WHERE ends < $1":                           false,
		"SELECT sub_key FROM task WHERE other_key = $1 AND notkey = $2": false,
	} {
		if got := asksOne(text); got != want {
			t.Errorf("%q asks one machine: %t", text, got)
		}
	}
}

// TestVersionsAndPeopleAreOnlyAdded holds the statements to what a simulation goes by: as many versions as before are the
// same as before (simulation.Reader), and as many people.
func TestVersionsAndPeopleAreOnlyAdded(t *testing.T) {
	changes := regexp.MustCompile(`^(?:UPDATE register_version|DELETE FROM (?:register_version|person)) |^INSERT INTO register_version .* DO UPDATE`)
	inserts := 0
	for _, one := range statementsOf(t) {
		if changes.MatchString(one.text) {
			t.Errorf("%s changes or removes what is only added: a simulation would go on with what it was:\n\t%s", one.function, one.text)
		}
		if strings.HasPrefix(one.text, "INSERT INTO register_version ") || strings.HasPrefix(one.text, "INSERT INTO person ") {
			inserts++
		}
	}
	if inserts != 2 {
		t.Errorf("%d statements add versions and people, and not 2: the rule looks past them", inserts)
	}
}
