#!lua flags=no-writes
-- Reads what starters have noted of a session. KEYS: by session, by starter, notes. ARGV: session. Returns {starter, note, ...}.
local all = {}
for _, pair in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], '[' .. ARGV[1] .. '\0', '(' .. ARGV[1] .. '\1')) do
  local starter = string.sub(pair, #ARGV[1] + 2)
  all[#all + 1] = starter
  all[#all + 1] = redis.call('HGET', KEYS[3], starter .. '\0' .. ARGV[1]) or ''
end
return all
