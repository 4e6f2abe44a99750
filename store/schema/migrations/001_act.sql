-- +goose Up
CREATE TABLE event (
	key       TEXT    NOT NULL,
	id        TEXT    NOT NULL,
	at        BIGINT  NOT NULL,
	header    BYTEA    NOT NULL,
	entry     BYTEA    NOT NULL,
	log_index BIGINT,
	PRIMARY KEY (key, id)
);
-- The log's own order: unique in the whole log, and only the sequencer writes it.
CREATE UNIQUE INDEX event_log_index ON event (log_index) WHERE log_index IS NOT NULL;
CREATE INDEX event_pending ON event (id) WHERE log_index IS NULL;

CREATE TABLE event_part (
	key        TEXT    NOT NULL,
	event      TEXT    NOT NULL,
	number     INTEGER NOT NULL,
	subject    TEXT    NOT NULL,
	sealed     BYTEA    NOT NULL,
	disclosure INTEGER NOT NULL,
	shown_from BIGINT,
	PRIMARY KEY (key, event, number)
);
CREATE INDEX event_part_subject ON event_part (subject, event);

CREATE TABLE job (
	key      TEXT    NOT NULL,
	id       TEXT    NOT NULL,
	kind     TEXT    NOT NULL,
	due      BIGINT  NOT NULL,
	payload  BYTEA    NOT NULL,
	attempts INTEGER NOT NULL,
	failure  TEXT    NOT NULL,
	dead     INTEGER NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX job_due ON job (due) WHERE dead = 0;

CREATE TABLE person_index (
	number_index TEXT NOT NULL PRIMARY KEY, -- a key of its own
	person       TEXT NOT NULL
){{clustered}};

CREATE TABLE person (
	key    TEXT NOT NULL PRIMARY KEY,
	sealed BYTEA NOT NULL,
	event  TEXT NOT NULL
){{clustered}};

CREATE TABLE appointment (
	key         TEXT   NOT NULL,
	id          TEXT   NOT NULL,
	person      TEXT   NOT NULL,
	agency      TEXT   NOT NULL,
	role        TEXT   NOT NULL,
	territory   TEXT   NOT NULL,
	from_time   BIGINT NOT NULL,
	until_time  BIGINT,
	substitutes TEXT   NOT NULL,
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX appointment_person ON appointment (person);
CREATE INDEX appointment_id ON appointment (id);
CREATE INDEX appointment_place ON appointment (agency, role, territory);
