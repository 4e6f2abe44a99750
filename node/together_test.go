package node_test

import (
	"net/http"
	"testing"

	"yagona/packs/demo"
)

// A wife writes down what the household wants, her husband confirms it by himself, and only then it lies with the chair.
func TestAHouseholdAsksTogether(t *testing.T) {
	const language = "en"
	s := open(t)
	wife, husband := s.people.Persona(demo.Wife), s.people.Persona(demo.Husband)
	b := s.signedIn(t, language, wife)
	b.get("/services/mahalla/household-request")
	b.press("/apply")
	b.fill(map[string]string{"wish": "lamp"}, "")
	b.fill(map[string]string{"adults": "1"}, "")
	b.press("/submit")
	application := b.at.Path[:len(b.at.Path)-len("/receipt")]
	b.get(application)
	b.says(b.say("portal.state-joining"))
	b.says(s.url + application + "/join")
	b.get(application + "/join")
	b.want(http.StatusConflict)

	stranger := s.signedIn(t, language, s.people.Persona(demo.Outsider))
	stranger.get(application + "/join")
	stranger.want(http.StatusNotFound)

	other := s.signedIn(t, language, husband)
	other.get(application)
	other.want(http.StatusNotFound) // to confirm is not to see
	other.get(application + "/join")
	other.says(other.say("portal.join-lead"))
	if contains(other, "A street lamp") {
		t.Error("who confirms reads what another adult answered")
	}
	other.press("/join")
	other.says(other.say("portal.join-done"))

	b.get(application)
	b.says(b.say("event.together.confirmed"))
	if contains(b, husband.Name()) {
		t.Error("who applied reads who confirmed")
	}
	chair := officialFor(t, s, "mahalla-association", "chair", wife.Residence)
	decides(t, s, language, chair, map[string]string{"action": "approve"})
	b.get(application)
	b.says(b.say("application.state.granted"))
}
