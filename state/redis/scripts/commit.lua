#!lua
-- Writes one commit, if the term still has the lease, and gives the lease up.
-- KEYS: lease, waiting, record, documents, changes, messages, ledger, owners, calls of the owner, order of the outbox, rows of
-- the outbox, marks, and, where it may be in the same script, the stream of notices.
-- Returns 'done', 'repeat' if this very commit has been written before, or 'lost'.
local lease, waiting, record, documents, changes, messages = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local ledger, owners, calls, order, rows, marks, notices = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13]

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function times()
  return tonumber(take())
end

local term, channel, session = take(), take(), take()
if string.match(redis.call('GET', lease) or '', '^%S+') ~= term then
  if redis.call('HGET', record, 'term') == term then
    return 'repeat'
  end
  return 'lost'
end

-- What the server may refuse comes first, while nothing has been written: it does not undo a script that fails.
local log, from = take(), take()
if log ~= '' then
  redis.call('XADD', changes, 'MINID', '=', from, take(), 'body', log)
else
  take()
end
local oldest = take()
for _ = 1, times() do
  redis.call('XADD', messages, take(), 'revision', take(), 'name', take(), 'data', take())
end
redis.call('XTRIM', messages, 'MINID', '=', oldest)
local outbox = take()
if notices then
  local last = redis.call('XREVRANGE', notices, '+', '-', 'COUNT', 1)[1]
  local n = last and tonumber(string.match(last[1], '^%d+')) or 0
  redis.call('XADD', notices, 'MAXLEN', '~', take(), string.format('%.0f-0', n + 1), 'session', session, 'outbox', outbox)
else
  take()
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local touched = string.format('%.0f', now)
redis.call('HSET', record, 'term', term, 'epoch', take(), 'version', take(), 'revision', take(), 'last_message', take(),
  'touched', touched)
for _ = 1, times() do
  redis.call('HSET', record, take(), take())
end
for _ = 1, times() do
  redis.call('HSET', documents, take(), take())
end

for _ = 1, times() do -- the entry of the ledger, if there is one
  local key, value = take(), take()
  redis.call('HSET', ledger, key, value)
  redis.call('ZADD', calls, take(), key)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', calls, '1', take())) do
    redis.call('HDEL', ledger, old)
    redis.call('ZREM', calls, old)
  end
end
for _ = 1, times() do
  local owner = take()
  redis.call('HSET', marks, owner, take())
  redis.call('ZADD', owners, touched, owner)
end

for _ = 1, times() do
  local id = take()
  redis.call('ZREM', order, id)
  redis.call('HDEL', rows, id)
end
local newest = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')[2]
if newest and tonumber(newest) >= now then
  now = tonumber(newest) + 1
end
for i = 0, times() - 1 do
  local id = take()
  redis.call('ZADD', order, string.format('%.0f', now + i), id)
  redis.call('HSET', rows, id, take())
end

redis.call('DEL', lease)
if redis.call('DEL', waiting) == 1 then
  redis.pcall('PUBLISH', channel, session)
end
return 'done'
