#!lua flags=no-writes
-- Reads an index. KEYS: times, terms. ARGV: time before which an entry counts. Returns {session, time, term, ...}.
local entries = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES')
local all = {}
for i = 1, #entries, 2 do
  all[#all + 1] = entries[i]
  all[#all + 1] = entries[i + 1]
  all[#all + 1] = redis.call('HGET', KEYS[2], entries[i]) or ''
end
return all
