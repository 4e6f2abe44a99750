package practice

import (
	"strings"
	"testing"
	"testing/fstest"
)

const written = `order: 1
title: {uz-Latn: Dars, en: Lesson}
about: {uz-Latn: Nima, en: What}
steps: [{uz-Latn: Qadam, en: A step}]
resident: neighbour
prepared: true
cases: [{agency: a, role: r, service: p/s, answers: {trade: sewing}}]
done: [{did: [read]}, {did: [recommend, approve]}]
never: [refuse]
`

var spoken = []string{"uz-Latn", "uz-Cyrl", "en"}

func TestALessonIsReadWithItsDerivedTexts(t *testing.T) {
	second := strings.Replace(written, "order: 1", "order: 0", 1)
	all, err := Load(fstest.MapFS{"decide.yaml": {Data: []byte(written)}, "earlier.yaml": {Data: []byte(second)}}, spoken)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Name != "earlier" || all[1].Name != "decide" {
		t.Fatalf("the lessons are not in their order: %v", all)
	}
	if title := all[1].Title["uz-Cyrl"]; title != "Дарс" {
		t.Errorf("in Uzbek Cyrillic it is called %q", title)
	}
	if one := all[1].Cases[0]; one.Answers["trade"] != "sewing" || all[1].Done[1].Name() != "decide" {
		t.Errorf("the case is %+v", one)
	}
}

func TestALessonThatIsWronglyWrittenIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"an unknown key":                   {"order: 1", "ordr: 1", "unknown field"},
		"a language is missing":            {"{uz-Latn: Nima, en: What}", "{uz-Latn: Nima}", "a text lacks en"},
		"a language that nobody speaks":    {"en: What}", "en: What, fr: Quoi}", "fr is not spoken"},
		"nothing is ever seen of it":       {"[recommend, approve]", "[recomend]", "cannot be seen"},
		"nothing is to be done":            {"done: [{did: [read]}, {did: [recommend, approve]}]", "done: []", "when it is done"},
		"a refusal without its reason":     {"[read]", "[refused]", "because goes with refused"},
		"nobody whom it is about":          {"neighbour", "stranger", "is no resident"},
		"a relative's case waits":          {"neighbour", "relative", "goes to somebody else"},
		"answers that nobody sends":        {"prepared: true\n", "", "take them out"},
		"what spoils a case that is not":   {"prepared: true\n", "", "last-day and never"},
		"a case of no service":             {"service: p/s, ", "", "agency, role and service"},
		"steps that are not written":       {"steps: [{uz-Latn: Qadam, en: A step}]", "steps: []", "write them"},
		"an answer that is no YAML at all": {"{trade: sewing}", "{trade: [}", "decide.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(written, test.from) {
				t.Fatalf("the lesson has no %q", test.from)
			}
			_, err := Load(fstest.MapFS{"decide.yaml": {Data: []byte(strings.Replace(written, test.from, test.to, 1))}}, spoken)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "decide.yaml") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := Load(fstest.MapFS{}, spoken); err == nil {
		t.Error("a folder without a lesson is read")
	}
}
