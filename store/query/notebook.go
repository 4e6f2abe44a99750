package query

import (
	"yagona/kernel/ident"
	"yagona/kernel/register"
)

const notebookColumns = `key, id, register, begun, revision, sealed`

func scanNotebook(scan func(into ...any) error) (found register.Notebook, err error) {
	err = scan(&found.Owner, &found.ID, &found.Register, instant{&found.Begun}, &found.Revision, &found.Sealed)
	return found, err
}

// Notebooks implements register.Reader.
func (t *Tx) Notebooks(owner ident.Subject) ([]register.Notebook, error) {
	return list(t, `SELECT `+notebookColumns+` FROM notebook WHERE key = $1 ORDER BY id`, args(owner), scanNotebook)
}

// SaveNotebook implements register.Tx.
func (t *Tx) SaveNotebook(one register.Notebook) error {
	return t.send(`INSERT INTO notebook (`+notebookColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key, id) DO UPDATE SET revision = excluded.revision, sealed = excluded.sealed`,
		t.key, one.ID, one.Register, micros(one.Begun), one.Revision, one.Sealed)
}

// RemoveNotebook implements register.Tx.
func (t *Tx) RemoveNotebook(id ident.Import) error {
	return t.send(`DELETE FROM notebook WHERE key = $1 AND id = $2`, t.key, id)
}
