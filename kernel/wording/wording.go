// Package wording owns a text that exists in several languages, and a phrase that can be said in several.
package wording

import "slices"

// Text is one text by language tag: {"uz-Latn": "…", "ru": "…"}. A compiled pack's texts are complete in the languages of
// the country profile.
type Text map[string]string

// In returns the text in the first of the languages that it exists in, or else in any of its languages.
func (t Text) In(tags ...string) string {
	for _, tag := range tags {
		if text, ok := t[tag]; ok {
			return text
		}
	}
	var known []string
	for tag := range t {
		known = append(known, tag)
	}
	if len(known) == 0 {
		return ""
	}
	slices.Sort(known)
	return t[known[0]]
}
