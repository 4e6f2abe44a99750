// Package search owns finding services by what people type.
//
// It hands services to the portal, the best match first. It forgives: Uzbek in Latin or Cyrillic letters and Russian
// share one key (locale.Fold), any apostrophe or none, endings, a wrong or missing letter, a part of a word; and it
// looks in the texts of all languages, so that a Russian word finds what the reader's page calls in Uzbek.
//
// Invariants: an index never changes after it was made; it holds no personal data, and what was searched for is not
// kept.
package search

import (
	"cmp"
	"slices"
	"strings"

	"yagona/locale"
)

// Weights of where a word stands: the title says most about a service.
const (
	Title   = 8
	Event   = 5
	Summary = 3
	Other   = 1
)

// Text is a text of a thing, in any language, and how much a word in it says about the thing.
type Text struct {
	Text   string
	Weight int
}

// Index finds things by the words of their texts. A thing is its position in what New was given.
type Index struct {
	words    []word // sorted
	postings [][]posting
}

// word is a key and its letters, which are compared with those of every query.
type word struct {
	text    string
	letters []rune
}

func newWord(text string) word { return word{text, []rune(text)} }

type posting struct{ thing, weight int }

// New returns the index of things, each with its texts.
func New(things [][]Text) *Index {
	best := map[string]map[int]int{}
	for thing, texts := range things {
		for _, text := range texts {
			for _, word := range wordsOf(text.Text) {
				if best[word] == nil {
					best[word] = map[int]int{}
				}
				best[word][thing] = max(best[word][thing], text.Weight)
			}
		}
	}
	index := &Index{}
	for text := range best {
		index.words = append(index.words, newWord(text))
	}
	slices.SortFunc(index.words, func(a, b word) int { return cmp.Compare(a.text, b.text) })
	for _, one := range index.words {
		var list []posting
		for thing, weight := range best[one.text] {
			list = append(list, posting{thing, weight})
		}
		index.postings = append(index.postings, list)
	}
	return index
}

// longest is how many words of a query count: nobody types more to find a service.
const longest = 12

func wordsOf(text string) []string {
	words := strings.Fields(locale.Fold(text))
	return slices.DeleteFunc(words, func(word string) bool { return len(word) < 2 && word != "" && (word[0] < '0' || word[0] > '9') })
}

// Find returns the things that a query means, the best first, at most as many as asked for. At least half of the query's
// words must be found in a thing.
func (x *Index) Find(query string, most int) []int {
	asked := wordsOf(query)
	asked = asked[:min(len(asked), longest)]
	score, found := map[int]int{}, map[int]int{}
	for _, text := range asked {
		best, typed := map[int]int{}, newWord(text)
		for i, known := range x.words {
			likeness := alike(typed, known)
			if likeness == 0 {
				continue
			}
			for _, one := range x.postings[i] {
				best[one.thing] = max(best[one.thing], likeness*one.weight)
			}
		}
		for thing, points := range best {
			score[thing] += points
			found[thing]++
		}
	}
	var things []int
	for thing := range score {
		if 2*found[thing] >= len(asked) {
			things = append(things, thing)
		}
	}
	slices.SortFunc(things, func(a, b int) int {
		return cmp.Or(cmp.Compare(found[b], found[a]), cmp.Compare(score[b], score[a]), cmp.Compare(a, b))
	})
	return things[:min(len(things), max(most, 0))]
}

// alike says how alike two words are, 0 to 100: the same; one begins the other (as typed so far); they share their stem
// and differ in endings; a part of a word; one or two letters wrong.
func alike(asked, known word) int {
	switch {
	case asked.text == known.text:
		return 100
	case strings.HasPrefix(known.text, asked.text):
		return 85
	}
	length := len(asked.letters)
	if length < 3 {
		return 0
	}
	if stem := shared(asked.letters, known.letters); stem >= 4 && 5*stem >= 3*max(length, len(known.letters)) {
		return 70
	}
	if strings.Contains(known.text, asked.text) {
		return 50
	}
	allowed := 0
	switch {
	case length >= 8:
		allowed = 2
	case length >= 4:
		allowed = 1
	}
	if allowed > 0 && mistakes(asked.letters, known.letters, allowed) <= allowed {
		return 40
	}
	return 0
}

// shared returns how many letters two words have in common at their beginning.
func shared(a, b []rune) (count int) {
	for count < min(len(a), len(b)) && a[count] == b[count] {
		count++
	}
	return count
}

// mistakes returns how many letters of what was typed are wrong, missing, too many or swapped with their neighbour
// (optimal string alignment), against the beginning of a word of about that length: endings do not count. More than the
// limit is told as limit+1.
func mistakes(asked, known []rune, limit int) int {
	if len(known) < len(asked)-limit {
		return limit + 1
	}
	known = known[:min(len(known), len(asked)+limit)]
	two, one, row := make([]int, len(known)+1), make([]int, len(known)+1), make([]int, len(known)+1)
	for j := range one {
		one[j] = j
	}
	for i, letter := range asked {
		row[0] = i + 1
		least := row[0]
		for j, other := range known {
			cost := 1
			if letter == other {
				cost = 0
			}
			row[j+1] = min(one[j]+cost, one[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && letter == known[j-1] && asked[i-1] == other {
				row[j+1] = min(row[j+1], two[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit + 1
		}
		two, one, row = one, row, two
	}
	return slices.Min(one)
}
