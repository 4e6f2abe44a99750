package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/store/query"
)

// TestArchive checks what package archive needs of a store: what may leave is found, and what is forgotten is that and no
// more.
func TestArchive(t *testing.T, open Open) {
	db := open(t, Still)
	update := func(key act.Key, run func(*query.Tx) error) {
		t.Helper()
		if err := db.Update(t.Context(), key, run); err != nil {
			t.Fatal(err)
		}
	}
	view := func(run func(*query.Tx) error) {
		t.Helper()
		if err := db.View(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("volumes", func(t *testing.T) {
		made := []archive.Volume{
			{ID: "2025-01-00000001", Month: "2025-01", Made: Start, From: 0, Until: 7, Oldest: "a", Newest: "b", Bytes: 9, Digest: []byte{1}, Event: "e1"},
			{ID: "2025-02-00000000", Month: "2025-02", Made: Start, From: 7, Until: 7, Bytes: 9, Digest: []byte{2}, Event: "e2"},
		}
		made[1].Cases = 3
		for _, one := range slices.Backward(made) {
			update(act.Platform, func(tx *query.Tx) error { return tx.SaveVolume(one) })
		}
		made[0].Cleared, made[0].Event = Start.Add(time.Hour), "e3"
		update(act.Platform, func(tx *query.Tx) error { return tx.SaveVolume(made[0]) })
		view(func(tx *query.Tx) error {
			found, err := tx.Volumes()
			if diff := cmp.Diff(made, found); diff != "" {
				t.Error(diff)
			}
			if at, err := tx.ArchivedAt("2025-02-00000001"); err != nil || !at.IsZero() {
				t.Errorf("a volume that there is not was made at %v, %v", at, err)
			}
			if at, err := tx.ArchivedAt(made[0].ID); err != nil || !at.Equal(Start) {
				t.Errorf("%s was made at %v, %v", made[0].ID, at, err)
			}
			return err
		})
	})

	t.Run("events", func(t *testing.T) {
		var ids []ident.Event
		for i := range 6 {
			key := act.Key("person:" + string(rune('a'+i%2)))
			id := ident.Event(fmt.Sprintf("%d", i))
			ids = append(ids, id)
			update(key, func(tx *query.Tx) error {
				event := journal.StoredEvent{Key: key, ID: id, At: Start, Header: []byte{1}, Entry: []byte{byte(i)}, Index: -1, ShownFrom: Start}
				err := tx.AppendEvent(event, []journal.StoredPart{{Key: key, Event: id, Subject: "person:x", Sealed: []byte{1}, Disclosure: true}})
				return err
			})
			if i < 5 { // the last one waits for its place in the log
				update(act.Platform, func(tx *query.Tx) error { return tx.SaveLogIndex(key, id, int64(i)) })
			}
		}
		forget := func(key act.Key, these ...ident.Event) {
			var events []archive.Place
			for _, id := range these {
				events = append(events, archive.Place{Key: key, Event: id})
			}
			update(key, func(tx *query.Tx) error { return tx.ForgetEvents(0, 4, events) })
		}
		forget("person:a", ids[0], ids[2], ids[4])
		forget("person:b", ids[2], ids[3], ids[5])
		view(func(tx *query.Tx) error {
			var left []ident.Event
			parts, err := tx.PartsOf("person:x", true, "", 10)
			for _, one := range parts {
				left = append(left, one.Event)
				if _, err := tx.StoredEvent(one.Key, one.Event); err != nil {
					t.Errorf("event %s is gone and its part is not: %v", one.Event, err)
				}
			}
			// 0 and 2 of a, 3 of b are forgotten; 4 is beyond the stretch, 5 is without a place, b has no 2, 1 was not named.
			if diff := cmp.Diff([]ident.Event{"5", "4", "1"}, left); diff != "" {
				t.Error(diff)
			}
			if populations, err := tx.PopulationEvents(Start, "", 10); err != nil || len(populations) != 3 {
				t.Errorf("%d events about a population are left, %v", len(populations), err)
			}
			return err
		})
	})

	t.Run("cases", func(t *testing.T) {
		subject := ident.Subject("person:applicant")
		save := func(id ident.Application, state casework.State, event ident.Event) {
			update(act.Of(subject), func(tx *query.Tx) error {
				return tx.SaveApplication(casework.Application{
					ID: id, Applicant: subject, Service: "a/one", Version: "v", Agency: "agency", State: state, Revision: 1, Language: "en",
					Created: Start, Sealed: []byte{1}, Event: event,
				})
			})
		}
		save("1", casework.Granted, "10")
		save("2", casework.Deciding, "20")
		save("3", casework.Refused, "30")
		save("4", casework.Expired, "40")
		save("5", casework.Draft, "41")
		closed := func(after, before ident.Event, limit int) (ids []ident.Application) {
			t.Helper()
			view(func(tx *query.Tx) error {
				found, err := tx.ClosedApplications(after, before, limit)
				for _, one := range found {
					ids = append(ids, one.ID)
				}
				return err
			})
			return ids
		}
		if got := fmt.Sprint(closed("", "~", 10), closed("10", "40", 10), closed("", "~", 1)); got != "[1 3 4] [3] [1]" {
			t.Errorf("closed are %s", got)
		}
		update(act.Of(subject), func(tx *query.Tx) error {
			for _, of := range []ident.Application{"1", "3"} {
				if err := tx.AddAttachment(casework.Attachment{ID: "of " + string(of), Applicant: subject, Application: of, Kind: "photo", Sealed: []byte{1}, Event: "10"}); err != nil {
					return err
				}
				asked := exchange.StoredExchange{Key: act.Of(subject), ID: ident.Exchange("for " + of), At: Start, Sealed: []byte{1}, Event: "10", Application: of, Known: true}
				if err := tx.SaveExchange(asked); err != nil {
					return err
				}
			}
			return tx.SaveExchange(exchange.StoredExchange{Key: act.Of(subject), ID: "of old", At: Start, Sealed: []byte{1}, Event: "10"})
		})
		update(act.Of(subject), func(tx *query.Tx) error {
			for _, forget := range []func() error{
				func() error { return tx.ForgetContent("1", "2025-01-00000001") }, func() error { return tx.ForgetAttachments("1") },
				func() error { return tx.ForgetExchange("for 1") }, func() error { return tx.ForgetExchange("none") },
			} {
				if err := forget(); err != nil {
					return err
				}
			}
			return nil
		})
		if got := fmt.Sprint(closed("", "~", 10)); got != "[3 4]" {
			t.Errorf("at hand are %s", got)
		}
		view(func(tx *query.Tx) error {
			left, err := tx.Application("1")
			if err != nil || len(left.Sealed) != 0 || left.Archived != "2025-01-00000001" || left.State != casework.Granted || left.Event != "10" {
				t.Errorf("what is left is %+v, %v", left, err)
			}
			if revision, archived, err := tx.RevisionOf("1"); err != nil || revision != left.Revision || !archived {
				t.Errorf("its revision is %d, archived: %v, %v", revision, archived, err)
			}
			for of, want := range map[ident.Application]int{"1": 0, "3": 1} {
				attachments, err := tx.AttachmentsOf(subject, of)
				if err != nil || len(attachments) != want {
					t.Errorf("application %s has %d attachments, %v", of, len(attachments), err)
				}
				asked, err := tx.ExchangesFor(subject, of)
				if err != nil || len(asked) != want || want == 1 && (asked[0].Application != of || !asked[0].Known) {
					t.Errorf("for application %s are %+v, %v", of, asked, err)
				}
			}
			old, err := tx.StoredExchange(act.Of(subject), "of old")
			if err != nil || old.Known {
				t.Errorf("the old answer is %+v, %v", old, err)
			}
			return nil
		})
		err := db.Update(t.Context(), act.Of(subject), func(tx *query.Tx) error { return tx.ForgetContent("1", "2025-02-00000000") })
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("moved once more: %v", err)
		}
	})
}
