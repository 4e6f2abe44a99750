package packs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"yagona/kernel/field"
	"yagona/kernel/rules"
	"yagona/pack"
)

// fence is a fenced block of Markdown: its info string and its content.
var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "reference", "language.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheReferenceHasEveryKeyAndEveryWord(t *testing.T) {
	text := reference(t)
	var schema map[string]any
	if err := json.Unmarshal(pack.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	collect(schema, words)
	for _, kind := range field.Kinds {
		if kind != field.List { // a repeated question, which has no type
			words[string(kind)] = true
		}
	}
	if len(words) < 80 {
		t.Fatalf("the schema has only %d words", len(words))
	}
	for word := range words {
		if !strings.Contains(text, "`"+word+"`") && !strings.Contains(text, "`"+word+":") && !strings.Contains(text, " "+word+":") {
			t.Errorf("the reference lacks %s", word)
		}
	}
}

// collect takes the keys and the words to choose from out of a JSON Schema.
func collect(schema any, words map[string]bool) {
	switch s := schema.(type) {
	case map[string]any:
		for key, value := range s {
			switch list, isList := value.([]any); {
			case key == "properties":
				for name, property := range value.(map[string]any) {
					words[name] = true
					collect(property, words)
				}
			case key == "enum" && isList:
				for _, word := range list {
					words[word.(string)] = true
				}
			default:
				collect(value, words)
			}
		}
	case []any:
		for _, one := range s {
			collect(one, words)
		}
	}
}

// The expressions that the reference shows pass the checker, and use every function.
func TestTheExpressionsOfTheReferenceAreRight(t *testing.T) {
	day := rules.Field{Name: "date", Type: rules.Date}
	declare := func(noteAsked bool) *rules.Environment {
		environment, err := rules.NewEnvironment(
			rules.Field{Name: "ask", Type: rules.ObjectOf(
				rules.Field{Name: "trade", Type: rules.ChoiceOf("sewing", "welding")}, rules.Field{Name: "price", Type: rules.Money},
				rules.Field{Name: "note", Type: rules.Text, Optional: !noteAsked})},
			rules.Field{Name: "birth", Type: rules.ObjectOf(day)},
			rules.Field{Name: "earlier", Type: rules.ObjectOf(rules.Field{Name: "grantedOn", Type: rules.Date}), Optional: true},
			rules.Field{Name: "children", Type: rules.ListOf(rules.ObjectOf(
				rules.Field{Name: "born", Type: rules.Date}, rules.Field{Name: "allowance", Type: rules.Money}))},
			rules.Field{Name: "param", Type: rules.ObjectOf(rules.Field{Name: "brv", Type: rules.Money}, rules.Field{Name: "pause", Type: rules.Int})},
			rules.Field{Name: "submitted", Type: rules.Date}, rules.Field{Name: "decided", Type: rules.Date})
		if err != nil {
			t.Fatal(err)
		}
		return environment
	}
	shown := ""
	for _, block := range fence.FindAllStringSubmatch(reference(t), -1) {
		if block[1] == "cel" {
			shown += block[2]
		}
	}
	lines := strings.Split(strings.TrimSpace(shown), "\n")
	for i, line := range lines {
		environment := declare(i == len(lines)-1)
		if _, err := environment.Compile(line, rules.KindBool, rules.KindMoney); err != nil {
			t.Errorf("%s\n%v", line, err)
		}
	}
	for _, name := range []string{
		"age", "years", "months", "days", "year", "month", "day", "date", "plusDays", "plusMonths", "plusYears", "range", "least",
		"greatest", "sum", "percent", "positive", "size", "startsWith", "endsWith", "contains", "has", "all", "exists", "exists_one",
		"filter", "map",
	} {
		if !strings.Contains(shown, name+"(") {
			t.Errorf("no expression of the reference shows %s()", name)
		}
	}
}
