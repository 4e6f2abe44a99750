-- +goose Up
-- The act that queued a job, where it is traced (W3C Trace Context), or empty.
ALTER TABLE job ADD COLUMN trace TEXT NOT NULL DEFAULT '';
-- What is written to try whether anything can be.
CREATE TABLE probe (
	key TEXT   NOT NULL PRIMARY KEY,
	at  BIGINT NOT NULL
);
