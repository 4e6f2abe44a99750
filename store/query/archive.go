package query

import (
	"bytes"
	"encoding/json"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/archive"
	"yagona/kernel/casework"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

var (
	_ archive.Reader = (*Tx)(nil)
	_ archive.Tx     = (*Tx)(nil)
)

// Volumes implements archive.Reader.
func (t *Tx) Volumes() ([]archive.Volume, error) {
	return list(t, `SELECT row, event FROM archive_volume WHERE key = $1 ORDER BY id`, args(act.Platform), scanVolume)
}

// ArchivedAt implements casework.Reader.
func (t *Tx) ArchivedAt(volume string) (time.Time, error) {
	found, err := list(t, `SELECT row, event FROM archive_volume WHERE key = $1 AND id = $2`, args(act.Platform, volume), scanVolume)
	if err != nil || len(found) == 0 {
		return time.Time{}, err
	}
	return found[0].Made, nil
}

func scanVolume(scan func(into ...any) error) (v archive.Volume, err error) {
	var row []byte
	var event ident.Event
	if err := scan(&row, &event); err != nil {
		return v, err
	}
	err = json.Unmarshal(row, &v)
	v.Event = event
	return v, err
}

// VolumeRows calls visit for every volume; for the auditor. One whose id is not that of its row, or whose row is not as it is
// written, comes with an empty digest.
func (t *Tx) VolumeRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, id, row, event FROM archive_volume ORDER BY key, id`, nil, func(scan func(into ...any) error) error {
		var key, id string
		var row []byte
		var event ident.Event
		if err := scan(&key, &id, &row, &event); err != nil {
			return err
		}
		var v archive.Volume
		cover := journal.Cover{Row: "archive-volume/" + id}
		if err := json.Unmarshal(row, &v); err == nil && v.ID == id && bytes.Equal(row, journal.Content(v)) {
			cover = v.Cover()
		}
		return visit(rowOf(cover, key, event))
	})
}

// SaveVolume implements archive.Tx.
func (t *Tx) SaveVolume(v archive.Volume) error {
	return t.send(`INSERT INTO archive_volume (key, id, row, event) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key, id) DO UPDATE SET row = excluded.row, event = excluded.event`, t.key, v.ID, string(journal.Content(v)), v.Event)
}

// ClosedApplications implements archive.Reader. The condition is that of the index application_closed.
func (t *Tx) ClosedApplications(after, before ident.Event, limit int) ([]casework.Application, error) {
	return list(t, `SELECT `+applicationColumns+` FROM application
		WHERE archived = '' AND state IN ('ended', 'expired', 'granted', 'received', 'refused', 'withdrawn') AND event > $1 AND event < $2
		ORDER BY event LIMIT $3`, args(after, before, limit), scanApplication)
}

// AttachmentsOf implements archive.Reader.
func (t *Tx) AttachmentsOf(applicant ident.Subject, application ident.Application) ([]casework.Attachment, error) {
	return list(t, `SELECT `+attachmentColumns+` FROM attachment WHERE key = $1 AND application = $2 ORDER BY id`,
		args(applicant, application), scanAttachment)
}

// ExchangesFor implements archive.Reader.
func (t *Tx) ExchangesFor(of ident.Subject, application ident.Application) ([]exchange.StoredExchange, error) {
	return list(t, `SELECT `+exchangeColumns+` FROM exchange WHERE key = $1 AND application = $2 ORDER BY id`,
		args(of, application), scanExchange)
}

// ForgetEvents implements archive.Tx.
func (t *Tx) ForgetEvents(from, until int64, events []archive.Place) error {
	const this = `SELECT id FROM event WHERE key = $1 AND id = $2 AND log_index >= $3 AND log_index < $4`
	for _, one := range events {
		for _, text := range []string{
			`DELETE FROM event_part WHERE key = $1 AND event IN (` + this + `)`,
			`DELETE FROM event_population WHERE key = $1 AND id IN (` + this + `)`,
			`DELETE FROM event WHERE key = $1 AND id = $2 AND log_index >= $3 AND log_index < $4`,
		} {
			if err := t.send(text, t.key, one.Event, from, until); err != nil {
				return err
			}
		}
	}
	return nil
}

// ForgetContent implements archive.Tx.
func (t *Tx) ForgetContent(application ident.Application, volume string) error {
	return t.sendOne(notFound("application.unknown", "application"),
		`UPDATE application SET sealed = $3, archived = $4 WHERE key = $1 AND id = $2 AND archived = ''`, t.key, application, []byte{}, volume)
}

// ForgetAttachments implements archive.Tx.
func (t *Tx) ForgetAttachments(application ident.Application) error {
	return t.send(`DELETE FROM attachment WHERE key = $1 AND application = $2`, t.key, application)
}

// ForgetExchange implements archive.Tx.
func (t *Tx) ForgetExchange(id ident.Exchange) error {
	return t.send(`DELETE FROM exchange WHERE key = $1 AND id = $2`, t.key, id)
}
