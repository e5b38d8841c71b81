"""What the broker does alone, in Lua; each begins with what its KEYS and ARGV are."""

from __future__ import annotations

_BEGIN = """
local function begin(meta, log, fresh)
  redis.call('DEL', log)
  redis.call('HSET', meta, 'e', fresh, 's', 0)
  return fresh
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

PUBLISH = (
    _BEGIN
    + """
-- KEYS: the sender's number, then meta, log, states of each room.
-- ARGV: number, group, epoch to begin with, messages kept, seconds: log, states, meta, sender;
-- then of each room: name, 1 to begin anew, count, and mark and body of each message.
local done = tonumber(redis.call('GET', KEYS[1]) or '-1')
if done >= tonumber(ARGV[1]) then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[8])
local kept = tonumber(ARGV[4])
local batches, at, key = {}, 9, 2
while ARGV[at] do
  local meta, log, states = KEYS[key], KEYS[key + 1], KEYS[key + 2]
  local epoch, count = redis.call('HGET', meta, 'e'), tonumber(ARGV[at + 2])
  if not epoch or ARGV[at + 1] == '1' then
    epoch = begin(meta, log, ARGV[3])
    if ARGV[at + 1] == '1' then redis.call('DEL', states) end
  end
  local seq = redis.call('HINCRBY', meta, 's', count) - count
  local items, ended = {}, {}
  for i = 1, count do
    local mark, body = ARGV[at + 1 + 2 * i], ARGV[at + 2 + 2 * i]
    local kind, about = string.sub(mark, 1, 1), string.sub(mark, 2)
    items[i] = {mark, body}
    if count - i < kept then
      redis.call('XADD', log, 'MAXLEN', kept, (seq + i) .. '-0', 'm', mark, 'b', body, 't', now)
    end
    if kind == 's' then
      redis.call('HSET', states, about, (seq + i) .. ' ' .. now .. ' ' .. body)
    elseif kind == 'x' then
      redis.call('HDEL', states, about)
    end
  end
  redis.call('HSET', meta, 't', now)
  redis.call('EXPIRE', log, ARGV[5])
  redis.call('EXPIRE', states, ARGV[6])
  redis.call('EXPIRE', meta, ARGV[7])
  batches[#batches + 1] = {ARGV[at], epoch, seq + count, items}
  at, key = at + 3 + 2 * count, key + 3
end
return redis.call('PUBLISH', ARGV[2], cmsgpack.pack({type = 'room.frames', batches = batches, at = now}))
"""
)

POSITIONS = (
    _BEGIN
    + """
-- KEYS: meta, log of each room. ARGV: epoch to begin with, seconds to keep, milliseconds to look back.
local found, back = {}, tonumber(ARGV[3])
local before = now - back
for key = 1, #KEYS, 2 do
  local meta, log = KEYS[key], KEYS[key + 1]
  local epoch = redis.call('HGET', meta, 'e') or begin(meta, log, ARGV[1])
  local seq = tonumber(redis.call('HGET', meta, 's'))
  redis.call('EXPIRE', meta, ARGV[2])
  local last = tonumber(redis.call('HGET', meta, 't') or '0')
  -- Without a look back even what was published in this very millisecond counts.
  local next_id = back > 0 and '+'
  while last >= before and next_id do
    local entries = redis.call('XREVRANGE', log, next_id, '-', 'COUNT', 32)
    next_id = nil
    for _, entry in ipairs(entries) do
      last = tonumber(entry[2][6])
      if last < before then break end
      seq = tonumber(string.match(entry[1], '%d+')) - 1
      next_id = '(' .. entry[1]
    end
  end
  found[#found + 1] = {epoch, seq}
end
return found
"""
)

SNAPSHOT = (
    _BEGIN
    + """
-- KEYS: meta, log, states, members. ARGV: epoch to begin with, seconds to keep: meta, states.
local epoch = redis.call('HGET', KEYS[1], 'e') or begin(KEYS[1], KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
local states = redis.call('HGETALL', KEYS[3])
for i = 1, #states, 2 do
  local kept = tonumber(string.match(states[i + 1], '^%d+ (%d+)'))
  if kept < now - ARGV[3] * 1000 then redis.call('HDEL', KEYS[3], states[i]) end
end
local all, members = redis.call('HGETALL', KEYS[4]), {}
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], '^%d+')) >= now then
    members[#members + 1] = all[i]
    members[#members + 1] = all[i + 1]
  end
end
return {epoch, tonumber(redis.call('HGET', KEYS[1], 's')), redis.call('HGETALL', KEYS[3]), members}
"""
)

SINCE = """
-- KEYS: meta, log. ARGV: epoch, seq. Nothing where the log does not reach back so far.
local epoch, seq, since = redis.call('HGET', KEYS[1], 'e'), tonumber(redis.call('HGET', KEYS[1], 's') or '0'), tonumber(ARGV[2])
if epoch ~= ARGV[1] or since > seq then return false end
if since == seq then return {} end
local entries = redis.call('XRANGE', KEYS[2], (since + 1) .. '-0', '+')
if #entries ~= seq - since then return false end
return entries
"""

RESTART = (
    _BEGIN
    + """
-- KEYS: meta, log, states. ARGV: the epoch that is over, the one to begin.
if redis.call('HGET', KEYS[1], 'e') == ARGV[1] then
  begin(KEYS[1], KEYS[2], ARGV[2])
  redis.call('DEL', KEYS[3])
end
"""
)


MEMBERS = """
-- KEYS: members of each room. ARGV: process, milliseconds to live, then what it says of each room, or nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for key = 1, #KEYS do
  local all, others, gone = redis.call('HGETALL', KEYS[key]), {}, {}
  for i = 1, #all, 2 do
    if all[i] ~= ARGV[1] then
      if tonumber(string.match(all[i + 1], '^%d+')) < now then
        redis.call('HDEL', KEYS[key], all[i])
        gone[#gone + 1] = all[i + 1]
      else
        others[#others + 1] = all[i + 1]
      end
    end
  end
  if ARGV[key + 2] == '' then
    redis.call('HDEL', KEYS[key], ARGV[1])
  else
    redis.call('HSET', KEYS[key], ARGV[1], (now + ARGV[2]) .. ' ' .. ARGV[key + 2])
    redis.call('EXPIRE', KEYS[key], 3600)
  end
  found[key] = {others, gone}
end
return found
"""
