package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/ledger"
	"yagona/kernel/signature"
	"yagona/std/c2sp"
)

// taskOf returns the one task in the official's inbox, opened, and its ETag.
func (w *world) taskOf(official ident.Person) (Task, string) {
	w.Helper()
	inbox := into[Page[TaskSummary]](w.ask("GET", "/tasks", official, nil), http.StatusOK)
	if len(inbox.Items) != 1 {
		w.Fatalf("the inbox holds %d tasks", len(inbox.Items))
	}
	answer := w.ask("GET", "/tasks/"+string(inbox.Items[0].ID), official, nil)
	return into[Task](answer, http.StatusOK), answer.header.Get("ETag")
}

// decide carries out a verdict on the official's one task.
func (w *world) decide(official ident.Person, verdict any) Decided {
	w.Helper()
	task, tag := w.taskOf(official)
	return into[Decided](w.ask("POST", "/tasks/"+string(task.Task.ID)+"/decide", official, verdict, "If-Match", tag), http.StatusOK)
}

func TestFromAnApplicationToAProvenPayment(t *testing.T) {
	w := newWorld(t)
	leader, chair, treasurer := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair"), w.official("youth-agency", access.Treasurer)
	sent := w.apply()
	if sent.Application.State != casework.Deciding || sent.Receipt.Pending != pending || sent.Receipt.Opening == nil {
		t.Fatalf("the receipt is %+v", sent)
	}
	if w.decide(leader, map[string]any{"action": "recommend", "form": map[string]any{"visited": true}}).State != casework.Deciding {
		t.Error("a recommendation decides")
	}
	if state := w.decide(chair, map[string]any{"action": "approve"}).State; state != casework.Granted {
		t.Fatalf("the application is %s", state)
	}
	w.must(w.jobs.Drain(t.Context()))

	path := "/applications/" + string(sent.Application.ID)
	shown := into[Application](w.ask("GET", path, w.resident, nil), http.StatusOK)
	if shown.Granted == nil || shown.Granted.Payment != 150_000_000 || len(shown.Decisions) != 2 || shown.Rules[0].Outcome != "met" {
		t.Errorf("the application shows %+v", shown)
	}
	for _, one := range shown.Decisions {
		if one.By.Person != "" || one.By.Agency != "youth-agency" {
			t.Errorf("the applicant sees the official %+v", one.By)
		}
	}
	if got := into[Payment](w.ask("GET", path+"/payment", w.resident, nil), http.StatusOK); got.State != ledger.Verified || got.Final {
		t.Errorf("the payment is %+v", got)
	}
	orders := into[Page[Order]](w.ask("GET", "/orders", treasurer, nil), http.StatusOK)
	if len(orders.Items) != 1 || orders.Items[0].Amount != 150_000_000 {
		t.Fatalf("the orders are %+v", orders)
	}
	released := into[Order](w.ask("POST", "/orders/"+string(orders.Items[0].ID)+"/release", treasurer, nil), http.StatusOK)
	if released.State != ledger.Released {
		t.Errorf("the order is %s", released.State)
	}
	w.ask("POST", "/orders/"+string(orders.Items[0].ID)+"/refuse", treasurer, map[string]any{"reason": "wrong-amount"}).refused(409, "order.moved")
	if got := into[Page[Notice]](w.ask("GET", "/notices", w.resident, nil), http.StatusOK); len(got.Items) != 1 || got.Items[0].Kind != "application.granted" {
		t.Errorf("the notices are %+v", got)
	}
}

func TestATreasurerBooksAnAppropriationOnce(t *testing.T) {
	w := newWorld(t)
	treasurer, other := w.official("youth-agency", access.Treasurer), w.official("social-agency", access.Treasurer)
	before := into[Page[Fund]](w.ask("GET", "/funds", treasurer, nil), http.StatusOK)
	if len(before.Items) != 1 || before.Items[0].ID != "fund:youth-fund" {
		t.Fatalf("the funds are %+v", before)
	}
	path, wanted := "/funds/youth-fund/appropriations", map[string]any{"id": ident.New[ident.Transfer](w.Clock()), "amount": 250_000_00}
	booked := into[Booked](w.ask("POST", path, treasurer, wanted), http.StatusOK)
	if booked.State != ledger.Posted || booked.Amount != 250_000_00 || booked.Fund != "fund:youth-fund" {
		t.Errorf("booked: %+v", booked)
	}
	if again := into[Booked](w.ask("POST", path, treasurer, wanted), http.StatusOK); again != booked {
		t.Errorf("sent again it is %+v", again)
	}
	after := into[Page[Fund]](w.ask("GET", "/funds", treasurer, nil), http.StatusOK)
	if got, want := after.Items[0].Available, before.Items[0].Available+250_000_00; got != want {
		t.Errorf("%d are available, want %d", got, want)
	}
	if got := into[Page[Fund]](w.ask("GET", "/funds", other, nil), http.StatusOK); len(got.Items) != 0 {
		t.Errorf("another agency's treasurer sees %+v", got)
	}
	w.ask("POST", path, other, wanted).refused(403, "access.forbidden")
	wanted["amount"] = 1
	w.ask("POST", path, treasurer, wanted).refused(409, "ledger.transfer-differs")
	w.ask("POST", path, treasurer, map[string]any{"id": ident.New[ident.Transfer](w.Clock()), "amount": -5}).refused(422, "ledger.amount")
	w.ask("POST", path, treasurer, map[string]any{"id": "none", "amount": 5}).refused(422, "ident.malformed")
	w.ask("POST", "/funds/none/appropriations", treasurer, map[string]any{"id": ident.New[ident.Transfer](w.Clock()), "amount": 5}).refused(404, "ledger.account-unknown")
}

func TestADocumentIsFetchedAndVerified(t *testing.T) {
	w := newWorld(t)
	leader, chair := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "chair")
	w.apply()
	w.decide(leader, map[string]any{"action": "recommend"})
	w.decide(chair, map[string]any{"action": "approve"})
	list := into[Page[DocumentSummary]](w.ask("GET", "/documents", w.resident, nil), http.StatusOK)
	if len(list.Items) != 1 {
		t.Fatalf("the documents are %+v", list)
	}
	path := "/documents/" + string(list.Items[0].ID)
	shown := into[Document](w.ask("GET", path, w.resident, nil), http.StatusOK)
	file := w.ask("GET", path+"/file", w.resident, nil)
	if file.status != http.StatusOK || !bytes.HasPrefix(file.body, []byte("%PDF-")) {
		t.Fatalf("the file is %d %.20q", file.status, file.body)
	}
	ofPayload := into[Verification](w.ask("POST", "/verify", "", Payload{shown.Payload}), http.StatusOK)
	ofFile := into[Verification](w.ask("POST", "/verify", "", file.body, "Content-Type", "application/pdf"), http.StatusOK)
	for name, one := range map[string]Verification{"payload": ofPayload, "file": ofFile} {
		if one.State != document.Valid || one.Claims == nil || one.Claims.Document != list.Items[0].ID {
			t.Errorf("the %s is %+v", name, one)
		}
	}
	file.body[len(file.body)/2] ^= 1
	if got := into[Verification](w.ask("POST", "/verify", "", file.body, "Content-Type", "application/pdf"), http.StatusOK); got.State == document.Valid {
		t.Error("a changed file is valid")
	}
	w.ask("POST", "/verify", "", []byte("x"), "Content-Type", "text/plain").refused(415, "http.unsupported-media")
	other := ident.Random[ident.Person]()
	w.ask("GET", path, other, nil).refused(404, "document.unknown")
	w.ask("GET", path+"/file", other, nil).refused(404, "document.unknown")

	reason := document.Reason{Text: "issued by mistake"}
	w.must(w.Documents.Revoke(t.Context(), officialActor("youth-agency"), list.Items[0].ID, reason))
	if got := into[Revocations](w.ask("GET", "/revocations", "", nil), http.StatusOK); len(got.Revoked) != 1 || got.Revoked[0].Document != list.Items[0].ID {
		t.Errorf("the revocations are %+v", got)
	}
	if got := into[Verification](w.ask("POST", "/verify", "", Payload{shown.Payload}), http.StatusOK); got.State != document.Revoked {
		t.Errorf("a revoked document is %s", got.State)
	}
	keys := into[Keys](w.ask("GET", "/keys", "", nil), http.StatusOK)
	for _, key := range keys.Keys {
		_, err := document.ReadKeySet(keys.Token, key.Public)
		if trusted := key.Holder == string(signature.Node); trusted != (err == nil) {
			t.Errorf("with the key of %s the key set gives %v", key.Holder, err)
		}
	}
	if len(keys.Keys) != 2 {
		t.Errorf("published are %+v", keys.Keys)
	}
}

// TestAPersonSeesWhoReadAndProvesIt checks the access log with nothing but what the API answers and the log's public
// key.
func TestAPersonSeesWhoReadAndProvesIt(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-agency", "youth-leader")
	sent := w.apply()
	w.taskOf(leader)
	w.now = w.now.Add(time.Second) // within a millisecond, events have no order
	entries := into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK)
	if len(entries.Items) != 2 || entries.Items[0].Type != "own-data.read" || entries.Items[1].Type != "application.read" {
		t.Fatalf("the access log is %+v", entries)
	}
	reading := entries.Items[1]
	if reading.By.Role != "youth-leader" || reading.Purpose != "decide" || !strings.Contains(string(reading.What), string(sent.Application.ID)) {
		t.Errorf("the reading is %+v", reading)
	}
	w.ask("GET", "/applications", w.resident, nil)
	if again := into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK); len(again.Items) != 2 {
		t.Errorf("a session that reads its own data again is journaled again: %+v", again)
	}

	path := "/access-log/" + string(reading.Event) + "/proof"
	if early := into[Proof](w.ask("GET", path, w.resident, nil), http.StatusOK); early.Pending != pending || early.Proof != "" {
		t.Errorf("before it is published the proof is %+v", early)
	}
	w.publish()
	for _, event := range []ident.Event{reading.Event, sent.Receipt.Event} {
		proof := into[Proof](w.ask("GET", "/access-log/"+string(event)+"/proof", w.resident, nil), http.StatusOK)
		if proof.Pending != "" || proof.Opening == nil {
			t.Fatalf("the proof is %+v", proof)
		}
		header, entry, err := proof.Opening.Verify()
		if err != nil || header.ID != event || !bytes.Equal(entry, proof.Entry) {
			t.Fatalf("the opening does not fit: %v, %+v", err, header)
		}
		parsed, err := c2sp.ParseProof([]byte(proof.Proof))
		w.must(err)
		if _, err := parsed.Verify(entry, w.logKey(), nil, 0); err != nil {
			t.Errorf("the proof does not verify: %v", err)
		}
		if _, err := parsed.Verify(append([]byte{2}, entry[1:]...), w.logKey(), nil, 0); err == nil {
			t.Error("the proof verifies another entry")
		}
	}
	other := ident.Random[ident.Person]()
	w.ask("GET", path, other, nil).refused(404, "journal.unknown")
	if got := into[Page[Access]](w.ask("GET", "/access-log", other, nil), http.StatusOK); len(got.Items) != 1 || got.Items[0].Type != "own-data.read" {
		t.Errorf("another resident sees %+v", got)
	}
	first := into[Page[Access]](w.ask("GET", "/access-log?limit=1", w.resident, nil), http.StatusOK)
	second := into[Page[Access]](w.ask("GET", "/access-log?limit=1&after="+first.Next, w.resident, nil), http.StatusOK)
	if first.Next == "" || second.Next != "" || second.Items[0].Event != reading.Event {
		t.Errorf("the pages are %+v and %+v", first, second)
	}
	w.ask("GET", "/access-log?after=x", w.resident, nil).refused(422, "page.cursor")
	w.ask("GET", "/access-log?limit=0", w.resident, nil).refused(422, "page.limit")
}

func (w *world) logKey() note.Verifier {
	w.Helper()
	for _, key := range w.keys.Keys() {
		if key.Holder == "log" {
			text, err := note.NewEd25519VerifierKey("services.example/log", key.Public)
			w.must(err)
			verifier, err := note.NewVerifier(text)
			w.must(err)
			return verifier
		}
	}
	w.Fatal("the log has no key")
	return nil
}

func TestOneSessionReadsItsOwnDataOnce(t *testing.T) {
	w := newWorld(t)
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() { w.ask("GET", "/me", w.resident, nil) })
	}
	requests.Wait()
	if got := into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK); len(got.Items) != 1 {
		t.Errorf("eight requests of one session left %d entries", len(got.Items))
	}
}

func TestADelayedEntryAppearsWhenTheLawAllows(t *testing.T) {
	w := newWorld(t)
	definition, err := w.Definitions().Register("employment/unemployed")
	w.must(err)
	delayed := *definition
	w.must(w.delay(&delayed))
	w.now = w.now.Add(time.Second)
	if got := into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK); len(got.Items) != 1 {
		t.Errorf("a delayed entry shows: %+v", got)
	}
	w.now = w.now.AddDate(0, 0, 31)
	got := into[Page[Access]](w.ask("GET", "/access-log", w.resident, nil), http.StatusOK)
	if len(got.Items) != 2 || got.Items[1].Shown.IsZero() || !strings.Contains(string(got.Items[1].What), "illustrative law") {
		t.Errorf("after its time the entry is not there with its reason: %+v", got)
	}
}

func TestDraftsAreEditedByRevision(t *testing.T) {
	w := newWorld(t)
	begun := w.ask("POST", "/applications", w.resident, map[string]any{"service": "youth/tools", "answers": map[string]any{"price": 100, "trade": "flying"}})
	draft := into[Receipt](begun, http.StatusCreated)
	if draft.Application.State != casework.Draft || len(draft.Problems) != 1 || draft.Problems[0].Field != "answers.trade" || draft.Problems[0].Code != "field.option" {
		t.Fatalf("the draft is %+v", draft)
	}
	if begun.header.Get("Location") != Root+"/applications/"+string(draft.Application.ID) {
		t.Errorf("it lies at %s", begun.header.Get("Location"))
	}
	path, tag := "/applications/"+string(draft.Application.ID), begun.header.Get("ETag")
	w.ask("PATCH", path, w.resident, map[string]any{"answers": w.answers()}).refused(428, "http.precondition-required")
	for _, wrong := range []string{`"99"`, `*`, `W/` + tag, `2`, `"x"`} {
		w.ask("PATCH", path, w.resident, map[string]any{"answers": w.answers()}, "If-Match", wrong).refused(412, "http.precondition-failed")
	}
	saved := w.ask("PATCH", path, w.resident, map[string]any{"answers": map[string]any{"price": nil, "trade": "sewing"}}, "If-Match", tag)
	if got := into[Draft](saved, http.StatusOK); len(got.Problems) != 0 {
		t.Errorf("saving gives %+v", got)
	}
	w.ask("PATCH", path, w.resident, map[string]any{"answers": w.answers()}, "If-Match", tag).refused(412, "http.precondition-failed")
	shown := w.ask("GET", path, w.resident, nil)
	if got := string(into[Application](shown, http.StatusOK).Answers); got != `{"trade":"sewing"}` {
		t.Errorf("the answers are %s", got)
	}
	tag = shown.header.Get("ETag")
	preview := into[Preview](w.ask("POST", path+"/preview", w.resident, nil), http.StatusOK)
	if preview.Outcome != "met" || len(preview.Problems) != 2 || len(preview.Evidence) != 2 || preview.Evidence[1].Status != "answered" {
		t.Errorf("the preview is %+v", preview)
	}
	problem := w.ask("POST", path+"/submit", w.resident, nil, "If-Match", tag).problem(422, "field.required")
	if len(problem.Fields) != 2 || problem.Fields[0].Field != "answers.account" {
		t.Errorf("the problem names %+v", problem.Fields)
	}
	w.ask("PATCH", path, w.resident, map[string]any{"answers": map[string]any{"price": "a lot", "colour": "red"}}, "If-Match", tag).refused(422, "field.unknown")
	tag = w.ask("PATCH", path, w.resident, map[string]any{"answers": w.answers()}, "If-Match", tag).header.Get("ETag")
	first := into[Receipt](w.ask("POST", path+"/submit", w.resident, nil, "If-Match", tag), http.StatusOK)
	again := into[Receipt](w.ask("POST", path+"/submit", w.resident, nil, "If-Match", tag), http.StatusOK)
	if first.Receipt.Event != again.Receipt.Event {
		t.Error("sending again gives another receipt")
	}
	w.ask("PATCH", path, w.resident, map[string]any{"answers": w.answers()}, "If-Match", tag).refused(409, "application.sent")
	w.ask("POST", path+"/answer", w.resident, map[string]any{"answer": "Yes."}, "If-Match", tag).refused(409, "application.not-asked")
	w.ask("POST", path+"/withdraw", w.resident, nil, "If-Match", tag).refused(412, "http.precondition-failed")
	tag = w.ask("GET", path, w.resident, nil).header.Get("ETag")
	if got := into[Receipt](w.ask("POST", path+"/withdraw", w.resident, nil, "If-Match", tag), http.StatusOK); got.Application.State != casework.Withdrawn {
		t.Errorf("it is %s", got.Application.State)
	}
}

func TestASilentRegisterLeavesAReceipt(t *testing.T) {
	w := newWorld(t)
	w.registers.silence(true)
	if got := w.apply(); got.Application.State != casework.Gathering || got.Receipt.Event == "" {
		t.Errorf("the receipt is %+v", got)
	}
}

func TestAskingAnsweringRefusingAndContesting(t *testing.T) {
	w := newWorld(t)
	leader := w.official("youth-agency", "youth-leader")
	path := "/applications/" + string(w.apply().Application.ID)
	w.decide(leader, map[string]any{"action": "ask", "question": "Where is the shop?"})
	tag := w.ask("GET", path, w.resident, nil).header.Get("ETag")
	w.ask("POST", path+"/answer", w.resident, map[string]any{"answer": " "}, "If-Match", tag).refused(422, "field.required")
	into[Receipt](w.ask("POST", path+"/answer", w.resident, map[string]any{"answer": "In the bazaar."}, "If-Match", tag), http.StatusOK)
	task, taskTag := w.taskOf(leader)
	if len(task.Application.Questions) != 1 || task.Application.Questions[0].Answer != "In the bazaar." {
		t.Errorf("the official sees %+v", task.Application.Questions)
	}
	decide := "/tasks/" + string(task.Task.ID) + "/decide"
	w.ask("POST", decide, leader, map[string]any{"action": "refuse"}).refused(428, "http.precondition-required")
	w.ask("POST", decide, leader, map[string]any{"action": "refuse"}, "If-Match", `"1"`).refused(412, "http.precondition-failed")
	w.ask("POST", decide, leader, map[string]any{"action": "refuse"}, "If-Match", taskTag).refused(422, "task.no-reason")
	w.ask("POST", decide, leader, map[string]any{"action": "approve"}, "If-Match", taskTag).refused(422, "task.action")
	w.ask("POST", decide, leader, map[string]any{"action": "recommend", "form": map[string]any{"visited": "yes"}}, "If-Match", taskTag).refused(422, "field.type")
	w.ask("POST", decide, leader, map[string]any{"action": "recommend", "attest": map[string]any{"birth": map[string]any{}}}, "If-Match", taskTag).refused(422, "task.attest")
	w.ask("POST", path+"/appeal", w.resident, map[string]any{"grounds": "No."}, "If-Match", taskTag).refused(409, "appeal.not-refused")
	into[Decided](w.ask("POST", decide, leader, map[string]any{"action": "refuse", "reasons": []any{map[string]any{"text": "There is no shop."}}}, "If-Match", taskTag), http.StatusOK)
	answer := w.ask("GET", path, w.resident, nil)
	refused := into[Application](answer, http.StatusOK)
	if refused.State != casework.Refused || refused.Because[0].Text != "There is no shop." || refused.AppealUntil.IsZero() {
		t.Errorf("the applicant sees %+v", refused)
	}
	contested := into[Receipt](w.ask("POST", path+"/appeal", w.resident, map[string]any{"grounds": "There is."}, "If-Match", answer.header.Get("ETag")), http.StatusOK)
	if contested.Application.State != casework.Appealed {
		t.Errorf("it is %s", contested.Application.State)
	}
}

func TestClaimAndHandOver(t *testing.T) {
	w := newWorld(t)
	leader, colleague := w.official("youth-agency", "youth-leader"), w.official("youth-agency", "youth-leader")
	w.apply()
	task, tag := w.taskOf(leader)
	path := "/tasks/" + string(task.Task.ID)
	if got := into[TaskSummary](w.ask("POST", path+"/claim", leader, nil), http.StatusOK); !got.Mine || got.State != casework.TaskClaimed {
		t.Errorf("the task is %+v", got)
	}
	w.ask("POST", path+"/claim", colleague, nil).refused(409, "task.claimed")
	held := into[Page[json.RawMessage]](w.ask("GET", "/me/appointments", colleague, nil), http.StatusOK)
	var appointment struct{ ID ident.Appointment }
	w.must(json.Unmarshal(held.Items[0], &appointment))
	w.ask("POST", path+"/hand-over", leader, map[string]any{"to": "nobody"}).refused(404, "appointment.unknown")
	if got := into[TaskSummary](w.ask("POST", path+"/hand-over", leader, map[string]any{"to": appointment.ID}), http.StatusOK); got.Mine {
		t.Errorf("the task is still theirs: %+v", got)
	}
	w.ask("POST", path+"/decide", leader, map[string]any{"action": "recommend"}, "If-Match", tag).refused(409, "task.claimed")
}

func TestTheSameKeyGivesTheSameReceipt(t *testing.T) {
	w := newWorld(t)
	key := uuid.Must(uuid.NewV7()).String()
	wish := map[string]any{"service": "youth/tools", "language": "en", "answers": w.answers(), "send": true}
	first := w.ask("POST", "/applications", w.resident, wish, "Idempotency-Key", key)
	again := w.ask("POST", "/applications", w.resident, wish, "Idempotency-Key", key)
	if !bytes.Equal(first.body, again.body) || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("sent again: %s instead of %s", again.body, first.body)
	}
	made := into[Receipt](first, http.StatusCreated).Application.ID
	if id, err := uuid.Parse(string(made)); err != nil || id.Version() != 7 || string(made[:13]) != key[:13] || string(made) == key {
		t.Errorf("the id %s is not a time-ordered one of its own, made of %s", made, key)
	}
	wish["answers"] = w.answers("trade", "welding")
	w.ask("POST", "/applications", w.resident, wish, "Idempotency-Key", key).refused(422, "idempotency.other-request")

	// The kept answer is gone, as after a crash between the act and the answer: the id still gives the same receipt.
	w.now = w.now.Add(25 * time.Hour)
	later := into[Receipt](w.ask("POST", "/applications", w.resident, wish, "Idempotency-Key", key), http.StatusCreated)
	if later.Receipt.Event != into[Receipt](first, http.StatusCreated).Receipt.Event {
		t.Error("the same id gives another receipt")
	}
	if list := into[Page[ApplicationSummary]](w.ask("GET", "/applications", w.resident, nil), http.StatusOK); len(list.Items) != 1 {
		t.Errorf("there are %d applications", len(list.Items))
	}
	other := ident.Random[ident.Person]()
	if theirs := into[Receipt](w.ask("POST", "/applications", other, wish, "Idempotency-Key", key), http.StatusCreated); theirs.Application.ID == made {
		t.Error("another person's key made the same application")
	}
	w.ask("POST", "/applications", w.resident, wish, "Idempotency-Key", uuid.NewString()).refused(422, "idempotency.not-uuid")
	w.ask("POST", "/applications", w.resident, wish, "Idempotency-Key", "short").refused(422, "idempotency.malformed")
	w.ask("POST", "/verify", "", Payload{"x"}, "Idempotency-Key", key).refused(422, "idempotency.not-here")
}

func TestPagesOfApplications(t *testing.T) {
	w := newWorld(t)
	var want []ident.Application
	for range 5 {
		w.now = w.now.Add(time.Second)
		draft := into[Receipt](w.ask("POST", "/applications", w.resident, map[string]any{"service": "youth/tools"}), http.StatusCreated)
		want = append([]ident.Application{draft.Application.ID}, want...)
	}
	var got []ident.Application
	for path := "/applications?limit=2"; path != ""; {
		page := into[Page[ApplicationSummary]](w.ask("GET", path, w.resident, nil), http.StatusOK)
		for _, one := range page.Items {
			got = append(got, one.ID)
		}
		if path = ""; page.Next != "" {
			path = "/applications?limit=2&after=" + page.Next
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the pages hold %v instead of %v", got, want)
	}
	leader := w.official("youth-agency", "youth-leader")
	for range 5 { // each of somebody else: nobody has two open applications to a service that pays
		w.resident = ident.Random[ident.Person]()
		w.apply()
	}
	var tasks int
	for path := "/tasks?limit=2"; path != ""; {
		page := into[Page[TaskSummary]](w.ask("GET", path, leader, nil), http.StatusOK)
		tasks += len(page.Items)
		if path = ""; page.Next != "" {
			path = "/tasks?limit=2&after=" + page.Next
		}
	}
	if tasks != 5 {
		t.Errorf("the pages hold %d tasks", tasks)
	}
	w.ask("GET", "/tasks?after=eA", leader, nil).refused(422, "page.cursor")
}
