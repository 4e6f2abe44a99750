package pack_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/rules"
	"yagona/kernel/service"
	"yagona/pack"
)

var update = flag.Bool("update", false, "write the golden files")

// scheme is the country profile's part that checks values, for an invented country.
type scheme struct{ money.Currency }

func (scheme) CheckBankAccount(text string) (string, error) {
	if len(text) != 20 {
		return "", fault.New(fault.Invalid, "account", "This is no account. Write its 20 digits.")
	}
	return text, nil
}
func (scheme) CheckPhone(text string) (string, error)                  { return text, nil }
func (scheme) CheckTerritory(code ident.Territory, level string) error { return nil }
func (s scheme) ParseMoney(text string) (money.Amount, error)          { return s.Parse(text) }

var soum = money.Currency{Code: "UZS", MinorDigits: 2}

func profile() pack.Profile {
	return pack.Profile{
		Currency: soum, Languages: []string{"en"}, Levels: []string{
			"country", "region", "district",
			"mahalla",
		}, Scheme: scheme{soum},
	}
}

// national returns the packs of testdata/national, each as files that a test may change.
func national(t testing.TB) map[string]fstest.MapFS {
	t.Helper()
	packs := map[string]fstest.MapFS{}
	root := os.DirFS(filepath.Join("testdata", "national"))
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		folder, rest, _ := strings.Cut(name, "/")
		if packs[folder] == nil {
			packs[folder] = fstest.MapFS{}
		}
		packs[folder][rest] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

func sources(packs map[string]fstest.MapFS) []pack.Source {
	var all []pack.Source
	for name, files := range packs {
		all = append(all, pack.Source{Dir: name, FS: files})
	}
	slices.SortFunc(all, func(a, b pack.Source) int { return strings.Compare(a.Dir, b.Dir) })
	return all
}

func load(t testing.TB, packs map[string]fstest.MapFS) *pack.Catalogue {
	t.Helper()
	catalogue, problems := pack.Load(sources(packs), profile(), pack.Release)
	if problems.Failed() {
		t.Fatal(problems.Error())
	}
	return catalogue
}

func find(t testing.TB, catalogue *pack.Catalogue, path ident.Service) *service.Definition {
	t.Helper()
	for _, d := range catalogue.Services() {
		if d.Path == path {
			return d
		}
	}
	t.Fatalf("no service %s", path)
	return nil
}

func TestTheExamplesOfThePacksPass(t *testing.T) {
	catalogue := load(t, national(t))
	report := pack.Test(t.Context(), catalogue, soum)
	if !report.Passed() {
		t.Error(report.String())
	}
	golden(t, "report.txt", report.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSubsidyIsCompiled(t *testing.T) {
	d := find(t, load(t, national(t)), "youth/tools-subsidy")
	if d.Number != 1 || d.From.String() != "2026-03-01" || d.Agency != "youth-agency" || len(d.Hash) != 64 {
		t.Errorf("%+v", d)
	}
	if got := d.Output.Payment.Amount.Inputs(); !slices.Equal(got, []string{"ask.price", "param.brv"}) {
		t.Error(got)
	}
	if e := d.Evidence[2]; e.Fresh != (service.Period{Days: 1}) || e.None != service.NoneRefuse ||
		e.Agency != "employment-agency" {
		t.Errorf("%+v", e)
	}
	stage, step, ok := d.Step("approve")
	if !ok || stage != 1 || step.Role != "chair" || step.Within != 2 || !step.Allows(service.Approve) ||
		step.Allows(service.Recommend) {
		t.Errorf("%d %+v", stage, step)
	}
	if d.Ask[1].Kind != "money" || *d.Ask[1].Min != 100 {
		t.Errorf("%+v", d.Ask[1])
	}
	if len(d.Params) != 1 || d.Params[0].Values[0].Value != any(money.Amount(37_500_000)) {
		t.Errorf("%+v", d.Params)
	}
	certificate := find(t, load(t, national(t)), "employment/unemployment-certificate")
	if len(certificate.Process) != 0 {
		t.Error("a certificate has steps")
	}
}

func TestParallelStepsAndRepeatedQuestions(t *testing.T) {
	d := find(t, load(t, national(t)), "youth/two-agencies")
	if len(d.Process) != 2 || len(d.Process[0].Steps) != 2 || d.Process[0].Steps[1].Agency != "employment-agency" {
		t.Fatalf("%+v", d.Process)
	}
	if d.Process[0].Steps[0].Territory != nil || len(d.Process[0].Steps[1].Form) != 3 {
		t.Errorf("%+v", d.Process[0].Steps)
	}
	partners := d.Ask[3]
	if partners.Kind != "list" || *partners.Max != 5 || len(partners.Fields) != 2 ||
		partners.Type().Kind != rules.KindList {
		t.Errorf("%+v", partners)
	}
	if d.Ask[2].When == nil || d.Evidence[0].None != service.NoneAttest || d.Appeal.Within != 10 {
		t.Errorf("%+v", d)
	}
}

func BenchmarkLoad(b *testing.B) {
	all := sources(national(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := pack.Load(all, profile(), pack.Release); problems.Failed() {
			b.Fatal(problems)
		}
	}
}
