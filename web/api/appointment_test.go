package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
)

func TestARegistrarKeepsTheAppointmentsOfTheirAgency(t *testing.T) {
	w := newWorld(t)
	registrar, stranger := w.official("youth-agency", access.Registrar), w.official("employment-agency", access.Registrar)
	colleague, err := w.People.TakeUp(t.Context(), journal.Actor{Component: "test"}, "", person.Attributes{Number: "30000000000002", Name: "Test Colleague"})
	w.must(err)
	_, err = w.People.TakeUp(t.Context(), journal.Actor{Component: "test"}, registrar, person.Attributes{Number: "30000000000003", Name: "Test Registrar"})
	w.must(err)
	wish := func(change ...any) map[string]any {
		wanted := map[string]any{"number": "30000000000001", "role": "youth-leader", "territory": w.mahalla}
		for i := 0; i < len(change); i += 2 {
			if wanted[change[i].(string)] = change[i+1]; change[i+1] == nil {
				delete(wanted, change[i].(string))
			}
		}
		return wanted
	}
	for name, test := range map[string]struct {
		by     ident.Person
		body   any
		status int
		code   string
	}{
		"nobody":                {"", wish(), 401, "access.sign-in"},
		"a resident":            {w.resident, wish(), 403, "access.officials-only"},
		"another role":          {w.official("youth-agency", "chair"), wish(), 403, "access.other-role"},
		"oneself":               {registrar, wish("number", "30000000000003"), 403, "access.forbidden"},
		"for another agency":    {registrar, wish("agency", "employment-agency"), 422, "http.unknown-field"},
		"above one's territory": {registrar, wish("territory", w.Profile.Territories.Root()), 403, "access.forbidden"},
		"no person":             {registrar, wish("number", nil), 422, "appointment.person"},
		"a person twice":        {registrar, wish("person", colleague), 422, "appointment.person"},
		"an unknown number":     {registrar, wish("number", "39999999999999"), 404, "person.unknown"},
		"an unknown person":     {registrar, wish("number", nil, "person", ident.Random[ident.Person]()), 404, "person.unknown"},
		"an unknown territory":  {registrar, wish("territory", "nowhere"), 422, "territory.unknown"},
		"no territory":          {registrar, wish("territory", nil), 422, "appointment.incomplete"},
		"an unknown role":       {registrar, wish("role", "emperor"), 422, "appointment.role"},
		"a role of no form":     {registrar, wish("role", "Chair!"), 422, "appointment.incomplete"},
		"a time gone by":        {registrar, wish("from", w.now.Add(-time.Hour)), 422, "appointment.term"},
		"an end gone by":        {registrar, wish("until", w.now.Add(-time.Hour)), 422, "appointment.term"},
		"for nobody":            {registrar, wish("until", w.now.Add(time.Hour), "substitutes", ident.New[ident.Appointment](w.now)), 404, "appointment.unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			answer := w.ask("POST", "/appointments", test.by, test.body)
			answer.refused(test.status, test.code)
			if strings.Contains(string(answer.body), "0000000") {
				t.Errorf("the problem shows a number: %s", answer.body)
			}
		})
	}
	w.T = t
	made := into[Post](w.ask("POST", "/appointments", registrar, wish()), http.StatusCreated)
	if made.Person != w.resident || made.Agency != "youth-agency" || !made.From.Equal(w.now) || !made.Until.IsZero() {
		t.Errorf("made is %+v", made)
	}
	if got := into[Person](w.ask("GET", "/me", w.resident, nil), http.StatusOK); len(got.Appointments) != 1 || got.Appointments[0].ID != made.ID {
		t.Errorf("the appointed person holds %+v", got.Appointments)
	}

	substitute := func(change ...any) map[string]any {
		return wish(append([]any{"number", nil, "person", colleague, "substitutes", made.ID, "until", w.now.AddDate(0, 0, 7)}, change...)...)
	}
	w.ask("POST", "/appointments", registrar, substitute("until", nil)).refused(422, "appointment.substitute-term")
	w.ask("POST", "/appointments", registrar, substitute("role", "chair")).refused(422, "appointment.other-post")
	w.ask("POST", "/appointments", registrar, substitute("person", w.resident)).refused(422, "appointment.own-substitute")
	second := into[Post](w.ask("POST", "/appointments", registrar, substitute()), http.StatusCreated)
	if second.Substitutes != made.ID {
		t.Errorf("the substitute is %+v", second)
	}

	path := "/appointments/" + string(made.ID) + "/end"
	w.ask("POST", path, stranger, nil).refused(403, "access.forbidden")
	w.ask("POST", "/appointments/"+string(ident.New[ident.Appointment](w.now))+"/end", registrar, nil).refused(404, "appointment.unknown")
	w.now = w.now.Add(time.Hour)
	if ended := into[Post](w.ask("POST", path, registrar, nil), http.StatusOK); !ended.Until.Equal(w.now) {
		t.Errorf("ended is %+v", ended)
	}
	w.ask("POST", path, registrar, nil).refused(409, "appointment.ended")

	var seen []ident.Appointment
	next := ""
	for range 10 {
		page := into[Page[Post]](w.ask("GET", "/appointments?limit=1&after="+next, registrar, nil), http.StatusOK)
		for _, one := range page.Items {
			seen = append(seen, one.ID)
			if one.Agency != "youth-agency" {
				t.Errorf("another agency's is shown: %+v", one)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	whole := into[Page[Post]](w.ask("GET", "/appointments?territory="+string(w.mahalla), registrar, nil), http.StatusOK)
	if len(whole.Items) != 4 || len(seen) != 4 { // the registrar, the chair, the leader and the substitute
		t.Errorf("the list holds %+v, page by page %v", whole.Items, seen)
	}
	for _, one := range whole.Items {
		if !slices.Contains(seen, one.ID) {
			t.Errorf("page by page the list is %v, without %s", seen, one.ID)
		}
	}

	// A sensitive role waits for a second registrar.
	another := w.official("youth-agency", access.Registrar)
	waiting := into[Post](w.ask("POST", "/appointments", registrar, wish("role", "registrar")), http.StatusCreated)
	if !waiting.Waits || waiting.MadeBy != registrar {
		t.Errorf("made is %+v", waiting)
	}
	approve := "/appointments/" + string(waiting.ID) + "/approve"
	w.ask("POST", approve, registrar, nil).refused(403, "appointment.same-registrar")
	w.ask("POST", approve, stranger, nil).refused(403, "access.forbidden")
	if approved := into[Post](w.ask("POST", approve, another, nil), http.StatusOK); approved.Waits {
		t.Errorf("approved is %+v", approved)
	}
	w.ask("POST", approve, another, nil).refused(409, "appointment.approved-already")
	if got := into[Page[Post]](w.ask("GET", "/appointments", stranger, nil), http.StatusOK); len(got.Items) != 1 {
		t.Errorf("another agency's registrar sees %+v", got)
	}
	w.ask("GET", "/appointments?territory="+string(w.Profile.Territories.Root()), registrar, nil).refused(403, "access.forbidden")
	w.ask("GET", "/appointments?territory=nowhere", registrar, nil).refused(422, "territory.unknown")
	w.ask("GET", "/appointments?after="+cursor("x"), registrar, nil).refused(422, "page.cursor")
	w.ask("GET", "/appointments?limit=0", registrar, nil).refused(422, "page.limit")
}
