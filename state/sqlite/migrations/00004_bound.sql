-- +goose Up

-- Whether the task to start is cancelled when its page has gone.
ALTER TABLE outbox ADD COLUMN bound INTEGER NOT NULL DEFAULT 1;
