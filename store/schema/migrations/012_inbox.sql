-- +goose Up
-- The inbox of a small place, and its counts, without touching the rows.
CREATE INDEX task_place ON task (agency, role, place, due, id, state, assignee, service, step, territory)
	WHERE state IN ('open', 'claimed');
CREATE INDEX task_assignee ON task (assignee, due, id) WHERE state = 'claimed';
CREATE INDEX task_waiting ON task (agency, role, place, opened, id, territory, assignee) WHERE state = 'waiting';
-- How long steps took.
CREATE INDEX task_done ON task (agency, role, place, closed, opened, territory, assignee) WHERE state = 'done';
