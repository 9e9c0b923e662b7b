#!lua flags=no-writes
-- Reads a session's tasks. KEYS: record, lease. Returns {lease, tasks}.
return {redis.call('GET', KEYS[2]), redis.call('HGET', KEYS[1], 'tasks')}
