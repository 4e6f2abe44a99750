-- +goose Up
-- Which of several processes advances the log: one row under the platform's key.
CREATE TABLE log_lead (
	key        TEXT   NOT NULL PRIMARY KEY,
	process    TEXT   NOT NULL,
	term       BIGINT NOT NULL,
	until_time BIGINT NOT NULL
){{clustered}};
