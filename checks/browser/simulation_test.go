package browser

import (
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/locale"
)

// A change of a rule is tried in the browser: the counts come as plots and tables, and everybody who was counted sees it.
func TestAChangeIsSimulatedInABrowser(t *testing.T) {
	t.Parallel()
	source := axe(t)
	s := begin(t, chromium(t), source)
	s.also = s.Words.Languages().Tags
	s.simulates(t, locale.English)
}

func (s *told) simulates(t *testing.T, language locale.Tag) {
	t.Helper()
	w := s.signedIn(t, language, s.office("youth-agency", "analyst"), "/desk/simulations")
	w.says("simulate.none")
	w.look("simulations-none")
	w.follow("/desk/simulations/new/youth/one-time-help")
	w.says("simulate.try")
	w.look("simulation-try")
	w.fill("param.brv", "x")
	w.press("/desk/simulations/new/youth/one-time-help")
	w.says("simulate.try")
	w.look("simulation-wrong")
	w.fill("param.brv", "600000")
	w.fill("ask.price", "9000000")
	w.press("/desk/simulations/new/youth/one-time-help")
	w.says("simulate.result")
	w.look("simulation")
	made := w.address()
	bars := ask(w, chromedp.Evaluate[int](`[...document.querySelectorAll("table.bars .bar rect:not(.ground):not(.earlier)")].filter(bar => bar.width.baseVal.value > 0).length`))
	if bars == 0 {
		t.Errorf("the plots of %s show no bar:\n%s", made, w.text())
	}
	w.open("/desk/simulations")
	w.look("simulations")
	w.follow(made)

	// Who was counted reads of it among the readings of their data, with its proof.
	counted := s.signedIn(t, language, s.people.People[len(s.people.People)-1], "/me/readings")
	counted.says("purpose.simulate")
}
