-- +goose Up
-- Who may act for whom because the other gave a mandate.
CREATE TABLE mandate (
	key            TEXT   NOT NULL, -- who gave it
	id             TEXT   NOT NULL,
	representative TEXT   NOT NULL,
	revision       BIGINT NOT NULL,
	created        BIGINT NOT NULL,
	accepted       BIGINT,
	until          BIGINT NOT NULL,
	ended          BIGINT,
	sealed         BYTEA  NOT NULL,
	event          TEXT   NOT NULL,
	PRIMARY KEY (key, id)
);
CREATE INDEX mandate_id ON mandate (id);
CREATE INDEX mandate_representative ON mandate (representative, id);
