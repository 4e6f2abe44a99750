package query

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/session"
)

var (
	_ session.Reader = (*Tx)(nil)
	_ session.Tx     = (*Tx)(nil)
)

const sessionColumns = `digest, id, person, appointment, channel, shared, started, seen, ends`

func scanSession(scan func(into ...any) error) (one session.Session, err error) {
	err = scan(digest{&one.Digest}, &one.ID, &one.Person, &one.Appointment, &one.Channel, boolean{&one.Shared},
		instant{&one.Started}, instant{&one.Seen}, instant{&one.Ends})
	return one, err
}

// Session implements session.Reader.
func (t *Tx) Session(wanted session.Digest) (session.Session, bool, error) {
	found, err := cached(t, "session", string(wanted[:]), func() ([]session.Session, error) {
		return list(t, `SELECT `+sessionColumns+` FROM session WHERE key = $1 AND digest = $2`,
			args(wanted.Key(), wanted[:]), scanSession)
	})
	if err != nil || len(found) == 0 {
		return session.Session{}, false, err
	}
	return found[0], true, nil
}

// SessionsOf implements session.Reader.
func (t *Tx) SessionsOf(person ident.Person) ([]session.Session, error) {
	return list(t, `SELECT `+sessionColumns+` FROM session WHERE person = $1 ORDER BY started DESC, id DESC`,
		args(person), scanSession)
}

// SaveSession implements session.Tx.
func (t *Tx) SaveSession(one session.Session) error {
	t.overwrites("session", string(one.Digest[:]))
	return t.send(`INSERT INTO session (key, `+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (key, digest) DO UPDATE SET appointment = excluded.appointment, shared = excluded.shared,
		seen = excluded.seen, ends = excluded.ends`,
		t.key, one.Digest[:], one.ID, one.Person, one.Appointment, one.Channel, flag(one.Shared),
		micros(one.Started), micros(one.Seen), micros(one.Ends))
}

// RemoveSession implements session.Tx.
func (t *Tx) RemoveSession(gone session.Digest) error {
	t.overwrites("session", string(gone[:]))
	return t.send(`DELETE FROM session WHERE key = $1 AND digest = $2`, t.key, gone[:])
}

// SaveProof implements session.Tx.
func (t *Tx) SaveProof(proof session.Digest, until time.Time) (bool, error) {
	added, err := t.exec(`INSERT INTO spent_proof (key, digest, until_time) VALUES ($1, $2, $3) ON CONFLICT (key, digest) DO NOTHING`,
		t.key, proof[:], micros(until))
	return added == 1, err
}

// Answer implements session.Reader.
func (t *Tx) Answer(key act.Key, name session.Digest) (session.Answer, bool, error) {
	found := session.Answer{Key: key, Name: name}
	err := t.row(sql.ErrNoRows, `SELECT request, sealed, until_time FROM answer WHERE key = $1 AND name = $2`,
		args(key, name[:]), &found.Request, &found.Sealed, instant{&found.Until})
	if errors.Is(err, sql.ErrNoRows) {
		return session.Answer{}, false, nil
	}
	return found, err == nil, err
}

// SaveAnswer implements session.Tx.
func (t *Tx) SaveAnswer(answer session.Answer) error {
	sealed := answer.Sealed
	if sealed == nil {
		sealed = []byte{} // the column is never NULL
	}
	return t.send(`INSERT INTO answer (key, name, request, sealed, until_time) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key, name) DO UPDATE SET request = excluded.request, sealed = excluded.sealed, until_time = excluded.until_time`,
		t.key, answer.Name[:], answer.Request, sealed, micros(answer.Until))
}

// RemoveAnswer implements session.Tx.
func (t *Tx) RemoveAnswer(name session.Digest) error {
	return t.send(`DELETE FROM answer WHERE key = $1 AND name = $2`, t.key, name[:])
}

// RemoveEnded implements session.Tx.
func (t *Tx) RemoveEnded(before time.Time) (int, error) {
	removed := 0 // a cache may go on giving what has ended: whoever reads it looks at its end
	for _, statement := range []string{
		`DELETE FROM session WHERE ends < $1`, `DELETE FROM spent_proof WHERE until_time < $1`,
		`DELETE FROM answer WHERE until_time < $1`,
	} {
		count, err := t.exec(statement, micros(before))
		if err != nil {
			return removed, err
		}
		removed += int(count)
	}
	return removed, nil
}

// digest scans a stored SHA-256.
type digest struct{ into *session.Digest }

// Scan implements sql.Scanner.
func (d digest) Scan(value any) error {
	stored, ok := value.([]byte)
	if !ok || len(stored) != len(d.into) {
		return fmt.Errorf("a stored digest is %T of a wrong length", value)
	}
	copy(d.into[:], stored)
	return nil
}

// SessionRows calls visit for every session; for the auditor.
func (t *Tx) SessionRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, `+sessionColumns+` FROM session ORDER BY key, digest`, nil, func(scan func(into ...any) error) error {
		var key string
		one, err := scanSession(func(into ...any) error { return scan(append([]any{&key}, into...)...) })
		if err != nil {
			return err
		}
		return visit(rowOf(one.Cover(), key, ""))
	})
}
