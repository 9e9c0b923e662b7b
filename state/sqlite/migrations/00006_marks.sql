-- +goose Up

-- The mark of each owner of the ledger: what is kept of it beside its entries. at is when it was written or touched last; an owner
-- that was silent for long is forgotten with its entries.
CREATE TABLE marks (
    session TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    owner   TEXT    NOT NULL,
    mark    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (session, owner)
) WITHOUT ROWID;

INSERT INTO marks SELECT session, owner, '{}', max(at) FROM ledger GROUP BY session, owner;

-- seq is the entry's number within its owner, in the owner's own count; 0 for none. An owner says up to which number its
-- entries may go.
ALTER TABLE ledger RENAME TO ledger_before;
DROP INDEX ledger_owner;
CREATE TABLE ledger (
    session TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    key     TEXT    NOT NULL,
    owner   TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    result  TEXT,
    PRIMARY KEY (session, key)
) WITHOUT ROWID;
INSERT INTO ledger SELECT session, key, owner, 0, result FROM ledger_before;
DROP TABLE ledger_before;

CREATE INDEX ledger_owner ON ledger (session, owner, seq);
