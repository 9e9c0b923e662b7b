#!lua flags=no-writes
-- Reads an index. KEYS: times, terms. ARGV: for how many microseconds an entry must have been there ('' for all).
-- Returns {session, time, term, ...}.
local before = '+inf'
if ARGV[1] ~= '' then
  local time = redis.call('TIME')
  before = string.format('(%.0f', time[1] * 1000000 + time[2] - ARGV[1])
end
local entries = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'WITHSCORES')
local all = {}
for i = 1, #entries, 2 do
  all[#all + 1] = entries[i]
  all[#all + 1] = entries[i + 1]
  all[#all + 1] = redis.call('HGET', KEYS[2], entries[i]) or ''
end
return all
