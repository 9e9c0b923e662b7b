#!lua flags=allow-oom
-- Takes a session out of an index, unless another term has entered it since. KEYS: times, terms. ARGV: session, term.
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
