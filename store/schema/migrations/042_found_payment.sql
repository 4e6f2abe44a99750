-- +goose Up
-- Payments that a bank has made and that the installation did not know when it was restored from a backup, until an order
-- takes each of them for its own. The digest is of whom it went to and for what, under a key; no account number is here.
CREATE TABLE found_payment (
	key    TEXT   NOT NULL, -- the fund's
	id     TEXT   NOT NULL, -- of the order that was lost
	fund   TEXT   NOT NULL,
	digest BYTEA  NOT NULL,
	amount BIGINT NOT NULL,
	at     BIGINT NOT NULL, -- when the bank took it
	placed TEXT   NOT NULL, -- the order that is paid by it, or empty
	event  TEXT   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX found_payment_open ON found_payment (key, digest, id) WHERE placed = '';
