-- +goose Up
{{if sqlite}}
-- In one file nothing needs to be spread by key. Ids begin with their time: an index in their order takes all rows of a
-- commit on its last page, and one in the order of keys, which are scattered, a page for each row. So what is only ever looked
-- up by id and key has the id first, and nothing has the same columns in two orders. On a server the key comes first
-- everywhere (schema.Tables). In a large file this takes minutes and, meanwhile, as much of the disk again.
CREATE TABLE event_by_id (
	key       TEXT   NOT NULL,
	id        TEXT   NOT NULL,
	at        BIGINT NOT NULL,
	header    BYTEA  NOT NULL,
	entry     BYTEA  NOT NULL,
	log_index BIGINT,
	PRIMARY KEY (id, key)
);
INSERT INTO event_by_id SELECT key, id, at, header, entry, log_index FROM event ORDER BY rowid;
DROP TABLE event;
ALTER TABLE event_by_id RENAME TO event;
CREATE UNIQUE INDEX event_log_index ON event (log_index) WHERE log_index IS NOT NULL;
CREATE INDEX event_pending ON event (id) WHERE log_index IS NULL;

CREATE TABLE exchange_by_id (
	key         TEXT   NOT NULL,
	id          TEXT   NOT NULL,
	at          BIGINT NOT NULL,
	sealed      BYTEA  NOT NULL,
	event       TEXT   NOT NULL,
	application TEXT,
	PRIMARY KEY (id, key)
);
INSERT INTO exchange_by_id SELECT key, id, at, sealed, event, application FROM exchange ORDER BY rowid;
DROP TABLE exchange;
ALTER TABLE exchange_by_id RENAME TO exchange;
CREATE INDEX exchange_application ON exchange (application);

CREATE TABLE task_by_id (
	key         TEXT    NOT NULL,
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
	PRIMARY KEY (id, key)
);
INSERT INTO task_by_id SELECT key, id, application, service, step, agency, role, territory, place, escalated, state, assignee,
	opened, clock, due, closed, event FROM task ORDER BY rowid;
DROP TABLE task;
ALTER TABLE task_by_id RENAME TO task;
CREATE INDEX task_application ON task (application, key);
CREATE INDEX task_inbox ON task (agency, role, due, id) WHERE state IN ('open', 'claimed');
CREATE INDEX task_place ON task (agency, role, place, due, id, state, assignee, service, step, territory)
	WHERE state IN ('open', 'claimed');
CREATE INDEX task_assignee ON task (assignee, due, id) WHERE state = 'claimed';
CREATE INDEX task_waiting ON task (agency, role, place, opened, id, territory, assignee) WHERE state = 'waiting';
CREATE INDEX task_done ON task (agency, role, place, closed, opened, territory, assignee) WHERE state = 'done';
CREATE INDEX task_service ON task (service, state);

CREATE TABLE register_version_by_register (
	key       TEXT    NOT NULL,
	register  TEXT    NOT NULL,
	record    TEXT    NOT NULL,
	number    INTEGER NOT NULL,
	at        BIGINT  NOT NULL,
	from_date TEXT    NOT NULL,
	closed    INTEGER NOT NULL,
	corrects  INTEGER NOT NULL,
	cause     TEXT    NOT NULL,
	body      BYTEA   NOT NULL,
	event     TEXT    NOT NULL,
	PRIMARY KEY (register, key, record, number)
);
INSERT INTO register_version_by_register SELECT key, register, record, number, at, from_date, closed, corrects, cause, body, event
	FROM register_version ORDER BY rowid;
DROP TABLE register_version;
ALTER TABLE register_version_by_register RENAME TO register_version;
CREATE UNIQUE INDEX register_version_cause ON register_version (key, register, cause) WHERE cause <> '';
CREATE INDEX register_version_of_record ON register_version (record, key, register);
{{end}}
