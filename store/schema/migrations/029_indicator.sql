-- +goose Up
-- Counts live under their indicator's key: what is counted of many people lies in no one's.
CREATE TABLE indicator_count (
	key   TEXT   NOT NULL, -- the indicator and what it measures
	begun BIGINT NOT NULL,
	done  BIGINT,
	PRIMARY KEY (key)
){{clustered}};

-- What each source contributes, under a keyed hash.
CREATE TABLE indicator_source (
	key    TEXT   NOT NULL,
	source TEXT   NOT NULL,
	seen   BIGINT NOT NULL,
	parts  TEXT   NOT NULL, -- as JSON
	PRIMARY KEY (key, source)
){{clustered}};

CREATE TABLE indicator_part (
	key         TEXT    NOT NULL,
	territory   TEXT    NOT NULL,
	month       INTEGER NOT NULL,
	numerator   BIGINT  NOT NULL,
	denominator BIGINT  NOT NULL,
	PRIMARY KEY (key, territory, month)
){{clustered}};
