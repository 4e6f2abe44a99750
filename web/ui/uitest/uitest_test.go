package uitest

import (
	"reflect"
	"strings"
	"testing"
	"text/template/parse"
)

// sheet is what the templates of this test show.
type sheet struct {
	Title string
	Lines []line
	Notes map[string]string
	First *line
	inner string
}

type line struct{ Text string }

func (line) Template() string { return "line" }

// Long is a method without arguments.
func (l line) Long() bool { return len(l.Text) > 80 }

// faultsOf checks one template against a sheet.
func faultsOf(t *testing.T, text string) string {
	t.Helper()
	parsed, err := parse.Parse("sheet", text+`{{define "line"}}{{.Text}}{{end}}`, "{{", "}}", functions)
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{trees: parsed, done: map[called]bool{}}
	c.template("sheet", reflect.TypeOf(sheet{inner: "hidden"}), "test")
	return strings.Join(c.faults, "\n")
}

func TestATemplateIsHeldToItsData(t *testing.T) {
	for text, want := range map[string]string{
		`{{.Title}}{{range $i, $one := .Lines}}{{$i}}{{$one.Text}}{{.Text}}{{$.Title}}{{if .Long}}!{{end}}{{template "line" .}}{{end}}`: "",
		`{{with .First}}{{.Text}}{{render .}}{{else}}{{.Title}}{{end}}{{.Notes.anything}}{{text "ui.key" "name" .Title}}`:               "",
		`{{.Titel}}`: "has no Titel",
		`{{.inner}}`: "has no inner",
		`{{if false}}{{range .Lines}}{{.Titel}}{{end}}{{end}}`: "has no Titel",
		`{{range .Title}}{{end}}`:                              "ranges over a string",
		`{{with .First}}{{$.Text}}{{end}}`:                     "has no Text",
		`{{with .First}}{{.Title}}{{end}}`:                     "has no Title",
		`{{template "line" .Title}}`:                           "a string has no Text",
		`{{template "lines" .}}`:                               `there is no template "lines"`,
		`{{render .Title}}`:                                    "is no component",
		`{{text .Lines}}`:                                      "not a key",
		`{{text "ui.key" "name"}}`:                             "does not know this call",
		`{{.Lines}}`:                                           "it prints a []uitest.line",
		`{{.First.Text | text}}`:                               "chained",
	} {
		if got := faultsOf(t, text); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s gives %q, not %q", text, got, want)
		}
	}
}
