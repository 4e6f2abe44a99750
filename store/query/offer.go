package query

import (
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/offer"
)

const offerColumns = `key, id, service, application, territory, made, event`

func scanOffer(scan func(into ...any) error) (o offer.Offer, err error) {
	err = scan(&o.Subject, &o.ID, &o.Service, &o.Application, &o.Territory, instant{&o.Made}, &o.Event)
	return o, err
}

// Offer implements offer.Reader.
func (t *Tx) Offer(subject ident.Subject, id string) (offer.Offer, error) {
	found, err := list(t, `SELECT `+offerColumns+` FROM offer WHERE key = $1 AND id = $2`, args(subject, id), scanOffer)
	if err == nil && len(found) == 0 {
		err = notFound("offer.unknown", "offer")
	}
	if err != nil {
		return offer.Offer{}, err
	}
	return found[0], nil
}

// OffersOf implements offer.Reader.
func (t *Tx) OffersOf(subject ident.Subject, limit int) ([]offer.Offer, error) {
	return list(t, `SELECT `+offerColumns+` FROM offer WHERE key = $1 ORDER BY made DESC, id LIMIT $2`, args(subject, limit), scanOffer)
}

// SaveOffer implements offer.Tx.
func (t *Tx) SaveOffer(o offer.Offer) error {
	return t.send(`INSERT INTO offer (`+offerColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		t.key, o.ID, o.Service, o.Application, o.Territory, micros(o.Made), o.Event)
}

const participationColumns = `key, declined, visits, sealed, event`

func scanParticipation(scan func(into ...any) error) (p offer.Participation, err error) {
	err = scan(&p.Subject, boolean{&p.Declined}, boolean{&p.Visits}, &p.Sealed, &p.Event)
	return p, err
}

// Participation implements offer.Reader.
func (t *Tx) Participation(subject ident.Subject) (offer.Participation, error) {
	found, err := list(t, `SELECT `+participationColumns+` FROM participation WHERE key = $1`, args(subject), scanParticipation)
	if err != nil || len(found) == 0 {
		return offer.Participation{}, err
	}
	return found[0], nil
}

// SaveParticipation implements offer.Tx.
func (t *Tx) SaveParticipation(p offer.Participation) error {
	flag := map[bool]int{true: 1}
	return t.send(`INSERT INTO participation (`+participationColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key) DO UPDATE SET declined = excluded.declined, visits = excluded.visits, sealed = excluded.sealed, event = excluded.event`,
		t.key, flag[p.Declined], flag[p.Visits], p.Sealed, p.Event)
}

// TakeUp implements offer.Reader.
func (t *Tx) TakeUp(service ident.Service) ([]offer.TakeUp, error) {
	return list(t, `SELECT offer.territory, count(*)
		FROM offer JOIN application ON application.key = offer.key AND application.id = offer.application
		WHERE offer.service = $1 AND application.state IN ('draft', 'expired', 'withdrawn') AND NOT EXISTS (
			SELECT 1 FROM application AS other WHERE other.key = offer.key AND other.service = offer.service AND other.state = 'granted'
		)
		GROUP BY offer.territory ORDER BY offer.territory`, args(service), func(scan func(into ...any) error) (one offer.TakeUp, err error) {
		err = scan(&one.Territory, &one.NotTaken)
		return one, err
	})
}

// OfferRows calls visit for every offer and every participation; for the auditor.
func (t *Tx) OfferRows(visit func(journal.Row) error) error {
	err := t.rows(`SELECT `+offerColumns+` FROM offer`, nil, func(scan func(into ...any) error) error {
		o, err := scanOffer(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(o.Cover(), string(o.Subject), o.Event))
	})
	if err != nil {
		return err
	}
	return t.rows(`SELECT `+participationColumns+` FROM participation`, nil, func(scan func(into ...any) error) error {
		p, err := scanParticipation(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(p.Cover(), string(p.Subject), p.Event))
	})
}
