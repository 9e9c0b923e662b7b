#!lua flags=allow-oom
-- Notes that a session that exists is in use. KEYS: record.
local touched = redis.call('HGET', KEYS[1], 'touched')
if touched then
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'touched', string.format('%.0f', time[1] * 1000000 + time[2]))
end
return 1
