package query

import (
	"yagona/kernel/act"
	"yagona/kernel/exchange"
	"yagona/kernel/ident"
)

var _ exchange.Tx = (*Tx)(nil)

const exchangeColumns = `key, id, at, sealed, event, application`

func scanExchange(scan func(into ...any) error) (found exchange.StoredExchange, err error) {
	var application *ident.Application
	err = scan(&found.Key, &found.ID, instant{&found.At}, &found.Sealed, &found.Event, &application)
	if application != nil {
		found.Application, found.Known = *application, true
	}
	return found, err
}

// StoredExchange implements exchange.Reader.
func (t *Tx) StoredExchange(key act.Key, id ident.Exchange) (exchange.StoredExchange, error) {
	return first(t, notFound("exchange.unknown", "exchange"), `SELECT `+exchangeColumns+` FROM exchange WHERE key = $1 AND id = $2`,
		args(key, id), scanExchange)
}

// StoredExchanges implements exchange.Reader.
func (t *Tx) StoredExchanges(visit func(exchange.StoredExchange) error) error {
	return t.rows(`SELECT `+exchangeColumns+` FROM exchange ORDER BY key, id`, nil, func(scan func(into ...any) error) error {
		found, err := scanExchange(scan)
		if err != nil {
			return err
		}
		return visit(found)
	})
}

// SaveExchange implements exchange.Tx.
func (t *Tx) SaveExchange(stored exchange.StoredExchange) error {
	var application any
	if stored.Known {
		application = stored.Application
	}
	return t.send(`INSERT INTO exchange (`+exchangeColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		stored.Key, stored.ID, micros(stored.At), stored.Sealed, stored.Event, application)
}
