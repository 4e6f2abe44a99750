-- +goose Up
-- Notebooks that an official is taking into a register: sealed for that official until all of it is settled, or dropped.
CREATE TABLE notebook (
	key      TEXT   NOT NULL, -- the official
	id       TEXT   NOT NULL, -- of the import
	register TEXT   NOT NULL,
	begun    BIGINT NOT NULL,
	revision BIGINT NOT NULL,
	sealed   BYTEA  NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
