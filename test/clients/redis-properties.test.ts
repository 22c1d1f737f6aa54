import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRedisBudgetStore, createRedisMetricStore } from '../../adapters/redis/index.ts';
import { createMemoryBudgetStore } from '../../src/budget/memory-store.ts';
import type { BudgetStore } from '../../src/budget/store.ts';
import { createMemoryMetricStore } from '../../src/metrics/memory-store.ts';
import type { MetricsSnapshot } from '../../src/metrics/snapshot.ts';
import { type BatchFamily, type MetricBatch, type MetricStore, StoreRefusal } from '../../src/metrics/store.ts';
import { needs, ready, startWithClient } from './redis-servers.ts';

const start = 1_700_000_000_000_000_000n;

const times = fc.integer({ min: 1, max: 9 }).map((seconds) => start + BigInt(seconds) * 1_000_000_000n);
const labels = fc.constantFrom<Record<string, string>>({}, { model: 'a' }, { model: 'b' }, { b: '1', a: '2' });
const exemplars = fc.array(
  fc.record({
    value: fc.constantFrom(0.5, 1, 5, 50),
    traceId: fc.constantFrom('aa', 'bb'),
    spanId: fc.constantFrom('cc', 'dd'),
    timeUnixNano: times,
  }),
  { maxLength: 2 },
);
const base = { labels, startUnixNano: fc.constant(start), timeUnixNano: times };
const integer = fc.oneof(fc.maxSafeNat(), fc.nat(9));
const scale = fc.constantFrom(1, 1e6, 1e9);

const counter = fc.record({ ...base, value: integer, exemplars });
const upDown = fc.record({ ...base, value: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -9, max: 9 })) });
const gauge = fc.record({ ...base, value: fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -3, max: 3 })) });
const histogram = fc
  .record({
    ...base,
    counts: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)),
    sum: fc.option(integer, { nil: undefined }),
    exemplars,
  })
  .map(({ sum, ...point }) => ({
    ...point,
    count: point.counts.reduce((a, b) => a + b, 0),
    ...(sum !== undefined && { sum }),
  }));

const points = <P>(point: fc.Arbitrary<P>) => fc.array(point, { minLength: 1, maxLength: 3 });
const family: fc.Arbitrary<BatchFamily> = fc.oneof(
  fc.record({
    name: fc.constant('calls_total'),
    type: fc.constant('counter' as const),
    scale,
    points: points(counter),
  }),
  fc.record({
    name: fc.constant('open'),
    type: fc.constant('gauge' as const),
    additive: fc.constant(true),
    scale,
    points: points(upDown),
  }),
  fc.record({ name: fc.constant('depth'), type: fc.constant('gauge' as const), points: points(gauge) }),
  fc.record({
    name: fc.constant('seconds'),
    type: fc.constant('histogram' as const),
    // Other bounds are refused, by both.
    bounds: fc.oneof({ weight: 5, arbitrary: fc.constant([1, 10]) }, { weight: 1, arbitrary: fc.constant([2, 20]) }),
    scale,
    unit: fc.constantFrom('s', ''),
    points: points(histogram),
  }),
);
/** Batches in any order, some of them more than once. */
const deliveries: fc.Arbitrary<MetricBatch[]> = fc
  .tuple(
    fc.array(fc.array(family, { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
    fc.array(fc.nat(), { maxLength: 12 }),
  )
  .map(([batches, order]) =>
    order.map((index) => {
      const number = index % batches.length;
      return { batchId: `${number}`, families: batches[number]! };
    }),
  );

const windowEnd = fc.constantFrom(Date.UTC(2100, 0), Date.UTC(2100, 1), Number.POSITIVE_INFINITY);
const reservation = fc.record({
  key: fc.constantFrom('a', 'b'),
  windowEnd,
  reservationId: fc.constantFrom(...'pqrstuvw'),
});
const amount = fc.record({ nanoUsd: fc.oneof(fc.nat(60), fc.maxSafeNat()), tokens: fc.nat(60) });
const limit = fc.record({
  nanoUsd: fc.constantFrom(100, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY),
  tokens: fc.constantFrom(100, Number.POSITIVE_INFINITY),
});
const expiresAt = fc.constantFrom(1000, Date.UTC(2099, 0));
const budgetCall = fc.oneof(
  fc.record({ call: fc.constant('reserve' as const), reservation, amount, limit, expiresAt }),
  fc.record({ call: fc.constant('settle' as const), reservation, amount }),
  fc.record({ call: fc.constant('release' as const), reservation }),
  fc.record({ call: fc.constant('read' as const), reservation }),
);

describe.skipIf(!ready)(`Redis and memory agree (${needs})`, () => {
  let client: Redis;

  beforeAll(async () => {
    const redis = await startWithClient();
    client = redis.client;
    return redis.stop;
  });

  it('on any batches, whatever their order, repeated or not', async () => {
    await fc.assert(
      fc.asyncProperty(deliveries, async (batches) => {
        await client.flushall();
        const stores = [createRedisMetricStore(client, { maxSeries: 3 }), createMemoryMetricStore({ maxSeries: 3 })];
        for (const one of batches) {
          const [redis, memory] = await Promise.all(stores.map((store) => tryMerge(store, one)));
          expect(redis).toEqual(memory);
        }
        const [redis, memory] = await Promise.all(stores.map((store) => store.collect()));
        expect(withoutStart(redis!)).toEqual(withoutStart(memory!));
      }),
      { numRuns: 150 },
    );
  });

  it('that what counts is the sum of the distinct batches since the last expiry, however they come', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('merge' as const),
          id: fc.nat(20),
          times: fc.integer({ min: 1, max: 3 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('collect' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await client.flushall();
        const store = createRedisMetricStore(client);
        const seen = new Set<number>();
        let sum = 0;
        for (const one of steps) {
          if (one.kind === 'merge') {
            await Promise.all(Array.from({ length: one.times }, () => store.merge(countBatch(one.id))));
            if (!seen.has(one.id)) sum += 2 ** one.id;
            seen.add(one.id);
          } else if (one.kind === 'expire') {
            for (const name of await client.zrange(touched, '0', '-1')) await client.zadd(touched, '1', name);
            sum = 0;
          } else expect(await total(store)).toBe(sum);
        }
        expect(await total(store)).toBe(sum);
      }),
      { numRuns: 60 },
    );
  });

  it('on any calls of a budget', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(budgetCall, { maxLength: 40 }), async (calls) => {
        await client.flushall();
        const stores = [createRedisBudgetStore(client), createMemoryBudgetStore()];
        for (const one of calls) {
          const [redis, memory] = await Promise.all(stores.map((store) => call(store, one)));
          expect(redis).toEqual(memory);
        }
      }),
      { numRuns: 150 },
    );
  });
});

const touched = '{edgespan}:metrics:touched';

function countBatch(id: number): MetricBatch {
  const points = [{ labels: {}, startUnixNano: start, timeUnixNano: start, value: 2 ** id }];
  return { batchId: `${id}`, families: [{ name: 'calls_total', type: 'counter', points }] };
}

async function total(store: MetricStore): Promise<number> {
  const { metrics } = await store.collect();
  return metrics[0]?.points[0]?.value ?? 0;
}

/** The families that it refuses. */
async function tryMerge(store: MetricStore, given: MetricBatch): Promise<readonly string[]> {
  try {
    await store.merge(given);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(StoreRefusal);
    return (error as StoreRefusal).families;
  }
}

/** In an order of their own; series start when a store first hears of them. */
function withoutStart({ metrics }: MetricsSnapshot): unknown {
  return metrics.map(({ points, ...rest }) => {
    const shown = points.map(({ startUnixNano: _, exemplars = [], timeUnixNano: __, ...point }) =>
      JSON.stringify({
        ...point,
        exemplars: exemplars.map((one) => JSON.stringify({ ...one, timeUnixNano: `${one.timeUnixNano}` })).sort(),
      }),
    );
    return { ...rest, points: shown.sort() };
  });
}

type BudgetCall = typeof budgetCall extends fc.Arbitrary<infer T> ? T : never;

function call(store: BudgetStore, one: BudgetCall): Promise<unknown> {
  const { reservation } = one;
  if (one.call === 'reserve') {
    const { amount, limit, expiresAt } = one;
    return store.reserve({ ...reservation, amount, limit, expiresAt });
  }
  if (one.call === 'settle') return store.settle(reservation, one.amount);
  if (one.call === 'release') return store.release(reservation);
  return store.read(reservation.key, reservation.windowEnd);
}
