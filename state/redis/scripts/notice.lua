#!lua
-- Adds a notice under the next number, so that a reader sees whether it missed one. KEYS: notices. ARGV: session, outbox, length.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local n = last and tonumber(string.match(last[1], '^%d+')) or 0
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], string.format('%.0f-0', n + 1), 'session', ARGV[1], 'outbox', ARGV[2])
