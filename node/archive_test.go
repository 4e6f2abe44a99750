package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/money"
	"yagona/kernel/session"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/demo"
	"yagona/packs/uz"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/storetest"
	"yagona/web/route"
)

// aging is an installation whose clock is put forward.
type aging struct {
	*node.Node
	t        *testing.T
	folder   string
	on       node.Databases // of a server; zero: files in the folder
	ahead    atomic.Int64
	resident ident.Person
}

func grow(t *testing.T, on node.Databases) *aging {
	t.Helper()
	a := &aging{t: t, folder: t.TempDir(), on: on}
	a.open()
	t.Cleanup(func() { a.Close() })
	var err error
	if a.resident, err = a.People.ByNumber(t.Context(), firstOf(t, a.Node, string(demo.Jobless))); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *aging) now() time.Time { return time.Now().Add(time.Duration(a.ahead.Load())) }

func (a *aging) open() {
	a.t.Helper()
	site, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		a.t.Fatal(err)
	}
	if a.Node, err = node.OpenDemonstration(a.t.Context(), node.Config{
		Folder: a.folder, Database: a.on.Database, SubjectKeys: a.on.SubjectKeys, Site: site, Country: uz.Files, Packs: packs.All(), Clock: a.now, Volatile: true,
	}, 40); err != nil {
		a.t.Fatal(err)
	}
	a.Start(a.t.Context())
}

// later lets months pass.
func (a *aging) later(months int) {
	a.t.Helper()
	published(a.t, a.Node)
	now := a.now()
	a.ahead.Add(int64(now.AddDate(0, months, 0).Sub(now)))
}

// certificate lets the resident ask for what is granted at once.
func (a *aging) certificate() casework.Receipt {
	a.t.Helper()
	receipt, err := a.Casework.Apply(a.t.Context(), access.Actor{Person: a.resident}, "", "employment/unemployment-certificate", "en", map[string]any{})
	if err != nil {
		a.t.Fatal(err)
	}
	if receipt.Application.State != casework.Granted {
		a.t.Fatalf("the certificate is %s", receipt.Application.State)
	}
	return receipt
}

// account is the resident's.
func (a *aging) account() string {
	a.t.Helper()
	population, err := demo.Generate(1, a.Profile, a.Profile.Calendar.Date(time.Now()), 40)
	if err != nil {
		a.t.Fatal(err)
	}
	return population.Persona(demo.Jobless).Account
}

// settled waits until no job is due.
func (a *aging) settled() {
	a.t.Helper()
	a.Jobs.Wake() // it does not know that the clock was put forward
	settled(a.t, a.Node, a.now)
}

// readings is what the resident sees of who read their data, page by page, as the program interface tells it.
func (a *aging) readings() (all []string) {
	a.t.Helper()
	for after := ""; ; {
		status, answer := ask(a.t, a.Node, "GET", "/access-log?limit=3"+after, a.resident, "")
		var page struct {
			Items   []json.RawMessage
			Next    string
			Missing *struct{ From, Until string }
		}
		if err := json.Unmarshal(answer, &page); err != nil || status != http.StatusOK {
			a.t.Fatalf("the access log answers %d %s", status, answer)
		}
		for _, one := range page.Items {
			var entry struct{ Event, Type string }
			if err := json.Unmarshal(one, &entry); err != nil {
				a.t.Fatal(err)
			}
			if entry.Type != "own-data.read" { // what this test reads itself
				all = append(all, string(one))
			}
		}
		if page.Missing != nil {
			all = append(all, "missing "+page.Missing.From+" to "+page.Missing.Until)
		}
		if page.Next == "" {
			return slices.Compact(all)
		}
		after = "&after=" + url.QueryEscape(page.Next)
	}
}

// page is what the resident reads at a path, in English.
func (a *aging) page(path string) string {
	a.t.Helper()
	token, _, err := a.Sessions.Start(a.t.Context(), a.resident, session.Browser, false)
	if err != nil {
		a.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(a.t.Context(), http.MethodGet, "http://127.0.0.1:8080"+path, http.NoBody)
	r.AddCookie(&http.Cookie{Name: route.SessionCookie, Value: string(token)})
	r.Header.Set("Accept-Language", "en")
	answer := httptest.NewRecorder()
	a.Handler.ServeHTTP(answer, r)
	return fmt.Sprint(answer.Code, " ", answer.Body.String())
}

// proofs are what proves each reading offline, without the checkpoint, which grows.
func (a *aging) proofs() (all []string) {
	a.t.Helper()
	for _, one := range a.readings() {
		var entry struct{ Event string }
		if err := json.Unmarshal([]byte(one), &entry); err != nil {
			a.t.Fatalf("%s: %v", one, err)
		}
		status, answer := ask(a.t, a.Node, "GET", "/access-log/"+entry.Event+"/proof", a.resident, "")
		var proof struct {
			Opening json.RawMessage
			Entry   []byte
			Index   *int64
			Proof   string
		}
		if err := json.Unmarshal(answer, &proof); err != nil || status != http.StatusOK || proof.Index == nil || proof.Proof == "" {
			a.t.Fatalf("the proof of %s is %d %s", entry.Event, status, answer)
		}
		all = append(all, fmt.Sprintf("%s %x %d", proof.Opening, proof.Entry, *proof.Index))
	}
	return all
}

// verified audits the folder while the installation is served.
func (a *aging) verified() node.Report {
	a.t.Helper()
	published(a.t, a.Node)
	copied, err := node.OpenCopy(a.t.Context(), a.folder, a.on)
	if err != nil {
		a.t.Fatal(err)
	}
	defer copied.Close()
	report, err := copied.Audit().Verify(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return report
}

func (a *aging) sound(what string) node.Report {
	a.t.Helper()
	report := a.verified()
	if report.Found+len(report.Missing) != 0 {
		a.t.Fatalf("%s: %v, missing are %v", what, report.Findings, report.Missing)
	}
	return report
}

// move moves what may leave before this month.
func (a *aging) move() []archive.Volume {
	a.t.Helper()
	made, err := a.Mover("").Move(a.t.Context(), a.now())
	if err != nil {
		a.t.Fatal(err)
	}
	return made
}

func total(volumes []archive.Volume) (all archive.Counts) {
	for _, one := range volumes {
		all.Events += one.Events
		all.Parts += one.Parts
		all.Cases += one.Cases
		all.Evidence += one.Evidence
		all.Attachments += one.Attachments
	}
	return all
}

func TestMonthsLeaveAndNothingIsMissed(t *testing.T) {
	t.Run("files", func(t *testing.T) { monthsLeave(t, node.Databases{}) })
	t.Run("server", func(t *testing.T) {
		monthsLeave(t, node.Databases{Database: storetest.EmptyURL(t), SubjectKeys: storetest.EmptyURL(t)})
	})
}

func monthsLeave(t *testing.T, on node.Databases) {
	a := grow(t, on)
	first := a.certificate()
	a.settled()
	a.later(1)
	a.certificate()
	a.settled()
	a.later(1)
	a.certificate()
	a.settled()
	published(t, a.Node)
	readings, proofs := a.readings(), a.proofs()
	if len(readings) < 3 {
		t.Fatalf("only %d readings were recorded", len(readings))
	}
	if made := a.move(); len(made) != 0 {
		t.Fatalf("what is to stay at hand leaves: %v", made)
	}
	before := a.sound("before")

	a.later(36)
	planned, err := a.Mover("").Plan(t.Context(), a.now())
	if err != nil {
		t.Fatal(err)
	}
	made := a.move()
	// Of the third month the case leaves, and not the journal: the month was not over when the case was closed.
	if len(made) != 3 || len(planned) != 3 || total(planned).Cases != 3 || total(planned).Events != total(made).Events || made[2].HasEvents() {
		t.Fatalf("planned was %+v, made %+v", planned, made)
	}
	if all := total(made); all.Cases != 3 || all.Evidence < 3 || all.Events == 0 || all.Parts == 0 {
		t.Errorf("of the months %+v leave", all)
	}
	if diff := gocmp.Diff(readings, a.readings()); diff != "" {
		t.Errorf("who read my data is another:\n%s", diff)
	}
	if diff := gocmp.Diff(proofs, a.proofs()); diff != "" {
		t.Errorf("the proofs are others:\n%s", diff)
	}
	after := a.sound("after")
	if len(after.Archived) != 3 || after.Events < before.Events || after.Rows < before.Rows {
		t.Errorf("before %d events and %d rows were verified, after %d and %d with %d volumes", before.Events, before.Rows, after.Events, after.Rows, len(after.Archived))
	}
	err = a.DB.View(t.Context(), func(tx *query.Tx) error {
		events, err := tx.EventsByIndex(0, 1)
		if err == nil && events[0].Index != made[1].Until {
			t.Errorf("the journal at hand begins with %d, not with %d", events[0].Index, made[1].Until)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	// What stands beside a volume is signed, and says what the journal says.
	for _, one := range made {
		said, err := os.ReadFile(filepath.Join(a.folder, "archive", one.ID+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var manifest archive.Manifest
		if err := json.Unmarshal(said, &manifest); err != nil {
			t.Fatal(err)
		}
		if err := manifest.Verify(a.Ring); err != nil || manifest.Volume.ID != one.ID || manifest.Volume.Counts != one.Counts {
			t.Errorf("the description %s: %v", said, err)
		}
		if manifest.Volume.Events++; manifest.Verify(a.Ring) == nil {
			t.Error("another description has the same signature")
		}
	}

	// The applicant still sees that it was, and is told where the papers are; the document verifies.
	own, err := a.Casework.OwnAll(t.Context(), access.Actor{Person: a.resident}, "", 10)
	if err != nil || len(own) != 3 || own[2].ID != first.Application.ID || own[2].State != casework.Granted || own[2].Archived != made[0].ID {
		t.Errorf("their applications are %v, %v", own, err)
	}
	if _, err := a.Casework.Own(t.Context(), access.Actor{Person: a.resident}, first.Application.ID); fault.Code(err) != "application.archived" {
		t.Errorf("opening it gives %v", err)
	}
	if _, err := a.Casework.Withdraw(t.Context(), access.Actor{Person: a.resident}, first.Application.ID, first.Application.Revision); fault.Code(err) != "application.archived" {
		t.Errorf("an act in it gives %v", err)
	}
	since := a.Words.Day("en", made[0].Made)
	keeper := a.Catalogue().Agency(first.Application.Agency)["en"]
	if mine := a.page("/me"); !strings.HasPrefix(mine, "200 ") || !strings.Contains(mine, "/applications/"+string(first.Application.ID)) {
		t.Errorf("their page is %s", mine)
	}
	if shown := a.page("/applications/" + string(first.Application.ID)); !strings.HasPrefix(shown, "410 ") || !strings.Contains(shown, "In the archive") ||
		!strings.Contains(shown, "in the archive since "+since) || !strings.Contains(shown, "ask this agency: "+keeper) {
		t.Errorf("the application's page is %s", shown)
	}
	if status, answer := ask(t, a.Node, "GET", "/applications/"+string(first.Application.ID), a.resident, ""); status != http.StatusGone ||
		!strings.Contains(string(answer), "problem:application.archived") ||
		!strings.Contains(string(answer), a.Words.Day("uz-Latn", made[0].Made)) || !strings.Contains(string(answer), a.Catalogue().Agency(first.Application.Agency)["uz-Latn"]) {
		t.Errorf("the program interface answers %d %s", status, answer)
	}
	document := firstDocument(t, a.Node, a.resident.Subject())
	if status, answer := ask(t, a.Node, "GET", "/documents/"+string(document), a.resident, ""); status != http.StatusOK {
		t.Errorf("its document answers %d %s", status, answer)
	}
	if made := a.move(); len(made) != 0 {
		t.Errorf("moved again are %v", made)
	}
	if err := a.ArchiveFound(t.Context()); err != nil {
		t.Errorf("the doctor finds %v", err)
	}
}

func TestAnArchiveThatIsMissingOrChangedIsNamed(t *testing.T) {
	a := grow(t, node.Databases{})
	a.certificate()
	a.settled()
	a.later(1)
	a.certificate()
	a.settled()
	a.later(37)
	readings := a.readings()
	made := a.move()
	if len(made) < 2 {
		t.Fatalf("%d volumes were made", len(made))
	}
	path := filepath.Join(a.folder, "archive", made[0].ID+".db")
	said, err := os.ReadFile(strings.TrimSuffix(path, ".db") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(strings.TrimSuffix(path, ".db") + ".json"); err != nil {
		t.Fatal(err)
	}
	if err := a.ArchiveFound(t.Context()); err == nil || !strings.Contains(err.Error(), "description beside "+path) {
		t.Errorf("without a description the doctor finds %v", err)
	}
	if err := os.WriteFile(strings.TrimSuffix(path, ".db")+".json", said, 0o600); err != nil {
		t.Fatal(err)
	}
	named := func(findings []node.Finding) {
		t.Helper()
		if len(findings) != 1 || findings[0].Thing != "archive "+made[0].ID || !strings.Contains(findings[0].Problem, path) {
			t.Errorf("named are %v", findings)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	report := a.verified()
	if named(report.Missing); report.Found != 0 {
		t.Errorf("what is only missing is said to be tampered with: %v", report.Findings)
	}
	a.putIn(made[0])
	gap := a.readings()
	if want := "missing " + made[0].Month + " to " + made[0].Month; len(gap) >= len(readings)+1 || gap[len(gap)-1] != want {
		t.Errorf("the readings without %s are %v", made[0].ID, gap)
	}
	var oldest struct{ Event string }
	if err := json.Unmarshal([]byte(readings[len(readings)-1]), &oldest); err != nil {
		t.Fatal(err)
	}
	if status, answer := ask(t, a.Node, "GET", "/access-log/"+oldest.Event+"/proof", a.resident, ""); status != http.StatusServiceUnavailable || !strings.Contains(string(answer), "archive.away") {
		t.Errorf("what is away is answered with %d %s", status, answer)
	}
	if shown := a.page("/me/readings"); !strings.HasPrefix(shown, "200 ") || !strings.Contains(shown, "Some months are not shown") || !strings.Contains(shown, made[0].ID) {
		t.Errorf("the page without %s is %s", made[0].ID, shown)
	}
	if err := a.ArchiveFound(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the doctor finds %v", err)
	}
	for _, at := range []int{len(content) / 3, len(content) - 1} {
		changed := slices.Clone(content)
		changed[at] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		report := a.verified()
		if named(report.Findings); len(report.Missing) != 0 {
			t.Errorf("what was changed is said to be missing: %v", report.Missing)
		}
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	a.sound("put back")
	if diff := gocmp.Diff(readings, a.readings()); diff != "" {
		t.Errorf("put back, the readings are others:\n%s", diff)
	}
	a.restored()
	a.erased(made)
}

// putIn puts a volume in from outside that never was, and changes the row of one that is missing: neither passes for missing.
func (a *aging) putIn(of archive.Volume) {
	a.t.Helper()
	store := func(volume archive.Volume) {
		if err := a.DB.Update(a.t.Context(), act.Platform, func(tx *query.Tx) error { return tx.SaveVolume(volume) }); err != nil {
			a.t.Fatal(err)
		}
	}
	accused := func(id string) {
		a.t.Helper()
		report := a.verified()
		if !slices.ContainsFunc(report.Findings, func(f node.Finding) bool { return f.Thing == "archive-volume/"+id }) {
			a.t.Errorf("%s has no event and passes: %v, missing are %v", id, report.Findings, report.Missing)
		}
	}
	never := of
	never.ID, never.Until, never.Newest = of.Month+"-00000000", 1<<40, "~"
	store(never)
	accused(never.ID)
	tamper(a.t, a.folder, `DELETE FROM archive_volume WHERE id = '`+never.ID+`'`)
	var before archive.Volume
	err := a.DB.View(a.t.Context(), func(tx *query.Tx) error {
		volumes, err := tx.Volumes()
		before = volumes[slices.IndexFunc(volumes, func(v archive.Volume) bool { return v.ID == of.ID })]
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	wider := before
	wider.Until, wider.Newest = 1<<40, "~"
	store(wider)
	accused(of.ID)
	store(before)
}

// restored checks that a copy of the database is whole with the folder of volumes, wherever that comes from, and says so
// without it.
func (a *aging) restored() {
	a.t.Helper()
	t, kept := a.t, a.t.TempDir()
	database, keys, err := node.Backup{
		Folder: a.folder, To: filepath.Join(kept, "database"), Keys: filepath.Join(kept, "keys"), KeepKeys: time.Hour, Clock: a.now,
	}.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(kept, "again")
	if _, err := (node.Restoration{
		Database: database, SubjectKeys: keys, Keys: filepath.Join(a.folder, "keys"), Folder: again, Clock: a.now,
		Erased: filepath.Join(kept, "database", "erased-subjects.json"), Revoked: filepath.Join(kept, "database", "revoked-documents.json"),
	}).Put(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, again); report.Found != 0 || len(report.Missing) == 0 {
		t.Errorf("restored without the archive it has the findings %v, and %v are missing", report.Findings, report.Missing)
	}
	if err := os.CopyFS(filepath.Join(again, "archive"), os.DirFS(filepath.Join(a.folder, "archive"))); err != nil {
		t.Fatal(err)
	}
	if report := verify(t, again); report.Found+len(report.Missing) != 0 {
		t.Errorf("restored with the archive it has the findings %v, and %v are missing", report.Findings, report.Missing)
	}
}

// erased checks that who is erased is erased in the volumes, too.
func (a *aging) erased(volumes []archive.Volume) {
	a.t.Helper()
	subject := a.resident.Subject()
	var left int64
	for _, one := range volumes {
		err := a.Mover("").Shelf.View(a.t.Context(), one, func(contents archive.Contents) error {
			parts, err := contents.PartsOf(subject, false, "", 1000)
			left += int64(len(parts))
			return err
		})
		if err != nil {
			a.t.Fatal(err)
		}
	}
	if left == 0 {
		a.t.Fatal("the volumes say nothing of the resident")
	}
	if err := a.Vault.Erase(a.t.Context(), subject); err != nil {
		a.t.Fatal(err)
	}
	report := a.verified()
	if report.Erased < left || report.Found != 1 || !strings.HasPrefix(report.Findings[0].Thing, "key of ") {
		a.t.Errorf("of %d parts in volumes %d are erased; the findings are %v", left, report.Erased, report.Findings)
	}
}

// mortal counts down steps, and lets none be done once they are over: before what it does, or after.
type mortal struct{ left atomic.Int64 }

var errKilled = errors.New("killed")

func (m *mortal) step(do func() error) error {
	if m.left.Add(-1) < 0 {
		return errKilled
	}
	if err := do(); err != nil {
		return err
	}
	if m.left.Add(-1) < 0 {
		return errKilled // it was done, and nobody heard of it
	}
	return nil
}

type mortalShelf struct {
	archive.Shelf
	*mortal
}

// Make implements archive.Shelf.
func (m mortalShelf) Make(ctx context.Context, volume archive.Volume, write func(archive.Writer) error) (made archive.Volume, err error) {
	err = m.step(func() error { made, err = m.Shelf.Make(ctx, volume, write); return err })
	return made, err
}

// Describe implements archive.Shelf.
func (m mortalShelf) Describe(volume archive.Volume, manifest []byte) error {
	return m.step(func() error { return m.Shelf.Describe(volume, manifest) })
}

type mortalStore struct {
	act.Store[archive.Reader, archive.Tx]
	*mortal
}

// Update implements act.Store.
func (m mortalStore) Update(ctx context.Context, key act.Key, run func(archive.Tx) error) error {
	return m.step(func() error { return m.Store.Update(ctx, key, run) })
}

// Whatever happened in whatever order, and wherever a run is killed: run again, all of it is there once, and verifies as
// before.
func TestARunMayBeKilledAnywhere(t *testing.T) {
	a := grow(t, node.Databases{})
	random := rand.New(rand.NewPCG(6, 2026))
	for range 5 {
		for range random.IntN(3) {
			a.certificate()
		}
		if random.IntN(2) == 0 { // a draft that is given up
			receipt, err := a.Casework.Start(t.Context(), access.Actor{Person: a.resident}, "", "youth/tools-subsidy", "en")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.Casework.Withdraw(t.Context(), access.Actor{Person: a.resident}, receipt.Application.ID, receipt.Application.Revision); err != nil {
				t.Fatal(err)
			}
		}
		a.settled()
		a.later(1)
	}
	a.ahead.Add(int64(time.Duration(30+random.IntN(8)) * 30 * 24 * time.Hour))
	a.settled()
	readings, proofs := a.readings(), a.proofs()
	before := a.sound("before")
	// How many acts a whole run takes is not known before: it dies later and later, until it lives.
	kills := 0
	for left := int64(0); ; kills++ {
		mover := a.Mover("")
		life := &mortal{}
		life.left.Store(left)
		mover.Store, mover.Shelf = mortalStore{mover.Store, life}, mortalShelf{mover.Shelf, life}
		_, err := mover.Move(t.Context(), a.now())
		if err == nil {
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatalf("killed after %d steps: %v", left, err)
		}
		if left < 8 || random.IntN(4) == 0 {
			if diff := gocmp.Diff(readings, a.readings()); diff != "" {
				t.Fatalf("killed after %d steps, the readings are others:\n%s", left, diff)
			}
		}
		if random.IntN(6) == 0 {
			a.sound(fmt.Sprintf("killed after %d steps", left))
		}
		left = left*2 + 1 + random.Int64N(3)
	}
	if kills < 5 {
		t.Errorf("it was killed %d times only", kills)
	}
	after := a.sound("after")
	if len(after.Archived) == 0 || after.Events < before.Events || after.Rows < before.Rows {
		t.Errorf("before %d events and %d rows were verified, after %d and %d", before.Events, before.Rows, after.Events, after.Rows)
	}
	if diff := gocmp.Diff(readings, a.readings()); diff != "" {
		t.Errorf("the readings are others:\n%s", diff)
	}
	if diff := gocmp.Diff(proofs, a.proofs()); diff != "" {
		t.Errorf("the proofs are others:\n%s", diff)
	}
	var end int64
	for _, one := range after.Archived {
		if one.HasEvents() && one.From != end {
			t.Errorf("%s begins at %d, the one before ended at %d", one.ID, one.From, end)
		}
		end = max(end, one.Until)
	}
}

// What can still change stays: a case with an open appeal term, an undecided one, an answer that nobody knows the case of.
func TestWhatIsOpenStays(t *testing.T) {
	a := grow(t, node.Databases{})
	waits, err := a.Casework.Apply(t.Context(), access.Actor{Person: a.resident}, "", "youth/tools-subsidy", "en", map[string]any{
		"trade": "sewing", "price": money.Amount(150_000_000), "account": a.account(),
	})
	if err != nil || waits.Application.State != casework.Deciding {
		t.Fatalf("the application is %s, %v", waits.Application.State, err)
	}
	a.settled()
	tamper(t, a.folder, `UPDATE exchange SET application = NULL WHERE id = (SELECT min(id) FROM exchange)`)
	a.later(37)
	made := a.move()
	if all := total(made); all.Cases != 0 || all.Events == 0 {
		t.Errorf("%+v leaves", all)
	}
	view, err := a.Casework.Own(t.Context(), access.Actor{Person: a.resident}, waits.Application.ID)
	if err != nil || len(view.Evidence) == 0 {
		t.Fatalf("the applicant sees %v", err)
	}
	for _, one := range view.Evidence {
		if one.Known && one.Bound.Status == exchange.StatusAnswered && one.Values == nil {
			t.Errorf("the answer to %s is gone", one.Evidence.Name)
		}
	}
	a.sound("with an open case")
}

// Who comes second is refused before it touches what the first is writing.
func TestOneProcessMovesMonthsAtATime(t *testing.T) {
	a := grow(t, node.Databases{})
	a.certificate()
	a.settled()
	a.later(37)
	folder := filepath.Join(a.folder, "archive")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	end, free, err := keyfile.TryLock(folder)
	if err != nil || !free {
		t.Fatal(free, err)
	}
	unready := filepath.Join(folder, "2026-01-1.part")
	if err := os.WriteFile(unready, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Mover("").Move(t.Context(), a.now()); fault.Code(err) != "archive.at-work" {
		t.Errorf("the second one gets %v", err)
	}
	if _, err := os.Stat(unready); err != nil {
		t.Errorf("it touched what the first was writing: %v", err)
	}
	end()
	if made := a.move(); len(made) == 0 {
		t.Error("when the first is done nothing leaves")
	}
	if _, err := os.Stat(unready); err == nil {
		t.Error("what was begun and not finished is still there")
	}
}
