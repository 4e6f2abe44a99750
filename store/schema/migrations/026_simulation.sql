-- +goose Up
-- What would a change of rules do: what of each run may be published.
CREATE TABLE simulation (
	key     TEXT   NOT NULL,
	id      TEXT   NOT NULL,
	at      BIGINT NOT NULL,
	service TEXT   NOT NULL,
	content BYTEA  NOT NULL,
	event   TEXT   NOT NULL,
	PRIMARY KEY (key, id)
);

-- Events about a population, which have no part for each of its people: from when everybody sees them in "who read my data".
CREATE TABLE event_population (
	key        TEXT   NOT NULL,
	id         TEXT   NOT NULL,
	shown_from BIGINT NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX event_population_id ON event_population (id);
