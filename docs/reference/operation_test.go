package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hold holds a page to what the source says, or writes it anew.
func hold(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the source says; run go test ./docs/reference -update\n(-source +page)\n%s", name, diff)
	}
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", path), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestConfigurationPageIsWhatTheSourceSays makes configuration.md from the doc comment of Config, and holds the comment
// to name every key and every variable.
func TestConfigurationPageIsWhatTheSourceSays(t *testing.T) {
	file := parse(t, "cmd/yagona/config.go")
	var comment string
	structs := map[string]*ast.StructType{}
	ast.Inspect(file, func(node ast.Node) bool {
		declared, ok := node.(*ast.GenDecl)
		if !ok || declared.Tok != token.TYPE {
			return true
		}
		one := declared.Specs[0].(*ast.TypeSpec)
		if fields, ok := one.Type.(*ast.StructType); ok {
			structs[one.Name.Name] = fields
		}
		if one.Name.Name == "Config" {
			comment = declared.Doc.Text()
		}
		return true
	})
	var walk func(name, prefix string) (count int)
	walk = func(name, prefix string) (count int) {
		for _, field := range structs[name].Fields.List {
			text, _ := strconv.Unquote(field.Tag.Value)
			tag := tagged(text)
			key, variable := tag("yaml"), tag("env")
			if !strings.Contains(comment, key+":") {
				t.Errorf("the doc comment of Config does not name the key %s", key)
			}
			if variable != "" {
				count++
				if !strings.Contains(comment, "YAGONA_"+prefix+variable) {
					t.Errorf("the doc comment of Config does not name YAGONA_%s%s", prefix, variable)
				}
				continue
			}
			under, inner := prefix+tag("envPrefix"), field.Type
			if list, ok := inner.(*ast.ArrayType); ok {
				under, inner = under+"0_", list.Elt
			}
			count += walk(inner.(*ast.Ident).Name, under)
		}
		return count
	}
	if count := walk("Config", ""); count < 15 {
		t.Fatalf("only %d settings were found", count)
	}
	prose, keys, _ := strings.Cut(comment, "\n\n")
	var page strings.Builder
	page.WriteString("# Configuration\n\n" + made + prose + "\n\n```yaml\n")
	for line := range strings.Lines(keys) {
		page.WriteString(strings.TrimPrefix(line, "\t"))
	}
	page.WriteString("```\n\n`yagona serve --config FILE --check` prints what is in force, without the values of secrets. " +
		"A variable that begins with `YAGONA_` and is\nnone of these is refused, as an unknown key of the file is.\n")
	hold(t, "configuration.md", page.String())
}

const made = "<!-- Made from the source: go test ./docs/reference -update -->\n\n"

// tagged returns the values of a struct tag.
func tagged(text string) func(string) string {
	return func(key string) string {
		_, rest, _ := strings.Cut(" "+text, " "+key+`:"`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
}

// TestMetricsPageIsWhatTheSourceSays makes metrics.md from the metrics that package telemetry registers.
func TestMetricsPageIsWhatTheSourceSays(t *testing.T) {
	text := func(of ast.Expr) string {
		literal, ok := of.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return ""
		}
		unquoted, _ := strconv.Unquote(literal.Value)
		return unquoted
	}
	rows := map[string]string{}
	ast.Inspect(parse(t, "node/telemetry/telemetry.go"), func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr: // counter("yagona_…", "what it is", labels…)
			if len(node.Args) < 2 || !strings.HasPrefix(text(node.Args[0]), "yagona_") {
				return true
			}
			var labels []string
			for _, one := range node.Args[2:] {
				if text(one) != "" {
					labels = append(labels, "`"+text(one)+"`")
				}
			}
			kind := "histogram"
			if called, ok := node.Fun.(*ast.Ident); ok && (called.Name == "counter" || called.Name == "gauge") {
				kind = called.Name
			}
			rows[text(node.Args[0])] = kind + " | " + strings.Join(labels, ", ") + " | " + text(node.Args[1])
		case *ast.CompositeLit: // prometheus.GaugeOpts{Name: "yagona_…", Help: "what it is"}, followed by its labels
			var name, help string
			for _, element := range node.Elts {
				pair, ok := element.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Name" {
					name = text(pair.Value)
				} else if ok && key.Name == "Help" {
					help = text(pair.Value)
				}
			}
			if strings.HasPrefix(name, "yagona_") {
				labels := map[string]string{"yagona_log_entries": "`state`", "yagona_build_info": "`version`, `revision`, `go`"}
				if labels[name] == "" {
					t.Errorf("which labels has %s?", name)
				}
				rows[name] = "gauge | " + labels[name] + " | " + help
			}
		}
		return true
	})
	if len(rows) < 15 {
		t.Fatalf("only %d metrics were found", len(rows))
	}
	var page strings.Builder
	page.WriteString("# Metrics\n\n" + made +
		"What `/metrics` tells on the operator's address ([operator-listen](configuration.md)), in Prometheus' text format. Beside these\n" +
		"stand the usual ones of Go and of the process. No label holds anything about a person.\n\n| Metric | Kind | Labels | What it is |\n|---|---|---|---|\n")
	var names []string
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		page.WriteString("| `" + name + "` | " + rows[name] + " |\n")
	}
	hold(t, "metrics.md", page.String())
}
