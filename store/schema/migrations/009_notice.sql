-- +goose Up
CREATE TABLE notice (
	key         TEXT   NOT NULL, -- the reader
	id          TEXT   NOT NULL,
	kind        TEXT   NOT NULL,
	application TEXT   NOT NULL,
	at          BIGINT NOT NULL,
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
