#!lua flags=allow-oom
-- Removes the leases of starters that ended before a time. KEYS: starters. ARGV: time.
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  if tonumber(leases[i + 1]) < tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], leases[i])
  end
end
return 1
