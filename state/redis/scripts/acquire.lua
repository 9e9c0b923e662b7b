#!lua
-- Takes the lease if nobody has it or it has lapsed, and reads what the session holds.
-- KEYS: lease, waiting, record, documents, ledger, marks, rows of the outbox.
-- ARGV: term, lease in ms, ms for which a lapsed lease is remembered, key in the ledger, owner of a mark, id of a row ('' for none).
-- Returns {0, ms that the other's lease still lasts} or {1, record, documents, entry, mark, 1 if there is the row}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local term, till = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
if term and term ~= ARGV[1] and tonumber(till) > now then
  redis.call('SET', KEYS[2], '1', 'PX', 10000) -- who ends the hold tells that it is free
  return {0, tonumber(till) - now}
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. string.format('%.0f', now + ARGV[2]), 'PX', ARGV[2] + ARGV[3])
local function find(key, name)
  return name ~= '' and redis.call('HGET', key, name)
end
return {1, redis.call('HMGET', KEYS[3], 'epoch', 'version', 'revision', 'last_message', 'tasks', 'deferred'),
  redis.call('HGETALL', KEYS[4]), find(KEYS[5], ARGV[4]), find(KEYS[6], ARGV[5]), find(KEYS[7], ARGV[6]) and 1 or 0}
