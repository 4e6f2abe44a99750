package query

import (
	"yagona/kernel/casework"
	"yagona/kernel/ident"
)

const uploadColumns = `key, id, task, person, size, digest, received, expires, sealed`

func scanUpload(scan func(into ...any) error) (u casework.Upload, err error) {
	err = scan(&u.Applicant, &u.ID, &u.Task, &u.By, &u.Size, &u.Digest, &u.Received, instant{&u.Expires}, &u.Sealed)
	return u, err
}

// Uploads implements casework.UploadReader.
func (t *Tx) Uploads(applicant ident.Subject, task ident.Task) ([]casework.Upload, error) {
	return list(t, `SELECT `+uploadColumns+` FROM upload WHERE key = $1 AND task = $2 ORDER BY id`, args(applicant, task), scanUpload)
}

// Upload implements casework.UploadReader.
func (t *Tx) Upload(applicant ident.Subject, id string) (casework.Upload, error) {
	found, err := list(t, `SELECT `+uploadColumns+` FROM upload WHERE key = $1 AND id = $2`, args(applicant, id), scanUpload)
	switch {
	case err != nil:
		return casework.Upload{}, err
	case len(found) == 0:
		return casework.Upload{}, notFound("upload.unknown", "upload")
	}
	return found[0], nil
}

// Pieces implements casework.UploadReader.
func (t *Tx) Pieces(applicant ident.Subject, upload string) ([]casework.Piece, error) {
	return list(t, `SELECT start, sealed FROM upload_piece WHERE key = $1 AND upload = $2 ORDER BY start`, args(applicant, upload),
		func(scan func(into ...any) error) (p casework.Piece, err error) {
			err = scan(&p.Start, &p.Sealed)
			return p, err
		})
}

// SaveUpload implements casework.UploadTx.
func (t *Tx) SaveUpload(u casework.Upload) error {
	return t.send(`INSERT INTO upload (`+uploadColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (key, id) DO UPDATE SET received = excluded.received, sealed = excluded.sealed`,
		t.key, u.ID, u.Task, u.By, u.Size, u.Digest, u.Received, micros(u.Expires), u.Sealed)
}

// AddPiece implements casework.UploadTx.
func (t *Tx) AddPiece(upload string, piece casework.Piece) error {
	return t.send(`INSERT INTO upload_piece (key, upload, start, sealed) VALUES ($1, $2, $3, $4)`, t.key, upload, piece.Start, piece.Sealed)
}

// RemoveUpload implements casework.UploadTx.
func (t *Tx) RemoveUpload(id string) error {
	if err := t.RemovePieces(id); err != nil {
		return err
	}
	return t.send(`DELETE FROM upload WHERE key = $1 AND id = $2`, t.key, id)
}

// RemovePieces implements casework.UploadTx.
func (t *Tx) RemovePieces(upload string) error {
	return t.send(`DELETE FROM upload_piece WHERE key = $1 AND upload = $2`, t.key, upload)
}
