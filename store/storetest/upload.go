package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/store/query"
)

// TestUploads checks that photos on their way are kept in order, one person's beside another's.
func TestUploads(t *testing.T, open Open) {
	db := open(t, Still)
	id, task := ident.New[string](Start), ident.New[ident.Task](Start)
	begin := func(applicant ident.Subject) casework.Upload {
		t.Helper()
		one := casework.Upload{
			ID: id, Applicant: applicant, Task: task, By: ident.Random[ident.Person](), Size: 7, Digest: []byte{1, 2}, Received: 5,
			Expires: Start.Add(time.Hour), Sealed: []byte{3},
		}
		err := db.Update(t.Context(), act.Of(applicant), func(tx *query.Tx) error {
			if err := tx.AddPiece(id, casework.Piece{Start: 3, Sealed: []byte("de")}); err != nil {
				return err
			}
			if err := tx.AddPiece(id, casework.Piece{Start: 0, Sealed: []byte("abc")}); err != nil {
				return err
			}
			return tx.SaveUpload(one)
		})
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	one, other := begin(ident.Random[ident.Person]().Subject()), begin(ident.Random[ident.Person]().Subject())
	check := func(want casework.Upload, pieces ...casework.Piece) {
		t.Helper()
		err := db.View(t.Context(), func(tx *query.Tx) error {
			all, err := tx.Uploads(want.Applicant, task)
			if err != nil {
				return err
			}
			if diff := cmp.Diff([]casework.Upload{want}, all); diff != "" {
				t.Errorf("uploads (-want +got):\n%s", diff)
			}
			got, err := tx.Pieces(want.Applicant, id)
			if diff := cmp.Diff(pieces, got); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second := casework.Piece{Start: 0, Sealed: []byte("abc")}, casework.Piece{Start: 3, Sealed: []byte("de")}
	check(one, first, second)
	one.Received, one.Sealed = 7, []byte("all")
	err := db.Update(t.Context(), act.Of(one.Applicant), func(tx *query.Tx) error {
		if err := tx.SaveUpload(one); err != nil {
			return err
		}
		return tx.RemovePieces(id)
	})
	if err != nil {
		t.Fatal(err)
	}
	check(one)
	if err := db.Update(t.Context(), act.Of(one.Applicant), func(tx *query.Tx) error { return tx.RemoveUpload(id) }); err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx *query.Tx) error {
		_, err := tx.Upload(one.Applicant, id)
		return err
	})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("what was removed is still there: %v", err)
	}
	check(other, first, second)
}
