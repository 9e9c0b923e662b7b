-- +goose Up

-- The span that asked for the row, as a W3C traceparent; empty for none. With a constant default no row is rewritten, and a
-- program that does not know the column yet writes on.
ALTER TABLE outbox ADD COLUMN trace text NOT NULL DEFAULT '';
