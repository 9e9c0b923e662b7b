#!lua
-- Adds notices under the next numbers, so that a reader sees whether it missed one. KEYS: notices.
-- ARGV: length, then session and outbox of each.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local n = last and tonumber(string.match(last[1], '^%d+')) or 0
for i = 2, #ARGV, 2 do
  n = n + 1
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], string.format('%.0f-0', n), 'session', ARGV[i], 'outbox', ARGV[i + 1])
end
return n
