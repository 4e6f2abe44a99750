package query

import (
	"yagona/kernel/correction"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

const correctionColumns = `key, id, register, agency, state, late, revision, created, due, resolved, sealed, event`

func scanCorrection(scan func(into ...any) error) (c correction.Correction, err error) {
	var late int
	err = scan(&c.Subject, &c.ID, &c.Register, &c.Agency, &c.State, &late, &c.Revision, instant{&c.Created}, instant{&c.Due}, instant{&c.Resolved}, &c.Sealed, &c.Event)
	c.Late = late != 0
	return c, err
}

// Correction implements correction.Reader.
func (t *Tx) Correction(id ident.Correction) (correction.Correction, error) {
	found, err := list(t, `SELECT `+correctionColumns+` FROM correction WHERE id = $1`, args(id), scanCorrection)
	switch {
	case err != nil:
		return correction.Correction{}, err
	case len(found) == 0:
		return correction.Correction{}, correction.ErrUnknown
	}
	return found[0], nil
}

// CorrectionsOf implements correction.Reader.
func (t *Tx) CorrectionsOf(subject ident.Subject, before ident.Correction, limit int) ([]correction.Correction, error) {
	if before == "" {
		before = "~" // after every identifier
	}
	return list(t, `SELECT `+correctionColumns+` FROM correction WHERE key = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
		args(subject, before, limit), scanCorrection)
}

// OpenCorrectionsOf implements correction.Reader.
func (t *Tx) OpenCorrectionsOf(subject ident.Subject) ([]correction.Correction, error) {
	return list(t, `SELECT `+correctionColumns+` FROM correction WHERE key = $1 AND state = $2 ORDER BY id`, args(subject, correction.Open), scanCorrection)
}

// OpenCorrections implements correction.Reader.
func (t *Tx) OpenCorrections(agency ident.Agency, from correction.Cursor, limit int) ([]correction.Correction, error) {
	return list(t, `SELECT `+correctionColumns+` FROM correction WHERE agency = $1 AND state = $2 AND due >= $3 AND (due > $3 OR id > $4)
		ORDER BY due, id LIMIT $5`, args(agency, correction.Open, from.Due.UnixMicro(), from.Correction, limit), scanCorrection)
}

// SaveCorrection implements correction.Tx.
func (t *Tx) SaveCorrection(c correction.Correction) error {
	late := 0
	if c.Late {
		late = 1
	}
	return t.send(`INSERT INTO correction (`+correctionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (key, id) DO UPDATE SET state = excluded.state, late = excluded.late, revision = excluded.revision,
			resolved = excluded.resolved, sealed = excluded.sealed, event = excluded.event`,
		t.key, c.ID, c.Register, c.Agency, c.State, late, c.Revision, micros(c.Created), micros(c.Due), micros(c.Resolved), c.Sealed, c.Event)
}

// CorrectionRows calls visit for every correction; for the auditor.
func (t *Tx) CorrectionRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+correctionColumns+` FROM correction`, nil, func(scan func(into ...any) error) error {
		c, err := scanCorrection(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(c.Cover(), string(c.Subject), c.Event))
	})
}
