package api

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"yagona/kernel/country"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/locale"
	"yagona/pack"
	"yagona/packs"
	"yagona/web/signin"
)

var update = flag.Bool("update", false, "write the golden files anew")

// load returns the document that the API serves, loaded and validated.
func (w *world) load() (*openapi3.T, []byte) {
	w.Helper()
	answer := w.ask("GET", "/openapi.json", "", nil, "Accept-Language", "en")
	if answer.status != http.StatusOK {
		w.Fatalf("answered %d %s", answer.status, answer.body)
	}
	doc, err := openapi3.NewLoader().LoadFromData(answer.body)
	w.must(err)
	w.must(doc.Validate(w.Context()))
	return doc, answer.body
}

func TestTheDocumentIsAsReviewed(t *testing.T) {
	w := newWorld(t)
	_, got := w.load()
	golden := filepath.Join("testdata", "openapi.json")
	if *update {
		w.must(os.MkdirAll("testdata", 0o755))
		w.must(os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	w.must(err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("the document has changed; if that is meant, run the test with -update:\n%s", diff)
	}
}

func TestEveryRouteIsDescribedAndNothingElse(t *testing.T) {
	w := newWorld(t)
	doc, _ := w.load()
	var described, registered []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	for _, one := range append(New(w.Dependencies), (&signin.Service{}).Routes()...) {
		if strings.HasPrefix(one.Pattern, Root+"/") {
			registered = append(registered, one.Method+" "+one.Pattern)
		}
	}
	slices.Sort(described)
	slices.Sort(registered)
	if diff := cmp.Diff(registered, described); diff != "" {
		t.Error(diff)
	}
	ids := map[string]bool{}
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			if ids[operation.OperationID] {
				t.Errorf("the id %s stands twice", operation.OperationID)
			}
			ids[operation.OperationID] = true
		}
	}
}

// TestEveryCodeHasItsStatus holds the table of codes to the operations, and the operations to the table.
func TestEveryCodeHasItsStatus(t *testing.T) {
	w := newWorld(t)
	used := map[string]bool{}
	for _, one := range append(operations(w.Dependencies), sessionOperations()...) {
		for _, code := range one.problemCodes(w.Profile) {
			used[code] = true
			if _, ok := statuses[code]; !ok && !strings.HasPrefix(code, "country.") {
				t.Errorf("%s %s: the code %s has no status", one.method, one.path, code)
			}
		}
	}
	for code := range statuses {
		if !used[code] {
			t.Errorf("no operation gives the code %s", code)
		}
	}
	form := regexp.MustCompile(`^[a-z]+(-[a-z]+)*(\.[a-z0-9-]+)?$`)
	for code := range used {
		if !form.MatchString(code) {
			t.Errorf("%q is no code", code)
		}
	}
}

// shipped returns the services that the platform ships.
func shipped(t *testing.T, profile *country.Profile) []*service.Definition {
	t.Helper()
	asked := pack.Profile{
		Currency: profile.Currency, Languages: profile.Languages, Levels: profile.Territories.Levels(), Scheme: profile,
		Derived: map[string]pack.Derivation{},
	}
	for _, language := range profile.Languages {
		if from, derived := locale.Tag(language).DerivedFrom(); derived {
			asked.Derived[language] = pack.Derivation{From: string(from), With: func(text string) string { return locale.ToCyrillic(from, text) }}
		}
	}
	loaded, problems := pack.Load(packs.All(), asked, pack.Drafting)
	if problems.Failed() {
		t.Fatal(problems)
	}
	return loaded.Services()
}

// TestTheExampleOfEachServiceIsAccepted sends what the document shows, for every service that is shipped and the test's
// own, to the running API; and holds it to the schema beside it, with a validator of JSON Schema that is not ours.
func TestTheExampleOfEachServiceIsAccepted(t *testing.T) {
	w := newWorld(t)
	w.catalogue = service.NewCatalogue(append(shipped(t, w.Profile), w.subsidy()), nil)
	w.registers.silence(true)
	w.officer("00000000-0000-4000-8000-000000000000")
	w.serve()
	doc, raw := w.load()
	accepted := 0
	for _, one := range w.catalogue.All(w.subsidy().From.AddDays(365)) {
		name := strings.ReplaceAll(string(one.Path), "/", ".")
		request := doc.Components.Schemas[name]
		if request == nil || len(request.Value.Examples) == 0 {
			t.Errorf("%s has no documented example", one.Path)
			continue
		}
		into[Receipt](w.ask("POST", "/applications", w.resident, request.Value.Examples[0]), http.StatusCreated)
		accepted++

		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		w.must(err)
		compiler := jsonschema.NewCompiler()
		w.must(compiler.AddResource("openapi.json", document))
		schema, err := compiler.Compile("openapi.json#/components/schemas/" + name)
		w.must(err)
		if err := schema.Validate(plain(t, request.Value.Examples[0])); err != nil {
			t.Errorf("%s: its schema does not take its example: %v", one.Path, err)
		}
		changed := plain(t, request.Value.Examples[0]).(map[string]any)
		changed["answers"].(map[string]any)["no-such-question"] = "x"
		if schema.Validate(changed) == nil {
			t.Errorf("%s: its schema takes a question that it does not ask", one.Path)
		}
	}
	if accepted < 4 {
		t.Errorf("only %d services were tried", accepted)
	}
}

// officer lets a register say that whoever acts is an officer of the organisation.
func (w *world) officer(of ident.Organisation) {
	w.Helper()
	officers, err := register.NewCatalogue([]*register.Definition{{
		Path: "tax/officers", Held: register.HeldHere, Subject: "person",
		Relations: []register.Relation{{Name: "businesses", To: "business", Many: true, Represents: register.RepresentsOrganisation}},
	}})
	w.must(err)
	w.Representatives.Definitions = func() *register.Catalogue { return officers }
	w.Representatives.Registers = officeOf(of)
}

// officeOf is a register that names the organisation for everybody.
type officeOf ident.Organisation

func (o officeOf) Related(context.Context, string, ident.Subject) ([]ident.Subject, error) {
	return []ident.Subject{ident.Organisation(o).Subject()}, nil
}

func (o officeOf) AreRelated(_ context.Context, _ string, _, other ident.Subject) (bool, error) {
	return other == ident.Organisation(o).Subject(), nil
}

func (o officeOf) Answer(context.Context, *register.EvidenceType, ident.Subject) (map[string]any, []ident.Subject, error) {
	return nil, nil, nil
}

func plain(t *testing.T, value any) any {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestTheDocumentFollowsTheCatalogue(t *testing.T) {
	w := newWorld(t)
	before := w.ask("GET", "/openapi.json", "", nil)
	same := w.ask("GET", "/openapi.json", "", nil, "If-None-Match", before.header.Get("ETag"))
	if same.status != http.StatusNotModified {
		t.Errorf("the same document again is %d", same.status)
	}
	w.catalogue = service.NewCatalogue(nil, nil)
	w.serve()
	if doc, _ := w.load(); doc.Components.Schemas["youth.tools.answers"] != nil {
		t.Error("a service that is gone is still described")
	}
}

func TestExamplesOfPatterns(t *testing.T) {
	for _, pattern := range []string{`^[A-Z]{2}-\d{3}(x|y)?$`, `^\+998[0-9]{9}$`, `^[^a-z]+$`, `^(one|two) .\w*$`, `^a?b*c+$`} {
		expression := regexp.MustCompile(pattern)
		if got := exampleText(field.Definition{Kind: field.Text, Pattern: expression}); !expression.MatchString(got) {
			t.Errorf("%q is no example of %s", got, pattern)
		}
	}
}
