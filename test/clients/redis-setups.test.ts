import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore, type RedisClient } from '../../adapters/redis/index.ts';
import { findPort, type RedisServer, startRedis } from '../support/redis.ts';
import { callsBatch, readCalls, secondsBatch } from './redis-batches.ts';
import type { RedisRest } from './redis-rest.ts';
import { needs, ready, startWithRest } from './redis-servers.ts';

const windowEnd = Number.POSITIVE_INFINITY;
const amount = { nanoUsd: 7, tokens: 3 };

/** Everything once, whatever the client makes of arguments and replies. */
async function exercise(client: RedisClient): Promise<void> {
  const metrics = createRedisMetricStore(client, { prefix: 'größe' });
  for (const id of ['1', '2', '2']) await metrics.merge(callsBatch(id, { 'a"\n😀': 2 }));
  expect(await readCalls(metrics)).toEqual({ 'a"\n😀': 4 });
  await metrics.merge(secondsBatch('3', [1, 0, 0], 1));
  await expect(metrics.merge(secondsBatch('4', [1, 0], 1, [5]))).rejects.toMatchObject({ code: 'store_refused' });

  const budget = createRedisBudgetStore(client);
  const ref = (reservationId: string) => ({ key: 'user:{7}', windowEnd, reservationId });
  const limit = { nanoUsd: 10, tokens: 10 };
  const ask = { limit, amount, expiresAt: Date.now() + 600_000 };
  expect(await budget.reserve({ ...ref('1'), ...ask })).toEqual({ ok: true });
  const spent = { nanoUsd: 0, tokens: 0 };
  expect(await budget.reserve({ ...ref('2'), ...ask })).toEqual({ ok: false, spent, reserved: amount });
  await budget.settle(ref('1'), amount);
  await budget.reset('other');
  expect(await budget.read('user:{7}', windowEnd)).toEqual({ spent: amount, reserved: spent });
}

describe.skipIf(!ready)(`clients that are set up in their own way (${needs})`, () => {
  let server: RedisServer;
  let rest: RedisRest;

  beforeAll(async () => {
    const redis = await startWithRest();
    ({ server, rest } = redis);
    return redis.stop;
  });

  it('ioredis with a prefix of its own for every key', async () => {
    const { Redis } = await import('ioredis');
    const client = new Redis(server.port, '127.0.0.1', { keyPrefix: 'app:', db: 1 });
    await exercise(client);
    const plain = new Redis(server.port, '127.0.0.1', { db: 1 });
    const keys = await plain.keys('*');
    expect(keys.filter((key) => !/^app:\{(größe|edgespan)\}:/.test(key))).toEqual([]);
    client.disconnect();
    plain.disconnect();
  });

  it.each([2, 3] as const)('node-redis with RESP%s, and bytes for replies', async (RESP) => {
    const { createClient, RESP_TYPES } = await import('redis');
    const client = createClient({ url: server.url, RESP, database: RESP });
    await client.connect();
    await exercise(client);
    await client.flushDb();
    await exercise(client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }));
    client.destroy();
  });

  it('a pool of node-redis', async () => {
    const { createClientPool } = await import('redis');
    const pool = createClientPool({ url: server.url, database: 4 });
    await pool.connect();
    await exercise(pool);
    pool.destroy();
  });

  it.each([
    ['as it comes', {}],
    ['without pipelines', { enableAutoPipelining: false }],
    ['without base64', { responseEncoding: false as const }],
    ['with replies as they are', { automaticDeserialization: false }],
  ])('Upstash’s client %s', async (_, options) => {
    const { Redis } = await import('@upstash/redis');
    const { url, token } = rest;
    const client = new Redis({ url, token, ...options });
    await client.flushall();
    await exercise(client);
  });

  describe('a cluster', () => {
    let cluster: RedisServer;
    beforeAll(async () => {
      const bus = await findPort();
      cluster = await startRedis({
        args: ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-announce-ip', '127.0.0.1'],
      });
      const { Redis } = await import('ioredis');
      const node = new Redis(cluster.port, '127.0.0.1');
      await node.cluster('ADDSLOTSRANGE', '0', '16383');
      // A node takes a moment to notice that it has all slots.
      while (!(await node.cluster('INFO')).includes('cluster_state:ok')) await new Promise(setImmediate);
      node.disconnect();
    });
    afterAll(() => cluster?.stop());

    it('by ioredis', async () => {
      const { Cluster } = await import('ioredis');
      const client = new Cluster([{ host: '127.0.0.1', port: cluster.port }]);
      await exercise(client);
      client.disconnect();
    });

    it('by node-redis', async () => {
      const { createCluster } = await import('redis');
      const client = createCluster({ rootNodes: [{ url: cluster.url }] });
      await client.connect();
      await client.masters[0]!.client!.flushAll();
      await exercise(client);
      client.destroy();
    });
  });
});
