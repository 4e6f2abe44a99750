package packs_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/pack"
	"yagona/packs"
)

var update = flag.Bool("update", false, "write the page of services anew")

// TestServicesPageIsWhatThePacksSay holds services.md to the packs that are shipped; -update writes it anew.
func TestServicesPageIsWhatThePacksSay(t *testing.T) {
	catalogue := load(t)
	lengths := lines(t)
	var median []int
	for _, d := range catalogue.Services() {
		median = append(median, lengths[d.Path])
	}
	slices.Sort(median)
	middle := median[len(median)/2]
	if middle > 80 {
		t.Errorf("the median service has %d lines, more than 80", middle)
	}
	page, name := servicesPage(catalogue, lengths, middle), filepath.Join("..", "docs", "reference", "services.md")
	if *update {
		if err := os.WriteFile(name, page, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, page) {
		t.Error("services.md is not what the packs say: run go test ./packs -update")
	}
}

// lines returns how many lines the file of each service has.
func lines(t *testing.T) map[ident.Service]int {
	t.Helper()
	found := map[ident.Service]int{}
	for _, source := range packs.All() {
		files, err := fs.Glob(source.FS, "services/*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			content, err := fs.ReadFile(source.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			of := path.Base(source.Dir) + "/" + strings.TrimSuffix(path.Base(name), ".yaml")
			found[ident.Service(of)] = bytes.Count(content, []byte("\n"))
		}
	}
	return found
}

func servicesPage(catalogue *pack.Catalogue, lengths map[ident.Service]int, median int) []byte {
	var b bytes.Buffer
	services := catalogue.Services()
	questions, fetched := 0, 0
	for _, d := range services {
		questions, fetched = questions+len(d.Ask), fetched+len(d.Evidence)
	}
	fmt.Fprintf(&b, `# The services that are shipped

This page is made from the packs: `+"`go test ./packs -update`"+`.

%d services in %d packs. The median service is a file of %d lines, its examples included; a test holds it to 80. Together
they ask %d questions and fetch %d answers from registers.

How it is counted: *lines* are those of the service's file with its examples. *Questions* are what the form asks at most.
*Papers before* are the evidences that the service fetches: each is an answer that its agency would otherwise give out as a
certificate for the applicant to bring; one that is asked of each of several relatives counts once. *Papers now* are the
papers that the applicant brings: the language has no way to ask for one.

| Service | Shape | Lines | Questions | Papers before | Papers now | Working days |
|---|---|---:|---:|---:|---:|---:|
`, len(services), len(catalogue.Packs), median, questions, fetched)
	for _, d := range services {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %d | %d | %d | 0 | %s |\n", d.Path, anchor(d.Path), strings.Join(shape(d), "; "), lengths[d.Path],
			len(d.Ask), len(d.Evidence), days(d))
	}
	for _, d := range services {
		fmt.Fprintf(&b, "\n## %s\n\n**%s.** %s\n\n", d.Path, d.Title["en"], d.Summary["en"])
		fmt.Fprintf(&b, "Authority: `%s`. Shape: %s.\n\n", d.Agency, strings.Join(shape(d), "; "))
		for _, l := range d.Legal {
			article := ""
			if said := l.Article.In("en"); said != "" {
				article = ", " + said
			}
			fmt.Fprintf(&b, "- Act: %s%s (%s)\n", l.Act.In("en"), article, l.Status)
		}
		for _, e := range d.Evidence {
			of := "the applicant"
			if e.Of.Relation != "" {
				of = "the applicant's " + e.Of.Relation
			}
			fmt.Fprintf(&b, "- Fetched: `%s` of %s, answered by `%s`\n", e.From, of, e.Agency)
		}
		for n, stage := range d.Process {
			for _, s := range stage.Steps {
				fmt.Fprintf(&b, "- Step %d, `%s`: %s of `%s` within %d working days; late: %s\n", n+1, s.Name, s.Role, s.Agency, s.Within, s.Late)
			}
		}
	}
	return b.Bytes()
}

func anchor(of ident.Service) string { return strings.ReplaceAll(string(of), "/", "") }

// shape says in words what makes the service.
func shape(d *service.Definition) []string {
	var words []string
	switch stages := len(d.Process); {
	case d.Notification:
		words = append(words, "notification without a decision")
	case stages == 0:
		words = append(words, "granted at once by rule")
	case stages == 1:
		words = append(words, "one step")
	default:
		words = append(words, fmt.Sprintf("%d steps", stages))
	}
	parallel, inspection, consent := false, false, false
	for _, stage := range d.Process {
		parallel = parallel || len(stage.Steps) > 1
		for _, s := range stage.Steps {
			inspection, consent = inspection || len(s.Form) > 0, consent || s.Late == service.LateGrant
		}
	}
	for _, one := range []struct {
		holds bool
		word  string
	}{
		{parallel, "agencies in parallel"},
		{inspection, "with findings of an official"},
		{consent, "silence is consent"},
		{d.Start != "", "starts by itself"},
		{d.Together != nil, "a household together"},
		{d.Fee != nil, "fee first"},
		{d.Places != nil, "limited places"},
		{d.Every != nil, "benefit"},
		{d.Licence != nil, "licence"},
		{slices.Contains(d.For, "organisation"), "for organisations"},
		{d.Output.Document != nil, "document"},
		{d.Output.Payment != nil, "payment"},
		{d.Output.Record != nil, "record"},
	} {
		if one.holds {
			words = append(words, one.word)
		}
	}
	return words
}

// days returns how long the steps take together at the most.
func days(d *service.Definition) string {
	if len(d.Process) == 0 || d.Notification {
		return "at once"
	}
	sum := 0
	for _, stage := range d.Process {
		longest := 0
		for _, s := range stage.Steps {
			longest = max(longest, s.Within)
		}
		sum += longest
	}
	return fmt.Sprint(sum)
}

// Every shape of service that the language has words for is shipped, so that each is checked, run and shown.
func TestEveryShapeIsShipped(t *testing.T) {
	shipped := map[string]bool{}
	for _, d := range load(t).Services() {
		for _, word := range shape(d) {
			shipped[word] = true
		}
	}
	for _, word := range []string{
		"granted at once by rule", "2 steps", "agencies in parallel", "with findings of an official", "silence is consent", "starts by itself",
		"a household together", "fee first", "limited places", "benefit", "licence", "for organisations", "notification without a decision", "document", "payment", "record",
	} {
		if !shipped[word] {
			t.Errorf("no service is shipped of the shape: %s", word)
		}
	}
}
