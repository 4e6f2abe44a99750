-- +goose Up
-- Photos on their way: what of them has arrived, until a decision takes them up as attachments.
CREATE TABLE upload (
	key      TEXT    NOT NULL, -- the applicant
	id       TEXT    NOT NULL,
	task     TEXT    NOT NULL,
	person   TEXT    NOT NULL, -- the official who sends it
	size     BIGINT  NOT NULL,
	digest   BYTEA   NOT NULL,
	received BIGINT  NOT NULL,
	expires  BIGINT  NOT NULL,
	sealed   BYTEA   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE TABLE upload_piece (
	key    TEXT   NOT NULL, -- the applicant
	upload TEXT   NOT NULL,
	start  BIGINT NOT NULL,
	sealed BYTEA  NOT NULL,
	PRIMARY KEY (key, upload, start)
);
-- The public keys by which people confirm with a device of their own.
CREATE TABLE passkey (
	key    TEXT  NOT NULL, -- whose they are
	sealed BYTEA NOT NULL,
	event  TEXT  NOT NULL,
	PRIMARY KEY (key)
);
