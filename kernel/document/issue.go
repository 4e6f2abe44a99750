package document

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/seal"
)

// Stored is a document as the store keeps it; it lives under its subject's key and never changes.
type Stored struct {
	ID          ident.Document
	Subject     ident.Subject // whose document it is
	Type        string
	Service     ident.Service
	Agency      ident.Agency
	Application ident.Application // which request it answers; empty: none
	Issued      time.Time
	From        time.Time // zero: from issue
	Until       time.Time // zero: forever
	Content     []byte    // the content's JSON, sealed with the context "document:<id>"
	Payload     []byte    // the text of the QR code, sealed with the context "document-payload:<id>"
	Event       ident.Event
}

// StoredRevocation is the end of a document as the store keeps it; it lives under the document's subject's key.
type StoredRevocation struct {
	Document ident.Document
	Subject  ident.Subject
	At       time.Time
	Until    time.Time // the document's: once it has expired, no list needs the revocation. Zero: forever
	Reason   []byte    // the reason as JSON, sealed with the context "document-revocation:<id>"
	Event    ident.Event
	// Suspended follows from the open list, for which another event vouches: the document's licence is suspended, and not
	// revoked for good.
	Suspended bool
}

// Cover returns what an event says of the stored document.
func (s Stored) Cover() journal.Cover {
	return journal.Cover{Row: "document/" + string(s.ID), Digest: journal.Digest([]any{
		s.ID, s.Subject, s.Type, s.Service, s.Agency, s.Application, s.Issued, s.From, s.Until, s.Content, s.Payload,
	})}
}

// Cover returns what an event says of the stored revocation.
func (s StoredRevocation) Cover() journal.Cover {
	return journal.Cover{Row: "document-revocation/" + string(s.Document), Digest: journal.Digest([]any{
		s.Document, s.Subject, s.At, s.Until, s.Reason,
	})}
}

// Reader is what documents need for reading.
type Reader interface {
	// Document returns a document, or ErrUnknown.
	Document(id ident.Document) (Stored, error)
	// DocumentsOf returns the subject's documents, newest first.
	DocumentsOf(subject ident.Subject) ([]Stored, error)
	// DocumentsAfter returns documents of all subjects whose id is greater, in order of ids, at most limit.
	DocumentsAfter(after ident.Document, limit int) ([]Stored, error)
	// DocumentRevocation returns the document's revocation, or fault.NotFound.
	DocumentRevocation(id ident.Document) (StoredRevocation, error)
	// DocumentRevocationsAfter returns revocations of documents whose id is greater, in order of ids, at most limit.
	DocumentRevocationsAfter(after ident.Document, limit int) ([]StoredRevocation, error)
	// KeptRevocations returns all kept revocations, in order of documents.
	KeptRevocations() ([]KeptRevocation, error)
}

// Tx is what documents need of an act.
type Tx interface {
	journal.Tx
	Reader
	// SaveDocument stores a new document under the act's key.
	SaveDocument(stored Stored) error
	// SaveDocumentRevocation stores the revocation of a document under the act's key.
	SaveDocumentRevocation(stored StoredRevocation) error
	// SaveKeptRevocation stores a new one under the platform's key.
	SaveKeptRevocation(kept KeptRevocation) error
}

// The faults of documents.
var (
	ErrUnknown = fault.New(fault.NotFound, "document.unknown",
		"No document with this number was issued here. Check the number.")
	ErrIssued = fault.New(fault.Conflict, "document.already-issued",
		"A document with this number was already issued. Look it up.")
	ErrRevoked = fault.New(fault.Conflict, "document.already-revoked", "This document was already revoked.")
)

// Issuer issues documents, keeps and revokes them. It is safe for concurrent use.
type Issuer struct {
	Store  act.Store[Reader, Tx]
	Vault  *seal.Vault
	Signer Signer
	Node   string // the installation's host name

	packing packer
}

// Draft is a document before it is issued. The issuer fills in what the content still lacks: node, time of issue, and
// the dates as they are printed.
type Draft struct {
	Content     Content
	Subject     ident.Subject
	Application ident.Application // empty: it answers none
	// Date writes a time as a date in the language.
	Date func(language string, at time.Time) string
}

// Prepared is a signed document that waits for its act.
type Prepared struct {
	stored  Stored
	payload string
}

// ID returns the id of the document.
func (p Prepared) ID() ident.Document { return p.stored.ID }

// Payload returns the text of the QR code.
func (p Prepared) Payload() string { return p.payload }

// Prepare checks, signs and seals a document. It is done before the act, so that the act only stores. A document whose
// act is never committed is signed, but nobody has seen it.
func (i *Issuer) Prepare(ctx context.Context, draft Draft, now time.Time) (Prepared, error) {
	content := draft.Content
	content.Node, content.Issued = i.Node, now.UTC().Truncate(time.Second)
	content = content.compose()
	for n := range content.Texts {
		text := &content.Texts[n]
		text.Issued, text.Until = draft.Date(text.Language, content.Issued), ""
		if !content.Until.IsZero() {
			text.Until = draft.Date(text.Language, content.Until.Add(-time.Second))
		}
	}
	encoded, err := content.encode()
	if err != nil {
		return Prepared{}, err
	}
	payload, err := signPayload(ctx, i.Signer, &i.packing, content, encoded)
	if err != nil {
		return Prepared{}, err
	}
	if len(payload) > mostPayload { // the code itself is drawn when somebody fetches the file
		return Prepared{}, errNoCode
	}
	sealer, err := i.Vault.Open(ctx, draft.Subject)
	if err != nil {
		return Prepared{}, err
	}
	stored := Stored{
		ID: content.ID, Subject: draft.Subject, Type: content.Type, Service: content.Service, Agency: content.Agency,
		Application: draft.Application, Issued: content.Issued, From: content.From, Until: content.Until,
	}
	if stored.Content, err = sealer.Seal(draft.Subject, contentContext(content.ID), encoded); err != nil {
		return Prepared{}, err
	}
	if stored.Payload, err = sealer.Seal(draft.Subject, payloadContext(content.ID), []byte(payload)); err != nil {
		return Prepared{}, err
	}
	return Prepared{stored: stored, payload: payload}, nil
}

func contentContext(id ident.Document) string    { return "document:" + string(id) }
func payloadContext(id ident.Document) string    { return "document-payload:" + string(id) }
func revocationContext(id ident.Document) string { return "document-revocation:" + string(id) }

// Issue stores a prepared document in an act under its subject's key, with its event. The sealer is open for the
// subject. An id that is taken gives ErrIssued.
func Issue(tx Tx, sealer *seal.Sealer, by journal.Actor, prepared Prepared) error {
	stored := prepared.stored
	if tx.Key() != act.Of(stored.Subject) {
		return fault.New(fault.Internal, "document.key", "A document is issued under its subject's key.")
	}
	if _, err := tx.Document(stored.ID); err == nil {
		return ErrIssued
	} else if !fault.Is(err, fault.NotFound) {
		return err
	}
	stored.Event = journal.NewID(tx)
	if err := tx.SaveDocument(stored); err != nil {
		return err
	}
	return journal.AppendAs(tx, sealer, stored.Event, journal.Event{
		Type: "document.issued", Actor: by, Object: "document:" + string(stored.ID),
		Facts: map[string]string{
			"type": stored.Type, "service": string(stored.Service), "agency": string(stored.Agency),
			"application": string(stored.Application),
		},
		Covers: []journal.Cover{stored.Cover()},
		Parts:  []journal.Part{{Subject: stored.Subject}},
	})
}

// Reason is why a document is revoked.
type Reason struct {
	Text  string `json:"text"`            // in the words of whoever revokes; may be personal
	Basis string `json:"basis,omitempty"` // the act of law
}

// The most characters of a reason and of its basis.
const (
	maxReason = 4000
	maxBasis  = 500
)

// Revoke ends a document for good, in an act of its own. The actor acts for the agency that issued it, or is the
// platform itself. Whether their role allows it is the caller's to check.
func (i *Issuer) Revoke(ctx context.Context, by journal.Actor, id ident.Document, reason Reason) error {
	stored, err := i.stored(ctx, id)
	if err != nil {
		return err
	}
	sealer, err := i.Vault.Open(ctx, stored.Subject)
	if err != nil {
		return err
	}
	return i.Store.Update(ctx, act.Of(stored.Subject), func(tx Tx) error { return Revoke(tx, sealer, by, id, reason) })
}

// Revoke is Issuer.Revoke within an act under the key of the document's subject. The sealer is open for the subject.
func Revoke(tx Tx, sealer *seal.Sealer, by journal.Actor, id ident.Document, reason Reason) error {
	reason.Text = strings.TrimSpace(reason.Text)
	if letters := utf8.RuneCountInString(reason.Text); letters == 0 || letters > maxReason {
		return fault.Newf(fault.Invalid, "document.reason",
			"Write why the document is revoked, in at most %d characters.", maxReason).At("reason")
	}
	reason.Basis = strings.TrimSpace(reason.Basis)
	if utf8.RuneCountInString(reason.Basis) > maxBasis {
		return fault.Newf(fault.Invalid, "document.basis", "Name the act of law in at most %d characters.", maxBasis).At("basis")
	}
	document, err := tx.Document(id)
	switch {
	case err != nil:
		return err
	case tx.Key() != act.Of(document.Subject):
		return fault.New(fault.Internal, "document.key", "A document is revoked under its subject's key.")
	case by.Person != "" && by.Agency != document.Agency:
		return fault.New(fault.Forbidden, "document.other-agency", "Only the agency that issued a document revokes it. Ask that agency.")
	}
	if _, err := tx.DocumentRevocation(id); err == nil {
		return ErrRevoked
	} else if !fault.Is(err, fault.NotFound) {
		return err
	}
	plain, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	stored := StoredRevocation{
		Document: id, Subject: document.Subject, At: tx.Now(), Until: document.Until, Event: journal.NewID(tx),
	}
	if stored.Reason, err = sealer.Seal(document.Subject, revocationContext(id), plain); err != nil {
		return err
	}
	if err := tx.SaveDocumentRevocation(stored); err != nil {
		return err
	}
	return journal.AppendAs(tx, sealer, stored.Event, journal.Event{
		Type: "document.revoked", Actor: by, Object: "document:" + string(id),
		Facts:  map[string]string{"type": document.Type, "service": string(document.Service), "agency": string(document.Agency)},
		Covers: []journal.Cover{stored.Cover()},
		Parts:  []journal.Part{{Subject: document.Subject, Personal: reason}},
	})
}

func (i *Issuer) stored(ctx context.Context, id ident.Document) (stored Stored, err error) {
	err = i.Store.View(ctx, func(tx Reader) error {
		stored, err = tx.Document(id)
		return err
	})
	return stored, err
}

// Standing is what anyone may know of a document by its id alone: whether it counts, and nothing of whom or what it is
// about.
type Standing struct {
	State   State
	Revoked time.Time // when it was revoked or, as a licence, suspended; zero: it was not
}

// Standing returns the standing of a document, or ErrUnknown.
func (i *Issuer) Standing(ctx context.Context, id ident.Document, now time.Time) (standing Standing, err error) {
	err = i.Store.View(ctx, func(tx Reader) error {
		stored, err := tx.Document(id)
		if err != nil {
			return err
		}
		standing, err = standingOf(tx, stored, now)
		return err
	})
	return standing, err
}

func standingOf(tx Reader, stored Stored, now time.Time) (Standing, error) {
	revocation, err := tx.DocumentRevocation(stored.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Standing{}, err
	}
	return Standing{
		State:   stateAt(stored.From, stored.Until, err == nil, revocation.Suspended, now),
		Revoked: revocation.At,
	}, nil
}

// Held is a document as its subject sees it.
type Held struct {
	Stored Stored
	Standing
	Content Content
	Payload string  // the text of the QR code
	Reason  *Reason // why it was revoked; nil: it was not
	encoded []byte
}

// Open returns a document with its content. Who calls it answers for the purpose and for the journal. Erased content
// gives fault.Erased.
func (i *Issuer) Open(ctx context.Context, id ident.Document, now time.Time) (Held, error) {
	var held Held
	var revocation StoredRevocation
	err := i.Store.View(ctx, func(tx Reader) (err error) {
		if held.Stored, err = tx.Document(id); err != nil {
			return err
		}
		if held.Standing, err = standingOf(tx, held.Stored, now); err != nil || held.Revoked.IsZero() {
			return err
		}
		revocation, err = tx.DocumentRevocation(id)
		return err
	})
	if err != nil {
		return Held{}, err
	}
	sealer, err := i.Vault.Open(ctx, held.Stored.Subject)
	if err != nil {
		return Held{}, err
	}
	if held.encoded, err = sealer.Unseal(held.Stored.Subject, contentContext(id), held.Stored.Content); err != nil {
		return Held{}, err
	}
	payload, err := sealer.Unseal(held.Stored.Subject, payloadContext(id), held.Stored.Payload)
	if err != nil {
		return Held{}, err
	}
	held.Payload = string(payload)
	if held.Content, err = decodeContent(held.encoded); err != nil {
		return Held{}, err
	}
	if !held.Revoked.IsZero() {
		plain, err := sealer.Unseal(held.Stored.Subject, revocationContext(id), revocation.Reason)
		if err != nil {
			return Held{}, err
		}
		held.Reason = new(Reason)
		if err := json.Unmarshal(plain, held.Reason); err != nil {
			return Held{}, err
		}
	}
	return held, nil
}

// File draws and seals the PDF of an opened document. It takes some 20 ms.
func (i *Issuer) File(ctx context.Context, held Held, now time.Time) ([]byte, error) {
	return sealFile(ctx, i.Signer, held.encoded, held.Payload, now)
}

const pageSize = 1000 // rows read at once

// Revocations returns what the installation publishes: every document that was revoked, or suspended, and would still count. It is
// good until the next one is due.
func (i *Issuer) Revocations(ctx context.Context, now, next time.Time) (RevocationList, error) {
	list := RevocationList{Node: i.Node, Issued: now, Next: next}
	err := i.Store.View(ctx, func(tx Reader) error {
		err := inPages(tx.DocumentRevocationsAfter, func(stored StoredRevocation) (ident.Document, error) {
			if stored.Until.IsZero() || stored.Until.After(now) {
				list.Revoked = append(list.Revoked, Revocation{stored.Document, stored.At, stored.Suspended})
			}
			return stored.Document, nil
		})
		if err != nil {
			return err
		}
		list.Revoked, err = withKept(tx, list.Revoked)
		return err
	})
	return list, err
}

// Rows hands the auditor every row that the journal's events cover, recomputed from what is stored.
func Rows(tx Reader, visit func(journal.Row) error) error {
	row := func(cover journal.Cover, subject ident.Subject, event ident.Event) error {
		return visit(journal.Row{Name: cover.Row, Key: act.Of(subject), Event: event, Digest: cover.Digest})
	}
	err := inPages(tx.DocumentsAfter, func(stored Stored) (ident.Document, error) {
		return stored.ID, row(stored.Cover(), stored.Subject, stored.Event)
	})
	if err != nil {
		return err
	}
	kept, err := tx.KeptRevocations()
	if err != nil {
		return err
	}
	for _, one := range kept {
		if err := visit(journal.Row{Name: one.Cover().Row, Key: act.Platform, Event: one.Event, Digest: one.Cover().Digest}); err != nil {
			return err
		}
	}
	return inPages(tx.DocumentRevocationsAfter, func(stored StoredRevocation) (ident.Document, error) {
		return stored.Document, row(stored.Cover(), stored.Subject, stored.Event)
	})
}

// inPages visits all rows; visit returns the row's id, from which the next page goes on.
func inPages[T any](read func(after ident.Document, limit int) ([]T, error), visit func(T) (ident.Document, error)) error {
	after := ident.Document("")
	for {
		page, err := read(after, pageSize)
		if err != nil {
			return err
		}
		for _, row := range page {
			if after, err = visit(row); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			return nil
		}
	}
}
