-- +goose Up

-- Times are microseconds of the file's own clock: since 1970 at first, by the clock of the machine that made
-- the file, and from then on counted by how long machines have run. It cannot be set. The one row says how to
-- tell it on the machine as it was booted last: what to add to the time since that boot.
CREATE TABLE clock (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    boot     TEXT    NOT NULL, -- the id of that boot
    ahead_by INTEGER NOT NULL
);
