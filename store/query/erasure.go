package query

import (
	"encoding/json"
	"slices"

	"yagona/kernel/act"
	"yagona/kernel/erasure"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

func scanErasure(scan func(into ...any) error) (e erasure.Erasure, err error) {
	var row []byte
	if err := scan(&row); err != nil {
		return e, err
	}
	return e, json.Unmarshal(row, &e)
}

// Erasure implements erasure.Reader.
func (t *Tx) Erasure(id string) (erasure.Erasure, error) {
	found, err := list(t, `SELECT row FROM erasure WHERE id = $1`, args(id), scanErasure)
	if err == nil && len(found) == 0 {
		err = notFound("erasure.unknown", "erasure")
	}
	if err != nil {
		return erasure.Erasure{}, err
	}
	return found[0], nil
}

// Erasures implements erasure.Reader.
func (t *Tx) Erasures(agency ident.Agency, limit int) ([]erasure.Erasure, error) {
	if agency == "" {
		return list(t, `SELECT row FROM erasure ORDER BY id DESC LIMIT $1`, args(limit), scanErasure)
	}
	return list(t, `SELECT row FROM erasure WHERE agency = $1 ORDER BY id DESC LIMIT $2`, args(agency, limit), scanErasure)
}

// SaveErasure implements erasure.Tx.
func (t *Tx) SaveErasure(e erasure.Erasure) error {
	row, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO erasure (key, id, agency, row) VALUES ($1, $2, $3, $4) ON CONFLICT (key, id) DO UPDATE SET row = excluded.row`,
		t.key, e.ID, e.Agency, string(row))
}

// ErasedByLaw reports whether an erasure of the subject was confirmed; for the auditor.
func (t *Tx) ErasedByLaw(subject ident.Subject) (bool, error) {
	all, err := list(t, `SELECT row FROM erasure WHERE key = $1`, args(act.Of(subject)), scanErasure)
	return slices.ContainsFunc(all, func(e erasure.Erasure) bool { return e.Subject == subject && !e.Confirmed.IsZero() }), err
}

// ErasureRows calls visit for every erasure; for the auditor. One that cannot be read, or whose columns are not those of
// its row, comes with an empty digest.
func (t *Tx) ErasureRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, id, agency, row FROM erasure ORDER BY key, id`, nil, func(scan func(into ...any) error) error {
		var columns erasure.Erasure
		var row []byte
		if err := scan(&columns.Subject, &columns.ID, &columns.Agency, &row); err != nil {
			return err
		}
		var e erasure.Erasure
		err := json.Unmarshal(row, &e)
		cover := e.Cover()
		if err != nil || e.Subject != columns.Subject || e.ID != columns.ID || e.Agency != columns.Agency {
			cover = journal.Cover{Row: "erasure/" + columns.ID}
		}
		return visit(rowOf(cover, string(columns.Subject), e.Event))
	})
}
