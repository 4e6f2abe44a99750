-- +goose Up
-- How people want to be told, and what became of the messages that left the house.
CREATE TABLE contact (
	key    TEXT  NOT NULL, -- the reader
	routes TEXT  NOT NULL,
	sealed BYTEA NOT NULL,
	event  TEXT  NOT NULL,
	PRIMARY KEY (key)
);
CREATE TABLE delivery (
	key      TEXT    NOT NULL, -- the reader
	id       TEXT    NOT NULL,
	notice   TEXT    NOT NULL,
	channel  TEXT    NOT NULL,
	address  TEXT    NOT NULL,
	state    TEXT    NOT NULL,
	reason   TEXT    NOT NULL,
	attempts INTEGER NOT NULL,
	receipt  TEXT    NOT NULL,
	queued   BIGINT  NOT NULL,
	changed  BIGINT  NOT NULL,
	event    TEXT    NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE TABLE contact_link (
	key     TEXT   NOT NULL, -- of a code
	reader  TEXT   NOT NULL,
	address TEXT   NOT NULL,
	until   BIGINT NOT NULL,
	PRIMARY KEY (key)
){{clustered}};
CREATE TABLE allowance (
	key TEXT   NOT NULL, -- of an address or of a person, as a keyed digest
	id  TEXT   NOT NULL,
	at  BIGINT NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
