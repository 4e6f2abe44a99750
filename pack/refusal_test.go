package pack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"yagona/pack"
)

// TestRefusals reads testdata/refusals: edits of the national packs (a file, the lines to replace after <, their
// replacement after >; without < the file is new), dashes, and what the checker says.
func TestRefusals(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "refusals", "*.txt"))
	if err != nil || len(files) < 30 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			edits, _, _ := strings.Cut(string(data), "\n---\n")
			packs := national(t)
			edit(t, packs, edits)
			mode, country := pack.Drafting, profile()
			if strings.Contains(edits, "/locale/") {
				mode, country.Languages = pack.Release, []string{"en", "kk"}
			}
			catalogue, problems := pack.Load(sources(packs), country, mode)
			if !problems.Failed() || catalogue != nil {
				t.Error("the packs are not refused")
			}
			golden(t, filepath.Join("refusals", name+".txt"), strings.TrimSuffix(edits, "\n")+"\n---\n"+problems.Error()+"\n")
		})
	}
}

// edit makes the changes in the packs.
func edit(t *testing.T, packs map[string]fstest.MapFS, edits string) {
	t.Helper()
	var file string
	var old, changed []string
	apply := func() {
		if file == "" {
			return
		}
		folder, rest, _ := strings.Cut(file, "/")
		before := ""
		if known := packs[folder][rest]; known != nil {
			before = string(known.Data)
		}
		from, to := strings.Join(old, "\n"), strings.Join(changed, "\n")
		if !strings.Contains(before, from) {
			t.Fatalf("%s does not hold %q", file, from)
		}
		packs[folder][rest] = &fstest.MapFile{Data: []byte(strings.Replace(before, from, to, 1))}
		old, changed = nil, nil
	}
	for line := range strings.Lines(edits) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "< "):
			old = append(old, line[2:])
		case strings.HasPrefix(line, ">"):
			changed = append(changed, strings.TrimPrefix(line[1:], " "))
		default:
			apply()
			file = line
		}
	}
	apply()
}
