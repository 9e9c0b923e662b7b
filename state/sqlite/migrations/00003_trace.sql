-- +goose Up

-- The span that asked for the row, as a W3C traceparent; empty for none.
ALTER TABLE outbox ADD COLUMN trace TEXT NOT NULL DEFAULT '';
