#!lua flags=no-writes
-- Reads where the session is and its changes from a revision on. KEYS: record, changes. ARGV: first stream id, limit.
-- Returns {epoch, revision, changes}.
local now = redis.call('HMGET', KEYS[1], 'epoch', 'revision')
return {now[1], now[2], redis.call('XRANGE', KEYS[2], ARGV[1], '+', 'COUNT', ARGV[2])}
