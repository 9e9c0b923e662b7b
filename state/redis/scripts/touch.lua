#!lua flags=allow-oom
-- Notes that a session that exists is in use, and an owner that its ledger knows. KEYS: record, owners. ARGV: owner ('' for none).
local touched = redis.call('HGET', KEYS[1], 'touched')
if touched then
  local time = redis.call('TIME')
  local now = string.format('%.0f', time[1] * 1000000 + time[2])
  redis.call('HSET', KEYS[1], 'touched', now)
  if ARGV[1] ~= '' then
    redis.call('ZADD', KEYS[2], 'XX', now, ARGV[1])
  end
end
return 1
