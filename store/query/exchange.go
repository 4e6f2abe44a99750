package query

import (
	"yagona/kernel/act"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
)

var _ exchange.Tx = (*Tx)(nil)

// StoredExchange implements exchange.Reader.
func (t *Tx) StoredExchange(key act.Key, id ident.Exchange) (found exchange.StoredExchange, err error) {
	found.Key, found.ID = key, id
	err = t.row(notFound("exchange.unknown", "exchange"), `SELECT at, sealed, event FROM exchange WHERE key = $1 AND id = $2`, args(key, id),
		instant{&found.At}, &found.Sealed, &found.Event)
	return found, err
}

// StoredExchanges implements exchange.Reader.
func (t *Tx) StoredExchanges(visit func(exchange.StoredExchange) error) error {
	return t.rows(`SELECT key, id, at, sealed, event FROM exchange ORDER BY key, id`, nil, func(scan func(into ...any) error) error {
		var found exchange.StoredExchange
		if err := scan(&found.Key, &found.ID, instant{&found.At}, &found.Sealed, &found.Event); err != nil {
			return err
		}
		return visit(found)
	})
}

// SaveExchange implements exchange.Tx.
func (t *Tx) SaveExchange(stored exchange.StoredExchange) error {
	return t.send(`INSERT INTO exchange (key, id, at, sealed, event) VALUES ($1, $2, $3, $4, $5)`,
		stored.Key, stored.ID, micros(stored.At), stored.Sealed, stored.Event)
}
