-- +goose Up
-- What the platform offered people by itself.
CREATE TABLE offer (
	key         TEXT   NOT NULL, -- to whom
	id          TEXT   NOT NULL,
	service     TEXT   NOT NULL,
	application TEXT   NOT NULL,
	territory   TEXT   NOT NULL,
	made        BIGINT NOT NULL,
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX offer_service ON offer (service, territory);

-- Who takes part in that.
CREATE TABLE participation (
	key      TEXT    NOT NULL,
	declined INTEGER NOT NULL,
	visits   INTEGER NOT NULL,
	sealed   BYTEA,
	event    TEXT    NOT NULL,
	PRIMARY KEY (key)
);
