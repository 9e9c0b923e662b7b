#!lua flags=allow-oom
-- Makes the time of an entry later. KEYS: times. ARGV: session, time.
return redis.call('ZADD', KEYS[1], 'XX', 'GT', ARGV[2], ARGV[1])
