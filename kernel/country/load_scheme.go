package country

import (
	"regexp"
	"slices"
	"strconv"

	"yagona/kernel/ident"
)

// scheme checks one identifier scheme.
func (l *loader) scheme(doc *document, entry *schemeEntry, key string) *Scheme {
	before := len(l.faults)
	s := &Scheme{Name: entry.Name, Example: entry.Example, Source: entry.Source, source: entry.Pattern}
	if !ident.IsName(s.Name) {
		doc.fail(l, path{key, "name"}, "%q is no name; write lower-case Latin words joined by hyphens", s.Name)
	}
	s.Labels = doc.texts(l, path{key, "labels"}, entry.Labels)
	pattern, err := regexp.Compile(`^(?:` + entry.Pattern + `)$`)
	if err != nil || entry.Pattern == "" {
		doc.fail(l, path{key, "pattern"}, "the pattern is no regular expression of RE2; correct it")
	}
	s.pattern = pattern
	if entry.Source == "" {
		doc.fail(l, path{key, "source"}, "the source is missing; name the act or document that defines the scheme")
	}
	s.check = l.checkDigit(doc, entry.Check, path{key, "check"})
	s.layout = l.layout(doc, entry, s.check != nil, path{key, "layout"})
	if len(l.faults) > before {
		return s
	}
	if err := s.Validate(s.Example); err != nil || (s.layout != nil && len(s.Example) != s.length()) {
		doc.fail(l, path{key, "example"}, "the example does not fit the scheme; correct it or the scheme")
	}
	return s
}

func (l *loader) checkDigit(doc *document, entry *checkEntry, at path) *checkDigit {
	if entry == nil {
		return nil
	}
	if len(entry.Weights) == 0 || slices.ContainsFunc(entry.Weights, func(w int) bool { return w < 0 || w > 100 }) {
		doc.fail(l, append(at, "weights"), "weights are one or more whole numbers from 0 to 100; write them")
	}
	if entry.Modulus < 2 || entry.Modulus > 11 {
		doc.fail(l, append(at, "modulus"), "the modulus is a whole number from 2 to 11; write it")
		return nil
	}
	return &checkDigit{entry.Weights, entry.Modulus, entry.Complement}
}

var cohortCode = regexp.MustCompile(`^([0-9]{2}00)-(male|female)$`)

func (l *loader) layout(doc *document, entry *schemeEntry, checked bool, at path) []part {
	var layout []part
	seen := map[partKind]bool{}
	for i, e := range entry.Layout {
		here := append(slices.Clone(at), i)
		p := part{kind: partKind(e.Part), digits: e.Digits, codes: map[cohort]string{}}
		switch p.kind {
		case partDay, partMonth, partYear:
			if p.digits != 2 {
				doc.fail(l, append(here, "digits"), "a %s has 2 digits; write 2", p.kind)
			}
		case partSerial:
			if p.digits < 1 || p.digits > 18 {
				doc.fail(l, append(here, "digits"), "a serial has 1 to 18 digits; write how many")
			}
		case partCheck:
			if p.digits != 1 || !checked || i != len(entry.Layout)-1 {
				doc.fail(l, here, "a check is 1 digit, the last, and needs a check rule; correct the layout")
			}
		case partFixed:
			p.digits = len(e.Value)
			p.codes[cohort{}] = e.Value
		case partCentury:
			l.cohorts(doc, e, p, here)
		default:
			doc.fail(l, append(here, "part"), "%q is no part; write one of %s, day, month, year, serial, fixed, check",
				e.Part, partCentury)
		}
		if seen[p.kind] && p.kind != partFixed {
			doc.fail(l, here, "the part %s stands twice; write it once", p.kind)
		}
		seen[p.kind] = true
		layout = append(layout, p)
	}
	dated := []bool{seen[partCentury], seen[partYear], seen[partMonth], seen[partDay]}
	if slices.Contains(dated, true) && slices.Contains(dated, false) {
		doc.fail(l, at, "a date of birth needs %s, year, month and day; add what is missing", partCentury)
	}
	return layout
}

func (l *loader) cohorts(doc *document, e partEntry, p part, here path) {
	if len(e.Codes) == 0 {
		doc.fail(l, here, "codes are missing; write a digit for each century and sex, like 1900-male: \"3\"")
	}
	codes := map[string]bool{}
	for who, code := range e.Codes {
		match := cohortCode.FindStringSubmatch(who)
		if match == nil || len(code) != e.Digits || codes[code] {
			doc.fail(l, append(slices.Clone(here), "codes"),
				"%q is no century and sex with a code of its own; write for example 1900-male: \"3\"", who)
			continue
		}
		codes[code] = true
		century, _ := strconv.Atoi(match[1])
		p.codes[cohort{century, Sex(match[2])}] = code
	}
}
