package pack_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"yagona/pack"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(pack.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("pack.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("pack.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, file []byte) error {
	t.Helper()
	data, err := yaml.YAMLToJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(document)
}

func TestTheSchemaAcceptsWhatTheReaderAccepts(t *testing.T) {
	schema := compiledSchema(t)
	files := 0
	check := func(packs map[string]fstest.MapFS) {
		for folder, pack := range packs {
			for name, file := range pack {
				files++
				if err := validate(t, schema, file.Data); err != nil {
					t.Errorf("%s/%s: %v", folder, name, err)
				}
			}
		}
	}
	check(national(t))
	check(map[string]fstest.MapFS{"new": scaffolded(t, "new")})
	locale := fstest.MapFS{"locale/kk.yaml": {Data: []byte("language: kk\ntexts:\n  pack.title: {source: 645abbec, text: Kkk}\n")}}
	check(map[string]fstest.MapFS{"locale": locale})
	if files < 15 {
		t.Errorf("only %d files", files)
	}
}

func TestTheSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	schema := compiledSchema(t)
	subsidy := string(national(t)["youth"]["services/tools-subsidy.yaml"].Data)
	for old, changed := range map[string]string{
		"summary:":                  "sumary:",
		"version: 1":                "version: first",
		"from: 2026-03-01":          "from: March",
		"late: escalate":            "late: never",
		"within: 3 working days":    "within: 3 days",
		"of: applicant":             "of: everybody",
		"for: person ":              "for: cat ",
		"type: choice":              "type: selection",
		"fresh: 1 day":              "fresh: soon",
		"{outcome: granted":         "{outcome: perhaps",
		"from: employment/unemploy": "from: employment:unemploy",
	} {
		if !strings.Contains(subsidy, old) {
			t.Fatalf("the subsidy does not hold %q", old)
		}
		faulty := strings.Replace(subsidy, old, changed, 1)
		if err := validate(t, schema, []byte(faulty)); err == nil {
			t.Errorf("the schema accepts %q", changed)
		}
		packs := national(t)
		packs["youth"]["services/tools-subsidy.yaml"] = &fstest.MapFile{Data: []byte(faulty)}
		if _, problems := pack.Load(sources(packs), profile(), pack.Drafting); !problems.Failed() {
			t.Errorf("the reader accepts %q", changed)
		}
	}
}

// The sketches of the decision record use the language's keys, or words that it says are taken for later.
func TestTheSketchesOfTheShapesUseTheLanguage(t *testing.T) {
	record, err := os.ReadFile(filepath.Join("..", "docs", "adr", "0003-shapes-of-the-language.md"))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(pack.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	known := func(key string) bool {
		for _, def := range []string{"service", "register", "step"} {
			if _, ok := schema.Defs[def].Properties[key]; ok {
				return true
			}
		}
		return false
	}
	_, consequences, _ := strings.Cut(string(record), "## Consequences")
	blocks := strings.Split(string(record), "```yaml\n")[1:]
	if len(blocks) != 18 {
		t.Errorf("%d sketches of 18 shapes", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		var sketch any
		if err := yaml.Unmarshal([]byte(block), &sketch); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
		for line := range strings.Lines(block) {
			key, _, found := strings.Cut(line, ":")
			if !found || strings.ContainsAny(key, " #-") || known(key) {
				continue
			}
			if !strings.Contains(consequences, "`"+key+"`") {
				t.Errorf("%s is neither in the language nor taken for later", key)
			}
		}
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	var schema struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(pack.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := 0
	for name, def := range schema.Defs {
		var object struct {
			Properties map[string]struct{ Description string }
			AnyOf      []struct {
				Properties map[string]struct{ Description string }
			}
		}
		if err := json.Unmarshal(def, &object); err != nil {
			t.Fatal(err)
		}
		if len(object.AnyOf) == 2 {
			object.Properties = object.AnyOf[1].Properties
		}
		for key, property := range object.Properties {
			keys++
			if !strings.HasSuffix(property.Description, ".") {
				t.Errorf("%s.%s has no description that is a sentence", name, key)
			}
		}
	}
	if keys < 100 {
		t.Errorf("only %d keys", keys)
	}
}
