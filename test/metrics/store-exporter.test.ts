import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Delivery } from '../../src/delivery.ts';
import { createMemoryMetricStore } from '../../src/metrics/memory-store.ts';
import { Registry } from '../../src/metrics/registry.ts';
import type { MetricsSnapshot } from '../../src/metrics/snapshot.ts';
import { batchMemoryMs, type MetricBatch, type MetricStore, StoreRefusal } from '../../src/metrics/store.ts';
import { createStoreExporter, maxUnconfirmedBatches } from '../../src/metrics/store-exporter.ts';

/** `lost` applies the batch and throws, `late` applies it when it is told to, `never` does not answer. */
type Fault = 'ok' | 'fails' | 'lost' | 'late' | 'never';

/** A store that misbehaves as it is told, before one in memory. */
function createFaultyStore(options: Parameters<typeof createMemoryMetricStore>[0] = {}) {
  const store = createMemoryMetricStore(options);
  const faults: Fault[] = [];
  const batches: MetricBatch[] = [];
  const waiting: (() => void)[] = [];
  const faulty: MetricStore = {
    async merge(batch) {
      batches.push(structuredClone(batch));
      const fault = faults.shift() ?? 'ok';
      if (fault === 'fails') throw new Error('no connection');
      if (fault === 'never') return new Promise<never>(() => {});
      if (fault === 'late') await new Promise<void>((resolve) => waiting.push(resolve));
      await store.merge(batch);
      if (fault === 'lost') throw new Error('connection reset');
    },
    collect: () => store.collect(),
  };
  /** Lets those that wait go on. */
  const answer = async () => {
    for (const go of waiting.splice(0)) go();
    await vi.advanceTimersByTimeAsync(0);
  };
  return { store: faulty, memory: store, faults, batches, answer };
}

let ids = 0;

/** A registry that sends to a store, and what became of what it sent. */
function createSender(store: MetricStore) {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const registry = new Registry(clock);
  const deliveries: Delivery<unknown>[] = [];
  const books = { recorded: 0, sent: 0, dropped: {} as Record<string, number> };
  const exporter = createStoreExporter({
    store,
    clock,
    collect: () => registry.collect(),
    newId: () => `batch-${++ids}`,
    ledger: {
      recorded: (_, count) => {
        books.recorded += count;
      },
      delivered(_, delivery) {
        deliveries.push(delivery);
        books.sent += delivery.sent;
        for (const [reason, n] of Object.entries(delivery.dropped))
          books.dropped[reason] = (books.dropped[reason] ?? 0) + n;
      },
      dropped: () => {},
    },
  });
  /** Starts a flush; time goes on until it is over. */
  async function flush(timeoutMs = 1000): Promise<void> {
    const flushing = exporter.flush(performance.now() + timeoutMs);
    await vi.advanceTimersByTimeAsync(timeoutMs);
    await flushing;
  }
  const begin = (timeoutMs = 1000) => exporter.flush(performance.now() + timeoutMs);
  const errors = () => deliveries.flatMap(({ error }) => (error ? [`${error.code}: ${error.message}`] : []));
  return { registry, exporter, flush, begin, books, errors };
}

async function readOne(store: MetricStore, name: string, pick: 'value' | 'sum' | 'count' = 'value') {
  const { metrics } = await store.collect();
  return metrics.find((family) => family.name === name)?.points[0]?.[pick];
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what is sent', () => {
  it('is what happened since the last flush, and nothing where nothing did', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush, books } = createSender(store);
    const calls = registry.counter('calls_total', { labels: ['model'], help: 'Calls' });
    await flush();
    calls.inc({ model: 'a' }, 2);
    await flush();
    await flush();
    calls.inc({ model: 'a' }, 3);
    calls.inc({ model: 'b' });
    await flush();
    const sent = batches.map(({ families }) => families.flatMap(({ points }) => points.map(({ value }) => value)));
    expect(sent).toEqual([[2], [3, 1]]);
    expect(new Set(batches.map(({ batchId }) => batchId)).size).toBe(2);
    expect(books).toEqual({ recorded: 3, sent: 3, dropped: {} });
  });

  it('is whole numbers of what the family counts in', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush } = createSender(store);
    registry.counter('llm_cost_usd_total').inc(0.000_000_15);
    registry.counter('spent_total', { unit: 'USD' }).inc(2);
    registry.histogram('work_seconds', { buckets: [1] }).observe(0.25);
    registry.histogram('gen_ai.client.operation.duration', { unit: 's', buckets: [1] }).observe(2);
    registry.counter('calls_total').inc(7);
    registry.counter('points_total').inc(0.5);
    registry.gauge('depth').set(0.5);
    await flush();
    const families = batches[0]!.families.map(({ name, scale, points: [point] }) => [
      name,
      scale,
      point?.value ?? point?.sum,
    ]);
    expect(families).toEqual([
      ['llm_cost_usd_total', 1e9, 150],
      ['spent_total', 1e9, 2e9],
      ['work_seconds', 1e6, 250_000],
      ['gen_ai.client.operation.duration', 1e6, 2e6],
      ['calls_total', 1, 7],
      ['points_total', 1e6, 500_000],
      ['depth', undefined, 0.5],
    ]);
  });

  it('goes on in millionths once a fraction was seen, and nothing is counted twice', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush } = createSender(store);
    const points = registry.counter('points_total');
    for (const value of [3, 0.25, 4]) {
      points.inc(value);
      await flush();
    }
    expect(batches.map(({ families: [family] }) => [family!.scale, family!.points[0]!.value])).toEqual([
      [1, 3],
      [1e6, 250_000],
      [1e6, 4e6],
    ]);
    expect(await readOne(store, 'points_total')).toBe(7.25);
  });

  it('adds up to the rounded total, however often it is sent', async () => {
    const { store } = createFaultyStore();
    const senders = [createSender(store), createSender(store)];
    for (const { registry, flush } of senders) {
      const cost = registry.counter('cost_usd_total');
      const seconds = registry.histogram('work_seconds', { buckets: [1] });
      for (let i = 0; i < 100; i++) {
        cost.inc(1.4e-10);
        seconds.observe(3e-7);
        await flush();
      }
    }
    expect(await readOne(store, 'cost_usd_total')).toBe(2.8e-8);
    expect(await readOne(store, 'work_seconds', 'sum')).toBe(6e-5);
  });

  it('is how much an up-down counter changed', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush } = createSender(store);
    const open = registry.define('open', 'gauge', [], { additive: true });
    for (const change of [5, -7, 0, 1]) {
      open.add(change);
      await flush();
    }
    expect(batches.map(({ families: [family] }) => family!.points[0]!.value)).toEqual([5, -7, 1]);
    expect(await readOne(store, 'open')).toBe(-1);
  });

  it('has of a gauge the time it was set at, so that the newest wins whoever flushes last', async () => {
    const { store } = createFaultyStore();
    const [a, b] = [createSender(store), createSender(store)];
    const [depthA, depthB] = [a, b].map(({ registry }) => registry.gauge('depth'));
    depthA!.set(5);
    await vi.advanceTimersByTimeAsync(10);
    depthB!.set(7);
    await b.flush();
    await a.flush();
    expect(await readOne(store, 'depth')).toBe(7);
    depthA!.set(5);
    a.registry.counter('calls_total').inc();
    await a.flush();
    expect(await readOne(store, 'depth')).toBe(5);
  });

  it('has a gauge that stays as it is along with something else, now and then', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush } = createSender(store);
    registry.gauge('build').set(1);
    const calls = registry.counter('calls_total');
    const sendOne = async () => {
      calls.inc();
      await flush();
      return batches.at(-1)!.families.map(({ name }) => name);
    };
    expect(await sendOne()).toEqual(['build', 'calls_total']);
    expect(await sendOne()).toEqual(['calls_total']);
    await vi.advanceTimersByTimeAsync(300_000);
    await flush();
    expect(batches).toHaveLength(2);
    expect(await sendOne()).toEqual(['build', 'calls_total']);
  });

  it('is not sent for what a flush counts of itself, which goes along with the next', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush } = createSender(store);
    const own = registry.counter('edgespan_exports_total');
    own.inc();
    await flush();
    own.inc();
    await flush();
    expect(batches).toHaveLength(0);
    registry.counter('calls_total').inc();
    await flush();
    expect(batches.map(({ families }) => families.map(({ name, points }) => [name, points[0]!.value]))).toEqual([
      [
        ['edgespan_exports_total', 2],
        ['calls_total', 1],
      ],
    ]);
  });

  it('is in several batches where there is much', async () => {
    const { store, batches } = createFaultyStore();
    const { registry, flush, exporter, books } = createSender(store);
    const calls = ['a_total', 'b_total', 'c_total'].map((name) => registry.counter(name, { labels: ['id'] }));
    for (const counter of calls) for (let i = 0; i < 1500; i++) counter.inc({ id: `${i}` });
    await flush();
    expect(batches.map(({ families }) => families.map(({ name, points }) => [name, points.length]))).toEqual([
      [
        ['a_total', 1500],
        ['b_total', 500],
      ],
      [
        ['b_total', 1000],
        ['c_total', 1000],
      ],
      [['c_total', 500]],
    ]);
    expect([books.sent, exporter.pending]).toEqual([4500, 0]);
  });

  it('has its turn for all of a registry that is larger than the batches may be', async () => {
    const { store, faults } = createFaultyStore({ maxSeries: 100_000 });
    const { registry, flush, exporter } = createSender(store);
    const families = Array.from({ length: 12 }, (_, i) => registry.counter(`f${i}_total`, { labels: ['id'] }));
    for (const family of families) for (let i = 0; i < 1900; i++) family.inc({ id: `${i}` });
    faults.push('fails');
    await flush();
    expect(exporter.pending).toBe(maxUnconfirmedBatches * 2000);
    for (let round = 0; round < 3; round++) await flush();
    const { metrics } = await store.collect();
    expect(metrics.reduce((sum, { points }) => sum + points.length, 0)).toBe(12 * 1900);
    expect(metrics.every(({ points }) => points.every(({ value }) => value === 1))).toBe(true);
  });
});

describe('a store that fails', () => {
  it('gets a batch again as it was, with its id, and counts it once', async () => {
    for (const fault of ['fails', 'lost'] as const) {
      const { store, faults, batches } = createFaultyStore();
      const { registry, flush, exporter, books, errors } = createSender(store);
      const calls = registry.counter('calls_total');
      calls.inc(2);
      faults.push(fault);
      await flush();
      expect([exporter.pending, books.sent]).toEqual([1, 0]);
      calls.inc(3);
      await flush();
      expect(batches[1]).toEqual(batches[0]);
      expect(await readOne(store, 'calls_total')).toBe(5);
      expect([exporter.pending, books]).toEqual([0, { recorded: 2, sent: 2, dropped: {} }]);
      expect(errors()).toEqual([expect.stringContaining('store_failed: the metric store failed:')]);
    }
  });

  it('leaves what is counted meanwhile in the registry, for however long', async () => {
    const { store, faults, batches } = createFaultyStore();
    const { registry, flush, exporter, books } = createSender(store);
    const calls = registry.counter('calls_total');
    faults.push(...new Array<Fault>(500).fill('fails'));
    for (let i = 0; i < 100; i++) {
      calls.inc();
      await flush();
    }
    expect(exporter.pending).toBe(1);
    expect(new Set(batches.filter(({ families }) => families.length > 0).map(({ batchId }) => batchId)).size).toBe(1);
    faults.length = 0;
    await flush();
    expect(await readOne(store, 'calls_total')).toBe(100);
    expect(books).toEqual({ recorded: 2, sent: 2, dropped: {} });
  });

  it('that does not answer ends no flush later than its deadline, and an answer that comes late counts', async () => {
    const { store, faults, answer } = createFaultyStore();
    const { registry, flush, exporter, books, errors } = createSender(store);
    registry.counter('calls_total').inc(4);
    faults.push('late');
    await flush();
    expect(errors()).toEqual(['store_failed: the metric store did not answer in time']);
    expect(exporter.pending).toBe(1);
    await answer();
    expect([exporter.pending, books.sent]).toEqual([0, 1]);
    await flush();
    expect(await readOne(store, 'calls_total')).toBe(4);
  });

  it('may answer twice to one batch, which counts once', async () => {
    const { store, faults, answer } = createFaultyStore();
    const { registry, flush, exporter, books } = createSender(store);
    registry.counter('calls_total').inc(4);
    faults.push('late');
    await flush();
    await flush();
    expect([exporter.pending, books.sent]).toEqual([0, 1]);
    await answer();
    expect([exporter.pending, books]).toEqual([0, { recorded: 1, sent: 1, dropped: {} }]);
    expect(await readOne(store, 'calls_total')).toBe(4);
  });

  it('is sent no batch twice at a time, unless the first one is over its deadline', async () => {
    const { store, faults, batches, answer } = createFaultyStore();
    const { registry, flush, begin, exporter, books } = createSender(store);
    const calls = registry.counter('calls_total');
    calls.inc();
    faults.push('never');
    const first = begin(10_000);
    await vi.advanceTimersByTimeAsync(0);
    calls.inc(10);
    await flush();
    expect(batches.map(({ families }) => families[0]!.points[0]!.value)).toEqual([1, 10]);
    expect(await readOne(store, 'calls_total')).toBe(10);
    await vi.advanceTimersByTimeAsync(10_000);
    await first;
    await flush();
    expect(batches[2]).toEqual(batches[0]);
    await answer();
    expect(await readOne(store, 'calls_total')).toBe(11);
    expect([exporter.pending, books.sent]).toEqual([0, 2]);
  });

  it('holds eight batches at most; the flush that makes room sends what waited', async () => {
    const { store, faults, batches, answer } = createFaultyStore();
    const { registry, begin, exporter } = createSender(store);
    const calls = registry.counter('calls_total');
    faults.push(...new Array<Fault>(maxUnconfirmedBatches).fill('late'));
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < maxUnconfirmedBatches + 4; i++) {
      calls.inc();
      flushes.push(begin());
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(exporter.pending).toBe(maxUnconfirmedBatches);
    expect(batches).toHaveLength(maxUnconfirmedBatches);
    await answer();
    await Promise.all(flushes);
    expect(await readOne(store, 'calls_total')).toBe(maxUnconfirmedBatches + 4);
    expect(batches).toHaveLength(maxUnconfirmedBatches + 1);
  });

  it('that forgot may not be sent a batch any more, which then is given up and counted', async () => {
    const { store, faults, batches } = createFaultyStore();
    const { registry, flush, exporter, books, errors } = createSender(store);
    const calls = registry.counter('calls_total');
    calls.inc(2);
    faults.push('fails');
    await flush();
    await vi.advanceTimersByTimeAsync(batchMemoryMs / 2);
    calls.inc(3);
    await flush();
    expect(errors().at(-1)).toContain(
      'store_failed: the metric store did not confirm a batch for 30 minutes: its points are given up, 1 in all',
    );
    expect([exporter.pending, books]).toEqual([0, { recorded: 2, sent: 1, dropped: { unconfirmed: 1 } }]);
    expect(await readOne(store, 'calls_total')).toBe(3);
    expect(batches.filter(({ families }) => families[0]?.points[0]?.value === 2)).toHaveLength(1);
  });

  it('and still fails after that costs no more than the batch that was given up', async () => {
    const { store, faults } = createFaultyStore();
    const { registry, flush, exporter, books } = createSender(store);
    const calls = registry.counter('calls_total');
    faults.push(...new Array<Fault>(50).fill('fails'));
    for (const value of [1, 10, 100, 1000]) {
      calls.inc(value);
      await flush();
      await vi.advanceTimersByTimeAsync(batchMemoryMs / 2);
    }
    expect([exporter.pending, books]).toEqual([0, { recorded: 1, sent: 0, dropped: { unconfirmed: 1 } }]);
    faults.length = 0;
    await flush();
    expect(await readOne(store, 'calls_total')).toBe(1110);
  });

  it('may throw at once', async () => {
    const store: MetricStore = {
      merge() {
        throw new Error('not a promise');
      },
      collect: async () => ({ temporality: 'cumulative', resource: {}, metrics: [] }),
    };
    const { registry, flush, errors } = createSender(store);
    registry.counter('calls_total').inc();
    await flush();
    expect(errors()[0]).toBe('store_failed: the metric store failed: not a promise');
  });
});

describe('a store that refuses', () => {
  it('costs the families it names; the others are sent at once, under another id', async () => {
    const { store, batches } = createFaultyStore();
    const other = createSender(store);
    other.registry.histogram('work_seconds', { buckets: [1, 2] }).observe(1);
    await other.flush();
    const { registry, flush, exporter, books, errors } = createSender(store);
    registry.histogram('work_seconds', { buckets: [5] }).observe(1);
    registry.counter('calls_total').inc(3);
    await flush();
    expect(await readOne(store, 'calls_total')).toBe(3);
    expect(await readOne(store, 'work_seconds', 'count')).toBe(1);
    expect(errors()).toEqual([expect.stringMatching(/^store_refused: .*work_seconds: another bounds/)]);
    expect(batches[2]!.batchId).not.toBe(batches[1]!.batchId);
    expect([exporter.pending, books]).toEqual([0, { recorded: 2, sent: 1, dropped: { refused: 1 } }]);
  });

  it('is asked about such a family again only after five minutes', async () => {
    const { store, batches } = createFaultyStore();
    const other = createSender(store);
    other.registry.counter('work').inc();
    await other.flush();
    const { registry, flush, books } = createSender(store);
    const work = registry.gauge('work');
    const calls = registry.counter('calls_total');
    for (let i = 0; i < 10; i++) {
      work.set(i);
      calls.inc();
      await flush();
    }
    expect(batches).toHaveLength(1 + 2 + 9);
    expect(books.dropped).toEqual({ refused: 1 });
    await vi.advanceTimersByTimeAsync(300_000);
    work.set(11);
    await flush();
    expect(books.dropped).toEqual({ refused: 2 });
    expect(await readOne(store, 'calls_total')).toBe(10);
  });

  it('without a name takes nothing of the batch, and it is not sent again', async () => {
    const batches: MetricBatch[] = [];
    const store: MetricStore = {
      async merge(batch) {
        batches.push(batch);
        throw new StoreRefusal([], 'nothing at all');
      },
      collect: async () => ({ temporality: 'cumulative', resource: {}, metrics: [] }),
    };
    const { registry, flush, exporter, books } = createSender(store);
    registry.counter('calls_total').inc();
    await flush();
    await flush();
    expect(batches).toHaveLength(1);
    expect([exporter.pending, books]).toEqual([0, { recorded: 1, sent: 0, dropped: { refused: 1 } }]);
  });
});

/** What a registry has, as a store would say it: by name and label. */
function totals(snapshots: readonly MetricsSnapshot[]): Record<string, number> {
  const sums: Record<string, number> = {};
  const add = (key: string, value: number | undefined) => {
    if (value !== undefined) sums[key] = Math.round(((sums[key] ?? 0) + value) * 1e9) / 1e9;
  };
  for (const { metrics } of snapshots) {
    for (const { name, points } of metrics) {
      for (const { labels, value, sum, counts = [] } of points) {
        const key = `${name}${JSON.stringify(labels)}`;
        add(key, value);
        add(`${key} sum`, sum);
        for (const [i, count] of counts.entries()) add(`${key} ${i}`, count);
      }
    }
  }
  return sums;
}

describe('several senders and a store that fails at any time', () => {
  const fault = fc.constantFrom<Fault>('ok', 'ok', 'fails', 'lost', 'late', 'never');
  const action = fc.oneof(
    fc.record({ sender: fc.nat(2), calls: fc.integer({ min: 1, max: 5 }), nanoUsd: fc.nat(2_000_000_000) }),
    fc.record({ flush: fc.nat(2), faults: fc.array(fault, { maxLength: 4 }) }),
    fc.record({ begin: fc.nat(2), faults: fc.array(fault, { maxLength: 3 }) }),
    fc.record({ wait: fc.integer({ min: 1, max: 3000 }) }),
    fc.constant('answer' as const),
  );

  it('count each call once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const { store, faults, answer } = createFaultyStore();
        const senders = [createSender(store), createSender(store), createSender(store)];
        const begun: Promise<void>[] = [];
        for (const step of actions) {
          if (step === 'answer') await answer();
          else if ('wait' in step) await vi.advanceTimersByTimeAsync(step.wait);
          else if ('sender' in step) {
            const { registry } = senders[step.sender]!;
            registry.counter('calls_total', { labels: ['m'] }).inc({ m: `${step.calls % 2}` }, step.calls);
            registry.histogram('cost_usd', { buckets: [1] }).observe(step.nanoUsd / 1e9);
            registry.define('open', 'gauge', [], { additive: true }).add(3 - step.calls);
          } else {
            faults.push(...step.faults);
            if ('flush' in step) await senders[step.flush]!.flush();
            else begun.push(senders[step.begin]!.begin());
          }
          for (const { exporter, books } of senders) {
            const dropped = Object.values(books.dropped).reduce((sum, n) => sum + n, 0);
            expect(books.sent + dropped + exporter.pending).toBe(books.recorded);
          }
        }
        faults.length = 0;
        await answer();
        await vi.advanceTimersByTimeAsync(2000);
        await Promise.all(begun);
        for (const { flush } of [...senders, ...senders]) await flush();
        const counted = await Promise.all(senders.map(({ registry }) => registry.collect()));
        const expected = totals(counted);
        const found = totals([await store.collect()]);
        // What never changed by anything on the whole need not be there.
        for (const [key, value] of Object.entries(expected)) expect([key, found[key] ?? 0]).toEqual([key, value]);
        expect(senders.map(({ exporter }) => exporter.pending)).toEqual([0, 0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});
