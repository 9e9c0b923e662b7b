#!lua flags=allow-oom
-- Notes what a starter holds of a session. KEYS: by session, by starter, notes. ARGV: session, starter, state ('' removes the note),
-- a text that no other note has.
local bySession, byStarter = ARGV[1] .. '\0' .. ARGV[2], ARGV[2] .. '\0' .. ARGV[1]
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], bySession)
  redis.call('ZREM', KEYS[2], byStarter)
  redis.call('HDEL', KEYS[3], byStarter)
else
  redis.call('ZADD', KEYS[1], 0, bySession)
  redis.call('ZADD', KEYS[2], 0, byStarter)
  redis.call('HSET', KEYS[3], byStarter, ARGV[3] .. ' ' .. ARGV[4])
end
return 1
