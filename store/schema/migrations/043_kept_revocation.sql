-- +goose Up
-- Revocations of documents that a restoration has lost, with what they were of: the published list goes on naming them.
CREATE TABLE kept_revocation (
	key       TEXT    NOT NULL, -- the platform
	document  TEXT    NOT NULL,
	at        BIGINT  NOT NULL,
	suspended INTEGER NOT NULL,
	event     TEXT    NOT NULL,
	PRIMARY KEY (key, document)
){{clustered}};
