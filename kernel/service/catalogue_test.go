package service_test

import (
	"testing"
	"time"

	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/service"
)

// TestWhichVersionTakesNewApplications holds the catalogue to the order of publication.
func TestWhichVersionTakesNewApplications(t *testing.T) {
	day := func(day int) calendar.Date { return calendar.Date{Year: 2026, Month: time.March, Day: day} }
	version := func(hash string, from int) *service.Definition {
		return &service.Definition{Path: "youth/tools", Hash: hash, From: day(from)}
	}
	for name, test := range map[string]struct {
		published []*service.Definition
		closed    []string
		want      string
	}{
		"the only one":                                 {[]*service.Definition{version("a", 1)}, nil, "a"},
		"one whose day has not come":                   {[]*service.Definition{version("a", 1), version("b", 20)}, nil, "a"},
		"a correction from the same day":               {[]*service.Definition{version("b", 1), version("a", 1)}, nil, "a"},
		"one that was replaced before its day":         {[]*service.Definition{version("a", 1), version("b", 9), version("c", 5)}, nil, "c"},
		"of a closed one the one before it":            {[]*service.Definition{version("a", 1), version("b", 1)}, []string{"b"}, "a"},
		"none, if all are closed or their day is late": {[]*service.Definition{version("a", 1), version("b", 20)}, []string{"a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			closed := map[string]bool{}
			for _, hash := range test.closed {
				closed[hash] = true
			}
			open, err := service.NewCatalogue(test.published, closed).Open("youth/tools", day(10))
			if test.want == "" {
				if fault.Code(err) != "service.closed" {
					t.Errorf("got %v, %v", open, err)
				}
				return
			}
			if err != nil || open.Hash != test.want {
				t.Errorf("got %v, %v, want %s", open, err, test.want)
			}
		})
	}
}
