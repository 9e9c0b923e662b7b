#!lua flags=no-writes
-- Reads the oldest rows of a session's outbox. KEYS: order, rows, lease. ARGV: limit.
-- Returns {lease, {time, row, time, row, ...}}.
local ids = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
local found = {}
for i = 1, #ids, 2 do
  found[i], found[i + 1] = ids[i + 1], redis.call('HGET', KEYS[2], ids[i])
end
return {redis.call('GET', KEYS[3]), found}
