-- +goose Up

-- Times are microseconds since 1970 in UTC; JSON is kept as text.

-- One row a session. A session comes into being with its first commit.
CREATE TABLE sessions (
    id           TEXT    NOT NULL PRIMARY KEY,
    epoch        TEXT    NOT NULL, -- drawn at creation, so that a position of an expired session means nothing in its successor
    version      INTEGER NOT NULL, -- counts commits
    revision     INTEGER NOT NULL, -- counts visible changes
    last_message INTEGER NOT NULL,
    tasks        TEXT    NOT NULL, -- JSON array of the running tasks
    touched_at   INTEGER NOT NULL  -- last use
) WITHOUT ROWID;

-- For the search for sessions to expire.
CREATE INDEX sessions_touched_at ON sessions (touched_at);

-- The states of a session, by name. One that was never written has no row.
CREATE TABLE documents (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (session, name)
) WITHOUT ROWID;

-- Who holds a session, and until when. The session itself may not exist yet. The term is never used twice: it is the fence.
CREATE TABLE leases (
    session TEXT    NOT NULL PRIMARY KEY,
    term    TEXT    NOT NULL,
    until   INTEGER NOT NULL
) WITHOUT ROWID;

-- Applied calls and their results. n counts the calls of an owner, so that the oldest can be dropped.
CREATE TABLE ledger (
    session TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    key     TEXT    NOT NULL,
    owner   TEXT    NOT NULL,
    n       INTEGER NOT NULL,
    result  TEXT,
    at      INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) WITHOUT ROWID;

CREATE UNIQUE INDEX ledger_owner ON ledger (session, owner, n);

-- The log of visible changes. id counts over all sessions and is never used twice: other processes look for what is new.
CREATE TABLE changes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    session  TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    body     TEXT    NOT NULL
);

CREATE UNIQUE INDEX changes_revision ON changes (session, revision);

-- Messages to the page that are kept for a client that is away for longer than the log reaches.
CREATE TABLE messages (
    session  TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    id       INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    data     TEXT    NOT NULL,
    PRIMARY KEY (session, id)
) WITHOUT ROWID;

-- Tasks whose section has committed and whose workflow is to be started, in order.
CREATE TABLE outbox (
    n        INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    session  TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    app      TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    argument TEXT,
    at       INTEGER NOT NULL
);

CREATE INDEX outbox_session ON outbox (session);
