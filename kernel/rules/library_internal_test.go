package rules

import (
	"strings"
	"testing"
)

func TestEveryFunctionHasASignatureForPeople(t *testing.T) {
	declared := map[string]bool{}
	for _, f := range library() {
		if !strings.ContainsAny(f.Name(), "_@!") {
			declared[f.Name()] = true
			if signatures[f.Name()].Format == "" {
				t.Errorf("%s() has no signature", f.Name())
			}
		}
	}
	for name := range signatures {
		if !declared[name] {
			t.Errorf("%s() has a signature and does not exist", name)
		}
	}
}
