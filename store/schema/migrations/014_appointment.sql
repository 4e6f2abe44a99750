-- +goose Up
-- Who made an appointment, and whether it waits for a second registrar.
ALTER TABLE appointment ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE appointment ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
