package search_test

import (
	"slices"
	"testing"

	"yagona/web/search"
)

var things = [][]search.Text{
	{
		{"Mustaqil ishlash uchun asbob olishga subsidiya", search.Title},
		{"Субсидия на покупку инструментов для самозанятости", search.Title},
		{"Subsidy to buy tools for self-employment", search.Title},
		{"Ishsiz qolish", search.Event},
		{"Oʻz ishini boshlagan yosh fuqaroga bir martalik toʻlov", search.Summary},
	},
	{
		{"Ishsizlik maʼlumotnomasi", search.Title},
		{"Справка о регистрации безработным", search.Title},
		{"Certificate of registration as unemployed", search.Title},
		{"Ishsiz qolish", search.Event},
	},
	{
		{"Uy-joyni nogironlikka moslashtirish granti", search.Title},
		{"Грант на приспособление жилья для человека с инвалидностью", search.Title},
		{"Grant to adapt a home to a disability", search.Title},
	},
}

const tools, certificate, home = 0, 1, 2

func TestSearchForgives(t *testing.T) {
	index := search.New(things)
	for query, want := range map[string]int{
		"subsidiya":       tools,
		"субсидия":        tools,
		"субсидию":        tools,
		"subsidya":        tools, // a letter is missing
		"субсидя":         tools,
		"subsdiy":         tools,
		"tolov":           tools, // without its apostrophe
		"toʻlov":          tools,
		"to'lov":          tools,
		"to`lov":          tools,
		"to’lov":          tools,
		"тўлов":           tools, // in Cyrillic
		"instrumnet":      tools, // swapped, and in Latin letters what is Russian
		"employment self": tools,
		"self":            tools,
		"maʼlumotnoma":    certificate,
		"malumotnoma":     certificate,
		"маълумотнома":    certificate,
		"справка":         certificate,
		"безработный":     certificate,
		"спрвака":         certificate,
		"unemployd":       certificate,
		"nogironlik":      home,
		"ногиронлик":      home,
		"инвалид":         home,
		"UY JOY":          home,
		"adapt my home":   home, // a word that stands nowhere
		"пособие жильё":   home,
	} {
		if found := index.Find(query, 1); !slices.Equal(found, []int{want}) {
			t.Errorf("%q finds %v, want %d", query, found, want)
		}
	}
	for _, nothing := range []string{"", " ", "?", "a", "pasport", "zzzzzz", "паспорт космонавта"} {
		if found := index.Find(nothing, 5); len(found) > 0 {
			t.Errorf("%q finds %v", nothing, found)
		}
	}
}

func TestWhatFitsBestComesFirst(t *testing.T) {
	index := search.New(things)
	if found := index.Find("ishsiz qolish maʼlumotnoma", 5); len(found) < 2 || found[0] != certificate || found[1] != tools {
		t.Errorf("found %v", found)
	}
	if found := index.Find("ishsiz", 1); len(found) != 1 {
		t.Errorf("found %d, at most 1 was asked for", len(found))
	}
}

// A country has some thousand services. Answers as one types must come at once.
func BenchmarkFind(b *testing.B) {
	var many [][]search.Text
	for i := range 1000 {
		texts := slices.Clone(things[i%len(things)])
		for _, letter := range "abcdefghijklmnop" {
			texts = append(texts, search.Text{Text: string([]rune{letter, rune('a' + i%26), rune('a' + i/26%26), rune('a' + i/676), 'o', 'z'}), Weight: search.Other})
		}
		many = append(many, texts)
	}
	index := search.New(many)
	for b.Loop() {
		index.Find("subsidya olish uchun ishsiz", 8)
	}
}

func FuzzFind(f *testing.F) {
	index := search.New(things)
	f.Add("субсидия ʻ")
	f.Fuzz(func(t *testing.T, query string) {
		if found := index.Find(query, 2); len(found) > 2 {
			t.Errorf("%d found", len(found))
		}
	})
}
