package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/locale"
	"yagona/packs/demo"
)

const notebookMapping = `separator: ";"
person: {name: [Name], birth: {column: Born}}
fields:
  support: {column: Help, values: {Tools: tools}}
  grantedOn: {column: Day}`

// A registrar takes a notebook over, settles who a row is about, imports it, and takes the import back.
func TestComingFromPaperInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.also = s.Words.Languages().Tags
	i := slices.IndexFunc(s.people.Officials, func(o demo.Official) bool { return o.Agency == "youth-agency" && o.Role == "registrar" })
	keeper, _ := s.people.Person(s.people.Officials[i].Person)
	jobless := s.people.Persona(demo.Jobless)
	file := filepath.Join(t.TempDir(), "notebook.csv")
	born := fmt.Sprintf("%02d.%02d.%d", jobless.Birth.Day, jobless.Birth.Month, jobless.Birth.Year)
	rows := "Name;Born;Help;Day\nNamunaev Jasur;" + born + ";Tools;15.01.2024\nNobody Namesake;;Tools;15.01.2024\n"
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	const notebooks = "/desk/notebooks"
	w := s.signedIn(t, locale.English, keeper, notebooks)
	w.look("notebooks")
	w.press(notebooks)
	w.look("notebooks-wrong")
	w.choose("register", "youth/notebook")
	w.run(chromedp.SetUploadFiles(chromedp.CSS(`main input[type="file"]`), []string{file}))
	w.fill("mapping", notebookMapping)
	w.fill("reason", "The notebook of 2024")
	w.press(notebooks)
	w.says("notebook.who")
	w.shows(jobless.Name())
	w.look("notebook")
	w.choose("line-2", string(jobless.ID))
	w.press("/settle")
	w.look("notebook-settled")
	w.press("/finish")
	w.says("notebook.imported")
	w.look("notebook-imported")
	number := ask(w, chromedp.Text(chromedp.CSS("main .reference code")))
	w.open(notebooks)
	w.choose("undo-register", "youth/notebook")
	w.fill("import", number)
	w.fill("undo-reason", "It was the wrong notebook")
	w.press("/undo")
	w.says("notebook.undone")
	w.look("notebook-undone")
}
