package api

import (
	"net/http"
	"strings"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/service"
)

func TestTheIssuingAgencyRevokesADocument(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair")
	w.apply()
	w.decide(leader, map[string]any{"action": "recommend"})
	w.decide(chair, map[string]any{"action": "approve"})
	issued := into[Page[DocumentSummary]](w.ask("GET", "/documents", w.resident, nil), http.StatusOK).Items[0].ID
	path := "/documents/" + string(issued)
	payload := into[Document](w.ask("GET", path, w.resident, nil), http.StatusOK).Payload

	family := w.official("youth-agency", "chair")
	w.registers.related[family.Subject()] = []ident.Subject{w.resident.Subject()}
	var elsewhere ident.Territory
	for code := range w.Profile.Territories.Within(w.Profile.Territories.Root()) {
		if !w.Profile.Territories.Contains(code, w.mahalla) {
			elsewhere = code
			break
		}
	}
	distant, err := w.Office.Appoint(t.Context(), access.Actor{}, access.Appointment{
		Person: ident.Random[ident.Person](), Agency: "youth-agency", Role: "chair", Territory: elsewhere,
	})
	w.must(err)
	wanted := NewRevocation{"Issued by mistake.", "illustrative act"}
	for name, test := range map[string]struct {
		by     ident.Person
		path   string
		body   any
		status int
		code   string
	}{
		"nobody":                     {"", path, wanted, 401, "access.sign-in"},
		"its subject":                {w.resident, path, wanted, 403, "access.officials-only"},
		"who took an earlier step":   {leader, path, wanted, 403, "access.forbidden"},
		"the role of another agency": {w.official("mahalla-association", "chair"), path, wanted, 403, "access.forbidden"},
		"the role elsewhere":         {distant.Person, path, wanted, 403, "access.forbidden"},
		"the registrar":              {w.official("youth-agency", access.Registrar), path, wanted, 403, "access.forbidden"},
		"someone of the household":   {family, path, wanted, 403, "document.own-interest"},
		"no such document":           {chair, "/documents/" + string(ident.New[ident.Document](w.now)), wanted, 404, "document.unknown"},
		"no reason":                  {chair, path, NewRevocation{}, 422, "document.reason"},
		"too long a basis":           {chair, path, NewRevocation{"x", strings.Repeat("ў", 501)}, 422, "document.basis"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			w.ask("POST", test.path+"/revoke", test.by, test.body).refused(test.status, test.code)
		})
	}
	w.T = t
	_, err = w.Office.Appoint(t.Context(), access.Actor{}, access.Appointment{
		Person: w.resident, Agency: "youth-agency", Role: "chair", Territory: w.mahalla,
	})
	w.must(err)
	w.ask("POST", path+"/revoke", w.resident, wanted).refused(403, "document.own-interest")
	w.registers.unrelatable(true)
	w.ask("POST", path+"/revoke", chair, wanted).refused(503, "exchange.unavailable")
	w.registers.unrelatable(false)
	if got := into[Verification](w.ask("POST", "/verify", "", Payload{payload}), http.StatusOK); got.State != document.Valid {
		t.Errorf("after refusals it is %s", got.State)
	}

	revoked := into[Revocation](w.ask("POST", path+"/revoke", chair, wanted), http.StatusOK)
	if revoked.Document != issued || !revoked.At.Equal(w.now) {
		t.Errorf("revoked is %+v", revoked)
	}
	w.ask("POST", path+"/revoke", chair, wanted).refused(409, "document.already-revoked")
	if got := into[Revocations](w.ask("GET", "/revocations", "", nil), http.StatusOK); len(got.Revoked) != 1 || got.Revoked[0] != revoked {
		t.Errorf("the revocations are %+v", got)
	}
	if got := into[Verification](w.ask("POST", "/verify", "", Payload{payload}), http.StatusOK); got.State != document.Revoked {
		t.Errorf("it is %s", got.State)
	}
	shown := into[Document](w.ask("GET", path, w.resident, nil), http.StatusOK)
	if shown.State != document.Revoked || shown.Reason != wanted.Reason {
		t.Errorf("its subject sees %s, %q", shown.State, shown.Reason)
	}
}

func TestTheRegistrarRevokesWhatNoOfficialDecided(t *testing.T) {
	w := newWorld(t)
	byRule := w.subsidy()
	byRule.Process = nil
	w.catalogue = service.NewCatalogue([]*service.Definition{byRule}, nil)
	w.serve()
	if state := w.apply().Application.State; state != casework.Granted {
		t.Fatalf("it is %s", state)
	}
	w.must(w.jobs.Drain(t.Context()))
	issued := into[Page[DocumentSummary]](w.ask("GET", "/documents", w.resident, nil), http.StatusOK).Items[0].ID
	path := "/documents/" + string(issued) + "/revoke"
	wanted := NewRevocation{Reason: "The register was wrong."}
	w.ask("POST", path, w.official("employment-agency", access.Registrar), wanted).refused(403, "access.forbidden")
	w.ask("POST", path, w.official("youth-agency", "chair"), wanted).refused(403, "access.forbidden")
	into[Revocation](w.ask("POST", path, w.official("youth-agency", access.Registrar), wanted), http.StatusOK)
}

func TestALicenceIsTakenBackByAMeasureOnly(t *testing.T) {
	w := newWorld(t)
	licence := w.subsidy()
	licence.Process = nil
	licence.Output.Document.Valid = service.Period{Months: 12}
	licence.Licence = &service.Licence{Renew: service.Period{Days: 30}, Proposes: "inspector", Decides: "head", Within: 3}
	w.catalogue = service.NewCatalogue([]*service.Definition{licence}, nil)
	w.serve()
	if state := w.apply().Application.State; state != casework.Granted {
		t.Fatalf("it is %s", state)
	}
	w.must(w.jobs.Drain(t.Context()))
	issued := into[Page[DocumentSummary]](w.ask("GET", "/documents", w.resident, nil), http.StatusOK).Items[0].ID
	path := "/documents/" + string(issued)
	wanted := NewRevocation{Reason: "The register was wrong."}
	w.ask("POST", path+"/revoke", w.official("youth-agency", "head"), wanted).refused(403, "access.forbidden")
	w.ask("POST", path+"/revoke", w.official("youth-agency", access.Registrar), wanted).refused(409, "document.licence")
	payload := Payload{into[Document](w.ask("GET", path, w.resident, nil), http.StatusOK).Payload}
	if got := into[Verification](w.ask("POST", "/verify", "", payload), http.StatusOK); got.State != document.Valid {
		t.Errorf("after the refusal it is %s", got.State)
	}

	// The inspector proposes, and the head decides: of the whole country, since no step says where.
	country := w.Profile.Territories.Root()
	into[Proposed](w.ask("POST", path+"/measures", w.officialFor("youth-agency", "inspector", country), NewMeasure{service.Suspend, "The stall blocks the road."}), http.StatusOK)
	w.decide(w.officialFor("youth-agency", "head", country), map[string]any{"action": "approve"})
	if got := into[Verification](w.ask("POST", "/verify", "", payload), http.StatusOK); got.State != document.Suspended || got.Finding.Code != "document.suspended" {
		t.Errorf("it is %s: %+v", got.State, got.Finding)
	}
	if got := into[Revocations](w.ask("GET", "/revocations", "", nil), http.StatusOK); len(got.Revoked) != 1 || !got.Revoked[0].Suspended {
		t.Errorf("the revocations are %+v", got)
	}
}
