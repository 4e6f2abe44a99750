-- +goose Up
-- How far the indicators' counts have followed the log.
CREATE TABLE indicator_place (
	key    TEXT   NOT NULL,
	next   BIGINT NOT NULL, -- the place of the first event that was not looked at
	counts TEXT   NOT NULL, -- that have everything before it, as JSON
	PRIMARY KEY (key)
){{clustered}};
