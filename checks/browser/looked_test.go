package browser

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"yagona/locale"
)

// looks counts what was looked at, so that nobody has to believe that a faster way looks at as much.
type looks struct {
	mu        sync.Mutex
	pages     int                // guarded by mu: each as often as it was looked at, in each language
	languages map[locale.Tag]int // guarded by mu: looks at a page in a language, one for each width
	widths    map[int64]int      // guarded by mu: looks at a page of a width, one for each language
	runs      map[int]int        // guarded by mu: how often axe-core ran, by the number of its rules
}

var looked = &looks{languages: map[locale.Tag]int{}, widths: map[int64]int{}, runs: map[int]int{}}

// page counts a page that is looked at.
func (l *looks) page() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages++
}

// at counts that a page is looked at in a language and a width.
func (l *looks) at(language locale.Tag, width int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.languages[language]++
	l.widths[width]++
}

// axe counts that axe-core ran with so many rules.
func (l *looks) axe(rules int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[rules]++
}

// String tells it, in the order of the keys.
func (l *looks) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var told strings.Builder
	fmt.Fprintf(&told, "%d pages were looked at;", l.pages)
	for _, language := range slices.Sorted(maps.Keys(l.languages)) {
		fmt.Fprintf(&told, " %s %d", language, l.languages[language])
	}
	told.WriteString("; pixels")
	for _, width := range slices.Sorted(maps.Keys(l.widths)) {
		fmt.Fprintf(&told, " %d: %d", width, l.widths[width])
	}
	told.WriteString("; axe-core ran")
	for _, rules := range slices.Sorted(maps.Keys(l.runs)) {
		fmt.Fprintf(&told, " %d times with %d rules", l.runs[rules], rules)
	}
	return told.String()
}
