package packs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yagona/kernel/calendar"
	"yagona/packs/demo"
)

// The people and the place that the tutorial names are those of the demonstration.
func TestTheTutorialNamesWhoIsThere(t *testing.T) {
	p := profile(t)
	people, err := demo.Generate(1, p, calendar.Date{Year: 2026, Month: time.March, Day: 2}, 100)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "docs", "tutorials", "first-service.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := []string{string(people.Home), strings.TrimSuffix(p.Territories.Name(people.Home, "en"), " mahalla")}
	for _, name := range []demo.Persona{demo.Jobless, demo.Chair} {
		persona := people.Persona(name)
		if persona.Residence != people.Home {
			t.Errorf("%s does not live where the tutorial says", name)
		}
		named = append(named, persona.FamilyName+" "+persona.GivenName)
	}
	above := p.Territories.Path(people.Home)
	for _, code := range above[1 : len(above)-1] {
		named = append(named, p.Territories.Name(code, "en"))
	}
	for _, name := range named {
		if !strings.Contains(string(text), name) {
			t.Errorf("the demonstration has %s, and the tutorial does not name it", name)
		}
	}
}
