package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/signature"
	"yagona/web/route"
)

// published is how long a published file counts before the next one is due.
const published = 24 * time.Hour

// Keys are the published keys of the installation.
type Keys struct {
	Node   string    `json:"node"`
	Issued time.Time `json:"issued"`
	Next   time.Time `json:"next" doc:"when the next set is due"`
	Keys   []Key     `json:"keys"`
	Token  []byte    `json:"token" doc:"the same, signed with the installation's own key (CWT): keep it to verify offline"`
}

// Key is a published key.
type Key struct {
	ID      string    `json:"id"`
	Holder  string    `json:"holder" doc:"node, or agency:…"`
	Public  []byte    `json:"public" doc:"Ed25519, 32 bytes"`
	Custody string    `json:"custody" doc:"in whose hands the private half is: node or holder"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until,omitzero"`
}

// Revocations are the documents that were revoked and would still count.
type Revocations struct {
	Node    string       `json:"node"`
	Issued  time.Time    `json:"issued"`
	Next    time.Time    `json:"next"`
	Revoked []Revocation `json:"revoked"`
	Token   []byte       `json:"token" doc:"the same, signed with the installation's own key (CWT): keep it to verify offline"`
}

// Revocation is one revoked document.
type Revocation struct {
	Document  ident.Document `json:"document"`
	At        time.Time      `json:"at"`
	Suspended bool           `json:"suspended,omitempty" doc:"not for good: it documents a licence that is suspended"`
}

// Payload is the text of a document's QR code.
type Payload struct {
	Payload string `json:"payload" doc:"the text of the QR code"`
}

// Verification is what a document is worth.
type Verification struct {
	State    document.State `json:"state"`
	Finding  Finding        `json:"finding" doc:"why"`
	Warnings []Finding      `json:"warnings" doc:"what makes it less certain"`
	Key      string         `json:"key,omitempty" doc:"the id of the key that signed it"`
	Claims   *Claims        `json:"claims,omitempty" doc:"what the QR code says; only if its signature fits"`
}

// Finding is a reason with a stable code.
type Finding struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// Claims are what a QR code says.
type Claims struct {
	Document ident.Document `json:"document"`
	Agency   ident.Agency   `json:"agency"`
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Language string         `json:"language"`
	Issued   time.Time      `json:"issued"`
	From     time.Time      `json:"from,omitzero"`
	Until    time.Time      `json:"until,omitzero"`
	Facts    []Fact         `json:"facts"`
}

// Fact is one line of a document that whoever checks it must see.
type Fact struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// revoker publishes which documents were revoked.
type revoker interface {
	Revocations(ctx context.Context, now, next time.Time) (document.RevocationList, error)
}

func verificationOperations(issuer *document.Issuer, ring signature.Ring, clock act.Clock, say route.Say) []operation {
	now := func() time.Time { return clock().UTC().Truncate(time.Second) }
	keys := func() document.KeySet {
		at := now()
		return document.NewKeySet(issuer.Node, ring.Keys(), at, at.Add(published))
	}
	return []operation{
		{
			id: "listKeys", tag: "verification", summary: "Lists the published keys of the installation.",
			method: "GET", path: "/keys", access: route.Public(), response: Keys{},
			handle: func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
				set := keys()
				token, err := set.Sign(r.Context(), ring)
				if err != nil {
					return err
				}
				shown := Keys{Node: set.Node, Issued: set.Issued, Next: set.Next, Keys: []Key{}, Token: token}
				for _, one := range set.Keys {
					shown.Keys = append(shown.Keys, Key{one.ID, string(one.Holder), one.Public, string(one.Custody), one.From.UTC(), one.Until.UTC()})
				}
				return route.WriteJSON(w, http.StatusOK, shown)
			},
		},
		{
			id: "listRevocations", tag: "verification", summary: "Lists the documents that were revoked, or whose licence is suspended, and would still count.",
			method: "GET", path: "/revocations", access: route.Public(), response: Revocations{},
			handle: listRevocations(issuer, ring, now),
		},
		{
			id: "verify", tag: "verification", summary: "Says what a document is worth: a PDF file, or the text of its QR code. Nothing of it is kept.",
			method: "POST", path: "/verify", access: route.Public(), body: fileBody, request: Payload{}, accepts: "application/pdf",
			response: Verification{},
			handle:   verify(issuer, keys, now, say),
		},
	}
}

func listRevocations(issuer revoker, ring signature.Ring, now func() time.Time) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, _ route.Visitor) error {
		at := now()
		list, err := issuer.Revocations(r.Context(), at, at.Add(published))
		if err != nil {
			return err
		}
		token, err := list.Sign(r.Context(), ring)
		if err != nil {
			return err
		}
		shown := Revocations{Node: list.Node, Issued: list.Issued, Next: list.Next, Revoked: []Revocation{}, Token: token}
		for _, one := range list.Revoked {
			shown.Revoked = append(shown.Revoked, Revocation{one.ID, one.At, one.Suspended})
		}
		return route.WriteJSON(w, http.StatusOK, shown)
	}
}

func verify(issuer revoker, keys func() document.KeySet, now func() time.Time, say route.Say) route.Handler {
	return func(w http.ResponseWriter, r *http.Request, v route.Visitor) error {
		content, err := documentIn(r)
		if err != nil {
			return err
		}
		at := now()
		list, err := issuer.Revocations(r.Context(), at, at.Add(published))
		if err != nil {
			return err
		}
		found := document.Verify(content, keys(), list, at)
		said := func(one document.Finding) Finding {
			_, reason := say(v.Language, one.Fault())
			return Finding{one.Code, reason}
		}
		shown := Verification{State: found.State, Finding: said(found.Finding), Warnings: []Finding{}, Key: found.KeyID}
		for _, one := range found.Warnings {
			shown.Warnings = append(shown.Warnings, said(one))
		}
		if c := found.Claims; c != nil {
			shown.Claims = &Claims{c.ID, c.Agency, c.Type, c.Title, c.Language, c.Issued, c.From, c.Until, []Fact{}}
			for _, one := range c.Facts {
				shown.Claims.Facts = append(shown.Claims.Facts, Fact{one.Label, one.Value})
			}
		}
		return route.WriteJSON(w, http.StatusOK, shown)
	}
}

// documentIn returns the PDF or the payload that the request carries.
func documentIn(r *http.Request) ([]byte, error) {
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/pdf":
		return io.ReadAll(r.Body)
	case "application/json":
		var sent Payload
		err := route.ReadJSON(r, &sent)
		return []byte(sent.Payload), err
	}
	return nil, fault.New(fault.Invalid, "http.unsupported-media", "Send a PDF file as application/pdf, or JSON with the payload.")
}
