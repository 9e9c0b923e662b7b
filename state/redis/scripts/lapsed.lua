#!lua flags=no-writes
-- Finds notes of starters that are not among those that live. KEYS: by session, by starter, notes. ARGV: limit, starters that live.
-- Returns {pair, note, ...}.
local living = {}
for i = 2, #ARGV do
  living[ARGV[i]] = true
end
local found, from = {}, '-'
while #found < 2 * tonumber(ARGV[1]) do
  local first = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, 1)[1]
  if not first then
    break
  end
  local starter = string.match(first, '^[^%z]*')
  if living[starter] then
    from = '[' .. starter .. '\1' -- the next starter
  else
    found[#found + 1] = first
    found[#found + 1] = redis.call('HGET', KEYS[3], first) or ''
    from = '(' .. first
  end
end
return found
