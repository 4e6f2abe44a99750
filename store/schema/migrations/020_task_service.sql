-- +goose NO TRANSACTION
-- +goose Up
-- How long a service takes is counted over its steps that are done.
CREATE INDEX {{concurrently}} task_service ON task (service, state);
