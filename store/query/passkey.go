package query

import (
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/passkey"
)

func scanPasskeys(scan func(into ...any) error) (p passkey.Stored, err error) {
	err = scan(&p.Owner, &p.Sealed, &p.Event)
	return p, err
}

// StoredPasskeys implements passkey.Reader.
func (t *Tx) StoredPasskeys(owner ident.Subject) (passkey.Stored, error) {
	found, err := list(t, `SELECT key, sealed, event FROM passkey WHERE key = $1`, args(owner), scanPasskeys)
	if err != nil || len(found) == 0 {
		return passkey.Stored{}, err
	}
	return found[0], nil
}

// SavePasskeys implements passkey.Tx.
func (t *Tx) SavePasskeys(p passkey.Stored) error {
	return t.send(`INSERT INTO passkey (key, sealed, event) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed, event = excluded.event`, t.key, p.Sealed, p.Event)
}

// PasskeyRows calls visit for everybody's passkeys; for the auditor.
func (t *Tx) PasskeyRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, sealed, event FROM passkey`, nil, func(scan func(into ...any) error) error {
		p, err := scanPasskeys(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(p.Cover(), string(p.Owner), p.Event))
	})
}
