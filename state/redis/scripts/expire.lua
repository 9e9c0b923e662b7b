#!lua flags=allow-oom
-- Removes a session that is not needed, or else its owners that have been silent.
-- KEYS: lease, record, owners, order of the outbox, then all else that goes with the session, the ledger and the marks first.
-- ARGV: idle, silent (both in microseconds), prefix of the keys of an owner's calls.
-- Returns {'gone', lease}, {'removed'} or {'kept', when to look again}.
local lease, record, owners, order, ledger, marks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local touched = redis.call('HGET', record, 'touched')
local held = redis.call('GET', lease)
if not touched then
  return {'gone', held}
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local idle, silent = now - ARGV[1], string.format('(%.0f', now - ARGV[2])
local live = held and tonumber(string.match(held, '%d+$')) * 1000 > now
touched = tonumber(touched)
local tasks = redis.call('HGET', record, 'tasks')
if touched < idle and not live and (not tasks or tasks == '[]') and redis.call('EXISTS', order) == 0 then
  for _, owner in ipairs(redis.call('ZRANGE', owners, 0, -1)) do
    redis.call('DEL', ARGV[3] .. owner)
  end
  for i = 1, #KEYS do -- the lapsed lease too: its term must not commit what it read
    redis.call('DEL', KEYS[i])
  end
  return {'removed'}
end
local running = {}
if tasks then
  for _, task in ipairs(cjson.decode(tasks)) do
    running[task.id] = true
  end
end
for _, owner in ipairs(redis.call('ZRANGEBYSCORE', owners, '-inf', silent)) do
  if not running[owner] then
    for _, key in ipairs(redis.call('ZRANGE', ARGV[3] .. owner, 0, -1)) do
      redis.call('HDEL', ledger, key)
    end
    redis.call('DEL', ARGV[3] .. owner)
    redis.call('HDEL', marks, owner)
    redis.call('ZREM', owners, owner)
  end
end
local oldest = redis.call('ZRANGE', owners, 0, 0, 'WITHSCORES')[2]
if oldest and tonumber(oldest) < touched then
  touched = tonumber(oldest)
end
return {'kept', string.format('%.0f', touched)}
