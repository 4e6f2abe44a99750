package correction_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/correction"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/job"
	"yagona/kernel/journal"
	"yagona/kernel/register"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/sqlite"
)

const births = ident.Register("civil/births")

// world is a registry with people who look at what it says of them.
type world struct {
	*correction.Corrections
	t   *testing.T
	db  *sqlite.DB
	now time.Time

	aziza, husband      access.Actor // residents who live together
	registrar, relative access.Actor // of the civil registry; the relative is the husband at his desk
	elsewhere, chair    access.Actor // registrar of another agency; another role of the same
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	db, err := sqlite.Temporary(t.Context(), func() time.Time { return w.now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	keys, err := sqlite.OpenSubjectKeys(t.Context(), t.TempDir()+"/keys.db", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	vault, err := seal.NewVault(keys, make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	w.db = db
	resident := func() access.Actor { return access.Actor{Person: ident.Random[ident.Person]()} }
	official := func(agency ident.Agency, role ident.Role) access.Actor {
		return access.Actor{Person: ident.Random[ident.Person](), Appointment: &access.Appointment{ID: "a", Agency: agency, Role: role}}
	}
	w.aziza, w.husband = resident(), resident()
	w.registrar, w.elsewhere, w.chair = official("civil-registry", access.Registrar), official("interior", access.Registrar), official("civil-registry", "chair")
	w.relative = official("civil-registry", access.Registrar)
	w.relative.Person = w.husband.Person
	fields := []field.Definition{{Name: "date", Kind: field.Date}}
	for i := range 20 {
		fields = append(fields, field.Definition{Name: fmt.Sprintf("note%d", i), Kind: field.Text})
	}
	catalogue, err := register.NewCatalogue([]*register.Definition{
		{Path: births, Agency: "civil-registry", Held: register.HeldHere, Subject: "person", Fields: fields},
		{Path: "civil/wards", Agency: "civil-registry", Held: register.HeldHere},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Corrections = &correction.Corrections{
		Store: query.For[correction.Reader, correction.Tx](db), Vault: vault, Clock: func() time.Time { return w.now },
		Registers: func() *register.Catalogue { return catalogue },
		Deadline:  func(_ context.Context, at time.Time) (time.Time, error) { return at.Add(10 * 24 * time.Hour), nil },
		Household: func(_ context.Context, one, other ident.Subject) (bool, error) {
			return one == w.husband.Person.Subject() && other == w.aziza.Person.Subject(), nil
		},
	}
	return w
}

func (w *world) wanted() correction.Wanted {
	return correction.Wanted{
		ID: ident.New[ident.Correction](w.now), Register: births, Field: "date", Shown: "5 November 2003", Statement: "I was born on 6 November 2003.",
	}
}

// told lists the kinds of what Aziza was told, the newest first.
func (w *world) told() string {
	w.t.Helper()
	var kinds []string
	err := w.db.View(w.t.Context(), func(tx *query.Tx) error {
		kinds = nil
		found, err := tx.Notices(w.aziza.Person.Subject(), 10)
		for _, one := range found {
			kinds = append(kinds, one.Kind)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(kinds, " ")
}

// ask asks for a correction as Aziza, which must work.
func (w *world) ask() correction.Correction {
	w.t.Helper()
	asked, err := w.Ask(w.t.Context(), w.aziza, w.wanted())
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	return asked
}

// recorded writes a version of Aziza's record, as the register's keeper does.
func (w *world) recorded() {
	w.t.Helper()
	subject := w.aziza.Person.Subject()
	err := w.db.Update(w.t.Context(), act.Of(subject), func(tx *query.Tx) error {
		return tx.SaveVersion(register.StoredVersion{
			Key: act.Of(subject), Register: births, Record: ident.New[ident.Record](tx.Now()), Number: 1, At: tx.Now(), Body: []byte("sealed"), Event: journal.NewID(tx),
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// work does the jobs that are due.
func (w *world) work() {
	w.t.Helper()
	var due []job.Job
	err := w.db.View(w.t.Context(), func(tx *query.Tx) (err error) {
		due, err = tx.DueJobs(w.now, 100)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range due {
		if err := w.Handlers()[one.Kind](w.t.Context(), one); err != nil {
			w.t.Fatalf("%s: %v", one.Kind, err)
		}
		err := w.db.Update(w.t.Context(), one.Key, func(tx *query.Tx) error { return tx.FinishJob(one.Key, one.ID) })
		if err != nil && fault.Code(err) != "job.gone" {
			w.t.Fatal(err)
		}
	}
}

// events returns the types of all events about Aziza, the oldest first, disclosures with a star.
func (w *world) events() string {
	w.t.Helper()
	var types []string
	err := w.db.View(w.t.Context(), func(tx *query.Tx) error {
		types = nil
		parts, err := tx.PartsOf(w.aziza.Person.Subject(), false, "", 100)
		if err != nil {
			return err
		}
		for _, part := range parts {
			event, err := tx.StoredEvent(part.Key, part.Event)
			if err != nil {
				return err
			}
			header := string(event.Header)
			_, rest, _ := strings.Cut(header, `"type":"`)
			name, _, _ := strings.Cut(rest, `"`)
			if part.Disclosure {
				name += "*"
			}
			types = append([]string{name}, types...)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(types, " ")
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestACorrectionEndsInACorrectedRecord(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	asked := w.ask()
	if asked.State != correction.Open || asked.Agency != "civil-registry" || !asked.Due.Equal(asked.Created.Add(10*24*time.Hour)) {
		t.Fatalf("asked: %+v", asked)
	}
	waiting, err := w.Waiting(ctx, w.registrar, correction.Cursor{}, 100)
	if err != nil || len(waiting) != 1 || waiting[0].ID != asked.ID || waiting[0].Sealed != nil {
		t.Fatalf("waiting: %+v, %v", waiting, err)
	}
	read, err := w.Read(ctx, w.registrar, asked.ID)
	if err != nil || read.Statement != "I was born on 6 November 2003." || read.Shown != "5 November 2003" {
		t.Fatalf("read: %+v, %v", read, err)
	}
	w.now = w.now.Add(time.Minute)
	corrected := correction.Answer{Corrected: true, Reason: "The paper of the maternity ward says so."}
	_, err = w.Resolve(ctx, w.registrar, asked.ID, asked.Revision, corrected)
	refused(t, err, "correction.record-unchanged")
	w.recorded()
	resolved, err := w.Resolve(ctx, w.registrar, asked.ID, asked.Revision, corrected)
	if err != nil || resolved.State != correction.Corrected {
		t.Fatalf("resolved: %+v, %v", resolved, err)
	}
	own, err := w.Own(ctx, w.aziza, asked.ID)
	if err != nil || own.Reason != corrected.Reason || own.By.Agency != "civil-registry" {
		t.Errorf("own: %+v, %v", own, err)
	}
	w.now = w.now.Add(30 * 24 * time.Hour)
	w.work()
	if got, want := w.told(), "correction.corrected"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if got, want := w.events(), "correction.asked correction.read* correction.corrected"; got != want {
		t.Errorf("the journal has %s, want %s", got, want)
	}
	if waiting, err := w.Waiting(ctx, w.registrar, correction.Cursor{}, 100); err != nil || len(waiting) > 0 {
		t.Errorf("still waiting: %+v, %v", waiting, err)
	}
}

func TestACorrectionEndsInARefusalWithReasons(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	asked := w.ask()
	_, err := w.Resolve(ctx, w.registrar, asked.ID, asked.Revision, correction.Answer{Reason: " "})
	refused(t, err, "correction.reason")
	_, err = w.Resolve(ctx, w.registrar, asked.ID, asked.Revision+1, correction.Answer{Reason: "The act of birth says the 5th."})
	refused(t, err, "correction.changed")
	resolved, err := w.Resolve(ctx, w.registrar, asked.ID, asked.Revision, correction.Answer{Reason: "The act of birth says the 5th."})
	if err != nil || resolved.State != correction.Refused {
		t.Fatalf("resolved: %+v, %v", resolved, err)
	}
	_, err = w.Resolve(ctx, w.registrar, asked.ID, resolved.Revision, correction.Answer{Reason: "Again."})
	refused(t, err, "correction.resolved")
	_, err = w.Withdraw(ctx, w.aziza, asked.ID, resolved.Revision)
	refused(t, err, "correction.resolved")
	w.now = w.now.Add(time.Minute)
	if again := w.ask(); again.State != correction.Open {
		t.Errorf("who was refused cannot ask again: %+v", again)
	}
}

func TestNobodyElseSeesOrAnswersACorrection(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	asked := w.ask()
	for who, actor := range map[string]access.Actor{"husband": w.husband, "official": w.registrar, "nobody": {}} {
		_, err := w.Own(ctx, actor, asked.ID)
		refused(t, err, "correction.unknown")
		if _, err := w.Withdraw(ctx, actor, asked.ID, asked.Revision); err == nil {
			t.Errorf("%s withdrew it", who)
		}
		if all, err := w.OwnAll(ctx, actor, "", 100); len(all) > 0 {
			t.Errorf("%s sees %+v, %v", who, all, err)
		}
	}
	for code, actor := range map[string]access.Actor{
		"access.forbidden": w.chair, "correction.unknown": w.elsewhere, "correction.own-interest": w.relative,
	} {
		_, err := w.Read(ctx, actor, asked.ID)
		refused(t, err, code)
		_, err = w.Resolve(ctx, actor, asked.ID, asked.Revision, correction.Answer{Reason: "So be it."})
		refused(t, err, code)
	}
	own := w.registrar
	own.Person = w.aziza.Person
	_, err := w.Read(ctx, own, asked.ID)
	refused(t, err, "correction.own-interest")
	_, err = w.Waiting(ctx, w.chair, correction.Cursor{}, 100)
	refused(t, err, "access.forbidden")
	if got := w.events(); got != "correction.asked" {
		t.Errorf("the journal has %s", got)
	}
	// An id that is somebody's tells nothing and changes nothing.
	wanted := w.wanted()
	wanted.ID = asked.ID
	_, err = w.Ask(ctx, w.husband, wanted)
	refused(t, err, "correction.unknown")
}

func TestWhatIsAskedIsChecked(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	for code, change := range map[string]func(*correction.Wanted){
		"correction.register": func(c *correction.Wanted) { c.Register = "civil/wards" },
		"ident.malformed":     func(c *correction.Wanted) { c.ID = "1" },
		"register.unknown":    func(c *correction.Wanted) { c.Register = "civil/none" },
		"correction.field":    func(c *correction.Wanted) { c.Field = "salary" },
	} {
		wanted := w.wanted()
		change(&wanted)
		_, err := w.Ask(ctx, w.aziza, wanted)
		refused(t, err, code)
	}
	for _, unreadable := range []string{"  ", "\u200b", "\x00 born", "born \a", "…", "\xff", strings.Repeat("ў", 4001)} {
		wanted := w.wanted()
		wanted.Statement = unreadable
		_, err := w.Ask(ctx, w.aziza, wanted)
		refused(t, err, "correction.statement")
	}
	_, err := w.Ask(ctx, access.Actor{}, w.wanted())
	refused(t, err, "access.forbidden")
	wanted := w.wanted()
	wanted.Statement = strings.Repeat("ў", 4000)
	first, err := w.Ask(ctx, w.aziza, wanted)
	if err != nil {
		t.Fatalf("4000 characters are refused: %v", err)
	}
	if again, err := w.Ask(ctx, w.aziza, wanted); err != nil || again.Revision != first.Revision {
		t.Errorf("the same form sent twice: %+v, %v", again, err)
	}
	_, err = w.Ask(ctx, w.aziza, w.wanted())
	refused(t, err, "correction.twice")
	for i := range 19 {
		wanted := w.wanted()
		wanted.Field = fmt.Sprintf("note%d", i)
		if _, err := w.Ask(ctx, w.aziza, wanted); err != nil {
			t.Fatal(err)
		}
	}
	wanted = w.wanted()
	wanted.Field = "note19"
	_, err = w.Ask(ctx, w.aziza, wanted)
	refused(t, err, "correction.too-many")
}

func TestACorrectionThatIsLateStaysAndIsTold(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	asked := w.ask()
	w.now = asked.Due.Add(-time.Second)
	w.work()
	if told := w.told(); told != "" {
		t.Fatalf("told before its time: %s", told)
	}
	w.now = asked.Due
	w.work()
	w.work() // nothing is left to do
	waiting, err := w.Waiting(ctx, w.registrar, correction.Cursor{}, 100)
	if err != nil || len(waiting) != 1 || !waiting[0].Late {
		t.Fatalf("waiting: %+v, %v", waiting, err)
	}
	if got, want := w.told(), "correction.late"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if _, err := w.Resolve(ctx, w.registrar, asked.ID, waiting[0].Revision, correction.Answer{Reason: "The act says the 5th."}); err != nil {
		t.Errorf("a late correction cannot be answered any more: %v", err)
	}
}

func TestManyThatWereTakenBackHideNoneThatIsOpen(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	open := w.ask()
	for i := range 110 {
		wanted := w.wanted()
		wanted.Field = fmt.Sprintf("note%d", i%20)
		asked, err := w.Ask(ctx, w.aziza, wanted)
		if err == nil {
			_, err = w.Withdraw(ctx, w.aziza, asked.ID, asked.Revision)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Ask(ctx, w.aziza, w.wanted())
	refused(t, err, "correction.twice")
	var all []correction.Opened
	for page, before := 0, ident.Correction(""); page == 0 || len(all)%50 == 0; page++ {
		some, err := w.OwnAll(ctx, w.aziza, before, 50)
		if err != nil || len(some) == 0 {
			t.Fatalf("page %d has %d, %v", page, len(some), err)
		}
		all, before = append(all, some...), some[len(some)-1].ID
	}
	if len(all) != 111 || all[110].ID != open.ID {
		t.Errorf("there are %d, the last one %+v", len(all), all[len(all)-1])
	}
}

func TestAnAgencysListHasPages(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	var asked []ident.Correction
	for i := range 7 {
		wanted := w.wanted()
		wanted.Field = fmt.Sprintf("note%d", i)
		one, err := w.Ask(ctx, w.aziza, wanted)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, one.ID)
		if i%3 == 2 {
			w.now = w.now.Add(time.Minute) // three are due at the same time
		}
	}
	var listed []ident.Correction
	from := correction.Cursor{}
	for {
		some, err := w.Waiting(ctx, w.registrar, from, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			break
		}
		for _, one := range some {
			listed = append(listed, one.ID)
			from = correction.Cursor{Due: one.Due, Correction: one.ID}
		}
	}
	slices.Sort(asked)
	if slices.Sort(listed); !slices.Equal(asked, listed) {
		t.Errorf("listed are %v of %v", listed, asked)
	}
}

// Who asks between the confirmation of their erasure and the erasure leaves what nobody can open any more.
func TestACorrectionOfSomebodyErasedEnds(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	asked := w.ask()
	if err := w.Vault.Erase(ctx, w.aziza.Person.Subject()); err != nil {
		t.Fatal(err)
	}
	w.now = asked.Due
	w.work()
	w.work()
	if waiting, err := w.Waiting(ctx, w.registrar, correction.Cursor{}, 100); err != nil || len(waiting) > 0 {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	err := w.db.View(ctx, func(tx *query.Tx) error {
		ended, err := tx.Correction(asked.ID)
		if err == nil && (ended.State != correction.Withdrawn || ended.Resolved.IsZero() || ended.Revision != 2) {
			t.Errorf("it is %+v", ended)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhoWithdrawsIsNotTold(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	asked := w.ask()
	withdrawn, err := w.Withdraw(ctx, w.aziza, asked.ID, asked.Revision)
	if err != nil || withdrawn.State != correction.Withdrawn {
		t.Fatalf("%+v, %v", withdrawn, err)
	}
	w.now = asked.Due
	w.work()
	if told := w.told(); told != "" {
		t.Errorf("told %s", told)
	}
}
