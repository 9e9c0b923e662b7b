-- +goose Up

-- The mark of each owner of the ledger: what is kept of it beside its entries. at is when it was written or touched last; an owner
-- that was silent for long is forgotten with its entries. The row is rewritten by each call of the owner.
CREATE TABLE marks (
    session text        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    owner   text        NOT NULL,
    mark    json        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (session, owner)
) WITH (fillfactor = 70);

INSERT INTO marks SELECT session, owner, '{}', max(at) FROM ledger GROUP BY session, owner;

-- seq is the entry's number within its owner, in the owner's own count; 0 for none. An owner says up to which number its
-- entries may go.
DROP INDEX ledger_owner;
ALTER TABLE ledger DROP COLUMN n, DROP COLUMN at, ADD COLUMN seq bigint NOT NULL DEFAULT 0;
CREATE INDEX ledger_owner ON ledger (session, owner, seq);
