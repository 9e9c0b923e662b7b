#!lua flags=no-writes
-- Reads the session and its messages. KEYS: record, documents, messages. Returns {record, documents, messages}.
return {redis.call('HMGET', KEYS[1], 'epoch', 'version', 'revision', 'last_message', 'tasks', 'deferred'),
  redis.call('HGETALL', KEYS[2]), redis.call('XRANGE', KEYS[3], '-', '+')}
