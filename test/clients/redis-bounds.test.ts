import type { Redis } from 'ioredis';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore, type RedisClient } from '../../adapters/redis/index.ts';
import { batchMemoryMs } from '../../src/metrics/store.ts';
import { maxStoredFamilies } from '../../src/metrics/stored-family.ts';
import { callsBatch, readCalls, secondsBatch } from './redis-batches.ts';
import { needs, ready, startWithClient } from './redis-servers.ts';

const hour = 3_600_000;
const day = 24 * hour;
const limit = { nanoUsd: 100, tokens: 100 };
const one = { nanoUsd: 1, tokens: 1 };
const nothing = { nanoUsd: 0, tokens: 0 };

describe.skipIf(!ready)(`what stores keep in Redis (${needs})`, () => {
  let client: Redis;

  beforeAll(async () => {
    const redis = await startWithClient();
    client = redis.client;
    return redis.stop;
  });
  beforeEach(() => client.flushall());

  function ask(
    reservationId: string,
    { key = 'key', windowEnd = Date.now() + hour, expiresAt = Date.now() + hour } = {},
  ) {
    return { key, windowEnd, reservationId, limit, amount: one, expiresAt };
  }

  /** As if nobody had touched any series since 1970. */
  async function age(): Promise<void> {
    for (const name of await client.zrange('{edgespan}:metrics:touched', '0', '-1')) {
      await client.zadd('{edgespan}:metrics:touched', '1', name);
    }
  }

  it('names all keys by one hash tag, and lets all of them expire', async () => {
    const metrics = createRedisMetricStore(client, { prefix: 'app', expireAfterMs: day });
    const budget = createRedisBudgetStore(client, { prefix: 'app' });
    await metrics.merge(callsBatch('id', { a: 1 }));
    await budget.reserve(ask('r1', { key: '{other}' }));
    await budget.settle(ask('r2', { key: '{other}' }), one);
    const keys = (await client.keys('*')).sort();
    expect(keys).toEqual([
      '{app}:budget:due:"{other}"',
      '{app}:budget:ended:"{other}"',
      '{app}:budget:keys',
      '{app}:budget:open:"{other}"',
      '{app}:budget:windows:"{other}"',
      '{app}:metrics',
      '{app}:metrics:batch:"id"',
      '{app}:metrics:touched',
    ]);
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0);
    expect(await client.pttl('{app}:metrics:batch:"id"')).toBeGreaterThan(batchMemoryMs - 60_000);
    expect(await client.pttl('{app}:metrics')).toBeGreaterThan(day);
  });

  it('forgets series that nobody touched, which then begin anew, also with other bounds', async () => {
    const store = createRedisMetricStore(client);
    await store.merge(callsBatch('a', { a: 1, b: 1 }));
    await store.merge(secondsBatch('b', [1, 0, 1], 5));
    await age();
    expect((await store.collect()).metrics).toEqual([]);
    await store.merge(callsBatch('c', { a: 5 }));
    await store.merge(secondsBatch('d', [2, 1], 7, [100]));
    expect(await readCalls(store)).toEqual({ a: 5 });
    const { metrics } = await store.collect();
    expect(metrics.find(({ name }) => name === 'seconds')).toMatchObject({
      bounds: [100],
      points: [{ counts: [2, 1] }],
    });
    // Nothing is left of what was forgotten: shape, count of series, one series (its number, start, time and sum).
    await age();
    await store.merge(callsBatch('e', { c: 1 }));
    const fields = await client.hkeys('{edgespan}:metrics');
    expect(fields).toHaveLength(8);
    expect(await client.zcard('{edgespan}:metrics:touched')).toBe(1);
  });

  it('remembers batches of series that it has forgotten', async () => {
    const store = createRedisMetricStore(client);
    await store.merge(callsBatch('a', { a: 1 }));
    await age();
    await store.merge(callsBatch('a', { a: 1 }));
    expect(await readCalls(store)).toEqual({});
  });

  it('goes on where one of its keys was deleted', async () => {
    const store = createRedisMetricStore(client);
    for (const key of ['{edgespan}:metrics', '{edgespan}:metrics:touched']) {
      await store.merge(callsBatch(`before ${key}`, { a: 1 }));
      await client.del(key);
      await age();
      await store.merge(callsBatch(`after ${key}`, { b: 2 }));
      expect((await readCalls(store)).b).toBe(2);
      await client.flushall();
    }
  });

  it('gives an expired series’ place to another', async () => {
    const store = createRedisMetricStore(client, { maxSeries: 2 });
    await store.merge(callsBatch('a', { a: 1, b: 1, c: 1 }));
    expect(await readCalls(store)).toEqual({ a: 1, b: 1, undefined: 1 });
    await age();
    await store.merge(callsBatch('b', { c: 2, d: 2 }));
    expect(await readCalls(store)).toEqual({ c: 2, d: 2 });
  });

  it('has a bounded number of families', async () => {
    const store = createRedisMetricStore(client);
    const [point] = callsBatch('', { a: 1 }).families[0]!.points;
    const families = Array.from({ length: maxStoredFamilies }, (_, index) => ({
      name: `family_${index}`,
      type: 'counter' as const,
      points: [point!],
    }));
    await store.merge({ batchId: 'all', families });
    const refused = { code: 'store_refused', families: ['calls_total'] };
    await expect(store.merge(callsBatch('more', { a: 1 }))).rejects.toMatchObject(refused);
    await store.merge(callsBatch('known', { a: 1 }, 'family_7'));
    expect(await readCalls(store, 'family_7')).toEqual({ a: 2 });
  });

  it('refuses a sum beyond 64 bits, and is unharmed', async () => {
    const store = createRedisMetricStore(client);
    await store.merge(callsBatch('a', { a: Number.MAX_SAFE_INTEGER, b: 1 }));
    const sums = (await client.hkeys('{edgespan}:metrics')).filter((field) => /^\ds1$/.test(field));
    for (const field of sums) await client.hset('{edgespan}:metrics', field, '9199999999999999999');
    const before = await store.collect();
    const refused = { code: 'store_refused', families: ['calls_total'] };
    await expect(store.merge(callsBatch('b', { c: 1, b: Number.MAX_SAFE_INTEGER }))).rejects.toMatchObject(refused);
    expect(await store.collect()).toEqual(before);
  });

  it('has a bounded number of budget keys; those that are over make room', async () => {
    const store = createRedisBudgetStore(client, { maxKeys: 2 });
    await store.reserve(ask('r1', { key: 'a' }));
    await store.settle(ask('r2', { key: 'b' }), one);
    const refused = { code: 'too_many_keys', message: 'budget: "c" would be more than 2 keys' };
    await expect(store.reserve(ask('r3', { key: 'c' }))).rejects.toMatchObject(refused);
    await expect(store.settle(ask('r3', { key: 'c' }), one)).rejects.toMatchObject(refused);
    await store.reserve(ask('r4', { key: 'a' }));
    await store.reset('b');
    await store.reserve(ask('r5', { key: 'c' }));
    // As when the windows of `a` are over, and Redis has let go of them.
    await client.del('{edgespan}:budget:windows:"a"');
    await client.zadd('{edgespan}:budget:keys', '1', '"a"');
    await store.reserve(ask('r6', { key: 'd' }));
    expect(await client.zrange('{edgespan}:budget:keys', '0', '-1')).toEqual(['"c"', '"d"']);
  });

  it('has 16 windows of a key, and lets the first to end go', async () => {
    const store = createRedisBudgetStore(client);
    const ends = Array.from({ length: 17 }, (_, index) => Date.now() + (index + 1) * hour);
    for (const [index, windowEnd] of ends.entries()) await store.settle(ask(`r${index}`, { windowEnd }), one);
    expect(await store.read('key', ends[0]!)).toEqual({ spent: nothing, reserved: nothing });
    for (const end of ends.slice(1)) expect((await store.read('key', end)).spent).toEqual(one);
  });

  it('keeps a window past its end, one without an end for a month after its last call', async () => {
    const store = createRedisBudgetStore(client);
    await store.settle(ask('r1', { key: 'hour', windowEnd: Date.now() + hour }), one);
    await store.settle(ask('r2', { key: 'session', windowEnd: Number.POSITIVE_INFINITY }), one);
    const [short, long] = await Promise.all(
      ['hour', 'session'].map((key) => client.pttl(`{edgespan}:budget:windows:"${key}"`)),
    );
    expect(Math.round(short! / 60_000)).toBe(120);
    expect(Math.round(long! / 60_000)).toBe((30 * day + hour) / 60_000);
  });

  it('has a bounded number of calls under way, and of ids that ended', async () => {
    const store = createRedisBudgetStore(client);
    const ends = Date.now() + hour;
    await store.reserve(ask('first', { windowEnd: ends }));
    const fill = Array.from({ length: 9999 }, (_, index) => `${ends}:x${index}`);
    await client.hset('{edgespan}:budget:open:"key"', Object.fromEntries(fill.map((member) => [member, '0 0'])));
    const refused = { code: 'too_many_keys', message: 'budget: more than 10000 calls are under way for "key"' };
    await expect(store.reserve(ask('more', { windowEnd: ends }))).rejects.toMatchObject(refused);
    await store.release(ask('first', { windowEnd: ends }));
    expect(await store.reserve(ask('more', { windowEnd: ends }))).toEqual({ ok: true });

    const now = Date.now();
    await client.zadd(
      '{edgespan}:budget:ended:"key"',
      ...fill.flatMap((member, index) => [`${now - 20_000 + index}`, member]),
    );
    for (const id of ['y1', 'y2', 'y3']) await store.settle(ask(id, { windowEnd: ends }), one);
    expect(await client.zcard('{edgespan}:budget:ended:"key"')).toBe(10_000);
    await store.settle(ask('y3', { windowEnd: ends }), one);
    expect((await store.read('key', ends)).spent).toEqual({ nanoUsd: 3, tokens: 3 });
  });

  it('forgets ids an hour after they ended', async () => {
    const store = createRedisBudgetStore(client);
    const windowEnd = Date.now() + hour;
    await store.settle(ask('old', { windowEnd }), one);
    await client.zadd('{edgespan}:budget:ended:"key"', String(Date.now() - hour - 1), `${windowEnd}:old`);
    await store.settle(ask('new', { windowEnd }), one);
    expect(await client.zrange('{edgespan}:budget:ended:"key"', '0', '-1')).toEqual([`${windowEnd}:new`]);
  });

  it('a repeated settlement adds nothing after a reset', async () => {
    const store = createRedisBudgetStore(client);
    const windowEnd = Date.now() + hour;
    await store.settle(ask('r1', { windowEnd }), one);
    await store.reset('key');
    await store.settle(ask('r1', { windowEnd }), one);
    expect((await store.read('key', windowEnd)).spent).toEqual(nothing);
  });

  it.each([
    ['client', () => createRedisMetricStore({} as RedisClient)],
    ['client', () => createRedisBudgetStore(undefined as unknown as RedisClient)],
    ['prefix', () => createRedisMetricStore(client, { prefix: '' })],
    ['prefix', () => createRedisBudgetStore(client, { prefix: 'a{b}' })],
    ['prefix', () => createRedisBudgetStore(client, { prefix: 'x'.repeat(129) })],
    ['expireAfterMs', () => createRedisMetricStore(client, { expireAfterMs: 0 })],
    ['maxSeries', () => createRedisMetricStore(client, { maxSeries: Number.NaN })],
    ['maxKeys', () => createRedisBudgetStore(client, { maxKeys: 0.5 })],
  ])('a wrong %s is told at set-up', (option, create) => {
    expect(create).toThrow(expect.objectContaining({ code: 'invalid_option', option }));
  });

  it('rejects a reply that is none of its scripts’', async () => {
    for (const reply of ['nonsense', 'fields', 'refused 5', null, undefined, 1, {}]) {
      const odd = { eval: async () => reply };
      const [metrics, budget] = [createRedisMetricStore(odd), createRedisBudgetStore(odd)];
      const unexpected = { code: 'store_failed', message: 'redis: an unexpected reply' };
      await expect(metrics.merge(callsBatch('a', { a: 1 }))).rejects.toMatchObject(unexpected);
      await expect(metrics.collect()).rejects.toMatchObject(unexpected);
      await expect(budget.reserve(ask('r1'))).rejects.toMatchObject(unexpected);
      await expect(budget.settle(ask('r1'), one)).rejects.toMatchObject(unexpected);
      await expect(budget.read('key', 1)).rejects.toMatchObject(unexpected);
      await expect(budget.reset('key')).rejects.toMatchObject(unexpected);
    }
  });
});
