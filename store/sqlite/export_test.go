package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"yagona/store/query"
)

// LimitPages bounds the size of the database's file, as a full disk would.
func (db *DB) LimitPages(pages int) error {
	var failed error
	err := db.Update(context.Background(), "test", func(*query.Tx) error {
		rows, err := db.writer.Query(context.Background(), fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil)
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

// Count has a reading count to a number, in one statement with one row.
func (db *DB) Count(ctx context.Context, to int) error {
	on := &snapshot{db: db}
	defer on.end(false)
	rows, err := on.Query(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT count(*) FROM n`, []any{to})
	if err != nil {
		return err
	}
	return rows.Close()
}

// Select has a reading read the values back into variables, in one row.
func (db *DB) Select(ctx context.Context, values []any, into ...any) error {
	on := &snapshot{db: db}
	defer on.end(false)
	var columns []string
	for i := range values {
		columns = append(columns, fmt.Sprint("$", i+1))
	}
	rows, err := on.Query(ctx, "SELECT "+strings.Join(columns, ", "), values)
	if err != nil {
		return err
	}
	if !rows.Next() {
		return errors.Join(rows.Err(), rows.Close())
	}
	return errors.Join(rows.Scan(into...), rows.Close())
}
