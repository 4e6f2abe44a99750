-- +goose Up
-- Who waits for limited places, and who holds them.
CREATE TABLE queue_entry (
	key         TEXT   NOT NULL, -- the queue's
	application TEXT   NOT NULL,
	queue       TEXT   NOT NULL,
	applicant   TEXT   NOT NULL,
	rank        TEXT   NOT NULL, -- of those who wait; else empty
	state       TEXT   NOT NULL,
	entered     BIGINT NOT NULL,
	changed     BIGINT NOT NULL,
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, application)
){{clustered}};
CREATE INDEX queue_entry_rank ON queue_entry (key, state, rank);
