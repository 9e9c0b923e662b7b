#!lua flags=allow-oom
-- Notes a connection or strikes it out. KEYS: by session, by starter. ARGV: session, starter, '1' or '0'.
local bySession, byStarter = ARGV[1] .. '\0' .. ARGV[2], ARGV[2] .. '\0' .. ARGV[1]
if ARGV[3] == '1' then
  redis.call('ZADD', KEYS[1], 0, bySession)
  redis.call('ZADD', KEYS[2], 0, byStarter)
else
  redis.call('ZREM', KEYS[1], bySession)
  redis.call('ZREM', KEYS[2], byStarter)
end
return 1
