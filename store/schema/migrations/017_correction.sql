-- +goose Up
CREATE TABLE correction (
	key      TEXT    NOT NULL, -- whose data it is
	id       TEXT    NOT NULL,
	register TEXT    NOT NULL,
	agency   TEXT    NOT NULL,
	state    TEXT    NOT NULL,
	late     INTEGER NOT NULL,
	revision BIGINT  NOT NULL,
	created  BIGINT  NOT NULL,
	due      BIGINT  NOT NULL,
	resolved BIGINT,
	sealed   BYTEA   NOT NULL,
	event    TEXT    NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX correction_id ON correction (id);
CREATE INDEX correction_waiting ON correction (agency, state, due);
