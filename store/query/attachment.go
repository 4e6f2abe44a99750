package query

import (
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

const attachmentColumns = `key, id, application, kind, sealed, event`

func scanAttachment(scan func(into ...any) error) (a casework.Attachment, err error) {
	err = scan(&a.Applicant, &a.ID, &a.Application, &a.Kind, &a.Sealed, &a.Event)
	return a, err
}

// Attachment implements casework.Reader.
func (t *Tx) Attachment(applicant ident.Subject, id string) (casework.Attachment, error) {
	found, err := list(t, `SELECT `+attachmentColumns+` FROM attachment WHERE key = $1 AND id = $2`, args(applicant, id), scanAttachment)
	if err == nil && len(found) == 0 {
		err = notFound("attachment.unknown", "attachment")
	}
	if err != nil {
		return casework.Attachment{}, err
	}
	return found[0], nil
}

// AddAttachment implements casework.Tx.
func (t *Tx) AddAttachment(a casework.Attachment) error {
	return t.send(`INSERT INTO attachment (`+attachmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.key, a.ID, a.Application, a.Kind, a.Sealed, a.Event)
}

// AttachmentRows calls visit for every attachment; for the auditor.
func (t *Tx) AttachmentRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+attachmentColumns+` FROM attachment`, nil, func(scan func(into ...any) error) error {
		a, err := scanAttachment(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(a.Cover(), string(a.Applicant), a.Event))
	})
}
