import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryMetricStore, maxRememberedBatches } from '../../src/metrics/memory-store.ts';
import { type BatchFamily, batchMemoryMs, type MetricStore } from '../../src/metrics/store.ts';
import { defaultExpireAfterMs, maxStoredFamilies } from '../../src/metrics/stored-family.ts';
import { metricStoreContract } from '../suites/metric-store.ts';
import { createManualClock } from '../support/telemetry.ts';
import { createBlockStore } from './block-store.ts';

const stores = { 'in memory': createMemoryMetricStore, 'in blocks': createBlockStore };

const at = { startUnixNano: 1_700_000_000_000_000_000n, timeUnixNano: 1_700_000_001_000_000_000n };

function counter(value: number, labels: Record<string, string> = {}, name = 'calls_total'): BatchFamily {
  return { name, type: 'counter', points: [{ ...at, labels, value }] };
}

async function read(store: MetricStore): Promise<Record<string, number | undefined>> {
  const { metrics } = await store.collect();
  return Object.fromEntries(
    metrics.flatMap(({ points }) => points.map(({ labels, value }) => [labels.id ?? '', value])),
  );
}

describe.each(Object.entries(stores))('a store %s', (_, create) => {
  it.each(metricStoreContract)('$name', ({ run }) => run(async (options) => create(options)));

  it('forgets a series that no batch has had for a day, which then begins anew', async () => {
    const clock = createManualClock();
    const store = create({ now: clock.now });
    await store.merge({ batchId: 'a', families: [counter(5, { id: 'old' }), counter(5, { id: 'kept' })] });
    const [{ startUnixNano } = at] = (await store.collect()).metrics[0]!.points;
    clock.advance(defaultExpireAfterMs);
    await store.merge({ batchId: 'b', families: [counter(1, { id: 'kept' })] });
    expect(await read(store)).toEqual({ old: 5, kept: 6 });
    clock.advance(1);
    expect(await read(store)).toEqual({ kept: 6 });
    await store.merge({ batchId: 'c', families: [counter(2, { id: 'old' })] });
    expect(await read(store)).toEqual({ old: 2, kept: 6 });
    const again = (await store.collect()).metrics[0]!.points.find(({ labels }) => labels.id === 'old');
    expect(again!.startUnixNano).toBeGreaterThan(startUnixNano);
  });

  it('takes another definition of a family once nobody has the first one any more', async () => {
    const clock = createManualClock();
    const store = create({ now: clock.now, expireAfterMs: 1000 });
    await store.merge({ batchId: 'a', families: [counter(5)] });
    const gauge: BatchFamily = { ...counter(1), type: 'gauge' };
    await expect(store.merge({ batchId: 'b', families: [gauge] })).rejects.toThrow('another type');
    clock.advance(2000);
    await store.merge({ batchId: 'b', families: [gauge] });
    expect((await store.collect()).metrics).toMatchObject([{ type: 'gauge', points: [{ value: 1 }] }]);
  });

  it('gives room to new series when others expire', async () => {
    const clock = createManualClock();
    const store = create({ now: clock.now, expireAfterMs: 1000, maxSeries: 2 });
    for (const id of ['a', 'b', 'c']) await store.merge({ batchId: id, families: [counter(1, { id })] });
    expect(Object.keys(await read(store))).toEqual(['a', 'b', '']);
    clock.advance(2000);
    for (const id of ['d', 'e']) await store.merge({ batchId: id, families: [counter(1, { id })] });
    expect(await read(store)).toEqual({ d: 1, e: 1 });
  });

  it('forgets nothing when the clock is set back', async () => {
    const clock = createManualClock();
    const store = create({ now: clock.now, expireAfterMs: 1000 });
    await store.merge({ batchId: 'a', families: [counter(5)] });
    clock.advance(-1e9);
    await store.merge({ batchId: 'b', families: [counter(1)] });
    expect(await read(store)).toEqual({ '': 6 });
  });

  it('knows an id for an hour', async () => {
    const clock = createManualClock();
    const store = create({ now: clock.now });
    const merge = () => store.merge({ batchId: 'a', families: [counter(1)] });
    await merge();
    clock.advance(batchMemoryMs);
    await merge();
    expect(await read(store)).toEqual({ '': 1 });
    clock.advance(1);
    await merge();
    expect(await read(store)).toEqual({ '': 2 });
  });

  it('refuses more families than it may have, by name', async () => {
    const store = create();
    const families = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => counter(1, {}, `f${from + i}`));
    await store.merge({ batchId: 'a', families: families(0, maxStoredFamilies) });
    const refused = store.merge({ batchId: 'b', families: families(maxStoredFamilies - 1, 2) });
    await expect(refused).rejects.toMatchObject({ families: [`f${maxStoredFamilies}`] });
    await store.merge({ batchId: 'c', families: families(maxStoredFamilies - 1, 1) });
    expect((await store.collect()).metrics).toHaveLength(maxStoredFamilies);
  });
});

describe('options', () => {
  it.each([{ maxSeries: 0 }, { maxSeries: 1.5 }, { expireAfterMs: Number.NaN }, { expireAfterMs: -1 }])(
    '%o',
    (options) => {
      const [option] = Object.keys(options);
      const wrong = expect.objectContaining({
        code: 'invalid_option',
        option,
        message: expect.stringContaining(option!),
      });
      expect(() => createMemoryMetricStore(options)).toThrow(wrong);
    },
  );
});

describe('the memory of batches', () => {
  it('is bounded: the oldest ids are forgotten', async () => {
    const store = createMemoryMetricStore();
    const merge = (i: number) => store.merge({ batchId: `${i}`, families: i < 2 ? [counter(1)] : [] });
    for (let i = 0; i <= maxRememberedBatches; i++) await merge(i);
    await merge(1);
    expect(await read(store)).toEqual({ '': 2 });
    await merge(0);
    expect(await read(store)).toEqual({ '': 3 });
  });
});

const expireAfterMs = 1000;

/** Sums of the distinct batches, series by series, as they would be on paper. */
function createPaper() {
  const seen = new Set<string>();
  const sums = new Map<string, { value: number; touched: number }>();
  return {
    merge(batchId: string, ids: readonly string[], value: number, now: number): void {
      if (seen.has(batchId)) return;
      seen.add(batchId);
      for (const id of ids) {
        const known = sums.get(id);
        const alive = known && now - known.touched <= expireAfterMs ? known.value : 0;
        sums.set(id, { value: alive + value, touched: now });
      }
    },
    read(now: number): Record<string, number> {
      const alive = [...sums].filter(([, { touched }]) => now - touched <= expireAfterMs);
      return Object.fromEntries(alive.map(([id, { value }]) => [id, value]));
    },
  };
}

describe.each(Object.entries(stores))('any interleaving before a store %s', (_, create) => {
  const id = fc.constantFrom('a', 'b', 'c', 'd');
  const action = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ batch: fc.nat(12), ids: fc.uniqueArray(id, { minLength: 1 }), value: fc.nat(2 ** 40) }),
    },
    { weight: 2, arbitrary: fc.record({ retry: fc.nat(12) }) },
    { weight: 2, arbitrary: fc.record({ wait: fc.nat(700) }) },
    { weight: 2, arbitrary: fc.constant('collect' as const) },
  );

  it('of merge, retry, expiry and collect gives the sum of the distinct batches', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const clock = createManualClock();
        const store = create({ now: clock.now, expireAfterMs });
        const paper = createPaper();
        const sent = new Map<number, { ids: readonly string[]; value: number }>();
        for (const step of actions) {
          if (step === 'collect') expect(await read(store)).toEqual(paper.read(clock.now()));
          else if ('wait' in step) clock.advance(step.wait);
          else {
            const number = 'batch' in step ? step.batch : step.retry;
            if ('batch' in step && !sent.has(number)) sent.set(number, step);
            const batch = sent.get(number);
            if (!batch) continue;
            const families = batch.ids.map((id) => counter(batch.value, { id }));
            await store.merge({ batchId: `${number}`, families });
            paper.merge(`${number}`, batch.ids, batch.value, clock.now());
          }
        }
        expect(await read(store)).toEqual(paper.read(clock.now()));
      }),
      { numRuns: 300 },
    );
  });
});
