package document

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/fault"
)

func TestContentComesBackAsItWasEncoded(t *testing.T) {
	want := exampleContent()
	encoded, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeContent(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadContentIsRefused(t *testing.T) {
	many := func(n int) []Line {
		lines := make([]Line, n)
		for i := range lines {
			lines[i] = Line{Label: "a", Value: "b", Checked: true}
		}
		return lines
	}
	for name, test := range map[string]struct {
		code, field string
		spoil       func(*Content)
	}{
		"no id":               {"ident.malformed", "", func(c *Content) { c.ID = "12" }},
		"a type in capitals":  {"document.invalid", "type", func(c *Content) { c.Type = "Decision" }},
		"a service alone":     {"document.invalid", "service", func(c *Content) { c.Service = "tools-subsidy" }},
		"no agency":           {"document.invalid", "agency", func(c *Content) { c.Agency = "" }},
		"a node with an @":    {"document.invalid", "node", func(c *Content) { c.Node = "a@b" }},
		"a script as link":    {"document.invalid", "link", func(c *Content) { c.Link = "javascript:alert(1)" }},
		"a link that breaks":  {"document.invalid", "link", func(c *Content) { c.Link += " )" }},
		"a long link":         {"document.invalid", "link", func(c *Content) { c.Link += strings.Repeat("a", maxLink) }},
		"half a second":       {"document.invalid", "issued", func(c *Content) { c.Issued = c.Issued.Add(1) }},
		"no time of issue":    {"document.invalid", "issued", func(c *Content) { c.Issued = time.Time{} }},
		"another zone":        {"document.invalid", "issued", func(c *Content) { c.Issued = c.Issued.In(time.FixedZone("", 3600)) }},
		"over before it is":   {"document.invalid", "until", func(c *Content) { c.Until = c.Issued }},
		"over before it came": {"document.invalid", "until", func(c *Content) { c.From = c.Until }},
		"no text that counts": {"document.invalid", "texts", func(c *Content) { c.Authoritative = "kaa" }},
		"two in one language": {"document.invalid", "texts", func(c *Content) { c.Texts[0] = exampleLatin() }},
		"half a translation":  {"document.invalid", "texts", func(c *Content) { c.Texts[0].Lines = c.Texts[0].Lines[1:] }},
		"a reason too few":    {"document.invalid", "texts", func(c *Content) { c.Texts[0].Reasons = nil }},
		"no such language":    {"document.invalid", "texts.language", func(c *Content) { c.Texts[0].Language = "russian language" }},
		"a title of spaces":   {"document.invalid", "texts", func(c *Content) { c.Texts[0].Title = " " }},
		"a letter of Chinese": {"document.unprintable", "lines.value", func(c *Content) { c.Texts[0].Lines[0].Value = "中" }},
		"a bell":              {"document.unprintable", "reasons", func(c *Content) { c.Texts[0].Reasons[0] = "a\a" }},
		"a turned direction":  {"document.unprintable", "title", func(c *Content) { c.Texts[0].Title = "a\u202eb" }},
		"bad UTF-8":           {"document.invalid", "basis", func(c *Content) { c.Texts[0].Basis[0] = "\xff" }},
		"a novel":             {"document.too-long", "contest", func(c *Content) { c.Texts[0].Contest = strings.Repeat("ў", maxLetters+1) }},
		"a long heading":      {"document.too-long", "headings.check", func(c *Content) { c.Texts[0].Headings.Check = strings.Repeat("ў", 241) }},
		"seven checked lines": {"document.too-many-facts", "lines", func(c *Content) { c.Texts[0].Lines, c.Texts[1].Lines = many(7), many(7) }},
		"a thousand lines":    {"document.too-many-lines", "lines", func(c *Content) { c.Texts[0].Lines = many(1000) }},
	} {
		t.Run(name, func(t *testing.T) {
			content := exampleContent()
			test.spoil(&content)
			_, err := content.encode()
			if fault.Code(err) != test.code || fault.Of(err).Field != test.field {
				t.Errorf("got %v, want %s at %q", err, test.code, test.field)
			}
		})
	}
}

func TestAContentThatIsTooLargeInAllIsRefused(t *testing.T) {
	content := exampleContent(exampleLatin())
	for range 150 {
		content.Texts[0].Reasons = append(content.Texts[0].Reasons, strings.Repeat("a ", maxLetters/2))
	}
	if _, err := content.encode(); fault.Code(err) != "document.too-large" {
		t.Errorf("got %v", err)
	}
}

// 10,000 letters of two bytes each are as many as 10,000 of one.
func TestLengthIsCountedInCharacters(t *testing.T) {
	content := exampleContent(exampleLatin())
	content.Texts[0].Contest = strings.Repeat("ў", maxLetters)
	if _, err := content.encode(); err != nil {
		t.Error(err)
	}
}

func TestLettersAreComposed(t *testing.T) {
	content := exampleContent(exampleLatin())
	content.Texts[0].Title = "g\u0301a\u0301 у\u0306"
	if _, err := content.encode(); err != nil {
		t.Fatal(err) // marks are printable, but not placed
	}
	composed := content.compose()
	if got := composed.Texts[0].Title; got != "ǵá ў" {
		t.Errorf("became %+q", got)
	}
	if content.Texts[0].Title != "g\u0301a\u0301 у\u0306" {
		t.Error("the caller's content was changed")
	}
}

func TestState(t *testing.T) {
	from, until := exampleIssued, exampleIssued.Add(time.Hour)
	for _, test := range []struct {
		name        string
		from, until time.Time
		revoked     bool
		suspended   bool
		now         time.Time
		want        State
	}{
		{"a second before", from, until, false, false, from.Add(-time.Second), NotYetValid},
		{"the first second", from, until, false, false, from, Valid},
		{"the last moment", from, until, false, false, until.Add(-1), Valid},
		{"the end", from, until, false, false, until, Expired},
		{"without end", from, time.Time{}, false, false, until.AddDate(100, 0, 0), Valid},
		{"revoked before it began", from, until, true, false, from.Add(-time.Second), Revoked},
		{"suspended", from, until, true, true, from, Suspended},
		{"revoked, then over", from, until, true, false, until, Revoked},
	} {
		if got := stateAt(test.from, test.until, test.revoked, test.suspended, test.now); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
