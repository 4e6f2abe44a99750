package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/correction"
	"yagona/kernel/erasure"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/person"
	"yagona/kernel/session"
	"yagona/store/query"
	"yagona/web/route"
)

// unemployed makes a record about the world's resident and returns it with its keeper.
func (w *world) unemployed() (Version, ident.Person) {
	w.Helper()
	registrar := w.official("employment-agency", access.Registrar)
	return into[Version](w.ask("POST", "/registers/employment/unemployed/records", registrar, map[string]any{
		"reason": "registered", "values": map[string]any{"person": w.resident.Subject(), "registeredOn": "2026-02-01"},
	}), http.StatusCreated), registrar
}

func TestPeopleReadTheirOwnRecords(t *testing.T) {
	w := newWorld(t)
	made, registrar := w.unemployed()
	stranger, err := w.People.TakeUp(t.Context(), journal.Actor{Component: "test"}, "", person.Attributes{Number: "30000000000002", Name: "Test Stranger"})
	w.must(err)
	one := "/registers/employment/unemployed/records/" + string(made.Record)

	all := into[Page[OwnRecord]](w.ask("GET", "/me/records", w.resident, nil), http.StatusOK).Items
	if len(all) != 1 || all[0].Record != made.Record || all[0].Register != "employment/unemployed" || all[0].Agency != "employment-agency" ||
		all[0].Title != "Registered unemployed people" || all[0].Values["registeredOn"] != "2026-02-01" {
		t.Errorf("they see %+v", all)
	}
	into[Version](w.ask("PATCH", one, registrar, map[string]any{
		"reason": "another day", "corrects": 1, "values": map[string]any{"person": w.resident.Subject(), "registeredOn": "2026-02-02"},
	}, "If-Match", `"1"`), http.StatusOK)
	own := "/me/records/employment/unemployed/" + string(made.Record)
	answer := w.ask("GET", own, w.resident, nil)
	found := into[Record](answer, http.StatusOK)
	if len(found.Versions) != 2 || found.Versions[1].Corrects != 1 || found.Versions[1].By.Agency != "employment-agency" || answer.header.Get("ETag") != `"2"` {
		t.Errorf("the record is %+v, its ETag %s", found, answer.header.Get("ETag"))
	}
	// Read a dozen times in one session, it is one line in who read their data.
	read := 0
	for _, one := range into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK).Items {
		if one.Type == "own-data.read" {
			read++
		}
	}
	if read != 1 {
		t.Errorf("%d readings of their own are journaled", read)
	}

	// For anybody else there is nothing, whatever office they hold.
	for _, other := range []ident.Person{stranger, registrar} {
		if seen := into[Page[OwnRecord]](w.ask("GET", "/me/records", other, nil), http.StatusOK).Items; len(seen) != 0 {
			t.Errorf("somebody else sees %+v", seen)
		}
		w.ask("GET", own, other, nil).refused(404, "register.no-record")
	}
	w.ask("GET", own, "", nil).refused(401, "access.sign-in")
	w.ask("GET", "/me/records/employment/unemployed/"+ident.New[string](w.now), w.resident, nil).refused(404, "register.no-record")
	w.ask("GET", "/me/records/employment/nothing/"+string(made.Record), w.resident, nil).refused(404, "register.unknown")
}

func TestACorrectionIsAskedForAndAnsweredByPrograms(t *testing.T) {
	w := newWorld(t)
	made, registrar := w.unemployed()
	w.now = w.now.Add(time.Hour)
	elsewhere := w.official("youth-agency", access.Registrar)
	wish := map[string]any{"register": "employment/unemployed", "field": "registeredOn", "statement": " I came on 2 February. "}

	key := ident.New[string](w.now)
	sent := w.ask("POST", "/corrections", w.resident, wish, "Idempotency-Key", key)
	asked := into[CorrectionSummary](sent, http.StatusCreated)
	if asked.State != correction.Open || asked.Agency != "employment-agency" || !asked.Due.Equal(w.now.AddDate(0, 0, 15)) || sent.header.Get("ETag") != `"1"` {
		t.Fatalf("it is %+v", asked)
	}
	if again := into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, wish, "Idempotency-Key", key), http.StatusCreated); again.ID != asked.ID {
		t.Errorf("sent again with its key, it is asked for again: %s and %s", asked.ID, again.ID)
	}
	own, task := "/corrections/"+string(asked.ID), "/correction-tasks/"+string(asked.ID)
	if sent.header.Get("Location") != Root+own {
		t.Errorf("it is at %s", sent.header.Get("Location"))
	}
	for name, test := range map[string]struct {
		change map[string]any
		status int
		code   string
	}{
		"twice":         {nil, 409, "correction.twice"},
		"no field":      {map[string]any{"field": "salary"}, 422, "correction.field"},
		"no register":   {map[string]any{"register": "employment/nothing"}, 404, "register.unknown"},
		"no words":      {map[string]any{"statement": " "}, 422, "correction.statement"},
		"too many":      {map[string]any{"statement": strings.Repeat("ў", 4001)}, 422, "correction.statement"},
		"about another": {map[string]any{"subject": registrar.Subject()}, 422, "http.unknown-field"},
		"what it said":  {map[string]any{"shown": "another day"}, 422, "http.unknown-field"},
	} {
		t.Run(name, func(t *testing.T) {
			w.T = t
			body := map[string]any{}
			for key, value := range wish {
				body[key] = value
			}
			for key, value := range test.change {
				body[key] = value
			}
			w.ask("POST", "/corrections", w.resident, body).refused(test.status, test.code)
		})
	}
	w.T = t
	if mine := into[Page[Correction]](w.ask("GET", "/corrections", w.resident, nil), http.StatusOK).Items; len(mine) != 1 || mine[0].Statement != "I came on 2 February." || mine[0].By != nil {
		t.Errorf("they asked for %+v", mine)
	}

	// Nobody but who asked and who answers sees it, and nobody's words are in a list.
	w.ask("GET", own, registrar, nil).refused(404, "correction.unknown")
	w.ask("GET", task, w.resident, nil).refused(403, "access.officials-only")
	w.ask("GET", task, elsewhere, nil).refused(404, "correction.unknown")
	if got := into[Page[CorrectionSummary]](w.ask("GET", "/correction-tasks", elsewhere, nil), http.StatusOK).Items; len(got) != 0 {
		t.Errorf("another agency sees %+v", got)
	}
	if got := into[Page[CorrectionSummary]](w.ask("GET", "/correction-tasks", registrar, nil), http.StatusOK).Items; len(got) != 1 || got[0] != asked {
		t.Errorf("the agency sees %+v", got)
	}
	read := into[Correction](w.ask("GET", task, registrar, nil), http.StatusOK)
	if read.Statement != "I came on 2 February." || read.Subject != w.resident.Subject() || read.Field != "registeredOn" {
		t.Errorf("the registrar reads %+v", read)
	}

	corrected := map[string]any{"state": "corrected", "reason": "You are right."}
	w.ask("POST", task+"/answer", registrar, corrected).refused(428, "http.precondition-required")
	w.ask("POST", task+"/answer", registrar, corrected, "If-Match", `"7"`).refused(412, "http.precondition-failed")
	w.ask("POST", task+"/answer", registrar, corrected, "If-Match", `"1"`).refused(409, "correction.record-unchanged")
	w.ask("POST", task+"/answer", registrar, map[string]any{"state": "corrected", "reason": "\u200b"}, "If-Match", `"1"`).refused(422, "correction.reason")
	for _, unsaid := range []any{nil, "", "open", "withdrawn"} {
		w.ask("POST", task+"/answer", registrar, map[string]any{"state": unsaid, "reason": "No."}, "If-Match", `"1"`).refused(422, "correction.state")
	}
	w.ask("POST", task+"/answer", registrar, map[string]any{"reason": "No."}, "If-Match", `"1"`).refused(422, "correction.state")
	w.now = w.now.Add(time.Hour)
	into[Version](w.ask("PATCH", "/registers/employment/unemployed/records/"+string(made.Record), registrar, map[string]any{
		"reason": "the person said so", "corrects": 1, "values": map[string]any{"person": w.resident.Subject(), "registeredOn": "2026-02-02"},
	}, "If-Match", `"1"`), http.StatusOK)
	if answered := into[CorrectionSummary](w.ask("POST", task+"/answer", registrar, corrected, "If-Match", `"1"`), http.StatusOK); answered.State != correction.Corrected {
		t.Errorf("answered, it is %+v", answered)
	}
	if end := into[Correction](w.ask("GET", own, w.resident, nil), http.StatusOK); end.Reason != "You are right." || end.By == nil || end.By.Agency != "employment-agency" {
		t.Errorf("who asked reads %+v", end)
	}
	w.ask("POST", own+"/withdraw", w.resident, nil, "If-Match", `"2"`).refused(409, "correction.resolved")

	second := into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, map[string]any{
		"register": "employment/unemployed", "statement": "I was never here.",
	}), http.StatusCreated)
	w.ask("POST", "/corrections/"+string(second.ID)+"/withdraw", registrar, nil, "If-Match", `"1"`).refused(404, "correction.unknown")
	if back := into[CorrectionSummary](w.ask("POST", "/corrections/"+string(second.ID)+"/withdraw", w.resident, nil, "If-Match", `"1"`), http.StatusOK); back.State != correction.Withdrawn {
		t.Errorf("taken back, it is %+v", back)
	}
}

func TestCorrectionsHavePages(t *testing.T) {
	w := newWorld(t)
	registrar := w.official("employment-agency", access.Registrar)
	for _, name := range []string{"", "person", "registeredOn", "skill"} {
		into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, map[string]any{"register": "employment/unemployed", "field": name, "statement": "wrong"}), http.StatusCreated)
	}
	for path, as := range map[string]ident.Person{"/corrections": w.resident, "/correction-tasks": registrar} {
		seen, next := map[ident.Correction]bool{}, "?limit=3"
		for next != "" {
			page := into[Page[CorrectionSummary]](w.ask("GET", path+next, as, nil), http.StatusOK)
			for _, one := range page.Items {
				seen[one.ID] = true
			}
			if next = ""; page.Next != "" {
				next = "?limit=3&after=" + page.Next
			}
		}
		if len(seen) != 4 {
			t.Errorf("%s lists %d", path, len(seen))
		}
		w.ask("GET", path+"?after=x", as, nil).refused(422, "page.cursor")
		w.ask("GET", path+"?limit=0", as, nil).refused(422, "page.limit")
	}
}

func TestACorrectionIsOpenBusinessOfAnErasure(t *testing.T) {
	w := newWorld(t)
	w.unemployed()
	asked := into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, map[string]any{"register": "employment/unemployed", "statement": "wrong"}), http.StatusCreated)
	officer := w.officialFor("employment-agency", erasure.Officer, w.Profile.Territories.Root())
	wish := NewErasure{w.resident.Subject(), "illustrative act"}
	problem := w.ask("POST", "/erasures", officer, wish).problem(409, "erasure.open-business")
	if !strings.Contains(problem.Detail, string(asked.ID)) {
		t.Errorf("what is open is not said: %s", problem.Detail)
	}
	into[CorrectionSummary](w.ask("POST", "/corrections/"+string(asked.ID)+"/withdraw", w.resident, nil, "If-Match", `"1"`), http.StatusOK)
	into[Erasure](w.ask("POST", "/erasures", officer, wish), http.StatusCreated)
}

// forgetful loses the first answer that it is to keep.
type forgetful struct {
	act.Store[session.Reader, session.Tx]
	kept atomic.Int32
}

func (f *forgetful) Update(ctx context.Context, key act.Key, do func(session.Tx) error) error {
	if f.kept.Add(1) == 2 { // the first one begins
		return errors.New("the machine stops")
	}
	return f.Store.Update(ctx, key, do)
}

// An act whose answer was lost is found again by its key.
func TestACorrectionIsAskedForOnceWhateverIsLost(t *testing.T) {
	w := newWorld(t)
	store := &forgetful{Store: query.For[session.Reader, session.Tx](w.db)}
	w.router = route.New(route.Config{Recognise: w.recognise, Languages: w.Profile.Languages, Say: w.Say, Now: w.Clock, Answers: session.NewAnswers(store, time.Minute)})
	w.router.Add(New(w.Dependencies)...)
	wish, key := map[string]any{"register": "employment/unemployed", "statement": "wrong"}, ident.New[string](w.now)
	w.ask("POST", "/corrections", w.resident, wish, "Idempotency-Key", key).refused(500, "internal")
	w.now = w.now.Add(5 * time.Minute)
	asked := into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, wish, "Idempotency-Key", key), http.StatusCreated)
	if all := into[Page[Correction]](w.ask("GET", "/corrections", w.resident, nil), http.StatusOK).Items; len(all) != 1 || all[0].ID != asked.ID {
		t.Errorf("there are %+v", all)
	}
	w.ask("POST", "/corrections", w.resident, wish, "Idempotency-Key", "4d2c1b5e-3f6a-4c1d-9b1e-8f2a6b7c8d9e").refused(422, "idempotency.not-uuid")
}

func TestAnAnswerGivenAgainIsOfTheSameRequest(t *testing.T) {
	w := newWorld(t)
	_, registrar := w.unemployed()
	key := ident.New[string](w.now)
	for _, language := range []string{"ru", "en"} {
		answer := w.ask("POST", "/corrections", w.resident, map[string]any{"register": "employment/unemployed", "statement": " "}, "Idempotency-Key", key, "Accept-Language", language)
		answer.refused(422, "correction.statement")
		if got := answer.header.Get("Content-Language"); got != "ru" {
			t.Errorf("asked in %s, the answer of before is said to be %s", language, got)
		}
	}
	asked := into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, map[string]any{"register": "employment/unemployed", "statement": "wrong"}), http.StatusCreated)
	key = ident.New[string](w.now)
	path, refusal := "/correction-tasks/"+string(asked.ID)+"/answer", map[string]any{"state": "refused", "reason": "It is right."}
	w.ask("POST", path, registrar, refusal, "Idempotency-Key", key, "If-Match", `"7"`).refused(412, "http.precondition-failed")
	w.ask("POST", path, registrar, refusal, "Idempotency-Key", key, "If-Match", `"1"`).refused(422, "idempotency.other-request")
	into[CorrectionSummary](w.ask("POST", path, registrar, refusal, "If-Match", `"1"`), http.StatusOK)
}

func TestADateThatThereIsNotSaysSo(t *testing.T) {
	w := newWorld(t)
	made, registrar := w.unemployed()
	w.ask("PATCH", "/registers/employment/unemployed/records/"+string(made.Record), registrar, map[string]any{
		"reason": "moved", "from": "2026-02-30", "values": map[string]any{},
	}, "If-Match", `"1"`).refused(422, "calendar.date-malformed")
}

func TestARegisterThatIsSilentIsSaidSo(t *testing.T) {
	w := newWorld(t)
	_, registrar := w.unemployed()
	asked := into[CorrectionSummary](w.ask("POST", "/corrections", w.resident, map[string]any{"register": "employment/unemployed", "statement": "wrong"}), http.StatusCreated)
	w.registers.unrelatable(true)
	w.ask("GET", "/correction-tasks/"+string(asked.ID), registrar, nil).refused(503, "exchange.unavailable")
	w.ask("POST", "/correction-tasks/"+string(asked.ID)+"/answer", registrar, map[string]any{"state": "refused", "reason": "It is right."}, "If-Match", `"1"`).refused(503, "exchange.unavailable")
}
