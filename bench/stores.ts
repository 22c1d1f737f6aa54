import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { Miniflare } from 'miniflare';
import { bundle } from '../test/support/bundle.ts';
import { startRedis } from '../test/support/redis.ts';
import { measureFlushes, type StoreFigures } from './stores-load.ts';

/** What a store costs: a line of the table, and of `--json`. */
export interface StoreResult extends StoreFigures {
  readonly store: 'memory' | 'Durable Object' | 'Redis';
  /** Objects that share the work. */
  readonly shards: number;
  /** Series in a batch. */
  readonly series: number;
  /** Batches on their way at a time. */
  readonly parallel: number;
  /** RPCs or commands. */
  readonly requestsPerFlush: number;
  /** As Cloudflare bills them. */
  readonly rowsPerFlush?: number;
}

/** Series, shards and flushes in parallel of each line: one at a time, what one shard bears, and what more of them do. */
const loads = [
  ...[1, 10, 100, 1000].map((series) => ({ series, shards: 1, parallel: 1 })),
  ...[1, 10, 100].map((series) => ({ series, shards: 1, parallel: 32 })),
  ...[2, 4, 8].map((shards) => ({ series: 10, shards, parallel: 32 })),
];

const built = (entry: string) => import(new URL(`../dist/${entry}.js`, import.meta.url).pathname);

export async function measureStores(report: (result: StoreResult) => void): Promise<StoreResult[]> {
  const results: StoreResult[] = [];
  const add = (result: StoreResult) => {
    results.push(result);
    report(result);
  };
  const { createMemoryMetricStore } = (await built('index')) as typeof import('../src/index.ts');
  for (const load of loads.filter(({ shards }) => shards === 1)) {
    const store = createMemoryMetricStore();
    add({ store: 'memory', requestsPerFlush: 0, ...load, ...(await measureFlushes(store, load)) });
  }
  await measureObjects(add);
  if (spawnSync('redis-server', ['--version']).status === 0) await measureRedis(add);
  return results;
}

/** In one workerd: caller, objects and their disks share this machine. */
const program = `
  import { createDurableObjectMetricStore, MetricsAggregator } from 'edgespan/workers';
  import { measureFlushes } from './bench/stores-load.ts';

  let rows = 0;
  let rpcs = 0;
  function count(prototype, method, rowsOf) {
    const own = prototype[method];
    prototype[method] = function (...args) {
      const result = own.apply(this, args);
      rows += rowsOf(result);
      return result;
    };
  }
  let isCounting = false;
  export class Counted extends MetricsAggregator {
    constructor(ctx, env) {
      if (!isCounting) {
        isCounting = true;
        const { kv, sql } = ctx.storage;
        count(Object.getPrototypeOf(kv), 'put', () => 1);
        count(Object.getPrototypeOf(kv), 'delete', () => 1);
        count(Object.getPrototypeOf(sql), 'exec', ({ rowsWritten }) => rowsWritten);
        count(Object.getPrototypeOf(ctx.storage), 'setAlarm', () => 1);
      }
      super(ctx, env);
    }
    merge(...args) { rpcs++; return super.merge(...args); }
  }
  let stores = 0;
  export default {
    async fetch(request, env) {
      const load = await request.json();
      const prefix = 'store-' + stores++;
      const namespace = { getByName: (name) => env.METRICS.getByName(prefix + name) };
      const store = createDurableObjectMetricStore(namespace, { shards: load.shards });
      const figures = await measureFlushes(store, load, () => { rows = 0; rpcs = 0; });
      return Response.json({ ...figures, rowsPerFlush: rows / figures.flushes, requestsPerFlush: rpcs / figures.flushes });
    },
  };
`;

async function measureObjects(add: (result: StoreResult) => void): Promise<void> {
  const miniflare = new Miniflare({
    modules: true,
    script: await bundle(program, 'workerd'),
    compatibilityDate: '2026-08-03',
    compatibilityFlags: ['nodejs_als'],
    durableObjects: { METRICS: { className: 'Counted', useSQLite: true } },
  });
  try {
    for (const load of loads) {
      const response = await miniflare.dispatchFetch('http://bench/', { method: 'POST', body: JSON.stringify(load) });
      const figures = (await response.json()) as StoreFigures & Pick<StoreResult, 'rowsPerFlush' | 'requestsPerFlush'>;
      add({ store: 'Durable Object', ...load, ...figures });
    }
  } finally {
    await miniflare.dispose();
  }
}

async function measureRedis(add: (result: StoreResult) => void): Promise<void> {
  const { createRedisMetricStore } = await built('redis');
  const require = createRequire(new URL('../test/clients/', import.meta.url));
  const { Redis } = require('ioredis') as { Redis: new (url: string) => { disconnect(): void } };
  const server = await startRedis();
  const client = new Redis(server.url);
  try {
    for (const load of loads.filter(({ shards }) => shards === 1)) {
      const store = createRedisMetricStore(client, { prefix: `bench-${load.series}-${load.parallel}` });
      add({ store: 'Redis', requestsPerFlush: 1, ...load, ...(await measureFlushes(store, load)) });
    }
  } finally {
    client.disconnect();
    await server.stop();
  }
}

export function renderStore(result: StoreResult): string {
  const { store, shards, series, parallel, requestsPerFlush, rowsPerFlush, flushesPerSecond } = result;
  const columns = [
    store.padEnd(15),
    `${series}`.padStart(6),
    `${shards}`.padStart(6),
    `${parallel}`.padStart(8),
    requestsPerFlush.toFixed(2).padStart(8),
    (rowsPerFlush?.toFixed(2) ?? '').padStart(6),
    (parallel === 1 ? result.microsecondsPerFlush.toFixed(0) : '').padStart(8),
    flushesPerSecond.toFixed(0).padStart(9),
    result.microsecondsPerScrape.toFixed(0).padStart(9),
  ];
  return columns.join(' ');
}

export const storeHeader = 'store           series shards parallel requests   rows µs/flush flushes/s µs/scrape';
