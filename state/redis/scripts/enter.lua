#!lua
-- Enters a session into indexes, as of the term that is about to commit. KEYS: times and terms of each index, in turn.
-- ARGV: session, term, time ('' for now). The time of an entry that there is already stays. Without a term a missing entry is made
-- good, and the term of one that there is stays too: that one may be about to commit.
local at = ARGV[3]
if at == '' then
  local time = redis.call('TIME')
  at = string.format('%.0f', time[1] * 1000000 + time[2])
end
for i = 1, #KEYS, 2 do
  redis.call('ZADD', KEYS[i], 'NX', at, ARGV[1])
  redis.call(ARGV[2] == '' and 'HSETNX' or 'HSET', KEYS[i + 1], ARGV[1], ARGV[2])
end
return 1
