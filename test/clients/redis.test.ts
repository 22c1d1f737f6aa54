import { afterAll, beforeAll, describe, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore } from '../../adapters/redis/index.ts';
import { budgetStoreContract } from '../suites/budget-store.ts';
import { metricStoreContract } from '../suites/metric-store.ts';
import type { RedisServer } from '../support/redis.ts';
import type { Connected } from './redis-clients.ts';
import type { RedisRest } from './redis-rest.ts';
import { needs, ready, startWithRest } from './redis-servers.ts';

const clients = ready ? (await import('./redis-clients.ts')).connects : {};

let count = 0;
/** A store of its own on a server that all tests share. */
const newPrefix = () => `test-${++count}`;

describe.skipIf(!ready)(`Redis backends (${needs})`, () => {
  let server: RedisServer;
  let rest: RedisRest;

  beforeAll(async () => {
    const redis = await startWithRest();
    ({ server, rest } = redis);
    return redis.stop;
  });

  describe.each(Object.keys(clients))('%s', (name) => {
    let connected: Connected;
    beforeAll(async () => {
      connected = await clients[name]!(server.port, rest);
    });
    afterAll(() => connected?.close());

    it.each(metricStoreContract)('a metric store $name', ({ run }) =>
      run(async (options) => createRedisMetricStore(connected.client, { prefix: newPrefix(), ...options })),
    );

    it.each(budgetStoreContract)('a budget store $name', ({ run }) =>
      run(async () => createRedisBudgetStore(connected.client, { prefix: newPrefix() })),
    );
  });
});
