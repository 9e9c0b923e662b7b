-- +goose Up

-- What a row of the outbox asks for (start, cancel, trigger), and of which task.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'start';
ALTER TABLE outbox ADD COLUMN task TEXT NOT NULL DEFAULT '';
UPDATE outbox SET task = id;

-- JSON array of the starts that wait for the tasks they supersede.
ALTER TABLE sessions ADD COLUMN deferred TEXT NOT NULL DEFAULT '[]';

-- For the search for sessions with tasks.
CREATE INDEX sessions_with_tasks ON sessions (id) WHERE tasks <> '[]';

-- The presence lease of each starter.
CREATE TABLE starters (
    id    TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;

-- Which starter holds a connection of which session. The session itself may not exist yet.
CREATE TABLE presence (
    session TEXT NOT NULL,
    starter TEXT NOT NULL,
    PRIMARY KEY (session, starter)
) WITHOUT ROWID;
