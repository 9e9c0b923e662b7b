#!lua flags=allow-oom
-- Calls each command that the driver needs, on keys that nothing else uses. KEYS: of a string, hash, sorted set and stream.
-- Returns {command, what the server said} of the first that is refused, or nothing.
local text, hash, sorted, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local refused = {}
for _, call in ipairs({
  {'DEL', text, hash, sorted, stream}, {'TIME'}, {'EXISTS', text},
  {'SET', text, '1', 'NX', 'PX', 1000}, {'GET', text},
  {'HSET', hash, 'a', '1'}, {'HSETNX', hash, 'b', '1'}, {'HGET', hash, 'a'}, {'HMGET', hash, 'a'}, {'HGETALL', hash}, {'HDEL', hash, 'a'},
  {'ZADD', sorted, 1, 'a'}, {'ZCARD', sorted}, {'ZRANGE', sorted, 0, -1}, {'ZRANGEBYSCORE', sorted, '-inf', '+inf'},
  {'ZRANGEBYLEX', sorted, '-', '+'}, {'ZREM', sorted, 'a'},
  {'XADD', stream, '*', 'a', '1'}, {'XTRIM', stream, 'MAXLEN', 1}, {'XRANGE', stream, '-', '+'}, {'XREVRANGE', stream, '+', '-'},
  {'XREAD', 'STREAMS', stream, '0'},
}) do
  local answer = redis.pcall(unpack(call))
  if type(answer) == 'table' and answer.err then
    refused = {call[1], answer.err}
    break
  end
end
redis.pcall('DEL', text, hash, sorted, stream)
return refused
