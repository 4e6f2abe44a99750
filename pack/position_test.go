package pack_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"yagona/pack"
)

// A place is line and column in characters, also behind letters that take several bytes, and inside an expression in
// every style of writing it.
func TestPlacesAreExact(t *testing.T) {
	for name, line := range map[string]string{
		"behind Cyrillic":  `  - {otherwise: "Ўзбекча сўз", id: member, that: membership.membr}`,
		"plain":            `  - {id: member, otherwise: Join., that: membership.membr}`,
		"quoted":           `  - {id: member, otherwise: Join., that: "membership.membr"}`,
		"block":            "  - id: member\n    otherwise: Join.\n    that: |\n      true &&\n        membership.membr",
		"Cyrillic literal": `  - {id: member, otherwise: Join., that: "\"ўқ\" == \"x\" || membership.membr"}`,
		"single quotes":    `  - {id: member, otherwise: Join., that: 'true || ''a'' == "b" || membership.membr'}`,
		"escapes":          `  - {id: member, otherwise: Join., that: "\x22a\u0022 == \"b\" || membership.membr"}`,
	} {
		t.Run(name, func(t *testing.T) {
			files := scaffolded(t, "health")
			const path = "services/membership-certificate.yaml"
			before, rest, ok := strings.Cut(string(files[path].Data), "  - id: member\n")
			_, after, _ := strings.Cut(rest, "\n\n")
			if !ok {
				t.Fatal("the scaffold has changed")
			}
			text := before + line + "\n\n" + after
			files[path] = &fstest.MapFile{Data: []byte(text)}
			_, problems := pack.Load([]pack.Source{{FS: files}}, profile(), pack.Drafting)
			if len(problems) != 1 || !strings.Contains(problems[0].Message.String(), "no field membr") {
				t.Fatal(problems)
			}
			at := []rune(strings.Split(text, "\n")[problems[0].Line-1])
			found := string(at[problems[0].Column-1:])
			// CEL places a faulty selection at its dot.
			if !strings.HasPrefix(found, ".membr") {
				t.Errorf("%d:%d is %q", problems[0].Line, problems[0].Column, found)
			}
		})
	}
}
