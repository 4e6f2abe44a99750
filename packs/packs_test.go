package packs_test

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/pack"
	"yagona/packs"
)

func profile(t testing.TB) *country.Profile {
	t.Helper()
	p, err := packs.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// load checks the packs that are shipped as a release; nothing may be wrong with them, not even a warning.
func load(t testing.TB) *pack.Catalogue {
	t.Helper()
	catalogue, problems := pack.Load(packs.All(), pack.ProfileOf(profile(t)), pack.Release)
	for _, problem := range problems {
		t.Error(problem)
	}
	if catalogue == nil {
		t.FailNow()
	}
	return catalogue
}

func services(t testing.TB) map[ident.Service]*service.Definition {
	all := map[ident.Service]*service.Definition{}
	for _, d := range load(t).Services() {
		all[d.Path] = d
	}
	return all
}

// A folder with a pack that the list forgets would be shipped by nobody.
func TestEveryPackIsListed(t *testing.T) {
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var found, listed []string
	for _, folder := range folders {
		if _, err := os.Stat(folder.Name() + "/pack.yaml"); err == nil {
			found = append(found, "packs/"+folder.Name())
		}
	}
	for _, source := range packs.All() {
		listed = append(listed, source.Dir)
		if _, err := fs.Stat(source.FS, "pack.yaml"); err != nil {
			t.Errorf("%s: %v", source.Dir, err)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(found, listed) {
		t.Errorf("the folders are %v, the list has %v", found, listed)
	}
}

func TestEveryExampleComesOutAsExpected(t *testing.T) {
	catalogue := load(t)
	report := pack.Test(context.Background(), catalogue, profile(t).Currency)
	decides := map[ident.Service]bool{} // a notification has no rules
	for _, d := range catalogue.Services() {
		decides[d.Path] = !d.Notification
	}
	if !report.Passed() || len(report.Services) < 30 {
		t.Errorf("an example failed, or a service is missing:\n%s", report)
	}
	for _, s := range report.Services {
		if len(s.Examples) <= len(s.Coverage) || len(s.Examples) < 3 || len(s.Coverage) == 0 && decides[s.Service] {
			t.Errorf("%s has %d examples of %d rules, too few to review", s.Service, len(s.Examples), len(s.Coverage))
		}
	}
}

// Every rule is seen to be met and to fail, so that no example passes for a reason that it does not name.
func TestExamplesCoverEveryRule(t *testing.T) {
	for _, s := range pack.Test(context.Background(), load(t), profile(t).Currency).Services {
		for _, c := range s.Coverage {
			if c.Met == 0 || c.NotMet == 0 {
				t.Errorf("%s: the rule %s is met %d times and fails %d times", s.Service, c.Requirement, c.Met, c.NotMet)
			}
		}
	}
}

func TestWhatPeopleReadExistsInEveryLanguage(t *testing.T) {
	languages := profile(t).Languages
	texts := texts(load(t))
	if len(texts) < 150 {
		t.Errorf("only %d texts were found", len(texts))
	}
	for what, text := range texts {
		for _, tag := range languages {
			if problem := script(tag, text[tag]); problem != "" {
				t.Errorf("%s in %s: %s: %q", what, tag, problem, text[tag])
			}
		}
	}
}

// texts are all texts of the packs, by what they are.
func texts(catalogue *pack.Catalogue) map[string]wording.Text {
	found := map[string]wording.Text{}
	fields := func(of string, list []field.Definition) {
		for _, f := range list {
			found[of+" field "+f.Name] = f.Label
			if f.Hint != nil {
				found[of+" hint of "+f.Name] = f.Hint
			}
			for _, o := range f.Options {
				found[of+" option "+f.Name+" "+o.Value] = o.Label
			}
		}
	}
	for _, p := range catalogue.Packs {
		found["pack "+p.Name] = p.Title
		for _, a := range p.Agencies {
			found["agency "+string(a.Name)] = a.Title
			for _, r := range a.Roles {
				found["role "+string(a.Name)+" "+string(r.Name)] = r.Title
			}
		}
		for _, f := range p.Funds {
			found["fund "+f.Name] = f.Title
		}
	}
	for _, r := range catalogue.Registers() {
		of := string(r.Path)
		found[of] = r.Title
		fields(of, r.Fields)
		for _, e := range r.Evidence {
			found[of+" evidence "+string(e.Path)] = e.Title
			for _, a := range e.Answer {
				found[string(e.Path)+" answer "+a.Name] = a.Label
			}
		}
	}
	for _, d := range catalogue.Services() {
		of := string(d.Path)
		found[of], found[of+" summary"] = d.Title, d.Summary
		var lines []service.Line
		if d.Output.Document != nil {
			found[of+" document"], lines = d.Output.Document.Title, d.Output.Document.Lines
		}
		fields(of, d.Fields())
		for _, q := range d.Ask {
			if q.Term == "" {
				found[of+" only-applicant "+q.Name] = q.OnlyApplicant
			}
		}
		for _, e := range d.Evidence {
			found[of+" evidence "+e.Name] = e.Title
		}
		for _, r := range d.Require {
			found[of+" otherwise "+r.ID] = r.Otherwise
		}
		for _, stage := range d.Process {
			for _, step := range stage.Steps {
				found[of+" step "+step.Name] = step.Title
				fields(of+" "+step.Name, step.Form)
			}
		}
		for _, l := range lines {
			found[of+" line "+l.Name] = l.Label
		}
	}
	return found
}

// script says what is wrong with a text and its letters, or nothing.
func script(tag, text string) string {
	if text == "" {
		return "it is missing"
	}
	cyrillic := tag == "ru" || tag == "uz-Cyrl"
	for _, r := range text {
		if unicode.IsLetter(r) && r != 'ʻ' && r != 'ʼ' && unicode.Is(unicode.Cyrillic, r) != cyrillic {
			return "it has the letter " + string(r)
		}
	}
	if tag != "en" && strings.ContainsAny(text, "'`‘’") {
		return "write ʻ or ʼ"
	}
	return ""
}

func TestTheSubsidyPaysByTheBaseValueOfTheDay(t *testing.T) {
	d := services(t)["youth/tools-subsidy"]
	i := slices.IndexFunc(d.Params, func(p service.Param) bool { return p.Name == "brv" })
	for text, want := range map[string]money.Amount{"2024-09-30": 34_000_000, "2024-10-01": 37_500_000, "2025-07-31": 37_500_000, "2026-03-02": 41_200_000} {
		day, err := calendar.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := d.Params[i].On(day); !ok || value.Value != want || value.Source == "" {
			t.Errorf("on %s it is %v by %q, want %d tiyin and a source", text, value.Value, value.Source, want)
		}
	}
}

func TestLawIsCitedOrMarked(t *testing.T) {
	for path, d := range services(t) {
		for _, l := range d.Legal {
			if l.Status == "in force" && !strings.Contains(l.Act.In("en"), "No. ") {
				t.Errorf("%s cites %q as in force without its number", path, l.Act.In("en"))
			}
		}
	}
}

func TestARuleOverTheSpouseShowsItsResultOnly(t *testing.T) {
	for _, r := range services(t)["housing/accessible-home"].Require {
		if r.Private != (r.ID == "income") {
			t.Errorf("the rule %s: private %v", r.ID, r.Private)
		}
	}
}

// The numbers of the test double are those of people whom a demonstration can register.
func TestTheTestDoubleAnswersForWellFormedNumbers(t *testing.T) {
	p := profile(t)
	var adapted *register.Definition
	for _, d := range load(t).Registers() {
		if d.Held == register.HeldAdapter {
			adapted = d
		}
	}
	if adapted == nil || len(adapted.Adapter.Double) != 3 {
		t.Fatalf("no register is behind an adapter with three answers: %+v", adapted)
	}
	for _, double := range adapted.Adapter.Double {
		if err := p.Person.Validate(double.Number); double.Number != "" && err != nil {
			t.Errorf("%s: %v", double.Number, err)
		}
		if double.After <= 0 || double.After >= adapted.Adapter.Timeout {
			t.Errorf("%q is answered after %v, where the wait ends after %v", double.Number, double.After, adapted.Adapter.Timeout)
		}
	}
}
