-- +goose Up

-- Every table but that of starters has a primary key that begins with the session, and no statement of a section looks at two
-- sessions: the tables can be partitioned or spread by session. JSON is of type json, which keeps the text byte for byte.

-- One row a session. A session comes into being with its first commit. The row is rewritten by each commit: the room that is
-- left on its page and the lack of an index on touched_at keep that from touching any index. The search for sessions to
-- expire, some times an hour, reads the table.
CREATE TABLE sessions (
    session      text        NOT NULL PRIMARY KEY,
    epoch        text        NOT NULL, -- drawn at creation: a position of an expired session means nothing in its successor
    version      bigint      NOT NULL, -- counts commits
    revision     bigint      NOT NULL, -- counts visible changes
    last_message bigint      NOT NULL, -- number of the last message
    term         text        NOT NULL, -- of the hold that wrote last: one whose answer was lost finds out by it
    tasks        json        NOT NULL, -- array of the listed tasks
    task_ids     text[]      NOT NULL, -- their ids, to be searched
    deferred     json        NOT NULL, -- array of the starts that wait for the tasks they supersede
    touched_at   timestamptz NOT NULL  -- last use
) WITH (fillfactor = 70);

-- For the search for sessions with tasks.
CREATE INDEX sessions_with_tasks ON sessions (session) WHERE task_ids <> '{}';

-- Who holds a session, and until when by the server's clock. The session itself may not exist yet. The term is never used
-- twice: it is the fence; it is empty when nobody holds. The table is unlogged: to take a hold waits for no disk, and after a
-- crash or a failover it is empty, so that whoever held a session then finds the hold lost and writes nothing.
CREATE UNLOGGED TABLE holds (
    session text        NOT NULL PRIMARY KEY,
    term    text        NOT NULL,
    until   timestamptz NOT NULL
) WITH (fillfactor = 50);

-- The states of a session, by name. One that was never written has no row.
CREATE TABLE documents (
    session text NOT NULL REFERENCES sessions ON DELETE CASCADE,
    name    text NOT NULL,
    body    json NOT NULL,
    PRIMARY KEY (session, name)
) WITH (fillfactor = 70);

-- Applied calls and their results. n counts the calls of an owner, so that the oldest can be dropped.
CREATE TABLE ledger (
    session text        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    key     text        NOT NULL,
    owner   text        NOT NULL,
    n       bigint      NOT NULL,
    result  json,
    at      timestamptz NOT NULL,
    PRIMARY KEY (session, key)
);

CREATE UNIQUE INDEX ledger_owner ON ledger (session, owner, n);

-- The log of visible changes.
CREATE TABLE changes (
    session  text   NOT NULL REFERENCES sessions ON DELETE CASCADE,
    revision bigint NOT NULL,
    body     json   NOT NULL,
    PRIMARY KEY (session, revision)
);

-- Messages to the page that are kept for a client that is away for longer than the log reaches.
CREATE TABLE messages (
    session  text   NOT NULL REFERENCES sessions ON DELETE CASCADE,
    id       bigint NOT NULL,
    revision bigint NOT NULL,
    name     text   NOT NULL,
    data     json   NOT NULL,
    PRIMARY KEY (session, id)
);

-- What sections have asked for and is to be done (kind: start, cancel, trigger). n orders the rows: those of one session
-- exactly, as one section at a time writes them.
CREATE TABLE outbox (
    session  text        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    id       text        NOT NULL,
    n        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    kind     text        NOT NULL,
    task     text        NOT NULL,
    app      text        NOT NULL,
    name     text        NOT NULL,
    argument json,
    at       timestamptz NOT NULL,
    PRIMARY KEY (session, id)
);

CREATE INDEX outbox_n ON outbox (n);

-- The presence lease of each starter.
CREATE TABLE starters (
    id    text        NOT NULL PRIMARY KEY,
    until timestamptz NOT NULL
);

-- Which starter holds a connection of which session. The session itself may not exist yet.
CREATE TABLE presence (
    session text NOT NULL,
    starter text NOT NULL,
    PRIMARY KEY (session, starter)
);

-- Ends a hold, as the first step of the transaction that commits, and breaks that transaction off if the hold was lost. Until
-- the transaction ends the row is locked, and nobody can take the session.
-- +goose StatementBegin
CREATE FUNCTION give_up(held_session text, held_term text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE holds SET term = '', until = '-infinity' WHERE session = held_session AND term = held_term;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the hold was lost' USING ERRCODE = 'HF001';
    END IF;
END
$$;
-- +goose StatementEnd
