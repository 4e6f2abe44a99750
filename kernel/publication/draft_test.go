package publication_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/publication"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// world is an installation with one pack in force, which the youth agency publishes.
type world struct {
	*publication.Drafting
	t   *testing.T
	now time.Time

	anna, bek, other, chair access.Actor // two publishers of the youth agency, one of another, an official who is none
	wrong                   error        // what the check of packs says
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	db, err := sqlite.Temporary(t.Context(), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	subjects, err := sqlite.OpenSubjectKeys(t.Context(), t.TempDir()+"/keys.db", false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { subjects.Close() })
	vault, err := seal.NewVault(subjects, make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyfile.Open(t.TempDir(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Ensure(signature.OfAgency("youth-agency"), signature.OfAgency("other-agency")); err != nil {
		t.Fatal(err)
	}
	official := func(agency ident.Agency, role ident.Role) access.Actor {
		return access.Actor{Person: ident.Random[ident.Person](), Appointment: &access.Appointment{ID: "a", Agency: agency, Role: role}}
	}
	w.anna, w.bek = official("youth-agency", access.Publisher), official("youth-agency", access.Publisher)
	w.other, w.chair = official("other-agency", access.Publisher), official("youth-agency", "chair")
	w.Drafting = &publication.Drafting{
		Press: &publication.Press{
			Store: query.For[publication.Reader, publication.Tx](db), Vault: vault, Ring: ring, Clock: clock,
			Check: func(context.Context, string, publication.Bundle) ([]ident.Agency, error) {
				return []ident.Agency{"youth-agency"}, w.wrong
			},
		},
		Speakers: func(pack string) []ident.Agency {
			if pack == "youth" {
				return []ident.Agency{"youth-agency"}
			}
			return nil
		},
	}
	if _, err := w.Press.Install(t.Context(), "youth", publication.Bundle{"pack.yaml": []byte("pack: youth\n"), "services/a.yaml": []byte("service: a\n")}); err != nil {
		t.Fatal(err)
	}
	return w
}

// begun begins a draft of the pack in force.
func (w *world) begun() publication.Draft {
	w.t.Helper()
	draft, err := w.Begin(w.t.Context(), w.anna, "youth", nil, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return draft
}

func (w *world) writes(by access.Actor, path string, revision int64, content string) publication.Draft {
	w.t.Helper()
	draft, err := w.Write(w.t.Context(), by, "youth", path, revision, []byte(content))
	if err != nil {
		w.t.Fatal(err)
	}
	return draft
}

func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func TestADraftBeginsWithWhatIsInForceAndIsKept(t *testing.T) {
	w := newWorld(t)
	draft := w.begun()
	if string(draft.Files["services/a.yaml"]) != "service: a\n" || draft.Base == "" || draft.By != w.anna.Person {
		t.Errorf("it begins as %+v", draft)
	}
	w.now = w.now.Add(time.Hour)
	w.writes(w.bek, "services/a.yaml", draft.FileRevision("services/a.yaml"), "service: b\n")
	found, err := w.Draft(t.Context(), w.anna, "youth")
	if err != nil || string(found.Files["services/a.yaml"]) != "service: b\n" {
		t.Fatalf("found %+v, %v", found, err)
	}
	if written := found.Written["services/a.yaml"]; written.By != w.bek.Person || !written.At.Equal(w.now) {
		t.Errorf("it was written by %+v", written)
	}
	all, err := w.All(t.Context(), w.bek)
	if err != nil || len(all) != 1 || all[0].Pack != "youth" || len(all[0].Files) > 0 {
		t.Errorf("all are %+v, %v", all, err)
	}
	_, err = w.Begin(t.Context(), w.bek, "youth", nil, 0)
	refused(t, "a second draft of the pack", err, "draft.exists")
}

func TestNobodyWritesOverWhatTheyHaveNotSeen(t *testing.T) {
	w := newWorld(t)
	draft := w.begun()
	seen := draft.FileRevision("services/a.yaml")
	draft = w.writes(w.bek, "services/a.yaml", seen, "service: bek\n")
	_, err := w.Write(t.Context(), w.anna, "youth", "services/a.yaml", seen, []byte("service: anna\n"))
	refused(t, "writing over a colleague's text", err, "draft.changed")
	_, err = w.Remove(t.Context(), w.anna, "youth", "services/a.yaml", seen)
	refused(t, "removing a colleague's text", err, "draft.changed")
	_, err = w.Begin(t.Context(), w.anna, "youth", nil, seen)
	refused(t, "beginning anew over a colleague's text", err, "draft.changed")
	// Another file is nobody's business.
	w.writes(w.anna, "pack.yaml", seen, "pack: youth\n#\n")
	// Who has seen it goes on; and a file that was removed is not brought back by who did not see that.
	before := draft.FileRevision("services/a.yaml")
	draft, err = w.Remove(t.Context(), w.anna, "youth", "services/a.yaml", before)
	if err != nil || draft.Files["services/a.yaml"] != nil {
		t.Fatalf("removing gives %+v, %v", draft, err)
	}
	_, err = w.Write(t.Context(), w.bek, "youth", "services/a.yaml", before, []byte("service: bek\n"))
	refused(t, "writing what was removed", err, "draft.changed")
	w.writes(w.bek, "services/a.yaml", draft.FileRevision("services/a.yaml"), "service: bek\n")
	// Beginning anew counts as a change of every file.
	now, err := w.Draft(t.Context(), w.anna, "youth")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Begin(t.Context(), w.anna, "youth", nil, now.Revision); err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(t.Context(), w.bek, "youth", "pack.yaml", now.FileRevision("pack.yaml"), []byte("pack: youth\n"))
	refused(t, "writing into what was begun anew", err, "draft.changed")
}

func TestSeveralFilesAreWrittenInOneActOrNone(t *testing.T) {
	w := newWorld(t)
	draft := w.begun()
	files := func(content string) publication.Bundle {
		return publication.Bundle{"services/a.yaml": []byte("service: " + content + "\n"), "locale/ru.yaml": []byte("language: ru # " + content + "\n")}
	}
	saved, err := w.WriteFiles(t.Context(), w.anna, "youth", draft.Revision, files("anna"))
	if err != nil || saved.Revision != draft.Revision+1 || string(saved.Files["locale/ru.yaml"]) != "language: ru # anna\n" || saved.Written["services/a.yaml"].By != w.anna.Person {
		t.Fatalf("writing gives %+v, %v", saved, err)
	}
	// One of the two was written since: neither is written over. Another file is nobody's business.
	_, err = w.WriteFiles(t.Context(), w.bek, "youth", draft.Revision, files("bek"))
	refused(t, "writing over a colleague's texts", err, "draft.changed")
	_, err = w.WriteFiles(t.Context(), w.bek, "youth", saved.Revision, publication.Bundle{"services/a.yaml": []byte("service: bek\n"), "../x": nil})
	refused(t, "writing outside of the pack", err, "draft.path")
	_, err = w.WriteFiles(t.Context(), w.bek, "youth", saved.Revision, publication.Bundle{"services/a.yaml": []byte("\xff")})
	refused(t, "writing what is no text", err, "draft.text")
	found, err := w.Draft(t.Context(), w.bek, "youth")
	if err != nil || found.Revision != saved.Revision || string(found.Files["services/a.yaml"]) != "service: anna\n" {
		t.Errorf("one of them changed the draft: %+v, %v", found, err)
	}
	w.writes(w.bek, "pack.yaml", saved.FileRevision("pack.yaml"), "pack: youth\n#\n")
	if _, err = w.WriteFiles(t.Context(), w.bek, "youth", saved.Revision, files("bek")); err != nil {
		t.Errorf("who has seen the files cannot write them: %v", err)
	}
}

func TestOnlyPublishersOfTheAgencySeeItsDrafts(t *testing.T) {
	w := newWorld(t)
	w.begun()
	for what, by := range map[string]access.Actor{"an official without the post": w.chair, "a resident": {Person: w.anna.Person}} {
		_, err := w.Draft(t.Context(), by, "youth")
		refused(t, what+" reads", err, "access.forbidden")
		_, err = w.All(t.Context(), by)
		refused(t, what+" lists", err, "access.forbidden")
		_, err = w.Write(t.Context(), by, "youth", "pack.yaml", 1, nil)
		refused(t, what+" writes", err, "access.forbidden")
		_, err = w.Begin(t.Context(), by, "youth", nil, 0)
		refused(t, what+" begins", err, "access.forbidden")
		_, err = w.Propose(t.Context(), by, "youth", 1)
		refused(t, what+" proposes", err, "access.forbidden")
	}
	_, err := w.Draft(t.Context(), w.other, "youth")
	refused(t, "a publisher of another agency reads", err, "draft.unknown")
	_, err = w.Write(t.Context(), w.other, "youth", "pack.yaml", 1, nil)
	refused(t, "a publisher of another agency writes", err, "draft.unknown")
	_, err = w.Begin(t.Context(), w.other, "youth", nil, 0)
	refused(t, "a publisher of another agency begins", err, "draft.other-agency")
}

func TestAFileOfADraftStaysInItsPackAndInItsSize(t *testing.T) {
	w := newWorld(t)
	at := w.begun().FileRevision("services/x.yaml")
	for _, path := range []string{
		"", "../pack.yaml", "services/../../x.yaml", "/etc/passwd", "services/x.yml", "services/.x.yaml", "services/a/b.yaml", "other/x.yaml",
		"services\\x.yaml", "services/x.yaml\x00", "services/\xff.yaml", "pack.yaml/x", "services/" + strings.Repeat("a", 65) + ".yaml", "x.yaml",
	} {
		_, err := w.Write(t.Context(), w.anna, "youth", path, at, []byte("a: b\n"))
		refused(t, path, err, "draft.path")
	}
	_, err := w.Write(t.Context(), w.anna, "youth", "services/x.yaml", at, []byte("service: \xff\xfe\n"))
	refused(t, "bad UTF-8", err, "draft.text")
	_, err = w.Write(t.Context(), w.anna, "youth", "services/x.yaml", at, bytes.Repeat([]byte("a"), publication.DraftFileBytes+1))
	refused(t, "a large file", err, "draft.large")
	_, err = w.Remove(t.Context(), w.anna, "youth", "pack.yaml", at)
	refused(t, "removing pack.yaml", err, "draft.pack-file")
	for _, name := range []string{"../youth", "", "Youth", "you\x00th", "\xff"} {
		_, err = w.Begin(t.Context(), w.anna, name, nil, 0)
		refused(t, name, err, "pack.name")
		_, err = w.Draft(t.Context(), w.anna, name)
		refused(t, name, err, "draft.unknown")
	}
	full := bytes.Repeat([]byte("a"), publication.DraftFileBytes)
	for i := range 20 {
		if _, err = w.Write(t.Context(), w.anna, "youth", "services/f"+string(rune('a'+i))+".yaml", at, full); err != nil {
			break
		}
	}
	refused(t, "many large files", err, "draft.large")
}

func TestAnAgencyCannotFillTheStoreWithDrafts(t *testing.T) {
	w := newWorld(t)
	var err error
	for i := 0; i <= 100 && err == nil; i++ {
		_, err = w.Begin(t.Context(), w.anna, fmt.Sprintf("pack%d", i), publication.Bundle{"pack.yaml": nil}, 0)
	}
	refused(t, "one more draft", err, "draft.too-many")
	if _, err := w.Begin(t.Context(), w.other, "theirs", nil, 0); err != nil {
		t.Errorf("another agency: %v", err)
	}
}

func TestADraftComesIntoForceByTwoWhoAreSignedIn(t *testing.T) {
	w := newWorld(t)
	draft := w.begun()
	draft = w.writes(w.anna, "services/a.yaml", draft.First, "service: new\n")
	_, err := w.Propose(t.Context(), w.anna, "youth", draft.Revision-1)
	refused(t, "proposing what one has not seen", err, "draft.changed")
	w.wrong = fault.New(fault.Invalid, "pack.problems", "wrong")
	_, err = w.Propose(t.Context(), w.anna, "youth", draft.Revision)
	refused(t, "proposing what is wrong", err, "pack.problems")
	w.wrong = nil
	proposed, err := w.Propose(t.Context(), w.anna, "youth", draft.Revision)
	if err != nil || proposed.By != w.anna.Person || proposed.State != publication.Proposed {
		t.Fatalf("proposed %+v, %v", proposed, err)
	}
	agency := signature.OfAgency("youth-agency")
	message := publication.Proposal{Pack: "youth", Agency: "youth-agency", Files: draft.Files, Published: proposed.Published}.MessageBy(w.anna.Person)
	if err := signature.Verify(w.Press.Ring, agency, message, proposed.Signed, w.now); err != nil {
		t.Errorf("the signature does not name who proposed: %v", err)
	}

	_, err = w.Press.SettleBy(t.Context(), w.anna, proposed.ID, proposed.Digest, true)
	refused(t, "approving one's own", err, "publication.same-person")
	_, err = w.Press.SettleBy(t.Context(), w.chair, proposed.ID, proposed.Digest, true)
	refused(t, "approving without the post", err, "access.forbidden")
	_, err = w.Press.SettleBy(t.Context(), w.other, proposed.ID, proposed.Digest, true)
	refused(t, "approving another agency's", err, "access.forbidden")
	_, err = w.Press.SettleBy(t.Context(), w.bek, proposed.ID, "another digest", true)
	refused(t, "approving what one has not seen", err, "publication.settled")
	w.now = w.now.Add(time.Minute)
	approved, err := w.Press.SettleBy(t.Context(), w.bek, proposed.ID, proposed.Digest, true)
	if err != nil || approved.State != publication.InForce || approved.Second != w.bek.Person {
		t.Fatalf("approved %+v, %v", approved, err)
	}
	if err := signature.Verify(w.Press.Ring, agency, publication.ApprovalMessageBy(proposed.ID, proposed.Digest, true, w.bek.Person), approved.Approved, w.now); err != nil {
		t.Errorf("the signature does not name the second person: %v", err)
	}
	if now, err := w.Press.InForce(t.Context(), "youth"); err != nil || now.ID != proposed.ID {
		t.Errorf("in force is %v, %v", now.ID, err)
	}
	// The draft goes on from what it became.
	draft = w.writes(w.bek, "services/a.yaml", draft.FileRevision("services/a.yaml"), "service: newer\n")
	if draft.Base != proposed.ID {
		t.Errorf("the draft goes on from %s, not %s", draft.Base, proposed.ID)
	}
}

func TestADraftDoesNotSilentlyUndoWhatCameIntoForceSince(t *testing.T) {
	w := newWorld(t)
	draft := w.begun()
	draft = w.writes(w.anna, "services/a.yaml", draft.First, "service: anna\n")
	w.now = w.now.Add(time.Minute)
	if _, err := w.Press.Install(t.Context(), "youth", publication.Bundle{"pack.yaml": []byte("pack: youth\n"), "services/b.yaml": []byte("service: b\n")}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Propose(t.Context(), w.anna, "youth", draft.Revision)
	refused(t, "proposing over a newer revision", err, "draft.base")
	_, err = w.Rebase(t.Context(), w.anna, "youth", draft.Base)
	refused(t, "going on from the old revision", err, "draft.base")
	now, err := w.Press.InForce(t.Context(), "youth")
	if err != nil {
		t.Fatal(err)
	}
	if draft, err = w.Rebase(t.Context(), w.anna, "youth", now.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Propose(t.Context(), w.anna, "youth", draft.Revision); err != nil {
		t.Error(err)
	}
}
