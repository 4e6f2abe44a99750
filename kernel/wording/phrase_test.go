package wording_test

import (
	"testing"

	"yagona/kernel/wording"
)

func TestAPhraseIsEnglishByItself(t *testing.T) {
	for _, one := range []struct {
		said wording.Phrase
		want string
	}{
		{wording.Phrase{}, ""},
		{wording.Say("remove it"), "remove it"},
		{wording.Say("write %s", wording.Say("%s or %s", "true", "false")), "write true or false"},
		{wording.Say("this is not YAML: %s", wording.English("a colon")), "this is not YAML: a colon"},
		{wording.Verbatim("10 % 3"), "10 % 3"},
	} {
		if got := one.said.String(); got != one.want {
			t.Errorf("%#v is said as %q, want %q", one.said, got, one.want)
		}
	}
}
