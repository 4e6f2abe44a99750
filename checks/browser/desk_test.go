package browser

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/locale"
	"yagona/packs/demo"
	"yagona/std/photo"
)

// busy lets residents of several mahallas apply for the subsidy, as many as can get it.
func (s *told) busy(t *testing.T) {
	t.Helper()
	for _, one := range s.people.People {
		age := one.Age(s.people.Today)
		if one.Employment.Status != demo.Unemployed || age < 18 || age > 29 || one.Account == "" {
			continue
		}
		answers := map[string]any{"trade": "sewing", "price": money.Amount(150_000_000), "account": one.Account}
		if _, err := s.Casework.Apply(t.Context(), access.Actor{Person: one.ID}, "", "youth/tools-subsidy", "uz-Latn", answers); err != nil && !fault.Is(err, fault.Conflict) { // who has an open one already
			t.Fatal(err)
		}
	}
}

// official opens a private window in which whoever holds the role for a territory has signed in.
func (s *told) official(t *testing.T, language locale.Tag, role ident.Role, place ident.Territory, next string) *window {
	t.Helper()
	holder, ok := s.people.Holder(role, place)
	if !ok {
		t.Fatalf("nobody is %s of %s", role, place)
	}
	person, _ := s.people.Person(holder.Person)
	return s.signedIn(t, language, person, next)
}

// desk looks at the pages of officials that stand beside the story.
func (s *told) desk(t *testing.T, language locale.Tag) {
	t.Helper()
	tree := s.Profile.Territories
	s.busy(t)
	w := s.official(t, language, "youth-leader", tree.Parent(tree.Parent(s.people.Home)), "/desk")
	w.look("inbox-region")
	w.open("/desk/team")
	w.look("team")
	w.follow("/desk/team?place=")
	w.look("team-district")

	// The leader of the mahalla is away, and somebody stands in.
	leader := s.signedIn(t, language, s.people.Persona(demo.YouthLeader), "/desk")
	leader.follow("/desk/leave")
	leader.look("leave")
	leader.submit(`form[action$="/leave"]`)
	leader.look("leave-wrong")
	leader.open("/desk/offline")
	leader.look("offline")
	s.helps(t, leader)
	s.onPaper(t, language)
}

// helps lets an official write an application down for a resident, who signs it on paper.
func (s *told) helps(t *testing.T, w *window) {
	t.Helper()
	resident := s.people.Persona(demo.Worker)
	w.open("/desk/assist")
	w.look("assist")
	w.follow("/desk/assist/youth/tools-subsidy")
	w.submit("form")
	w.look("assist-wrong")
	w.fill("number", resident.Number)
	w.choose("ask.trade", "sewing")
	w.fill("ask.price", "1500000")
	w.fill("ask.account", resident.Account)
	w.submit("form")
	w.says("assist.consent")
	w.look("assist-summary")
	w.press("/sheet")
	w.says("fault.assist.photo")
	w.run(chromedp.SetUploadFiles(chromedp.CSS(`main input[type="file"]`), []string{sheet(t)}))
	w.press("/sheet")
	w.says("assist.sent")
	w.look("assist-receipt")
	w.follow("/status/")
	w.says("progress.decided") // he has a job: a rule refused it at once
	w.look("status")
	for _, secret := range []string{resident.FamilyName, resident.Number, resident.Account} {
		if strings.Contains(w.text(), secret) {
			t.Errorf("the status tells %q", secret)
		}
	}
}

// onPaper looks at the task of a surveyor whose applicant confirmed on paper, and who takes photos.
func (s *told) onPaper(t *testing.T, language locale.Tag) {
	t.Helper()
	helper := s.holder(t, "youth-leader", s.people.Home)
	picture, err := os.ReadFile(sheet(t))
	if err == nil {
		picture, err = photo.Redraw(picture)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range s.people.People {
		draft, err := s.Casework.Assist(t.Context(), helper, casework.Dictated{
			Applicant: one.ID, Service: "land/plot-lease", Language: string(language), Answers: map[string]any{"crop": "fruit", "area": int64(400)},
		})
		if err != nil {
			t.Fatal(err)
		}
		sent, err := s.Casework.ConfirmAssisted(t.Context(), helper, draft.ID, draft.Revision, picture)
		if err != nil {
			t.Fatal(err)
		}
		if sent.Application.State != casework.Deciding {
			continue // a child, or somebody with a plot
		}
		task := "/desk/tasks/" + string(s.survey(t, access.Actor{Person: one.ID}, sent.Application).ID)
		w := s.official(t, language, "surveyor", s.Profile.Territories.Parent(sent.Application.Territory), "/desk")
		w.open(task)
		w.press("/claim")
		w.choose("action", "refuse")
		w.fill("reason", "?")
		for name, answer := range map[string]string{"form.measuredOn-day": "2", "form.measuredOn-month": "3", "form.measuredOn-year": "2026"} {
			w.fill(name, answer)
		}
		w.choose("form.water", "true")
		w.press("/decide")
		w.says("fault.task.summary-unseen")
		w.follow("/summary")
		w.look("summary")
		w.press("/summary")
		w.at(task)
		w.run(chromedp.SetUploadFiles(chromedp.CSS(`main input[type="file"]`), []string{sheet(t)}))
		w.press("/photos")
		w.says("fault.photo.no-position")
		w.look("task-photos")
		return
	}
	t.Fatal("nobody gets a plot")
}

// sheet is a photo of a signed sheet.
func sheet(t *testing.T) string {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 900, 1200))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(200 + i%40)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "sheet.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}
