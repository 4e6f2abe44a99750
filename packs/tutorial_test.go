package packs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"yagona/kernel/calendar"
	"yagona/pack"
	"yagona/packs"
	"yagona/packs/demo"
)

// fence is a fenced block of Markdown: its info string and its content.
var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// The tutorial is followed literally: its files are written, its commands run, its output looked for. The command yagona
// is played by package pack, as it plays it; starting the demonstration is left to the checks of the whole program.
func TestTheTutorialCanBeFollowed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "tutorials", "first-service.md"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	output, done := "", map[string]int{}
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		info, content := block[1], block[2]
		kind, _, _ := strings.Cut(info, "=")
		done[kind]++
		switch {
		case kind == "yaml file":
			name := filepath.Join(folder, strings.TrimPrefix(info, "yaml file="))
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(content, "\n"); lines > 150 {
				t.Errorf("%s has %d lines", name, lines)
			}
		case info == "sh run" || info == "sh run fails":
			failed := false
			output = ""
			for command := range strings.Lines(content) {
				said, ok := perform(t, folder, strings.TrimSpace(command))
				output, failed = output+said, failed || !ok
			}
			if failed != (info == "sh run fails") {
				t.Fatalf("%sfailed: %v\n%s", content, failed, output)
			}
		case info == "text output":
			for line := range strings.Lines(content) {
				if !strings.Contains(output, strings.TrimSuffix(line, "\n")) {
					t.Errorf("the output\n%s\nlacks: %s", output, line)
				}
			}
		case info == "sh demo":
		default:
			t.Errorf("nobody follows a block of the kind %q", info)
		}
	}
	for kind, want := range map[string]int{"yaml file": 2, "sh run": 7, "sh run fails": 2, "text output": 4, "sh demo": 1} {
		if done[kind] != want {
			t.Errorf("%d blocks of the kind %q, want %d", done[kind], kind, want)
		}
	}
}

// The people and the place that the tutorial names are those of the demonstration.
func TestTheTutorialNamesWhoIsThere(t *testing.T) {
	p := profile(t)
	people, err := demo.Generate(1, p, calendar.Date{Year: 2026, Month: time.March, Day: 2}, 100)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "docs", "tutorials", "first-service.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := []string{string(people.Home), strings.TrimSuffix(p.Territories.Name(people.Home, "en"), " mahalla")}
	for _, name := range []demo.Persona{demo.Jobless, demo.Chair} {
		persona := people.Persona(name)
		if persona.Residence != people.Home {
			t.Errorf("%s does not live where the tutorial says", name)
		}
		named = append(named, persona.FamilyName+" "+persona.GivenName)
	}
	above := p.Territories.Path(people.Home)
	for _, code := range above[1 : len(above)-1] {
		named = append(named, p.Territories.Name(code, "en"))
	}
	for _, name := range named {
		if !strings.Contains(string(text), name) {
			t.Errorf("the demonstration has %s, and the tutorial does not name it", name)
		}
	}
}

// perform runs one command of the tutorial in the folder, and returns what it prints and whether it succeeds.
func perform(t *testing.T, folder, command string) (string, bool) {
	t.Helper()
	words := strings.Fields(command)
	if words[0] != "yagona" {
		shell := exec.Command("sh", "-c", command)
		shell.Dir = folder
		said, err := shell.CombinedOutput()
		return string(said), err == nil
	}
	if len(words) != 4 || words[1] != "pack" {
		t.Fatalf("nobody plays the command %q", command)
	}
	own := pack.Source{Dir: words[3], FS: os.DirFS(filepath.Join(folder, words[3]))}
	catalogue, problems := pack.Load(append(packs.All(), own), pack.ProfileOf(profile(t)), pack.Drafting)
	if catalogue == nil || words[2] == "check" {
		return problems.Error(), catalogue != nil
	}
	report := pack.Test(context.Background(), catalogue, profile(t).Currency)
	return report.String(), report.Passed()
}
