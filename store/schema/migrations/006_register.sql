-- +goose Up
-- Records live under their subject's key, or under the register's if they are about nobody.
CREATE TABLE register_version (
	key       TEXT    NOT NULL,
	register  TEXT    NOT NULL,
	record    TEXT    NOT NULL,
	number    INTEGER NOT NULL,
	at        BIGINT  NOT NULL,
	from_date TEXT    NOT NULL,
	closed    INTEGER NOT NULL,
	corrects  INTEGER NOT NULL,
	cause     TEXT    NOT NULL,
	body      BYTEA    NOT NULL,
	event     TEXT    NOT NULL,
	PRIMARY KEY (key, register, record, number)
);
CREATE UNIQUE INDEX register_version_cause ON register_version (key, register, cause) WHERE cause <> '';
CREATE INDEX register_version_record ON register_version (record);
CREATE INDEX register_version_register ON register_version (register, key, record, number);

-- By what a record's newest version is found: keyed hashes, no values.
CREATE TABLE register_index (
	key      TEXT NOT NULL,
	record   TEXT NOT NULL,
	hash     TEXT NOT NULL,
	register TEXT NOT NULL,
	PRIMARY KEY (key, record, hash)
){{clustered}};
CREATE INDEX register_index_hash ON register_index (hash, key, record);

CREATE TABLE register_claim (
	hash   TEXT   NOT NULL PRIMARY KEY, -- a key of its own
	record TEXT   NOT NULL,
	at     BIGINT NOT NULL
){{clustered}};
