-- +goose NO TRANSACTION
-- +goose Up
-- Work that waits for all other work, such as counting figures: a payment does not wait behind an import.
ALTER TABLE job ADD COLUMN background INTEGER NOT NULL DEFAULT 0;
CREATE INDEX {{concurrently}} job_turn ON job (background, due) WHERE dead = 0;
