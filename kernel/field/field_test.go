package field_test

import (
	"testing"

	"yagona/kernel/calendar"
	"yagona/kernel/field"
)

func TestADateDoesNotPrecedeTheOneThatItFollows(t *testing.T) {
	fields := []field.Definition{
		{Name: "from", Kind: field.Date, Optional: true},
		{Name: "until", Kind: field.Date, Optional: true, NotBefore: "from"},
	}
	march := func(day int) calendar.Date { return calendar.Date{Year: 2026, Month: 3, Day: day} }
	for name, one := range map[string]struct {
		values map[string]any
		asked  bool // whether the first is asked for
		wrong  bool
	}{
		"a later day":                           {map[string]any{"from": march(10), "until": march(11)}, true, false},
		"the same day":                          {map[string]any{"from": march(10), "until": march(10)}, true, false},
		"an earlier day":                        {map[string]any{"from": march(10), "until": march(9)}, true, true},
		"no first day":                          {map[string]any{"until": march(9)}, true, false},
		"a first day that is asked for no more": {map[string]any{"from": march(10), "until": march(9)}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := field.CheckAll(nil, fields, one.values, func(name string) bool { return name == "from" && !one.asked })
			if one.wrong != (len(problems) == 1 && problems[0].Code == "field.before" && problems[0].Field == "until") || !one.wrong && len(problems) > 0 {
				t.Error(problems)
			}
		})
	}
}
