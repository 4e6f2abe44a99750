package document_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

func TestARevocationOfADocumentThatIsLostGoesOnBeingPublished(t *testing.T) {
	o := newOffice(t)
	here, lost := o.issue(t).ID(), ident.New[ident.Document](o.now.Add(-time.Hour))
	at := o.now.Add(-time.Minute).UTC()
	list := []document.Revocation{{ID: lost, At: at, Suspended: true}, {ID: here, At: at}}
	unrevoked, err := o.Unrevoked(t.Context(), list)
	if diff := cmp.Diff(list, unrevoked); err != nil || diff != "" {
		t.Fatalf("%v; nothing is known of (-want +got):\n%s", err, diff)
	}
	for range 2 {
		if err := o.KeepRevocation(t.Context(), o.by, list[0]); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Revoke(t.Context(), o.by, here, document.Reason{Text: "As it was."}); err != nil {
		t.Fatal(err)
	}
	if unrevoked, err := o.Unrevoked(t.Context(), list); err != nil || len(unrevoked) != 0 {
		t.Errorf("after both were revoked again, nothing is known of %v (%v)", unrevoked, err)
	}
	published, err := o.Revocations(t.Context(), o.now, o.now.Add(time.Hour))
	if err != nil || len(published.Revoked) != 2 || published.Revoked[0] != list[0] || published.Revoked[1].ID != here {
		t.Errorf("published are %v (%v)", published.Revoked, err)
	}
	rows := map[string]bool{}
	err = o.Store.View(t.Context(), func(tx document.Reader) error {
		return document.Rows(tx, func(row journal.Row) error {
			rows[row.Name] = len(row.Digest) > 0 && row.Event != ""
			return nil
		})
	})
	if err != nil || !rows["kept-revocation/"+string(lost)] {
		t.Errorf("the auditor is handed %v (%v)", rows, err)
	}
}
