package browser

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/locale"
	"yagona/node"
	"yagona/pack"
	"yagona/packs/demo"
)

// noPlace leaves the sample nursery Spring no place, whatever the day is, so that there is a queue.
func noPlace(t *testing.T) func(*node.Config) {
	return func(config *node.Config) {
		config.Packs = slices.Clone(config.Packs)
		for i, one := range config.Packs {
			if !strings.HasSuffix(one.Dir, "education") {
				continue
			}
			files := fstest.MapFS{}
			err := fs.WalkDir(one.FS, ".", func(name string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				content, err := fs.ReadFile(one.FS, name)
				files[name] = &fstest.MapFile{Data: []byte(strings.Replace(string(content), "{2026-01-01: 2, 2026-09-01: 25}", "{2026-01-01: 0}", 1))}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			config.Packs[i] = pack.Source{Dir: one.Dir, FS: files}
		}
	}
}

// sends sends an application for somebody, as their own device would.
func (s *told) sends(t *testing.T, who demo.Person, path ident.Service, answers map[string]any) casework.Application {
	t.Helper()
	return s.sendsAs(t, access.Actor{Person: who.ID}, path, answers)
}

func (s *told) sendsAs(t *testing.T, by access.Actor, path ident.Service, answers map[string]any) casework.Application {
	t.Helper()
	receipt, err := s.Casework.Apply(t.Context(), by, "", path, "en", answers)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return receipt.Application
}

// settles lets whoever holds a role for a place take the application's task and decide.
func (s *told) settles(t *testing.T, of casework.Application, role ident.Role, place ident.Territory, action service.Action) {
	t.Helper()
	by := s.holder(t, role, place)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		tasks, err := s.Casework.Tasks(t.Context(), by, casework.Filter{}, casework.Cursor{}, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			if task.Application != of.ID {
				continue
			}
			if _, err := s.Casework.Claim(t.Context(), by, task.ID); err != nil {
				t.Fatal(err)
			}
			view, err := s.Casework.Read(t.Context(), by, task.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Casework.Decide(t.Context(), by, task.ID, view.Application.Revision, casework.Verdict{Action: action}); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s has no task of %s", role, of.Service)
}

// What stays in force after a decision can be looked at: a benefit that is paid every month, a place that one waits for, a
// licence that officials keep watch over.
func TestWhatStaysInForceInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t), noPlace(t))
	s.also = s.Words.Languages().Tags
	t.Run("a benefit", s.benefits)
	t.Run("a place", s.places)
	t.Run("a licence", s.licences)
}

func (s *told) benefits(t *testing.T) {
	mother := s.people.Persona(demo.Mother)
	sent := s.sends(t, mother, "social/child-allowance", map[string]any{"account": mother.Account})
	district := s.Profile.Territories.Parent(s.people.Home)
	s.settles(t, sent, "social-worker", s.people.Home, service.Recommend)
	s.settles(t, sent, "centre-head", district, "approve")
	w := s.signedIn(t, locale.English, mother, "/me")
	w.open("/applications/" + string(sent.ID))
	w.says("application.state.granted")
	w.look("benefit")
	w.open("/services/social/child-allowance")
	w.look("benefit-service")
	w.open("/me")
	w.look("benefit-own-page")
}

func (s *told) places(t *testing.T) {
	mother, son := s.people.Persona(demo.Mother), s.people.Persona(demo.Son)
	forSon := access.Actor{Person: mother.ID, For: son.ID.Subject()}
	w := s.signedIn(t, locale.English, mother, "/services/education/nursery-place")
	w.look("place-service")
	waits := s.sendsAs(t, forSon, "education/nursery-place", map[string]any{"nursery": "spring"})
	w.eventually("/applications/"+string(waits.ID), func() bool {
		return strings.Contains(w.text(), s.Words.Text(locale.English, "portal.queue-why", nil))
	})
	w.look("place-queued")
	waits = s.applications(t, son)[0]
	if _, err := s.Casework.Withdraw(t.Context(), forSon, waits.ID, waits.Revision); err != nil {
		t.Fatal(err)
	}
	offered := s.sendsAs(t, forSon, "education/nursery-place", map[string]any{"nursery": "sun"})
	path := "/applications/" + string(offered.ID)
	w.eventually(path, func() bool {
		return strings.Contains(w.text(), s.Words.Text(locale.English, "portal.accept-place", nil))
	})
	w.look("place-offered")
	w.submit(`form[action$="/accept"]`)
	w.says("application.state.granted")
	w.look("place-granted")
	w.open("/me")
	w.look("place-own-page")
}

func (s *told) licences(t *testing.T) {
	worker := s.people.Persona(demo.Worker)
	s.sends(t, worker, "tax/self-employment", map[string]any{"trade": "crafts"})
	resident := s.signedIn(t, locale.English, worker, "/me")
	resident.eventually("/me", func() bool { // the record is written by a job
		found, err := s.Casework.OwnAll(t.Context(), access.Actor{Person: worker.ID}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(found) > 0 && found[0].State == casework.Granted
	})
	var sent casework.Application
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		sent = s.sends(t, worker, "mahalla/stall-licence", map[string]any{"goods": "bread"})
		if sent.State == casework.Deciding {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the application is %s", sent.State)
		}
	}
	district := s.Profile.Territories.Parent(s.people.Home)
	s.settles(t, sent, "hokim-assistant", s.people.Home, service.Recommend)
	s.settles(t, sent, "deputy", district, "approve")
	resident.open("/applications/" + string(sent.ID))
	resident.look("licence")
	resident.open("/services/mahalla/stall-licence/licences")
	resident.look("licences-open-list")
	view, err := s.Casework.Own(t.Context(), access.Actor{Person: worker.ID}, sent.ID)
	if err != nil {
		t.Fatal(err)
	}
	number := string(view.Content.Granted.Document)

	w := s.official(t, locale.English, "hokim-assistant", s.people.Home, "/desk/licences")
	w.fill("number", "x")
	w.submit(`form:has([name="number"])`)
	w.look("desk-licences-wrong")
	w.run(chromedp.Clear(chromedp.CSS(`main [name="number"]`)))
	w.fill("number", number)
	w.submit(`form:has([name="number"])`)
	w.at("/desk/licences/" + number)
	w.look("desk-licence")
	w.submit(`form:has([name="reason"])`) // neither what nor why is said
	w.look("desk-licence-wrong")
	w.choose("measure", "suspend")
	w.fill("reason", "The stall stands on the road.")
	w.submit(`form:has([name="reason"])`)
	w.says("desk.licence-waits")
	w.look("desk-licence-proposed")
	w.open("/desk/tasks/none") // who is signed in stays so
	w.look("error-signed-in")
	deputy := s.official(t, locale.English, "deputy", district, "/desk")
	deputy.follow("/desk/tasks/")
	deputy.says("licence.hint-approve")
	if strings.Contains(deputy.text(), "Register with the tax committee") {
		t.Error("a measure can be refused in the words of a rule about applications")
	}
	deputy.look("licence-task")
}
