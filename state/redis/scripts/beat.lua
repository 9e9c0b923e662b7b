#!lua flags=allow-oom
-- Makes a starter's lease last until a time. KEYS: starters. ARGV: starter, time.
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
