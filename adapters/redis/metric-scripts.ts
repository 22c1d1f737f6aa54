import { maxStoredFamilies } from '../../src/metrics/stored-family.ts';
import { maxClockSkewMs, overflowSeriesKey } from '../../src/metrics/stored-series.ts';

/**
 * All that a store has is in one hash, so that every key a script touches is named beforehand:
 *
 * - `f`, `u`, `h`, `n` + family: its shape, unit, help, and number of series
 * - `s` + family, line feed, labels: the number of the series, which begins the names of its other fields:
 *   `o` start, `t` time, `g` value of a gauge, `s` + scale its sum, `b` + index a bucket, `x` where a histogram's sum
 *   is unknown, `e` + index an exemplar
 * - `#series`, `#families`: the last number given to a series, how many families there are
 *
 * A sorted set says when each series was touched. Sums are Redis's own 64-bit integers; Lua's doubles only see whether
 * one would become too large.
 */
const prelude = `
local hash, touched = KEYS[1], KEYS[2]
local expireAfter = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local function familyOf(name) return string.match(name, '^[^\\n]*') end
local since = text(now - expireAfter)
`;

/**
 * Checks the whole batch before it writes, and first of all writes the batch's id: where Redis is full, all of the
 * writes that need memory fail or none does. Series that expired are taken out before, each by first counting it out.
 */
export const mergeScript = `${prelude}
local batch = KEYS[3]
if redis.call('EXISTS', batch) == 1 then return 'done' end
local families, maxSeries, memory = cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local function nanos(seconds) return text(time[1] + seconds) .. string.format('%06d000', time[2]) end
local start, latest = nanos(0), nanos(${maxClockSkewMs / 1000})
local function isLater(a, b) return #a > #b or (#a == #b and a > b) end
local function toNumber(value)
  if value == 'Infinity' then return math.huge end
  return value == '-Infinity' and -math.huge or tonumber(value)
end

local function remove(name)
  local family, id = familyOf(name), redis.call('HGET', hash, 's' .. name)
  -- Somebody may have deleted the hash alone.
  if not id then return redis.call('ZREM', touched, name) end
  local left = redis.call('HINCRBY', hash, 'n' .. family, -1)
  local fields = { 's' .. name, id .. 'o', id .. 't', id .. 'g', id .. 'x' }
  for power = 0, 9 do fields[#fields + 1] = id .. 's1' .. string.rep('0', power) end
  local bounds = cjson.decode(redis.call('HGET', hash, 'f' .. family))[3]
  for index = 0, type(bounds) == 'table' and #bounds or 0 do
    fields[#fields + 1] = id .. 'b' .. index
    fields[#fields + 1] = id .. 'e' .. index
  end
  if left <= 0 then
    for _, kind in ipairs({ 'f', 'u', 'h', 'n' }) do fields[#fields + 1] = kind .. family end
    redis.call('HINCRBY', hash, '#families', -1)
  end
  redis.call('HDEL', hash, unpack(fields))
  redis.call('ZREM', touched, name)
end

repeat
  local expired = redis.call('ZRANGEBYSCORE', touched, '-inf', '(' .. since, 'LIMIT', 0, 1000)
  for _, name in ipairs(expired) do remove(name) end
until #expired < 1000

local count = tonumber(redis.call('HGET', hash, '#families') or 0)
local known, fits, fresh = { text(count) }, true, {}
for _, family in ipairs(families) do
  local shape = redis.call('HGET', hash, 'f' .. family.key)
  if shape then
    local unit = redis.call('HGET', hash, 'u' .. family.key) or ''
    if shape ~= family.shape or (unit ~= '' and family.unit ~= '' and unit ~= family.unit) then fits = false end
    for _, part in ipairs({ family.key, shape, unit }) do known[#known + 1] = part end
  elseif not fresh[family.key] then
    fresh[family.key] = true
    count = count + 1
    if count > ${maxStoredFamilies} then fits = false end
  end
end
if not fits then return 'refused ' .. cjson.encode(known) end

local counts, ids, totals = {}, {}, {}
local function idOf(name)
  if ids[name] == nil then ids[name] = redis.call('HGET', hash, 's' .. name) end
  return ids[name]
end
local function place(family, labels)
  local name, rest = family .. '\\n' .. labels, family .. '\\n${overflowSeriesKey}'
  if idOf(name) then return name end
  counts[family] = counts[family] or tonumber(redis.call('HGET', hash, 'n' .. family) or 0)
  if counts[family] - (idOf(rest) and 1 or 0) >= maxSeries then name = rest end
  if not ids[name] then
    counts[family] = counts[family] + 1
    ids[name] = 'new'
  end
  return name
end
local function sumsOf(id, adds)
  if id == 'new' or #adds == 0 then return {} end
  local fields = {}
  for index, add in ipairs(adds) do fields[index] = id .. add[1] end
  return redis.call('HMGET', hash, unpack(fields))
end
for _, family in ipairs(families) do
  for _, point in ipairs(family.points) do
    point.name = place(family.key, point.labels)
    local sums = sumsOf(ids[point.name], point.adds)
    for index, add in ipairs(point.adds) do
      local field = point.name .. add[1]
      totals[field] = (totals[field] or tonumber(sums[index] or 0)) + tonumber(add[2])
      if math.abs(totals[field]) > 9.2e18 then return 'beyond ' .. family.key end
    end
  end
end

redis.call('SET', batch, '1', 'PX', memory)
for _, family in ipairs(families) do
  if redis.call('HSETNX', hash, 'f' .. family.key, family.shape) == 1 then
    redis.call('HINCRBY', hash, '#families', 1)
  end
  if family.unit ~= '' then redis.call('HSETNX', hash, 'u' .. family.key, family.unit) end
  if family.help ~= '' then redis.call('HSETNX', hash, 'h' .. family.key, family.help) end
  for _, point in ipairs(family.points) do
    local id, name = ids[point.name], point.name
    if id == 'new' then
      id = text(redis.call('HINCRBY', hash, '#series', 1))
      ids[name] = id
      redis.call('HSET', hash, 's' .. name, id, id .. 'o', start)
      redis.call('HINCRBY', hash, 'n' .. family.key, 1)
    end
    for _, add in ipairs(point.adds) do redis.call('HINCRBY', hash, id .. add[1], add[2]) end
    local at = isLater(point.time, latest) and latest or point.time
    local before = redis.call('HGET', hash, id .. 't')
    if point.value then
      local value = redis.call('HGET', hash, id .. 'g')
      local isNewer = not value or isLater(at, before) or (at == before and toNumber(point.value) > toNumber(value))
      if isNewer then redis.call('HSET', hash, id .. 'g', point.value) end
    end
    if not before or isLater(at, before) then redis.call('HSET', hash, id .. 't', at) end
    if point.isUnknown then redis.call('HSET', hash, id .. 'x', '1') end
    for _, exemplar in ipairs(point.exemplars) do
      local field = id .. 'e' .. exemplar[1]
      local other = redis.call('HGET', hash, field)
      if not other or other < exemplar[2] then redis.call('HSET', hash, field, exemplar[2]) end
    end
    redis.call('ZADD', touched, text(now), name)
  end
end
for index = 1, 2 do redis.call('PEXPIRE', KEYS[index], text(expireAfter + 60000)) end
return 'done'`;

/** Only reads, so that a page can be had of a Redis that is full. What has expired is named by `x`, for the reader to leave out. */
export const collectScript = `${prelude}
local fields = redis.call('HGETALL', hash)
for _, name in ipairs(redis.call('ZRANGEBYSCORE', touched, '-inf', '(' .. since)) do
  fields[#fields + 1] = 'x' .. name
  fields[#fields + 1] = ''
end
return 'fields ' .. cjson.encode(fields)`;
