-- +goose Up
-- Files of applications: photos of signed summaries.
CREATE TABLE attachment (
	key         TEXT  NOT NULL, -- the applicant
	id          TEXT  NOT NULL,
	application TEXT  NOT NULL,
	kind        TEXT  NOT NULL,
	sealed      BYTEA NOT NULL,
	event       TEXT  NOT NULL,
	PRIMARY KEY (key, id)
);
