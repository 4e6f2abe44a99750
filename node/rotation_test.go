package node_test

import (
	"errors"
	"html"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"yagona/kernel/fault"
	"yagona/kernel/signature"
	"yagona/node"
	"yagona/packs/demo"
	"yagona/store"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/web/page"
)

// TestEveryKeyIsRotatedWhileTheNodeServes rotates the keys of the node, of the log and of an agency from another process:
// the node signs with the new ones from their time on, what the old ones signed verifies, and each rotation is in the journal.
func TestEveryKeyIsRotatedWhileTheNodeServes(t *testing.T) {
	g := newGuarded(t)
	before, err := node.LogKey(g.config)
	if err != nil {
		t.Fatal(err)
	}
	n := g.open(t)
	published(t, n)
	elsewhere, err := keyfile.Open(g.config.Folder+"/keys", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("a statement")
	holders := []signature.Holder{signature.Node, signature.OfAgency("youth-agency"), node.LogHolder}
	old, fresh, signed := map[signature.Holder]signature.Signature{}, map[signature.Holder]signature.Key{}, time.Now()
	for _, holder := range holders {
		if old[holder], err = n.Ring.Sign(t.Context(), holder, message); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := node.RotateKey(t.Context(), n.DB, elsewhere, signature.Node, time.Now(), " "); err == nil {
		t.Error("a key was rotated without a reason")
	}
	from := time.Now().Add(5 * time.Second) // later than all six attempts, on a slow machine, too
	for _, holder := range holders {
		if fresh[holder], err = node.RotateKey(t.Context(), n.DB, elsewhere, holder, from, "a drill"); err != nil {
			t.Fatal(err)
		}
		if _, err := node.RotateKey(t.Context(), n.DB, elsewhere, holder, from, "once more"); err == nil || !strings.Contains(err.Error(), "rotated in already") {
			t.Errorf("the key of %s was rotated twice at once: %v", holder, err)
		}
	}
	time.Sleep(time.Until(from))
	for _, holder := range holders {
		made, err := n.Ring.Sign(t.Context(), holder, message)
		if err != nil {
			t.Fatal(err)
		}
		if made.Key != fresh[holder].ID {
			t.Errorf("%s still signs with its old key", holder)
		}
		if err := signature.Verify(n.Ring, holder, message, made, time.Now()); err != nil {
			t.Errorf("what the new key of %s signs: %v", holder, err)
		}
		if err := signature.Verify(n.Ring, holder, message, old[holder], signed); err != nil {
			t.Errorf("what the old key of %s signed in its term: %v", holder, err)
		}
		if err := signature.Verify(n.Ring, holder, message, old[holder], time.Now()); fault.Code(err) != "signature.out-of-term" {
			t.Errorf("what the old key of %s signs after its term: %v", holder, err)
		}
	}
	// The log goes on under the new key, once the witness knows it, too; the page shows whichever key verifies.
	public, err := note.NewEd25519VerifierKey(n.Origin(), fresh[node.LogHolder].Public)
	if err != nil {
		t.Fatal(err)
	}
	g.witnessKnows(t, public)
	if err := happen(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	published(t, n)
	shown := httptest.NewRecorder()
	n.Handler.ServeHTTP(shown, httptest.NewRequestWithContext(t.Context(), http.MethodGet, page.LogPath, nil))
	if text := html.UnescapeString(shown.Body.String()); !strings.Contains(text, public) || strings.Contains(text, before) {
		t.Errorf("the page of the log (%d) does not show the key that verifies its newest checkpoint", shown.Code)
	}
	rotated := 0
	err = n.DB.View(t.Context(), func(tx *query.Tx) error {
		found, err := tx.EventsByIndex(0, 100_000)
		for _, one := range found {
			if strings.Contains(string(one.Header), "key.rotated") {
				rotated++
			}
		}
		return err
	})
	if err != nil || rotated != len(holders) {
		t.Errorf("%d rotations are in the journal (%v)", rotated, err)
	}
	g.ends(t, n)
}

// TestTheMasterKeyIsRenewed renews the master key of an installation and wraps the subjects' keys anew: everybody's data
// opens all the time, before the previous key is removed and after it.
func TestTheMasterKeyIsRenewed(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	number := firstOf(t, n, string(demo.Jobless))
	opens := func(when string) {
		t.Helper()
		who, err := n.People.ByNumber(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		if known, err := n.People.Attributes(t.Context(), who); err != nil || known.Number != number {
			t.Errorf("%s: a person's data gives %v", when, err)
		}
	}
	again := func() {
		t.Helper()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		n = g.open(t)
	}
	subjects, err := store.OpenSubjectKeys(t.Context(), filepath.Join(g.config.Folder, "subject-keys.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer subjects.Close()
	if _, err := node.Rewrap(t.Context(), n.DB, n.Keys, subjects, false); err == nil {
		t.Error("keys are wrapped anew though the master key is the same")
	}
	if err := node.RenewMaster(t.Context(), n.DB, n.Keys, ""); err == nil {
		t.Error("the master key was renewed without a reason")
	}
	if err := node.RenewMaster(t.Context(), n.DB, n.Keys, "a drill"); err != nil {
		t.Fatal(err)
	}
	opens("in a process from before")
	again()
	opens("after a new start, before keys are wrapped anew")
	if err := node.RenewMaster(t.Context(), n.DB, n.Keys, "once more"); err == nil {
		t.Error("the master key was renewed again before the keys were wrapped anew: the first one is lost")
	}
	if _, err := node.Rewrap(t.Context(), n.DB, n.Keys, subjects, true); err == nil {
		t.Error("the previous master key was removed while keys were wrapped under it")
	}
	if count, err := node.Rewrap(t.Context(), n.DB, n.Keys, subjects, true); err != nil || count != 0 {
		t.Errorf("a second time %d keys are wrapped anew (%v)", count, err)
	}
	if previous, err := n.Keys.PreviousSecret("master"); err != nil || previous != nil {
		t.Errorf("the previous master key is still there (%v)", err)
	}
	again()
	opens("without the previous master key")
	if report := g.ends(t, n); report.Parts == 0 {
		t.Error("no part was audited")
	}
}

// TestTheIndexKeyIsRotatedWhileTheNodeServes rotates the key under which people and records are found, from another process
// on the same folder: everybody is found all the time, and afterwards nothing of the old key is left.
func TestTheIndexKeyIsRotatedWhileTheNodeServes(t *testing.T) {
	g := newGuarded(t)
	n := g.open(t)
	published(t, n)
	number := firstOf(t, n, string(demo.Jobless))
	who, err := n.People.ByNumber(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	finds := func(when string) {
		t.Helper()
		if found, err := n.People.ByNumber(t.Context(), number); err != nil || found != who {
			t.Errorf("%s: the number leads to %q (%v)", when, found, err)
		}
	}
	index := func(name string) string { return filepath.Join(g.config.Folder, "keys", name) }
	keys, err := keyfile.Open(filepath.Join(g.config.Folder, "keys"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.RotateIndexKey(t.Context(), n.DB, keys, " "); err == nil {
		t.Error("the index key was rotated without a reason")
	}
	if generation, err := node.RotateIndexKey(t.Context(), n.DB, keys, "a drill"); err != nil || generation != 2 {
		t.Fatalf("generation %d: %v", generation, err)
	}
	if _, err := node.RotateIndexKey(t.Context(), n.DB, keys, "once more"); err == nil || !strings.Contains(err.Error(), "yagona key reindex") {
		t.Errorf("it was rotated again before it was done: %v", err)
	}
	finds("before anything is indexed anew")
	operator, err := node.OpenDemonstration(t.Context(), g.config, 40)
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	if done, err := operator.Reindex(t.Context(), true); err == nil || done.Added < 40 {
		t.Errorf("the old key was forgotten at once: %+v, %v", done, err)
	}
	if _, err := os.Stat(index("index.secret")); err != nil {
		t.Errorf("the old key is not there any more: %v", err)
	}
	finds("with both keys")
	done, err := operator.Reindex(t.Context(), true)
	if err != nil || done.Added != 0 || done.Removed < 40 {
		t.Errorf("the second time: %+v, %v", done, err)
	}
	if _, err := os.Stat(index("index.secret")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old key is still there: %v", err)
	}
	if done, err := operator.Reindex(t.Context(), true); err != nil || done != (node.Reindexed{}) {
		t.Errorf("the third time: %+v, %v", done, err)
	}
	finds("under the new key alone")
	err = n.DB.View(t.Context(), func(tx *query.Tx) error {
		people, err := tx.ClaimedNumbers("", 100_000)
		for _, one := range people {
			if !strings.HasPrefix(string(one.Index), "2.") {
				t.Errorf("%s stands under the old key", one.Index)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := happen(t.Context(), n); err != nil { // which publishes what the other process did, too
		t.Fatal(err)
	}
	g.ends(t, n)
	// A folder without the newest key is not opened: it would take everybody up a second time.
	newest, err := os.ReadFile(index("index-2.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(index("index-2.secret")), os.WriteFile(index("index.secret"), make([]byte, 32), 0o600)); err != nil {
		t.Fatal(err)
	}
	if opened, err := node.OpenDemonstration(t.Context(), g.config, 40); err == nil {
		opened.Close()
		t.Error("it was opened without the newest index key")
	} else if !strings.Contains(err.Error(), "index-2.secret is missing") {
		t.Errorf("it says %v", err)
	}
	if err := errors.Join(os.Remove(index("index.secret")), os.WriteFile(index("index-2.secret"), newest, 0o600)); err != nil {
		t.Fatal(err)
	}
	n = g.open(t)
	finds("after a new start")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}
