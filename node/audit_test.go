package node_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/correction"
	"yagona/kernel/document"
	"yagona/kernel/erasure"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/notice"
	"yagona/kernel/offer"
	"yagona/kernel/passkey"
	"yagona/kernel/publication"
	"yagona/kernel/queue"
	"yagona/kernel/register"
	"yagona/kernel/representation"
	"yagona/kernel/session"
	"yagona/kernel/simulation"
	"yagona/node"
	"yagona/node/nodetest"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/std/c2sp"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// audited makes an installation with a row of every kind that events vouch for, waits until all of it is in the log,
// closes it, and returns its folder and a resident of whom it knows something.
func audited(t *testing.T) (folder string, resident ident.Subject) {
	t.Helper()
	folder = nodetest.Populated(t, 40, time.Now)
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.OpenDemonstration(t.Context(), node.Config{
		Folder: folder, Site: site, Country: uz.Files, Packs: packs.All(), Clock: time.Now, Volatile: true,
	}, 40)
	if err != nil {
		t.Fatal(err)
	}
	person, err := n.People.ByNumber(t.Context(), firstOf(t, n, string(demo.Jobless)))
	if err != nil {
		t.Fatal(err)
	}
	resident = person.Subject()
	for range 2 { // two of each, so that one can be gone and another stay
		record(t, n, person)
	}
	if err := n.Documents.Revoke(t.Context(), journal.Actor{Component: "test"}, firstDocument(t, n, resident), document.Reason{Text: "issued in error"}); err != nil {
		t.Fatal(err)
	}
	n.Start(t.Context())
	published(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return folder, resident
}

// record writes one row of every kind that the seeding of a demonstration does not write.
func record(t *testing.T, n *node.Node, person ident.Person) {
	t.Helper()
	ctx, subject := t.Context(), person.Subject()
	funds := fundsOf(t, n)
	order, err := n.Ledger.Prepare(ctx, journal.Actor{Component: "test"}, ledger.Instruction{
		ID: ident.New[ident.Order](time.Now()), Fund: funds[0], Subject: subject, Amount: 1000, ByRule: true,
		Creditor: ledger.Creditor{Name: "A. Resident", Account: "20208000900000001001"}, Remittance: "youth/tools-subsidy",
	})
	if err != nil {
		t.Fatal(err)
	}
	if order.State == "" {
		t.Fatal("the order has no state")
	}
	sealer, err := n.Vault.Open(ctx, subject)
	if err != nil {
		t.Fatal(err)
	}
	write := func(key act.Key, save func(*query.Tx, ident.Event) ([]journal.Cover, error)) {
		t.Helper()
		err := n.DB.Update(ctx, key, func(tx *query.Tx) error {
			id := journal.NewID(tx)
			covers, err := save(tx, id)
			if err != nil {
				return err
			}
			return journal.AppendAs(tx, sealer, id, journal.Event{
				Type: "test.recorded", Actor: journal.Actor{Component: "test"}, Covers: covers,
				Parts: []journal.Part{{Subject: subject, Personal: map[string]string{"said": "something"}, Disclosure: true}},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var volumes []archive.Volume
	if err := n.DB.View(ctx, func(tx *query.Tx) (err error) { volumes, err = tx.Volumes(); return err }); err != nil {
		t.Fatal(err)
	}
	empty := archive.Volume{Month: fmt.Sprintf("2025-%02d", len(volumes)+1), Made: time.Now().UTC()}
	if empty, err = n.Mover("").Shelf.Make(ctx, empty, func(archive.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	write(act.Platform, func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		empty.Event = event
		return []journal.Cover{empty.Cover()}, tx.SaveVolume(empty)
	})
	write(act.Of(subject), func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		application := casework.Application{
			ID: ident.New[ident.Application](tx.Now()), Applicant: subject, Service: "youth/tools-subsidy", Version: "v", Agency: "youth-agency",
			State: "deciding", Revision: 2, Stage: 1, Language: "uz-Latn", Created: tx.Now(), Submitted: tx.Now(), Territory: "1726",
			Sealed: []byte("sealed"), Event: event,
		}
		task := casework.Task{
			ID: ident.New[ident.Task](tx.Now()), Application: application.ID, Applicant: subject, Service: application.Service, Step: "leader",
			Agency: "youth-agency", Role: "leader", Territory: "1726", Place: "/1726/", State: casework.TaskOpen, Opened: tx.Now(),
			Clock: calendar.Clock{}, Due: tx.Now().Add(time.Hour), Event: event,
		}
		message := notice.Notice{
			ID: strings.ReplaceAll(string(application.ID), "-", ""), Reader: subject, Kind: "application.granted", Application: application.ID,
			At: tx.Now(), Event: event,
		}
		contact := notice.StoredContact{Reader: subject, Routes: "sms:an-address", Sealed: []byte("sealed contact"), Event: event}
		if err := tx.SaveContact(contact); err != nil {
			return nil, err
		}
		keys := passkey.Stored{Owner: subject, Sealed: []byte("sealed passkeys"), Event: event}
		if err := tx.SavePasskeys(keys); err != nil {
			return nil, err
		}
		delivery := notice.Delivery{
			ID: "delivery of " + message.ID, Reader: subject, Notice: message.ID, Channel: "sms", Address: "an-address", State: notice.Sent,
			Reason: "none", Attempts: 3, Receipt: "815", Queued: tx.Now(), Changed: tx.Now(), Event: event,
		}
		if err := tx.SaveDelivery(delivery); err != nil {
			return nil, err
		}
		issued := document.Stored{
			ID: ident.New[ident.Document](tx.Now()), Subject: subject, Type: "certificate", Service: application.Service, Agency: "youth-agency",
			Application: application.ID, Issued: tx.Now(), From: tx.Now(), Until: tx.Now().Add(time.Hour), Content: []byte("sealed content"),
			Payload: []byte("sealed payload"), Event: event,
		}
		asked := exchange.StoredExchange{
			Key: tx.Key(), ID: ident.New[ident.Exchange](tx.Now()), At: tx.Now(), Sealed: []byte("sealed exchange"), Event: event,
		}
		erased := erasure.Erasure{
			ID: ident.New[string](tx.Now()), Subject: subject, Agency: "youth-agency", Law: "an act of law", Proposed: tx.Now(), By: person, Confirmed: tx.Now(), Event: event,
		}
		if err := tx.SaveErasure(erased); err != nil {
			return nil, err
		}
		if err := job.QueueAt(tx, erasure.JobErase, tx.Now().Add(24*time.Hour), map[string]string{"erasure": erased.ID}); err != nil {
			return nil, err
		}
		if err := job.QueueAt(tx, casework.JobDeadline, task.Due, casework.Job{Application: application.ID, Task: task.ID}); err != nil {
			return nil, err
		}
		wrong := correction.Correction{
			ID: ident.New[ident.Correction](tx.Now()), Subject: subject, Register: "civil/births", Agency: "civil-registry", State: correction.Open,
			Revision: 1, Created: tx.Now(), Due: tx.Now().Add(time.Hour), Sealed: []byte("sealed correction"), Event: event,
		}
		if err := job.QueueAt(tx, correction.JobLate, wrong.Due, map[string]string{"correction": string(wrong.ID)}); err != nil {
			return nil, err
		}
		right := casework.Entitlement{
			Application: application.ID, Holder: subject, Service: application.Service, Agency: "youth-agency", State: casework.InForce,
			Since: tx.Now(), Until: tx.Now().Add(time.Hour), Paid: calendar.Date{Year: 2026, Month: 3, Day: 1}, Next: tx.Now().Add(time.Hour), Event: event,
		}
		if err := job.QueueAt(tx, casework.JobReview, right.Next, casework.Job{Application: application.ID}); err != nil {
			return nil, err
		}
		if err := tx.SaveEntitlement(right); err != nil {
			return nil, err
		}
		if err := tx.SaveCorrection(wrong); err != nil {
			return nil, err
		}
		mandate := representation.Mandate{
			ID: ident.New[ident.Mandate](tx.Now()), Subject: subject, Representative: ident.Random[ident.Person](), Revision: 1, Created: tx.Now(),
			Accepted: tx.Now(), Until: tx.Now().Add(time.Hour), Ended: tx.Now(), Sealed: []byte("sealed mandate"), Event: event,
		}
		if err := tx.SaveMandate(mandate); err != nil {
			return nil, err
		}
		offered := offer.Offer{
			ID: offer.IDOf(subject, "youth/tools-subsidy", ident.New[ident.Record](tx.Now())), Subject: subject, Service: "youth/tools-subsidy", Application: application.ID,
			Territory: "1726290", Made: tx.Now(), Event: event,
		}
		if err := tx.SaveOffer(offered); err != nil {
			return nil, err
		}
		taking := offer.Participation{Subject: subject, Declined: true, Visits: true, Sealed: []byte("sealed findings"), Event: event}
		if err := tx.SaveParticipation(taking); err != nil {
			return nil, err
		}
		photo := casework.Attachment{
			ID: ident.New[string](tx.Now()), Applicant: subject, Application: application.ID, Kind: "signed-summary", Sealed: []byte("sealed photo"), Event: event,
		}
		if err := tx.AddAttachment(photo); err != nil {
			return nil, err
		}
		if _, err := tx.AddNotice(message); err != nil {
			return nil, err
		}
		for _, save := range []func() error{
			func() error { return tx.SaveApplication(application) }, func() error { return tx.SaveTask(task) },
			func() error { return tx.SaveDocument(issued) }, func() error { return tx.SaveExchange(asked) },
		} {
			if err := save(); err != nil {
				return nil, err
			}
		}
		return []journal.Cover{application.Cover(), task.Cover(), right.Cover(), message.Cover(), contact.Cover(), keys.Cover(), delivery.Cover(), issued.Cover(), asked.Cover(), erased.Cover(), wrong.Cover(), photo.Cover(), mandate.Cover(), offered.Cover(), taking.Cover()}, nil
	})
	err = n.DB.Update(ctx, act.OfAgency("youth-agency"), func(tx *query.Tx) error {
		id := journal.NewID(tx)
		made := simulation.Simulation{
			ID: ident.New[ident.Simulation](tx.Now()), Agency: "youth-agency", Service: "youth/tools-subsidy", Version: "v", Territory: "1726", At: tx.Now(),
			Result: simulation.Result{Residents: 40}, Event: id,
		}
		if err := tx.SaveSimulation(made); err != nil {
			return err
		}
		return journal.AppendAs(tx, nil, id, journal.Event{
			Type: "test.recorded", Actor: journal.Actor{Component: "test"}, Covers: []journal.Cover{made.Cover()}, Population: &journal.Population{Of: "1726"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	write(act.Platform, func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		outage := casework.Outage{
			ID: ident.New[string](tx.Now()), From: tx.Now().Add(-time.Hour), Until: tx.Now(), Reason: "no electricity", Event: event,
		}
		closure := publication.Closure{
			Version: ident.New[string](tx.Now()), Service: "youth/tools-subsidy", Reason: "faulty", By: person, At: tx.Now(), Event: event,
		}
		if err := tx.SaveOutage(outage); err != nil {
			return nil, err
		}
		return []journal.Cover{outage.Cover(), closure.Cover()}, tx.SaveClosure(closure)
	})
	write(act.OfAgency("youth-agency"), func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		draft := publication.Draft{
			Agency: "youth-agency", Pack: "youth", Begun: tx.Now(), By: person, First: 1, Revision: 1, Event: event,
			Files: publication.Bundle{"pack.yaml": []byte("pack: youth\n")},
		}
		return []journal.Cover{draft.Cover()}, tx.SaveDraft(draft)
	})
	write(queue.Key("education/nursery-place"), func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		entry := queue.Entry{
			Queue: "education/nursery-place", Application: ident.New[ident.Application](tx.Now()), Applicant: subject, Rank: "0", State: queue.Waiting,
			Entered: tx.Now(), Changed: tx.Now(), Event: event,
		}
		return []journal.Cover{entry.Cover()}, tx.SaveQueueEntry(entry)
	})
	write(act.OfAccount("fund:youth-fund"), func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		found := ledger.Found{
			ID: ident.New[ident.Order](tx.Now()), Fund: "fund:youth-fund", Digest: []byte("digest"), Amount: 100,
			At: tx.Now().UTC().Truncate(time.Microsecond), Placed: ident.New[ident.Order](tx.Now()), Event: event,
		}
		return []journal.Cover{found.Cover()}, tx.SaveFoundPayment(found)
	})
	write(act.Platform, func(tx *query.Tx, event ident.Event) ([]journal.Cover, error) {
		kept := document.KeptRevocation{
			Revocation: document.Revocation{ID: ident.New[ident.Document](tx.Now()), At: tx.Now().UTC().Truncate(time.Microsecond)}, Event: event,
		}
		return []journal.Cover{kept.Cover()}, tx.SaveKeptRevocation(kept)
	})
	claim := register.Claim{Index: register.Index(rand.Text()), Record: ident.New[ident.Record](time.Now()), At: time.Now().UTC().Truncate(time.Microsecond)}
	write(claim.Key(), func(tx *query.Tx, _ ident.Event) ([]journal.Cover, error) {
		return []journal.Cover{claim.Cover()}, tx.SaveClaim(claim)
	})
	token, _, err := n.Sessions.Start(ctx, person, session.Browser, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Sessions.Work(ctx, token.Digest(), ident.New[ident.Appointment](time.Now())); err != nil {
		t.Fatal(err)
	}
	// Another one, that was ended: what was removed is not missed.
	if token, _, err = n.Sessions.Start(ctx, person, session.Program, false); err != nil {
		t.Fatal(err)
	}
	if err := n.Sessions.Revoke(ctx, token.Digest()); err != nil {
		t.Fatal(err)
	}
}

func fundsOf(t *testing.T, n *node.Node) (funds []ident.Account) {
	t.Helper()
	err := n.DB.View(t.Context(), func(tx *query.Tx) error {
		accounts, err := tx.Funds()
		for _, one := range accounts {
			funds = append(funds, one.ID)
		}
		return err
	})
	if err != nil || len(funds) == 0 {
		t.Fatalf("there are no funds: %v", err)
	}
	return funds
}

func firstDocument(t *testing.T, n *node.Node, subject ident.Subject) ident.Document {
	t.Helper()
	var found []document.Stored
	err := n.DB.View(t.Context(), func(tx *query.Tx) (err error) {
		found, err = tx.DocumentsOf(subject)
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("there are no documents: %v", err)
	}
	return found[0].ID
}

// published waits until everything that was recorded is published in the log.
func published(t *testing.T, n *node.Node) {
	t.Helper()
	eventually(t, "the log is published", func() bool {
		done := false
		err := n.DB.View(t.Context(), func(tx *query.Tx) error {
			pending, err := tx.PendingEntries(1)
			if err != nil {
				return err
			}
			head, err := tx.LogHead()
			done = len(pending) == 0 && string(head.Published) != "" && strings.Contains(string(head.Published), fmt.Sprintf("\n%d\n", head.Size))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return done
	})
}

// verify audits a folder.
func verify(t *testing.T, folder string, change ...func(*node.Audit)) node.Report {
	t.Helper()
	report, err := tryToVerify(t, folder, change...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func tryToVerify(t *testing.T, folder string, change ...func(*node.Audit)) (node.Report, error) {
	t.Helper()
	copied, err := node.OpenCopy(t.Context(), folder, node.Databases{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	audit := copied.Audit()
	for _, change := range change {
		change(&audit)
	}
	return audit.Verify(t.Context())
}

// copyFolder copies an installation that nobody serves.
func copyFolder(t *testing.T, folder string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	return to
}

// tamper runs a statement on the database of a folder, behind the back of the platform.
func tamper(t *testing.T, folder, statement string, args ...any) {
	t.Helper()
	db, err := sqlite.OpenFile(filepath.Join(folder, "yagona.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		t.Fatalf("%s changed nothing: %v", statement, err)
	}
}

// flip changes one stored value of a row in the middle of a table: a bit of a blob, a letter of a text, a number by one,
// or by more where a constraint of the table forbids that.
func flip(t *testing.T, folder, table, column string) {
	t.Helper()
	db, err := sqlite.OpenFile(filepath.Join(folder, "yagona.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), `PRAGMA ignore_check_constraints = ON`); err != nil {
		t.Fatal(err)
	}
	keys := primaryKey(t, folder, table)
	names := strings.Split(keys, ",")
	values, into := make([]any, len(names)+1), make([]any, len(names)+1)
	for i := range values {
		into[i] = &values[i]
	}
	err = db.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT %s, %s FROM %s WHERE %[2]s IS NOT NULL ORDER BY %[1]s
		LIMIT 1 OFFSET (SELECT count(*) / 2 FROM %[3]s WHERE %[2]s IS NOT NULL)`, keys, column, table)).Scan(into...)
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	for _, changed := range changes(values[len(names)]) {
		_, failed = db.ExecContext(t.Context(), fmt.Sprintf(`UPDATE %s SET %s = ? WHERE (%s) = (?%s)`,
			table, column, keys, strings.Repeat(", ?", len(names)-1)), append([]any{changed}, values[:len(names)]...)...)
		if failed == nil {
			return
		}
	}
	t.Fatalf("%s.%s cannot be changed: %v", table, column, failed)
}

// primaryKey returns the columns of a table's primary key, separated by commas.
func primaryKey(t *testing.T, folder, table string) (keys string) {
	t.Helper()
	db, err := sqlite.OpenFile(filepath.Join(folder, "yagona.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.QueryRowContext(t.Context(), `SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk)`, table).
		Scan(&keys)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// changes returns values near a stored one.
func changes(stored any) []any {
	switch value := stored.(type) {
	case []byte:
		changed := slices.Clone(value)
		changed[len(changed)/2] ^= 1
		return []any{changed}
	case string:
		if value == "" {
			return []any{"x"}
		}
		changed := []byte(value)
		changed[len(changed)/2] ^= 1
		return []any{string(changed)}
	case int64:
		if value == 1 {
			return []any{0, 2} // it may be a flag
		}
		return []any{value + 1, value - 1, value + 1_000_003}
	}
	return nil
}

// vouched are the tables whose rows events vouch for, with how the rows' names begin.
var vouched = map[string]string{
	"person": "person/", "person_index": "person-index/", "session": "session/", "register_index": "register-index/", "register_claim": "register-claim/",
	"appointment": "appointment/", "register_version": "register-version/", "exchange": "exchange/",
	"application": "application/", "task": "task/", "entitlement": "entitlement/", "queue_entry": "queue-entry/", "outage": "outage/", "notice": "notice/", "attachment": "attachment/", "passkey": "passkeys/", "contact": "contact/", "delivery": "delivery/", "correction": "correction/",
	"simulation": "simulation/", "mandate": "mandate/", "offer": "offer/", "participation": "participation/",
	"document": "document/", "document_revocation": "document-revocation/", "publication": "publication/", "closure": "closure/", "draft": "draft/",
	"erasure": "erasure/", "ledger_account": "ledger-account/", "ledger_entry": "ledger-entry/", "ledger_transfer": "ledger-transfer/", "payment_order": "payment-order/",
	"found_payment": "found-payment/", "kept_revocation": "kept-revocation/", "archive_volume": "archive-volume/",
}

// outside are the tables and columns of which the auditor does not find every change, with why: each is explained in
// docs/explanation/threat-model.md, and TestEveryTableIsAuditedOrSaidToBeOutside holds all tables to it.
var outside = map[string]string{
	"session":              "a session that is gone signs somebody out, and nothing else",
	"session.seen":         "written every few minutes; it can only shorten what the covered end allows",
	"exchange.application": "only finds what leaves for an archive with a case; which application it was asked for stands sealed in the question",
	"job":                  "written and removed too often; what must wait follows from the records",
	"answer":               "sealed and authenticated under a key that only the asking program has",
	"indicator_count":      "only when a count began; the figures are recounted from what is vouched for",
	"indicator_place":      "how far the counts have followed the log; the figures are recounted from what is vouched for",
	"indicator_source":     "what each source adds to the figures; recounted from what is vouched for",
	"indicator_part":       "figures; yagona indicator verify recounts them from what is vouched for",
	"log_lead":             "only which process advances the log; what it writes is checked by itself",
	"probe":                "what is written to try whether anything can be; nobody reads it",
	"contact_link":         "only finds: what counts is the sealed code in the contact",
	"allowance":            "only how many messages an address gets in a day",
	"refusal":              "only the public reasons of refusals; each stands sealed in its application, which is covered",
	"notebook":             "what is being taken over: what comes of it are versions of records, which events vouch for",
	"upload":               "what is on its way: an event vouches for it once a decision took it up, as an attachment",
	"upload_piece":         "as upload",
	"spent_proof":          "of ID tokens, which end within minutes by themselves",
}

func TestEveryTableIsAuditedOrSaidToBeOutside(t *testing.T) {
	folder := t.TempDir()
	openSmall(t, folder)
	db, err := sqlite.OpenFile(filepath.Join(folder, "yagona.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	document, err := os.ReadFile("../docs/explanation/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	logged := []string{"event", "event_part", "event_population", "log_tile", "log_head"}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		if vouched[table] == "" && !slices.Contains(logged, table) && outside[table] == "" {
			t.Errorf("no event vouches for %s, the auditor does not derive it, and nobody says that it is outside", table)
		}
	}
	for name := range outside {
		if !strings.Contains(string(document), "`"+name+"`") {
			t.Errorf("the threat model does not say why %s is outside", name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestAudit(t *testing.T) {
	folder, resident := audited(t)

	t.Run("what nobody touched verifies", func(t *testing.T) {
		report := verify(t, folder)
		if report.Found > 0 {
			t.Fatalf("it has findings: %v", report.Findings)
		}
		if report.Log.Entries == 0 || report.Events != report.Log.Entries || report.Rows == 0 || report.Parts == 0 || report.Funds == 0 {
			t.Errorf("the audit looked at too little: %+v", report)
		}
		if report.Erased != 0 || report.Closed != 0 {
			t.Errorf("nothing was erased or left closed: %+v", report)
		}
	})

	t.Run("every changed column of the journal and the log is found", func(t *testing.T) {
		for table, named := range map[string]string{"event": "event", "event_part": "event", "event_population": "event", "log_tile": "tile/"} {
			for _, column := range columns(t, folder, table) {
				copied := copyFolder(t, folder)
				flip(t, copied, table, column)
				report := verify(t, copied)
				if !names(report, named) {
					t.Errorf("%s.%s: no finding names %s: %v", table, column, named, report.Findings)
				}
			}
		}
	})

	t.Run("every changed column of the rows is found", func(t *testing.T) {
		// One column of each table at a time: the tables do not hide each other.
		for number, more := 0, true; more; number++ {
			more = false
			copied := copyFolder(t, folder)
			flipped := map[string]string{}
			for table := range vouched {
				if all := slices.DeleteFunc(columns(t, folder, table), func(column string) bool { return outside[table+"."+column] != "" }); number < len(all) {
					flip(t, copied, table, all[number])
					flipped[table], more = all[number], true
				}
			}
			report := verify(t, copied)
			for table, column := range flipped {
				// A version whose date is none cannot be read at all.
				if !names(report, vouched[table]) && !names(report, "rows of "+strings.TrimSuffix(vouched[table], "/")) {
					t.Errorf("%s.%s: no finding names %s", table, column, vouched[table])
				}
			}
		}
	})

	t.Run("a row that is gone is found", func(t *testing.T) {
		copied := copyFolder(t, folder)
		for table := range vouched {
			if outside[table] != "" {
				continue
			}
			keys := primaryKey(t, copied, table)
			tamper(t, copied, fmt.Sprintf(`DELETE FROM %s WHERE (%s) = (SELECT %[2]s FROM %[1]s ORDER BY %[2]s LIMIT 1)`, table, keys))
		}
		report := verify(t, copied)
		for table, named := range vouched {
			if outside[table] == "" && !names(report, named) {
				t.Errorf("nobody misses a row of %s", table)
			}
		}
	})

	t.Run("the first that was changed is named first, with its event and its place in the log", func(t *testing.T) {
		copied := copyFolder(t, folder)
		for _, index := range []int{40, 17, 30} {
			tamper(t, copied, `UPDATE event SET header = CAST(replace(CAST(header AS TEXT), '"type":"', '"type":"x') AS BLOB) WHERE log_index = ?`, index)
		}
		report := verify(t, copied)
		if report.Found < 3 || report.Findings[0].Index != 17 || report.Findings[0].Event == "" || report.Findings[0].Thing != "event" {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("a row that nobody recorded is found", func(t *testing.T) {
		copied := copyFolder(t, folder)
		tamper(t, copied, `INSERT INTO outage (key, id, from_time, until_time, reason, event)
			SELECT key, 'x', from_time, until_time, reason, event FROM outage LIMIT 1`)
		report := verify(t, copied)
		if report.Found != 1 || report.Findings[0].Thing != "outage/x" {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("a row that was set back is found", func(t *testing.T) {
		copied := copyFolder(t, folder)
		// A book that pays later has written its account since; the older state of the account has an event of its own.
		var older string
		db, err := sqlite.OpenFile(filepath.Join(copied, "yagona.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		err = db.QueryRowContext(t.Context(), `SELECT e.event FROM ledger_entry AS e JOIN ledger_account AS a ON a.id = e.account
			WHERE a.event <> e.event AND a.entries > 1 LIMIT 1`).Scan(&older)
		if err != nil {
			t.Fatal(err)
		}
		tamper(t, copied, `UPDATE ledger_account SET event = ?1 WHERE id = (SELECT account FROM ledger_entry WHERE event = ?1
			AND account IN (SELECT id FROM ledger_account WHERE entries > 1 AND event <> ?1) LIMIT 1)`, older)
		report := verify(t, copied)
		if !slices.ContainsFunc(report.Findings, func(f node.Finding) bool {
			return strings.HasPrefix(f.Thing, "ledger-account/") && strings.Contains(f.Problem, "set back")
		}) {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("an erased subject verifies as erased", func(t *testing.T) {
		copied := copyFolder(t, folder)
		keys, err := sqlite.OpenSubjectKeys(t.Context(), filepath.Join(copied, "subject-keys.db"), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.EraseSubjectKey(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
		if err := keys.Close(); err != nil {
			t.Fatal(err)
		}
		report := verify(t, copied)
		if report.Found != 0 || report.Erased < 4 {
			t.Errorf("%d parts are erased, and the findings are %v", report.Erased, report.Findings)
		}
	})

	t.Run("a key that was destroyed without an act of erasure is found", func(t *testing.T) {
		copied := copyFolder(t, folder)
		tamper(t, copied, `DELETE FROM erasure`)
		keys, err := sqlite.OpenSubjectKeys(t.Context(), filepath.Join(copied, "subject-keys.db"), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.EraseSubjectKey(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
		if err := keys.Close(); err != nil {
			t.Fatal(err)
		}
		if report := verify(t, copied); !names(report, "key of "+string(resident)) {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("without the subjects' keys everything else is verified", func(t *testing.T) {
		copied := copyFolder(t, folder)
		if err := os.Remove(filepath.Join(copied, "subject-keys.db")); err != nil {
			t.Fatal(err)
		}
		report := verify(t, copied)
		if report.Found != 0 || report.Closed != report.Parts || report.Erased != 0 {
			t.Errorf("%d of %d parts were left closed, and the findings are %v", report.Closed, report.Parts, report.Findings)
		}
	})

	t.Run("a changed checkpoint is found", func(t *testing.T) {
		copied := copyFolder(t, folder)
		flip(t, copied, "log_head", "published")
		if report := verify(t, copied); !names(report, "checkpoint") {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("a changed head of the log is found", func(t *testing.T) {
		for _, column := range []string{"size", "signed"} {
			copied := copyFolder(t, folder)
			flip(t, copied, "log_head", column)
			if report := verify(t, copied); !names(report, "log head") {
				t.Errorf("%s: the findings are %v", column, report.Findings)
			}
		}
	})

	t.Run("a session that somebody put in, or that was ended and is there again, is found", func(t *testing.T) {
		copied := copyFolder(t, folder)
		tamper(t, copied, `INSERT INTO session (key, digest, id, person, appointment, channel, shared, started, seen, ends)
			SELECT 'session:00', x'00', 'stolen', person, appointment, channel, shared, started, seen, ends FROM session LIMIT 1`)
		tamper(t, copied, `UPDATE session SET digest = zeroblob(32), key = 'session:' || hex(zeroblob(32)) WHERE id = 'stolen'`)
		if report := verify(t, copied); !names(report, "session/stolen") {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("a job that is gone or was put off is found", func(t *testing.T) {
		for _, statement := range []string{
			`DELETE FROM job WHERE kind = 'application.deadline'`,
			`UPDATE job SET due = due + 86400000000 WHERE kind = 'application.deadline'`,
			`UPDATE job SET payload = CAST('{}' AS BLOB) WHERE kind = 'application.deadline'`,
			`DELETE FROM job WHERE kind = 'erasure.carry-out'`,
		} {
			copied := copyFolder(t, folder)
			tamper(t, copied, statement)
			if report := verify(t, copied); !names(report, "job of ") {
				t.Errorf("%s: the findings are %v", statement, report.Findings)
			}
		}
	})

	t.Run("a job that never failed and was given up, or is claimed for longer than a process may, is named", func(t *testing.T) {
		for _, statement := range []string{
			`UPDATE job SET dead = 1 WHERE kind = 'application.deadline'`,
			`UPDATE job SET dead = 1, failure = 'job.no-handler' WHERE kind = 'application.deadline'`,
			`UPDATE job SET dead = 1, attempts = 20 WHERE kind = 'application.deadline'`,
			`UPDATE job SET dead = 1, attempts = 1, failure = 'exchange.unavailable' WHERE kind = 'application.deadline'`,
			`UPDATE job SET claimed_until = 9000000000000000 WHERE kind = 'application.deadline'`,
		} {
			copied := copyFolder(t, folder)
			tamper(t, copied, statement)
			if report := verify(t, copied); !names(report, "job/") {
				t.Errorf("%s: the findings are %v", statement, report.Findings)
			}
		}
		copied := copyFolder(t, folder)
		tamper(t, copied, `UPDATE job SET dead = 1, attempts = 20, failure = 'internal' WHERE kind = 'application.deadline'`)
		if report := verify(t, copied); len(report.Findings) != 0 || report.GivenUp == 0 {
			t.Errorf("of a job that an operator sees among those that were given up: %v, %d given up", report.Findings, report.GivenUp)
		}
	})

	t.Run("a log without a witness's cosignature is not enough for who asks for it", func(t *testing.T) {
		_, public, err := c2sp.GenerateCosigner(rand.Reader, "witness.example/1")
		if err != nil {
			t.Fatal(err)
		}
		key, err := c2sp.NewCosignatureVerifier(public)
		if err != nil {
			t.Fatal(err)
		}
		report := verify(t, folder, func(a *node.Audit) { a.Witnesses, a.Quorum = []*c2sp.CosignatureVerifier{key}, 1 })
		if report.Found != 1 || report.Findings[0].Thing != "checkpoint" {
			t.Errorf("the findings are %v", report.Findings)
		}
	})

	t.Run("a log whose first checkpoint is not published yet is called neither verified nor changed", func(t *testing.T) {
		kept := publishedCheckpoint(t, folder)
		copied := copyFolder(t, folder)
		tamper(t, copied, `UPDATE log_head SET published = NULL`)
		if _, err := tryToVerify(t, copied); err == nil || !strings.Contains(err.Error(), "no published checkpoint") {
			t.Errorf("it gives %v", err)
		}
		report := verify(t, copied, func(a *node.Audit) { a.Old = kept })
		if report.Found == 0 || report.Findings[0].Thing != "checkpoint" {
			t.Errorf("for who kept a checkpoint of it, the findings are %v", report.Findings)
		}
	})

	t.Run("a log that does not continue the checkpoint that was kept is found", func(t *testing.T) {
		kept := publishedCheckpoint(t, folder)
		if report := verify(t, folder, func(a *node.Audit) { a.Old = kept }); report.Found != 0 || report.Log.Old != report.Log.Checkpoint.Tree.N {
			t.Errorf("it continues %d, and the findings are %v", report.Log.Old, report.Findings)
		}
		copied := copyFolder(t, folder)
		tamper(t, copied, `DELETE FROM log_tile`)
		tamper(t, copied, `DELETE FROM log_head`)
		tamper(t, copied, `UPDATE event SET log_index = NULL`)
		report := verify(t, copied, func(a *node.Audit) { a.Old, a.Log = kept, logKey(t, folder) })
		if report.Found == 0 {
			t.Error("that the log was removed is not found")
		}
	})
}

// names reports whether a finding's name begins so.
func names(report node.Report, prefix string) bool {
	return slices.ContainsFunc(report.Findings, func(f node.Finding) bool { return strings.HasPrefix(f.Thing, prefix) })
}

// publishedCheckpoint returns the checkpoint that the log of a folder publishes.
func publishedCheckpoint(t *testing.T, folder string) (signed []byte) {
	t.Helper()
	copied, err := node.OpenCopy(t.Context(), folder, node.Databases{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	err = copied.Audit().DB.View(t.Context(), func(tx *query.Tx) error {
		head, err := tx.LogHead()
		signed = head.Published
		return err
	})
	if err != nil || signed == nil {
		t.Fatalf("there is no checkpoint: %v", err)
	}
	return signed
}

// logKey returns the key of the log of a folder.
func logKey(t *testing.T, folder string) note.Verifier {
	t.Helper()
	copied, err := node.OpenCopy(t.Context(), folder, node.Databases{})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	return copied.Audit().Log
}

// columns returns the columns of a table that hold something in some row.
func columns(t *testing.T, folder, table string) (names []string) {
	t.Helper()
	db, err := sqlite.OpenFile(filepath.Join(folder, "yagona.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT name FROM pragma_table_info(?) ORDER BY cid`, table)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		var held int
		if err := db.QueryRowContext(t.Context(), `SELECT count(`+name+`) FROM `+table).Scan(&held); err != nil {
			t.Fatal(err)
		}
		if held > 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("the table %s is empty", table)
	}
	return names
}
