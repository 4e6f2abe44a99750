-- +goose Up
CREATE TABLE exchange (
	key    TEXT   NOT NULL,
	id     TEXT   NOT NULL,
	at     BIGINT NOT NULL,
	sealed BYTEA   NOT NULL,
	event  TEXT   NOT NULL,
	PRIMARY KEY (key, id)
);
