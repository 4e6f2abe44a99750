package sqlite

import (
	"context"
	"fmt"

	"yagona/store/query"
)

// LimitPages bounds the size of the database's file, as a full disk would.
func (db *DB) LimitPages(pages int) error {
	var failed error
	err := db.Update(context.Background(), "test", func(*query.Tx) error {
		rows, err := db.writer.conn.QueryContext(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		if err != nil {
			failed = err
			return err
		}
		defer rows.Close()
		for rows.Next() { // the new limit
		}
		failed = rows.Err()
		return failed
	})
	if failed != nil {
		return failed
	}
	return err
}
