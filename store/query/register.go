package query

import (
	"yagona/kernel/act"
	"yagona/kernel/calendar"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/register"
)

var _ register.Tx = (*Tx)(nil)

const registerColumns = `key, register, record, number, at, from_date, closed, corrects, cause, body, event`

func scanRegisterVersion(scan func(into ...any) error) (v register.StoredVersion, err error) {
	err = scan(&v.Key, &v.Register, &v.Record, &v.Number, instant{&v.At}, validFrom{&v.From}, boolean{&v.Closed}, &v.Corrects, &v.Cause, &v.Body, &v.Event)
	return v, err
}

// validFrom scans a date that is stored as its ISO text.
type validFrom struct{ into *calendar.Date }

// Scan implements sql.Scanner.
func (d validFrom) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fault.Newf(fault.Internal, "store.date", "A stored date is a %T instead of a text.", value)
	}
	return d.into.UnmarshalText([]byte(text))
}

// RegisterVersions implements register.Reader.
func (t *Tx) RegisterVersions(key act.Key, path ident.Register, record ident.Record) ([]register.StoredVersion, error) {
	if record == "" {
		return list(t, `SELECT `+registerColumns+` FROM register_version WHERE key = $1 AND register = $2 ORDER BY record, number`,
			args(key, path), scanRegisterVersion)
	}
	return list(t, `SELECT `+registerColumns+` FROM register_version WHERE key = $1 AND register = $2 AND record = $3 ORDER BY number`,
		args(key, path, record), scanRegisterVersion)
}

// RecordVersions implements register.Reader.
func (t *Tx) RecordVersions(record ident.Record) ([]register.StoredVersion, error) {
	return list(t, `SELECT `+registerColumns+` FROM register_version WHERE record = $1 ORDER BY number`, args(record), scanRegisterVersion)
}

// RegistersOf implements register.Reader.
func (t *Tx) RegistersOf(key act.Key, among ...ident.Register) ([]ident.Register, error) {
	if len(among) == 0 {
		return nil, nil
	}
	w := where{args: args(key)}
	w.and("register IN "+listed(len(among)), anys(among)...)
	return list(t, `SELECT DISTINCT register FROM register_version WHERE key = $1 AND `+w.String()+` ORDER BY register`, w.args,
		func(scan func(into ...any) error) (path ident.Register, err error) {
			err = scan(&path)
			return path, err
		})
}

// IndexedRecords implements register.Reader.
func (t *Tx) IndexedRecords(index register.Index, limit int) ([]register.Place, error) {
	return list(t, `SELECT key, register, record FROM register_index WHERE hash = $1 ORDER BY key, record LIMIT $2`, args(index, limit),
		func(scan func(into ...any) error) (place register.Place, err error) {
			err = scan(&place.Key, &place.Register, &place.Record)
			return place, err
		})
}

// IndexedVersions implements register.Reader.
func (t *Tx) IndexedVersions(index register.Index, limit int) ([]register.StoredVersion, error) {
	return list(t, `SELECT v.key, v.register, v.record, v.number, v.at, v.from_date, v.closed, v.corrects, v.cause, v.body, v.event
		FROM (SELECT key, register, record FROM register_index WHERE hash = $1 ORDER BY key, record LIMIT $2) i
		JOIN register_version v ON v.key = i.key AND v.register = i.register AND v.record = i.record
		ORDER BY v.key, v.record, v.number`, args(index, limit), scanRegisterVersion)
}

// IndexesOf implements register.Reader.
func (t *Tx) IndexesOf(place register.Place) ([]register.Index, error) {
	return list(t, `SELECT hash FROM register_index WHERE key = $1 AND record = $2 ORDER BY hash`, args(place.Key, place.Record),
		func(scan func(into ...any) error) (index register.Index, err error) {
			err = scan(&index)
			return index, err
		})
}

// IndexEntries implements register.Reader.
func (t *Tx) IndexEntries(after register.Entry, limit int) ([]register.Entry, error) {
	return list(t, `SELECT key, register, record, hash FROM register_index WHERE (key, record, hash) > ($1, $2, $3)
		ORDER BY key, record, hash LIMIT $4`, args(after.Key, after.Record, after.Index, limit),
		func(scan func(into ...any) error) (entry register.Entry, err error) {
			err = scan(&entry.Key, &entry.Register, &entry.Record, &entry.Index)
			return entry, err
		})
}

// RegisterClaims implements register.Reader.
func (t *Tx) RegisterClaims(after register.Index, limit int) ([]register.Claim, error) {
	return list(t, `SELECT hash, record, at FROM register_claim WHERE hash > $1 ORDER BY hash LIMIT $2`, args(after, limit),
		func(scan func(into ...any) error) (claim register.Claim, err error) {
			err = scan(&claim.Index, &claim.Record, instant{&claim.At})
			return claim, err
		})
}

// VersionOfCause implements register.Reader.
func (t *Tx) VersionOfCause(key act.Key, path ident.Register, cause string) (register.StoredVersion, error) {
	found, err := list(t, `SELECT `+registerColumns+` FROM register_version WHERE key = $1 AND register = $2 AND cause = $3 AND cause <> ''`,
		args(key, path, cause), scanRegisterVersion)
	if err == nil && len(found) == 0 {
		err = register.ErrNoRecord
	}
	if err != nil {
		return register.StoredVersion{}, err
	}
	return found[0], nil
}

// RegisterClaim implements register.Reader.
func (t *Tx) RegisterClaim(index register.Index) (found register.Claim, err error) {
	found.Index = index
	err = t.row(notFound("register.no-claim", "claim"), `SELECT record, at FROM register_claim WHERE hash = $1`, args(index), &found.Record, instant{&found.At})
	return found, err
}

// StoredVersions implements register.Reader.
func (t *Tx) StoredVersions(path ident.Register, after register.StoredVersion, limit int) ([]register.StoredVersion, error) {
	if path == "" {
		return list(t, `SELECT `+registerColumns+` FROM register_version WHERE (register, key, record, number) > ($1, $2, $3, $4)
			ORDER BY register, key, record, number LIMIT $5`,
			args(after.Register, after.Key, after.Record, after.Number, limit), scanRegisterVersion)
	}
	return list(t, `SELECT `+registerColumns+` FROM register_version WHERE register = $1 AND (key, record, number) > ($2, $3, $4)
		ORDER BY key, record, number LIMIT $5`,
		args(path, after.Key, after.Record, after.Number, limit), scanRegisterVersion)
}

// SaveVersion implements register.Tx.
func (t *Tx) SaveVersion(v register.StoredVersion) error {
	changed, err := t.exec(`INSERT INTO register_version (`+registerColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT DO NOTHING`,
		v.Key, v.Register, v.Record, v.Number, micros(v.At), v.From.String(), flag(v.Closed), v.Corrects, v.Cause, v.Body, v.Event)
	otherwise := error(register.ErrChanged)
	if v.Cause != "" {
		otherwise = register.ErrCauseDone
	}
	return one(changed, err, otherwise)
}

// IndexRecord implements register.Tx.
func (t *Tx) IndexRecord(place register.Place, indexes []register.Index) error {
	for _, index := range indexes {
		err := t.send(`INSERT INTO register_index (key, record, hash, register) VALUES ($1, $2, $3, $4)`,
			place.Key, place.Record, index, place.Register)
		if err != nil {
			return err
		}
	}
	return nil
}

// UnindexRecord implements register.Tx.
func (t *Tx) UnindexRecord(place register.Place) error {
	return t.send(`DELETE FROM register_index WHERE key = $1 AND record = $2`, place.Key, place.Record)
}

// SaveClaim implements register.Tx.
func (t *Tx) SaveClaim(claim register.Claim) error {
	return t.send(`INSERT INTO register_claim (hash, record, at) VALUES ($1, $2, $3)
		ON CONFLICT (hash) DO UPDATE SET record = excluded.record, at = excluded.at`,
		claim.Index, claim.Record, micros(claim.At))
}

// RemoveClaim implements register.Tx.
func (t *Tx) RemoveClaim(claim register.Claim) error {
	return t.send(`DELETE FROM register_claim WHERE hash = $1 AND record = $2`, claim.Index, claim.Record)
}

// RegisterIndexRows calls visit for the index entries of every record that has any, all of a record together; for the
// auditor.
func (t *Tx) RegisterIndexRows(visit func(journal.Row) error) error {
	var place register.Place
	var indexes []register.Index
	record := func() error {
		if len(indexes) == 0 {
			return nil
		}
		return visit(rowOf(register.IndexCover(place, indexes), string(place.Key), ""))
	}
	err := t.rows(`SELECT key, register, record, hash FROM register_index ORDER BY key, record, register, hash`, nil, func(scan func(into ...any) error) error {
		var next register.Place
		var index register.Index
		if err := scan(&next.Key, &next.Register, &next.Record, &index); err != nil {
			return err
		}
		if next != place {
			if err := record(); err != nil {
				return err
			}
			place, indexes = next, nil
		}
		indexes = append(indexes, index)
		return nil
	})
	if err != nil {
		return err
	}
	return record()
}

// RegisterClaimRows calls visit for every claim of a unique value; for the auditor.
func (t *Tx) RegisterClaimRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT hash, record, at FROM register_claim ORDER BY hash`, nil, func(scan func(into ...any) error) error {
		var claim register.Claim
		if err := scan(&claim.Index, &claim.Record, instant{&claim.At}); err != nil {
			return err
		}
		return visit(rowOf(claim.Cover(), string(claim.Key()), ""))
	})
}
