package query

import (
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/representation"
)

const mandateColumns = `key, id, representative, revision, created, accepted, until, ended, sealed, event`

func scanMandate(scan func(into ...any) error) (m representation.Mandate, err error) {
	err = scan(&m.Subject, &m.ID, &m.Representative, &m.Revision, instant{&m.Created}, instant{&m.Accepted}, instant{&m.Until}, instant{&m.Ended}, &m.Sealed, &m.Event)
	return m, err
}

// Mandate implements representation.Reader.
func (t *Tx) Mandate(id ident.Mandate) (representation.Mandate, error) {
	found, err := list(t, `SELECT `+mandateColumns+` FROM mandate WHERE id = $1`, args(id), scanMandate)
	switch {
	case err != nil:
		return representation.Mandate{}, err
	case len(found) == 0:
		return representation.Mandate{}, representation.ErrUnknown
	}
	return found[0], nil
}

// MandatesOf implements representation.Reader.
func (t *Tx) MandatesOf(subject ident.Subject, limit int) ([]representation.Mandate, error) {
	return list(t, `SELECT `+mandateColumns+` FROM mandate WHERE key = $1 ORDER BY id DESC LIMIT $2`, args(subject, limit), scanMandate)
}

// MandatesTo implements representation.Reader.
func (t *Tx) MandatesTo(representative ident.Person, limit int) ([]representation.Mandate, error) {
	return list(t, `SELECT `+mandateColumns+` FROM mandate WHERE representative = $1 ORDER BY id DESC LIMIT $2`, args(representative, limit), scanMandate)
}

// SaveMandate implements representation.Tx.
func (t *Tx) SaveMandate(m representation.Mandate) error {
	return t.send(`INSERT INTO mandate (`+mandateColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (key, id) DO UPDATE SET revision = excluded.revision, accepted = excluded.accepted, ended = excluded.ended,
			sealed = excluded.sealed, event = excluded.event`,
		t.key, m.ID, m.Representative, m.Revision, micros(m.Created), micros(m.Accepted), micros(m.Until), micros(m.Ended), m.Sealed, m.Event)
}

// MandateRows calls visit for every mandate; for the auditor.
func (t *Tx) MandateRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+mandateColumns+` FROM mandate`, nil, func(scan func(into ...any) error) error {
		m, err := scanMandate(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(m.Cover(), string(m.Subject), m.Event))
	})
}
