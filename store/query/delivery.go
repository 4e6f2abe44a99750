package query

import (
	"time"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
)

func scanContact(scan func(into ...any) error) (c notice.StoredContact, err error) {
	err = scan(&c.Reader, &c.Routes, &c.Sealed, &c.Event)
	return c, err
}

// StoredContact implements notice.Reader.
func (t *Tx) StoredContact(reader ident.Subject) (notice.StoredContact, error) {
	found, err := list(t, `SELECT key, routes, sealed, event FROM contact WHERE key = $1`, args(reader), scanContact)
	if err != nil || len(found) == 0 {
		return notice.StoredContact{}, err
	}
	return found[0], nil
}

// SaveContact implements notice.Tx.
func (t *Tx) SaveContact(c notice.StoredContact) error {
	return t.send(`INSERT INTO contact (key, routes, sealed, event) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET routes = excluded.routes, sealed = excluded.sealed, event = excluded.event`,
		t.key, c.Routes, c.Sealed, c.Event)
}

const deliveryColumns = `key, id, notice, channel, address, state, reason, attempts, receipt, queued, changed, event`

func scanDelivery(scan func(into ...any) error) (d notice.Delivery, err error) {
	err = scan(&d.Reader, &d.ID, &d.Notice, &d.Channel, &d.Address, &d.State, &d.Reason, &d.Attempts, &d.Receipt,
		instant{&d.Queued}, instant{&d.Changed}, &d.Event)
	return d, err
}

// Delivery implements notice.Reader.
func (t *Tx) Delivery(reader ident.Subject, id string) (notice.Delivery, error) {
	return first(t, notFound("delivery.unknown", "delivery"), `SELECT `+deliveryColumns+` FROM delivery WHERE key = $1 AND id = $2`, args(reader, id), scanDelivery)
}

// Deliveries implements notice.Reader.
func (t *Tx) Deliveries(reader ident.Subject, limit int) ([]notice.Delivery, error) {
	return list(t, `SELECT `+deliveryColumns+` FROM delivery WHERE key = $1 ORDER BY queued DESC, id LIMIT $2`, args(reader, limit), scanDelivery)
}

// SaveDelivery implements notice.Tx.
func (t *Tx) SaveDelivery(d notice.Delivery) error {
	return t.send(`INSERT INTO delivery (`+deliveryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (key, id) DO UPDATE SET state = excluded.state, reason = excluded.reason, attempts = excluded.attempts,
			receipt = excluded.receipt, changed = excluded.changed, event = excluded.event`,
		t.key, d.ID, d.Notice, d.Channel, d.Address, d.State, d.Reason, d.Attempts, d.Receipt, micros(d.Queued), micros(d.Changed), d.Event)
}

// Link implements notice.Reader.
func (t *Tx) Link(key act.Key) (notice.Link, error) {
	return first(t, notFound("contact.unknown", "code"), `SELECT key, reader, address, until FROM contact_link WHERE key = $1`, args(key),
		func(scan func(into ...any) error) (l notice.Link, err error) {
			err = scan(&l.Key, &l.Reader, &l.Address, instant{&l.Until})
			return l, err
		})
}

// SaveLink implements notice.Tx.
func (t *Tx) SaveLink(l notice.Link) error {
	return t.send(`INSERT INTO contact_link (key, reader, address, until) VALUES ($1, $2, $3, $4)`, t.key, l.Reader, l.Address, micros(l.Until))
}

// Allowances implements notice.Reader.
func (t *Tx) Allowances(key act.Key, since time.Time) ([]notice.Allowance, error) {
	return list(t, `SELECT key, id, at FROM allowance WHERE key = $1 AND at > $2`, args(key, micros(since)),
		func(scan func(into ...any) error) (a notice.Allowance, err error) {
			err = scan(&a.Key, &a.ID, instant{&a.At})
			return a, err
		})
}

// SaveAllowance implements notice.Tx.
func (t *Tx) SaveAllowance(a notice.Allowance, before time.Time) error {
	if err := t.send(`DELETE FROM allowance WHERE key = $1 AND at <= $2`, t.key, micros(before)); err != nil {
		return err
	}
	return t.send(`INSERT INTO allowance (key, id, at) VALUES ($1, $2, $3)`, t.key, a.ID, micros(a.At))
}

// ContactRows calls visit for every contact; for the auditor.
func (t *Tx) ContactRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, routes, sealed, event FROM contact`, nil, func(scan func(into ...any) error) error {
		c, err := scanContact(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(c.Cover(), string(c.Reader), c.Event))
	})
}

// DeliveryRows calls visit for every delivery; for the auditor.
func (t *Tx) DeliveryRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+deliveryColumns+` FROM delivery`, nil, func(scan func(into ...any) error) error {
		d, err := scanDelivery(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(d.Cover(), string(d.Reader), d.Event))
	})
}
