import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seriesKey } from '../../src/metrics/merge.ts';
import type { MetricBatch } from '../../src/metrics/store.ts';
import { mergeBatch, type StoredState } from '../../src/metrics/stored-blocks.ts';
import { type FamilySeries, toSnapshot } from '../../src/metrics/stored-family.ts';
import { joinShards, staleSeries } from '../../src/metrics/stored-shards.ts';

const bounds = { maxSeries: 100, expireAfterMs: 1000 };
const start = 1_700_000_000_000;
const nano = (ms: number) => BigInt(ms) * 1_000_000n;

type Shard = ReadonlyMap<string, StoredState>;

function mergeInto(shard: Shard, batch: MetricBatch, now: number): Shard {
  return new Map([...shard, ...mergeBatch(shard, batch, now, { ...bounds, count: shard.size })]);
}

function seriesOf(shard: Shard): FamilySeries[] {
  return Array.from(shard.values(), ({ family, blocks }) => [family, blocks.flatMap((block) => [...block.series])]);
}

function pageOf(shards: readonly Shard[], now: number) {
  const snapshot = toSnapshot(joinShards(shards.map(seriesOf), now, bounds.expireAfterMs), now, bounds.expireAfterMs);
  const metrics = snapshot.metrics.map((family) => ({
    ...family,
    points: family.points.toSorted((a, b) => (seriesKey(a) < seriesKey(b) ? -1 : 1)),
  }));
  return { ...snapshot, metrics };
}

const pointOf = (model: string, time: number) => ({
  labels: { model },
  startUnixNano: nano(start),
  timeUnixNano: nano(start + time),
});

/** One of each kind; nano-dollars that no double adds up exactly. */
function batchOf(model: string, value: number, time: number): MetricBatch {
  const point = pointOf(model, time);
  const exemplar = { value, traceId: `${value}`, spanId: `${time}`, timeUnixNano: nano(start + time) };
  const counts = value % 2 ? [1, 0] : [0, 1];
  return {
    batchId: 'any',
    families: [
      { name: 'usd_total', type: 'counter', scale: 1e9, points: [{ ...point, value, exemplars: [exemplar] }] },
      { name: 'depth', type: 'gauge', points: [{ ...point, value }] },
      { name: 'change', type: 'gauge', additive: true, points: [{ ...point, value: -value }] },
      { name: 'size', type: 'histogram', bounds: [1], points: [{ ...point, counts, count: 1, sum: value }] },
    ],
  };
}

function counterOf(value: number, model = 'a'): MetricBatch {
  return {
    batchId: 'any',
    families: [{ name: 'calls_total', type: 'counter', points: [{ ...pointOf(model, 0), value }] }],
  };
}

describe('shards of a store', () => {
  it('come to what one store would, to the nano-dollar, whichever batch went where', () => {
    const batch = fc.record({
      shard: fc.nat(2),
      model: fc.constantFrom('a', 'b', 'c'),
      value: fc.nat(2 ** 50),
      time: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 20 }), (batches) => {
        let one: Shard = new Map();
        const shards: Shard[] = [new Map(), new Map(), new Map()];
        for (const { shard, model, value, time } of batches) {
          const given = batchOf(model, value, time);
          one = mergeInto(one, given, start);
          shards[shard] = mergeInto(shards[shard]!, given, start);
        }
        expect(pageOf(shards, start)).toEqual(pageOf([one], start));
      }),
      { numRuns: 100 },
    );
  });

  it('keep the start of the one that knew a series first, and no sum where one has none', () => {
    const first = mergeInto(new Map(), batchOf('a', 1, 0), start);
    const unknown = batchOf('a', 2, 0).families.slice(3);
    const { sum: _, ...point } = unknown[0]!.points[0]!;
    const later = mergeInto(new Map(), { batchId: 'b', families: [{ ...unknown[0]!, points: [point] }] }, start + 500);
    for (const shards of [
      [first, later],
      [later, first],
    ]) {
      const size = pageOf(shards, start + 500).metrics.find(({ name }) => name === 'size')!.points[0]!;
      expect(size).toMatchObject({ startUnixNano: nano(start), counts: [1, 1], count: 2 });
      expect(size).not.toHaveProperty('sum');
    }
  });

  it('of a family that differs have that of the first', () => {
    const [a, b] = [[1], [1, 2]].map((given): Shard => {
      const counts = new Array<number>(given.length + 1).fill(1);
      const points = [{ ...pointOf('a', 0), counts, count: counts.length, sum: 1 }];
      const family = { name: 'size', type: 'histogram', bounds: given, points } as const;
      return mergeInto(new Map(), { batchId: 'a', families: [family] }, start);
    });
    expect(pageOf([a!, b!], start).metrics).toMatchObject([{ bounds: [1], points: [{ counts: [1, 1] }] }]);
    expect(pageOf([b!, a!], start).metrics).toMatchObject([{ bounds: [1, 2], points: [{ counts: [1, 1, 1] }] }]);
  });

  it('are told of series that others have had since, before they would forget them', () => {
    const old = mergeInto(mergeInto(new Map(), counterOf(1), start), counterOf(1, 'b'), start);
    const recent = mergeInto(new Map(), counterOf(2), start + 400);
    const stale = (now: number, max = 10) =>
      staleSeries([old, recent].map(seriesOf), start + now, bounds.expireAfterMs, max);
    expect(stale(500)).toEqual([[], []]);
    const touch = ['["calls_total",null,null,null]', '[["model","a"]]', start + 400];
    expect(stale(501)).toEqual([[touch], []]);
    const both = mergeInto(recent, counterOf(1, 'b'), start + 400);
    const many = staleSeries([old, both].map(seriesOf), start + 501, bounds.expireAfterMs, 1);
    expect(many.map(({ length }) => length)).toEqual([1, 0]);
    expect(pageOf([old, recent], start + 1001).metrics[0]?.points).toMatchObject([{ value: 2 }]);
  });
});
