import { maxFamilyNameLength, maxFamilyTextLength } from '../../src/metrics/batch-check.ts';
import type { Exemplar, MetricFamily, Point } from '../../src/metrics/snapshot.ts';
import type { BatchFamily, MetricBatch, MetricStore, StoreRefusal } from '../../src/metrics/store.ts';
import { renderPrometheus } from '../../src/prometheus/render.ts';
import { equal, ok, thrown } from './assert.ts';

/** An empty store, with another bound of a family's series where a test asks for one. */
export type CreateMetricStore = (options?: { maxSeries: number }) => Promise<MetricStore>;

export interface MetricStoreTest {
  readonly name: string;
  run(create: CreateMetricStore): Promise<void>;
}

type Labels = Record<string, string>;

const start = 1_700_000_000_000_000_000n;
const at = (seconds: number) => start + BigInt(seconds) * 1_000_000_000n;
const base = { labels: {}, startUnixNano: start, timeUnixNano: at(1) };

function batch(batchId: string, ...families: BatchFamily[]): MetricBatch {
  return { batchId, families };
}

function point(rest: Partial<Point>): Point {
  return { ...base, ...rest };
}

function counter(value: number, labels: Labels = {}, rest: Partial<BatchFamily> = {}): BatchFamily {
  return { name: 'calls_total', type: 'counter', points: [point({ value, labels })], ...rest };
}

function gauge(value: number, seconds: number, rest: Partial<BatchFamily> = {}): BatchFamily {
  return { name: 'depth', type: 'gauge', points: [point({ value, timeUnixNano: at(seconds) })], ...rest };
}

/** Buckets up to 1 and 10; the sum in microseconds. */
function histogram(counts: readonly number[], sum: number | undefined, rest: Partial<BatchFamily> = {}): BatchFamily {
  const count = counts.reduce((a, b) => a + b, 0);
  const given = point({ counts, count, ...(sum !== undefined && { sum }) });
  return { name: 'seconds', type: 'histogram', unit: 's', bounds: [1, 10], scale: 1e6, points: [given], ...rest };
}

function exemplar(value: number, seconds: number): Exemplar {
  return { value, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), timeUnixNano: at(seconds) };
}

async function families(store: MetricStore, name: string): Promise<MetricFamily[]> {
  const { temporality, metrics } = await store.collect();
  equal(temporality, 'cumulative', 'temporality');
  return metrics.filter((family) => family.name === name);
}

async function points(store: MetricStore, name: string): Promise<readonly Point[]> {
  return (await families(store, name)).flatMap((family) => family.points);
}

/** The only series of a family. */
async function only(store: MetricStore, name: string): Promise<Point> {
  const all = await points(store, name);
  equal(all.length, 1, `series of ${name}`);
  return all[0]!;
}

async function value(store: MetricStore, name = 'calls_total'): Promise<number | undefined> {
  return (await only(store, name)).value;
}

/** The values by one label. */
async function byLabel(store: MetricStore, label: string): Promise<Record<string, number | undefined>> {
  const all = await points(store, 'calls_total');
  return Object.fromEntries(all.map(({ labels, value }) => [labels[label], value]));
}

async function refused(store: MetricStore, given: MetricBatch, names: readonly string[], what: string): Promise<void> {
  const error = (await thrown(() => store.merge(given))) as StoreRefusal;
  equal([error.name, error.code], ['StoreRefusal', 'store_refused'], `${what}: error`);
  equal([...error.families].sort(), [...names].sort(), `${what}: families`);
  for (const name of names) ok(error.message.includes(name), `${what}: "${error.message}" does not name ${name}`);
  ok(error.message.length < 2000, `${what}: a message of ${error.message.length} characters`);
}

const adding: readonly MetricStoreTest[] = [
  {
    name: 'is empty at first',
    async run(create) {
      equal(await (await create()).collect(), { temporality: 'cumulative', resource: {}, metrics: [] }, 'snapshot');
    },
  },
  {
    name: 'takes a batch of nothing, which asks whether it is there',
    async run(create) {
      const store = await create();
      await store.merge(batch('nothing'));
      await store.merge(batch('nothing'));
      equal((await store.collect()).metrics, [], 'metrics');
    },
  },
  {
    name: 'adds counters up, each series by itself',
    async run(create) {
      const store = await create();
      await store.merge(batch('a', counter(1, { model: 'a' }), counter(5, {}, { name: 'other_total' })));
      await store.merge(batch('b', counter(2, { model: 'a' })));
      const two = [point({ value: 3, labels: { model: 'b' } }), point({ value: 4, labels: { model: 'a' } })];
      await store.merge(batch('c', { ...counter(0), points: two }));
      equal(await byLabel(store, 'model'), { a: 7, b: 3 }, 'calls_total');
      equal(await value(store, 'other_total'), 5, 'other_total');
    },
  },
  {
    name: 'takes labels for equal whatever their order, and apart whatever their characters',
    async run(create) {
      const store = await create();
      const odd = ['a"b\\c\nd', '', 'x,y="z"', '日本🦕', "'; DROP\u0000\r\t", '{}:*?', 'a b'];
      for (const [i, label] of odd.entries()) await store.merge(batch(`${i}`, counter(i + 1, { label })));
      equal(await byLabel(store, 'label'), Object.fromEntries(odd.map((label, i) => [label, i + 1])), 'values');
      await store.merge(batch('x', counter(1, { a: '1', b: '2' }, { name: 'order_total' })));
      await store.merge(batch('y', counter(1, { b: '2', a: '1' }, { name: 'order_total' })));
      equal(await value(store, 'order_total'), 2, 'one series');
      const joined = [
        point({ value: 1, labels: { a: 'b,c', d: '' } }),
        point({ value: 2, labels: { a: 'b', 'c,d': '' } }),
      ];
      await store.merge(batch('z', { ...counter(0), name: 'joined_total', points: joined }));
      equal((await points(store, 'joined_total')).length, 2, 'labels that look alike when joined');
    },
  },
  {
    name: 'takes any text, also halves of surrogate pairs, which the wire knows no letter for',
    async run(create) {
      const store = await create();
      const half = 'a\ud800';
      const odd = { help: `help ${half}`, unit: half, scope: { name: half }, name: half };
      await store.merge(batch('x', counter(1, { [half]: half, b: '\udbff' }, odd), counter(2)));
      await store.merge(batch(half, counter(1, { [half]: half, b: '\udbff' }, odd), counter(2)));
      equal([await value(store, half), await value(store)], [2, 4], 'values');
    },
  },
  {
    name: 'takes texts of the length that they may have, however often',
    async run(create) {
      const store = await create();
      const long = '界'.repeat(maxFamilyTextLength);
      const scope = { name: long, version: long, schemaUrl: long };
      const family = counter(1, {}, { name: '界'.repeat(maxFamilyNameLength), help: long, unit: long, scope });
      for (let i = 0; i < 70; i++) {
        const other = { ...family, scope: { ...scope, version: `${i % 2}` } };
        await store.merge(batch(`${i}`, family, other));
      }
      const found = (await store.collect()).metrics.flatMap(({ points }) => points.map(({ value }) => value));
      equal(found.sort(), [35, 35, 70], 'values');
    },
  },
  {
    name: 'keeps the newest gauge, whatever arrives first',
    async run(create) {
      const store = await create();
      for (const [i, seconds] of [20, 10, 30, 25].entries())
        await store.merge(batch(`${i}`, gauge(seconds / 10, seconds)));
      equal(await value(store, 'depth'), 3, 'value');
      await store.merge(batch('less', gauge(-0.25, 40)));
      equal(await value(store, 'depth'), -0.25, 'a negative fraction');
      await store.merge(batch('infinite', gauge(Number.POSITIVE_INFINITY, 50)));
      equal(await value(store, 'depth'), Number.POSITIVE_INFINITY, 'an infinite one');
    },
  },
  {
    name: 'of two gauges of one time the greater stays, whatever arrives first',
    async run(create) {
      for (const values of [
        [2, 10],
        [10, 2],
        [-3, -20],
      ]) {
        const store = await create();
        for (const [i, given] of values.entries()) await store.merge(batch(`${i}`, gauge(given, 5)));
        equal(await value(store, 'depth'), Math.max(...values), `${values}`);
      }
    },
  },
  {
    name: 'a clock that is ahead holds no gauge for ever',
    async run(create) {
      const store = await create();
      await store.merge(batch('ahead', gauge(1, 4_000_000_000)));
      const { timeUnixNano } = await only(store, 'depth');
      ok(timeUnixNano <= BigInt(Date.now() + 600_000) * 1_000_000n, 'time is cut to that of the store');
    },
  },
  {
    name: 'adds changes of up-down counters, of either sign',
    async run(create) {
      const store = await create();
      for (const [i, change] of [5, -2, -7].entries()) {
        await store.merge(batch(`${i}`, gauge(change, 30 - i, { additive: true })));
      }
      equal(await value(store, 'depth'), -4, 'value');
      equal(
        (await families(store, 'depth')).map(({ additive }) => additive),
        [true],
        'additive',
      );
    },
  },
  {
    name: 'adds histograms of equal bounds',
    async run(create) {
      const store = await create();
      await store.merge(batch('a', histogram([1, 0, 2], 30_500_000)));
      await store.merge(batch('b', histogram([0, 4, 1], 100_000)));
      const { counts, count, sum, value } = await only(store, 'seconds');
      equal({ counts, count, sum, value }, { counts: [1, 4, 3], count: 8, sum: 30.6, value: undefined }, 'point');
      const [{ type, unit, bounds } = {}] = await families(store, 'seconds');
      equal({ type, unit, bounds }, { type: 'histogram', unit: 's', bounds: [1, 10] }, 'family');
    },
  },
  {
    name: 'knows no sum of a histogram where one part has none, whatever arrives first',
    async run(create) {
      for (const sums of [
        [5, undefined, 5],
        [undefined, 5],
        [5, undefined],
      ]) {
        const store = await create();
        for (const [i, sum] of sums.entries()) await store.merge(batch(`${i}`, histogram([1, 0, 0], sum)));
        const { sum, count } = await only(store, 'seconds');
        equal({ sum, count }, { sum: undefined, count: sums.length }, `${sums}`);
      }
    },
  },
  {
    name: 'keeps families of two scopes apart',
    async run(create) {
      const store = await create();
      const scoped = { scope: { name: 'lib', version: '1' } };
      await store.merge(batch('a', counter(1), counter(2, {}, scoped), counter(4, {}, { scope: { name: 'lib' } })));
      await store.merge(batch('b', counter(10, {}, scoped)));
      const found = (await families(store, 'calls_total')).map(({ scope, points }) => [
        scope?.version ?? scope?.name ?? '',
        points[0]?.value,
      ]);
      equal(Object.fromEntries(found), { '': 1, 1: 12, lib: 4 }, 'values');
    },
  },
  {
    name: 'has help and unit from whoever gives them',
    async run(create) {
      const store = await create();
      await store.merge(batch('a', counter(1)));
      await store.merge(batch('b', counter(1, {}, { help: 'Calls "made"\n', unit: '{call}' })));
      await store.merge(batch('c', counter(1)));
      const [{ help, unit } = {}] = await families(store, 'calls_total');
      equal({ help, unit }, { help: 'Calls "made"\n', unit: '{call}' }, 'family');
    },
  },
];

const exact: readonly MetricStoreTest[] = [
  {
    name: 'gives integers back in their own unit',
    async run(create) {
      const store = await create();
      const usd = (nano: number) => counter(nano, {}, { name: 'usd_total', scale: 1e9 });
      await store.merge(batch('a', usd(100_000_000)));
      await store.merge(batch('b', usd(200_000_000)));
      equal(await value(store, 'usd_total'), 0.3, '0.1 + 0.2');
      await store.merge(batch('c', usd(1)));
      equal(await value(store, 'usd_total'), 0.300000001, 'a nano-dollar more');
    },
  },
  {
    name: 'adds two scales of one family',
    async run(create) {
      const store = await create();
      for (const [i, scale] of [1, 1e6, 1, 1e9].entries()) {
        await store.merge(batch(`${i}`, counter(3, {}, { scale }), histogram([1, 0, 0], 7, { scale })));
      }
      equal(await value(store), 6.000003003, 'counter');
      equal((await only(store, 'seconds')).sum, 14.000007007, 'sum');
      const signed = (change: number, scale: number) => gauge(change, 1, { additive: true, scale });
      await store.merge(batch('e', signed(-1, 1), signed(250_000, 1e6)));
      equal(await value(store, 'depth'), -0.75, 'up-down counter');
    },
  },
  {
    name: 'counts beyond 2^31 and up to the greatest safe integer',
    async run(create) {
      const store = await create();
      for (const [i, part] of [2 ** 31, 2 ** 31 - 1, 2 ** 40 + 1].entries())
        await store.merge(batch(`${i}`, counter(part)));
      equal(await value(store), 2 ** 32 + 2 ** 40, 'counter');
      const most = Number.MAX_SAFE_INTEGER;
      for (const [i, part] of [most - 4, 1, 3].entries()) {
        const rest = { name: 'most_total' };
        await store.merge(batch(`m${i}`, counter(part, {}, rest), histogram([part, 0, 0], part, { scale: 1 })));
      }
      equal(await value(store, 'most_total'), most, 'most_total');
      const { counts, count, sum } = await only(store, 'seconds');
      equal({ counts, count, sum }, { counts: [most, 0, 0], count: most, sum: most }, 'seconds');
    },
  },
  {
    name: 'goes on counting where the sum is more than a double holds exactly',
    async run(create) {
      const store = await create();
      const most = Number.MAX_SAFE_INTEGER;
      for (const [i, part] of [most, most, ...new Array<number>(10).fill(1)].entries()) {
        await store.merge(batch(`${i}`, counter(part, {}, { scale: 1e9 })));
      }
      equal(await value(store), (2 ** 54 + 8) / 1e9, 'value');
    },
  },
  {
    name: 'applies a batch once, also when it comes at the same time',
    async run(create) {
      const store = await create();
      const twice = batch('once', counter(1), histogram([0, 1, 0], 2_000_000), gauge(3, 1, { additive: true }));
      await Promise.all([store.merge(twice), store.merge(twice), store.merge(twice)]);
      await store.merge(batch('other', counter(10)));
      await store.merge(twice);
      equal(await value(store), 11, 'counter');
      equal((await only(store, 'seconds')).count, 1, 'histogram');
      equal(await value(store, 'depth'), 3, 'up-down counter');
    },
  },
  {
    name: 'counts every batch of many at the same time',
    async run(create) {
      const store = await create();
      const merges = Array.from({ length: 60 }, (_, i) =>
        batch(`${i % 40}`, counter((i % 40) + 1, { shard: `${i % 2}` }), histogram([0, 1, 0], 2_500_000)),
      );
      await Promise.all(merges.map((one) => store.merge(one)));
      equal(await byLabel(store, 'shard'), { 0: 400, 1: 420 }, 'counter');
      const { count, sum } = await only(store, 'seconds');
      equal({ count, sum }, { count: 40, sum: 100 }, 'histogram');
    },
  },
  {
    name: 'comes to the same whatever the order',
    async run(create) {
      const parts = [
        batch('a', counter(1, { model: 'a' }), gauge(1, 10), histogram([1, 0, 0], 1)),
        batch('b', counter(2, { model: 'b' }), gauge(2, 30), histogram([0, 1, 0], 2, { scale: 1e9 })),
        batch('c', counter(3, { model: 'a' }), gauge(3, 20), histogram([0, 0, 1], 3)),
      ];
      const orders = [
        [0, 1, 2],
        [2, 1, 0],
        [1, 2, 0, 1],
        [2, 0, 0, 1],
      ];
      const pages = [];
      for (const order of orders) {
        const store = await create();
        for (const i of order) await store.merge(parts[i]!);
        const { metrics } = await store.collect();
        const lines = renderPrometheus({ temporality: 'cumulative', resource: {}, metrics }, text).split('\n');
        pages.push(lines.sort());
      }
      for (const page of pages) equal(page, pages[0], 'page');
    },
  },
];

const text = { type: 'text', escaping: 'underscores', contentType: '' } as const;
const openMetrics = { type: 'openmetrics', escaping: 'underscores', contentType: '' } as const;

const sample = /^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\]|\\.)*",?)*\})? -?(\d|\+?Inf)\S*( # \{.*\} \S+( \S+)?)?$/;

const exposing: readonly MetricStoreTest[] = [
  {
    name: 'makes a valid page that never counts backwards',
    async run(create) {
      const store = await create();
      let before = new Map<string, number>();
      for (let round = 1; round <= 4; round++) {
        await store.merge(
          batch(`${round}`, counter(round, { model: 'a"\n' }), histogram([round, 1, 0], round), gauge(-round, round)),
        );
        const page = renderPrometheus(await store.collect(), openMetrics);
        const lines = page.trimEnd().split('\n');
        equal(lines.pop(), '# EOF', 'end');
        const now = new Map<string, number>();
        for (const line of lines.filter((one) => !one.startsWith('#'))) {
          ok(sample.test(line), `no sample: ${line}`);
          const [, series = '', shown] = /^(.*) (\S+)$/.exec(line.replace(/ # .*/, '')) ?? [];
          now.set(series, Number(shown));
        }
        for (const [series, value] of before) {
          if (series !== 'depth') ok(now.get(series)! >= value, `${series}: ${now.get(series)} after ${value}`);
        }
        ok(renderPrometheus(await store.collect(), text).includes('seconds_bucket{le="+Inf"}'), 'text');
        equal(now.get('seconds_count'), now.get('seconds_bucket{le="+Inf"}'), 'the last bucket');
        before = now;
      }
      equal([before.get('calls_total{model="a\\"\\n"}'), before.get('depth')], [10, -4], 'values');
    },
  },
  {
    name: 'keeps the start of a series over merges, also those of an earlier start',
    async run(create) {
      const store = await create();
      await store.merge(batch('a', counter(1), histogram([1, 0, 0], 1)));
      const starts = async () =>
        [await only(store, 'calls_total'), await only(store, 'seconds')].map((one) => one.startUnixNano);
      const first = await starts();
      for (const [i, seconds] of [5, -5, 10].entries()) {
        const moved = { ...base, startUnixNano: at(seconds), timeUnixNano: at(seconds + 1) };
        const { points } = histogram([1, 0, 0], 1);
        await store.merge(
          batch(
            `${i}`,
            counter(1, {}, { points: [{ ...moved, value: 1 }] }),
            histogram([], 0, { points: [{ ...points[0]!, ...moved }] }),
          ),
        );
        equal(await starts(), first, 'starts');
      }
      const { startUnixNano, timeUnixNano, value } = await only(store, 'calls_total');
      ok(startUnixNano >= start && startUnixNano <= timeUnixNano, `start ${startUnixNano}, time ${timeUnixNano}`);
      equal(value, 4, 'value');
    },
  },
  {
    name: 'keeps the newest exemplar of each bucket, and of a counter',
    async run(create) {
      const store = await create();
      const seconds = (...exemplars: Exemplar[]) => {
        const family = histogram([1, 0, 1], 1);
        return { ...family, points: [{ ...family.points[0]!, exemplars }] };
      };
      const calls = (one: Exemplar) => counter(1, {}, { points: [point({ value: 1, exemplars: [one] })] });
      await store.merge(batch('a', seconds(exemplar(0.5, 10), exemplar(50, 11)), calls(exemplar(1, 10))));
      await store.merge(batch('b', seconds(exemplar(1, 20), exemplar(60, 5)), calls(exemplar(2, 5))));
      await store.merge(batch('c', histogram([1, 0, 0], 1), counter(1)));
      const sorted = (await only(store, 'seconds')).exemplars?.toSorted((a, b) => a.value - b.value);
      equal(sorted, [exemplar(1, 20), exemplar(50, 11)], 'histogram');
      equal((await only(store, 'calls_total')).exemplars, [exemplar(1, 10)], 'counter');
    },
  },
  {
    name: 'counts series beyond the bound in one series of their own',
    async run(create) {
      const store = await create({ maxSeries: 3 });
      for (let i = 0; i < 6; i++) {
        await store.merge(batch(`${i}`, counter(2 ** i, { id: `${i}` }), counter(1, {}, { name: 'other_total' })));
      }
      await store.merge(batch('again', counter(100, { id: '1' }), counter(1000, { id: '5' })));
      const all = await points(store, 'calls_total');
      equal(
        all.reduce((sum, one) => sum + one.value!, 0),
        1163,
        'sum',
      );
      equal(all.length, 4, 'series');
      const rest = all.find(({ labels }) => labels.otel_metric_overflow === 'true');
      equal([rest?.value, Object.keys(rest?.labels ?? {}).length], [1056, 1], 'overflow');
      equal(await value(store, 'other_total'), 6, 'another family');
    },
  },
];

const huge = 'x'.repeat(1_000_000);

/** What can't be a number of its kind, by what is wrong with it. */
const wrongNumbers: Readonly<Record<string, BatchFamily>> = {
  'a negative counter': counter(-1),
  'a fraction': counter(0.5),
  NaN: counter(Number.NaN),
  'an infinite counter': counter(Number.POSITIVE_INFINITY),
  'an unsafe integer': counter(2 ** 53),
  'no value': counter(undefined as unknown as number),
  'a string': counter('1' as unknown as number),
  'a gauge that is NaN': gauge(Number.NaN, 1),
  'half a change': gauge(0.5, 1, { additive: true }),
  'an unsafe change': gauge(-(2 ** 53), 1, { additive: true }),
  'half an observation': histogram([0.5, 0, 0.5], 1),
  'a negative bucket': histogram([2, -1, 0], 1),
  'a sum that is a fraction': histogram([1, 0, 0], 0.1),
  'a negative sum': histogram([1, 0, 0], -1),
  'too few buckets': histogram([1, 0], 1),
  'no buckets': { ...histogram([], 0), points: [point({ value: 1 })] },
  'a count that is not that of the buckets': {
    ...histogram([1, 0, 0], 1),
    points: [point({ counts: [1, 0, 0], count: 2, sum: 1 })],
  },
  'bounds that go down': histogram([1, 0, 0], 1, { bounds: [10, 1] }),
  'a scale of 0': counter(1, {}, { scale: 0 }),
  'a scale of 3': counter(1, {}, { scale: 3 }),
  'a scale that is a fraction': counter(1, {}, { scale: 0.1 }),
  'another type': { ...counter(1), type: 'summary' as 'counter' },
  'a time that is a number': counter(1, {}, { points: [{ ...base, value: 1, timeUnixNano: 5 as unknown as bigint }] }),
  'a time before 1970': gauge(1, -2_000_000_000),
  'a time beyond 64 bits': counter(1, {}, { points: [{ ...base, value: 1, timeUnixNano: 2n ** 64n }] }),
  'an exemplar that is NaN': counter(1, {}, { points: [point({ value: 1, exemplars: [exemplar(Number.NaN, 1)] })] }),
};

const enormous: Readonly<Record<string, BatchFamily>> = {
  'a label of a megabyte': counter(1, { label: huge }),
  'a label name of a megabyte': counter(1, { [huge]: '' }),
  'a thousand labels': counter(1, Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`label${i}`, '']))),
  'a label that is a number': counter(1, { label: 1 as unknown as string }),
  'help of a megabyte': counter(1, {}, { help: huge }),
  'a unit of a megabyte': counter(1, {}, { unit: huge }),
  'a scope of a megabyte': counter(1, {}, { scope: { name: huge } }),
  'ten thousand buckets': histogram([], 0, {
    bounds: Array.from({ length: 10_000 }, (_, i) => i),
    points: [point({ counts: new Array(10_001).fill(1), count: 10_001, sum: 1 })],
  }),
  'a trace id of a megabyte': counter(
    1,
    {},
    { points: [point({ value: 1, exemplars: [{ ...exemplar(1, 1), traceId: huge }] })] },
  ),
};

const refusing: readonly MetricStoreTest[] = [
  {
    name: 'refuses other bounds, types and units by name, and applies nothing of that batch',
    async run(create) {
      const store = await create();
      await store.merge(batch('first', counter(1, {}, { unit: '{call}' }), histogram([1, 0, 0], 1), gauge(1, 1)));
      const before = await store.collect();
      const wrong: [string, BatchFamily][] = [
        ['bounds', histogram([1, 0, 0], 1, { bounds: [1, 20] })],
        ['fewer bounds', histogram([1, 0], 1, { bounds: [1] })],
        ['type', { ...counter(1), name: 'depth' }],
        ['additive', gauge(1, 9, { additive: true })],
        ['unit', counter(1, {}, { unit: 's' })],
      ];
      for (const [what, family] of wrong) {
        const others = [counter(1, { label: 'new' }), counter(1, {}, { name: 'new_total' })];
        await refused(store, batch(what, others[0]!, family, others[1]!), [family.name], what);
        equal(await store.collect(), before, `after ${what}`);
      }
      await refused(store, batch('two', wrong[0]![1], counter(1), wrong[3]![1]), ['seconds', 'depth'], 'two families');
      equal(await store.collect(), before, 'after two');
      const torn = [counter(1, {}, { name: 'torn_total' }), { ...gauge(1, 1), name: 'torn_total' }];
      await refused(store, batch('torn', ...torn), ['torn_total'], 'two types in one batch');
      equal(await store.collect(), before, 'after two types in one batch');
      // What was refused was not applied: the id may come back with what is right.
      await store.merge(batch('bounds', counter(1)));
      equal(await value(store), 2, 'afterwards');
    },
  },
  {
    name: 'refuses what is no number of its kind, and is unharmed',
    async run(create) {
      const store = await create();
      await store.merge(batch('good', counter(7)));
      const before = await store.collect();
      for (const [what, family] of Object.entries(wrongNumbers)) {
        const good = counter(1, {}, { name: 'good_total' });
        await refused(store, batch('wrong', good, family), [family.name], what);
        equal(await store.collect(), before, `after ${what}`);
      }
      await store.merge(batch('wrong', counter(1)));
      equal(await value(store), 8, 'afterwards');
    },
  },
  {
    name: 'refuses what is no batch, and is unharmed',
    async run(create) {
      const store = await create();
      await store.merge(batch('good', counter(7)));
      const before = await store.collect();
      for (const families of [
        undefined,
        null,
        5,
        [null],
        [{ name: 'x', type: 'counter' }],
        [{ ...counter(1), points: 5 }],
      ]) {
        const given = { batchId: 'wrong', families } as unknown as MetricBatch;
        const error = (await thrown(() => store.merge(given))) as StoreRefusal;
        equal([error.name, error.code], ['StoreRefusal', 'store_refused'], JSON.stringify(families) ?? 'undefined');
      }
      const shapeless = { labels: undefined, exemplars: null, timeUnixNano: 1 };
      for (const [what, value] of Object.entries(shapeless)) {
        const points = [{ ...point({ value: 1 }), [what]: value as never }];
        await refused(store, batch('wrong', counter(1, {}, { points })), ['calls_total'], what);
      }
      await refused(store, batch('wrong', counter(1, {}, { points: [null as never] })), ['calls_total'], 'no point');
      equal(await store.collect(), before, 'afterwards');
      await store.merge(batch('wrong', counter(1)));
      equal(await value(store), 8, 'the id is free');
    },
  },
  {
    name: 'refuses names, labels, texts and ids of a megabyte, and is unharmed',
    async run(create) {
      const store = await create();
      await store.merge(batch('good', counter(7)));
      const before = await store.collect();
      for (const [what, family] of Object.entries(enormous)) {
        await refused(store, batch('wrong', family), [family.name], what);
        equal(await store.collect(), before, `after ${what}`);
      }
      for (const name of [huge, '', 5 as unknown as string]) {
        const error = (await thrown(() => store.merge(batch('name', counter(1, {}, { name }))))) as StoreRefusal;
        equal([error.name, error.message.length < 2000], ['StoreRefusal', true], `a name of ${String(name).length}`);
      }
      for (const id of [huge, 'x'.repeat(65), '', 5 as unknown as string]) {
        const error = (await thrown(() => store.merge(batch(id, counter(1))))) as StoreRefusal;
        equal([error.name, error.message.length < 2000], ['StoreRefusal', true], `an id of ${String(id).length}`);
      }
      equal(await store.collect(), before, 'in the end');
      await store.merge(batch('x'.repeat(64), counter(1)));
      equal(await value(store), 8, 'an id of 64 characters');
    },
  },
];

/**
 * What every `MetricStore` does. `create` gives an empty store, whose clock may be the real one.
 *
 * @example
 * it.each(metricStoreContract)('$name', ({ run }) => run(async (options) => createMemoryMetricStore(options)));
 */
export const metricStoreContract: readonly MetricStoreTest[] = [...adding, ...exact, ...exposing, ...refusing];
