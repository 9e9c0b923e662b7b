#!lua flags=allow-oom
-- Makes the lease last from now on, if the term has it. KEYS: lease. ARGV: term, lease in ms, ms for which it is then remembered.
if string.match(redis.call('GET', KEYS[1]) or '', '^%S+') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local till = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. string.format('%.0f', till), 'PX', ARGV[2] + ARGV[3])
return 1
