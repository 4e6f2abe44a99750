package query

import (
	"encoding/json"

	"yagona/kernel/calendar"
	"yagona/kernel/casework"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
)

const entitlementColumns = `key, application, service, agency, state, since, until, paid, reviewed, published, event`

func scanEntitlement(scan func(into ...any) error) (e casework.Entitlement, err error) {
	var paid, published string
	if err = scan(&e.Holder, &e.Application, &e.Service, &e.Agency, &e.State, instant{&e.Since}, instant{&e.Until}, &paid,
		instant{&e.Next}, &published, &e.Event); err != nil {
		return e, err
	}
	if published != "" {
		if err := json.Unmarshal([]byte(published), &e.Published); err != nil {
			return e, err
		}
	}
	if paid != "" {
		e.Paid, err = calendar.ParseDate(paid)
	}
	return e, err
}

// Licences implements casework.Reader.
func (t *Tx) Licences(of ident.Service, after ident.Application, limit int) ([]casework.Entitlement, error) {
	return list(t, `SELECT `+entitlementColumns+` FROM entitlement WHERE service = $1 AND application > $2 AND published <> ''
		ORDER BY application LIMIT $3`, args(of, after, limit), scanEntitlement)
}

// Entitlement implements casework.Reader.
func (t *Tx) Entitlement(holder ident.Subject, application ident.Application) (casework.Entitlement, error) {
	return first(t, notFound("application.no-entitlement", "entitlement"), `SELECT `+entitlementColumns+` FROM entitlement WHERE key = $1 AND application = $2`,
		args(holder, application), scanEntitlement)
}

// EntitlementsOf implements casework.Reader.
func (t *Tx) EntitlementsOf(holder ident.Subject) ([]casework.Entitlement, error) {
	return list(t, `SELECT `+entitlementColumns+` FROM entitlement WHERE key = $1 ORDER BY application`, args(holder), scanEntitlement)
}

// EntitlementRows calls visit for every entitlement; for the auditor.
func (t *Tx) EntitlementRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+entitlementColumns+` FROM entitlement`, nil, func(scan func(into ...any) error) error {
		e, err := scanEntitlement(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(e.Cover(), string(e.Holder), e.Event))
	})
}

// SaveEntitlement implements casework.Tx.
func (t *Tx) SaveEntitlement(e casework.Entitlement) error {
	paid, published := "", ""
	if e.Published != nil {
		encoded, err := json.Marshal(e.Published)
		if err != nil {
			return err
		}
		published = string(encoded)
	}
	if !e.Paid.IsZero() {
		paid = e.Paid.String()
	}
	return t.send(`INSERT INTO entitlement (`+entitlementColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (key, application) DO UPDATE SET state = excluded.state, until = excluded.until, paid = excluded.paid,
			reviewed = excluded.reviewed, published = excluded.published, event = excluded.event`,
		t.key, e.Application, e.Service, e.Agency, e.State, micros(e.Since), micros(e.Until), paid, micros(e.Next), published, e.Event)
}
