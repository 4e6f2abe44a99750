package ui

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"yagona/web/ui/uitest"
)

// Every template is held to the type of its data, also where no page of a test comes by.
func TestTemplatesFitTheirData(t *testing.T) {
	files, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		t.Fatal(err)
	}
	uitest.Templates(t, files, nil, []uitest.Component{
		AreaMap{},
		Banner{},
		BarPlot{},
		Buttons{},
		Camera{},
		Cards{},
		Choice{},
		Code{},
		DateInput{},
		Details{},
		Figures{},
		FileInput{},
		Filter{},
		Form{},
		Heading{},
		Inset{},
		List{},
		Pagination{},
		Paragraph{},
		Progress{},
		Proof{},
		Receipt{},
		Reference{},
		Search{},
		Select{},
		SummaryList{},
		Table{},
		Tabs{},
		Tag{},
		TaskList{},
		TextInput{},
		TileMap{},
		Timeline{},
		Title{},
		Warning{},
	}, map[string]any{"layout": whole{}})
}

var brings = regexp.MustCompile(`(?m)^func \([^)]*\) Template\(\) string`)

// Whoever brings components of their own holds their templates to them, too.
func TestEveryPackageWithComponentsChecksItsTemplates(t *testing.T) {
	bringing, checking := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || filepath.Dir(path) == "uitest" {
			return err
		}
		content, err := os.ReadFile(path)
		test := strings.HasSuffix(path, "_test.go")
		bringing[filepath.Dir(path)] = bringing[filepath.Dir(path)] || !test && brings.Match(content)
		checking[filepath.Dir(path)] = checking[filepath.Dir(path)] || test && strings.Contains(string(content), "uitest.Templates(")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for folder, brings := range bringing {
		if brings {
			found++
		}
		if brings && !checking[folder] {
			t.Errorf("%s brings components, and no test of it calls uitest.Templates", folder)
		}
	}
	if found < 2 {
		t.Fatalf("%d packages with components were found", found)
	}
}
