-- +goose Up
CREATE TABLE draft (
	key   TEXT  NOT NULL, -- the agency whose publishers write it
	pack  TEXT  NOT NULL,
	row   TEXT  NOT NULL, -- the draft without its files, as JSON
	files BYTEA NOT NULL,
	PRIMARY KEY (key, pack)
){{clustered}};
