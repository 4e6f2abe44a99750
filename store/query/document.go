package query

import (
	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/ident"
)

const documentColumns = `key, id, type, service, agency, application, issued, from_time, until_time, content, payload, event`

func scanDocument(scan func(into ...any) error) (d document.Stored, err error) {
	err = scan(&d.Subject, &d.ID, &d.Type, &d.Service, &d.Agency, &d.Application,
		instant{&d.Issued}, instant{&d.From}, instant{&d.Until}, &d.Content, &d.Payload, &d.Event)
	return d, err
}

// Document implements document.Reader.
func (t *Tx) Document(id ident.Document) (document.Stored, error) {
	return scanDocument(func(into ...any) error {
		return t.row(document.ErrUnknown, `SELECT `+documentColumns+` FROM document WHERE id = $1`, args(id), into...)
	})
}

// DocumentsOf implements document.Reader.
func (t *Tx) DocumentsOf(subject ident.Subject) ([]document.Stored, error) {
	return list(t, `SELECT `+documentColumns+` FROM document WHERE key = $1 ORDER BY id DESC`,
		args(subject), scanDocument)
}

// DocumentsAfter implements document.Reader.
func (t *Tx) DocumentsAfter(after ident.Document, limit int) ([]document.Stored, error) {
	return list(t, `SELECT `+documentColumns+` FROM document WHERE id > $1 ORDER BY id LIMIT $2`,
		args(after, limit), scanDocument)
}

// SaveDocument implements document.Tx.
func (t *Tx) SaveDocument(d document.Stored) error {
	return t.send(`INSERT INTO document (`+documentColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		d.Subject, d.ID, d.Type, d.Service, d.Agency, d.Application,
		micros(d.Issued), micros(d.From), micros(d.Until), d.Content, d.Payload, d.Event)
}

const documentRevocationColumns = `key, document, at, until_time, reason, event`

// documentSuspended asks of a revocation whether the open list says of the document that its licence is suspended. The
// list names one document of a licence, at the beginning of what it publishes: what is found is of that document.
const documentSuspended = `EXISTS (SELECT 1 FROM entitlement e WHERE e.key = document_revocation.key AND e.state = 'suspended'
	AND e.published LIKE '{"document":"' || document_revocation.document || '"%')`

func scanDocumentRevocation(scan func(into ...any) error) (r document.StoredRevocation, err error) {
	err = scan(&r.Subject, &r.Document, instant{&r.At}, instant{&r.Until}, &r.Reason, &r.Event, &r.Suspended)
	return r, err
}

// DocumentRevocation implements document.Reader.
func (t *Tx) DocumentRevocation(id ident.Document) (document.StoredRevocation, error) {
	return scanDocumentRevocation(func(into ...any) error {
		return t.row(notFound("document.not-revoked", "revocation"),
			`SELECT `+documentRevocationColumns+`, `+documentSuspended+` FROM document_revocation WHERE document = $1`, args(id), into...)
	})
}

// DocumentRevocationsAfter implements document.Reader.
func (t *Tx) DocumentRevocationsAfter(after ident.Document, limit int) ([]document.StoredRevocation, error) {
	return list(t, `SELECT `+documentRevocationColumns+`, `+documentSuspended+` FROM document_revocation
		WHERE document > $1 ORDER BY document LIMIT $2`, args(after, limit), scanDocumentRevocation)
}

// SaveDocumentRevocation implements document.Tx.
func (t *Tx) SaveDocumentRevocation(r document.StoredRevocation) error {
	return t.send(`INSERT INTO document_revocation (`+documentRevocationColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Subject, r.Document, micros(r.At), micros(r.Until), r.Reason, r.Event)
}

// KeptRevocations implements document.Reader.
func (t *Tx) KeptRevocations() ([]document.KeptRevocation, error) {
	return list(t, `SELECT document, at, suspended, event FROM kept_revocation WHERE key = $1 ORDER BY document`, args(act.Platform),
		func(scan func(into ...any) error) (k document.KeptRevocation, err error) {
			err = scan(&k.ID, instant{&k.At}, boolean{&k.Suspended}, &k.Event)
			return k, err
		})
}

// SaveKeptRevocation implements document.Tx.
func (t *Tx) SaveKeptRevocation(k document.KeptRevocation) error {
	return t.send(`INSERT INTO kept_revocation (key, document, at, suspended, event) VALUES ($1, $2, $3, $4, $5)`,
		act.Platform, k.ID, micros(k.At), flag(k.Suspended), k.Event)
}
