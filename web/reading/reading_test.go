package reading_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"yagona/kernel/access"
	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/store/query"
	"yagona/store/sqlite"
	"yagona/web/reading"
)

// world is a journal about one resident.
type world struct {
	db       *sqlite.DB
	vault    *seal.Vault
	trail    *reading.Trail
	readings *access.OwnReadings
	resident ident.Person
	now      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	var err error
	if w.db, err = sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "yagona.db"), Clock: clock, Readers: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	keys, err := sqlite.OpenSubjectKeys(t.Context(), filepath.Join(t.TempDir(), "keys.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	if w.vault, err = seal.NewVault(keys, make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	store := query.For[journal.Reader, journal.Tx](w.db)
	w.trail = &reading.Trail{Store: store, Vault: w.vault, Clock: clock}
	w.readings = access.NewOwnReadings(store, w.vault)
	w.resident = ident.New[ident.Person](w.now)
	return w
}

// own is one session in which the resident reads their own data.
func (w *world) own(t *testing.T, session string) {
	t.Helper()
	w.now = w.now.Add(time.Minute)
	if err := w.readings.Record(t.Context(), access.Actor{Person: w.resident, Session: ident.Session(session)}); err != nil {
		t.Fatal(err)
	}
}

// official is a reading by an official, whom a law may hide until a later day.
func (w *world) official(t *testing.T, shownFrom time.Time) {
	t.Helper()
	w.now = w.now.Add(time.Minute)
	subject := w.resident.Subject()
	sealer, err := w.vault.Open(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	err = w.trail.Store.Update(t.Context(), act.Of(subject), func(tx journal.Tx) error {
		_, err := journal.Append(tx, sealer, journal.Event{
			Type: "register.read", Actor: journal.Actor{Agency: "youth-agency", Role: "registrar"}, Purpose: "apply",
			Parts: []journal.Part{{Subject: subject, Disclosure: true, ShownFrom: shownFrom}},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// page lists entries as "type×times".
func (w *world) page(t *testing.T, before ident.Event, limit int) (lines []string, next ident.Event) {
	t.Helper()
	entries, next, err := w.trail.Page(t.Context(), w.resident.Subject(), before, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range entries {
		lines = append(lines, fmt.Sprintf("%s×%d", one.Header.Type, one.Times))
	}
	return lines, next
}

func TestOwnReadingsHideNobodyElses(t *testing.T) {
	w := newWorld(t)
	w.official(t, time.Time{})
	for i := range 200 {
		w.own(t, fmt.Sprint("first", i))
		w.own(t, fmt.Sprint("first", i)) // the same session again: journaled once
	}
	w.official(t, time.Time{})
	for i := range 3 {
		w.own(t, fmt.Sprint("second", i))
	}
	want := fmt.Sprint([]string{"own-data.read×3", "register.read×1", "own-data.read×200", "register.read×1"})
	if got, next := w.page(t, "", 10); fmt.Sprint(got) != want || next != "" {
		t.Errorf("the page is %v, next %q", got, next)
	}
	// Page by page the same is told, whatever a page holds.
	for limit := 1; limit <= 4; limit++ {
		var all []string
		before := ident.Event("")
		for range 300 {
			lines, next := w.page(t, before, limit)
			all = append(all, lines...)
			if before = next; next == "" {
				break
			}
		}
		others, own := 0, 0
		for _, line := range all {
			var times int
			if _, err := fmt.Sscanf(line, "own-data.read×%d", &times); err == nil {
				own += times
			} else if line == "register.read×1" {
				others++
			}
		}
		if others != 2 || own != 203 {
			t.Errorf("%d on a page: %d readings by others and %d own ones in %v", limit, others, own, all)
		}
	}
}

func TestWhatALawDelaysIsNotListedBeforeItsDay(t *testing.T) {
	w := newWorld(t)
	w.official(t, w.now.AddDate(0, 0, 30))
	w.own(t, "first")
	if got, _ := w.page(t, "", 10); fmt.Sprint(got) != "[own-data.read×1]" {
		t.Errorf("the page is %v", got)
	}
	w.now = w.now.AddDate(0, 0, 31)
	if got, _ := w.page(t, "", 10); fmt.Sprint(got) != "[own-data.read×1 register.read×1]" {
		t.Errorf("after its day the page is %v", got)
	}
}

// TestAReceiptSaysWhatTheJournalSays compares a receipt that is made of what an act recorded with one that is read back.
func TestAReceiptSaysWhatTheJournalSays(t *testing.T) {
	w := newWorld(t)
	subject, other := w.resident.Subject(), ident.New[ident.Person](w.now).Subject()
	sealer, err := w.vault.Open(t.Context(), subject, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, delayed := range []time.Time{{}, w.now.AddDate(0, 0, 30)} {
		var recorded journal.Recorded
		err = w.trail.Store.Update(t.Context(), act.Of(subject), func(tx journal.Tx) (err error) {
			recorded, err = journal.Record(tx, sealer, journal.NewID(tx), journal.Event{
				Type: "application.submitted", Actor: journal.Actor{Person: w.resident}, Facts: map[string]string{"service": "illustrative"},
				Parts: []journal.Part{
					{Subject: other, Personal: map[string]string{"ground": "parent"}},
					{Subject: subject, Personal: map[string]string{"said": "Gulnora"}, ShownFrom: delayed},
				},
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []ident.Subject{subject, other} {
			made, err := w.trail.Receipt(t.Context(), by, subject, recorded.Event.ID, &recorded)
			if err != nil {
				t.Fatal(err)
			}
			if open := by == subject && delayed.IsZero(); (made.Opening != nil) != open {
				t.Errorf("for %s, delayed until %v, it is open: %t", by, delayed, made.Opening != nil)
			}
			if made.Opening == nil && by == subject {
				continue // whoever reads it back is told that there is nothing for them to see yet
			}
			read, err := w.trail.Receipt(t.Context(), by, subject, recorded.Event.ID, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read.Opening, made.Opening); diff != "" || !bytes.Equal(read.Event.Entry, made.Event.Entry) {
				t.Errorf("what is read back differs: %s", diff)
			}
			if made.Opening == nil {
				continue
			}
			if _, entry, err := made.Opening.Verify(); err != nil || !bytes.Equal(entry, made.Event.Entry) {
				t.Errorf("its opening does not verify: %v", err)
			}
		}
	}
}
