#!lua flags=allow-oom
-- Makes a starter's lease last from now on. KEYS: starters. ARGV: starter, lease in microseconds.
-- The term stays while the lease lasts and is another one, by the clock, when it had lapsed. Returns {term, how many others live}.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local leases, term, others = redis.call('HGETALL', KEYS[1]), now, 0
for i = 1, #leases, 2 do
  local till, of = string.match(leases[i + 1], '^(%d+) ?(%d*)')
  local alive = tonumber(till) > now
  if leases[i] == ARGV[1] then
    of = tonumber(of) or 0
    term = alive and of or math.max(of + 1, now)
  elseif alive then
    others = others + 1
  end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f', now + ARGV[2], term))
return {string.format('%.0f', term), others}
