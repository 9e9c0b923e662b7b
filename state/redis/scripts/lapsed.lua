#!lua flags=no-writes
-- Finds connections of starters that are not among those that live. KEYS: by starter. ARGV: limit, starters that live.
local living = {}
for i = 2, #ARGV do
  living[ARGV[i]] = true
end
local found, from = {}, '-'
while #found < tonumber(ARGV[1]) do
  local first = redis.call('ZRANGEBYLEX', KEYS[1], from, '+', 'LIMIT', 0, 1)[1]
  if not first then
    break
  end
  local starter = string.match(first, '^[^%z]*')
  if living[starter] then
    from = '[' .. starter .. '\1' -- the next starter
  else
    found[#found + 1] = first
    from = '(' .. first
  end
end
return found
