package packs_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"yagona/pack"
	"yagona/packs"
)

// bundle returns the files of a pack.
func bundle(t *testing.T, from fs.FS) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".yaml") {
			files[name], err = fs.ReadFile(from, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every question and every refusal of the country's packs can be changed, and nothing else changes with it: what a form
// changes it compares itself; here no comment is lost, and what was written is read again.
func TestAGuideChangesEveryPack(t *testing.T) {
	changed := 0
	for _, source := range packs.All() {
		files := bundle(t, source.FS)
		guide, err := pack.NewGuide(files, []string{"uz-Latn", "kaa", "ru", "en"})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range guide.ServiceFiles() {
			questions, err := guide.Questions(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range questions {
				q.Label["en"], q.Label["ru"], q.Hint["en"] = "Another label, and another", "Другой: вопрос", strings.TrimSpace(strings.Repeat("long ", 40))
				q.Required = !q.Required
				if err := guide.SetQuestion(path, q, false, false); err != nil {
					t.Errorf("%s/%s: question %s: %v", source.Dir, path, q.Name, err)
					continue
				}
				if got, err := guide.Question(path, q.Name); err != nil || !cmp.Equal(got, q) {
					t.Errorf("%s/%s: question %s (%v): %s", source.Dir, path, q.Name, err, cmp.Diff(q, got))
				}
				changed++
			}
			for i, q := range questions {
				if err := guide.MoveQuestion(path, q.Name, i%2 == 0); err != nil {
					t.Errorf("%s/%s: question %s is not moved: %v", source.Dir, path, q.Name, err)
				}
			}
			refusals, err := guide.Refusals(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, refusal := range refusals {
				refusal.Text["en"], refusal.Text["kaa"] = `No: "never", [not]`, "Joq"
				if err := guide.SetRefusal(path, refusal.ID, refusal.Text, true); err != nil {
					t.Errorf("%s/%s: rule %s: %v", source.Dir, path, refusal.ID, err)
				}
				changed++
			}
		}
		for path, content := range guide.Changed() {
			if was, is := strings.Count(string(files[path]), "#"), strings.Count(string(content), "#"); was != is {
				t.Errorf("%s/%s: of %d comments %d are left", source.Dir, path, was, is)
			}
		}
	}
	if changed < 60 {
		t.Errorf("only %d questions and rules were changed", changed)
	}
}
