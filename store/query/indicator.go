package query

import (
	"encoding/json"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
)

var _ indicator.Tx = (*Tx)(nil)

// CountedSource implements indicator.Reader.
func (t *Tx) CountedSource(count act.Key, source string) (indicator.Counted, error) {
	found, err := list(t, `SELECT seen, parts FROM indicator_source WHERE key = $1 AND source = $2`, args(count, source),
		func(scan func(into ...any) error) (counted indicator.Counted, err error) {
			var parts string
			if err := scan(&counted.Seen, &parts); err != nil {
				return counted, err
			}
			counted.Source = source
			return counted, json.Unmarshal([]byte(parts), &counted.Parts)
		})
	if err != nil || len(found) == 0 {
		return indicator.Counted{}, err
	}
	return found[0], nil
}

// IndicatorParts implements indicator.Reader.
func (t *Tx) IndicatorParts(count act.Key, territory ident.Territory) ([]indicator.Part, error) {
	scanPart := func(scan func(into ...any) error) (part indicator.Part, err error) {
		err = scan(&part.Territory, &part.Month, &part.Numerator, &part.Denominator)
		return part, err
	}
	if territory == "" {
		return list(t, `SELECT territory, month, numerator, denominator FROM indicator_part WHERE key = $1 ORDER BY month, territory`,
			args(count), scanPart)
	}
	return list(t, `SELECT territory, month, numerator, denominator FROM indicator_part WHERE key = $1 AND territory = $2 ORDER BY month`,
		args(count, territory), scanPart)
}

// IndicatorPlace implements indicator.Reader.
func (t *Tx) IndicatorPlace() (place indicator.LogPlace, begun bool, err error) {
	err = t.rows(`SELECT next, counts FROM indicator_place WHERE key = $1`, args(act.Platform), func(scan func(into ...any) error) error {
		var counts string
		if err := scan(&place.Next, &counts); err != nil {
			return err
		}
		begun = true
		return json.Unmarshal([]byte(counts), &place.Counts)
	})
	return place, begun, err
}

// SaveIndicatorPlace implements indicator.Tx.
func (t *Tx) SaveIndicatorPlace(place indicator.LogPlace) error {
	counts, err := json.Marshal(place.Counts)
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO indicator_place (key, next, counts) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET next = excluded.next, counts = excluded.counts WHERE indicator_place.next <= excluded.next`,
		act.Platform, place.Next, string(counts))
}

// RegisterOf implements indicator.Reader.
func (t *Tx) RegisterOf(key act.Key, record ident.Record) (path ident.Register, err error) {
	err = t.row(notFound("register.no-record", "record"),
		`SELECT register FROM register_version WHERE key = $1 AND record = $2 LIMIT 1`, args(key, record), &path)
	return path, err
}

// IndicatorCount implements indicator.Reader.
func (t *Tx) IndicatorCount(count act.Key) (indicator.Progress, error) {
	found, err := list(t, `SELECT begun, done FROM indicator_count WHERE key = $1`, args(count),
		func(scan func(into ...any) error) (progress indicator.Progress, err error) {
			err = scan(instant{&progress.Begun}, instant{&progress.Done})
			return progress, err
		})
	if err != nil || len(found) == 0 {
		return indicator.Progress{}, err
	}
	return found[0], nil
}

// ApplicationsTo implements indicator.Reader.
func (t *Tx) ApplicationsTo(of ident.Service, after ident.Application, limit int) ([]casework.Application, error) {
	return list(t, `SELECT `+applicationColumns+` FROM application WHERE service = $1 AND submitted IS NOT NULL AND id > $2 ORDER BY id LIMIT $3`,
		args(of, after, limit), scanApplication)
}

// SaveCountedSource implements indicator.Tx.
func (t *Tx) SaveCountedSource(counted indicator.Counted) error {
	parts, err := json.Marshal(counted.Parts)
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO indicator_source (key, source, seen, parts) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key, source) DO UPDATE SET seen = excluded.seen, parts = excluded.parts`,
		t.Key(), counted.Source, counted.Seen, string(parts))
}

// AddIndicatorPart implements indicator.Tx.
func (t *Tx) AddIndicatorPart(part indicator.Part) error {
	return t.send(`INSERT INTO indicator_part (key, territory, month, numerator, denominator) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key, territory, month) DO UPDATE SET numerator = indicator_part.numerator + excluded.numerator,
			denominator = indicator_part.denominator + excluded.denominator`,
		t.Key(), part.Territory, int(part.Month), part.Numerator, part.Denominator)
}

// SaveIndicatorCount implements indicator.Tx.
func (t *Tx) SaveIndicatorCount(progress indicator.Progress) error {
	return t.send(`INSERT INTO indicator_count (key, begun, done) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET begun = excluded.begun, done = excluded.done`, t.Key(), micros(progress.Begun), micros(progress.Done))
}

// ForgetIndicatorCount implements indicator.Tx.
func (t *Tx) ForgetIndicatorCount() error {
	for _, text := range []string{
		`DELETE FROM indicator_part WHERE key = $1`, `DELETE FROM indicator_source WHERE key = $1`, `DELETE FROM indicator_count WHERE key = $1`,
	} {
		if err := t.send(text, t.Key()); err != nil {
			return err
		}
	}
	return nil
}
