#!lua flags=no-writes
-- Reads what decides in which indexes a session belongs. KEYS: record, order of the outbox. Returns {touched, tasks, rows}.
local found = redis.call('HMGET', KEYS[1], 'touched', 'tasks')
return {found[1], found[2], redis.call('ZCARD', KEYS[2])}
