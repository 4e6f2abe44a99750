-- +goose Up
-- What has left the database: each file into which a month was moved, and what of it is there.
CREATE TABLE archive_volume (
	key   TEXT NOT NULL, -- the platform
	id    TEXT NOT NULL,
	row   TEXT NOT NULL, -- the volume as JSON
	event TEXT NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
