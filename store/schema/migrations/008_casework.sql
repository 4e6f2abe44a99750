-- +goose Up
CREATE TABLE application (
	key       TEXT   NOT NULL, -- the applicant
	id        TEXT   NOT NULL,
	service   TEXT   NOT NULL,
	version   TEXT   NOT NULL,
	agency    TEXT   NOT NULL,
	state     TEXT   NOT NULL,
	revision  BIGINT NOT NULL,
	stage     INTEGER NOT NULL,
	language  TEXT   NOT NULL,
	created   BIGINT NOT NULL,
	submitted BIGINT,
	decided   BIGINT,
	expires   BIGINT,
	territory TEXT   NOT NULL,
	sealed    BYTEA   NOT NULL,
	event     TEXT   NOT NULL,
	PRIMARY KEY (key, id)
);
CREATE INDEX application_id ON application (id);
CREATE INDEX application_service ON application (service, territory, state, submitted, decided);

CREATE TABLE task (
	key         TEXT    NOT NULL, -- the applicant
	id          TEXT    NOT NULL,
	application TEXT    NOT NULL,
	service     TEXT    NOT NULL,
	step        TEXT    NOT NULL,
	agency      TEXT    NOT NULL,
	role        TEXT    NOT NULL,
	territory   TEXT    NOT NULL,
	place       TEXT    NOT NULL,
	escalated   INTEGER NOT NULL,
	state       TEXT    NOT NULL,
	assignee    TEXT    NOT NULL,
	opened      BIGINT  NOT NULL,
	clock       TEXT    NOT NULL,
	due         BIGINT,
	closed      BIGINT,
	event       TEXT    NOT NULL,
	PRIMARY KEY (key, id)
);
CREATE INDEX task_id ON task (id);
CREATE INDEX task_application ON task (key, application);
CREATE INDEX task_inbox ON task (agency, role, due, id) WHERE state IN ('open', 'claimed');

CREATE TABLE outage (
	key        TEXT   NOT NULL,
	id         TEXT   NOT NULL,
	from_time  BIGINT NOT NULL,
	until_time BIGINT NOT NULL,
	reason     TEXT   NOT NULL,
	event      TEXT   NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
