package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// column is a column of a table and its type, as the server names it.
type column struct{ name, kind string }

// alone connects for a work that takes as long as it takes.
func alone(ctx context.Context, url string) (*pgx.Conn, error) {
	settings, err := pgxpool.ParseConfig(url) // it knows the settings of pools, which may stand in the address
	if err != nil {
		return nil, err
	}
	prepare(settings.ConnConfig)
	for _, limit := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		settings.ConnConfig.RuntimeParams[limit] = "0"
	}
	return pgx.ConnectConfig(ctx, settings.ConnConfig)
}

func columnsOf(ctx context.Context, tx pgx.Tx, table string) (found []column, names []string, err error) {
	rows, err := tx.Query(ctx, `SELECT column_name::text, data_type::text FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`, table)
	if err != nil {
		return nil, nil, err
	}
	found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one column, err error) {
		return one, row.Scan(&one.name, &one.kind)
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("the database has no table %s: it was made by another release", table)
	}
	for _, one := range found {
		names = append(names, one.name)
	}
	return found, names, err
}

// ReadTables reads all rows of the tables as they are at one moment, one table after the other. Next gives a row's values
// in the order of the columns: int64, string, []byte or nil; no row at the end.
func ReadTables(ctx context.Context, url string, tables []string, read func(table string, columns []string, next func() ([]any, error)) error) (err error) {
	conn, err := alone(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, table := range tables {
			_, names, err := columnsOf(ctx, tx, table)
			if err != nil {
				return err
			}
			rows, err := tx.Query(ctx, `SELECT * FROM `+pgx.Identifier{table}.Sanitize())
			if err != nil {
				return err
			}
			err = read(table, names, func() ([]any, error) {
				if !rows.Next() {
					return nil, rows.Err()
				}
				values, err := rows.Values()
				for i, value := range values {
					if short, ok := value.(int32); ok {
						values[i] = int64(short)
					}
				}
				return values, err
			})
			rows.Close()
			if err := errors.Join(err, rows.Err()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Condition is what a server says of one of its databases.
type Condition struct {
	Empty     bool // it has no tables
	Checksums bool // the server finds a damaged page when it reads it
}

// Ask looks at a database without changing it.
func Ask(ctx context.Context, url string) (condition Condition, err error) {
	conn, err := alone(ctx, url)
	if err != nil {
		return Condition{}, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	err = conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NULL, current_setting('data_checksums') = 'on'`).
		Scan(&condition.Empty, &condition.Checksums)
	return condition, err
}

// CheckEmpty returns an error if one of the tables is there and has rows.
func CheckEmpty(ctx context.Context, url string, tables []string) (err error) {
	conn, err := alone(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, table := range tables {
			var there bool
			if err := tx.QueryRow(ctx, `SELECT to_regclass(quote_ident($1)) IS NOT NULL`, table).Scan(&there); err != nil {
				return err
			}
			if !there {
				continue
			}
			if err := checkEmpty(ctx, tx, table); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkEmpty(ctx context.Context, tx pgx.Tx, table string) error {
	var filled bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM `+pgx.Identifier{table}.Sanitize()+`)`).Scan(&filled); err != nil {
		return err
	}
	if filled {
		return fmt.Errorf("the table %s of the database is not empty: restore into a new database", table)
	}
	return nil
}

// WriteTables fills empty tables, all of them or none. Next gives rows as that of ReadTables does.
func WriteTables(ctx context.Context, url string, tables []string, write func(table string, columns []string) (next func() ([]any, error), err error)) (err error) {
	conn, err := alone(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, table := range tables {
			if _, err := tx.Exec(ctx, `LOCK TABLE `+pgx.Identifier{table}.Sanitize()+` IN ACCESS EXCLUSIVE MODE`); err != nil {
				return err
			}
			if err := checkEmpty(ctx, tx, table); err != nil {
				return err
			}
			columns, names, err := columnsOf(ctx, tx, table)
			if err != nil {
				return err
			}
			next, err := write(table, names)
			if err != nil {
				return fmt.Errorf("the table %s: %w", table, err)
			}
			_, err = tx.CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromFunc(func() ([]any, error) {
				row, err := next()
				for i := range row {
					switch value := row[i].(type) {
					case string:
						if columns[i].kind == "bytea" {
							row[i] = []byte(value)
						}
					case []byte:
						if columns[i].kind == "text" {
							row[i] = string(value)
						} else if value == nil {
							row[i] = []byte{} // an empty blob, which is not the same as none
						}
					}
				}
				return row, err
			}))
			if err != nil {
				return fmt.Errorf("the table %s: %w", table, err)
			}
		}
		return nil
	})
}

// noteSetting keeps a note in the database itself. No copy of the tables takes it along.
const noteSetting = "yagona.note"

// Note returns what SetNote left in the database, "" if nothing. It is seen by every process at once.
func (db *DB) Note(ctx context.Context) (note string, err error) {
	err = db.pool.QueryRow(ctx, `SELECT coalesce((SELECT substr(one, length($1) + 2) FROM pg_db_role_setting, unnest(setconfig) AS one
		WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND setrole = 0
			AND starts_with(one, $1 || '=')), '')`, noteSetting).Scan(&note)
	return note, explain(err)
}

// SetNote leaves a note in the database, or takes it away: "". The role must own the database.
func (db *DB) SetNote(ctx context.Context, note string) error {
	var statement string
	err := db.pool.QueryRow(ctx, `SELECT CASE WHEN $1 = '' THEN format('ALTER DATABASE %I RESET yagona.note', current_database())
		ELSE format('ALTER DATABASE %I SET yagona.note = %L', current_database(), $1::text) END`, note).Scan(&statement)
	if err != nil {
		return explain(err)
	}
	_, err = db.pool.Exec(ctx, statement)
	return explain(err)
}

// Advance makes the time of acts go on from the given one at least, which no act of this database was after.
func (db *DB) Advance(ctx context.Context, at time.Time) error {
	_, err := db.pool.Exec(ctx, `SELECT CASE WHEN last_value < $1 THEN setval('act_time', $1) END FROM act_time`, at.UnixMicro())
	return explain(err)
}
