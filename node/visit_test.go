package node_test

import (
	"net/http"
	"strings"
	"testing"

	"yagona/packs/demo"
)

// Who agreed to it is looked up in the registers for all services on a visit. That is one line among the readings of
// their data, and its page says which agency was given what, and for which service.
func TestAVisitIsOneLineThatSaysWhoReadWhat(t *testing.T) {
	s := open(t)
	b := s.signedIn(t, "en", s.people.Persona(demo.Jobless))
	b.get("/me/offers")
	b.fill(map[string]string{"chosen": "visits"}, "")
	b.want(http.StatusOK)
	b.says("Subsidy to buy tools for self-employment")
	b.get("/me/readings")
	b.want(http.StatusOK)
	shown := b.text(b.one("main"))
	if lines := strings.Count(shown, "that you may be entitled to"); lines != 1 {
		t.Fatalf("the visit is told in %d lines: %s", lines, shown)
	}
	rows := all(b.one("tbody"), "tr")
	if len(rows) > 3 {
		t.Errorf("the list of readings has %d lines: %s", len(rows), shown)
	}
	for _, row := range rows {
		if strings.Contains(b.text(row), "that you may be entitled to") {
			b.get(attribute(all(row, "a")[0], "href"))
		}
	}
	b.want(http.StatusOK)
	b.says("Who was given what")
	subsidy := false
	for _, row := range all(b.one("tbody"), "tr") {
		text := b.text(row)
		subsidy = subsidy || strings.Contains(text, "Registration as unemployed (") && strings.Contains(text, "Youth affairs agency") && strings.Contains(text, "Subsidy to buy tools")
	}
	if !subsidy {
		t.Errorf("nothing says that the youth agency was told of the unemployment for the subsidy: %s", b.text(b.one("main")))
	}
	// Looking again on the same day asks nobody.
	b.get("/me/offers")
	b.get("/me/readings")
	if lines := strings.Count(b.text(b.one("main")), "that you may be entitled to"); lines != 1 {
		t.Errorf("looking again is told in %d lines", lines)
	}
}
