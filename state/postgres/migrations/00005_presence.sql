-- +goose Up

-- The term of a starter's lease is another one after the lease had lapsed.
ALTER TABLE starters ADD COLUMN term bigint NOT NULL DEFAULT 0;

-- What the starter holds of the session: connected, or leaving (its tasks have not all been told yet).
ALTER TABLE presence ADD COLUMN state text NOT NULL DEFAULT 'connected';
