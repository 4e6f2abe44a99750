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
	content     BLOB   NOT NULL,
	payload     BLOB   NOT NULL,
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, id)
) WITHOUT ROWID;
-- For whoever checks a document: its number is all that they have.
CREATE INDEX document_id ON document (id);

CREATE TABLE document_revocation (
	key        TEXT   NOT NULL, -- the document's subject
	document   TEXT   NOT NULL,
	at         BIGINT NOT NULL,
	until_time BIGINT,
	reason     BLOB   NOT NULL,
	event      TEXT   NOT NULL,
	PRIMARY KEY (key, document)
) WITHOUT ROWID;
CREATE INDEX document_revocation_document ON document_revocation (document);
