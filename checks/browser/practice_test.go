package browser

import (
	"io"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/kernel/calendar"
	"yagona/kernel/country"
	"yagona/kernel/practice"
	"yagona/locale"
	"yagona/node"
	"yagona/packs/demo"
)

// openPractice opens a practice ground of its own for one test.
func openPractice(t *testing.T) *installation {
	t.Helper()
	return serve(t, func(profile *country.Profile, today calendar.Date) (*demo.Population, error) {
		return demo.GeneratePractice(1, profile, today, 1)
	}, func(config node.Config) (*node.Node, io.Closer, error) {
		ground, err := node.OpenPractice(t.Context(), config, 1)
		if err != nil {
			return nil, nil, err
		}
		return ground.Node(), ground, nil
	})
}

// A youth leader learns: all six lessons, the last with the network off, up to the certificate; the district sees it. A tax
// inspector decides on a business with the network off.
func TestALearningPathInABrowser(t *testing.T) {
	t.Parallel()
	source := axe(t)
	s := telling(openPractice(t), chromium(t), source)
	s.also = s.Words.Languages().Tags
	leader := s.people.Persona(demo.YouthLeader)
	by := s.holder(t, "youth-leader", s.people.Home)
	w := s.signedIn(t, locale.UzbekLatin, leader, "/desk/practice")
	w.look("practice")
	lesson := func(name string) practice.Standing {
		t.Helper()
		one, err := s.Practice.Lesson(t.Context(), by, name)
		if err != nil {
			t.Fatal(err)
		}
		w.open("/desk/practice/lessons/" + name)
		return one
	}
	done := func(name string) {
		t.Helper()
		if one := lesson(name); one.Done.IsZero() || one.Spoiled {
			t.Fatalf("%s is not done: %+v: %s", name, one, w.text())
		}
		w.says("practice.done")
	}
	// task begins a lesson's case and opens it.
	task := func(name string) {
		t.Helper()
		lesson(name)
		w.press("/begin")
		w.follow("/desk/tasks/")
		w.press("/claim")
	}

	// along takes the case of the last lesson along and decides it on the device.
	along := func(w *window, action string, more func()) {
		t.Helper()
		w.open("/desk/practice/lessons/offline")
		w.press("/begin")
		w.begins(pin, 1)
		w.connected(false)
		w.decideOffline(action, more)
		w.lines("acts", 1)
		w.connected(true)
		w.lines("acts", 0)
		w.tells("device.sent")
		w.run(scripts(false))
	}

	one := lesson("certificate")
	w.look("practice-lesson")
	w.follow("/desk/assist/")
	w.fill("number", one.About.Number)
	w.submit("form")
	w.run(chromedp.SetUploadFiles(chromedp.CSS(`main input[type="file"]`), []string{sheet(t)}))
	w.press("/sheet")
	w.says("assist.sent")
	done("certificate")

	task("decide")
	w.choose("action", "recommend")
	w.press("/decide")
	done("decide")

	task("contradiction") // and once the wrong way
	w.choose("action", "recommend")
	w.press("/decide")
	lesson("contradiction")
	w.says("practice.spoiled")
	w.look("practice-spoiled")
	task("contradiction")
	w.choose("action", "ask")
	w.fill("question", "?")
	w.press("/decide")
	done("contradiction")

	task("deadline")
	w.choose("action", "recommend")
	w.press("/decide")
	done("deadline")

	one = lesson("conflict")
	w.follow("/desk/assist/")
	w.fill("number", one.About.Number)
	w.submit("form")
	w.says("fault.assist.own-interest")
	done("conflict")

	along(w, "recommend", nil)
	done("offline")
	inspector := s.official(t, locale.English, "tax-inspector", s.people.Home, "/desk/practice")
	along(inspector, "approve", func() {
		for name, answer := range map[string]string{"form.visitedOn-day": "2", "form.visitedOn-month": "3", "form.visitedOn-year": "2026"} {
			inspector.fill(name, answer)
		}
		inspector.fill("form.findings", "They work.")
	})
	decided, err := s.Practice.Lesson(t.Context(), s.holder(t, "tax-inspector", s.people.Home), "offline")
	if err != nil || decided.Done.IsZero() {
		t.Errorf("the tax inspector's lesson is %+v: %v", decided, err)
	}

	w.open("/desk/practice")
	w.says("practice.all-done")
	w.press("/certificate")
	w.look("practice-certificate")
	w.follow("/verify/")
	w.says("verify.valid")

	district := s.official(t, locale.English, "youth-leader", s.Profile.Territories.Parent(s.people.Home), "/desk/practice")
	district.look("practice-district")
	district.open("/desk/practice/team")
	district.says("practice.of", "done", 6, "all", 6)
	district.look("practice-team")
	district.open("/desk/practice/again")
	district.look("practice-again")
	for kind, seen := range s.kinds {
		if !seen && strings.Contains(kind, "/desk/practice") {
			t.Errorf("nobody looked at %s", kind)
		}
	}
}
