package api

import (
	"net/http"
	"strings"
	"testing"

	"yagona/kernel/access"
	"yagona/kernel/erasure"
	"yagona/kernel/ident"
)

func TestErasingNeedsTwoOfficersAndLeavesNothingToRead(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair")
	application := w.apply().Application.ID
	w.decide(leader, map[string]any{"action": "recommend"})
	w.decide(chair, map[string]any{"action": "approve"})
	w.must(w.jobs.Drain(t.Context()))
	document := into[Page[DocumentSummary]](w.ask("GET", "/documents", w.resident, nil), http.StatusOK).Items[0].ID
	root := w.Profile.Territories.Root()
	first, second := w.officialFor("employment-agency", erasure.Officer, root), w.officialFor("data-authority", erasure.Officer, root)
	stranger, district := w.officialFor("youth-agency", erasure.Officer, root), w.official("employment-agency", erasure.Officer)
	subject := w.resident.Subject()
	into[Version](w.ask("POST", "/registers/employment/unemployed/records", w.official("employment-agency", access.Registrar), map[string]any{
		"reason": "registered", "values": map[string]any{"person": subject, "registeredOn": "2026-02-01"},
	}), http.StatusCreated)

	for name, test := range map[string]struct {
		by     ident.Person
		body   any
		status int
		code   string
	}{
		"another role":   {chair, NewErasure{subject, "an act"}, 403, "access.other-role"},
		"no subject":     {first, map[string]any{"law": "an act"}, 422, "ident.malformed"},
		"a number":       {first, NewErasure{"30000000000001", "an act"}, 422, "ident.malformed"},
		"no law":         {first, NewErasure{subject, " "}, 422, "erasure.law"},
		"too much law":   {first, NewErasure{subject, strings.Repeat("ў", 501)}, 422, "erasure.law"},
		"oneself":        {first, NewErasure{first.Subject(), "an act"}, 403, "access.forbidden"},
		"of a district":  {district, NewErasure{subject, "an act"}, 403, "access.forbidden"},
		"no record":      {stranger, NewErasure{subject, "an act"}, 403, "erasure.no-standing"},
		"a payment":      {first, NewErasure{subject, "an act"}, 409, "erasure.open-business"},
		"another's role": {first, map[string]any{"subject": subject, "law": "an act", "agency": "data-authority"}, 422, "http.unknown-field"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			w.ask("POST", "/erasures", test.by, test.body).refused(test.status, test.code)
		})
	}
	w.T = t
	treasurer := w.official("youth-agency", access.Treasurer)
	order := into[Page[Order]](w.ask("GET", "/orders", treasurer, nil), http.StatusOK).Items[0].ID
	into[Order](w.ask("POST", "/orders/"+string(order)+"/refuse", treasurer, map[string]any{"reason": "wrong-amount"}), http.StatusOK)
	w.must(w.jobs.Drain(t.Context()))
	proposed := into[Erasure](w.ask("POST", "/erasures", first, NewErasure{subject, "illustrative act"}), http.StatusCreated)
	if proposed.By != first || proposed.Subject != subject || !proposed.Confirmed.IsZero() {
		t.Errorf("proposed is %+v", proposed)
	}
	confirm := "/erasures/" + proposed.ID + "/confirm"
	w.ask("POST", confirm, first, nil).refused(403, "erasure.same-person")
	w.ask("POST", confirm, stranger, nil).refused(403, "access.forbidden")
	w.ask("POST", "/erasures/"+ident.New[string](w.now)+"/confirm", second, nil).refused(404, "erasure.unknown")
	into[Person](w.ask("GET", "/me", w.resident, nil), http.StatusOK)

	confirmed := into[Erasure](w.ask("POST", confirm, second, nil), http.StatusOK)
	if confirmed.Second != second || confirmed.Confirmed.IsZero() {
		t.Errorf("confirmed is %+v", confirmed)
	}
	w.ask("POST", confirm, second, nil).refused(409, "erasure.confirmed-already")
	if got := into[Page[Erasure]](w.ask("GET", "/erasures", first, nil), http.StatusOK); len(got.Items) != 1 || got.Items[0] != confirmed {
		t.Errorf("the list is %+v", got)
	}
	if got := into[Page[Erasure]](w.ask("GET", "/erasures", stranger, nil), http.StatusOK); len(got.Items) != 0 {
		t.Errorf("another agency sees %+v", got)
	}
	w.ask("GET", "/erasures?limit=0", first, nil).refused(422, "page.limit")

	w.must(w.jobs.Drain(t.Context()))
	for _, path := range []string{"/me", "/applications/" + string(application), "/documents/" + string(document)} {
		w.ask("GET", path, w.resident, nil).refused(410, "seal.erased")
	}
	w.ask("POST", "/documents/"+string(document)+"/revoke", chair, NewRevocation{Reason: "x"}).refused(410, "seal.erased")
}
