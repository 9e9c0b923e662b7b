#!lua flags=allow-oom
-- Removes a note if it is still the same. KEYS: by session, by starter, notes. ARGV: session, starter, note.
local bySession, byStarter = ARGV[1] .. '\0' .. ARGV[2], ARGV[2] .. '\0' .. ARGV[1]
if (redis.call('HGET', KEYS[3], byStarter) or '') ~= ARGV[3] then
  return 0
end
redis.call('ZREM', KEYS[1], bySession)
redis.call('ZREM', KEYS[2], byStarter)
redis.call('HDEL', KEYS[3], byStarter)
return 1
