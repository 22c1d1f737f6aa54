import { afterAll, beforeAll, describe, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore } from '../../adapters/redis/index.ts';
import { budgetStoreContract } from '../suites/budget-store.ts';
import { metricStoreContract } from '../suites/metric-store.ts';
import { hasRedis, type RedisServer, remedy, startRedis } from '../support/redis.ts';
import { remedy as installRemedy, isInstalled } from './installed.ts';
import type { Connected } from './redis-clients.ts';
import type { RedisRest } from './redis-rest.ts';

const ready = hasRedis && isInstalled('ioredis');
const clients = ready ? (await import('./redis-clients.ts')).connects : {};

let count = 0;
/** A store of its own on a server that all tests share. */
const newPrefix = () => `test-${++count}`;

describe.skipIf(!ready)(`Redis backends (${remedy}, ${installRemedy})`, () => {
  let server: RedisServer;
  let rest: RedisRest;

  beforeAll(async () => {
    server = await startRedis();
    const { createRedisRest } = await import('./redis-rest.ts');
    rest = await createRedisRest(server.port);
  });
  afterAll(async () => {
    await rest?.close();
    await server?.stop();
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
