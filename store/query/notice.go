package query

import (
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/notice"
)

const noticeColumns = `key, id, kind, application, at, event`

func scanNotice(scan func(into ...any) error) (n notice.Notice, err error) {
	err = scan(&n.Reader, &n.ID, &n.Kind, &n.Application, instant{&n.At}, &n.Event)
	return n, err
}

// Notices implements notice.Reader.
func (t *Tx) Notices(reader ident.Subject, limit int) ([]notice.Notice, error) {
	return list(t, `SELECT `+noticeColumns+` FROM notice WHERE key = $1 ORDER BY at DESC, id LIMIT $2`, args(reader, limit), scanNotice)
}

// AddNotice implements notice.Tx.
func (t *Tx) AddNotice(n notice.Notice) (bool, error) {
	added, err := t.exec(`INSERT INTO notice (`+noticeColumns+`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		t.key, n.ID, n.Kind, n.Application, micros(n.At), n.Event)
	return added == 1, err
}

// NoticeRows calls visit for every notice; for the auditor.
func (t *Tx) NoticeRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT `+noticeColumns+` FROM notice`, nil, func(scan func(into ...any) error) error {
		n, err := scanNotice(scan)
		if err != nil {
			return err
		}
		return visit(rowOf(n.Cover(), string(n.Reader), n.Event))
	})
}
