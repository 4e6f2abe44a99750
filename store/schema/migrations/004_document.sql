-- +goose Up
CREATE TABLE document (
	key         TEXT   NOT NULL, -- the subject
	id          TEXT   NOT NULL,
	type        TEXT   NOT NULL,
	service     TEXT   NOT NULL,
	agency      TEXT   NOT NULL,
	application TEXT   NOT NULL,
	issued      BIGINT NOT NULL,
	from_time   BIGINT,
	until_time  BIGINT,
	content     BYTEA   NOT NULL,
	payload     BYTEA   NOT NULL,
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, id)
);
-- For whoever checks a document: its number is all that they have.
CREATE INDEX document_id ON document (id);

CREATE TABLE document_revocation (
	key        TEXT   NOT NULL, -- the document's subject
	document   TEXT   NOT NULL,
	at         BIGINT NOT NULL,
	until_time BIGINT,
	reason     BYTEA   NOT NULL,
	event      TEXT   NOT NULL,
	PRIMARY KEY (key, document)
){{clustered}};
CREATE INDEX document_revocation_document ON document_revocation (document);
