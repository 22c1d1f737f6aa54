import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore } from '../../adapters/redis/index.ts';
import type { RedisServer } from '../support/redis.ts';
import { callsBatch, readCalls } from './redis-batches.ts';
import type { Connected } from './redis-clients.ts';
import type { RedisRest } from './redis-rest.ts';
import { needs, ready, startWithRest } from './redis-servers.ts';

const { connects: clients = {} } = ready ? await import('./redis-clients.ts') : {};

const windowEnd = Number.POSITIVE_INFINITY;
const limit = { nanoUsd: 100, tokens: 100 };
const amount = { nanoUsd: 10, tokens: 1 };
const later = () => Date.now() + 600_000;
const ref = (reservationId: string) => ({ key: 'key', windowEnd, reservationId });
const failed = { name: 'TelemetryError', code: 'store_failed' };

/** Until it is applied, as a sender that has time does. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe.skipIf(!ready)(`Redis that fails (${needs})`, () => {
  let server: RedisServer;
  let rest: RedisRest;
  /** On a connection of its own. */
  let control: Redis;

  beforeAll(async () => {
    const redis = await startWithRest({ durable: true });
    ({ server, rest } = redis);
    const { Redis } = await import('ioredis');
    control = new Redis(server.port, '127.0.0.1');
    control.on('error', () => {});
    return redis.stop;
  });
  afterAll(() => control?.disconnect());

  describe.each(Object.keys(clients))('%s', (name) => {
    let connected: Connected;
    const stores = () => ({
      metrics: createRedisMetricStore(connected.client),
      budget: createRedisBudgetStore(connected.client),
    });
    beforeEach(async () => {
      await control.flushall();
      connected = await clients[name]!(server.port, rest);
    });
    afterEach(async () => {
      connected.close();
      await control.config('SET', 'maxmemory', '0');
    });

    it('stopped, rejects, and goes on where it was once it is back', async () => {
      const { metrics, budget } = stores();
      await metrics.merge(callsBatch('before', { a: 1 }));
      await budget.reserve({ ...ref('r1'), limit, amount, expiresAt: later() });
      await server.kill();
      await expect(metrics.merge(callsBatch('during', { a: 2 }))).rejects.toMatchObject(failed);
      await expect(metrics.collect()).rejects.toMatchObject(failed);
      await expect(budget.reserve({ ...ref('r2'), limit, amount, expiresAt: later() })).rejects.toMatchObject(failed);
      await expect(budget.settle(ref('r1'), amount)).rejects.toMatchObject(failed);
      await server.start();
      await insist(() => metrics.merge(callsBatch('during', { a: 2 })));
      await insist(() => metrics.merge(callsBatch('before', { a: 1 })));
      await insist(() => budget.settle(ref('r1'), amount));
      expect(await insist(() => readCalls(metrics))).toEqual({ a: 3 });
      expect(await insist(() => budget.read('key', windowEnd))).toEqual({
        spent: amount,
        reserved: { nanoUsd: 0, tokens: 0 },
      });
    });

    it('restarted in the middle of many batches, has each once', async () => {
      const { metrics, budget } = stores();
      const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
      let restart: Promise<void> | undefined;
      await Promise.all(
        numbers.map(async (n) => {
          await insist(() => metrics.merge(callsBatch(`batch ${n}`, { a: n })));
          await insist(() => budget.settle(ref(`r${n}`), { nanoUsd: n, tokens: 1 }));
          if (n === 20) restart = server.kill().then(() => server.start());
        }),
      );
      await restart;
      for (const n of numbers) await insist(() => metrics.merge(callsBatch(`batch ${n}`, { a: n })));
      expect(await insist(() => readCalls(metrics))).toEqual({ a: 1830 });
      const { spent } = await insist(() => budget.read('key', windowEnd));
      expect(spent).toEqual({ nanoUsd: 1830, tokens: 60 });
    });

    it('full, rejects, keeps what it has, can still be read, and applies the same batch once later', async () => {
      const { metrics, budget } = stores();
      await metrics.merge(callsBatch('before', { a: 1 }));
      await budget.reserve({ ...ref('r1'), limit, amount, expiresAt: later() });
      await budget.reserve({ ...ref('old'), limit, amount, expiresAt: Date.now() - 1000 });
      const before = await dump();
      await control.config('SET', 'maxmemory', '1');
      const full = { ...failed, message: 'redis: answered OOM' };
      await expect(metrics.merge(callsBatch('during', { a: 2, b: 1 }))).rejects.toMatchObject(full);
      await expect(budget.reserve({ ...ref('r2'), limit, amount, expiresAt: later() })).rejects.toMatchObject(full);
      await expect(budget.settle(ref('r1'), amount)).rejects.toMatchObject(full);
      await expect(budget.release(ref('r1'))).rejects.toMatchObject(full);
      expect(await readCalls(metrics)).toEqual({ a: 1 });
      expect((await budget.read('key', windowEnd)).reserved).toEqual(amount);
      expect(await dump()).toEqual(before);
      await control.config('SET', 'maxmemory', '0');
      for (const batch of ['during', 'during']) await metrics.merge(callsBatch(batch, { a: 2, b: 1 }));
      expect(await readCalls(metrics)).toEqual({ a: 3, b: 1 });
      await budget.settle(ref('r1'), amount);
      expect(await budget.read('key', windowEnd)).toEqual({ spent: amount, reserved: { nanoUsd: 0, tokens: 0 } });
    });

    it('full while series have expired, loses none of those that count', async () => {
      const { metrics } = stores();
      await metrics.merge(callsBatch('old', { a: 1 }));
      await metrics.merge(callsBatch('new', { b: 2 }));
      const [old] = await control.zrange('{edgespan}:metrics:touched', '0', '0');
      await control.zadd('{edgespan}:metrics:touched', '1000', old!);
      const before = await dump();
      await control.config('SET', 'maxmemory', '1');
      await expect(metrics.merge(callsBatch('during', { b: 1 }))).rejects.toMatchObject(failed);
      expect(await dump()).toEqual(before);
      expect(await readCalls(metrics)).toEqual({ b: 2 });
      await control.config('SET', 'maxmemory', '0');
    });
  });

  /** All that Redis has, as it has it. */
  async function dump(): Promise<Record<string, string>> {
    const keys = (await control.keys('*')).sort();
    return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, (await control.dump(key)) ?? ''])));
  }

  it('slow, is given up by ioredis, carries the batch out later, and has it once', async () => {
    await control.flushall();
    const { Redis } = await import('ioredis');
    const client = new Redis(server.port, '127.0.0.1', { commandTimeout: 50 });
    await client.ping();
    await givesUp(createRedisMetricStore(client), (call) => call());
    client.disconnect();
  });

  it('slow, is given up by node-redis, carries the batch out later, and has it once', async () => {
    await control.flushall();
    const { createClient } = await import('redis');
    const client = createClient({ url: server.url, socket: { socketTimeout: 50, reconnectStrategy: () => 20 } });
    client.on('error', () => {});
    await client.connect();
    await givesUp(createRedisMetricStore(client), insist);
    client.destroy();
  });

  it('slow, is given up by Upstash’s client, carries the batch out later, and has it once', async () => {
    await control.flushall();
    const { Redis } = await import('@upstash/redis');
    const { url, token } = rest;
    const client = new Redis({ url, token, signal: () => AbortSignal.timeout(50), enableTelemetry: false });
    await givesUp(createRedisMetricStore(client), insist);
  });

  /** Writes stand still on Redis's side until the sender has given up and they are let go. */
  async function givesUp(
    store: ReturnType<typeof createRedisMetricStore>,
    call: (merge: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await control.call('CLIENT', 'PAUSE', '60000', 'WRITE');
    await expect(store.merge(callsBatch('slow', { a: 5 }))).rejects.toMatchObject(failed);
    await control.call('CLIENT', 'UNPAUSE');
    await call(() => store.merge(callsBatch('slow', { a: 5 })));
    await call(() => store.merge(callsBatch('slow', { a: 5 })));
    expect(await readCalls(createRedisMetricStore(control))).toEqual({ a: 5 });
  }

  it('counts once what Upstash’s client sends again, since no answer came', async () => {
    await control.flushall();
    const { client } = await clients['@upstash/redis']!(server.port, rest);
    const [metrics, budget] = [createRedisMetricStore(client), createRedisBudgetStore(client)];
    const before = rest.requests;
    rest.loseAnswers(5);
    await metrics.merge(callsBatch('lost', { a: 7 }));
    expect(rest.requests - before).toBe(6);
    rest.loseAnswers(3);
    expect(await budget.reserve({ ...ref('r1'), limit, amount, expiresAt: later() })).toEqual({ ok: true });
    rest.loseAnswers(3);
    await budget.settle(ref('r1'), { nanoUsd: 9, tokens: 1 });
    expect(await readCalls(metrics)).toEqual({ a: 7 });
    expect(await budget.read('key', windowEnd)).toEqual({
      spent: { nanoUsd: 9, tokens: 1 },
      reserved: { nanoUsd: 0, tokens: 0 },
    });
  });

  it('lets exactly 100 of 500 parallel calls by Upstash’s client pass, many of them sent twice', async () => {
    await control.flushall();
    const { url, token } = rest;
    const { Redis } = await import('@upstash/redis');
    const options = { url, token, retry: { retries: 5, backoff: () => 0 } };
    // One request a call, and many calls a request.
    const clients = [new Redis(options), new Redis({ ...options, enableAutoPipelining: false })];
    const stores = clients.map((client) => createRedisBudgetStore(client));
    const refs = Array.from({ length: 500 }, (_, index) => ref(`r${index}`));
    const all = { nanoUsd: 1009, tokens: 1000 };
    rest.loseAnswers(60);
    const answers = await Promise.all(
      refs.map((one, index) => stores[index % 2]!.reserve({ ...one, limit: all, amount, expiresAt: later() })),
    );
    const passed = refs.filter((_, index) => answers[index]!.ok);
    expect(passed).toHaveLength(100);
    rest.loseAnswers(20);
    await Promise.all(passed.map((one, index) => stores[index % 2]!.settle(one, { nanoUsd: index, tokens: 1 })));
    expect(await stores[0]!.read('key', windowEnd)).toEqual({
      spent: { nanoUsd: 4950, tokens: 100 },
      reserved: { nanoUsd: 0, tokens: 0 },
    });
  });

  it('tells what kept it from answering, and no secret', async () => {
    const { Redis } = await import('@upstash/redis');
    const upstash = new Redis({ url: rest.url, token: 'wrong-token', retry: false, enableTelemetry: false });
    const budget = createRedisBudgetStore(upstash);
    const error = await budget.read('user-4711', windowEnd).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ ...failed, message: 'redis: answered WRONGPASS', cause: { name: 'UpstashError' } });

    const { default: ioredis } = await import('ioredis');
    const password = 'pass-4711';
    const client = new ioredis(`redis://user:${password}@127.0.0.1:${server.port}`, { maxRetriesPerRequest: 0 });
    client.on('error', () => {});
    const refused = await createRedisMetricStore(client)
      .collect()
      .catch((thrown: unknown) => thrown as Error);
    expect(refused).toMatchObject(failed);
    expect(String(refused)).not.toContain(password);
    client.disconnect();
  });
});
