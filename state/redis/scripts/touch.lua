#!lua flags=allow-oom
-- Notes that a session that exists is in use. KEYS: record. ARGV: time.
local touched = redis.call('HGET', KEYS[1], 'touched')
if touched and tonumber(touched) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'touched', ARGV[1])
end
return 1
