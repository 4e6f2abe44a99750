package node_test

import (
	"net/http"
	"strings"
	"testing"

	"yagona/packs/demo"
)

// What fails does not sign anybody out: the page that says so leads on like every other.
func TestAnErrorPageKnowsWhoIsSignedIn(t *testing.T) {
	s := open(t)
	leader := s.signedIn(t, "en", s.people.Persona(demo.YouthLeader))
	leader.get("/desk/tasks/none")
	leader.want(http.StatusNotFound)
	whole := leader.text(leader.page)
	if !strings.Contains(whole, "Sign out") || !strings.Contains(whole, "Inbox") || strings.Contains(whole, "Sign in") {
		t.Errorf("an official reads: %s", whole)
	}
	nobody := s.browser(t, "en")
	nobody.get("/services/youth/none")
	nobody.want(http.StatusNotFound)
	if whole := nobody.text(nobody.page); !strings.Contains(whole, "Sign in") || strings.Contains(whole, "Sign out") {
		t.Errorf("a visitor reads: %s", whole)
	}
}

// A helper who closed the window finds what they wrote down on the desk, until the resident has confirmed it. The list
// does not say whose it is.
func TestAHelperFindsTheirDraftsOnTheDesk(t *testing.T) {
	s := open(t)
	resident := s.people.Persona(demo.Jobless)
	leader := s.signedIn(t, "en", s.people.Persona(demo.YouthLeader))
	leader.get("/desk/assist")
	if strings.Contains(leader.text(leader.one("main")), "Waiting for the resident") {
		t.Error("before anything was written down something waits")
	}
	leader.get("/desk/assist/youth/tools-subsidy")
	leader.fill(map[string]string{"number": resident.Number, "ask.trade": "sewing", "ask.price": "1500000", "ask.account": resident.Account}, "")
	leader.want(http.StatusOK)
	draft := leader.at.Path
	leader.get("/desk/assist")
	leader.says("Waiting for the resident")
	leader.says("Not confirmed yet")
	shown := leader.text(leader.one("main"))
	for _, personal := range []string{resident.Number, resident.Account, resident.Name()} {
		if personal != "" && strings.Contains(shown, personal) {
			t.Errorf("the list tells %q", personal)
		}
	}
	leader.follow("/desk/assist/drafts/")
	leader.want(http.StatusOK)
	if leader.at.Path != draft {
		t.Errorf("the list leads to %s, not to %s", leader.at.Path, draft)
	}
	chair := s.signedIn(t, "en", s.people.Persona(demo.Chair))
	chair.get("/desk/assist")
	if strings.Contains(string(chair.raw), draft) {
		t.Error("another official finds it")
	}
	// The resident sends it themself: nothing waits any more.
	own := s.signedIn(t, "en", resident)
	own.get("/applications/" + draft[strings.LastIndexByte(draft, '/')+1:] + "/check")
	own.press("/submit")
	own.want(http.StatusOK)
	leader.get("/desk/assist")
	if strings.Contains(string(leader.raw), draft) {
		t.Error("after it was sent it still waits")
	}
}
