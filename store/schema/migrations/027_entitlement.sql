-- +goose Up
-- What a granted application leaves in force: a benefit that is paid again and again, one of limited places, a licence.
CREATE TABLE entitlement (
	key         TEXT   NOT NULL, -- who holds it
	application TEXT   NOT NULL,
	service     TEXT   NOT NULL,
	agency      TEXT   NOT NULL,
	state       TEXT   NOT NULL,
	since       BIGINT NOT NULL,
	until       BIGINT,
	paid        TEXT   NOT NULL, -- the first day of the last period that was paid; empty: none
	reviewed    BIGINT,          -- when something is due: the next period, a reminder, the end
	published   TEXT   NOT NULL, -- of a licence: what stands in the open list, as JSON; else empty
	event       TEXT   NOT NULL,
	PRIMARY KEY (key, application)
){{clustered}};
CREATE INDEX entitlement_published ON entitlement (service, application) WHERE published <> '';
