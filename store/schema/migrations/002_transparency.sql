-- +goose Up
-- How far the log is: one row under the platform's key.
CREATE TABLE log_head (
	key       TEXT   NOT NULL PRIMARY KEY,
	size      BIGINT NOT NULL,
	signed    BYTEA,
	published BYTEA
);

-- The tiles of the log, each with all that it has so far; level -1 are the entry bundles. With row ids: its rows are
-- wide.
CREATE TABLE log_tile (
	key    TEXT    NOT NULL,
	level  INTEGER NOT NULL,
	number BIGINT  NOT NULL,
	data   BYTEA    NOT NULL,
	PRIMARY KEY (key, level, number)
);
