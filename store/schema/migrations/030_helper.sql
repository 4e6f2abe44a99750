{{if postgres}}-- +goose NO TRANSACTION
{{end}}-- +goose Up
-- The official who wrote an application down for its applicant: they find again what still waits to be confirmed.
ALTER TABLE application ADD COLUMN {{if postgres}}IF NOT EXISTS {{end}}helper TEXT NOT NULL DEFAULT '';
CREATE INDEX {{concurrently}} IF NOT EXISTS application_helper ON application (helper, id) WHERE helper <> '' AND state = 'draft';
