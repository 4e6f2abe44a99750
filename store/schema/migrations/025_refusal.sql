-- +goose NO TRANSACTION
-- +goose Up
-- Why applications were refused, for the public statistics. A row names neither the applicant nor the application: which
-- requirement somebody did not meet stays sealed with the application.
CREATE TABLE IF NOT EXISTS refusal (
	key         TEXT NOT NULL, -- the agency
	id          TEXT NOT NULL, -- random; a refusal that is counted again is told by it
	requirement TEXT NOT NULL, -- or an evidence that has no record; empty: other words
	service     TEXT NOT NULL,
	territory   TEXT NOT NULL,
	PRIMARY KEY (key, id, requirement)
){{clustered}};
CREATE INDEX {{concurrently}} IF NOT EXISTS refusal_service ON refusal (service, territory, requirement);
-- Whether another payment order of an application took a rejected one's place.
CREATE INDEX {{concurrently}} IF NOT EXISTS payment_order_application ON payment_order (key, application, id);
