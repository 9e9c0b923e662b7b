#!lua flags=no-writes
-- Finds the starters whose leases last. KEYS: starters.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local leases, living = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #leases, 2 do
  if tonumber(string.match(leases[i + 1], '^%d+')) > now then
    living[#living + 1] = leases[i]
  end
end
return living
