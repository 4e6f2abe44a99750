-- +goose Up
CREATE TABLE publication (
	key         TEXT   NOT NULL, -- the platform
	id          TEXT   NOT NULL,
	pack        TEXT   NOT NULL,
	digest      TEXT   NOT NULL,
	state       TEXT   NOT NULL,
	row         TEXT   NOT NULL, -- the publication without its files, as JSON
	files       BYTEA   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};

CREATE TABLE closure (
	key     TEXT   NOT NULL, -- the platform
	version TEXT   NOT NULL,
	row     TEXT   NOT NULL, -- the closure as JSON
	PRIMARY KEY (key, version)
){{clustered}};
