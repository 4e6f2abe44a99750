-- +goose Up
{{if sqlite}}
-- SQLite, which keeps no statistics here, looks a record's register up among all that the key has unless an index holds
-- everything that is asked. PostgreSQL does that by the index that it has.
CREATE INDEX register_version_of_record ON register_version (record, key, register);
DROP INDEX register_version_record;
{{end}}
