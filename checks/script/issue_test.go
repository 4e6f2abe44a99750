package script

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
	"yagona/kernel/signature"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// issue issues a document as an installation does, and writes what it gives out and publishes: document.pdf,
// payload.txt, keys.json, revocations.json, and revoked.json, a later list on which the document stands. It sets NODEKEY
// to the installation's own public key.
func issue(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 0 {
		ts.Fatalf("usage: issue")
	}
	ctx, now := context.Background(), time.Now().UTC().Truncate(time.Second)
	db, err := sqlite.Temporary(ctx, time.Now)
	ts.Check(err)
	defer db.Close()
	subjects, err := sqlite.OpenSubjectKeys(ctx, ts.MkAbs("subjects.db"), false)
	ts.Check(err)
	defer subjects.Close()
	ring, err := keyfile.Open(ts.MkAbs("keys"), func() time.Time { return now.Add(-time.Hour) })
	ts.Check(err)
	own, err := ring.Ensure(signature.Node, signature.OfAgency("youth-agency"))
	ts.Check(err)
	ts.Setenv("NODEKEY", base64.StdEncoding.EncodeToString(own[0].Public))
	vault, err := seal.NewVault(subjects, make([]byte, seal.KeySize))
	ts.Check(err)
	issuer := &document.Issuer{Store: query.For[document.Reader, document.Tx](db), Vault: vault, Signer: ring, Node: "node.example"}
	resident, by := ident.Random[ident.Person]().Subject(), journal.Actor{Component: "test"}
	prepared, err := issuer.Prepare(ctx, draft(resident, now), now)
	ts.Check(err)
	sealer, err := vault.Open(ctx, resident)
	ts.Check(err)
	err = issuer.Store.Update(ctx, act.Of(resident), func(tx document.Tx) error { return document.Issue(tx, sealer, by, prepared) })
	ts.Check(err)
	held, err := issuer.Open(ctx, prepared.ID(), now)
	ts.Check(err)
	file, err := issuer.File(ctx, held, now)
	ts.Check(err)
	write := func(name string, content []byte) { ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600)) }
	publish := func(name string, token []byte) {
		encoded, err := json.Marshal(map[string]any{"token": token, "keys": own})
		ts.Check(err)
		write(name, encoded)
	}
	revocations := func(name string) {
		list, err := issuer.Revocations(ctx, now, now.Add(time.Hour))
		ts.Check(err)
		token, err := list.Sign(ctx, ring)
		ts.Check(err)
		publish(name, token)
	}
	write("document.pdf", file)
	write("payload.txt", []byte(prepared.Payload()+"\n"))
	set, err := document.NewKeySet("node.example", ring.Keys(), now, now.Add(time.Hour)).Sign(ctx, ring)
	ts.Check(err)
	publish("keys.json", set)
	revocations("revocations.json")
	ts.Check(issuer.Revoke(ctx, by, prepared.ID(), document.Reason{Text: "issued in error"}))
	revocations("revoked.json")
}

// draft is an invented certificate.
func draft(resident ident.Subject, now time.Time) document.Draft {
	id := ident.New[ident.Document](now)
	return document.Draft{
		Content: document.Content{
			ID: id, Type: "certificate", Service: "youth/certificate", Agency: "youth-agency", Until: now.Add(24 * time.Hour),
			Authoritative: "en", Link: "https://node.example/verify/" + string(id),
			Texts: []document.Text{{
				Language: "en", Agency: "Example Youth Agency", Title: "Example certificate",
				Lines: []document.Line{{Label: "Name", Value: "Zulfiya Synthetic", Checked: true}},
				Headings: document.Headings{
					Number: "Number", Issued: "Issued", Until: "Valid until", Reasons: "Reasons", Check: "Scan the code to check.",
				},
			}},
		},
		Subject: resident, Application: ident.New[ident.Application](now),
		Date: func(_ string, at time.Time) string { return at.Format("2 January 2006") },
	}
}
