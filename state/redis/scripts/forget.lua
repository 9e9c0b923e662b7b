#!lua flags=allow-oom
-- Removes the leases of starters that ended longer ago than so many microseconds. KEYS: starters. ARGV: microseconds.
local time = redis.call('TIME')
local before = time[1] * 1000000 + time[2] - ARGV[1]
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  if tonumber(string.match(leases[i + 1], '^%d+')) < before then
    redis.call('HDEL', KEYS[1], leases[i])
  end
end
return 1
