-- +goose Up
-- Until when a process has taken a job upon itself; 0: none has.
ALTER TABLE job ADD COLUMN claimed_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX job_claimed ON job (claimed_until) WHERE claimed_until > 0;
{{if postgres}}
-- The time of the newest act, in microseconds. A sequence keeps it without being locked until a commit.
CREATE SEQUENCE act_time MINVALUE 1;

-- The last act of each connection that appended no event: whether it was committed is read here if the answer was lost.
CREATE TABLE act_mark (
	connection TEXT   NOT NULL PRIMARY KEY,
	act        TEXT   NOT NULL,
	at         BIGINT NOT NULL
);
{{end}}
