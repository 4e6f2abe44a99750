package api

import (
	"net/http"
	"testing"

	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/representation"
)

func TestAMandateLetsSomebodyApplyAndItsEndStopsThem(t *testing.T) {
	w := newWorld(t)
	daughter, err := w.People.TakeUp(t.Context(), journal.Actor{Component: "test"}, "", person.Attributes{Number: "30000000000002", Name: "Test Daughter"})
	w.must(err)
	w.ask("GET", "/me/authorities/"+ident.New[string](w.now)+"/applications", daughter, nil).refused(http.StatusForbidden, "representation.none")
	wish := map[string]any{
		"mandate": ident.New[string](w.now), "number": "30000000000002", "called": "my daughter", "reads": true, "applies": true,
		"services": []string{"youth/tools"}, "until": w.Profile.Calendar.Date(w.now).AddDays(30),
	}
	given := into[Mandate](w.ask("POST", "/me/mandates", w.resident, wish), http.StatusCreated)
	if !given.Given || given.Called != "my daughter" || given.Name != "" || given.State != representation.Offered {
		t.Fatalf("who gave it sees %+v", given)
	}
	offered := into[Page[Mandate]](w.ask("GET", "/me/mandates", daughter, nil), http.StatusOK).Items[0]
	if offered.Given || offered.Called != "" || offered.Name != "Test Person" {
		t.Errorf("who is to have it sees %+v", offered)
	}
	into[Mandate](w.ask("POST", "/me/mandates/"+string(given.ID)+"/accept", daughter, map[string]any{"revision": 1}), http.StatusOK)
	may := into[Page[Authority]](w.ask("GET", "/me/authorities", daughter, nil), http.StatusOK).Items
	if len(may) != 1 || may[0].Subject != w.resident.Subject() || may[0].Name != "Test Person" || may[0].Ground != representation.Mandated {
		t.Fatalf("she may act for %+v", may)
	}
	if all := into[Page[ApplicationSummary]](w.ask("GET", "/me/authorities/"+may[0].ID+"/applications", daughter, nil), http.StatusOK); len(all.Items) != 0 {
		t.Errorf("nothing was sent, and she sees %v", all.Items)
	}
	application := map[string]any{"service": "youth/tools", "language": "en", "for": may[0].Subject, "answers": w.answers(), "send": true}
	sent := into[Receipt](w.ask("POST", "/applications", daughter, application), http.StatusCreated)
	path := "/applications/" + string(sent.Application.ID)
	theirs := into[Application](w.ask("GET", path, w.resident, nil), http.StatusOK)
	if theirs.State != casework.Deciding || len(theirs.Represented) != 1 || theirs.Represented[0].Name != "Test Daughter" || theirs.Acting != "" {
		t.Errorf("who is represented sees %+v", theirs)
	}
	if seen := into[Application](w.ask("GET", path, daughter, nil), http.StatusOK); seen.Acting != representation.Mandated {
		t.Errorf("the representative sees %+v", seen)
	}
	// Nobody but its subject sees who read their data.
	if log := into[Page[Access]](w.ask("GET", "/access-log", daughter, nil), http.StatusOK); len(log.Items) != 1 || log.Items[0].Type != "own-data.read" {
		t.Errorf("the representative's own log has %v", log.Items)
	}
	if log := into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK); len(log.Items) == 0 {
		t.Error("who is represented sees no reading")
	}
	official := w.official("youth-agency", "youth-leader")
	w.ask("POST", "/applications", official, application).refused(http.StatusForbidden, "representation.as-official")
	into[Mandate](w.ask("POST", "/me/mandates/"+string(given.ID)+"/end", w.resident, map[string]any{"revision": 2}), http.StatusOK)
	w.ask("GET", path, daughter, nil).refused(http.StatusForbidden, "representation.ended")
	w.ask("POST", path+"/withdraw", daughter, nil, "If-Match", `"1"`).refused(http.StatusForbidden, "representation.ended")
	w.ask("POST", "/applications", daughter, application).refused(http.StatusForbidden, "representation.ended")
}
