#!lua flags=allow-oom
-- Makes a starter's lease last from now on. KEYS: starters. ARGV: starter, lease in microseconds.
local time = redis.call('TIME')
local till = time[1] * 1000000 + time[2] + ARGV[2]
return redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', till))
