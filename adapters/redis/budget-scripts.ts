import { endedMemoryMs, ledgerBounds } from '../../src/budget/ledger.ts';

/** A window without an end, that of a session, is forgotten after so long without a call. */
const idleWindowMs = 30 * 86_400_000;

/**
 * What the scripts share. A key's windows are a hash (end → spent and reserved, four integers), its reservations another
 * (end:id → amounts) with a sorted set of when they expire, and the ids that ended a sorted set of when they did. All
 * numbers are at most 2^53 - 1, which Lua's doubles hold exactly. Before a script has written what needs memory it has
 * deleted nothing that matters, so that it applies whole or not at all where Redis is full.
 */
const prelude = `
local windows, open, due, ended, keys = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local key, windowEnd, member = ARGV[1], ARGV[2], ARGV[2] .. ':' .. ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most = ${Number.MAX_SAFE_INTEGER}

local function text(number) return string.format('%.0f', number) end
local function toEnd(value) return value == 'Infinity' and math.huge or tonumber(value) end
local function show(window) return string.format('%.0f %.0f %.0f %.0f', unpack(window, 1, 4)) end

local function find(windowEnd)
  local packed = redis.call('HGET', windows, windowEnd)
  if not packed then return nil end
  local window = {}
  for number in string.gmatch(packed, '%d+') do window[#window + 1] = tonumber(number) end
  return window
end

-- With what is reserved in it, which must not be taken off a later window of that end.
local function forget(other)
  redis.call('HDEL', windows, other)
  for _, each in ipairs(redis.call('HKEYS', open)) do
    if string.match(each, '^[^:]+') == other then
      redis.call('HDEL', open, each)
      redis.call('ZREM', due, each)
    end
  end
end

local function openWindow()
  local found = find(windowEnd)
  if found then return found end
  local others = redis.call('HKEYS', windows)
  table.sort(others, function(a, b) return toEnd(a) < toEnd(b) end)
  for index, other in ipairs(others) do
    local isOver = toEnd(other) + ${endedMemoryMs} <= now
    if isOver or index <= #others + 1 - ${ledgerBounds.maxWindows} then forget(other) end
  end
  return { 0, 0, 0, 0 }
end

local function save(windowEnd, window) redis.call('HSET', windows, windowEnd, show(window)) end

local function amountOf(member)
  local usd, tokens = string.match(redis.call('HGET', open, member) or '', '(%d+) (%d+)')
  return tonumber(usd), tonumber(tokens)
end

local function free(member)
  local usd, tokens = amountOf(member)
  if not usd then return end
  local windowEnd = string.match(member, '^[^:]+')
  local window = find(windowEnd)
  if window then
    window[3], window[4] = window[3] - usd, window[4] - tokens
    save(windowEnd, window)
  end
  redis.call('HDEL', open, member)
  redis.call('ZREM', due, member)
end

local function expired() return redis.call('ZRANGEBYSCORE', due, '-inf', text(now)) end

local function hasRoom()
  if redis.call('EXISTS', windows) == 1 then return true end
  redis.call('ZREMRANGEBYSCORE', keys, '-inf', text(now))
  return redis.call('ZCARD', keys) < tonumber(ARGV[4])
end

local function finish(member)
  redis.call('ZADD', ended, text(now), member)
  redis.call('ZREMRANGEBYSCORE', ended, '-inf', text(now - ${endedMemoryMs}))
  redis.call('ZREMRANGEBYRANK', ended, 0, ${-ledgerBounds.maxEnded - 1})
end

local function keep()
  local last = now
  for _, each in ipairs(redis.call('HKEYS', windows)) do
    last = math.max(last, math.min(toEnd(each), now + (each == 'Infinity' and ${idleWindowMs} or most)))
  end
  last = last + ${endedMemoryMs}
  for index = 1, 4 do redis.call('PEXPIRE', KEYS[index], text(last - now)) end
  redis.call('ZADD', keys, text(last), key)
  redis.call('PEXPIRE', keys, text(last - now + ${idleWindowMs}))
end
`;

export const reserveScript = `${prelude}
for _, each in ipairs(expired()) do free(each) end
if redis.call('HEXISTS', open, member) == 1 or redis.call('ZSCORE', ended, member) then return 'done' end
if not hasRoom() then return 'too many keys' end
local window = openWindow()
local usd, tokens = tonumber(ARGV[5]), tonumber(ARGV[6])
local fits = window[1] + window[3] + usd <= tonumber(ARGV[7]) and window[2] + window[4] + tokens <= tonumber(ARGV[8])
if not fits then return 'refused ' .. show(window) end
if redis.call('HLEN', open) >= ${ledgerBounds.maxOpen} then return 'too many calls' end
window[3], window[4] = window[3] + usd, window[4] + tokens
save(windowEnd, window)
redis.call('HSET', open, member, text(usd) .. ' ' .. text(tokens))
redis.call('ZADD', due, ARGV[9], member)
keep()
return 'done'`;

export const settleScript = `${prelude}
if redis.call('ZSCORE', ended, member) then return 'done' end
if not hasRoom() then return 'too many keys' end
free(member)
local window = openWindow()
window[1], window[2] = math.min(most, window[1] + tonumber(ARGV[5])), math.min(most, window[2] + tonumber(ARGV[6]))
save(windowEnd, window)
finish(member)
keep()
return 'done'`;

export const releaseScript = `${prelude}
if redis.call('HEXISTS', open, member) == 1 then
  free(member)
  finish(member)
  keep()
end
return 'done'`;

export const readScript = `${prelude}
local window = find(windowEnd) or { 0, 0, 0, 0 }
for _, each in ipairs(expired()) do
  if string.match(each, '^[^:]+') == windowEnd then
    local usd, tokens = amountOf(each)
    window[3], window[4] = window[3] - usd, window[4] - tokens
  end
end
return 'holds ' .. show(window)`;

/** What ended stays known: repeating a settlement adds nothing to the windows that begin anew. */
export const resetScript = `${prelude}
redis.call('DEL', windows, open, due)
redis.call('ZREM', keys, key)
return 'done'`;
