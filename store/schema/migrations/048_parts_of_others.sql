-- +goose NO TRANSACTION
-- +goose Up
-- Most parts are about whom their event's key names, and are found under the key: only those of others need an index.
CREATE INDEX {{concurrently}} IF NOT EXISTS event_part_others ON event_part (subject, event) WHERE subject <> key;
{{if sqlite}}
-- No other process serves from this file. On a server event_part_subject goes in a later release.
DROP INDEX IF EXISTS event_part_subject;
{{end}}
