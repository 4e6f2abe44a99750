package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/store/query"
)

// TestDocument checks that documents and revocations come back as they were saved, in the order that is promised.
func TestDocument(t *testing.T, open Open) {
	ctx := t.Context()
	ann, ben := ident.Random[ident.Person]().Subject(), ident.Random[ident.Person]().Subject()
	sample := func(subject ident.Subject, n int) document.Stored {
		at := Start.Add(time.Duration(n) * time.Minute)
		return document.Stored{
			ID: ident.New[ident.Document](at), Subject: subject, Type: "certificate", Service: "pack/service", Agency: "agency",
			Application: ident.New[ident.Application](at), Issued: at, From: at.Add(time.Hour), Until: at.Add(2 * time.Hour),
			Content: []byte{0, 1, byte(n)}, Payload: []byte{0xFF, byte(n)}, Event: ident.New[ident.Event](at),
		}
	}
	save := func(t *testing.T, db DB, saved ...document.Stored) {
		t.Helper()
		for _, stored := range saved {
			err := db.Update(ctx, act.Of(stored.Subject), func(tx *query.Tx) error { return tx.SaveDocument(stored) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	view := func(t *testing.T, db DB, run func(*query.Tx) error) {
		t.Helper()
		if err := db.View(ctx, run); err != nil {
			t.Fatal(err)
		}
	}
	same := func(t *testing.T, what string, got any, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}

	t.Run("a document comes back as it was saved", func(t *testing.T) {
		db := open(t, Still)
		bare := sample(ben, 2)
		bare.Application, bare.From, bare.Until = "", time.Time{}, time.Time{}
		full := sample(ann, 1)
		save(t, db, full, bare)
		view(t, db, func(tx *query.Tx) error {
			for _, want := range []document.Stored{full, bare} {
				got, err := tx.Document(want.ID)
				if err != nil {
					return err
				}
				same(t, "document", got, want)
				same(t, "its digest", got.Cover(), want.Cover())
			}
			return nil
		})
	})
	t.Run("an unknown document is not found", func(t *testing.T) {
		view(t, open(t, Still), func(tx *query.Tx) error {
			if _, err := tx.Document(sample(ann, 1).ID); fault.Code(err) != "document.unknown" {
				t.Errorf("a document: %v", err)
			}
			if _, err := tx.DocumentRevocation(sample(ann, 1).ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("a revocation: %v", err)
			}
			return nil
		})
	})
	t.Run("a document is saved once", func(t *testing.T) {
		db := open(t, Still)
		first := sample(ann, 1)
		save(t, db, first)
		second := first
		second.Type = "another"
		if err := db.Update(ctx, act.Of(ann), func(tx *query.Tx) error { return tx.SaveDocument(second) }); err == nil {
			t.Error("it was saved twice")
		}
		view(t, db, func(tx *query.Tx) error {
			got, err := tx.Document(first.ID)
			same(t, "document", got, first)
			return err
		})
	})
	t.Run("lists are whole, ordered and only the subject's", func(t *testing.T) {
		db := open(t, Still)
		one, two, three, other := sample(ann, 1), sample(ann, 2), sample(ann, 3), sample(ben, 4)
		save(t, db, two, other, three, one)
		view(t, db, func(tx *query.Tx) error {
			of, err := tx.DocumentsOf(ann)
			if err != nil {
				return err
			}
			same(t, "newest first", of, []document.Stored{three, two, one})
			page, err := tx.DocumentsAfter("", 3)
			if err != nil {
				return err
			}
			same(t, "the first page", page, []document.Stored{one, two, three})
			page, err = tx.DocumentsAfter(three.ID, 3)
			if err != nil {
				return err
			}
			same(t, "the last page", page, []document.Stored{other})
			page, err = tx.DocumentsAfter(other.ID, 3)
			if len(page) != 0 {
				t.Errorf("behind the last: %+v", page)
			}
			return err
		})
	})
	t.Run("revocations come back as they were saved, in order", func(t *testing.T) {
		db := open(t, Still)
		revoked := func(of document.Stored, until time.Time) document.StoredRevocation {
			return document.StoredRevocation{
				Document: of.ID, Subject: of.Subject, At: of.Issued.Add(time.Microsecond), Until: until, Reason: []byte{0, 9}, Event: of.Event,
			}
		}
		one, two := revoked(sample(ann, 1), time.Time{}), revoked(sample(ben, 2), Start)
		for _, stored := range []document.StoredRevocation{two, one} {
			update := func() error {
				return db.Update(ctx, act.Of(stored.Subject), func(tx *query.Tx) error { return tx.SaveDocumentRevocation(stored) })
			}
			if err := update(); err != nil {
				t.Fatal(err)
			}
			if update() == nil {
				t.Error("a document was revoked twice")
			}
		}
		view(t, db, func(tx *query.Tx) error {
			got, err := tx.DocumentRevocation(two.Document)
			if err != nil {
				return err
			}
			same(t, "revocation", got, two)
			same(t, "its digest", got.Cover(), two.Cover())
			page, err := tx.DocumentRevocationsAfter("", 10)
			if err != nil {
				return err
			}
			same(t, "all", page, []document.StoredRevocation{one, two})
			page, err = tx.DocumentRevocationsAfter(one.Document, 10)
			same(t, "the second page", page, []document.StoredRevocation{two})
			return err
		})
		// The open list says of the licence of one that it is suspended, then that it is revoked.
		for _, state := range []casework.Standing{casework.Suspended, casework.Revoked} {
			listed := casework.Entitlement{
				Application: "one", Holder: one.Subject, Service: "market/stall", Agency: "market", State: state, Since: Start,
				Published: &casework.Published{Document: one.Document}, Event: one.Event,
			}
			if err := db.Update(ctx, act.Of(one.Subject), func(tx *query.Tx) error { return tx.SaveEntitlement(listed) }); err != nil {
				t.Fatal(err)
			}
			one.Suspended = state == casework.Suspended
			view(t, db, func(tx *query.Tx) error {
				page, err := tx.DocumentRevocationsAfter("", 10)
				same(t, string(state), page, []document.StoredRevocation{one, two})
				return err
			})
		}
	})
}
