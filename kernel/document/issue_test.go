package document_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
	"yagona/store/query"
	"yagona/store/storetest"
)

var start = time.Date(2026, 3, 4, 6, 30, 0, 250_000_000, time.UTC)

// office is an issuer over a real store, with everything around it.
type office struct {
	*document.Issuer
	db    query.DB
	vault *seal.Vault
	ring  *ring
	now   time.Time
	by    journal.Actor
	ann   ident.Subject
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{
		now: start, ann: ident.Random[ident.Person]().Subject(),
		by: journal.Actor{Person: ident.Random[ident.Person](), Agency: "youth-agency", Role: "chair"},
	}
	clock := func() time.Time { return o.now }
	db, keys := storetest.Temporary(t, clock), storetest.Keys(t)
	var err error
	if o.vault, err = seal.NewVault(keys, make([]byte, seal.KeySize)); err != nil {
		t.Fatal(err)
	}
	o.ring = &ring{}
	o.ring.rotate(t, signature.Node, o.now)
	o.ring.rotate(t, "agency:youth-agency", o.now)
	o.db = db
	o.Issuer = &document.Issuer{
		Store: query.For[document.Reader, document.Tx](db), Vault: o.vault, Signer: o.ring, Node: "node.example",
	}
	return o
}

// ring is keys in memory, oldest first.
type ring struct {
	keys    []signature.Key
	private []ed25519.PrivateKey
}

// rotate gives the holder a new key and ends the term of the one before.
func (r *ring) rotate(t *testing.T, holder signature.Holder, now time.Time) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.keys {
		if r.keys[i].Holder == holder {
			r.keys[i].Until = now
		}
	}
	r.private = append(r.private, private)
	r.keys = append(r.keys, signature.Key{ID: signature.KeyID(public), Holder: holder, Public: public, From: now})
}

func (r *ring) Sign(_ context.Context, holder signature.Holder, message []byte) (signature.Signature, error) {
	for i, key := range slices.Backward(r.keys) {
		if key.Holder == holder {
			return signature.Signature{Key: key.ID, Bytes: ed25519.Sign(r.private[i], message)}, nil
		}
	}
	return signature.Signature{}, fault.New(fault.NotFound, "signature.no-key", "This holder has no key here.")
}

// draft is an invented certificate.
func (o *office) draft(id ident.Document) document.Draft {
	text := document.Text{
		Language: "en", Agency: "Example Youth Agency", Title: "Example certificate",
		Lines:   []document.Line{{Label: "Name", Value: "Zulfiya Synthetic", Checked: true}, {Label: "Since", Value: "1 March 2026"}},
		Reasons: []string{"Registered as unemployed."},
		Headings: document.Headings{
			Number: "Number", Issued: "Issued", Until: "Valid until", Reasons: "Reasons", Check: "Scan the code to check.",
		},
	}
	return document.Draft{
		Content: document.Content{
			ID: id, Type: "certificate", Service: "youth/certificate", Agency: "youth-agency",
			Until: time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC), Authoritative: "en", Texts: []document.Text{text},
			Link: "https://node.example/verify/" + string(id),
		},
		Subject: o.ann, Application: ident.New[ident.Application](start),
		Date: func(language string, at time.Time) string { return language + " " + at.Format("2 January 2006") },
	}
}

// issue prepares and issues a document with a new id.
func (o *office) issue(t *testing.T) document.Prepared {
	t.Helper()
	prepared, err := o.Prepare(t.Context(), o.draft(ident.New[ident.Document](o.now)), o.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.act(t, func(tx document.Tx, sealer *seal.Sealer) error {
		return document.Issue(tx, sealer, o.by, prepared)
	}); err != nil {
		t.Fatal(err)
	}
	return prepared
}

// act runs an act under the subject's key.
func (o *office) act(t *testing.T, run func(document.Tx, *seal.Sealer) error) error {
	t.Helper()
	sealer, err := o.vault.Open(t.Context(), o.ann)
	if err != nil {
		t.Fatal(err)
	}
	return o.Store.Update(t.Context(), act.Of(o.ann), func(tx document.Tx) error { return run(tx, sealer) })
}

// trust reads the files that the installation publishes, as a verifier does who knows the node's key.
func (o *office) trust(t *testing.T) (document.KeySet, document.RevocationList) {
	t.Helper()
	set := document.NewKeySet(o.Node, o.ring.keys, o.now, o.now.AddDate(0, 1, 0))
	node := set.NodeKeys()[0]
	token, err := set.Sign(t.Context(), o.ring)
	if err != nil {
		t.Fatal(err)
	}
	if set, err = document.ReadKeySet(token, node); err != nil {
		t.Fatal(err)
	}
	list, err := o.Revocations(t.Context(), o.now, o.now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if token, err = list.Sign(t.Context(), o.ring); err != nil {
		t.Fatal(err)
	}
	if list, err = document.ReadRevocationList(token, set); err != nil {
		t.Fatal(err)
	}
	return set, list
}

func TestIssueOpenAndVerify(t *testing.T) {
	o := newOffice(t)
	prepared := o.issue(t)
	held, err := o.Open(t.Context(), prepared.ID(), o.now)
	if err != nil {
		t.Fatal(err)
	}
	if held.State != document.Valid || held.Payload != prepared.Payload() || held.Reason != nil || held.Stored.Subject != o.ann {
		t.Errorf("opened %+v", held)
	}
	text := held.Content.Texts[0]
	if text.Issued != "en 4 March 2026" || text.Until != "en 3 April 2026" {
		t.Errorf("the dates are printed as %q and %q", text.Issued, text.Until)
	}
	if !held.Content.Issued.Equal(start.Truncate(time.Second)) {
		t.Errorf("issued at %v", held.Content.Issued)
	}
	file, err := o.File(t.Context(), held, o.now)
	if err != nil {
		t.Fatal(err)
	}
	keys, list := o.trust(t)
	for kind, input := range map[string][]byte{"code": []byte(held.Payload), "file": file} {
		result := document.Verify(input, keys, list, o.now)
		if result.State != document.Valid || len(result.Warnings) > 0 || result.Claims == nil || result.Claims.ID != prepared.ID() {
			t.Errorf("the %s: %+v", kind, result)
		}
	}
	// Fetched again after a year and a change of key it is another file of the same document; both verify.
	o.now = o.now.AddDate(0, 0, 20)
	o.ring.rotate(t, "agency:youth-agency", o.now)
	later, err := o.File(t.Context(), held, o.now)
	if err != nil {
		t.Fatal(err)
	}
	keys, list = o.trust(t)
	for kind, input := range map[string][]byte{"the first file": file, "the later file": later} {
		if result := document.Verify(input, keys, list, o.now); result.State != document.Valid || result.Content == nil {
			t.Errorf("%s: %+v", kind, result)
		}
	}
}

func TestNothingPersonalIsStoredInClear(t *testing.T) {
	o := newOffice(t)
	prepared := o.issue(t)
	if err := o.Revoke(t.Context(), o.by, prepared.ID(), document.Reason{Text: "Zulfiya works again."}); err != nil {
		t.Fatal(err)
	}
	err := o.db.View(t.Context(), func(tx *query.Tx) error {
		stored, err := tx.Document(prepared.ID())
		if err != nil {
			return err
		}
		revocation, err := tx.DocumentRevocation(prepared.ID())
		if err != nil {
			return err
		}
		rows := fmt.Sprintf("%s %s %s", stored, revocation.Document, revocation.Reason)
		for _, event := range []ident.Event{stored.Event, revocation.Event} {
			header, err := tx.StoredEvent(act.Of(o.ann), event)
			if err != nil {
				return err
			}
			rows += string(header.Header)
		}
		for _, personal := range []string{"Zulfiya", "1 March 2026", prepared.Payload()} {
			if strings.Contains(rows, personal) {
				t.Errorf("%q stands in clear in %s", personal, rows)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestErasedDocumentKeepsItsStanding(t *testing.T) {
	o := newOffice(t)
	prepared := o.issue(t)
	if err := o.vault.Erase(t.Context(), o.ann); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Open(t.Context(), prepared.ID(), o.now); !fault.Is(err, fault.Erased) {
		t.Errorf("opened: %v", err)
	}
	if standing, err := o.Standing(t.Context(), prepared.ID(), o.now); err != nil || standing.State != document.Valid {
		t.Errorf("standing: %+v, %v", standing, err)
	}
}

func TestIssueRefuses(t *testing.T) {
	o := newOffice(t)
	prepared := o.issue(t)
	again := func(tx document.Tx, sealer *seal.Sealer) error { return document.Issue(tx, sealer, o.by, prepared) }
	if err := o.act(t, again); fault.Code(err) != document.ErrIssued.Code {
		t.Errorf("the same id again: %v", err)
	}
	sealer, err := o.vault.Open(t.Context(), o.ann)
	if err != nil {
		t.Fatal(err)
	}
	other := ident.Random[ident.Person]().Subject()
	err = o.Store.Update(t.Context(), act.Of(other), func(tx document.Tx) error { return again(tx, sealer) })
	if fault.Code(err) != "document.key" {
		t.Errorf("under another key: %v", err)
	}
	draft := o.draft(ident.New[ident.Document](o.now))
	draft.Content.Texts[0].Lines[0].Value = "中文"
	if _, err := o.Prepare(t.Context(), draft, o.now); fault.Code(err) != "document.unprintable" {
		t.Errorf("an unprintable name: %v", err)
	}
	// Letters that take three bytes and do not repeat, more of them than any language writes.
	draft = o.draft(ident.New[ident.Document](o.now))
	draft.Content.Texts[0].Lines = nil
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) string {
		var out strings.Builder
		for range n {
			out.WriteRune(0x1E00 + random.Int32N(250))
		}
		return out.String()
	}
	for range document.MaxFacts {
		line := document.Line{Label: noise(40), Value: noise(60), Checked: true}
		draft.Content.Texts[0].Lines = append(draft.Content.Texts[0].Lines, line)
	}
	if _, err := o.Prepare(t.Context(), draft, o.now); fault.Code(err) != "document.too-many-facts" {
		t.Errorf("facts that fill no code: %v", err)
	}
	draft = o.draft(ident.New[ident.Document](o.now))
	draft.Content.Agency = "unknown-agency"
	if _, err := o.Prepare(t.Context(), draft, o.now); !fault.Is(err, fault.NotFound) {
		t.Errorf("an agency without a key: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	o := newOffice(t)
	first, second := o.issue(t), o.issue(t)
	reason := document.Reason{Text: "  Issued by mistake. ", Basis: "illustrative"}
	for name, test := range map[string]struct {
		by     journal.Actor
		id     ident.Document
		reason document.Reason
		code   string
	}{
		"no reason":        {o.by, first.ID(), document.Reason{Text: " \n"}, "document.reason"},
		"too much reason":  {o.by, first.ID(), document.Reason{Text: strings.Repeat("ў", 4001)}, "document.reason"},
		"too much basis":   {o.by, first.ID(), document.Reason{Text: "x", Basis: strings.Repeat("ў", 501)}, "document.basis"},
		"another agency":   {journal.Actor{Person: o.by.Person, Agency: "other-agency"}, first.ID(), reason, "document.other-agency"},
		"nobody's agency":  {journal.Actor{Person: o.by.Person}, first.ID(), reason, "document.other-agency"},
		"no such document": {o.by, ident.New[ident.Document](start), reason, "document.unknown"},
		"no identifier":    {o.by, "x", reason, "document.unknown"},
	} {
		if err := o.Revoke(t.Context(), test.by, test.id, test.reason); fault.Code(err) != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := ident.Random[ident.Person]().Subject()
	sealer, err := o.vault.Open(t.Context(), o.ann)
	if err != nil {
		t.Fatal(err)
	}
	err = o.Store.Update(t.Context(), act.Of(other), func(tx document.Tx) error {
		return document.Revoke(tx, sealer, o.by, first.ID(), reason)
	})
	if fault.Code(err) != "document.key" {
		t.Errorf("under another key: %v", err)
	}
	if standing, err := o.Standing(t.Context(), first.ID(), o.now); err != nil || standing.State != document.Valid {
		t.Fatalf("after refusals: %+v, %v", standing, err)
	}

	o.now = o.now.Add(time.Hour)
	if err := o.Revoke(t.Context(), o.by, first.ID(), reason); err != nil {
		t.Fatal(err)
	}
	if err := o.Revoke(t.Context(), o.by, first.ID(), reason); fault.Code(err) != document.ErrRevoked.Code {
		t.Errorf("again: %v", err)
	}
	standing, err := o.Standing(t.Context(), first.ID(), o.now)
	if err != nil || standing.State != document.Revoked || !standing.Revoked.Equal(o.now) {
		t.Errorf("standing: %+v, %v", standing, err)
	}
	held, err := o.Open(t.Context(), first.ID(), o.now)
	if err != nil || held.Reason == nil || held.Reason.Text != "Issued by mistake." {
		t.Errorf("its subject sees %+v, %v", held.Reason, err)
	}
	keys, list := o.trust(t)
	if result := document.Verify([]byte(first.Payload()), keys, list, o.now); result.State != document.Revoked {
		t.Errorf("the revoked one: %+v", result)
	}
	if result := document.Verify([]byte(second.Payload()), keys, list, o.now); result.State != document.Valid {
		t.Errorf("the other one: %+v", result)
	}
	// The platform itself, following a decision on appeal, revokes for any agency.
	if err := o.Revoke(t.Context(), journal.Actor{Component: "appeal"}, second.ID(), reason); err != nil {
		t.Error(err)
	}
	if _, list = o.trust(t); len(list.Revoked) != 2 {
		t.Errorf("%d are listed", len(list.Revoked))
	}
	// Once they have expired, no list needs them.
	o.now = time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC)
	if _, list = o.trust(t); len(list.Revoked) != 0 {
		t.Errorf("%d expired ones are listed", len(list.Revoked))
	}
}

func TestStandingOfAnUnknownDocument(t *testing.T) {
	if _, err := newOffice(t).Standing(t.Context(), ident.New[ident.Document](start), start); fault.Code(err) != "document.unknown" {
		t.Errorf("got %v", err)
	}
}

// Every row stands in the journal with its digest; a changed row has another one.
func TestRowsAreCovered(t *testing.T) {
	o := newOffice(t)
	prepared := o.issue(t)
	o.issue(t)
	if err := o.Revoke(t.Context(), o.by, prepared.ID(), document.Reason{Text: "Issued by mistake."}); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := o.db.View(t.Context(), func(tx *query.Tx) error {
		return document.Rows(tx, func(row journal.Row) error {
			names = append(names, strings.Split(row.Name, "/")[0])
			stored, err := tx.StoredEvent(row.Key, row.Event)
			if err != nil {
				return err
			}
			var header journal.Header
			if err := json.Unmarshal(stored.Header, &header); err != nil {
				return err
			}
			if !slices.ContainsFunc(header.Covers, func(cover journal.Cover) bool {
				return cover.Row == row.Name && slices.Equal(cover.Digest, row.Digest)
			}) {
				t.Errorf("%s is not covered by its event %s", row.Name, stored.Header)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "document document document-revocation" {
		t.Errorf("rows: %s", got)
	}
	err = o.db.View(t.Context(), func(tx *query.Tx) error {
		stored, err := tx.Document(prepared.ID())
		digest := stored.Cover().Digest
		stored.Content[3] ^= 1
		if slices.Equal(digest, stored.Cover().Digest) {
			t.Error("a flipped bit of the sealed content keeps its digest")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Two officials revoke at the same time: one of them does.
func TestRevokedOnce(t *testing.T) {
	o := newOffice(t)
	prepared := o.issue(t)
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			results <- o.Revoke(context.Background(), o.by, prepared.ID(), document.Reason{Text: "Issued by mistake."})
		}()
	}
	done := 0
	for range cap(results) {
		switch err := <-results; {
		case err == nil:
			done++
		case fault.Code(err) != document.ErrRevoked.Code:
			t.Error(err)
		}
	}
	if done != 1 {
		t.Errorf("revoked %d times", done)
	}
}
