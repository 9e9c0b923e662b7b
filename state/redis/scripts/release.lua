#!lua flags=allow-oom
-- Gives the lease up, if the term has it, and wakes who waits. KEYS: lease, waiting. ARGV: term, channel, session.
if string.match(redis.call('GET', KEYS[1]) or '', '^%S+') ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if redis.call('DEL', KEYS[2]) == 1 then
  redis.pcall('PUBLISH', ARGV[2], ARGV[3]) -- who may not publish leaves the others to look for themselves
end
return 1
