package tutorial

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fence is a fenced block of Markdown: its info string and its content.
var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// The tutorial is followed literally, outside the repository and without Go: its files are written, its commands run, its
// output looked for, and the demonstration started; then its people do in it what the tutorial tells.
func TestTheTutorialCanBeFollowed(t *testing.T) {
	folder := t.TempDir()
	command := follow(t, filepath.Join("..", "..", "docs", "tutorials", "first-service.md"), folder)
	t.Run("use it", func(t *testing.T) {
		if testing.Short() {
			t.Skip("starts a demonstration: run ./test")
		}
		if _, err := exec.LookPath("pdftotext"); err != nil && os.Getenv("YAGONA_TEST_ALL") == "" {
			t.Skip("needs pdftotext (Debian's poppler-utils) to read the document: run ./test")
		}
		demo := demonstrate(t, folder, command)
		useSeedlings(t, demo)
		fillInSeedlings(t, demo)
	})
}

// follow does what the tutorial says up to the demonstration, and returns the command that starts it.
func follow(t *testing.T, tutorial, folder string) (command string) {
	t.Helper()
	text, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	output, done := "", map[string]int{}
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		info, content := block[1], block[2]
		kind, name, _ := strings.Cut(info, "=")
		done[kind]++
		switch kind {
		case "yaml file":
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(content, "\n"); lines > 150 {
				t.Errorf("%s has %d lines: a service is one file of at most 150", name, lines)
			}
		case "sh run":
			output = run(t, folder, content)
		case "sh run fails":
			said, err := shell(folder, content).CombinedOutput()
			if _, ended := errors.AsType[*exec.ExitError](err); !ended {
				t.Fatalf("%sdid not fail: %v\n%s", content, err, said)
			}
			output = string(said)
		case "text output":
			said := strings.Split(output, "\n")
			for line := range strings.Lines(content) {
				begins := func(one string) bool { return strings.HasPrefix(one, strings.TrimSuffix(line, "\n")) }
				if !slices.ContainsFunc(said, begins) {
					t.Errorf("in the output\n%s\nno line begins with: %s", output, line)
				}
			}
		case "sh demo":
			command = content
		default:
			t.Errorf("nobody follows a block of the kind %q", info)
		}
	}
	for kind, want := range map[string]int{"yaml file": 2, "sh run": 7, "sh run fails": 2, "text output": 4, "sh demo": 1} {
		if done[kind] != want {
			t.Errorf("%d blocks of the kind %q, want %d", done[kind], kind, want)
		}
	}
	return command
}

// seedlings is the service of the tutorial.
const seedlings = "greenhouse/seedlings"

// useSeedlings does what the tutorial's last section tells, with nothing but what its files say.
func useSeedlings(t *testing.T, demo *installation) {
	anyone := demo.anyone()

	var catalogue page[struct{ Service, Agency, Title string }]
	anyone.get("/api/v1/services", &catalogue)
	if !slices.Contains(catalogue.Items, struct{ Service, Agency, Title string }{seedlings, "farming-agency", "Seedlings for a new greenhouse"}) {
		t.Fatalf("the service is not in the catalogue: %v", catalogue.Items)
	}
	var api struct {
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties struct {
					Area struct{ Maximum int }
					Crop struct{ Enum []string }
				}
			}
		}
	}
	anyone.get("/api/v1/openapi.json", &api)
	answersOf := api.Components.Schemas["greenhouse.seedlings.answers"]
	if !slices.Contains(answersOf.Properties.Crop.Enum, "tomato") || answersOf.Properties.Area.Maximum != 10000 || len(answersOf.Required) != 3 {
		t.Errorf("the API's schema of the answers is %+v", answersOf)
	}

	for path, wants := range map[string][]string{
		"/services":                              {"Seedlings for a new greenhouse"},
		"/services/" + seedlings:                 {"In which mahalla will the greenhouse stand?", "Look at the place", "Rules of the tutorial"},
		"/services/" + seedlings + "/statistics": {"Seedlings for a new greenhouse"},
	} {
		page, err := anyone.Send(t.Context(), http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(page.Body), want) {
				t.Errorf("the page %s lacks %q", path, want)
			}
		}
	}

	resident := demo.as("Namunaev Jasur")
	answers := map[string]any{"place": placeOf(t, anyone, "Namunaobod mahalla"), "area": 60, "crop": "tomato"}
	sent := resident.apply(seedlings, answers)
	if sent.State != "deciding" || len(sent.Tasks) != 1 || sent.Tasks[0].Due == "" {
		t.Fatalf("the application is %+v", sent)
	}

	demo.as("Sinovov Rahim").decide(sent.ID, map[string]any{
		"action": "approve", "form": map[string]any{"visitedOn": time.Now().Format(time.DateOnly), "sunny": true},
	})
	decided := resident.application(sent.ID)
	if decided.State != "granted" || decided.Granted == nil || decided.Granted.Document == "" {
		t.Fatalf("the application is %+v", decided)
	}
	file, err := resident.Send(t.Context(), http.MethodGet, "/api/v1/documents/"+decided.Granted.Document+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	voucher := filepath.Join(t.TempDir(), "voucher.pdf")
	if err := os.WriteFile(voucher, file.Body, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := pdfText(t, voucher); !strings.Contains(text, "Voucher for seedlings") || !strings.Contains(text, "240") || !strings.Contains(text, "Tomatoes") {
		t.Errorf("the voucher reads:\n%s", text)
	}

	var readers page[struct {
		Purpose string
		By      struct{ Agency, Role string }
	}]
	resident.get("/api/v1/access-log?limit=100", &readers)
	if !strings.Contains(strings.ReplaceAll(jsonOf(t, readers), " ", ""), `"Agency":"mahalla-association","Role":"chair"`) {
		t.Errorf("the chair does not stand among those who read: %s", jsonOf(t, readers))
	}

	// As many refusals as the statistics show: fewer than five are hidden.
	answers["area"] = 2
	for range 5 {
		refused := resident.apply(seedlings, answers)
		if refused.State != "refused" || len(refused.Because) != 1 || !strings.HasPrefix(refused.Because[0].Text, "Seedlings are given for greenhouses of 20 to 500") {
			t.Fatalf("two square metres: %+v", refused)
		}
	}
	var figures struct {
		Counts []struct {
			State  string
			Number int64
		}
		Refusals []struct {
			Requirement string
			Number      int64
		}
	}
	for deadline := time.Now().Add(2 * time.Minute); len(figures.Refusals) == 0 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		anyone.get("/api/v1/services/"+seedlings+"/statistics", &figures) // a job counts the reasons, each by itself
	}
	if len(figures.Refusals) != 1 || figures.Refusals[0].Requirement != "size" || figures.Refusals[0].Number != 5 {
		t.Errorf("the reasons are %+v", figures.Refusals)
	}
	counted := map[string]int64{}
	for _, one := range figures.Counts {
		counted[one.State] += one.Number
	}
	if _, there := counted["granted"]; there || counted["refused"] != 5 {
		t.Errorf("the statistics are %+v", figures.Counts)
	}
}

// fillInSeedlings does the same on the pages: the form that came from the service's file, and the one of its step.
func fillInSeedlings(t *testing.T, demo *installation) {
	resident := demo.signIn("Namunaev Jasur")
	resident.get("/services/" + seedlings)
	resident.press("/apply")
	resident.says("In which mahalla will the greenhouse stand?")
	resident.fill(map[string]string{"place": resident.offered("Namunaobod mahalla")}, "")
	resident.says("How large will it be, in square metres?")
	resident.fill(map[string]string{"area": "60"}, "")
	resident.says("What will you grow?")
	resident.fill(map[string]string{"crop": resident.offered("Tomatoes")}, "")
	if !strings.HasSuffix(resident.at.Path, "/check") {
		t.Fatalf("after the three questions stands %s: %s", resident.at, resident.text())
	}
	resident.says("Tomatoes")
	resident.press("/submit")
	application, sent := strings.CutSuffix(resident.at.Path, "/receipt")
	if !sent {
		t.Fatalf("after sending stands %s: %s", resident.at, resident.text())
	}
	resident.says(strings.TrimPrefix(application, "/applications/")) // its number

	chair, today := demo.signIn("Sinovov Rahim"), time.Now()
	chair.get("/desk")
	chair.follow("/desk/tasks/")
	chair.says("Look at the place")
	chair.fill(map[string]string{
		"action": "approve", "form.sunny": "true",
		"form.visitedOn-day": today.Format("2"), "form.visitedOn-month": today.Format("1"), "form.visitedOn-year": today.Format("2006"),
	}, "")
	if chair.at.Path != "/desk" {
		t.Fatalf("the decision leads to %s: %s", chair.at, chair.text())
	}
	resident.get(application)
	resident.says("Granted")
	resident.says("Voucher for seedlings")
	resident.get("/me/readings")
	resident.says("Chair of the mahalla")
	if read := strings.Count(resident.text(), "An official read the application"); read != 2 { // this one, and the one that came by the API
		t.Errorf("the resident is told of %d readings by an official", read)
	}
}

// placeOf returns the code of the mahalla of that name, looking where the tutorial says.
func placeOf(t *testing.T, v visitor, name string) string {
	t.Helper()
	type territory struct {
		Code, Name string
		Within     []territory
	}
	code := ""
	for _, step := range []string{"Andijan Region", "Andijan District", name} {
		var here territory
		v.get("/api/v1/territories?code="+code, &here)
		i := slices.IndexFunc(here.Within, func(one territory) bool { return one.Name == step })
		if i < 0 {
			t.Fatalf("there is no %s in %+v", step, here)
		}
		code = here.Within[i].Code
	}
	return code
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// pdfText returns the text of a PDF.
func pdfText(t *testing.T, file string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian's poppler-utils): %v", err)
	}
	return string(text)
}
