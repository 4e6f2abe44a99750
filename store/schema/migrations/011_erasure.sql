-- +goose Up
CREATE TABLE erasure (
	key    TEXT NOT NULL, -- the subject
	id     TEXT NOT NULL,
	agency TEXT NOT NULL,
	row    TEXT NOT NULL, -- the erasure as JSON
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX erasure_id ON erasure (id);
CREATE INDEX erasure_agency ON erasure (agency, id);
