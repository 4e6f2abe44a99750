package browser

import (
	"strings"
	"testing"

	"yagona/kernel/access"
	"yagona/locale"
	"yagona/packs/demo"
)

// Shapes of services that the story has none of: one that is paid for, one on which nobody decides, one that a household asks
// for together. Each is gone through as people do, and its pages are looked at in all languages.
func TestOtherShapesOfServicesInABrowser(t *testing.T) {
	t.Parallel()
	s := begin(t, chromium(t), axe(t))
	s.also = s.Words.Languages().Tags
	t.Run("a fee is paid, and given back", s.fee)
	t.Run("a notification", s.notification)
	t.Run("a household", s.household)
}

func (s *told) fee(t *testing.T) {
	resident := s.people.Persona(demo.Pensioner)
	w := s.signedIn(t, locale.English, resident, "/services/land/boundary-marking")
	w.says("portal.fee-back-late")
	w.look("fee-service")
	w.press("/apply")
	w.fill("points", "4")
	w.submit("form")
	application := strings.TrimSuffix(w.address(), "/check")
	w.shows("82,400")
	w.look("fee-check")
	w.press("/submit")
	w.look("fee-receipt")
	w.open(application)
	w.says("portal.state-unpaid")
	w.look("fee-due")
	w.follow(application + "/pay")
	w.look("demo-payment")
	w.press("/demo-payment/" + application[strings.LastIndexByte(application, '/')+1:])
	w.at(application)
	w.says("portal.fee-paid")
	w.look("fee-paid")
	w.follow(application + "/withdraw")
	w.press("/withdraw")
	w.eventually(application, func() bool {
		return strings.Contains(w.text(), s.Words.Text(locale.English, "event.fee.returned", nil))
	})
	w.look("fee-returned")
}

func (s *told) notification(t *testing.T) {
	resident := s.people.Persona(demo.Husband)
	w := s.signedIn(t, locale.English, resident, "/services/interior/empty-home")
	w.says("portal.course-notification")
	w.look("notification-service")
	w.press("/apply")
	w.look("question-territory")
	w.choose("where", string(resident.Residence))
	w.submit("form")
	for _, day := range []string{"from", "until"} {
		on := s.Words.Profile.Calendar.Date(s.now()).AddDays(len(day)).String()
		w.fill(day+"-day", on[8:])
		w.fill(day+"-month", on[5:7])
		w.fill(day+"-year", on[:4])
		w.submit("form")
	}
	application := strings.TrimSuffix(w.address(), "/check")
	w.look("notification-check")
	w.press("/submit")
	w.says("portal.received")
	w.look("notification-receipt")
	w.open(application)
	w.says("portal.received-text")
	w.look("notification")

	inspector := s.official(t, locale.English, "prevention-inspector", resident.Residence, "/desk")
	inspector.follow("/desk/tasks/")
	inspector.look("notification-task")
	inspector.choose("action", "note")
	inspector.submit(`form[action$="/decide"]`)
	w.open(application)
	w.says("event.task.note")
}

func (s *told) household(t *testing.T) {
	wife, husband := s.people.Persona(demo.Wife), s.people.Persona(demo.Husband)
	w := s.signedIn(t, locale.English, wife, "/services/mahalla/household-request")
	w.look("household-service")
	w.press("/apply")
	w.choose("wish", "lamp")
	w.submit("form")
	w.fill("adults", "1")
	w.submit("form")
	application := strings.TrimSuffix(w.address(), "/check")
	w.press("/submit")
	w.open(application)
	w.says("portal.state-joining")
	w.look("household-joining")

	other := s.signedIn(t, locale.English, husband, application+"/join")
	other.says("portal.join-lead")
	other.look("household-join")
	other.press("/join")
	other.says("portal.join-done")
	other.look("household-joined")

	w.eventually(application, func() bool {
		return strings.Contains(w.text(), s.Words.Text(locale.English, "event.together.confirmed", nil))
	})
	if strings.Contains(w.text(), husband.Name()) {
		t.Error("who applied reads who confirmed")
	}
	w.look("household-complete")
	sent, err := s.Casework.OwnAll(t.Context(), access.Actor{Person: wife.ID}, "", 10)
	if err != nil || len(sent) == 0 {
		t.Fatalf("the wife's applications are %v: %v", sent, err)
	}
	s.settles(t, sent[0], "chair", s.people.Home, "approve")
	w.open(application)
	w.says("application.state.granted")
	w.look("household-granted")
}
