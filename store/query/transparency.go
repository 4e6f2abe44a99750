package query

import (
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/transparency"
)

var (
	_ transparency.Reader = (*Tx)(nil)
	_ transparency.Tx     = (*Tx)(nil)
	_ transparency.LeadTx = (*Tx)(nil)
)

// LogHead implements transparency.Reader.
func (t *Tx) LogHead() (head transparency.Head, err error) {
	err = t.rows(`SELECT size, signed, published FROM log_head WHERE key = $1`, args(act.Platform),
		func(scan func(into ...any) error) error { return scan(&head.Size, &head.Signed, &head.Published) })
	return head, err
}

// LogTile implements transparency.Reader.
func (t *Tx) LogTile(level int, number int64) (data []byte, err error) {
	err = t.row(nil, `SELECT data FROM log_tile WHERE key = $1 AND level = $2 AND number = $3`,
		args(act.Platform, level, number), &data)
	return data, err
}

// PendingEntries implements transparency.Tx.
func (t *Tx) PendingEntries(limit int) ([]transparency.Entry, error) {
	return list(t, `SELECT key, id, entry FROM event WHERE log_index IS NULL ORDER BY id LIMIT $1`, args(limit),
		func(scan func(into ...any) error) (entry transparency.Entry, err error) {
			err = scan(&entry.Key, &entry.Event, &entry.Data)
			return entry, err
		})
}

// WaitingEvents implements transparency.Reader.
func (t *Tx) WaitingEvents() (count int, oldest time.Time, err error) {
	err = t.row(nil, `SELECT count(*), min(at) FROM event WHERE log_index IS NULL`, nil, &count, instant{&oldest})
	return count, oldest, err
}

// SaveLogIndex implements transparency.Tx.
func (t *Tx) SaveLogIndex(key act.Key, event ident.Event, index int64) error {
	return t.sendOne(fault.Newf(fault.Internal, "log.index", "Event %s has a log index already, or does not exist.", event),
		`UPDATE event SET log_index = $3 WHERE key = $1 AND id = $2 AND log_index IS NULL`, key, event, index)
}

// SaveLogTile implements transparency.Tx.
func (t *Tx) SaveLogTile(level int, number int64, data []byte) error {
	return t.send(`INSERT INTO log_tile (key, level, number, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key, level, number) DO UPDATE SET data = excluded.data`, act.Platform, level, number, data)
}

// SaveLogHead implements transparency.Tx.
func (t *Tx) SaveLogHead(head transparency.Head) error {
	return t.send(`INSERT INTO log_head (key, size, signed, published) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET size = excluded.size, signed = excluded.signed, published = excluded.published`,
		act.Platform, head.Size, head.Signed, head.Published)
}

// LogLead implements transparency.LeadStore.
func (t *Tx) LogLead() (lead transparency.Lead, err error) {
	err = t.row(nil, `SELECT process, term, until_time FROM log_lead WHERE key = $1`, args(act.Platform),
		&lead.Process, &lead.Term, instant{&lead.Until})
	return lead, err
}

// SaveLogLead implements transparency.LeadStore.
func (t *Tx) SaveLogLead(lead transparency.Lead) error {
	return t.send(`INSERT INTO log_lead (key, process, term, until_time) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET process = excluded.process, term = excluded.term, until_time = excluded.until_time`,
		act.Platform, lead.Process, lead.Term, micros(lead.Until))
}
