-- +goose Up
CREATE TABLE session (
	key         TEXT   NOT NULL,
	digest      BYTEA   NOT NULL,
	id          TEXT   NOT NULL,
	person      TEXT   NOT NULL,
	appointment TEXT   NOT NULL,
	channel     TEXT   NOT NULL,
	shared      INTEGER NOT NULL,
	started     BIGINT NOT NULL,
	seen        BIGINT NOT NULL,
	ends        BIGINT NOT NULL,
	PRIMARY KEY (key, digest)
){{clustered}};
CREATE INDEX session_person ON session (person, started);
CREATE INDEX session_ends ON session (ends);

CREATE TABLE spent_proof (
	key        TEXT   NOT NULL,
	digest     BYTEA   NOT NULL,
	until_time BIGINT NOT NULL,
	PRIMARY KEY (key, digest)
){{clustered}};
CREATE INDEX spent_proof_until ON spent_proof (until_time);

CREATE TABLE answer (
	key        TEXT   NOT NULL,
	name       BYTEA   NOT NULL,
	request    BYTEA   NOT NULL,
	sealed     BYTEA   NOT NULL,
	until_time BIGINT NOT NULL,
	PRIMARY KEY (key, name)
);
CREATE INDEX answer_until ON answer (until_time);
