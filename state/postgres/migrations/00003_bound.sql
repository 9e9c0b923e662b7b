-- +goose Up

-- Whether the task to start is cancelled when its page has gone. With a constant default no row is rewritten, and a program
-- that does not know the column yet writes on.
ALTER TABLE outbox ADD COLUMN bound boolean NOT NULL DEFAULT true;
