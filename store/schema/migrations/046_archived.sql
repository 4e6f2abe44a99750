-- +goose NO TRANSACTION
-- +goose Up
-- Which volume of an archive has what was said in a closed application; empty: it is here.
ALTER TABLE application ADD COLUMN {{if postgres}}IF NOT EXISTS {{end}}archived TEXT NOT NULL DEFAULT '';
-- The application that an answer was asked for, or empty. NULL: it was kept before this was written down.
ALTER TABLE exchange ADD COLUMN {{if postgres}}IF NOT EXISTS {{end}}application TEXT;
-- What may leave, by the month of its last act: an event's id begins with its time.
CREATE INDEX {{concurrently}} IF NOT EXISTS application_closed ON application (event)
	WHERE archived = '' AND state IN ('ended', 'expired', 'granted', 'received', 'refused', 'withdrawn');
